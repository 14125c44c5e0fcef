"""A person on a devnet: what he does, what he is told, and what is left when he goes."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from email.message import Message
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from devnet_process import ASSAY, ENVIRONMENT, SCENARIO, Running, running

from simulator.chain import Contract, load_artifact
from simulator.chain.rpc import over_http
from simulator.cli import main
from simulator.devnet import state

OUNCE = 10**18
CLIENT = Path(__file__).with_name("outside.py")
FEE, DAYS = 0.10, 30
OTHERS = 20_100
"""Ounces of the crowd and of the measured holder."""
LENT = OTHERS * (1 - 1e-9)
"""What of them is lent: all, but for the room that managers leave to rounding."""


def assay(*words: str, folder: Path):
    """Say something to a devnet from here."""
    return CliRunner().invoke(main, ["devnet", *words, "--folder", str(folder)])


def balance(rpc: str, address: str) -> int:
    link = over_http(rpc)
    try:
        return int(link.request("eth_getBalance", address, "latest"), 16)
    finally:
        link.close()


@pytest.fixture(scope="module")
def visit(devnet: Running) -> dict:
    """An outside client's deposit, 30 days and withdrawal; and the devnet before and after."""
    before = devnet.status()
    client = subprocess.run(
        [sys.executable, str(CLIENT), str(devnet.folder), before["rpc"], *ASSAY],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert client.returncode == 0, client.stderr
    found = json.loads(client.stdout.splitlines()[-1])
    return {"before": before, "client": found, "after": devnet.status()}


def test_outside_client__thirty_days__gets_what_the_fee_leaves(visit):
    # Each day the fee is FEE / 365 of what is lent, paid in new shares: the price of all shares
    # falls by fee over all assets. The visitor's ounce is not lent, the others' ounces are.
    client = visit["client"]
    assert client["shares"] == OUNCE
    assert client["assets_before"] == OTHERS * OUNCE
    price = (1 - FEE / 365 * LENT / (OTHERS + 1)) ** DAYS
    assert client["price"] / OUNCE == pytest.approx(price, rel=1e-12)
    assert client["paid"] == client["price"]


def test_outside_client__thirty_days__pass_on_the_chain(visit):
    client = visit["client"]
    assert client["chain_id"] == 31_337
    # the clock stands still between the days
    assert client["seconds"] == DAYS * 86_400


def test_status__somebody_acted__model_is_undisturbed_and_not_compared(visit):
    before, after = visit["before"], visit["after"]
    assert (before["day"], before["undisturbed"]) == (0, True)
    assert "model and contracts agree" in before["verdict"]
    assert (after["day"], after["undisturbed"], after["acted_after_day"]) == (DAYS, False, 0)
    (price,) = (row for row in after["figures"] if row["name"] == "share_price")
    # the model knows of no visitor
    alone = (1 - FEE / 365 * LENT / OTHERS) ** DAYS
    assert price["model"] == pytest.approx(alone, rel=1e-12)
    assert price["contracts"] != price["model"]


def test_files__have_addresses_abis_and_keys_of_their_accounts(devnet):
    account = pytest.importorskip("eth_account").Account
    contracts = json.loads((devnet.folder / "contracts.json").read_text())
    assert {"gold_token/token", "gold_vault/gold_vault", "gold_vault/usdc"} <= set(contracts)
    assert all(set(entry) == {"address", "contract", "abi"} for entry in contracts.values())
    roles = json.loads((devnet.folder / "roles.json").read_text())
    assert {"all/owner", "gold_vault/depositor", "visitor/1"} <= set(roles)
    for entry in roles.values():
        assert account.from_key(entry["private_key"]).address == entry["address"]


def test_control__file__is_for_its_owner_alone(devnet):
    assert (devnet.folder / "control.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "line",
    [
        b"POST / HTTP/1.1\r\n\r\n",
        b'{"token": "0", "words": ["down"]}\n',
        b'{"words": ["down"]}\n',
        b"[]\n",
        b'{"token": "\xc3\xa9", "words": ["down"]}\n',
    ],
)
def test_control__without_the_token__gets_nothing(devnet, line):
    port = json.loads((devnet.folder / "control.json").read_text())["port"]
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(line)
        assert link.recv(100) == b""
    assert devnet.process.poll() is None


def test_faucet__eth__reaches_an_address_outside(devnet):
    address = "0x" + "12" * 20
    devnet.ask("faucet", address, "1.5", "eth")
    assert balance(devnet.status()["rpc"], address) == 15 * 10**17


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("step", "0"), 2, "step 0: must be a whole number of days, 1 or more"),
        (("step", "many"), 2, "step many: must be a whole number of days, 1 or more"),
        (("step", "500"), 2, "step 500: the scenario ends on day 40"),
        (("until", "41"), 2, "until 41: the scenario ends on day 40"),
        (("play", "0d/s"), 2, "pace 0d/s: must be days a second above 0"),
        (("faucet", "0x12", "1"), 2, "faucet 0x12: must be an address, 0x and 40 hex digits"),
        (("faucet", "0x" + "12" * 20, "0"), 2, "must be a number above 0"),
        (("faucet", "0x" + "12" * 20, "0.0000001"), 2, "with at most 6 decimals"),
        (("faucet", "0x" + "12" * 20, "1", "gold"), 2, "no token gold; there are: eth, gold_"),
        (("load", "nowhere.gz"), 3, "nowhere.gz: cannot be read: No such file"),
        (("load", str(SCENARIO)), 3, "fee-only.yaml: is no saved devnet"),
    ],
)
def test_command__that_makes_no_sense__is_a_line_and_changes_nothing(devnet, words, code, message):
    asked = assay(*words, folder=devnet.folder)
    assert asked.exit_code == code
    assert message in asked.output
    assert asked.output.count("\n") == 1
    assert devnet.process.poll() is None


def test_cast__where_it_is_installed__reads_and_sends(devnet, visit):
    cast = shutil.which("cast")
    if cast is None:
        pytest.skip("cast is not installed")
    rpc = ("--rpc-url", visit["before"]["rpc"])
    usdc = contract_of(devnet, "gold_vault/usdc").address
    owner = json.loads((devnet.folder / "roles.json").read_text())["all/owner"]
    stranger = "0x" + "56" * 20
    send = [usdc, "mint(address,uint256)", stranger, "7", "--private-key", owner["private_key"]]
    subprocess.run([cast, "send", *send, *rpc], check=True, capture_output=True)
    read = [usdc, "balanceOf(address)(uint256)", stranger]
    done = subprocess.run([cast, "call", *read, *rpc], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["7"]


def asked_from_a_page(rpc: str, method: str, *params: object) -> tuple[Message, object]:
    """Return headers and result of what a page of another origin asks, as a browser sends it."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    headers = {"content-type": "application/json", "Origin": "https://front-end.example"}
    with urlopen(Request(rpc, body, headers)) as answer:
        return answer.headers, json.load(answer)["result"]


def test_wallet__asks_what_wallets_ask__is_answered(devnet):
    rpc, me = devnet.status()["rpc"], "0x" + "9a" * 20
    token = contract_of(devnet, "gold_token/token")
    approve = {"from": me, "to": token.address}
    approve["data"] = "0x" + token.call("approve", "0x" + "78" * 20, 5).data.hex()
    headers, chain_id = asked_from_a_page(rpc, "eth_chainId")
    assert chain_id == "0x7a69"
    assert headers["access-control-allow-origin"] == "*"
    assert asked_from_a_page(rpc, "net_version")[1] == "31337"
    assert asked_from_a_page(rpc, "eth_getBalance", me, "latest")[1] == "0x0"
    assert asked_from_a_page(rpc, "eth_getTransactionCount", me, "pending")[1] == "0x0"
    assert int(asked_from_a_page(rpc, "eth_gasPrice")[1], 16) > 0
    # a bare transfer takes 21,000, a first allowance writes one slot for 20,000 more
    assert 41_000 < int(asked_from_a_page(rpc, "eth_estimateGas", approve)[1], 16) < 100_000
    # the base fee is 0 on every block, so whatever a wallet offers is enough
    history = asked_from_a_page(rpc, "eth_feeHistory", "0x4", "latest", [50])[1]
    assert {int(fee, 16) for fee in history["baseFeePerGas"]} == {0}


def test_page_of_another_origin__asks_whether_it_may__may(devnet):
    asks = {
        "Origin": "https://front-end.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    with urlopen(Request(devnet.status()["rpc"], headers=asks, method="OPTIONS")) as answer:
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "content-type" in answer.headers["access-control-allow-headers"]


def test_load__what_was_saved__undoes_what_came_after(devnet, visit, tmp_path):
    file = tmp_path / "day.gz"
    stranger = "0x" + "34" * 20
    before = devnet.status()
    devnet.ask("save", str(file))
    devnet.ask("faucet", stranger, "1", "eth")
    devnet.ask("load", str(file))
    assert devnet.status() == before
    assert balance(before["rpc"], stranger) == 0


def test_role__that_a_person_robs__is_told_and_the_days_go_on(devnet, visit):
    roles = json.loads((devnet.folder / "roles.json").read_text())
    staking = contract_of(devnet, "gold_vault/staking_rewards")
    depositor = roles["gold_vault/depositor"]["address"]
    link = over_http(devnet.status()["rpc"])
    exit_ = {
        "from": depositor,
        "to": staking.address,
        "data": "0x" + staking.call("exit").data.hex(),
    }
    link.request("eth_sendTransaction", exit_)
    link.close()
    said = devnet.ask("until", "40")
    # he has nothing staked any more, so what the model has him do on the last day fails
    assert "day 40: could not be done: staking_rewards.exit() reverted: " in said
    assert devnet.status()["day"] == 40
    assert assay("step", folder=devnet.folder).exit_code == 2


def contract_of(devnet: Running, name: str) -> Contract:
    entry = json.loads((devnet.folder / "contracts.json").read_text())[name]
    return Contract(load_artifact(entry["contract"]), entry["address"])


def test_port__that_is_taken__is_a_line(tmp_path, anvil_binary):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        asked = started("--port", port, "--folder", str(tmp_path))
    assert asked.exit_code == 4
    assert asked.output.startswith(f"assay: --port {port}: Address already in use; name another")


def started(*options: str):
    """Start a devnet in this process: what is refused ends at once."""
    return CliRunner().invoke(main, ["devnet", str(SCENARIO), *options])


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--rpc", "http://rpc.example.org"), 4, "Assay sends nothing to any other host"),
        (("--at", "41"), 2, "--at 41: must be 0 to 40, the last day"),
        (("--pace", "fast"), 2, "pace fast: must be days a second above 0"),
        (("--path", "p51"), 2, "no path p51"),
        (("--deployed", "gold_vault/usdc=0x12"), 2, "must be LABEL/NAME=ADDRESS"),
        (("--load", "x.gz", "--rpc", "http://127.0.0.1:1"), 2, "it takes no --rpc"),
        (("--load", "nowhere.gz", "--port", "0"), 3, "nowhere.gz: cannot be read"),
        (
            ("--port", "0", "--deployed", f"gold_vault/usdc=0x{'12' * 20}"),
            4,
            f"--deployed gold_vault/usdc: no contract at 0x{'12' * 20}",
        ),
    ],
)
def test_start__that_cannot_be__is_a_line(options, code, message, tmp_path, anvil_binary):
    asked = started(*options, "--folder", str(tmp_path))
    assert asked.exit_code == code
    assert message in asked.output
    assert asked.output.splitlines()[-1].startswith("assay: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--load", "old.gz"), 3, "old.gz: assay is 0.0.1; must be "),
        (
            ("--deployed", f"gold_vault/usdc=0x{'12' * 20}"),
            4,
            f"--deployed gold_vault/usdc: no contract at 0x{'12' * 20}",
        ),
    ],
)
def test_start__refused__simulates_nothing_and_leaves_nothing_running(
    options, code, message, tmp_path, monkeypatch, anvil_binary
):
    monkeypatch.chdir(tmp_path)
    saved = {"assay_devnet": state.FORMAT, "assay": "0.0.1"}
    (tmp_path / "old.gz").write_bytes(gzip.compress(json.dumps(saved).encode()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asked = started(*options, "--port", str(port), "--folder", "devnet")
    assert asked.exit_code == code
    assert asked.output.splitlines()[-1].startswith(f"assay: {message}")
    assert "simulating" not in asked.output
    assert not _listens(port)
    assert not (tmp_path / "devnet" / "control.json").exists()


def test_start__where_a_devnet_runs__is_refused(devnet):
    asked = started("--port", "0", "--folder", str(devnet.folder))
    assert asked.exit_code == 2
    assert "already: assay devnet down, or another --folder" in asked.output
    assert devnet.process.poll() is None


def test_ctrl_c__ends_node_and_devnet_and_takes_the_control_file_away(tmp_path, anvil_binary):
    with running(tmp_path, "--pace", "5d/s") as found:
        port = int(found.status()["rpc"].rpartition(":")[2])
        found.process.send_signal(signal.SIGINT)
        assert found.wait() == 130
    assert found.said.read_text().endswith("assay: the devnet has ended\n")
    assert not (found.folder / "control.json").exists()
    deadline = time.monotonic() + 5
    while _listens(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _listens(port)
    asked = assay("status", folder=found.folder)
    assert asked.exit_code == 4
    assert "no devnet runs in" in asked.output


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
