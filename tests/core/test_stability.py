"""Verdicts stand still: more paths and other seeds move them within their own errors."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.claims import Verdict
from simulator.engine import judge, simulate
from simulator.engine.prune import pruned
from simulator.scenario import load_scenario

CLAIMS = ("gold-vault-8-12", "gold-vault-8-12-usd")
OF_PRICES = ("gold-6000-after-a-correction", "silver-100", "gold-tokens-10-bn")
"""Events of the flagship between 4 and 80 %, which take no vault and no mine."""
EFFECT = "ballast-softens-falls"


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


def of_the_flagship(*overrides: str) -> dict[str, Verdict]:
    loaded = load_scenario("hard-assets-2026", overrides=overrides)
    small = pruned(loaded.scenario, *OF_PRICES, EFFECT)
    found = judge(simulate(small, loaded.calibration, details=False))
    return {verdict.claim: verdict for verdict in found}


@pytest.fixture(scope="module")
def flagship() -> dict[str, Verdict]:
    return of_the_flagship("paths=2_048")


def test_flagship__twice_the_paths__stays_within_its_intervals(
    flagship: dict[str, Verdict],
) -> None:
    twice = of_the_flagship("paths=4_096")
    for claim in OF_PRICES:
        low, high = flagship[claim].interval
        assert 0 < low < high < 1
        assert low <= twice[claim].probability <= high
    low, high = flagship[EFFECT].interval
    assert low <= twice[EFFECT].estimate <= high


def test_flagship__another_seed__agrees_within_the_errors_of_both(
    flagship: dict[str, Verdict],
) -> None:
    other = of_the_flagship("paths=2_048", "seed=11")
    for claim, verdict in flagship.items():
        told = "estimate" if claim == EFFECT else "probability"
        first, second = getattr(verdict, told), getattr(other[claim], told)
        assert first != second
        halves = [(v.interval[1] - v.interval[0]) / 2 for v in (verdict, other[claim])]
        assert abs(first - second) <= 3.3 / 1.96 * float(np.hypot(*halves))
