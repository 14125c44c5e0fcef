"""A scenario under ladders: what each cell says, against the same shock asked for alone."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.engine.shock_effects import shock_effects
from simulator.engine.simulate import simulate
from simulator.engine.stress import stress
from simulator.scenario import load_scenario
from simulator.scenario.claims import Condition
from simulator.scenario.ladders import lay_ladders, read_ladders

OVERRIDES = ("paths=256", "horizon_days=60")
DOLLAR = "{name: dollar, target: usdc, day: 30, at: 0.7, plateau_days: 30}"


@pytest.fixture(scope="module")
def loaded():
    return load_scenario("gold-vault-sober", overrides=OVERRIDES)


@pytest.fixture(scope="module")
def found(loaded):
    laid = lay_ladders([read_ladders("ready")], loaded.scenario, chosen=["usdc", "gold-shortfall"])
    return stress(loaded.scenario, loaded.calibration, laid)


def test_cells__are_the_ladders_in_order(found):
    said = [(cell.ladder, cell.severity) for cell in found.cells]
    assert said == [
        (ladder, severity)
        for ladder in ("usdc", "gold-shortfall")
        for severity in ("mild", "severe", "extreme")
    ]


def test_cell__is_what_the_shock_alone_does(found):
    alone = load_scenario("gold-vault-sober", overrides=(*OVERRIDES, f"shocks=[{DOLLAR}]"))
    (expected,) = shock_effects(alone.scenario, alone.calibration)
    cell = found.of("usdc")[-1]
    assert cell.effect.returns == pytest.approx(expected.returns, abs=1e-12)
    assert cell.effect.probabilities == expected.probabilities


def test_cell__all_the_gold_is_missing__everything_is_lost(found):
    # A token without gold is worth nothing: the return goes from its mean to -100 %
    cell = found.of("gold-shortfall")[-1]
    assert cell.effect.returns["token_only"] == pytest.approx(-1.0 - found.returns["token_only"])


def test_var_and_lar__are_95th_percentiles_over_the_paths(loaded, found):
    # Borrowers owe gold and post USDC: at 0.70 a dollar, debts of 70 and more of 100 are beyond
    # what they posted, and everybody above the threshold is liquidated
    alone = load_scenario("gold-vault-sober", overrides=(*OVERRIDES, f"shocks=[{DOLLAR}]"))
    asked = [
        Condition(measure="last", series=f"gold_vault.{name}", at_least=0.0)
        for name in ("bad_debt_usd", "liquidated_usd")
    ]
    run = simulate(alone.scenario, alone.calibration, details=False, also=asked)
    ordered = [np.sort(run.outcomes.series[one.key]) for one in asked]
    at = found.of("usdc")[-1].lenders["gold_vault"]
    # 256 paths: 0.95 x 255 = 242.25, between the 243rd and the 244th
    for value, numbers in zip((at.var, at.lar), ordered, strict=True):
        assert value == pytest.approx(0.75 * numbers[242] + 0.25 * numbers[243])
    assert at.lar > found.lenders["gold_vault"].lar
    assert at.var > found.lenders["gold_vault"].var == 0.0


def test_series_asked_for_besides__change_nobody(loaded):
    asked = [Condition(measure="last", series="gold_vault.liquidated_usd", at_least=0.0)]
    runs = [simulate(loaded.scenario, loaded.calibration, also=also) for also in ((), asked)]
    assert runs[0].daily.equals(runs[1].daily)
    values = [run.investors["holder"].values["total_return", "usd"] for run in runs]
    assert np.array_equal(*values)
