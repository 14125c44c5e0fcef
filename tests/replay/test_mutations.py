"""Breaks one formula at a time, in a contract or in the model: the reconciliation must fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from paths import BUSY, WILD, differing, replay

from simulator.chain.compile import compile_patched
from simulator.errors import TransactionReverted

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


def faults(play, *args, **options) -> set[str]:
    """Return what does not agree; a call that the model says succeeds may also revert."""
    try:
        return differing(play(*args, **options))
    except TransactionReverted:
        return {"reverted"}


@pytest.mark.parametrize("fault", CONTRACT_FAULTS)
def test_broken_contract__differs_where_it_should(fault: str) -> None:
    name, edit, overrides, expected = CONTRACT_FAULTS[fault]
    patched = {name: compile_patched(CONTRACTS / f"{name}.vy", edit)}
    path = WILD_PATH if overrides is WILD else BUSY_PATH
    assert faults(replay, None, path, *overrides, patched=patched) & expected


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
name, file, tests, kind, path = sys.argv[1:]
spec = importlib.util.spec_from_file_location(name, file)
sys.modules[name] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
setattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2], module)
sys.path.insert(0, tests)
from paths import BUSY, WILD, differing, replay
from simulator.errors import TransactionReverted
try:
    overrides = WILD if kind == "wild" else BUSY
    print(json.dumps(sorted(differing(replay(None, int(path), *overrides)))))
except TransactionReverted as error:
    print(json.dumps([str(error)]))
"""


@pytest.mark.parametrize("fault", MODEL_FAULTS)
def test_broken_model__differs(fault: str, tmp_path: Path) -> None:
    """One formula of a module is changed, and a fresh interpreter replays a path with it."""
    file, old, new = MODEL_FAULTS[fault]
    text = (ROOT / "simulator" / file).read_text()
    assert text.count(old) == 1, "the mutation would test nothing"
    broken = tmp_path / Path(file).name
    broken.write_text(text.replace(old, new))
    name = "simulator." + file.removesuffix(".py").replace("/", ".")
    case = ("busy", str(BUSY_PATH)) if "reserve" in fault else ("wild", str(WILD_PATH))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(broken), str(Path(__file__).parent), *case],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]), "the replay agrees with a broken model"
