"""What each product's own page says of a run; a product without a page says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from simulator.instruments.page import Block, Fan, Page, Section, Told
from simulator.instruments.registry import in_order, page_of, working_for
from simulator.scenario.instruments import homes

if TYPE_CHECKING:
    from simulator.engine import Simulation


def sections(simulation: Simulation) -> Iterator[tuple[str, Section]]:
    """Yield the label and the section of each product that has one."""
    for label, page, about in _pages(simulation):
        with _named(about):
            found = page.section(about)
        if found is not None:
            yield label, found


def of_holder(simulation: Simulation, who: str) -> Sequence[Block]:
    """Return what is to be said of an investor who holds one instrument alone."""
    chosen = simulation.scenario.instruments
    label = homes(chosen).get(simulation.investors[who].holding, "")
    page = page_of(chosen[label]) if label in chosen else None
    if page is None:
        return ()
    about = told(simulation, label)
    with _named(about):
        found: Sequence[Block] = page.of_holder(about, who)
    return found


def fans(simulation: Simulation) -> Iterator[Fan]:
    """Yield what products draw beside the market's prices."""
    for _, page, about in _pages(simulation):
        with _named(about):
            found = page.fans(about)
        yield from found


def on_depeg(simulation: Simulation) -> list[str]:
    """Return what a fall of USDC does to each product that has a word on it."""
    words = []
    for _, page, about in _pages(simulation):
        with _named(about):
            words.append(page.on_depeg(about))
    return [word for word in words if word]


def _named(about: Told[Any]) -> AbstractContextManager[None]:
    return working_for(about.label, about.terms.kind)


def told(simulation: Simulation, label: str) -> Told[Any]:
    """Return what the page of a label is told."""
    terms = simulation.scenario.instruments[label]
    names = [position.name for position in terms.positions(label)]
    alone = simulation.instruments
    return Told(
        label=label,
        terms=terms,
        horizon_days=simulation.scenario.horizon_days,
        instruments={name: alone[name] for name in names if name in alone},
        investors=simulation.investors,
        promised=_promised(simulation),
        daily=simulation.daily,
    )


def _pages(simulation: Simulation) -> Iterator[tuple[str, Page[Any], Told[Any]]]:
    chosen = simulation.scenario.instruments
    for label in in_order(chosen):
        page = page_of(chosen[label])
        if page is not None:
            yield label, page, told(simulation, label)


def _promised(simulation: Simulation) -> dict[str, float]:
    """Return the yearly yield in ounces that claims promise at least, by investor.

    Of several the first one counts.
    """
    found: dict[str, float] = {}
    for claim in simulation.scenario.claims.values():
        for condition in claim.conditions:
            wanted = (condition.measure, condition.unit) == ("annual_yield", "ounces")
            if claim.subject is not None and wanted and condition.at_least is not None:
                found.setdefault(claim.subject, condition.at_least)
    return found
