"""Products that come from outside: `examples/acme_warehouse`, built, installed and run; and those
that cannot be had, each refused in a line that says why.

The example runs in processes of its own, outside of the repository, with its package on
PYTHONPATH beside the environment. The others lie in folders that one process looks through anew.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.chain import load_artifact
from simulator.cli import main
from simulator.instruments import registry

# click 8.2 always keeps the streams apart.

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "acme_warehouse"
PAGE = (EXAMPLE.parents[1] / "docs" / "extending.md").read_text(encoding="utf-8")
COMMANDS = ("assay", "cd", "pip", "pytest", "python")
SCENARIO = (EXAMPLE / "warehouse.yaml").read_text(encoding="utf-8")
CARD = ("acme-warehouse", "acme_warehouse = acme_warehouse:CARD")
"""A distribution, and the line of its entry points."""

MOST_LINES = 350
SHORT = (
    "--paths",
    "128",
    "--parameter-sets",
    "0",
    "--assumption-sets",
    "0",
    "--set",
    "horizon_days=40",
    "--chain",
    "revm",
)


def python(*arguments, packages=(), cwd):
    """Run Python in a folder, with some folders of packages beside the environment."""
    path = os.pathsep.join(map(str, packages))
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "120"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def offering(folder, name, entry, code=None):
    """Return a folder that holds an installed package: Acme's module, or one with some code."""
    about = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[assay.instruments]\n{entry}\n")
    module = entry.partition("=")[2].partition(":")[0].strip()
    if code is None:
        shutil.copytree(
            EXAMPLE / module, folder / module, ignore=shutil.ignore_patterns("__pycache__")
        )
    else:
        (folder / f"{module}.py").write_text(code)
    return folder


@pytest.fixture
def acme(tmp_path):
    """Return a folder in which Acme's package lies as if it were installed."""
    return offering(tmp_path / "acme", *CARD)


@pytest.fixture
def assay(tmp_path, monkeypatch):
    """Return a command that runs in an empty folder, with some packages and no others.

    What this process knows of packages is forgotten before and after.
    """
    monkeypatch.chdir(tmp_path)

    def run(*arguments, packages=()):
        folders = [str(folder) for folder in packages]
        for folder in folders:
            monkeypatch.syspath_prepend(folder)
        there = [*importlib.metadata.distributions(path=folders)] if folders else []
        points = [point for package in there for point in package.entry_points]
        monkeypatch.setattr(
            registry, "entry_points", lambda group: [p for p in points if p.group == group]
        )
        return CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])

    forget()
    yield run
    monkeypatch.undo()
    forget()


def forget():
    registry.offered.cache_clear()
    registry._loaded.cache_clear()
    load_artifact.cache_clear()
    for name in [name for name in sys.modules if "_warehouse" in name.partition(".")[0]]:
        del sys.modules[name]


def refused(assay, text, *packages):
    """Return the one line in which `assay scenario check` refuses a scenario."""
    Path("mine.yaml").write_text(text, encoding="utf-8")
    outcome = assay("scenario", "check", "mine.yaml", packages=packages)
    assert outcome.exit_code == 3, outcome.stderr or outcome.exception
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"assay: mine.yaml:{line_of(text, 'kind: ')}: instruments.gold_receipt")
    return line


def line_of(text, fragment):
    return next(n for n, line in enumerate(text.splitlines(), 1) if fragment in line)


# -- the example -------------------------------------------------------------------------------


def test_example__without_contract_and_tests__is_short() -> None:
    files = (EXAMPLE / "acme_warehouse").glob("*.py")
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    assert lines < MOST_LINES, "shorten the protocol, not the example"


def test_example__built_and_installed__runs_replays_and_reports(tmp_path) -> None:
    beside = installed(built(tmp_path / "wheels"), tmp_path / "beside")
    shutil.copy(EXAMPLE / "warehouse.yaml", tmp_path)
    asked = (
        "--paths",
        "512",
        "--parameter-sets",
        "2",
        "--assumption-sets",
        "0",
        "--chain",
        "revm",
        "--out",
        "done",
    )
    start = ("-c", "from simulator.cli import main; main()")
    outcome = python(*start, "run", "warehouse.yaml", *asked, packages=[beside], cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    run = tmp_path / "done"
    verdicts = json.loads((run / "verdicts.json").read_text())
    # exp(-0.02) = 98.0 % of the paths lose nothing but the fee; supported begins at 95 %
    assert {v["claim"]: v["verdict"] for v in verdicts}["as-good-as-metal"] == "supported"
    agreements = json.loads((run / "replay" / "reconciliation.json").read_text())
    events = pd.read_parquet(run / "replay" / "p50" / "events.parquet")
    assert "Issued" in set(events["event"])  # told by the package's own ABI
    assert (events["event"] != "").all()
    assert [found["label"] for found in agreements] == ["p05", "p50", "p95", "events"]
    for found in agreements:
        assert found["ok"], found
        seen = {(o["instrument"], o["name"]) for o in found["observables"]}
        own = {"metal_per_receipt", "receipts", "metal_held", "exit_usd"}
        assert own == {name for instrument, name in seen if instrument == "gold_receipt"}
        assert ("desk", "half_and_half.gold_receipt.tokens") in seen
        assert not found["notes"], "portfolios trade it too"
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["packages"]["acme-warehouse"] == "0.1.0"
    assert "acme_warehouse.artifacts/warehouse_receipt" in manifest["bytecode"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Warehouse receipt: gold_receipt" in page
    assert "Metal found missing" in page
    assert "of the gold missing" in page


def built(folder):
    """Return the wheel; its build system is fetched where the environment has none."""
    here = importlib.util.find_spec("hatchling") is not None
    isolation = ["--no-build-isolation"] if here else []
    command = ("-m", "pip", "wheel", "--no-deps", *isolation, "--wheel-dir", folder, EXAMPLE)
    outcome = python(*command, cwd=folder.parent)
    if outcome.returncode and not here and os.environ.get("CI") != "true":
        pytest.skip(f"hatchling is not here and cannot be fetched: {outcome.stderr[-300:]}")
    assert outcome.returncode == 0, outcome.stderr
    (wheel,) = folder.glob("acme_warehouse-*.whl")
    return wheel


def installed(wheel, folder):
    """Return a folder into which the wheel alone is installed."""
    command = ("-m", "pip", "install", "--no-deps", "--target", folder, wheel)
    outcome = python(*command, cwd=folder.parent)
    assert outcome.returncode == 0, outcome.stderr
    return folder


def test_example__by_its_own_tests__is_right(tmp_path, acme, monkeypatch) -> None:
    for part in ("tests", "contracts"):
        shutil.copytree(
            EXAMPLE / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in ("pyproject.toml", "warehouse.yaml"):
        shutil.copy(EXAMPLE / file, tmp_path)
    # other people's plugins of pytest take longer to load than these tests to run
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    outcome = python("-m", "pytest", "-q", packages=[acme], cwd=tmp_path)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


# -- the page that walks through it ------------------------------------------------------------


def test_page__shows_lines_that_stand_in_the_example() -> None:
    files = [path for ending in ("py", "toml") for path in EXAMPLE.rglob(f"*.{ending}")]
    there = {line.strip() for path in files for line in path.read_text("utf-8").splitlines()}
    shown = {line.strip() for line in PAGE.splitlines() if line.startswith("    ")}
    commands = {line for line in shown if line.split()[0] in COMMANDS}
    assert len(shown - commands) > 10
    assert not shown - commands - there


def test_page__names_types_that_are_where_it_says() -> None:
    section = PAGE[PAGE.index("## The protocol") : PAGE.index("## When it does not work")]
    rows = re.findall(r"^\| (`.+`) \| `(\w+)` \|", section, re.MULTILINE)
    named = [(module, name) for names, module in rows for name in re.findall(r"`(\w+)`", names)]
    assert len(named) > 25
    for module, name in named:
        assert hasattr(importlib.import_module(f"simulator.instruments.{module}"), name), name


# -- what cannot be had ------------------------------------------------------------------------


def test_kind__that_nobody_offers__is_refused_with_the_nearest(assay, acme) -> None:
    line = refused(assay, SCENARIO.replace("kind: acme_warehouse", "kind: acme_warehous"), acme)
    assert "'acme_warehous'; must be a kind of instrument; did you mean acme_warehouse?" in line


def test_kind__of_a_package_that_is_not_installed__is_refused_with_its_name(assay) -> None:
    line = refused(assay, SCENARIO)
    assert "is brought by package acme-warehouse" in line
    assert "which is not installed" in line


def test_kind__offered_twice__is_refused_with_both_homes(tmp_path, assay, acme) -> None:
    rival = offering(tmp_path / "rival", "rival-warehouse", CARD[1])
    line = refused(assay, SCENARIO, acme, rival)
    assert "is offered twice" in line
    assert "package acme-warehouse" in line
    assert "package rival-warehouse" in line


def test_package__that_does_not_load__is_refused_with_its_reason(tmp_path, assay) -> None:
    entry = "acme_warehouse = broken_warehouse:CARD"
    broken = offering(tmp_path / "b", "broken-warehouse", entry, "import no_such_library\n")
    line = refused(assay, SCENARIO, broken)
    assert "package broken-warehouse does not load" in line
    assert "No module named 'no_such_library'" in line
    other = assay("scenario", "check", "gold-vault-sober", packages=[broken])
    assert other.exit_code == 0, "a stranger's fault is nobody else's"


def test_package__whose_terms_are_none__is_refused_with_its_reason(tmp_path, assay) -> None:
    code = (
        "from simulator.instruments.card import Instrument\n"
        "CARD = Instrument('acme_warehouse', 'a dictionary for terms', dict)\n"
    )
    entry = "acme_warehouse = plain_warehouse:CARD"
    line = refused(assay, SCENARIO, offering(tmp_path / "p", "plain", entry, code))
    assert "package plain does not load" in line
    assert "do not derive from InstrumentTerms" in line


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "def positions",
            "def places",
            "gold_receipt (acme_warehouse of package acme-warehouse) failed: ",
        ),
        (
            "return Needs(",
            "return Nothing(",
            "gold_receipt (acme_warehouse of package acme-warehouse) failed: ",
        ),
        (
            "def needs",
            "def faults(self, label, among):\n        1 / 0\n\n    def needs",
            "gold_receipt (acme_warehouse of",
        ),
        (
            "def needs",
            "def model_post_init(self, _):\n        1 / 0\n\n    def needs",
            "the terms (acme_warehouse of",
        ),
    ],
)
def test_package__whose_terms_raise__fails_in_a_line(assay, acme, old, new, said) -> None:
    terms = acme / "acme_warehouse" / "terms.py"
    assert old in terms.read_text()
    terms.write_text(terms.read_text().replace(old, new))
    Path("mine.yaml").write_text(SCENARIO, encoding="utf-8")
    outcome = assay("scenario", "check", "mine.yaml", packages=[acme])
    assert outcome.exit_code == 1, outcome.stderr or outcome.exception
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"assay: {said}")
    other = assay("scenario", "check", "gold-vault-sober", packages=[acme])
    assert other.exit_code == 0, "a stranger's fault is nobody else's"


@pytest.mark.parametrize("broken", ["empty", "cut short"])
def test_package__with_broken_artifacts__fails_in_a_line(assay, acme, broken) -> None:
    artifact = acme / "acme_warehouse" / "artifacts" / "warehouse_receipt.json"
    if broken == "empty":
        artifact.unlink()
    else:
        artifact.write_text(artifact.read_text()[:1_000])
    Path("mine.yaml").write_text(SCENARIO, encoding="utf-8")
    outcome = assay("run", "mine.yaml", *SHORT, packages=[acme])
    assert outcome.exit_code == 4, outcome.stderr or outcome.exception
    last = outcome.stderr.splitlines()[-1]
    assert last.startswith("assay: ")
    assert "warehouse_receipt" in last
    assert len(outcome.stderr.splitlines()) < 12, "no traceback"
