"""How the run ends: the provider claims at the last round, and everybody's accounts are closed.

`state`, of shape (n_rows * LANES,), is that of `rows`; functions go through the LANES paths from
`first` on.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.miner_perp.days import write_provider
from simulator.instruments.miner_perp.market import funding_open, get_gains, pool_worth
from simulator.instruments.miner_perp.rows import (
    BY_CUT,
    BY_FEES,
    BY_FUNDING,
    BY_GAS,
    BY_LIQUIDATION,
    BY_PRICE,
    CASH,
    EARNED_FEES,
    EARNED_FUNDING,
    FATE_LIQUIDATED,
    FATE_SLIP,
    FATE_STOPPED,
    HIS_CUT,
    HIS_FEES,
    HIS_FUNDING,
    HIS_LIQUIDATION,
    LIQUIDATED_ON,
    LONG,
    LOST,
    OF_BAD_DEBT,
    OF_FEES,
    OF_FUNDING,
    OF_GAS,
    OF_ILLIQUIDITY,
    OF_TRADERS,
    POOL,
    SHARE,
    SHORT,
    SLIPPED,
    STOPPED_ON,
    WAS_CUT,
    WAS_LIQUIDATED,
    WAS_STOPPED,
    at,
    place_of,
    write,
)
from simulator.instruments.miner_perp.state import Accounts, Drivers, Numbers, Results
from simulator.jit import inlined, kernel
from simulator.mechanics.vectors import (
    WIDTH,
    Vector,
    chosen,
    get,
    get_mask,
    least,
    most,
    put,
    spread,
)
from simulator.units import LANES, FloatArray

LEAST = 1e-6
"""USD, the least unit."""
LEAST_RUN_USD = 1.0
"""Less than this nobody asks for."""


@kernel
def claim(
    numbers: Numbers,
    drivers: Drivers,
    results: Results,
    state: FloatArray,
    step: int,
    first: int,
) -> None:
    """Pay the measured provider what he asked for, as far as open interest and profits allow.

    Nothing of his changes afterwards, so it is split by source here. `state` is of shape
    (n_rows * LANES,).
    """
    for k in range(0, LANES, WIDTH):
        path, pool = first + k, at(state, POOL + k)
        price = get(drivers.prices, (step, path))
        mark = at(state, SHARE + k) * pool_worth(numbers, state, k, price)
        paid = spread(0.0)
        if numbers.can_claim > 0.0:
            comes = get_mask(drivers.rounds, (step, path))
            paid = chosen(comes, least(mark, free(numbers, state, k, price)), 0.0)
        put(results.pool_paid, (path,), paid)
        put(results.pool_unpaid, (path,), mark - paid)
        split_claim(numbers, results.pool_attribution, state, k, path, paid, mark - paid)
        write(state, POOL + k, pool - paid)


@inlined
def free(numbers: Numbers, state: FloatArray, k: int, price: Vector) -> Vector:
    """Return what of the pool neither open interest needs nor profits.

    `state` is of shape (n_rows * LANES,).
    """
    gains = get_gains(state, k, price, numbers.max_profit)
    needed = most(0.0, most(gains.longs, gains.shorts)) / numbers.max_profit
    if numbers.max_open_interest > 0.0:
        largest = most(at(state, LONG + k), at(state, SHORT + k)) * price
        needed = most(needed, largest / numbers.max_open_interest)
    return most(0.0, at(state, POOL + k) - needed)


@kernel
def leave_others(
    numbers: Numbers,
    drivers: Drivers,
    results: Results,
    state: FloatArray,
    step: int,
    first: int,
) -> None:
    """Pay other providers who leave on this step, as far as that of the pool is free.

    What was earned and lost so far is counted anew, as if the part that the measured one has now
    had been his from the start: it stays what it is for him. `state` is of shape
    (n_rows * LANES,).
    """
    for k in range(0, LANES, WIDTH):
        path = first + k
        going, shares = np.zeros(WIDTH), at(state, SHARE + k)
        for lane in range(WIDTH):
            if drivers.run_step[path + lane] == step:
                going[lane] = drivers.run_share[path + lane]
        price = get(drivers.prices, (step, path))
        worth = pool_worth(numbers, state, k, price)
        wanted = get(going, (0,)) * (1.0 - shares) * worth
        paid = least(wanted, free(numbers, state, k, price))
        pays = paid > LEAST_RUN_USD
        paid = chosen(pays, paid, 0.0)
        stays = chosen(pays, 1.0 - paid / worth, 1.0)
        put(results.fled, (path,), get(results.fled, (path,)) + paid)
        write(state, POOL + k, at(state, POOL + k) - paid)
        write(state, SHARE + k, shares / stays)
        owed = funding_open(state, k)
        funding = (at(state, EARNED_FUNDING + k) + owed) * stays - owed
        write(state, EARNED_FUNDING + k, chosen(pays, funding, at(state, EARNED_FUNDING + k)))
        write(state, EARNED_FEES + k, at(state, EARNED_FEES + k) * stays)
        write(state, LOST + k, at(state, LOST + k) * stays)


@inlined
def split_claim(
    numbers: Numbers,
    by: FloatArray,
    state: FloatArray,
    k: int,
    path: int,
    paid: Vector,
    unpaid: Vector,
) -> None:
    """Write by source what a provider is paid and what he is not.

    `by` is of shape (6, n_paths), written from `path` on, `state` of (n_rows * LANES,).
    """
    share = at(state, SHARE + k)
    funding = at(state, EARNED_FUNDING + k) + funding_open(state, k)
    fees, lost = at(state, EARNED_FEES + k), at(state, LOST + k)
    put(by, (OF_FUNDING, path), share * funding)
    put(by, (OF_FEES, path), share * fees)
    put(by, (OF_BAD_DEBT, path), share * lost)
    put(by, (OF_ILLIQUIDITY, path), -numbers.haircut * unpaid)
    put(by, (OF_GAS, path), 0.0 - provider_gas(numbers, paid))
    rest = paid + unpaid - numbers.holder
    put(by, (OF_TRADERS, path), rest - share * (funding + fees + lost))


@inlined
def provider_gas(numbers: Numbers, paid: Vector) -> Vector:
    """Return a provider's gas of all his acts, USD; who is paid nothing claims nothing."""
    gas = numbers.gas_provide + numbers.gas_request
    return gas + chosen(paid > 0.0, numbers.gas_claim * numbers.gas_times[-1], 0.0)


@inlined
def value_claim(
    numbers: Numbers, results: Results, spent: float, step: int, last: int, first: int
) -> None:
    """Write the provider's day from the last round on: nothing of his changes after it."""
    gains = results.pool_gains
    for path in range(first, first + LANES, WIDTH):
        worth = get(results.pool_paid, (path,)) + get(results.pool_unpaid, (path,))
        write_provider(numbers, worth, results.pool_mark, results.pool_leave, spent, step, path)
        for source in range(gains.shape[0] if step > last and gains.shape[1] > 0 else 0):
            put(gains, (source, step, path), get(gains, (source, step - 1, path)))


@kernel
def finish_pool(numbers: Numbers, results: Results, first: int) -> None:
    """Let the measured provider leave: what is not paid is worth less than its mark."""
    last = results.pool_leave.shape[0] - 1
    for path in range(first, first + LANES, WIDTH):
        paid, unpaid = get(results.pool_paid, (path,)), get(results.pool_unpaid, (path,))
        left = paid + (1.0 - numbers.haircut) * unpaid
        put(results.pool_leave, (last, path), left - provider_gas(numbers, paid))


@kernel
def finish_trader(
    numbers: Numbers, cast: Accounts, results: Results, state: FloatArray, trader: int, first: int
) -> None:
    """Let a measured trader leave: what is not paid out by now stays at mark.

    `state` is of shape (n_rows * LANES,). The last day of `gains` is written, so that what it
    lacks of the return are the costs of leaving.
    """
    start, last = cast.margins[cast.n_cohorts + trader], results.marks.shape[1] - 1
    by = results.attribution
    for k in range(0, LANES, WIDTH):
        path, i = first + k, place_of(cast.n_cohorts + trader) + k
        cash = at(state, i + CASH)
        mark = get(results.marks, (trader, last, path)) + numbers.gas_enter
        gas = numbers.gas_enter + chosen(cash > 0.0, numbers.gas_leave * numbers.gas_times[-1], 0.0)
        put(results.leaves, (trader, last, path), mark - gas)
        put(results.unpaid, (trader, path), most(0.0, mark - cash))
        # his position is closed but where it could not be: that is the index's affair
        funding, fees = at(state, i + HIS_FUNDING), at(state, i + HIS_FEES)
        lost, cut = at(state, i + HIS_LIQUIDATION), at(state, i + HIS_CUT)
        put(by, (trader, BY_FUNDING, path), funding)
        put(by, (trader, BY_FEES, path), fees)
        put(by, (trader, BY_LIQUIDATION, path), lost)
        put(by, (trader, BY_CUT, path), cut)
        put(by, (trader, BY_GAS, path), 0.0 - gas)
        others = funding + fees + (lost + cut)
        put(by, (trader, BY_PRICE, path), mark - start - others)


@kernel
def tell_fates(
    cast: Accounts, results: Results, state: FloatArray, trader: int, first: int
) -> None:
    """Write what befell a measured trader.

    `state` is of shape (n_rows * LANES,).
    """
    place, fates, befell = place_of(cast.n_cohorts + trader), results.fates, results.befell
    for k in range(LANES):
        path = first + k
        stopped, liquidated = state[place + STOPPED_ON + k], state[place + LIQUIDATED_ON + k]
        fates[trader, FATE_STOPPED, path] = stopped
        fates[trader, FATE_LIQUIDATED, path] = liquidated
        fates[trader, FATE_SLIP, path] = state[place + SLIPPED + k]
        befell[trader, WAS_STOPPED, path] = stopped > 0.0
        befell[trader, WAS_LIQUIDATED, path] = liquidated > 0.0
        befell[trader, WAS_CUT, path] = state[place + HIS_CUT + k] < -LEAST
