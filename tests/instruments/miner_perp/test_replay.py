"""The perpetual's model against its contract: every observable on every step."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from paths import player_of, replay

from simulator.chain import AnvilChain
from simulator.chain.compile import compile_patched
from simulator.errors import ChainUnavailable, TransactionReverted
from simulator.instruments.miner_perp.gas import HOLDER_GAS
from simulator.instruments.miner_perp.state import Act, Observed
from simulator.market.build import market_spec
from simulator.replay import players
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

SCENARIO = "silver-perp"
LABEL = "silver_perp"
CONTRACT = Path(__file__).resolve().parents[3] / "contracts" / "miner_perp.vy"


def perp(*changes: str) -> tuple[str, ...]:
    """Return overrides of the scenario's market."""
    return tuple(f"instruments.{LABEL}.{change}" for change in changes)


WILD = (
    "horizon_days=75",
    "market.assets.silver.volatility=2.0",
    *perp(
        "pool.deposits_usd=1_000_000",
        "pool.insurance_usd=2_000",
        "crowd.every_days=3",
        "market.max_open_interest=3",
        "freeze.hazard=3",
        "freeze.days=4",
        "funding.max_rate=1",
        "funding.velocity_a_day=0.05",
    ),
)
"""Liquidations, stops, frozen feeds, bad debts, profits that are cut, winners that are reduced."""

GAP = ("horizon_days=60", *perp("gap={day: 30, move: -0.355}"))
"""The gap of the stress scenario: everybody's stop is passed."""

ALL_IN_PLACE = ("horizon_days=59", *perp("pool.cooldown_days=0", "funding.fixed_rate=0.5"))
"""The run ends on a trading day; the provider leaves at once, and longs pay always."""


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


def play(chain: object, path: int, *changes: str, **more: object):
    return replay(chain, path, *changes, name=SCENARIO, **more)


@pytest.mark.parametrize("path", [0, 1])
def test_ready_scenario__agrees_in_process(path: int) -> None:
    found = play(None, path, "horizon_days=130")
    assert found.ok, found.observables


@pytest.mark.parametrize("path", [0, 3, 9])
def test_wild__agrees(path: int) -> None:
    found = play(None, path, *WILD)
    assert found.ok, found.observables


def test_gap__agrees() -> None:
    found = play(None, 0, *GAP)
    assert found.ok, found.observables


def test_run_that_ends_on_a_trading_day__agrees() -> None:
    found = play(None, 1, *ALL_IN_PLACE)
    assert found.ok, found.observables


def test_freeze_of_weeks__that_lasts_to_the_end__agrees() -> None:
    """Silver's feed stands still from day 46 on; all order their way out on day 92, a Wednesday,
    and waits: the answer is 46 days old and no reason to refuse an order."""
    found = play(None, 7, "horizon_days=93", *perp("freeze.hazard=10", "freeze.days=60"))
    assert found.ok, found.observables


def test_wild__paths_contain_what_they_are_there_for() -> None:
    """Guards the tests above: without these events they would prove little."""
    loaded = load_scenario(SCENARIO, overrides=WILD)
    spec = market_spec(loaded.scenario, loaded.calibration)
    cast = [player_of(players(loaded.scenario, spec, path), LABEL) for path in (0, 3, 9)]
    acts = np.stack([player._acts for player in cast])
    for act in (Act.FILLED, Act.LIQUIDATED, Act.STOPPED, Act.REDUCED, Act.WITHDREW, Act.TOPPED):
        assert ((acts & act) > 0).sum() >= 3, act.name
    last = np.stack([player._seen[-1] for player in cast])
    assert (last[:, Observed.CUT] > 1_000).any()
    assert (last[:, Observed.BAD_DEBT] > 1_000).any()
    trading = cast[0]._trading
    assert any((~player._rounds & trading).sum() > 0 for player in cast)


def test_both_chains__show_the_same_numbers(node) -> None:
    fresh = node.snapshot()
    on_anvil = play(node, 0, *WILD)
    node.revert(fresh)
    in_process = play(None, 0, *WILD)
    assert on_anvil.ok, on_anvil.observables
    assert in_process.ok
    assert on_anvil.transactions == in_process.transactions
    assert on_anvil.series.equals(in_process.series)


def test_holder_gas__booked_figures_are_those_of_the_node(node) -> None:
    fresh = node.snapshot()
    found = play(node, 1, *GAP)
    node.revert(fresh)
    assert found.ok, found.observables
    for act, booked in HOLDER_GAS.items():
        assert found.holder_gas[LABEL, act] == pytest.approx(booked, rel=0.05), act


CONTRACT_FAULTS = {
    "who is long gets funding": (
        (
            "modules/perp_book.vy",
            "settled.bad_debt = self._settle(trader, paid - owed)",
            "settled.bad_debt = self._settle(trader, paid + owed)",
        ),
        GAP,
        {"pool", "margins"},
    ),
    # What is paid in full empties the pool so far that a reduction passes its bound.
    "profits are paid in full": (
        ("modules/perp_book.vy", "if side > convert(most, int256):", "if False:"),
        WILD,
        {"reverted"},
    ),
}


@pytest.mark.parametrize("fault", CONTRACT_FAULTS)
def test_broken_contract__differs_where_it_should(fault: str) -> None:
    edit, changes, expected = CONTRACT_FAULTS[fault]
    patched = {"miner_perp": compile_patched(CONTRACT, edit)}
    try:
        found = play(None, 0, *changes, patched=patched)
    except TransactionReverted:
        differing = {"reverted"}
    else:
        differing = {o.name for o in found.observables if not o.ok}
    assert differing & expected
