"""The vault's strategy in a gold pool: what it adds, what it is worth, what it pays, who may."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from handmade import DENYING_DOLLAR, MUTE_DOLLAR
from pool_stage import UNLIMITED, PoolStage
from props import DAY, DOLLAR, OUNCE, deploy, events, refused, send

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"

PRICE = 4_000
GOLD, USDC = 1_000 * OUNCE, 1_000 * PRICE * DOLLAR
GAP = 53_000
"""5 % beyond the fee, parts per million."""

NewStage = Callable[..., SimpleNamespace]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    """The depositor stands for the vault, and has given the strategy his gold."""

    def make(**terms: int) -> SimpleNamespace:
        stage = PoolStage(revm, roles, **terms)
        stage.add(1_000 * stage.ounce, USDC, roles.crowd)
        feed = deploy(revm, "price_feed", 18, "Gold / USDC", roles.keeper, sender=roles.owner)
        send(revm, feed, "update_answer", PRICE * 10**18, sender=roles.keeper)
        args = ("pool_strategy", stage.pool, roles.depositor, feed, DAY, GAP)
        strategy = deploy(revm, *args, sender=roles.owner)
        send(revm, stage.gold, "approve", strategy, UNLIMITED, sender=roles.depositor)
        return SimpleNamespace(pool=stage, feed=feed, strategy=strategy, vault=roles.depositor)

    return make


@pytest.fixture
def stage(new_stage: NewStage) -> SimpleNamespace:
    return new_stage()


def act(stage: SimpleNamespace, function: str, *args: object, by: str = ""):
    return stage.pool.send(stage.strategy, function, *args, by=by or stage.vault)


def read(stage: SimpleNamespace, view: str, *args: object) -> int:
    return stage.strategy.read(stage.pool.chain, view, *args)


def add(stage: SimpleNamespace, gold: int):
    return act(stage, "deposit", gold, stage.vault)


def quote(stage: SimpleNamespace, price: float) -> None:
    stage.pool.send(stage.feed, "update_answer", int(price * 10**18), by=stage.pool.roles.keeper)


# --- By hand -------------------------------------------------------------------


def test_deposit__leaves_all_gold_and_no_dollar_more_in_the_pool(stage: SimpleNamespace):
    """10 oz: USDC that the sale takes out comes back as liquidity, but for rounding.

    s = 2 x 1,000 x 10 / (1,997 + sqrt(1,997^2 + 4 x 0.997 x 1,000 x 10)) = 4.99505... oz are sold,
    and (10 - s) / (1,000 + s) of the shares are new.
    """
    supply = stage.pool.read("totalSupply")
    receipt = add(stage, 10 * OUNCE)
    gold, usdc = stage.pool.reserves()
    assert GOLD + 10 * OUNCE - gold <= 10**9
    assert 0 <= USDC - usdc <= 2
    sold = 20_000 / (1_997 + math.sqrt(1_997**2 + 39_880))
    assert sold == pytest.approx(4.99505, abs=1e-5)
    swapped = events(stage.pool.pool, receipt, "Swap")[0][1]
    assert swapped["amount0In"] == pytest.approx(sold * OUNCE, rel=1e-12)
    shares = (10 - sold) / (1_000 + sold) * supply
    assert read(stage, "balanceOf", stage.vault) == pytest.approx(shares, rel=1e-9)
    assert stage.pool.read("balanceOf", stage.strategy.address) == read(stage, "totalSupply")


def test_worth__is_what_the_shares_hold_at_the_feeds_price(stage: SimpleNamespace):
    """2 sqrt(x y / P) over all shares: at 4 x the price half as much gold."""
    add(stage, 10 * OUNCE)
    own, supply = read(stage, "totalSupply"), stage.pool.read("totalSupply")
    gold, usdc = stage.pool.reserves()
    root = math.sqrt(gold / OUNCE * (usdc / DOLLAR) / PRICE)
    worth = read(stage, "totalAssets")
    assert worth / OUNCE == pytest.approx(2 * root * own / supply, rel=1e-9)
    # all but the fee of the sale and what it moved the price: 0.3 % and 0.5 % of 5 oz
    assert 9.95 * OUNCE < worth < 9.985 * OUNCE
    quote(stage, 4 * PRICE)
    assert read(stage, "convertToAssets", own) == pytest.approx(worth / 2, rel=1e-9)


def test_worth__is_moved_by_no_trade_but_for_its_fee(stage: SimpleNamespace):
    add(stage, 10 * OUNCE)
    worth = read(stage, "totalAssets")
    stage.pool.swap(400 * OUNCE, stage.pool.roles.trader, gold=True)
    after = read(stage, "totalAssets")
    # the fee of 1.2 oz is the pool's, of which a hundredth and twice a root is the strategy's
    assert worth < after < worth + OUNCE // 50


def test_withdrawal__pays_what_is_asked_and_burns_what_it_takes(stage: SimpleNamespace):
    add(stage, 20 * OUNCE)
    before, own = stage.pool.has(stage.vault)[0], read(stage, "totalSupply")
    reserve, usdc = stage.pool.reserves()
    receipt = act(stage, "withdraw", 3 * OUNCE, stage.vault, stage.vault)
    assert stage.pool.has(stage.vault)[0] - before == 3 * OUNCE
    gold, left = stage.pool.reserves()
    assert reserve - gold == pytest.approx(3 * OUNCE, rel=1e-8)
    assert 0 <= usdc - left <= 2
    burnt = own - read(stage, "totalSupply")
    assert events(stage.strategy, receipt, "Withdraw")[0][1]["shares"] == burnt
    # q + 0.997 q (1 - q) / (1 - 0.003 q) = 3 / 1,020 of all shares
    part = burnt / (burnt + stage.pool.read("totalSupply"))
    found = part + 0.997 * part * (1 - part) / (1 - 0.003 * part)
    assert found == pytest.approx(3 * OUNCE / reserve, rel=1e-8)
    assert read(stage, "idle_gold") < 10**10


def test_most__is_what_all_shares_bring_to_the_last_unit(stage: SimpleNamespace):
    add(stage, 20 * OUNCE)
    most = read(stage, "maxWithdraw", stage.vault)
    with refused("pool_strategy: exceeds withdrawable"):
        act(stage, "withdraw", most + 1, stage.vault, stage.vault)
    act(stage, "withdraw", most, stage.vault, stage.vault)
    assert read(stage, "totalSupply") == 0
    assert read(stage, "totalAssets") == 0
    assert most < 20 * OUNCE
    # a strategy that has been left takes gold again, and what rounding left goes along
    add(stage, OUNCE)
    assert read(stage, "totalAssets") > 0


def test_round_trip__loses_fees_and_never_profits(new_stage: NewStage):
    for fee in (0, 3_000):
        stage = new_stage(fee_ppm=fee)
        before = stage.pool.has(stage.vault)[0]
        add(stage, 50 * OUNCE)
        most = read(stage, "maxWithdraw", stage.vault)
        act(stage, "withdraw", most, stage.vault, stage.vault)
        lost = before - stage.pool.has(stage.vault)[0]
        # two trades of about 25 oz each at the fee, and rounding
        assert lost == pytest.approx(50 * OUNCE * fee / 10**6, rel=0.1, abs=10**10)
        assert lost >= 0


def test_token_with_a_fee__counts_what_arrives(new_stage: NewStage):
    stage = new_stage(token_fee_ppm=200)
    add(stage, 10 * OUNCE)
    gold, _ = stage.pool.reserves()
    held = stage.pool.has(stage.strategy.address)[0]
    assert read(stage, "idle_gold") == held
    worth = read(stage, "totalAssets")
    assert 9.9 * OUNCE < worth < 10 * OUNCE
    act(stage, "withdraw", 5 * OUNCE, stage.vault, stage.vault)
    assert read(stage, "idle_gold") == stage.pool.has(stage.strategy.address)[0]
    assert stage.pool.reserves()[0] < gold


@pytest.mark.parametrize(("decimals", "gold", "shares"), [(18, 6 * 10**8, 15_811), (6, 5, 63)])
def test_shares__that_bring_no_unit_of_a_token__pay_nothing(
    new_stage: NewStage, decimals: int, gold: int, shares: int
):
    """1,000 oz and 4,000,000 USDC. Of 18 decimals, gold for two units of USDC: a half of it is sold
    for one, and 1 / 4e12 of sqrt(1e21 x 4e12) shares are 15,811.4; 15,811 bring 0.99997. Of 6, as
    of XAUt: two of five units are sold for 7,975, which take one unit of gold along, and 1 / 1e9
    of sqrt(1e9 x 4e12) are 63.2; 63 bring 0.996. The pool pays no part without the other."""
    stage = new_stage(gold_decimals=decimals)
    add(stage, gold)
    assert read(stage, "balanceOf", stage.vault) == shares
    assert read(stage, "totalAssets") > 0
    assert read(stage, "maxWithdraw", stage.vault) == 0
    with refused("pool_strategy: exceeds withdrawable"):
        act(stage, "withdraw", 1, stage.vault, stage.vault)
    # With more of them, whoever holds them gets all of it.
    add(stage, 10 * gold)
    most = read(stage, "maxWithdraw", stage.vault)
    assert gold < most <= 11 * gold
    act(stage, "withdraw", most, stage.vault, stage.vault)


def test_withdrawal__of_a_token_that_keeps_a_wei_it_does_not_name__is_refused(
    new_stage: NewStage, monkeypatch: pytest.MonkeyPatch
):
    """Two transfers bring two wei less than all shares are said to; a part of them has to spare."""
    old = "erc20._transfer(owner, to, amount - fee)"
    keeping = compile_patched(
        CONTRACTS / "gold_token.vy",
        ("gold_token.vy", old, "erc20._transfer(owner, to, amount - fee - min(amount, 1))"),
    )
    monkeypatch.setattr(
        "props.load_artifact", lambda name: keeping if name == keeping.name else load_artifact(name)
    )
    stage = new_stage()
    add(stage, 10 * OUNCE)
    most = read(stage, "maxWithdraw", stage.vault)
    with refused("pool_strategy: too little gold"):
        act(stage, "withdraw", most, stage.vault, stage.vault)
    act(stage, "withdraw", most - 2, stage.vault, stage.vault)


def test_donation__is_nobodys_here(stage: SimpleNamespace):
    add(stage, 10 * OUNCE)
    worth = read(stage, "totalAssets")
    trader, address = stage.pool.roles.trader, stage.strategy.address
    stage.pool.send(stage.pool.gold, "transfer", address, OUNCE, by=trader)
    stage.pool.send(stage.pool.usdc, "transfer", address, DOLLAR, by=trader)
    assert read(stage, "totalAssets") == worth


# --- Off the feed --------------------------------------------------------------


@pytest.mark.parametrize("gold", [True, False])
def test_pool__moved_beyond_the_gap__is_left_alone_and_still_valued(
    stage: SimpleNamespace, gold: bool
):
    """40 of 1,020 oz move the price by some 8 %, beyond 5.3 %; most of it back by little."""
    add(stage, 20 * OUNCE)
    trader = stage.pool.roles.trader
    paid = 40 * OUNCE if gold else 40 * PRICE * DOLLAR
    stage.pool.swap(paid, trader, gold=gold)
    assert read(stage, "maxDeposit", stage.vault) == 0
    assert read(stage, "maxWithdraw", stage.vault) == 0
    assert read(stage, "totalAssets") > 19 * OUNCE
    with refused("pool_strategy: pool is off the feed"):
        add(stage, OUNCE)
    with refused("pool_strategy: exceeds withdrawable"):
        act(stage, "withdraw", 1, stage.vault, stage.vault)
    stage.pool.swap(_most_of(paid, gold), trader, gold=not gold)
    assert read(stage, "maxDeposit", stage.vault) == UNLIMITED
    add(stage, OUNCE)
    act(stage, "withdraw", OUNCE, stage.vault, stage.vault)


def _most_of(paid: int, gold: bool) -> int:
    """Return three quarters of what was paid, in the other token's unit."""
    most = 3 * paid // 4
    return most * PRICE * DOLLAR // OUNCE if gold else most * OUNCE // (PRICE * DOLLAR)


def test_feed__that_is_silent__stops_everything(stage: SimpleNamespace):
    add(stage, OUNCE)
    chain = stage.pool.chain
    chain.block(chain.timestamp() + DAY + 1, [])
    for view, *args in (
        ("totalAssets",),
        ("maxWithdraw", stage.vault),
        ("maxDeposit", stage.vault),
    ):
        with refused("feed: answer is too old"):
            read(stage, view, *args)
    quote(stage, PRICE)
    assert read(stage, "totalAssets") > 0


def test_pool__without_a_price__takes_nothing_until_it_has_one(revm: Chain, roles: SimpleNamespace):
    """An empty pool is at no feed: whoever came first would set the price of all."""
    pool = PoolStage(revm, roles)
    feed = deploy(revm, "price_feed", 18, "Gold / USDC", roles.keeper, sender=roles.owner)
    send(revm, feed, "update_answer", PRICE * 10**18, sender=roles.keeper)
    args = ("pool_strategy", pool.pool, roles.depositor, feed, DAY, GAP)
    strategy = deploy(revm, *args, sender=roles.owner)
    pool.send(pool.gold, "approve", strategy, UNLIMITED, by=roles.depositor)
    stage = SimpleNamespace(pool=pool, feed=feed, strategy=strategy, vault=roles.depositor)
    assert read(stage, "maxDeposit", stage.vault) == 0
    with refused("pool_strategy: pool is off the feed"):
        add(stage, OUNCE)
    pool.add(GOLD, USDC, roles.crowd)
    assert read(stage, "maxDeposit", stage.vault) == UNLIMITED
    add(stage, OUNCE)


# --- Who may -------------------------------------------------------------------


def test_others__may_neither_put_in_nor_take_out(stage: SimpleNamespace):
    add(stage, OUNCE)
    stranger = stage.pool.roles.stranger
    with refused("pool_strategy: caller is not the vault"):
        act(stage, "deposit", OUNCE, stranger, by=stranger)
    with refused("pool_strategy: caller is not the owner"):
        act(stage, "withdraw", 1_000, stranger, stage.vault, by=stranger)
    assert read(stage, "maxDeposit", stranger) == 0
    assert read(stage, "maxWithdraw", stranger) == 0
    with refused("pool_strategy: exceeds withdrawable"):
        act(stage, "withdraw", 1_000, stranger, stranger, by=stranger)


def test_deployment__of_what_cannot_work__is_refused(stage: SimpleNamespace):
    chain, roles, pool = stage.pool.chain, stage.pool.roles, stage.pool
    for vault, feed, gap, reason in (
        (ZERO_ADDRESS, stage.feed, GAP, "pool_strategy: vault is the zero address"),
        (roles.depositor, ZERO_ADDRESS, GAP, "pool_strategy: feed is the zero address"),
        (roles.depositor, stage.feed, 3_000, "pool_strategy: gap is within the fee"),
        (roles.depositor, stage.feed, 10**6, "pool_strategy: gap is the whole price"),
    ):
        with refused(reason):
            deploy(chain, "pool_strategy", pool.pool, vault, feed, DAY, gap, sender=roles.owner)
    turned = deploy(chain, "gold_pool", "P", "P", pool.usdc, pool.gold, 0, sender=roles.owner)
    with refused("pool_strategy: dollar has no 6 decimals"):
        args = ("pool_strategy", turned, roles.depositor, stage.feed, DAY, GAP)
        deploy(chain, *args, sender=roles.owner)
    args = ("pool_strategy", pool.pool, roles.depositor, stage.feed, DAY, 3_001)
    deploy(chain, *args, sender=roles.owner)


def test_deployment__on_a_token_that_lets_nobody_take_it__is_refused(stage: SimpleNamespace):
    """Tokens that answer false to an approval instead of reverting, once as gold, once as USDC."""
    chain, roles, pool = stage.pool.chain, stage.pool.roles, stage.pool
    denying = chain.deploy(DENYING_DOLLAR, (), sender=roles.owner)
    rest = (roles.depositor, stage.feed, DAY, GAP)
    for tokens in ((denying, pool.usdc), (pool.gold, denying)):
        found = deploy(chain, "gold_pool", "P", "P", *tokens, 0, sender=roles.owner)
        with refused("pool_strategy: approval failed"):
            deploy(chain, "pool_strategy", found, *rest, sender=roles.owner)
    deploy(chain, "pool_strategy", pool.pool, *rest, sender=roles.owner)


def test_deployment__on_tokens_that_answer_nothing_to_an_approval__works(stage: SimpleNamespace):
    """As USDT does: what is silent and does not revert has approved."""
    chain, roles, pool = stage.pool.chain, stage.pool.roles, stage.pool
    mute = chain.deploy(MUTE_DOLLAR, (), sender=roles.owner)
    for tokens in ((mute, pool.usdc), (pool.gold, mute)):
        found = deploy(chain, "gold_pool", "P", "P", *tokens, 0, sender=roles.owner)
        deploy(
            chain, "pool_strategy", found, roles.depositor, stage.feed, DAY, GAP, sender=roles.owner
        )
