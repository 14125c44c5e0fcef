"""The first page, all runs and what starts another; and that of a run that is not finished."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse

from simulator.report.markup import Column, Html, Row, element, section, table
from simulator.scenario.reader import read_yaml
from simulator.scenario.shipped import shipped_scenarios
from simulator.serve.jobs import Jobs, Watched
from simulator.serve.runs import Runs
from simulator.serve.shell import button, choice, faults, field, header, link, page, swap
from simulator.shelf import none_in, state_of

_WORDS = {
    "running": "At work.",
    "cancelled": "Cancelled. What it has simulated stays; resuming goes on from there.",
    "failed": "It did not come to its end; the last line says why.",
    "left": "Not finished, and nobody here is at work on it.",
    "done": "Finished.",
}


def list_page(
    request: Request,
    runs: Runs,
    jobs: Jobs,
    scenario: str = "",
    error: Exception | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:
    """Return the list and the form; `error` is why the last scenario was not started."""
    parts = [_listed(request, runs, jobs), _start(request, scenario, error)]
    body = element("main", *(reversed(parts) if error else parts))
    return page(request, "runs", header(request, "Runs", f"in {runs.folder}"), body, status=status)


def _listed(request: Request, runs: Runs, jobs: Jobs) -> Html:
    listed = runs.listed()
    if not listed:
        return element("p", f"{none_in(runs.folder)}, or start one below.", class_="lead")
    rows = [
        Row(
            (
                element("a", run["run"], href=link(request, "run", run["run"])),
                "" if run["paths"] is None else f"{run['paths']:,}",
                "at work" if jobs.is_running(run["run"]) else state_of(run),
            )
        )
        for run in listed
    ]
    columns = (Column("Run", False), Column("paths"), Column("found", False))
    return table(columns, rows, caption="All runs, the latest first", class_="stack")


def _start(request: Request, scenario: str, error: Exception | None) -> Html:
    fields = element(
        "form",
        choice("scenario", "Ready scenario", ready_scenarios(), scenario),
        field("file", "or a file of yours", "file", accept=".yaml,.yml"),
        field("paths", "Paths, if others than it says", "number", min=1, step=1),
        field("quick", "Paths alone, without sets and replays: quicker", "checkbox", value="on"),
        button("Start"),
        method="post",
        action=link(request, "start"),
        enctype="multipart/form-data",
        class_="start",
    )
    return section("start", "Start a run", *([faults(error)] if error else []), fields)


@cache
def ready_scenarios() -> tuple[tuple[str, str], ...]:
    """Return the ready scenarios, each with its name and title; to read them takes a second."""
    titles = ((file.stem, read_yaml(file).data.get("title", "")) for file in shipped_scenarios())
    return tuple((name, f"{name}: {title}") for name, title in titles)


def job_page(request: Request, name: str, watched: Watched) -> HTMLResponse:
    """Return the page of a run that is not finished."""
    running = watched.state == "running"
    address = link(request, "run", name, "stages")
    asks = swap(address, "job", hx_trigger="every 1s") if running else {}
    job = element("div", *_parts(request, name, watched), id="job", **asks)
    head = header(request, name, "a run that is not finished yet")
    return page(request, name, head, element("main", section("stages", "Stages", job)))


def _parts(request: Request, name: str, watched: Watched) -> Iterator[Html]:
    running, last = watched.state == "running", len(watched.stages) - 1
    yield element("p", _WORDS[watched.state], role="status", class_="lead")
    yield element(
        "ol",
        *(
            element("li", words, class_="now" if running and place == last else "done")
            for place, words in enumerate(watched.stages)
        ),
        class_="stages",
    )
    if running and watched.compiling:
        yield element("p", watched.compiling, class_="note")
    if running and watched.of > 1:
        words = f"{watched.chunks} of {watched.of} parts of the paths are written"
        bar = element("progress", words, value=str(watched.chunks), max=str(watched.of))
        yield element("label", words, bar)
    if watched.state == "done":
        yield element("a", "What it found", href=link(request, "run", name), class_="button")
    elif running or watched.command:
        what, words = ("cancel", "Cancel") if running else ("resume", "Resume")
        address = link(request, "run", name, what)
        yield element("form", button(words), method="post", action=address)
    if watched.command:
        words = "From a terminal the same command goes on: "
        yield element("p", words, element("code", watched.command), class_="note")
