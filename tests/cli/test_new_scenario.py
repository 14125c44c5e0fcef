"""A first scenario from flags, its schema, and one field explained: as a user types it."""

from __future__ import annotations

import json

import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.scenario import load_scenario

HELD = ("--hold", "bills=0.6", "--hold", "gold_vault=0.3", "--hold", "cash=0.1")
FROM = ("--from", "hard-assets-2026")


def assay(*arguments, code=0):
    """Return the outcome of a command that must exit with `code`."""
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def test_new__is_a_scenario_that_says_what_the_flags_said(tmp_path):
    said = ("--capital", 50_000, "--days", 730, "--start", "2026-02-02", "--drawdown", 0.15)
    text = assay("scenario", "new", "mine", *FROM, *HELD, *said, "--yield", 0.06).stdout
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    scenario = load_scenario(path).scenario
    assert scenario.investors["holder"].weights == {"bills": 0.6, "gold_vault": 0.3, "cash": 0.1}
    assert scenario.investors["holder"].capital_usd == 50_000
    assert (scenario.horizon_days, scenario.start.isoformat()) == (730, "2026-02-02")
    assert set(scenario.instruments) == {"bills", "gold_vault", "gold_token", "gold_pool"}
    measured = {c.measure: (c.at_least, c.at_most) for c in conditions(scenario)}
    assert measured == {"annual_yield": (0.06, None), "drawdown": (None, 0.15)}


def conditions(scenario):
    return [condition for claim in scenario.claims.values() for condition in claim.conditions]


@pytest.mark.parametrize(
    ("flags", "rule"),
    [
        (("--hold", "bills"), "--hold bills: must be THING=SHARE, as in bills=0.6"),
        (("--hold", "bills=0.5"), "--hold: the shares sum to 0.5; must sum to 1"),
        (("--hold", "bill=1"), "must be a thing of hard-assets-2026; did you mean bills"),
        (("--hold", "bills=1", "--start", "soon"), "--start soon: must be a date, as 2027-01-04"),
        (("--hold", "bills=1", "--days", 0), "horizon_days would be 0; must be 30 to 3660"),
        (("--hold", "bills=1", "--capital", -5), "capital_usd would be -5; must be above 0"),
        (("--hold", "bills=1", "--yield", "nan"), "at_least would be 'nan'; must be a number"),
        (("--hold", "bills=-1", "--hold", "cash=2"), "weights.bills would be -1; must be 0 to 1"),
        (("--hold", "cash=1"), "--hold: must have a thing beside cash"),
    ],
)
def test_new__flags_that_cannot_be__are_one_line(flags, rule):
    outcome = assay("scenario", "new", "mine", *FROM, *flags, code=2)
    assert rule in outcome.stderr
    assert outcome.stderr.count("\n") == (2 if "bills=-1" in flags else 1)


def test_schema__is_one_json_object():
    assert json.loads(assay("scenario", "schema").stdout)["title"] == "An Assay scenario"


def test_show__tells_editors_where_the_schema_is():
    first = assay("scenario", "show", "gold-vault-sober").stdout.splitlines()[0]
    assert first == "# yaml-language-server: $schema=assay.schema.json"


def test_explain__prints_what_the_field_is():
    lines = assay("explain", "exploit_hazard", "gold-vault-sober").stdout.splitlines()
    assert lines[:5] == [
        "instruments.gold_vault.exploit_hazard",
        "  Chance a year that the vault is drained (a Poisson rate).",
        "  must be   0 to 10",
        "  warned    above 2; 5 % is written 0.05",
        "  default   0.003",
    ]


def test_explain__a_field_that_is_not__is_one_line():
    assert "did you mean" in assay("explain", "exploit_hazrd", code=2).stderr


def test_set__null__takes_a_key_away():
    shown = assay("scenario", "show", "gold-vault-sober", "--set", "claims.gold-vault-8-12=null")
    assert "gold-vault-8-12-usd:" in shown.stdout
    assert "gold-vault-8-12:" not in shown.stdout


def test_set__null_of_what_is_not_there__is_a_usage_error():
    outcome = assay("scenario", "show", "gold-vault-sober", "--set", "claims.x=null", code=2)
    assert "claims.x is not there to be taken away" in outcome.stderr


def test_set__null_of_what_must_be__is_refused_as_the_command_lines():
    outcome = assay("scenario", "show", "gold-vault-sober", "--set", "title=null", code=3)
    assert "--set: title: is required" in outcome.stderr


def test_parts__are_listed_with_what_they_are_and_what_is_held():
    lines = assay("scenario", "parts").stdout.splitlines()
    assert lines[0] == "use: {parts: {instruments: [NAME, ...]}}"
    told = {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line[0] == " "}
    assert told["bills"] == "holding of treasury_bills"
    assert told["small_sto"] == "mining_sto"
    assert told["gold_pool"] == "gold_pool; held as gold_pool, gold_pool-arbitrageur"
    assert told["silver-100"] == load_scenario("parts").scenario.claims["silver-100"].says


def test_parts__of_another_scenario__are_those_that_use_takes(tmp_path):
    lines = assay("scenario", "parts", "gold-vault-sober").stdout.splitlines()
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert names[0] == "gold_token"
    path = tmp_path / "own.yaml"
    used = "{instruments: [gold_token], investors: [holder], claims: [gold-vault-8-12]}"
    path.write_text(
        f"name: own\ntitle: own\nhorizon_days: 365\npaths: 64\nuse: {{gold-vault-sober: {used}}}\n"
    )
    assert set(load_scenario(path).scenario.claims) <= set(names)
