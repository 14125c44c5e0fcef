"""The macro model's recursion: factors first, then prices, LANES paths side by side.

Each day: the regime may switch; states advance,

    x' = decay x + target (1 - decay) + deviation * normal;

drivers gather what was not expected; on an asset's trading day its drift is what the table
says plus loading * (driver - driver on its last trading day). Prices then move as in
`market/kernels.py`: where everything is switched off, by the same operations in the same
order, so that the bytes are the same.

In a regime an asset's shock is a * own + b * common, a^2 + b^2 = 1, and its volatility is m
times what GARCH says:  ln S += drift + m e - m^2 h / 2.  GARCH itself sees e alone. These
weights are kept by lane and renewed where the regime switches, which is seldom.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.market.draws import (
    GROUP,
    ROWS,
    Float32Array,
    draw_jumps,
    draw_normals,
    draw_t_scales,
)
from simulator.market.elementary import exponential
from simulator.market.kernels import Tables, apply_garch, mix, stand_still
from simulator.market.macro.names import CHANNELS, N_DRIVERS, N_STATES, Driver, State
from simulator.market.philox import Integer, WordArray, fill_words
from simulator.market.streams import Stream
from simulator.mechanics.jit import inlined, kernel
from simulator.units import LANES, BoolArray, FloatArray

IntArray = npt.NDArray[np.int64]

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)
_HALF = np.float32(0.5)
_REGIME = int(Stream.REGIME)
_N_LINEAR = len(CHANNELS)
_REAL_RATE = int(State.REAL_RATE)
_INFLATION = int(State.INFLATION)
_PURCHASES = int(State.PURCHASES)
_SALES = int(State.SALES)
_INDUSTRIAL = int(State.SILVER_INDUSTRIAL)
_COPPER_DEMAND = int(State.COPPER_DEMAND)
_COPPER_SUPPLY = int(State.COPPER_SUPPLY)
_LIQUIDITY = int(State.LIQUIDITY)
_RATE = int(Driver.RATE)
_LEVEL = int(Driver.LEVEL)
_BANKS = int(Driver.BANKS)
_SILVER = int(Driver.SILVER)
_COPPER = int(Driver.COPPER)
_LIQUID = int(Driver.LIQUIDITY)
_NOMINAL = int(Driver.NOMINAL)


class MacroTables(NamedTuple):
    """The macro model in the form the kernel reads.

    start, decay, constant, deviation : (N_STATES,)
        x on the first day; x' = decay x + constant + deviation * normal.
    rates : (4,)
        ex-post rate = real + rates[0] + rates[1] inflation; nominal = real + rates[2] +
        rates[3] inflation.
    weights : (4,), of silver's three demands and of supply in ln demand - ln supply
    expected : (N_DRIVERS, n_steps + 1), what a driver's daily value is compared with
    loadings : (n_assets, N_DRIVERS), log return for a unit of a driver
    channel_loadings : (n_assets, number of linear channels)
    channel_driver : (number of linear channels,)
    calendar : (n_assets,), row of `open_days` that an asset keeps
    open_days : (n_calendars, n_steps + 1)
    rate_shift, liquidity_shift : (4,), by regime, added to the rate each day and to liquidity
    switch : (4, 4), uint32: the next regime is the first whose entry is above the word
    regime_weights : (4, 3, n_assets), float32: a, b, m
    streams : (N_STATES + 1, 2), uint32: of the states, and of the common shock
    outage_streams, outage_thresholds, outage_size : as of `draw_jumps`, one row
    pulls : (5,), ratio speed * year_fraction, ln equilibrium, reversion speed * year_fraction,
        share of a move that is short-run, year_fraction
    pulled : (3,), rows of gold, silver, copper; -1 where a pull is off
    waited : (n_assets, n_steps + 1), days since the asset's last trading day
    """

    start: FloatArray
    decay: FloatArray
    constant: FloatArray
    deviation: FloatArray
    rates: FloatArray
    weights: FloatArray
    expected: FloatArray
    loadings: FloatArray
    channel_loadings: FloatArray
    channel_driver: IntArray
    calendar: IntArray
    open_days: BoolArray
    rate_shift: FloatArray
    liquidity_shift: FloatArray
    switch: WordArray
    regime_weights: Float32Array
    streams: WordArray
    outage_streams: WordArray
    outage_thresholds: WordArray
    outage_size: Float32Array
    pulls: FloatArray
    pulled: IntArray
    waited: FloatArray
    first_regime: int
    has_regimes: bool
    has_outages: bool


@kernel
def fill_macro(
    tables: Tables,
    macro: MacroTables,
    seed: Integer,
    first_path: Integer,
    out: FloatArray,
    states: FloatArray,
    recorded: FloatArray,
) -> None:
    """Fill a block with prices, and with the states and sums that are wanted.

    Parameters
    ----------
    out : ndarray of shape (n_assets, n_steps + 1, n_paths)
        n_paths a multiple of LANES.
    states : ndarray of shape (N_STATES + 1, n_steps + 1, n_paths), or of first size 0
        The states, liquidity with its regime's shift, and the regime.
    recorded : ndarray of shape (n_assets, N_RECORDED, n_paths), or of first size 0
        Each part's log drift up to the last trading day, and the total that was applied.
    """
    n_assets = out.shape[0]
    for lane_start in range(0, out.shape[2], LANES):
        path = np.uint64(first_path) + np.uint64(lane_start)
        _walk(tables, macro, seed, path, out, states, recorded, lane_start, n_assets)


@kernel
def _walk(
    tables: Tables,
    macro: MacroTables,
    seed: Integer,
    path: Integer,
    out: FloatArray,
    states: FloatArray,
    recorded: FloatArray,
    lane_start: int,
    n_assets: int,
) -> None:
    # Unpacked once, as in `market/kernels.py`.
    spot, log_spot, drift, trading, mixing, garch, streams, thresholds, sizes = tables[:9]
    half_dof, has_t, has_jumps = tables[9:]
    start, decay, constant, deviation, rates, weights, expected, loadings = macro[:8]
    channel_loadings, channel_driver, calendar, open_days = macro[8:12]
    rate_shift, liquidity_shift, switch, regime_weights = macro[12:16]
    factor_streams, outage_streams, outage_thresholds, outage_size = macro[16:20]
    pulls, pulled, waited, first_regime, has_regimes, has_outages = macro[20:]

    words = np.empty(ROWS, np.uint32)
    count_words = np.empty(n_assets * ROWS, np.uint32)
    normals = np.empty(n_assets * ROWS, np.float32)
    jumps = np.zeros(n_assets * ROWS, np.float32)
    scales = np.empty(ROWS, np.float32)
    scratch = np.empty(ROWS, np.float32)
    variance = np.empty((n_assets, LANES), np.float32)
    log_price = np.empty((n_assets, LANES), np.float64)

    factor_normals = np.empty((N_STATES + 1) * ROWS, np.float32)
    regime_words = np.empty(ROWS, np.uint32)
    outage_words = np.empty(ROWS, np.uint32)
    outages = np.zeros(ROWS, np.float32)
    regime = np.empty(LANES, np.int64)
    a = np.empty((n_assets, LANES), np.float32)
    b = np.empty((n_assets, LANES), np.float32)
    m = np.empty((n_assets, LANES), np.float32)
    shifts = np.empty((2, LANES), np.float64)
    x = np.empty((N_STATES, LANES), np.float64)
    driver = np.zeros((N_DRIVERS, LANES), np.float64)
    landed = np.zeros((open_days.shape[0], N_DRIVERS, LANES), np.float64)
    news = np.zeros((open_days.shape[0], N_DRIVERS, LANES), np.float64)
    drifts = np.empty(LANES, np.float64)
    old_variance = np.empty(LANES, np.float32)
    ratio_pull = np.zeros(LANES, np.float64)
    ratio_sum = np.zeros(LANES, np.float64)
    short = np.zeros(LANES, np.float64)
    reversion_sum = np.zeros(LANES, np.float64)
    total = np.zeros((n_assets, LANES), np.float64)

    for asset in range(n_assets):
        for lane in range(LANES):
            log_price[asset, lane] = log_spot[asset]
            variance[asset, lane] = garch[asset, 4]
            out[asset, 0, lane_start + lane] = spot[asset]
    for state in range(N_STATES):
        for lane in range(LANES):
            x[state, lane] = start[state]
    for lane in range(LANES):
        _enter(
            lane, first_regime, regime, a, b, m, shifts, regime_weights, rate_shift, liquidity_shift
        )
    if states.shape[0] > 0:
        _keep(states, x, shifts, regime, 0, lane_start)

    for group in range((out.shape[1] - 1) // GROUP + 1):
        draw_normals(normals, words, streams, seed, group, path)
        if has_t:
            draw_t_scales(scales, scratch, words, half_dof, seed, group, path)
        if has_jumps:
            draw_jumps(jumps, count_words, streams, thresholds, sizes, seed, group, path)
        draw_normals(factor_normals, words, factor_streams, seed, group, path)
        if has_outages:
            draw_jumps(
                outages,
                outage_words,
                outage_streams,
                outage_thresholds,
                outage_size,
                seed,
                group,
                path,
            )
        if has_regimes:
            fill_words(regime_words, 0, seed, group, _REGIME, path)
        for step in range(max(1, group * GROUP), min((group + 1) * GROUP, out.shape[1])):
            turn = step % GROUP
            if has_regimes:
                _switch(
                    regime_words,
                    turn,
                    switch,
                    regime,
                    a,
                    b,
                    m,
                    shifts,
                    regime_weights,
                    rate_shift,
                    liquidity_shift,
                )
            for state in range(N_STATES):
                _advance(
                    x, factor_normals, state, turn, decay[state], constant[state], deviation[state]
                )
            _surprise(x, driver, shifts, factor_normals, outages, turn, deviation[_REAL_RATE])
            _gather(x, driver, shifts, expected, rates, weights, step, pulls[4])
            if states.shape[0] > 0:
                _keep(states, x, shifts, regime, step, lane_start)
            for kind in range(open_days.shape[0]):
                if open_days[kind, step]:
                    _land(driver, landed, news, kind)
            if pulled[1] >= 0 and trading[pulled[1], step]:
                _pull_ratio(
                    ratio_pull,
                    ratio_sum,
                    log_price,
                    pulled,
                    pulls[0] * waited[pulled[1], step],
                    pulls[1],
                )
            for asset in range(n_assets):
                if not trading[asset, step]:
                    stand_still(out, asset, step, lane_start)
                    continue
                _collect(drifts, news, calendar[asset], loadings, asset, drift[asset, step])
                if asset == pulled[1]:
                    _add(drifts, ratio_pull)
                if asset == pulled[2]:
                    _revert(drifts, short, reversion_sum, pulls[2] * waited[asset, step])
                mix(scratch, normals, mixing, asset, turn)
                _copy_row(old_variance, variance, asset)
                if has_regimes:
                    _share(scratch, factor_normals, a, b, garch[asset, 4], asset, turn, has_t)
                if has_t:
                    apply_garch(scratch, scales, variance, garch, asset, turn)
                if has_regimes:
                    _stir(scratch, old_variance, m, asset, has_t)
                if asset == pulled[2]:
                    _remember(short, scratch, old_variance, m, asset, pulls[3], has_t)
                _move(out, log_price, scratch, jumps, drifts, total, asset, step, lane_start)
    if recorded.shape[0] > 0:
        _record(
            recorded,
            landed,
            calendar,
            channel_loadings,
            channel_driver,
            ratio_sum,
            reversion_sum,
            pulled,
            total,
            lane_start,
        )


@inlined
def _enter(
    lane: int,
    number: int,
    regime: IntArray,
    a: Float32Array,
    b: Float32Array,
    m: Float32Array,
    shifts: FloatArray,
    weights: Float32Array,
    rate_shift: FloatArray,
    liquidity_shift: FloatArray,
) -> None:
    regime[lane] = number
    shifts[0, lane] = rate_shift[number]
    shifts[1, lane] = liquidity_shift[number]
    for asset in range(a.shape[0]):
        a[asset, lane] = weights[number, 0, asset]
        b[asset, lane] = weights[number, 1, asset]
        m[asset, lane] = weights[number, 2, asset]


@kernel
def _switch(
    words: WordArray,
    turn: int,
    switch: WordArray,
    regime: IntArray,
    a: Float32Array,
    b: Float32Array,
    m: Float32Array,
    shifts: FloatArray,
    weights: Float32Array,
    rate_shift: FloatArray,
    liquidity_shift: FloatArray,
) -> None:
    last = switch.shape[1] - 1
    for lane in range(LANES):
        word = words[turn * LANES + lane]
        row = regime[lane]
        if word < switch[row, last]:
            number = 0
            while word >= switch[row, number]:
                number += 1
            _enter(lane, number, regime, a, b, m, shifts, weights, rate_shift, liquidity_shift)


@inlined
def _advance(
    x: FloatArray,
    normals: Float32Array,
    state: int,
    turn: int,
    decay: float,
    constant: float,
    deviation: float,
) -> None:
    row = x[state]
    start = state * ROWS + turn * LANES
    normal = normals[start : start + LANES]
    for lane in range(LANES):
        row[lane] = decay * row[lane] + constant + deviation * np.float64(normal[lane])


@inlined
def _surprise(
    x: FloatArray,
    driver: FloatArray,
    shifts: FloatArray,
    normals: Float32Array,
    outages: Float32Array,
    turn: int,
    deviation: float,
) -> None:
    """Add what the day brings beside the normals; the rate's news are its normals alone."""
    rate = x[_REAL_RATE]
    shift = shifts[0]
    supply = x[_COPPER_SUPPLY]
    lost = outages[turn * LANES : (turn + 1) * LANES]
    news = driver[_RATE]
    start = _REAL_RATE * ROWS + turn * LANES
    normal = normals[start : start + LANES]
    points = 100.0 * deviation
    for lane in range(LANES):
        rate[lane] += shift[lane]
    for lane in range(LANES):
        supply[lane] -= np.float64(lost[lane])
    for lane in range(LANES):
        news[lane] += points * np.float64(normal[lane])


@inlined
def _gather(
    x: FloatArray,
    driver: FloatArray,
    shifts: FloatArray,
    expected: FloatArray,
    rates: FloatArray,
    weights: FloatArray,
    step: int,
    year_fraction: float,
) -> None:
    rate = x[_REAL_RATE]
    inflation = x[_INFLATION]
    k0, k1, n0, n1 = rates[0], rates[1], rates[2], rates[3]
    level = driver[_LEVEL]
    usual = expected[_LEVEL, step]
    for lane in range(LANES):
        ex_post = rate[lane] + k0 + k1 * inflation[lane]
        level[lane] += year_fraction * (100.0 * ex_post - usual)
    nominal = driver[_NOMINAL]
    usual = expected[_NOMINAL, step]
    for lane in range(LANES):
        nominal[lane] += year_fraction * (rate[lane] + n0 + n1 * inflation[lane] - usual)
    banks = driver[_BANKS]
    bought = x[_PURCHASES]
    sold = x[_SALES]
    usual = expected[_BANKS, step]
    for lane in range(LANES):
        net = exponential(bought[lane]) - exponential(sold[lane])
        banks[lane] += year_fraction * (0.01 * net - usual)
    silver = driver[_SILVER]
    usual = expected[_SILVER, step]
    for lane in range(LANES):
        silver[lane] = -usual
    for part in range(4):
        quantity = x[_INDUSTRIAL + part]
        weight = weights[part]
        for lane in range(LANES):
            silver[lane] += weight * quantity[lane]
    copper = driver[_COPPER]
    demand = x[_COPPER_DEMAND]
    supply = x[_COPPER_SUPPLY]
    usual = expected[_COPPER, step]
    for lane in range(LANES):
        copper[lane] = demand[lane] - supply[lane] - usual
    liquid = driver[_LIQUID]
    liquidity = x[_LIQUIDITY]
    shift = shifts[1]
    usual = expected[_LIQUID, step]
    for lane in range(LANES):
        liquid[lane] += year_fraction * (liquidity[lane] + shift[lane] - usual)


@kernel
def _keep(
    states: FloatArray,
    x: FloatArray,
    shifts: FloatArray,
    regime: IntArray,
    step: int,
    lane_start: int,
) -> None:
    for state in range(N_STATES):
        for lane in range(LANES):
            states[state, step, lane_start + lane] = x[state, lane]
    for lane in range(LANES):
        states[_LIQUIDITY, step, lane_start + lane] += shifts[1, lane]
        states[N_STATES, step, lane_start + lane] = np.float64(regime[lane])


@inlined
def _land(driver: FloatArray, landed: FloatArray, news: FloatArray, kind: int) -> None:
    for number in range(N_DRIVERS):
        now = driver[number]
        before = landed[kind, number]
        since = news[kind, number]
        for lane in range(LANES):
            since[lane] = now[lane] - before[lane]
            before[lane] = now[lane]


@inlined
def _pull_ratio(
    pull: FloatArray,
    total: FloatArray,
    log_price: FloatArray,
    pulled: IntArray,
    weight: float,
    log_equilibrium: float,
) -> None:
    gold = log_price[pulled[0]]
    silver = log_price[pulled[1]]
    for lane in range(LANES):
        pull[lane] = weight * (gold[lane] - silver[lane] - log_equilibrium)
    for lane in range(LANES):
        total[lane] += pull[lane]


@inlined
def _collect(
    drifts: FloatArray,
    news: FloatArray,
    kind: int,
    loadings: FloatArray,
    asset: int,
    drift: float,
) -> None:
    for lane in range(LANES):
        drifts[lane] = drift
    for number in range(N_DRIVERS):
        loading = loadings[asset, number]
        if loading != 0.0:
            row = news[kind, number]
            for lane in range(LANES):
                drifts[lane] += loading * row[lane]


@inlined
def _add(drifts: FloatArray, pull: FloatArray) -> None:
    for lane in range(LANES):
        drifts[lane] += pull[lane]


@inlined
def _revert(drifts: FloatArray, short: FloatArray, total: FloatArray, weight: float) -> None:
    for lane in range(LANES):
        back = weight * short[lane]
        drifts[lane] -= back
        total[lane] -= back
    for lane in range(LANES):
        short[lane] -= weight * short[lane]


@inlined
def _copy_row(row: Float32Array, rows: Float32Array, asset: int) -> None:
    source = rows[asset]
    for lane in range(LANES):
        row[lane] = source[lane]


@inlined
def _share(
    moves: Float32Array,
    normals: Float32Array,
    a: Float32Array,
    b: Float32Array,
    tick_variance: np.float32,
    asset: int,
    turn: int,
    has_t: bool,
) -> None:
    """Turn an asset's own shock into a * own + b * common."""
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
def _stir(
    moves: Float32Array, variance: Float32Array, m: Float32Array, asset: int, has_t: bool
) -> None:
    """Turn e - h/2 (with GARCH) or e (without) into m e less what keeps the expectation.

    Without GARCH the table's drift has -h/2 already.
    """
    factor = m[asset]
    included = _HALF if has_t else _ZERO
    for lane in range(LANES):
        h = variance[lane]
        e = np.float32(moves[lane] + np.float32(included * h))
        square = np.float32(factor[lane] * factor[lane])
        due = np.float32(square if has_t else np.float32(square - _ONE))
        moves[lane] = np.float32(factor[lane] * e) - np.float32(np.float32(_HALF * due) * h)


@inlined
def _remember(
    short: FloatArray,
    moves: Float32Array,
    variance: Float32Array,
    m: Float32Array,
    asset: int,
    share: float,
    has_t: bool,
) -> None:
    """Add the short-run share of the day's shock m e."""
    factor = m[asset]
    included = np.float64(0.0 if has_t else 1.0)
    for lane in range(LANES):
        due = 0.5 * (np.float64(factor[lane] * factor[lane]) - included)
        short[lane] += share * (np.float64(moves[lane]) + due * np.float64(variance[lane]))


@inlined
def _move(
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
def _record(
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
