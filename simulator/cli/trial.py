"""`assay try`: a contract of one's own on trial, step by step."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import click

from simulator.chain.codec import optional
from simulator.claims.verdict import as_object
from simulator.cli.progress import Reporter
from simulator.errors import TrialFailed, UsageError
from simulator.trial.faults import Fault
from simulator.trial.moves import Move
from simulator.trial.standards import Kind
from simulator.trial.whole import Outcome, Summons, summon, tried

_MOST_STEPS = 8
"""Steps of a fault that a terminal shows; the test has all."""
_MOST_SHOWN = 2
"""Faults that are shown with their steps; the others with a sentence."""


def trial(
    contract: str,
    kind: Kind | None,
    scenario: str,
    adapter: str | None,
    arguments: tuple[str, ...],
    years: int,
    seed: int,
    rpc: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Do what `assay try` is asked for, as its own module in `commands` says."""
    optional("pyrevm")
    if out is not None:
        _check_folder(out)
    reporter = Reporter(quiet=as_json)
    summons = summon(contract, kind, adapter, _given(arguments), rpc)
    outcome = tried(summons, scenario, years, seed, reporter.task)
    tests = _written(summons, outcome, out)
    if as_json:
        click.echo(json.dumps(_object(summons, outcome, tests, seed)))
    else:
        _print(summons, outcome, tests, seed)
    odd = [step.name for step in outcome.steps if not step.is_ok]
    if odd:
        name, count = summons.case.subject.name, len(outcome.faults)
        rules = f"{count} rule{'' if count == 1 else 's'} broken" if count else ", ".join(odd)
        raise TrialFailed(f"{name} does not come through: {rules}")


def _given(arguments: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in arguments:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise UsageError(f"--arg {text}: must be NAME=VALUE, as in --arg fee_bps_=1_000")
        found[name] = value
    return found


def _check_folder(out: Path) -> None:
    """Refuse a folder that could not be written once the trial has ended; none is made for it."""
    there = next(one for one in (out, *out.absolute().parents) if os.path.exists(one))
    if not there.is_dir():
        raise UsageError(f"--out {out}: {there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"--out {out}: {there} cannot be written to")


def _written(summons: Summons, outcome: Outcome, out: Path | None) -> dict[str, Path]:
    """Write each fault that calls can tell as a test; return the files by rule."""
    told = [fault for fault in outcome.faults if fault.is_told]
    if not told or summons.case.node is not None:
        return {}
    from simulator.trial.export import write_fault

    name = re.sub(r"\W", "_", summons.case.subject.name)
    folder = out or Path("runs") / f"try-{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}") from None
    files = {}
    for fault in told:
        files[fault.rule] = folder / f"test_{name}_{fault.rule.replace('-', '_')}.py"
        write_fault(files[fault.rule], summons.case, fault)
    return files


def _print(summons: Summons, outcome: Outcome, tests: dict[str, Path], seed: int) -> None:
    subject = summons.case.subject.name
    how = "" if summons.kind == "token" else f", adapter {summons.adapter}"
    kind = "staking contract" if summons.kind == "staking" else summons.kind
    click.echo(f"{subject} as a {kind}{how}, seed {seed}")
    for step in outcome.steps:
        click.echo(f"  {step.name:<10} {'ok   ' if step.is_ok else 'FAULT'}  {step.said}")
    for number, fault in enumerate(outcome.faults):
        click.echo(f"\n{subject} {fault.name} ({fault.where}):")
        click.echo(f"  {fault.said}.")
        if number < _MOST_SHOWN:
            for line in _steps(fault, outcome.unit):
                click.echo(f"    {line}")
        if fault.rule in tests:
            click.echo(f"  as a test: pytest {tests[fault.rule]}")
    if outcome.verdicts:
        click.echo(f"\nclaims, with {subject} in place of {outcome.position}")
    for verdict in outcome.verdicts:
        click.echo(f"  {verdict.claim}: {verdict.words}{_figures(verdict)}")


def _figures(verdict: Any) -> str:
    if verdict.scale != "share":
        return ""
    return (
        f"; {verdict.quantity} {100 * verdict.median:.1f} % "
        f"({100 * verdict.p05:.1f} to {100 * verdict.p95:.1f} %), "
        f"drawdown {100 * verdict.max_drawdown_median:.1f} %"
    )


def _steps(fault: Fault, unit: int) -> list[str]:
    """Return a fault's steps as people say them, the same ones in a row as one."""
    lines: list[tuple[str, int]] = []
    for step in fault.steps:
        text = step.words(unit) if isinstance(step, Move) else step.label
        if lines and lines[-1][0] == text:
            lines[-1] = (text, lines[-1][1] + 1)
        else:
            lines.append((text, 1))
    told = [text if count == 1 else f"{text}, {count} times" for text, count in lines]
    if len(told) > _MOST_STEPS:
        left = len(told) - _MOST_STEPS + 1
        told = [*told[: _MOST_STEPS - 2], f"… {left} more", told[-1]]
    return told


def _object(
    summons: Summons, outcome: Outcome, tests: dict[str, Path], seed: int
) -> dict[str, Any]:
    return {
        "contract": summons.case.subject.name,
        "kind": summons.kind,
        "adapter": summons.adapter,
        "seed": seed,
        "steps": [
            {"name": step.name, "ok": step.is_ok, "said": step.said} for step in outcome.steps
        ],
        "faults": [
            {
                "rule": fault.rule,
                "name": fault.name,
                "said": fault.said,
                "found_in": fault.where,
                "steps": [
                    step.words(outcome.unit) if isinstance(step, Move) else step.label
                    for step in fault.steps
                ],
                "test": str(tests[fault.rule]) if fault.rule in tests else None,
            }
            for fault in outcome.faults
        ],
        "position": outcome.position,
        "verdicts": [as_object(verdict) for verdict in outcome.verdicts],
    }
