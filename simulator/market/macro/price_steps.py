"""A trading day of an asset on LANES paths: channels land, pulls act, the price moves."""

from __future__ import annotations

import numpy as np

from simulator.jit import inlined, kernel
from simulator.market.draws import GROUP, ROWS, Float32Array, IntArray
from simulator.market.elementary import exponential
from simulator.market.macro.names import CHANGES, CHANNELS, N_DRIVERS, N_STATES
from simulator.units import LANES, FloatArray

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_N_LINEAR = len(CHANNELS)


@inlined
def land(driver: FloatArray, landed: FloatArray, news: FloatArray, kind: int) -> None:
    """Write what the drivers gained since a calendar's last trading day.

    `driver` is of shape (N_DRIVERS, LANES), `landed` and `news` are of shape (n_calendars,
    N_DRIVERS, LANES).
    """
    for number in range(N_DRIVERS):
        now = driver[number]
        before = landed[kind, number]
        since = news[kind, number]
        for lane in range(LANES):
            since[lane] = now[lane] - before[lane]
            before[lane] = now[lane]


@inlined
def pull_ratio(
    pull: FloatArray,
    total: FloatArray,
    log_price: FloatArray,
    pulled: IntArray,
    weight: float,
    log_equilibrium: float,
) -> None:
    """Write what the ratio of gold to silver pulls silver by, from the prices before.

    Parameters
    ----------
    pull, total : ndarray of shape (LANES,)
    log_price : ndarray of shape (n_assets, LANES)
    pulled : ndarray of shape (3,), int64
    """
    gold = log_price[pulled[0]]
    silver = log_price[pulled[1]]
    for lane in range(LANES):
        pull[lane] = weight * (gold[lane] - silver[lane] - log_equilibrium)
    for lane in range(LANES):
        total[lane] += pull[lane]


@inlined
def collect(
    drifts: FloatArray,
    news: FloatArray,
    kind: int,
    loadings: FloatArray,
    asset: int,
    drift: float,
) -> None:
    """Write an asset's drift: what all paths share, and loading times news.

    Parameters
    ----------
    drifts : ndarray of shape (LANES,)
    news : ndarray of shape (n_calendars, N_DRIVERS, LANES)
    loadings : ndarray of shape (n_assets, N_DRIVERS)
    """
    for lane in range(LANES):
        drifts[lane] = drift
    for number in range(N_DRIVERS):
        loading = loadings[asset, number]
        if loading != 0.0:
            row = news[kind, number]
            for lane in range(LANES):
                drifts[lane] += loading * row[lane]


@inlined
def add(drifts: FloatArray, pull: FloatArray) -> None:
    """Add a pull to a drift; rows of shape (LANES,)."""
    for lane in range(LANES):
        drifts[lane] += pull[lane]


@inlined
def revert(drifts: FloatArray, short: FloatArray, total: FloatArray, weight: float) -> None:
    """Take off what of copper's short-run factor disappears; rows of shape (LANES,)."""
    for lane in range(LANES):
        back = weight * short[lane]
        drifts[lane] -= back
        total[lane] -= back
    for lane in range(LANES):
        short[lane] -= weight * short[lane]


@inlined
def copy_row(row: Float32Array, rows: Float32Array, asset: int) -> None:
    """Keep a row of variances as they were before the day.

    `row` is of shape (LANES,), `rows` of shape (n_assets, LANES).
    """
    source = rows[asset]
    for lane in range(LANES):
        row[lane] = source[lane]


@inlined
def share(
    moves: Float32Array,
    normals: Float32Array,
    a: Float32Array,
    b: Float32Array,
    tick_variance: np.float32,
    asset: int,
    turn: int,
    has_t: bool,
) -> None:
    """Turn an asset's own shock into a * own + b * common.

    Parameters
    ----------
    moves : ndarray of shape (at least LANES,), float32
    normals : ndarray of shape ((N_STATES + 1) * ROWS,), float32
    a, b : ndarray of shape (n_assets, LANES), float32
    """
    deviation = _ONE if has_t else np.float32(np.sqrt(tick_variance))
    own = a[asset]
    weight = b[asset]
    start = N_STATES * ROWS + turn * LANES
    common = normals[start : start + LANES]
    for lane in range(LANES):
        moves[lane] = np.float32(own[lane] * moves[lane]) + np.float32(
            weight[lane] * np.float32(deviation * common[lane])
        )


@inlined
def temper(
    factor: Float32Array, m: Float32Array, variance: Float32Array, asset: int, bound: np.float32
) -> None:
    """Write m, or what is left of it where m^2 h would be above the variance's bound.

    `factor` and `variance` are of shape (LANES,), `m` of shape (n_assets, LANES).
    """
    given = m[asset]
    for lane in range(LANES):
        most = np.float32(np.sqrt(np.float32(bound / variance[lane])))
        factor[lane] = given[lane] if given[lane] < most else most


@inlined
def stir(
    moves: Float32Array,
    variance: Float32Array,
    factor: Float32Array,
    largest: np.float32,
    has_t: bool,
) -> None:
    """Turn e - h/2 (with GARCH) or e (without) into m e less what keeps the expectation.

    Without GARCH the table's drift has -h/2 already. `moves` is of shape (at least LANES,),
    `variance` and `factor` of shape (LANES,).
    """
    included = _HALF if has_t else _ZERO
    for lane in range(LANES):
        h = variance[lane]
        e = np.float32(moves[lane] + np.float32(included * h))
        square = np.float32(factor[lane] * factor[lane])
        due = np.float32(square if has_t else np.float32(square - _ONE))
        e = np.float32(factor[lane] * e)
        e = e if e < largest else largest
        e = e if e > -largest else -largest
        moves[lane] = e - np.float32(np.float32(_HALF * due) * h)


@kernel
def note_factor(
    surprises: FloatArray, factor: Float32Array, asset: int, step: int, lane_start: int
) -> None:
    """Write down the regime's factor m.

    `surprises` is of shape (3, n_assets, n_steps + 1, n_paths), `factor` of shape (LANES,).
    """
    for lane in range(LANES):
        surprises[2, asset, step, lane_start + lane] = np.float64(factor[lane])


@kernel
def note_changes(
    surprises: FloatArray,
    news: FloatArray,
    kind: int,
    loadings: FloatArray,
    asset: int,
    step: int,
    lane_start: int,
) -> None:
    """Add to the surprise what channels do from one day to the next: they have a part of it.

    Parameters
    ----------
    surprises : ndarray of shape (3, n_assets, n_steps + 1, n_paths)
    news : ndarray of shape (n_calendars, N_DRIVERS, LANES)
    loadings : ndarray of shape (n_assets, N_DRIVERS)
    """
    for number in CHANGES:
        loading = loadings[asset, number]
        if loading != 0.0:
            for lane in range(LANES):
                surprises[0, asset, step, lane_start + lane] += loading * news[kind, number, lane]


@inlined
def remember(
    short: FloatArray,
    moves: Float32Array,
    variance: Float32Array,
    factor: Float32Array,
    share: float,
    has_t: bool,
) -> None:
    """Add the short-run share of the day's shock m e.

    Parameters
    ----------
    short : ndarray of shape (LANES,)
    moves : ndarray of shape (at least LANES,), float32
    variance, factor : ndarray of shape (LANES,), float32
    """
    included = np.float64(0.0 if has_t else 1.0)
    for lane in range(LANES):
        due = 0.5 * (np.float64(factor[lane] * factor[lane]) - included)
        short[lane] += share * (np.float64(moves[lane]) + due * np.float64(variance[lane]))


@inlined
def move(
    out: FloatArray,
    log_price: FloatArray,
    moves: Float32Array,
    jumps: Float32Array,
    drifts: FloatArray,
    total: FloatArray,
    asset: int,
    step: int,
    lane_start: int,
) -> None:
    """Move the log price by drift, shock and jump; add up the drift.

    Parameters
    ----------
    out : ndarray of shape (n_assets, n_steps + 1, n_paths)
    log_price, total : ndarray of shape (n_assets, LANES)
    moves : ndarray of shape (at least LANES,), float32
    jumps : ndarray of shape (n_assets * ROWS,), float32
    drifts : ndarray of shape (LANES,)
    """
    prices = out[asset, step, lane_start : lane_start + LANES]
    log_row = log_price[asset]
    start = asset * ROWS + step % GROUP * LANES
    jump = jumps[start : start + LANES]
    applied = total[asset]
    for lane in range(LANES):
        log_row[lane] += drifts[lane] + np.float64(np.float32(moves[lane] + jump[lane]))
    for lane in range(LANES):
        prices[lane] = exponential(log_row[lane])
    for lane in range(LANES):
        applied[lane] += drifts[lane]


@kernel
def record(
    recorded: FloatArray,
    landed: FloatArray,
    calendar: IntArray,
    loadings: FloatArray,
    channel_driver: IntArray,
    ratio_sum: FloatArray,
    reversion_sum: FloatArray,
    pulled: IntArray,
    total: FloatArray,
    lane_start: int,
) -> None:
    """Write what each channel has added up to the last trading day, and the total.

    Parameters
    ----------
    recorded : ndarray of shape (n_assets, N_RECORDED, n_paths)
    landed : ndarray of shape (n_calendars, N_DRIVERS, LANES)
    calendar : ndarray of shape (n_assets,), int64
    loadings : ndarray of shape (n_assets, n_channels)
    channel_driver : ndarray of shape (n_channels,), int64
    ratio_sum, reversion_sum : ndarray of shape (LANES,)
    pulled : ndarray of shape (3,), int64
    total : ndarray of shape (n_assets, LANES)
    """
    for asset in range(recorded.shape[0]):
        for channel in range(_N_LINEAR):
            number = channel_driver[channel]
            for lane in range(LANES):
                recorded[asset, channel, lane_start + lane] = (
                    loadings[asset, channel] * landed[calendar[asset], number, lane]
                )
        for lane in range(LANES):
            ratio = ratio_sum[lane] if asset == pulled[1] else 0.0
            back = reversion_sum[lane] if asset == pulled[2] else 0.0
            recorded[asset, _N_LINEAR, lane_start + lane] = ratio
            recorded[asset, _N_LINEAR + 1, lane_start + lane] = back
            recorded[asset, _N_LINEAR + 2, lane_start + lane] = total[asset, lane]
