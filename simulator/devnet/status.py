"""Where a devnet stands, as plain data and as text."""

from __future__ import annotations

from typing import Any

from simulator.devnet.venue import Venue


def where(venue: Venue) -> str:
    """Return in a line the day, and whether model and contracts agree, while that is asked."""
    story = venue.story
    day = f"day {story.day} of {story.n_steps}, {story.date()}"
    return f"{day}: {story.verdict()}" if story.is_undisturbed else day


def status_object(venue: Venue, *, playing: bool) -> dict[str, Any]:
    """Return it as plain data; a figure that could not be read is null."""
    story, plot = venue.story, venue.plot
    return {
        "scenario": plot.scenario,
        "path": plot.path,
        "chosen_as": plot.label,
        "rpc": venue.url,
        "day": story.day,
        "days": story.n_steps,
        "date": str(story.date()),
        "block": venue.chain.height,
        "timestamp": venue.chain.timestamp(),
        "playing": playing,
        "undisturbed": story.is_undisturbed,
        "acted_after_day": story.acted_on,
        "verdict": story.verdict(),
        "figures": [
            {"label": one.label, "name": one.name, "contracts": one.chain, "model": one.model}
            for one in story.figures()
        ],
    }


def status_text(found: dict[str, Any]) -> str:
    """Return what `status_object` says, for people."""
    model = "model" if found["undisturbed"] else "model, undisturbed"
    names = [f"{row['label']}.{row['name']}" for row in found["figures"]]
    width = max(map(len, names), default=0)
    rows = [
        f"{name:{width}}  {_number(row['contracts']):>20}  {_number(row['model']):>20}"
        for name, row in zip(names, found["figures"], strict=True)
    ]
    return "\n".join(
        [
            f"{found['scenario']}, path {found['path']} ({found['chosen_as']}), {found['rpc']}",
            f"day {found['day']} of {found['days']}, {found['date']}, block {found['block']}, "
            f"{'playing' if found['playing'] else 'paused'}",
            found["verdict"],
            f"{'':{width}}  {'contracts':>20}  {model:>20}",
            *rows,
        ]
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.9g}"
