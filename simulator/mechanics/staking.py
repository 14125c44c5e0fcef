"""Reward per token, one path at a time: the twin of `contracts/staking_rewards.vy`.

State is a record of `STAKING`. Stakes are vault shares, rewards are reward tokens, times
are days since the start.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.mechanics.jit import inlined

Record = Any
"""A numpy record of the dtype that the function's docstring names."""

STAKING = np.dtype(
    [
        ("rate_per_day", np.float64),
        ("period_end_day", np.float64),
        ("updated_day", np.float64),
        ("staked", np.float64),
        ("reward_per_share", np.float64),
        ("carried", np.float64),
    ]
)
"""State of one staking contract; everything starts at 0."""


@inlined
def advance(staking: Record, day: float) -> None:
    """Let rewards flow up to `day`; what flows while nothing is staked is carried."""
    end = min(day, staking.period_end_day)
    flowed = staking.rate_per_day * max(0.0, end - staking.updated_day)
    staking.updated_day = day
    if staking.staked > 0.0:
        staking.reward_per_share += flowed / staking.staked
    else:
        staking.carried += flowed


@inlined
def notify(staking: Record, tokens: float, day: float, duration_days: float) -> None:
    """Start a period that pays `tokens` and what was carried; `advance` comes first."""
    left_over = staking.rate_per_day * max(0.0, staking.period_end_day - day)
    staking.rate_per_day = (tokens + left_over + staking.carried) / duration_days
    staking.period_end_day = day + duration_days
    staking.carried = 0.0
