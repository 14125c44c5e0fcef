"""How far the verdicts move where the calibration is only as good as its standard errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulator.engine import by_chance, moved_by
from simulator.report import break_evens, charts
from simulator.report.markup import Column, Html, Row, element, fold, join, table
from simulator.report.sensitivity import RULES, sensitivity_part
from simulator.words import number, percent

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.engine import BreakEven, Simulation
    from simulator.engine.sensitivity import Sensitivity

_LEVELS = (5.0, 50.0, 95.0)
"""Where an event's verdict changes its word, percent."""
_WEAK = 0.3
"""Below this correlation over the sets no drift is said to move a verdict."""


def moves_section(
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    sets: pd.DataFrame | None,
    turns: Sequence[BreakEven] = (),
    sensitivities: Sequence[Sensitivity] = (),
) -> Html:
    """Return, for each claim that the sets move, its answer against the drift that moves it most.

    Parameters
    ----------
    sets : DataFrame or None
        Of `engine.run_sets`; None where none were drawn.
    turns : sequence of BreakEven
        Of `engine.break_evens`: they stand first.
    sensitivities : sequence of Sensitivity
        Of the claims that were asked what they hang on; after the sets.
    """
    title, asked = "How the verdicts move", _asked(sensitivities)
    first = _turns(turns) if turns else Html("")
    if sets is None or sets.empty:
        nothing = "This run drew no parameter sets: only the sampling error is known."
        return fold("moves", title, first, element("p", nothing), *asked)
    count = sets["set"].nunique()
    intro = element(
        "p",
        f"Each point is one of {count} draws of every calibrated figure within its standard error, "
        "and of every drift within that of a mean over the calibration's years; all on the same "
        "random numbers. The cross is this run. Dotted lines are where the word of a verdict "
        "changes. This ignorance is far larger than the sampling error of the paths.",
    )
    charts_ = list(_charts(simulation, verdicts, sets))
    still = "No claim moves by more than a point over the parameter sets."
    body = element("div", *charts_, class_="pair") if charts_ else element("p", still)
    return fold("moves", title, first, intro, body, *_movers(verdicts, sets), *asked)


def _turns(turns: Sequence[BreakEven]) -> Html:
    """Return at which values of numbers claims would be as likely as not."""
    words = break_evens.COLUMNS[:2]
    columns = [Column(name, numeric=name not in words) for name in break_evens.COLUMNS]
    rows = [Row(cells) for cells in break_evens.rows(turns)]
    intro = element("p", break_evens.intro(turns))
    return join((intro, table(columns, rows, caption=break_evens.TITLE, class_="stack")))


def _asked(sensitivities: Sequence[Sensitivity]) -> Iterator[Html]:
    """Yield a part for each claim that was asked what it hangs on, its rules first."""
    if sensitivities:
        yield element("h3", "Input by input")
        yield element("p", RULES)
        yield from map(sensitivity_part, sensitivities)


def _charts(
    simulation: Simulation, verdicts: Sequence[Verdict], sets: pd.DataFrame
) -> Iterator[Html]:
    for verdict, rows, told in _moving(verdicts, sets):
        yield _chart(simulation, verdict, rows, told)


def _moving(
    verdicts: Sequence[Verdict], sets: pd.DataFrame
) -> Iterator[tuple[Verdict, pd.DataFrame, str]]:
    """Yield each claim that the sets move, with its rows and the column of its answer."""
    for verdict in verdicts:
        told = "probability" if verdict.counted else "estimate"
        rows = sets[sets["claim"] == verdict.claim]
        values = rows[told].to_numpy()
        fixed = verdict.kind == "premise" and not verdict.counted
        if fixed or verdict.reason or np.isnan(values).any():
            continue
        if np.ptp(values) < (0.01 if verdict.scale == "share" or told == "probability" else 1e-9):
            continue
        yield verdict, rows, told


def _movers(verdicts: Sequence[Verdict], sets: pd.DataFrame) -> Iterator[Html]:
    """Yield which drawn figure moved each claim most: in words, and a chart."""
    found = [
        (verdict.claim, moved_by(rows, told)) for verdict, rows, told in _moving(verdicts, sets)
    ]
    shown = [
        charts.Moved(c, _spoken(each[0].figure), each[0].correlation) for c, each in found if each
    ]
    if not shown:
        return
    count, figures = sets["set"].nunique(), max(len(each) for _, each in found)
    limit = by_chance(count, figures)
    sure = [row for row in shown if abs(row.correlation) > limit]
    yield element("h3", "What moved them most")
    yield element(
        "p",
        "All figures are drawn together. A rank correlation says how closely the order of a "
        f"claim's {count} answers follows the order of one figure's draws: 1 is the same order, "
        f"{number(-1, 0)} the opposite, 0 none. {count} sets are few: where nothing moves a claim, "
        f"the strongest of {figures} figures still reaches {number(limit, 2)} one time in twenty "
        "(dotted; paler bars lie within). The figures kept with the sets are drifts and "
        "volatilities; correlations, jumps and channels are drawn too and move the rest.",
    )
    title = f"The drift or volatility that moved each claim most, over {count} sets"
    label = "; ".join(f"{row.claim}: {row.figure} {number(row.correlation, 2)}" for row in shown)
    note = f"{len(sure)} of {len(shown)} claims follow one figure more than chance explains."
    yield charts.embed(charts.movers(shown, limit), "movers", title, label, note)


def _spoken(figure: str) -> str:
    """Return a drawn figure as people say it: `drift of gold miners`."""
    what, _, asset = figure.partition(".")
    return f"{what} of {asset.replace('_', ' ')}"


def _chart(simulation: Simulation, verdict: Verdict, rows: pd.DataFrame, told: str) -> Html:
    drifts = [name for name in rows if str(name).startswith("drift.")]
    strength = {name: _correlation(rows[name], rows[told]) for name in drifts}
    strongest = max(drifts, key=lambda name: abs(strength[name]))
    asset = str(strongest).removeprefix("drift.")
    words = asset.replace("_", " ")
    in_percent = told == "probability" or verdict.scale == "share"
    scale = 100.0 if in_percent else 1.0
    now = verdict.probability if told == "probability" else verdict.estimate
    present = {name: terms.drift for name, terms in simulation.scenario.market.assets.items()}
    drift_now = next(value for name, value in present.items() if name == asset)
    upward = "share of paths, %" if told == "probability" else "difference"
    if told == "estimate" and in_percent:
        upward += ", points"
    figure = charts.scatter(
        list(100.0 * rows[strongest]),
        list(scale * rows[told]),
        (100.0 * drift_now, scale * now),
        (f"drift of {words}, % a year", upward),
        _LEVELS if told == "probability" else (),
    )
    found = strength[strongest]
    weak = abs(found) < _WEAK
    note = (
        f"Hardly moved by any drift (strongest: {words}, correlation {number(found, 2)})."
        if weak
        else f"Moves with the drift of {words}: correlation {number(found, 2)} over the sets."
    )
    label = (
        f"{verdict.claim} over {len(rows)} parameter sets against the drift of {words}, from "
        f"{percent(float(rows[strongest].min()))} to {percent(float(rows[strongest].max()))}."
    )
    return charts.embed(figure, f"moves-{verdict.claim}", verdict.claim, label, note)


def _correlation(first: pd.Series[float], second: pd.Series[float]) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
