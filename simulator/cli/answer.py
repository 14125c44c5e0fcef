"""What a run tells: on the terminal, as JSON, and again where the same run is asked for twice."""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pandas as pd
from rich.console import Console

from simulator.claims import Verdict
from simulator.cli.progress import Reporter
from simulator.cli.replaying import Replays
from simulator.cli.results import peak_rss_mib
from simulator.engine import BreakEven, Simulation
from simulator.engine.folder import RunFolder, default_path
from simulator.engine.shock_effects import ShockEffect
from simulator.errors import ReconciliationFailed
from simulator.plain_json import plain_json
from simulator.replay import EveryPath
from simulator.scenario import LoadedScenario

ANSWER = "answer.txt"
"""What the terminal showed."""
DETAILS = "details.txt"
"""What it shows with `-v`."""
ANSWER_JSON = "answer.json"
"""The object that `--json` prints, without what was measured of the machine."""
FAILED_ON_VERDICT = 6


@dataclass(frozen=True)
class Told:
    """All that a run found."""

    loaded: LoadedScenario
    simulation: Simulation
    verdicts: tuple[Verdict, ...]
    replays: Replays
    sets: pd.DataFrame | None
    turns: Sequence[BreakEven]
    effects: Sequence[ShockEffect] = ()
    every: EveryPath | None = None


def answer_text(told: Told, *, whole: bool) -> str:
    """Return what the terminal shows, without colours: in short, or the whole of it."""
    text = io.StringIO()
    _print(Console(file=text, highlight=False), told, whole=whole)
    return text.getvalue()


def print_answer(folder: Path, told: Told, *, whole: bool) -> None:
    """Print what a run found, and where its report is."""
    console = Console(highlight=False)
    if console.is_terminal:
        _print(console, told, whole=whole)
        click.echo(f"report: {folder / 'report.html'}")
    else:
        _print_stored(folder, whole=whole)


def _print_stored(folder: Path, *, whole: bool) -> None:
    stored = folder / (DETAILS if whole else ANSWER)
    text = stored.read_text(encoding="utf-8")
    console = Console()
    if console.is_terminal and not whole:
        text = folded(text, console.width)
    click.echo(text, nl=False)
    click.echo(f"report: {folder / 'report.html'}")


def folded(text: str, width: int) -> str:
    """Return text with longer lines broken between words, further in than they begin."""
    lines = []
    for line in text.splitlines():
        inset = line[: len(line) - len(line.lstrip())]
        behind = f"{inset}    "
        lines += textwrap.wrap(line, width, subsequent_indent=behind, break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)


def _print(console: Console, told: Told, *, whole: bool) -> None:
    from simulator.report import print_brief, print_report  # charts take a third of a second

    if not whole:
        found = (
            told.simulation,
            told.verdicts,
            told.replays.done,
            told.every,
            told.effects,
            told.turns,
        )
        print_brief(console, *found)
        return
    print_report(
        console,
        told.loaded,
        told.simulation,
        told.verdicts,
        told.replays.done,
        turns=told.turns,
        effects=told.effects,
        every=told.every,
    )


def measured(folder: Path, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return what is of this process and not of the run: place, times, memory."""
    return {
        "run": str(folder),
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "peak_rss_mib": peak_rss_mib(),
    }


def find_finished(
    loaded: LoadedScenario, out: Path | None, options: Mapping[str, Any]
) -> RunFolder | None:
    """Return the folder where this very run is finished already, else None.

    Raises
    ------
    UsageError
        Another run stands there.
    """
    folder = RunFolder(out or default_path(loaded))
    manifest = folder.manifest()
    if manifest is None:
        return None
    folder.check_same(loaded)
    whole = not folder.broken() and manifest.get("options") == dict(options)
    return folder if whole else None


def tell_finished(
    folder: RunFolder, reporter: Reporter, *, as_json: bool, whole: bool = False
) -> None:
    """Tell a finished run's answer again; nothing is computed."""
    reporter.say(f"{folder.path} is finished already; --fresh computes it anew")
    if as_json:
        found = plain_json((folder.path / ANSWER_JSON).read_text(encoding="utf-8"))
        click.echo(json.dumps({**found, **measured(folder.path, {})}, allow_nan=False))
        return
    _print_stored(folder.path, whole=whole)


def exit_as_before(folder: RunFolder, fail_on: str | None) -> None:
    """End as the run did.

    Raises
    ------
    ReconciliationFailed
    click.exceptions.Exit
    """
    found = plain_json((folder.path / ANSWER_JSON).read_text(encoding="utf-8"))
    off = [replay["label"] for replay in found["replays"] if not replay["ok"]]
    if off:
        raise ReconciliationFailed(f"model and contract differ: {', '.join(off)}")
    fail_on_verdicts({v["claim"]: v["verdict"] for v in found["verdicts"]}, fail_on)


def fail_on_verdicts(words: Mapping[str, str], fail_on: str | None) -> None:
    """End with 6 where a claim has earned this word.

    Raises
    ------
    click.exceptions.Exit
    """
    named = [claim for claim, word in words.items() if word == fail_on]
    if named:
        click.echo(f"assay: {fail_on}: {', '.join(named)}", err=True)
        raise click.exceptions.Exit(FAILED_ON_VERDICT)
