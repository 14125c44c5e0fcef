"""A pool and a miner day by day, over steps and paths.

State stands in rows of LANES numbers, one for each path, so that the loops of every day become
vector instructions; what happens on few days has loops of its own (`policies`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.instruments.price_cover.policies import (
    mark,
    note,
    open_claims,
    sell,
    settle,
    settlements,
    standing,
    void,
)
from simulator.instruments.price_cover.state import From, Observed, Own, Policy
from simulator.jit import inlined, kernel
from simulator.mechanics.cover import dollars_down
from simulator.units import LANES, BoolArray, FloatArray

Record = Any
StepArray = npt.NDArray[np.int64]
ActArray = npt.NDArray[np.int8]

POOL, LOCKED, RATE = int(Own.POOL), int(Own.LOCKED), int(Own.RATE)
UNEARNED, TRIGGERED, OPEN = int(Own.UNEARNED), int(Own.TRIGGERED), int(Own.OPEN)
EARNED, PAID = int(Own.EARNED), int(Own.PAID)
PREMIUMS, PAYOUTS, SOLD = int(Own.PREMIUMS), int(Own.PAYOUTS), int(Own.SOLD)
COVERED_BEFORE, SOLD_BEFORE = int(Own.COVERED_BEFORE), int(Own.SOLD_BEFORE)
TONNES, STRIKE, DAILY = int(Policy.TONNES), int(Policy.STRIKE), int(Policy.DAILY)
PREMIUM, MARKED = int(Policy.PREMIUM), int(Policy.MARKED)
N_OWN, N_POLICY, N_SOURCES = len(Own), len(Policy), len(From)
BY_PREMIUMS, BY_CLAIMS = int(From.PREMIUMS), int(From.CLAIMS)
BY_OPEN, BY_ILLIQUIDITY, BY_GAS = int(From.OPEN_CLAIMS), int(From.ILLIQUIDITY), int(From.GAS)
TOTAL_ASSETS, ALL_LOCKED = int(Observed.TOTAL_ASSETS), int(Observed.LOCKED)
ALL_UNEARNED, ALL_TRIGGERED = int(Observed.UNEARNED), int(Observed.TRIGGERED)
UTILISATION, EXIT_VALUE = int(Observed.UTILISATION), int(Observed.EXIT_VALUE)
SETTLEMENT = int(Observed.SETTLEMENT)
MINER_PREMIUMS, MINER_PAYOUTS = int(Observed.MINER_PREMIUMS), int(Observed.MINER_PAYOUTS)


@inlined
def earn(own: FloatArray) -> None:
    """Let a day's premiums become the pool's."""
    for k in range(LANES):
        rate = own[RATE, k]
        own[POOL, k] += rate
        own[UNEARNED, k] -= rate
        own[EARNED, k] += rate


@inlined
def leave_now(own: FloatArray, terms: Record, k: int) -> float:
    """Return what a claim of the underwriter's whole request is worth, and no more than is free."""
    certain = max(0.0, own[POOL, k] - own[TRIGGERED, k]) * (terms.holder_usd / terms.pool_usd)
    free = max(0.0, own[POOL, k] - own[LOCKED, k] / terms.leverage)
    return float(min(certain, free))


@kernel
def exit_at_last(
    own: FloatArray,
    terms: Record,
    leave: FloatArray,
    by: FloatArray,
    unpaid: FloatArray,
    paid_out: FloatArray,
) -> None:
    """Claim at the last step; what is not paid stays at mark less the haircut.

    Who claims while a policy is triggered gives up his part of its whole sum insured; he
    waits instead.
    """
    share = terms.holder_usd / terms.pool_usd
    for k in range(LANES):
        certain = share * max(0.0, own[POOL, k] - own[TRIGGERED, k])
        claims = terms.can_claim > 0.0 and own[TRIGGERED, k] <= terms.hardly
        worth = leave_now(own, terms, k)
        paid = dollars_down(worth) if claims else 0.0
        paid_out[k] = paid
        left = 1.0 - worth / certain if paid > 0.0 else 1.0
        unpaid[k] = left * share * max(0.0, own[POOL, k] - own[OPEN, k])
        by[BY_PREMIUMS, k] = share * own[EARNED, k]
        by[BY_CLAIMS, k] = -share * own[PAID, k]
        by[BY_OPEN, k] = paid + unpaid[k] - share * own[POOL, k]
        by[BY_ILLIQUIDITY, k] = -terms.haircut * unpaid[k]
        gas = terms.gas_enter_usd + terms.gas_request_usd
        gas += terms.gas_leave_usd if paid > 0.0 else 0.0
        by[BY_GAS, k] = -gas
        leave[k] = paid + (1.0 - terms.haircut) * unpaid[k] - gas


@kernel
def observe(
    own: FloatArray, terms: Record, price: FloatArray, seen: FloatArray, first: int
) -> None:
    """Write down what the replay compares."""
    for k in range(LANES):
        row = seen[first + k]
        row[TOTAL_ASSETS], row[ALL_LOCKED] = own[POOL, k], own[LOCKED, k]
        row[ALL_UNEARNED], row[ALL_TRIGGERED] = own[UNEARNED, k], own[TRIGGERED, k]
        capacity = own[POOL, k] * terms.leverage
        row[UTILISATION] = own[LOCKED, k] / capacity if capacity > 0.0 else 0.0
        row[EXIT_VALUE], row[SETTLEMENT] = leave_now(own, terms, k), price[k]
        row[MINER_PREMIUMS], row[MINER_PAYOUTS] = own[PREMIUMS, k], own[PAYOUTS, k]


@kernel
def run(
    terms: Record,
    buyers: StepArray,
    bought: StepArray,
    starts: StepArray,
    ends: StepArray,
    posted: BoolArray,
    copper_usd: FloatArray,
    marks: FloatArray,
    leaves: FloatArray,
    covered: FloatArray,
    bare: FloatArray,
    utilisation: FloatArray,
    periods: FloatArray,
    gains: FloatArray,
    sold_policies: FloatArray,
    outcomes: FloatArray,
    attribution: FloatArray,
    unpaid: FloatArray,
    paid_out: FloatArray,
    totals: FloatArray,
    events: StepArray,
    acts: ActArray,
    observed: FloatArray,
) -> None:
    """Run all paths of a block over all steps.

    Parameters
    ----------
    terms : record of TERMS
    buyers, bought, starts, ends : ndarray of shape (n_policies,)
        The schedule.
    posted : ndarray of bool, shape (n_steps + 1,)
        Whether the feed has a new round on the step.
    copper_usd : ndarray of shape (n_steps + 1, n_paths)
        n_paths is a multiple of LANES.
    marks, leaves, covered, bare : ndarray of shape (n_steps + 1, n_paths)
        Written: the underwriter at mark and at exit, the miner's cash with and without cover.
    utilisation : ndarray of shape (n_steps + 1, n_paths)
        Written: sums insured over capacity.
    periods : ndarray of shape (2, n_periods + 1, n_paths)
        Written from row 1 on: the miner's cash flow of a period with and without cover.
    gains : ndarray of shape (5, n_steps + 1, n_paths)
        Written where it has steps: the underwriter's gains up to each step by source, without
        the costs of leaving.
    sold_policies : ndarray of shape (n_policies, 6, n_paths)
        Written: rows of `state.Policy` as they were sold.
    outcomes : ndarray of shape (n_policies, 3, n_paths)
        Added to: rows of `state.Outcome`.
    attribution : ndarray of shape (5, n_paths)
        Written: the underwriter's sources.
    unpaid, paid_out : ndarray of shape (n_paths,)
        Written: what the underwriter could not claim at the end, at mark, and what he could.
    totals : ndarray of shape (3, n_paths)
        Written: the miner's sales, payouts, premiums.
    events : ndarray of shape (n_paths,), int64
        Added to.
    acts : ndarray of shape (n_steps + 1, n_policies, n_paths), int8, or of size 0
        Written if it has any: `state.Act`.
    observed : ndarray of shape (n_steps + 1, n_paths, n_observed), or of size 0
        Written if it has any.
    """
    n_rows, n_policies, window = copper_usd.shape[0], len(buyers), int(terms.window_days)
    share = terms.holder_usd / terms.pool_usd
    no_acts = np.empty(0, np.int8)
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        own = np.zeros((N_OWN, LANES))
        policies = np.zeros((n_policies, N_POLICY, LANES))
        price, before, happened = np.zeros(LANES), np.zeros(LANES), events[lanes]
        stands = np.zeros(LANES)
        own[POOL, :] = terms.pool_usd
        live, sold = 0, 0
        for step in range(n_rows):
            usd = copper_usd[step, lanes]
            if step > 0:
                earn(own)
                for k in range(LANES):
                    own[SOLD, k] += terms.tonnes_a_day * (usd[k] - terms.aisc)
            is_due = False
            for i in range(live, sold):
                if starts[i] == step:
                    for k in range(LANES):
                        own[RATE, k] += policies[i, DAILY, k]
                is_due = is_due or ends[i] == step
            if is_due:
                settlements(copper_usd[:, lanes], step, window, price)
                ended = outcomes[live:sold, :, lanes]
                settle(buyers, ends, live, step, own, policies, price, ended, happened)
                while live < sold and ends[live] <= step:
                    live += 1
            own[OPEN, :] = 0.0
            for i in range(live, sold):
                if ends[i] <= step:
                    continue
                done = acts[step, i, lanes] if acts.size > 0 else no_acts
                at = usd
                if step > ends[i] - window:
                    yesterday, left = copper_usd[step - 1, lanes], ends[i] - step
                    standing(policies[i], usd, yesterday, left, window, stands)
                    at = stands
                if starts[i] > step and posted[step]:
                    after = outcomes[i, :, lanes]
                    void(terms, buyers[i], step, own, policies[i], usd, after, done, happened)
                elif starts[i] <= step and mark(terms, own, policies[i], at, before):
                    note(policies[i], before, done, happened)
                open_claims(own, policies[i], at)
            while sold < n_policies and bought[sold] == step:
                days = float(ends[sold] - starts[sold])
                sell(terms, buyers[sold], days, own, policies[sold], usd, happened)
                sold_policies[sold, :, lanes] = policies[sold]
                if starts[sold] == step:
                    for k in range(LANES):
                        own[RATE, k] += policies[sold, DAILY, k]
                open_claims(own, policies[sold], usd)
                sold += 1
            spent = terms.gas_enter_usd
            spent += terms.gas_request_usd if step >= terms.request_step else 0.0
            to_leave = terms.gas_leave_usd
            row, out = marks[step, lanes], leaves[step, lanes]
            for k in range(LANES):
                row[k] = share * max(0.0, own[POOL, k] - own[OPEN, k]) - spent
            for k in range(LANES):
                out[k] = row[k] - terms.haircut * (row[k] + spent) - to_leave
            if gains.shape[1] > 0:
                for k in range(LANES):
                    earned, paid = share * own[EARNED, k], share * own[PAID, k]
                    gains[BY_PREMIUMS, step, first + k] = earned
                    gains[BY_CLAIMS, step, first + k] = -paid
                    before_claims = terms.holder_usd + earned - paid
                    gains[BY_OPEN, step, first + k] = row[k] + spent - before_claims
                    gains[BY_ILLIQUIDITY, step, first + k] = 0.0
                    gains[BY_GAS, step, first + k] = -spent
            row, out = bare[step, lanes], covered[step, lanes]
            for k in range(LANES):
                row[k] = terms.cash_usd + own[SOLD, k]
            for k in range(LANES):
                out[k] = row[k] + own[PAYOUTS, k] - own[PREMIUMS, k]
            if step > 0 and step % terms.period_days == 0:
                period = int(step // terms.period_days)
                for k in range(LANES):
                    net = own[SOLD, k] + own[PAYOUTS, k] - own[PREMIUMS, k]
                    periods[0, period, first + k] = net - own[COVERED_BEFORE, k]
                    periods[1, period, first + k] = own[SOLD, k] - own[SOLD_BEFORE, k]
                    own[COVERED_BEFORE, k], own[SOLD_BEFORE, k] = net, own[SOLD, k]
            row = utilisation[step, lanes]
            for k in range(LANES):
                row[k] = own[LOCKED, k] / max(own[POOL, k] * terms.leverage, 1e-6)
            if observed.size > 0:
                observe(own, terms, price, observed[step], first)
        sources, rest = attribution[:, lanes], unpaid[lanes]
        exit_at_last(own, terms, leaves[-1, lanes], sources, rest, paid_out[lanes])
        totals[0, lanes] = own[SOLD]
        totals[1, lanes] = own[PAYOUTS]
        totals[2, lanes] = -own[PREMIUMS]
