"""The validation's page of losses of 1 in 10, 100 and 1,000 years."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from simulator.report.validation.tables import COMMAND, markdown, title_of
from simulator.words import number, percent

if TYPE_CHECKING:
    from simulator.market.validation.extremes import Held, Simulated, Tail

WANTED_INSIDE = 24


def extremes_page(
    tails: Sequence[Tail],
    worst: Mapping[str, float],
    held: Mapping[str, Sequence[Held]],
    simulated: Mapping[str, Mapping[str, Simulated]],
    by_threshold: Mapping[str, Mapping[float, float]],
) -> str:
    """Return `docs/validation/extremes.md`.

    Parameters
    ----------
    worst : by asset, the log return of the history's worst day
    held : by model, every level of `tails`
    simulated : by model and asset
    by_threshold : by asset, the log loss of 1 in 1,000 years by the share of days in the fit
    """
    count = sum(len(tail.levels) for tail in tails)
    verdicts = [
        (
            f"`{model}`",
            f"{sum(row.inside for row in rows)} of {count}",
            str(sum(not row.near for row in rows)),
        )
        for model, rows in held.items()
    ]
    wanted = f"inside the interval ({WANTED_INSIDE} demanded)"
    columns = ("asset", "1 in", "history", "90 % interval", *(f"`{model}`" for model in held))
    lines = []
    for place, level in enumerate(level for tail in tails for level in tail.levels):
        rows = [found[place] for found in held.values()]
        lines.append(
            (
                title_of(rows[0].asset),
                f"{level.years:,} years",
                _loss(level.estimate),
                f"{number(100 * -math.expm1(-level.low))} to {_loss(level.high)}",
                *(_told(row) for row in rows),
            )
        )
    return f"""# How bad can a day be?

Made by `{COMMAND}`.

The loss of a day that is exceeded once in so many years on average: by extreme-value theory from
the history, beside the same loss of simulated days.

{markdown(("model", wanted, "off by more than twice"), verdicts)}
{markdown(columns, lines, words=2)}
**Bold**: outside the interval. × : more than twice or less than half of the history's, in log
losses. All losses are of a day's close to the next, as a share of the price.

## How it is asked

- **History.** All closes of [the tables](../calibration.md), copper's 2025-07-31 left out. A
  generalised Pareto distribution is fitted by maximum likelihood to what the worst 2.5 % of the
  days lose beyond their threshold, in log losses. A loss of 1 in N years is that quantile of
  single days which leaves one in N years' days beyond it; clusters do not move it.
- **Interval.** Profile likelihood over the shape and the share of days beyond the threshold, 90 %.
  The log likelihood is multiplied by the extremal index (Ferro and Segers 2003), the inverse of the
  mean number of days in a cluster: of 160 bad days in clusters of two, 80 say something new. On
  samples of 6,400 days whose law is known the interval holds the truth in 85 to 91 % of cases (t
  with 3, 4 and 6 degrees of freedom) and in 86 to 94 % (GARCH); without the index in 65 to 80 %
  of the latter, and with the worst 5 % of the days in 78 to 89 % of the former. Threshold and
  interval were chosen so, before a real history was seen.
- **Models.** {_years(simulated)} Every history has the days of the real one and starts at the
  long-run variance. The bootstrap draws from each asset's own history, alone.
- **What this can say.** Twenty-five years hold two or three losses of 1 in 10 years. The intervals
  are wide because that is what is known; a model inside them is not right, only not refuted.

{markdown(_TAIL_COLUMNS, [_tail_row(tail, worst[tail.asset]) for tail in tails])}
How much of this is choice: the loss of 1 in 1,000 years by the share of the worst days that the fit
takes in. Where it moves by a factor of two, as that of small caps, no model can be held to half or
double of one of them; the model's own stands in the table above.

{_thresholds(by_threshold)}"""


def _thresholds(found: Mapping[str, Mapping[float, float]]) -> str:
    shares = next(iter(found.values()))
    heads = ("asset", *(f"worst {percent(share)}" for share in shares))
    rows = [(title_of(asset), *map(_loss, losses.values())) for asset, losses in found.items()]
    return markdown(heads, rows)


_TAIL_COLUMNS = (
    "asset",
    "days",
    "threshold",
    "days beyond",
    "extremal index",
    "shape",
    "scale",
    "worst day",
)


def _tail_row(tail: Tail, worst: float) -> tuple[str, ...]:
    return (
        title_of(tail.asset),
        f"{tail.days:,}",
        _loss(tail.threshold),
        str(tail.beyond),
        number(tail.index, 2),
        number(tail.pareto.shape, 2),
        percent(tail.pareto.scale, 2),
        percent(math.expm1(worst)),
    )


def _loss(log_loss: float) -> str:
    return percent(-math.expm1(-log_loss))


def _told(row: Held) -> str:
    words = _loss(row.simulated)
    words = words if row.inside else f"**{words}**"
    return words if row.near else f"{words} ×"


def _years(simulated: Mapping[str, Mapping[str, Simulated]]) -> str:
    first = next(iter(simulated.values()))
    named = ", ".join(f"{title_of(asset)} {found.years:,.0f}" for asset, found in first.items())
    return f"Years simulated for each: {named}."
