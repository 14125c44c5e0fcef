"""Tasks on other computers, or in other processes of this one: Dask behind `Executor`.

At home the same tasks go to threads. A chunk is the same bytes wherever it is made, so it does
not matter which worker takes which, in what order, or how often one of them dies.
"""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from simulator.engine.blocks import Elsewhere, Span, worlds_go_to
from simulator.engine.chunks import run_chunk
from simulator.engine.folder import versions
from simulator.errors import ClusterUnavailable
from simulator.market.dynamics import MarketSpec
from simulator.scenario.models import Scenario
from simulator.units import LANES

SECONDS_TO_CONNECT = 10
RETRIES = 3
"""A task whose worker dies is given to another so often."""
ALIKE = ("assay-sim", "numba", "numpy", "pyarrow")
"""Packages of which a worker must have the same version: others may give other bytes."""


@dataclass(frozen=True)
class Cluster:
    """Workers that are reached, and have the same versions.

    Attributes
    ----------
    executor : Executor
        Takes tasks as a pool of threads does.
    workers : int
        How many tasks are done at a time.
    """

    client: Any
    executor: Executor
    workers: int

    def send_once(self, value: Any) -> Any:
        """Return what stands for a value that every worker gets once."""
        return self.client.scatter(value, broadcast=True)

    def shares(self, folder: Path) -> bool:
        """Return whether every worker reads what is written to a folder here."""
        word = secrets.token_hex(8)
        probe = folder / f".probe-{word}.tmp"
        probe.write_text(word, encoding="ascii")
        try:
            read = self.client.run(_read, str(probe.resolve()))
        finally:
            probe.unlink(missing_ok=True)
        return set(read.values()) == {word}

    def compile_once(self, scenario: Scenario, spec: MarketSpec) -> None:
        """Let one worker of each computer compile, before others read what it has kept.

        Several processes that write one cache of compiled code at a time spoil it.
        """
        first: dict[str, str] = {}
        for address, host in self.client.run(_host).items():
            first.setdefault(host, address)
        self.client.run(_compile, scenario, spec, workers=list(first.values()))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def _host() -> str:
    return socket.gethostname()


def _versions() -> dict[str, str]:
    return versions(ALIKE)


def _compile(scenario: Scenario, spec: MarketSpec) -> None:
    run_chunk(scenario, spec, Span(0, LANES))


@contextmanager
def open_cluster(address: str, say: Callable[[str], None] = lambda text: None) -> Iterator[Cluster]:
    """Reach the workers of a scheduler, as `tcp://host:8786`, or start some, as `local:2`.

    Raises
    ------
    ClusterUnavailable
        Dask is not installed; nobody answers; there is no worker, or one has other versions.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        remedy = 'pip install "assay-sim[cluster]"'
        raise ClusterUnavailable(f"--cluster needs Dask: {remedy}") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    kind, _, count = address.partition(":")
    local = None
    if kind == "local":
        if not count.isdecimal() or int(count) < 1:
            raise ClusterUnavailable(f"--cluster {address}: must be local:N or tcp://HOST:PORT")
        local = distributed.LocalCluster(
            n_workers=int(count),
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
    try:
        client = _connected(distributed.Client, address if local is None else local)
        try:
            _check(client, address)
            threads = client.nthreads()
            pool = client.get_executor(pure=False, retries=RETRIES)
            say(f"{len(threads)} workers, {sum(threads.values())} tasks at a time")
            cluster = Cluster(client, pool, sum(threads.values()))
            with worlds_go_to(Elsewhere(pool, cluster.workers)):
                yield cluster
        finally:
            client.close()
    finally:
        if local is not None:
            local.close()


def _connected(client: Any, where: Any) -> Any:
    try:
        return client(where, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError):
        words = "nobody answers there; start `dask scheduler` and a `dask worker` for it"
        raise ClusterUnavailable(f"--cluster {where}: {words}") from None


def _check(client: Any, address: str) -> None:
    """Refuse a cluster without workers, and a worker whose versions are others."""
    found = client.run(_versions)
    if not found:
        raise ClusterUnavailable(f"--cluster {address}: has no worker; start a `dask worker`")
    ours = versions(ALIKE)
    for worker, theirs in found.items():
        for name, version in theirs.items():
            if version != ours[name]:
                where = f"worker {worker} has {name} {version}, here it is {ours[name]}"
                raise ClusterUnavailable(f"--cluster {address}: {where}")
