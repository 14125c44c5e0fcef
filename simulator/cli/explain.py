"""`assay explain`: what a field of a scenario is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import click

from simulator.scenario import shipped_scenarios
from simulator.scenario.explain import Explained, Setting, explained
from simulator.scenario.files import find_scenario, read_whole

_FIGURES = ("market", "instruments", "gas")
"""Sections whose numbers have an origin; what a claim demands has none."""


def explain(field: str, scenario: str | None) -> None:
    """Say what a field is; its values are those of one scenario, or of the ready ones."""
    if scenario is None:
        found = explained(field, shipped_scenarios())
    else:
        found = explained(field, (find_scenario(scenario),), read_whole)
    for line in _told(found):
        click.echo(line)


def _told(found: Explained) -> Iterator[str]:
    field = found.field
    yield field.name
    yield f"  {field.words}." if field.words else "  (no words)"
    yield f"  must be   {field.rule}"
    if field.warned:
        yield f"  warned    {field.warned}"
    yield f"  default   {field.default or 'none: a file must say it'}"
    if found.of:
        yield f"  of        {found.of}"
    yield from _listed("set by", [_set(s) for s in found.settings])
    claims = Counter(claim for _, claim in found.claims)
    yield from _listed("turned on by", list(claims))


def _set(setting: Setting) -> str:
    origin = setting.origin
    why = ", ".join(text for text in (origin.mark, origin.source, origin.note) if text)
    told = f" ({why})" if setting.place.startswith(_FIGURES) else ""
    return f"{setting.file}: {setting.place} = {setting.value}{told}"


def _listed(head: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"  {head}"
        yield from (f"    {line}" for line in lines)
