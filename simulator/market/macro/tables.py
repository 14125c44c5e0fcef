"""The macro model in the form its kernel reads."""

from __future__ import annotations

from typing import NamedTuple

from simulator.market.draws import Float32Array, IntArray
from simulator.market.philox import WordArray
from simulator.units import BoolArray, FloatArray


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
