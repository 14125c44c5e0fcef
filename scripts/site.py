"""What mkdocs asks while it builds the documentation: the list of decisions is their folder's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DECISIONS = "decisions/"


def on_config(config: Any) -> Any:
    """Return the configuration with every decision where `mkdocs.yml` names their folder."""
    folder = Path(config.docs_dir) / DECISIONS
    pages = [f"{DECISIONS}{path.name}" for path in sorted(folder.glob("*.md"))]
    config.nav = _with_pages(config.nav, pages)
    return config


def _with_pages(nav: Any, pages: list[str]) -> Any:
    if isinstance(nav, list):
        return [_with_pages(item, pages) for item in nav]
    if isinstance(nav, dict):
        return {title: _with_pages(item, pages) for title, item in nav.items()}
    return pages if nav == DECISIONS else nav
