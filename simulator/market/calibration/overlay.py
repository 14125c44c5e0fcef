"""A user's figures laid over the shipped calibration, which gives what his data lack.

A table of metals has no Bitcoin, and one of a year bears no GARCH fit. What the data show is
theirs: prices, today's variance, what was fitted. All else is the shipped figure, and its note
says so.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from simulator.market.calibration import figures, matrix
from simulator.market.calibration.bills import BILLS
from simulator.market.calibration.closes import Closes
from simulator.market.calibration.data import MonthlyPrices
from simulator.market.calibration.diffusion import Estimate, next_variance
from simulator.market.calibration.figures import Origin
from simulator.market.calibration.prices import MIN_LONG_RETURNS
from simulator.scenario.calibration import (
    AssetCalibration,
    Calibration,
    Correlation,
    Figure,
    PeriodVariance,
)
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.macro_types import Sourced
from simulator.schema.assets import CLASSES, AssetClass, class_of

Noted = TypeVar("Noted", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Extras:
    """What the data say of assets that they bear no fit of.

    few : dict of str to Closes
        Daily closes, too few for a fit.
    monthly : dict of str to MonthlyPrices
        Of assets without daily closes.
    """

    few: Mapping[str, Closes]
    monthly: Mapping[str, MonthlyPrices]


def lay_over(
    fitted: Calibration | None, extras: Extras, base: Calibration, name: str
) -> tuple[Calibration, tuple[str, ...]]:
    """Return a calibration of all of `base`'s assets, and what of it is `base`'s, in words.

    Parameters
    ----------
    fitted : Calibration, optional
        What the data bear a fit of.
    """
    own = {} if fitted is None else fitted.assets
    lacking = [asset for asset in base.assets if asset not in own]
    if fitted is not None and not lacking and fitted.macro is not None:
        return fitted, ()
    mark = _Mark(base.name)
    assets = {**own, **{asset: _asset(asset, extras, base, mark) for asset in lacking}}
    assets = {asset: assets[asset] for asset in (*base.assets, *own) if asset in assets}
    mine = {} if fitted is None else {frozenset(p.between): p for p in fitted.correlations}
    theirs = {frozenset(pair.between): pair for pair in base.correlations}
    pairs = tuple(
        _pair(mine.get(frozenset(pair)), theirs.get(frozenset(pair)), mark)
        for pair in itertools.combinations(assets, 2)
    )
    of_base = dict.fromkeys(class_of(asset) for asset in lacking if asset != BILLS)
    tails = {} if fitted is None else dict(fitted.joint_degrees_of_freedom)
    tails |= {name: mark(base.joint_degrees_of_freedom[name]) for name in of_base}
    laid = Calibration.model_validate(
        {
            "name": name,
            "as_of": _as_of(fitted, extras),
            "laid_over": base.name,
            "source": "; ".join([*_sources(fitted, extras), f"for what they lack {base.name}"]),
            "excluded": (
                *(() if fitted is None else fitted.excluded),
                *(record for record in base.excluded if record.asset in lacking),
            ),
            "assets": assets,
            "correlations": matrix.consistent(tuple(assets), pairs),
            "joint_degrees_of_freedom": {name: tails[name] for name in CLASSES if name in tails},
            "macro": _macro(None if fitted is None else fitted.macro, base.macro_figures, mark),
            "findings": {} if fitted is None else fitted.findings,
        }
    )
    n_own = sum(frozenset(pair.between) in mine for pair in pairs)
    return laid, tuple(_told(laid, extras, lacking, n_own, list(of_base)))


@dataclass(frozen=True)
class _Mark:
    """Says in a figure's note that it is another calibration's."""

    base: str

    def __call__(self, figure: Noted) -> Noted:
        note = getattr(figure, "note", "")
        return figure.model_copy(update={"note": "; ".join(filter(None, [self.words, note]))})

    @property
    def words(self) -> str:
        return f"not in the data: of {self.base}"


def is_of_base(figure: Figure | Sourced, laid: Calibration) -> bool:
    """Return whether a figure is that of the calibration below."""
    return bool(laid.laid_over) and figure.note.startswith(_Mark(laid.laid_over).words)


def _pair(mine: Correlation | None, below: Correlation | None, mark: _Mark) -> Correlation:
    """Return the data's correlation, its shocks' as far above as the base's, or the base's."""
    if mine is None:
        if below is None:
            raise KeyError("a pair of neither")
        return mark(below)
    if below is None or below.shocks is None:
        return mine
    return mine.model_copy(update={"shocks": below.moved(mine.value).shocks})


def _asset(asset: str, extras: Extras, base: Calibration, mark: _Mark) -> AssetCalibration:
    below = base.assets[asset]
    marked = below.model_copy(
        update={
            field: mark(figure)
            for field in type(below).model_fields
            if isinstance(figure := getattr(below, field), Figure)
        }
    )
    if asset in extras.few:
        closes = extras.few[asset]
        origin = Origin(closes.source, closes.window)
        update: dict[str, object] = {
            "price": figures.price(origin, closes.column, closes.last_quote)
        }
        if len(closes.prices) > MIN_LONG_RETURNS:
            update["variance_start"] = _variance(closes, below, origin)
        return marked.model_copy(update=update)
    if asset in extras.monthly:
        monthly = extras.monthly[asset]
        last = monthly.prices.index[-1]
        origin = Origin(monthly.source, (monthly.prices.index[0], last))
        quote = float(monthly.prices.iloc[-1]) / monthly.column.factor
        price = figures.price(origin, monthly.column, quote)
        if monthly.averaged:
            price = price.model_copy(update={"note": "average of the last month, no close"})
        return marked.model_copy(update={"price": price})
    return marked


def _variance(closes: Closes, below: AssetCalibration, origin: Origin) -> PeriodVariance:
    """Return the variance after the last close: the base's recursion over the file's returns."""
    returns = closes.returns().to_numpy(dtype=np.float64)
    ratio = closes.rows_per_year / below.periods_per_year
    long_run = below.volatility.value**2 / below.periods_per_year
    weights = below.alpha.value, below.gamma.value, below.beta.value
    last = next_variance((returns - returns.mean()) * math.sqrt(ratio), long_run, *weights)
    note = (
        f"filtered over {len(returns)} returns with the weights below: a volatility of "
        f"{math.sqrt(last * below.periods_per_year):.1%} a year"
    )
    return origin.figure(PeriodVariance, Estimate(last, math.nan), "1/period", note)


def _as_of(fitted: Calibration | None, extras: Extras) -> dt.date:
    dates = [closes.window[1] for closes in extras.few.values()]
    dates += [monthly.prices.index[-1] for monthly in extras.monthly.values()]
    if fitted is not None:
        dates.append(fitted.as_of)
    return max(dates)


def _sources(fitted: Calibration | None, extras: Extras) -> list[str]:
    found = [] if fitted is None else fitted.source.split("; ")
    found += [closes.source for closes in extras.few.values()]
    found += [monthly.source for monthly in extras.monthly.values()]
    return list(dict.fromkeys(found))


def _macro(mine: MacroCalibration | None, base: MacroCalibration, mark: _Mark) -> MacroCalibration:
    """Return the macro section: a measured figure is the data's, any other the base's."""
    defaults = MacroCalibration()
    groups = {name: getattr(base, name) for name in base.model_fields_set}
    marked = {name: _marked(group, mark) for name, group in groups.items()}
    if mine is not None:
        for name in mine.model_fields_set:
            below = marked.get(name) or _marked(getattr(base, name), mark)
            marked[name] = _merged(getattr(mine, name), getattr(defaults, name), below)
    return MacroCalibration.model_validate(marked)


def _marked(value: Any, mark: _Mark) -> Any:
    if isinstance(value, Sourced):
        return mark(value)
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return value.model_copy(update={f: _marked(getattr(value, f), mark) for f in fields})
    if isinstance(value, dict):
        return {key: _marked(item, mark) for key, item in value.items()}
    return value


def _merged(mine: Any, default: Any, below: Any) -> Any:
    if isinstance(mine, Sourced) or not isinstance(mine, BaseModel | dict):
        return below if mine == default else mine
    if isinstance(mine, dict):
        return {
            key: _merged(mine.get(key), default.get(key), below.get(key))
            for key in {**below, **mine}
        }
    fields = type(mine).model_fields
    return mine.model_copy(
        update={
            f: _merged(getattr(mine, f), getattr(default, f), getattr(below, f)) for f in fields
        }
    )


def _told(
    laid: Calibration, extras: Extras, lacking: list[str], n_own: int, tails: list[AssetClass]
) -> list[str]:
    base, found = laid.laid_over, []
    for asset in lacking:
        if asset in extras.few:
            count = len(extras.few[asset].prices) - 1
            what = "price and variance_start" if count >= MIN_LONG_RETURNS else "price"
            found.append(
                f"{asset}: {what} of the file; its {count} returns bear no fit (500 are needed): "
                f"volatility, weights, tail and jumps are those of {base}"
            )
        elif asset in extras.monthly:
            found.append(f"{asset}: price of the file, which is monthly; all else is of {base}")
    whole = [asset for asset in lacking if asset not in extras.few and asset not in extras.monthly]
    if whole:
        dated = ", ".join(f"{asset} ({laid.assets[asset].price.window[1]})" for asset in whole)
        found.append(f"not in the data, of {base}, with the day of its price: {dated}")
    rest = len(laid.correlations) - n_own
    if rest:
        tail = f" and the joint tails ({', '.join(tails)})" if tails else ""
        found.append(f"correlations: {n_own} of the data; {rest}{tail} of {base}")
    return found
