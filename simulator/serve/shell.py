"""What all pages share: the head, the way back, forms, and how a fault looks."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse

from simulator.errors import InputError
from simulator.report.charts.base import DARK, data_block
from simulator.report.markup import Html, element, join

_HTMX = {
    "includeIndicatorStyles": False,  # an inline style that the policy would have to name
    "allowEval": False,
    "selfRequestsOnly": True,
    "reportValidityOfForms": True,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "responseHandling": [
        {"code": "204", "swap": False},
        {"code": "[23]..", "swap": True},
        # a fault is said where the answer would stand
        {"code": "[45]..", "swap": True, "select": ".fault", "swapOverride": "innerHTML"},
    ],
}
_HEAD = Html(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    f'<meta name="htmx-config" content=\'{json.dumps(_HTMX)}\'><link rel="icon" href="data:,">'
)
_STYLES, _SCRIPTS = ("page.css", "serve.css"), ("htmx.min.js", "serve.js")
_OF_CHARTS = ("plotly.min.js", "page.js")


def link(request: Request, *parts: str, **asked: object) -> str:
    """Return a path of this server, with the token in front."""
    path = "/".join(quote(part, safe="") for part in parts)
    query = f"?{urlencode(asked)}" if asked else ""
    return f"{request.scope['root_path']}/{path}{query}"


def page(
    request: Request, title: str, *body: str, status: int = HTTPStatus.OK, charts: bool = False
) -> HTMLResponse:
    """Return a whole page; `charts` is whether it draws any."""
    styles = (f'<link rel="stylesheet" href="{link(request, "static", n)}">' for n in _STYLES)
    names = (*_SCRIPTS, *(_OF_CHARTS if charts else ()))
    scripts = (f'<script defer src="{link(request, "static", n)}"></script>' for n in names)
    loaded = Html("".join((*styles, *scripts)))
    head = element("head", _HEAD, element("title", f"Assay: {title}"), loaded)
    colours = data_block("dark-colours", json.dumps(dict(DARK))) if charts else Html("")
    inside = element("body", *body, colours)
    return HTMLResponse(f'<!DOCTYPE html>\n<html lang="en">{head}{inside}</html>\n', status)


def header(request: Request, title: str, facts: str, *ways: str) -> Html:
    """Return a page's head line, with the way back to the list."""
    back = element("a", "All runs", href=link(request, ""))
    line = element("p", back, *ways, class_="eyebrow ways")
    return element("header", line, element("h1", title), element("p", facts, class_="facts"))


def fault(request: Request, words: str, status: int) -> HTMLResponse:
    """Return a page that says in one line what is wrong."""
    line = element("p", words, class_="fault", role="alert")
    title = HTTPStatus(status).phrase
    return page(request, title, header(request, title, ""), element("main", line), status=status)


def faults(error: Exception) -> Html:
    """Return the faults of a scenario, a line each."""
    found = error.problems if isinstance(error, InputError) else [error]
    lines = [str(one).removeprefix("--set").lstrip(": ") for one in found]  # the form has no --set
    items = (element("li", element("code", line)) for line in lines)
    count = f"Not started: {len(lines)} fault{'' if len(lines) == 1 else 's'}."
    return element("div", element("p", count), element("ul", *items), class_="fault", role="alert")


def choice(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> Html:
    """Return a labelled choice among (value, words)."""
    found = (
        element("option", words, value=value, **({"selected": ""} if value == chosen else {}))
        for value, words in options
    )
    return element("label", element("span", label), element("select", *found, name=name))


def field(name: str, label: str, kind: str, **attributes: object) -> Html:
    """Return a labelled field; without a label it is one that nobody sees."""
    given = {"type": kind, "name": name, **attributes}
    pairs = (f' {key.replace("_", "-")}="{html.escape(str(v))}"' for key, v in given.items())
    found = Html(f"<input{''.join(pairs)}>")
    return element("label", element("span", label), found) if label else found


def button(words: str, meanwhile: str = "") -> Html:
    """Return the button of a form, and what is seen while its answer is under way."""
    return join((element("button", words, type="submit"), busy(meanwhile)))


def busy(words: str) -> Html:
    """Return what is seen while an answer is under way."""
    return element("span", words, class_="busy", role="status") if words else Html("")


def swap(address: str, into: str, *, method: str = "get", **more: str) -> dict[str, str]:
    """Return the attributes that put the part `#into` of a page in place of that of this one."""
    place = {"hx_target": f"#{into}", "hx_select": f"#{into}", "hx_swap": "outerHTML"}
    return {f"hx_{method}": address, **place, **more}


def form(address: str, into: str, *inside: str, method: str = "get") -> Html:
    """Return a form that shows another `#into`, at each change where it only asks.

    Without a script its button sends it.
    """
    more = {"hx_trigger": "change delay:100ms, submit", "hx_push_url": "true"}
    asks: dict[str, Any] = swap(address, into, method=method, **(more if method == "get" else {}))
    return element("form", *inside, method=method, action=address, class_="pick", **asks)
