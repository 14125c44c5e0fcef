"""What needs no computing loads nothing that computes, and what cannot be written is one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "numba", "pandas", "scipy", "pyarrow", "pydantic", "plotly", "rich", "web3")
LOADED = """
import json, sys
from simulator.cli import main
try:
    main(prog_name="assay")
finally:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def python(code, *arguments, environment=(), **options):
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **dict(environment)},
        **options,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "shown"),
    [
        (("--help",), {}, "reconciliation failed"),
        (("run", "--help"), {}, "--fail-on [supported|plausible|unlikely|refuted|"),
        (("calibrate", "--help"), {}, "[gold|silver|copper|bitcoin]"),
        (("scenario", "list"), {}, "gold-vault-sober"),
        (
            (),
            {
                "_ASSAY_COMPLETE": "bash_complete",
                "COMP_WORDS": "assay run --fail-on ref",
                "COMP_CWORD": "3",
            },
            "refuted",
        ),
        (
            (),
            {
                "_ASSAY_COMPLETE": "bash_complete",
                "COMP_WORDS": "assay run two-vaults --set instruments.sober_vault.exploit_h",
                "COMP_CWORD": "4",
            },
            "instruments.sober_vault.exploit_hazard=",
        ),
    ],
)
def test_help_completion_and_list__load_nothing_that_computes(arguments, environment, shown):
    done = python(LOADED, *arguments, environment=environment)
    assert done.returncode == 0, done.stderr
    assert shown in " ".join(done.stdout.split())
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr)}
    assert loaded.isdisjoint(HEAVY), loaded.intersection(HEAVY)


def test_every_command__is_declared_and_carried_out():
    """A place that `carried_out_by` names is only looked up when the command is asked for."""
    code = """
import ast, importlib, pathlib, simulator.cli.commands
folder = pathlib.Path(simulator.cli.commands.__file__).parent
for file in folder.glob("*.py"):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "carried_out_by":
            module, _, name = node.args[0].value.partition(":")
            assert callable(getattr(importlib.import_module(module), name)), file
            print(module)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) >= 14


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is made by /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output__on_a_full_disk__is_one_line_and_exit_2(unbuffered):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "simulator.cli", "scenario", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "standard output: No space left on device" in done.stderr


MINE = """\
name: mine
title: Gold tokens
horizon_days: 30
paths: 8
market: {model: gbm, assets: {gold: {drift: 0.035}}}
instruments: {gold_token: {preset: paxg}}
investors: {holder: {holding: gold_token, ounces: 10}}
claims:
  worth-nine-tenths:
    says: It is worth nine tenths of what it cost
    subject: holder
    conditions: [{measure: total_return, unit: usd, at_least: -0.1}]
"""


@pytest.mark.parametrize(
    ("command", "begins"),
    [
        ("scenario list", "copper-cover-crash"),
        ("run mine.yaml --no-replay --parameter-sets 0 --assumption-sets 0", "Gold tokens"),
    ],
)
def test_output__whose_reader_leaves_after_a_line__is_no_error(command, begins, tmp_path):
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    piped = f"'{sys.executable}' -m simulator.cli {command} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", piped], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    first, code = done.stdout.splitlines()
    assert first.startswith(begins)
    assert code == "0"
    assert "Traceback" not in done.stderr


KERNEL = """
import sys
from simulator import jit
from simulator.measures import max_drawdown
import numpy as np
names = []
with jit.told_of_compiling(names.append):
    assert max_drawdown(np.array([[2.0], [1.0], [1.5]])) == 0.5
print(len(names))
"""


def test_kernels__are_compiled_once_and_told_of(tmp_path):
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (python(KERNEL, environment=environment) for _ in range(2))
    assert int(first.stdout) > 0, first.stderr
    assert int(second.stdout) == 0, second.stderr


def test_kernels__whose_kept_files_are_cut_short__are_compiled_anew(tmp_path):
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)}
    python(KERNEL, environment=environment)
    files = list(tmp_path.rglob("*.nb[ic]"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:20])
    again = python(KERNEL, environment=environment)
    assert again.returncode == 0, again.stderr
    assert int(again.stdout) > 0


def test_kernels__where_nothing_can_be_written__run_all_the_same(tmp_path):
    """NUMBA_CACHE_DIR below a file, the source's folder closed, no home, no temporary folder."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    code = "import os, pathlib, tempfile\n" + (
        "os.access = lambda *a, **k: False\n"
        "def nobody(): raise RuntimeError('no home')\n"
        "pathlib.Path.home = staticmethod(nobody)\n"
        "def nowhere(**k): raise FileNotFoundError('no temporary folder')\n"
        "tempfile.mkdtemp = nowhere\n"
    )
    environment = {"NUMBA_CACHE_DIR": str(blocked / "below")}
    done = python(code + KERNEL, environment=environment)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


def test_kernels__that_are_not_to_be_compiled__are_refused_in_one_line():
    done = python(LOADED, "market", "gold-vault-sober", environment={"NUMBA_DISABLE_JIT": "1"})
    first, _, _ = done.stderr.partition("[")
    assert (done.returncode, first) == (
        2, "assay: NUMBA_DISABLE_JIT is set; kernels run compiled alone: unset it\n",
    )  # fmt: skip


def test_warmup__without_scenarios__compiles_what_adds_chunks_up():
    done = python(
        "from simulator.engine import day_counts, warmup\n"
        "warmup.warm_up(most=0)\n"
        "print(*(len(getattr(day_counts, n).signatures) for n in ('_used_extent', '_add_used')))"
    )
    assert done.stdout == "2 3\n", done.stderr
