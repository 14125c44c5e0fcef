"""The price cover's model against its contract: every observable on every step."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from paths import player_of, replay

from simulator.chain import AnvilChain
from simulator.chain.compile import compile_patched
from simulator.errors import ChainUnavailable, ReconciliationFailed, TransactionReverted
from simulator.instruments.price_cover.gas import HOLDER_GAS
from simulator.instruments.price_cover.state import Act, Policy
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.replay import players
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

SCENARIO = "copper-cover"
CONTRACT = Path(__file__).resolve().parents[3] / "contracts" / "price_cover.vy"


def cover(*changes: str) -> tuple[str, ...]:
    """Return overrides of the scenario's only price cover."""
    return tuple(f"instruments.copper-cover.{change}" for change in changes)


WILD = (
    "horizon_days=200",
    "market.assets.copper.volatility=1.5",
    *cover(
        "pool.leverage=2",
        "pool.window_days=3",
        "pool.min_term_days=7",
        "pool.lag_days=5",
        "pool.max_strike_share=1.2",
        "others.utilisation=1",
        "others.cover.strike_share=1.0",
        "others.cover.renew_every_days=17",
        "miner.cover.strike_share=1.0",
        "miner.cover.term_days=23",
        "miner.cover.renew_every_days=10",
    ),
)
"""Falls that trigger, void and ruin; overlapping covers, shortfalls, refused purchases."""

LONG_WINDOW = (
    *WILD,
    *cover(
        "pool.window_days=20",
        "pool.min_term_days=20",
        "pool.lag_days=0",
        "miner.cover.strike_share=0.98",
        "others.cover.strike_share=0.98",
    ),
)
"""Falls that are paid though the price has recovered: their marks hold until the settlement."""

SAME_DAY = (
    "horizon_days=120",
    "market.assets.copper.volatility=1.0",
    *cover(
        "pool.leverage=2",
        "pool.lag_days=0",
        "pool.window_days=1",
        "others.utilisation=1",
        "others.cover.renew_every_days=30",
        "others.cover.term_days=30",
        "miner.cover.term_days=30",
        "miner.cover.renew_every_days=30",
        "pool.cooldown_days=0",
    ),
)
"""Both buyers' covers end on the same days, and are paid pro rata where there is not enough."""

FIXED = (
    "horizon_days=100",
    *cover(
        "pool.max_strike_share=1.5",
        "miner.cover={strike_usd_per_tonne: 14000, term_days: 30, renew_every_days: 15}",
        "others.utilisation=0",
        "pool.cooldown_days=200",
    ),
)
"""A strike above the price, so that every cover is in the money; nobody can leave."""


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


@pytest.mark.parametrize("path", [0, 7, 500])
def test_ready_scenario__agrees_in_process(path: int) -> None:
    found = replay(None, path, name=SCENARIO)
    assert found.ok, found.observables


@pytest.mark.parametrize("path", range(6))
def test_wild__triggers_voids_and_shortfalls__agree(path: int) -> None:
    found = replay(None, path, *WILD, name=SCENARIO)
    assert found.ok, found.observables


def _held_steps(path: int) -> int:
    """Return on how many days a cover stays marked though the price has reached its strike."""
    loaded = load_scenario(SCENARIO, overrides=LONG_WINDOW)
    cast = players(loaded.scenario, market_spec(loaded.scenario, loaded.calibration), path)
    player = player_of(cast, "copper-cover")
    held = 0
    for i, strike in enumerate(player._policies[:, Policy.STRIKE]):
        acts = player._acts[: player._plan.end[i], i].astype(int)
        marked = np.cumsum((acts == Act.TRIGGER).astype(int) - (acts == Act.CLEAR))
        held += int((marked * (player._feed_usd[: acts.size] > strike * 1.001)).sum())
    return held


@pytest.mark.parametrize("path", [3, 5])
def test_falls_in_a_long_window__marks_that_hold__agree(path: int) -> None:
    assert _held_steps(path) > 5
    found = replay(None, path, *LONG_WINDOW, name=SCENARIO)
    assert found.ok, found.observables


@pytest.mark.parametrize("path", range(3))
def test_covers_that_end_together__agree(path: int) -> None:
    found = replay(None, path, *SAME_DAY, name=SCENARIO)
    assert found.ok, found.observables


@pytest.mark.parametrize("path", range(2))
def test_strike_above_the_price__agrees(path: int) -> None:
    found = replay(None, path, *FIXED, name=SCENARIO)
    assert found.ok, found.observables


def test_wild__paths_contain_what_they_are_there_for() -> None:
    """Guards the tests above: without these events they would prove little."""
    loaded = load_scenario(SCENARIO, overrides=WILD)
    spec = market_spec(loaded.scenario, loaded.calibration)
    cast = [player_of(players(loaded.scenario, spec, path), "copper-cover") for path in range(6)]
    acts = np.concatenate([player._acts.ravel() for player in cast])
    for act in (Act.TRIGGER, Act.CLEAR, Act.VOID):
        assert (acts == act).sum() >= 2, act.name
    refused = sum(len(player._plan.buyer) - len(player._ids) for player in cast)
    assert refused >= 2


def test_wild__shortfalls_are_logged_on_chain_as_the_model_counts_them() -> None:
    loaded = load_scenario(SCENARIO, overrides=SAME_DAY)
    spec = market_spec(loaded.scenario, loaded.calibration)
    world = simulate_block(loaded.scenario, spec, 0, 128)
    missing = world.instruments["copper-cover"].details["missing_usd"][-1]
    path = int(np.argmax(missing))
    assert missing[path] > 1e6
    found = replay(None, path, *SAME_DAY, name=SCENARIO)
    assert found.ok, found.observables


def test_both_chains__show_the_same_numbers(node) -> None:
    fresh = node.snapshot()
    on_anvil = replay(node, 2, *WILD, name=SCENARIO)
    node.revert(fresh)
    in_process = replay(None, 2, *WILD, name=SCENARIO)
    assert on_anvil.ok, on_anvil.observables
    assert in_process.ok
    assert on_anvil.transactions == in_process.transactions
    assert on_anvil.series.equals(in_process.series)


@pytest.mark.parametrize("path", [0, 7])
def test_ready_scenario__agrees_on_anvil(node, path: int) -> None:
    fresh = node.snapshot()
    found = replay(node, path, "horizon_days=200", name=SCENARIO)
    node.revert(fresh)
    assert found.ok, found.observables


def test_holder_gas__booked_figures_are_those_of_the_node(node) -> None:
    fresh = node.snapshot()
    found = replay(node, 0, "horizon_days=200", name=SCENARIO)
    node.revert(fresh)
    for act, booked in HOLDER_GAS.items():
        assert found.holder_gas["copper-cover", act] == pytest.approx(booked, rel=0.05), act


CONTRACT_FAULTS = {
    "a day takes all there is": (
        (
            "modules/cover_book.vy",
            "math._mul_div(self._total(), self._ending_sum[expiry], self.locked, False)",
            "self._total()",
        ),
        {"total_assets", "miner_cash"},
    ),
}


@pytest.mark.parametrize("fault", CONTRACT_FAULTS)
def test_broken_contract__differs_where_it_should(fault: str) -> None:
    edit, expected = CONTRACT_FAULTS[fault]
    patched = {"price_cover": compile_patched(CONTRACT, edit)}
    differing = set[str]()
    for path in range(6):
        try:
            found = replay(None, path, *WILD, name=SCENARIO, patched=patched)
        except TransactionReverted:
            differing |= {"reverted"}
        except ReconciliationFailed:
            differing |= {"decision"}
        else:
            differing |= {o.name for o in found.observables if not o.ok}
    assert differing & expected
