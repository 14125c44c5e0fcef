"""Single lines of the cover's kernels, by hand: premium, what is free, every lane of a day."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.instruments.price_cover.books import leave_now, split
from simulator.instruments.price_cover.rows import EARNED, LOCKED, PAID, POOL, SHARE, Own
from simulator.instruments.price_cover.state import From
from simulator.mechanics.cover import premium_a_day
from simulator.units import LANES


def test_premium__of_a_pool_a_quarter_full__is_between_its_rates_before_and_after() -> None:
    """2 % + 8 % x 25 / 100 = 4 % before, 2 % + 8 % x 75 / 100 = 8 % after; 6 % of 50 dollars.

    50 x 0.06 / 365 = 0.00821917..., rounded up to 0.00822.
    """
    assert premium_a_day(50.0, 25.0, 100.0, 0.02, 0.08, 0.10) == pytest.approx(0.00822, rel=1e-12)
    # At a ceiling of 5 %: (4 % + 5 %) / 2 of 50 dollars, 0.00616438...
    assert premium_a_day(50.0, 25.0, 100.0, 0.02, 0.08, 0.05) == pytest.approx(0.006165, rel=1e-12)


@pytest.mark.parametrize(("locked", "free"), [(0.0, 50.0), (60.0, 40.0), (99.5, 0.5), (120.0, 0.0)])
def test_exit_of_half_a_pool_of_100__pays_no_more_than_is_free(locked: float, free: float) -> None:
    numbers = SimpleNamespace(leverage=1.0)
    own = np.zeros(len(Own) * LANES)
    own[SHARE : SHARE + LANES] = 0.5
    own[POOL : POOL + LANES] = 100.0
    own[LOCKED : LOCKED + LANES] = locked
    assert leave_now.py_func(own, numbers, LANES - 1) == free


def test_days_gains__are_written_for_every_lane_and_no_other_path() -> None:
    """A tenth of the pool: 30 earned and 10 paid are 3 and 1; 1,004 marked after 2 for gas."""
    numbers = SimpleNamespace(holder_usd=1_000.0)
    own = np.zeros(len(Own) * LANES)
    own[SHARE : SHARE + LANES] = 0.1
    own[EARNED : EARNED + LANES] = 30.0
    own[PAID : PAID + LANES] = 10.0
    gains = np.full((5, 2, 3 * LANES), np.nan)
    split.py_func(own, numbers, 2.0, np.full(LANES, 1_004.0), gains, 1, LANES)
    expected = {
        From.PREMIUMS: 3.0,
        From.CLAIMS: -1.0,
        From.OPEN_CLAIMS: 4.0,
        From.ILLIQUIDITY: 0.0,
        From.GAS: -2.0,
    }
    for source, usd in expected.items():
        np.testing.assert_array_equal(gains[source, 1, LANES : 2 * LANES], usd)
    gains[:, 1, LANES : 2 * LANES] = np.nan
    assert np.isnan(gains).all()
