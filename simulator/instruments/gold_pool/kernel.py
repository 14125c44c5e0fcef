"""One day of the pool in the order of `docs/mechanics.md`, over steps and paths."""

from __future__ import annotations

import numpy as np

from simulator.instruments.gold_pool.rows import (
    ALL_FEES,
    ALL_LOSS,
    BACKING_READ,
    BY_SOURCE,
    GOLD,
    IMBALANCE,
    LEAVE,
    LEAVING,
    MARK,
    METAL_READ,
    OWN_GOLD,
    OWN_USDC,
    PAID_GOLD,
    PAID_USDC,
    PROFIT,
    SHARES,
    SIZE,
    TOKEN_READ,
    TRADED,
    USDC,
    VALUE,
    VISIT_FEES,
    VISIT_GOLD,
    VISIT_SHARES,
    VOLUME,
)
from simulator.instruments.gold_pool.stages import (
    begin,
    keep_at_market,
    leave_last,
    make_noise,
    others_leave,
    receive,
    take_backing,
    take_prices,
    value_provider,
)
from simulator.instruments.gold_pool.state import (
    N_SOURCES,
    Act,
    DriverArrays,
    Numbers,
    Observed,
    Results,
)
from simulator.jit import kernel
from simulator.mechanics.rows import read_row, write_row
from simulator.units import LANES, FloatArray

ARBITRAGE_GOLD, ARBITRAGE_USDC = int(Act.ARBITRAGE_GOLD), int(Act.ARBITRAGE_USDC)
NOISE_USDC, NOISE_GOLD = int(Act.NOISE_USDC), int(Act.NOISE_GOLD)
KEPT_GOLD, KEPT_USDC = int(Observed.KEPT_GOLD), int(Observed.KEPT_USDC)
SEEN_GOLD, SEEN_USDC, SEEN_SHARES = (
    int(Observed.GOLD),
    int(Observed.USDC),
    int(Observed.SHARES),
)
SEEN_OWN_GOLD, SEEN_OWN_USDC = int(Observed.OWN_GOLD), int(Observed.OWN_USDC)


@kernel
def note(own: FloatArray, row: int, table: FloatArray, column: int, first: int) -> None:
    """Write a row of the lanes into a column.

    Parameters
    ----------
    own : ndarray of shape (SIZE,)
    table : ndarray of shape (n_paths, n_columns)
        Written from path `first` on.
    """
    for lane in range(LANES):
        table[first + lane, column] = own[row + lane]


@kernel
def run(numbers: Numbers, drivers: DriverArrays, results: Results) -> None:
    """Run all paths of a block over all steps; the arrays are described in `state`."""
    metal, token, backing = drivers.metal_usdc, drivers.token_usdc, drivers.backing
    premium, volume, imbalance = drivers.premium, drivers.volume_usdc, drivers.imbalance
    visit_gold, visit_shares = drivers.visit_gold, drivers.visit_shares
    visit_fees, leaving, gas_times = drivers.visit_fees, drivers.leaving, drivers.gas_times
    mark, leave, value = results.mark, results.leave, results.value
    fees, loss, profit, traded = results.fees, results.loss, results.profit, results.traded
    attribution, gains, events = results.attribution, results.gains, results.events
    acts, observed = results.acts, results.observed
    n_steps, n_paths = metal.shape[0] - 1, metal.shape[1]
    recorded = acts.shape[0] > 0
    # rows begin at lines of the cache: a vector across two of them costs twice
    memory = np.empty(SIZE + 8)
    skip = (64 - memory.ctypes.data % 64) // 8 % 8
    own = memory[skip : skip + SIZE]
    for first in range(0, n_paths, LANES):
        own[:] = 0.0
        for step in range(n_steps + 1):
            read_row(own, METAL_READ, metal, step, first, LANES)
            read_row(own, TOKEN_READ, token, step, first, LANES)
            read_row(own, BACKING_READ, backing, step, first, LANES)
            if step == 0:
                begin(own, numbers)
            elif take_prices(own) > 0:
                for lane in range(LANES):
                    lacks = backing[step, first + lane] < backing[step - 1, first + lane]
                    events[first + lane] += 1 if lacks else 0
                take_backing(own, premium[step - 1], first)
            if step > 0:
                keep_at_market(own, numbers, numbers.gas_arbitrage_usd * gas_times[step])
            if recorded:
                note(own, PAID_GOLD, acts[step], ARBITRAGE_GOLD, first)
                note(own, PAID_USDC, acts[step], ARBITRAGE_USDC, first)
                note(own, GOLD, observed[step], KEPT_GOLD, first)
                note(own, USDC, observed[step], KEPT_USDC, first)
            if visit_gold.shape[0] > 0:
                read_row(own, VISIT_GOLD, visit_gold, step, first, LANES)
                read_row(own, VISIT_SHARES, visit_shares, step, first, LANES)
                read_row(own, VISIT_FEES, visit_fees, step, first, LANES)
                receive(own)
            if step > 0:
                read_row(own, VOLUME, volume, step, first, LANES)
                read_row(own, IMBALANCE, imbalance, step, first, LANES)
                make_noise(own, numbers.keep)
                if leaving.shape[0] > 0:
                    read_row(own, LEAVING, leaving, step, first, LANES)
                    others_leave(own)
            value_provider(own, numbers, numbers.gas_leave_usd * gas_times[step])
            if recorded:
                note(own, PAID_USDC, acts[step], NOISE_USDC, first)
                note(own, PAID_GOLD, acts[step], NOISE_GOLD, first)
                note(own, GOLD, observed[step], SEEN_GOLD, first)
                note(own, USDC, observed[step], SEEN_USDC, first)
                note(own, SHARES, observed[step], SEEN_SHARES, first)
                note(own, OWN_GOLD, observed[step], SEEN_OWN_GOLD, first)
                note(own, OWN_USDC, observed[step], SEEN_OWN_USDC, first)
            if gains.shape[1] > 0:
                # before the provider leaves: what that costs is in no day
                for source in range(N_SOURCES):
                    place = BY_SOURCE + source * LANES
                    write_row(own, place, gains[source], step, first, LANES)
            write_row(own, MARK, mark, step, first, LANES)
            write_row(own, LEAVE, leave, step, first, LANES)
            write_row(own, VALUE, value, step, first, LANES)
            write_row(own, ALL_FEES, fees, step, first, LANES)
            write_row(own, ALL_LOSS, loss, step, first, LANES)
            write_row(own, PROFIT, profit, step, first, LANES)
            write_row(own, TRADED, traded, step, first, LANES)
        leave_last(own, numbers, numbers.gas_leave_usd * gas_times[n_steps])
        for source in range(N_SOURCES):
            for lane in range(LANES):
                attribution[source, first + lane] = own[BY_SOURCE + source * LANES + lane]
