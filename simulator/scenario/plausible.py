"""What a scenario may say and hardly means: percent as whole numbers, tests that decide nothing,
prices of another day.

Each is told with its line and remedy and runs all the same; `--strict` refuses it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.scenario.calibration import Calibration
from simulator.scenario.claims import NEVER_NEGATIVE, ClaimTerms, Condition
from simulator.scenario.models import MarketScenario, Scenario
from simulator.schema.fields import Fault, Plausible

FRESH_DAYS = 5
"""A last close may be so many days from the start: a long weekend, and one day more."""
_WHOLE = 1.0
"""A yearly yield beyond 100 % is written as percent, or is a claim that needs no test."""
_MULTIPLE = 5.0
"""Of a return over the whole run, which may be years of coins."""
_LOSSES = ("drawdown", "ulcer", "expected_shortfall")
_YIELDS = ("annual_yield", "money_weighted_return", "yield_deviation", "volatility")


def implausible(scenario: MarketScenario) -> Iterator[Fault]:
    """Yield the values that hardly anybody means, and the bounds that decide nothing."""
    for name in type(scenario).model_fields:
        yield from _odd_values(getattr(scenario, name), (name,))
    if isinstance(scenario, Scenario):
        for name, claim in scenario.claims.items():
            yield from _odd_bounds(claim, ("claims", name, "conditions"))


def _odd_values(value: Any, place: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _odd_values(item, (*place, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _odd_values(item, (*place, index))
    if not isinstance(value, BaseModel):
        return
    for name, info in type(value).model_fields.items():
        item, here = getattr(value, name), (*place, name)
        if isinstance(item, float):
            for plausible in _plausible(info.annotation, info.metadata):
                if rule := plausible.rule(item):
                    yield here, f"{item:.12g}", rule
        else:
            yield from _odd_values(item, here)


def _plausible(annotation: Any, metadata: Any) -> Iterator[Plausible]:
    """Yield what a field's type says of plausible values, that within `X | None` included."""
    for item in metadata:
        parts = item.metadata if isinstance(item, FieldInfo) else (item,)
        yield from (part for part in parts if isinstance(part, Plausible))
    for inner in get_args(annotation):
        yield from _plausible(inner, getattr(inner, "__metadata__", ()))


def _odd_bounds(claim: ClaimTerms, place: tuple[str | int, ...]) -> Iterator[Fault]:
    for index, condition in enumerate(claim.conditions):
        if condition.scale == "level":
            continue
        difference = claim.kind == "effect" or condition.over is not None
        for bound in ("at_least", "at_most", "reported_above"):
            value = getattr(condition, bound)
            if value is None:
                continue
            rule = "" if difference else _undecided(condition, bound, value)
            if rule := rule or _as_percent(condition, value):
                yield (*place, index, bound), f"{value:.12g}", rule


def _undecided(condition: Condition, bound: str, value: float) -> str:
    """Return why a bound of a measure itself can never fail or never hold, empty where it can."""
    measure = condition.measure
    low = 0.0 if measure in NEVER_NEGATIVE else -1.0
    high = 1.0 if measure in _LOSSES else float("inf")
    words = f"a {measure.replace('_', ' ')} is never"
    remedy = f"; {value:g} % is written {value / 100:g}" if abs(value) > 1 else ""
    if bound == "at_least" and value <= low:
        return f"can never fail: {words} below {low:g}{remedy}"
    if bound == "at_least" and value > high:
        return f"can never hold: {words} above 1 (100 %){remedy}"
    if bound == "at_most" and value >= high:
        return f"can never fail: {words} above 1 (100 %){remedy}"
    if bound == "at_most" and value < low:
        return f"can never hold: {words} below {low:g}{remedy}"
    return ""


def _as_percent(condition: Condition, value: float) -> str:
    largest = _WHOLE if condition.measure in (*_LOSSES, *_YIELDS) else _MULTIPLE
    if abs(value) <= largest:
        return ""
    a_year = " a year" if condition.measure in _YIELDS else ""
    return f"{100 * value:,.4g} %{a_year} is hardly meant; {value:g} % is written {value / 100:g}"


def stale_prices(
    scenario: MarketScenario, calibration: Calibration, *, follows: bool
) -> Iterator[Fault]:
    """Yield the assets whose last close is of another time than the start, by the day of it.

    Parameters
    ----------
    follows : bool
        Whether the start is the calibration's last day, set by nobody.
    """
    if scenario.market.model == "history":
        return  # its prices are the table's
    by_day: dict[dt.date, list[str]] = {}
    for asset, terms in scenario.market.assets.items():
        price = calibration.assets[asset].price
        known = FRESH_DAYS if terms.price_age_days is None else terms.price_age_days
        apart = abs((scenario.start - price.window[1]).days)
        if terms.price is None and price.mark == "observed" and apart > known:
            by_day.setdefault(price.window[1], []).append(asset)
    for day, assets in by_day.items():
        days = (scenario.start - day).days
        far = f"{abs(days):,} days {'before' if days > 0 else 'after'} it"
        what = "this close is" if len(assets) == 1 else "these closes are"
        rule = (
            f"the last close of {', '.join(assets)} is of {day}, {far}; calibrate prices of that "
            f"time, or say that {what} known by price_age_days"
        )
        if not follows:
            yield ("start",), f"{scenario.start}", f"{rule}, or leave start out"
        else:
            place = ("market", "assets", assets[0])
            yield place, "", f"the run starts on {scenario.start}, and {rule}"
