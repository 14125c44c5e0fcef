"""From a market and its macro model to the kernel's tables, and what all paths share.

An asset's drift on its trading day is base + views + convexity, the same for all paths, and
the channels' surprises. Of its variance the channels that act from one day to the next have
their part; its own shocks have the rest, and correlate so that the total is what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator.market.diffusion import (
    days_waited,
    diffusion_tables,
    diffusion_variance,
    jump_thresholds,
    news_variance,
    of_normals,
    tick_drift,
    without_jumps,
)
from simulator.market.draws import Float32Array, IntArray
from simulator.market.kernels import Tables
from simulator.market.macro.chain import Chain
from simulator.market.macro.expected import (
    Expected,
    accumulated,
    bank_variance,
    expected,
    shifts_of_views,
)
from simulator.market.macro.model import Macro, Steps, driver_loadings
from simulator.market.macro.moments import Moments, Prices, moments
from simulator.market.macro.names import CHANGES, CHANNELS, N_STATES, Driver
from simulator.market.macro.tables import MacroTables
from simulator.market.macro.targets import Expectation, target_drifts
from simulator.market.philox import WordArray
from simulator.market.spec import Garch, Jumps, MarketFigures
from simulator.market.streams import Stream
from simulator.scenario.calibration import SMALLEST_EIGENVALUE
from simulator.scenario.correlation import nearest_correlation
from simulator.units import BoolArray, FloatArray

METALS = ("gold", "silver", "copper")
_DIGITS = 12
"""Tables are rounded here: a linear algebra library's last bits depend on the machine."""
_LARGEST_CORRECTION = 0.1
"""How far a correlation may be moved where channels and calibration contradict each other."""
_LEAST_OWN = 0.05
"""Share of the long-run variance that an asset's own shocks have on the first day, at least."""
_LARGEST_WORD = 2.0**32 - 1


@dataclass(frozen=True, eq=False)
class MacroPlan:
    """What the kernel reads, and the parts of the drift that all paths have alike.

    Attributes
    ----------
    tables : Tables
    kernel : MacroTables
    normals : ndarray of shape (n_assets, n_assets)
        How the normals are to correlate; the nearest that can be does where this cannot.
    chain : Chain
    steps : Steps
    expected : Expected
    views : dict of str to ndarray of shape (n_assets, n_steps + 1)
        Log growth up to each day, by view.
    convexity : ndarray of shape (n_assets, n_steps + 1)
        Log growth up to each day that makes up for the channels' scatter.
    changes : ndarray of shape (n_assets, n_steps + 1)
        Variance of what channels do from one trading day to the next.
    events : Jumps or None
    technical : ndarray of shape (n_assets,)
        Log drift of a trading day that makes up for shocks and jumps; no part of the drift.
    target_growth : dict of str to float
        Log growth a year that a target adds.
    """

    tables: Tables
    kernel: MacroTables
    normals: FloatArray
    chain: Chain
    steps: Steps
    expected: Expected
    views: Mapping[str, FloatArray]
    convexity: FloatArray
    changes: FloatArray
    events: Jumps | None
    technical: FloatArray
    target_growth: Mapping[str, float]


def plan(spec: MarketFigures, macro: Macro) -> MacroPlan:
    """Return the plan of a market.

    Raises
    ------
    ValueError
        The channels and events alone have more variance, or more correlation, than asked for.
    """
    year = spec.year_fraction
    channels = macro.loadings(spec.assets)
    loadings = driver_loadings(channels)
    chain, steps = macro.chain(year), macro.steps(year)
    here = without = expected(macro, steps, chain, spec.n_steps, year)
    if macro.views.liquidity is not None:
        usual = macro.chain(year, with_views=False)
        without = expected(macro, steps, usual, spec.n_steps, year)

    jumps = _events(spec, macro)
    garch, tick_variance, correlation = _own_shocks(spec, macro, jumps, chain)
    normals = correlation if garch is None else of_normals(correlation, spec.dofs)
    tables = diffusion_tables(spec, jumps, garch, tick_variance, normals)
    technical = tick_drift(spec, jumps, np.zeros_like(tick_variance) if garch else tick_variance)

    pulled = _pulled(spec, macro)
    prices = _prices(spec, macro, loadings, correlation, tick_variance, garch, jumps, pulled)
    found = None
    convexity = np.zeros((len(spec.assets), spec.n_steps + 1))
    changes = np.zeros_like(convexity)
    if np.any(loadings) or np.any(pulled[1:] >= 0):
        found = moments(macro, steps, chain, year, prices)
        convexity = _convexity(loadings, found, pulled, bank_variance(steps, here, year))
        daily = loadings[:, CHANGES]
        changes = np.einsum("ai,tij,aj->at", daily, found.drivers[:, CHANGES][:, :, CHANGES], daily)
    shifts = shifts_of_views(macro, here, without, year)
    views = {name: loadings @ accumulated(values, year) for name, values in shifts.items()}
    growth = target_drifts(spec, macro, _expectation(spec, views, convexity, found, prices, pulled))
    for asset, path in growth.paths.items():
        views.setdefault("target", np.zeros_like(convexity))[spec.assets.index(asset)] = path
    views = {name: _landed(spec, path) for name, path in views.items()}
    convexity = _landed(spec, convexity)
    shared = sum(views.values(), convexity)
    added = np.diff(shared, axis=1, prepend=0.0)
    return MacroPlan(
        tables=tables._replace(drift=np.ascontiguousarray(tables.drift + added)),
        kernel=_kernel(spec, macro, channels, chain, steps, here, pulled),
        normals=normals,
        chain=chain,
        steps=steps,
        expected=here,
        views=views,
        convexity=convexity,
        changes=np.diff(_landed(spec, changes), axis=1, prepend=0.0),
        events=jumps,
        technical=technical,
        target_growth=growth.annual,
    )


def _events(spec: MarketFigures, macro: Macro) -> Jumps | None:
    if not macro.parts.event_jumps or spec.jumps is None:
        return None
    return replace(spec.jumps, intensity=macro.figures.event_share.value * spec.jumps.intensity)


def _own_shocks(
    spec: MarketFigures, macro: Macro, jumps: Jumps | None, chain: Chain
) -> tuple[Garch | None, FloatArray, FloatArray]:
    """Return GARCH, the variance of a trading day and the correlation that are left."""
    tick = diffusion_variance(spec, jumps)
    total = spec.volatility**2 / spec.periods_per_year
    channels = macro.change_variance(spec.assets)
    own, common = without_jumps(spec, jumps), macro.stress_loadings(spec.assets)
    if np.any(channels) or np.any(common):
        # Channels and common shocks correlate in their own way: the rest does so that all
        # together correlate as asked.
        annual = np.sqrt(tick * spec.periods_per_year)
        rest = own * np.outer(annual, annual) - channels
        deviation = np.sqrt(np.maximum(np.diag(rest), 0.0))
        short = [name for name, left in zip(spec.assets, deviation, strict=True) if left == 0]
        if short:
            raise ValueError(
                f"the macro channels alone have more variance than the volatility of "
                f"{', '.join(short)}"
            )
        tick = deviation**2 / spec.periods_per_year
        asked = spec.cholesky @ spec.cholesky.T * np.outer(annual, annual) - channels
        _check_channels(asked / np.outer(deviation, deviation))
        own = _without_common(rest / np.outer(deviation, deviation), common, chain)
    if not macro.parts.garch or spec.garch is None:
        return None, tick, own
    # The filtered variance is that of a whole day in the regime of the start: jumps and channels
    # have their part of it, which is the same on all days, and the regime its weight.
    left = np.maximum(spec.garch.variance_start - (total - tick), _LEAST_OWN * tick)
    start = left / chain.volatility[chain.start] ** 2
    return replace(spec.garch, variance_start=start), tick, own


def _check_channels(correlation: FloatArray) -> None:
    """Refuse channels that tie or part assets far more than their correlation allows.

    `correlation`, of shape (n_assets, n_assets), is what they leave to the own shocks; jumps and
    stress are not counted in, for which the nearest correlation will do.
    """
    if np.linalg.eigvalsh(correlation)[0] > SMALLEST_EIGENVALUE:
        return
    if np.abs(nearest_correlation(correlation) - correlation).max() > _LARGEST_CORRECTION:
        raise ValueError(
            "the macro channels contradict the correlations: what they leave to the assets' own "
            "shocks is no correlation matrix"
        )


def _without_common(correlation: FloatArray, common: FloatArray, chain: Chain) -> FloatArray:
    """Return how the own shocks correlate if, with the common one, they do as given.

    Both are of shape (n_assets, n_assets); a regime counts by its share of the variance.
    """
    weight = (chain.shares * chain.volatility**2)[:, None]
    own = np.sqrt(1 - common**2)
    added = (weight * common).T @ common
    found: FloatArray = (correlation - added) / ((weight * own).T @ own)
    np.fill_diagonal(found, 1.0)
    return found


def _pulled(spec: MarketFigures, macro: Macro) -> IntArray:
    """Return the rows of gold, silver and copper, -1 where no pull needs them."""
    row = {name: spec.assets.index(name) if name in spec.assets else -1 for name in METALS}
    if not macro.parts.ratio_pull or -1 in (row["gold"], row["silver"]):
        row["gold"] = row["silver"] = -1
    if not macro.parts.copper_reversion:
        row["copper"] = -1
    return np.array([row[name] for name in METALS], dtype=np.int64)


def _prices(
    spec: MarketFigures,
    macro: Macro,
    loadings: FloatArray,
    own: FloatArray,
    tick_variance: FloatArray,
    garch: Garch | None,
    jumps: Jumps | None,
    pulled: IntArray,
) -> Prices:
    """Return what the moments need of the three metals; those without a pull stay at 0."""
    there = pulled >= 0
    row = np.maximum(pulled, 0)
    events = np.zeros(len(spec.assets))
    if jumps is not None:
        events = jumps.variance(spec.periods_per_year)
    ticks = np.cumsum(spec.trading[row][:, 1:], axis=1)
    ticks = np.concatenate([np.zeros((3, 1)), ticks], axis=1)
    variance = np.tile(tick_variance[row][:, None], (1, spec.n_steps + 1))
    if garch is not None:
        first = (garch.variance_start - tick_variance)[row][:, None]
        memory = garch.memory(news_variance(spec.dofs))[row][:, None]
        variance = variance + first * memory ** np.maximum(ticks - 1, 0)
    speed, share = macro.reversion
    correlation = own[np.ix_(row, row)]
    correlation = np.where(np.outer(there, there), correlation, 0.0)
    np.fill_diagonal(correlation, 1.0)
    trading = np.any(spec.trading[row] & there[:, None], axis=0)
    return Prices(
        loadings=loadings[row] * there[:, None],
        correlation=correlation,
        variance=variance * there[:, None],
        events=events[row] * there,
        stress=macro.stress_loadings(spec.assets)[:, row] * there,
        trading=trading,
        ratio_speed=macro.figures.ratio.speed.value if there[1] else 0.0,
        reversion_speed=speed if there[2] else 0.0,
        short_share=share if there[2] else 0.0,
    )


def _convexity(
    loadings: FloatArray,
    found: Moments,
    pulled: IntArray,
    banks: FloatArray,
) -> FloatArray:
    """Return minus half the variance that the shocks' own -h/2 does not make up for."""
    variance = np.einsum("ai,tij,aj->at", loadings, found.drivers, loadings)
    for place in (1, 2):
        if pulled[place] >= 0:
            variance[pulled[place]] = found.prices[place] - found.shocks[place]
    variance += loadings[:, [Driver.BANKS]] ** 2 * banks
    convexity: FloatArray = -variance / 2
    return convexity


def _expectation(
    spec: MarketFigures,
    views: Mapping[str, FloatArray],
    convexity: FloatArray,
    found: Moments | None,
    prices: Prices,
    pulled: IntArray,
) -> Expectation:
    """Return what the targets need: expected logarithms without the pull of the ratio."""
    years = np.arange(spec.n_steps + 1) * spec.year_fraction
    growth = spec.drift[:, None] * years + sum(views.values(), np.zeros_like(convexity))
    half = np.zeros((2, spec.n_steps + 1))
    if found is not None and pulled[1] >= 0:
        half = found.prices[:2] / 2
    return Expectation(
        growth=growth,
        half_variance=half,
        ratio_speed=prices.ratio_speed,
        trading=prices.trading,
    )


def _landed(spec: MarketFigures, path: FloatArray) -> FloatArray:
    """Return a path's value on the last trading day of each asset, 0 before the first."""
    steps = np.arange(spec.n_steps + 1)
    last = np.maximum.accumulate(np.where(spec.trading, steps, 0), axis=1)
    last[:, 0] = 0
    started = path - path[:, :1]
    landed: FloatArray = np.take_along_axis(started, last, axis=1)
    return np.round(landed, _DIGITS)


def _kernel(
    spec: MarketFigures,
    macro: Macro,
    channels: FloatArray,
    chain: Chain,
    steps: Steps,
    here: Expected,
    pulled: IntArray,
) -> MacroTables:
    open_days, calendar = _calendars(spec.trading)
    figures, year = macro.figures, spec.year_fraction
    speed, share = macro.reversion
    copper = figures.copper
    outages = np.array([macro.outage_rate * year])
    factor_streams = np.zeros((N_STATES + 1, 2), dtype=np.uint32)
    factor_streams[:, 0] = [*range(Stream.REAL_RATE, Stream.REAL_RATE + N_STATES), Stream.STRESS]
    return MacroTables(
        start=steps.start,
        decay=steps.decay,
        constant=steps.constant,
        deviation=steps.deviation,
        rates=macro.rates,
        weights=macro.silver_weights,
        expected=np.ascontiguousarray(np.round(here.values, _DIGITS)),
        loadings=driver_loadings(channels),
        channel_loadings=channels,
        channel_driver=np.array([driver for _, driver, _ in CHANNELS], dtype=np.int64),
        calendar=calendar,
        open_days=open_days,
        rate_shift=(1 - steps.decay[0]) * chain.rate_shift,
        liquidity_shift=chain.liquidity_shift,
        switch=_switch_words(chain.transition),
        regime_weights=_regime_weights(spec, macro, chain),
        streams=factor_streams,
        outage_streams=np.array([[0, Stream.OUTAGE]], dtype=np.uint32),
        outage_thresholds=jump_thresholds(outages),
        outage_size=np.array(
            [[copper.outage_size.value, copper.outage_deviation.value]], dtype=np.float32
        ),
        pulls=np.array(
            [
                figures.ratio.speed.value * year,
                np.log(figures.ratio.equilibrium.value),
                speed * year,
                share,
                year,
            ]
        ),
        pulled=pulled,
        waited=days_waited(spec),
        first_regime=chain.start,
        has_regimes=macro.parts.regimes,
        has_outages=bool(outages[0] > 0),
    )


def _calendars(trading: BoolArray) -> tuple[BoolArray, IntArray]:
    """Return the distinct rows of what is open when, and each asset's row among them."""
    rows = [row.tobytes() for row in trading]
    distinct = sorted(set(rows))
    found = np.array([distinct.index(row) for row in rows], dtype=np.int64)
    return np.ascontiguousarray(trading[[rows.index(row) for row in distinct]]), found


def _switch_words(transition: FloatArray) -> WordArray:
    """Return, by row, the cumulated probabilities of leaving, times 2^32; staying has no width."""
    leaving = transition.copy()
    np.fill_diagonal(leaving, 0.0)
    words = np.rint(np.cumsum(leaving, axis=1) * 2.0**32)
    found: WordArray = np.minimum(words, _LARGEST_WORD).astype(np.uint32)
    return found


def _regime_weights(spec: MarketFigures, macro: Macro, chain: Chain) -> Float32Array:
    common = macro.stress_loadings(spec.assets)
    own = np.sqrt(1 - common**2)
    volatility = np.tile(chain.volatility[:, None], (1, len(spec.assets)))
    return np.ascontiguousarray(np.stack([own, common, volatility], axis=1).astype(np.float32))
