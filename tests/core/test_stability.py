"""Verdicts stand still: more paths and other seeds move them within their own errors."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine import judge, simulate
from simulator.scenario import load_scenario

CLAIMS = ("gold-vault-8-12", "gold-vault-8-12-usd")


def verdicts(*overrides: str) -> dict[str, tuple[float, tuple[float, float]]]:
    loaded = load_scenario("gold-vault-sober", overrides=overrides)
    found = judge(simulate(loaded.scenario, loaded.calibration, details=False))
    return {verdict.claim: (verdict.probability, verdict.interval) for verdict in found}


def test_twice_the_paths__move_a_probability_within_its_interval() -> None:
    small, large = verdicts("paths=4_096"), verdicts("paths=8_192")
    for claim in CLAIMS:
        low, high = small[claim][1]
        assert low <= large[claim][0] <= high


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed__agrees_within_the_errors_of_both(seed: int) -> None:
    first, second = verdicts("paths=4_096"), verdicts("paths=4_096", f"seed={seed}")
    for claim in CLAIMS:
        halves = [(high - low) / 2 for _, (low, high) in (first[claim], second[claim])]
        # Half a 95 % interval is 1.96 errors; 3.3 errors of the difference are 1 in 1,000.
        reach = 3.3 / 1.96 * float(np.hypot(*halves))
        assert abs(first[claim][0] - second[claim][0]) <= reach
