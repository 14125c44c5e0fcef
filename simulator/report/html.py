"""The report as one HTML file: no network, no clock, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.engine.headline import headline
from simulator.engine.moments import moments, of_series
from simulator.report import rooms, shocks
from simulator.report.blocks import marks_of, section_markup
from simulator.report.markup import Html, contents, element, join
from simulator.report.page import document
from simulator.report.sections import (
    agreement_section,
    answer_section,
    depeg_section,
    headline_section,
    inputs_section,
    instruments_section,
    moves_section,
    notice_section,
    origin_section,
    outcomes_section,
    warnings_section,
)

if TYPE_CHECKING:
    import pandas as pd

    from simulator.claims import Verdict
    from simulator.engine import BreakEven, Simulation
    from simulator.engine.sensitivity import Sensitivity
    from simulator.engine.shock_effects import ShockEffect
    from simulator.replay import EveryPath, Replay
    from simulator.scenario.files import LoadedScenario

_TOOLS = join(
    (
        Html(
            '<input type="search" id="find-claim" autocomplete="off" aria-label="Find a claim" '
            'placeholder="Find a claim">'
        ),
        element("output", id="claims-found", for_="find-claim"),
        element("button", "Open all", type="button", class_="fold-all", aria_pressed="false"),
    )
)


def render_html(
    loaded: LoadedScenario,
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    replays: Sequence[Replay],
    sets: pd.DataFrame | None = None,
    turns: Sequence[BreakEven] = (),
    sensitivities: Sequence[Sensitivity] = (),
    effects: Sequence[ShockEffect] = (),
    every: EveryPath | None = None,
) -> str:
    """Return the report of a run as one self-contained document.

    Parameters
    ----------
    loaded : LoadedScenario
        For the inputs, their provenance and the calibration.
    replays : sequence of Replay
        Empty where the run was not replayed.
    sets : DataFrame, optional
        Of `engine.run_sets`.
    turns : sequence of BreakEven
        Of `engine.break_evens`.
    sensitivities : sequence of Sensitivity
        Of the claims that were asked what they hang on.
    effects : sequence of ShockEffect
        Of `engine.shock_effects`.
    every : EveryPath, optional
        Where every path was played through the bytecode.

    Notes
    -----
    Wall-clock times are left out, so that the same inputs give the same bytes.
    """
    found = headline(simulation, verdicts, turns)
    moves = moves_section(simulation, verdicts, sets, turns, sensitivities)
    parts = [
        ("answer", "Claims", answer_section(simulation, verdicts)),
        ("origin", "Sources", origin_section(simulation, verdicts)),
        ("instruments", "Instruments", instruments_section(simulation)),
        *_products(simulation),
        *_struck(simulation, effects),
        ("depeg", "The digital dollar", depeg_section(simulation)),
        ("outcomes", "Outcomes", outcomes_section(simulation, found)),
        ("moves", "What moves them", moves),
        ("agreement", "Contracts", agreement_section(simulation.scenario.gas, replays, every)),
        ("notice", "Notice", notice_section(simulation.scenario, verdicts)),
        ("inputs", "Inputs", inputs_section(loaded)),
    ]
    links = [("headline", "In short"), *((a, words) for a, words, part in parts if words and part)]
    body = join(
        (
            _header(simulation),
            contents(links, element("div", _TOOLS, class_="tools", hidden="")),
            element(
                "main",
                warnings_section(loaded.warned, _notes(simulation)),
                headline_section(simulation, verdicts, found, replays, every, effects),
                *(part for _, _, part in parts),
            ),
            _footer(simulation),
        )
    )
    return document(simulation.scenario.title, body)


def _products(simulation: Simulation) -> Iterator[tuple[str, str, Html]]:
    """Yield what products say of themselves; too many for the contents."""
    known = moments(simulation)
    for label, found in rooms.sections(simulation):
        anchor = f"instrument-{label}-page"
        marks = marks_of(of_series(known, label))
        yield anchor, "", section_markup(anchor, found, simulation.daily, marks)


def _notes(simulation: Simulation) -> tuple[str, ...]:
    """Return what was left out of a bootstrap's history, or assumed."""
    history = simulation.spec.history
    return () if history is None else history.notes


def _struck(
    simulation: Simulation, effects: Sequence[ShockEffect]
) -> Iterator[tuple[str, str, Html]]:
    """Yield the section on shocks, if there are any."""
    found = shocks.section(simulation.scenario.shocks or (), effects)
    if found is not None:
        yield "shocks", "Shocks", section_markup("shocks", found, simulation.daily)


def _header(simulation: Simulation) -> Html:
    scenario = simulation.scenario
    facts = (
        f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start} · "
        f"scenario {scenario.name} · calibration {simulation.calibration.name} · "
        f"seed {scenario.seed} · hypothetical performance, no forecast"
    )
    return element(
        "header",
        element("h1", scenario.title),
        element("p", facts, class_="facts"),
    )


def _footer(simulation: Simulation) -> Html:
    return element(
        "footer",
        element(
            "p",
            "Checksum of the results: ",
            element("code", simulation.checksum),
            ". The same scenario, calibration and seed give the same checksum and this file "
            "byte for byte.",
        ),
    )
