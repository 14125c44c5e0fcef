"""The gold pool: Uniswap V2's names and formulas, its sums by hand, refusals beside successes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pool_stage import LOCKED, UNLIMITED, PoolStage
from props import (
    DOLLAR,
    ERC20_FUNCTIONS,
    ERC20_TOPICS,
    OUNCE,
    check_standard,
    deploy,
    events,
    refused,
)

from simulator.chain import ZERO_ADDRESS, Chain, load_artifact
from simulator.chain.contract import interface_of
from simulator.instruments.gold_pool.terms import MAX_FEE_BPS, PPM_A_BPS

SOURCE = Path(__file__).parents[3] / "contracts" / "gold_pool.vy"
GOLD, USDC = 1_000 * OUNCE, 4_000_000 * DOLLAR
FIRST = math.isqrt(GOLD * USDC)
"""Shares of the first liquidity, the locked ones among them."""

NewStage = Callable[..., PoolStage]


@pytest.fixture
def new_stage(revm: Chain, roles: SimpleNamespace) -> NewStage:
    def make(**terms: int) -> PoolStage:
        stage = PoolStage(revm, roles, **terms)
        stage.add(GOLD, USDC, roles.crowd)
        return stage

    return make


@pytest.fixture
def stage(new_stage: NewStage) -> PoolStage:
    return new_stage()


# --- The standard --------------------------------------------------------------


def test_interface__has_uniswaps_selectors_and_topics():
    """As they stand on Ethereum: pair 0xB4e16d01..., router 0x7a250d56..."""
    artifact = load_artifact("gold_pool")
    check_standard(artifact, ERC20_FUNCTIONS, ERC20_TOPICS)
    known = interface_of(artifact)
    selectors = {
        name: {item.selector.hex() for item in items} for name, items in known.functions.items()
    }
    expected = {
        "getReserves": "0902f1ac",
        "token0": "0dfe1681",
        "token1": "d21220a7",
        "MINIMUM_LIQUIDITY": "ba9a7a56",
        "skim": "bc25cf77",
        "sync": "fff6cae9",
        "swapExactTokensForTokens": "38ed1739",
        "getAmountOut": "054d50d4",
    }
    assert {name: selectors[name] for name in expected} == {k: {v} for k, v in expected.items()}
    topics = {topic.hex(): event for topic, event in known.events.items()}
    indexed = {
        # Mint, Burn, Swap, Sync
        "4c209b5fc8ad50758f13e2e1088ba56a560dff690a1c6fef26394f4c03821c4f": 1,
        "dccd412f0b1252819cb1fd330b93224ca42612892bb3f4f789976e6d81936496": 2,
        "d78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822": 2,
        "1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1": 0,
    }
    assert {topic: len(topics[topic].indexed) for topic in indexed} == indexed


def test_bounds__of_the_terms__are_those_of_the_contract():
    (most,) = re.findall(r"_MAX_FEE: constant\(uint256\) = ([\d_]+)", SOURCE.read_text())
    assert int(most) == MAX_FEE_BPS * PPM_A_BPS


# --- By hand -------------------------------------------------------------------


def test_first_liquidity__is_the_root_of_the_product_less_what_is_locked(stage: PoolStage):
    """sqrt(1e21 x 4e12) = 63,245,553,203,367,586 and a bit."""
    assert FIRST == 63_245_553_203_367_586
    assert stage.read("totalSupply") == FIRST
    assert stage.read("balanceOf", stage.roles.crowd) == FIRST - 1_000
    assert stage.read("balanceOf", LOCKED) == 1_000
    assert stage.reserves() == (GOLD, USDC)
    changed_at = stage.read("getReserves")[2]
    assert changed_at == stage.chain.timestamp()


def test_liquidity__beside_others__takes_both_in_the_ratio_of_the_reserves(stage: PoolStage):
    """10 of 1,000 oz are a hundredth: 40,000 USDC beside them and a hundredth of the shares."""
    receipt = stage.add(10 * OUNCE, 50_000 * DOLLAR, stage.roles.depositor)
    shares = FIRST // 100
    assert stage.read("balanceOf", stage.roles.depositor) == shares
    assert stage.reserves() == (1_010 * OUNCE, 4_040_000 * DOLLAR)
    (minted,) = events(stage.pool, receipt, "Mint")
    assert minted == (
        "Mint",
        {
            "sender": stage.roles.depositor,
            "amount0": 10 * OUNCE,
            "amount1": 40_000 * DOLLAR,
        },
    )


def test_liquidity__short_of_dollars__takes_less_gold(stage: PoolStage):
    stage.add(10 * OUNCE, 20_000 * DOLLAR, stage.roles.depositor)
    assert stage.reserves() == (1_005 * OUNCE, 4_020_000 * DOLLAR)


def test_removal__of_a_hundredth__pays_a_hundredth_of_both(stage: PoolStage):
    roles = stage.roles
    stage.add(10 * OUNCE, 40_000 * DOLLAR, roles.depositor)
    before = stage.has(roles.depositor)
    supply, own = stage.read("totalSupply"), stage.read("balanceOf", roles.depositor)
    receipt = stage.remove(own, roles.depositor)
    gold, usdc = own * 1_010 * OUNCE // supply, own * 4_040_000 * DOLLAR // supply
    assert [b - a for a, b in zip(before, stage.has(roles.depositor), strict=True)] == [gold, usdc]
    assert 10 * OUNCE - 10**6 < gold <= 10 * OUNCE
    assert events(stage.pool, receipt, "Burn")[0][1] == {
        "sender": roles.depositor,
        "amount0": gold,
        "amount1": usdc,
        "to": roles.depositor,
    }


def test_trade__of_gold__pays_by_the_product_with_the_fee_taken_off(stage: PoolStage):
    """10 oz: 9.97 at work, so 4,000,000 x 9.97 / 1,009.97 = 39,486.321375... USDC."""
    roles = stage.roles
    receipt = stage.swap(10 * OUNCE, roles.trader, gold=True, to=roles.stranger)
    out = 39_486_321_375
    assert out == 4_000_000 * DOLLAR * 997 // 100_997
    assert stage.reserves() == (1_010 * OUNCE, USDC - out)
    swapped = events(stage.pool, receipt, "Swap")[0][1]
    assert swapped == {
        "sender": roles.trader,
        "amount0In": 10 * OUNCE,
        "amount1In": 0,
        "amount0Out": 0,
        "amount1Out": out,
        "to": roles.stranger,
    }
    assert events(stage.pool, receipt, "Sync")[0][1] == {
        "reserve0": 1_010 * OUNCE,
        "reserve1": USDC - out,
    }
    assert stage.read("getAmountOut", 10 * OUNCE, GOLD, USDC) == out


def test_trade__of_dollars__pays_gold(stage: PoolStage):
    """40,000 USDC: 39,880 at work, so 1,000 x 39,880 / 4,039,880 oz, rounded down."""
    before = stage.has(stage.roles.trader)
    stage.swap(40_000 * DOLLAR, stage.roles.trader, gold=False)
    out = 1_000 * OUNCE * 39_880 // 4_039_880
    after = stage.has(stage.roles.trader)
    assert (after[0] - before[0], before[1] - after[1]) == (out, 40_000 * DOLLAR)


def test_token_with_a_fee__counts_what_arrives(new_stage: NewStage):
    """2 % of each transfer: of 10 oz 9.8 arrive, in trades and as liquidity."""
    stage = new_stage(token_fee_ppm=20_000)
    arrived = GOLD * 98 // 100
    assert stage.reserves() == (arrived, USDC)
    stage.swap(10 * OUNCE, stage.roles.trader, gold=True)
    at_work = 98 * OUNCE // 10 * 997
    out = at_work * USDC // (arrived * 1_000 + at_work)
    assert stage.reserves() == (arrived + 98 * OUNCE // 10, USDC - out)
    supply, reserve = stage.read("totalSupply"), stage.reserves()[0]
    stage.add(10 * OUNCE, 10**6 * DOLLAR, stage.roles.depositor)
    assert stage.read("balanceOf", stage.roles.depositor) == 98 * OUNCE // 10 * supply // reserve


def test_token_with_a_fee__short_of_dollars__still_fits_both(new_stage: NewStage):
    stage = new_stage(token_fee_ppm=20_000)
    gold, usdc = stage.reserves()
    supply = stage.read("totalSupply")
    stage.add(10 * OUNCE, usdc // 1_000, stage.roles.depositor)
    own = stage.read("balanceOf", stage.roles.depositor)
    assert own == pytest.approx(supply / 1_000, rel=1e-9)
    assert stage.reserves()[0] - gold == pytest.approx(gold / 1_000, rel=1e-9)


# --- Who would win ---------------------------------------------------------------


@pytest.mark.parametrize("gold", [True, False])
@pytest.mark.parametrize("fee_ppm", [0, 3_000])
def test_round_trip__of_a_trade__never_profits(new_stage: NewStage, fee_ppm: int, gold: bool):
    stage = new_stage(fee_ppm=fee_ppm)
    trader = stage.roles.trader
    before = stage.has(trader)
    paid = 123 * OUNCE if gold else 456_789 * DOLLAR
    stage.swap(paid, trader, gold=gold)
    middle = stage.has(trader)
    stage.swap(middle[gold] - before[gold], trader, gold=not gold)
    after = stage.has(trader)
    lost = before[not gold] - after[not gold]
    # without a fee rounding alone takes: a unit of USDC is worth 2.5e8 wei of gold
    assert lost > 0 if fee_ppm else 0 <= lost <= 10**10
    assert after[gold] == before[gold]


def test_first_depositor__who_raises_the_price_of_a_share__loses_a_thousandfold(
    revm: Chain, roles: SimpleNamespace
):
    """One share of 1,001 for 1,001 units each, then a donation of 100 oz and 400,000 USDC.

    The next one's 10 oz then fill 100 shares; he loses what does not fill one more, at most an
    hundredth. The first one owns a thousandth of his gift.
    """
    stage = PoolStage(revm, roles)
    attacker, victim = roles.stranger, roles.depositor
    stage.add(1_001, 1_001, attacker)
    assert stage.read("balanceOf", attacker) == 1
    stage.send(stage.gold, "transfer", stage.pool.address, 100 * OUNCE, by=attacker)
    stage.send(stage.usdc, "transfer", stage.pool.address, 400_000 * DOLLAR, by=attacker)
    assert stage.reserves() == (1_001, 1_001)
    stage.send(stage.pool, "sync", by=attacker)
    stage.add(10 * OUNCE, 40_001 * DOLLAR, victim)
    own, supply = stage.read("balanceOf", victim), stage.read("totalSupply")
    gold, _ = stage.reserves()
    assert own * gold // supply > 99 * OUNCE // 10
    assert 1 * gold // supply < 110 * OUNCE // 1_000


def test_donation__changes_no_price_until_somebody_syncs_or_skims(stage: PoolStage):
    roles = stage.roles
    stage.send(stage.gold, "transfer", stage.pool.address, OUNCE, by=roles.stranger)
    assert stage.reserves() == (GOLD, USDC)
    out = stage.read("getAmountOut", OUNCE, GOLD, USDC)
    before = stage.has(roles.trader)
    stage.swap(OUNCE, roles.trader, gold=True)
    assert stage.has(roles.trader)[1] - before[1] == out
    before = stage.has(roles.depositor)
    stage.send(stage.pool, "skim", roles.depositor, by=roles.stranger)
    assert stage.has(roles.depositor) == (before[0] + OUNCE, before[1])
    stage.send(stage.usdc, "transfer", stage.pool.address, 7 * DOLLAR, by=roles.stranger)
    gold, usdc = stage.reserves()
    stage.send(stage.pool, "sync", by=roles.stranger)
    assert stage.reserves() == (gold, usdc + 7 * DOLLAR)


def test_gold_that_the_issuer_wipes__is_the_providers_loss_once_synced(stage: PoolStage):
    roles = stage.roles
    stage.send(stage.gold, "freeze", stage.pool.address, by=roles.owner)
    stage.send(stage.gold, "wipeFrozenAddress", stage.pool.address, by=roles.owner)
    stage.send(stage.gold, "unfreeze", stage.pool.address, by=roles.owner)
    assert stage.reserves() == (GOLD, USDC)
    # nothing is beyond the reserves: there is nothing to skim
    before = stage.has(roles.stranger)
    stage.send(stage.pool, "skim", roles.stranger, by=roles.stranger)
    assert stage.has(roles.stranger) == before
    stage.send(stage.pool, "sync", by=roles.stranger)
    assert stage.reserves() == (0, USDC)
    with refused("gold_pool: a reserve is empty"):
        stage.swap(OUNCE, roles.trader, gold=True)
    with refused("gold_pool: a reserve is empty"):
        stage.add(OUNCE, DOLLAR, roles.depositor)


# --- Refusals --------------------------------------------------------------------


def test_deployment__of_what_is_no_pool__is_refused(revm: Chain, roles: SimpleNamespace):
    gold, usdc = (deploy(revm, "usdc", sender=roles.owner) for _ in range(2))
    for token0, token1, fee, reason in (
        (ZERO_ADDRESS, usdc, 0, "gold_pool: gold is the zero address"),
        (gold, ZERO_ADDRESS, 0, "gold_pool: dollar is the zero address"),
        (gold, gold, 0, "gold_pool: both tokens are one"),
        (gold, usdc, 100_001, "gold_pool: fee above 10 %"),
    ):
        with refused(reason):
            deploy(revm, "gold_pool", "Pool", "P", token0, token1, fee, sender=roles.owner)
    deploy(revm, "gold_pool", "Pool", "P", gold, usdc, 100_000, sender=roles.owner)


def test_first_liquidity__of_less_than_is_locked__is_refused(revm: Chain, roles: SimpleNamespace):
    stage = PoolStage(revm, roles)
    with refused("gold_pool: too little for the first shares"):
        stage.add(1_000, 1_000, roles.crowd)
    with refused("gold_pool: too little for the first shares"):
        stage.add(OUNCE, 0, roles.crowd)
    stage.add(1_001, 1_001, roles.crowd)


def test_reserve__above_112_bits__is_refused(revm: Chain, roles: SimpleNamespace):
    """2^112 - 1 units fit: of a token with 18 decimals five quadrillion."""
    stage = PoolStage(revm, roles)
    most = 2**112 - 1
    stage.send(stage.usdc, "mint", roles.crowd, most + 10**18, by=roles.owner)
    reason = "gold_pool: reserve above 112 bits"
    with refused(reason):
        stage.add(OUNCE, most + 1, roles.crowd)
    stage.add(OUNCE, most, roles.crowd)
    with refused(reason):
        stage.swap(10**17, roles.crowd, gold=False)
    stage.send(stage.usdc, "transfer", stage.pool.address, 1, by=roles.crowd)
    with refused(reason):
        stage.send(stage.pool, "sync", by=roles.crowd)


def test_liquidity__refusals(stage: PoolStage):
    own = stage.roles.depositor
    stage.send(stage.usdc, "transfer", stage.roles.crowd, 1, by=own)
    with refused("gold_pool: too little gold"):
        stage.add(OUNCE, 4_000 * DOLLAR, own, least=(OUNCE + 1, 0))
    with refused("gold_pool: too few dollars"):
        stage.add(OUNCE, 5_000 * DOLLAR, own, least=(OUNCE, 4_000 * DOLLAR + 1))
    stage.add(OUNCE, 5_000 * DOLLAR, own, least=(OUNCE, 4_000 * DOLLAR))
    with refused("gold_pool: too little for a share"):
        stage.add(1, 4_000 * DOLLAR, own)
    with refused("share_token: receiver is the token itself"):
        stage.add(OUNCE, 4_000 * DOLLAR, own, to=stage.pool.address)
    late = stage.chain.timestamp()
    with refused("gold_pool: too late"):
        args = (OUNCE, 4_000 * DOLLAR, 0, 0, own, late - 1)
        stage.send(stage.pool, "addLiquidity", *args, by=own)
    stage.send(stage.pool, "addLiquidity", *args[:-1], late, by=own)


def test_removal__refusals(stage: PoolStage):
    crowd, roles = stage.roles.crowd, stage.roles
    own = stage.read("balanceOf", crowd)
    with refused("gold_pool: exceeds the shares"):
        stage.remove(own + 1, crowd)
    with refused("gold_pool: too few shares"):
        stage.remove(0, crowd)
    with refused("gold_pool: too little gold"):
        stage.remove(own, crowd, least=(GOLD, 0))
    with refused("gold_pool: too few dollars"):
        stage.remove(own, crowd, least=(0, USDC))
    late = stage.chain.timestamp() - 1
    with refused("gold_pool: too late"):
        stage.send(stage.pool, "removeLiquidity", own, 0, 0, crowd, late, by=crowd)
    gold, usdc = own * GOLD // FIRST, own * USDC // FIRST
    stage.remove(own, crowd, least=(gold, usdc))
    assert stage.reserves() == (GOLD - gold, USDC - usdc)
    empty = PoolStage(stage.chain, roles)
    with refused("gold_pool: there is no share"):
        empty.remove(0, crowd)


def test_trade__refusals(stage: PoolStage):
    trader, pool = stage.roles.trader, stage.pool
    gold, usdc = stage.gold.address, stage.usdc.address
    out = stage.read("getAmountOut", OUNCE, GOLD, USDC)

    def swap(path: list[str], least: int = 0, deadline: int = UNLIMITED, paid: int = OUNCE):
        args = (paid, least, path, trader, deadline)
        stage.send(pool, "swapExactTokensForTokens", *args, by=trader)

    for path in ([gold], []):
        with refused("gold_pool: path is not two tokens"):
            swap(path)
    for path in ([gold, gold], [usdc, usdc], [gold, pool.address], [pool.address, usdc]):
        with refused("gold_pool: token is not of the pool"):
            swap(path)
    with refused("gold_pool: nothing is paid in"):
        swap([gold, usdc], paid=0)
    with refused("gold_pool: nothing is paid out"):
        swap([gold, usdc], paid=1)
    for path, least, paid in (
        ([gold, usdc], out + 1, OUNCE),
        ([usdc, gold], stage.read("getAmountOut", DOLLAR, USDC, GOLD) + 1, DOLLAR),
    ):
        with refused("gold_pool: too little is paid out"):
            swap(path, least, paid=paid)
    with refused("gold_pool: too late"):
        swap([gold, usdc], deadline=stage.chain.timestamp() - 1)
    swap([gold, usdc], out, stage.chain.timestamp())
    with refused("gold_pool: a reserve is empty"):
        stage.read("getAmountOut", 1, 0, 1)


def test_tokens__to_the_pool_itself__are_not_paid(stage: PoolStage):
    with refused("asset_token: receiver is the payer"):
        stage.swap(OUNCE, stage.roles.trader, gold=True, to=stage.pool.address)
    with refused("share_token: receiver is the token itself"):
        stage.send(stage.pool, "transfer", stage.pool.address, 1, by=stage.roles.crowd)
    stage.send(stage.pool, "transfer", stage.roles.trader, 1, by=stage.roles.crowd)
