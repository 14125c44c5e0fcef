"""A first file of one's own: a portfolio of ready parts, and what it should achieve."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

SCHEMA_FILE = "assay.schema.json"
EDITOR_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""Tells editors where the schema is that `assay scenario schema` prints."""


@dataclass(frozen=True)
class Draft:
    """What the file is to say.

    Attributes
    ----------
    name : str
    source : str
        The scenario whose parts are used.
    weights : mapping of str to float
        Shares of the capital by position; they sum to 1.
    capital_usd : float
    horizon_days : int
    start : date or None
        None = the calibration's last day.
    annual_yield, drawdown : float or None
        What is put to the test: at least this a year, never below by more than that.
    """

    name: str
    source: str
    weights: Mapping[str, float]
    capital_usd: float = 100_000.0
    horizon_days: int = 365
    start: dt.date | None = None
    annual_yield: float | None = 0.06
    drawdown: float | None = None


def draft_text(draft: Draft, labels: Iterable[str]) -> str:
    """Return the file, commented.

    Parameters
    ----------
    labels : iterable of str
        The instruments behind the weights.
    """
    return "\n".join([*_head(draft), *_parts(draft, labels), *_holder(draft), *_claims(draft), ""])


def _head(draft: Draft) -> Iterator[str]:
    held = ", ".join(f"{share * 100:g} % {name}" for name, share in draft.weights.items())
    yield EDITOR_LINE
    yield f"# assay scenario check FILE, assay run FILE; what a field is: assay explain {_EXAMPLE}"
    yield f"name: {draft.name}"
    yield f"title: {held}"
    if draft.start is None:
        yield "# start: 2027-01-04    # left out: the last day of the calibration"
    else:
        yield f"start: {draft.start.isoformat()}    # left out: the last day of the calibration"
    yield f"horizon_days: {draft.horizon_days}"
    yield "paths: 10_000"


_EXAMPLE = "market.assets.gold.drift"


def _parts(draft: Draft, labels: Iterable[str]) -> Iterator[str]:
    yield "use:    # parts of a ready scenario, each with what it needs"
    yield f"  {draft.source}: {{instruments: [{', '.join(labels)}]}}"
    yield "# what follows here changes a part:"
    yield "# instruments:"
    yield "#   LABEL: {FIELD: {value: 0.1, mark: assumption}}"


def _holder(draft: Draft) -> Iterator[str]:
    weights = ", ".join(f"{name}: {share:g}" for name, share in draft.weights.items())
    yield "investors:"
    yield "  holder:"
    yield f"    capital_usd: {draft.capital_usd:g}"
    yield f"    weights: {{{weights}}}"
    yield "    rebalance: {every_days: 91}    # to these weights, every quarter"


def _claims(draft: Draft) -> Iterator[str]:
    yield "claims:    # what is put to the test"
    if draft.annual_yield is not None:
        says = f"The portfolio earns {draft.annual_yield * 100:g} % a year"
        yield from _claim("earns", says, "annual_yield", f"at_least: {draft.annual_yield:g}")
    if draft.drawdown is not None:
        says = f"The portfolio never stands {draft.drawdown * 100:g} % below its peak"
        yield from _claim("never-down", says, "drawdown", f"at_most: {draft.drawdown:g}")


def _claim(name: str, says: str, measure: str, bound: str) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    says: {says}"
    yield "    subject: holder"
    yield f"    conditions: [{{measure: {measure}, unit: usd, {bound}}}]"
