"""`assay serve`: finds a port and a token, and runs the server until Ctrl-C."""

from __future__ import annotations

import secrets
import signal
import socket
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path

import click

from simulator.cli.signals import ending_well
from simulator.engine.sources import is_run
from simulator.errors import UsageError
from simulator.scenario.files import find_scenario
from simulator.shelf import none_in, runs_in

_HOST = "127.0.0.1"
_RUNS = Path("runs")
_TRIED = 50


def serve(source: str, port: int) -> None:
    """Do what `assay serve` is asked for, as its own module in `commands` says."""
    try:
        import uvicorn

        import_module("python_multipart")  # the first form that is posted asks for it
        from simulator.serve.app import application
        from simulator.serve.jobs import Jobs
        from simulator.serve.runs import Runs
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("simulator"):
            raise
        raise UsageError('assay serve needs more: pip install "assay-sim[serve]"') from None
    folder, opened, started = _asked(source)
    with closing(Jobs(folder)) as jobs, suppress(KeyboardInterrupt), ending_well():
        if started:
            opened = jobs.start(started)
        taken = _listen(port)
        there = taken.getsockname()[1]
        if there != port:
            click.echo(f"port {port} is taken; this is on {there}", err=True)
        if not runs_in(folder) and not started:
            click.echo(f"{none_in(folder)}, or start one on the page", err=True)
        token = secrets.token_urlsafe(24)
        page = f"run/{opened}" if opened else ""
        click.echo(f"http://{_HOST}:{there}/{token}/{page}")
        words = "open it in a browser here; Ctrl-C ends it, and interrupts what it runs"
        click.echo(words, err=True)
        app = application(Runs(folder), jobs, token, there)
        config = uvicorn.Config(
            app, log_level="error", access_log=False, ws="none", timeout_graceful_shutdown=3
        )
        server = uvicorn.Server(config)
        if hasattr(signal, "SIGHUP"):  # of the signals that end it, uvicorn knows the others
            signal.signal(signal.SIGHUP, server.handle_exit)
        with taken:
            server.run([taken])


def _asked(source: str) -> tuple[Path, str, str]:
    """Return the folder of runs, the run that is opened first, and the scenario to be run."""
    place = Path(source)
    if is_run(source):
        return place.parent, place.resolve().name, ""
    if place.is_dir() or place == _RUNS:
        return place, "", ""
    try:
        find_scenario(source)
    except UsageError as error:
        raise UsageError(f"there is no folder {source}, and {error}") from None
    return _RUNS, "", source


def _listen(port: int) -> socket.socket:
    """Return a socket that listens on the first free port from `port` on."""
    for one in range(port, min(port + _TRIED, 65_536)):
        with suppress(OSError):
            return socket.create_server((_HOST, one))
    raise UsageError(f"ports {port} to {min(port + _TRIED, 65_536) - 1} are taken; name another")
