"""From terms and drivers to the paths of supplier and borrowers, and what the replay plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import Access, Daily, InstrumentPaths
from simulator.instruments.gas import Gas
from simulator.instruments.token_loan.drivers import TokenLoanDrivers
from simulator.instruments.token_loan.kernel import run
from simulator.instruments.token_loan.series import Series
from simulator.instruments.token_loan.state import (
    SOURCES,
    SUPPLIER_SOURCES,
    Drivers,
    Numbers,
    Observed,
    Of,
    Outcome,
    Results,
    numbers,
)
from simulator.instruments.token_loan.terms import TokenLoanTerms
from simulator.mechanics.rows import empty_apart
from simulator.units import FloatArray


@dataclass(frozen=True)
class TokenLoanRecord:
    """What was done and is to be observed, for the replay.

    Attributes
    ----------
    outcomes : ndarray of shape (n_loans, 12, n_paths)
        Rows of `state.Outcome`.
    opened : ndarray of shape (n_loans, 2, 1 + most_rounds, n_paths)
        Dollars borrowed before each purchase of the first day, and tokens bought.
    others : ndarray of shape (n_steps + 1, n_paths), USDC
        What other borrowers borrow, negative what they repay.
    index : ndarray of shape (n_steps + 1, n_paths)
        The borrow index.
    observed : ndarray of shape (n_steps + 1, n_paths, 7)
        Columns of `state.Observed`.
    leave : ndarray of shape (1 + n_loans, n_steps + 1, n_paths), USDC
        What leaving would pay the supplier and each borrower; on the last step what it pays.
    spent : ndarray of shape (n_loans, n_paths), USD
        Gas of each borrower in all.
    unpaid : ndarray of shape (n_paths,), USDC
        What the supplier could not be paid at the end.
    """

    outcomes: FloatArray
    opened: FloatArray
    others: FloatArray
    index: FloatArray
    observed: FloatArray
    leave: FloatArray
    spent: FloatArray
    unpaid: FloatArray

    def lane(self, k: int) -> TokenLoanRecord:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return TokenLoanRecord(
            self.outcomes[..., one],
            self.opened[..., one],
            self.others[:, one],
            self.index[:, one],
            self.observed[:, one],
            self.leave[..., one],
            self.spent[:, one],
            self.unpaid[one],
        )


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a record, days, and their sources."""

    record: bool = False
    days: frozenset[str] = frozenset()
    by_source: bool = True


def simulate(
    terms: TokenLoanTerms,
    decimals: int,
    gas: Gas,
    drivers: TokenLoanDrivers,
    holder_usd: float,
    wanted: Wanted | None = None,
) -> tuple[Mapping[str, InstrumentPaths], TokenLoanRecord]:
    """Return the paths by name (`terms.names`), and the record (empty unless asked for).

    Parameters
    ----------
    decimals : int
        Of the token.
    holder_usd : float
        What the measured supplier supplies.
    """
    asked = wanted or Wanted()
    own = numbers(terms, gas, holder_usd, decimals, drivers.feed_usdc.shape[0] - 1)
    suppliers, *loans = terms.names(drivers.label)
    results = _empty(
        terms,
        drivers.feed_usdc.shape,
        record=asked.record,
        supplied=asked.by_source and suppliers in asked.days,
        gains=asked.by_source and not asked.days.isdisjoint(loans),
    )
    run(own, _arrays(drivers), results)
    _begin(own, drivers, results)
    series = Series(terms, drivers, results)
    found = {suppliers: _supplier(suppliers, own, results, series, asked)}
    for i, name in enumerate(loans):
        found[name] = _loan(name, i, results, series, days=name in asked.days)
    spent = -results.attribution[:, 0, Of.GAS]
    return found, TokenLoanRecord(
        results.outcomes,
        results.opened,
        results.others,
        results.borrow_index,
        results.observed,
        results.leave,
        spent,
        results.unpaid,
    )


def _arrays(drivers: TokenLoanDrivers) -> Drivers:
    prices = drivers.prices
    return Drivers(
        feed=drivers.feed_usdc,
        token=prices.token_usd,
        metal=prices.metal_usd,
        backing=prices.backing,
        utilisation=drivers.utilisation,
        fails=drivers.fails,
        away=drivers.away,
    )


def _empty(
    terms: TokenLoanTerms, shape: tuple[int, ...], *, record: bool, supplied: bool, gains: bool
) -> Results:
    """Return the arrays that the kernel writes; `shape` is (n_steps + 1, n_paths).

    The others say whether a record, and the supplier's and the loans' days by source are wanted.
    """
    n_paths, n_loans, nothing = shape[1], len(terms.loans), (0, 0)
    rounds = 1 + terms.most_rounds if record else 0
    index, used, rate = (empty_apart(shape, 7 + place) for place in range(3))
    return Results(
        mark=np.empty((1 + n_loans, *shape)),
        leave=np.empty((1 + n_loans, *shape)),
        mark_oz=np.empty((n_loans, *shape)),
        leave_oz=np.empty((n_loans, *shape)),
        gains=np.empty((n_loans, len(SOURCES), *(shape if gains else nothing))),
        supplied=np.zeros((len(SUPPLIER_SOURCES), *(shape if supplied else nothing))),
        attribution=np.zeros((n_loans, 2, len(SOURCES), n_paths)),
        of_supplier=np.empty((len(SUPPLIER_SOURCES), n_paths)),
        borrow_index=index,
        utilisation=used,
        rate=rate,
        outcomes=np.zeros((n_loans, len(Outcome), n_paths)),
        unpaid=np.empty(n_paths),
        others=np.zeros(shape if record else nothing),
        opened=np.zeros((n_loans, 2, rounds, n_paths if rounds else 0)),
        observed=np.zeros((*(shape if record else nothing), len(Observed))),
    )


def _begin(own: Numbers, drivers: TokenLoanDrivers, results: Results) -> None:
    """Write what was put in: what it costs to begin is seen on the day after."""
    capital = own.loans.capital[:, None]
    results.mark[0, 0] = results.leave[0, 0] = own.pool.holder
    results.mark[1:, 0] = results.leave[1:, 0] = capital
    results.mark_oz[:, 0] = results.leave_oz[:, 0] = capital / drivers.prices.metal_usd[0]
    results.gains[:, :, :1] = 0.0
    results.supplied[:, :1] = 0.0


def _supplier(
    name: str, own: Numbers, results: Results, series: Series, asked: Wanted
) -> InstrumentPaths:
    mark, leave = results.mark[0], results.leave[0]
    return InstrumentPaths(
        name=name,
        sources=SUPPLIER_SOURCES,
        initial={"usd": mark[0].copy()},
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": results.of_supplier},
        events=(results.outcomes[:, Outcome.BAD_DEBT] > 0.0).sum(axis=0).astype(np.int64),
        unpaid=results.unpaid,
        details=series.of_market(),
        daily=_days(own, results) if name in asked.days else None,
        happened={"lost_to_bad_debt": (results.outcomes[:, Outcome.BAD_DEBT] > 0.0).any(axis=0)},
        further=series.of_lending(),
    )


def _days(own: Numbers, results: Results) -> Daily:
    """Return the days of the supplier's position: a sale pays what leaving does."""
    sale: FloatArray = results.leave[0].copy()
    sale[0] -= own.pool.redeem_gas
    return Daily(results.supplied, access=Access(sale_usd=sale))


def _loan(name: str, i: int, results: Results, series: Series, *, days: bool) -> InstrumentPaths:
    outcome = results.outcomes[i]
    liquidated = outcome[Outcome.STEP] > 0.0
    capital, ounces = results.mark[1 + i, 0], results.mark_oz[i, 0]
    return InstrumentPaths(
        name=name,
        sources=SOURCES,
        initial={"ounces": ounces.copy(), "usd": capital.copy()},
        mark={"ounces": results.mark_oz[i], "usd": results.mark[1 + i]},
        exit={"ounces": results.leave_oz[i], "usd": results.leave[1 + i]},
        attribution={"ounces": results.attribution[i, 1], "usd": results.attribution[i, 0]},
        events=liquidated.astype(np.int64),
        unpaid=np.zeros_like(capital),
        details=series.of_loan(i),
        daily=Daily(results.gains[i]) if days else None,
        happened={
            "liquidated": liquidated,
            "by_feed_alone": outcome[Outcome.BY_FEED] > 0.0,
            "left_bad_debt": outcome[Outcome.BAD_DEBT] > 0.0,
        },
        happened_on=dict.fromkeys(
            ("liquidated", "by_feed_alone", "left_bad_debt"), outcome[Outcome.STEP]
        ),
    )
