"""Tables of the diffusion and its jumps, which all models but the bootstrap share."""

from __future__ import annotations

import numpy as np
from scipy import special

from simulator.market.draws import GROUP, MAX_JUMPS, Float32Array
from simulator.market.kernels import Tables
from simulator.market.philox import WordArray
from simulator.market.spec import Garch, Jumps, MarketFigures
from simulator.market.streams import diffusion_stream, jump_stream
from simulator.units import FloatArray


def diffusion_tables(
    spec: MarketFigures,
    jumps: Jumps | None,
    garch: Garch | None,
    tick_variance: FloatArray,
    cholesky: FloatArray,
) -> Tables:
    """Return the tables of a diffusion, with jumps and GARCH or without.

    Parameters
    ----------
    tick_variance : ndarray of shape (n_assets,)
        Long-run variance of a trading day's shock.
    cholesky : ndarray of shape (n_assets, n_assets)
        Of the shocks' correlation.
    """
    n_assets = len(spec.assets)
    scale = np.ones_like(tick_variance) if garch else np.sqrt(tick_variance)
    rate = np.zeros(n_assets) if jumps is None else jumps.intensity
    size = np.zeros((n_assets, 2))
    if jumps is not None:
        size = np.column_stack([jumps.mean, jumps.sd])
    return Tables(
        spot=np.array(spec.spot, dtype=np.float64),
        log_spot=np.log(spec.spot),
        drift=landing_drift(spec, jumps, np.zeros_like(tick_variance) if garch else tick_variance),
        trading=np.array(spec.trading, dtype=np.bool_, order="C"),
        mixing=(cholesky * scale[:, None]).astype(np.float32),
        garch=_garch_table(garch, tick_variance),
        streams=np.array(
            [[diffusion_stream(asset), jump_stream(asset)] for asset in spec.assets],
            dtype=np.uint32,
        ),
        thresholds=jump_thresholds(rate / spec.periods_per_year),
        jump_size=size.astype(np.float32),
        half_dof=spec.dof // 2,
        has_garch=garch is not None,
        has_jumps=jumps is not None,
    )


def diffusion_variance(spec: MarketFigures, jumps: Jumps | None) -> FloatArray:
    """Return what jumps leave of a trading day's variance, shape (n_assets,).

    Raises
    ------
    ValueError
        They leave nothing.
    """
    total = spec.volatility**2 / spec.periods_per_year
    if jumps is None:
        return total
    rest = total - jumps.variance(spec.periods_per_year)
    if np.any(rest < 0):
        short = ", ".join(n for n, left in zip(spec.assets, rest, strict=True) if left < 0)
        raise ValueError(
            f"the jumps alone have more variance than the volatility asked for of {short}"
        )
    return rest


def days_waited(spec: MarketFigures) -> FloatArray:
    """Return days since the last trading day, shape (n_assets, n_steps + 1)."""
    steps = np.arange(spec.n_steps + 1)
    traded = np.where(spec.trading, steps, 0)
    last_traded = np.zeros_like(traded)
    last_traded[:, 1:] = np.maximum.accumulate(traded, axis=1)[:, :-1]
    waited: FloatArray = (steps - last_traded).astype(np.float64)
    return waited


def landing_drift(
    spec: MarketFigures, jumps: Jumps | None, tick_variance: FloatArray
) -> FloatArray:
    """Return the log drift that lands on each step, shape (n_assets, n_steps + 1)."""
    accrued = spec.drift[:, None] * spec.year_fraction * days_waited(spec)
    per_tick = tick_drift(spec, jumps, tick_variance)
    return np.ascontiguousarray(np.where(spec.trading, accrued + per_tick[:, None], 0.0))


def tick_drift(spec: MarketFigures, jumps: Jumps | None, tick_variance: FloatArray) -> FloatArray:
    """Return what a trading day adds so that its shocks leave the expectation alone.

    `tick_variance` and the result are of shape (n_assets,).
    """
    per_tick: FloatArray = -tick_variance / 2
    if jumps is not None:
        per_tick = per_tick - jumps.compensator(spec.periods_per_year)
    return per_tick


def _garch_table(garch: Garch | None, tick_variance: FloatArray) -> Float32Array:
    table = np.zeros((len(tick_variance), 5))
    table[:, 4] = tick_variance
    if garch is not None:
        if np.any(garch.persistence >= 1):
            raise ValueError("alpha + gamma / 2 + beta must be below 1")
        table[:, 0] = tick_variance * (1 - garch.persistence)
        table[:, 1:] = np.column_stack([garch.alpha, garch.gamma, garch.beta, garch.variance_start])
    return table.astype(np.float32)


def jump_thresholds(rate: FloatArray) -> WordArray:
    """Return P(more than k jumps in a group's days) * 2^32, shape (n_assets, MAX_JUMPS), uint32.

    `rate` is of shape (n_assets,), jumps a day.
    """
    more_than = special.pdtrc(np.arange(MAX_JUMPS)[None, :], GROUP * rate[:, None])
    words: WordArray = np.minimum(np.rint(more_than * 2.0**32), 2.0**32 - 1).astype(np.uint32)
    return words
