"""What the market's kernel is told and what it writes; sources, acts and observables."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Source
from simulator.instruments.gas import Gas
from simulator.instruments.miner_perp.terms import CohortTerms, MinerPerpTerms, Side, TraderTerms
from simulator.mechanics.perp import SIZE_UNITS
from simulator.units import BPS, BoolArray, FloatArray, StepArray

ActArray = npt.NDArray[np.int16]
"""Sums of `Act`."""

ROOM = 1e-9
"""Part of what a margin allows that nobody uses: the rounding of both engines lies within it."""


class From(IntEnum):
    """Rows of a trader's attribution."""

    PRICE = 0
    FUNDING = 1
    FEES = 2
    LIQUIDATION = 3
    CUT = 4
    GAS = 5


SOURCES = (
    Source("index_moves", "market", "Moves of the index"),
    Source("funding", "organic", "Funding received or paid"),
    Source("trading_fees", "cost", "Fees of trades, and the keeper's"),
    Source("liquidation", "loss", "Penalty and keeper's fee of a liquidation"),
    Source("profit_cut", "loss", "Profit that the pool could not pay"),
    Source("gas", "cost", "Transaction costs"),
)
"""A trader's, in the order of `From`."""


class Of(IntEnum):
    """Rows of a provider's attribution."""

    TRADERS = 0
    FUNDING = 1
    FEES = 2
    BAD_DEBT = 3
    ILLIQUIDITY = 4
    GAS = 5


POOL_SOURCES = (
    Source("traders", "market", "What traders lost, less what they gained"),
    Source("funding", "organic", "Funding received or paid"),
    Source("trading_fees", "organic", "Fees of trades"),
    Source("bad_debt", "loss", "Debts and keepers' fees that nobody else paid"),
    Source("illiquidity", "loss", "Discount on what could not be paid"),
    Source("gas", "cost", "Transaction costs"),
)
"""A provider's, in the order of `Of`."""


class Act(IntFlag):
    """What is done with an account on a step; several may be.

    FILLED : its waiting order is executed, filled or dropped
    LIQUIDATED, STOPPED, REDUCED : as the words say
    WITHDREW : its margin is paid out
    TOPPED, ORDERED, CLOSES : margin is added, an order is placed, one that closes
    """

    NONE = 0
    FILLED = 1
    LIQUIDATED = 2
    STOPPED = 4
    REDUCED = 8
    WITHDREW = 16
    TOPPED = 32
    ORDERED = 64
    CLOSES = 128


class Amount(IntEnum):
    """Rows of what acts are told.

    ORDER : size to add
    MARGIN : margin added, USD
    REDUCED : size that a winner is reduced by
    TOUCHED : step on which the stop was touched
    """

    ORDER = 0
    MARGIN = 1
    REDUCED = 2
    TOUCHED = 3


class Observed(IntEnum):
    """Columns of what the replay compares of the market, at the end of a step, USD and units."""

    POOL = 0
    INSURANCE = 1
    FEES = 2
    MARGINS = 3
    LONG = 4
    SHORT = 5
    RATE = 6
    POOL_VALUE = 7
    BAD_DEBT = 8
    CUT = 9


class Series(IntEnum):
    """Rows of the market's daily series."""

    LONG_USD = 0
    SHORT_USD = 1
    RATE = 2
    INSURANCE = 3
    BAD_DEBT = 4
    CUT = 5
    LIQUIDATED = 6


class Befell(IntEnum):
    """Rows of what may befall a trader."""

    LIQUIDATED = 0
    STOPPED = 1
    CUT = 2


class Fate(IntEnum):
    """Rows of when a trader's end came before the run's, and how.

    STOPPED, LIQUIDATED : step, 0 for never
    SLIP : how far beyond its level the stop was filled, over the level
    """

    STOPPED = 0
    LIQUIDATED = 1
    SLIP = 2


class Accounts(NamedTuple):
    """Who trades: the crowd's cohorts, then the measured traders; amounts USD.

    sides : (n_accounts,), 1 for long and -1 for short
    levers : (n_cohorts,), notional over margin of the cohorts
    margins, sizes : (n_accounts,), margin at the start and size of the first order
    stops : (n_traders,), share of the margin over the leverage at which he stops, 0 for never
    n_cohorts : how many accounts are the crowd's
    """

    sides: FloatArray
    levers: FloatArray
    margins: FloatArray
    sizes: FloatArray
    stops: FloatArray
    n_cohorts: int


class Numbers(NamedTuple):
    """The terms as the kernel reads them; shares and rates 1 = 100 %, amounts USD.

    No arrays: it is handed to functions that are called for one path, and each would be counted.

    deposits, holder, insurance : the pool's first deposits, the measured one's of them, the fund
    haircut, gas_provide, gas_request, gas_claim : of the provider's leaving, share and USD
    gas_enter, gas_leave : of a trader, USD
    gas_times : (n_steps + 1,), what gas costs on each step over the scenario's own price; what is
        done after the last round is done in it
    request_step, can_claim : when the provider asks, and 1 where he can claim within the run
    """

    initial: float
    maintenance: float
    penalty: float
    keeper_fee: float
    maker: float
    taker: float
    insured: float
    collected: float
    max_open_interest: float
    max_profit: float
    adl_trigger: float
    adl_target: float
    min_notional: float
    fixed_rate: float
    max_rate: float
    velocity: float
    skew_scale: float
    deposits: float
    holder: float
    insurance: float
    haircut: float
    gas_enter: float
    gas_leave: float
    gas_provide: float
    gas_request: float
    gas_claim: float
    gas_times: FloatArray
    request_step: float
    can_claim: float


class Drivers(NamedTuple):
    """What happens to the market; arrays as in `drivers.MinerPerpDrivers`.

    prices : (n_steps + 1, n_paths), the index
    rounds, kept : (n_steps + 1, n_paths), bool
    decides : (n_decisions,), int64
    goals : (n_decisions, n_cohorts, n_paths), USD
    last_round : int
    run_step, run_share : (n_paths,), int64 and 0 to 1; or (0,)
        When other providers leave, and with what share of their shares.
    """

    prices: FloatArray
    rounds: BoolArray
    kept: BoolArray
    decides: StepArray
    goals: FloatArray
    last_round: int
    run_step: StepArray
    run_share: FloatArray


class Results(NamedTuple):
    """What is written, USD but where said. What is not asked for is empty.

    marks, leaves : (n_traders, n_steps + 1, n_paths), at mark and at exit
    gains : (n_traders, 6, n_steps + 1, n_paths), or (n_traders, 6, 0, 0)
        Up to each step, rows of `From`, without the costs of leaving.
    attribution : (n_traders, 6, n_paths), rows of `From`
    unpaid : (n_traders, n_paths)
    befell : (n_traders, 3, n_paths), bool, rows of `Befell`
    fates : (n_traders, 3, n_paths), rows of `Fate`
    notionals : (n_traders, n_steps + 1, n_paths)
    pool_mark, pool_leave : (n_steps + 1, n_paths), of the measured provider
    pool_gains : (6, n_steps + 1, n_paths), or (6, 0, 0), rows of `Of`
    pool_attribution : (6, n_paths)
    pool_unpaid, pool_paid : (n_paths,)
    fled : (n_paths,), what other providers claimed in a run
    series : (7, n_steps + 1, n_paths), rows of `Series`
    events : (n_paths,), int64, added to: liquidations, stops, reductions, bad debts
    acts : (n_steps + 1, n_accounts, n_paths), int16, sums of `Act`, or (0, 0, 0)
    amounts : (4, n_steps + 1, n_accounts, n_paths), rows of `Amount`, or (4, 0, 0, 0)
    equities, held : (n_steps + 1, n_accounts, n_paths), equity and size, or (0, 0, 0)
    observed : (n_steps + 1, n_paths, 10), columns of `Observed`, or (0, 0, 0)
    """

    marks: FloatArray
    leaves: FloatArray
    gains: FloatArray
    attribution: FloatArray
    unpaid: FloatArray
    befell: BoolArray
    fates: FloatArray
    notionals: FloatArray
    pool_mark: FloatArray
    pool_leave: FloatArray
    pool_gains: FloatArray
    pool_attribution: FloatArray
    pool_unpaid: FloatArray
    pool_paid: FloatArray
    fled: FloatArray
    series: FloatArray
    events: StepArray
    acts: ActArray
    amounts: FloatArray
    equities: FloatArray
    held: FloatArray
    observed: FloatArray


def numbers(
    terms: MinerPerpTerms, gas: Gas, holder_usd: float, last_round: int, n_steps: int
) -> Numbers:
    """Return the terms in the form in which the kernel reads them."""
    market, pool, funding = terms.market, terms.pool, terms.funding
    deposits = pool.deposits_usd + holder_usd
    asked = request_step(terms, last_round)
    times = gas.factors(n_steps)
    times[last_round:] = times[last_round]
    return Numbers(
        initial=market.initial_margin,
        maintenance=market.maintenance_margin,
        penalty=market.liquidation_penalty,
        keeper_fee=market.keeper_fee_usd,
        maker=market.maker_fee,
        taker=market.taker_fee,
        insured=market.insurance_share,
        collected=market.protocol_share,
        max_open_interest=market.max_open_interest,
        max_profit=market.max_profit,
        adl_trigger=market.adl_trigger,
        adl_target=market.adl_target,
        min_notional=market.min_notional_usd,
        fixed_rate=funding.fixed_rate,
        max_rate=funding.max_rate,
        velocity=funding.velocity_a_day,
        skew_scale=funding.skew_scale * pool.deposits_usd,
        deposits=deposits,
        holder=holder_usd,
        insurance=pool.insurance_usd,
        haircut=pool.illiquidity_haircut_bps / BPS,
        gas_enter=gas.usd("enter"),
        gas_leave=gas.usd("leave"),
        gas_provide=gas.usd("provide"),
        gas_request=gas.usd("request") * float(times[asked]),
        gas_claim=gas.usd("claim"),
        gas_times=times,
        request_step=float(asked),
        can_claim=float(pool.cooldown_days <= last_round and last_round > 0),
    )


def accounts(terms: MinerPerpTerms) -> Accounts:
    """Return who trades, in the form in which the kernel reads it."""
    cohorts, traders = list(terms.crowd.cohorts.values()), list(terms.traders.values())
    return Accounts(
        sides=np.array([*(_sign(c.side) for c in cohorts), *(_sign(t.side) for t in traders)]),
        levers=np.array([cohort.leverage for cohort in cohorts]),
        margins=np.array([*(_first_margin(terms, c) for c in cohorts), *_margins(traders)]),
        sizes=np.array([*_first_sizes(terms), *(first_size(terms, t) for t in traders)]),
        stops=np.array([(t.stop_loss or 0.0) / t.leverage for t in traders]),
        n_cohorts=len(cohorts),
    )


def request_step(terms: MinerPerpTerms, last_round: int) -> int:
    """Return the step on which the provider asks for his money: a cooldown before the exit."""
    return max(0, last_round - terms.pool.cooldown_days)


def first_size(terms: MinerPerpTerms, trader: TraderTerms) -> float:
    """Return the size of a trader's order: its notional is leverage x equity after the fees."""
    market = terms.market
    margin = trader.margin_usd - market.keeper_fee_usd
    size = trader.leverage * margin / (1.0 + trader.leverage * market.taker_fee)
    return _down(size * (1.0 - ROOM))


def _margins(traders: list[TraderTerms]) -> list[float]:
    return [trader.margin_usd for trader in traders]


def _first_sizes(terms: MinerPerpTerms) -> list[float]:
    deposits = terms.pool.deposits_usd
    return [_down(c.notional_share * deposits) for c in terms.crowd.cohorts.values()]


def _first_margin(terms: MinerPerpTerms, cohort: CohortTerms) -> float:
    """Return what a cohort puts in at the start: margin for its goal, and the fees, whole USD."""
    usual = cohort.notional_share * terms.pool.deposits_usd
    margin = usual / cohort.leverage + usual * terms.market.taker_fee
    return float(np.ceil(margin + terms.market.keeper_fee_usd)) if usual > 0.0 else 0.0


def _sign(side: Side) -> float:
    return 1.0 if side == "long" else -1.0


def _down(size: float) -> float:
    return float(np.floor(size * SIZE_UNITS) / SIZE_UNITS)
