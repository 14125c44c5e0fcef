"""The measured tokens day by day: what the kernel does and in which order.

State stands in rows of WIDTH numbers, see `rows`; what a day does to them is in `books`.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.solar_nft.books import (
    begin,
    claim_silver,
    generate,
    price,
    reward,
    share_out,
    value,
)
from simulator.instruments.solar_nft.draws import WIDTH
from simulator.instruments.solar_nft.rows import (
    BONUS,
    BY,
    CASH,
    FAILS,
    LEAVE,
    LEAVE_LOCKED,
    LOCKED,
    MARK,
    MARK_LOCKED,
    MOOD,
    N_SOURCES,
    PAID,
    POWER,
    PRICE,
    SILVER,
    STATE_SIZE,
    SUN,
    UNLOCKED,
)
from simulator.instruments.solar_nft.state import Days, Drivers, Numbers, Results
from simulator.jit import kernel
from simulator.mechanics.prefetch import will_read, will_write
from simulator.mechanics.rows import read_row, write_row


@kernel
def run(numbers: Numbers, days: Days, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    worth, ends, spent, spent_locked = days.worth, days.ends, days.spent, days.spent_locked
    power_usd, sun, mood, silver_usd = (
        drivers.power_usd,
        drivers.sun,
        drivers.mood,
        drivers.silver_usd,
    )
    locked, unlocked, default_step = drivers.locked, drivers.unlocked, drivers.default_step
    mark, leave, paid, bonus = results.mark, results.leave, results.paid, results.bonus
    mark_locked, leave_locked, price_of = results.mark_locked, results.leave_locked, results.price
    pots, gains, attribution = results.pots, results.gains, results.attribution
    part, retire_step = numbers.part, int(numbers.retire_step)
    n_rows, n_paths = power_usd.shape
    for first in range(0, n_paths, WIDTH):
        lanes = slice(first, first + WIDTH)
        own, period = np.zeros(STATE_SIZE), 0
        # exact up to 2^53 days: beside numbers of its kind it stands in no vector's way
        for k in range(WIDTH):
            own[FAILS + k] = float(default_step[first + k])
        for step in range(n_rows):
            day = float(step)
            read_row(own, POWER, power_usd, step, first, WIDTH)
            read_row(own, SUN, sun, step, first, WIDTH)
            read_row(own, MOOD, mood, step, first, WIDTH)
            read_row(own, SILVER, silver_usd, step, first, WIDTH)
            read_row(own, LOCKED, locked, step, first, WIDTH)
            read_row(own, UNLOCKED, unlocked, step, first, WIDTH)
            will_read(power_usd, step + 1, first, WIDTH)
            will_read(sun, step + 1, first, WIDTH)
            will_read(mood, step + 1, first, WIDTH)
            will_read(silver_usd, step + 1, first, WIDTH)
            if 0 < step <= retire_step:
                generate(own, day, numbers.fleet_kw, numbers.cost_a_day, numbers.after, part)
            flows = 0 < step <= numbers.bonus_days and step <= retire_step
            a_day = numbers.bonus_a_day if flows else 0.0
            reward(own, a_day, numbers.own_watts, numbers.array_watts)
            price(
                own,
                day,
                worth.base[step],
                worth.slope[step],
                worth.base_after[step],
                worth.slope_after[step],
                worth.silver[step],
            )
            will_write(mark, step + 1, first, WIDTH)
            will_write(leave, step + 1, first, WIDTH)
            will_write(mark_locked, step + 1, first, WIDTH)
            will_write(leave_locked, step + 1, first, WIDTH)
            if step == 0:
                begin(own, numbers.issue_usd)
            if ends[step]:
                share_out(own, part, pots[period, lanes])
                period += 1
            if step == retire_step:
                # buyers look at the market, the contract at its feed
                read_row(own, SILVER, drivers.feed_usd, step, first, WIDTH)
                claim_silver(own, numbers.silver_mg, numbers.recovery)
            is_free = step >= numbers.lock_days or step >= retire_step
            keep_locked = numbers.keep if is_free else numbers.keep_locked
            value(
                own,
                numbers.keep,
                keep_locked,
                spent[step],
                spent_locked[step],
                numbers.leave_gas * days.gas_times[step],
                numbers.unlock_gas * days.gas_times[step],
            )
            write_row(own, MARK, mark, step, first, WIDTH)
            write_row(own, LEAVE, leave, step, first, WIDTH)
            write_row(own, MARK_LOCKED, mark_locked, step, first, WIDTH)
            write_row(own, LEAVE_LOCKED, leave_locked, step, first, WIDTH)
            write_row(own, PAID, paid, step, first, WIDTH)
            write_row(own, BONUS, bonus, step, first, WIDTH)
            write_row(own, PRICE, price_of, step, first, WIDTH)
            if gains.shape[1] > 0:
                for row in range(N_SOURCES):
                    write_row(own, BY + row * WIDTH, gains[row], step, first, WIDTH)
        for row in range(N_SOURCES):
            attribution[row, lanes] = own[BY + row * WIDTH : BY + (row + 1) * WIDTH]
        results.silver_paid[lanes] = own[CASH : CASH + WIDTH]
