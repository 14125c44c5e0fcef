"""The validation's pages in Markdown: what was asked, what came out, and why it missed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.report.validation.tables import (
    COMMAND,
    band,
    figure_words,
    interval,
    markdown,
    title_of,
    value,
)
from simulator.words import number, percent

if TYPE_CHECKING:
    from simulator.market.validation.backtest import Forecast, Pooled, Settings
    from simulator.market.validation.causes import Cause
    from simulator.market.validation.compare import Compared
    from simulator.market.validation.coverage import Coverage

    CauseOf = Callable[[Compared], Cause | None]

WANTED_FIGURES, WANTED_PAIRS = 91, 33
WANTED_COVERAGE = (0.84, 0.96)


@dataclass(frozen=True)
class Counts:
    """How many counted cells are inside, mean over the seeds, of a model.

    rises : mean rise of the correlations in stress: of the history, and simulated
    """

    figures: float
    n_figures: int
    pairs: float
    n_pairs: int
    rises: tuple[float, float]


NO_COUNTS = Counts(0.0, 0, 0.0, 0, (0.0, 0.0))


def counts_of(by_seed: Sequence[Sequence[Compared]]) -> Counts:
    """Return the counts of one model from its cells, seed by seed."""
    figures, pairs = ([_counted(rows, of_pairs) for rows in by_seed] for of_pairs in (False, True))
    rises = [row for rows in by_seed for row in rows if row.cell.figure.startswith("rise")]
    return Counts(
        figures=_mean([sum(row.inside for row in rows) for rows in figures]),
        n_figures=len(figures[0]),
        pairs=_mean([sum(row.inside for row in rows) for rows in pairs]),
        n_pairs=len(pairs[0]),
        rises=(_mean([row.historical for row in rises]), _mean([row.median for row in rises])),
    )


def _counted(rows: Sequence[Compared], of_pairs: bool) -> list[Compared]:
    return [row for row in rows if row.cell.counted and ("-" in row.cell.subject) == of_pairs]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


@dataclass(frozen=True)
class Beside:
    """The same questions put to another model.

    coverage : of its forecasts
    counts : of its cells
    """

    model: str
    coverage: Coverage
    counts: Counts = NO_COUNTS


@dataclass(frozen=True)
class Origin:
    """What the pages were made from.

    model, calibration : the market's
    sources : files with the beginning of their hashes
    windows : by asset, the first and the last date
    histories : simulated for each of the seeds
    """

    model: str
    calibration: str
    sources: Sequence[str]
    windows: Mapping[str, tuple[str, str]]
    histories: int
    seeds: Sequence[int]


def front_page(
    by_seed: Sequence[Sequence[Compared]],
    pooled: Pooled,
    beside: Beside,
    settings: Settings,
    origin: Origin,
    cause_of: CauseOf,
) -> str:
    """Return `docs/validation/README.md`.

    Parameters
    ----------
    by_seed : cells of `origin.model`, in the same order for each seed
    pooled : forecasts of `settings.model`
    beside : cells of `settings.model`, forecasts of `origin.model`
    cause_of : callable
        Why a cell is outside.
    """
    found, rows = counts_of(by_seed), by_seed[0]
    parts = [
        "# Does the market stand up to history?\n",
        f"Made by `{COMMAND}` with the shipped calibration `{origin.calibration}`, which "
        "`assay calibrate --moments` fitted to the same tables: the figures below are what it is "
        "fitted to, on other draws. What is not fitted: the forecasts and the extremes.\n",
        markdown(
            ("", "demanded", f"`{origin.model}`", f"`{settings.model}`"),
            [
                (
                    "figures of the history within nine in ten simulated histories",
                    f"at least {WANTED_FIGURES} of {found.n_figures}",
                    f"**{found.figures:.1f}**",
                    f"{beside.counts.figures:.1f}",
                ),
                (
                    "its weekly correlations likewise",
                    f"at least {WANTED_PAIRS} of {found.n_pairs}",
                    f"**{found.pairs:.1f}**",
                    f"{beside.counts.pairs:.1f}",
                ),
                (
                    f"rise of the correlations in stress, mean (history "
                    f"{number(found.rises[0], 3)})",
                    "",
                    number(found.rises[1], 3),
                    number(beside.counts.rises[1], 3),
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
        f"Means over {len(origin.seeds)} seeds. Of a true model about 89 of 99 figures and 32 of "
        "36 correlations would be inside: more is no merit.\n",
        f"`{settings.model}` is the diffusion alone; `{origin.model}` adds factors, regimes and "
        "the ratio's pull, each on top of the same fit. All figures and pictures below are of "
        f"`{origin.model}`. The forecasts are judged by `{settings.model}`, all of which can be "
        "fitted to what was known then; the factors' figures are of today.\n",
        _method(origin),
        "## The figures\n",
        "![Which figures lie within the simulated ones](cells.svg)\n",
        _by_subject(rows),
        "The first seed's. All cells with their numbers: [cells.md](cells.md), "
        "[cells.csv](cells.csv).\n",
        "![Correlations, and their rise in stress](correlations.svg)\n",
        _misses(by_seed, cause_of),
        "## The curves\n",
        "Dots are the history, the line is the median of simulated histories of the same length, "
        "the band holds nine in ten of them. Densities are logarithmic.\n",
        *(f"![{title_of(asset)}](distribution-{asset}.svg)\n" for asset in origin.windows),
        "## Forecasts from the past\n",
        f"At each year's end from {settings.first_year} to {settings.last_year} the market was "
        "calibrated on what was known then and asked for the months to come: "
        "[out-of-sample.md](out-of-sample.md).\n",
        "![Coverage](coverage.svg)\n",
        "How those forecasts score beside a random walk with GARCH volatility stands there too. "
        "Losses that come once in 10, 100 and 1,000 years: [extremes.md](extremes.md). The worst "
        "and the best of 100,000 paths of the flagship, asset by asset: [paths.md](paths.md).\n",
    ]
    return "\n".join(parts)


def _method(origin: Origin) -> str:
    windows = "; ".join(
        f"{title_of(asset)} {first} to {last}" for asset, (first, last) in origin.windows.items()
    )
    seeds = ", ".join(map(str, origin.seeds))
    return f"""## How it is asked

- **Histories.** The model is simulated over the very days of the real history,
  {origin.histories:,} times for each seed, with the real history's mean growth as drift (its luck
  is not the question) and the variance at its long-run level at the start. Of each simulated
  history the same figures are taken as of the real one. A figure is *inside* where the history's
  lies between the 5 % and the 95 % quantile of the simulated ones.
- **Figures.** Of a day's log return: standard deviation, excess kurtosis, skew, quantiles of 0.1,
  1 and 5 % at either end; the autocorrelation of |r| at 5 and 60 days. For pairs the correlation
  of weekly returns (every fifth common day), and how much higher it is in stress, which is the
  fifth of the weeks with the largest moves over the 13 weeks before, than in calm, the rest. Days
  are the asset's own: trading days, a coin's all days.
- **Shown and not counted**: the rises, which are mostly noise pair by pair, and returns of 20, 60
  and 250 days and deepest falls within 250 days, of which 25 years have few.
- **Dependence.** Cells share their days. The number inside is a count of figures, not of
  independent tests.
- **Data.** {"; ".join(origin.sources)}. Windows: {windows}. Copper's 2025-07-31 is left out
  ([calibration.md](../calibration.md)). Seeds {seeds}.
"""


def _by_subject(rows: Sequence[Compared]) -> str:
    groups = {
        "volatility": ("volatility",),
        "kurtosis and skew": ("kurtosis", "skew"),
        "quantiles": ("q",),
        "memory of \\|r\\|": ("autocorrelation",),
    }
    assets = list(dict.fromkeys(r.cell.subject for r in rows if "-" not in r.cell.subject))

    def count(chosen: Sequence[Compared]) -> str:
        return f"{sum(row.inside for row in chosen)}/{len(chosen)}"

    lines = []
    for asset in assets:
        own = [row for row in _counted(rows, of_pairs=False) if row.cell.subject == asset]
        of = [[r for r in own if r.cell.figure.startswith(names)] for names in groups.values()]
        lines.append((title_of(asset), *(count(chosen) for chosen in of), count(own)))
    lines.append(("correlations", *[""] * len(groups), count(_counted(rows, of_pairs=True))))
    return markdown(("inside", *groups, "all"), lines)


def _misses(by_seed: Sequence[Sequence[Compared]], cause_of: CauseOf) -> str:
    """Return where the market is wrong: figures outside in most of the seeds, with their cause."""
    numbers: dict[str, tuple[int, Cause]] = {}
    counted = _outside(by_seed, numbers, cause_of, counted=True)
    further = _outside(by_seed, numbers, cause_of, counted=False)
    columns = ("asset", "figure", "why", "history", "simulated", "5 to 95 %")
    words = [f"{place}. **{cause.head}** {cause.words}" for place, cause in numbers.values()]
    parts = [
        "## Where the market is still wrong\n",
        "Figures outside in most of the seeds, by how much, and why; the numbers are of the first "
        "seed where they are.\n",
        f"{len(counted)} of those that count:\n",
        markdown(columns, counted, words=3) if counted else "",
        f"{len(further)} of those that do not:\n",
        markdown(columns, further, words=3) if further else "",
        *words,
        "",
        "Further: losses of 1 in 1,000 years that are off by most stand in "
        "[extremes.md](extremes.md), forecasts that were worse than a plain peer's in "
        "[out-of-sample.md](out-of-sample.md), and what a variance is not let do in "
        "[decision 0023](../decisions/0023-how-wild-a-market-may-get.md).\n",
    ]
    return "\n".join(parts)


def _outside(
    by_seed: Sequence[Sequence[Compared]],
    numbers: dict[str, tuple[int, Cause]],
    cause_of: CauseOf,
    *,
    counted: bool,
) -> list[tuple[str, ...]]:
    """Return a line for each figure outside; causes are numbered as they come."""
    lines: list[tuple[str, ...]] = []
    for rows in zip(*by_seed, strict=True):
        row = next((row for row in rows if not row.inside), rows[0])
        often = 2 * sum(not row.inside for row in rows) > len(rows)
        if row.cell.counted != counted or not often:
            continue
        cause, place = cause_of(row), "**unexplained**"
        if cause is not None:
            place = str(numbers.setdefault(cause.head, (len(numbers) + 1, cause))[0])
        lines.append(
            (
                title_of(row.cell.subject),
                figure_words(row.cell),
                place,
                value(row.cell, row.historical),
                value(row.cell, row.median),
                band(row),
            )
        )
    return lines


def cells_page(rows: Sequence[Compared]) -> str:
    """Return `docs/validation/cells.md`: every cell."""
    parts = [
        "# All figures\n",
        "Simulated: median (5 to 95 %) of the simulated histories of the first seed. In brackets "
        "what is shown and not counted.\n",
    ]
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
        where = "inside" if row.inside else "**outside**"
        lines.append(
            (
                f"{head}{figure_words(row.cell)}",
                value(row.cell, row.historical),
                f"{value(row.cell, row.median)} ({band(row)})",
                where if row.cell.counted else f"({where})",
            )
        )
    return markdown(("figure", "history", "simulated", ""), lines)


def forecast_page(
    pooled: Pooled,
    beside: Beside,
    settings: Settings,
    forecasts: Sequence[Forecast],
    scores: str,
) -> str:
    """Return `docs/validation/out-of-sample.md`; `scores` is the section of `scores_section`."""
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

{scores}
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
