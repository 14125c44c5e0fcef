"""Breaks one formula at a time, in a contract or in the model: the reconciliation must fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest
from paths import BUSY, WILD, differing, replay

from simulator.chain import Artifact, load_artifact
from simulator.chain.compile import compile_patched
from simulator.errors import AssayError, TransactionReverted
from simulator.replay import Evidence
from simulator.replay.export import write_test
from simulator.replay.failing import _reads, _up_to, failure_of

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
BUSY_PATH, WILD_PATH = 3, 0
RATES = {"gold_vault.borrow_index", "gold_vault.supply_index"}
SHARES = {"gold_vault.share_price", "gold_vault.exit_value", "reverted"}

CONTRACT_FAULTS = {
    "the market drops the reserve": (
        "lending_market",
        ("lending_market.vy", "math._mul_div(state.interest, reserve_factor, _WAD, False)", "0"),
        BUSY,
        {"gold_vault.supply_index", "reverted"},
    ),
    "the market drops an accrual": (
        "lending_market",
        ("modules/debt_index.vy", "rate * elapsed, _WAD", "rate * (elapsed - 1), _WAD"),
        BUSY,
        RATES,
    ),
    "the rate forgets the kink": (
        "lending_market",
        ("modules/kinked_rate.vy", "slope1 * utilisation // kink", "slope1 * utilisation // _WAD"),
        BUSY,
        RATES,
    ),
    "a liquidation forgets the bonus": (
        "lending_market",
        ("modules/loan_health.vy", "(_WAD + bonus) * _COLL", "_WAD * _COLL"),
        WILD,
        {
            "gold_vault.supply_index",
            "gold_vault.market_cash",
            "gold_vault.total_assets",
            "reverted",
        },
    ),
    "the vault drops the performance fee": (
        "gold_vault",
        ("gold_vault.vy", "fees: uint256 = gain * performance_fee_bps", "fees: uint256 = 0 * gain"),
        BUSY,
        SHARES,
    ),
    "the vault drops the management fee": (
        "gold_vault",
        ("gold_vault.vy", "old_debt * management_fee_bps * elapsed", "0 * old_debt * elapsed"),
        BUSY,
        SHARES,
    ),
    "the vault unlocks profit twice as slowly": (
        "gold_vault",
        ("modules/profit_lock.vy", "added * unlock_seconds", "2 * added * unlock_seconds"),
        BUSY,
        SHARES,
    ),
    "a reward leaks": (
        "staking_rewards",
        ("staking_rewards.vy", "pot // self.rewardsDuration", "pot // (self.rewardsDuration + 1)"),
        BUSY,
        {"gold_vault.rewards_earned", "gold_vault.exit_value"},
    ),
}


@pytest.mark.parametrize(("overrides", "path"), [(BUSY, BUSY_PATH), (WILD, WILD_PATH)])
def test_unbroken__agrees(overrides: tuple[str, ...], path: int) -> None:
    found = replay(None, path, *overrides)
    assert found.ok, found.observables


def broken(fault: str) -> tuple[set[str], Evidence, AssayError | None, dict[str, Artifact]]:
    """Return what does not agree with a broken contract, and what the replay leaves behind.

    A call that the model says succeeds may also revert.
    """
    name, edit, overrides, _ = CONTRACT_FAULTS[fault]
    patched = {name: compile_patched(CONTRACTS / f"{name}.vy", edit)}
    path, evidence = WILD_PATH if overrides is WILD else BUSY_PATH, Evidence()
    try:
        found = replay(None, path, *overrides, patched=patched, evidence=evidence)
    except TransactionReverted as error:
        return {"reverted"}, evidence, error, patched
    return differing(found), evidence, None, patched


SLOW = ("a liquidation forgets the bonus", "performance fee", "management fee")
"""Stopped by a call that reverts: to find what is told in the fewest calls takes seconds."""


@pytest.mark.parametrize("fault", CONTRACT_FAULTS)
def test_broken_contract__differs_where_it_should(fault: str, tmp_path: Path) -> None:
    differs, *left = broken(fault)
    assert differs & CONTRACT_FAULTS[fault][3]
    if not fault.endswith(SLOW):
        export_fails_and_passes_with_the_original(tmp_path, *left)


@pytest.mark.deep
@pytest.mark.parametrize("fault", [fault for fault in CONTRACT_FAULTS if fault.endswith(SLOW)])
def test_broken_contract__exported__differs_too(fault: str, tmp_path: Path) -> None:
    export_fails_and_passes_with_the_original(tmp_path, *broken(fault)[1:])


def export_fails_and_passes_with_the_original(
    folder: Path,
    evidence: Evidence,
    error: AssayError | None,
    patched: dict[str, Artifact],
) -> None:
    """Write the test and run it with either contract; ten calls at most come after the set-up."""
    failure = failure_of(evidence, error, patched)
    write_test(folder / "test_it.py", failure)
    assert "simulator" not in (folder / "test_it.py").read_text()
    with pytest.raises(AssertionError):
        run_exported(folder / "test_it.py")

    (mended,) = patched
    codes = json.loads((folder / "test_it.json").read_text())
    codes[mended] = load_artifact(mended).bytecode.hex()
    (folder / "test_it.json").write_text(json.dumps(codes))
    run_exported(folder / "test_it.py")
    assert sum(act.time >= evidence.start for act in failure.acts) <= 10


def run_exported(file: Path) -> None:
    """Run the only test of a file."""
    (test,) = (own for name, own in run_path(str(file)).items() if name.startswith("test_"))
    test()


MODEL_FAULTS = {
    "the model drops the reserve": (
        "mechanics/lending.py",
        "(after - before) * reserve_factor",
        "(after - before) * 0.0",
    ),
    "the model forgets the treasury in bad debt": (
        "mechanics/lending.py",
        "market.shares - burnt,",
        "market.shares,",
    ),
    "the model turns the sign of a fee": (
        "mechanics/vault.py",
        "net = terms.change - fee",
        "net = terms.change + fee",
    ),
}

SCRIPT = """
import importlib.util, json, sys
name, file, tests, kind, path, export = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, file)
sys.modules[name] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
setattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2], module)
sys.path.insert(0, tests)
from paths import BUSY, WILD, differing, replay
from pathlib import Path
from simulator.errors import TransactionReverted
from simulator.replay import Evidence
from simulator.replay.export import write_test
from simulator.replay.failing import failure_of
evidence, found, stopped = Evidence(), [], None
try:
    overrides = WILD if kind == "wild" else BUSY
    found = sorted(differing(replay(None, int(path), *overrides, evidence=evidence)))
except TransactionReverted as error:
    stopped = error
if export:
    failure = failure_of(evidence, stopped, {})
    write_test(Path(export), failure)
    found = [failure.why, sum(act.time >= evidence.start for act in failure.acts)]
print(json.dumps(found or [str(stopped)]))
"""


def broken_model(fault: str, folder: Path, export: str = "") -> list:
    """Return what a fresh interpreter tells of a path with one formula of a module changed."""
    file, old, new = MODEL_FAULTS[fault]
    text = (ROOT / "simulator" / file).read_text()
    assert text.count(old) == 1, "the mutation would test nothing"
    broken = folder / Path(file).name
    broken.write_text(text.replace(old, new))
    name = "simulator." + file.removesuffix(".py").replace("/", ".")
    kind, path = ("busy", BUSY_PATH) if "reserve" in fault else ("wild", WILD_PATH)
    case = (str(Path(__file__).parent), kind, str(path), export)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(broken), *case],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("fault", [fault for fault in MODEL_FAULTS if "fee" not in fault])
def test_broken_model__differs(fault: str, tmp_path: Path) -> None:
    assert broken_model(fault, tmp_path), "the replay agrees with a broken model"


MOST = {"reserve": 21, "treasury": 37, "fee": 10}
"""Calls after the set-up. All eight cohorts' loans are in the market's books, and bad debt takes
weeks of them: without one of them the contracts answer otherwise."""


@pytest.mark.parametrize(
    "fault",
    [pytest.param(f, marks=[] if "fee" in f else [pytest.mark.deep]) for f in MODEL_FAULTS],
)
def test_broken_model__exported__fails_and_passes_with_the_sound_models_figure(
    fault: str, tmp_path: Path
) -> None:
    """The contracts are right: the figure that the test holds them to is the broken model's.

    Without the reserve other amounts are lent, so the sound model has no figure for these calls.
    """
    file = tmp_path / "test_it.py"
    why, calls = broken_model(fault, tmp_path, str(file))
    assert calls <= next(most for part, most in MOST.items() if part in fault)
    with pytest.raises(AssertionError, match=", must be "):
        run_exported(file)
    if "reserve" in fault:
        return
    step, label, name = re.match(r"step (\d+): (\w+)\.(\w+) is ", why).groups()
    least, most = bounds_of_the_sound_model(int(step), label, name, file.read_text())
    text = re.sub(r"^LEAST = .*$", f"LEAST = ({least},)", file.read_text(), flags=re.MULTILINE)
    file.write_text(re.sub(r"^MOST = .*$", f"MOST = ({most},)", text, flags=re.MULTILINE))
    run_exported(file)


def bounds_of_the_sound_model(step: int, label: str, name: str, text: str) -> tuple[int, int]:
    """Return between what the read of an exported test must lie, by the model as it is."""
    evidence = Evidence()
    replay(None, WILD_PATH, *WILD, evidence=evidence, until=step)
    series = evidence.compared.series()
    at = (series["step"] == step) & (series["instrument"] == label)
    (row,) = series[at & (series["observable"] == name)].to_dict("records")
    asked = re.search(r"^VIEW = Act\((.*)\)$", text, re.MULTILINE)[1]
    (bounds,) = {
        (least, most)
        for view, least, most, _ in _reads(evidence, step, row, _up_to(evidence, step, ""))
        if ", ".join(map(repr, view[:6])) == asked
    }
    return bounds
