"""A browser for tests of pages; where there is none they are left out, but never in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SCREEN = {390: 844, 1280: 800}
"""Heights by width: a phone, and a desk."""


def missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@contextmanager
def chromium() -> Iterator[object]:
    """Yield a browser of Playwright's that is installed on this machine."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        missing("chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        running = playwright.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()


def axe() -> str:
    """Return the text of the script that looks for what keeps people out."""
    if not AXE.is_file():
        missing("axe-core")
    return AXE.read_text(encoding="utf-8")
