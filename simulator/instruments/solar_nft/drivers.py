"""What happens to a collection from outside: sun, power price, default, mood, others' locks."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulator.instruments.model import Blow
from simulator.instruments.solar_nft.draws import Reverting, Scales, shape
from simulator.instruments.solar_nft.streams import Stream, stream
from simulator.instruments.solar_nft.terms import MOST_SUN_HOURS, SolarNftTerms
from simulator.instruments.solar_nft.worth import sun_hours
from simulator.market.events import first_event
from simulator.market.normals import normal_paths
from simulator.units import FloatArray, StepArray


@dataclass(frozen=True)
class SolarNftDrivers:
    """Drivers of one collection; arrays of shape (n_steps + 1, n_paths) unless said otherwise.

    Attributes
    ----------
    label : str
    start : date
    power_usd : ndarray, USD per kWh
    sun : ndarray
        kWh that a kWp of the collection gives on the day; 0 on the first and after the end.
    mood : ndarray
        Floor price over worth.
    silver_usd, feed_usd : ndarray, USD per ounce
        Silver's price, quantised to the feed's 1e-8, and what the feed says.
    locked, unlocked : ndarray
        Times that one of the others' arrays was locked and unlocked so far.
    default_step : ndarray of shape (n_paths,), int64
        Step on which the off-taker stops paying.
    """

    label: str
    start: dt.date
    power_usd: FloatArray
    sun: FloatArray
    mood: FloatArray
    silver_usd: FloatArray
    feed_usd: FloatArray
    locked: FloatArray
    unlocked: FloatArray
    default_step: StepArray

    def lane(self, k: int) -> SolarNftDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return SolarNftDrivers(
            self.label,
            self.start,
            self.power_usd[:, one],
            self.sun[:, one],
            self.mood[:, one],
            self.silver_usd[:, one],
            self.feed_usd[:, one],
            self.locked[:, one],
            self.unlocked[:, one],
            self.default_step[one],
        )


def draw_drivers(
    terms: SolarNftTerms,
    label: str,
    start: dt.date,
    silver_usd: FloatArray,
    liquidity: FloatArray | None,
    seed: int,
    first_path: int,
    *,
    failed: Sequence[Blow] = (),
    outages: Sequence[Blow] = (),
    moved: Sequence[Blow] = (),
    fled: Sequence[Blow] = (),
) -> SolarNftDrivers:
    """Return the drivers of the collection called `label` on a block.

    Parameters
    ----------
    silver_usd : ndarray of shape (n_steps + 1, n_paths), USD per ounce
        n_paths is a multiple of LANES.
    liquidity : ndarray of shape (n_steps + 1, n_paths), standard deviations, or None
        The market's; None where nobody follows it.
    failed, outages, moved, fled : sequence of Blow
        Shocks: defaults, of which the first counts, the hazard's among them; a share of the energy
        that is not generated; a move of the floor price; a share of others' locks that ends.
    """
    n_steps, n_paths = silver_usd.shape[0] - 1, silver_usd.shape[1]
    draws = (Stream.SOLAR_POWER, Stream.SOLAR_WEATHER, Stream.SOLAR_MOOD, Stream.SOLAR_LOCKS)
    power, sun, mood, locked = (
        normal_paths(seed, stream(number, label), first_path, n_steps, n_paths) for number in draws
    )
    quantised, unlocked = np.empty_like(power), np.empty_like(power)
    # what nobody follows counts with a weight of zero: any finite numbers will do
    metal = np.ascontiguousarray(silver_usd)
    seen = metal if liquidity is None else np.ascontiguousarray(liquidity)
    told = scales(terms, start, n_steps)
    shape(told, metal, seen, power, sun, mood, quantised, locked, unlocked)
    failing = stream(Stream.SOLAR_DEFAULT, label)
    hazard = terms.energy.default_hazard
    fails = first_event(seed, failing, first_path, n_paths, hazard)
    for blow in failed:
        fails = np.minimum(fails, blow.begins)
    for blow in outages:
        sun *= 1.0 - blow.amount * blow.weight
    for blow in moved:
        mood *= 1.0 + blow.amount * blow.weight
    for blow in fled:
        end_locks(locked, unlocked, 1.0 - blow.amount * blow.weight, terms.lock.days)
    return SolarNftDrivers(
        label=label,
        start=start,
        power_usd=power,
        sun=sun,
        mood=mood,
        silver_usd=quantised,
        feed_usd=quantised,
        locked=locked,
        unlocked=unlocked,
        default_step=fails,
    )


def end_locks(locked: FloatArray, unlocked: FloatArray, stays: FloatArray, lock_days: int) -> None:
    """Leave a share of others' locks, each of the others ending once its time is over.

    Parameters
    ----------
    locked, unlocked : ndarray of shape (n_steps + 1, n_paths)
        As in `SolarNftDrivers`; changed.
    stays : ndarray of shape (n_steps + 1, n_paths), 0 to 1
        What is wanted of the locks that there would be.
    """
    wanted = np.floor(stays * (locked - unlocked))
    for step in range(1, wanted.shape[0]):
        there, left = locked[step - 1].copy(), unlocked[step - 1].copy()
        ripe = locked[step - lock_days] if step >= lock_days else np.zeros_like(there)
        surplus = np.maximum(0.0, there - left - wanted[step])
        left += np.minimum(surplus, np.maximum(0.0, ripe - left))
        unlocked[step] = left
        locked[step] = there + np.maximum(0.0, wanted[step] - (there - left))


def scales(terms: SolarNftTerms, start: dt.date, n_steps: int) -> Scales:
    """Return the terms in the form in which the kernel of the draws reads them."""
    panel, energy, buyers, lock = terms.panel, terms.energy, terms.buyers, terms.lock
    power = reverting(energy.half_life_days, energy.deviation)
    weather = reverting(panel.weather_half_life_days, panel.weather_deviation)
    gap = math.log(energy.price_usd_per_kwh / energy.mean_usd_per_kwh)
    steps, sun = np.arange(n_steps + 1), sun_hours(panel, start, n_steps)
    way = gap * power.keep**steps - 0.5 * _variance(power, energy.deviation, steps)
    return Scales(
        power=power,
        weather=weather,
        mood=reverting(buyers.mood_half_life_days, buyers.mood_deviation),
        locks=reverting(lock.share_half_life_days, lock.share_deviation),
        power_usd=energy.mean_usd_per_kwh * np.exp(way),
        sun=sun * np.exp(-0.5 * _variance(weather, panel.weather_deviation, steps)),
        most_sun=sun * (MOST_SUN_HOURS / panel.best_day),
        mood_start=buyers.mood_start,
        mood_mean=buyers.mood_mean,
        mood_per_liquidity=buyers.mood_per_liquidity,
        odds_start=_log_odds(lock.share_start),
        odds_mean=_log_odds(lock.share_mean),
        odds_per_liquidity=lock.share_per_liquidity,
        lock_days=lock.days,
    )


def reverting(half_life_days: float, deviation: float) -> Reverting:
    """Return a day's pull and shock of what has this half-life and deviation in the long run."""
    keep = 0.5 ** (1.0 / half_life_days)
    return Reverting(keep, deviation * math.sqrt(1.0 - keep**2))


def _variance(process: Reverting, deviation: float, steps: StepArray) -> FloatArray:
    """Return the variance of what began at its mean, shape (n_steps + 1,)."""
    found: FloatArray = deviation**2 * (1.0 - process.keep ** (2.0 * steps))
    return found


def _log_odds(share: float) -> float:
    return math.log(share / (1.0 - share))
