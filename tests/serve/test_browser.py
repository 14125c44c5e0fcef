"""The server in a browser, on a phone and on a desk; whatever it asks of others is a fault."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from browsing import SCREEN, axe, chromium
from served import SCENARIO

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@contextmanager
def a_server(folder):
    """Run `assay serve` over a folder and yield the address that it prints."""
    command = [sys.executable, "-m", "simulator.cli", "serve", str(folder), "--port", "8790"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        server.stdout.close()


@pytest.fixture(scope="module")
def address(browser, tiny):
    del browser  # where there is none, nothing is served
    with a_server(tiny.parent) as found:
        yield found


@contextmanager
def opened(browser, address, path="", width=1280, **options):
    """Yield a page that may ask nobody but the server, and must not complain."""
    size = {"width": width, "height": SCREEN[width]}
    context = browser.new_context(viewport=size, **options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    faults = []

    def asked(request):
        report = f"{address.rsplit('/', 2)[0]}/report/"
        if not request.url.startswith((address, report, "data:", "blob:")):
            faults.append(request.url)

    page.on("request", asked)
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{address}{path}")
    yield page
    context.close()
    assert faults == []


PAGES = ("", "run/tiny-run")


@pytest.mark.parametrize("width", [390, pytest.param(1280, marks=pytest.mark.deep)])
def test_pages__light_and_dark__fit_and_have_no_serious_finding_of_axe(browser, address, width):
    script = axe()
    for path in PAGES:
        with opened(browser, address, path, width, color_scheme="light") as page:
            open_all(page)
            page.evaluate(script)
            for colours, paper in (("light", "255, 255, 255"), ("dark", "20, 24, 28")):
                page.emulate_media(color_scheme=colours)
                background = page.evaluate("getComputedStyle(document.body).backgroundColor")
                assert background == f"rgb({paper})"
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                found = page.evaluate("axe.run().then(result => result.violations)")
                grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
                assert [(rule["id"], rule["nodes"][0]["html"]) for rule in grave] == []


def open_all(page):
    """Open every fold, look at every chart, and move the slider to its end."""
    for fold in page.query_selector_all("main details summary"):
        fold.click()
    for chart in page.query_selector_all(".chart"):
        chart.scroll_into_view_if_needed()
        chart.wait_for_selector("svg", state="attached")
    if page.query_selector("[type=range]"):
        page.wait_for_selector(".days >> nth=2 >> table")
        page.focus("[type=range]")
        page.keyboard.press("End")
        page.wait_for_selector(".answer .done")


def test_keyboard__alone__reaches_everything(browser, address):
    focusable = "a[href], summary, input:not([type=hidden]), select, button, [tabindex='0']"
    for path in PAGES:
        with opened(browser, address, path) as page:
            shown = f"[...document.querySelectorAll({focusable!r})].filter(e=>e.checkVisibility())"
            wanted = page.evaluate(f"{shown}.length")
            reached = set()
            for _ in range(wanted + 2):  # a file's field has two stops
                page.keyboard.press("Tab")
                reached.add(page.evaluate(f"{shown}.indexOf(document.activeElement)"))
            assert set(range(wanted)) <= reached


def test_pick__a_path_and_a_day__are_shown_without_a_reload(browser, address):
    with opened(browser, address, "run/tiny-run") as page:
        page.evaluate("window.still = true")
        page.select_option("[name=unit]", "usd")
        page.wait_for_selector("text=what leaving pays, in dollars")
        page.fill("[name=path]", "126")
        page.keyboard.press("Tab")
        page.wait_for_selector("text=Path 126, day by day")
        page.locator(".chart").scroll_into_view_if_needed()
        page.wait_for_selector(".chart svg", state="attached")
        page.click("summary >> text=Prices, day by day")
        page.wait_for_selector(".days table >> text=2026-02-19")
        page.fill("[name=day]", "7")
        page.keyboard.press("Tab")
        page.wait_for_selector("text=Transactions of day 7")
        assert page.evaluate("window.still")
        assert "path=126" in page.url
        assert "day=7" in page.url
        page.reload()
        assert page.is_visible("text=Path 126, day by day")


def test_slider__moved_by_keys__answers_within_two_seconds_and_is_sharpened(browser, address):
    with opened(browser, address, "run/tiny-run", 390) as page:
        page.wait_for_timeout(500)
        slider = page.locator("[type=range]")
        assert slider.get_attribute("aria-valuetext") == "0.05\u00a0a year"
        slider.focus()
        page.keyboard.press("ArrowRight")
        began = time.monotonic()
        page.keyboard.press("End")
        page.wait_for_selector(".answer table >> text=falls-little")
        assert time.monotonic() - began < 2
        page.wait_for_selector(".answer .done")
        assert slider.get_attribute("aria-valuetext") == page.inner_text(".at")
        assert "on 128 paths" in page.inner_text(".answer")
        at_end = page.inner_text(".answer td >> nth=0")
        assert float(at_end.split()[0]) < 90  # the run has 100 %
        page.fill("[name=value]", "0.05")
        page.keyboard.press("Enter")
        page.wait_for_selector(".answer >> text=At 0.05")
        assert page.inner_text(".at") == "0.05\u00a0a year"
        page.fill("[name=value]", "0.123456")
        page.keyboard.press("Enter")
        page.wait_for_selector(".answer >> text=At 0.1235")
        assert page.inner_text(".at") == "0.1235\u00a0a year"
        page.fill("[name=value]", "0.05")
        page.keyboard.press("Enter")
        page.wait_for_selector(".answer >> text=At 0.05")
        assert page.inner_text(".answer td >> nth=0") == "100\u00a0%"


def test_page__without_a_script__is_picked_and_read_all_the_same(browser, address):
    with opened(browser, address, "run/tiny-run", 390, java_script_enabled=False) as page:
        page.fill("[name=path]", "17")
        page.click("form.pick >> nth=0 >> text=Show")
        assert page.is_visible("text=Path 17, day by day")
        page.click("summary >> text=Prices, day by day")
        page.click("text=Prices of every day")
        assert page.is_visible("text=Prices of path 17")


@pytest.mark.deep
def test_report__of_the_run__draws_and_cannot_reach_the_server(browser, address):
    with opened(browser, address, "run/tiny-run") as page:
        page.click("text=Report")
        page.click("#instruments-title")
        page.wait_for_selector(".chart .main-svg")
        assert page.evaluate("window.origin") == "null"
        token = address.split("/")[3]
        assert token
        told = page.evaluate("[location.href, document.referrer, document.baseURI].join(' ')")
        assert "/report/" in told
        assert token not in told


def test_file_with_faults__started__shows_each_with_its_line(browser, address, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(SCENARIO.replace("paths: 128", "paths: 0").replace("days: 30", "days: x"))
    context = browser.new_context()  # a 422 is a line in the console
    page = context.new_page()
    page.goto(address)
    page.set_input_files("[name=file]", file)
    page.click("text=Start >> nth=-1")
    told = page.inner_text(".fault")
    context.close()
    assert "mine.yaml:4: paths is 0" in told
    assert "mine.yaml:5: horizon_days is 'x'" in told


@pytest.mark.deep
def test_run__started_watched_cancelled_and_resumed__in_the_browser(browser, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(SCENARIO.replace("paths: 128", "paths: 60000"))
    with a_server(tmp_path) as address, opened(browser, address, "", 390) as page:
        assert page.is_visible("text=holds no runs; assay run gold-vault-sober makes one")
        page.set_input_files("[name=file]", file)
        page.check("[name=quick]")
        page.click("button >> text=Start")
        page.wait_for_selector("text=simulating 60,000 paths over 30 days")
        page.wait_for_function("Number(document.querySelector('progress')?.value) >= 1")
        page.click("text=Cancel")
        page.wait_for_selector("text=Cancelled. What it has simulated stays")
        page.click("button >> text=Resume")
        page.wait_for_selector("text=/[0-9,]+ of 60,000 paths are there; going on with these/")
        page.wait_for_selector("text=Finished.")
        page.click("text=What it found")
        page.wait_for_selector("#claim-falls-little")
        page.click("text=Replay path")
        page.wait_for_selector("text=Replayed here on")
        page.click("text=Trace day 30")
        page.wait_for_selector("#trace pre:has-text('update_answer')")
