"""The table of sources: parts add up to the whole, errors are those of scipy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples
from scipy import stats

from simulator.engine import simulate
from simulator.engine.attribution import (
    KINDS,
    Contributions,
    Line,
    Mean,
    beside,
    contributions,
    grouped,
)
from simulator.engine.stored import Rows
from simulator.scenario import load_scenario

UNITS = ("ounces", "usd")


@pytest.fixture
def found():
    return contributions(samples.vault_measures())


@pytest.mark.parametrize("unit", UNITS)
def test_sources__added_up__give_the_net(found, unit):
    total = sum(line.means[unit].value for line in found.sources)
    assert total == pytest.approx(found.net.means[unit].value, abs=1e-15)


@pytest.mark.parametrize("unit", UNITS)
def test_kinds__added_up__give_the_net(found, unit):
    total = sum(line.means[unit].value for line in found.kinds)
    assert total == pytest.approx(found.net.means[unit].value, abs=1e-15)


@pytest.mark.parametrize("unit", UNITS)
def test_kind__is_the_sum_of_its_sources(found, unit):
    for kind in found.kinds:
        total = sum(line.means[unit].value for line in found.of_kind(kind.kind))
        assert total == pytest.approx(kind.means[unit].value, abs=1e-15)


def test_sources__that_stay_in_files__are_read_once_each__and_not_all_together(found):
    measures, read = samples.vault_measures(), []

    def rows(unit):
        def column(name):
            read.append((unit, name))
            return measures.attribution[unit][int(name)]

        places = [str(place) for place in range(len(measures.sources))]
        return Rows(places, samples.N_PATHS, column)

    kept = replace(measures, attribution={unit: rows(unit) for unit in UNITS})
    assert contributions(kept) == found
    assert contributions(kept) is contributions(kept)
    assert sorted(read) == sorted(set(read))
    assert len(read) == len(UNITS) * len(measures.sources)


def test_net__in_ounces__is_what_the_sample_says(found):
    # 1 + 3 - 0.5 less a tenth of 80
    assert found.net.means["ounces"].value == pytest.approx(0.035 - 0.08, abs=1e-15)


def test_gross__leaves_out_losses_and_costs(found):
    assert found.gross.means["ounces"].value == pytest.approx(0.04, abs=1e-15)
    assert found.gross.means["usd"].value == pytest.approx(0.05, abs=1e-12)


def test_error__is_the_standard_error_of_the_mean(found):
    measures = samples.vault_measures()
    gains = measures.final["usd"] / measures.initial["usd"] - 1
    assert found.net.means["usd"].error == pytest.approx(stats.sem(gains), rel=1e-9)


def test_sources__stand_in_the_order_of_kinds(found):
    order = [KINDS.index(line.kind) for line in found.sources]
    assert order == sorted(order)


def test_is_zero__only_where_no_path_has_anything(found):
    assert {line.label: line.is_zero for line in found.sources} == {
        "Interest from borrowers": False,
        "Token <emissions>": False,
        "Gold price": False,
        "Exploit": False,
        "Bad debt": True,
        "Vault fees": False,
    }


def test_beside__of_a_subject__are_those_that_claims_compare_him_with():
    loaded = load_scenario("hard-assets-2026", overrides=["paths=128"])
    whole = simulate(loaded.scenario, loaded.calibration)
    subjects = {claim.subject for claim in loaded.scenario.claims.values()} - {None}
    assert beside(whole, "aggressive", subjects) == ["aggressive_without_stop"]
    assert beside(whole, "holder", subjects) == []
    small = load_scenario("gold-vault-sober", overrides=["paths=128"])
    few = simulate(small.scenario, small.calibration)
    assert beside(few, "holder", ["holder"]) == ["token_only"]


def test_grouped__small_sources_of_a_kind__are_one_line_that_keeps_the_sum():
    def line(label, kind, usd):
        return Line(label, kind, {"usd": Mean(usd, 0.001)})

    lines = (
        line("interest", "organic", 0.03),
        line("tips", "organic", 0.002),
        line("gas", "cost", -0.0011),
        line("spread", "cost", -0.0024),
        line("fee", "cost", -0.004),
    )
    kinds = (line("organic", "organic", 0.032), line("cost", "cost", -0.0075))
    total = line("net", None, 0.0245)
    few = grouped(Contributions("x", "y", {}, lines, kinds, total, total))
    # one small source is no group; gas and spread are: 0.11 + 0.24 %
    assert [found.label for found in few.sources] == [
        "interest",
        "tips",
        "fee",
        "2 others of cost, each below 0.25\u00a0%",
    ]
    assert few.sources[-1].means["usd"].value == pytest.approx(-0.0035)
    assert sum(found.means["usd"].value for found in few.sources) == pytest.approx(0.0245)
