"""Chunks: the same bytes however they are made, read back as they were, found again or not."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import worlds
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.engine import chunks, filling, simulate, stored
from simulator.engine.chunk_files import LAYOUT, read_heading
from simulator.engine.filling import fill, find_chunks, read_paths
from simulator.engine.folder import RunFolder
from simulator.errors import InputError, UsageError

COMMON = (
    "run", "gold-vault-sober", "--paths", "128", "--set", "horizon_days=30", "--no-replay",
    "--assumption-sets", "0",
)  # fmt: skip
SMALL = ("paths=900", "horizon_days=90")
CHUNK = 384


@pytest.fixture
def small_chunks(monkeypatch):
    """Let a run of 900 paths have three chunks."""
    monkeypatch.setattr(chunks, "CHUNK_PATHS", CHUNK)


def filled(path, *overrides, name="gold-vault-sober", **options):
    """Return the folder and the simulation of a small run."""
    loaded = worlds.load(*SMALL, *overrides, name=name)
    folder = RunFolder.claim(loaded, path)
    try:
        found = find_chunks(path, loaded.scenario.paths)
        return folder, fill(folder, loaded.scenario, loaded.calibration, found, **options)
    finally:
        folder.release()


def files_of(path):
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def assert_same(first, second):
    """Check that two sets of measures are the same bytes."""
    assert first.sources == second.sources
    assert first.units == second.units
    assert list(first.values) == list(second.values)
    for key, values in first.values.items():
        np.testing.assert_array_equal(values, second.values[key])
    for unit in first.units:
        for pick in ("attribution", "initial", "final"):
            own, other = getattr(first, pick)[unit], getattr(second, pick)[unit]
            np.testing.assert_array_equal(np.asarray(own), np.asarray(other))
        for part in ("longest_days", "is_open", "share"):
            own, other = (getattr(of.spells[unit], part) for of in (first, second))
            np.testing.assert_array_equal(own, other)
    for pick in ("events", "unpaid", "organic_share", "flows", "income_lasts"):
        np.testing.assert_array_equal(getattr(first, pick), getattr(second, pick))
    assert first.attribution_gap == second.attribution_gap
    assert list(first.happened) == list(second.happened)


@pytest.mark.usefixtures("small_chunks")
def test_folder__holds_all_that_a_simulation_in_memory_finds(tmp_path):
    _, kept = filled(tmp_path / "run")
    loaded = worlds.load(*SMALL)
    whole = simulate(loaded.scenario, loaded.calibration)
    assert kept.checksum == whole.checksum
    pd.testing.assert_frame_equal(kept.daily, whole.daily)
    assert list(kept.investors) == list(whole.investors)
    for name, measured in whole.investors.items():
        assert_same(kept.investors[name], measured)
    for name, measured in whole.instruments.items():
        assert_same(kept.instruments[name], measured)
    paths = tmp_path / "run" / "paths"
    places = {f.parent.relative_to(paths).as_posix() for f in paths.rglob("*.parquet")}
    expected = {f"investors/{name}" for name in whole.investors}
    expected |= {f"instruments/{name}" for name in whole.instruments}
    assert places == expected | {"series"}
    for place in places:
        assert [f.name for f in sorted((paths / place).iterdir())] == [
            "000000000.parquet", "000000384.parquet", "000000768.parquet",
        ]  # fmt: skip


def test_files__of_a_holder__are_one_table_of_its_own_columns(tmp_path):
    """As docs/run-folder.md has it: pandas reads a holder's folder."""
    folder, simulation = filled(tmp_path / "run")
    for name, measured in simulation.investors.items():
        rows = pd.read_parquet(folder.path / "paths" / "investors" / name)
        assert list(rows["path"]) == list(range(900))
        assert set(rows["investor"]) == {name}
        assert set(rows["holding"]) == {measured.holding}
        for (measure, unit), values in measured.values.items():
            np.testing.assert_array_equal(rows[f"{measure}.{unit}"], values)
    for name in simulation.instruments:
        rows = pd.read_parquet(folder.path / "paths" / "instruments" / name)
        assert set(rows["holding"]) == {name}
        assert "investor" not in rows


def test_folder__whose_paths_are_kept_in_another_way__is_refused_and_left_as_it_is(tmp_path):
    """With other options too: what was finished there stays finished."""
    done = [*COMMON, "--parameter-sets", "0", "--out", str(tmp_path / "x")]
    assert CliRunner().invoke(main, done).exit_code == 0
    manifest = tmp_path / "x" / "manifest.json"
    facts = json.loads(manifest.read_text())
    assert facts.pop("layout") == LAYOUT
    manifest.write_text(json.dumps(facts))
    before = files_of(tmp_path / "x")
    for sets in ("0", "2"):
        command = [*COMMON, "--parameter-sets", sets, "--out", str(tmp_path / "x")]
        refused = CliRunner(**KEEPS_APART).invoke(main, command)
        assert refused.exit_code == 2
        assert "layout unknown there, 2 here" in refused.stderr
        assert files_of(tmp_path / "x") == before


@pytest.mark.usefixtures("small_chunks")
def test_files__any_threads_and_blocks__are_the_same_bytes(tmp_path):
    filled(tmp_path / "a", workers=1)
    filled(tmp_path / "b", workers=2, block_paths=128)
    filled(tmp_path / "c", workers=3, block_paths=384)
    first = files_of(tmp_path / "a")
    assert files_of(tmp_path / "b") == first
    assert files_of(tmp_path / "c") == first


@pytest.mark.usefixtures("small_chunks")
def test_portfolios__and_a_fall_of_the_dollar__are_read_back_as_they_were(tmp_path):
    few = ("paths=500", "horizon_days=120", "market.stablecoin.day=60")
    _, kept = filled(tmp_path / "run", *few, name="stress-depeg")
    loaded = worlds.load(*SMALL, *few, name="stress-depeg")
    whole = simulate(loaded.scenario, loaded.calibration)
    assert whole.depeg.fell.any()
    np.testing.assert_array_equal(kept.depeg.fell, whole.depeg.fell)
    portfolios = 0
    for name, measured in whole.investors.items():
        assert_same(kept.investors[name], measured)
        np.testing.assert_array_equal(kept.depeg.exits[name], whole.depeg.exits[name])
        for holding, share in measured.allocation.items():
            found = kept.investors[name].allocation[holding]
            np.testing.assert_allclose(found, share, rtol=1e-12, atol=1e-15)
            portfolios += 1
    assert portfolios > 0
    assert kept.outcomes.series.keys() == whole.outcomes.series.keys()
    for key, values in whole.outcomes.series.items():
        np.testing.assert_array_equal(kept.outcomes.series[key], values)


@pytest.mark.usefixtures("small_chunks")
def test_run__that_stopped_after_two_chunks__goes_on_with_these(tmp_path, monkeypatch):
    expected, _ = filled(tmp_path / "whole")
    made = []

    def stopping(scenario, spec, span, **options):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(span.first)
        return chunks.run_chunk(scenario, spec, span, **options)

    monkeypatch.setattr(filling, "run_chunk", stopping)
    with pytest.raises(KeyboardInterrupt):
        filled(tmp_path / "run", workers=1)
    assert find_chunks(tmp_path / "run", 900).paths == 2 * CHUNK
    made.clear()
    filled(tmp_path / "run", workers=1)
    assert made == [768]
    assert files_of(tmp_path / "run") == files_of(expected.path)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    "name",
    [
        "paths/investors/holder/000000384.parquet",
        "paths/instruments/gold_vault/000000384.parquet",
        "paths/series/000000384.parquet",
        "progress/000000384.parquet",
    ],
)
@pytest.mark.parametrize("harm", ["cut", "flip"])
def test_chunk__that_is_cut_short_or_changed__is_named_and_not_used(
    tmp_path, monkeypatch, name, harm
):
    monkeypatch.setattr(RunFolder, "finish_paths", lambda *arguments: None)
    filled(tmp_path / "run")
    file = tmp_path / "run" / name
    data = bytearray(file.read_bytes())
    if harm == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 3] ^= 255
    file.write_bytes(data)
    found = find_chunks(tmp_path / "run", 900)
    assert found.broken == (name,)
    assert sorted(found.notes) == [0, 768]


@pytest.mark.usefixtures("small_chunks")
def test_paths__of_a_folder_whose_file_was_changed__are_refused_by_name(tmp_path):
    folder, _ = filled(tmp_path / "run")
    loaded, done = worlds.load(*SMALL), folder.paths_done()
    assert read_paths(folder.path, loaded.scenario, loaded.calibration, done).checksum
    file = folder.path / "paths" / "investors" / "holder" / "000000768.parquet"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(InputError, match=r"holder/000000768.parquet: is not what the run wrote"):
        read_paths(folder.path, loaded.scenario, loaded.calibration, done)


def test_paths__kept_as_another_version_kept_them__are_refused(tmp_path):
    folder, _ = filled(tmp_path / "run")
    loaded, done = worlds.load(*SMALL), folder.paths_done()
    only = {"scenario.yaml": done.files["scenario.yaml"]}
    with pytest.raises(UsageError, match=r"made by another version.*run it anew"):
        read_paths(folder.path, loaded.scenario, loaded.calibration, replace(done, files=only))


def test_heading__knows_its_paths_and_their_digest(tmp_path):
    folder, simulation = filled(tmp_path / "run")
    heading = read_heading(folder.path / "paths" / "series" / "000000000.parquet")
    assert (heading.first_path, heading.n_paths) == (0, 900)
    assert heading.digest == chunks.outcomes_digest(simulation.outcomes, 0, 900)


def test_heading__leaves_no_file_to_the_next_search_for_garbage(tmp_path):
    folder, _ = filled(tmp_path / "run")
    gc.collect()
    gc.disable()
    try:
        read_heading(folder.path / "paths" / "series" / "000000000.parquet")
        left = {type(one).__name__ for one in gc.get_objects()}
    finally:
        gc.enable()
    # what knows a file's columns
    assert not left & {"FileMetaData", "ParquetReader", "ParquetSchema"}


def test_columns__are_kept_up_to_a_limit__and_read_again_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "KEPT_BYTES", 20_000)
    monkeypatch.setattr(stored, "_AT_ONCE", 1)
    _, simulation = filled(tmp_path / "run")
    holder = simulation.investors["holder"]
    before = holder.final["usd"].copy()
    for values in holder.values.values():
        assert values.shape == (900,)
    files = holder._files
    assert files._bytes <= 20_000
    np.testing.assert_array_equal(holder.final["usd"], before)


# Folders --------------------------------------------------------------------------------


def test_folder__of_another_seed__is_refused_with_what_differs(tmp_path):
    filled(tmp_path / "run")
    with pytest.raises(UsageError, match=r"holds another run: .*seed 20260120 there, 12 here"):
        filled(tmp_path / "run", "seed=12")


def test_folder__of_another_version__is_refused_with_what_differs(tmp_path):
    folder, _ = filled(tmp_path / "run")
    begun = folder.path / "progress" / "begun.json"
    facts = json.loads(begun.read_text())
    facts["packages"]["numba"] = "0.1"
    begun.write_text(json.dumps(facts))
    with pytest.raises(UsageError, match=r"numba 0\.1 there, \d"):
        filled(tmp_path / "run")


def test_folder__of_another_fee__is_refused_with_the_line_that_differs(tmp_path):
    filled(tmp_path / "run")
    with pytest.raises(UsageError, match="holds another run: line"):
        filled(tmp_path / "run", "instruments.gold_vault.exploit_hazard=0.2")


def test_folder__what_an_ended_process_was_writing__is_removed(tmp_path):
    folder = RunFolder.claim(worlds.load(*SMALL), tmp_path / "run")
    folder.release()
    left = folder.path / "paths" / "investors" / "holder" / ".000000000.parquet.99.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    filled(folder.path)
    assert not left.exists()


def test_folder__fresh__begins_anew(tmp_path):
    folder, _ = filled(tmp_path / "run")
    loaded = worlds.load(*SMALL, "seed=12")
    RunFolder.claim(loaded, folder.path, fresh=True).release()
    assert find_chunks(folder.path, 900).paths == 0


def test_folder__with_a_strangers_files__is_left_alone_even_with_fresh(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        RunFolder.claim(worlds.load(*SMALL), tmp_path, fresh=True)
    assert [file.name for file in tmp_path.iterdir() if file.name != ".lock"] == ["thesis.txt"]


def test_folder__in_which_another_is_at_work__is_refused(tmp_path):
    first = RunFolder.claim(worlds.load(*SMALL), tmp_path)
    with pytest.raises(UsageError, match="another assay is at work"):
        RunFolder.claim(worlds.load(*SMALL), tmp_path)
    first.release()
    RunFolder.claim(worlds.load(*SMALL), tmp_path).release()
    assert not (tmp_path / ".lock").exists()


FILLED = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from simulator.engine import chunks
chunks.CHUNK_PATHS = 384
import test_chunks
folder, _ = test_chunks.filled(Path({out!r}), "paths=9000")
print(folder.paths_done().checksum)
"""


def fill_apart(out):
    """Return a process that fills a folder with 24 chunks."""
    code = FILLED.format(path=[str(Path(__file__).parent), *sys.path], out=str(out))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("small_chunks")
def test_run__killed_while_it_simulates__goes_on_and_ends_with_the_same_bytes(tmp_path):
    """A process is ended as soon as its second chunk is whole; the next one uses these."""
    process = fill_apart(tmp_path / "run")
    second = tmp_path / "run" / "progress" / "000000384.parquet"
    while process.poll() is None and not second.exists():
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    there = find_chunks(tmp_path / "run", 9_000).paths
    assert 2 * CHUNK <= there < 9_000
    again = fill_apart(tmp_path / "run")
    once = fill_apart(tmp_path / "once")
    assert again.communicate()[0] == once.communicate()[0] != ""
    assert files_of(tmp_path / "run") == files_of(tmp_path / "once")


COMMAND = """
import sys
sys.path[:0] = {path!r}
from simulator.engine import chunks
chunks.CHUNK_PATHS = 384
from simulator.cli import main
main(['run', 'gold-vault-sober', '--set', 'horizon_days=90', '--no-replay', '--paths', '4000',
      '--parameter-sets', '2', '--assumption-sets', '2', '--out', {out!r}], prog_name='assay')
"""


def kill_and_go_on(out, moments):
    """Run, ended by SIGKILL after each of these seconds, then to its end; return its files."""
    command = [sys.executable, "-c", COMMAND.format(path=sys.path, out=str(out))]
    for seconds in moments:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(seconds)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    last = subprocess.run(command, capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    return files_of(out)


@pytest.mark.deep
def test_command__killed_at_ten_moments__ends_with_the_same_bytes(tmp_path):
    expected = kill_and_go_on(tmp_path / "once", ())
    moments = np.random.default_rng(20260120).uniform(0.5, 9.0, 10)
    assert kill_and_go_on(tmp_path / "often", moments) == expected


def test_blocks__of_many_instruments__have_fewer_paths():
    """A thread holds a block: the flagship's 41 positions on 256 paths would be 300 MiB."""
    found = [
        chunks.paths_a_block(worlds.load(name=name).scenario)
        for name in ("gold-vault-sober", "hard-assets-2026")
    ]
    assert found == [256, 128]
