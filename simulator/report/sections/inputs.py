"""What the run rests on: the scenario's figures with their marks, and the calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.report.markup import Column, Html, Row, element, fold, join, section, table
from simulator.scenario.calibration import Calibration, Figure
from simulator.scenario.files import Assumption, LoadedMarket, LoadedScenario, assumptions
from simulator.words import MINUS

if TYPE_CHECKING:
    from simulator.scenario.calibration import AssetCalibration

_FIGURES = (
    "price",
    "volatility",
    "alpha",
    "gamma",
    "beta",
    "variance_start",
    "degrees_of_freedom",
    "jump_intensity",
    "jump_mean",
    "jump_sd",
)


def inputs_section(loaded: LoadedScenario) -> Html:
    """Return the list of assumptions and the table of calibrated figures."""
    return fold(
        "inputs",
        "What the run rests on",
        element(
            "p",
            "Every number of the scenario with its mark: ",
            *_marks(),
            ". Rates, drifts, volatilities and hazards are annual.",
        ),
        _assumptions(assumptions(loaded.scenario, loaded.provenance)),
        element("h3", f"Calibration {loaded.calibration.name}"),
        _calibration_words(loaded.calibration),
        _calibration(loaded.calibration),
    )


def market_inputs_section(loaded: LoadedMarket) -> Html:
    """Return the same for the market alone."""
    found = assumptions(loaded.scenario, loaded.provenance)
    return section(
        "inputs",
        "What the market rests on",
        element("p", "Every number of the market with its mark: ", *_marks(), "."),
        _assumptions([item for item in found if item.field.startswith("market.")]),
        element("h3", f"Calibration {loaded.calibration.name}"),
        _calibration_words(loaded.calibration),
        _calibration(loaded.calibration),
    )


def _marks() -> Iterator[Html]:
    meanings = (
        ("observed", " from a first-hand source, "),
        ("secondary", " as others report it, "),
        ("claimed", " by the promoters, "),
        ("assumption", " of this run (or a default)"),
    )
    for mark, meaning in meanings:
        yield join((_mark(mark), meaning))


def _mark(mark: str) -> Html:
    return element("span", mark, class_="tag")


def _assumptions(found: Sequence[Assumption]) -> Html:
    rows = []
    group = ""
    for item in found:
        prefix, _, name = item.field.rpartition(".")
        if prefix != group:
            group = prefix
            rows.append(Row((prefix.replace(".", " › ").replace("_", " "),)))
        origin = "; ".join(part for part in (item.source, item.note) if part)
        rows.append(
            Row(
                (
                    _soft(name),
                    _given(item.value),
                    _mark(item.mark),
                    origin,
                    item.description.replace("`", ""),  # that of the code
                )
            )
        )
    columns = (
        Column("Input", numeric=False),
        Column("value"),
        Column("mark", numeric=False),
        Column("source or note", numeric=False),
        Column("what it is", numeric=False),
    )
    return table(columns, rows, caption="Inputs of the scenario", class_="stack inputs")


def _given(value: str) -> str:
    """Return a scenario's value; what is not one number stays as it stands."""
    try:
        return _digits(float(value))
    except ValueError:
        return value


def _digits(value: float) -> str:
    """Return a figure as it was given; thousands are set apart from 10,000 on."""
    shown = f"{value:,.10g}" if abs(value) >= 10_000 else f"{value:.10g}"
    return shown.replace("-", MINUS)


def _soft(name: str) -> Html:
    """Return a field's name with places where it may break."""
    return Html("_<wbr>".join(join((part,)) for part in name.split("_")))


def _calibration_words(calibration: Calibration) -> Html:
    excluded = "; ".join(
        f"{item.asset} on {item.date}: {item.log_return:g} ({item.reason})"
        for item in calibration.excluded
    )
    words = f"As of {calibration.as_of}. Source of all figures unless stated: {calibration.source}."
    if excluded:
        words += f" Returns left out of the fit: {excluded}."
    return element("p", words)


def _calibration(calibration: Calibration) -> Html:
    rows = [
        row
        for name, asset in calibration.assets.items()
        for row in _asset(calibration, name, asset)
    ]
    rows.append(Row(("all assets",)))
    for pair in calibration.correlations:
        name = f"correlation of {pair.between[0]} and {pair.between[1]}"
        rows.append(_figure(calibration, name, pair))
    for of, tail in calibration.joint_degrees_of_freedom.items():
        rows.append(_figure(calibration, f"joint degrees of freedom of {of}", tail))
    columns = (
        Column("Figure", numeric=False),
        Column("value"),
        Column("standard error"),
        Column("unit", numeric=False),
        Column("window", numeric=False),
        Column("note", numeric=False),
    )
    return table(columns, rows, caption="Calibrated figures", class_="stack inputs figured")


def _asset(calibration: Calibration, name: str, asset: AssetCalibration) -> Iterator[Row]:
    head = f"{name}, {asset.periods_per_year} periods a year"
    yield Row((head,))
    for figure in _FIGURES:
        yield _figure(calibration, figure.replace("_", " "), getattr(asset, figure))


def _figure(calibration: Calibration, name: str, figure: Figure) -> Row:
    first, last = figure.window
    source = "" if figure.source == calibration.source else f"Source: {figure.source}. "
    error = "none" if figure.standard_error is None else _digits(figure.standard_error)
    window = f"{first}" if first == last else f"{first} to {last}"
    return Row((name, _digits(figure.value), error, figure.unit, window, source + figure.note))
