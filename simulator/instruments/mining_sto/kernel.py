"""One day of the token's holder, over steps and paths: stream, payment, default, price, exit.

State stands in rows of LANES numbers, one for each path: those of `state.Own`, `Seen`, `Today`
and `From`, one after another in one flat array. LLVM sees that rows at constant distances do
not overlap, and makes vector instructions of the loops over them: every day's are kernels apart,
for within the long body of `run` it no longer sees it. What happens on few days is inlined.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.instruments.draws import NEVER
from simulator.instruments.mining_sto.outages import DayArray, KindArray
from simulator.instruments.mining_sto.payments import TOKENS, close_raise, pay, take_deposits
from simulator.instruments.mining_sto.state import From, Own, Seen, Today
from simulator.instruments.mining_sto.worth import planned_profit, tonnes_per_price
from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.mechanics.prefetch import will_read, will_write
from simulator.units import LANES, FloatArray

Record = Any
Records = np.ndarray[Any, Any]
FlagArray = npt.NDArray[np.bool_]
StepArray = npt.NDArray[np.int64]

PART, SHARE, STREAM, ORGANIC, DAYS_LEFT, PAID, CASH, PAR, LEFT, SPENT = (LANES * row for row in Own)
GEARING, BY_TONNES, BY_WAIT, MOOD, TRUST, PRICE, USD, ACCRUED, AHEAD, HALTED = (
    LANES * (len(Own) + row) for row in Seen
)
(
    TONNES,
    PLANNED,
    DISCOUNT,
    NEXT,
    WHOLE,
    SWING,
    TRUSTED,
    HAPPENED,
) = (LANES * (len(Own) + len(Seen) + row) for row in Today)
BY = LANES * (len(Own) + len(Seen) + len(Today))
(
    PROFIT,
    RETURNED,
    COPPER,
    ORE_AND_TIME,
    BY_MOOD,
    OUTAGE,
    DELAY,
    DEFAULT,
    BY_TRUST,
    ISSUE,
    ILLIQUIDITY,
    GAS,
) = (BY + LANES * row for row in From)
N_SOURCES, GAS_ROW = len(From), int(From.GAS)
N_ROWS = len(Own) + len(Seen) + len(Today) + N_SOURCES


@inlined
def subscribe(
    tokens: Records, terms: Record, others_usd: FloatArray, rows: FloatArray, events: StepArray
) -> None:
    """Pay the holder's money into escrow, and see who else comes."""
    for k in range(LANES):
        rows[CASH + k], rows[LEFT + k] = terms.holder_usd, -1.0
        rows[SPENT + k] = terms.gas_enter_usd
        if not close_raise(tokens[k], terms, others_usd[k]):
            events[k] += 1


@inlined
def issue(tokens: Records, terms: Record, rows: FloatArray) -> None:
    """Hand out tokens, or the money where the soft cap was missed."""
    for k in range(LANES):
        rows[SPENT + k] += terms.gas_claim_usd
        if tokens[k].supply > 0.0:
            rows[CASH + k], rows[PAR + k] = 0.0, terms.holder_usd
            share_out(tokens[k], terms, rows, k)


@inlined
def share_out(tokens: Record, terms: Record, rows: FloatArray, k: int) -> None:
    """Set the holder's part of the supply and of the mine's worth."""
    rows[PART + k] = terms.holder_usd / terms.token_price / tokens.supply
    rows[SHARE + k] = terms.payout_ratio * tokens.sold_share * rows[PART + k]


@kernel
def stream(rows: FloatArray) -> None:
    """Let a day of the running streams flow; the holder has his part of the supply."""
    for k in range(LANES):
        runs = min(rows[DAYS_LEFT + k], 1.0)
        flow = runs * rows[PART + k] * rows[STREAM + k]
        organic = runs * rows[PART + k] * rows[ORGANIC + k]
        rows[DAYS_LEFT + k] -= runs
        rows[PAID + k] += flow
        rows[PROFIT + k] += organic
        rows[RETURNED + k] += flow - organic


@inlined
def distribute(
    tokens: Records,
    terms: Record,
    rows: FloatArray,
    profit: FloatArray,
    recorded: FloatArray,
    payments: FloatArray,
    deposits: FloatArray,
    events: StepArray,
) -> None:
    """Pay out the period's profit where the operator still pays; the holder withdraws."""
    for k in range(LANES):
        if tokens[k].supply == 0.0:
            continue
        rows[SPENT + k] += terms.gas_claim_usd
        if rows[LEFT + k] >= 0.0:
            continue
        believed = tokens[k].kept
        deposits[k] = take_deposits(tokens[k], terms)
        recorded[k], payments[k], organic = pay(tokens[k], terms, profit[k])
        share_out(tokens[k], terms, rows, k)
        rows[STREAM + k] = payments[k] / terms.stream_days
        rows[ORGANIC + k] = organic / terms.stream_days
        rows[DAYS_LEFT + k] = terms.stream_days
        if tokens[k].kept < believed:
            events[k] += 1


@inlined
def trust(tokens: Records, most: float, rows: FloatArray) -> None:
    """Believe in the issue price as far as promises were kept."""
    for k in range(LANES):
        rows[TRUSTED + k] = rows[TRUST + k]
        rows[TRUST + k] = most * tokens[k].kept


@kernel
def look_up(
    base: FloatArray,
    slope: FloatArray,
    discount: FloatArray,
    reverting: FloatArray,
    starts: StepArray,
    wait: DayArray,
    step: int,
    rows: FloatArray,
) -> None:
    """Read the tables of `worth`; alone, for such loops do not become vector instructions."""
    for k in range(LANES):
        worked, missed = max(0, step - starts[k]), wait[k]
        rows[TONNES + k] = tonnes_per_price(slope, reverting, worked, missed)
        rows[PLANNED + k] = planned_profit(base, discount, worked, missed)
        rows[DISCOUNT + k] = discount[missed]
        rows[NEXT + k] = discount[max(missed - 1, 0)]


@inlined
def quote(rows: FloatArray, k: int, whole: float, mood: float) -> tuple[float, float]:
    """Price the holding: what it is worth, or was issued at as far as that is believed.

    Returns
    -------
    price, gearing : float
        USD, and dollars of price per dollar of the mine's worth.
    """
    unstreamed = rows[PART + k] * rows[STREAM + k] * rows[DAYS_LEFT + k]
    left, believed = rows[LEFT + k], rows[TRUST + k]
    claim = rows[SHARE + k] * whole if left < 0.0 else left
    moves = 1.0 if left < 0.0 else 0.0
    moves = moves if whole > 0.0 else 0.0
    gearing = moves * mood * (1.0 - believed) * rows[SHARE + k]
    price = mood * (claim + believed * (rows[PAR + k] - claim) + unstreamed)
    return price, gearing


@kernel
def value(
    rows: FloatArray,
    usd: FloatArray,
    accrued: FloatArray,
    moods: FloatArray,
    halted: KindArray,
    long_run: float,
    counts: float,
    same_period: float,
) -> None:
    """Price the holding and split the change by source; what is left is ore, output and time.

    `counts` is 0 until the close and 1 afterwards, `same_period` 0 where a period ends.
    """
    for k in range(LANES):
        stands = 1.0 if halted[k] > 0 else 0.0
        tonnes, mood = rows[TONNES + k], float(exponential(moods[k]))
        coming = rows[PLANNED + k] + tonnes * (usd[k] - long_run)
        whole = coming + accrued[k]
        whole = whole if whole > 0.0 else 0.0
        price, gearing = quote(rows, k, whole, mood)
        accrual = rows[GEARING + k] * same_period * (accrued[k] - rows[ACCRUED + k])
        by_copper = rows[BY_TONNES + k] * (usd[k] - rows[USD + k])
        # a new wait, over that which a day ago was thought to be left today
        late = rows[BY_WAIT + k] * (rows[DISCOUNT + k] / rows[AHEAD + k] - 1.0)
        out = stands * (late + accrual)
        late *= 1.0 - stands
        swing = 1.0 - rows[MOOD + k] / mood
        by_mood = counts * price * swing
        change = counts * (price - rows[PRICE + k])
        rows[COPPER + k] += by_copper
        rows[OUTAGE + k] += out
        rows[DELAY + k] += late
        rows[BY_MOOD + k] += by_mood
        rows[ORE_AND_TIME + k] += change - by_copper - out - late - by_mood
        began = counts * stands * (1.0 - rows[HALTED + k])
        rows[HAPPENED + k] += began if rows[PART + k] > 0.0 else 0.0
        rows[WHOLE + k], rows[SWING + k], rows[MOOD + k] = whole, swing, mood
        rows[PRICE + k], rows[GEARING + k] = price, gearing
        rows[BY_TONNES + k], rows[BY_WAIT + k] = gearing * tonnes, gearing * coming
        rows[USD + k], rows[ACCRUED + k] = usd[k], accrued[k]
        rows[AHEAD + k], rows[HALTED + k] = rows[NEXT + k], stands


@inlined
def stop_paying(
    tokens: Records,
    terms: Record,
    default_step: StepArray,
    step: int,
    rows: FloatArray,
    events: StepArray,
) -> None:
    """Let the operators whose day it is default; what streams already goes on."""
    for k in range(LANES):
        if default_step[k] != step or tokens[k].supply == 0.0:
            continue
        claim, mood = rows[SHARE + k] * rows[WHOLE + k], rows[MOOD + k]
        believed, before = rows[TRUST + k], rows[PRICE + k]
        left = terms.recovery * claim
        lost = mood * (1.0 - believed) * (claim - left)
        broken = mood * believed * (rows[PAR + k] - left)
        rows[LEFT + k], tokens[k].kept, rows[TRUST + k] = left, 0.0, 0.0
        rows[PRICE + k], rows[GEARING + k] = quote(rows, k, rows[WHOLE + k], mood)
        rows[BY_TONNES + k] = rows[BY_WAIT + k] = 0.0
        change = rows[PRICE + k] - before
        rows[DEFAULT + k] -= lost
        rows[BY_TRUST + k] -= broken
        rows[BY_MOOD + k] += change * rows[SWING + k]
        rows[ORE_AND_TIME + k] += change * (1.0 - rows[SWING + k]) + lost + broken
        events[k] += 1


@inlined
def disbelieve(rows: FloatArray) -> None:
    """Book what a promise broken today takes from the price."""
    for k in range(LANES):
        if rows[TRUST + k] < rows[TRUSTED + k] and rows[LEFT + k] < 0.0:
            above = rows[PAR + k] - rows[SHARE + k] * rows[WHOLE + k]
            broken = rows[MOOD + k] * (rows[TRUSTED + k] - rows[TRUST + k]) * above
            rows[BY_TRUST + k] -= broken
            rows[ORE_AND_TIME + k] += broken


@kernel
def write(
    rows: FloatArray,
    rate: float,
    leave_gas: float,
    mark: FloatArray,
    leave: FloatArray,
    paid: FloatArray,
) -> None:
    """Write what the day is worth to the holder; leaving costs `rate` of the price, and gas."""
    for k in range(LANES):
        cash = rows[CASH + k] + rows[PAID + k] - rows[SPENT + k]
        gas = leave_gas if rows[PART + k] > 0.0 else 0.0
        mark[k] = rows[PRICE + k] + cash
        leave[k] = rows[PRICE + k] * (1.0 - rate) + cash - gas
        paid[k] = rows[PAID + k]


@kernel
def copy(out: FloatArray, rows: FloatArray, first: int, sign: float) -> None:
    """Write the row that begins at `first`."""
    for k in range(LANES):
        out[k] = sign * rows[first + k]


@inlined
def next_default(default_step: StepArray, step: int) -> int:
    """Return the first step after `step` on which an operator defaults; NEVER if none."""
    first = NEVER
    for k in range(LANES):
        first = min(first, default_step[k] if default_step[k] > step else NEVER)
    return first


@kernel
def run(
    terms: Record,
    base: FloatArray,
    slope: FloatArray,
    discount: FloatArray,
    reverting: FloatArray,
    long_run: float,
    copper_usd: FloatArray,
    accrued: FloatArray,
    profit: FloatArray,
    halted: KindArray,
    deferred: DayArray,
    begins: StepArray,
    ends: FlagArray,
    others_usd: FloatArray,
    default_step: StepArray,
    noise: FloatArray,
    mark: FloatArray,
    leave: FloatArray,
    paid: FloatArray,
    price: FloatArray,
    last_price: FloatArray,
    attribution: FloatArray,
    gains: FloatArray,
    recorded: FloatArray,
    payments: FloatArray,
    deposits: FloatArray,
    events: StepArray,
) -> None:
    """Run all paths of a block over all steps.

    Parameters
    ----------
    terms : record of TERMS
    base, slope, discount, reverting : ndarray
        Tables of `worth`.
    copper_usd, accrued, halted, deferred, noise : ndarray of shape (n_steps + 1, n_paths)
        n_paths is a multiple of LANES.
    profit : ndarray of shape (n_periods, n_paths)
    begins, others_usd, default_step : ndarray of shape (n_paths,)
    ends : ndarray of shape (n_steps + 1,)
        Whether a period ends on the step; the first one ends with the close of the raise.
    mark, leave, paid, price : ndarray of shape (n_steps + 1, n_paths)
        Written: value at mark and at exit with all that was received, what was received, and
        the price of the holder's tokens; the last only where it has steps.
    last_price : ndarray of shape (n_paths,)
        Written: that price on the last step.
    attribution : ndarray of shape (n_sources, n_paths)
        Added to.
    gains : ndarray of shape (n_sources, n_steps + 1, n_paths)
        Written where it has steps: gains up to each step, without the costs of leaving.
    recorded, payments, deposits : ndarray of shape (n_periods, n_paths)
        Written where there are any: the holders' profit, what is paid, new tokens sold, USD.
    events : ndarray of shape (n_paths,), int64
        Added to: a failed raise, outages, a default, a broken promise.
    """
    n_rows, close = copper_usd.shape[0], int(terms.close)
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        tokens, rows = np.zeros(LANES, TOKENS), np.zeros(N_ROWS * LANES)
        rows[AHEAD : AHEAD + LANES] = 1.0
        starts, defaults, happened = begins[lanes], default_step[lanes], events[lanes]
        period, defaulting = 0, next_default(defaults, -1)
        subscribe(tokens, terms, others_usd[lanes], rows, happened)
        for step in range(n_rows):
            pays = step > close and ends[step]
            stream(rows)
            if step == close:
                issue(tokens, terms, rows)
                period = 1
            elif pays:
                distribute(
                    tokens,
                    terms,
                    rows,
                    profit[period, lanes],
                    recorded[period, lanes],
                    payments[period, lanes],
                    deposits[period, lanes],
                    happened,
                )
                period += 1
            if step == close or pays:
                trust(tokens, terms.trust, rows)
            wait = deferred[step, lanes]
            look_up(base, slope, discount, reverting, starts, wait, step, rows)
            value(
                rows,
                copper_usd[step, lanes],
                accrued[step, lanes],
                noise[step, lanes],
                halted[step, lanes],
                long_run,
                1.0 if step > close else 0.0,
                0.0 if ends[step] else 1.0,
            )
            if step == defaulting:
                stop_paying(tokens, terms, defaults, step, rows, happened)
                defaulting = next_default(defaults, step)
            if step == close:
                for k in range(LANES):
                    if tokens[k].supply > 0.0:
                        rows[ISSUE + k] += rows[PRICE + k] - terms.holder_usd
            elif pays:
                disbelieve(rows)
            # the next day's lines, while the rest of this one is worked out
            will_read(copper_usd, step + 1, first, LANES)
            will_read(accrued, step + 1, first, LANES)
            will_read(noise, step + 1, first, LANES)
            will_write(mark, step + 1, first, LANES)
            will_write(leave, step + 1, first, LANES)
            will_write(paid, step + 1, first, LANES)
            rate = terms.lockup_discount if step < terms.lockup_end else terms.discount
            day = mark[step, lanes], leave[step, lanes], paid[step, lanes]
            write(rows, rate, terms.gas_leave_usd, *day)
            if gains.shape[1] > 0:
                for row in range(N_SOURCES):
                    copy(gains[row, step, lanes], rows, BY + row * LANES, 1.0)
                copy(gains[GAS_ROW, step, lanes], rows, SPENT, -1.0)
            if price.shape[0] > 0:
                copy(price[step, lanes], rows, PRICE, 1.0)
        for k in range(LANES):
            exit_gas = terms.gas_leave_usd if rows[PART + k] > 0.0 else 0.0
            rows[ILLIQUIDITY + k] -= rows[PRICE + k] * rate
            rows[GAS + k] -= rows[SPENT + k] + exit_gas
            happened[k] += int(rows[HAPPENED + k])
        last_price[lanes] = rows[PRICE : PRICE + LANES]
        for row in range(N_SOURCES):
            attribution[row, lanes] += rows[BY + row * LANES : BY + (row + 1) * LANES]
