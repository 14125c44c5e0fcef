"""`assay serve`: which port, which folder, and what it says where something is missing."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from served import SCENARIO

from simulator.cli import main


@pytest.fixture
def served(monkeypatch, tmp_path):
    """Return what runs the command to where it would listen, and what it would listen on."""
    listened = []

    def run(server, sockets):
        listened.append((server.config.app, sockets[0].getsockname()))

    monkeypatch.setattr("uvicorn.Server.run", run)
    monkeypatch.chdir(tmp_path)

    def assay(*arguments, code=0):
        outcome = CliRunner().invoke(main, ["serve", *map(str, arguments)])
        assert outcome.exit_code == code, outcome.output
        return outcome

    def page(*arguments):
        return re.search(r"^http://.*$", assay(*arguments).output, re.M)[0]

    assay.listened, assay.page = listened, page
    return assay


def test_serve__on_a_free_port__says_its_address_with_a_token(served):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    first, second = (served.page("--port", port) for _ in range(2))
    assert re.fullmatch(rf"http://127\.0\.0\.1:{port}/[\w-]{{32}}/", first)
    assert first != second  # the token is another each time
    assert served.listened[0][1] == ("127.0.0.1", port)


def test_serve__on_a_taken_port__takes_the_next_and_says_so(served):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = served("--port", port)
    there = served.listened[0][1][1]
    assert port < there < port + 50
    assert f"port {port} is taken; this is on {there}\n" in outcome.output
    assert f"http://127.0.0.1:{there}/" in outcome.output


def test_serve__a_folder_without_runs__says_how_to_make_one(served, tmp_path):
    (tmp_path / "mine").mkdir()
    line = "mine holds no runs; assay run gold-vault-sober makes one, or start one on the page\n"
    assert line in served("mine").output
    assert "runs holds no runs" in served().output


def test_serve__a_runs_own_folder__opens_that_run(served, tiny):
    assert served.page(tiny).endswith("/run/tiny-run")


def test_serve__a_scenario__runs_it_and_opens_it(served, monkeypatch):
    started = []
    monkeypatch.setattr("simulator.serve.jobs.Jobs._begin", lambda self, *of: started.append(of))
    page = served.page("gold-vault-sober")
    ((name, arguments, asked),) = started
    assert page.endswith(f"/run/{name}")
    assert arguments == ["run", "gold-vault-sober", "--out", f"runs/{name}", "--paths", "10000"]
    assert asked == {"ready": "gold-vault-sober", "paths": 10_000, "quick": False}


def test_serve__what_is_neither__is_a_line(served):
    outcome = served("gold-vault-sobre", code=2)
    line = (
        "assay: there is no folder gold-vault-sobre, and no scenario gold-vault-sobre; "
        "did you mean gold-vault-sober?\n"
    )
    assert outcome.output == line
    assert served.listened == []


@pytest.mark.parametrize("path", ["nofolder", "no/folder/", "missing.yaml"])
def test_serve__a_mistyped_folder__says_that_it_is_not_there(served, path):
    outcome = served(path, code=2)
    assert outcome.output.startswith(f"assay: there is no folder {path}, and no scenario {path}; ")
    assert outcome.output.count("\n") == 1
    assert served.listened == []


@pytest.mark.parametrize(
    "number", [signal.SIGHUP, pytest.param(signal.SIGTERM, marks=pytest.mark.deep)]
)
def test_serve__ended_by_a_signal__interrupts_what_it_has_started(tmp_path, number):
    (tmp_path / "tiny.yaml").write_text(SCENARIO.replace("paths: 128", "paths: 400000"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [sys.executable, "-m", "simulator.cli", "serve", "tiny.yaml", "--port", port]
    server = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        page = server.stdout.readline()
        said = tmp_path / "runs" / ".serve" / page.strip().rpartition("/")[2] / "said.log"
        ends = time.monotonic() + 60
        while "simulating 400,000 paths" not in said.read_text():
            assert time.monotonic() < ends
            time.sleep(0.1)
        _, _, host, token, _ = page.split("/", 4)
        form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99"
        with socket.create_connection(("127.0.0.1", int(host.split(":")[1]))) as half:
            head = f"POST /{token}/start HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
            half.sendall(f"{head}{form}\r\n\r\nscena".encode())
    finally:
        server.send_signal(number)
        _, faults = server.communicate(timeout=30)
    assert "interrupted; the same command goes on where it stopped" in said.read_text()
    assert server.returncode == 0
    assert "Traceback" not in faults


WITHOUT = """
import sys
from simulator.cli.serving import serve
from simulator.errors import UsageError
for missing in ("python_multipart", "uvicorn", "starlette"):
    sys.modules[missing] = None
    try:
        serve("runs", 8765)
    except UsageError as error:
        print(error)
    del sys.modules[missing]
"""


def test_serve__without_a_part_of_the_extra__says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == 'assay serve needs more: pip install "assay-sim[serve]"\n' * 3
