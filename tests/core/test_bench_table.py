"""The benchmark table: medians, and the change since the one that was kept on such a machine."""

import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "lines.py"


@pytest.fixture
def lines(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("bench_lines", FILE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench_lines", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "KEPT", tmp_path / "table.csv")
    return module


def taken(lines, *values, checksum="ab12"):
    table = lines.Table()
    table.take("run", [lines.Line("a vault", "paths/s", values, checksum, "on 1, 2 threads")])
    return table


def test_take__three_repeats__tells_their_median_and_half_their_distance(lines, capsys):
    taken(lines, 90.0, 100.0, 120.0)
    told = capsys.readouterr().out
    assert "a vault" in told
    assert told.split("a vault")[1].split()[:3] == ["100", "paths/s", "±15%"]
    assert told.endswith("ab12  on 1, 2 threads\n")


def test_take__table_kept_on_this_machine__tells_the_change_and_another_checksum(lines, capsys):
    taken(lines, 100.0).keep()
    taken(lines, 125.0)
    taken(lines, 50.0, checksum="cd34")
    faster, slower = capsys.readouterr().out.splitlines()[-3::2]
    assert "+25%  ab12" in faster
    assert "-50%  cd34 (was ab12)" in slower


def test_take__table_of_another_machine__is_not_compared(lines, capsys, monkeypatch):
    taken(lines, 100.0).keep()
    monkeypatch.setattr(lines, "machine", lambda: "a faster one, 64 cores")
    capsys.readouterr()
    taken(lines, 125.0)
    assert "%" not in capsys.readouterr().out


def test_keep__table__says_where_and_of_which_commit(lines):
    head = taken(lines, 100.0).keep().read_text(encoding="utf-8").splitlines()
    assert head[0] == f"# {lines.machine()}"
    assert head[1].startswith("# commit ")
    assert head[2].split(",") == list(lines.COLUMNS)
    assert head[3] == 'run,a vault,paths/s,100.0,100.0,100.0,1,ab12,"on 1, 2 threads"'
