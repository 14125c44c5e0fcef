"""The loans' model against market and desk on a chain: every observable on every step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from paths import player_of, replay

from simulator.chain import Chain
from simulator.chain.compile import compile_patched
from simulator.errors import ReconciliationFailed, TransactionReverted
from simulator.instruments.token_loan.gas import HOLDER_GAS
from simulator.instruments.token_loan.state import Outcome
from simulator.market.build import market_spec
from simulator.replay import Replay, players
from simulator.scenario import load_scenario

SCENARIO = "gold-loop"
MARKET = Path(__file__).resolve().parents[3] / "contracts" / "lending_market.vy"
LABELS = ("gold_loan", "gold_loan_exchange", "silver_loan", "silver_loan_exchange")

GAPS = (
    "horizon_days=60",
    "market.assets.gold.volatility=1.5",
    "market.assets.silver.volatility=2",
    "instruments.gold_loan.keeper_late_days=3",
    "instruments.gold_loan.pool.borrow_rate=0.4",
    "instruments.silver_loan.pool.borrow_rate=null",
)
"""Falls of a fifth in days, and keepers three days late: bad debt."""

SPIKES = (
    "horizon_days=60",
    "instruments.gold_loan_exchange.exchange={spike_hazard: 10, spike_depth: 0.3}",
    "instruments.silver_loan_exchange.exchange={spike_hazard: 10, spike_depth: 0.3}",
)
"""Two days in two months on which one exchange falls by a third, and the market does not."""

DEPEG = (
    "horizon_days=40",
    "instruments.gold_token.shortfall_hazard=4",
    "market.stablecoin={day: 20, low: 0.87, recovers_days: 3, lasting_loss: 0.02, hazard: 0}",
)
"""USDC falls and stays below a dollar; the gold behind the token is gone on most paths."""


def _differing(found: Replay) -> list[str]:
    return [f"{o.instrument}.{o.name}" for o in found.observables if not o.ok]


def _outcomes(path: int, *changes: str) -> np.ndarray:
    """Return the outcomes of all loans on a path, shape (loans, 12)."""
    loaded = load_scenario(SCENARIO, overrides=changes)
    cast = players(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), path)
    return np.concatenate([player_of(cast, label)._outcomes for label in LABELS])


def test_ready_scenario__agrees_in_process() -> None:
    found = replay(None, 1, name=SCENARIO)
    assert found.ok, _differing(found)


@pytest.mark.parametrize("path", range(2))
def test_gaps__liquidations_and_bad_debt__agree(path: int) -> None:
    found = replay(None, path, *GAPS, name=SCENARIO)
    assert found.ok, _differing(found)


@pytest.mark.parametrize("path", range(2))
def test_depeg_and_shortfall__agree(path: int) -> None:
    found = replay(None, path, *DEPEG, name=SCENARIO)
    assert found.ok, _differing(found)


def test_paths__contain_what_they_are_there_for() -> None:
    """Guards the tests above: without these events they would prove little."""
    calm, wild = _outcomes(1), np.concatenate([_outcomes(path, *GAPS) for path in range(2)])
    assert (calm[:, Outcome.STEP] > 0).any()
    assert (calm[:, Outcome.PAID_BACK] > 0).any()
    assert (wild[:, Outcome.BAD_DEBT] > 0).sum() >= 3
    assert (wild[:, Outcome.RETURNED] > 0).sum() >= 3
    assert (_outcomes(0, *SPIKES)[:, Outcome.BY_FEED] > 0).sum() >= 2
    lost = np.concatenate([_outcomes(path, *DEPEG) for path in range(2)])
    assert ((lost[:, Outcome.STEP] == 0) & (lost[:, Outcome.PAID_BACK] == 0)).any()


def test_both_chains__show_the_same_numbers__and_a_node_charges_the_booked_gas(
    anvil: Chain,
) -> None:
    """Loans are closed on this path, and others are repaid: every act there is."""
    on_anvil = replay(anvil, 0, *SPIKES, name=SCENARIO)
    in_process = replay(None, 0, *SPIKES, name=SCENARIO)
    assert on_anvil.ok, _differing(on_anvil)
    assert on_anvil.transactions == in_process.transactions
    assert on_anvil.series.equals(in_process.series)
    for act, booked in HOLDER_GAS.items():
        seen = [used for (_, what), used in on_anvil.holder_gas.items() if what == act]
        assert seen == pytest.approx([booked] * len(seen), rel=0.05), act
        assert seen, act


CONTRACT_FAULTS = {
    "seizes without a bonus": (
        (
            "modules/loan_health.vy",
            "feed._read(debt_feed, feed_max_age) * (_WAD + bonus) * _COLLATERAL_UNIT",
            "feed._read(debt_feed, feed_max_age) * _WAD * _COLLATERAL_UNIT",
        ),
        {"gold_loan.liquidators", "reverted"},
    ),
    "keeps the reserve from the treasury": (
        ("lending_market.vy", "reserve != 0 and state.supply != 0", "False"),
        {"gold_loan.treasury"},
    ),
}


@pytest.mark.parametrize("fault", CONTRACT_FAULTS)
def test_broken_contract__differs_where_it_should(fault: str) -> None:
    edit, expected = CONTRACT_FAULTS[fault]
    patched = {"lending_market": compile_patched(MARKET, edit)}
    try:
        found = set(_differing(replay(None, 1, *GAPS, name=SCENARIO, patched=patched)))
    except TransactionReverted:
        found = {"reverted"}
    except ReconciliationFailed:
        found = {"decision"}
    assert found & expected
