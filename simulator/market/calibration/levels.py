"""A table's last price against the shipped calibration's: a slip of unit or separator shows."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from simulator.errors import InputError, Problem
from simulator.market.calibration.columns import Column
from simulator.scenario.calibration import Calibration, load_calibration
from simulator.scenario.files import find_calibration
from simulator.scenario.shipped import SHIPPED
from simulator.schema.assets import LEVELLED
from simulator.units import DAYS_PER_YEAR

FACTOR = 3.0
DEVIATIONS = 4.0


@dataclass(frozen=True)
class LastPrice:
    """The last price of an asset in a file, as quoted.

    line : of the file, None where it is not known
    """

    column: Column
    quote: float
    date: dt.date
    path: str
    line: int | None

    @property
    def price(self) -> float:
        """Return it in US dollars per unit of the asset."""
        return self.quote * self.column.factor


@lru_cache(maxsize=1)
def shipped() -> Calibration:
    """Return the shipped calibration of all assets."""
    return load_calibration(find_calibration(SHIPPED, Path()))


def distance(asset: str, factor: float) -> Callable[[float], float] | None:
    """Return how far a quote is from the shipped price, as |log of their ratio|.

    Parameters
    ----------
    factor : float
        Turns a quote into US dollars per unit of the asset.
    """
    if asset not in LEVELLED:
        return None
    return lambda quote: abs(math.log(quote * factor / shipped().assets[asset].price.value))


def allowed_ratio(asset: str, date: dt.date) -> float:
    """Return by which factor a price of `date` may differ from the shipped one.

    Three, or four standard deviations of the time between, whichever is more.
    """
    figures = shipped().assets[asset]
    years = abs((date - figures.price.window[1]).days) / DAYS_PER_YEAR
    return max(FACTOR, math.exp(DEVIATIONS * figures.volatility.value * math.sqrt(years)))


def check_levels(prices: Iterable[LastPrice], accepted: Collection[str]) -> dict[str, str]:
    """Return each price beside the shipped one, in words, by asset.

    Parameters
    ----------
    accepted : collection of str
        Assets whose price is right, however far it is off.

    Raises
    ------
    InputError
        A price is too far from the shipped one.
    """
    told, problems = {}, []
    for last in prices:
        asset, unit = last.column.asset, last.column.unit
        told[asset] = f"last close {last.price:,.10g} USD/{unit} on {last.date}"
        if asset not in LEVELLED:
            continue
        known = shipped().assets[asset].price
        ratio = last.price / known.value
        beside = f"{known.value:,.10g} {known.unit} on {known.window[1]}, the shipped one"
        told[asset] += f"; {ratio:.3g} x {beside}"
        allowed = allowed_ratio(asset, last.date)
        if asset not in accepted and not 1 / allowed <= ratio <= allowed:
            rule = (
                f"on {last.date}, {ratio:.3g} times {beside}, and the time between explains a "
                f"factor of {allowed:.2g}: is the unit right, and the separator? if it is, say "
                f"--price-ok {asset}"
            )
            value = f"{last.quote:,.10g}"
            problems.append(Problem(last.path, last.line, last.column.name, value, rule))
    if problems:
        raise InputError(problems)
    return told
