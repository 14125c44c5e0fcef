"""The first screen: the money, the verdicts in groups, and what to know before believing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.report.headline import FEW, MONEY_WORDS, Group, facts, figures, groups, money_table
from simulator.report.markup import Column, Html, Row, element, join, table, verdict_word

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import Simulation
    from simulator.engine.headline import Headline
    from simulator.engine.shock_effects import ShockEffect
    from simulator.replay import EveryPath, Replay


MANY = 10
"""Verdicts up to this number leave the facts half of the page."""


def headline_section(
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    found: Headline,
    replays: Sequence[Replay],
    every: EveryPath | None,
    effects: Sequence[ShockEffect] = (),
) -> Html:
    """Return what a reader in a hurry reads; each claim leads to its card below."""
    grouped = groups(simulation.scenario, verdicts)
    told = (
        element("div", element("dt", fact.lead.removesuffix(":")), element("dd", fact.text))
        for fact in facts(simulation, found, replays, every, effects)
    )
    return element(
        "section",
        element("h2", "In short", id="headline-title", class_="unseen"),
        *_money(simulation, found),
        element(
            "div",
            element("div", *groups_markup(grouped, _card_of), class_="verdicts"),
            element("dl", *told, class_="told"),
            class_="columns" if len(verdicts) > MANY else "columns few",
        ),
        id="headline",
        class_="headline",
        aria_labelledby="headline-title",
    )


def _money(simulation: Simulation, found: Headline) -> Iterator[Html]:
    """Yield the table of money; those whom it leaves out stand under the outcomes."""
    if not found.money:
        return
    block = money_table(found, simulation.scenario.horizon_days, FEW)
    columns = [Column(words, numeric=place > 0) for place, words in enumerate(block.columns)]
    rows = [Row(cells) for cells in block.rows]
    yield table(columns, rows, caption=block.caption, class_="stack money")
    yield element("p", MONEY_WORDS, class_="note")


def _card_of(verdict: Verdict) -> str:
    return f"#claim-{verdict.claim}"


def groups_markup(found: Sequence[Group], address: Callable[[Verdict], str]) -> Iterator[Html]:
    """Yield verdicts in their groups and by their words, each with a link to its `address`."""
    for group in found:
        yield element("h3", group.title)
        for word, verdicts in group.words:
            entries = join(_entry(verdict, address(verdict)) for verdict in verdicts)
            yield element("div", verdict_word(word), element("ul", entries), class_="by-word")


def _entry(verdict: Verdict, address: str) -> Html:
    beside = f", could be {verdict.could_be}" if verdict.could_be else ""
    words = f" {figures(verdict)}{beside}".rstrip()
    return element("li", element("a", verdict.claim, href=address, title=verdict.text), words)
