"""What happens to one account on one path: trades, fills, stops, liquidations, reductions.

Everything here is rare beside the days on which nothing happens. `own`, with the rows of
`rows.Own`, and `one`, an account with those of `rows.Account`, are of shape (n_rows * LANES,);
`k` is the path among LANES. Prices are those of the index. Functions mirror those of the
contract of the same name.
"""

from __future__ import annotations

from simulator.instruments.miner_perp.rows import (
    BAD,
    BASIS,
    CASH,
    CLOSES,
    COST,
    CUT,
    EARNED_FEES,
    EARNED_FUNDING,
    FEES,
    FUNDING,
    HIS_CUT,
    HIS_FEES,
    HIS_FUNDING,
    HIS_LIQUIDATION,
    INSURANCE,
    LIQUIDATED,
    LONG,
    LONG_COST,
    LOST,
    MARGIN,
    MARGINS,
    POOL,
    SETTLED,
    SHORT,
    SHORT_COST,
    SIZE,
    STOP,
    TOUCHED,
    WAITS,
)
from simulator.instruments.miner_perp.state import Numbers
from simulator.jit import inlined, kernel
from simulator.mechanics.perp import fee, payable, size_down, to_reduce
from simulator.units import DEAD_BAND, FloatArray


@inlined
def side_gain(own: FloatArray, k: int, is_long: bool, price: float) -> float:
    """Return what a side has gained and not taken; `own` of shape (n_rows * LANES,)."""
    if is_long:
        return float(own[LONG + k] * price - own[LONG_COST + k])
    return float(own[SHORT_COST + k] - own[SHORT + k] * price)


@inlined
def equity(own: FloatArray, one: FloatArray, k: int, price: float, max_profit: float) -> float:
    """Return margin and gain as it would be paid, less funding.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    size = one[SIZE + k]
    gain = size * price - one[COST + k]
    side = side_gain(own, k, size > 0.0, price)
    paid = payable(gain, side, own[POOL + k] * max_profit)
    return float(one[MARGIN + k] + paid - size * (own[FUNDING + k] - one[SETTLED + k]))


@inlined
def take(own: FloatArray, one: FloatArray, k: int, usd: float) -> float:
    """Take dollars from a margin, or all of it; return what was there.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    taken: float = min(usd, one[MARGIN + k])
    one[MARGIN + k] -= taken
    own[MARGINS + k] -= taken
    return taken


@inlined
def draw(own: FloatArray, k: int, usd: float) -> None:
    """Take dollars from the insurance fund, and what that lacks from the pool.

    `own` is of shape (n_rows * LANES,).
    """
    insured = min(usd, own[INSURANCE + k])
    own[INSURANCE + k] -= insured
    rest = min(usd - insured, own[POOL + k])
    own[POOL + k] -= rest
    own[LOST + k] -= rest


@inlined
def settle(own: FloatArray, one: FloatArray, k: int, usd: float) -> float:
    """Pay a trader from the pool, or the pool from his margin; return what nobody paid.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    if usd >= 0.0:
        got = min(usd, own[POOL + k])
        own[POOL + k] -= got
        own[MARGINS + k] += got
        one[MARGIN + k] += got
        one[HIS_CUT + k] -= usd - got
        return 0.0
    paid = take(own, one, k, -usd)
    covered = min(-usd - paid, own[INSURANCE + k])
    own[INSURANCE + k] -= covered
    own[POOL + k] += paid + covered
    return float(-usd - paid - covered)


@kernel
def trade(
    numbers: Numbers,
    own: FloatArray,
    one: FloatArray,
    k: int,
    delta: float,
    price: float,
    charge: float,
) -> float:
    """Change a position and take the `charge`; return the debt that the pool bears.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    size, cost = one[SIZE + k], one[COST + k]
    closed = 0.0
    if size > 0.0 and delta < 0.0:
        closed = min(size, -delta)
    elif size < 0.0 and delta > 0.0:
        closed = max(size, -delta)
    opened = delta + closed
    part = cost if closed == size else cost * (closed / size)
    gain = closed * price - part
    paid = payable(gain, side_gain(own, k, size > 0.0, price), own[POOL + k] * numbers.max_profit)
    owed = size * (own[FUNDING + k] - one[SETTLED + k])
    if size > 0.0:
        own[LONG + k] -= closed
        own[LONG_COST + k] -= part
    else:
        own[SHORT + k] += closed
        own[SHORT_COST + k] += part
    if opened > 0.0:
        own[LONG + k] += opened
        own[LONG_COST + k] += opened * price
    else:
        own[SHORT + k] -= opened
        own[SHORT_COST + k] -= opened * price
    own[BASIS + k] += (size + delta) * own[FUNDING + k] - size * one[SETTLED + k]
    one[SIZE + k] = size + delta
    one[COST + k] = cost + opened * price - part
    one[SETTLED + k] = own[FUNDING + k]
    one[HIS_FUNDING + k] -= owed
    one[HIS_CUT + k] -= gain - paid
    own[CUT + k] += gain - paid
    own[EARNED_FUNDING + k] += owed
    debt = settle(own, one, k, paid - owed)
    own[BAD + k] += debt
    own[LOST + k] -= debt
    share_out(numbers, own, one, k, charge)
    if one[SIZE + k] == 0.0:
        one[STOP + k] = 0.0
        one[TOUCHED + k] = 0.0
    return debt


@inlined
def share_out(numbers: Numbers, own: FloatArray, one: FloatArray, k: int, charge: float) -> None:
    """Take a fee from a margin and give it to the fund, the protocol and the pool.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    paid = take(own, one, k, charge)
    insured, collected = paid * numbers.insured, paid * numbers.collected
    own[INSURANCE + k] += insured
    own[FEES + k] += collected
    own[POOL + k] += paid - insured - collected
    own[EARNED_FEES + k] += paid - insured - collected
    one[HIS_FEES + k] -= paid


@inlined
def charge_of(numbers: Numbers, own: FloatArray, k: int, delta: float, price: float) -> float:
    """Return the fee of a trade; `own` is of shape (n_rows * LANES,)."""
    skew = own[LONG + k] - own[SHORT + k]
    return float(fee(delta, skew, price, numbers.maker, numbers.taker))


@inlined
def fits(
    numbers: Numbers,
    own: FloatArray,
    one: FloatArray,
    k: int,
    delta: float,
    price: float,
) -> bool:
    """Return whether a trade may make of a position what it would.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    size = one[SIZE + k]
    after = size + delta
    if after == 0.0:
        return True
    if abs(after) * price < numbers.min_notional:
        return False
    worth = equity(own, one, k, price, numbers.max_profit)
    same = (after > 0.0) == (size > 0.0)
    if abs(after) <= abs(size) and same:
        return bool(worth > abs(size) * price * numbers.maintenance)
    side = own[LONG + k] if after > 0.0 else own[SHORT + k]
    grows = abs(delta) if same else abs(after)
    if (side + grows) * price > own[POOL + k] * numbers.max_open_interest:
        return False
    left = worth - charge_of(numbers, own, k, delta, price)
    return bool(left >= abs(after) * price * numbers.initial)


@kernel
def fill(numbers: Numbers, own: FloatArray, one: FloatArray, k: int, price: float) -> bool:
    """Fill the order that waits, or drop it; return whether it was filled.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    closes, delta = one[CLOSES + k] > 0.0, one[WAITS + k]
    one[WAITS + k] = 0.0
    one[CLOSES + k] = 0.0
    one[HIS_FEES + k] -= take(own, one, k, numbers.keeper_fee)
    if closes:
        delta = -one[SIZE + k]
    if delta == 0.0 or not fits(numbers, own, one, k, delta, price):
        return False
    trade(numbers, own, one, k, delta, price, charge_of(numbers, own, k, delta, price))
    return True


@kernel
def stop(numbers: Numbers, own: FloatArray, one: FloatArray, k: int, price: float) -> float:
    """Close a position whose stop was touched; return how far beyond its level, over it.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    size, level = one[SIZE + k], one[STOP + k]
    one[HIS_FEES + k] -= take(own, one, k, numbers.keeper_fee)
    trade(numbers, own, one, k, -size, price, charge_of(numbers, own, k, -size, price))
    beyond = level - price if size > 0.0 else price - level
    return float(beyond / level)


@kernel
def liquidate(numbers: Numbers, own: FloatArray, one: FloatArray, k: int, price: float) -> bool:
    """Liquidate a position whose equity is at or below its maintenance margin; say whether.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    size = one[SIZE + k]
    notional = abs(size) * price
    kept = notional * numbers.maintenance * (1.0 - DEAD_BAND)
    if size == 0.0 or equity(own, one, k, price, numbers.max_profit) > kept:
        return False
    one[WAITS + k] = 0.0
    one[CLOSES + k] = 0.0
    trade(numbers, own, one, k, -size, price, 0.0)
    reward = take(own, one, k, numbers.keeper_fee)
    penalty = take(own, one, k, notional * numbers.penalty)
    own[INSURANCE + k] += penalty
    draw(own, k, numbers.keeper_fee - reward)
    one[HIS_LIQUIDATION + k] -= reward + penalty
    own[LIQUIDATED + k] += notional
    return True


@kernel
def reduce(numbers: Numbers, own: FloatArray, one: FloatArray, k: int, price: float) -> float:
    """Reduce a winner so far that his side's profit is at the target; return the size closed.

    `own` and `one` are of shape (n_rows * LANES,).
    """
    size = one[SIZE + k]
    gain = size * price - one[COST + k]
    side = side_gain(own, k, size > 0.0, price)
    pool = own[POOL + k]
    # above the trigger by a hair the contract may see it otherwise
    if size == 0.0 or gain <= 0.0 or side <= pool * numbers.adl_trigger * (1.0 + DEAD_BAND):
        return 0.0
    owed = size * (own[FUNDING + k] - one[SETTLED + k])
    most = pool * numbers.max_profit
    wanted = to_reduce(side, pool, owed, most, numbers.adl_target) * (1.0 - DEAD_BAND)
    # no more than what is paid of it can be: what is beyond would be cut twice
    share = min(1.0, min(wanted, most / min(1.0, most / side)) / gain)
    closed = size_down(abs(size) * share)
    if closed <= 0.0:
        return 0.0
    trade(numbers, own, one, k, -closed if size > 0.0 else closed, price, 0.0)
    return float(closed)


@inlined
def withdraw(own: FloatArray, one: FloatArray, k: int) -> None:
    """Pay out all of a margin; `own` and `one` are of shape (n_rows * LANES,)."""
    one[CASH + k] += take(own, one, k, one[MARGIN + k])
