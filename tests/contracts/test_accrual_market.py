"""The lending market books interest first, whoever calls: each call after a year, and at once.

One loan stands throughout: 40 of 100 oz are lent, at a utilisation of 40 % and so at 1 % + 4 % x
40 / 80 = 3 % a year. After a year 41.2 oz are owed, a tenth of the 1.2 oz is the treasury's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from gold_stage import (
    DOLLAR,
    FEED_UNIT,
    OUNCE,
    RAY,
    SECONDS_PER_YEAR,
    UNLIMITED,
    GoldStage,
    to_assets,
    to_shares,
)
from props import events, refused

from simulator.chain import Chain


@dataclass(frozen=True)
class Books:
    """What the market's books hold before the call; `years` have passed since the loan."""

    years: int
    index: int
    borrows: int
    reserve: int
    price: int
    """USD per ounce at which the loan can be liquidated, and could not without the interest."""
    spare: int
    """Most collateral that may leave, in USDC's unit."""

    @property
    def assets(self) -> int:
        return 60 * OUNCE + self.borrows

    @property
    def treasury(self) -> int:
        """Shares worth the reserve at the price after it, 100 oz of them outstanding."""
        return to_shares(self.reserve, self.assets - self.reserve, 100 * OUNCE)

    @property
    def supply(self) -> int:
        return 100 * OUNCE + self.treasury


# 41.2 oz x 4,000 / 0.75 = 219,733.33...4 of 400,000 USD must stay. 41.2 x 8,300 = 341,960 USD
# exceed 85 % of 400,000, which 40 x 8,300 = 332,000 do not.
WAITED = Books(1, RAY * 103 // 100, 412 * OUNCE // 10, 12 * OUNCE // 100, 8_300, 180_266_666_666)
# 40 oz x 4,000 / 0.75 = 213,333.33...4 must stay; 40 x 8,600 = 344,000 exceed 340,000.
AT_ONCE = Books(0, RAY, 40 * OUNCE, 0, 8_600, 186_666_666_666)


@pytest.fixture(params=[WAITED, AT_ONCE], ids=["after a year", "at once"])
def books(request: pytest.FixtureRequest) -> Books:
    found: Books = request.param
    return found


@dataclass(frozen=True)
class Lent:
    """The stage with its loan, whose block is the latest."""

    stage: GoldStage
    opened: int

    def play(
        self, years: float, by: str, function: str, *args: object, price: int | None = None
    ) -> int:
        """Send one call `years` after the loan, behind a new price of gold; return the time."""
        at = self.opened + round(years * SECONDS_PER_YEAR)
        calls = [self.stage.market.call(function, *args, sender=by)]
        if price is not None:
            keeper = self.stage.roles.keeper
            update = self.stage.gold_feed.call("update_answer", price * FEED_UNIT, sender=keeper)
            calls.insert(0, update)
        self.stage.chain.block(at, calls)
        return at

    def read(self, view: str, *args: object) -> int:
        found: int = self.stage.read(self.stage.market, view, *args)
        return found


@pytest.fixture
def lent(revm: Chain, roles: SimpleNamespace) -> Lent:
    stage = GoldStage(revm, roles)
    stage.supply(roles.depositor, 100 * OUNCE)
    for who in (roles.second_depositor, roles.liquidator, roles.trader):
        stage.endow(who, 100 * OUNCE)
    stage.open_loan(roles.borrower, 40 * OUNCE, 400_000)
    return Lent(stage, revm.timestamp())


# --- Every call that books interest ----------------------------------------------

Expected = Mapping[str, int]


def debt(books: Books, scaled: int) -> Expected:
    """Return all debts together, down, and the only borrower's, up, of a scaled debt."""
    total, due = scaled * books.index // RAY, -(-scaled * books.index // RAY)
    return {"total_borrows": total, "debt_of borrower": due}


@dataclass(frozen=True)
class Case:
    """A call and what it changes, from the books before it."""

    by: str
    args: Callable[[Books], tuple[object, ...]]
    changes: Callable[[Books], Expected]
    moves_price: bool = False


AMOUNT = 10 * OUNCE
CASES = {
    "accrue": Case("stranger", lambda b: (), lambda b: {}),
    "deposit": Case(
        "second_depositor",
        lambda b: (AMOUNT, "@second_depositor"),
        lambda b: {
            "cash": 70 * OUNCE,
            "balanceOf second_depositor": to_shares(AMOUNT, b.assets, b.supply),
            "totalSupply": b.supply + to_shares(AMOUNT, b.assets, b.supply),
        },
    ),
    "mint": Case(
        "second_depositor",
        lambda b: (AMOUNT, "@second_depositor"),
        lambda b: {
            "cash": 60 * OUNCE + to_assets(AMOUNT, b.assets, b.supply, up=True),
            "balanceOf second_depositor": AMOUNT,
            "totalSupply": b.supply + AMOUNT,
        },
    ),
    "withdraw": Case(
        "depositor",
        lambda b: (AMOUNT, "@depositor", "@depositor"),
        lambda b: {
            "cash": 50 * OUNCE,
            "balanceOf depositor": 100 * OUNCE - to_shares(AMOUNT, b.assets, b.supply, up=True),
            "totalSupply": b.supply - to_shares(AMOUNT, b.assets, b.supply, up=True),
        },
    ),
    "redeem": Case(
        "depositor",
        lambda b: (AMOUNT, "@depositor", "@depositor"),
        lambda b: {
            "cash": 60 * OUNCE - to_assets(AMOUNT, b.assets, b.supply),
            "balanceOf depositor": 90 * OUNCE,
            "totalSupply": b.supply - AMOUNT,
        },
    ),
    "borrow": Case(
        "borrower",
        lambda b: (AMOUNT, "@borrower"),
        # Divided by the index of now, up: what is borrowed now owes nothing for the year.
        lambda b: {
            "cash": 50 * OUNCE,
            **debt(b, 40 * OUNCE - (-AMOUNT * RAY // b.index)),
        },
    ),
    "repay": Case(
        "trader",
        lambda b: (AMOUNT, "@borrower"),
        lambda b: {"cash": 70 * OUNCE, **debt(b, 40 * OUNCE - AMOUNT * RAY // b.index)},
    ),
    "repay all": Case(
        "trader",
        lambda b: (UNLIMITED, "@borrower"),
        # 41.2 oz: with the year's interest, to the wei.
        lambda b: {"cash": 60 * OUNCE + b.borrows, **debt(b, 0)},
    ),
    "withdraw_collateral": Case(
        "borrower",
        lambda b: (b.spare, "@borrower"),
        lambda b: {
            "collateral_of borrower": 400_000 * DOLLAR - b.spare,
            "total_collateral": 400_000 * DOLLAR - b.spare,
        },
    ),
    "liquidate": Case(
        "liquidator",
        lambda b: ("@borrower", AMOUNT),
        # 10 oz x price x 1.05: 87,150 and 90,300 USD.
        lambda b: {
            "cash": 70 * OUNCE,
            "collateral_of borrower": (400_000 * 100 - 10 * b.price * 105) * DOLLAR // 100,
            **debt(b, 40 * OUNCE - AMOUNT * RAY // b.index),
        },
        moves_price=True,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_call__after_a_year_or_at_once__finds_the_interest_booked(
    lent: Lent, roles: SimpleNamespace, books: Books, name: str
) -> None:
    """The index is the one of 40 % lent, not of what the call leaves lent; and the treasury's
    shares are priced before the call's own."""
    case = CASES[name]
    args = [getattr(roles, arg[1:]) if isinstance(arg, str) else arg for arg in case.args(books)]
    price = books.price if case.moves_price else None
    at = lent.play(
        books.years, getattr(roles, case.by), name.removesuffix(" all"), *args, price=price
    )
    expected = {
        "last_accrual": at,
        "borrow_index": books.index,
        "cash": 60 * OUNCE,
        "totalSupply": books.supply,
        "balanceOf treasury": books.treasury,
        **debt(books, 40 * OUNCE),
        **case.changes(books),
    }
    found = {}
    for name_of_view in expected:
        view, *whose = name_of_view.split()
        found[name_of_view] = lent.read(view, *(getattr(roles, who) for who in whose))
    assert found == expected


# --- What goes wrong without it --------------------------------------------------


def test_withdraw_collateral__that_the_interest_needs__is_refused(
    lent: Lent, roles: SimpleNamespace, books: Books
) -> None:
    """A year's 1.2 oz need 6,400 USD of collateral: the borrower cannot walk off with them.

    Without the interest 186,666.67 USD could leave, with it 180,266.67, to the unit.
    """
    borrower = roles.borrower
    with refused("lending_market: exceeds max ltv"):
        lent.play(books.years, borrower, "withdraw_collateral", books.spare + 1, borrower)
    if books is WAITED:
        with refused("lending_market: exceeds max ltv"):
            lent.play(1, borrower, "withdraw_collateral", AT_ONCE.spare, borrower)
    lent.play(books.years, borrower, "withdraw_collateral", books.spare, borrower)


def test_borrow__that_the_interest_leaves_no_room_for__is_refused(
    lent: Lent, roles: SimpleNamespace, books: Books
) -> None:
    """400,000 USD x 0.75 / 4,000 = 75 oz may be owed: 35 more at once, 33.8 after a year.

    The debt rounds up, so that after a year the last wei of them is one too many.
    """
    borrower, most = roles.borrower, 75 * OUNCE - books.borrows - books.years
    with refused("lending_market: exceeds max ltv"):
        lent.play(books.years, borrower, "borrow", most + 1, borrower)
    lent.play(books.years, borrower, "borrow", most, borrower)


def test_liquidate__of_a_loan_that_interest_made_unhealthy__needs_the_interest(
    lent: Lent, roles: SimpleNamespace
) -> None:
    args = (roles.liquidator, "liquidate", roles.borrower, AMOUNT)
    before = lent.stage.chain.snapshot()
    with refused("lending_market: borrower is healthy"):
        lent.play(0, *args, price=WAITED.price)
    lent.stage.chain.revert(before)
    lent.play(1, *args, price=WAITED.price)
    assert lent.read("cash") == 70 * OUNCE


@pytest.mark.parametrize("function", ["deposit", "mint"])
def test_entry__in_the_second_in_which_cash_was_burnt__is_at_the_price_after_it(
    revm: Chain, roles: SimpleNamespace, function: str
) -> None:
    """Half of 100 oz is left: a share costs half an ounce, and no time has passed."""
    stage = GoldStage(revm, roles)
    stage.supply(roles.depositor, 100 * OUNCE)
    stage.endow(roles.trader, 100 * OUNCE)
    owner, market = roles.owner, stage.market
    acts = [
        stage.gold.call(name, market.address, sender=owner)
        for name in ("freeze", "wipeFrozenAddress", "unfreeze")
    ]
    acts += [
        stage.gold.call("transfer", market.address, 50 * OUNCE, sender=owner),
        market.call(function, OUNCE, roles.trader, sender=roles.trader),
    ]
    stage.send(market, "accrue", sender=owner)
    revm.block(revm.timestamp(), acts)
    # One virtual share and wei beside the 100e18 and 50e18: to_shares and to_assets say how.
    half = (50 * OUNCE, 100 * OUNCE)
    shares = to_shares(OUNCE, *half) if function == "deposit" else OUNCE
    paid = OUNCE if function == "deposit" else to_assets(OUNCE, *half, up=True)
    assert stage.read(market, "balanceOf", roles.trader) == shares
    assert stage.read(market, "cash") == 50 * OUNCE + paid


# --- Calls that book nothing ------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "function", "args"),
    [
        ("owner", "pause", ()),
        ("trader", "supply_collateral", (0, "@borrower")),
        ("depositor", "transfer", ("@trader", OUNCE)),
        ("depositor", "approve", ("@trader", OUNCE)),
        ("owner", "transfer_ownership", ("@guardian",)),
    ],
)
def test_call_that_moves_neither_cash_nor_debt__leaves_the_rate_to_run_on(
    lent: Lent, roles: SimpleNamespace, by: str, function: str, args: tuple[object, ...]
) -> None:
    """Half a year before and half a year after at 3 %, simple: 1.03, and not 1.015 x 1.015..."""
    filled = [getattr(roles, a[1:]) if isinstance(a, str) else a for a in args]
    lent.play(0.5, getattr(roles, by), function, *filled)
    assert lent.read("last_accrual") == lent.opened
    assert lent.read("borrow_index") == RAY * 1_015 // 1_000
    lent.play(1, roles.stranger, "accrue")
    assert lent.read("borrow_index") == WAITED.index
    assert lent.read("balanceOf", roles.treasury) == WAITED.treasury


def test_unpause__after_half_a_year_of_pause__has_let_interest_run(
    lent: Lent, roles: SimpleNamespace
) -> None:
    lent.play(0, roles.owner, "pause")
    lent.play(0.5, roles.owner, "unpause")
    assert lent.read("last_accrual") == lent.opened
    lent.play(1, roles.stranger, "accrue")
    assert lent.read("borrow_index") == WAITED.index


# --- Assets without shares ----------------------------------------------------------


@pytest.mark.parametrize("function", ["deposit", "mint"])
def test_first_entry__after_everyone_has_left__leaves_the_remainder_to_the_treasury(
    lent: Lent, roles: SimpleNamespace, function: str
) -> None:
    """Roundings of a year stay behind; the newcomer pays one for one and gets no more out."""
    stage, market, user = lent.stage, lent.stage.market, roles.second_depositor
    lent.play(1, roles.trader, "repay", UNLIMITED, roles.borrower)
    for holder in (roles.depositor, roles.treasury):
        shares = lent.read("balanceOf", holder)
        stage.send(market, "redeem", shares, holder, holder, sender=holder)
    left_over = lent.read("totalAssets")
    assert left_over > 0
    assert lent.read("totalSupply") == 0
    receipt = stage.send(market, function, OUNCE, user, sender=user)
    [(_, booked)] = events(market, receipt, "Deposit")
    assert (booked["assets"], booked["shares"]) == (OUNCE, OUNCE)
    assert lent.read("balanceOf", roles.treasury) == left_over
    assert lent.read("maxWithdraw", user) == OUNCE
    stage.send(market, "redeem", OUNCE, user, user, sender=user)
    assert lent.read("cash") == left_over
