"""What the share's kernel is told, what it writes, and the rows in which it keeps its state."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simulator.instruments.base import Source
from simulator.instruments.mining.terms import MineEquityTerms, MiningStoTerms
from simulator.instruments.mining.worth import Tables
from simulator.units import (
    BPS,
    DAYS_PER_YEAR,
    LANES,
    BoolArray,
    DayArray,
    FloatArray,
    KindArray,
    StepArray,
)


class From(IntEnum):
    """Rows of the attribution, in the order of `SOURCES`."""

    DIVIDENDS = 0
    COPPER = 1
    ORE_AND_TIME = 2
    MOOD = 3
    OUTAGE = 4
    DELAY = 5
    DEFAULT = 6
    INTEREST = 7
    SPREAD = 8


SOURCES = (
    Source("dividends", "organic", "Dividends"),
    Source("copper_price", "market", "Copper price"),
    Source("ore_and_time", "market", "Ore used up, profit kept, output and time"),
    Source("mood", "market", "Mood of the stock market"),
    Source("outage", "loss", "Outages"),
    Source("delay", "loss", "Construction and ramp-up late"),
    Source("default", "loss", "Failure of the company", ends_income=True),
    Source("interest", "cost", "Interest on net debt"),
    Source("sale_spread", "cost", "Spread when selling"),
)


class Row(IntEnum):
    """Rows of LANES numbers, one for each path, in one flat array as in `rows`.

    UNITS, DEBT : part of the company that is held, and all of its net debt, USD
    PAID : dividends received, USD
    LEFT : what a default left of the company's equity, USD, negative: none yet

    How the market sees the share today:

    TONNES, COMING : change of the mine's worth per USD per tonne, tonnes; its profit to come, USD
    DISCOUNT, NEXT : for the days of full output to be missed, and for one day fewer
    GEARING : dollars of price per dollar of the mine's worth
    MOOD, PRICE : mood as a factor, and the price of what is held, USD

    How it saw it a day ago, the same by name, and:

    WAS_USD : copper's price, USD per tonne
    WAS_ACCRUED : the mine's profit of the running period so far, USD
    WAS_HALTED : 1 where the mine stood still, else 0

    BEGUN : outages begun so far, and failures of the company
    """

    UNITS = 0
    DEBT = 1
    PAID = 2
    LEFT = 3
    TONNES = 4
    COMING = 5
    DISCOUNT = 6
    NEXT = 7
    GEARING = 8
    MOOD = 9
    PRICE = 10
    WAS_TONNES = 11
    WAS_COMING = 12
    WAS_NEXT = 13
    WAS_GEARING = 14
    WAS_MOOD = 15
    WAS_PRICE = 16
    WAS_USD = 17
    WAS_ACCRUED = 18
    WAS_HALTED = 19
    BEGUN = 20


UNITS, DEBT, PAID, LEFT, TONNES, COMING, DISCOUNT, NEXT, GEARING, MOOD, PRICE = (
    LANES * row for row in list(Row)[:11]
)
WAS_TONNES, WAS_COMING, WAS_NEXT, WAS_GEARING, WAS_MOOD, WAS_PRICE = (
    LANES * row for row in list(Row)[11:17]
)
WAS_USD, WAS_ACCRUED, WAS_HALTED, BEGUN = (LANES * row for row in list(Row)[17:])
BY = LANES * len(Row)
"""Where the attribution begins: rows of `From`."""
BY_DIVIDENDS, BY_COPPER, BY_ORE_AND_TIME, BY_MOOD, BY_OUTAGE, BY_DELAY, BY_DEFAULT = (
    LANES * (len(Row) + row) for row in list(From)[:7]
)
BY_INTEREST, BY_SPREAD = (LANES * (len(Row) + row) for row in list(From)[7:])
N_SOURCES = len(From)
N_ROWS = len(Row) + N_SOURCES


class Numbers(NamedTuple):
    """The terms as numbers.

    usd : what the share is bought for
    capital_usd : capital that the mine still needs; it counts as debt
    debt_share : net debt at the start over the mine's worth less that capital, 0 to 1
    interest : a day's interest on that debt, after the tax that it saves
    dividend_ratio : share of free cash flow that is paid out, 0 to 1
    recovery : share of the price that a failure leaves, 0 to 1
    spread : share of the price that selling costs
    """

    usd: float
    capital_usd: float
    debt_share: float
    interest: float
    dividend_ratio: float
    recovery: float
    spread: float


class Drivers(NamedTuple):
    """What happens to the share.

    tables : Tables
        Of what the mine is worth.
    copper_usd : (n_steps + 1, n_paths), USD per tonne; n_paths is a multiple of LANES
    accrued : (n_steps + 1, n_paths), the mine's profit of the running period so far, USD
    profit : (n_periods, n_paths), the mine's profit of each period, USD
    halted : (n_steps + 1, n_paths), int8, kind of the outage, 0 where there is none
    deferred : (n_steps + 1, n_paths), int16, days of full output still to be missed
    begins : (n_paths,), int64, step of the first ore
    ends : (n_steps + 1,), bool, whether a period ends on the step
    default_step : (n_paths,), int64, step on which the company fails
    noise : (n_steps + 1, n_paths), log gap between price and worth
    """

    tables: Tables
    copper_usd: FloatArray
    accrued: FloatArray
    profit: FloatArray
    halted: KindArray
    deferred: DayArray
    begins: StepArray
    ends: BoolArray
    default_step: StepArray
    noise: FloatArray


class Results(NamedTuple):
    """What is written, USD; zeros where it is added to.

    mark, leave : (n_steps + 1, n_paths), value at mark and at exit, with all that was received
    received : (n_steps + 1, n_paths), dividends so far
    attribution : (n_sources, n_paths), added to: rows of `From`
    gains : (n_sources, n_steps + 1, n_paths), or (n_sources, 0, 0) where nobody asks
        Gains up to each step, without the cost of selling.
    events : (n_paths,), int64, added to: outages, a failure
    """

    mark: FloatArray
    leave: FloatArray
    received: FloatArray
    attribution: FloatArray
    gains: FloatArray
    events: StepArray


def numbers(equity: MineEquityTerms, terms: MiningStoTerms, usd: float) -> Numbers:
    """Return the terms in the form in which the kernel reads them; `terms` are the mine's."""
    return Numbers(
        usd=float(usd),
        capital_usd=terms.stage.capital_usd,
        debt_share=equity.net_debt_share,
        interest=equity.interest_rate * (1.0 - terms.mine.tax) / DAYS_PER_YEAR,
        dividend_ratio=equity.dividend_ratio,
        recovery=equity.recovery,
        spread=equity.sale_spread_bps / BPS,
    )
