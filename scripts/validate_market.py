"""Set the market against history: `python scripts/validate_market.py ../shared/data`.

Reads the daily tables of a folder and writes the pages, figures and pictures of
`docs/validation/`, the same bytes every time. Takes some minutes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import click
import numpy as np

from simulator.market.build import market_spec
from simulator.market.calibration import (
    Closes,
    calibrate_until,
    read_closes,
    read_prices,
)
from simulator.market.dynamics import MarketSpec
from simulator.market.validation.backtest import (
    Forecast,
    Pooled,
    Settings,
    at_origin,
    backtest,
    pooled,
)
from simulator.market.validation.compare import HISTORIES, Compared, compare, matched
from simulator.market.validation.coverage import coverage
from simulator.market.validation.past import Past, pasts_of
from simulator.market.validation.profiles import profiles
from simulator.report.validation import pages, pictures
from simulator.scenario import LoadedScenario, load_scenario

TABLES = ("metals_daily.csv", "crypto_daily.csv", "equities_daily.csv")
SEEDS = (20260122, 20260123, 20260124, 20260125, 20260126)
"""Fresh: the fit used another."""
DRIFTS = {
    **dict.fromkeys(("gold", "silver", "copper"), 0.035),
    **dict.fromkeys(("bitcoin", "altcoins", "big_tech", "small_caps"), 0.07),
    **dict.fromkeys(("gold_miners", "copper_miners"), 0.07),
    "treasury_bills": 0.037,
}
"""The default priors: assumptions, the same for all years."""
MODEL, FORECASTING = "macro", "garch"
"""Whose figures are shown; and all of which can be fitted to what was known at a year's end."""
CALIBRATION = "hard-assets-2026-01"
BASE = "gold-vault-sober"
"""Any scenario: its market, start and horizon are replaced."""
TARGET = Path(__file__).parents[1] / "docs" / "validation"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), default=TARGET, show_default=True)
def main(folder: Path, out: Path) -> None:
    """Write the validation of the market against the tables of FOLDER."""
    data = read(folder)
    loaded = load_scenario(BASE, calibration=CALIBRATION)
    settings = Settings(drifts=DRIFTS, model=FORECASTING)
    pasts = data.pasts
    known = lru_cache(lambda day: calibrate_until(data.closes, day))

    def market(model: str) -> MarketSpec:
        return shipped(loaded, replace(settings, model=model))

    def forecast(model: str) -> list[Forecast]:
        chosen = replace(settings, model=model)
        return backtest(loaded.scenario, data.pasts, known, chosen, click.echo)

    def cells(model: str) -> list[list[Compared]]:
        click.echo(f"histories of {model}")
        return [compare(market(model), pasts, seed=seed) for seed in SEEDS]

    by_seed = cells(MODEL)
    counts = pages.counts_of(by_seed)
    rows = by_seed[0]
    forecasts = forecast(FORECASTING)
    found = pooled(forecasts)
    beside = pages.Beside(
        model=MODEL,
        counts=pages.counts_of(cells(FORECASTING)),
        coverage=pooled(forecast(MODEL)).whole,
    )
    origin = pages.Origin(
        model=MODEL,
        calibration=CALIBRATION,
        sources=tuple(dict.fromkeys(past.source for past in pasts.values())),
        windows={asset: (str(p.first), str(p.last)) for asset, p in pasts.items()},
        histories=HISTORIES,
        seeds=SEEDS,
    )
    out.mkdir(parents=True, exist_ok=True)
    write(out, "README.md", pages.front_page(by_seed, found, beside, settings, origin))
    write(out, "cells.md", pages.cells_page(rows))
    write(out, "out-of-sample.md", pages.forecast_page(found, beside, settings, forecasts))
    write(out, "cells.csv", cells_csv(rows))
    write(out, "forecasts.csv", forecasts_csv(forecasts))
    write(out, "summary.json", summary(counts, found, settings, origin))
    draw(out, rows, market(MODEL), pasts, forecasts, found)
    click.echo(f"{counts.figures} of {counts.n_figures} figures inside")
    click.echo(f"{counts.pairs} of {counts.n_pairs} correlations inside")
    click.echo(f"{found.whole.share:.1%} of {len(forecasts)} outcomes inside 5-95 %")


@dataclass(frozen=True)
class Data:
    """The folder's tables: as closes for the fit, as histories for the comparison."""

    closes: Mapping[str, Closes]
    pasts: Mapping[str, Past]


def read(folder: Path) -> Data:
    """Read the daily tables of a folder."""
    closes = read_closes([read_prices(folder / name) for name in TABLES])
    return Data(closes, pasts_of(closes))


def shipped(loaded: LoadedScenario, settings: Settings) -> MarketSpec:
    """Return the market of the shipped calibration, which `assay calibrate` fits to the tables."""
    calibration = loaded.calibration
    scenario = at_origin(loaded.scenario, calibration, calibration.as_of, settings)
    return market_spec(scenario, calibration)


def write(out: Path, name: str, text: str) -> None:
    """Write a file with the same bytes on every system."""
    (out / name).write_text(text, encoding="utf-8", newline="\n")


def draw(
    out: Path,
    rows: Sequence[Compared],
    spec: MarketSpec,
    pasts: Mapping[str, Past],
    forecasts: Sequence[Forecast],
    found: Pooled,
) -> None:
    """Write the pictures."""
    write(out, "cells.svg", pictures.cell_map(rows))
    write(out, "correlations.svg", pictures.correlations(rows))
    for asset, curves in profiles(matched(spec, pasts), pasts, SEEDS[0]):
        write(out, f"distribution-{asset}.svg", pictures.distributions(asset, curves))
    write(out, "transforms.svg", pictures.transforms(found, bin_spreads(forecasts)))
    named = {"all": found.whole}
    named.update({asset.replace("_", " "): item for asset, item in found.by_asset.items()})
    write(out, "coverage.svg", pictures.coverages(named, pages.WANTED_COVERAGE))


def bin_spreads(forecasts: Sequence[Forecast], bins: int = 10) -> list[tuple[float, float]]:
    """Return the 95 % interval of each bin's share of the transforms."""
    places = np.array([min(int(f.transform * bins), bins - 1) for f in forecasts])
    years = np.array([forecast.origin.year for forecast in forecasts])
    found = [coverage(places == place, years) for place in range(bins)]
    return [(item.low, item.high) for item in found]


def cells_csv(rows: Sequence[Compared]) -> str:
    """Return every cell, six digits."""
    names = ("historical", "low", "median", "high")
    head = ("subject", "figure", "days", *names, "inside", "counted")
    lines = [
        (
            *(row.cell.subject, row.cell.figure, row.cell.days),
            *(f"{getattr(row, name):.6g}" for name in names),
            str(row.inside).lower(),
            str(row.cell.counted).lower(),
        )
        for row in rows
    ]
    return _csv(head, lines)


def forecasts_csv(forecasts: Sequence[Forecast]) -> str:
    """Return every forecast, six digits."""
    names = ("low", "median", "high", "realised", "transform")
    head = ("origin", "asset", "months", "end", *names, "inside")
    lines = [
        (
            *(str(f.origin), f.asset, f.months, str(f.end)),
            *(f"{getattr(f, name):.6g}" for name in names),
            str(f.inside).lower(),
        )
        for f in forecasts
    ]
    return _csv(head, lines)


def _csv(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return stream.getvalue()


def summary(counts: pages.Counts, found: Pooled, settings: Settings, origin: pages.Origin) -> str:
    """Return the settings and the two results."""
    whole = {name: round(value, 6) for name, value in asdict(found.whole).items()}
    text = {
        "settings": {**asdict(settings), "drifts": dict(settings.drifts)},
        "origin": asdict(origin),
        "cells": asdict(counts),
        "coverage": whole,
    }
    return json.dumps(text, indent=2) + "\n"


if __name__ == "__main__":
    main()
