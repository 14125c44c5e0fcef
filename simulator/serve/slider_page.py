"""What would have to be true: a slider for each input that a claim's `break_even` names."""

from __future__ import annotations

import json
import math

from starlette.requests import Request
from starlette.responses import HTMLResponse

from simulator.engine.sliders import Answered, Slider
from simulator.report.markup import Column, Html, Row, element, section, table
from simulator.serve.shell import busy, field, link
from simulator.study import Run
from simulator.words import difference, figure, interval, share, with_unit

_TITLE = "What would have to be true"
_INTRO = (
    "Move an input, and the claims that name it are put to the test again: at once on few paths, "
    "then on all of the run's. All else stays as it is, the random numbers too."
)


def sliders_section(request: Request, name: str, sliders: tuple[Slider, ...]) -> Html:
    """Return all sliders of a run, none of them moved."""
    if not sliders:
        words = "No claim of this scenario names numbers to try (break_even)."
        return section("turns", _TITLE, element("p", words))
    found = (_slider(request, name, slider, place) for place, slider in enumerate(sliders))
    return section("turns", _TITLE, element("p", _INTRO), *found)


def _slider(request: Request, name: str, slider: Slider, place: int) -> Html:
    words = [_worded(value, slider) for value in slider.stops]
    at, target = slider.at, f"answer-{place}"
    asks = {
        "hx_get": link(request, "run", name, "answer", input=slider.name),
        "hx_target": f"#{target}",
        "hx_sync": "closest fieldset:replace",
    }
    told = {"data_words": json.dumps(words, ensure_ascii=False), "aria_valuetext": words[at]}
    ends = {"min": 0, "max": len(words) - 1, "value": at, "hx_trigger": "input delay:150ms"}
    exactly = f"or exactly, {slider.unit}" if slider.unit else "or exactly"
    return element(
        "fieldset",
        element("legend", slider.name),
        element("p", slider.about, class_="note"),
        element("p", "At ", element("output", words[at], class_="at"), f"; now {words[at]}."),
        field("at", f"From {words[0]} to {words[-1]}", "range", **ends, **told, **asks),
        field("value", exactly, "number", step="any", hx_trigger="change", **asks),
        busy("Asking…"),
        element("div", id=target, class_="answer", aria_live="polite"),
        class_="slider",
    )


def _worded(value: float, slider: Slider) -> str:
    """Return a value with its unit: four digits, and words for what is large."""
    return with_unit(figure(value, "level") if abs(value) >= 1e4 else f"{value:.4g}", slider.unit)


def answer_part(request: Request, name: str, run: Run, found: Answered, turn: int) -> HTMLResponse:
    """Return what the claims say at a value, and ask for more where there is more to know."""
    slider = found.slider
    rows = [Row((claim, *_cells(run, claim, found))) for claim in found.points]
    columns = (Column("Claim", False), Column("there"), Column("± error"), Column("in the run"))
    at = _worded(found.value, slider)
    told = table(columns, rows, caption=f"At {at}, on {found.paths:,} paths")
    if found.paths == run.scenario.paths:
        words = "On all paths of the run; ± is the standard error of sampling, a range its 95 %."
        return HTMLResponse(told + element("p", words, class_="note done", data_at=at))
    asked = {"input": slider.name, "value": repr(found.value), "turn": turn}
    address = link(request, "run", name, "answer", **asked)
    words = f"In {found.seconds:.1f} s; sharpening on all {run.scenario.paths:,} paths…"
    asks = {"hx_get": address, "hx_trigger": "load", "hx_target": "closest .answer", "data_at": at}
    return HTMLResponse(told + element("p", words, class_="note", **asks))


def _cells(run: Run, claim: str, found: Answered) -> tuple[str, str, str]:
    """Return what a claim says there, its error, and what it says in the run."""
    verdict, point = run.judged[claim], found.points[claim]
    scale = "share" if verdict.kind == "event" else verdict.scale

    def worded(value: float) -> str:
        return share(value) if verdict.kind == "event" else difference(value, scale)

    now = verdict.probability if verdict.kind == "event" else verdict.estimate
    before = "" if math.isnan(now) else worded(now)
    if point is None or math.isnan(point.told):
        return "not testable", "", before
    if point.probability in (0.0, 1.0):  # no error is counted there, and yet there is one
        return worded(point.told), interval(found.interval(claim)), before
    return worded(point.told), figure(point.standard_error, scale).replace("%", "points"), before
