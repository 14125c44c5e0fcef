"""`assay run --engine evm`: every path through the bytecode, in JSON, files and report."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from simulator.cli import main, run
from simulator.replay.together import EveryPath

PATHS = 8
SMALL = (
    "run", "gold-vault-sober", "--paths", str(PATHS), "--set", "horizon_days=30", "--no-replay",
    "--parameter-sets", "0", "--assumption-sets", "0", "--engine", "evm",
)  # fmt: skip
SENTENCE = "The model is proven on 1 years, not on four."


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assay(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_engine_evm__json_file_and_report_say_the_same(folder):
    outcome = assay(*SMALL, "--out", "x", "--json")
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout)["every_path"]
    assert found == json.loads((folder / "x" / "replay" / "every_path.json").read_text())
    assert (found["paths"], found["played"], found["ok"]) == (PATHS, PATHS, True)
    assert found["gas_is_lower_bound"] is True
    # On each path eight borrowers are looked at on each of 31 days, the pool's arbitrageur on each
    # but the first.
    assert found["decisions"] == PATHS * (31 * 8 + 30)
    assert {row["name"] for row in found["observables"]} >= {"share_price", "exit_value"}
    page = (folder / "x" / "report.html").read_text(encoding="utf-8")
    assert SENTENCE in page
    assert assay("report", "x").exit_code == 0
    assert (folder / "x" / "report.html").read_text(encoding="utf-8") == page


def test_engine_evm__a_path_that_differs__is_named_and_ends_with_5(folder, monkeypatch):
    genuine = run.play_every

    def faulty(*arguments) -> EveryPath:
        fault = "path 3: step 7: gold_vault.share_price is out by 1 (tolerance 1e-06)"
        found = genuine(*arguments)
        return EveryPath(**{**vars(found), "faults": (fault,)})

    monkeypatch.setattr(run, "play_every", faulty)
    outcome = assay(*SMALL, "--out", "y")
    assert outcome.exit_code == 5
    assert outcome.output.splitlines()[-1] == (
        "assay: model and contract differ: path 3: step 7: gold_vault.share_price is out by 1 "
        "(tolerance 1e-06)"
    )
    assert "is not proven" in (folder / "y" / "report.html").read_text(encoding="utf-8")
