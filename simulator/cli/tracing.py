"""Shows what the calls of a step did: one that was asked for, and one that fails by itself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import click

from simulator.cli.progress import Reporter
from simulator.errors import AssayError, ChainUnavailable, ReconciliationFailed, UsageError
from simulator.replay import Evidence
from simulator.replay.trace import (
    Fault,
    Seen,
    faults_of,
    require_tracing,
    touches,
    trace_step,
)
from simulator.replay.trace_words import ENGINE, trace_lines, trace_object

_MOST_LINES = 40
"""Lines that a terminal gets of a trace that nobody asked for."""


@dataclass(frozen=True)
class Traces:
    """What is shown of a path, by step; `asked` is the step that was asked for."""

    evidence: Evidence = field(default_factory=Evidence)
    asked: int | None = None
    found: dict[int, tuple[Seen, ...]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def objects(self) -> list[dict[str, Any]]:
        """Return all of it as plain data."""
        return [trace_object(step, seen) for step, seen in self.found.items()]

    def print(self) -> None:
        """Print what is wrong, then each step; of one that nobody asked for no more than fits.

        Of a step that nobody asked for that is what reverts, or what goes to the instrument whose
        figure disagrees.
        """
        about = {fault.step: fault for fault in self.faults}
        for step in sorted({*self.found, *about}):
            if step in about:
                click.echo(about[step].why)
            if step in self.found:
                self._print_step(step, about.get(step))

    def _print_step(self, step: int, fault: Fault | None) -> None:
        seen = self.found[step]
        date = dt.datetime.fromtimestamp(self.evidence.time(step), dt.UTC).date()
        click.echo(
            f"step {step}, {date}: {len(seen)} transactions, played again in {ENGINE} "
            f"from where those before them on {self.evidence.chain} had led"
        )
        shown = seen
        if step != self.asked:
            of = fault.instrument if fault else ""
            near = [one for one in seen if of and touches(one.call, of)]
            shown = tuple([one for one in seen if one.call.reverted] or near) or seen
        lines = trace_lines(seen, shown)
        most = len(lines) if step == self.asked else _MOST_LINES
        for line in lines[:most]:
            click.echo(f"  {line}")
        if len(shown) < len(seen) or len(lines) > most:
            click.echo(f"  --trace {step} shows all of it")


def check_trace(step: int, last: int, rpc: str | None) -> None:
    """Refuse a trace that cannot be shown, before anything is simulated.

    Raises
    ------
    UsageError, ChainUnavailable
    """
    if rpc is not None:
        raise UsageError("--trace plays a path again from nothing; leave --rpc out")
    if not 0 <= step <= last:
        raise UsageError(f"--trace {step}: must be 0 to {last}, the last day")
    require_tracing()


def traces_of(
    evidence: Evidence, asked: int | None, failure: AssayError | None, reporter: Reporter
) -> Traces:
    """Trace what was asked for, and the step that fails where there is one.

    Nobody who did not ask for it is stopped by a trace that cannot be shown.
    """
    found, faults = {}, faults_of(evidence)
    steps = {fault.step for fault in faults}
    if not steps and isinstance(failure, ReconciliationFailed):
        steps = {evidence.last}  # a decision is seen otherwise there
    for step in sorted({*steps, *([] if asked is None else [asked])}):
        try:
            found[step] = trace_step(evidence, step)
        except UsageError as error:
            reporter.say(f"--trace: {error}")
        except (ChainUnavailable, ReconciliationFailed) as error:
            if step == asked and failure is None:
                raise
            reporter.say(f"what the calls of step {step} did is not shown: {error}")
    return Traces(evidence, asked, found, tuple(faults))
