"""Stored verdicts: what is said where one has turned, and why."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.testing.verdicts import (
    NO_VERDICT,
    RULES,
    Answer,
    Question,
    Standing,
    answer,
    names_of,
    store,
    stored,
    turned,
)

SMALL = "extends: {}\nname: promise\npaths: 1_000\n"
MADE_OF = {"scenario": "a", "assay": "1", "contract": "c"}


def said(verdict, **made_of):
    return Answer({"paid": Standing(verdict, f"figures of {verdict}")}, {**MADE_OF, **made_of})


def test_turned__the_same_word__is_nothing():
    assert turned("paid", said("refuted"), said("refuted", contract="d")) == ""


def test_turned__another_word__tells_both_their_figures_and_what_changed():
    told = turned("paid", said("supported"), said("refuted", contract="d"))
    assert told.splitlines() == [
        "paid was supported and is refuted.",
        "was: figures of supported",
        "is:  figures of refuted",
        "changed since: the contract's code or arguments. "
        "--assay-update stores it where it is meant.",
    ]


def test_turned__a_claim_that_is_new_or_gone__is_told():
    assert "no verdict of paid is stored. It is refuted" in turned("paid", None, said("refuted"))
    gone = turned("paid", said("refuted"), Answer({}, MADE_OF))
    assert gone.startswith("paid was refuted and is a claim no longer.")


def test_stored__what_was_written__comes_back_and_anything_else_is_refused(tmp_path):
    file = tmp_path / "x.verdicts.json"
    assert stored(file) is None
    store(file, said("refuted"))
    assert stored(file) == said("refuted")
    for text in ("{", "[]", '{"claims": {"a": 1}, "made_of": {}}', '{"claims": {}}'):
        file.write_text(text)
        with pytest.raises(InputError, match=r"x\.verdicts\.json: is no file of stored verdicts"):
            stored(file)


@pytest.mark.parametrize(
    ("scenario", "contract", "name"),
    [
        ("claims/promise.yaml", None, "claims/promise.verdicts.json"),
        ("claims/promise.yaml", "contracts/my_vault.vy", "claims/promise.my_vault.verdicts.json"),
        ("gold-vault-sober", None, "root/gold-vault-sober.verdicts.json"),
    ],
)
def test_question__is_stored__beside_the_scenario(scenario, contract, name, tmp_path):
    assert str(Question(scenario, contract).stored_in(tmp_path / "root")).endswith(name)


def test_answer__of_a_scenario__says_what_its_claims_are_and_is_repeatable(tmp_path):
    file = tmp_path / "promise.yaml"
    file.write_text(SMALL.format("gold-vault-sober"))
    question = Question(str(file))
    found = answer(question)
    assert list(found.claims) == names_of(question) == ["gold-vault-8-12", "gold-vault-8-12-usd"]
    assert found.claims["gold-vault-8-12"].verdict == "refuted"
    assert answer(question) == found
    # The promoters' own assumptions turn it; nothing else has changed.
    file.write_text(SMALL.format("gold-vault-as-claimed"))
    told = turned("gold-vault-8-12-usd", found, answer(question))
    # With 1,000 paths the half of them is not told from plausible.
    assert told.startswith("gold-vault-8-12-usd was unlikely and is not decided.")
    assert "changed since: the scenario or its calibration." in told


def test_answer__of_a_contract_that_breaks_a_rule__has_it_as_the_cause(tmp_path):
    pytest.importorskip("pyrevm")
    pytest.importorskip("vyper")
    from planted import small_vault

    file = tmp_path / "mine.json"
    file.write_text(small_vault("donations").to_json())
    found = answer(Question("gold-vault-sober", str(file), years=0))
    before = Answer({RULES: Standing("kept", "")}, {**found.made_of, "contract": "another"})
    told = turned(RULES, before, found)
    assert told.startswith("rules was kept and is counts donations.")
    assert "is:  it counts donations: its price rises by" in told
    assert "changed since: the contract's code or arguments." in told
    assert found.claims["gold-vault-8-12"].verdict == NO_VERDICT
