"""`assay calibrate`: figures from tables of prices, rates and other series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click
from pydantic import BaseModel

from simulator.cli.options import named_columns
from simulator.errors import UsageError
from simulator.market.calibration import (
    Exclusion,
    Extras,
    LastPrice,
    MarketData,
    bearing_a_fit,
    check_exclusions,
    check_levels,
    check_returns,
    chosen_exclusions,
    closes_of,
    default_name,
    fit_data,
    is_of_base,
    lay_over,
    read_data,
    write_calibration,
)
from simulator.market.calibration.data import MonthlyPrices, MonthsAre
from simulator.market.calibration.observations import Observations
from simulator.market.simulated_moments import MomentFit, fit_moments, moment_lines
from simulator.market.validation.past import pasts_of
from simulator.scenario.calibration import (
    AssetCalibration,
    Calibration,
    Figure,
    load_calibration,
)
from simulator.scenario.files import find_calibration
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.macro_types import Sourced

Series = TypeVar("Series", MonthlyPrices, Observations)

_MOST_PAIRS = 3
"""More assets are shown as a matrix."""


def calibrate(
    paths: tuple[Path, ...],
    out: Path,
    columns: tuple[str, ...],
    exclude: tuple[str, ...],
    keep: tuple[str, ...],
    accepted: tuple[str, ...],
    months_are: str | None,
    over: str,
    moments: bool,
) -> None:
    """Do what `assay calibrate` is asked for, as its own module in `commands` says."""
    _check_out(paths, out)
    base = None if over == "none" else load_calibration(find_calibration(over, Path()))
    named = named_columns(columns)
    data = read_data(paths, named, few=base is not None, months_are=_months(months_are))
    left_out, kept = chosen_exclusions(data.tables, exclude, keep)
    told = check_returns(data.tables, left_out, kept)
    levels = check_levels(_last_prices(data), accepted)
    name = _name(data, out)
    calibration, below, remarks = _fit(data, left_out, base, name)
    found = _by_moments(calibration, data, left_out) if moments else None
    calibration = calibration if found is None else found.calibration
    write_calibration(calibration, out, only_measured=True)
    for line in _read_lines(data, levels):
        click.echo(line)
    for line in told:
        click.echo(f"note: {line}")
    for line in _lines(calibration):
        click.echo(line)
    if found is not None:
        click.echo(f"by simulated moments, distance {found.distance:.1f}:")
        for line in moment_lines(found):
            click.echo(line)
    for remark in (*remarks, *below):
        click.echo(f"note: {remark}")
    click.echo(f"calibration: {out}")


def _months(text: str | None) -> MonthsAre | None:
    return "averages" if text == "averages" else "closes" if text else None


def _fit(
    data: MarketData, exclude: Sequence[Exclusion], base: Calibration | None, name: str
) -> tuple[Calibration, tuple[str, ...], tuple[str, ...]]:
    """Return the calibration, which of its figures are the base's, and what was not used."""
    if base is None:
        fitted = fit_data(data, name, exclude)
        return fitted.calibration, (), fitted.remarks
    check_exclusions(data.tables, exclude)
    bearing, few = bearing_a_fit(data)
    found = None
    remarks: tuple[str, ...] = data.left_out
    if bearing.tables:
        own = {asset for table in bearing.tables for asset in table.assets}
        fit = fit_data(bearing, name, [e for e in exclude if e.asset in own])
        found, remarks = fit.calibration, fit.remarks
    closes = closes_of(few, exclude)
    fitted_assets = () if found is None else found.assets
    monthly = {a: m for a, m in data.monthly.items() if a not in fitted_assets and a not in closes}
    calibration, below = lay_over(found, Extras(closes, monthly), base, name)
    return calibration, below, remarks


def _by_moments(
    calibration: Calibration, data: MarketData, exclude: Sequence[Exclusion]
) -> MomentFit:
    """Return the fit by simulated moments, its progress shown on the standard error stream.

    Raises
    ------
    UsageError
        No asset has the years that histories are compared over.
    """
    bearing, _ = bearing_a_fit(data)
    if not bearing.tables:
        raise UsageError("--moments: no asset has enough daily closes to compare histories")
    pasts = pasts_of(closes_of(bearing.tables, exclude))

    def told(what: str) -> None:
        click.echo(what, err=True)

    return fit_moments(calibration, pasts, told)


def _check_out(paths: tuple[Path, ...], out: Path) -> None:
    data = [file for path in paths for file in (path.glob("*.*") if path.is_dir() else [path])]
    if any(out.resolve() == file.resolve() for file in data):
        raise UsageError(f"--out {out} is the data itself; name another file")


def _name(data: MarketData, out: Path) -> str:
    """Return the table's own name, or that of the file to write where there are several."""
    if len(data.tables) == 1 and not data.observations:
        return default_name(data.tables[0])
    return re.sub(r"[^A-Za-z0-9._-]+", "-", out.stem).strip("-._") or "market"


def _last_prices(data: MarketData) -> Iterator[LastPrice]:
    """Yield the last price of each asset, of days where there are some, else of months."""
    days = {}
    for table in data.tables:
        for column in table.columns:
            last = table.dates_of(column.asset)[-1]
            row = table.dates.index(last)
            days[column.asset] = LastPrice(
                column=column,
                quote=table.last_quotes[column.asset],
                date=last,
                path=table.path,
                line=table.lines[row] if table.lines else None,
            )
    yield from days.values()
    for asset, monthly in data.monthly.items():
        if asset not in days:
            quote = float(monthly.prices.iloc[-1]) / monthly.column.factor
            date = monthly.prices.index[-1]
            yield LastPrice(monthly.column, quote, date, monthly.path, None)


def _read_lines(data: MarketData, levels: Mapping[str, str]) -> Iterator[str]:
    """Yield what each file was taken for, its range and last close, and what was left out."""
    for table in data.tables:
        yield f"{table.path}: {', '.join(table.assets)}; {table.frequency.message}"
        for asset in table.assets:
            dates = table.dates_of(asset)
            yield f"  {asset}: {len(dates):,} rows, {dates[0]} to {dates[-1]}; {levels[asset]}"
        yield from (f"  {note}" for note in table.notes)
    yield from _monthly_lines(data, levels)
    yield from _series_lines(data)


def _monthly_lines(data: MarketData, levels: Mapping[str, str]) -> Iterator[str]:
    for path, prices in _by_path(data.monthly.values()):
        yield f"{path}: {', '.join(monthly.asset for monthly in prices)}; monthly"
        for monthly in prices:
            months = monthly.prices.index
            what = {True: "averages of months", False: "closes", None: "months"}[monthly.averaged]
            level = "" if monthly.asset in _daily(data) else f"; {levels[monthly.asset]}"
            yield f"  {monthly.asset}: {len(months):,} {what}, {months[0]} to {months[-1]}{level}"
        yield from (f"  {note}" for note in prices[0].notes)


def _series_lines(data: MarketData) -> Iterator[str]:
    for path, found in _by_path(data.observations.values()):
        kinds = ", ".join(dict.fromkeys(str(series.kind) for series in found))
        yield f"{path}: {', '.join(series.indicator.name for series in found)}; {kinds}"
        for series in found:
            first, last = series.window
            count = f"{len(series.values):,} values, {first} to {last}"
            yield f"  {series.indicator.name}: {count}; last {series.values.iloc[-1]:g}"
        yield from (f"  {note}" for note in found[0].notes)


def _daily(data: MarketData) -> set[str]:
    return {asset for table in data.tables for asset in table.assets}


def _by_path(series: Iterable[Series]) -> Iterator[tuple[str, list[Series]]]:
    found: dict[str, list[Series]] = {}
    for item in series:
        found.setdefault(item.path, []).append(item)
    yield from found.items()


def _lines(calibration: Calibration) -> Iterator[str]:
    width = max(8, *(len(name) for name in calibration.assets))
    for name, figures in calibration.assets.items():
        if is_of_base(figures.volatility, calibration):
            continue
        volatility = figures.volatility
        error = volatility.standard_error or 0.0
        weak = [field for field in type(figures).model_fields if _is_weak(figures, field)]
        yield (
            f"{name:<{width}} volatility {volatility.value:.4f} ± {error:.4f}  "
            f"alpha {figures.alpha.value:.4f}  gamma {figures.gamma.value:+.4f}  "
            f"beta {figures.beta.value:.4f}" + (f"  weak: {', '.join(weak)}" if weak else "")
        )
    own = tuple(
        name
        for name, figures in calibration.assets.items()
        if not is_of_base(figures.volatility, calibration)
    )
    if len(own) <= _MOST_PAIRS:
        for pair in calibration.correlations:
            if not set(pair.between) <= set(own):
                continue
            first, second = pair.between
            error = pair.standard_error or 0.0
            yield f"{first}-{second} correlation {pair.value:.3f} ± {error:.3f}{_weak(pair)}"
    else:
        yield from _matrix(calibration, own, width)
    moved = [pair for pair in calibration.correlations if "nearest positive" in pair.note]
    if moved:
        yield f"correlations: {len(moved)} moved to the nearest positive definite matrix"
    if calibration.macro is not None:
        yield from _macro_lines(calibration, calibration.macro)
    for name, finding in calibration.findings.items():
        yield _figure_line(name, finding)


def _is_weak(figures: AssetCalibration, field: str) -> bool:
    figure = getattr(figures, field)
    return isinstance(figure, Figure) and bool(figure.weak)


def _matrix(calibration: Calibration, names: tuple[str, ...], width: int) -> Iterator[str]:
    values = calibration.correlation(names)
    yield "correlations (* weak: below two standard errors)"
    weak = {frozenset(pair.between) for pair in calibration.correlations if pair.weak}
    for row, name in enumerate(names):
        cells = " ".join(
            f"{value:+.2f}{'*' if frozenset((name, names[column])) in weak else ' '}"
            for column, value in enumerate(values[row, :row])
        )
        yield f"{name:<{width}} {cells}".rstrip()


def _macro_lines(calibration: Calibration, macro: MacroCalibration) -> Iterator[str]:
    """Yield the measured figures, then which are the base's and which the model's defaults."""
    defaults = dict(_macro_figures(MacroCalibration()))
    below, standard = set(), set()
    for name, figure in _macro_figures(macro):
        if is_of_base(figure, calibration):
            below.add(name)
        elif figure == defaults.get(name):
            standard.add(name)
        elif figure.mark == "observed":
            yield _figure_line(name, figure)
    whole = [name for name, _ in _macro_figures(macro)]
    if below:
        yield f"not in the data, of {calibration.laid_over}: {_shortened(below, whole)}"
    if standard:
        yield f"defaults of the macro model, not fitted: {_shortened(standard, whole)}"


def _shortened(names: set[str], whole: Sequence[str]) -> str:
    """Return names as a list, that of a group in place of all that it holds."""
    found = []
    for name in whole:
        if name not in names:
            continue
        parts = name.split(".")
        groups = [".".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        held = (
            group
            for group in groups
            if all(n in names for n in whole if n == group or n.startswith(f"{group}."))
        )
        found.append(next(held))
    return ", ".join(dict.fromkeys(found))


def _macro_figures(macro: MacroCalibration) -> Iterator[tuple[str, Sourced]]:
    """Yield the figures of the macro section by name."""

    def walk(name: str, value: object) -> Iterator[tuple[str, Sourced]]:
        if isinstance(value, Sourced):
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
