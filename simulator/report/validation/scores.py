"""The validation's section of scores beside a random walk with GARCH volatility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.report.validation.tables import markdown, title_of
from simulator.words import number, percent

if TYPE_CHECKING:
    from simulator.market.validation.backtest import Settings
    from simulator.market.validation.peer import Compared


def scores_section(
    found: Mapping[str, Compared],
    level: Mapping[str, Compared],
    other: Mapping[str, Compared],
    other_model: str,
    settings: Settings,
) -> str:
    """Return the section.

    Parameters
    ----------
    found, level : of `settings.model`, and of its forecasts shifted to a mean of zero
    other : of `other_model`
    """
    pooled = [
        (f"`{settings.model}`", found["all"]),
        (f"`{settings.model}`, shifted to a mean of zero", level["all"]),
        (f"`{other_model}`, with the factors' figures of today", other["all"]),
    ]
    horizons = [name for name in found if name[0].isdigit()]
    assets = [name for name in found if not name[0].isdigit() and "," not in name and name != "all"]
    cells = [
        (
            title_of(asset),
            *(_cell(found, f"{asset}, {months}") for months in horizons),
            _cell(found, asset),
        )
        for asset in assets
    ]
    cells.append(("all", *(_cell(found, months) for months in horizons), _cell(found, "all")))
    return f"""## Scores beside a random walk with GARCH volatility

The continuous ranked probability score (CRPS) of a forecast is its mean distance from what came,
less half the mean distance of its paths from each other: lower is better. The peer is what everyone
has: log returns of mean zero, GARCH(1,1) with Student t innovations, fitted by `arch` to the same
closes up to the same day and simulated by it, {settings.paths:,} paths. A difference is in units of
the peer's mean score for the asset and horizon; its standard error comes from drawing years anew.
Demanded of the whole: worse by no more than one standard error.

{markdown(_POOLED, [_pooled_row(words, row) for words, row in pooled], words=1)}
The first line holds the drift's prior against a peer that has none; the second asks of the spread
alone. Difference ± standard error of `{settings.model}` by asset and horizon, **bold** where it is
worse by more than one:

{markdown(("", *horizons, "all"), cells)}"""


_POOLED = ("", "CRPS", "the peer's", "difference", "standard error")


def _pooled_row(words: str, row: Compared) -> Sequence[str]:
    difference = percent(row.excess, signed=True)
    return (
        words,
        number(row.own, 4),
        number(row.peer, 4),
        difference if row.no_worse else f"**{difference}**",
        percent(row.error),
    )


def _cell(found: Mapping[str, Compared], name: str) -> str:
    row = found[name]
    words = f"{percent(row.excess, signed=True)} ± {number(100 * row.error)}"
    return words if row.no_worse else f"**{words}**"
