"""The server: which address shows what, and how a fault is answered."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import pandas as pd
from plotly.offline import get_plotlyjs
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from simulator.engine.compare import VERDICTS
from simulator.engine.sliders import Answered, Slider
from simulator.errors import AssayError, InputError, UsageError
from simulator.serve.answers import Answers
from simulator.serve.guard import Busy, Guard, NotThere
from simulator.serve.jobs import Jobs
from simulator.serve.list_page import job_page, list_page, ready_scenarios
from simulator.serve.run_page import View, days_page, run_page, trace_page
from simulator.serve.runs import Runs, picked, whole
from simulator.serve.shell import fault, link
from simulator.serve.slider_page import answer_part
from simulator.shelf import ANSWER, read_json
from simulator.study import Run

_REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:"
)
"""A report has its scripts within: sandboxed they reach nothing here, but read their own address.

They can tell it to others, so it holds a token that opens reports alone.
"""
_MOST_TURNS = 10**9
MOST_BYTES = 256 * 1024
"""Of a posted file."""
_FILES = {
    **dict.fromkeys(("htmx.min.js", "serve.js", "serve.css"), files("simulator.serve") / "static"),
    **dict.fromkeys(("page.js", "page.css"), files("simulator.report")),
}


class Server:
    """Answers requests from what a folder of runs holds."""

    def __init__(self, runs: Runs, jobs: Jobs) -> None:
        self._runs, self._jobs, self._answers = runs, jobs, Answers()

    def routes(self) -> list[Route]:
        """Return what is shown where."""
        shown: dict[str, Callable[..., Any]] = {
            "/": lambda request: list_page(request, self._runs, self._jobs),
            "/run/{name}": self._run,
            "/run/{name}/stages": self._stages,
            "/run/{name}/days": partial(self._beside, days_page),
            "/run/{name}/trace": partial(self._beside, trace_page),
            "/run/{name}/answer": self._answer,
            "/static/{file}": _static,
        }
        posted: dict[str, Callable[..., Any]] = {
            "/start": self._start,
            "/run/{name}/cancel": partial(self._order, self._jobs.cancel),
            "/run/{name}/resume": partial(self._order, self._jobs.resume),
            "/run/{name}/replay": self._replay,
        }
        data: dict[str, Callable[..., Any]] = {
            "/api/runs": self._runs.listed,
            "/api/runs/{name}": self._found,
            "/api/runs/{name}/verdicts": self._kept,
            "/api/runs/{name}/measures/{who}": self._measures,
            "/api/runs/{name}/path/{number}": self._path,
        }
        return [
            *(Route(path, shows) for path, shows in shown.items()),
            *(Route(path, does, methods=["POST"]) for path, does in posted.items()),
            *(Route(path, partial(self._json, find)) for path, find in data.items()),
        ]

    def _run(self, request: Request) -> Response:
        name = self._name(request)
        if self._jobs.is_running(name) or not self._runs.is_finished(name):
            return self._stages(request)
        view = self._view(request)
        self._answers.warm(view.run, self._runs.sliders(view.run))
        return run_page(view, self._runs)

    def _stages(self, request: Request) -> Response:
        name = self._name(request)
        return job_page(request, name, self._jobs.watched(name))

    def _beside(self, shows: Callable[[View, Runs], Response], request: Request) -> Response:
        """Show what a script puts into a run's page, as a page of its own too."""
        return shows(self._view(request), self._runs)

    def report(self, request: Request) -> Response:
        """Show the run's own report, kept apart from this server."""
        file = self._runs.place(request.path_params["name"]) / "report.html"
        if not file.is_file():
            raise NotThere(f"run {file.parent.name} has no report")
        headers = {"content-security-policy": _REPORT_POLICY, "referrer-policy": "no-referrer"}
        return Response(file.read_bytes(), media_type="text/html", headers=headers)

    def _answer(self, request: Request) -> Response:
        run, asked = self._opened(request), request.query_params
        slider = self._slider(run, asked.get("input", ""))
        value = _value(slider, asked.get("at"), asked.get("value"))
        found: Answered | None
        if "turn" in asked:
            turn = whole(asked["turn"], "turn", _MOST_TURNS)
            found = self._answers.sharp(run, slider, value, turn)
        else:
            found, turn = self._answers.quick(run, slider, value)
        if found is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return answer_part(request, self._name(request), run, found, turn)

    async def _start(self, request: Request) -> Response:
        async with request.form(max_files=1, max_fields=8) as form:
            file = form.get("file")
            called = (file.filename or "") if isinstance(file, UploadFile) else ""
            text = await file.read() if isinstance(file, UploadFile) else b""
            given = {key: str(form.get(key) or "") for key in ("scenario", "paths", "quick")}
        return await run_in_threadpool(self._begin, request, text, called, **given)

    def _begin(
        self, request: Request, text: bytes, called: str, scenario: str, paths: str, quick: str
    ) -> Response:
        """Start what was posted, or say each of its faults above the form."""
        changes = (f"paths={paths}",) if paths else ()
        try:
            if len(text) > MOST_BYTES:
                raise UsageError(f"{called} has {len(text):,} bytes; at most {MOST_BYTES:,}")
            if called:
                name = self._jobs.start_posted(text, called, changes, quick=bool(quick))
            elif scenario in dict(ready_scenarios()):
                name = self._jobs.start(scenario, changes, quick=bool(quick))
            else:
                raise NotThere(f"there is no ready scenario '{scenario[:80]}'")
        except AssayError as error:
            return list_page(request, self._runs, self._jobs, scenario, error, _status(error))
        return RedirectResponse(link(request, "run", name), HTTPStatus.SEE_OTHER)

    def _order(self, does: Callable[[str], None], request: Request) -> Response:
        does(name := self._name(request))
        return RedirectResponse(link(request, "run", name), HTTPStatus.SEE_OTHER)

    def _replay(self, request: Request) -> Response:
        view = self._view(request)
        self._runs.replay(view.run, view.chosen.path)
        return run_page(view, self._runs)

    def _found(self, name: str) -> Any:
        """Return what a run found, as `assay run --json` prints it; and whether it is finished."""
        if not self._runs.is_finished(name):
            return {"run": self._runs.place(name).name, "finished": False}
        return {"run": name, "finished": True, **self._kept(name, ANSWER)}

    def _measures(self, name: str, who: str) -> Any:
        return _frame(self._runs.open(name).measures(who))

    def _path(self, name: str, number: str) -> Any:
        run = self._runs.open(name)
        told = run.path(whole(number, "path", run.scenario.paths - 1))
        frames = ("prices", "instruments", "investors", "events")
        return {"number": told.number, **{one: _frame(getattr(told, one)) for one in frames}}

    def _kept(self, name: str, file: str = VERDICTS) -> Any:
        if not self._runs.is_finished(name):
            raise NotThere(f"run {name} is not finished")
        place = self._runs.place(name) / file
        return read_json(place, dict) if file == ANSWER else read_json(place, list)

    def _json(self, find: Callable[..., Any], request: Request) -> Response:
        try:
            return JSONResponse(find(**request.path_params))
        except InputError:
            raise
        except UsageError as error:  # what is named is not there
            raise NotThere(str(error)) from None

    def _name(self, request: Request) -> str:
        """Return the run that a path names: one of the folder, or one that was just started."""
        name = str(request.path_params["name"])
        if not self._jobs.is_known(name):
            self._runs.place(name)
        return name

    def _view(self, request: Request) -> View:
        run = self._opened(request)
        return View(request, self._name(request), run, picked(run, request.query_params))

    def _opened(self, request: Request) -> Run:
        return self._runs.open(self._name(request))

    def _slider(self, run: Run, name: str) -> Slider:
        for slider in self._runs.sliders(run):
            if slider.name == name:
                return slider
        raise NotThere(f"no claim of this run names '{name[:80]}' in its break_even")


def _frame(frame: pd.DataFrame) -> Any:
    """Return a frame as columns, index and data: `pandas.DataFrame(**found)` is it again."""
    if isinstance(frame.columns, pd.MultiIndex):
        frame = frame.set_axis([".".join(column) for column in frame.columns], axis=1)
    return json.loads(frame.to_json(orient="split", date_format="iso", double_precision=15))


def _value(slider: Slider, at: str | None, exactly: str | None) -> float:
    if exactly is None:
        return slider.stops[whole(at or "", "stop", len(slider.stops) - 1)]
    try:
        value = float(exactly)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{slider.name} is '{exactly[:40]}'; must be a number")
    return value


def _status(error: Exception) -> HTTPStatus:
    if isinstance(error, NotThere):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, Busy):
        return HTTPStatus.CONFLICT
    usage = isinstance(error, (UsageError, InputError))
    return HTTPStatus.UNPROCESSABLE_ENTITY if usage else HTTPStatus.SERVICE_UNAVAILABLE


def _told(request: Request, error: Exception) -> Response:
    """Say what is wrong in one line, to a notebook as JSON."""
    if isinstance(error, HTTPException):
        words, status = str(error.detail), error.status_code
    else:
        words, status = str(error), int(_status(error))
    if request.scope["root_path"] == request.app.state.reports:
        return PlainTextResponse(f"{words}\n", status)
    if request.url.path.startswith(link(request, "api", "")):
        return JSONResponse({"error": words}, status)
    return fault(request, words, status)


def _left(request: Request, error: Exception) -> Response:
    del request, error  # nobody is there to be told
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _static(request: Request) -> Response:
    name = request.path_params["file"]
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    headers = {"cache-control": "private, max-age=3600"}
    if name == "plotly.min.js":
        return Response(get_plotlyjs(), media_type=kind, headers=headers)
    if name not in _FILES:
        raise NotThere(f"there is no file {name[:80]}")
    text = (_FILES[name] / name).read_bytes()
    return Response(text, media_type=kind, headers=headers)


def application(runs: Runs, jobs: Jobs, token: str, port: int) -> ASGIApp:
    """Return the server behind its guard: all of it under the token, reports under their own."""
    handlers = {AssayError: _told, HTTPException: _told, ClientDisconnect: _left}
    server, reports = Server(runs, jobs), f"/report/{secrets.token_urlsafe(24)}"
    app = Starlette(routes=server.routes(), exception_handlers=handlers)
    beside = Starlette(routes=[Route("/{name}", server.report)], exception_handlers=handlers)
    app.state.reports = beside.state.reports = reports
    return Guard({f"/{token}": app, reports: beside}, port)
