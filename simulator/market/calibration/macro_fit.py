"""Puts the macro fits together: what the macro model reads, and what only a reader sees."""

from __future__ import annotations

from simulator.market.calibration.flows import add_central_banks, add_liquidity
from simulator.market.calibration.ledger import Ledger
from simulator.market.calibration.metals import add_copper, add_ratio, add_states
from simulator.market.calibration.panel import Panel
from simulator.market.calibration.rates import add_rates
from simulator.market.calibration.relations import add_relations
from simulator.scenario.macro import MacroCalibration

_FITS = (
    add_rates,
    add_central_banks,
    add_liquidity,
    add_ratio,
    add_states,
    add_copper,
    add_relations,
)


def fit_macro(panel: Panel) -> Ledger:
    """Make every macro fit that the data bear."""
    ledger = Ledger()
    for fit in _FITS:
        fit(panel, ledger)
    return ledger


def macro_section(ledger: Ledger) -> MacroCalibration | None:
    """Return the macro section, its defaults where nothing was measured; None without any."""
    if not ledger.groups:
        return None
    return MacroCalibration.model_validate(ledger.groups)
