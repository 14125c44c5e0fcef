"""Tasks on Dask's workers: the same bytes, whoever dies, and refusals in one line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import worlds

from simulator.cli import simulating
from simulator.cli.progress import Reporter
from simulator.engine.folder import RunFolder

pytest.importorskip("distributed")

SCRIPT = '''
import hashlib, json, os, signal, sys, threading, time
sys.path[:0] = {path!r}
from pathlib import Path
import questions, test_chunks, worlds
from simulator.engine import chunks, cluster as remote
from simulator.engine.cluster import Cluster, open_cluster
from simulator.engine.parameter_sets import run_sets
from simulator.engine.sensitivity import sensitivity
from simulator.errors import ClusterUnavailable

chunks.CHUNK_PATHS = 384
place = Path({place!r})


def digest(folder):
    files = test_chunks.files_of(place / folder)
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()


def kill_one(client):
    """End a worker as soon as there is a first chunk."""
    pids = list(client.run(os.getpid).values())
    first = place / "killed" / "progress" / "000000000.parquet"
    while not first.exists():
        time.sleep(0.002)
    os.kill(pids[0], signal.SIGKILL)


found = {{}}
many = "paths=6000"
test_chunks.filled(place / "home", many, workers=2)
loaded = worlds.load(*test_chunks.SMALL, "paths=128")
home = run_sets(loaded.scenario, loaded.calibration, 4)
asked = questions.token(place, drift=0.05, paths=128)
hangs = sensitivity(asked.scenario, asked.calibration, "rises")
with open_cluster("local:2") as cluster:
    test_chunks.filled(place / "cluster", many, cluster=cluster)
    found["sets"] = run_sets(loaded.scenario, loaded.calibration, 4).equals(home)
    on_workers = sensitivity(asked.scenario, asked.calibration, "rises")
    found["sensitivity"] = on_workers == hangs and len(hangs.effects) > 3
    Cluster.shares, shares = (lambda self, folder: False), Cluster.shares
    test_chunks.filled(place / "bytes", many, cluster=cluster)
    Cluster.shares = shares
    killer = threading.Thread(target=kill_one, args=(cluster.client,))
    killer.start()
    test_chunks.filled(place / "killed", many, cluster=cluster)
    killer.join()
    remote.versions, versions = (lambda names: dict.fromkeys(names, "0.1")), remote.versions
    try:
        remote._check(cluster.client, "local:2")
    except ClusterUnavailable as error:
        found["refused"] = str(error)
found["digests"] = [digest(name) for name in ("home", "cluster", "bytes", "killed")]
print(json.dumps(found))
'''


def test_cluster__two_workers_one_killed_or_without_a_shared_folder__the_same_bytes(tmp_path):
    code = SCRIPT.format(path=[str(Path(__file__).parent), *sys.path], place=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(set(found["digests"])) == 1
    assert found["sets"]
    assert found["sensitivity"]
    assert "has assay-sim " in found["refused"]
    assert ", here it is 0.1" in found["refused"]


def test_run__with_a_cluster__gives_the_missing_chunks_to_it(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(simulating, "fill", lambda *a, cluster, **options: given.append(cluster))
    loaded = worlds.load("paths=128", "horizon_days=30")
    folder = RunFolder.claim(loaded, tmp_path)
    simulating.simulate_into(folder, loaded, 1, Reporter(quiet=True), "the cluster")
    folder.release()
    assert given == ["the cluster"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://127.0.0.1:1", "nobody answers there; start `dask scheduler`"),
        ("local:none", "must be local:N or tcp://HOST:PORT"),
    ],
)
def test_cluster__that_is_not_there__is_one_line_and_exit_4(tmp_path, address, said):
    done = subprocess.run(
        [sys.executable, "-m", "simulator.cli", "run", "gold-vault-sober", "--paths", "128",
         "--no-replay", "--cluster", address],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 4
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
