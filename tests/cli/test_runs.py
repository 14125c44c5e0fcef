"""`assay runs` and `assay open`: what is there, the latest first, by folder or name's start."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.cli.answer import folded


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assay(*arguments, code=0):
    """Return the outcome of a command that must exit with `code`."""
    outcome = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.output
    return outcome


@pytest.fixture
def runs(folder):
    """Return a folder of three runs: one finished, one interrupted, one with a broken answer."""
    answer = {"scenario": "gold", "paths": 2_560, "verdicts": [{"verdict": "refuted"}] * 2}
    names = ("gold-1234", "gold-1299", "silver-5678")
    for name in names:
        place = folder / "runs" / name
        place.mkdir(parents=True)
        (place / "scenario.yaml").write_text("name: x\n")
    (folder / "runs" / "notes").mkdir()
    first = folder / "runs" / "gold-1234"
    (first / "manifest.json").write_text("{}")
    (first / "answer.json").write_text(json.dumps(answer))
    (first / "report.html").write_text("<p>")
    (folder / "runs" / "silver-5678" / "answer.json").write_text("[]")
    for age, name in enumerate(names):
        os.utime(folder / "runs" / name, (1_000 - age, 1_000 - age))
    return folder / "runs"


def test_runs__each__has_its_state(runs):
    lines = assay("runs").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "runs/gold-1234", "runs/gold-1299", "runs/silver-5678",
    ]  # fmt: skip
    assert lines[0].split(maxsplit=1)[1].split("  ")[-1] == "2 refuted"
    assert lines[1].endswith("not finished")
    found = json.loads(assay("runs", runs, "--json").stdout)
    assert found[0]["paths"] == 2_560
    assert [run["finished"] for run in found] == [True, False, False]


def test_runs__none__says_how_to_make_one(folder):
    outcome = assay("runs", code=2)
    assert outcome.output == ("assay: runs holds no runs; assay run gold-vault-sober makes one\n")


@pytest.mark.parametrize("name", ["runs/gold-1234", "gold-12"])
def test_open__a_run__hands_its_page_to_the_system(runs, monkeypatch, name):
    opened = []
    monkeypatch.setattr("click.launch", opened.append)
    if name == "gold-12":
        message = "assay: gold-12 begins the names of 2 runs: gold-1234, gold-1299\n"
        assert assay("open", name, code=2).output == message
        name = "gold-123"
    assert assay("open", name).stdout == "report: runs/gold-1234/report.html\n"
    assert opened == [(runs / "gold-1234" / "report.html").as_uri()]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("copper", "copper is no run; assay runs lists those that are there"),
        ("silver", "runs/silver-5678 has no report; assay report runs/silver-5678 writes it"),
    ],
)
def test_open__what_is_not_there__says_so(runs, name, message):
    assert assay("open", name, code=2).output == f"assay: {message}\n"


def test_folded__a_long_line__breaks_between_words_and_further_in():
    text = "What was asked\n  unlikely: gold-vault-8-12 34.7 % (25 to 48), loop-60-8 28.7 %\n"
    assert folded(text, 100) == text
    lines = folded(text, 40).splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(" ".join(lines).split()) == " ".join(text.split())
    assert lines[2].startswith("      to 48)")
