"""Crises as they were, laid over any scenario."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from simulator.errors import InputError, UsageError
from simulator.market.build import market_spec
from simulator.market.paths import simulate_market
from simulator.scenario import load_scenario
from simulator.scenario.crises import crises_folder, read_crisis

READY = sorted(crises_folder().glob("*.yaml"))


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_ready_crisis__has_its_words_and_shocks_on_or_after_its_first_day(path):
    crisis = read_crisis(path)
    assert crisis.title
    assert all(item.data["on"] >= crisis.first_day for item in crisis.items)
    names = [item.data["name"] for item in crisis.items]
    assert len(set(names)) == len(names)


def test_crisis__keeps_distances_and_days_of_the_week():
    shocks = load_scenario("gold-vault-sober", crisis="gold-2013-04").scenario.shocks
    gold = [shock.on for shock in shocks if shock.target == "price.gold"]
    # a Friday, the Monday after it and the Tuesday: the first Friday 30 days from 2026-01-20
    assert gold == [dt.date(2026, 2, 20), dt.date(2026, 2, 23), dt.date(2026, 2, 24)]
    assert {shock.group for shock in shocks} == {"gold-2013-04"}


def test_crisis__moves_the_closes_as_they_moved():
    # COMEX front month on 15 April 2013: 1,501.0 to 1,360.6, which is -9.35 %
    found = load_scenario("gold-vault-sober", crisis="gold-2013-04@2026-04-10")
    spec = market_spec(found.scenario, found.calibration)
    gold = simulate_market(spec, 1, 0, 128).prices["gold"]
    step = (dt.date(2026, 4, 13) - found.scenario.start).days
    assert np.allclose(gold[step] / gold[step - 1], 1 - 0.0935, rtol=1e-12, atol=0.0)


def test_crisis__of_a_token__hits_every_label_of_the_kind_and_figures_keep_their_source():
    found = load_scenario("two-vaults", crisis="paxg-2025-10")
    targets = {shock.target for shock in found.scenario.shocks}
    assert targets == {"gold_token.premium", "hours"}
    origin = found.provenance["shocks[1].size"]
    assert (origin.source, origin.mark) == ("3,087 of 3,950 dollars", "secondary")
    # A fall from 3,950 to 3,087 dollars
    assert found.scenario.shocks[1].size == pytest.approx(3_087 / 3_950 - 1, abs=5e-5)


def test_crisis__beside_own_shocks__comes_before_them(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "extends: gold-vault-sober\nname: own\n"
        "shocks: [{name: own, target: price.gold, day: 300, size: 0.1}]\n"
    )
    shocks = load_scenario(path, crisis="usdc-2023-03").scenario.shocks
    assert [shock.name for shock in shocks] == ["saturday", "sunday", "own"]


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("gold-2013", "did you mean gold-2013-04"),
        ("gold-2013-04@soon", "must be NAME@DATE"),
        ("gold-2013-04@", "must be NAME@DATE"),
        ("gold-2013-04@2026-01-20", "must begin after 2026-01-20, the first day of the run"),
        ("ftx-2022-11", "the scenario has nothing that it hits"),
    ],
)
def test_crisis__that_cannot_be__is_one_line(said, rule, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: own\ntitle: own\nmarket: {model: gbm, assets: {treasury_bills: {drift: 0}}, "
        "calibration: hard-assets-2026-01}\n"
        "instruments: {bills: {kind: holding, what: treasury_bills}}\n"
        "investors: {i: {holding: bills, capital_usd: 1}}\n"
        "claims: {c: {says: up, subject: i, "
        "conditions: [{measure: total_return, unit: usd, at_least: 0}]}}\n"
    )
    with pytest.raises(UsageError, match=rule):
        load_scenario(path, crisis=said)


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("title: t\nsource: s\nfirst_day: 2020-01-01\nshocks:\n  - {name: a}\n", 5, "shocks[0].on"),
        ("title: t\nsource: s\nfirst_day: soon\nshocks:\n  - {on: 2020-01-01}\n", 3, "first_day"),
        ("title: t\nfirst_day: 2020-01-01\nshocks:\n  - {on: 2020-01-01}\n", 1, "source"),
        ("title: t\nsource: s\nfirst_day: 2020-01-01\n", 1, "shocks"),
        (
            "title: t\nsource: s\nfirst_day: 2020-01-01\nfeed: x\nshocks:\n  - {on: 2020-01-01}\n",
            4,
            "feed",
        ),
    ],
)
def test_crisis_file__that_lacks_something__is_refused_with_its_line(tmp_path, text, line, field):
    path = tmp_path / "crisis.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_crisis(path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.field) == (str(path), line, field)
