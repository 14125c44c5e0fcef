"""Model against contracts: every observable on every step, on both chains."""

from __future__ import annotations

import numpy as np
import pytest
from paths import BUSY, WILD, player_of, replay

from simulator.chain import AnvilChain, RevmChain
from simulator.errors import ChainUnavailable, ReconciliationFailed, TransactionReverted
from simulator.instruments.gold_vault.gas import HOLDER_GAS
from simulator.market.build import market_spec
from simulator.replay import choose, play, players
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

START = 1_768_867_200
"""2026-01-20 00:00 UTC, the start of the ready scenarios."""


@pytest.fixture(scope="module")
def node():
    import os

    try:
        with AnvilChain(START) as chain:
            yield chain
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def test_start__is_that_of_the_ready_scenarios() -> None:
    assert midnight_timestamp(load_scenario("gold-vault-sober").scenario.start) == START


@pytest.mark.parametrize("path", [0, 77, 500])
def test_sober__agrees_in_process(path: int) -> None:
    found = replay(None, path)
    assert found.ok, found.observables


@pytest.mark.parametrize("path", [3, 4])
def test_as_claimed__agrees_in_process(path: int) -> None:
    found = replay(None, path, name="gold-vault-as-claimed")
    assert found.ok, found.observables


def test_silver_token__beside_the_gold_one__agrees_in_process() -> None:
    found = replay(None, 3, "instruments.silver_token={preset: xaut, shortfall_hazard: 1.0}")
    assert found.ok, found.observables
    assert {o.instrument for o in found.observables} >= {"gold_token", "silver_token"}


@pytest.mark.parametrize("path", range(6))
def test_wild__liquidations_bad_debt_exploit_and_shortfall__agree(path: int) -> None:
    found = replay(None, path, *WILD)
    assert found.ok, found.observables


@pytest.mark.parametrize("path", range(3))
def test_wild__while_usdc_is_half_a_dollar__agrees(path: int) -> None:
    """Day 60 is a Saturday: gold's feed is closed, that of USDC is not."""
    fall = "market.stablecoin={day: 60, low: 0.5, recovers_days: 5, lasting_loss: 0.3}"
    found = replay(None, path, *WILD, fall)
    assert found.ok, found.observables


def test_depeg__of_the_ready_scenario__agrees_for_every_instrument() -> None:
    """Fifteen days beyond the fall; portfolios, covers and mine tokens are on the chain too."""
    found = replay(None, 0, "horizon_days=145", name="stress-depeg")
    assert found.ok, found.observables
    assert {o.instrument for o in found.observables} >= {"gold_vault", "desk", "copper-cover"}


def test_usdc_that_falls__liquidates_on_that_day_and_is_missed_by_a_feed_that_does_not() -> None:
    fall = "market.stablecoin={day: 60, low: 0.7}"
    loaded = load_scenario("gold-vault-sober", overrides=(*BUSY, fall))
    scenario, chain = loaded.scenario, RevmChain(START)
    cast = players(scenario, market_spec(scenario, loaded.calibration), 1)
    vault = player_of(cast, "gold_vault")
    assert np.diff(vault._liquidated)[59] >= 2
    vault._usdc_usd = np.ones(121)
    with pytest.raises((ReconciliationFailed, TransactionReverted), match="step 60"):
        play(chain, cast, scenario.start, 120, "1", 1)


def test_wild__paths_contain_what_they_are_there_for() -> None:
    """Guards the test above: without these events it would prove little."""
    loaded = load_scenario("gold-vault-sober", overrides=WILD)
    spec = market_spec(loaded.scenario, loaded.calibration)
    cast = [player_of(players(loaded.scenario, spec, path), "gold_vault") for path in range(6)]
    assert sum(float(player._liquidated[-1]) for player in cast) > 5
    assert sum(float(np.nansum(player._acts[:, 52]) > 0) for player in cast) >= 2  # stolen
    assert sum(float(player._acts[:, 44].sum()) for player in cast) >= 1  # a loss reported


@pytest.mark.parametrize("path", [238, 239, 327])
def test_sober__drained_paths__agree(path: int) -> None:
    """What is left of a drained book carries the rounding of the whole one."""
    found = replay(None, path)
    assert found.ok, found.observables


@pytest.mark.parametrize(
    "overrides",
    [
        ("exploit_severity=1", "exploit_hazard=5"),
        ("borrowers.demand_share=1", "borrowers.reservation_rate=1"),
    ],
    ids=["everything is taken", "everything is lent"],
)
def test_extremes__a_book_that_empties__agrees(overrides: tuple[str, ...]) -> None:
    found = replay(None, 1, *(f"instruments.gold_vault.{text}" for text in overrides))
    assert found.ok, found.observables


def test_xaut_preset__with_liquidations_and_a_shortfall__agrees() -> None:
    terms = ("preset=xaut", "shortfall_hazard=2")
    found = replay(None, 3, *(f"instruments.gold_token.{text}" for text in terms))
    assert found.ok, found.observables


def test_xaut_preset__six_decimals__agrees_to_its_coarser_unit() -> None:
    found = replay(None, 5, *BUSY, "instruments.gold_token.preset=xaut")
    assert found.ok, found.observables


def test_weekly_reports_and_claims__agree() -> None:
    found = replay(
        None,
        6,
        *BUSY,
        "instruments.gold_vault.report_every_days=7",
        "instruments.gold_vault.emissions.claim_every_days=11",
        "instruments.gold_vault.profit_unlock_days=3",
    )
    assert found.ok, found.observables


def test_no_lock_up_of_profit__agrees() -> None:
    found = replay(None, 6, *BUSY, "instruments.gold_vault.profit_unlock_days=0")
    assert found.ok, found.observables


def test_both_chains__show_the_same_numbers(node) -> None:
    """The same calls on both: every observable is the same integer, so the same float."""
    fresh = node.snapshot()
    on_anvil = replay(node, 2, *WILD)
    node.revert(fresh)
    in_process = replay(None, 2, *WILD)
    assert on_anvil.ok
    assert in_process.ok
    assert on_anvil.transactions == in_process.transactions
    assert on_anvil.series.equals(in_process.series)


def test_holder_gas__booked_figures_are_those_of_the_node(node) -> None:
    """Storage that is empty or not moves single acts by some percent."""
    fresh = node.snapshot()
    found = replay(node, 0)
    node.revert(fresh)
    for act, booked in HOLDER_GAS.items():
        assert found.holder_gas["gold_vault", act] == pytest.approx(booked, rel=0.05), act


def test_choose__quantiles_of_the_exit_value_and_most_events() -> None:
    from simulator.engine import simulate

    loaded = load_scenario("gold-vault-sober", overrides=["paths=201", "horizon_days=60"])
    holder = simulate(loaded.scenario, loaded.calibration).investors["holder"]
    low, middle, high, events = choose(holder)
    final = np.sort(holder.final["usd"])
    assert holder.final["usd"][low.path] == final[10]
    assert holder.final["usd"][middle.path] == final[100]
    assert holder.final["usd"][high.path] == final[190]
    assert holder.events[events.path] == holder.events.max()


def test_revm__is_left_as_it_was_by_a_revert() -> None:
    chain = RevmChain(START)
    fresh = chain.snapshot()
    first = replay(chain, 1, "horizon_days=30")
    chain.revert(fresh)
    second = replay(chain, 1, "horizon_days=30")
    assert first.series.equals(second.series)
    assert first.gas == second.gas
