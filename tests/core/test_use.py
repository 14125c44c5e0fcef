"""`use`: named parts of another scenario, each with what it needs and nothing else."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.scenario import load_scenario

HEAD = "name: own\ntitle: own\nhorizon_days: 365\npaths: 256\n"


def written(folder, text, name="own.yaml"):
    path = folder / name
    path.write_text(HEAD + text)
    return path


def loaded(folder, text):
    return load_scenario(written(folder, text))


def faults(folder, text):
    with pytest.raises(InputError) as caught:
        loaded(folder, text)
    return caught.value.problems


def test_a_claim__comes_with_its_investor_his_instruments_and_their_assets(tmp_path):
    found = loaded(tmp_path, "use:\n  hard-assets-2026: {claims: [gold-vault-8-12]}\n").scenario
    assert list(found.claims) == ["gold-vault-8-12"]
    assert list(found.investors) == ["holder"]
    assert sorted(found.instruments) == ["gold_pool", "gold_token", "gold_vault"]
    assert list(found.market.assets) == ["gold"]
    assert (found.market.model, found.market.calibration) == ("macro", "hard-assets-2026-01")


def test_a_part__is_what_it_is_in_its_own_scenario__origins_included(tmp_path):
    found, whole = (
        loaded(tmp_path, "use:\n  gold-vault-sober: {investors: [holder]}\n" + OWN_CLAIM),
        load_scenario("gold-vault-sober"),
    )
    assert found.scenario.instruments == whole.scenario.instruments
    assert found.scenario.investors == {"holder": whole.scenario.investors["holder"]}
    hazard = "instruments.gold_vault.exploit_hazard"
    assert found.provenance[hazard] == whole.provenance[hazard]


OWN_CLAIM = """\
claims:
  mine: {says: gains, subject: holder,
         conditions: [{measure: total_return, unit: usd, at_least: 0}]}
"""


def test_what_the_file_says_itself__lies_over_what_it_uses(tmp_path):
    text = (
        "use:\n  gold-vault-sober: {investors: [holder]}\n"
        "market: {model: gbm, assets: {gold: {drift: 0.5}}}\n"
        "instruments: {gold_vault: {exploit_hazard: 0.5}}\n"
    )
    found = loaded(tmp_path, text + OWN_CLAIM)
    scenario = found.scenario
    assert (scenario.market.model, scenario.market.assets["gold"].drift) == ("gbm", 0.5)
    assert scenario.market.calibration == "metals-2026-01"
    assert scenario.instruments["gold_vault"].exploit_hazard == 0.5
    assert scenario.instruments["gold_vault"].idle_share == 0.05
    assert "instruments.gold_vault.exploit_hazard" not in found.provenance


def test_what_a_part_needs__is_left_alone_where_it_is_there(tmp_path):
    text = (
        "extends: gold-vault-as-claimed\n"
        "use:\n  hard-assets-2026: {claims: [ballast-softens-falls]}\n"
        "market: {model: macro, calibration: hard-assets-2026-01}\n"
    )
    found = loaded(tmp_path, text).scenario
    assert set(found.claims) == {"gold-vault-8-12", "gold-vault-8-12-usd", "ballast-softens-falls"}
    own = load_scenario("gold-vault-as-claimed").scenario.instruments["gold_token"]
    assert found.instruments["gold_token"] == own
    assert "producing_sto" not in found.instruments


def test_named_instruments__lie_over_what_is_extended(tmp_path):
    text = "extends: gold-vault-as-claimed\nuse:\n  gold-vault-sober: {instruments: [gold_vault]}\n"
    found = loaded(tmp_path, text).scenario.instruments
    assert (
        found["gold_vault"] == load_scenario("gold-vault-sober").scenario.instruments["gold_vault"]
    )


def test_several_sources__share_what_they_need(tmp_path):
    text = (
        "use:\n  copper-sto: {instruments: [producing_sto]}\n"
        "  hard-assets-2026: {investors: [conservative], claims: [silver-100]}\n"
    )
    found = loaded(tmp_path, text).scenario
    assert set(found.market.assets) == {"copper", "gold", "silver", *SHARES}
    assert set(found.instruments) == {
        "producing_sto",
        "gold_token",
        "gold_in_a_safe",
        "gold_fund",
        "bills",
        "big_tech",
        "small_caps",
    }
    # The first source that can give a market gives it.
    assert found.market.model == load_scenario("copper-sto").scenario.market.model


SHARES = ("big_tech", "small_caps", "treasury_bills")


@pytest.mark.parametrize(
    ("home", "claim"),
    [
        ("copper-cover", "cover-is-fair"),
        ("copper-sto", "copper-sto-beats-fund"),
        ("hard-assets-2026", "central-banks-above-1000"),
        ("hard-assets-2026", "copper-growth-and-yield"),
        ("hard-assets-2026", "gold-tokens-10-bn"),
        ("hard-assets-2026", "mining-revenue-staking-adds"),
        ("hard-assets-2026", "negative-real-rates-lift-gold"),
        ("hard-assets-2026", "stop-loss-saves-the-aggressive"),
        ("stress-depeg", "usdc-is-a-dollar"),
        ("stress-depeg", "waiting-costs-the-vault-nothing"),
        ("two-vaults", "halves-lose-less"),
    ],
)
def test_a_ready_claim__stands_alone(tmp_path, home, claim):
    found = loaded(tmp_path, f"use:\n  {home}: {{claims: [{claim}]}}\n{NOBODY}").scenario
    assert set(found.claims) == {claim}


NOBODY = """\
investors: {nobody: {capital_usd: 1, weights: {nothing: 1}}}
instruments: {nothing: {kind: holding, what: physical_gold}}
market: {assets: {gold: {drift: 0}}}
"""
"""A scenario has an investor, also where a claim is about prices alone."""


CRASHED = """\
extends: gold-vault-sober
shocks:
  - {name: crash, target: price.silver, day: 5, size: {value: -0.2, source: me, mark: claimed}}
  - {name: depeg, target: usdc, day: 6, at: 0.9}
"""


def test_shocks__come_before_those_of_the_file_with_what_they_hit(tmp_path):
    written(tmp_path, CRASHED, "crashed.yaml")
    own = "shocks:\n  - {name: own, target: price.gold, day: 7, size: 0.5}\n"
    use = "use:\n  crashed.yaml: {investors: [token_only], shocks: [crash]}\n"
    found = loaded(tmp_path, use + OWN_CLAIM.replace("holder", "token_only") + own)
    assert [shock.name for shock in found.scenario.shocks] == ["crash", "own"]
    assert set(found.scenario.market.assets) == {"gold", "silver"}
    assert found.provenance["shocks[0].size"].source == "me"


def test_fault_in_a_used_shock__stands_at_its_file__and_in_ones_own_at_ones_own(tmp_path):
    base = written(tmp_path, CRASHED.replace("day: 5", "day: 5000"), "crashed.yaml")
    use = "use:\n  crashed.yaml: {investors: [token_only], shocks: [crash]}\n"
    own = "shocks:\n  - {name: own, target: price.gold, day: 6000, size: 0.5}\n"
    found = faults(tmp_path, use + OWN_CLAIM.replace("holder", "token_only") + own)
    where = {(problem.file, problem.line, problem.field) for problem in found}
    assert where == {
        (str(base), 7, "shocks[0].day"),
        (str(tmp_path / "own.yaml"), 11, "shocks[1].day"),
    }


def test_replay__left_out__follows_the_first_investor(tmp_path):
    found = loaded(tmp_path, "use:\n  gold-vault-sober: {claims: [gold-vault-8-12]}\n").scenario
    assert found.replay.subject == "holder"


@pytest.mark.parametrize(
    ("use", "line", "field", "rule"),
    [
        (
            "use: [copper-sto]\n",
            5,
            "use",
            "must name scenarios and what is taken, as {copper-sto: {instruments: [NAME]}}",
        ),
        ("use: {copper-st: {claims: [x]}}\n", 5, "use.copper-st", "did you mean copper-sto?"),
        ("use:\n  copper-sto: {claim: [x]}\n", 6, "use.copper-sto.claim", "did you mean claims?"),
        (
            "use:\n  copper-sto: {claims: copper-sto-18}\n",
            6,
            "use.copper-sto.claims",
            "must be a list of names, as [claim]",
        ),
        (
            "use:\n  copper-sto:\n    claims: [copper-sto-81]\n",
            7,
            "use.copper-sto.claims[0]",
            "must be a claim of copper-sto; did you mean copper-sto-18",
        ),
    ],
)
def test_use__what_cannot_be__is_refused_with_its_line(tmp_path, use, line, field, rule):
    (problem,) = faults(tmp_path, use)
    assert (problem.line, problem.field) == (line, field)
    assert rule in problem.rule


def test_fault_in_a_used_part__stands_at_the_file_that_wrote_it(tmp_path):
    base = written(
        tmp_path, "extends: gold-vault-sober\ninvestors: {holder: {ounces: -1}}\n", "b.yaml"
    )
    (problem,) = faults(tmp_path, f"use:\n  b.yaml: {{investors: [holder]}}\n{OWN_CLAIM}")
    assert (problem.file, problem.field) == (str(base), "investors.holder.ounces")


def test_whole_file__of_the_docs__is_short_and_can_be_read(tmp_path):
    docs = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    begins = docs.index("    name: my-first")
    text = textwrap.dedent(docs[begins : docs.index("\n## Claims", begins)])
    assert text.count("\n") <= 35
    assert "null" not in text
    path = tmp_path / "first.yaml"
    path.write_text(text, encoding="utf-8")
    found = load_scenario(path).scenario
    assert found.investors["me"].weights["vault_at_9"] == 0.2
    assert [shock.target for shock in found.shocks] == [
        "price.gold",
        "usdc",
        "vault_at_9.exploit",
    ]
