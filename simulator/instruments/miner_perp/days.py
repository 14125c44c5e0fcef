"""What every day costs: who is near liquidation, stops, and what everybody's position is worth.

`state`, of shape (n_rows * LANES,), is that of `rows`; `k` says which eight paths of those from
`first` on, and `i` is the account's place and `k`.
"""

from __future__ import annotations

from simulator.instruments.miner_perp.market import (
    accrue,
    funding_open,
    get_gains,
    is_above,
    pool_worth,
    shares_paid,
)
from simulator.instruments.miner_perp.rows import (
    BAD,
    BY_CUT,
    BY_FEES,
    BY_FUNDING,
    BY_GAS,
    BY_LIQUIDATION,
    BY_PRICE,
    CASH,
    COST,
    CUT,
    EARNED_FEES,
    EARNED_FUNDING,
    HIS_CUT,
    HIS_FEES,
    HIS_FUNDING,
    HIS_LIQUIDATION,
    IN_BAD,
    IN_CUT,
    IN_INSURANCE,
    IN_LIQUIDATED,
    IN_LONG,
    IN_RATE,
    IN_SHORT,
    INSURANCE,
    LIQUIDATED,
    LONG,
    LOST,
    MARGIN,
    OF_BAD_DEBT,
    OF_FEES,
    OF_FUNDING,
    OF_GAS,
    OF_ILLIQUIDITY,
    OF_TRADERS,
    POOL,
    RATE,
    SHARE,
    SHORT,
    SIZE,
    STOP,
    TOUCHED,
    at,
    place_of,
    write,
)
from simulator.instruments.miner_perp.state import Accounts, Numbers
from simulator.instruments.miner_perp.trades import owed_funding
from simulator.jit import inlined, kernel
from simulator.mechanics.vectors import (
    WIDTH,
    Mask,
    Vector,
    chosen,
    get,
    get_mask,
    has_any,
    least,
    magnitude,
    most,
    put,
    spread,
)
from simulator.units import DEAD_BAND, LANES, BoolArray, FloatArray


@inlined
def accrue_all(
    numbers: Numbers, state: FloatArray, prices: FloatArray, step: int, first: int
) -> None:
    """Book a day's funding.

    `state` is of shape (n_rows * LANES,), `prices` of (n_steps + 1, n_paths).
    """
    for k in range(0, LANES, WIDTH):
        accrue(numbers, state, k, get(prices, (step - 1, first + k)))


@inlined
def paid_worth(state: FloatArray, k: int, i: int, price: Vector, paid: Vector) -> Vector:
    """Return margin and gain, less funding, where a side's profits are `paid` in part.

    `state` is of shape (n_rows * LANES,).
    """
    gain = at(state, i + SIZE) * price - at(state, i + COST)
    return at(state, i + MARGIN) + least(gain, gain * paid) - owed_funding(state, k, i)


@inlined
def is_near(
    numbers: Numbers, state: FloatArray, k: int, i: int, price: Vector, paid: Vector
) -> Mask:
    """Return where a position may be due for liquidation.

    `state` is of shape (n_rows * LANES,); `paid` is the share of its profit that its side is paid.
    """
    size = at(state, i + SIZE)
    kept = magnitude(size) * price * numbers.maintenance
    return (paid_worth(state, k, i, price, paid) <= kept) & (size != 0.0)


@inlined
def find_closings(
    numbers: Numbers,
    sides: FloatArray,
    state: FloatArray,
    prices: FloatArray,
    rounds: BoolArray,
    due: BoolArray,
    step: int,
    first: int,
) -> bool:
    """Return whether anybody may have to be liquidated, stopped or reduced, and note where.

    `sides` is of shape (n_accounts,), `state` of (n_rows * LANES,), `prices` and `rounds` of
    (n_steps + 1, n_paths), `due`, which is written, of (LANES // WIDTH,).
    """
    any_due = False
    for number in range(LANES // WIDTH):
        k = number * WIDTH
        price = get(prices, (step, first + k))
        gains = get_gains(state, k, price, numbers.max_profit)
        longs, shorts = shares_paid(gains)
        found = is_above(gains, at(state, POOL + k) * numbers.adl_trigger)
        for account in range(sides.shape[0]):
            i = place_of(account) + k
            paid = longs if sides[account] > 0.0 else shorts
            found = found | is_near(numbers, state, k, i, price, paid)
            found = found | (at(state, i + TOUCHED) != 0.0)
        due[number] = has_any(found & get_mask(rounds, (step, first + k)))
        any_due = any_due or due[number]
    return any_due


@inlined
def touch_all(
    cast: Accounts,
    state: FloatArray,
    prices: FloatArray,
    rounds: BoolArray,
    step: int,
    first: int,
) -> None:
    """Note where a round has touched a stop.

    `state` is of shape (n_rows * LANES,), `prices` and `rounds` of (n_steps + 1, n_paths).
    """
    for trader in range(cast.stops.shape[0]):
        if cast.stops[trader] == 0.0:
            continue
        for k in range(0, LANES, WIDTH):
            i = place_of(cast.n_cohorts + trader) + k
            price, has_round = get(prices, (step, first + k)), get_mask(rounds, (step, first + k))
            level, size = at(state, i + STOP), at(state, i + SIZE)
            # beyond the level by a hair
            falls = (size > 0.0) & (price * (1.0 + DEAD_BAND) <= level)
            rises = (size < 0.0) & (price * (1.0 - DEAD_BAND) >= level)
            hit = (falls | rises) & (level > 0.0) & has_round
            before = at(state, i + TOUCHED)
            touched = chosen(hit & (before == 0.0), float(step), before)
            write(state, i + TOUCHED, touched)


@inlined
def value_traders(
    numbers: Numbers,
    cast: Accounts,
    state: FloatArray,
    prices: FloatArray,
    marks: FloatArray,
    leaves: FloatArray,
    notionals: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write every measured trader's position at mark and at exit, and its notional, USD.

    `state` is of shape (n_rows * LANES,), `prices` of (n_steps + 1, n_paths), and `marks`,
    `leaves` and `notionals` of (n_traders, n_steps + 1, n_paths).
    """
    spent, leave_gas = numbers.gas_enter, numbers.gas_leave * numbers.gas_times[step]
    for k in range(0, LANES, WIDTH):
        price = get(prices, (step, first + k))
        longs, shorts = shares_paid(get_gains(state, k, price, numbers.max_profit))
        for trader in range(marks.shape[0]):
            i = place_of(cast.n_cohorts + trader) + k
            paid = longs if cast.sides[cast.n_cohorts + trader] > 0.0 else shorts
            notional = magnitude(at(state, i + SIZE)) * price
            mark = most(0.0, paid_worth(state, k, i, price, paid))
            fee = chosen(notional > 0.0, numbers.keeper_fee, 0.0)
            leave = most(0.0, mark - notional * numbers.taker - fee)
            cash = at(state, i + CASH)
            put(notionals, (trader, step, first + k), notional)
            put(leaves, (trader, step, first + k), leave + (cash - spent - leave_gas))
            put(marks, (trader, step, first + k), mark + (cash - spent))


@kernel
def split_traders(
    numbers: Numbers,
    cast: Accounts,
    state: FloatArray,
    prices: FloatArray,
    marks: FloatArray,
    gains: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write the traders' gains so far by source; what no other source has is the index's.

    `state`, `prices` and `marks` as of `value_traders`; `gains` is of shape
    (n_traders, 6, n_steps + 1, n_paths).
    """
    spent = numbers.gas_enter
    for k in range(0, LANES, WIDTH):
        price, path = get(prices, (step, first + k)), first + k
        longs, shorts = shares_paid(get_gains(state, k, price, numbers.max_profit))
        for t in range(gains.shape[0]):
            i = place_of(cast.n_cohorts + t) + k
            paid = longs if cast.sides[cast.n_cohorts + t] > 0.0 else shorts
            gain = at(state, i + SIZE) * price - at(state, i + COST)
            funding = at(state, i + HIS_FUNDING) - owed_funding(state, k, i)
            fees, lost = at(state, i + HIS_FEES), at(state, i + HIS_LIQUIDATION)
            cut = at(state, i + HIS_CUT) - most(gain, 0.0) * (1.0 - paid)
            others = funding + fees + lost + cut
            put(gains, (t, BY_FUNDING, step, path), funding)
            put(gains, (t, BY_FEES, step, path), fees)
            put(gains, (t, BY_LIQUIDATION, step, path), lost)
            put(gains, (t, BY_CUT, step, path), cut)
            put(gains, (t, BY_GAS, step, path), spread(-spent))
            start, mark = cast.margins[cast.n_cohorts + t], get(marks, (t, step, path))
            put(gains, (t, BY_PRICE, step, path), mark + spent - start - others)


@inlined
def value_pool(
    numbers: Numbers,
    state: FloatArray,
    prices: FloatArray,
    mark: FloatArray,
    leave: FloatArray,
    spent: float,
    step: int,
    first: int,
) -> None:
    """Write the measured provider's day, up to the last round.

    `state` is of shape (n_rows * LANES,), `prices`, `mark` and `leave` of (n_steps + 1, n_paths);
    `spent` is his gas so far.
    """
    for k in range(0, LANES, WIDTH):
        worth = at(state, SHARE + k) * pool_worth(numbers, state, k, get(prices, (step, first + k)))
        write_provider(numbers, worth, mark, leave, spent, step, first + k)


@inlined
def write_provider(
    numbers: Numbers,
    worth: Vector,
    mark: FloatArray,
    leave: FloatArray,
    spent: float,
    step: int,
    path: int,
) -> None:
    """Write a provider's day; `mark` and `leave` are of shape (n_steps + 1, n_paths)."""
    claim_gas = numbers.gas_claim * numbers.gas_times[step]
    put(leave, (step, path), worth * (1.0 - numbers.haircut) - spent - claim_gas)
    put(mark, (step, path), worth - spent)


@kernel
def split_pool(
    numbers: Numbers,
    state: FloatArray,
    mark: FloatArray,
    gains: FloatArray,
    spent: float,
    step: int,
    first: int,
) -> None:
    """Write a provider's gains so far by source; what no other source has traders lost.

    `state` is of shape (n_rows * LANES,), `mark` of (n_steps + 1, n_paths), `gains` of
    (6, n_steps + 1, n_paths); `spent` is his gas so far, USD.
    """
    for k in range(0, LANES, WIDTH):
        path, share = first + k, at(state, SHARE + k)
        funding = share * (at(state, EARNED_FUNDING + k) + funding_open(state, k))
        fees, lost = share * at(state, EARNED_FEES + k), share * at(state, LOST + k)
        put(gains, (OF_FUNDING, step, path), funding)
        put(gains, (OF_FEES, step, path), fees)
        put(gains, (OF_BAD_DEBT, step, path), lost)
        put(gains, (OF_ILLIQUIDITY, step, path), spread(0.0))
        put(gains, (OF_GAS, step, path), spread(-spent))
        rest = get(mark, (step, path)) + spent - numbers.holder - funding - fees - lost
        put(gains, (OF_TRADERS, step, path), rest)


@inlined
def tell(state: FloatArray, prices: FloatArray, series: FloatArray, step: int, first: int) -> None:
    """Write the market's series of a day.

    `state` is of shape (n_rows * LANES,), `prices` of (n_steps + 1, n_paths), `series` of
    (7, n_steps + 1, n_paths).
    """
    for k in range(0, LANES, WIDTH):
        price, path = get(prices, (step, first + k)), first + k
        put(series, (IN_LONG, step, path), at(state, LONG + k) * price)
        put(series, (IN_SHORT, step, path), at(state, SHORT + k) * price)
        put(series, (IN_RATE, step, path), at(state, RATE + k))
        put(series, (IN_INSURANCE, step, path), at(state, INSURANCE + k))
        put(series, (IN_BAD, step, path), at(state, BAD + k))
        put(series, (IN_CUT, step, path), at(state, CUT + k))
        put(series, (IN_LIQUIDATED, step, path), at(state, LIQUIDATED + k))
