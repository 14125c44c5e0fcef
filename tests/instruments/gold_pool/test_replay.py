"""The gold pool's model against its contract: every observable on every step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from paths import differing, player_of, replay

from simulator.chain import AnvilChain
from simulator.chain.compile import compile_patched
from simulator.errors import ChainUnavailable, ReconciliationFailed, TransactionReverted
from simulator.instruments.gold_pool.gas import HOLDER_GAS
from simulator.instruments.gold_pool.state import Act
from simulator.market.build import market_spec
from simulator.replay import players
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

SCENARIO = "gold-pool"
CONTRACT = Path(__file__).resolve().parents[3] / "contracts" / "gold_pool.vy"

WILD = (
    "horizon_days=150",
    "market.assets.gold.volatility=1.2",
    "instruments.gold_token.shortfall_hazard=3",
    "instruments.gold_token.shortfall_loss=0.4",
    "instruments.gold_pool.volume.imbalance=0.6",
    "instruments.gold_pool.volume.daily_usd=20_000_000",
)
"""Falls and rises, missing gold, days on which noise traders move the price by a half."""
XAUT = (*WILD, "instruments.gold_token.preset=xaut")
WORTHLESS = (*WILD, "instruments.gold_token.shortfall_loss=1")
DEPEG = (*WILD, "market.stablecoin={day: 60, low: 0.6, recovers_days: 20}")


@pytest.fixture(scope="module")
def node():
    start = midnight_timestamp(load_scenario(SCENARIO).scenario.start)
    try:
        with AnvilChain(start) as chain:
            yield chain
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("changes", [WILD, XAUT, WORTHLESS, DEPEG], ids=range(4))
def test_wild__falls_and_missing_gold__agree(changes: tuple[str, ...]) -> None:
    for path in (0, 5):
        found = replay(None, path, *changes, name=SCENARIO)
        assert found.ok, found.observables


def test_wild__paths_contain_what_they_are_there_for() -> None:
    """Guards the test above: without these events it would prove little."""
    for changes, fallen in ((WILD, 0.7), (WORTHLESS, 1e-6)):
        loaded = load_scenario(SCENARIO, overrides=changes)
        spec = market_spec(loaded.scenario, loaded.calibration)
        one = player_of(players(loaded.scenario, spec, 0), "gold_pool")
        assert (one._price[1:] < fallen * one._price[:-1]).any()
        for act in Act if changes == WILD else ():
            assert (one._acts[:, act] > 0.0).sum() > 20, act.name


def test_both_chains__show_the_same_numbers(node) -> None:
    fresh = node.snapshot()
    on_anvil = replay(node, 5, *WILD, name=SCENARIO)
    node.revert(fresh)
    in_process = replay(None, 5, *WILD, name=SCENARIO)
    assert on_anvil.ok, on_anvil.observables
    assert on_anvil.transactions == in_process.transactions
    assert on_anvil.series.equals(in_process.series)


def test_ready_scenario__agrees_on_anvil_and_costs_the_gas_that_is_booked(node) -> None:
    fresh = node.snapshot()
    found = replay(node, 7, "horizon_days=60", name=SCENARIO)
    node.revert(fresh)
    assert found.ok, found.observables
    assert found.decisions == 60
    for act, booked in HOLDER_GAS.items():
        assert found.holder_gas["gold_pool", act] == pytest.approx(booked, rel=0.05), act


CONTRACT_FAULTS = {
    "the fee is left out": (
        ("gold_pool.vy", "paid * (_FEE_PARTS - fee_ppm)", "paid * _FEE_PARTS"),
        {"gold_pool.reserve_gold", "gold_pool.reserve_usdc"},
    ),
    "half of the gold is paid": (
        (
            "gold_pool.vy",
            "asset_token._push(token0, to, amount0)",
            "asset_token._push(token0, to, amount0 // 2)",
        ),
        {"gold_pool.provider_gold"},
    ),
    "removal leaves the dollars in the books": (
        ("gold_pool.vy", "reserve1 - amount1)", "reserve1)"),
        {"gold_pool.reserve_usdc"},
    ),
}


@pytest.mark.parametrize("fault", CONTRACT_FAULTS)
def test_broken_contract__differs_where_it_should(fault: str) -> None:
    edit, expected = CONTRACT_FAULTS[fault]
    patched = {"gold_pool": compile_patched(CONTRACT, edit)}
    try:
        found = replay(None, 5, "horizon_days=30", name=SCENARIO, patched=patched)
    except (ReconciliationFailed, TransactionReverted):
        return
    assert differing(found) & expected
