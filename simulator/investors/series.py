"""Daily series by name: prices, ratios and factors of the market, observables of instruments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simulator.errors import InputError, Problem
from simulator.instruments.base import InstrumentPaths
from simulator.market.paths import MarketPaths
from simulator.units import FloatArray


def series(
    market: MarketPaths, instruments: Mapping[str, InstrumentPaths], name: str
) -> FloatArray:
    """Return a daily series of shape (n_steps + 1, n_paths) by its name.

    Those of `market_series`, and INSTRUMENT.OBSERVABLE.

    Raises
    ------
    InputError
        There is no such factor or observable.
    """
    head, *rest = name.split(".")
    if head not in instruments:
        return market_series(market, name)
    held = instruments[head]
    for shown in (held.details, held.further):
        if rest[0] in shown:
            return shown[rest[0]]
    raise _unknown(name, f"{head} has {', '.join((*held.details, *held.further)) or 'none'}")


def market_series(market: MarketPaths, name: str) -> FloatArray:
    """Return price.ASSET, ratio.ASSET.ASSET or factor.FACTOR, shape (n_steps + 1, n_paths).

    Raises
    ------
    InputError
        There is no such factor.
    """
    head, *rest = name.split(".")
    if head == "price":
        return market.prices[rest[0]]
    if head == "ratio":
        quotient: FloatArray = market.prices[rest[0]] / market.prices[rest[1]]
        return quotient
    if rest[0] not in market.factors:
        known = ", ".join(market.factors) or "none: only model macro has factors"
        raise _unknown(name, f"the market has {known}")
    return market.factors[rest[0]]


def assets_of(names: Iterable[str]) -> set[str]:
    """Return the assets whose prices `market_series` of these names needs."""
    return {
        asset
        for head, *assets in (name.split(".") for name in names)
        if head in ("price", "ratio")
        for asset in assets
    }


def _unknown(series_name: str, rule: str) -> InputError:
    return InputError([Problem("claims", None, "series", f"'{series_name}'", rule)])
