"""`assay serve`: which port, which folder, and what it says where something is missing."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

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
    ((name, arguments),) = started
    assert page.endswith(f"/run/{name}")
    assert arguments == ["run", "gold-vault-sober", "--out", f"runs/{name}", "--paths", "10000"]


def test_serve__what_is_neither__is_a_line(served):
    outcome = served("gold-vault-sobre", code=2)
    line = "assay: no scenario gold-vault-sobre; did you mean gold-vault-sober?\n"
    assert outcome.output == line
    assert served.listened == []


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
