"""The price cover books earned premiums first, whoever calls: after ten days' sleep, and at once.

A pool of 2,000,000 USD has sold two covers on day 0. On 100 t at 9,000 USD for 30 days: 900,000
USD insured, the utilisation goes from 0 to 45 %, the rate is 2 % + 8 % x 0.225 = 3.8 % a year,
93.698630137 USD a day, rounded up. On 10 t for 60 days: 90,000 USD, from 45 % to 49.5 %, so 5.78 %
a year, 14.252054795 a day. Each test is played twice: nothing has been booked since day 0, or
somebody has called `accrue` in the same second. The numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from cover_stage import SPOT, UNLIMITED, CoverStage, CoverTerms
from gold_stage import to_assets, to_shares
from props import DAY, DOLLAR, refused

from simulator.chain import Chain
from simulator.errors import TransactionReverted

LARGE, SMALL = 93_698_631, 14_252_055
"""Premiums of a day, of both covers, in the asset's unit."""
POOL = 2_000_000 * DOLLAR
REQUESTED = 100_000 * DOLLAR
TERMS = {"cooldown_seconds": 0, "claim_window_seconds": 3_650 * DAY}


def opened(chain: Chain, roles: SimpleNamespace, **terms: int) -> CoverStage:
    """Return the stage of the docstring above, on day 0; the underwriter has asked for 100,000."""
    stage = CoverStage(chain, roles, CoverTerms(**(TERMS | terms)))
    stage.buy(tonnes=100, days=30)
    stage.buy(tonnes=10, days=60)
    stage.act("requestWithdraw", REQUESTED, by=roles.underwriter)
    assert stage.read("accrued_at") == stage.at(0)
    return stage


@pytest.fixture
def stage(revm: Chain, roles: SimpleNamespace) -> CoverStage:
    return opened(revm, roles)


@pytest.fixture(params=[False, True], ids=["asleep", "at once"])
def booked(request: pytest.FixtureRequest) -> bool:
    """Whether somebody books what time has done, just before the call."""
    found: bool = request.param
    return found


# --- Every call that books premiums ------------------------------------------------------

Args = tuple[object, ...]


@dataclass(frozen=True)
class Case:
    """A call on `day`, and what it changes in the books of that day.

    `usd` is the price posted just before it, `marks` the policy that is triggered on day 0.
    """

    by: str
    args: Callable[[CoverStage], Args]
    changes: Mapping[str, int] = field(default_factory=dict)
    day: int = 10
    usd: float = SPOT
    marks: int | None = None
    lag_days: int = 0


EARNED = 10 * (LARGE + SMALL)
BOOK = (POOL + EARNED, POOL)
"""Assets and shares on day 10: what conversions by hand start from."""
AMOUNT = 1_000 * DOLLAR
COVER = CoverStage.cover(10, 9_000, 30)
# 90,000 USD more insured, of 2,001,079.50686 in the pool: from 49.473 % to 53.971 %, the mean
# is 2 % + 8 % x 0.517220836... = 6.1377667 %, so 15.134219... USD a day.
THIRD = -(
    -90_000
    * DOLLAR
    * (
        2 * 2 * 10**16
        + 8 * (990_000 * DOLLAR * 10**18 // BOOK[0]) // 100
        + 8 * (1_080_000 * DOLLAR * 10**18 // BOOK[0]) // 100
    )
    // 2
    // (365 * 10**18)
)
CASES = {
    "accrue": Case("stranger", lambda s: ()),
    "deposit": Case(
        "trader",
        lambda s: (AMOUNT, s.roles.trader),
        {
            "totalAssets": BOOK[0] + AMOUNT,
            "balanceOf trader": to_shares(AMOUNT, *BOOK),
            "totalSupply": POOL + to_shares(AMOUNT, *BOOK),
        },
    ),
    "mint": Case(
        "trader",
        lambda s: (AMOUNT, s.roles.trader),
        {
            "totalAssets": BOOK[0] + to_assets(AMOUNT, *BOOK, up=True),
            "balanceOf trader": AMOUNT,
            "totalSupply": POOL + AMOUNT,
        },
    ),
    "claimWithdraw": Case(
        "underwriter",
        lambda s: (s.roles.underwriter,),
        {
            "totalAssets": BOOK[0] - to_assets(REQUESTED, *BOOK),
            "totalSupply": POOL - REQUESTED,
        },
    ),
    "buy_cover": Case(
        "trader",
        # Bought at midnight without a lag, it starts now, and has earned nothing for ten days.
        lambda s: (*COVER, UNLIMITED),
        {
            "unearned_premium": 20 * LARGE + 50 * SMALL + 30 * THIRD,
            "locked": 1_080_000 * DOLLAR,
        },
    ),
    "trigger": Case("stranger", lambda s: (1,), {"triggered_sum": 900_000 * DOLLAR}, usd=8_000),
    "clear_trigger": Case("stranger", lambda s: (1,), {"triggered_sum": 0}, usd=9_000, marks=1),
    "fix_settlement": Case(
        "stranger",
        # The price of day 29 is 10,000: nothing is paid, and 900,000 USD are free.
        lambda s: (s.at(30), s.rounds),
        {
            "totalAssets": POOL + 30 * (LARGE + SMALL),
            "unearned_premium": 30 * SMALL,
            "locked": 90_000 * DOLLAR,
            "due_days": 0,
        },
        day=30,
    ),
    "void": Case(
        "stranger",
        # Bought on day 12 with a lag of twelve, as the first two; they have run since.
        lambda s: (3, s.rounds),
        {"locked": 990_000 * DOLLAR},
        day=22,
        usd=8_000,
        lag_days=12,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_call__on_a_later_day__finds_the_premiums_booked(
    revm: Chain, roles: SimpleNamespace, booked: bool, name: str
) -> None:
    case = CASES[name]
    stage = opened(revm, roles, lag_days=case.lag_days)
    if case.marks:
        stage.price(8_000)
        stage.act("trigger", case.marks, by=roles.stranger)
    if name == "void":
        stage.price(SPOT, day=case.lag_days)
        stage.act("buy_cover", *COVER, UNLIMITED, by=roles.trader)
    stage.price(SPOT, day=case.day - 1)
    if case.day != 30:
        stage.price(case.usd, day=case.day)
    stage.go(case.day)
    if booked:
        stage.act("accrue", by=roles.stranger)
    stage.act(name, *case.args(stage), by=getattr(roles, case.by))
    expected = {
        "accrued_at": stage.at(case.day),
        "totalAssets": BOOK[0],
        "unearned_premium": 20 * LARGE + 50 * SMALL,
        "totalSupply": POOL,
        "locked": 990_000 * DOLLAR,
        "triggered_sum": 0,
        "due_days": 0,
        **case.changes,
    }
    found = {}
    for label in expected:
        view, *whose = label.split()
        found[label] = stage.read(view, *(getattr(roles, who) for who in whose))
    assert found == expected
    stage.check_books()


def test_cover_bought_at_midnight__earns_from_then_on(
    stage: CoverStage, roles: SimpleNamespace, booked: bool
) -> None:
    """A day after its start it has earned a day, though nothing was booked for ten days before."""
    stage.price(SPOT, day=10)
    if booked:
        stage.act("accrue", by=roles.stranger)
    stage.act("buy_cover", *COVER, UNLIMITED, by=roles.trader)
    assert stage.policy(3).premium_per_day == THIRD
    stage.go(11)
    assert stage.read("totalAssets") == POOL + 11 * (LARGE + SMALL) + THIRD


# --- What goes wrong without it ------------------------------------------------------------

GATES: dict[str, Callable[[CoverStage], Args]] = {
    "deposit": lambda s: (AMOUNT, s.roles.trader),
    "mint": lambda s: (AMOUNT, s.roles.trader),
    "buy_cover": lambda s: (*COVER, UNLIMITED),
    "claimWithdraw": lambda s: (s.roles.trader,),
    "clear_trigger": lambda s: (2,),
}


@pytest.mark.parametrize("function", GATES)
def test_call__after_an_expiry_that_nobody_booked__is_refused_until_it_is_settled(
    stage: CoverStage, roles: SimpleNamespace, booked: bool, function: str
) -> None:
    """The pool's worth is not known; a second before the expiry it was."""
    by = roles.underwriter
    if function == "clear_trigger":
        stage.price(8_000)
        stage.act("trigger", 2, by=roles.stranger)
    stage.price(SPOT, day=29)
    call = stage.pool.call(function, *GATES[function](stage), sender=by)
    before = stage.chain.snapshot()
    stage.chain.block(stage.at(30) - 1, [call])
    stage.chain.revert(before)
    stage.go(30)
    if booked:
        stage.act("accrue", by=roles.stranger)
    with refused("price_cover: settlement is due"):
        stage.chain.block(stage.at(30), [call])
    stage.fix(30)
    stage.chain.block(stage.at(30), [call])


SLEEPERS: dict[str, tuple[Callable[[CoverStage], Args], str | None]] = {
    **{name: (args, "price_cover: settlement is due") for name, args in GATES.items()},
    "void": (lambda s: (1, 1), "price_cover: cover has started"),
    "trigger": (lambda s: (1,), "price_cover: cover not running"),
    "fix_settlement": (lambda s: (s.at(30), 2), None),
}
"""What each call is answered once everything is booked."""


@pytest.mark.parametrize("function", SLEEPERS)
def test_call__after_more_than_a_year__is_refused_until_what_came_before_is_booked(
    stage: CoverStage,
    roles: SimpleNamespace,
    function: str,
) -> None:
    """A call books 365 days at most; after another accrual it books the other 35 by itself."""
    stage.price(SPOT, day=29)
    stage.go(400)
    args, then = SLEEPERS[function]
    call = (function, *args(stage))
    with refused("cover_book: accrue first"):
        stage.act(*call, by=roles.underwriter)
    stage.act("accrue", by=roles.stranger)
    assert stage.read("accrued_at") == stage.at(365)
    found = None
    try:
        stage.act(*call, by=roles.underwriter)
    except TransactionReverted as error:
        found = error.reason
    assert found == then


# --- Calls that book nothing -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "function", "args"),
    [
        ("underwriter", "requestWithdraw", (REQUESTED,)),
        ("underwriter", "cancelWithdraw", ()),
        ("underwriter", "transfer", ("@trader", REQUESTED)),
        ("underwriter", "approve", ("@trader", REQUESTED)),
        ("stranger", "pay_refund", ("@trader",)),
        ("guardian", "pause", ()),
    ],
)
def test_call_that_asks_nothing_of_the_pools_worth__lets_premiums_run_on(
    stage: CoverStage, roles: SimpleNamespace, by: str, function: str, args: Args
) -> None:
    filled = [getattr(roles, a[1:]) if isinstance(a, str) else a for a in args]
    stage.go(10)
    stage.act(function, *filled, by=getattr(roles, by))
    assert stage.read("accrued_at") == stage.at(0)
    assert stage.read("totalAssets") == BOOK[0]
    stage.go(20)
    stage.act("accrue", by=roles.stranger)
    assert stage.read("totalAssets") == POOL + 20 * (LARGE + SMALL)
    stage.check_books()


@pytest.mark.parametrize(
    ("usd", "function", "paid"), [(8_000, "settle", 100_000), (9_000, "expire", 0)]
)
def test_close__ten_days_after_the_settlement__lets_the_other_premium_run_on(
    stage: CoverStage, roles: SimpleNamespace, usd: int, function: str, paid: int
) -> None:
    """(9,000 - 8,000) x 100 t were set aside when the day was settled, and are sent now."""
    stage.price(usd, day=29)
    stage.go(30)
    stage.fix(30)
    stage.go(40)
    before = stage.dollars(roles.mine_operator)
    stage.act(function, 1, by=roles.stranger)
    assert stage.dollars(roles.mine_operator) - before == paid * DOLLAR
    assert stage.read("accrued_at") == stage.at(30)
    assert stage.read("totalAssets") == POOL + 30 * LARGE + 40 * SMALL - paid * DOLLAR
    stage.check_books()
