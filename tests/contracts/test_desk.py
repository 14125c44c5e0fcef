"""The desk: swaps at the feed and its spread, stops at the price after the touch, attacks."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from handmade import DENYING, MUTE, SILENT
from hypothesis import given, settings
from hypothesis import strategies as st
from props import DAY, DOLLAR, OUNCE, Refusal, check_refusal, deploy, events, refused, send

from simulator.chain import ZERO_ADDRESS, Chain, Contract
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
FEED_UNIT = 10**8
WAD = 10**18
PRICE = 4_000
SPREAD_BPS = 25
UNLIMITED = 2**256 - 1
STOCK = 1_000 * OUNCE
CASH = 10_000_000 * DOLLAR


class Stage:
    """A desk with gold at 4,000 dollars and 25 bp; the trader has 10 oz and a million."""

    def __init__(
        self, chain: Chain, roles: SimpleNamespace, decimals: int = 18, *, coin: bool = False
    ) -> None:
        self.chain, self.roles, self.unit = chain, roles, 10**decimals
        owner = roles.owner
        self.feed = deploy(chain, "price_feed", 8, "aGOLD / USD", roles.keeper, sender=owner)
        reserve = deploy(chain, "price_feed", 8, "Reserve", roles.keeper, sender=owner)
        self.send(reserve, "update_answer", 10**16, sender=roles.keeper)
        self.usdc = deploy(chain, "usdc", sender=owner)
        self.gold = deploy(
            chain, "gold_token", "Assay Gold", "aGOLD", decimals, reserve, DAY, sender=owner
        )
        self.coin = deploy(chain, "price_feed", 8, "USDC / USD", roles.keeper, sender=owner)
        priced = self.coin if coin else ZERO_ADDRESS
        self.desk = deploy(chain, "desk", self.usdc, roles.keeper, 2 * DAY, priced, sender=owner)
        self.price(PRICE)
        self.send(self.desk, "list_token", self.gold, self.feed, SPREAD_BPS, sender=owner)
        self.send(self.usdc, "configureMinter", owner, UNLIMITED, sender=owner)
        self.send(self.gold, "increaseSupply", 2_000 * self.unit, sender=owner)
        self.send(self.gold, "transfer", self.desk, 1_000 * self.unit, sender=owner)
        self.send(self.usdc, "mint", self.desk.address, CASH, sender=owner)
        self.send(self.gold, "transfer", roles.trader, 10 * self.unit, sender=owner)
        self.send(self.usdc, "mint", roles.trader, 10**6 * DOLLAR, sender=owner)
        for token in (self.gold, self.usdc):
            self.send(token, "approve", self.desk, UNLIMITED, sender=roles.trader)

    def send(self, contract: Contract, function: str, *args: object, sender: str):
        plain = [getattr(arg, "address", arg) for arg in args]
        return send(self.chain, contract, function, *plain, sender=sender)

    def price(self, usd: float) -> int:
        """Write a round and return its number."""
        self.send(self.feed, "update_answer", round(usd * FEED_UNIT), sender=self.roles.keeper)
        return int(self.feed.read(self.chain, "latestRoundData")[0])

    def trade(self, function: str, *args: object, sender: str | None = None):
        return self.send(self.desk, function, *args, sender=sender or self.roles.trader)

    def stop(self, trigger: float, amount: int = UNLIMITED, sender: str | None = None) -> int:
        self.trade("place_stop", self.gold, amount, round(trigger * WAD), sender=sender)
        return int(self.desk.read(self.chain, "stop_count"))

    def execute(self, order: int, touched: int):
        return self.trade("execute_stop", order, touched, sender=self.roles.keeper)

    def held(self, who: str | Contract) -> tuple[int, int]:
        account = getattr(who, "address", who)
        tokens = (self.gold, self.usdc)
        gold, usdc = (int(t.read(self.chain, "balanceOf", account)) for t in tokens)
        return gold, usdc


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> Stage:
    return Stage(revm, roles)


@pytest.fixture
def names(stage: Stage, roles: SimpleNamespace) -> dict[str, str]:
    contracts = {"gold": stage.gold, "usdc": stage.usdc, "feed": stage.feed, "desk": stage.desk}
    return vars(roles) | {name: contract.address for name, contract in contracts.items()}


# -- swaps


def test_buy__costs_the_feed_plus_the_spread_and_logs(stage: Stage, roles: SimpleNamespace):
    cost = 2 * 4_010 * DOLLAR  # 4,000 x 1.0025 = 4,010 an ounce
    assert stage.desk.read(stage.chain, "quote_buy", stage.gold.address, 2 * OUNCE) == cost
    receipt = stage.trade("buy", stage.gold, 2 * OUNCE, cost)
    assert stage.held(roles.trader) == (12 * OUNCE, 10**6 * DOLLAR - cost)
    assert stage.held(stage.desk) == (STOCK - 2 * OUNCE, CASH + cost)
    fields = {"trader": roles.trader, "token": stage.gold.address, "amount": 2 * OUNCE}
    fields |= {"cost": cost, "price": 4_010 * WAD}
    assert events(stage.desk, receipt) == [("Bought", fields)]


def test_sell__pays_the_feed_less_the_spread_and_logs(stage: Stage, roles: SimpleNamespace):
    proceeds = 3 * 3_990 * DOLLAR
    assert stage.desk.read(stage.chain, "quote_sell", stage.gold.address, 3 * OUNCE) == proceeds
    receipt = stage.trade("sell", stage.gold, 3 * OUNCE, proceeds)
    assert stage.held(roles.trader) == (7 * OUNCE, 10**6 * DOLLAR + proceeds)
    fields = {"trader": roles.trader, "token": stage.gold.address, "amount": 3 * OUNCE}
    fields |= {"proceeds": proceeds, "price": 3_990 * WAD}
    assert events(stage.desk, receipt) == [("Sold", fields)]


def test_swaps__of_the_whole_inventory__pass_and_a_unit_more_does_not(
    stage: Stage, roles: SimpleNamespace
):
    """All gold costs 1,000 x 4,010 dollars; an ounce takes the last 3,990 dollars."""
    stage.send(stage.usdc, "mint", roles.trader, CASH, sender=roles.owner)
    with refused("desk: inventory is too small"):
        stage.trade("buy", stage.gold, STOCK + 1, UNLIMITED)
    stage.trade("buy", stage.gold, STOCK, UNLIMITED)
    cash = CASH + 1_000 * 4_010 * DOLLAR
    assert stage.held(stage.desk) == (0, cash)
    left = cash - 3_990 * DOLLAR
    stage.trade("take_out", stage.usdc, roles.owner, left + 1, sender=roles.owner)
    with refused("desk: inventory is too small"):
        stage.trade("sell", stage.gold, OUNCE, 0)
    stage.send(stage.usdc, "transfer", stage.desk, 1, sender=roles.owner)
    stage.trade("sell", stage.gold, OUNCE, 0)
    assert stage.held(stage.desk) == (OUNCE, 0)


def test_swaps__of_a_wei__round_against_the_trader(stage: Stage, roles: SimpleNamespace):
    stage.trade("buy", stage.gold, 1, UNLIMITED)
    stage.trade("sell", stage.gold, 1, 0)
    # A wei of gold is worth less than a unit of USDC: one is paid, none is got.
    assert stage.held(roles.trader) == (10 * OUNCE, 10**6 * DOLLAR - 1)


def test_swaps__of_a_token_with_six_decimals__use_its_unit(revm: Chain, roles: SimpleNamespace):
    stage = Stage(revm, roles, decimals=6)
    stage.trade("buy", stage.gold, 2 * 10**6, UNLIMITED)
    assert stage.held(roles.trader) == (12 * 10**6, 10**6 * DOLLAR - 8_020 * DOLLAR)
    stage.trade("sell", stage.gold, 12 * 10**6, 0)
    assert stage.held(roles.trader) == (0, 10**6 * DOLLAR - 8_020 * DOLLAR + 12 * 3_990 * DOLLAR)


def test_swaps__of_a_token_with_a_fee__pay_for_what_arrives(stage: Stage, roles: SimpleNamespace):
    stage.send(stage.gold, "setFeeRate", 10_000, sender=roles.owner)  # 1 %
    stage.trade("sell", stage.gold, OUNCE, 0)
    arrived = 99 * 3_990 * DOLLAR // 100
    assert stage.held(roles.trader) == (9 * OUNCE, 10**6 * DOLLAR + arrived)
    stage.trade("buy", stage.gold, OUNCE, UNLIMITED)
    assert stage.held(roles.trader)[0] == 9 * OUNCE + 99 * OUNCE // 100


# -- USDC with a price


@pytest.fixture
def priced(revm: Chain, roles: SimpleNamespace) -> Stage:
    """A desk that reads the price of USDC, which is one dollar."""
    stage = Stage(revm, roles, coin=True)
    coin(stage, 1.0)
    return stage


def coin(stage: Stage, usd: float) -> None:
    stage.send(stage.coin, "update_answer", round(usd * FEED_UNIT), sender=stage.roles.keeper)


def test_usdc_at_half__twice_as_much_is_paid_and_got(priced: Stage, roles: SimpleNamespace):
    coin(priced, 0.5)
    priced.trade("buy", priced.gold, 2 * OUNCE, UNLIMITED)
    assert priced.held(roles.trader)[1] == 10**6 * DOLLAR - 2 * 8_020 * DOLLAR
    priced.trade("sell", priced.gold, OUNCE, 0)
    assert priced.held(roles.trader)[1] == 10**6 * DOLLAR - 2 * 8_020 * DOLLAR + 7_980 * DOLLAR


def test_usdc_at_a_dollar__a_desk_with_its_feed_pays_what_one_without_does(priced: Stage, stage):
    for amount in (1, 7, OUNCE // 3, 3 * OUNCE):
        for quote in ("quote_buy", "quote_sell"):
            read = [s.desk.read(s.chain, quote, s.gold.address, amount) for s in (priced, stage)]
            assert read[0] == read[1]


def test_usdc_at_an_odd_price__rounds_against_the_trader(priced: Stage):
    """4,010 / 0.91333333 = 4,390.51096405..., 3,990 / 0.91333333 = 4,368.61315462..."""
    coin(priced, 0.91333333)
    quotes = (("quote_buy", 4_390_510_965), ("quote_sell", 4_368_613_154))
    for quote, expected in quotes:
        assert priced.desk.read(priced.chain, quote, priced.gold.address, OUNCE) == expected


def test_usdc_that_falls__touches_no_stop__and_one_that_is_filled_pays_more_of_it(priced, roles):
    """Triggers are dollars: 3,900 is reached by gold, not by what gold costs in USDC."""
    order = priced.stop(3_900)
    coin(priced, 0.87)
    priced.price(PRICE)
    assert not priced.desk.read(priced.chain, "is_touched", order)
    touched = priced.price(3_900)
    priced.price(3_800)
    coin(priced, 0.5)
    priced.execute(order, touched)
    paid = 10 * 3_800 * 9_975 // 10_000 * 2 * DOLLAR
    assert priced.held(roles.trader) == (0, 10**6 * DOLLAR + paid)


def test_usdc_whose_feed_is_dead__trades_nothing(priced: Stage, roles: SimpleNamespace):
    priced.send(priced.coin, "set_mode", 2, sender=roles.keeper)
    for trade in ("buy", "sell"):
        with refused("price_feed: reverting"):
            priced.trade(trade, priced.gold, OUNCE, UNLIMITED if trade == "buy" else 0)


@pytest.mark.parametrize("status", [0, 1, 2], ids=["unknown", "closed", "open"])
def test_usdc_of_an_old_price__trades_nothing__whatever_its_market_says(
    priced: Stage, roles: SimpleNamespace, status: int
):
    """A feed that said it was closed stood at a dollar for ever: at 0.5 a dollar bought two."""
    priced.send(priced.coin, "set_market_status", status, sender=roles.keeper)
    late = priced.chain.timestamp() + 2 * DAY + 1
    priced.chain.send(
        priced.feed.call("update_answer", 4_000 * FEED_UNIT, sender=roles.keeper), late
    )
    for trade in ("buy", "sell"):
        with refused("feed: answer is too old"):
            priced.trade(trade, priced.gold, OUNCE, UNLIMITED if trade == "buy" else 0)
    coin(priced, 0.5)
    priced.trade("sell", priced.gold, OUNCE, 0)
    assert priced.held(roles.trader)[1] == 10**6 * DOLLAR + 7_980 * DOLLAR


@pytest.mark.parametrize("answer", [0, -FEED_UNIT])
def test_usdc_without_a_positive_price__trades_nothing(
    priced: Stage, roles: SimpleNamespace, answer: int
):
    priced.send(priced.coin, "update_answer", answer, sender=roles.keeper)
    for trade in ("buy", "sell"):
        with refused("feed: answer is not positive"):
            priced.trade(trade, priced.gold, OUNCE, UNLIMITED if trade == "buy" else 0)
    coin(priced, 1)
    priced.trade("sell", priced.gold, OUNCE, 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500 * OUNCE), st.integers(1, 20_000 * FEED_UNIT), st.integers(0, 5_000))
def test_round_trip__never_pays(
    revm_session: Chain, roles: SimpleNamespace, amount: int, answer: int, spread: int
):
    fresh = revm_session.snapshot()
    try:
        stage = Stage(revm_session, roles)
        stage.send(stage.desk, "list_token", stage.gold, stage.feed, spread, sender=roles.owner)
        stage.send(stage.feed, "update_answer", answer, sender=roles.keeper)
        stage.send(stage.usdc, "mint", roles.trader, 10**15, sender=roles.owner)
        gold, before = stage.held(roles.trader)
        stage.trade("buy", stage.gold, amount, UNLIMITED)
        stage.trade("sell", stage.gold, amount, 0)
        held, after = stage.held(roles.trader)
        assert held == gold
        cost = 2 * amount * answer * spread // (10**20 * 10_000)
        assert cost - 2 <= before - after <= cost + 2
        assert after <= before
    finally:
        revm_session.revert(fresh)


def test_take_out__the_inventory_goes_where_the_owner_says(stage: Stage, roles: SimpleNamespace):
    receipt = stage.trade("take_out", stage.gold, roles.treasury, OUNCE, sender=roles.owner)
    assert stage.held(roles.treasury) == (OUNCE, 0)
    fields = {"token": stage.gold.address, "receiver": roles.treasury, "amount": OUNCE}
    assert events(stage.desk, receipt) == [("TakenOut", fields)]


def test_take_out__of_a_token_that_answers_nothing__is_taken_for_done(
    stage: Stage, roles: SimpleNamespace
):
    """Some tokens return no truth value from a transfer; a failure of theirs reverts."""
    mute = stage.chain.deploy(MUTE, [], roles.owner)
    receipt = stage.trade("take_out", mute, roles.treasury, 1, sender=roles.owner)
    fields = {"token": mute.address, "receiver": roles.treasury, "amount": 1}
    assert events(stage.desk, receipt) == [("TakenOut", fields)]
    silent = stage.chain.deploy(SILENT, [], roles.owner)
    with refused("no reason given"):
        stage.trade("take_out", silent, roles.treasury, 1, sender=roles.owner)


def test_token_that_answers_no__neither_leaves_nor_is_bought(stage: Stage, roles: SimpleNamespace):
    """Some tokens return false where others revert. This one's `decimals` are 0, too."""
    denying = stage.chain.deploy(DENYING, [], roles.owner)
    stage.send(stage.desk, "list_token", denying, stage.feed, SPREAD_BPS, sender=roles.owner)
    for function, *args in (("take_out", denying, roles.treasury, 0), ("sell", denying, 1, 0)):
        with refused("asset_token: transfer failed"):
            stage.trade(function, *args, sender=roles.owner)


def test_feed_that_names_no_market_status__is_traded_at(revm: Chain, roles: SimpleNamespace):
    """A plain Chainlink proxy has no `marketStatus`: then age alone decides."""
    stage = Stage(revm, roles)
    edit = ("price_feed.vy", "marketStatus: public(uint8)", "marketStatus: uint8")
    plain = revm.deploy(
        compile_patched(CONTRACTS / "price_feed.vy", edit), [8, "XAU", roles.keeper], roles.owner
    )
    stage.send(stage.desk, "list_token", stage.gold, plain, SPREAD_BPS, sender=roles.owner)
    stage.send(plain, "update_answer", PRICE * FEED_UNIT, sender=roles.keeper)
    stage.trade("sell", stage.gold, OUNCE, 0)
    assert stage.held(roles.trader) == (9 * OUNCE, 10**6 * DOLLAR + 3_990 * DOLLAR)


# -- refusals, each beside its success

BUY = ("@trader", "buy", "@gold", OUNCE, 4_010 * DOLLAR)
SELL = ("@trader", "sell", "@gold", OUNCE, 3_990 * DOLLAR)
PLACE = ("@trader", "place_stop", "@gold", OUNCE, 3_000 * WAD)
REFUSALS = [
    Refusal("ownable: caller is not the owner", ("@trader", "list_token", "@gold", "@feed", 1),
            ("@owner", "list_token", "@gold", "@feed", 1)),
    Refusal("ownable: caller is not the owner", ("@trader", "take_out", "@gold", "@trader", 1),
            ("@owner", "take_out", "@gold", "@trader", 1)),
    Refusal("desk: USDC is what all is paid in", ("@owner", "list_token", "@usdc", "@feed", 1),
            ("@owner", "list_token", "@gold", "@feed", 1)),
    Refusal("desk: spread is too wide", ("@owner", "list_token", "@gold", "@feed", 5_001),
            ("@owner", "list_token", "@gold", "@feed", 5_000)),
    Refusal("desk: token is not listed", ("@trader", "buy", "@feed", 1, UNLIMITED), BUY),
    Refusal("desk: token is not listed", ("@trader", "place_stop", "@feed", 1, 1), PLACE),
    Refusal("desk: exceeds the most to pay", (*BUY[:-1], 4_010 * DOLLAR - 1), BUY),
    Refusal("desk: below the least to take", (*SELL[:-1], 3_990 * DOLLAR + 1), SELL),
    Refusal("desk: inventory is too small", ("@trader", "buy", "@gold", 249 * OUNCE, UNLIMITED),
            BUY, before=(("@owner", "take_out", "@gold", "@owner", STOCK - 249 * OUNCE + 1),)),
    Refusal("desk: inventory is too small", SELL, before=(
        ("@owner", "take_out", "@usdc", "@owner", CASH - 3_990 * DOLLAR + 1),),
        allowed=("@trader", "sell", "@gold", OUNCE - 10**12, 0)),
    Refusal("desk: nothing to sell", ("@trader", "place_stop", "@gold", 0, 1), PLACE),
    Refusal("desk: price is at the trigger already", (*PLACE[:-1], PRICE * WAD),
            (*PLACE[:-1], PRICE * WAD - 1)),
    Refusal("desk: not the caller's order", ("@stranger", "cancel_stop", 1),
            ("@trader", "cancel_stop", 1), before=(PLACE,)),
    Refusal("desk: not the caller's order", ("@stranger", "move_stop", 1, 1, 1),
            ("@trader", "move_stop", 1, 1, 1), before=(PLACE,)),
    Refusal("desk: nothing to sell", ("@trader", "move_stop", 1, 0, 1),
            ("@trader", "move_stop", 1, 1, 1), before=(PLACE,)),
    Refusal("desk: price is at the trigger already", ("@trader", "move_stop", 1, 1, PRICE * WAD),
            ("@trader", "move_stop", 1, 1, PRICE * WAD - 1), before=(PLACE,)),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_refused_call__with_its_message__and_passes_without_the_obstacle(
    revm: Chain, stage: Stage, names: dict[str, str], case: Refusal
):
    check_refusal(revm, stage.desk, names, case)


def test_closed_market__neither_swaps_nor_stops_fill__and_open_they_do(
    stage: Stage, roles: SimpleNamespace
):
    order = stage.stop(3_900)
    touched = stage.price(3_800)
    stage.price(3_700)
    stage.send(stage.feed, "set_market_status", 1, sender=roles.keeper)
    for call in (("buy", stage.gold, 1, UNLIMITED), ("sell", stage.gold, 1, 0)):
        with refused("desk: market is closed"):
            stage.trade(*call)
    with refused("desk: market is closed"):
        stage.execute(order, touched)
    stage.send(stage.feed, "set_market_status", 2, sender=roles.keeper)
    stage.trade("buy", stage.gold, 1, UNLIMITED)
    stage.execute(order, touched)


def test_stale_price__is_not_traded_at__and_a_fresh_one_is(stage: Stage):
    now = stage.chain.timestamp()
    call = stage.desk.call("sell", stage.gold.address, OUNCE, 0, sender=stage.roles.trader)
    with refused("feed: answer is too old"):
        stage.chain.send(call, now + 2 * DAY + 1)
    stage.price(PRICE)
    stage.chain.send(call)


def test_feed_with_more_than_18_decimals__is_not_listed(stage: Stage, roles: SimpleNamespace):
    odd = deploy(stage.chain, "price_feed", 19, "odd", roles.keeper, sender=roles.owner)
    with refused("desk: more than 18 decimals"):
        stage.send(stage.desk, "list_token", stage.gold, odd, 1, sender=roles.owner)
    fine = deploy(stage.chain, "price_feed", 18, "fine", roles.keeper, sender=roles.owner)
    stage.send(stage.desk, "list_token", stage.gold, fine, 1, sender=roles.owner)


# -- a feed for each side


@pytest.fixture
def two_sided(stage: Stage) -> Stage:
    """Gold at 4,000 plus 25 bp; the desk buys at 3,700, whatever the spread."""
    return quote_both(stage, 3_700)


def quote_both(stage: Stage, bid: float, decimals: int = 8) -> Stage:
    owner, keeper = stage.roles.owner, stage.roles.keeper
    stage.bids = deploy(stage.chain, "price_feed", decimals, "aGOLD bid", keeper, sender=owner)
    set_bid(stage, bid, decimals)
    terms = (stage.gold, stage.feed, SPREAD_BPS, stage.bids)
    stage.listed = stage.send(stage.desk, "list_token", *terms, sender=owner)
    return stage


def set_bid(stage: Stage, usd: float, decimals: int = 8) -> None:
    answer = round(usd * 10**decimals)
    stage.send(stage.bids, "update_answer", answer, sender=stage.roles.keeper)


def test_two_feeds__buying_costs_the_one_and_selling_pays_the_other(
    two_sided: Stage, roles: SimpleNamespace
):
    fields = {"token": two_sided.gold.address, "feed": two_sided.feed.address}
    fields |= {"spread_bps": SPREAD_BPS, "bid_feed": two_sided.bids.address}
    assert events(two_sided.desk, two_sided.listed) == [("Listed", fields)]
    two_sided.trade("buy", two_sided.gold, OUNCE, 4_010 * DOLLAR)
    assert two_sided.held(roles.trader) == (11 * OUNCE, 10**6 * DOLLAR - 4_010 * DOLLAR)
    two_sided.trade("sell", two_sided.gold, 2 * OUNCE, 7_400 * DOLLAR)
    assert two_sided.held(roles.trader) == (9 * OUNCE, 10**6 * DOLLAR + 3_390 * DOLLAR)
    gold, read = two_sided.gold.address, two_sided.desk.read
    assert read(two_sided.chain, "quote_buy", gold, OUNCE) == 4_010 * DOLLAR
    assert read(two_sided.chain, "quote_sell", gold, OUNCE) == 3_700 * DOLLAR


def test_two_feeds__bid_above_the_ask__neither_side_trades_and_at_the_ask_both_do(
    two_sided: Stage, roles: SimpleNamespace
):
    order = two_sided.stop(3_900)
    touched = two_sided.price(3_800)
    two_sided.price(PRICE)
    set_bid(two_sided, 4_010.00000001)
    for call in (("buy", two_sided.gold, OUNCE, UNLIMITED), ("sell", two_sided.gold, OUNCE, 0)):
        with refused("desk: bid is above the ask"):
            two_sided.trade(*call)
    with refused("desk: bid is above the ask"):
        two_sided.execute(order, touched)
    set_bid(two_sided, 4_010)
    two_sided.trade("buy", two_sided.gold, OUNCE, UNLIMITED)
    two_sided.trade("sell", two_sided.gold, OUNCE, 0)
    assert two_sided.held(roles.trader) == (10 * OUNCE, 10**6 * DOLLAR)
    two_sided.execute(order, touched)


@pytest.mark.parametrize("side", ["feed", "bids"])
def test_two_feeds__one_stale_or_closed__neither_side_trades(two_sided: Stage, side: str):
    keeper, late = two_sided.roles.keeper, two_sided.chain.timestamp() + 2 * DAY + 1
    other = {"feed": set_bid, "bids": Stage.price}[side]
    fresh = getattr(two_sided, side)
    calls = [
        two_sided.desk.call("buy", two_sided.gold, OUNCE, UNLIMITED, sender=two_sided.roles.trader),
        two_sided.desk.call("sell", two_sided.gold, OUNCE, 0, sender=two_sided.roles.trader),
    ]
    two_sided.send(fresh, "set_market_status", 1, sender=keeper)
    for call in calls:
        with refused("desk: market is closed"):
            two_sided.chain.send(call)
    two_sided.send(fresh, "set_market_status", 2, sender=keeper)
    two_sided.chain.send(two_sided.usdc.call("approve", keeper, 0, sender=keeper), late)
    other(two_sided, 3_900)
    for call in calls:
        with refused("feed: answer is too old"):
            two_sided.chain.send(call)
    two_sided.price(PRICE)
    set_bid(two_sided, 3_700)
    for call in calls:
        two_sided.chain.send(call)


def test_two_feeds__rounding_is_against_the_trader_on_both_sides(
    stage: Stage, roles: SimpleNamespace
):
    """A bid of 1 USD and one unit of 1e-18 is paid as 1 USD; an ask of a unit more as 1e-6 more."""
    quote_both(stage, 1, decimals=18)
    stage.send(stage.feed, "update_answer", FEED_UNIT, sender=roles.keeper)
    stage.send(stage.bids, "update_answer", WAD + 1, sender=roles.keeper)
    stage.trade("sell", stage.gold, OUNCE, 0)
    assert stage.held(roles.trader)[1] == 10**6 * DOLLAR + DOLLAR
    stage.trade("buy", stage.gold, OUNCE + 1, UNLIMITED)  # 1.0025 dollars and a wei's worth
    assert stage.held(roles.trader)[1] == 10**6 * DOLLAR + DOLLAR - 1_002_501


def test_two_feeds__stops__are_touched_by_the_price_and_filled_at_the_bid(
    two_sided: Stage, roles: SimpleNamespace
):
    order = two_sided.stop(3_500)
    set_bid(two_sided, 1_000)
    set_bid(two_sided, 1_000)
    assert not two_sided.desk.read(two_sided.chain, "is_touched", order)
    touched = two_sided.price(3_400)
    two_sided.price(3_450)
    set_bid(two_sided, 3_000)
    two_sided.execute(order, touched)
    assert two_sided.held(roles.trader) == (0, 10**6 * DOLLAR + 30_000 * DOLLAR)


def later(stage: Stage, usd: float) -> int:
    """Write a round of the price an hour later; return its number."""
    update = stage.feed.call("update_answer", round(usd * FEED_UNIT), sender=stage.roles.keeper)
    stage.chain.send(update, stage.chain.timestamp() + 3_600)
    return int(stage.feed.read(stage.chain, "latestRoundData")[0])


def test_two_feeds__bid_from_before_a_fall__buys_nothing_at_it(
    two_sided: Stage, roles: SimpleNamespace
):
    """At 3,700 of 4,000 the desk bids 92.5 %: after a fall to 3,700 it is 3,422.50, not 3,700."""
    later(two_sided, 3_700)
    with refused("desk: bid is older than the price"):
        two_sided.trade("sell", two_sided.gold, 10 * OUNCE, 0)
    with refused("desk: bid is older than the price"):
        two_sided.trade("buy", two_sided.gold, OUNCE, UNLIMITED)
    set_bid(two_sided, 3_422.50)
    two_sided.trade("sell", two_sided.gold, 10 * OUNCE, 0)
    assert two_sided.held(roles.trader) == (0, 10**6 * DOLLAR + 34_225 * DOLLAR)


def test_two_feeds__stop__is_not_filled_at_a_bid_from_before_its_touch(
    two_sided: Stage, roles: SimpleNamespace
):
    """The touch is at 3,800, the round after it at 3,700; the bid was still that of 4,000."""
    order = two_sided.stop(3_900)
    touched = later(two_sided, 3_800)
    later(two_sided, 3_700)
    with refused("desk: bid is older than the price"):
        two_sided.execute(order, touched)
    set_bid(two_sided, 3_422.50)
    two_sided.execute(order, touched)
    assert two_sided.held(roles.trader) == (0, 10**6 * DOLLAR + 34_225 * DOLLAR)


def test_bid_feed_with_more_than_18_decimals__is_not_listed(stage: Stage, roles: SimpleNamespace):
    odd = deploy(stage.chain, "price_feed", 19, "odd", roles.keeper, sender=roles.owner)
    with refused("desk: more than 18 decimals"):
        stage.send(stage.desk, "list_token", stage.gold, stage.feed, 1, odd, sender=roles.owner)
    quote_both(stage, 3_700, decimals=18)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 500 * OUNCE),
    st.integers(1, 20_000 * FEED_UNIT),
    st.integers(0, 5_000),
    st.integers(1, 20_000 * WAD),
)
def test_two_feeds__round_trip__never_pays(
    revm_session: Chain, roles: SimpleNamespace, amount: int, answer: int, spread: int, bid: int
):
    fresh = revm_session.snapshot()
    try:
        stage = quote_both(Stage(revm_session, roles), 1, decimals=18)
        terms = (stage.gold, stage.feed, spread, stage.bids)
        stage.send(stage.desk, "list_token", *terms, sender=roles.owner)
        stage.send(stage.feed, "update_answer", answer, sender=roles.keeper)
        stage.send(stage.bids, "update_answer", bid, sender=roles.keeper)
        stage.send(stage.usdc, "mint", roles.trader, 10**15, sender=roles.owner)
        before = stage.held(roles.trader)
        if bid * 10**4 > answer * 10**10 * (10**4 + spread):
            with refused("desk: bid is above the ask"):
                stage.trade("buy", stage.gold, amount, UNLIMITED)
            return
        stage.trade("buy", stage.gold, amount, UNLIMITED)
        stage.trade("sell", stage.gold, amount, 0)
        after = stage.held(roles.trader)
        assert after[0] == before[0]
        assert after[1] <= before[1]
    finally:
        revm_session.revert(fresh)


# -- stops


def test_stop__touched__sells_at_the_price_of_the_step_after(stage: Stage, roles: SimpleNamespace):
    order = stage.stop(3_200)
    stage.price(3_201)
    touched = stage.price(3_200)
    assert stage.desk.read(stage.chain, "is_touched", order)
    stage.price(2_800)  # the gap is the holder's
    receipt = stage.execute(order, touched)
    proceeds = 10 * 2_793 * DOLLAR  # 2,800 x 0.9975
    assert stage.held(roles.trader) == (0, 10**6 * DOLLAR + proceeds)
    fields = {"id": order, "holder": roles.trader, "token": stage.gold.address}
    fields |= {"amount": 10 * OUNCE, "proceeds": proceeds, "price": 2_793 * WAD}
    assert events(stage.desk, receipt) == [("StopExecuted", fields)]


def test_stop__touched_and_recovered__sells_all_the_same(stage: Stage, roles: SimpleNamespace):
    order = stage.stop(3_200, amount=4 * OUNCE)
    touched = stage.price(3_100)
    stage.price(3_600)
    stage.execute(order, touched)
    assert stage.held(roles.trader) == (6 * OUNCE, 10**6 * DOLLAR + 4 * 3_591 * DOLLAR)


def test_stop__place_move_cancel__are_logged_and_forgotten(stage: Stage, roles: SimpleNamespace):
    receipt = stage.trade("place_stop", stage.gold, OUNCE, 3_000 * WAD)
    placed = {"id": 1, "holder": roles.trader, "token": stage.gold.address}
    placed |= {"amount": OUNCE, "trigger": 3_000 * WAD}
    assert events(stage.desk, receipt) == [("StopPlaced", placed)]
    receipt = stage.trade("move_stop", 1, 2 * OUNCE, 3_100 * WAD)
    moved = {"id": 1, "amount": 2 * OUNCE, "trigger": 3_100 * WAD}
    assert events(stage.desk, receipt) == [("StopMoved", moved)]
    stop = stage.desk.read(stage.chain, "stops", 1)
    assert stop[:4] == (roles.trader, stage.gold.address, 2 * OUNCE, 3_100 * WAD)
    receipt = stage.trade("cancel_stop", 1)
    assert events(stage.desk, receipt) == [("StopCancelled", {"id": 1})]
    touched = stage.price(2_000)
    stage.price(2_000)
    with refused("desk: no such order"):
        stage.execute(1, touched)
    assert not stage.desk.read(stage.chain, "is_touched", 1)


def test_stop__of_less_than_the_holder_has__sells_its_amount_and_of_more_what_is_there(
    stage: Stage, roles: SimpleNamespace
):
    small, all_of_it = stage.stop(3_500, amount=OUNCE), stage.stop(3_500)
    touched = stage.price(3_400)
    stage.price(3_400)
    stage.execute(small, touched)
    assert stage.held(roles.trader)[0] == 9 * OUNCE
    stage.execute(all_of_it, touched)
    assert stage.held(roles.trader)[0] == 0


# -- attacks


def test_attack__keeper_executes_untouched__is_refused(stage: Stage):
    order = stage.stop(3_200)
    near = stage.price(3_200.01)
    stage.price(3_300)
    with refused("desk: not touched"):
        stage.execute(order, near)
    touched = stage.price(3_200)
    stage.price(3_300)
    stage.execute(order, touched)


def test_attack__keeper_fills_at_the_touch_itself__is_refused_until_the_next_round(stage: Stage):
    order = stage.stop(3_200)
    touched = stage.price(3_000)
    with refused("desk: no round after the touch"):
        stage.execute(order, touched)
    with refused("price_feed: no data"):
        stage.execute(order, touched + 1)
    stage.price(2_900)
    stage.execute(order, touched)


def test_attack__keeper_names_a_crash_before_the_order__is_refused(stage: Stage):
    crash = stage.price(1_000)
    stage.price(PRICE)
    order = stage.stop(3_200)
    stage.price(3_900)
    with refused("desk: round is before the order"):
        stage.execute(order, crash)


def test_attack__keeper_names_a_touch_before_the_stop_was_lowered__is_refused(stage: Stage):
    order = stage.stop(3_900)
    touched = stage.price(3_850)
    stage.trade("move_stop", order, UNLIMITED, 3_000 * WAD)
    stage.price(3_800)
    with refused("desk: round is before the order"):
        stage.execute(order, touched)


def test_attack__keeper_waits_for_a_worse_price__gets_the_latest_and_never_a_choice(
    stage: Stage, roles: SimpleNamespace
):
    """Late is possible, a chosen past round is not: every fill is at the latest price."""
    order = stage.stop(3_200)
    touched = stage.price(3_100)
    for usd in (2_000, 3_000, 3_500):
        stage.price(usd)
    stage.execute(order, touched)
    assert stage.held(roles.trader)[1] == 10**6 * DOLLAR + 10 * 349_125 * DOLLAR // 100


def test_attack__anybody_else_executes__is_refused(stage: Stage, roles: SimpleNamespace):
    order = stage.stop(3_200)
    touched = stage.price(3_000)
    stage.price(3_000)
    for stranger in (roles.trader, roles.owner, roles.stranger):
        with refused("desk: caller is not the keeper"):
            stage.trade("execute_stop", order, touched, sender=stranger)
    stage.execute(order, touched)


def test_attack__executed_twice__sells_once(stage: Stage, roles: SimpleNamespace):
    order = stage.stop(3_200, amount=OUNCE)
    touched = stage.price(3_000)
    stage.price(3_000)
    stage.execute(order, touched)
    with refused("desk: no such order"):
        stage.execute(order, touched)
    assert stage.held(roles.trader)[0] == 9 * OUNCE


def test_attack__holder_hides_the_tokens__gets_nothing_and_the_order_stands(
    stage: Stage, roles: SimpleNamespace
):
    order = stage.stop(3_200)
    stage.send(stage.gold, "transfer", roles.stranger, 10 * OUNCE, sender=roles.trader)
    touched = stage.price(3_000)
    stage.price(3_000)
    with refused("desk: nothing to sell"):
        stage.execute(order, touched)
    stage.send(stage.gold, "transfer", roles.trader, 10 * OUNCE, sender=roles.stranger)
    stage.execute(order, touched)
    assert stage.held(roles.trader) == (0, 10**6 * DOLLAR + 10 * DOLLAR * 29_925 // 10)


def test_attack__stop_of_another_s_tokens__sells_only_the_caller_s(
    stage: Stage, roles: SimpleNamespace
):
    order = stage.stop(3_200, sender=roles.intruder)
    touched = stage.price(3_000)
    stage.price(3_000)
    with refused("desk: nothing to sell"):
        stage.execute(order, touched)
    assert stage.held(roles.trader)[0] == 10 * OUNCE


def test_attack__donation__changes_no_price(stage: Stage, roles: SimpleNamespace):
    before = stage.desk.read(stage.chain, "quote_sell", stage.gold.address, OUNCE)
    stage.send(stage.usdc, "transfer", stage.desk, 10**5 * DOLLAR, sender=roles.trader)
    stage.send(stage.gold, "transfer", stage.desk, OUNCE, sender=roles.trader)
    assert stage.desk.read(stage.chain, "quote_sell", stage.gold.address, OUNCE) == before


def test_attack__dead_feed__stops_everything_and_nothing_is_lost(
    stage: Stage, roles: SimpleNamespace
):
    order = stage.stop(3_200)
    touched = stage.price(3_000)
    stage.price(3_000)
    stage.send(stage.feed, "set_mode", 2, sender=roles.keeper)
    with refused("price_feed: reverting"):
        stage.execute(order, touched)
    with refused("price_feed: reverting"):
        stage.trade("sell", stage.gold, OUNCE, 0)
    stage.send(stage.feed, "set_mode", 0, sender=roles.keeper)
    stage.execute(order, touched)


@pytest.mark.parametrize("answer", [0, -1])
def test_attack__worthless_round__is_no_touch(stage: Stage, roles: SimpleNamespace, answer: int):
    order = stage.stop(3_200)
    stage.send(stage.feed, "update_answer", answer, sender=roles.keeper)
    broken = int(stage.feed.read(stage.chain, "latestRoundData")[0])
    stage.price(PRICE)
    with refused("desk: answer is not positive"):
        stage.execute(order, broken)
    touched = stage.price(3_000)
    stage.price(3_000)
    stage.execute(order, touched)


def test_frozen_holder__stop_waits_until_thawed(stage: Stage, roles: SimpleNamespace):
    order = stage.stop(3_200)
    touched = stage.price(3_000)
    stage.price(3_000)
    stage.send(stage.gold, "freeze", roles.trader, sender=roles.owner)
    with refused("gold_token: address is frozen"):
        stage.execute(order, touched)
    stage.send(stage.gold, "unfreeze", roles.trader, sender=roles.owner)
    stage.execute(order, touched)
    assert stage.held(roles.trader)[0] == 0
