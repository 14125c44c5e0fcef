"""What happens to policies: they are sold, settled, marked and voided.

Functions work on LANES paths side by side. `own` has the rows of `rows.Own`, `policy` those of
`Policy` for one policy, both of shape (n_rows * LANES,); `policies` is of shape
(n_policies, n_rows * LANES). Prices of a day are of shape (LANES,), USD per tonne. `events`, of
shape (LANES,), int64, counts claims, triggers, voided and refused covers.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.price_cover.rows import (
    CLEAR,
    DAILY,
    INSURED,
    LOCKED,
    MARKED,
    MISSING,
    OPEN,
    PAID,
    PAYOUT,
    PAYOUTS,
    POOL,
    PREMIUM,
    PREMIUMS,
    RATE,
    SEEN,
    STRIKE,
    TONNES,
    TRIGGER,
    TRIGGERED,
    UNEARNED,
    VOID,
    VOIDED,
)
from simulator.instruments.price_cover.state import MINER, ROOM, Numbers, Schedule
from simulator.jit import inlined, kernel
from simulator.mechanics.cover import available, paid_part, payout, premium_a_day, tonnes_down
from simulator.units import DEAD_BAND, LANES, BoolArray, FloatArray, KindArray, StepArray

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
    own: FloatArray,
    numbers: Numbers,
    buyer: int,
    days: float,
    policy: FloatArray,
    usd: FloatArray,
    events: StepArray,
) -> None:
    """Sell a cover of `days` on each path that has room for it and no triggered policy.

    `own` and `policy` are of shape (n_rows * LANES,), `usd` and `events` of (LANES,).
    """
    is_miner = buyer == MINER
    share = numbers.miner_strike_share if is_miner else numbers.others_strike_share
    fixed = numbers.miner_strike if is_miner else numbers.others_strike
    for k in range(LANES):
        strike = strike_of(share, fixed, usd[k])
        capacity = own[POOL + k] * numbers.leverage
        room = capacity * (1.0 - ROOM) - own[LOCKED + k]
        # the miner knows his tonnes; the others fill the pool up to where they always bring it
        if is_miner:
            tonnes = min(numbers.miner_tonnes, tonnes_down(max(room, 0.0) / strike))
        else:
            wanted = capacity * numbers.others_utilisation * (1.0 - ROOM) - own[LOCKED + k]
            tonnes = tonnes_down(max(wanted, 0.0) / strike)
        insured = tonnes * strike
        too_high = strike > usd[k] * numbers.max_strike_share * (1.0 + ROOM)
        too_small = insured < numbers.min_insured * (1.0 + ROOM)
        # a triggered policy shuts the shop: else the next buyer would insure a loss that is known
        if own[TRIGGERED + k] > numbers.hardly or too_high or too_small:
            events[k] += 1 if is_miner else 0
            continue
        daily = premium_a_day(
            insured, own[LOCKED + k], capacity, numbers.floor, numbers.slope, numbers.ceiling
        )
        policy[TONNES + k], policy[STRIKE + k], policy[INSURED + k] = tonnes, strike, insured
        policy[DAILY + k], policy[PREMIUM + k] = daily, daily * days
        own[LOCKED + k] += insured
        own[UNEARNED + k] += daily * days
        if is_miner:
            own[PREMIUMS + k] += daily * days


@kernel
def settlements(feed_usd: FloatArray, end: int, window: int, out: FloatArray) -> None:
    """Fill `out` with the mean price of the `window` days that end with step `end`.

    Parameters
    ----------
    feed_usd : ndarray of shape (n_steps + 1, LANES), USD per tonne
    out : ndarray of shape (LANES,), USD per tonne
        Written.
    """
    for k in range(LANES):
        out[k] = 0.0
    for step in range(max(0, end - window), end):
        for k in range(LANES):
            out[k] += feed_usd[step, k]
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
    `before` was seen; `days_left` counts the present one. `policy` is of shape (n_rows *
    LANES,), `usd`, `before` and `out` are of shape (LANES,).
    """
    for k in range(LANES):
        policy[SEEN + k] += before[k]
        out[k] = (policy[SEEN + k] + days_left * usd[k]) / window


@kernel
def settle(
    own: FloatArray,
    plan: Schedule,
    first: int,
    step: int,
    policies: FloatArray,
    price: FloatArray,
    outcomes: FloatArray,
    events: StepArray,
) -> None:
    """Settle the policies from `first` on that end on this step, all at once.

    Parameters
    ----------
    price : ndarray of shape (LANES,), USD per tonne
        The settlement.
    outcomes : ndarray of shape (n, 3, LANES)
        Written: rows of `Outcome` for each of `n` policies from `first` on.
    """
    last = first + outcomes.shape[0]
    for k in range(LANES):
        # first what is owed in all: whom the pool pays must not depend on the order
        owed, ending = 0.0, 0.0
        for i in range(first, last):
            if plan.end[i] == step:
                own[RATE + k] -= policies[i, DAILY + k]
                own[TRIGGERED + k] -= policies[i, MARKED + k] * policies[i, INSURED + k]
                owed += payout(policies[i, STRIKE + k], price[k], policies[i, TONNES + k])
                ending += policies[i, INSURED + k]
        if ending == 0.0:
            continue
        there = available(own[POOL + k], ending, own[LOCKED + k])
        for i in range(first, last):
            if plan.end[i] == step:
                claim = payout(policies[i, STRIKE + k], price[k], policies[i, TONNES + k])
                paid = paid_part(claim, owed, there)
                own[POOL + k] -= paid
                own[PAID + k] += paid
                outcomes[i - first, PAYOUT, k] = paid
                outcomes[i - first, MISSING, k] = claim - paid
                own[PAYOUTS + k] += paid if plan.buyer[i] == MINER else 0.0
                events[k] += 1 if claim > 0.0 else 0
        own[LOCKED + k] -= ending


@inlined
def tell(outcomes: FloatArray, shortfall: BoolArray) -> None:
    """Write where a claim was not paid in full.

    Parameters
    ----------
    outcomes : ndarray of shape (n_policies, 3, LANES)
    shortfall : ndarray of bool, shape (LANES,)
        Written.
    """
    for i in range(outcomes.shape[0]):
        for k in range(LANES):
            shortfall[k] |= outcomes[i, MISSING, k] > 0.0


@kernel
def void(
    own: FloatArray,
    trigger_share: float,
    buyer: int,
    step: int,
    policy: FloatArray,
    usd: FloatArray,
    outcome: FloatArray,
    acts: KindArray,
    events: StepArray,
) -> None:
    """Return the premium where the price fell below the trigger before the cover starts.

    Parameters
    ----------
    outcome : ndarray of shape (3, LANES)
        Written where it is voided: rows of `Outcome`.
    acts : ndarray of shape (LANES,), int8, or of size 0
        Written where it is voided: `Act`.
    """
    for k in range(LANES):
        if usd[k] < policy[STRIKE + k] * trigger_share * (1.0 - DEAD_BAND):
            own[LOCKED + k] -= policy[INSURED + k]
            own[UNEARNED + k] -= policy[PREMIUM + k]
            own[PREMIUMS + k] -= policy[PREMIUM + k] if buyer == MINER else 0.0
            # a policy of zeros earns, owes and locks nothing: no later loop has to ask
            for row in range(0, MARKED + LANES, LANES):
                policy[row + k] = 0.0
            outcome[VOIDED, k] = step
            events[k] += 1
            if acts.size > 0:
                acts[k] = VOID


@inlined
def mark(
    own: FloatArray,
    trigger_share: float,
    policy: FloatArray,
    usd: FloatArray,
    before: FloatArray,
) -> bool:
    """Note where a running policy is triggered, and where no longer.

    `usd` is where its settlement stands: the day's price, or that of `standing`. Returns
    whether any mark changed; `before`, of shape (LANES,), takes the marks as they were.
    """
    low = trigger_share * (1.0 - DEAD_BAND)
    high = 1.0 + DEAD_BAND
    changes = 0
    for k in range(LANES):
        strike = policy[STRIKE + k]
        was = policy[MARKED + k]
        # between trigger and strike a mark stays as it is
        now = 1.0 if usd[k] < strike * low else (0.0 if usd[k] >= strike * high else was)
        before[k] = was
        policy[MARKED + k] = now
        changes |= 1 if now != was else 0
    # on most days none changes, and the sums can be left alone
    if changes == 0:
        return False
    for k in range(LANES):
        own[TRIGGERED + k] += (policy[MARKED + k] - before[k]) * policy[INSURED + k]
    return True


@inlined
def open_claims(own: FloatArray, policy: FloatArray, usd: FloatArray) -> None:
    """Add what a policy would be paid where its settlement stands.

    `own` and `policy` are of shape (n_rows * LANES,), `usd` of (LANES,).
    """
    for k in range(LANES):
        own[OPEN + k] += max(policy[STRIKE + k] - usd[k], 0.0) * policy[TONNES + k]


@kernel
def note(policy: FloatArray, before: FloatArray, acts: KindArray, events: StepArray) -> None:
    """Write down what `mark` changed; `acts` as those of `void`.

    `policy` is of shape (n_rows * LANES,), `before`, `acts` and `events` of (LANES,).
    """
    for k in range(LANES):
        if policy[MARKED + k] > before[k]:
            events[k] += 1
            if acts.size > 0:
                acts[k] = TRIGGER
        elif policy[MARKED + k] < before[k] and acts.size > 0:
            acts[k] = CLEAR
