"""The macro model's recursion: factors first, then prices, LANES paths side by side.

Each day: the regime may switch; states advance,

    x' = decay x + target (1 - decay) + deviation * normal;

drivers gather what was not expected; on an asset's trading day its drift is what the table
says plus loading * (driver - driver on its last trading day). Prices then move as in
`market/kernels.py`: where everything is switched off, by the same operations in the same
order, so that the bytes are the same.

In a regime an asset's shock is a * own + b * common, a^2 + b^2 = 1, and its volatility is m
times what GARCH says:  ln S += drift + m e - m^2 h / 2.  GARCH itself sees e alone; m^2 h has
the bound of h, and m e that of e. These
weights are kept by lane and renewed where the regime switches, which is seldom.
"""

from __future__ import annotations

import numpy as np

from simulator.jit import kernel
from simulator.market.draws import (
    GROUP,
    ROWS,
    draw_jumps,
    draw_normals,
    draw_t_scales,
)
from simulator.market.kernels import (
    Tables,
    apply_garch,
    mix,
    note,
    note_variance,
    stand_still,
)
from simulator.market.macro.factor_steps import (
    advance,
    enter,
    gather,
    keep,
    surprise,
    switch_regimes,
)
from simulator.market.macro.names import N_DRIVERS, N_STATES, State
from simulator.market.macro.price_steps import (
    add,
    collect,
    copy_row,
    land,
    move,
    note_changes,
    note_factor,
    pull_ratio,
    record,
    remember,
    revert,
    share,
    stir,
    temper,
)
from simulator.market.macro.tables import MacroTables
from simulator.market.philox import Integer, fill_words
from simulator.market.streams import Stream
from simulator.units import LANES, FloatArray

_REGIME = int(Stream.REGIME)
_REAL_RATE = int(State.REAL_RATE)


@kernel
def fill_macro(
    tables: Tables,
    macro: MacroTables,
    seed: Integer,
    first_path: Integer,
    out: FloatArray,
    states: FloatArray,
    recorded: FloatArray,
    surprises: FloatArray,
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
    surprises : ndarray of shape (3, n_assets, n_steps + 1, n_paths), or of first size 0
        As `note` of `market/kernels.py` writes it, and what channels do from day to day.
    """
    n_assets = out.shape[0]
    for lane_start in range(0, out.shape[2], LANES):
        path = np.uint64(first_path) + np.uint64(lane_start)
        _walk(tables, macro, seed, path, out, states, recorded, surprises, lane_start, n_assets)


@kernel
def _walk(
    tables: Tables,
    macro: MacroTables,
    seed: Integer,
    path: Integer,
    out: FloatArray,
    states: FloatArray,
    recorded: FloatArray,
    surprises: FloatArray,
    lane_start: int,
    n_assets: int,
) -> None:
    """Write LANES paths; arrays are of the shapes in `fill_macro`."""
    # Unpacked once, as in `market/kernels.py`.
    spot, log_spot, drift, trading, mixing, garch, streams, thresholds, sizes = tables[:9]
    tails, tail, has_t, has_jumps = tables[9:]
    start, decay, constant, deviation, rates, weights, expected, loadings = macro[:8]
    channel_loadings, channel_driver, calendar, open_days = macro[8:12]
    rate_shift, liquidity_shift, switch, regime_weights = macro[12:16]
    factor_streams, outage_streams, outage_thresholds, outage_size = macro[16:20]
    pulls, pulled, waited, first_regime, has_regimes, has_outages = macro[20:]

    words = np.empty(ROWS, np.uint32)
    count_words = np.empty(n_assets * ROWS, np.uint32)
    normals = np.empty(n_assets * ROWS, np.float32)
    jumps = np.zeros(n_assets * ROWS, np.float32)
    scales = np.empty(tails.shape[0] * ROWS, np.float32)
    scratch = np.empty(2 * ROWS, np.float32)
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
    factor = np.ones(LANES, np.float32)
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
        enter(
            lane, first_regime, regime, a, b, m, shifts, regime_weights, rate_shift, liquidity_shift
        )
    if states.shape[0] > 0:
        keep(states, x, shifts, regime, 0, lane_start)

    for group in range((out.shape[1] - 1) // GROUP + 1):
        draw_normals(normals, words, streams, seed, group, path)
        if has_t:
            draw_t_scales(scales, scratch, words, tails, seed, group, path)
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
                switch_regimes(
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
                advance(
                    x, factor_normals, state, turn, decay[state], constant[state], deviation[state]
                )
            surprise(x, driver, shifts, factor_normals, outages, turn, deviation[_REAL_RATE])
            gather(x, driver, shifts, expected, rates, weights, step, pulls[4])
            if states.shape[0] > 0:
                keep(states, x, shifts, regime, step, lane_start)
            for kind in range(open_days.shape[0]):
                if open_days[kind, step]:
                    land(driver, landed, news, kind)
            if pulled[1] >= 0 and trading[pulled[1], step]:
                pull_ratio(
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
                collect(drifts, news, calendar[asset], loadings, asset, drift[asset, step])
                if asset == pulled[1]:
                    add(drifts, ratio_pull)
                if asset == pulled[2]:
                    revert(drifts, short, reversion_sum, pulls[2] * waited[asset, step])
                mix(scratch, normals, mixing, asset, turn)
                copy_row(old_variance, variance, asset)
                if surprises.shape[0] > 0:
                    note_variance(surprises, variance, asset, step, lane_start)
                if has_regimes:
                    share(scratch, factor_normals, a, b, garch[asset, 4], asset, turn, has_t)
                if has_t:
                    apply_garch(scratch, scales, variance, garch, asset, tail[asset], turn)
                if has_regimes:
                    temper(factor, m, old_variance, asset, garch[asset, 5])
                    stir(scratch, old_variance, factor, garch[asset, 6], has_t)
                if surprises.shape[0] > 0:
                    if has_regimes:
                        note_factor(surprises, factor, asset, step, lane_start)
                    note(surprises, scratch, jumps, asset, step, lane_start, has_t)
                    note_changes(
                        surprises, news, calendar[asset], loadings, asset, step, lane_start
                    )
                if asset == pulled[2]:
                    remember(short, scratch, old_variance, factor, pulls[3], has_t)
                move(out, log_price, scratch, jumps, drifts, total, asset, step, lane_start)
    if recorded.shape[0] > 0:
        record(
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
