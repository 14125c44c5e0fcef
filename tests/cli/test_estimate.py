"""What a long run needs is said before it starts, and asked about where there is too little."""

from pathlib import Path

import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main, simulating
from simulator.engine import estimate as estimates

RUN = (
    "run", "gold-vault-sober", "--paths", "300", "--set", "horizon_days=30", "--no-replay",
    "--parameter-sets", "0", "--assumption-sets", "0", "--out", "x",
)  # fmt: skip


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, arguments)
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


@pytest.fixture(autouse=True)
def long_run(tmp_path, monkeypatch):
    """Let 300 paths be a long run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(simulating, "WORTH", 300)


def test_run__that_is_long__says_what_it_needs():
    said = assay(*RUN).stderr
    assert " of simulating, " in said
    assert " MiB on disk, " in said


def test_run__for_which_the_disk_is_too_small__is_refused_unless_agreed(monkeypatch):
    usage = type("Usage", (), {"free": 0})
    monkeypatch.setattr(estimates.shutil, "disk_usage", lambda folder: usage)
    refused = assay(*RUN, code=2).stderr.splitlines()[-1]
    assert refused.startswith("assay: ")
    assert refused.endswith("on disk are needed, 0 are free; give --yes to try it all the same")
    assay(*RUN, "--yes")


def test_run__estimates_its_disk_from_the_numbers_of_a_path():
    """Three quarters to four thirds of what is written; its headings come on top."""
    from simulator.scenario import load_scenario

    loaded = load_scenario("gold-vault-sober", overrides=["paths=8192", "horizon_days=30"])
    found = estimates.estimate(loaded.scenario, loaded.calibration, Path("."), 8_192, workers=1)
    assay(*RUN[:2], "--paths", "8192", *RUN[4:], "--yes")
    written = sum(file.stat().st_size for file in Path("x/paths").rglob("*.parquet")) / 2**20
    assert 0.75 < written / found.disk_mib < 4 / 3
