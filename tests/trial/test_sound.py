"""Vaults that others rely on come through: ours, snekmate's, and OpenZeppelin's where npm is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

import snekmate
from test_planted import case_of, found_in

from simulator.chain import load_artifact
from simulator.scenario import load_scenario
from simulator.trial.campaign import Trial
from simulator.trial.economics import claims_on, drive, judged
from simulator.trial.subject import read_subject
from simulator.trial.tokens import erc20, permits
from simulator.trial.years import position_of, years_of

OURS = {
    "performance_fee_bps_": "1000",
    "management_fee_bps_": "0",
    "profit_unlock_seconds_": "604800",
    "deposit_cap_": str(2**256 - 1),
    "queue_": "0x" + "00" * 20,
}
SOLIDITY = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
import {ERC20, IERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
contract PlainVault is ERC4626 {
    constructor(IERC20 asset_) ERC20("Plain", "PLAIN") ERC4626(asset_) {}
}
"""
COMPILE = """
const solc = require("solc"), fs = require("fs");
const read = path => ({ contents: fs.readFileSync("node_modules/" + path, "utf8") });
const wanted = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"];
const out = JSON.parse(solc.compile(JSON.stringify({
  language: "Solidity",
  sources: { "PlainVault.sol": { content: fs.readFileSync("PlainVault.sol", "utf8") } },
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true },
    outputSelection: { "*": { PlainVault: wanted } },
  },
}), { import: read }));
const made = out.contracts["PlainVault.sol"].PlainVault;
fs.writeFileSync("PlainVault.json", JSON.stringify({
  abi: made.abi,
  bytecode: { object: "0x" + made.evm.bytecode.object },
  deployedBytecode: { object: "0x" + made.evm.deployedBytecode.object },
}));
"""


def ours():
    return case_of(load_artifact("gold_vault"), **OURS)


def snekmates():
    (folder,) = snekmate.__path__
    source = read_subject(Path(folder) / "extensions" / "erc4626.vy")
    return case_of(source, decimals_offset_="0")


@pytest.fixture(scope="session")
def openzeppelins(tmp_path_factory):
    """Compile OpenZeppelin's vault in a folder of its own; skip where npm reaches nothing."""
    folder = tmp_path_factory.mktemp("solidity")
    (folder / "PlainVault.sol").write_text(SOLIDITY)
    (folder / "compile.js").write_text(COMPILE)
    packages = ("solc@0.8.28", "@openzeppelin/contracts@5.4.0")
    try:
        if shutil.which("npm") is None:
            raise FileNotFoundError("npm is not installed")
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", *packages]
        run = {"cwd": folder, "check": True, "capture_output": True, "timeout": 180}
        subprocess.run(install, **run)
        subprocess.run(["node", "compile.js"], **run)
    except (OSError, subprocess.SubprocessError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"npm: {error}")
    return case_of(read_subject(folder / "PlainVault.json"))


@pytest.mark.parametrize("case", [ours, snekmates])
def test_sound_vault__comes_through(case):
    check(case())


def test_openzeppelins_vault__comes_through(openzeppelins):
    check(openzeppelins)


def check(case):
    assert found_in(case, seed=1) == []
    trial = Trial(case)
    assert erc20(trial.stage, trial.fresh, "vault", seed=1) is None
    assert permits(trial.stage, trial.fresh) is None


def test_years__of_a_scenario__are_come_through_and_judged_by_its_claims():
    loaded = load_scenario("gold-vault-sober", overrides=["horizon_days=365"])
    position, trial, done = position_of(loaded), Trial(snekmates()), []
    years = [(year, True) for year in years_of(loaded, 2, "sober")]
    found = drive(trial, years, 1, done.append)
    assert (found.faults, found.years, done) == ((), 2, [1, 1])
    # Snekmate's vault takes no fee and counts gains at once: a holder who stays gets the
    # position's own return of the year, but for gifts and for what leavers leave by rounding.
    for year, worth in zip(years, found.worth.T, strict=True):
        own = 100.0
        for gained in year[0].returns:
            own *= 1 + gained
        assert worth[-1] == pytest.approx(own, rel=1e-4)
    verdicts = judged(found, loaded.scenario, position)
    assert [one.claim for one in verdicts] == list(claims_on(loaded.scenario, position))
    assert [one.verdict for one in verdicts] == ["not decided"] * 2
