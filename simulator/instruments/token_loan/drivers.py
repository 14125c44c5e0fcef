"""What happens to the loans from outside: what the market reads, utilisation, failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, unique

import numpy as np

from simulator.instruments.base import TokenPrices
from simulator.instruments.model import Blow, absent
from simulator.instruments.registry import labelled, stream_of
from simulator.instruments.token_loan.terms import MOST_USED, TokenLoanTerms
from simulator.jit import kernel
from simulator.market.events import first_event
from simulator.market.normals import normal_paths
from simulator.market.philox import uniforms4
from simulator.mechanics.rows import empty_apart
from simulator.units import DAYS_PER_YEAR, FEED_DECIMALS, BoolArray, FloatArray, StepArray

FEED_UNITS = 10.0**FEED_DECIMALS


@unique
class Stream(IntEnum):
    """Numbers of the loans' random streams; see `market.streams` for all others."""

    UTILISATION = 180
    SPIKE = 181
    DEPLOYED = 182


@dataclass(frozen=True)
class TokenLoanDrivers:
    """Arrays of shape (n_steps + 1, n_paths) unless said otherwise.

    Attributes
    ----------
    label : str
    prices : TokenPrices
        Metal and token, USDC.
    feed_usdc : ndarray
        What the market reads for a token, USDC.
    utilisation : ndarray
        What other borrowers bring the market to, 0 to 1.
    fails : ndarray of shape (n_loans, n_paths), int64
        Step on which a loan's deployed dollars fail; beyond the horizon where they do not.
    away : ndarray of bool, or of shape (0, 0)
        Where no keeper acts.
    """

    label: str
    prices: TokenPrices
    feed_usdc: FloatArray
    utilisation: FloatArray
    fails: StepArray
    away: BoolArray = field(default_factory=lambda: absent(()))

    def lane(self, k: int) -> TokenLoanDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return TokenLoanDrivers(
            self.label,
            self.prices.lane(k),
            self.feed_usdc[:, one],
            self.utilisation[:, one],
            self.fails[:, one],
            self.away[:, one],
        )


def draw_drivers(
    terms: TokenLoanTerms,
    label: str,
    prices: TokenPrices,
    seed: int,
    first_path: int,
    *,
    kept_away: Sequence[Blow] = (),
    used: Sequence[Blow] = (),
    failed: Sequence[Blow] = (),
) -> TokenLoanDrivers:
    """Return the drivers of a block of paths, beginning with path `first_path`.

    Parameters
    ----------
    kept_away, used, failed : sequence of Blow
        Shocks: keepers who are away; a utilisation to which others bring the market; the failure
        of who has deployed dollars, of which the first one counts.
    """
    streams = {number: stream_of(number, "token_loan", label) for number in Stream}
    feed = prices.feed_usd
    if terms.price == "exchange":
        # a feed says at least one unit: zero would be no price
        feed = np.maximum(prices.token_usd, 1.0 / FEED_UNITS)
        hazard, depth = terms.exchange.spike_hazard, terms.exchange.spike_depth
        _spike(feed, seed, streams[Stream.SPIKE], first_path, hazard / DAYS_PER_YEAR, depth)
    n_rows, n_paths = feed.shape
    normals = normal_paths(seed, streams[Stream.UTILISATION], first_path, n_rows - 1, n_paths)
    wanted = empty_apart(feed.shape, 6)
    own = terms.utilisation
    keep = 0.5 ** (1.0 / own.half_life_days)
    _revert(normals, own.mean, keep, own.deviation * float(np.sqrt(1.0 - keep**2)), wanted)
    fails = [
        first_event(
            seed,
            labelled(Stream.DEPLOYED, f"{label}-{name}"),
            first_path,
            n_paths,
            loan.deployed.hazard,
        )
        for name, loan in terms.loans.items()
    ]
    for blow in used:
        wanted += blow.weight * (blow.amount - wanted)
    steps = np.stack(fails)
    for blow in failed:
        steps = np.minimum(steps, blow.begins)
    return TokenLoanDrivers(label, prices, feed, wanted, steps, absent(kept_away))


@kernel
def _revert(normals: FloatArray, mean: float, keep: float, shock: float, out: FloatArray) -> None:
    """Write a level that returns to its mean, `keep` of a gap a day, within its bounds.

    `normals` and `out` are of shape (n_steps + 1, n_paths); the first day is at the mean.
    """
    for step in range(out.shape[0]):
        for k in range(out.shape[1]):
            level = mean
            if step > 0:
                level = mean + keep * (out[step - 1, k] - mean) + shock * normals[step, k]
            level = level if level > 0.0 else 0.0
            out[step, k] = level if level < MOST_USED else MOST_USED


@kernel
def _spike(
    feed: FloatArray, seed: int, stream: int, first_path: int, chance: float, depth: float
) -> None:
    """Let single days fall by a share that is exponential with mean `depth`, in the feed's units.

    `feed` is of shape (n_steps + 1, n_paths), USDC per token; the first day is left alone. Where
    u < chance, u / chance is uniform again and gives the depth.
    """
    for step in range(1, feed.shape[0]):
        for k in range(feed.shape[1]):
            drawn = uniforms4(seed, step, stream, first_path + k)[0]
            if drawn < chance:
                left = max(0.0, 1.0 + depth * np.log(drawn / chance))
                units = np.floor(feed[step, k] * left * FEED_UNITS + 0.5)
                feed[step, k] = max(1.0, units) / FEED_UNITS
