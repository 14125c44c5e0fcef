"""Imports point one way, and the core simulates without what only a chain needs.

The rules stand in the design: units, errors and jit know nobody; scenario, measures and mechanics
know these; then market, instruments, investors, claims, engine, each those before it. The
chain knows only units and errors, the report only types of results, nobody the command line.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import simulator

ROOT = Path(simulator.__file__).parents[1]
PACKAGE = ROOT / "simulator"

BASE = {"units", "errors", "jit"}
MARKET = BASE | {"scenario", "measures", "mechanics"}
INSTRUMENTS = MARKET | {"market"}
INVESTORS = INSTRUMENTS | {"instruments"}
CLAIMS = INVESTORS | {"investors"}
ENGINE = CLAIMS | {"claims"}

MAY_IMPORT = {
    "errors": set(),
    "units": set(),
    "jit": set(),
    "scenario": BASE,
    "measures": BASE,
    "mechanics": BASE,
    "market": MARKET,
    "instruments": INSTRUMENTS,
    "investors": INVESTORS,
    "claims": CLAIMS,
    "engine": ENGINE,
    "chain": BASE,
    "replay": {"chain", "instruments", "investors", "market", "scenario", *BASE},
    "report": {"claims", "engine", "instruments", "investors", "replay", "scenario", *BASE},
    "cli": {*ENGINE, "engine", "chain", "replay", "report"},
    # The public names, loaded on first use; the package itself imports nothing.
    "": {*ENGINE, "engine", "chain", "replay"},
}

RESULT_TYPES = {
    "simulator.claims",
    "simulator.claims.verdict",
    "simulator.engine",
    "simulator.engine.simulate",
    "simulator.instruments.base",
    "simulator.investors",
    "simulator.investors.paths",
    "simulator.replay",
    "simulator.replay.play",
    "simulator.replay.reconcile",
    "simulator.scenario",
    "simulator.scenario.calibration",
    "simulator.scenario.files",
    "simulator.scenario.instruments",
    "simulator.scenario.loader",
    "simulator.scenario.models",
}
"""The modules in which a result or an input is defined: all that a report may see."""

SHARED_BY_INSTRUMENTS = {"base", "draws"}

OPTIONAL = ("web3", "pyrevm", "eth_abi", "eth_utils", "vyper", "ape", "arch", "statsmodels")


def modules():
    """Yield (path, dotted name) of every module of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree, package):
    """Yield (line, module) of every import of a module, those inside functions included.

    Imports under TYPE_CHECKING are for readers and type checkers; no program follows them.
    """
    unseen = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield from ((node.lineno, resolved(base, alias.name)) for alias in node.names)


def resolved(base, name):
    """Return the module an imported name lies in: `base.name` where that is a module."""
    inner = ROOT.joinpath(*base.split("."), name)
    is_module = base.startswith("simulator") and (
        inner.with_suffix(".py").is_file() or (inner / "__init__.py").is_file()
    )
    return f"{base}.{name}" if is_module else base


def layer(name):
    """Return the part of the package that a module belongs to; "" for the package itself."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def violations(name, path, source):
    """Return the imports of a module that the design does not allow, as `file:line: ...`."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    faults = []
    for line, target in imported(ast.parse(source), package):
        if target.split(".")[0] != "simulator":
            continue
        here, there = layer(name), layer(target)
        allowed = there == here or there in MAY_IMPORT[here] or (here == "report" and not there)
        if here == "report" and there != "report" and there not in BASE:
            allowed = allowed and target in RESULT_TYPES
        if here == there == "instruments" and not same_product(name, target):
            allowed = False
        if not allowed:
            faults.append(f"{path.relative_to(ROOT)}:{line}: {name} imports {target}")
    return faults


def same_product(name, target):
    """Return whether an instrument imports itself or what all instruments share."""
    product = target.split(".")[2:3]
    return not product or product[0] in SHARED_BY_INSTRUMENTS or product == name.split(".")[2:3]


def test_imports__of_every_module__point_one_way():
    faults = [
        fault
        for path, name in modules()
        for fault in violations(name, path, path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n" + "\n".join(faults)


def test_table__names_every_part_of_the_package():
    parts = {layer(name) for _, name in modules()}
    assert parts == set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("name", "source", "refused"),
    [
        ("simulator.market.x", "from simulator.units import LANES", False),
        ("simulator.units", "from simulator.errors import AssayError", True),
        ("simulator.market.x", "from simulator.engine import simulate", True),
        ("simulator.market.x", "def f():\n    import simulator.engine.simulate", True),
        ("simulator.market.x", "from simulator import claims", True),
        ("simulator.scenario.x", "from simulator.mechanics.cover import paid", True),
        ("simulator.mechanics.x", "from simulator.scenario import Scenario", True),
        ("simulator.chain.x", "from simulator.scenario import Scenario", True),
        ("simulator.chain.x", "from . import codec", False),
        ("simulator.chain.x", "from ..engine import simulate", True),
        ("simulator.engine.x", "from simulator.cli import main", True),
        ("simulator.engine.x", "from simulator.replay import play", True),
        ("simulator.replay.x", "from simulator.engine import simulate", True),
        ("simulator.report.x", "from simulator.claims import Verdict", False),
        ("simulator.report.x", "from simulator.market.paths import MarketPaths", True),
        ("simulator.report.x", "from simulator.instruments.gold_vault import kernel", True),
        ("simulator.instruments.gold_vault.x", "from simulator.instruments import base", False),
        (
            "simulator.instruments.gold_vault.x",
            "from simulator.instruments.gold_vault import kernel",
            False,
        ),
        (
            "simulator.instruments.gold_vault.x",
            "from simulator.instruments.gold_token import simulate",
            True,
        ),
        (
            "simulator.market.x",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from simulator.engine import Simulation",
            False,
        ),
    ],
)
def test_rule__forbidden_import__is_found_and_the_allowed_one_is_not(name, source, refused):
    path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    faults = violations(name, path, source)
    assert bool(faults) is refused
    if refused:
        line = source[: source.rindex("import")].count("\n") + 1
        assert faults[0].startswith(f"{path.relative_to(ROOT)}:{line}: {name} imports simulator.")


BLOCKED = f"""
import json, sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {OPTIONAL!r}:
            raise ModuleNotFoundError(f"blocked: {{name}}", name=name)

sys.meta_path.insert(0, Block())
"""


def run_blocked(code):
    """Run Python in which no optional package can be imported; return the JSON it prints."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_core__without_the_extras__simulates_and_judges():
    found = run_blocked("""
import simulator
from simulator.engine import simulate
loaded = simulator.load_scenario("gold-vault-sober", overrides=["paths=128", "horizon_days=60"])
outcome = simulate(loaded.scenario, loaded.calibration, workers=1)
verdicts = simulator.judge(outcome)
print(json.dumps({"verdicts": [v.verdict for v in verdicts], "modules": sorted(sys.modules)}))
""")
    assert len(found["verdicts"]) == 2
    assert not {name.split(".")[0] for name in found["modules"]} & set(OPTIONAL)


def test_block__chain_without_the_extra__says_what_to_install():
    # The block works: what needs the extra fails under it, and says so.
    found = run_blocked("""
from simulator.errors import ChainUnavailable
import simulator
try:
    simulator.open_chain("revm", 0)
except ChainUnavailable as error:
    print(json.dumps(str(error)))
""")
    assert 'pip install "assay-sim[chain]"' in found


def test_package__imported_alone__loads_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", "import simulator, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"numpy", "numba", "pandas", "pydantic", "scipy", "click", "rich", *OPTIONAL}
    assert not heavy & {name.split(".")[0] for name in done.stdout.split()}


def test_package__every_public_name__is_there_and_documented():
    for name in simulator.__all__:
        found = getattr(simulator, name)
        assert found.__name__ == name
        assert found.__module__.startswith("simulator.")
        assert found.__doc__, name
    assert set(simulator.__all__) <= set(dir(simulator))
    assert simulator.__all__ == sorted(simulator.__all__)


def test_package__type_checkers_names__are_the_ones_that_load():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("simulator")
        for alias in node.names
    }
    assert seen == set(simulator.__all__)


def test_package__unknown_name__is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        simulator.simulat  # noqa: B018
