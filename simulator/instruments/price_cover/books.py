"""What a day leaves in the books: premiums earned, the underwriter's position, the miner's cash.

Functions work on LANES paths side by side; `own` has the rows of `rows.Own`, and is of shape
(n_rows * LANES,). What happens on every day is inlined: the loops are short, and calls would cost
a tenth of the model.
"""

from __future__ import annotations

from simulator.instruments.price_cover.rows import (
    ALL_LOCKED,
    ALL_TRIGGERED,
    ALL_UNEARNED,
    BY_CLAIMS,
    BY_GAS,
    BY_ILLIQUIDITY,
    BY_OPEN,
    BY_PREMIUMS,
    COVERED_BEFORE,
    EARNED,
    EXIT_VALUE,
    LOCKED,
    MINER_PAYOUTS,
    MINER_PREMIUMS,
    OPEN,
    PAID,
    PAYOUTS,
    POOL,
    PREMIUMS,
    RATE,
    SETTLEMENT,
    SHARE,
    SOLD,
    SOLD_BEFORE,
    TOTAL_ASSETS,
    TRIGGERED,
    UNEARNED,
    UTILISATION,
)
from simulator.instruments.price_cover.state import Drivers, Numbers
from simulator.jit import inlined, kernel
from simulator.mechanics.cover import dollars_down
from simulator.units import LANES, FloatArray

LEAST_RUN_USD = 1.0
"""Less than this nobody asks for."""


@inlined
def earn(own: FloatArray) -> None:
    """Let a day's premiums become the pool's; `own` of shape (n_rows * LANES,)."""
    for k in range(LANES):
        rate = own[RATE + k]
        own[POOL + k] += rate
        own[UNEARNED + k] -= rate
        own[EARNED + k] += rate


@inlined
def produce(own: FloatArray, usd: FloatArray, tonnes_a_day: float, aisc: float) -> None:
    """Sell the miner's copper of a day; `usd` is of shape (LANES,), USD per tonne."""
    for k in range(LANES):
        own[SOLD + k] += tonnes_a_day * (usd[k] - aisc)


@inlined
def leave_now(own: FloatArray, numbers: Numbers, k: int) -> float:
    """Return what a claim of the underwriter's whole request is worth, and no more than is free.

    `own` is of shape (n_rows * LANES,).
    """
    # who leaves while policies are triggered is paid as if all that they insure were lost
    certain = max(0.0, own[POOL + k] - own[TRIGGERED + k]) * own[SHARE + k]
    free = max(0.0, own[POOL + k] - own[LOCKED + k] / numbers.leverage)
    return float(min(certain, free))


@kernel
def leave_others(
    own: FloatArray, numbers: Numbers, step: int, drivers: Drivers, first: int, fled: FloatArray
) -> None:
    """Pay other underwriters who leave on this step, as far as no policy needs the money.

    What was earned and paid so far is counted anew, as if the share that the measured one has now
    had been his from the start; what leavers give up of triggered policies is a claim less.

    Parameters
    ----------
    own : ndarray of shape (n_rows * LANES,)
    fled : ndarray of shape (n_paths,), USD
        Written from path `first` on: what they are paid.
    """
    for k in range(LANES):
        if drivers.run_step[first + k] != step:
            continue
        leaving = drivers.run_share[first + k] * (numbers.pool_usd - numbers.holder_usd)
        shares, pool = numbers.holder_usd / own[SHARE + k], own[POOL + k]
        certain = max(0.0, pool - own[TRIGGERED + k])
        wanted, free = (
            certain * leaving / shares,
            max(0.0, pool - own[LOCKED + k] / numbers.leverage),
        )
        paid = min(wanted, free)
        if paid < LEAST_RUN_USD:
            continue
        burned = leaving if wanted <= free else free * shares / certain
        more = shares / (shares - burned)
        own[POOL + k] = pool - paid
        own[EARNED + k] /= more
        own[PAID + k] = own[PAID + k] / more - (own[POOL + k] - pool / more)
        own[SHARE + k] *= more
        fled[first + k] = paid


@kernel
def exit_at_last(
    own: FloatArray,
    numbers: Numbers,
    leave: FloatArray,
    by: FloatArray,
    unpaid: FloatArray,
    paid_out: FloatArray,
) -> None:
    """Claim at the last step; what is not paid stays at mark less the haircut.

    Who claims while a policy is triggered gives up his part of its whole sum insured; he
    waits instead.

    Parameters
    ----------
    leave, unpaid, paid_out : ndarray of shape (LANES,), USD
        Written, as in `state.Results`.
    by : ndarray of shape (5, LANES), USD
        Written: rows of `From`.
    """
    for k in range(LANES):
        share = own[SHARE + k]
        certain = share * max(0.0, own[POOL + k] - own[TRIGGERED + k])
        claims = numbers.can_claim > 0.0 and own[TRIGGERED + k] <= numbers.hardly
        worth = leave_now(own, numbers, k)
        paid = dollars_down(worth) if claims else 0.0
        paid_out[k] = paid
        left = 1.0 - worth / certain if paid > 0.0 else 1.0
        unpaid[k] = left * share * max(0.0, own[POOL + k] - own[OPEN + k])
        by[BY_PREMIUMS, k] = share * own[EARNED + k]
        by[BY_CLAIMS, k] = -share * own[PAID + k]
        # of his part of the pool, what open claims keep back
        by[BY_OPEN, k] = paid + unpaid[k] - share * own[POOL + k]
        by[BY_ILLIQUIDITY, k] = -numbers.haircut * unpaid[k]
        gas = numbers.gas_enter_usd + numbers.gas_request_usd
        gas += numbers.gas_leave_usd * numbers.gas_times[-1] if paid > 0.0 else 0.0
        by[BY_GAS, k] = -gas
        leave[k] = paid + (1.0 - numbers.haircut) * unpaid[k] - gas


@inlined
def value_underwriter(
    own: FloatArray,
    haircut: float,
    spent: float,
    leave_gas: float,
    marks: FloatArray,
    leaves: FloatArray,
) -> None:
    """Write the position at mark and at exit, `marks` and `leaves` of shape (LANES,), USD.

    `spent` is the gas so far and `leave_gas` that of leaving, USD.
    """
    for k in range(LANES):
        marks[k] = own[SHARE + k] * max(0.0, own[POOL + k] - own[OPEN + k]) - spent
    # before the cooldown is over nothing is paid out: all of it is sold at the haircut
    for k in range(LANES):
        leaves[k] = marks[k] - haircut * (marks[k] + spent) - leave_gas


@inlined
def split(
    own: FloatArray,
    numbers: Numbers,
    spent: float,
    marks: FloatArray,
    gains: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write the underwriter's gains so far by source, without the costs of leaving.

    Parameters
    ----------
    marks : ndarray of shape (LANES,), USD
        Of `value_underwriter`.
    gains : ndarray of shape (5, n_steps + 1, n_paths), USD
        Written on `step` from path `first` on: rows of `From`.
    """
    for k in range(LANES):
        earned, paid = own[SHARE + k] * own[EARNED + k], own[SHARE + k] * own[PAID + k]
        gains[BY_PREMIUMS, step, first + k] = earned
        gains[BY_CLAIMS, step, first + k] = -paid
        before_claims = numbers.holder_usd + earned - paid
        gains[BY_OPEN, step, first + k] = marks[k] + spent - before_claims
        gains[BY_ILLIQUIDITY, step, first + k] = 0.0
        gains[BY_GAS, step, first + k] = -spent


@inlined
def value_miner(own: FloatArray, cash_usd: float, bare: FloatArray, covered: FloatArray) -> None:
    """Write the miner's cash without and with cover, of shape (LANES,) each, USD."""
    for k in range(LANES):
        bare[k] = cash_usd + own[SOLD + k]
    for k in range(LANES):
        covered[k] = bare[k] + own[PAYOUTS + k] - own[PREMIUMS + k]


@inlined
def end_period(own: FloatArray, covered: FloatArray, bare: FloatArray) -> None:
    """Write the miner's cash flow of a period with and without cover, USD.

    `own` is of shape (n_rows * LANES,), `covered` and `bare` of (LANES,).
    """
    for k in range(LANES):
        net = own[SOLD + k] + own[PAYOUTS + k] - own[PREMIUMS + k]
        covered[k] = net - own[COVERED_BEFORE + k]
        bare[k] = own[SOLD + k] - own[SOLD_BEFORE + k]
        own[COVERED_BEFORE + k], own[SOLD_BEFORE + k] = net, own[SOLD + k]


@inlined
def use(own: FloatArray, leverage: float, utilisation: FloatArray) -> None:
    """Write sums insured over capacity, of shape (LANES,)."""
    for k in range(LANES):
        # a pool that claims have emptied has no capacity, and is no reason to divide by zero
        utilisation[k] = own[LOCKED + k] / max(own[POOL + k] * leverage, 1e-6)


@kernel
def observe(
    own: FloatArray, numbers: Numbers, price: FloatArray, seen: FloatArray, first: int
) -> None:
    """Write down what the replay compares.

    Parameters
    ----------
    price : ndarray of shape (LANES,), USD per tonne
        The latest settlement.
    seen : ndarray of shape (n_paths, 9)
        Written from path `first` on: columns of `Observed`.
    """
    for k in range(LANES):
        row = seen[first + k]
        row[TOTAL_ASSETS], row[ALL_LOCKED] = own[POOL + k], own[LOCKED + k]
        row[ALL_UNEARNED], row[ALL_TRIGGERED] = own[UNEARNED + k], own[TRIGGERED + k]
        capacity = own[POOL + k] * numbers.leverage
        row[UTILISATION] = own[LOCKED + k] / capacity if capacity > 0.0 else 0.0
        row[EXIT_VALUE], row[SETTLEMENT] = leave_now(own, numbers, k), price[k]
        row[MINER_PREMIUMS], row[MINER_PAYOUTS] = own[PREMIUMS + k], own[PAYOUTS + k]
