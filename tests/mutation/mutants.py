"""Breaks contracts and kernels one place at a time: some test must fail each time.

Usage: python tests/mutation/mutants.py [contracts|kernels] [--only NAME] [--mutant N] [--list]

Without a mutant the tests must pass, with one they must not. What survives is either a gap in
the tests or equivalent to the original; `equivalent.toml` names those, each with its reason.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import of_contracts
import of_kernels
from mutators import Mutant

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
KINDS: dict[str, Any] = {"contracts": of_contracts, "kernels": of_kernels}
PROCESSES = 2
TIMEOUT_SECONDS = 900
PASSED, FAILED, INTERRUPTED = 0, 1, 2
"""Exit codes of pytest: interrupted where a module cannot be imported; below zero if it crashes."""
PYTEST = (
    *(sys.executable, "-P", "-m", "pytest", "-x", "-q", "--hypothesis-profile=repeatable"),
    *("-p", "no:cacheprovider", "-p", "no:ape_test", "-p", "no:benchmark", "-p", "no:xdist"),
)


@dataclass(frozen=True)
class Job:
    """A mutant of a contract or product, `subject`; without one, the tests as they are."""

    kind: str
    subject: str
    mutant: Mutant | None
    artifact: Any = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job: whether a test failed, and which, or what pytest printed."""

    job: Job
    killed: bool
    seconds: float
    told: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", nargs="?", choices=KINDS, help="both by default")
    parser.add_argument("--only", metavar="NAME", help="one contract or product")
    parser.add_argument("--mutant", metavar="N", type=int, help="its N-th mutant alone")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    args = parser.parse_args()
    kinds = [args.kind] if args.kind else list(KINDS)
    subjects = [(kind, name) for kind in kinds for name in KINDS[kind].TESTS]
    subjects = [found for found in subjects if args.only in (None, found[1])]
    if not subjects:
        parser.error(f"there is no {args.only!r}")
    survived = 0
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(PROCESSES) as pool:
        drawn = pool.map(drawn_jobs, subjects, [scratch] * len(subjects))
        unbroken = [] if args.list else [Job(*subject, None) for subject in subjects]
        sound = pool.map(run, unbroken, [scratch] * len(unbroken))
        for (_, name), jobs in zip(subjects, drawn, strict=True):
            if args.list:
                print("\n".join(f"{n:3} {job.mutant}" for n, job in enumerate(jobs)))
            elif (first := next(sound)).killed:
                print(f"{name}: the tests fail without a mutant: {first.told}", flush=True)
                survived += 1
            else:
                chosen = jobs if args.mutant is None else [jobs[args.mutant]]
                survived += report(name, list(pool.map(run, chosen, [scratch] * len(chosen))))
    return 1 if survived else 0


def drawn_jobs(subject: tuple[str, str], scratch: str) -> list[Job]:
    """Return the jobs of one contract or product."""
    kind, name = subject
    drawn = KINDS[kind].draw(name, own_folder(scratch))
    return [Job(kind, name, mutant, artifact) for mutant, artifact in drawn]


def run(job: Job, scratch: str) -> Outcome:
    """Run the tests of a job's subject with its mutant in place."""
    kind = KINDS[job.kind]
    began = time.monotonic()
    with kind.in_place(job.subject, job.mutant, job.artifact, own_folder(scratch)) as variables:
        code, printed = pytest([*PYTEST, *kind.OPTIONS, *kind.TESTS[job.subject]], variables)
    if code is not None and code > INTERRUPTED:
        raise RuntimeError(f"{job.subject}: pytest ended with {code}\n{printed}")
    lines = [line for line in printed.splitlines() if line.startswith(("FAILED", "ERROR"))]
    told = "took too long" if code is None else "".join(lines[:1])
    return Outcome(job, code != PASSED, time.monotonic() - began, told)


def pytest(command: Sequence[str], variables: dict[str, str]) -> tuple[int | None, str]:
    """Return pytest's exit code and output; None where it took too long."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            printed, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None, ""
        return process.returncode, printed


def report(name: str, outcomes: Sequence[Outcome]) -> int:
    """Print what became of a subject's mutants; return how many survived without a reason."""
    left = [found for found in outcomes if not found.killed]
    gaps = [found for found in left if not is_equivalent(found.job)]
    seconds = sum(found.seconds for found in outcomes)
    killed, same = len(outcomes) - len(left), len(left) - len(gaps)
    print(f"{name}: {killed} of {len(outcomes)} killed, {same} equivalent, {seconds:.0f} s")
    for found in gaps:
        print(f"  {found.job.mutant} SURVIVED")
    sys.stdout.flush()
    return len(gaps)


def own_folder(scratch: str) -> Path:
    """Return a folder for this process alone."""
    folder = Path(scratch) / str(os.getpid())
    folder.mkdir(exist_ok=True)
    return folder


def is_equivalent(job: Job) -> bool:
    """Return whether a mutant stands among those that behave like the original."""
    mutant = job.mutant
    place = (mutant.file, mutant.function, mutant.line, mutant.mutant)
    return any((*place, subject) in equivalents() for subject in ("", job.subject))


@cache
def equivalents() -> dict[tuple[str, ...], str]:
    """Return the reason of each mutant that behaves like the original, by where it stands.

    The last part of a place is the contract in which alone it does; empty if in all.
    """
    entries = tomllib.loads(EQUIVALENT.read_text()).get("equivalent", [])
    keys = ("file", "function", "line", "mutant", "contract")
    return {tuple(entry.get(key, "") for key in keys): entry["reason"] for entry in entries}


if __name__ == "__main__":
    sys.exit(main())
