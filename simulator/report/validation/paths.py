"""The validation's page of the most extreme paths of a whole scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulator.report.market.tables import EXTREMES, extreme_rows
from simulator.report.validation.tables import COMMAND, markdown

if TYPE_CHECKING:
    from simulator.measures import Extremes
    from simulator.scenario.models import Scenario

_WORDS = {
    "assets": "Prices.",
    "instruments": (
        "Every instrument by itself, in dollars at mark with all cash received so far. A day or a "
        "year that begins below a hundredth of the first value is left out; a loss above 100 % is "
        "gas that is owed for what has become worthless."
    ),
    "investors": "What investors hold, in dollars at mark.",
}


def paths_page(scenario: Scenario, found: Mapping[str, Mapping[str, Extremes]]) -> str:
    """Return `docs/validation/paths.md`.

    Parameters
    ----------
    found : by group (assets, instruments, investors) and name
    """
    parts = [
        "# The most extreme of many paths\n",
        f"Made by `{COMMAND}`: `{scenario.name}`, {scenario.paths:,} paths of "
        f"{scenario.horizon_days} days, seed {scenario.seed}.\n",
        "Behind each figure stands the number of its path, which `assay replay` and the run's "
        "tables know it by. A day is from one close to the next, a year any 365 days of a path, a "
        "fall is from the path's own peak.\n",
    ]
    for group, names in found.items():
        rows = list(extreme_rows(names))
        parts += [f"## {group.capitalize()}\n", f"{_WORDS[group]}\n", markdown(EXTREMES, rows)]
    return "\n".join(parts)
