"""Nodes that Assay did not start: a replay leaves them usable, and a fork has its own calendar."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from devnet_process import SCENARIO
from test_endpoint import running_anvil

from simulator.chain import DEVELOPMENT_ACCOUNTS, Contract, load_artifact
from simulator.chain.node import command_line
from simulator.chain.rpc import over_http
from simulator.cli import main

START = 1_768_867_200
"""2026-01-20 00:00 UTC, the scenario's first day."""
DAY = 86_400


def assay(*words: str):
    return CliRunner().invoke(main, list(words))


def ask(rpc: str, method: str, *params: object):
    link = over_http(rpc)
    try:
        return link.request(method, *params)
    finally:
        link.close()


def send(rpc: str, call, sender: str) -> str:
    """Send as a wallet does, and return the receipt's status once it is mined."""
    fields = {"from": sender, "to": call.to, "data": "0x" + call.data.hex()}
    key = ask(rpc, "eth_sendTransaction", fields)
    for _ in range(100):
        if receipt := ask(rpc, "eth_getTransactionReceipt", key):
            return receipt["status"]
        time.sleep(0.02)
    return "never mined"


def now(rpc: str) -> int:
    return int(ask(rpc, "eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def contract(folder: Path, name: str) -> Contract:
    entry = json.loads((folder / "contracts.json").read_text())[name]
    return Contract(load_artifact(entry["contract"]), entry["address"])


def test_replay__on_a_running_node_until_a_day__leaves_a_chain_to_use_and_to_fork(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with running_anvil(*command_line(START)) as rpc:
        asked = assay("replay", str(SCENARIO), "--rpc", rpc, "--until", "10")
        assert asked.exit_code == 0, asked.output
        assert now(rpc) == START + 10 * DAY
        folder = tmp_path / "runs" / "fee-only-chain"
        roles = json.loads((folder / "roles.json").read_text())
        depositor = roles["gold_vault/depositor"]["address"]
        staking = contract(folder, "gold_vault/staking_rewards")
        assert send(rpc, staking.call("exit"), depositor) == "0x1"
        # its clock runs on from the last day
        assert 0 <= now(rpc) - (START + 10 * DAY) < 600
        again = assay("devnet", str(SCENARIO), "--rpc", rpc, "--folder", str(folder))
        assert again.exit_code == 4
        assert "too late for a start" in again.output
        _fork(rpc, folder, tmp_path / "fork")
        _replay_on_a_fork(rpc, folder)


def _fork(origin: str, folder: Path, own: Path) -> None:
    """See that a devnet on a fork begins on its next day, with what stands there already."""
    usdc = contract(folder, "gold_vault/usdc").address
    given = f"gold_vault/usdc={usdc}"
    height = ask(origin, "eth_blockNumber")
    options = ("--fork-url", origin, "--chain-id", "31337", "--hardfork", "cancun")
    with running_anvil(*options) as rpc:
        # as on public chains, where these accounts have been given code
        ask(rpc, "anvil_setCode", DEVELOPMENT_ACCOUNTS[0], "0xef0100" + "12" * 20)
        asked = CliRunner().invoke(
            main,
            ["devnet", str(SCENARIO), "--rpc", rpc, "--folder", str(own), "--deployed", given],
            input="step 2\nload x.gz\nstatus --json\ndown\n",
        )
        assert asked.exit_code == 0, asked.output
        assert "the scenario starts on 2026-01-31" in asked.output
        assert "assay: load: a node that Assay did not start keeps its own state" in asked.output
        status = json.loads(next(x for x in asked.output.splitlines() if x.startswith("{")))
        assert (status["date"], status["undisturbed"]) == ("2026-02-02", True)
        assert "agree" in status["verdict"]
        assert contract(own, "gold_vault/usdc").address == usdc
        assert now(rpc) == START + 13 * DAY
    assert ask(origin, "eth_blockNumber") == height


def _replay_on_a_fork(origin: str, folder: Path) -> None:
    """See that a replay takes what stands there by its address, and nothing that does not."""
    usdc = contract(folder, "gold_vault/usdc").address
    options = ("--fork-url", origin, "--chain-id", "31337", "--hardfork", "cancun")
    with running_anvil(*options) as rpc:
        words = ("replay", str(SCENARIO), "--rpc", rpc, "--until", "2", "--deployed")
        height = ask(rpc, "eth_blockNumber")
        nobody = assay(*words, f"gold_vault/usdc=0x{'12' * 20}")
        assert nobody.exit_code == 4
        assert nobody.output.endswith(f"--deployed gold_vault/usdc: no contract at 0x{'12' * 20}\n")
        assert ask(rpc, "eth_blockNumber") == height
        asked = assay(*words, f"gold_vault/usdc={usdc}")
        assert asked.exit_code == 0, asked.output
        assert contract(folder, "gold_vault/usdc").address == usdc
        # the vault is the replay's own, and its market takes what stood there
        market = contract(folder, "gold_vault/lending_market")
        known = {"to": market.address, "data": "0x" + market.call("collateral_token").data.hex()}
        assert int(ask(rpc, "eth_call", known, "latest"), 16) == int(usdc, 16)


def test_deployed__by_a_name_that_nothing_has__is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with running_anvil(*command_line(START)) as rpc:
        ask(rpc, "anvil_setCode", "0x" + "12" * 20, "0x00")
        given = f"gold_vault/dollars=0x{'12' * 20}"
        asked = assay("replay", str(SCENARIO), "--rpc", rpc, "--deployed", given)
    assert asked.exit_code == 2
    assert "--deployed gold_vault/dollars: there are only gold_token/" in asked.output


@pytest.mark.parametrize("command", ["replay", "devnet"])
def test_rpc__of_another_machine__is_refused_before_anything_is_sent(command, monkeypatch):
    def fail(*_: object) -> None:
        pytest.fail("a connection was opened, or a name looked up")

    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    asked = assay(command, str(SCENARIO), "--rpc", "http://rpc.example.org:8545")
    assert asked.exit_code == 4
    assert asked.output == (
        "assay: --rpc http://rpc.example.org:8545: must be http to this machine (127.0.0.1, ::1 or "
        "localhost); Assay sends nothing to any other host\n"
    )


@pytest.mark.parametrize("day", ["-1", "41"])
def test_replay__until_a_day_that_is_not_there__is_refused(day):
    asked = assay("replay", str(SCENARIO), "--until", day)
    assert asked.exit_code == 2
    assert asked.output == f"assay: --until {day}: must be 0 to 40, the last day\n"
