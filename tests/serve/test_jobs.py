"""Runs started here: watched, cancelled with their chunks kept, resumed, never twice."""

from __future__ import annotations

import json
import os
import time

import pytest
from served import HERE, SCENARIO, at, serving

from simulator.engine.folder import default_path
from simulator.engine.lock import FolderLock
from simulator.scenario import load_scenario

OWN = {"origin": HERE}
LONG = {"paths": "400000", "quick": "on"}
"""Takes far longer than any of these tests; a chunk of 8,192 paths about a second."""


def start(client, **fields):
    """Start the tiny scenario and return the address of its page."""
    answer = client.post(
        at("start"), headers=OWN, files={"file": ("own.yaml", SCENARIO)}, data=fields,
        follow_redirects=False,
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def wait(until, seconds=90):
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_run__started_cancelled_and_resumed__goes_on_with_its_chunks(tmp_path):
    folder = tmp_path / "runs"
    with serving(folder) as client:
        page = start(client, **LONG)
        name = page.rpartition("/")[2]
        paths = folder / name / "paths" / "series"
        wait(lambda: any(paths.glob("0*.parquet")))
        told = client.get(page).text
        assert "At work." in told
        assert "simulating 400,000 paths over 30 days" in told
        assert "of 49 parts of the paths are written" in told
        again = client.post(at("start"), headers=OWN, data=LONG,
                            files={"file": ("own.yaml", SCENARIO)})  # fmt: skip
        assert again.status_code == 409
        assert f"run {name} is at work already" in again.text
        process = client.jobs._running[name]
        client.post(f"{page}/cancel", headers=OWN)
        wait(lambda: not client.jobs.is_running(name))
        assert process.returncode == 130
        kept = {file: file.stat().st_mtime_ns for file in paths.glob("0*.parquet")}
        told = client.get(page).text
        assert "Cancelled. What it has simulated stays" in told
        assert "interrupted; the same command goes on where it stopped" in told
        assert f"assay run {folder}/.serve/{name}/scenario.yaml --out {folder}/{name}" in told
        client.post(f"{page}/resume", headers=OWN)
        wait(lambda: "paths are there; going on with these" in client.get(page).text)
        second = client.jobs._running[name]
        assert second.pid != process.pid
    # the server's end interrupts what it has started
    assert second.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.killpg(second.pid, 0)
    assert all(file.stat().st_mtime_ns == then for file, then in kept.items())
    with serving(folder) as client:  # another server finds the command again
        told = client.get(page).text
        assert "Not finished, and nobody here is at work on it." in told
        assert "Resume" in told


def test_run__that_another_process_is_at__is_refused(tmp_path):
    folder = tmp_path / "runs"
    with serving(folder) as client:
        page = start(client, **LONG)
        name = page.rpartition("/")[2]
        client.jobs.close()
        (folder / name).mkdir(exist_ok=True)
        lock = FolderLock(folder / name)
        lock.take()
        answer = client.post(f"{page}/resume", headers=OWN)
        lock.release()
    assert answer.status_code == 409
    assert "another assay is at work in" in answer.text


@pytest.mark.parametrize(
    ("had", "asked", "begins"),
    [
        ({"parameter_sets": 50}, {}, False),
        ({"parameter_sets": 50}, {"quick": "on"}, False),  # it would throw the sets away
        ({"parameter_sets": 0}, {"quick": "on"}, False),
        ({"parameter_sets": 0}, {}, True),
    ],
)
def test_start__of_a_finished_run__computes_only_what_it_lacks(
    tmp_path, monkeypatch, had, asked, begins
):
    name = default_path(load_scenario("gold-loop", overrides=["paths=128"])).name
    place = tmp_path / name
    place.mkdir()
    (place / "scenario.yaml").write_text("name: gold-loop\n")
    (place / "manifest.json").write_text(json.dumps({"run_hash": "x", "options": had}))
    begun = []
    monkeypatch.setattr("subprocess.Popen", lambda command, **more: begun.append(command))
    with serving(tmp_path) as client:
        answer = client.post(
            at("start"), headers=OWN, data={"scenario": "gold-loop", "paths": "128", **asked},
            follow_redirects=False,
        )  # fmt: skip
        client.jobs._running.clear()
    assert answer.headers["location"] == at(f"run/{name}")
    assert bool(begun) is begins


def test_cancel__of_what_is_not_at_work__is_a_line(client):
    answer = client.post(at("run/tiny-run/cancel"), headers=OWN)
    assert answer.status_code == 404
    assert "run tiny-run is not at work here" in answer.text
