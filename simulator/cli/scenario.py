"""`assay scenario show`, `check`, `schema` and `new`: a scenario as it is read, or begun."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path

import click

from simulator.cli.options import tell_history, tell_warnings
from simulator.errors import InputError, UsageError
from simulator.instruments.registry import load_all, offered
from simulator.instruments.terms import InstrumentTerms
from simulator.market.build import market_spec
from simulator.scenario import load_scenario
from simulator.scenario.draft import EDITOR_LINE, Draft, draft_text
from simulator.scenario.files import to_yaml
from simulator.scenario.instruments import homes
from simulator.scenario.investors import CASH
from simulator.scenario.json_schema import scenario_schema
from simulator.scenario.observables import one_of


def show(name: str, overrides: tuple[str, ...]) -> None:
    """Print a scenario with every default written out."""
    loaded = load_scenario(name, overrides=overrides)
    click.echo(EDITOR_LINE)
    click.echo(to_yaml(loaded.scenario, loaded.provenance), nl=False)


def check(name: str, calibration: str | None, strict: bool) -> None:
    """Check a scenario, its calibration and history; every problem with its file and line."""
    loaded = load_scenario(name, calibration=calibration)
    tell_warnings(loaded, strict)
    tell_history(market_spec(loaded.scenario, loaded.calibration))
    load_all(loaded.scenario.instruments)
    for kind, why in offered().broken.items():
        click.echo(f"note: {kind}: {why}", err=True)
    click.echo(f"{loaded.path}: valid")


def schema() -> None:
    """Print the JSON schema of scenario files."""
    click.echo(json.dumps(scenario_schema(), indent=1))


def parts(name: str) -> None:
    """Print what can be taken of a scenario: by section, a line for each part."""
    found = load_scenario(name).scenario
    held = {label: _held(label, terms) for label, terms in found.instruments.items()}
    listed = {
        "instruments": held,
        "investors": {who: "holds " + ", ".join(i.held) for who, i in found.investors.items()},
        "claims": {claim: terms.says for claim, terms in found.claims.items()},
        "shocks": {shock.name: shock.target for shock in found.shocks or ()},
    }
    width = max(len(part) for parts in listed.values() for part in parts)
    for section, those in ((section, those) for section, those in listed.items() if those):
        click.echo(f"use: {{{name}: {{{section}: [NAME, ...]}}}}")
        for part, words in those.items():
            click.echo(f"  {part:<{width}}  {words}")


def _held(label: str, terms: InstrumentTerms) -> str:
    """Return what an instrument is, and as what it is held where that is not its label."""
    what = getattr(terms, "what", "")
    names = [position.name for position in terms.positions(label)]
    held = "" if names == [label] else f"; held as {', '.join(names)}"
    return f"{terms.kind}{f' of {what}' if what else ''}{held}"


def new(
    name: str,
    holds: tuple[str, ...],
    source: str,
    capital: float,
    days: int,
    start: str | None,
    annual_yield: float | None,
    drawdown: float | None,
) -> None:
    """Print a commented scenario: a portfolio of ready parts, and a claim about it."""
    weights = _weights(holds)
    if annual_yield is None and drawdown is None:
        annual_yield = 0.06
    draft = Draft(name, source, weights, capital, days, _day(start), annual_yield, drawdown)
    if not (labels := _labels(weights, source)):
        raise UsageError("--hold: must have a thing beside cash, as in bills=0.6")
    text = draft_text(draft, labels)
    _check_draft(text)
    click.echo(text, nl=False)


def _check_draft(text: str) -> None:
    """Refuse options that make no valid scenario, each by the field that it would be.

    Raises
    ------
    UsageError
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "new.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            load_scenario(file)
        except InputError as error:
            told = [f"{p.field} would be {p.value}; {p.rule}" for p in error.problems]
            raise UsageError("\n".join(told)) from None


def _weights(holds: tuple[str, ...]) -> dict[str, float]:
    """Return the shares of --hold by position."""
    found: dict[str, float] = {}
    for text in holds:
        thing, separator, share = text.partition("=")
        try:
            found[thing.strip()] = float(share)
        except ValueError:
            separator = ""
        if not separator:
            raise UsageError(f"--hold {text}: must be THING=SHARE, as in bills=0.6")
    total = sum(found.values())
    if abs(total - 1.0) > 1e-9:
        raise UsageError(
            f"--hold: the shares sum to {total:g}; must sum to 1 (cash is a thing too)"
        )
    return found


def _labels(weights: dict[str, float], source: str) -> list[str]:
    """Return the instruments behind the positions of weights, each once."""
    there = homes(load_scenario(source).scenario.instruments)
    for thing in weights:
        if thing != CASH and thing not in there:
            rule = one_of(thing, (*there, CASH), f"a thing of {source}")
            raise UsageError(f"--hold {thing}: {rule}")
    return list(dict.fromkeys(there[thing] for thing in weights if thing != CASH))


def _day(text: str | None) -> dt.date | None:
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text}: must be a date, as 2027-01-04") from None
