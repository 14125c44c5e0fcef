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

from simulator.engine.extremes import scenario_extremes
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
from simulator.market.validation.causes import cause_of
from simulator.market.validation.compare import HISTORIES, Compared, compare, matched
from simulator.market.validation.coverage import coverage
from simulator.market.validation.extremes import (
    held_against,
    losses_by_threshold,
    past_days_of,
    simulated_extremes,
    tail_of,
)
from simulator.market.validation.past import Past, pasts_of
from simulator.market.validation.peer import compared, peer_scores
from simulator.market.validation.profiles import profiles
from simulator.report.validation import pages, pictures
from simulator.report.validation.extremes import extremes_page
from simulator.report.validation.paths import paths_page
from simulator.report.validation.scores import scores_section
from simulator.scenario import LoadedScenario, load_scenario
from simulator.units import FloatArray

TABLES = ("metals_daily.csv", "crypto_daily.csv", "equities_daily.csv")
SEEDS = (20260122, 20260123, 20260124, 20260125, 20260126)
"""Fresh: the fit used another."""
EXTREME_HISTORIES = 4096
"""Of the metals' days 104,000 years, of the altcoins' 22,000."""
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
FLAGSHIP, FLAGSHIP_PATHS = "hard-assets-2026", 100_000
TARGET = Path(__file__).parents[1] / "docs" / "validation"


PARTS = ("figures", "forecasts", "extremes", "paths")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path), default=TARGET, show_default=True)
@click.option(
    "--only",
    type=click.Choice(PARTS),
    multiple=True,
    help="Write these pages alone. The front page comes with the figures.",
)
def main(folder: Path, out: Path, only: tuple[str, ...]) -> None:
    """Write the validation of the market against the tables of FOLDER."""
    parts = set(only or PARTS)
    data = read(folder)
    loaded = load_scenario(BASE, calibration=CALIBRATION)
    settings = Settings(drifts=DRIFTS, model=FORECASTING)
    out.mkdir(parents=True, exist_ok=True)
    known = lru_cache(lambda day: calibrate_until(data.closes, day))

    def forecast(model: str) -> list[Forecast]:
        chosen = replace(settings, model=model)
        return backtest(loaded.scenario, data.pasts, known, chosen, click.echo)

    if parts & {"figures", "forecasts"}:
        forecasts, others = forecast(FORECASTING), forecast(MODEL)
        if "figures" in parts:
            write_figures(out, loaded, data, settings, forecasts, others)
        if "forecasts" in parts:
            write_forecasts(out, data, settings, forecasts, others)
    if "extremes" in parts:
        write_extremes(out, loaded, data, settings)
    if "paths" in parts:
        write_paths(out)


def write_figures(
    out: Path,
    loaded: LoadedScenario,
    data: Data,
    settings: Settings,
    forecasts: Sequence[Forecast],
    others: Sequence[Forecast],
) -> None:
    """Write the front page, the cells and the pictures."""
    pasts = data.pasts
    spec, diffusion = (
        shipped(loaded, replace(settings, model=model)) for model in (MODEL, FORECASTING)
    )

    def cells(market: MarketSpec) -> list[list[Compared]]:
        click.echo(f"histories of {market.model}")
        return [compare(market, pasts, seed=seed) for seed in SEEDS]

    by_seed = cells(spec)
    counts = pages.counts_of(by_seed)
    rows = by_seed[0]
    found = pooled(forecasts)
    beside = pages.Beside(
        model=MODEL,
        coverage=pooled(others).whole,
        counts=pages.counts_of(cells(diffusion)),
    )
    origin = pages.Origin(
        model=MODEL,
        calibration=CALIBRATION,
        sources=tuple(dict.fromkeys(past.source for past in pasts.values())),
        windows={asset: (str(p.first), str(p.last)) for asset, p in pasts.items()},
        histories=HISTORIES,
        seeds=SEEDS,
    )
    write(out, "README.md", pages.front_page(by_seed, found, beside, settings, origin, cause_of))
    write(out, "cells.md", pages.cells_page(rows))
    write(out, "cells.csv", cells_csv(rows))
    write(out, "summary.json", summary(counts, found, settings, origin))
    draw(out, rows, spec, pasts, forecasts, found)
    click.echo(f"{counts.figures} of {counts.n_figures} figures inside")
    click.echo(f"{counts.pairs} of {counts.n_pairs} correlations inside")


def write_forecasts(
    out: Path,
    data: Data,
    settings: Settings,
    forecasts: Sequence[Forecast],
    others: Sequence[Forecast],
) -> None:
    """Write the forecasts and their scores beside the peer's."""
    peer = peer_scores(forecasts, data.pasts, settings, click.echo)
    found = compared(forecasts, peer, SEEDS[0])
    level = compared(forecasts, peer, SEEDS[0], level=True)
    scores = scores_section(found, level, compared(others, peer, SEEDS[0]), MODEL, settings)
    whole = pooled(forecasts)
    beside = pages.Beside(model=MODEL, coverage=pooled(others).whole)
    page = pages.forecast_page(whole, beside, settings, forecasts, scores)
    write(out, "out-of-sample.md", page)
    write(out, "forecasts.csv", forecasts_csv(forecasts, peer))
    click.echo(f"{whole.whole.share:.1%} of {len(forecasts)} outcomes inside 5-95 %")
    click.echo(f"score beside the peer's: {found['all'].excess:+.1%} ± {found['all'].error:.1%}")


def write_extremes(out: Path, loaded: LoadedScenario, data: Data, settings: Settings) -> None:
    """Write the losses of 1 in 10, 100 and 1,000 years, by the history and by each model."""
    pasts = data.pasts
    tails = [tail_of(past) for past in pasts.values()]
    simulated = {}
    for model in (MODEL, FORECASTING):
        spec = shipped(loaded, replace(settings, model=model))
        over = matched(spec, pasts)
        simulated[model] = simulated_extremes(over, pasts, EXTREME_HISTORIES, SEEDS[0], click.echo)
    simulated["bootstrap"] = {}
    for asset, past in pasts.items():
        own = matched(past_days_of(spec, asset, past), {asset: past})
        simulated["bootstrap"] |= simulated_extremes(
            own, {asset: past}, EXTREME_HISTORIES, SEEDS[0], click.echo
        )
    held = {model: held_against(tails, found) for model, found in simulated.items()}
    worst = {asset: float(past.returns.min()) for asset, past in pasts.items()}
    thresholds = {asset: losses_by_threshold(past) for asset, past in pasts.items()}
    write(out, "extremes.md", extremes_page(tails, worst, held, simulated, thresholds))
    for model, rows in held.items():
        inside, far = sum(r.inside for r in rows), sum(not r.near for r in rows)
        click.echo(f"{model}: {inside} of {len(rows)} losses inside, {far} off by more than twice")


def write_paths(out: Path) -> None:
    """Write the most extreme days, years and falls of the flagship over many paths."""
    loaded = load_scenario(FLAGSHIP, overrides=[f"paths={FLAGSHIP_PATHS}"])
    with click.progressbar(length=FLAGSHIP_PATHS, label=f"paths of {FLAGSHIP}") as bar:
        found = scenario_extremes(loaded.scenario, loaded.calibration, on_block=bar.update)
    write(out, "paths.md", paths_page(loaded.scenario, found))
    shares = found["assets"]["big_tech"]
    click.echo(f"big tech: {shares.worst_year}, {shares.best_day}")


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


def forecasts_csv(forecasts: Sequence[Forecast], peer: FloatArray) -> str:
    """Return every forecast with the peer's score, shape (n_forecasts,); six digits."""
    names = ("low", "median", "high", "realised", "transform", "crps", "crps_level")
    head = ("origin", "asset", "months", "end", *names, "crps_peer", "inside")
    lines = [
        (
            *(str(f.origin), f.asset, f.months, str(f.end)),
            *(f"{getattr(f, name):.6g}" for name in names),
            f"{score:.6g}",
            str(f.inside).lower(),
        )
        for f, score in zip(forecasts, peer, strict=True)
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
