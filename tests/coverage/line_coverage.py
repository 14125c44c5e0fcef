"""Tells which lines and branches of the contracts no test runs.

Usage: python tests/coverage/line_coverage.py [--steps FOLDER] [test files]

Runs the contract tests on a chain that notes its instructions, and finds the statement of each
by the compiler's map. What no test reaches must stand in `uncovered.toml` with its reason, and
nothing else may stand there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from json import loads
from pathlib import Path
from typing import Any

from traced_chain import JUMPI
from vyper import ast
from vyper.compiler import CompilerData
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import Settings
from vyper.ir import compile_ir

from simulator.chain.artifacts import load_artifact
from simulator.chain.compile import contract_sources

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
UNCOVERED = Path(__file__).with_name("uncovered.toml")
PYTEST = (sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal")
OFF = ("-p", "no:cacheprovider", "-p", "no:ape_test", "-p", "no:benchmark")
TESTS = ("tests/contracts", "tests/instruments")
LEFT_OUT = ("stateful", "replay", "outside")
"""Tests on chains of their own, which nothing notes."""
BRANCHES = (ast.If, ast.IfExp, ast.Assert, ast.BoolOp)
STATEMENTS = (ast.Assert, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.For, ast.If)
STATEMENTS += (ast.Log, ast.Raise, ast.Return)


@dataclass(frozen=True, order=True)
class Place:
    """A statement or branch: where it is, in which function, and its first line's text."""

    file: str
    number: int
    column: int
    function: str
    line: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What `uncovered.toml` knows it by."""
        return self.file, self.function, self.line


@dataclass
class Found:
    """What there is in one file and what was reached; a branch is reached once each way."""

    lines: set[Place] = field(default_factory=set)
    run: set[Place] = field(default_factory=set)
    branches: set[Place] = field(default_factory=set)
    ways: dict[Place, set[bool]] = field(default_factory=lambda: defaultdict(set))

    def silent(self) -> list[Place]:
        """Return the statements that did not run."""
        return sorted(self.lines - self.run)

    def one_way(self) -> list[Place]:
        """Return the branches that went one way, and no other."""
        return sorted(place for place in self.branches if len(self.ways[place]) == 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tests", nargs="*", help="all tests of the contracts by default")
    parser.add_argument("--steps", type=Path, help="where to keep the steps, or where they are")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.steps or Path(scratch)
        folder.mkdir(exist_ok=True)
        passed = any(folder.iterdir()) or run_tests(args.tests or tests(), folder)
        return report(coverage(steps_in(folder))) if passed else 1


def tests() -> list[str]:
    """Return the files of the contracts' tests that run on the session's chain."""
    files = (str(file) for folder in TESTS for file in sorted((ROOT / folder).rglob("test_*.py")))
    return [file for file in files if not any(word in file for word in LEFT_OUT)]


def run_tests(files: Iterable[str], folder: Path) -> bool:
    """Run tests on the chain that notes its instructions; return whether all pass."""
    command = [*PYTEST, *OFF, "--on-a-chain", "--hypothesis-profile=repeatable", *files]
    variables = {"PYTHONPATH": str(ROOT), "ASSAY_STEPS": str(folder)}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False)
    return done.returncode == 0


def steps_in(folder: Path) -> dict[str, set[tuple[int, int]]]:
    """Return the steps of each contract, from all processes that wrote some."""
    steps: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for path in folder.glob("*.json"):
        for name, found in loads(path.read_text()).items():
            steps[name] |= {tuple(step) for step in found}
    return steps


def coverage(steps: dict[str, set[tuple[int, int]]]) -> dict[str, Found]:
    """Return what was found in each source; a module's line counts wherever it is deployed."""
    files: dict[str, Found] = defaultdict(Found)
    for name in contract_sources(CONTRACTS):
        enter(files, name, steps)
    return files


def enter(files: dict[str, Found], name: str, steps: dict[str, set[tuple[int, int]]]) -> None:
    """Enter one contract, its creation and its code, and the steps through both."""
    data = compiled(contract_sources(CONTRACTS)[name])
    if data.bytecode != load_artifact(name).bytecode:
        raise ValueError(f"{name}: the artifact is stale; run scripts/build_artifacts.py")
    for part, assembly in ((f"{name}.__init__", data.assembly), (name, data.assembly_runtime)):
        code, maps = compile_ir.assembly_to_evm(assembly, compiler_metadata=None)
        enter_code(files, code, maps["pc_raw_ast_map"], steps.get(part, set()))


def compiled(path: Path) -> CompilerData:
    """Compile a contract as its artifact was, keeping the compiler's maps."""
    bundle = FilesystemInputBundle([Path(entry) for entry in reversed(sys.path) if entry])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = CompilerData(bundle.load_file(path), bundle, Settings(evm_version="cancun"))
        _ = data.bytecode  # compiles, while warnings are off
    return data


def enter_code(
    files: dict[str, Found], code: bytes, nodes: dict[int, Any], steps: set[tuple[int, int]]
) -> None:
    """Enter code, by the node of each instruction, and the steps through it."""
    following: dict[int, set[int]] = defaultdict(set)
    for at, after in steps:
        following[at].add(after)
    for at, node in nodes.items():
        if (statement := statement_of(node)) is not None and (place := place_of(statement)):
            files[place.file].lines.add(place)
            if at in following:
                files[place.file].run.add(place)
        if code[at] == JUMPI and isinstance(node, BRANCHES) and (place := place_of(node)):
            files[place.file].branches.add(place)
            files[place.file].ways[place] |= {after == at + 1 for after in following[at]}


def statement_of(node: Any) -> Any:
    """Return the statement that a node belongs to; None for what is in no function."""
    if isinstance(node, STATEMENTS):
        return node if node.get_ancestor(ast.FunctionDef) else None
    return node.get_ancestor(STATEMENTS) if node.get_ancestor(ast.FunctionDef) else None


def place_of(node: Any) -> Place | None:
    """Return where a node is; None outside the contracts folder, or where the compiler made it."""
    path = Path(node.module_node.resolved_path)
    if node.lineno is None or not path.is_relative_to(CONTRACTS):
        return None
    line = lines_of(path)[node.lineno - 1].strip()
    function = node.get_ancestor(ast.FunctionDef).name
    return Place(str(path.relative_to(ROOT)), node.lineno, node.col_offset, function, line)


@cache
def lines_of(path: Path) -> list[str]:
    """Return a source's lines."""
    return path.read_text().splitlines()


def report(files: dict[str, Found]) -> int:
    """Print a table and what is missed; return 1 if that is not what `uncovered.toml` says."""
    excused = tomllib.loads(UNCOVERED.read_text()).get("uncovered", [])
    listed = {(entry["file"], entry["function"], entry["line"]) for entry in excused}
    used: set[tuple[str, str, str]] = set()
    told: list[str] = []
    print(f"{'':44}{'lines':>7}{'missed':>8}{'branches':>10}{'one way':>9}")
    for file, found in sorted(files.items()):
        silent, one_way = found.silent(), found.one_way()
        print(
            f"{file:44}{len(found.lines):7}{len(silent):8}{len(found.branches):10}{len(one_way):9}"
        )
        for what, places in (("never runs", silent), ("goes one of two ways", one_way)):
            for place in places:
                if place.key in listed:
                    used.add(place.key)
                else:
                    told.append(
                        f"{file}:{place.number} {place.function} {what}\n      {place.line}"
                    )
    for file, function, line in sorted(listed - used):
        told.append(f"{file} {function}: listed, but reached or gone\n      {line}")
    print("\n".join(told) or "all that is missed has its reason")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
