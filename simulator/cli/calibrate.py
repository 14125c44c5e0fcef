"""`assay calibrate`: figures from CSVs of prices, rates and other series."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import BaseModel

from simulator.errors import UsageError
from simulator.market.calibration import (
    MarketData,
    default_exclusions,
    default_name,
    fit_data,
    parse_exclusion,
    read_data,
    write_calibration,
)
from simulator.scenario.calibration import AssetCalibration, Calibration, Figure
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.macro_types import Sourced

_MOST_PAIRS = 3
"""More assets are shown as a matrix."""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The calibration file to write."
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="DATE:ASSET",
    help="Leave out one day's return, as in 2025-07-31:copper (which is left out by default).",
)
def calibrate(paths: tuple[Path, ...], out: Path, exclude: tuple[str, ...]) -> None:
    """Fit a market's figures to the CSVs in PATHS, or to those in the folders among them.

    Daily closes give volatility, GJR-GARCH-t, jumps and correlations: columns date, then
    gold_..., silver_..., copper_..., btc_usd, eth_usd and other coins, big_tech_etf,
    small_cap_etf, gold_miners_etf, copper_miners_etf. Yields, prices, money and central banks'
    purchases give the macro section: real_yield_10y_pct, nominal_yield_10y_pct,
    breakeven_inflation_10y_pct, us_cpi_index, us_m2_billion_usd, fed_funds_pct,
    net_purchases_tonnes by year. Monthly prices of metals give what needs a long past.
    """
    _check_out(paths, out)
    data = read_data(paths)
    chosen = tuple(parse_exclusion(text) for text in exclude) or tuple(
        exclusion for table in data.tables for exclusion in default_exclusions(table)
    )
    fitted = fit_data(data, _name(data, out), chosen)
    write_calibration(fitted.calibration, out, only_measured=True)
    for line in _read_lines(data):
        click.echo(line)
    for line in _lines(fitted.calibration):
        click.echo(line)
    for remark in fitted.remarks:
        click.echo(f"note: {remark}")
    click.echo(f"calibration: {out}")


def _check_out(paths: tuple[Path, ...], out: Path) -> None:
    data = [file for path in paths for file in (path.glob("*.csv") if path.is_dir() else [path])]
    if any(out.resolve() == file.resolve() for file in data):
        raise UsageError(f"--out {out} is the data itself; name another file")


def _name(data: MarketData, out: Path) -> str:
    """Return the table's own name, or that of the file to write where there are several."""
    if len(data.tables) == 1 and not data.observations:
        return default_name(data.tables[0])
    return re.sub(r"[^A-Za-z0-9._-]+", "-", out.stem).strip("-._") or "market"


def _read_lines(data: MarketData) -> Iterator[str]:
    """Yield what each file was taken for: its assets or series, and how often its rows come."""
    for table in data.tables:
        yield f"{table.path}: {', '.join(table.assets)}; {table.frequency.message}"
    series = [
        *((found.path, name, "monthly") for name, found in data.monthly.items()),
        *((found.path, name, str(kind)) for (name, kind), found in data.observations.items()),
    ]
    for path, kind in dict.fromkeys((path, kind) for path, _, kind in series):
        names = [name for where, name, often in series if (where, often) == (path, kind)]
        yield f"{path}: {', '.join(names)}; {kind}"


def _lines(calibration: Calibration) -> Iterator[str]:
    width = max(8, *(len(name) for name in calibration.assets))
    for name, figures in calibration.assets.items():
        volatility = figures.volatility
        error = volatility.standard_error or 0.0
        weak = [field for field in type(figures).model_fields if _is_weak(figures, field)]
        yield (
            f"{name:<{width}} volatility {volatility.value:.4f} ± {error:.4f}  "
            f"alpha {figures.alpha.value:.4f}  gamma {figures.gamma.value:+.4f}  "
            f"beta {figures.beta.value:.4f}" + (f"  weak: {', '.join(weak)}" if weak else "")
        )
    if len(calibration.assets) <= _MOST_PAIRS:
        for pair in calibration.correlations:
            first, second = pair.between
            error = pair.standard_error or 0.0
            yield f"{first}-{second} correlation {pair.value:.3f} ± {error:.3f}{_weak(pair)}"
    else:
        yield from _matrix(calibration, width)
    moved = [pair for pair in calibration.correlations if "nearest positive" in pair.note]
    if moved:
        yield f"correlations: {len(moved)} moved to the nearest positive definite matrix"
    if calibration.macro is not None:
        for name, figure in _macro_figures(calibration.macro):
            yield _figure_line(name, figure)
    for name, finding in calibration.findings.items():
        yield _figure_line(name, finding)


def _is_weak(figures: AssetCalibration, field: str) -> bool:
    figure = getattr(figures, field)
    return isinstance(figure, Figure) and bool(figure.weak)


def _matrix(calibration: Calibration, width: int) -> Iterator[str]:
    names = tuple(calibration.assets)
    values = calibration.correlation(names)
    yield "correlations (* weak: below two standard errors)"
    weak = {frozenset(pair.between) for pair in calibration.correlations if pair.weak}
    for row, name in enumerate(names):
        cells = " ".join(
            f"{value:+.2f}{'*' if frozenset((name, names[column])) in weak else ' '}"
            for column, value in enumerate(values[row, :row])
        )
        yield f"{name:<{width}} {cells}".rstrip()


def _macro_figures(macro: MacroCalibration) -> Iterator[tuple[str, Sourced]]:
    """Yield the measured figures of the macro section; assumptions are no result of a fit."""

    def walk(name: str, value: object) -> Iterator[tuple[str, Sourced]]:
        if isinstance(value, Sourced):
            if value.mark == "observed":
                yield name, value
        elif isinstance(value, dict):
            for key, item in value.items():
                yield from walk(f"{name}.{key}", item)
        elif isinstance(value, BaseModel):
            for key in type(value).model_fields:
                yield from walk(f"{name}.{key}" if name else key, getattr(value, key))

    yield from walk("", macro)


def _figure_line(name: str, figure: Figure | Sourced) -> str:
    error = "" if figure.standard_error is None else f" ± {figure.standard_error:.3g}"
    return f"{name:<40} {figure.value:.4g}{error} {figure.unit}{_weak(figure)}"


def _weak(figure: Figure | Sourced) -> str:
    return f"  weak: {figure.weak}" if figure.weak else ""
