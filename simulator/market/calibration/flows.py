"""Central banks' net purchases of gold, and the growth of money."""

from __future__ import annotations

import datetime as dt
import math
from functools import partial

import numpy as np

from simulator.market.calibration import relations
from simulator.market.calibration.diffusion import Estimate
from simulator.market.calibration.ledger import Ledger
from simulator.market.calibration.measured import Measured, both_weak
from simulator.market.calibration.months import since, window
from simulator.market.calibration.panel import Panel
from simulator.market.calibration.rates import MIN_MONTHS, MONEY_SINCE, MONTHS_PER_YEAR
from simulator.market.calibration.reversion import mean_reversion
from simulator.market.frequency import Kind
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.macro_types import CentralBanks, PositiveFigure, Sourced


def add_central_banks(panel: Panel, ledger: Ledger) -> None:
    """Measure the net; its split into purchases and sales stays an assumption."""
    net = panel.find("central_banks_net", Kind.YEARLY)
    if net is None:
        return
    values = net.values.to_numpy(dtype=np.float64)
    n_years, deviation = len(values), float(values.std(ddof=1))
    mean = Estimate(float(values.mean()), deviation / math.sqrt(n_years))
    spread = Estimate(deviation, deviation / math.sqrt(2 * (n_years - 1)))
    note = f"{n_years} years; the error is that of independent years"
    for name, estimate in (("mean", mean), ("deviation", spread)):
        ledger.keep(
            f"central_banks_net_{name}",
            Measured(estimate, "tonnes/year", net.source, net.window, note=note),
        )
    fit = ledger.attempt("central banks' net", partial(mean_reversion, values, 1))
    if fit is not None:
        weak = both_weak(fit.weak, f"only {n_years} years")
        persistence = Measured(fit.persistence, "1", net.source, net.window, weak, "AR(1), by year")
        ledger.keep("central_banks_net_persistence", persistence)
    ledger.groups["central_banks"] = _split(mean.value, float(values[-1]), net.source, net.window)


def _split(mean: float, last: float, source: str, frame: tuple[dt.date, dt.date]) -> CentralBanks:
    """Return gross flows that make the measured net: sales as the defaults have them."""
    defaults = MacroCalibration().central_banks
    note = "sales by assumption, purchases so that the net is the measured one"

    def purchases(net: float, sold: Sourced) -> PositiveFigure:
        bought = Estimate(net + sold.value, math.nan)
        return Measured(bought, "tonnes/year", source, frame, note=note, mark="assumption").sourced(
            PositiveFigure
        )

    update = {
        "mean": purchases(mean, defaults.sales.mean),
        "start": purchases(last, defaults.sales.start),
    }
    return defaults.model_copy(update={"purchases": defaults.purchases.model_copy(update=update)})


def add_liquidity(panel: Panel, ledger: Ledger) -> None:
    """Fit the growth of money over 12 months, which stands for liquidity."""
    growth = relations.money_growth(panel)
    if growth is None:
        return
    recent = since(growth.values, MONEY_SINCE).dropna()
    values = recent.to_numpy(dtype=np.float64)
    if len(values) < MIN_MONTHS:
        return
    fit = ledger.attempt("money growth", partial(mean_reversion, values, MONTHS_PER_YEAR))
    if fit is None:
        return
    # A process that returns at speed k has k T / 2 independent values.
    independent = max(2.0, len(values) / MONTHS_PER_YEAR * fit.speed.value / 2)
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    frame, unit = window(recent.index), "1/year"
    last = f"growth {values[-1]:.1%} in the 12 months to {recent.index[-1]}"
    persistence = f"half-life {fit.half_life.value:.1f} ± {fit.half_life.standard_error:.1f} years"

    def measured(value: float, error: float, unit: str, weak: str, note: str) -> Measured:
        return Measured(Estimate(value, error), unit, growth.source, frame, weak, note)

    speed = measured(fit.speed.value, fit.speed.standard_error, unit, fit.weak, persistence)
    update = {
        "start": measured((values[-1] - mean) / deviation, math.nan, "s.d.", "", last),
        "speed": speed,
        "money_growth_mean": measured(mean, deviation / math.sqrt(independent), unit, "", ""),
        "money_growth_deviation": measured(
            deviation, deviation / math.sqrt(2 * independent), unit, "", ""
        ),
    }
    kinds = {"speed": PositiveFigure, "money_growth_deviation": PositiveFigure}
    ledger.groups["liquidity"] = MacroCalibration().liquidity.model_copy(
        update={name: m.sourced(kinds.get(name, Sourced)) for name, m in update.items()}
    )
