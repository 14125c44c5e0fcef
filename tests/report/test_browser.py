"""The page in a browser, on a phone and on a desk, with the network shut."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
import samples
import test_market_page

from simulator.report import render_html, render_market

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SANDBOXLESS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        _missing("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=SANDBOXLESS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    run = samples.loaded("title=A <b>title</b> & averylongwordthatmustnotwidenthepageonaphone")
    found = samples.simulation(run)
    replays = [samples.replay(), samples.replay("events", 9, ok=False)]
    page = render_html(run, found, samples.verdicts(run, found), replays)
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(page, encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("width", [390, 1280])
def test_page__in_a_browser__draws_all_charts_without_errors_or_overflow(browser, address, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    errors, requests = [], []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    page.wait_for_function(
        "[...document.querySelectorAll('.plotly-graph-div')].every(d => d.querySelector('svg'))"
    )
    measured = page.evaluate(
        """() => ({
            page: document.documentElement.scrollWidth,
            charts: document.querySelectorAll('.plotly-graph-div').length,
            tooWide: [...document.querySelectorAll('.plotly-graph-div .main-svg')].filter(
                s => s.getBoundingClientRect().right > window.innerWidth + 1).length,
            drawn: document.querySelectorAll('.plotly-graph-div .trace, .plotly-graph-div .points')
                .length,
        })"""
    )
    context.close()
    assert errors == []
    assert requests == [address]
    assert measured["page"] <= width
    assert measured["tooWide"] == 0
    # 2 instruments, 2 waterfalls, 4 fans of exit values, 5 distributions, gold, utilisation,
    # 2 replays
    assert measured["charts"] == 17
    assert measured["drawn"] > measured["charts"]


@pytest.mark.parametrize("width", [390, 1280])
def test_market__in_a_browser__draws_all_charts_without_errors_or_overflow(
    browser, tmp_path, width
):
    page_text = render_market(
        test_market_page.loaded(), test_market_page.with_channels(), test_market_page.against()
    )
    file = tmp_path / "market.html"
    file.write_text(page_text, encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    errors = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_function(
        "[...document.querySelectorAll('.plotly-graph-div')].every(d => d.querySelector('svg'))"
    )
    measured = page.evaluate(
        """() => ({
            page: document.documentElement.scrollWidth,
            charts: document.querySelectorAll('.plotly-graph-div').length,
            tooWide: [...document.querySelectorAll('.plotly-graph-div .main-svg')].filter(
                s => s.getBoundingClientRect().right > window.innerWidth + 1).length,
        })"""
    )
    context.close()
    assert errors == []
    assert measured["page"] <= width
    assert measured["tooWide"] == 0
    assert measured["charts"] == 8  # 3 waterfalls, 3 prices, 2 factors


def test_page__printed__keeps_its_charts_on_the_paper(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.wait_for_function("document.querySelector('.plotly-graph-div svg') !== null")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    widest = "Math.max(...[...document.querySelectorAll('.main-svg')].map(s => s.clientWidth))"
    page.wait_for_function(f"{widest} <= 330")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(f"{widest} > 330")
    page.close()
