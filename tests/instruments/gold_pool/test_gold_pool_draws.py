"""The noise traders' volume: its mean, its spread, its memory, and whose draws they are."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.instruments.base import TokenPrices
from simulator.instruments.gold_pool.drivers import draw_drivers
from simulator.instruments.gold_pool.terms import GoldPoolTerms

N_PATHS = 32 * 128


def draw(n_steps: int = 60, label: str = "gold_pool", first_path: int = 0, **volume: float):
    terms = GoldPoolTerms(volume={"daily_usd": 1e5, **volume})
    flat = np.full((n_steps + 1, N_PATHS), 4_000.0)
    prices = TokenPrices(flat, flat, np.zeros_like(flat), np.ones_like(flat))
    return draw_drivers(terms, label, prices, first_path, seed=5)


def test_volume__in_the_mean__is_what_the_terms_say_on_every_day():
    """A log-normal with its mean at 100,000; four standard errors of 4,096 paths."""
    found = draw(deviation=0.5, half_life_days=10.0).volume_usdc
    error = found.std(axis=1, ddof=1) / np.sqrt(N_PATHS)
    assert np.all(np.abs(found[1:].mean(axis=1) - 1e5) < 4 * error[1:])


def test_volume__after_many_half_lives__has_the_deviation_and_keeps_half_in_one():
    """Of the log: deviation 0.5, and correlation 1/2 over the 10 days of a half-life; from one day
    to the next 1/2^(1/10)."""
    logs = np.log(draw(120, deviation=0.5, half_life_days=10.0).volume_usdc[90:])
    # standard errors: of a deviation its own over sqrt(2 n), of a correlation 3/4 over sqrt(n)
    assert logs[-1].std(ddof=1) == pytest.approx(0.5, rel=4 / np.sqrt(2 * N_PATHS))
    kept = np.corrcoef(logs[0], logs[10])[0, 1]
    assert kept == pytest.approx(0.5, abs=4 * 0.75 / np.sqrt(N_PATHS))
    next_day = np.corrcoef(logs[0], logs[1])[0, 1]
    assert next_day == pytest.approx(0.5**0.1, abs=4 * (1 - 0.25**0.1) / np.sqrt(N_PATHS))


def test_imbalance__is_normal_and_cut_at_one():
    """Deviation 0.2: five of them to the cut; at 1 a third of a normal lies beyond."""
    small = draw(imbalance=0.2).imbalance[1:]
    assert small.std() == pytest.approx(0.2, rel=4 / np.sqrt(2 * small.size))
    assert abs(small.mean()) < 4 * 0.2 / np.sqrt(small.size)
    large = draw(imbalance=1.0).imbalance[1:]
    assert np.abs(large).max() == 1.0
    # P(|Z| > 1) = 0.3173
    share = (np.abs(large) == 1.0).mean()
    assert share == pytest.approx(0.3173, abs=4 * np.sqrt(0.3173 * 0.6827 / large.size) + 1e-4)


def test_volume__without_deviation__is_the_mean():
    # exp(0) is 1 as far as the kernels' exponential goes
    assert draw(deviation=0.0).volume_usdc == pytest.approx(1e5, rel=1e-9)


def test_draws__depend_on_label_and_path_alone():
    whole, part = draw(), draw(first_path=128)
    assert np.array_equal(part.volume_usdc[:, :128], whole.volume_usdc[:, 128:256])
    assert np.array_equal(part.imbalance[:, :128], whole.imbalance[:, 128:256])
    other = draw(label="another")
    assert not np.any(other.volume_usdc[1:] == whole.volume_usdc[1:])
    lane = whole.lane(7)
    assert np.array_equal(lane.volume_usdc[:, 0], whole.volume_usdc[:, 7])


def test_two_draws__are_independent():
    """Correlation of volume and imbalance; four standard errors."""
    found = draw()
    both = np.corrcoef(np.log(found.volume_usdc[1:]).ravel(), found.imbalance[1:].ravel())[0, 1]
    # the volume's memory leaves fewer independent days: a tenth of 60
    assert abs(both) < 4 / np.sqrt(N_PATHS * 6)
