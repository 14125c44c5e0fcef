"""Every field is explained by its own text: on the command line, in the schema, on a page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from simulator.errors import UsageError
from simulator.scenario import load_scenario, shipped_scenarios
from simulator.scenario.explain import explained
from simulator.scenario.files import read_whole, shipped_folder
from simulator.scenario.json_schema import scenario_schema
from simulator.scenario.reference import all_fields

ROOT = Path(__file__).resolve().parents[2]
SOBER = shipped_folder() / "gold-vault-sober.yaml"
COPPER = shipped_folder() / "copper-sto.yaml"


@pytest.fixture(scope="module")
def validator():
    schema = scenario_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def plain(path):
    """Return a file as JSON has it: dates are text there."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(path), default=str))


# -- the schema --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", shipped_scenarios(), ids=lambda path: path.stem)
def test_schema__an_outside_validator_accepts_each_ready_scenario(validator, path):
    assert [error.message for error in validator.iter_errors(plain(path))] == []


OWN = {"extends": "gold-vault-sober", "name": "own"}


@pytest.mark.parametrize("path", shipped_scenarios(), ids=lambda path: path.stem)
def test_numbers__of_a_shipped_scenario__are_no_text_to_readers_of_yaml_1_1(path):
    """They want a point and a sign: 1.2e9 and 1e+9 are words there."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"(?<![\w.-])\d+(?:e[+-]?\d+|\.\d*e\d+)\b", text) == []


@pytest.mark.parametrize(
    "said",
    [
        {"paths": "1_000"},
        {"paths": 1e4},
        {"claims": {"gold-vault-8-12": None}},
        {"instruments": {"gold_vault": {"exploit_hazard": 0.1}}},
        {"instruments": {"gold_vault": {"exploit_hazard": {"value": 0.1, "mark": "claimed"}}}},
        {"instruments": {"mine": {"kind": "gold_vault", "token": "gold_token"}}},
        {"instruments": {"ramp_up_sto": {"payout": {"payout_ratio": 0.2}}}},
        {"use": {"copper-sto": {"claims": ["copper-sto-18"]}}},
        {"market": {"views": {"real_rate": "negative"}}},
        {"market": {"views": {"real_rate": {"value": 0.02, "mark": "claimed"}}}},
    ],
)
def test_schema__what_may_be_said__is_accepted(validator, said):
    assert validator.is_valid({**OWN, **said})


@pytest.mark.parametrize(
    "said",
    [
        {"path": 3},
        {"paths": 0},
        {"paths": "many"},
        {"instruments": {"gold_vault": {"exploit_hazard": 11}}},
        {"instruments": {"gold_vault": {"exploit_hazard": {"value": 0.1, "mrk": "claimed"}}}},
        {"instruments": {"gold_vault": {"exploit_hazard": {"mark": "claimed"}}}},
        {"instruments": {"gold_vault": {"kind": "gold_token"}}},
        {"instruments": {"mine": {"kind": "gold_vaul"}}},
        {"instruments": {"mine": {"kind": "gold_vault", "exploit_hazrd": 1}}},
        {"market": {"assets": {"gold": {"drift": 5}}}},
        {"market": {"views": {"real_rate": "positive"}}},
        {"market": {"views": {"real_rate": 0.5}}},
        {"claims": {"x": {"conditions": [{"measure": "hi"}]}}},
        {"use": {"copper-sto": {"claim": ["copper-sto-18"]}}},
    ],
)
def test_schema__what_may_not_be_said__is_refused(validator, said):
    assert not validator.is_valid({**OWN, **said})


def test_schema__a_file_that_extends_nothing__needs_what_a_scenario_needs(validator):
    whole = {"name": "own", "title": "t", "market": {}, "investors": {"i": {}}}
    lacking = {error.message for error in validator.iter_errors(whole)}
    assert lacking == {f"'{name}' is a required property" for name in ("instruments", "claims")}


def test_schema__has_words_bounds_units_and_defaults(validator):
    definitions = validator.schema["$defs"]
    (vault,) = [item for name, item in definitions.items() if name == "GoldVaultTerms"]
    hazard = vault["properties"]["exploit_hazard"]
    assert hazard["description"].startswith("Chance a year that the vault is drained")
    assert hazard["default"] == 0.003
    assert hazard["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 10}
    assert vault["properties"]["idle_share"]["anyOf"][0]["x-unit"] == "1 = 100 %"


# -- one field ---------------------------------------------------------------------------------


def test_explain__tells_words_bounds_default_values_and_claims():
    found = explained("instruments.gold_vault.exploit_hazard", [SOBER])
    field = load_scenario("gold-vault-sober").scenario.instruments["gold_vault"]
    words = type(field).model_fields["exploit_hazard"].description
    assert f"{found.field.words}." == words
    assert (found.field.rule, found.field.default) == ("0 to 10", "0.003")
    assert found.field.warned == "above 2; 5 % is written 0.05"
    (setting,) = found.settings
    assert (setting.file, setting.value) == ("gold-vault-sober", "0.05")
    assert setting.origin.mark == "assumption"
    assert found.of.startswith("gold_vault: ")


def test_explain__a_label__stands_for_its_kind():
    found = explained("instruments.ramp_up_sto.mine.grade", [COPPER])
    assert found.field.name == "instruments.mining_sto.mine.grade"
    assert {setting.place.split(".")[1] for setting in found.settings} == {
        "producing_sto",
        "ramp_up_sto",
        "development_sto",
    }
    assert ("copper-sto", "copper-sto-18") in found.claims


def test_explain__a_label__is_enough_without_its_section():
    assert explained("ramp_up_sto.mine.grade", [COPPER]).field.name == (
        "instruments.mining_sto.mine.grade"
    )


def test_explain__a_part_that_a_file_uses__has_its_value_there(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("name: own\nuse: {parts: {instruments: [small_sto]}}\n")
    (setting,) = explained("small_sto.default.hazard", [path], read_whole).settings
    parts = load_scenario("parts").scenario.instruments["small_sto"]
    assert (setting.file, setting.place) == ("own", "instruments.small_sto.default.hazard")
    assert float(setting.value) == parts.default.hazard


@pytest.mark.parametrize(
    "name", ["exploit_hazard", "market.assets.gold.drift", "conditions[0].over"]
)
def test_explain__an_end_an_asset_an_item__is_enough(name):
    if name.startswith("conditions"):
        name = f"claims.x.{name}"
    assert explained(name, [SOBER]).field.words


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("exploit_hazrd", "did you mean instruments.gold_vault.exploit_hazard"),
        ("fee_percent", "no field is called fee_percent"),
        ("hazard", "is the end of several names: market.stablecoin.hazard"),
    ],
)
def test_explain__what_is_no_field__is_refused_with_the_nearest(name, rule):
    with pytest.raises(UsageError, match=rule):
        explained(name, [SOBER])


def test_every_field__has_words_and_a_rule():
    for fields in all_fields().values():
        for field in fields:
            assert field.words, field.name
            assert field.rule not in ("", "any value") or field.name.endswith(".change"), field.name


# -- the page ----------------------------------------------------------------------------------


def test_reference_page__is_as_the_models_are():
    command = [sys.executable, str(ROOT / "scripts" / "build_reference.py"), "--check"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
