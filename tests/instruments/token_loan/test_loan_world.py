"""Loans among all else: a portfolio that holds the suppliers' position, and USDC that falls."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.instruments.checks import faults_of
from simulator.investors.world import World, simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

MIX = (
    "investors.mix={capital_usd: 100000, weights: {gold_loan-suppliers: 0.9, cash: 0.1}, "
    "rebalance: {every_days: 30}}"
)
FALL = "market.stablecoin={day: 40, low: 0.87, recovers_days: 3, lasting_loss: 0.02, hazard: 0}"


def _world(*changes: str) -> World:
    loaded = load_scenario("gold-loop", overrides=("horizon_days=90", MIX, *changes))
    return simulate_block(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), 0, 128)


@pytest.fixture(scope="module")
def worlds() -> tuple[World, World]:
    """Return the same paths with USDC at a dollar, and where it falls."""
    return _world(), _world(FALL)


def test_identities__hold_of_every_position_where_usdc_falls(worlds: tuple[World, World]) -> None:
    faults = [f for one in worlds[1].instruments.values() for f in faults_of(one)]
    assert faults == []


def test_supplier__loses_what_usdc_does__and_a_borrower_gains_by_his_debt(
    worlds: tuple[World, World],
) -> None:
    """2 % for good: the supplier's dollars are worth 2 % less, and so is what a loop owes; where
    it is open at the end in both worlds it gains 2 % of its debt, a capital and a half at 60 %."""
    par, fallen = worlds
    lender = [w.instruments["gold_loan-suppliers"].exit["usd"][-1] for w in worlds]
    np.testing.assert_allclose(lender[1] / lender[0], 0.98, rtol=1e-4)
    name = "gold_loan-ltv_60"
    open_in_both = ~(
        par.instruments[name].happened["liquidated"]
        | fallen.instruments[name].happened["liquidated"]
    )
    assert open_in_both.sum() > 50
    loops = [w.instruments[name].exit["usd"][-1][open_in_both] for w in worlds]
    interest = 1.0 + 0.054 * 90.0 / 365.0
    gained = (loops[1] - loops[0]) / 100_000.0
    np.testing.assert_allclose(gained, 0.02 * 1.5 * interest, rtol=0.03)


def test_portfolio__of_a_loan__is_refused__of_the_suppliers_it_is_not() -> None:
    loan = "investors.mix={capital_usd: 1000, weights: {gold_loan-ltv_50: 0.5, cash: 0.5}}"
    with pytest.raises(InputError, match="cannot be part of a portfolio"):
        load_scenario("gold-loop", overrides=[loan])
    load_scenario("gold-loop", overrides=[MIX])
