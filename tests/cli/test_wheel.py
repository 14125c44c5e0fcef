"""The wheel has all that it needs: installed by itself, it runs from an empty folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from simulator.scenario import shipped_scenarios

ROOT = Path(__file__).resolve().parents[2]
ASSAY = ("-c", "from simulator.cli import main; main()")
GOLD = """\
name: gold-by-itself
title: A gold token, held for two months
horizon_days: 60
paths: 16
market: {model: gbm, assets: {gold: {drift: 0.035}}}
instruments: {gold_token: {preset: paxg}}
investors: {holder: {holding: gold_token, ounces: 10}}
claims:
  still-worth-nine-tenths:
    says: It is worth nine tenths of what it cost
    subject: holder
    conditions: [{measure: total_return, unit: usd, at_least: -0.1}]
"""
"""Few kernels: another place on the disk compiles its own."""


def python(*arguments: str | Path, cwd: Path, packages: Path | None = None) -> str:
    """Run this Python there, with the packages of a folder before its own; return what it says."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if packages is not None:
        environment["PYTHONPATH"] = str(packages)
    ran = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's contents alone; what it depends on is this environment's."""
    if find_spec("hatchling") is None and os.environ.get("CI") != "true":
        pytest.skip("hatchling is not installed: pip install -e '.[dev]'")
    folder = tmp_path_factory.mktemp("wheel")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    build = ("-m", "pip", "wheel", *quiet, "--no-build-isolation")
    python(*build, "--wheel-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("assay_sim-*.whl")
    python("-m", "pip", "install", *quiet, "--target", folder / "beside", wheel, cwd=folder)
    return folder / "beside"


def test_wheel__has_scenarios_and_licence(beside: Path) -> None:
    shipped = {path.name for path in (beside / "simulator/data/scenarios").rglob("*.yaml")}
    assert {path.name for path in shipped_scenarios()} <= shipped
    assert len(list(beside.glob("assay_sim-*.dist-info/licenses/LICENSE"))) == 1


def test_wheel__in_an_empty_folder__runs_and_replays(beside: Path, tmp_path: Path) -> None:
    where = python(
        "-c", "import simulator; print(simulator.__file__)", cwd=tmp_path, packages=beside
    )
    assert Path(where.strip()).is_relative_to(beside)
    assert "gold-vault-sober" in python(*ASSAY, "scenario", "list", cwd=tmp_path, packages=beside)
    (tmp_path / "gold.yaml").write_text(GOLD, encoding="utf-8")
    options = ("--parameter-sets", "0", "--assumption-sets", "0", "--chain", "revm")
    asked = (*ASSAY, "run", "gold.yaml", *options, "--json")
    found = json.loads(python(*asked, cwd=tmp_path, packages=beside))
    assert [replay["ok"] for replay in found["replays"]] == [True] * 4
    assert (tmp_path / found["run"] / "report.html").is_file()


def rule_of(name: str) -> str | None:
    """Return which Pythons a package takes, None where it is not installed or takes all."""
    try:
        return metadata(name).get("Requires-Python")
    except PackageNotFoundError:
        return None


def test_what_is_pinned__takes_the_oldest_python_that_we_take():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"].startswith(">=3.11,")
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    rules = {name: rule_of(name) for name in re.findall(r"^([\w.-]+)==", text, flags=re.MULTILINE)}
    assert len([rule for rule in rules.values() if rule]) > 100
    newer = [name for name, rule in rules.items() if rule and "3.11.0" not in SpecifierSet(rule)]
    assert newer == []
