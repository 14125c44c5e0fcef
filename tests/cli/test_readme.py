"""The README is short, and says what there is: its targets, its scenarios, what was found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

import simulator as assay
from simulator.cli import main
from simulator.scenario import shipped_scenarios

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FINDINGS = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
MOST_LINES = 120


def test_readme__is_short_and_begins_with_a_picture() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    assert README.index("![") < README.index("## ")


def test_targets__that_the_readme_names__are_there() -> None:
    named = set(re.findall(r"\bmake (\w+)", README))
    assert {"demo", "test", "docs"} <= named
    rules = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named <= rules


def test_ready_scenarios__are_listed_by_their_titles() -> None:
    section = README[README.index("## Ready scenarios") : README.index("## When one machine")]
    listed = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", section, re.MULTILINE))
    titles = {path.stem: path.read_text("utf-8") for path in shipped_scenarios()}
    assert listed.keys() == titles.keys()
    assert all(f"\ntitle: {title}\n" in titles[name] for name, title in listed.items())


ROW = re.compile(r"^\| `([\w-]+)` \| .+? \| (.+?) \| ([+−]?[\d.]+) (%|points) \|", re.MULTILINE)


def test_findings__name_claims_of_the_flagship() -> None:
    claims = assay.load_scenario("hard-assets-2026").scenario.claims
    rows = ROW.findall(FINDINGS)
    assert len(rows) > 15
    assert {name for name, *_ in rows} <= claims.keys()


def flagship(*options: str) -> str:
    """Run the flagship here without its replays, and return what it prints at the end."""
    command = ["run", "hard-assets-2026", "--no-replay", *options]
    ran = CliRunner(**KEEPS_APART).invoke(main, command)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def check_short(answer: str) -> None:
    """Check that an answer is no longer than forty lines, and names each claim unbroken."""
    assert len(answer.splitlines()) <= 40
    groups = ("Products, ", "Investors, ", "Prices and factors, ")
    assert re.findall(r"^[A-Z][a-z ]+, (?=[a-z ]+: )", answer, re.MULTILINE) == [*groups]
    for claim in assay.load_scenario("hard-assets-2026").scenario.claims:
        assert re.search(rf"(?<![\w-]){re.escape(claim)}(?![\w-])", answer), claim
    assert answer.splitlines()[-1].startswith("report: ")


def test_flagship__ends_in_forty_lines_that_name_each_claim(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_short(flagship("--paths", "64"))


@pytest.mark.deep
def test_findings__are_what_the_flagship_finds(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_short(flagship("--parameter-sets", "50", "--assumption-sets", "50", "--out", "run"))
    found = assay.Run.load("run").judged
    for name, _, figure, unit in ROW.findall(FINDINGS):
        value = found[name].probability if unit == "%" else found[name].estimate
        assert 100 * value == pytest.approx(float(figure.replace("−", "-")), abs=0.051), name


@pytest.mark.deep
def test_answer__that_the_readme_shows__is_what_the_command_prints(tmp_path, monkeypatch) -> None:
    shown = README[
        README.index("    $ .venv/bin/assay run ") : README.index("\nOn what was observed")
    ]
    command, *parts = re.split(r"\n    (?=[A-Z])", shown)
    assert len(parts) == 3
    monkeypatch.chdir(tmp_path)
    sets = ("--parameter-sets", "50", "--assumption-sets", "50")  # other tests draw two
    ran = CliRunner().invoke(main, ["run", str(ROOT / command.split()[-1]), *sets])
    assert ran.exit_code == 0, ran.output
    printed = " ".join(ran.output.split())
    for part in parts:
        assert " ".join(part.split()) in printed
