"""One run: a claim, one path of an investor day by day, what it did on a chain, the sliders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pandas as pd
from starlette.requests import Request
from starlette.responses import HTMLResponse

from simulator.errors import AssayError
from simulator.replay.select import LABELS
from simulator.replay.trace import trace_step
from simulator.replay.trace_words import ENGINE, trace_lines
from simulator.report.headline import groups
from simulator.report.markup import Html, contents, element, section
from simulator.report.one_path import befell_markup, chain_day, days_table, path_fan
from simulator.report.sections import claim_article, groups_markup
from simulator.serve.guard import NotThere
from simulator.serve.runs import Picked, Runs
from simulator.serve.shell import busy, button, choice, field, form, header, link, page, swap
from simulator.serve.slider_page import sliders_section
from simulator.study import Run
from simulator.study.keeping import KeptReplay
from simulator.words import UNIT_WORDS

_TABLES = {"prices": "Prices", "instruments": "Instruments", "investors": "Investors"}
"""What of a path is told day by day."""
_CONTENTS = (
    ("claim", "The claim"),
    ("path", "The path"),
    ("chain", "On a chain"),
    ("turns", "What would have to be true"),
)


@dataclass(frozen=True)
class View:
    """A finished run that a request asks for, and what of it."""

    request: Request
    name: str
    run: Run
    chosen: Picked

    def link(self, *to: str, **other: object) -> str:
        """Return a path that keeps what is picked, with something else in place of some of it."""
        return link(self.request, "run", self.name, *to, **{**self.chosen.asked, **other})


def run_page(view: View, runs: Runs) -> HTMLResponse:
    """Return the page of a run."""
    scenario = view.run.scenario
    facts = (
        f"{scenario.paths:,} paths of {scenario.horizon_days:,} days from {scenario.start} · "
        f"scenario {scenario.name} · seed {scenario.seed} · hypothetical performance, no forecast"
    )
    found = groups(scenario, list(view.run.judged.values()))
    verdicts = groups_markup(found, lambda one: view.link(claim=one.claim))
    sliders = runs.sliders(view.run)
    body = element(
        "main",
        element("section", *verdicts, class_="headline verdicts", aria_label="Verdicts"),
        _form(view),
        element("div", *_parts(view, runs), id="picked"),
        sliders_section(view.request, view.name, sliders),
    )
    # without a referrer: a report's scripts would read the token there
    address = f"{view.request.app.state.reports}/{quote(view.name, safe='')}"
    report = element("a", "Report", href=address, rel="noreferrer")
    head = header(view.request, scenario.title, facts, report)
    return page(view.request, scenario.title, head, contents(_CONTENTS), body, charts=True)


def _form(view: View) -> Html:
    chosen, own = view.chosen, view.run.simulation.investors
    units = [(unit, UNIT_WORDS[unit]) for unit in own[chosen.investor].units]
    claim, last = chosen.claim.claim if chosen.claim else "", view.run.scenario.paths - 1
    return form(
        link(view.request, "run", view.name),
        "picked",
        choice("claim", "Claim", [(one, one) for one in view.run.judged], claim),
        choice("investor", "Investor", [(one, one) for one in own], chosen.investor),
        choice("unit", "Unit", units, chosen.unit),
        field("path", f"Path, 0 to {last:,}", "number", value=chosen.path, min=0, max=last),
        button("Show", "Looking…"),
    )


def _parts(view: View, runs: Runs) -> Iterator[Html]:
    run, chosen = view.run, view.chosen
    if chosen.claim is not None:
        yield section("claim", "The claim", claim_article(run.simulation, chosen.claim))
    told = run.path(chosen.path)
    rows = run.nav(chosen.investor, chosen.unit).reset_index()
    title, unit = f"{chosen.investor}: what leaving pays", UNIT_WORDS[chosen.unit]
    labels = (element("a", at, href=view.link(path=at)) for at in LABELS)
    yield section(
        "path",
        f"Path {chosen.path:,}, day by day",
        element("p", "Paths that a run replays:", *labels, class_="note ways"),
        befell_markup(told.events),
        path_fan(rows, told.investors[chosen.investor, chosen.unit], title, unit, chosen.path),
        *(_days(view, what) for what in _TABLES),
    )
    played = runs.played(view.name, run, chosen.path)
    yield section("chain", "On a chain", *_chain(view, played))


def _days(view: View, what: str) -> Html:
    """Return a fold that fetches its table when it is opened; a link where there is no script."""
    address = view.link("days", what=what)
    inside = element("p", element("a", f"{_TABLES[what]} of every day", href=address))
    return element(
        "details",
        element("summary", f"{_TABLES[what]}, day by day"),
        element("div", inside, class_="inside"),
        class_="days",
        hx_get=address,
        hx_trigger="toggle once",
        hx_target="find .inside",
        hx_select=".scroll",
    )


def days_page(view: View, runs: Runs) -> HTMLResponse:
    """Return a table of one path's days; NotThere where there is none of such things."""
    del runs
    what, chosen = view.request.query_params.get("what", ""), view.chosen
    if what not in _TABLES:
        raise NotThere(f"there is no table {what[:40]}; there are {', '.join(_TABLES)}")
    frame: pd.DataFrame = getattr(view.run.path(chosen.path), what)
    if what != "prices":
        own = [d == chosen.unit or d not in UNIT_WORDS for d in frame.columns.get_level_values(1)]
        frame = frame.loc[:, own]
    title = f"{_TABLES[what]} of path {chosen.path:,}"
    return _beside(view, title, days_table(frame, title))


def _beside(view: View, title: str, *inside: Html) -> HTMLResponse:
    """Return a page of its own for what a script puts into the run's."""
    way = element("a", "The run", href=view.link())
    head = header(view.request, title, view.run.scenario.title, way)
    return page(view.request, title, head, element("main", *inside))


def _chain(view: View, played: KeptReplay | None) -> Iterator[Html]:
    """Yield what a path did on a chain, a day of it; else what would replay it."""
    chosen = view.chosen
    if played is None:
        yield element("p", f"Path {chosen.path:,} has not been replayed; it takes some seconds.")
        send = button(f"Replay path {chosen.path:,}", "Replaying…")
        yield form(view.link("replay"), "chain", send, method="post")
        return
    as_what = f"The run replayed it as {played.label}" if played.label else "Replayed here"
    agree = "model and contracts agree" if played.ok else "model and contracts differ"
    sent = f"{len(played.transactions):,} transactions and {len(played.events):,} events"
    yield element("p", f"{as_what} on {played.chain}: {agree}; {sent} in all.")
    kept = (field(k, "", "hidden", value=v) for k, v in chosen.asked.items() if k != "day")
    last = view.run.scenario.horizon_days
    day = field("day", f"Day, 0 to {last:,}", "number", value=chosen.day, min=0, max=last)
    address = link(view.request, "run", view.name)
    yield form(address, "chain", *kept, day, button("Show", "Looking…"))
    yield from chain_day(played, chosen.day)
    address, words = view.link("trace"), f"Trace day {chosen.day:,}: what each call did inside"
    yield element("a", words, href=address, class_="button", **swap(address, "trace"))
    yield busy("Replaying and tracing…")
    yield element("div", id="trace")


def trace_page(view: View, runs: Runs) -> HTMLResponse:
    """Return what each call of a day did inside; the path is replayed first, if it was not here."""
    path, day = view.chosen.path, view.chosen.day
    try:
        seen = trace_step(runs.replay(view.run, path).evidence, day)
        lines = trace_lines(seen, seen) or ["no transaction on this day"]
        words = f"{len(seen):,} transactions, played again in {ENGINE}."
        found = [element("p", words), element("pre", "\n".join(lines), tabindex="0")]
    except AssayError as error:
        found = [element("p", str(error), class_="fault", role="alert")]
    title = f"Trace of path {path:,} on day {day:,}"
    date = view.run.scenario.start + dt.timedelta(days=day)
    inside = element("div", element("h3", f"{title}, {date}"), *found, id="trace")
    return _beside(view, title, inside)
