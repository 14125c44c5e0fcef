"""The reward's price by hand: at its level, and fallen from an exploit on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.instruments.gold_vault import draws
from simulator.units import LANES


@pytest.mark.parametrize(("step", "usd"), [(4, 2.0), (5, 1.5), (6, 1.5)])
def test_reward_price__from_an_exploit_on__has_fallen_by_a_quarter(step: int, usd: float) -> None:
    terms = SimpleNamespace(reward_drift=0.0, reward_shock=0.0, fall_on_exploit=0.25)
    rows, normals = np.zeros(draws._N_ROWS * LANES), np.ones(LANES)
    found, exploit = np.empty(LANES), np.full(LANES, 5)
    draws._price.py_func(found, rows, normals, exploit, step, 2.0, terms)
    np.testing.assert_allclose(found, usd, rtol=1e-12)
