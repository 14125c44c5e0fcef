"""Faults found by a third attack, on security token, raise and desk, played as they were.

A token costs 100 dollars, the soft cap is 1,000,000 dollars, milestones release 30, 33.33
and 36.67 %. Whoever buys here pays 1,000,000 dollars for 10,000 tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from props import DAY, DOLLAR, events, refused
from sto_stage import QUARTER, TOKEN, UNLIMITED, StoStage, identity_of
from test_sto_raise import HARD, SOFT, end, open_raise

from simulator.chain import ZERO_ADDRESS, Chain, Contract
from simulator.chain.compile import compile_patched
from simulator.errors import TransactionReverted

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
BOUGHT = 10_000 * TOKEN
OVER = "compliance: identity would exceed its cap"


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> StoStage:
    stage = StoStage(revm, roles)
    for role in ("depositor", "second_depositor", "trader", "stranger"):
        stage.send(stage.usdc, "mint", getattr(roles, role), 2 * HARD, sender=roles.owner)
    return stage


def set_cap(stage: StoStage, cap: int) -> None:
    stage.send(stage.compliance, "set_max_balance", cap, sender=stage.roles.owner)


def held(stage: StoStage, role: str) -> int:
    """Return the token wei that count for a role's person."""
    return int(stage.read(stage.compliance, "held_by", stage.identities[role]))


# --- Reservations that stood in for each other ------------------------------------------


def test_contribute__to_a_second_raise__leaves_the_cap_what_the_first_reserves(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """What the first reserved passed for the second's: payment after payment of 10,000 tokens
    went through, 60,000 tokens at a cap of 10,000."""
    set_cap(stage, BOUGHT + 7)
    first, second = open_raise(stage), open_raise(stage)
    stage.send(first, "contribute", SOFT, sender=roles.depositor)
    with refused(OVER):
        stage.send(second, "contribute", SOFT, sender=roles.depositor)
    set_cap(stage, 2 * BOUGHT)
    stage.send(second, "contribute", SOFT, sender=roles.depositor)
    for sale in (first, second):
        with refused(OVER):
            stage.send(sale, "contribute", 1, sender=roles.depositor)
    end(stage, first)
    end(stage, second)
    for sale in (first, second):
        stage.send(sale, "claim", roles.depositor, sender=roles.stranger)
    assert stage.balance(roles.depositor) == 2 * BOUGHT == held(stage, "depositor")


def test_contribute__of_a_wallet_that_took_over_from_another__counts_what_that_had_paid_for(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """The lost wallet's reservation passed for each payment anew: 50,000 tokens, the whole of
    the hard cap, at a cap of 10,000 a person."""
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    stage.send(stage.sto, "recoveryAddress", *lost, sender=roles.agent)
    for amount in (1, SOFT):
        with refused(OVER):
            stage.send(sale, "contribute", amount, sender=roles.stranger)
    set_cap(stage, 2 * BOUGHT)
    stage.send(sale, "contribute", SOFT, sender=roles.stranger)
    end(stage, sale)
    for wallet in (roles.depositor, roles.stranger):
        stage.send(sale, "claim", wallet, sender=roles.keeper)
    assert stage.balance(roles.stranger) == 2 * BOUGHT == held(stage, "depositor")


def test_contribute__beside_what_an_agent_has_reserved__leaves_the_rest_of_the_cap(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """4,000 reserved by an agent and 6,000 to buy: 6,000 passed twice."""
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    reserve = ("reserve", roles.depositor, 4_000 * TOKEN)
    stage.send(stage.compliance, *reserve, sender=roles.agent)
    with refused(OVER):
        stage.send(sale, "contribute", SOFT * 6 // 10 + 1, sender=roles.depositor)
    stage.send(sale, "contribute", SOFT * 6 // 10, sender=roles.depositor)
    assert held(stage, "depositor") == BOUGHT


# --- A milestone on a day without dollars -----------------------------------------------


@pytest.mark.parametrize("stopped", ["nobody", "mine", "raise", "token"])
def test_milestone__while_dollars_are_stopped__is_confirmed_and_paid_later(
    stage: StoStage, roles: SimpleNamespace, stopped: str
) -> None:
    """It could not be confirmed, and once its date was over the mine lost 300,000 dollars."""
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    stage.send(sale, "claim", roles.depositor, sender=roles.stranger)
    before = stage.dollars(roles.mine_operator)
    barred = {"mine": roles.mine_operator, "raise": sale.address}.get(stopped)
    if stopped == "token":
        stage.send(stage.usdc, "pause", sender=roles.owner)
    elif barred:
        stage.send(stage.usdc, "blacklist", barred, sender=roles.owner)
    last = stage.read(sale, "milestones_end") - 1
    receipt = stage.send(sale, "release_milestone", sender=roles.verifier, at=last)
    at_once = 300_000 * DOLLAR if stopped == "nobody" else 0
    released = {"milestone": 0, "amount": at_once}
    assert events(sale, receipt) == [("MilestoneReleased", released)]
    if stopped == "token":
        stage.send(stage.usdc, "unpause", sender=roles.owner)
    elif barred:
        stage.send(stage.usdc, "unBlacklist", barred, sender=roles.owner)
    stage.send(sale, "return_unreleased", sender=roles.stranger, at=last + 1)
    if not at_once:
        stage.send(sale, "pay_mine", sender=roles.stranger)
    assert stage.dollars(roles.mine_operator) - before == 300_000 * DOLLAR
    assert stage.dollars(sale.address) == 0
    with refused("sto_raise: nothing is due"):
        stage.send(sale, "pay_mine", sender=roles.stranger)


# --- A recovery on short gas ------------------------------------------------------------


@pytest.mark.parametrize("slots", [0, 1, 6])
def test_recovery__with_the_least_gas_it_passes_with__still_tells_the_compliance(
    revm: Chain, roles: SimpleNamespace, slots: int
) -> None:
    """The call that tells it may fail, and out of gas it did: of a compliance that stores one
    slot more, the least gas that passed, which wallets look for, left stake, lock-up and
    reservation with the lost wallet."""
    store = "".join(
        f"        self.held_by[convert({n}, address)] = 1\n" for n in range(1, slots + 1)
    )
    last = "        self._set_lockup(lost, 0, 0)\n"
    costly = compile_patched(CONTRACTS / "compliance.vy", ("compliance.vy", last, last + store))
    stage = StoStage(revm, roles, patched={"compliance": costly})
    stage.send(stage.usdc, "mint", roles.depositor, SOFT, sender=roles.owner)
    stage.mint(roles.depositor, 100)
    stage.stake(roles.depositor, 100)
    stage.send(open_raise(stage), "contribute", SOFT, sender=roles.depositor)
    stage.register(roles.stranger, stage.identities["depositor"])
    lock = ("set_lockup", roles.depositor, TOKEN, stage.chain.timestamp() + DAY)
    stage.send(stage.compliance, *lock, sender=roles.owner)
    enough, too_little = 500_000, 50_000
    while enough - too_little > 1:
        gas = (enough + too_little) // 2
        if _recovery_passes(stage, gas):
            enough = gas
        else:
            too_little = gas
    assert too_little > 100_000


def _recovery_passes(stage: StoStage, gas: int) -> bool:
    """Return whether a recovery on so much gas passes, and check that it is a whole one."""
    roles, before = stage.roles, stage.chain.snapshot()
    lost = (roles.depositor, roles.stranger, stage.identities["depositor"])
    try:
        stage.chain.send(stage.sto.call("recoveryAddress", *lost, sender=roles.agent, gas=gas))
    except TransactionReverted:
        return False
    else:
        moved = {"entrusted_by": 100 * TOKEN, "reserved_for": BOUGHT}
        for name, amount in moved.items():
            assert stage.read(stage.compliance, name, roles.stranger) == amount
        assert stage.read(stage.compliance, "lockup_of", roles.stranger)[0] == TOKEN
        return True
    finally:
        stage.chain.revert(before)


# --- Left open: played, so that each figure has its source ---------------------------------


def test_left_open__who_held_before_a_raise__shares_in_what_it_returns(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """30,000 tokens beside 10,000 bought: of the buyer's million 750,000 dollars are another's.

    Unclaimed he would have all of it back; but anyone may claim for him, the other too.
    """
    stage.mint(roles.trader, 30_000)
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    stage.send(sale, "claim", roles.depositor, sender=roles.trader)
    stage.chain.block(stage.read(sale, "milestones_end"), [])
    stage.send(sale, "return_unreleased", sender=roles.trader)
    stage.wait(QUARTER)
    assert stage.claim(roles.trader) == pytest.approx(750_000 * DOLLAR, abs=1)
    assert stage.claim(roles.depositor) == pytest.approx(250_000 * DOLLAR, abs=1)


def test_left_open__operator_who_pays_units__holds_back_what_the_raise_returns(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """32 payments of a unit fill the stream for 90 days; nobody else's payment finds room."""
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    stage.send(sale, "claim", roles.depositor, sender=roles.stranger)
    stage.chain.block(stage.read(sale, "milestones_end"), [])
    for _ in range(32):
        stage.send(stage.sto, "distribute_funds", 1, sender=roles.mine_operator)
    full = "dividend_stream: too many payments flow"
    with refused(full):
        stage.send(sale, "return_unreleased", sender=roles.stranger)
    with refused(full):
        stage.send(stage.sto, "distribute_funds", DOLLAR, sender=roles.agent)
    stage.send(stage.sto, "set_mine_operator", roles.auditor, sender=roles.owner)
    stage.wait(QUARTER)
    stage.send(sale, "return_unreleased", sender=roles.stranger)


def _bought_at_the_cap(stage: StoStage) -> Contract:
    """Return a closed raise at a cap of 10,000: the trader has his, the depositor is due."""
    set_cap(stage, BOUGHT)
    sale = open_raise(stage)
    for buyer in (stage.roles.depositor, stage.roles.trader):
        stage.send(sale, "contribute", SOFT, sender=buyer)
    end(stage, sale)
    stage.send(sale, "claim", stage.roles.trader, sender=stage.roles.stranger)
    return sale


def _change_compliance(stage: StoStage) -> Contract:
    fresh = stage.deploy("compliance")
    stage.send(stage.sto, "setCompliance", fresh, sender=stage.roles.owner)
    stage.send(fresh, "set_max_balance", BOUGHT, sender=stage.roles.owner)
    return fresh


def test_left_open__change_of_compliance__lets_a_wei_make_a_buyer_refused(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """Reservations stay behind: for a wei the buyer has his million back, whatever the price,
    and a stranger's wei keeps him from tokens that have risen."""
    sale = _bought_at_the_cap(stage)
    _change_compliance(stage)
    stage.send(stage.sto, "transfer", roles.depositor, 1, sender=roles.trader)
    with refused(OVER):
        stage.send(sale, "claim", roles.depositor, sender=roles.mine_operator)
    before = stage.dollars(roles.depositor)
    stage.send(sale, "refund", roles.depositor, sender=roles.depositor)
    assert stage.dollars(roles.depositor) - before == SOFT


def test_change_of_compliance__paused_until_an_agent_has_reserved_again__leaves_no_gap(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """The way round what is left open above; by `sync` the new books learn what is held."""
    sale = _bought_at_the_cap(stage)
    stage.send(stage.sto, "pause", sender=roles.agent)
    fresh = _change_compliance(stage)
    stage.send(fresh, "sync", roles.trader, sender=roles.stranger)
    stage.send(fresh, "reserve", roles.depositor, BOUGHT, sender=roles.agent)
    with refused("mining_sto: paused"):
        stage.send(stage.sto, "transfer", roles.depositor, 1, sender=roles.trader)
    stage.send(stage.sto, "unpause", sender=roles.agent)
    with refused(OVER):
        stage.send(stage.sto, "transfer", roles.depositor, 1, sender=roles.trader)
    stage.send(sale, "claim", roles.depositor, sender=roles.mine_operator)
    assert stage.balance(roles.depositor) == BOUGHT


def test_left_open__last_gap_below_the_hard_cap__is_lost_by_a_unit_ahead_of_it(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """All or nothing at 5,000,000 dollars: who fills the gap in the last second is refused for
    a unit that somebody else paid ahead of him, and gets back with the failure."""
    sale = open_raise(stage, soft_cap=HARD)
    stage.send(sale, "contribute", HARD - SOFT, sender=roles.depositor)
    last = stage.read(sale, "closes") - 1
    stage.send(sale, "contribute", 1, sender=roles.second_depositor, at=last)
    with refused("sto_raise: exceeds the hard cap"):
        stage.send(sale, "contribute", SOFT, sender=roles.trader, at=last)
    end(stage, sale)
    assert not stage.read(sale, "has_succeeded")
    stage.send(sale, "refund", roles.second_depositor, sender=roles.second_depositor)
    assert stage.dollars(roles.second_depositor) == 2 * HARD


def test_left_open__buyer_of_the_last_second__sells_before_his_lockup_is_set(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """Close, claim and sale in one block, unless the token is paused until lock-ups stand."""
    sale = open_raise(stage)
    last = stage.read(sale, "closes") - 1
    stage.send(sale, "contribute", SOFT, sender=roles.depositor, at=last)
    calls = [
        sale.call("close", sender=roles.depositor),
        sale.call("claim", roles.depositor, sender=roles.depositor),
        stage.sto.call("transfer", roles.trader, BOUGHT, sender=roles.depositor),
    ]
    stage.chain.block(last + 1, calls)
    assert stage.balance(roles.trader) == BOUGHT


def test_left_open__contract_that_got_a_wei_before_it_is_named__is_no_custodian(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """Name first, register then; or pause, take the wei by force, name, go on."""
    stage.mint(roles.trader, 1)
    second = ("revenue_staking", roles.owner, roles.rewards_distribution, stage.sto, QUARTER)
    other = stage.deploy(*second).address
    stage.register(other, identity_of(101))
    stage.send(stage.sto, "transfer", other, 1, sender=roles.trader)
    with refused("compliance: custodian holds tokens"):
        stage.send(stage.compliance, "set_custodian", other, True, sender=roles.owner)
    stage.send(stage.sto, "pause", sender=roles.agent)
    stage.send(stage.sto, "forcedTransfer", other, roles.trader, 1, sender=roles.agent)
    stage.send(stage.compliance, "set_custodian", other, True, sender=roles.owner)


def test_left_open__freeze__does_not_reach_what_a_raise_pays_back(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """A frozen wallet buys, and takes its million dollars out of a raise that has failed."""
    sale = open_raise(stage, soft_cap=HARD)
    stage.send(stage.sto, "setAddressFrozen", roles.depositor, True, sender=roles.agent)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    end(stage, sale)
    stage.send(sale, "refund", roles.depositor, sender=roles.depositor)
    assert stage.dollars(roles.depositor) == 2 * HARD


def test_left_open__dollars_sent_to_raise_or_token_by_mistake__stay_there(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """All books are closed, and 5 dollars are in each that nobody can take out."""
    sale = open_raise(stage)
    stage.send(sale, "contribute", SOFT, sender=roles.depositor)
    for mistake in (sale.address, stage.sto.address):
        stage.send(stage.usdc, "transfer", mistake, 5 * DOLLAR, sender=roles.trader)
    end(stage, sale)
    stage.send(sale, "claim", roles.depositor, sender=roles.stranger)
    for _ in range(3):
        stage.send(sale, "release_milestone", sender=roles.verifier)
    assert stage.dollars(sale.address) == 5 * DOLLAR
    assert stage.read(stage.sto, "unstreamed_funds") == 0
    assert stage.dollars(stage.sto.address) == 5 * DOLLAR


# --- Left open: the desk with security tokens ------------------------------------------------


@dataclass
class Desk:
    """A desk that buys tokens at a price of 100 dollars less 1 %; the trader has 100."""

    stage: StoStage
    with_bids: bool = False

    def __post_init__(self) -> None:
        stage, roles = self.stage, self.stage.roles
        self.feed = stage.deploy("price_feed", 8, "CU1 / USD", roles.keeper)
        self.bids = stage.deploy("price_feed", 8, "CU1 bid", roles.keeper)
        self.desk = stage.deploy("desk", stage.usdc, roles.keeper, DAY, ZERO_ADDRESS)
        listing = (stage.sto.address, self.feed.address, 100)
        bids = (self.bids.address,) if self.with_bids else ()
        stage.send(self.desk, "list_token", *listing, *bids, sender=roles.owner)
        stage.register(self.desk.address, identity_of(102))
        stage.send(stage.usdc, "mint", self.desk.address, HARD, sender=roles.owner)
        stage.mint(roles.trader, 100)
        stage.send(stage.sto, "approve", self.desk.address, UNLIMITED, sender=roles.trader)
        self.price(100)

    def price(self, usd: int) -> int:
        answer = ("update_answer", usd * 10**8)
        self.stage.send(self.feed, *answer, sender=self.stage.roles.keeper)
        return int(self.stage.read(self.feed, "latestRoundData")[0])

    def stop(self, trigger: int) -> int:
        order = ("place_stop", self.stage.sto.address, UNLIMITED, trigger * TOKEN)
        self.stage.send(self.desk, *order, sender=self.stage.roles.trader)
        return int(self.stage.read(self.desk, "stop_count"))


def test_left_open__stop_of_a_holder_who_has_staked__ends_by_a_strangers_wei(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """It would have waited for his tokens; filled with a wei, for no dollars, it is done."""
    desk = Desk(stage)
    order = desk.stop(90)
    stage.stake(roles.trader, 100)
    touched = desk.price(85)
    desk.price(86)
    fill = ("execute_stop", order, touched)
    with refused("desk: nothing to sell"):
        stage.send(desk.desk, *fill, sender=roles.keeper)
    stage.mint(roles.depositor, 1)
    stage.send(stage.sto, "transfer", roles.trader, 1, sender=roles.depositor)
    before = stage.dollars(roles.trader)
    stage.send(desk.desk, *fill, sender=roles.keeper)
    assert stage.dollars(roles.trader) == before
    stage.send(stage.staking, "exit", sender=roles.trader)
    with refused("desk: no such order"):
        stage.send(desk.desk, *fill, sender=roles.keeper)


@pytest.mark.parametrize("held_back", ["frozen", "locked"])
def test_left_open__stop_of_everything__fills_nothing_while_a_token_is_held_back(
    stage: StoStage, roles: SimpleNamespace, held_back: str
) -> None:
    """One of 100 is not free: the other 99, 8,428 dollars at 86 less 1 %, are not sold."""
    desk = Desk(stage)
    order = desk.stop(90)
    if held_back == "frozen":
        freeze = ("freezePartialTokens", roles.trader, TOKEN)
        stage.send(stage.sto, *freeze, sender=roles.agent)
        reason = "mining_sto: amount exceeds the free balance"
    else:
        until = stage.chain.timestamp() + DAY
        lock = ("set_lockup", roles.trader, TOKEN, until)
        stage.send(stage.compliance, *lock, sender=roles.owner)
        reason = "compliance: tokens are locked up"
    touched = desk.price(85)
    desk.price(86)
    fill = ("execute_stop", order, touched)
    with refused(reason):
        stage.send(desk.desk, *fill, sender=roles.keeper)
    sell = ("sell", stage.sto.address, 99 * TOKEN, 8_428 * DOLLAR)
    stage.send(desk.desk, *sell, sender=roles.trader)


def test_left_open__desk_that_has_reached_its_cap__fills_no_stop(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """Who sells first takes the room of all stops: 50 of a cap of 100 leave 100 unsold."""
    desk = Desk(stage)
    stage.mint(roles.depositor, 50)
    set_cap(stage, 100 * TOKEN)
    order = desk.stop(90)
    stage.send(stage.sto, "approve", desk.desk.address, UNLIMITED, sender=roles.depositor)
    sell = ("sell", stage.sto.address, 50 * TOKEN, 0)
    stage.send(desk.desk, *sell, sender=roles.depositor)
    touched = desk.price(85)
    desk.price(86)
    fill = ("execute_stop", order, touched)
    with refused(OVER):
        stage.send(desk.desk, *fill, sender=roles.keeper)
    take_out = ("take_out", stage.sto.address, roles.depositor, 50 * TOKEN)
    stage.send(desk.desk, *take_out, sender=roles.owner)
    stage.send(desk.desk, *fill, sender=roles.keeper)


def test_left_open__second_price_of_a_second__is_sold_at_the_bid_of_the_first(
    stage: StoStage, roles: SimpleNamespace
) -> None:
    """A bid of 95 for a price of 100 pays 9,500 dollars where, at 96, 9,120 are due."""
    desk, keeper = Desk(stage, with_bids=True), roles.keeper
    at = stage.chain.timestamp() + 3_600
    calls = [
        desk.feed.call("update_answer", 100 * 10**8, sender=keeper),
        desk.bids.call("update_answer", 95 * 10**8, sender=keeper),
        desk.feed.call("update_answer", 96 * 10**8, sender=keeper),
        desk.desk.call("sell", stage.sto.address, 100 * TOKEN, 0, sender=roles.trader),
    ]
    before = stage.dollars(roles.trader)
    stage.chain.block(at, calls)
    assert stage.dollars(roles.trader) - before == 9_500 * DOLLAR
