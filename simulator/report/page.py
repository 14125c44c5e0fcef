"""The shell of every page: no network, no clock, style and charts within the file."""

from __future__ import annotations

from importlib.resources import files

from simulator.report import charts
from simulator.report.markup import Html, element, join

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""The browser itself holds the page to its promise: nothing is fetched."""


def document(title: str, body: Html) -> str:
    """Return a whole page around `body`."""
    script = Html(f"<script>{_resource('page.js')}</script>")
    whole = join((body, charts.library(), script))
    return f'<!DOCTYPE html>\n<html lang="en">\n{_head(title)}\n<body>{whole}</body>\n</html>\n'


def _resource(name: str) -> str:
    return (files("simulator.report") / name).read_text(encoding="utf-8")


def _head(title: str) -> Html:
    return element(
        "head",
        Html('<meta charset="utf-8">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<link rel="icon" href="data:,">'),
        element("title", f"Assay: {title}"),
        Html(f"<style>{_resource('page.css')}</style>"),
    )
