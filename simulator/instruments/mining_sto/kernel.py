"""One day of the token's holder, over steps and paths: stream, payment, default, price, exit.

State stands in rows of LANES numbers, one for each path, so that the loops over them become
vector instructions; what happens on few days has loops of its own. `own` has the rows of
`state.Own`, `now` and `was` (a day ago) those of `state.Seen`, `by` those of `state.From`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.instruments.mining_sto.outages import DayArray, KindArray
from simulator.instruments.mining_sto.payments import TOKENS, close_raise, pay, take_deposits
from simulator.instruments.mining_sto.state import From, Own, Seen
from simulator.instruments.mining_sto.worth import profit_to_come, tonnes_per_price
from simulator.market.elementary import exponential
from simulator.mechanics.jit import inlined, kernel
from simulator.units import LANES, FloatArray

Record = Any
Records = np.ndarray[Any, Any]
FlagArray = npt.NDArray[np.bool_]
StepArray = npt.NDArray[np.int64]

PROFIT, RETURNED, COPPER = int(From.PROFIT), int(From.RETURNED), int(From.COPPER)
ORE_AND_TIME, BY_MOOD, OUTAGE = int(From.ORE_AND_TIME), int(From.MOOD), int(From.OUTAGE)
DELAY, DEFAULT, BY_TRUST = int(From.DELAY), int(From.DEFAULT), int(From.TRUST)
ISSUE, ILLIQUIDITY, GAS = int(From.ISSUE), int(From.ILLIQUIDITY), int(From.GAS)

PART, SHARE, STREAM, ORGANIC = int(Own.PART), int(Own.SHARE), int(Own.STREAM), int(Own.ORGANIC)
DAYS_LEFT, PAID, CASH = int(Own.DAYS_LEFT), int(Own.PAID), int(Own.CASH)
PAR, LEFT, SPENT = int(Own.PAR), int(Own.LEFT), int(Own.SPENT)

TONNES, COMING, WHOLE = int(Seen.TONNES), int(Seen.COMING), int(Seen.WHOLE)
GEARING, MOOD, TRUST, PRICE = (
    int(Seen.GEARING),
    int(Seen.MOOD),
    int(Seen.TRUST),
    int(Seen.PRICE),
)
N_OWN, N_SEEN, N_SOURCES = len(Own), len(Seen), len(From)


@inlined
def subscribe(
    tokens: Records, terms: Record, others_usd: FloatArray, own: FloatArray, events: StepArray
) -> None:
    """Pay the holder's money into escrow, and see who else comes."""
    for k in range(LANES):
        own[CASH, k], own[LEFT, k], own[SPENT, k] = terms.holder_usd, -1.0, terms.gas_enter_usd
        if not close_raise(tokens[k], terms, others_usd[k]):
            events[k] += 1


@inlined
def issue(tokens: Records, terms: Record, own: FloatArray) -> None:
    """Hand out tokens, or the money where the soft cap was missed."""
    for k in range(LANES):
        own[SPENT, k] += terms.gas_claim_usd
        if tokens[k].supply > 0.0:
            own[CASH, k], own[PAR, k] = 0.0, terms.holder_usd
            share_out(tokens[k], terms, own, k)


@inlined
def share_out(tokens: Record, terms: Record, own: FloatArray, k: int) -> None:
    """Set the holder's part of the supply and of the mine's worth."""
    own[PART, k] = terms.holder_usd / terms.token_price / tokens.supply
    own[SHARE, k] = terms.payout_ratio * tokens.sold_share * own[PART, k]


@inlined
def stream(own: FloatArray, by: FloatArray) -> None:
    """Let a day of the running streams flow; the holder has his part of the supply."""
    for k in range(LANES):
        runs = min(own[DAYS_LEFT, k], 1.0)
        flow = runs * own[PART, k] * own[STREAM, k]
        organic = runs * own[PART, k] * own[ORGANIC, k]
        own[DAYS_LEFT, k] -= runs
        own[PAID, k] += flow
        by[PROFIT, k] += organic
        by[RETURNED, k] += flow - organic


@inlined
def distribute(
    tokens: Records,
    terms: Record,
    own: FloatArray,
    profit: FloatArray,
    recorded: FloatArray,
    payments: FloatArray,
    deposits: FloatArray,
    events: StepArray,
) -> None:
    """Pay out the period's profit where the operator still pays; the holder withdraws."""
    for k in range(LANES):
        if tokens[k].supply == 0.0:
            continue
        own[SPENT, k] += terms.gas_claim_usd
        if own[LEFT, k] >= 0.0:
            continue
        believed = tokens[k].kept
        deposits[k] = take_deposits(tokens[k], terms)
        recorded[k], payments[k], organic = pay(tokens[k], terms, profit[k])
        share_out(tokens[k], terms, own, k)
        own[STREAM, k] = payments[k] / terms.stream_days
        own[ORGANIC, k] = organic / terms.stream_days
        own[DAYS_LEFT, k] = terms.stream_days
        if tokens[k].kept < believed:
            events[k] += 1


@inlined
def quote(own: FloatArray, now: FloatArray, k: int) -> None:
    """Price the holding: what it is worth, or was issued at as far as that is believed."""
    unstreamed = own[PART, k] * own[STREAM, k] * own[DAYS_LEFT, k]
    alive = own[LEFT, k] < 0.0
    claim = own[SHARE, k] * now[WHOLE, k] if alive else own[LEFT, k]
    believed, mood = now[TRUST, k], now[MOOD, k]
    gearing = mood * (1.0 - believed) * own[SHARE, k]
    now[GEARING, k] = gearing if alive and now[WHOLE, k] > 0.0 else 0.0
    now[PRICE, k] = mood * (claim + believed * (own[PAR, k] - claim) + unstreamed)


@inlined
def stop_paying(
    tokens: Records,
    terms: Record,
    default_step: StepArray,
    step: int,
    own: FloatArray,
    now: FloatArray,
    by: FloatArray,
    events: StepArray,
) -> None:
    """Let the operators whose day it is default; what streams already goes on."""
    for k in range(LANES):
        if default_step[k] != step or tokens[k].supply == 0.0:
            continue
        claim, mood, believed = own[SHARE, k] * now[WHOLE, k], now[MOOD, k], now[TRUST, k]
        left = terms.recovery * claim
        lost = mood * (1.0 - believed) * (claim - left)
        broken = mood * believed * (own[PAR, k] - left)
        own[LEFT, k], tokens[k].kept, now[TRUST, k] = left, 0.0, 0.0
        by[DEFAULT, k] -= lost
        by[BY_TRUST, k] -= broken
        by[ORE_AND_TIME, k] += lost + broken
        events[k] += 1
        quote(own, now, k)


@inlined
def disbelieve(own: FloatArray, now: FloatArray, was: FloatArray, by: FloatArray) -> None:
    """Book what a promise broken today takes from the price."""
    for k in range(LANES):
        if now[TRUST, k] < was[TRUST, k] and own[LEFT, k] < 0.0:
            above = own[PAR, k] - own[SHARE, k] * now[WHOLE, k]
            broken = now[MOOD, k] * (was[TRUST, k] - now[TRUST, k]) * above
            by[BY_TRUST, k] -= broken
            by[ORE_AND_TIME, k] += broken


@inlined
def explain(
    now: FloatArray,
    was: FloatArray,
    by: FloatArray,
    k: int,
    copper_change: float,
    accrued_change: float,
    waited: float,
    halted: float,
) -> None:
    """Split the day's change of price by source; what is left is ore, output and time.

    `waited` is the change of discount by waiting longer than a day ago was thought, `halted`
    1 where the mine stands and 0 where it does not.
    """
    gearing = was[GEARING, k]
    by_copper = gearing * was[TONNES, k] * copper_change
    late = gearing * was[COMING, k] * waited
    out = halted * (late + gearing * accrued_change)
    late *= 1.0 - halted
    swing = now[PRICE, k] * (1.0 - was[MOOD, k] / now[MOOD, k])
    by[COPPER, k] += by_copper
    by[OUTAGE, k] += out
    by[DELAY, k] += late
    by[BY_MOOD, k] += swing
    by[ORE_AND_TIME, k] += now[PRICE, k] - was[PRICE, k] - by_copper - out - late - swing


@kernel
def run(
    terms: Record,
    base: FloatArray,
    slope: FloatArray,
    discount: FloatArray,
    reversion: FloatArray,
    long_run: float,
    copper_usd: FloatArray,
    accrued: FloatArray,
    profit: FloatArray,
    halted: KindArray,
    deferred: DayArray,
    begins: StepArray,
    ends: FlagArray,
    others_usd: FloatArray,
    default_step: StepArray,
    noise: FloatArray,
    mark: FloatArray,
    leave: FloatArray,
    paid: FloatArray,
    price: FloatArray,
    last_price: FloatArray,
    attribution: FloatArray,
    gains: FloatArray,
    recorded: FloatArray,
    payments: FloatArray,
    deposits: FloatArray,
    events: StepArray,
) -> None:
    """Run all paths of a block over all steps.

    Parameters
    ----------
    terms : record of TERMS
    base, slope, discount, reversion : ndarray
        Tables of `worth`.
    copper_usd, accrued, halted, deferred, noise : ndarray of shape (n_steps + 1, n_paths)
        n_paths is a multiple of LANES.
    profit : ndarray of shape (n_periods, n_paths)
    begins, others_usd, default_step : ndarray of shape (n_paths,)
    ends : ndarray of shape (n_steps + 1,)
        Whether a period ends on the step; the first one ends with the close of the raise.
    mark, leave, paid, price : ndarray of shape (n_steps + 1, n_paths)
        Written: value at mark and at exit with all that was received, what was received, and
        the price of the holder's tokens; the last only where it has steps.
    last_price : ndarray of shape (n_paths,)
        Written: that price on the last step.
    attribution : ndarray of shape (n_sources, n_paths)
        Added to.
    gains : ndarray of shape (n_sources, n_steps + 1, n_paths)
        Written where it has steps: gains up to each step, without the costs of leaving.
    recorded, payments, deposits : ndarray of shape (n_periods, n_paths)
        Written where there are any: the holders' profit, what is paid, new tokens sold, USD.
    events : ndarray of shape (n_paths,), int64
        Added to: a failed raise, outages, a default, a broken promise.
    """
    n_rows, close = copper_usd.shape[0], int(terms.close)
    for first in range(0, copper_usd.shape[1], LANES):
        lanes = slice(first, first + LANES)
        tokens, own = np.zeros(LANES, TOKENS), np.zeros((N_OWN, LANES))
        now, was = np.zeros((N_SEEN, LANES)), np.zeros((N_SEEN, LANES))
        by, happened = np.zeros((N_SOURCES, LANES)), events[lanes]
        starts, defaults, period = begins[lanes], default_step[lanes], 0
        subscribe(tokens, terms, others_usd[lanes], own, happened)
        for step in range(n_rows):
            now, was = was, now
            usd, profits, stands = (
                copper_usd[step, lanes],
                accrued[step, lanes],
                halted[step, lanes],
            )
            wait, moods = deferred[step, lanes], noise[step, lanes]
            if step == close:
                issue(tokens, terms, own)
                period = 1
            elif step > close:
                stream(own, by)
                if ends[step]:
                    distribute(
                        tokens,
                        terms,
                        own,
                        profit[period, lanes],
                        recorded[period, lanes],
                        payments[period, lanes],
                        deposits[period, lanes],
                        happened,
                    )
                    period += 1
            for k in range(LANES):
                worked, missed = max(0, step - starts[k]), wait[k]
                tonnes = tonnes_per_price(slope, discount, reversion, worked, missed)
                coming = profit_to_come(base, discount, tonnes, worked, missed, usd[k] - long_run)
                now[TONNES, k], now[COMING, k] = tonnes, coming
                now[WHOLE, k] = max(0.0, coming + profits[k])
                now[MOOD, k] = exponential(moods[k])
                now[TRUST, k] = was[TRUST, k]
            if step == close or (step > close and ends[step]):
                for k in range(LANES):
                    now[TRUST, k] = terms.trust * tokens[k].kept
            for k in range(LANES):
                quote(own, now, k)
            stop_paying(tokens, terms, defaults, step, own, now, by, happened)
            if step == close:
                for k in range(LANES):
                    if tokens[k].supply > 0.0:
                        by[ISSUE, k] += now[PRICE, k] - terms.holder_usd
            elif step > close:
                before, thought = copper_usd[step - 1, lanes], deferred[step - 1, lanes]
                earlier, stood = accrued[step - 1, lanes], halted[step - 1, lanes]
                same_period = 0.0 if ends[step] else 1.0
                for k in range(LANES):
                    waited = discount[wait[k]] / discount[max(thought[k] - 1, 0)] - 1.0
                    stopped = 1.0 if stands[k] > 0 else 0.0
                    explain(
                        now,
                        was,
                        by,
                        k,
                        usd[k] - before[k],
                        same_period * (profits[k] - earlier[k]),
                        waited,
                        stopped,
                    )
                    began = stands[k] > 0 and stood[k] == 0 and own[PART, k] > 0.0
                    happened[k] += 1 if began else 0
                if ends[step]:
                    disbelieve(own, now, was, by)
            rate = terms.lockup_discount if step < terms.lockup_end else terms.discount
            marks, leaves, received = mark[step, lanes], leave[step, lanes], paid[step, lanes]
            for k in range(LANES):
                cash = own[CASH, k] + own[PAID, k] - own[SPENT, k]
                exit_gas = terms.gas_leave_usd if own[PART, k] > 0.0 else 0.0
                marks[k] = now[PRICE, k] + cash
                leaves[k] = now[PRICE, k] * (1.0 - rate) + cash - exit_gas
                received[k] = own[PAID, k]
            if gains.shape[1] > 0:
                for row in range(N_SOURCES):
                    gains[row, step, lanes] = by[row]
                gains[GAS, step, lanes] = -own[SPENT]
            if price.shape[0] > 0:
                price[step, lanes] = now[PRICE]
        for k in range(LANES):
            exit_gas = terms.gas_leave_usd if own[PART, k] > 0.0 else 0.0
            by[ILLIQUIDITY, k] -= now[PRICE, k] * rate
            by[GAS, k] -= own[SPENT, k] + exit_gas
        last_price[lanes] = now[PRICE]
        for row in range(N_SOURCES):
            attribution[row, lanes] += by[row]
