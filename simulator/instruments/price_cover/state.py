"""What the pool's kernel is told and what it writes; the days of policies, sources, and gas."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from simulator.instruments.base import Source
from simulator.instruments.gas import Gas
from simulator.instruments.price_cover.terms import PriceCoverTerms
from simulator.units import BPS, DAYS_PER_YEAR, BoolArray, FloatArray, KindArray, StepArray

ROOM = 1e-9
"""Part of the capacity and of the highest strike that buyers leave unused: the rounding of
both engines lies within it."""


class From(IntEnum):
    """Rows of the underwriter's attribution."""

    PREMIUMS = 0
    CLAIMS = 1
    OPEN_CLAIMS = 2
    ILLIQUIDITY = 3
    GAS = 4


SOURCES = (
    Source("premiums", "organic", "Premiums earned"),
    Source("claims", "loss", "Claims paid"),
    Source("open_claims", "loss", "Claims still open when leaving"),
    Source("illiquidity", "loss", "Discount on what could not be paid"),
    Source("gas", "cost", "Transaction costs"),
)
"""The underwriter's, in the order of `From`."""


class Miner(IntEnum):
    """Rows of the miner's attribution."""

    SOLD = 0
    PAYOUTS = 1
    PREMIUMS = 2


MINER_SOURCES = (
    Source("copper_sold", "organic", "Copper sold less its cost"),
    Source("payouts", "market", "Payouts of the cover"),
    Source("cover_premiums", "cost", "Premiums of the cover"),
)
"""The miner's, in the order of `Miner`."""

MINER, OTHERS = 0, 1
"""Who buys a policy."""


class Policy(IntEnum):
    """Rows of one policy on each path.

    TONNES : insured
    STRIKE : USD per tonne
    INSURED : sum insured, USD
    DAILY, PREMIUM : premium a day and in all, USD
    MARKED : 1 while it is marked as triggered, else 0
    SEEN : sum of the prices seen in its settlement's window, USD per tonne
    """

    TONNES = 0
    STRIKE = 1
    INSURED = 2
    DAILY = 3
    PREMIUM = 4
    MARKED = 5
    SEEN = 6


class Outcome(IntEnum):
    """Rows of what became of a policy on each path.

    PAYOUT, MISSING : what it was paid, and what was missing of the claim, USD
    VOIDED : step on which it was voided, 0 for never
    """

    PAYOUT = 0
    MISSING = 1
    VOIDED = 2


class Act(IntEnum):
    """What a keeper does with a policy on a step."""

    NONE = 0
    TRIGGER = 1
    CLEAR = 2
    VOID = 3


class Observed(IntEnum):
    """Columns of what both engines observe at the end of a step.

    TOTAL_ASSETS : of the pool, USD
    LOCKED, UNEARNED, TRIGGERED : as in `Own`
    UTILISATION : sums insured over capacity
    EXIT_VALUE : what the underwriter's claim would be paid, USD
    SETTLEMENT : the latest settlement, USD per tonne
    MINER_PREMIUMS, MINER_PAYOUTS : so far, USD
    """

    TOTAL_ASSETS = 0
    LOCKED = 1
    UNEARNED = 2
    TRIGGERED = 3
    UTILISATION = 4
    EXIT_VALUE = 5
    SETTLEMENT = 6
    MINER_PREMIUMS = 7
    MINER_PAYOUTS = 8


class Schedule(NamedTuple):
    """The policies of a run in the order of their purchase, the same on every path.

    buyer : (n_policies,), int64, `MINER` or `OTHERS`
    bought, start, end : (n_policies,), int64, steps of purchase, start and expiry
    """

    buyer: StepArray
    bought: StepArray
    start: StepArray
    end: StepArray


def schedule(terms: PriceCoverTerms, n_steps: int) -> Schedule:
    """Return the policies; the miner buys none that ends after the run."""
    rows = []
    for buyer, cover in ((MINER, terms.miner.cover), (OTHERS, terms.others.cover)):
        for day in range(0, n_steps, cover.renew_every_days):
            start = day + terms.pool.lag_days
            end = start + cover.term_days
            if buyer == OTHERS or end <= n_steps:
                rows.append((day, buyer, start, end))
    table = np.array(sorted(rows), np.int64).reshape(-1, 4)
    return Schedule(table[:, 1].copy(), table[:, 0].copy(), table[:, 2].copy(), table[:, 3].copy())


class Numbers(NamedTuple):
    """The terms as numbers; a strike of zero means that its share counts.

    pool_usd : deposits at the start, the underwriter's included
    holder_usd : the measured underwriter's
    leverage : sums insured over the pool, at most
    floor, slope, ceiling : premium a year per sum insured, see `mechanics.cover`
    max_strike_share : strike over the price, at most
    trigger_share : a policy is triggered below its strike times this
    min_insured : least sum insured, USD
    window_days : days that a settlement is the mean of
    haircut : discount on what cannot be paid out at once, 0 to 1
    tonnes_a_day : that the miner sells
    aisc : his all-in sustaining cost, USD per tonne
    cash_usd : his cash at the start
    period_days : days of one of his periods
    miner_tonnes : tonnes of each of his covers
    miner_strike_share, others_strike_share : strike over the price
    miner_strike, others_strike : strike, USD per tonne
    others_utilisation : sums insured over capacity that the others bring the pool to
    gas_enter_usd, gas_request_usd, gas_leave_usd : cost of the underwriter's transactions
    gas_times : (n_steps + 1,), what gas costs on each step over the scenario's own price
    request_step : step on which he asks for his money
    can_claim : 1 where the cooldown is over within the run, else 0
    hardly : USD, less than any sum insured, more than what sums and differences of them leave
    """

    pool_usd: float
    holder_usd: float
    leverage: float
    floor: float
    slope: float
    ceiling: float
    max_strike_share: float
    trigger_share: float
    min_insured: float
    window_days: float
    haircut: float
    tonnes_a_day: float
    aisc: float
    cash_usd: float
    period_days: float
    miner_tonnes: float
    miner_strike_share: float
    miner_strike: float
    others_utilisation: float
    others_strike_share: float
    others_strike: float
    gas_enter_usd: float
    gas_request_usd: float
    gas_leave_usd: float
    gas_times: FloatArray
    request_step: float
    can_claim: float
    hardly: float


class Drivers(NamedTuple):
    """What happens to the pool.

    plan : Schedule
    posted : (n_steps + 1,), bool, whether the feed has a new round on the step
    copper_usd, feed_usd : (n_steps + 1, n_paths), USD per tonne; n_paths is a multiple of LANES
        What copper is sold at, and what the contract reads.
    run_step, run_share : (n_paths,), int64 and 0 to 1; or (0,)
        When other underwriters leave, and with what share of their deposits.
    away : (n_steps + 1,), bool, days on which no keeper marks or voids; or (0,)
    """

    plan: Schedule
    posted: BoolArray
    copper_usd: FloatArray
    feed_usd: FloatArray
    run_step: StepArray
    run_share: FloatArray
    away: BoolArray


class Results(NamedTuple):
    """What is written, USD but where said; zeros where not all is. What is not asked for is empty.

    marks, leaves : (n_steps + 1, n_paths), the underwriter at mark and at exit
    covered, bare : (n_steps + 1, n_paths), the miner's cash with and without cover
    utilisation : (n_steps + 1, n_paths), sums insured over capacity
    periods : (2, n_periods + 1, n_paths), zeros in row 0
        The miner's cash flow of each period with and without cover.
    gains : (5, n_steps + 1, n_paths), or (5, 0, 0)
        The underwriter's gains up to each step, without the costs of leaving.
    sold : (n_policies, 7, n_paths), rows of `Policy` as they were sold, zeros where none was
    outcomes : (n_policies, 3, n_paths), rows of `Outcome`, zeros where nothing became of it
    attribution : (5, n_paths), the underwriter's by `From`
    unpaid, paid_out : (n_paths,)
        What the underwriter could not claim at the end, at mark, and what he could.
    fled : (n_paths,), what others claimed in a run
    totals : (3, n_paths), the miner's by `Miner`
    shortfall : (n_paths,), bool, whether the pool could not pay a claim in full
    events : (n_paths,), int64, added to: claims, triggers, voided and refused covers
    acts : (n_steps + 1, n_policies, n_paths), int8, or (0, 0, 0)
        `Act`, zeros where there is none.
    observed : (n_steps + 1, n_paths, 9), or (0, 0, 0), columns of `Observed`
    """

    marks: FloatArray
    leaves: FloatArray
    covered: FloatArray
    bare: FloatArray
    utilisation: FloatArray
    periods: FloatArray
    gains: FloatArray
    sold: FloatArray
    outcomes: FloatArray
    attribution: FloatArray
    unpaid: FloatArray
    paid_out: FloatArray
    fled: FloatArray
    totals: FloatArray
    shortfall: BoolArray
    events: StepArray
    acts: KindArray
    observed: FloatArray


def numbers(terms: PriceCoverTerms, gas: Gas, holder_usd: float, n_steps: int) -> Numbers:
    """Return the terms in the form in which the kernel reads them."""
    pool, miner, others = terms.pool, terms.miner, terms.others
    asked = request_step(terms, n_steps)
    return Numbers(
        pool_usd=pool.deposits_usd + holder_usd,
        holder_usd=float(holder_usd),
        leverage=pool.leverage,
        floor=pool.premium.floor,
        slope=pool.premium.slope,
        ceiling=pool.premium.ceiling,
        max_strike_share=pool.max_strike_share,
        trigger_share=pool.trigger_share,
        min_insured=pool.min_sum_insured_usd,
        window_days=float(pool.window_days),
        haircut=pool.illiquidity_haircut_bps / BPS,
        tonnes_a_day=miner.tonnes_a_year / DAYS_PER_YEAR,
        aisc=miner.aisc_usd_per_tonne,
        cash_usd=miner.cash_usd,
        period_days=float(miner.cover.renew_every_days),
        miner_tonnes=miner.tonnes,
        miner_strike_share=miner.cover.strike_share or 0.0,
        miner_strike=miner.cover.strike_usd_per_tonne or 0.0,
        others_utilisation=others.utilisation,
        others_strike_share=others.cover.strike_share or 0.0,
        others_strike=others.cover.strike_usd_per_tonne or 0.0,
        gas_enter_usd=gas.usd("enter"),
        gas_request_usd=gas.usd_on("request", min(asked, n_steps)),
        gas_leave_usd=gas.usd("leave"),
        gas_times=gas.factors(n_steps),
        request_step=float(asked),
        can_claim=float(pool.cooldown_days <= n_steps),
        hardly=0.5 * pool.min_sum_insured_usd,
    )


def request_step(terms: PriceCoverTerms, n_steps: int) -> int:
    """Return the step on which the underwriter asks for his money: a cooldown before the end."""
    return max(0, n_steps - terms.pool.cooldown_days)
