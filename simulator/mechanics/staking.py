"""Reward per token on the values of one path: the twin of `contracts/staking_rewards.vy`.

Stakes are vault shares, rewards are reward tokens, times are days since the start. Functions
take values and return values, as in `mechanics.lending`.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.jit import inlined


class Staking(NamedTuple):
    """State of one staking contract; everything starts at 0."""

    rate_per_day: float
    period_end_day: float
    staked: float
    reward_per_share: float
    carried: float


@inlined
def advance(staking: Staking, since_day: float, day: float) -> Staking:
    """Let rewards flow up to `day`; what flows while nothing is staked is carried."""
    flowed = flow(staking, since_day, day)
    someone = staking.staked > 0.0
    gained = flowed / staking.staked
    return Staking(
        staking.rate_per_day,
        staking.period_end_day,
        staking.staked,
        staking.reward_per_share + (gained if someone else 0.0),
        staking.carried + (0.0 if someone else flowed),
    )


@inlined
def flow(staking: Staking, since_day: float, day: float) -> float:
    """Return the tokens that flow from `since_day` to `day`."""
    end = day if day < staking.period_end_day else staking.period_end_day
    days = end - since_day
    return staking.rate_per_day * (days if days > 0.0 else 0.0)


@inlined
def notify(staking: Staking, tokens: float, day: float, duration_days: float) -> Staking:
    """Start a period that pays `tokens` and what was carried; `advance` comes first."""
    days_left = staking.period_end_day - day
    left_over = staking.rate_per_day * (days_left if days_left > 0.0 else 0.0)
    return Staking(
        (tokens + left_over + staking.carried) / duration_days,
        day + duration_days,
        staking.staked,
        staking.reward_per_share,
        0.0,
    )
