"""Imports point one way, nobody names a product, and the core simulates without a chain.

The rules stand in the design: units, errors, jit, words and writer know nobody; schema, measures
and mechanics know these; then the protocol of products, scenario, market, the rooms, investors,
claims, engine, each those before it. A room is known to the registry by name and to nobody else.
Imports under TYPE_CHECKING count as any others.
"""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import simulator
from simulator.instruments import registry

ROOT = Path(simulator.__file__).parents[1]
PACKAGE = ROOT / "simulator"

BASE = {"units", "errors", "jit", "words", "writer", "plain_json"}
LOW = BASE | {"schema", "measures", "mechanics"}
SCENARIO = BASE | {"schema", "protocol"}
MARKET = LOW | {"protocol", "scenario"}
ROOM = MARKET | {"market", "chain"}
INVESTORS = MARKET | {"market"}
CLAIMS = INVESTORS | {"investors"}
ENGINE = CLAIMS | {"claims"}

MAY_IMPORT = {
    "errors": set(),
    "units": set(),
    "jit": {"errors"},
    "words": set(),
    "plain_json": set(),
    "writer": {"errors"},
    "schema": BASE,
    "measures": BASE,
    "mechanics": BASE,
    # The modules at the door of `instruments/`; a chain is seen by those of the stage alone.
    "protocol": BASE | {"schema"},
    "scenario": SCENARIO,
    "market": MARKET,
    "room": ROOM - {"scenario"},
    "investors": INVESTORS,
    "claims": CLAIMS,
    "engine": ENGINE,
    "chain": BASE,
    "replay": {*INVESTORS, "investors", "chain"},
    "devnet": {*INVESTORS, "chain", "replay"},
    "report": {*ENGINE, "engine", "replay"},
    "trial": {*ENGINE, "engine", "chain", "replay"},
    "testing": {*ENGINE, "engine", "chain", "replay", "trial"},
    "shelf": BASE,
    # It computes nothing: what a path, a claim or a slider says, others have found.
    "serve": {*SCENARIO, "scenario", "claims", "engine", "replay", "report", "shelf", "study"},
    "cli": {
        *(*ENGINE, "engine", "chain", "replay", "devnet", "report", "study", "trial"),
        *("shelf", "serve"),
    },
    # The public names, loaded on first use; the package itself imports nothing.
    "study": {*ENGINE, "engine", "chain", "replay", "report"},
    "": {*ENGINE, "engine", "chain", "replay", "study"},
}

OF_THE_STAGE = {"stage", "custody", "casting", "runs"}
"""The protocol's modules that know a chain; only a replay loads them."""

RESULT_TYPES = {
    "simulator.claims",
    "simulator.claims.verdict",
    "simulator.engine",
    "simulator.engine.attribution",
    "simulator.engine.headline",
    "simulator.engine.losses",
    "simulator.engine.moments",
    "simulator.engine.simulate",
    "simulator.instruments.base",
    "simulator.instruments.page",
    "simulator.instruments.registry",
    "simulator.instruments.terms",
    "simulator.investors",
    "simulator.investors.paths",
    "simulator.replay",
    "simulator.replay.play",
    "simulator.replay.reconcile",
    "simulator.scenario",
    "simulator.scenario.calibration",
    "simulator.scenario.files",
    "simulator.scenario.instruments",
    "simulator.scenario.ladders",
    "simulator.scenario.loader",
    "simulator.scenario.models",
    "simulator.scenario.shocks",
    "simulator.schema.gas",
}
"""The modules in which a result or an input is defined: all that a report may see."""

ROOMS = {room.rpartition(".")[2] for room in registry.BUILT_IN}

OPTIONAL = ("web3", "pyrevm", "eth_abi", "eth_utils", "vyper", "ape", "arch", "statsmodels")


def modules():
    """Yield (path, dotted name) of every module of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree, package):
    """Yield (line, module, typed) of every import of a module, those inside functions included.

    `typed` are those under TYPE_CHECKING, which no program follows.
    """
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        typed = id(node) in for_types
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, typed) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                yield node.lineno, resolved(base, alias.name), typed


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
    if parts[1:2] == ["instruments"]:
        return "room" if parts[2:] and parts[2] in ROOMS else "protocol"
    return parts[1] if len(parts) > 1 else ""


def violations(name, path, source):
    """Return the imports of a module that the design does not allow, as `file:line: ...`."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return [
        f"{path.relative_to(ROOT)}:{line}: {name} imports {target}"
        for line, target, typed in imported(ast.parse(source), package)
        if target.split(".")[0] == "simulator" and not is_allowed(name, target, typed)
    ]


def is_allowed(name, target, typed):
    here, there = layer(name), layer(target)
    if there == "room":
        # a room is its own affair: not even another room may look into it
        return here == "room" and name.split(".")[2] == target.split(".")[2]
    if here == "report" and there != "report" and there not in BASE:
        # It computes nothing: of what others do it sees the types of their results.
        return target in RESULT_TYPES or not there or (typed and there in MAY_IMPORT["report"])
    if here == "protocol" and there == "chain":
        return name.split(".")[2] in OF_THE_STAGE
    return there == here or there in MAY_IMPORT[here]


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


def test_imports__of_every_module__make_no_circle():
    sources = {
        name: (path, ast.parse(path.read_text(encoding="utf-8"))) for path, name in modules()
    }
    needs = {}
    for name, (path, tree) in sources.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        needs[name] = {target for _, target, _ in imported(tree, package) if target in sources}
    assert not circle(needs), " imports ".join(circle(needs))


def circle(needs):
    """Return the modules of a circle in the order of their imports; empty where there is none."""
    done, way = set(), []

    def walk(name):
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        way.append(name)
        found = next((loop for below in sorted(needs[name]) if (loop := walk(below))), [])
        way.pop()
        done.add(name)
        return found

    return next((loop for name in sorted(needs) if (loop := walk(name))), [])


def test_circle__planted__is_found_and_a_tree_is_not():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def kinds_named(source):
    """Return (line, kind) of each string of a module that equals a kind of product.

    `holding` is what an investor's field is called too.
    """
    kinds = set(registry.cards()) - {"holding"}
    return [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in kinds
    ]


def test_kinds__outside_rooms_mechanics_and_registry__are_named_nowhere():
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {kind}"
        for path, name in modules()
        if layer(name) not in ("room", "mechanics") and name != "simulator.instruments.registry"
        for line, kind in kinds_named(path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n" + "\n".join(faults)


def test_kinds__a_name_in_a_string__is_found_and_one_in_a_sentence_is_not():
    assert kinds_named('x = "gold_vault"') == [(1, "gold_vault")]
    assert kinds_named("""x = 'a gold_vault of gold'""") == []


def test_generic_places__are_short_and_loop_over_cards():
    lines = (PACKAGE / "investors" / "world.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 150


@pytest.mark.parametrize(
    ("name", "source", "refused"),
    [
        ("simulator.market.x", "from simulator.units import LANES", False),
        ("simulator.units", "from simulator.errors import AssayError", True),
        ("simulator.market.x", "from simulator.engine import simulate", True),
        ("simulator.market.x", "def f():\n    import simulator.engine.simulate", True),
        ("simulator.market.x", "from simulator import claims", True),
        ("simulator.schema.x", "from simulator.scenario.models import Scenario", True),
        ("simulator.instruments.terms", "from simulator.schema.fields import Frozen", False),
        ("simulator.instruments.terms", "from simulator.market.paths import MarketPaths", True),
        ("simulator.instruments.terms", "from simulator.chain import Call", True),
        ("simulator.instruments.stage", "from simulator.chain import Call", False),
        ("simulator.instruments.model", "from simulator.instruments.holding.terms import T", True),
        ("simulator.instruments.holding.x", "from simulator.scenario.models import S", True),
        ("simulator.instruments.holding.x", "from simulator.market.events import NEVER", False),
        ("simulator.investors.x", "from simulator.instruments.registry import cards", False),
        ("simulator.investors.x", "from simulator.instruments.mining.paths import simulate", True),
        ("simulator.replay.x", "from simulator.instruments.gold_vault.player import P", True),
        ("simulator.scenario.x", "from simulator.mechanics.cover import paid", True),
        ("simulator.mechanics.x", "from simulator.scenario import Scenario", True),
        ("simulator.chain.x", "from simulator.scenario import Scenario", True),
        ("simulator.chain.x", "from . import codec", False),
        ("simulator.chain.x", "from ..engine import simulate", True),
        ("simulator.engine.x", "from simulator.cli import main", True),
        ("simulator.serve.x", "from simulator.study import Run", False),
        ("simulator.serve.x", "from simulator.market.paths import MarketPaths", True),
        ("simulator.serve.x", "from simulator.measures import drawdown", True),
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
            "from simulator.instruments.gold_token.paths import simulate",
            True,
        ),
        (
            "simulator.market.x",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from simulator.engine import Simulation",
            True,
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


def test_tests__module_that_another_imports_by_its_bare_name__is_the_only_one_of_it():
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["pytest"]["ini_options"]
    shared: dict[str, list[str]] = {}
    for folder in settings["pythonpath"]:
        for file in (ROOT / folder).glob("*.py"):
            shared.setdefault(file.stem, []).append(folder)
    imported = {
        name.split(".")[0]
        for file in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert {"daily", "test_bootstrap"} <= imported & set(shared)
    assert {name: shared[name] for name in imported & set(shared) if len(shared[name]) > 1} == {}
