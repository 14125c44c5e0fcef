"""Where requests may go: only to a development chain on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from handmade import COUNTER, poke

from simulator.chain import AnvilChain, find_anvil
from simulator.chain.node import command_line
from simulator.errors import ChainUnavailable, ForbiddenEndpoint

START = 1_735_689_600
HARMLESS = {"eth_chainId", "web3_clientVersion", "anvil_nodeInfo", "eth_getBlockByNumber"}


class Recorder:
    """A loopback server that answers as it is told and remembers what it was asked."""

    def __init__(self, answers: dict[str, object], redirect: str | None = None) -> None:
        self.answers = answers
        self.methods: list[str] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                requests = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                recorder.methods += [request["method"] for request in requests]
                self.send_response(307 if redirect else 200)
                if redirect:
                    self.send_header("Location", redirect)
                self.end_headers()
                self.wfile.write(json.dumps([recorder.answer(r) for r in requests]).encode())

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: dict) -> dict:
        result = self.answers.get(request["method"])
        return {"jsonrpc": "2.0", "id": request["id"], "result": result}


@contextmanager
def recording(answers: dict[str, object], redirect: str | None = None) -> Iterator[Recorder]:
    recorder = Recorder(answers, redirect)
    thread = threading.Thread(target=recorder.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield recorder
    finally:
        recorder.server.shutdown()
        recorder.server.server_close()
        thread.join()


def anvil_or_skip() -> str:
    try:
        return str(find_anvil())
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@contextmanager
def running_anvil(*options: str) -> Iterator[str]:
    """Run an Anvil on a free port, as a user would; yield its URL."""
    binary = anvil_or_skip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [binary, "--quiet", "--port", str(port), *options], stdout=subprocess.DEVNULL
    )
    try:
        await_port(port)
        yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.wait()


def await_port(port: int, host: str = "127.0.0.1") -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:8545",
        "http://0.0.0.0:8545",
        "http://192.0.2.7",
        "http://[2001:db8::1]:8545",
        "http://rpc.example.org",
        "http://localhost.example.org:8545",
        "http://127.0.0.1@rpc.example.org:8545",
        "http://rpc.example.org\\@127.0.0.1:8545",
        "http://2130706433:8545",
        "https://127.0.0.1:8545",
        "ws://127.0.0.1:8545",
        "http://127.0.0.1:port",
        "http://[::1",
        "127.0.0.1:8545",
        "",
    ],
)
def test_attach__not_plain_http_to_this_machine__sends_nothing(url, monkeypatch):
    def fail(*_: object) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ForbiddenEndpoint):
        AnvilChain(START, rpc=url)


@pytest.mark.parametrize(
    ("chain_id", "version", "message"),
    [
        ("0x1", "anvil/v1.7.1", "has chain id 0x1; must be 31337"),
        (None, "anvil/v1.7.1", "has chain id None; must be 31337"),
        ("0x7a69", "Geth/v1.14.0-stable", "is Geth/v1.14.0-stable; must be Anvil"),
        ("0x7a69", None, "is None; must be Anvil"),
    ],
)
def test_attach__not_a_development_chain__is_asked_nothing_else(chain_id, version, message):
    answers = {"eth_chainId": chain_id, "web3_clientVersion": version}
    with recording(answers) as recorder, pytest.raises(ForbiddenEndpoint, match=message):
        AnvilChain(START, rpc=recorder.url)
    assert recorder.methods == ["eth_chainId", "web3_clientVersion"]


def test_attach__past_the_start__changes_nothing_and_prints_the_command():
    answers = {
        "eth_chainId": "0x7a69",
        "web3_clientVersion": "anvil/v1.7.1",
        "anvil_nodeInfo": {"hardFork": "Cancun"},
        "eth_getBlockByNumber": {"timestamp": hex(START)},
    }
    with recording(answers) as recorder, pytest.raises(ChainUnavailable) as caught:
        AnvilChain(START, rpc=recorder.url)
    assert set(recorder.methods) == HARMLESS
    assert f"stands at {START}, too late for a start at {START}; " in str(caught.value)
    assert "anvil --hardfork cancun --chain-id 31337 --base-fee 0" in str(caught.value)
    assert f"--timestamp {START - 86_400}" in str(caught.value)


def test_attach__other_hardfork__is_refused():
    options = ("--hardfork", "shanghai", "--timestamp", str(START - 86_400))
    message = "hardfork Shanghai; must be cancun"
    with running_anvil(*options) as url, pytest.raises(ChainUnavailable, match=message):
        AnvilChain(START, rpc=url)


def test_attach__redirect__is_not_followed():
    with recording({"eth_chainId": "0x7a69"}) as elsewhere:
        redirecting = recording({}, redirect=elsewhere.url)
        with redirecting as recorder, pytest.raises(ChainUnavailable):
            AnvilChain(START, rpc=recorder.url)
    assert elsewhere.methods == []


def test_attach__proxy_in_the_environment__is_not_used(monkeypatch):
    with recording({}) as proxy, recording({"eth_chainId": "0x1"}) as recorder:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("all_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        with pytest.raises(ForbiddenEndpoint, match="chain id 0x1"):
            AnvilChain(START, rpc=recorder.url)
    assert proxy.methods == []


def test_attach__nobody_listens__says_so():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(
        ChainUnavailable, match="nothing listens there; start one: anvil --hardfork"
    ):
        AnvilChain(START, rpc=url)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_attach__nobody_listens__the_printed_command_starts_just_that_node(host, roles):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as free:
        try:
            free.bind((host, 0))
        except OSError as error:
            pytest.skip(f"no {host} on this machine: {error}")
        port = free.getsockname()[1]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    with pytest.raises(ChainUnavailable, match="start one: ") as caught:
        AnvilChain(START, rpc=url)
    program, *options = str(caught.value).partition("start one: ")[2].split()
    assert program == "anvil"
    process = subprocess.Popen([anvil_or_skip(), *options], stdout=subprocess.DEVNULL)
    try:
        await_port(port, host)
        with AnvilChain(START, rpc=url) as chain:
            assert (
                len(chain.block(START, [poke(chain.deploy(COUNTER, [], roles.owner), roles.owner)]))
                == 1
            )
    finally:
        process.kill()
        process.wait()


def test_attach__node_that_mines_by_the_clock__is_told_to_stop(roles):
    options = ("--hardfork", "cancun", "--timestamp", str(START - 86_400), "--block-time", "1")
    with running_anvil(*options) as url, AnvilChain(START, rpc=url) as chain:
        counter = chain.deploy(COUNTER, [], roles.owner)
        time.sleep(1.5)  # a block would have been mined by now
        receipts = chain.block(START, [poke(counter, roles.owner)] * 5)
        assert {receipt.block for receipt in receipts} == {receipts[0].block}
        height = int(chain._request("eth_blockNumber"), 16)
        time.sleep(1.5)
        assert int(chain._request("eth_blockNumber"), 16) == height == receipts[0].block


@pytest.mark.parametrize("options", ["printed", "plain"])
def test_attach__fitting_node__plays_and_stays(options, roles):
    plain = ["--hardfork", "cancun", "--timestamp", str(START - 86_400)]
    with running_anvil(*(plain if options == "plain" else command_line(START))) as url:
        with AnvilChain(START, rpc=url) as chain:
            counter = chain.deploy(COUNTER, [], roles.owner)
            kept = chain.snapshot()
            chain.block(START, [poke(counter, who) for who in chain.accounts])
            chain.revert(kept)
            receipts = chain.block(START, [poke(counter, who) for who in chain.accounts * 2])
            assert len(receipts) == 64
            assert chain.node is None
        with pytest.raises(ChainUnavailable, match="too late for a start"):
            AnvilChain(START, rpc=url)
