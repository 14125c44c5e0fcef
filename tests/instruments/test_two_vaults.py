"""Two vaults on one token, on one chain: nothing of one is taken for the other's."""

from dataclasses import replace

import numpy as np
import pytest
from paths import differing

from simulator import play, players
from simulator.chain import AnvilChain, RevmChain
from simulator.engine import judge, simulate
from simulator.instruments.stage import Accounts, Actor, Observable, Stage, TakenTwice
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

PATH = 3
VAULTS = ("sober_vault", "promised_vault")
SHORT = ("horizon_days=60", "instruments.sober_vault.exploit_hazard=3", "paths=128")


@pytest.fixture(scope="module")
def loaded():
    return load_scenario("two-vaults", overrides=SHORT)


def world(loaded):
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_block(loaded.scenario, spec, 0, 128)


def replayed(loaded, chain, actors=None):
    spec = market_spec(loaded.scenario, loaded.calibration)
    cast = actors or players(loaded.scenario, spec, PATH)
    scenario = loaded.scenario
    return play(chain, cast, scenario.start, scenario.horizon_days, "one", PATH)


@pytest.fixture(scope="module")
def on_revm(loaded):
    with RevmChain(midnight_timestamp(loaded.scenario.start)) as chain:
        return replayed(loaded, chain)


def test_draws__of_a_vault__are_its_labels_own(loaded):
    """Demand for loans differs; alone, each vault's paths are the same bytes."""
    both = world(loaded)
    demand = [both.played[name].drivers.demand_ounces for name in VAULTS]
    assert not np.array_equal(*(d / d[0] for d in demand))
    alone = load_scenario(
        "two-vaults",
        overrides=[
            *SHORT,
            "instruments.promised_vault={kind: gold_vault, crowd_ounces: 7}",
        ],
    )
    exits = [w.instruments["sober_vault"].exit["usd"] for w in (both, world(alone))]
    assert exits[0].tobytes() == exits[1].tobytes()


def test_claims__on_each__are_judged_apart(loaded):
    run = simulate(loaded.scenario, loaded.calibration, workers=1)
    found = {verdict.claim: verdict for verdict in judge(run)}
    assert found["halves-lose-less"].kind == "effect"
    assert {"gold-vault-8-12", "promised-8-12"} <= set(found)
    holder, believer = (run.investors[name].final["ounces"] for name in ("holder", "believer"))
    # hazard 3 a year over 60 days: exp(-60/365 x 3) = 61 % of the paths are spared
    assert 0.5 < (holder > 99.0).mean() < 0.72
    assert (believer > 99.9).all()
    assert run.investors["both"].attribution_gap < 1e-9


def test_replay__of_both__agrees_and_neither_hides_the_other(loaded, on_revm):
    assert on_revm.ok, differing(on_revm)
    names = {(o.instrument, o.name) for o in on_revm.observables}
    assert {(vault, "share_price") for vault in VAULTS} <= names
    series = on_revm.series.set_index(["instrument", "observable", "step"])["chain"]
    sober, promised = (series[vault]["utilisation"] for vault in VAULTS)
    assert not np.array_equal(sober, promised)


def test_replay__of_both_on_a_node__agrees_with_the_gas_of_each_holder(loaded):
    """Each depositor enters, claims on day 30 and leaves: some 297,000, 73,000 and 255,000 gas."""
    with AnvilChain(midnight_timestamp(loaded.scenario.start)) as chain:
        found = replayed(loaded, chain)
    assert found.ok, differing(found)
    for vault in VAULTS:
        used = {act: gas for (label, act), gas in found.holder_gas.items() if label == vault}
        assert set(used) == {"enter", "claim", "leave"}
        assert used["enter"] == pytest.approx(297_000, rel=0.05)


def test_replay__of_a_vault_that_is_broken_beside_a_sound_one__names_the_broken_one(loaded):
    """A second share price used to take the first one's place, which was then never compared."""
    spec = market_spec(loaded.scenario, loaded.calibration)
    actors = players(loaded.scenario, spec, PATH)
    broken = [Actor(a.label, Wrong(a.player)) if a.label == VAULTS[0] else a for a in actors]
    with RevmChain(midnight_timestamp(loaded.scenario.start)) as chain:
        found = replayed(loaded, chain, broken)
    wrong = {(o.instrument, o.name) for o in found.observables if not o.ok}
    assert wrong == {(VAULTS[0], "share_price")}


class Wrong:
    """A player whose contract shows a share price that is a thousandth too high."""

    def __init__(self, player):
        self._player = player

    def __getattr__(self, name):
        return getattr(self._player, name)

    def read(self, step, answers):
        found = dict(self._player.read(step, answers))
        return found | {"share_price": found["share_price"] * 1.001}


class Twice:
    """A player of whom everything is read twice, as somebody might who looks again."""

    def __init__(self, player):
        self._player = player

    def __getattr__(self, name):
        return getattr(self._player, name)

    def read(self, step, answers):
        once = dict(self._player.read(step, answers))
        again = dict(self._player.read(step, answers))
        np.testing.assert_equal(again, once)
        return again

    def gas(self, step, receipts):
        once = dict(self._player.gas(step, receipts))
        assert dict(self._player.gas(step, receipts)) == once
        return once


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("two-vaults", SHORT),
        ("hard-assets-2026", ("paths=128", "horizon_days=260")),
        ("copper-cover", ("paths=128", "horizon_days=200")),
    ],
)
def test_read__of_every_player__twice_is_as_once(name, overrides):
    """Gas and rewards used to be booked again by a second look."""
    ready = load_scenario(name, overrides=overrides)
    spec = market_spec(ready.scenario, ready.calibration)
    actors = players(ready.scenario, spec, PATH)
    doubled = [replace(actor, player=Twice(actor.player)) for actor in actors]
    with RevmChain(midnight_timestamp(ready.scenario.start)) as chain:
        found = replayed(ready, chain, doubled)
    assert found.ok, differing(found)


# -- keys --------------------------------------------------------------------------------------


def test_accounts__of_a_label_and_role__are_its_own_but_for_owner_and_custodian():
    accounts = Accounts()
    one, two = (Stage(None, label, accounts).roles for label in ("one", "two"))
    assert one.owner == two.owner
    assert one.custodian == two.custodian
    assert len({one.keeper, two.keeper, one.crowd, two.crowd, one.owner}) == 5
    assert one.keeper == Stage(None, "one", accounts).roles.keeper
    assert set(one.several("borrower", 8)).isdisjoint(two.several("borrower", 8))


def test_contract__of_a_name_that_the_label_has_already__is_refused(revm):
    stage = Stage(revm, "one")
    stage.deploy("usdc")
    with pytest.raises(TakenTwice, match="one deploys usdc twice"):
        stage.deploy("usdc")
    other = Stage(revm, "two", stage.accounts, stage.contracts)
    assert other.deploy("usdc").address != other.contract("usdc", "one").address


def test_observable__of_a_name_that_stands_already__is_refused(revm):
    class Two:
        observables = (Observable("price", 1, 1.0), Observable("price", 1, 1.0))

        def deploy(self, stage):
            pass

    with pytest.raises(TakenTwice, match="one has two observables price"):
        play(revm, [Actor("one", Two())], None, 0, "x", 0)
