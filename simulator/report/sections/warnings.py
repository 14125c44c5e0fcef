"""What a reader must know before he believes a number: odd inputs, prices of another day."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.report.markup import Html, element, join, section


def warnings_section(warned: Sequence[str], notes: Sequence[str] = ()) -> Html:
    """Return what was warned of and how the history was read; nothing where there is neither."""
    items = [*warned, *(f"history: {note}" for note in notes)]
    if not items:
        return join(())
    listed = element("ul", *(element("li", item) for item in items))
    return section("warnings", "Before you read on", listed)
