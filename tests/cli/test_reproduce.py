"""A finished run made again: the same bytes, or what differs and where."""

import json

import pandas as pd
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.engine.difference import first_difference


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run"
    assay(
        "run", "gold-vault-sober", "--paths", 128, "--set", "horizon_days=30", "--chain", "revm",
        "--parameter-sets", 2, "--assumption-sets", 2, "--out", path,
    )  # fmt: skip
    return path


def test_reproduce__a_run__has_the_same_bytes_and_leaves_nothing_beside_it(run):
    told = assay("reproduce", run).stdout
    count = len(json.loads((run / "manifest.json").read_text())["files"])
    assert told == f"same bytes: {count} files\n"
    assert [path.name for path in run.parent.iterdir()] == ["run"]


def test_reproduce__a_run_of_other_versions_whose_numbers_differ__says_where(run):
    """A quantile that another version would have found: the manifest knows it by its hash."""
    from simulator.writer import file_hash

    daily = pd.read_parquet(run / "daily.parquet")
    daily.loc[7, "p50"] += 1.0
    daily.to_parquet(run / "daily.parquet")
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"]["daily.parquet"] = file_hash(run / "daily.parquet")
    manifest["packages"]["numba"] = "0.1"
    (run / "manifest.json").write_text(json.dumps(manifest))
    outcome = assay("reproduce", run, code=5)
    assert "numba was 0.1, is " in outcome.stderr
    assert "daily.parquet: row 7, column p50: " in outcome.stdout
    assert "is not reproduced: 1 differences" in outcome.stderr


def test_reproduce__a_run_that_was_not_finished__is_refused(run):
    (run / "manifest.json").unlink()
    assert "is no finished run" in assay("reproduce", run, code=2).stderr


def test_first_difference__of_texts_and_tables__is_named(tmp_path):
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text("same\nseed: 1\n")
    second.write_text("same\nseed: 2\n")
    assert first_difference(first, second) == "line 2: `seed: 1` was, `seed: 2` is"
    tables = tmp_path / "a.parquet", tmp_path / "b.parquet"
    nan = float("nan")
    pd.DataFrame({"x": [nan, 1.0, 2.0], "y": [1.0, 2.0, 3.0]}).to_parquet(tables[0])
    pd.DataFrame({"x": [nan, 1.0, 9.0], "y": [1.0, 5.0, 3.0]}).to_parquet(tables[1])
    assert first_difference(*tables) == "row 1, column y: 2.0 was, 5.0 is"
