"""What reaches the market from outside: both feeds, their rounds, and what the crowd wants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.instruments.feeds import FeedBlow, said
from simulator.instruments.miner_perp.streams import Stream, stream
from simulator.instruments.miner_perp.terms import CrowdTerms, MinerPerpTerms, MinerTerms
from simulator.instruments.model import Blow, absent, first_of
from simulator.jit import kernel
from simulator.market.elementary import exponential
from simulator.market.events import NEVER, first_event
from simulator.market.normals import normal_paths
from simulator.units import (
    DAYS_PER_YEAR,
    TRADING_DAYS_PER_YEAR,
    BoolArray,
    FloatArray,
    StepArray,
)

FEED_SCALE = 1e8
SHARE_USD = 100.0
"""Price of the miner's share at the start."""
LARGEST_APPETITE = 3.0
"""Bound of the bracket in a cohort's goal."""


@dataclass(frozen=True)
class MinerPerpDrivers:
    """What reaches the market from outside.

    Attributes
    ----------
    label : str
    start : date
    metal_usd, miner_usd : ndarray of shape (n_steps + 1, n_paths), USD
        As the feeds say them, to 1e-8; the miner's is empty, (0, n_paths), without weight.
    index : ndarray of shape (n_steps + 1, n_paths)
        As the newest round has it, 1 at the start.
    rounds : ndarray of bool, shape (n_steps + 1, n_paths)
        Whether the feeds have a new round on a step.
    kept : ndarray of bool, shape (n_steps + 1, n_paths)
        Whether a keeper liquidates, stops and reduces after a new round: always, where none is
        away. Orders are filled by whoever placed them.
    decides : ndarray of shape (n_decisions,), int64
        Steps on which the crowd decides.
    goals : ndarray of shape (n_decisions, n_cohorts, n_paths), whole USD
        Notional that each cohort is to have then.
    fails : ndarray of shape (n_paths,), int64
        Step on which the venue has failed; beyond the horizon where it does not.
    can_fail : bool
        Whether it could: by its hazard, or by a shock.
    last_round : int
        The last step on which the metal trades: everybody's exit.
    run_step : ndarray of shape (n_paths,), int64, or (0,)
        Step on which other providers leave; without steps where no shock says so.
    run_share : ndarray as `run_step`
        Share of what they have with which they do.
    """

    label: str
    start: dt.date
    metal_usd: FloatArray
    miner_usd: FloatArray
    index: FloatArray
    rounds: BoolArray
    kept: BoolArray
    decides: StepArray
    goals: FloatArray
    fails: StepArray
    can_fail: bool
    last_round: int
    run_step: StepArray
    run_share: FloatArray

    def lane(self, k: int) -> MinerPerpDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return replace(
            self,
            metal_usd=self.metal_usd[:, one],
            miner_usd=self.miner_usd[:, one],
            index=self.index[:, one],
            rounds=self.rounds[:, one],
            kept=self.kept[:, one],
            goals=self.goals[..., one],
            fails=self.fails[one],
            run_step=self.run_step[one],
            run_share=self.run_share[one],
        )


@kernel
def _quantise(prices: FloatArray, factor: FloatArray, out: FloatArray) -> None:
    """Write `prices` times `factor` as the feed says them.

    `prices` and `out` are of shape (n_steps + 1, n_paths), `factor` of (n_steps + 1,).
    """
    for step in range(prices.shape[0]):
        for k in range(prices.shape[1]):
            units = np.floor(prices[step, k] * factor[step] * FEED_SCALE + 0.5)
            # a feed says at least one unit: zero would be no price
            out[step, k] = max(1.0, units) / FEED_SCALE


@kernel
def _share(
    metal: FloatArray,
    normals: FloatArray,
    trading: BoolArray,
    terms: FloatArray,
    out: FloatArray,
) -> None:
    """Write the miner's share, USD, of shape (n_steps + 1, n_paths) like `metal` and `normals`.

    `trading` is of shape (n_steps + 1,), `terms` of shape (5,): AISC in USD an ounce, worth of a
    dollar of margin an ounce, net cash and least worth over the first worth, deviation a day.
    """
    aisc, slope, cash, least, deviation = terms
    log_shocks = np.zeros(metal.shape[1])
    for step in range(metal.shape[0]):
        moves = 1.0 if step > 0 and trading[step] else 0.0
        for k in range(metal.shape[1]):
            shift = deviation * normals[step, k] - 0.5 * deviation * deviation
            log_shock = log_shocks[k] + moves * shift
            log_shocks[k] = log_shock
            worth = max(least, (metal[step, k] - aisc) * slope + cash)
            # far beyond it either way a share is worth nothing, or more than a feed can say
            kept = -50.0 if log_shock < -50.0 else (12.0 if log_shock > 12.0 else log_shock)
            shock = exponential(np.float64(kept))
            units = np.floor(SHARE_USD * worth * shock * FEED_SCALE + 0.5)
            out[step, k] = max(1.0, units) / FEED_SCALE


@kernel
def _index(
    metal: FloatArray,
    miner: FloatArray,
    rounds: BoolArray,
    weight: float,
    base: float,
    out: FloatArray,
) -> None:
    """Write the index as the newest round has it.

    Arrays are of shape (n_steps + 1, n_paths); `miner` has no rows where it has no weight.
    `weight` is the metal's, `base` its price at the start, USD.
    """
    for step in range(out.shape[0]):
        for k in range(out.shape[1]):
            if step > 0 and not rounds[step, k]:
                out[step, k] = out[step - 1, k]
                continue
            value = weight * metal[step, k] / base
            if miner.shape[0] > 0:
                value += (1.0 - weight) * miner[step, k] / SHARE_USD
            out[step, k] = value


def draw_drivers(
    terms: MinerPerpTerms,
    label: str,
    metal_usd: FloatArray,
    volatility: float,
    start: dt.date,
    exchange_open: BoolArray,
    seed: int,
    first_path: int,
    kept_away: Sequence[Blow] = (),
    misread: Sequence[FeedBlow] = (),
    broken: Sequence[Blow] = (),
    runs: Sequence[Blow] = (),
) -> MinerPerpDrivers:
    """Return the drivers of a block.

    Parameters
    ----------
    metal_usd : ndarray of shape (n_steps + 1, n_paths), USD per ounce
        The market's price.
    volatility : float
        The metal's usual volatility a year.
    exchange_open : ndarray of bool, shape (n_steps + 1,)
        Whether the metal trades on a step.
    kept_away : sequence of Blow
        Shocks: keepers who are away.
    misread : sequence of FeedBlow
        What shocks do to the metal's feed; the miner's share follows the metal itself.
    broken : sequence of Blow
        Shocks: failures of the venue, of which the first counts, the hazard's among them.
    runs : sequence of Blow
        Shocks: other providers who leave, of whom the first count, on the first round from then on
        that is a cooldown after the start: they have asked for it a cooldown before.
    """
    n_rows, n_paths = metal_usd.shape
    told = np.empty_like(metal_usd)
    _quantise(metal_usd, _gap(terms, n_rows), told)
    first = round(float(metal_usd[0, 0]) * FEED_SCALE) / FEED_SCALE
    shares = np.empty((0, n_paths))
    if terms.index.miner_weight > 0.0 and terms.index.miner is not None:
        normals = normal_paths(
            seed, stream(Stream.MINER_SHOCKS, label), first_path, n_rows - 1, n_paths
        )
        shares = np.empty_like(told)
        _share(told, normals, exchange_open, _of_miner(terms.index.miner, first), shares)
    told = said(told, exchange_open, misread)
    fails = _failures(terms, label, seed, first_path, n_paths)
    for blow in broken:
        fails = np.minimum(fails, blow.begins)
    can_fail = terms.venue.hazard > 0.0 or bool(broken)
    rounds = _rounds(terms, label, exchange_open, seed, first_path, n_paths)
    if can_fail:
        rounds &= np.arange(n_rows)[:, None] < fails
    away = absent(kept_away)
    index = np.empty_like(told)
    _index(told, shares, rounds, terms.index.metal_weight, first, index)
    decides = _decisions(terms.crowd, exchange_open)
    run_step, run_share = _first_run(runs, rounds, terms.pool.cooldown_days)
    return MinerPerpDrivers(
        label=label,
        start=start,
        metal_usd=told,
        miner_usd=shares,
        index=index,
        rounds=rounds,
        kept=rounds & ~away if away.size > 0 else rounds,
        decides=decides,
        goals=_goals(terms, index, decides, volatility),
        fails=fails,
        can_fail=can_fail,
        last_round=last_round(exchange_open),
        run_step=run_step,
        run_share=run_share,
    )


def _first_run(
    runs: Sequence[Blow], rounds: BoolArray, cooldown_days: int
) -> tuple[StepArray, FloatArray]:
    """Return step and share of the first run on each path, shape (n_paths,); (0,) without one.

    `rounds` is of shape (n_steps + 1, n_paths): nobody is paid without a round.
    """
    step, share = first_of(runs)
    if not runs:
        return step, share
    due = rounds & (np.arange(len(rounds))[:, None] >= np.maximum(step, cooldown_days))
    return np.where(due.any(axis=0), np.argmax(due, axis=0), NEVER), share


def last_round(exchange_open: BoolArray) -> int:
    """Return the last step on which the metal trades, 0 where it never does.

    `exchange_open` is of shape (n_steps + 1,).
    """
    return int(np.flatnonzero(exchange_open)[-1]) if exchange_open.any() else 0


def _gap(terms: MinerPerpTerms, n_rows: int) -> FloatArray:
    """Return what the metal's price is multiplied by on each step, shape (n_rows,)."""
    factor = np.ones(n_rows)
    if terms.gap is not None:
        factor[terms.gap.day :] += terms.gap.move
    return factor


def _of_miner(miner: MinerTerms, first_usd: float) -> FloatArray:
    """Return the terms as `_share` reads them, shape (5,); `first_usd` is the first price."""
    mines = miner.output_oz_a_year * miner.multiple
    worth = (first_usd - miner.aisc_usd_per_oz) * mines + miner.net_cash_usd
    # a miner that is worth less than nothing at the start is an option: its floor alone
    scale = worth if worth > 0.0 else mines * first_usd
    daily = miner.own_deviation / TRADING_DAYS_PER_YEAR**0.5
    found = (miner.aisc_usd_per_oz, mines / scale, miner.net_cash_usd / scale, miner.floor, daily)
    return np.array(found)


def _rounds(
    terms: MinerPerpTerms,
    label: str,
    exchange_open: BoolArray,
    seed: int,
    first_path: int,
    n_paths: int,
) -> BoolArray:
    """Return where the feeds have a new round: trading days and the first, less a freeze."""
    n_rows = exchange_open.size
    posts = exchange_open.copy()
    posts[0] = True
    found = np.repeat(posts[:, None], n_paths, axis=1)
    if terms.freeze.hazard > 0.0:
        begins = first_event(
            seed, stream(Stream.FEED_FREEZE, label), first_path, n_paths, terms.freeze.hazard
        )
        since = np.arange(n_rows)[:, None] - begins
        found &= (since < 0) | (since >= terms.freeze.days)
    return found


def _failures(
    terms: MinerPerpTerms, label: str, seed: int, first_path: int, n_paths: int
) -> StepArray:
    """Return the step on which the venue has failed by its hazard, shape (n_paths,)."""
    number = stream(Stream.VENUE_FAILURE, label)
    return first_event(seed, number, first_path, n_paths, terms.venue.hazard)


def _decisions(crowd: CrowdTerms, exchange_open: BoolArray) -> StepArray:
    """Return the steps on which the crowd decides: the first trading days of its periods."""
    last, found = last_round(exchange_open), list[int]()
    for due in range(crowd.every_days, last, crowd.every_days):
        step = due + int(np.argmax(exchange_open[due:]))
        if step < last and (not found or step > found[-1]):
            found.append(step)
    return np.array(found if crowd.cohorts else [], np.int64)


def _goals(
    terms: MinerPerpTerms, index: FloatArray, decides: StepArray, volatility: float
) -> FloatArray:
    """Return the cohorts' goals, shape (n_decisions, n_cohorts, n_paths), whole USD."""
    cohorts, back = list(terms.crowd.cohorts.values()), terms.crowd.lookback_days
    found = np.empty((len(decides), len(cohorts), index.shape[1]))
    deposits = terms.pool.deposits_usd
    wants = [(c.momentum, c.volatility, c.notional_share * deposits) for c in cohorts]
    _want(index, decides, back, volatility, np.array(wants).reshape(-1, 3), found)
    return found


@kernel
def _want(
    index: FloatArray,
    decides: StepArray,
    back: int,
    volatility: float,
    wants: FloatArray,
    out: FloatArray,
) -> None:
    """Write the cohorts' goals: their usual notional times their appetite.

    Parameters
    ----------
    index : ndarray of shape (n_steps + 1, n_paths)
    decides : ndarray of shape (n_decisions,), int64
    back : int
        Days that they look back, and `volatility`, a year, what they call usual.
    wants : ndarray of shape (n_cohorts, 3)
        What momentum and volatility do to each one's appetite, and its usual notional, USD.
    out : ndarray of shape (n_decisions, n_cohorts, n_paths)
    """
    squares = np.empty_like(index)
    for step in range(1, index.shape[0] if len(decides) > 0 else 0):
        for k in range(index.shape[1]):
            move = (index[step, k] - index[step - 1, k]) / index[step - 1, k]
            squares[step, k] = move * move
    sums = np.empty(index.shape[1])
    for number in range(len(decides)):
        last = decides[number]
        first = max(0, last - back)
        # all days count: those without a round have not moved
        sums[:] = 0.0
        for step in range(first + 1, last + 1):
            for k in range(index.shape[1]):
                sums[k] += squares[step, k]
        for cohort in range(wants.shape[0]):
            momentum, wildness, usual = wants[cohort]
            for k in range(index.shape[1]):
                wild = np.sqrt(sums[k] / (last - first) * DAYS_PER_YEAR) / volatility - 1.0
                moved = index[last, k] / index[first, k] - 1.0
                appetite = 1.0 + momentum * moved + wildness * wild
                kept = min(max(appetite, 0.0), LARGEST_APPETITE)
                out[number, cohort, k] = np.floor(usual * kept)
