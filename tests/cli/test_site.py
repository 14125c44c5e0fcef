"""The documentation as a site: it builds without a warning, and asks no other host for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest
from browsing import chromium

import simulator as assay

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the built site; strict fails on a dead link or anchor, and on a page left out."""
    if find_spec("material") is None and os.environ.get("CI") != "true":
        pytest.skip("mkdocs-material is not installed: pip install -e '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


class Loads(HTMLParser):
    """What a browser fetches for a page by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        if tag in ("script", "img", "iframe", "source", "video", "audio"):
            self.found.append(said.get("src") or "")
        if tag == "link":
            self.found.append(said.get("href") or "")
        self.found += re.findall(r"url\(([^)]*)\)", said.get("style") or "")


def test_site__has_every_decision_and_every_public_name(site: Path) -> None:
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        assert (site / "decisions" / page.with_suffix(".html").name).is_file()
    python = (site / "reference" / "api.html").read_text(encoding="utf-8")
    missing = [name for name in assay.__all__ if f'.{name}"' not in python]
    assert missing == []


def test_site__no_page__loads_anything_from_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.found
        assert [url for url in loads.found if re.match(r"(https?:)?//", url)] == [], page
    for sheet in site.rglob("*.css"):
        asked = re.findall(r"(?:url\(|@import\s*)[\"']?(https?:)?//", sheet.read_text("utf-8"))
        assert asked == [], sheet


def test_site__no_page__shows_signs_that_were_meant_as_markup(site: Path) -> None:
    """A table or list without a blank line before it is a paragraph to mkdocs."""
    for page in sorted(site.rglob("*.html")):
        text = re.sub(r"<(pre|code)\b.*?</\1>", "", page.read_text("utf-8"), flags=re.DOTALL)
        shown = re.findall(r"<p>(.*?)</p>", text, re.DOTALL)
        assert [p for p in shown if re.search(r"^\s*(\||- |\d+\. )", p, re.MULTILINE)] == [], page


def test_site__read_from_a_disk__finds_what_is_searched_and_asks_nobody(site: Path) -> None:
    """A browser allows no worker there; `docs/javascripts/iframe-worker.js` stands in for it."""
    with chromium() as running:
        page = running.new_page()
        page.set_default_timeout(120_000)
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto((site / "reference" / "cli.html").as_uri())
        # what is pasted at once, without a key, may be read before it is there
        page.locator(".md-search__input").press_sequentially("underwriter")
        page.wait_for_selector(".md-search-result__item", state="attached")
    assert wrong == []
    assert [url for url in asked if url.startswith("http")] == []
