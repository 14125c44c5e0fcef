"""Every path of a run through the bytecode: the same whatever the number of processes."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ks_2samp

from simulator.chain import RevmChain
from simulator.errors import ChainUnavailable, TransactionReverted
from simulator.market.build import market_spec
from simulator.replay import EveryPath, every, every_object, play_every
from simulator.replay.pace import Pace, Spent, pace_of
from simulator.replay.reconcile import ObservableResult
from simulator.replay.together import Outcome, distance, together
from simulator.scenario import LoadedScenario, load_scenario

SMALL = ("horizon_days=30", "paths=18")
"""Three tasks: eight paths twice, and two."""


@pytest.fixture(scope="module")
def loaded() -> LoadedScenario:
    return load_scenario("gold-vault-sober", overrides=SMALL)


@pytest.fixture(scope="module")
def alone(loaded: LoadedScenario) -> EveryPath:
    return played(loaded, workers=1)


def played(loaded: LoadedScenario, workers: int) -> EveryPath:
    spec = market_spec(loaded.scenario, loaded.calibration)
    return play_every(loaded.scenario, spec, workers)


def result(name: str, error: float, tolerance: float, step: int = 3) -> ObservableResult:
    return ObservableResult("vault", name, error, tolerance, step, error <= tolerance)


def outcome(path: int, model: float, contracts: float, tolerance: float = 1e-6) -> Outcome:
    error = abs(contracts - model)
    return Outcome(
        path,
        transactions=10,
        gas=100,
        decisions=1_000,
        observables=(result("assets", error, tolerance),),
        final=np.array([[model], [contracts], [tolerance]]),
    )


def test_every_path__agrees__and_counts_its_years(alone):
    assert alone.faults == ()
    assert alone.paths == alone.played == 18
    assert alone.years == pytest.approx(18 * 30 / 365)
    assert max(row.share for row in alone.observables) < 1.0
    assert all(row.distance == 0.0 for row in alone.observables)


def test_every_path__in_two_processes__is_the_same(loaded, alone):
    assert played(loaded, workers=2) == alone


def test_pace__of_real_paths__is_what_was_asked_and_no_more_than_there_was(loaded):
    spec = market_spec(loaded.scenario, loaded.calibration)
    told: list[Pace] = []
    found = play_every(loaded.scenario, spec, 1, paced=told.append)
    (pace,) = told
    assert (pace.gas, pace.transactions) == (found.gas, found.transactions)
    # one view at the end of each of 31 days, of all that is compared, and a few of players' own
    assert 18 * 31 <= pace.views < 2 * pace.transactions
    assert pace.reads >= 18 * 31 * len(found.observables)
    assert 0.0 < pace.evm_share < 1.0
    assert pace.processor_seconds > pace.alone_seconds


def test_player__path_played__keeps_no_state_of_it(loaded, monkeypatch):
    made: list[RevmChain] = []

    class Kept(RevmChain):
        """Is remembered, as by players that know each other."""

        def __init__(self, start: int) -> None:
            super().__init__(start)
            made.append(self)

    monkeypatch.setattr(every, "RevmChain", Kept)
    player = every._Player(loaded.scenario, market_spec(loaded.scenario, loaded.calibration))
    assert all(not outcome.failure for outcome in player.play((0, 2)))
    # tens of megabytes each
    assert [chain._evm for chain in made] == [None, None]


def test_pace__by_hand():
    # Two paths of 100 gas: the first takes 2 s alone, so a core does 50 gas a second and all the
    # paths at least 4 s; two processes that take 5 s take 10 / 4 of it, and 6 of 10 s in the EVM.
    spent = (Spent(4.0, 3.5, 1, 30, alone=2.0), Spent(2.0, 2.5, 3, 50))
    paths = [replace(outcome(n, 5.0, 5.0), spent=one) for n, one in enumerate(spent)]
    pace = pace_of(paths, processes=2, seconds=5.0)
    assert (pace.gas_a_second, pace.alone_seconds) == (50.0, 4.0)
    assert (pace.times_the_least, pace.evm_share) == (2.5, 0.6)
    assert pace.sentence() == (
        "5.0 s in 2 processes, 60% of it within the EVM, which does 0 M gas/s alone on a core: "
        "2.50 times the least on the wall, 1.50 times of the processors; "
        "0.20 views a transaction, with 4.0 answers"
    )


def test_every_path__plain_and_back__is_the_same(alone):
    assert EveryPath.from_object(every_object(alone)) == alone


def test_every_path__one_fails__is_named_and_the_others_end(loaded, monkeypatch):
    class Refusing(RevmChain):
        """Refuses what a path's fifth day does, on the third path."""

        made = 0

        def __init__(self, start: int) -> None:
            super().__init__(start)
            Refusing.made += 1
            self.at = start + 5 * 86_400 if Refusing.made == 3 else -1

        def block(self, timestamp, calls):
            if timestamp == self.at:
                raise TransactionReverted(calls[0].label, "refused")
            return super().block(timestamp, calls)

    spec = market_spec(loaded.scenario, loaded.calibration)
    player = every._Player(loaded.scenario, spec)
    monkeypatch.setattr(every, "RevmChain", Refusing)
    found = together(player.play((0, 6)), 30)
    assert (found.paths, found.played, found.ok) == (6, 5, False)
    (fault,) = found.faults
    assert fault.startswith("path 2: step 5: ")
    assert fault.endswith("reverted: refused")


def test_together__error_beyond_its_tolerance__is_named_with_path_step_and_observable():
    found = together([outcome(0, 5.0, 5.0), outcome(1, 6.0, 6.5)], 365)
    assert found.faults == ("path 1: step 3: vault.assets is out by 0.5 (tolerance 1e-06)",)
    assert found.observables[0].path == 1
    assert found.observables[0].share == pytest.approx(0.5 / 1e-6)
    # One of two final values moved past all others: half the probability.
    assert found.observables[0].distance == 0.5
    assert "not proven" in found.sentence()


def test_together__error_where_nothing_is_rounded__is_infinite_and_survives_json():
    found = together([outcome(0, 5.0, 5.5, tolerance=0.0)], 365)
    assert math.isinf(found.observables[0].share)
    assert every_object(found)["observables"][0]["share"] is None
    assert EveryPath.from_object(every_object(found)) == found


def test_together__too_many_decisions_in_the_band__fails():
    # One in a thousand is allowed: 1,000 decisions and one of them, then two.
    few = [replace(outcome(0, 5.0, 5.0), in_band=1)]
    assert together(few, 365).ok
    many = [replace(outcome(0, 5.0, 5.0), in_band=2)]
    assert together(many, 365).faults == ("2 of 1,000 decisions are in the dead-band",)


def test_together__model_without_a_number_at_the_end__has_no_distribution():
    found = together([outcome(0, math.nan, 5.0)], 365)
    assert found.observables[0].model == ()
    assert found.observables[0].distance == 0.0


def test_sentence__says_how_many_years():
    # 1,000 paths of 365 days.
    outcomes = [outcome(path, 5.0, 5.0) for path in range(1_000)]
    words = "The model is proven on 1,000 years, not on four."
    assert together(outcomes, 365).sentence() == words


def test_distance__of_two_samples__is_scipys():
    random = np.random.default_rng(7)
    one, other = random.normal(size=200), random.normal(0.3, 1.2, size=150)
    assert distance(one, other) == pytest.approx(ks_2samp(one, other).statistic, abs=1e-15)


def test_play_every__without_pyrevm__says_what_to_install(loaded, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrevm", None)
    with pytest.raises(ChainUnavailable, match=r"pyrevm is not installed; pip install"):
        played(loaded, workers=2)


INTERRUPTED = """
from simulator.market.build import market_spec
from simulator.replay import play_every
from simulator.scenario import load_scenario

if __name__ == "__main__":
    loaded = load_scenario("gold-vault-sober", overrides=["paths=512", "horizon_days=60"])
    spec = market_spec(loaded.scenario, loaded.calibration)
    play_every(loaded.scenario, spec, 2, lambda paths: print(paths, flush=True))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_play_every__interrupted__leaves_no_process(tmp_path: Path):
    script = tmp_path / "play.py"
    script.write_text(INTERRUPTED, encoding="utf-8")
    path = os.pathsep.join(filter(None, sys.path))
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )
    with parent:
        parent.stdout.readline()  # a task is done: both processes are at work
        workers = children(parent.pid)
        assert len(workers) >= 2
        parent.send_signal(signal.SIGINT)
        parent.wait(30)
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
