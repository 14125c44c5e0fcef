"""Why an asset rises: the parts of its drift over all paths, and the factors behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from simulator.market.dynamics import MarketSpec
from simulator.market.macro.names import LABELS, N_RECORDED, PARTS
from simulator.market.paths import empty_states, factors_of
from simulator.units import FloatArray

FACTOR_PATHS = 2_560
"""The factors' quantiles are taken over the first paths up to this number."""

Kind = Literal["base", "channel", "view", "convexity"]

_VIEWS = {
    "real_rate": "view: real rate",
    "central_banks": "view: central banks",
    "liquidity": "view: liquidity",
    "silver_demand": "view: silver demand",
    "silver_supply": "view: silver supply",
    "copper_demand": "view: copper demand",
    "copper_supply": "view: copper supply",
    "target": "view: price target",
}


@dataclass(frozen=True)
class DriftShare:
    """One part of an asset's drift: why it rises here.

    The means of an asset's parts add up to the annual growth of its expectation that the
    paths were given, ln E[S_T / S_0 | factors] / T, averaged over paths.

    Attributes
    ----------
    asset : str
    part : str
        "base", "convexity", the name of a channel ("real_rate"), or of a view
        ("view.real_rate", "view.target").
    kind : str
        "base" (the scenario's drift), "channel" (surprises of the factors), "view" (what the
        scenario says of the factors, or of the price), "convexity" (what keeps the expectation
        where it belongs though the channels scatter).
    label : str
        A few words for a chart.
    mean : float
        Log growth a year, mean over all paths; 0.02 = 2 %.
    p05, p95 : float
        Over paths; equal to the mean where all paths have the same.
    """

    asset: str
    part: str
    kind: Kind
    label: str
    mean: float
    p05: float
    p95: float


def room_for_factors(
    spec: MarketSpec, n_paths: int, first_path: int
) -> tuple[FloatArray, FloatArray]:
    """Return memory for states, empty where not wanted, and for the parts of the drift.

    Returns
    -------
    states : ndarray of shape (N_STATES + 1, n_steps + 1, n_paths), or (0, 0, 0)
    recorded : ndarray of shape (n_assets, N_RECORDED, n_paths)
        Uninitialised for the model macro, which fills it; else zeros.
    """
    if spec.model != "macro":
        return np.empty((0, 0, 0)), np.zeros((len(spec.assets), N_RECORDED, n_paths))
    recorded = np.empty((len(spec.assets), N_RECORDED, n_paths))
    if first_path >= FACTOR_PATHS:
        return np.empty((0, 0, 0)), recorded
    return empty_states(spec, n_paths), recorded


def kept_factors(
    spec: MarketSpec, states: FloatArray, prices: FloatArray, wanted: int, first_path: int
) -> Mapping[str, npt.NDArray[np.float32]]:
    """Return what is kept of a block's factors, shape (n_steps + 1, n_kept) each."""
    if states.shape[0] == 0:
        return {}
    kept = min(wanted, FACTOR_PATHS - first_path)
    return {
        name: values[:, :kept].astype(np.float32)
        for name, values in factors_of(spec, states, prices).items()
    }


def drift_shares(spec: MarketSpec, mean: FloatArray, kept: FloatArray) -> tuple[DriftShare, ...]:
    """Return the parts of every asset's drift, as log growth a year.

    Parameters
    ----------
    mean : ndarray of shape (n_assets, N_RECORDED)
        Log growth up to the last trading day, over all paths.
    kept : ndarray of shape (n_assets, N_RECORDED, n_kept)
        The same of the first paths, for quantiles.
    """
    found: list[DriftShare] = []
    for index, asset in enumerate(spec.assets):
        traded = np.flatnonzero(spec.trading[index])
        years = max(int(traded[-1]), 1) * spec.year_fraction if traded.size else 1.0
        found.append(_same(asset, "base", "base", "base drift", float(spec.drift[index])))
        found += _channels(asset, mean[index] / years, kept[index] / years)
        if spec.model == "macro":
            found += _shared(spec, index, years)
    return tuple(found)


def _channels(asset: str, mean: FloatArray, kept: FloatArray) -> list[DriftShare]:
    found = []
    for row, part in enumerate(PARTS):
        if np.any(kept[row]):
            low, high = np.quantile(kept[row], (0.05, 0.95))
            found.append(
                DriftShare(
                    asset, part, "channel", LABELS[part], float(mean[row]), float(low), float(high)
                )
            )
    return found


def _shared(spec: MarketSpec, index: int, years: float) -> list[DriftShare]:
    plan, asset = spec.macro_plan, spec.assets[index]
    found = [
        _same(asset, f"view.{name}", "view", _VIEWS[name], float(path[index, -1]) / years)
        for name, path in plan.views.items()
        if path[index, -1] != 0.0
    ]
    convexity = float(plan.convexity[index, -1])
    if convexity != 0.0:
        found.append(_same(asset, "convexity", "convexity", "convexity", convexity / years))
    return found


def _same(asset: str, part: str, kind: Kind, label: str, value: float) -> DriftShare:
    return DriftShare(asset, part, kind, label, value, value, value)
