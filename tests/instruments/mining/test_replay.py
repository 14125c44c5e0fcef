"""The mining STO on a chain: books, streams, refunds, lock-ups and top-ups, to the cent."""

from __future__ import annotations

from pathlib import Path

import pytest
from paths import differing, player_of, replay, rows

from simulator.chain import AnvilChain
from simulator.chain.compile import compile_patched
from simulator.errors import ChainUnavailable
from simulator.instruments.mining.gas import HOLDER_GAS, STAKING_GAS
from simulator.market.build import market_spec
from simulator.replay import choose, play, players
from simulator.scenario import load_scenario

START = 1_768_867_200
"""2026-01-20 00:00 UTC."""
CENT = 0.01
NAME = "copper-sto"
STO = "instruments.producing_sto."
RISKY = (
    f"{STO}default.hazard=0.7",
    f"{STO}outages.strike.hazard=3",
    f"{STO}outages.mudslide.hazard=1",
    f"{STO}sale.demand_usd=600000000",
)
SCHEME = (
    f"{STO}payout.payout_ratio=0.1",
    STO + "payout.top_up={reserve_share: 0.03, deposits_a_year: 0.4, trust: 0.8}",
    f"{STO}sale.demand_deviation=0",
    f"{STO}default.hazard=0",
)
TOPPED_UP = (*RISKY, *SCHEME[:2])


def by_name(found):
    return {(item.instrument, item.name): item for item in found.observables}


def on_chain(found, step: int):
    """Return what was read of the producing mine's token at the end of a step, by name."""
    series = found.series[found.series.instrument == "producing_sto"]
    return series[series.step == step].set_index("observable")["chain"]


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


def chosen():
    """Return the paths p05, p50, p95 and events of the scenario's subject, of 512 paths."""
    from simulator.engine import simulate

    loaded = load_scenario(NAME, overrides=["paths=512"])
    outcome = simulate(loaded.scenario, loaded.calibration)
    return {choice.label: choice.path for choice in choose(outcome.investors["producing_holder"])}


def test_chosen_paths__agree_to_the_cent__on_both_chains(node) -> None:
    """The three quantiles and the most eventful path, quarterly payments included."""
    for label, path in chosen().items():
        fresh = node.snapshot()
        on_anvil, in_process = replay(node, path, name=NAME), replay(None, path, name=NAME)
        node.revert(fresh)
        assert on_anvil.ok, (label, on_anvil.observables)
        assert in_process.ok
        assert on_anvil.series.equals(in_process.series)
        money = [item for item in in_process.observables if item.name != "supply"]
        assert max(item.max_error for item in money) < CENT


@pytest.mark.parametrize("overrides", [RISKY, TOPPED_UP], ids=["risky", "topped up"])
@pytest.mark.parametrize("path", range(3))
def test_defaults_outages_and_top_ups__agree(overrides: tuple[str, ...], path: int) -> None:
    found = replay(None, path, *overrides, name=NAME)
    assert found.ok, found.observables


@pytest.mark.parametrize("path", range(2))
def test_staking__defaults_new_deposits_and_odd_periods__agree(path: int) -> None:
    staking = "instruments.producing_staking."
    terms = (f"{staking}period_days=37", f"{staking}revenue_share=0.3")
    found = replay(None, path, *TOPPED_UP, *terms, name=NAME)
    assert found.ok, found.observables
    assert by_name(found)["producing_staking", "earned"].max_error < CENT


def test_staking__before_the_lockup_ends__is_that_of_a_holder() -> None:
    found = replay(None, 4, "horizon_days=150", name=NAME)
    assert found.ok, found.observables


def test_books__every_unit_paid_in__is_paid_claimable_or_still_flowing() -> None:
    """Sum of withdrawn, of claims, and what flows = what was paid in, read from the chain."""
    found = replay(None, 1, *SCHEME, name=NAME)
    for name in ("unaccounted", "uncovered"):
        item = by_name(found)["producing_sto", name]
        assert item.ok
        assert item.max_error <= 4e-6
    distributed = rows(found, "producing_sto", "distributed").chain
    assert distributed.iloc[-1] > 50e6
    assert distributed.nunique() == 5  # nothing, then four payments


def test_topped_up__the_contract_itself__books_a_return_of_capital() -> None:
    found = replay(None, 1, *SCHEME, name=NAME)
    assert found.ok, found.observables
    last = on_chain(found, 395)
    returned, distributed = last["returned"], last["distributed"]
    assert returned > 0.4 * distributed
    assert last["recorded"] + returned == pytest.approx(distributed, abs=1e-6)


def test_raise_below_the_soft_cap__everybody_is_refunded() -> None:
    few = f"{STO}sale.demand_usd=1000000"
    found = replay(None, 0, few, "horizon_days=60", name=NAME)
    assert found.ok, found.observables
    last = on_chain(found, 60)
    assert last["supply"] == 0.0
    assert last["exit_value"] == pytest.approx(100_000, abs=5)  # gas


def test_lockup_beyond_the_horizon__the_tokens_stay() -> None:
    locked = f"{STO}compliance.lockup_days=1000"
    found = replay(None, 0, locked, "horizon_days=150", name=NAME)
    assert found.ok, found.observables


def test_monthly_payments_and_short_streams__agree() -> None:
    staking = "instruments.producing_staking.period_days=20"
    terms = (f"{STO}payout.payments_a_year=12", f"{STO}payout.stream_days=20", staking)
    found = replay(None, 3, *terms, *RISKY, name=NAME)
    assert found.ok, found.observables


def test_odd_token_price__rounds_down_by_less_than_the_tolerance() -> None:
    found = replay(None, 3, f"{STO}sale.token_price_usd=0.37", "horizon_days=250", name=NAME)
    assert found.ok, found.observables


def test_paths__contain_what_they_are_there_for() -> None:
    """Guards the tests above: defaults and broken promises do happen on those paths."""
    loaded = load_scenario(NAME, overrides=TOPPED_UP)
    spec = market_spec(loaded.scenario, loaded.calibration)
    cast = [player_of(players(loaded.scenario, spec, path), "producing_sto") for path in range(3)]
    payments = [player._record.payment_usd[1:, 0] for player in cast]
    recorded = [player._record.recorded_usd[1:, 0] for player in cast]
    assert any((paid == 0.0).any() for paid in payments)
    assert any((paid > 1.5 * own).any() for paid, own in zip(payments, recorded, strict=True))


def gas_of(node, label: str) -> dict[str, int]:
    """Return the holder's gas by act where one instrument plays alone on the node."""
    loaded = load_scenario(NAME, overrides=["horizon_days=300"])
    scenario = loaded.scenario
    cast = players(scenario, market_spec(scenario, loaded.calibration), 7)
    (alone,) = [actor for actor in cast if actor.label == label]
    fresh = node.snapshot()
    found = play(node, [alone], scenario.start, scenario.horizon_days, "7", 7)
    node.revert(fresh)
    assert {whose for whose, _ in found.holder_gas} == {label}
    return {act: used for (_, act), used in found.holder_gas.items()}


def test_holder_gas__booked_figures_are_those_of_the_node(node) -> None:
    found = gas_of(node, "producing_sto")
    for act, booked in HOLDER_GAS.items():
        assert found[act] == pytest.approx(booked, rel=0.05), act


def test_staking_gas__booked_figures_are_those_of_the_node(node) -> None:
    """Claims: of the tokens and one payment as a holder, of one payment at the staking."""
    found, holder = gas_of(node, "producing_staking"), gas_of(node, "producing_sto")
    assert found["stake"] == pytest.approx(STAKING_GAS["stake"], rel=0.05)
    more = 3 * (found["claim"] - holder["claim"])
    assert more == pytest.approx(STAKING_GAS["claim"], rel=0.15)
    assert found["leave"] - holder["leave"] == pytest.approx(STAKING_GAS["leave"], rel=0.15)


FAULTS = {
    "a payment flows for longer": (
        ("modules/dividend_stream.vy", "pot // stream_seconds", "pot // (stream_seconds + 600)"),
        {"producing_sto.earned"},
    ),
    "a payment counts as profit": (
        ("mining_sto.vy", "min(received, revenue_books._undistributed_revenue())", "received"),
        {"producing_sto.returned"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_contract__differs_where_it_should(fault: str) -> None:
    edit, expected = FAULTS[fault]
    source = Path(__file__).parents[3] / "contracts" / "mining_sto.vy"
    patched = {"mining_sto": compile_patched(source, edit)}
    assert expected <= differing(replay(None, 1, *SCHEME, name=NAME, patched=patched))
