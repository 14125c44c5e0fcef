"""The report as one HTML file: no network, no clock, the same bytes for the same run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.report import rooms, shocks
from simulator.report.blocks import section_markup
from simulator.report.markup import Html, element, join
from simulator.report.page import document
from simulator.report.sections import (
    agreement_section,
    answer_section,
    depeg_section,
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

_CONTENTS = (
    ("answer", "Answer"),
    ("origin", "Sources of return"),
    ("instruments", "Instruments"),
    ("outcomes", "Outcomes"),
    ("moves", "How the verdicts move"),
    ("agreement", "Model against contract"),
    ("notice", "Hypothetical performance"),
    ("inputs", "Inputs"),
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
    body = join(
        (
            _header(simulation),
            element(
                "main",
                warnings_section(loaded.warned, _notes(simulation)),
                answer_section(simulation, verdicts),
                origin_section(simulation, verdicts),
                instruments_section(simulation),
                *(
                    section_markup(f"instrument-{label}-page", found, simulation.daily)
                    for label, found in rooms.sections(simulation)
                ),
                *_struck(simulation, effects),
                depeg_section(simulation),
                outcomes_section(simulation),
                moves_section(simulation, verdicts, sets, turns, sensitivities),
                agreement_section(simulation.scenario.gas, replays, every),
                notice_section(simulation.scenario, verdicts),
                inputs_section(loaded),
            ),
            _footer(simulation),
        )
    )
    return document(simulation.scenario.title, body)


def _notes(simulation: Simulation) -> tuple[str, ...]:
    """Return what was left out of a bootstrap's history, or assumed."""
    history = simulation.spec.history
    return () if history is None else history.notes


def _struck(simulation: Simulation, effects: Sequence[ShockEffect]) -> list[Html]:
    """Return the section on shocks, if there are any."""
    found = shocks.section(simulation.scenario.shocks or (), effects)
    return [] if found is None else [section_markup("shocks", found, simulation.daily)]


def _header(simulation: Simulation) -> Html:
    scenario = simulation.scenario
    facts = (
        f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start} · "
        f"scenario {scenario.name} · calibration {simulation.calibration.name} · "
        f"seed {scenario.seed}"
    )
    links = (element("a", words, href=f"#{anchor}") for anchor, words in _CONTENTS)
    return element(
        "header",
        element("p", "Assay report", class_="eyebrow"),
        element("h1", scenario.title),
        element("p", facts, class_="facts"),
        element("p", "Hypothetical performance, simulated; not a forecast.", class_="facts"),
        element("nav", *links, aria_label="Contents"),
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
