"""A pool and a miner day by day, over steps and paths.

State stands in rows of LANES numbers, one for each path, so that the loops of every day become
vector instructions; what happens on few days has loops of its own (`policies`).
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.price_cover.books import (
    earn,
    end_period,
    exit_at_last,
    leave_others,
    observe,
    produce,
    split,
    use,
    value_miner,
    value_underwriter,
)
from simulator.instruments.price_cover.policies import (
    mark,
    note,
    open_claims,
    sell,
    settle,
    settlements,
    standing,
    tell,
    void,
)
from simulator.instruments.price_cover.rows import (
    DAILY,
    N_OWN,
    N_POLICY,
    OF_PAYOUTS,
    OF_PREMIUMS,
    OF_SALES,
    OPEN,
    PAYOUTS,
    POOL,
    PREMIUMS,
    RATE,
    SHARE,
    SOLD,
)
from simulator.instruments.price_cover.state import Drivers, Numbers, Results
from simulator.jit import inlined, kernel
from simulator.units import LANES, FloatArray


@inlined
def start(own: FloatArray, policy: FloatArray) -> None:
    """Let a policy's premium be earned from the next day on.

    `own` and `policy` are of shape (n_rows * LANES,).
    """
    for k in range(LANES):
        own[RATE + k] += policy[DAILY + k]


@kernel
def run(numbers: Numbers, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    plan, posted, feed_usd = drivers.plan, drivers.posted, drivers.feed_usd
    starts, ends = plan.start, plan.end
    marks, leaves, gains = results.marks, results.leaves, results.gains
    covered, bare, periods = results.covered, results.bare, results.periods
    outcomes, acts, observed = results.outcomes, results.acts, results.observed
    sold_policies, totals = results.sold, results.totals
    n_rows, n_policies, window = feed_usd.shape[0], len(starts), int(numbers.window_days)
    runs, haircut, away = drivers.run_step, numbers.haircut, drivers.away
    no_acts = np.empty(0, np.int8)
    for first in range(0, feed_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        own = np.zeros(N_OWN * LANES)
        policies = np.zeros((n_policies, N_POLICY * LANES))
        price, before, happened = np.zeros(LANES), np.zeros(LANES), results.events[lanes]
        stands = np.zeros(LANES)
        own[POOL : POOL + LANES] = numbers.pool_usd
        own[SHARE : SHARE + LANES] = numbers.holder_usd / numbers.pool_usd
        # policies are bought, and those of one buyer end, in their order: all that may be open
        # stand between `live` and `sold`
        live, sold = 0, 0
        for step in range(n_rows):
            usd = feed_usd[step, lanes]
            if step > 0:
                earn(own)
                produce(own, drivers.copper_usd[step, lanes], numbers.tonnes_a_day, numbers.aisc)
            is_due = False
            for i in range(live, sold):
                if starts[i] == step:
                    start(own, policies[i])
                is_due = is_due or ends[i] == step
            if is_due:
                settlements(feed_usd[:, lanes], step, window, price)
                ended = outcomes[live:sold, :, lanes]
                settle(own, plan, live, step, policies, price, ended, happened)
                while live < sold and ends[live] <= step:
                    live += 1
            # open claims follow the price: they are counted anew each day
            own[OPEN : OPEN + LANES] = 0.0
            keeps = away.size == 0 or not away[step]
            for i in range(live, sold):
                if ends[i] <= step:
                    continue
                done = acts[step, i, lanes] if acts.size > 0 else no_acts
                at = usd
                # from the second day of the window on, part of the settlement is known
                if step > ends[i] - window:
                    yesterday, left = feed_usd[step - 1, lanes], ends[i] - step
                    standing(policies[i], usd, yesterday, left, window, stands)
                    at = stands
                trigger, policy = numbers.trigger_share, policies[i]
                # a void is proved by a round of that day; a mark by where the settlement stands
                if starts[i] > step and posted[step] and keeps:
                    after, buyer = outcomes[i, :, lanes], plan.buyer[i]
                    void(own, trigger, buyer, step, policy, usd, after, done, happened)
                elif starts[i] <= step and keeps and mark(own, trigger, policy, at, before):
                    note(policy, before, done, happened)
                open_claims(own, policy, at)
            if runs.size > 0 and step > 0:
                leave_others(own, numbers, step, drivers, first, results.fled)
            while sold < n_policies and plan.bought[sold] == step:
                days = float(ends[sold] - starts[sold])
                sell(own, numbers, plan.buyer[sold], days, policies[sold], usd, happened)
                for item in range(N_POLICY):
                    written = policies[sold, item * LANES : (item + 1) * LANES]
                    sold_policies[sold, item, lanes] = written
                if starts[sold] == step:
                    start(own, policies[sold])
                open_claims(own, policies[sold], usd)
                sold += 1
            spent = numbers.gas_enter_usd
            spent += numbers.gas_request_usd if step >= numbers.request_step else 0.0
            leave_gas = numbers.gas_leave_usd * numbers.gas_times[step]
            row, out = marks[step, lanes], leaves[step, lanes]
            value_underwriter(own, haircut, spent, leave_gas, row, out)
            if gains.shape[1] > 0:
                split(own, numbers, spent, row, gains, step, first)
            value_miner(own, numbers.cash_usd, bare[step, lanes], covered[step, lanes])
            if step > 0 and step % numbers.period_days == 0:
                period = int(step // numbers.period_days)
                end_period(own, periods[0, period, lanes], periods[1, period, lanes])
            use(own, numbers.leverage, results.utilisation[step, lanes])
            if observed.size > 0:
                observe(own, numbers, price, observed[step], first)
        sources, rest = results.attribution[:, lanes], results.unpaid[lanes]
        exit_at_last(own, numbers, leaves[-1, lanes], sources, rest, results.paid_out[lanes])
        tell(outcomes[:, :, lanes], results.shortfall[lanes])
        totals[OF_SALES, lanes] = own[SOLD : SOLD + LANES]
        totals[OF_PAYOUTS, lanes] = own[PAYOUTS : PAYOUTS + LANES]
        totals[OF_PREMIUMS, lanes] = -own[PREMIUMS : PREMIUMS + LANES]
