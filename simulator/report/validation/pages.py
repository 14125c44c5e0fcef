"""The validation's pages in Markdown: what was asked, what came out, and why it missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.validation.tables import (
    band,
    figure_words,
    interval,
    markdown,
    of_all,
    title_of,
    value,
)
from simulator.words import percent

if TYPE_CHECKING:
    from simulator.market.validation.backtest import Forecast, Pooled, Settings
    from simulator.market.validation.causes import Cause, Explained
    from simulator.market.validation.compare import Compared
    from simulator.market.validation.coverage import Coverage

WANTED_INSIDE = 0.80
WANTED_COVERAGE = (0.80, 0.97)
COMMAND = "python scripts/validate_market.py ../shared/data"


@dataclass(frozen=True)
class Beside:
    """The same questions put to another model.

    inside : cells inside their band
    coverage : of its forecasts
    """

    model: str
    inside: int
    coverage: Coverage


@dataclass(frozen=True)
class Origin:
    """What the pages were made from.

    model, calibration : the market's
    sources : files with the beginning of their hashes
    windows : by asset, the first and the last date
    """

    model: str
    calibration: str
    sources: Sequence[str]
    windows: Mapping[str, tuple[str, str]]
    histories: int
    samples: int
    seed: int


def front_page(
    rows: Sequence[Compared],
    misses: Sequence[Explained],
    pooled: Pooled,
    beside: Beside,
    settings: Settings,
    origin: Origin,
) -> str:
    """Return `docs/validation/README.md`.

    Parameters
    ----------
    rows, misses : of `origin.model`
    pooled : forecasts of `settings.model`
    beside : cells of `settings.model`, forecasts of `origin.model`
    """
    inside = sum(row.inside for row in rows)
    parts = [
        "# Does the market stand up to history?\n",
        f"Made by `{COMMAND}` with the shipped calibration `{origin.calibration}`, which "
        "`assay calibrate` fitted to the same tables. Nothing was tuned to pass.\n",
        markdown(
            ("", "demanded", f"`{origin.model}`", f"`{settings.model}`"),
            [
                (
                    "figures of the simulated history inside the band of the real one",
                    f"at least {percent(WANTED_INSIDE, 0)}",
                    f"**{of_all(inside, len(rows))}**",
                    of_all(beside.inside, len(rows)),
                ),
                (
                    "outcomes inside the 5–95 % band of forecasts made before them (95 % interval)",
                    f"{100 * WANTED_COVERAGE[0]:.0f} to {percent(WANTED_COVERAGE[1], 0)}",
                    f"{percent(beside.coverage.share)} ({interval(beside.coverage)})",
                    f"**{percent(pooled.whole.share)}** ({interval(pooled.whole)})",
                ),
            ],
            words=4,
        ),
        f"`{settings.model}` is the diffusion alone; `{origin.model}` adds factors, regimes and "
        "the ratio's pull, each on top of the same fit. All figures and pictures below are of "
        f"`{origin.model}`. The forecasts are judged by `{settings.model}`, all of which can be "
        "fitted to what was known then; the factors' figures are of today.\n",
        _method(origin),
        "## The figures\n",
        "![Which figures lie within the band](cells.svg)\n",
        _by_subject(rows),
        "All cells with their numbers: [cells.md](cells.md), [cells.csv](cells.csv).\n",
        "![Correlations in calm and stress](correlations.svg)\n",
        _misses(misses),
        "## The curves\n",
        "Dots are the history, the line is the median of simulated histories of the same length, "
        "the band holds nine in ten of them. Densities are logarithmic.\n",
        _beyond_own(rows),
        *(f"![{title_of(asset)}](distribution-{asset}.svg)\n" for asset in origin.windows),
        "## Forecasts from the past\n",
        f"At each year's end from {settings.first_year} to {settings.last_year} the market was "
        "calibrated on what was known then and asked for the months to come: "
        "[out-of-sample.md](out-of-sample.md).\n",
        "![Coverage](coverage.svg)\n",
    ]
    return "\n".join(parts)


def _method(origin: Origin) -> str:
    windows = "; ".join(
        f"{title_of(asset)} {first} to {last}" for asset, (first, last) in origin.windows.items()
    )
    return f"""## How it is asked

- **Histories.** The model is simulated over the very days of the real history,
  {origin.histories:,} times, with the real history's mean growth as drift (its luck is not the
  question) and the variance at its long-run level at the start. Of each simulated history the
  same figures are taken as of the real one; a cell's simulated figure is their median.
- **Bands.** The real history is resampled {origin.samples:,} times in blocks (stationary
  bootstrap, mean length by Politis and White on |r|); the band reaches from the 5 % to the 95 %
  quantile of the figure. On histories that a known market has made, 87 % of that market's own
  figures lie inside (60 histories of 6,300 days), not 90: blocks cut long memory short. The band
  was chosen on such made histories, before it saw a real one.
- **Figures.** Log returns over 1, 5, 20, 60 and 250 days, overlapping: standard deviation, excess
  kurtosis, quantiles of 1, 5, 95 and 99 %. Deepest falls within windows of 250 days. The
  autocorrelation of |r|. For pairs the correlation of weekly returns (every fifth common day) in
  stress, which is the fifth of the weeks with the largest moves over the 13 weeks before, and in
  calm, the rest. Days are the asset's own: trading days, Bitcoin's all days.
- **Dependence.** Cells share their days: a drawdown, a volatility and four quantiles of 250 days
  know the same 25 years. The share inside is a count of figures, not of independent tests.
- **Data.** {"; ".join(origin.sources)}. Windows: {windows}. Copper's 2025-07-31 is left out
  ([calibration.md](../calibration.md)). Seed {origin.seed}.
"""


def _beyond_own(rows: Sequence[Compared]) -> str:
    """Return what the bands are blind to: figures of the history outside their own band."""
    own = [row for row in rows if not row.low <= row.historical <= row.high]
    if not own:
        return ""
    named = ", ".join(f"{title_of(row.cell.subject)} ({figure_words(row.cell)})" for row in own)
    return (
        f"Not every band holds the very figure of the history that was resampled: {named} lies "
        "outside its own. Blocks cut long memory, so a band may be kind to a model that "
        "forgets too soon. The curves are not: beyond two months the |r| of metals and shares "
        "remember more than the model does.\n"
    )


def _by_subject(rows: Sequence[Compared]) -> str:
    groups = {
        "volatility": ("volatility",),
        "kurtosis": ("kurtosis",),
        "quantiles": ("q01", "q05", "q95", "q99"),
        "drawdowns": ("drawdown",),
        "memory of \\|r\\|": ("autocorrelation",),
    }
    assets = list(dict.fromkeys(r.cell.subject for r in rows if "-" not in r.cell.subject))

    def count(chosen: Sequence[Compared]) -> str:
        return f"{sum(row.inside for row in chosen)}/{len(chosen)}"

    lines = []
    for asset in assets:
        own = [row for row in rows if row.cell.subject == asset]
        of = [[r for r in own if r.cell.figure.startswith(names)] for names in groups.values()]
        lines.append((title_of(asset), *(count(chosen) for chosen in of), count(own)))
    pairs = [row for row in rows if "-" in row.cell.subject]
    lines.append(("correlations", *[""] * len(groups), count(pairs)))
    return markdown(("inside the band", *groups, "all"), lines)


def _misses(misses: Sequence[Explained]) -> str:
    numbers: dict[str, tuple[int, Cause]] = {}
    lines = []
    for miss in misses:
        row, place = miss.row, "**unexplained**"
        if miss.cause is not None:
            head = miss.cause.head
            place = str(numbers.setdefault(head, (len(numbers) + 1, miss.cause))[0])
        lines.append(
            (
                title_of(row.cell.subject),
                figure_words(row.cell),
                place,
                value(row.cell, row.simulated),
                value(row.cell, row.historical),
                band(row),
                _otherwise(miss),
            )
        )
    columns = ("asset", "figure", "why", "simulated", "history", "band", "without the cause")
    words = [
        f"{place}. **{cause.head}** {cause.words}{_change(cause, misses)}"
        for place, cause in numbers.values()
    ]
    head = f"## The {len(misses)} misses\n"
    intro = (
        "Where the cause can be switched off, the last column has the figure of a market without "
        "it. These markets explain the misses; the shipped figures stay as they were fitted.\n"
    )
    return "\n".join((head, intro, markdown(columns, lines, words=3), *words, ""))


def _otherwise(miss: Explained) -> str:
    if miss.otherwise is None:
        return ""
    return f"{value(miss.row.cell, miss.otherwise)}{', inside' if miss.cured else ''}"


def _change(cause: Cause, misses: Sequence[Explained]) -> str:
    own = [miss for miss in misses if miss.cause is cause]
    if cause.without is None:
        return ""
    cured = sum(miss.cured for miss in own)
    return f" With {cause.change} in its place {cured} of the {len(own)} would be inside."


def cells_page(rows: Sequence[Compared]) -> str:
    """Return `docs/validation/cells.md`: every cell."""
    parts = ["# All figures\n", "Simulated: median (5 to 95 %) of the simulated histories.\n"]
    for subject in dict.fromkeys(
        "pairs" if "-" in row.cell.subject else row.cell.subject for row in rows
    ):
        chosen = [
            row
            for row in rows
            if row.cell.subject == subject or (subject == "pairs" and "-" in row.cell.subject)
        ]
        parts += [f"## {title_of(subject).capitalize()}\n", _cells(chosen, subject == "pairs")]
    return "\n".join(parts)


def _cells(rows: Sequence[Compared], pairs: bool) -> str:
    lines = []
    for row in rows:
        head = f"{title_of(row.cell.subject)}, " if pairs else ""
        low, high = (value(row.cell, v) for v in (row.simulated_low, row.simulated_high))
        lines.append(
            (
                f"{head}{figure_words(row.cell)}",
                value(row.cell, row.historical),
                band(row),
                f"{value(row.cell, row.simulated)} ({low} to {high})",
                "inside" if row.inside else "**outside**",
            )
        )
    return markdown(("figure", "history", "band", "simulated", ""), lines)


def forecast_page(
    pooled: Pooled, beside: Beside, settings: Settings, forecasts: Sequence[Forecast]
) -> str:
    """Return `docs/validation/out-of-sample.md`."""
    drifts = ", ".join(
        f"{title_of(asset)} {percent(drift)}" for asset, drift in settings.drifts.items()
    )
    months = ", ".join(str(count) for count in settings.months)
    lines = [("all", *_coverage_cells(pooled.whole))]
    lines += [(title_of(a), *_coverage_cells(c)) for a, c in pooled.by_asset.items()]
    lines += [
        (f"{m} month{'s' if m > 1 else ''}", *_coverage_cells(c))
        for m, c in pooled.by_months.items()
    ]
    return f"""# Would it have foreseen what came?

Made by `{COMMAND}`.

## Settings, the same for all years, fixed before the first forecast

- Origins: the last day of each year from {settings.first_year} to {settings.last_year}. Horizons:
  {months} months. Years do not overlap; the horizons of one year do.
- Model `{settings.model}`, {settings.paths:,} paths, seed {settings.seed}. Calibrated at each
  origin on the closes up to it and nothing later (`calibrate_until`: volatility, GJR-GARCH,
  filtered variance of the next day, correlation, joint tail). An asset takes part once it has
  five years of closes.
- Drift a year, the default priors and not fitted: {drifts}. They were written down in 2026, so
  this much is hindsight; they are below what came on average, not above.
- What is kept: the share of simulated prices below the one that came. It is uniform where
  forecasts are right, and between 5 and 95 % nine times in ten.

## What came

{markdown(("", "inside 5–95 %", "95 % interval", "forecasts", "worth"), lines)}
*Worth* is the number of independent forecasts that say as much: assets fall together and the
month is a part of the quarter, so the years are the observations and each share's variance is
taken between them (design effect; Wilson's interval with Student's quantile of 17 years).
Demanded of the whole: {100 * WANTED_COVERAGE[0]:.0f} to {percent(WANTED_COVERAGE[1], 0)}.

![Coverage with intervals](coverage.svg)

![Probability integral transforms](transforms.svg)

{_worst(forecasts)}

The same forecasts of the model `{beside.model}`, with the factors' figures of today: inside
{percent(beside.coverage.share)} ({interval(beside.coverage)}).

Every forecast: [forecasts.csv](forecasts.csv).
"""


def _worst(forecasts: Sequence[Forecast]) -> str:
    """Return where the misses lie: below and above, and in which years."""
    below = [f for f in forecasts if f.transform < 0.05]
    above = [f for f in forecasts if f.transform > 0.95]
    years: dict[int, int] = {}
    for forecast in (*below, *above):
        years[forecast.origin.year] = years.get(forecast.origin.year, 0) + 1
    worst = sorted(years, key=lambda year: (-years[year], year))[:3]
    named = ", ".join(f"{year} ({years[year]})" for year in worst)
    mean = sum(f.transform for f in forecasts) / len(forecasts)
    return (
        f"{len(below)} outcomes lay below the 5 % quantile and {len(above)} above the 95 % one, "
        f"of {len(forecasts)}. The years that missed most began at the end of {named}. The mean of "
        f"the transforms is {mean:.2f} (0.50 where the drift is right): above it, what came was "
        "better than the priors say."
    )


def _coverage_cells(found: Coverage) -> tuple[str, str, str, str]:
    return (
        percent(found.share),
        interval(found),
        str(found.count),
        f"{found.effective:.0f}",
    )
