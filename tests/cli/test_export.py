"""`assay replay --contract … --export …`: a contract of one's own, and what it fails as a test."""

from __future__ import annotations

from dataclasses import replace as replaced
from pathlib import Path
from runpy import run_path

import pytest
from click.testing import CliRunner

from simulator.chain import load_artifact
from simulator.chain.compile import compile_patched
from simulator.cli import main

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
SMALL = ("--paths", "128", "--path", "3", "--set", "horizon_days=30", "--chain", "revm")


def replay(*arguments: object):
    words = [str(word) for word in ("replay", "gold-vault-sober", *SMALL, *arguments)]
    return CliRunner().invoke(main, words)


def test_export__of_a_reward_that_leaks__is_a_test_that_fails(tmp_path):
    edit = (
        "staking_rewards.vy",
        "pot // self.rewardsDuration",
        "pot // (self.rewardsDuration + 1)",
    )
    broken = tmp_path / "staking_rewards.json"
    broken.write_text(compile_patched(CONTRACTS / "staking_rewards.vy", edit).to_json())
    test = tmp_path / "test_it.py"
    outcome = replay("--contract", broken, "--export", test)
    assert outcome.exit_code == 5
    assert f"what failed as a test: pytest {test}" in outcome.output
    with pytest.raises(AssertionError, match=", must be "):
        run_path(str(test))["test_answer_is_as_it_must_be"]()


def test_export__of_a_path_that_agrees__writes_nothing(tmp_path):
    same = tmp_path / "staking_rewards.json"
    same.write_text(load_artifact("staking_rewards").to_json())
    outcome = replay("--contract", same, "--export", tmp_path / "test_it.py")
    assert outcome.exit_code == 0, outcome.output
    assert "the path agrees" in outcome.output
    assert not (tmp_path / "test_it.py").exists()


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("nothing.vy", None, 2, "must be a Vyper source (.vy) or an artifact (.json)"),
        ("nothing.vy", "", 2, "no contract nothing; must be one of compliance"),
        ("gold_vault.json", "{", 3, "is no artifact: JSONDecodeError"),
        ("gold_vault.vy", "x: uint255", 3, "does not compile: UnknownType"),
        ("gold_vault.vy", "x: uint256", 3, "has no __init__(string,"),
    ],
)
def test_contract__that_cannot_stand_in__is_refused(tmp_path, name, text, code, said):
    if text is not None:
        (tmp_path / name).write_text(text)
    outcome = replay("--contract", tmp_path / name)
    assert outcome.exit_code == code
    assert said in outcome.output
    assert outcome.output.count("\n") == 1


def test_contract__over_the_limit_of_code__is_refused_with_its_size(tmp_path):
    large = replaced(load_artifact("gold_vault"), deployed_size=24_577)
    (tmp_path / "gold_vault.json").write_text(large.to_json())
    outcome = replay("--contract", tmp_path / "gold_vault.json")
    assert outcome.exit_code == 3
    assert "bytecode is 24,577 bytes; at most 24,576 (EIP-170)" in outcome.output
    assert outcome.output.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("failure.py", "must be named test_….py"),
        ("test_failure.txt", "must be named test_….py"),
        ("nowhere/test_failure.py", "there is no folder"),
        ("test_there.py", "is there already"),
    ],
)
def test_export__that_cannot_be_written__is_refused(tmp_path, name, said):
    (tmp_path / "test_there.json").write_text("{}")
    outcome = replay("--export", tmp_path / name)
    assert outcome.exit_code == 2
    assert said in outcome.output


def test_export__on_an_attached_node__is_refused(tmp_path):
    outcome = replay("--export", tmp_path / "test_it.py", "--rpc", "http://127.0.0.1:1")
    assert outcome.exit_code == 2
    assert "leave --rpc out" in outcome.output
