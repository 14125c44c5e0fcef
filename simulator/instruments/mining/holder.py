"""What a day does to the token's holder: stream, payment, price, default, exit.

Functions work on LANES paths side by side, on the rows that `rows` describes. Every day's loops
are kernels apart, for within the long body of `run` LLVM no longer sees that rows do not
overlap. What happens on few days is inlined.
"""

from __future__ import annotations

from simulator.instruments.mining.payments import close_raise, pay, take_deposits
from simulator.instruments.mining.rows import (
    ACCRUED,
    AHEAD,
    BEGUN,
    BY_COPPER,
    BY_DEFAULT,
    BY_DELAY,
    BY_GAS,
    BY_ILLIQUIDITY,
    BY_ISSUE,
    BY_MOOD,
    BY_ORE_AND_TIME,
    BY_OUTAGE,
    BY_PROFIT,
    BY_RETURNED,
    BY_TRUST,
    CASH,
    DAYS_LEFT,
    DISCOUNT,
    GEARED_COMING,
    GEARED_TONNES,
    GEARING,
    HALTED,
    KEPT,
    LEFT,
    MOOD,
    NEXT,
    ORGANIC,
    PAID,
    PAR,
    PART,
    PLANNED,
    PRICE,
    SHARE,
    SOLD_SHARE,
    SPENT,
    STREAM,
    SUPPLY,
    SWING,
    TONNES,
    TRUST,
    TRUSTED,
    USD,
    WHOLE,
)
from simulator.instruments.mining.state import Numbers
from simulator.instruments.mining.worth import worth
from simulator.jit import inlined, kernel
from simulator.market.elementary import exponential
from simulator.market.events import NEVER
from simulator.units import LANES, DayArray, FloatArray, KindArray, StepArray


@inlined
def subscribe(
    rows: FloatArray, numbers: Numbers, others_usd: FloatArray, events: StepArray
) -> None:
    """Pay the holder's money into escrow, and see who else comes.

    `rows` is of shape (n_rows * LANES,), `others_usd` and `events` of (LANES,).
    """
    for k in range(LANES):
        rows[CASH + k], rows[LEFT + k] = numbers.holder_usd, -1.0
        rows[SPENT + k] = numbers.gas_enter_usd
        if not close_raise(rows, k, numbers, others_usd[k]):
            events[k] += 1


@inlined
def issue(rows: FloatArray, numbers: Numbers, step: int) -> None:
    """Hand out tokens, or the money where the soft cap was missed.

    `rows` is of shape (n_rows * LANES,).
    """
    for k in range(LANES):
        # a refund has to be claimed too
        rows[SPENT + k] += numbers.gas_claim_usd * numbers.gas_times[step]
        if rows[SUPPLY + k] > 0.0:
            rows[CASH + k], rows[PAR + k] = 0.0, numbers.holder_usd
            share_out(rows, k, numbers)


@inlined
def share_out(rows: FloatArray, k: int, numbers: Numbers) -> None:
    """Set the holder's part of the supply and of the mine's worth.

    `rows` is of shape (n_rows * LANES,).
    """
    rows[PART + k] = numbers.holder_usd / numbers.token_price_usd / rows[SUPPLY + k]
    rows[SHARE + k] = numbers.payout_ratio * rows[SOLD_SHARE + k] * rows[PART + k]


@kernel
def stream(rows: FloatArray) -> None:
    """Let a day of the running streams flow; the holder has his part of the supply.

    `rows` is of shape (n_rows * LANES,).
    """
    for k in range(LANES):
        runs = min(rows[DAYS_LEFT + k], 1.0)
        flow = runs * rows[PART + k] * rows[STREAM + k]
        organic = runs * rows[PART + k] * rows[ORGANIC + k]
        rows[DAYS_LEFT + k] -= runs
        rows[PAID + k] += flow
        rows[BY_PROFIT + k] += organic
        rows[BY_RETURNED + k] += flow - organic


@inlined
def distribute(
    rows: FloatArray,
    numbers: Numbers,
    step: int,
    profit: FloatArray,
    recorded: FloatArray,
    payments: FloatArray,
    deposits: FloatArray,
    events: StepArray,
) -> None:
    """Pay out the period's profit where the operator still pays; the holder withdraws.

    Parameters
    ----------
    profit : ndarray of shape (LANES,), USD
    recorded, payments, deposits : ndarray of shape (LANES,), USD
        Written, as in `state.Results`.
    """
    for k in range(LANES):
        if rows[SUPPLY + k] == 0.0:
            continue
        rows[SPENT + k] += numbers.gas_claim_usd * numbers.gas_times[step]
        if rows[LEFT + k] >= 0.0:
            continue
        believed = rows[KEPT + k]
        # new holders share in the payment that their deposits help to make
        deposits[k] = take_deposits(rows, k, numbers)
        recorded[k], payments[k], organic = pay(rows, k, numbers, profit[k])
        share_out(rows, k, numbers)
        rows[STREAM + k] = payments[k] / numbers.stream_days
        rows[ORGANIC + k] = organic / numbers.stream_days
        rows[DAYS_LEFT + k] = numbers.stream_days
        if rows[KEPT + k] < believed:
            events[k] += 1


@inlined
def trust(rows: FloatArray, most: float) -> None:
    """Believe in the issue price as far as promises were kept.

    `rows` is of shape (n_rows * LANES,).
    """
    for k in range(LANES):
        rows[TRUSTED + k] = rows[TRUST + k]
        rows[TRUST + k] = most * rows[KEPT + k]


@kernel
def look_up(
    rows: FloatArray,
    by_work: FloatArray,
    by_days: FloatArray,
    ahead: FloatArray,
    long_run: float,
    starts: StepArray,
    wait: DayArray,
    step: int,
) -> None:
    """Read the tables of `worth`; alone, for such loops do not become vector instructions.

    Parameters
    ----------
    by_work, by_days, ahead, long_run
        As in `worth.Tables`: a tuple of arrays would cost each call as much as the loop.
    starts : ndarray of shape (LANES,), int64
        Step of the first ore.
    wait : ndarray of shape (LANES,), int16
        Days of full output still to be missed.
    """
    left, still = ahead.size - 1 - step, ahead[step]
    for k in range(LANES):
        worked, missed = max(0, step - starts[k]), int(wait[k])
        base, slope = worth(by_work, by_days, still, long_run, worked, missed, left)
        rows[PLANNED + k], rows[TONNES + k] = base, slope
        rows[DISCOUNT + k] = by_days[0, missed]
        rows[NEXT + k] = by_days[0, max(missed - 1, 0)]


@inlined
def quote(rows: FloatArray, k: int, whole: float, mood: float) -> tuple[float, float]:
    """Price the holding: what it is worth, or was issued at as far as that is believed.

    `rows` is of shape (n_rows * LANES,).

    Returns
    -------
    price, gearing : float
        USD, and dollars of price per dollar of the mine's worth.
    """
    unstreamed = rows[PART + k] * rows[STREAM + k] * rows[DAYS_LEFT + k]
    left, believed = rows[LEFT + k], rows[TRUST + k]
    claim = rows[SHARE + k] * whole if left < 0.0 else left
    # neither what a default left nor a mine worth nothing moves with copper
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
    counts: float,
    same_period: float,
) -> None:
    """Price the holding and split the change by source; what is left is ore, output and time.

    Parameters
    ----------
    usd, accrued, moods, halted : ndarray of shape (LANES,)
        Of the day, as `copper_usd`, `accrued`, `noise` and `halted` of `state.Drivers`.
    counts : float
        0 until the close and 1 afterwards.
    same_period : float
        0 where a period ends, else 1: a new one accrues from zero.
    """
    for k in range(LANES):
        stands = 1.0 if halted[k] > 0 else 0.0
        tonnes, mood = rows[TONNES + k], float(exponential(moods[k]))
        coming = rows[PLANNED + k] + tonnes * usd[k]
        whole = coming + accrued[k]
        whole = whole if whole > 0.0 else 0.0
        price, gearing = quote(rows, k, whole, mood)
        accrual = rows[GEARING + k] * same_period * (accrued[k] - rows[ACCRUED + k])
        by_copper = rows[GEARED_TONNES + k] * (usd[k] - rows[USD + k])
        # a new wait, over that which a day ago was thought to be left today
        late = rows[GEARED_COMING + k] * (rows[DISCOUNT + k] / rows[AHEAD + k] - 1.0)
        out = stands * (late + accrual)
        late *= 1.0 - stands
        swing = 1.0 - rows[MOOD + k] / mood
        by_mood = counts * price * swing
        change = counts * (price - rows[PRICE + k])
        rows[BY_COPPER + k] += by_copper
        rows[BY_OUTAGE + k] += out
        rows[BY_DELAY + k] += late
        rows[BY_MOOD + k] += by_mood
        rows[BY_ORE_AND_TIME + k] += change - by_copper - out - late - by_mood
        began = counts * stands * (1.0 - rows[HALTED + k])
        rows[BEGUN + k] += began if rows[PART + k] > 0.0 else 0.0
        rows[WHOLE + k], rows[SWING + k], rows[MOOD + k] = whole, swing, mood
        rows[PRICE + k], rows[GEARING + k] = price, gearing
        rows[GEARED_TONNES + k], rows[GEARED_COMING + k] = gearing * tonnes, gearing * coming
        rows[USD + k], rows[ACCRUED + k] = usd[k], accrued[k]
        rows[AHEAD + k], rows[HALTED + k] = rows[NEXT + k], stands


@inlined
def stop_paying(
    rows: FloatArray, recovery: float, default_step: StepArray, step: int, events: StepArray
) -> None:
    """Let the operators whose day it is default; what streams already goes on.

    `rows` is of shape (n_rows * LANES,), `default_step` and `events` of (LANES,).
    """
    for k in range(LANES):
        if default_step[k] != step or rows[SUPPLY + k] == 0.0:
            continue
        claim, mood = rows[SHARE + k] * rows[WHOLE + k], rows[MOOD + k]
        believed, before = rows[TRUST + k], rows[PRICE + k]
        left = recovery * claim
        # what was lost of the worth, and what only belief had added to it
        lost = mood * (1.0 - believed) * (claim - left)
        broken = mood * believed * (rows[PAR + k] - left)
        rows[LEFT + k], rows[KEPT + k], rows[TRUST + k] = left, 0.0, 0.0
        rows[PRICE + k], rows[GEARING + k] = quote(rows, k, rows[WHOLE + k], mood)
        rows[GEARED_TONNES + k] = rows[GEARED_COMING + k] = 0.0
        change = rows[PRICE + k] - before
        rows[BY_DEFAULT + k] -= lost
        rows[BY_TRUST + k] -= broken
        # `value` has split the day by the price before the default: the rest moves with it
        rows[BY_MOOD + k] += change * rows[SWING + k]
        rows[BY_ORE_AND_TIME + k] += change * (1.0 - rows[SWING + k]) + lost + broken
        events[k] += 1


@inlined
def price_issue(rows: FloatArray, holder_usd: float) -> None:
    """Book what the tokens are worth on their first day beyond what was paid for them.

    `rows` is of shape (n_rows * LANES,).
    """
    for k in range(LANES):
        if rows[SUPPLY + k] > 0.0:
            rows[BY_ISSUE + k] += rows[PRICE + k] - holder_usd


@inlined
def disbelieve(rows: FloatArray) -> None:
    """Book what a promise broken today takes from the price; `rows` of shape (n_rows * LANES,)."""
    for k in range(LANES):
        if rows[TRUST + k] < rows[TRUSTED + k] and rows[LEFT + k] < 0.0:
            above = rows[PAR + k] - rows[SHARE + k] * rows[WHOLE + k]
            broken = rows[MOOD + k] * (rows[TRUSTED + k] - rows[TRUST + k]) * above
            rows[BY_TRUST + k] -= broken
            rows[BY_ORE_AND_TIME + k] += broken


@kernel
def write(
    rows: FloatArray,
    rate: float,
    leave_gas: float,
    mark: FloatArray,
    leave: FloatArray,
    paid: FloatArray,
) -> None:
    """Write what the day is worth to the holder; leaving costs `rate` of the price, and gas.

    `mark`, `leave` and `paid` are of shape (LANES,), USD.
    """
    for k in range(LANES):
        cash = rows[CASH + k] + rows[PAID + k] - rows[SPENT + k]
        gas = leave_gas if rows[PART + k] > 0.0 else 0.0
        mark[k] = rows[PRICE + k] + cash
        leave[k] = rows[PRICE + k] * (1.0 - rate) + cash - gas
        paid[k] = rows[PAID + k]


@inlined
def sell(rows: FloatArray, rate: float, leave_gas: float) -> None:
    """Book what leaving at the last price costs, and the gas of all that was done.

    `rows` is of shape (n_rows * LANES,).
    """
    for k in range(LANES):
        gas = leave_gas if rows[PART + k] > 0.0 else 0.0
        rows[BY_ILLIQUIDITY + k] -= rows[PRICE + k] * rate
        rows[BY_GAS + k] -= rows[SPENT + k] + gas


@kernel
def copy(out: FloatArray, rows: FloatArray, first: int, sign: float) -> None:
    """Write the row that begins at `first`, times `sign`, to `out` of shape (LANES,)."""
    for k in range(LANES):
        out[k] = sign * rows[first + k]


@inlined
def next_default(default_step: StepArray, step: int) -> int:
    """Return the first step after `step` on which an operator defaults; NEVER if none.

    `default_step` is of shape (LANES,).
    """
    first = NEVER
    for k in range(LANES):
        first = min(first, default_step[k] if default_step[k] > step else NEVER)
    return first
