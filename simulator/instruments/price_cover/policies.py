"""What happens to policies: they are sold, settled, marked and voided.

Rows of numbers, one for each path of LANES: `own` has those of `state.Own`, `policy` those of
`state.Policy` for one policy, `events` counts claims, triggers, voided and refused covers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.instruments.price_cover.state import (
    DEAD_BAND,
    MINER,
    ROOM,
    Act,
    Outcome,
    Own,
    Policy,
)
from simulator.jit import inlined, kernel
from simulator.mechanics.cover import available, paid_part, payout, premium_a_day, tonnes_down
from simulator.units import LANES, FloatArray

Record = Any
StepArray = npt.NDArray[np.int64]
ActArray = npt.NDArray[np.int8]

POOL, LOCKED, RATE = int(Own.POOL), int(Own.LOCKED), int(Own.RATE)
UNEARNED, TRIGGERED, OPEN = int(Own.UNEARNED), int(Own.TRIGGERED), int(Own.OPEN)
PAID = int(Own.PAID)
PAYOUT, MISSING, VOIDED = int(Outcome.PAYOUT), int(Outcome.MISSING), int(Outcome.VOIDED)
PREMIUMS, PAYOUTS = int(Own.PREMIUMS), int(Own.PAYOUTS)
TONNES, STRIKE, INSURED = int(Policy.TONNES), int(Policy.STRIKE), int(Policy.INSURED)
DAILY, PREMIUM = int(Policy.DAILY), int(Policy.PREMIUM)
MARKED, SEEN = int(Policy.MARKED), int(Policy.SEEN)
TRIGGER, CLEAR, VOID = int(Act.TRIGGER), int(Act.CLEAR), int(Act.VOID)
CENTS = 100.0
STRIKE_FUZZ = 1e-6
"""Of a cent: a strike that is meant to be a whole cent is one."""


@inlined
def strike_of(share: float, fixed: float, price: float) -> float:
    """Return the strike, a share of the price in whole cents, or the fixed one."""
    strike: float = np.floor(share * price * CENTS + STRIKE_FUZZ) / CENTS
    return fixed if fixed > 0.0 else strike


@kernel
def sell(
    terms: Record,
    buyer: int,
    days: float,
    own: FloatArray,
    policy: FloatArray,
    usd: FloatArray,
    events: StepArray,
) -> None:
    """Sell a cover on each path that has room for it and no triggered policy."""
    is_miner = buyer == MINER
    share = terms.miner_strike_share if is_miner else terms.others_strike_share
    fixed = terms.miner_strike if is_miner else terms.others_strike
    for k in range(LANES):
        strike = strike_of(share, fixed, usd[k])
        capacity = own[POOL, k] * terms.leverage
        room = capacity * (1.0 - ROOM) - own[LOCKED, k]
        if is_miner:
            tonnes = min(terms.miner_tonnes, tonnes_down(max(room, 0.0) / strike))
        else:
            wanted = capacity * terms.others_utilisation * (1.0 - ROOM) - own[LOCKED, k]
            tonnes = tonnes_down(max(wanted, 0.0) / strike)
        insured = tonnes * strike
        too_high = strike > usd[k] * terms.max_strike_share * (1.0 + ROOM)
        too_small = insured < terms.min_insured * (1.0 + ROOM)
        if own[TRIGGERED, k] > terms.hardly or too_high or too_small:
            events[k] += 1 if is_miner else 0
            continue
        daily = premium_a_day(
            insured, own[LOCKED, k], capacity, terms.floor, terms.slope, terms.ceiling
        )
        policy[TONNES, k], policy[STRIKE, k], policy[INSURED, k] = tonnes, strike, insured
        policy[DAILY, k], policy[PREMIUM, k] = daily, daily * days
        own[LOCKED, k] += insured
        own[UNEARNED, k] += daily * days
        if is_miner:
            own[PREMIUMS, k] += daily * days


@kernel
def settlements(copper_usd: FloatArray, end: int, window: int, out: FloatArray) -> None:
    """Fill `out` with the mean price of the `window` days that end with step `end`."""
    for k in range(LANES):
        out[k] = 0.0
    for step in range(max(0, end - window), end):
        for k in range(LANES):
            out[k] += copper_usd[step, k]
    for k in range(LANES):
        out[k] /= min(window, end)


@kernel
def standing(
    policy: FloatArray,
    usd: FloatArray,
    before: FloatArray,
    days_left: int,
    window: int,
    out: FloatArray,
) -> None:
    """Write where a settlement stands whose window has begun: its mean if the price stays.

    To be called once on each day of the window but its first, when the price of the day
    `before` was seen; `days_left` counts the present one.
    """
    for k in range(LANES):
        policy[SEEN, k] += before[k]
        out[k] = (policy[SEEN, k] + days_left * usd[k]) / window


@kernel
def settle(
    buyers: StepArray,
    ends: StepArray,
    first: int,
    step: int,
    own: FloatArray,
    policies: FloatArray,
    price: FloatArray,
    outcomes: FloatArray,
    events: StepArray,
) -> None:
    """Settle the policies from `first` on that end on this step, all at once.

    `outcomes` has the rows of `state.Outcome` for each policy from `first` on.
    """
    last = first + outcomes.shape[0]
    for k in range(LANES):
        owed, ending = 0.0, 0.0
        for i in range(first, last):
            if ends[i] == step:
                own[RATE, k] -= policies[i, DAILY, k]
                own[TRIGGERED, k] -= policies[i, MARKED, k] * policies[i, INSURED, k]
                owed += payout(policies[i, STRIKE, k], price[k], policies[i, TONNES, k])
                ending += policies[i, INSURED, k]
        if ending == 0.0:
            continue
        there = available(own[POOL, k], ending, own[LOCKED, k])
        for i in range(first, last):
            if ends[i] == step:
                claim = payout(policies[i, STRIKE, k], price[k], policies[i, TONNES, k])
                paid = paid_part(claim, owed, there)
                own[POOL, k] -= paid
                own[PAID, k] += paid
                outcomes[i - first, PAYOUT, k] = paid
                outcomes[i - first, MISSING, k] = claim - paid
                own[PAYOUTS, k] += paid if buyers[i] == MINER else 0.0
                events[k] += 1 if claim > 0.0 else 0
        own[LOCKED, k] -= ending


@kernel
def void(
    terms: Record,
    buyer: int,
    step: int,
    own: FloatArray,
    policy: FloatArray,
    usd: FloatArray,
    outcome: FloatArray,
    acts: ActArray,
    events: StepArray,
) -> None:
    """Return the premium where the price fell below the trigger before the cover starts."""
    for k in range(LANES):
        if usd[k] < policy[STRIKE, k] * terms.trigger_share * (1.0 - DEAD_BAND):
            own[LOCKED, k] -= policy[INSURED, k]
            own[UNEARNED, k] -= policy[PREMIUM, k]
            own[PREMIUMS, k] -= policy[PREMIUM, k] if buyer == MINER else 0.0
            for row in range(MARKED + 1):
                policy[row, k] = 0.0
            outcome[VOIDED, k] = step
            events[k] += 1
            if acts.size > 0:
                acts[k] = VOID


@inlined
def mark(
    terms: Record, own: FloatArray, policy: FloatArray, usd: FloatArray, before: FloatArray
) -> bool:
    """Note where a running policy is triggered, and where no longer.

    `usd` is where its settlement stands: the day's price, or that of `standing`. Returns
    whether any mark changed; `before` has the marks as they were.
    """
    low = terms.trigger_share * (1.0 - DEAD_BAND)
    high = 1.0 + DEAD_BAND
    changes = 0
    for k in range(LANES):
        strike = policy[STRIKE, k]
        was = policy[MARKED, k]
        now = 1.0 if usd[k] < strike * low else (0.0 if usd[k] >= strike * high else was)
        before[k] = was
        policy[MARKED, k] = now
        changes |= 1 if now != was else 0
    if changes == 0:
        return False
    for k in range(LANES):
        own[TRIGGERED, k] += (policy[MARKED, k] - before[k]) * policy[INSURED, k]
    return True


@inlined
def open_claims(own: FloatArray, policy: FloatArray, usd: FloatArray) -> None:
    """Add what a policy would be paid where its settlement stands."""
    for k in range(LANES):
        own[OPEN, k] += max(policy[STRIKE, k] - usd[k], 0.0) * policy[TONNES, k]


@kernel
def note(policy: FloatArray, before: FloatArray, acts: ActArray, events: StepArray) -> None:
    """Write down what `mark` changed."""
    for k in range(LANES):
        if policy[MARKED, k] > before[k]:
            events[k] += 1
            if acts.size > 0:
                acts[k] = TRIGGER
        elif policy[MARKED, k] < before[k] and acts.size > 0:
            acts[k] = CLEAR
