"""Completion in the shell: names of scenarios, runs, claims and settings, at once."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli.outline import outline
from simulator.scenario import load_scenario, shipped_scenarios
from simulator.scenario.reader import read_yaml

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 0.3
"""Processor time of an answer, at most; wall clock is what else the machine does."""


def complete(line, folder, shell="bash"):
    """Return what is offered for the last word of a line, which may be empty."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    if shell == "fish":
        asked["COMP_CWORD"] = words[-1]
    environment = {**os.environ, **asked, "_ASSAY_COMPLETE": f"{shell}_complete"}
    done = subprocess.run(
        [sys.executable, "-m", "simulator.cli"],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    if shell == "zsh":  # type, value and help, a line each
        return lines[1::3]
    return [one.partition(",")[2] for one in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a run, and a scenario of somebody's own."""
    found = tmp_path_factory.mktemp("work")
    run = found / "runs" / "mine-0123"
    run.mkdir(parents=True)
    (run / "scenario.yaml").write_text(
        "name: mine\ninstruments:\n  my_vault:\n    kind: gold_vault\nclaims:\n  my-claim: {}\n",
        encoding="utf-8",
    )
    (found / "runs" / "notes").mkdir()
    (found / "own.yaml").write_text("extends: two-vaults\nclaims:\n  own: {}\n", encoding="utf-8")
    return found


@pytest.mark.parametrize(
    ("line", "there", "not_there"),
    [
        ("assay run gold-v", {"gold-vault-sober", "gold-vault-as-claimed"}, {"gold-loop"}),
        ("assay run o", {"own.yaml"}, {"gold-loop"}),
        ("assay scenario show offers", set(), {"gold-loop"}),
        ("assay report ", {"runs/mine-0123"}, {"runs/notes", "gold-loop"}),
        ("assay compare runs/mine-0123 runs/m", {"runs/mine-0123"}, set()),
        ("assay breakeven runs/mine-0123 --claim ", {"my-claim"}, {"gold-vault-8-12"}),
        ("assay breakeven own.yaml --claim ", {"own", "promised-8-12"}, {"my-claim"}),
        ("assay breakeven --claim gold-v", {"gold-vault-8-12"}, {"own"}),
        (
            "assay run own.yaml --set instruments.sober_vault.exp",
            {"instruments.sober_vault.exploit_hazard="},
            set(),
        ),
        ("assay run own.yaml --set instruments.gold_vault.", set(), {"instruments.gold_vault."}),
        (
            "assay run runs/mine-0123 --set instruments.",
            {"instruments.my_vault.lending.slope1="},
            {"instruments.gold_vault.lending.slope1="},
        ),
        ("assay run own.yaml --set horizon", {"horizon_days="}, set()),
        (
            "assay sweep own.yaml --set market.assets.gold.",
            {"market.assets.gold.drift="},
            {"market.assets.bitcoin.drift="},
        ),
        ("assay breakeven gold-loop --solve pat", {"paths"}, set()),
        ("assay run own.yaml --crisis pax", {"paxg-2025-10"}, set()),
        ("assay stress own.yaml --only vault-r", {"vault-run"}, set()),
        ("assay run own.yaml --calibration hard", {"hard-assets-2026-01"}, set()),
        ("assay explain gas.price_", {"gas.price_gwei"}, set()),
        ("assay scenario new mine --hold ", {"bills=", "small_sto=", "cash="}, {"holder="}),
        ("assay scenario new mine --from gold-loop --hold ", {"gold_loan="}, {"bills="}),
    ],
)  # fmt: skip
def test_completion__offers_what_there_is(folder, line, there, not_there):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = set(complete(line, folder))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert there <= found
    assert not not_there & found
    assert after.ru_utime - before.ru_utime < SECONDS


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion__in_other_shells(folder, shell):
    assert "gold-vault-sober" in complete("assay run gold-v", folder, shell)


@pytest.mark.parametrize("path", shipped_scenarios(), ids=lambda path: path.stem)
def test_outline__has_the_claims_and_labels_that_the_file_says(path):
    data = read_yaml(path).data
    found = outline(path)
    for section in ("claims", "instruments", "investors"):
        said = {name for name, value in (data.get(section) or {}).items() if value is not None}
        assert said <= set(found.below(section))


def test_outline__of_what_extends_and_uses__has_what_it_is_read_as():
    path = next(path for path in shipped_scenarios() if path.stem == "hard-assets-2026")
    scenario = load_scenario(path).scenario
    found = outline(path)
    assert set(found.below("claims")) == set(scenario.claims)
    kinds = {label: terms.kind for label, terms in scenario.instruments.items()}
    # what a used thing stands on is not followed
    assert set(found.kinds().items()) <= set(kinds.items())
