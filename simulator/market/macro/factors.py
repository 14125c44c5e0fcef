"""The macro factors of a block of paths, in units that people know, from the states."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from simulator.market.macro.expected import rate_shift, usual_growth
from simulator.market.macro.model import Macro
from simulator.market.macro.names import N_STATES, Driver, State
from simulator.market.macro.plan import MacroPlan
from simulator.scenario.macro_types import Quantity
from simulator.units import FloatArray


def factor_paths(
    macro: Macro,
    plan: MacroPlan,
    year_fraction: float,
    states: FloatArray,
    prices: Mapping[str, FloatArray],
    wanted: Collection[str] | None = None,
) -> dict[str, FloatArray]:
    """Return the factors by name, shape (n_steps + 1, n_paths) each; views are in them.

    Units stand in `FACTOR_UNITS`. Dominance and rotation are there where both of their assets
    are; gaps are demand less supply.

    Parameters
    ----------
    states : ndarray of shape (N_STATES + 1, n_steps + 1, n_paths)
        As `fill` records them.
    prices : dict of str to ndarray of shape (n_steps + 1, n_paths)
    wanted : collection of str, optional
        Names without which others may be left out; by default there are all.
    """

    def asked(*heads: str) -> bool:
        return wanted is None or any(name.startswith(heads) for name in wanted)

    found: dict[str, FloatArray] = {}
    if asked("real_rate", "nominal_rate", "inflation"):
        found |= _rates(macro, plan, states)
    if asked("central_bank"):
        found |= _banks(macro, plan, states)
    if asked("silver", "copper"):
        years = np.arange(states.shape[1]) * year_fraction
        found |= _balances(macro, states, years)
    found |= {"liquidity": states[State.LIQUIDITY], "regime": states[N_STATES]}
    if asked("bitcoin_dominance", "rotation"):
        found |= _relative(macro, prices)
    return found


def _rates(macro: Macro, plan: MacroPlan, states: FloatArray) -> dict[str, FloatArray]:
    _, _, rest, load = macro.rates
    inflation = states[State.INFLATION]
    real = states[State.REAL_RATE] + rate_shift(macro, plan.expected)[:, None]
    nominal = real + rest + load * inflation
    return {
        "real_rate": real,
        "nominal_rate": nominal,
        "inflation": inflation,
        "real_rate_ex_post": nominal - inflation,
    }


def _banks(macro: Macro, plan: MacroPlan, states: FloatArray) -> dict[str, FloatArray]:
    bought, sold = np.exp(states[State.PURCHASES]), np.exp(states[State.SALES])
    wanted = macro.views.central_banks_net_t
    if wanted is not None:
        # A view adds to purchases, or to sales, so that neither turns negative.
        shift = (wanted - 100 * plan.expected.values[Driver.BANKS])[:, None]
        bought, sold = bought + np.maximum(shift, 0.0), sold + np.maximum(-shift, 0.0)
    return {
        "central_bank_purchases": bought,
        "central_bank_sales": sold,
        "central_bank_net": bought - sold,
    }


def _balances(macro: Macro, states: FloatArray, years: FloatArray) -> dict[str, FloatArray]:
    silver, copper = macro.figures.silver, macro.figures.copper
    sides: dict[tuple[str, str], dict[State, Quantity]] = {
        ("silver", "demand"): {
            State.SILVER_INDUSTRIAL: silver.industrial,
            State.SILVER_JEWELLERY: silver.jewellery,
            State.SILVER_INVESTMENT: silver.investment,
        },
        ("silver", "supply"): {State.SILVER_SUPPLY: silver.supply},
        ("copper", "demand"): {State.COPPER_DEMAND: copper.demand},
        ("copper", "supply"): {State.COPPER_SUPPLY: copper.supply},
    }
    found: dict[str, FloatArray] = {}
    for (metal, side), parts in sides.items():
        view = getattr(macro.views, f"{metal}_{side}_growth")
        extra = 0.0 if view is None else view - usual_growth(macro, metal, side)
        found[f"{metal}_{side}"] = sum(
            (
                part.level.value
                * np.exp(((part.growth.value + extra) * years)[:, None] + states[state])
                for state, part in parts.items()
            ),
            np.zeros(states.shape[1:]),
        )
    for metal in ("silver", "copper"):
        found[f"{metal}_gap"] = found[f"{metal}_demand"] - found[f"{metal}_supply"]
    return found


def _relative(macro: Macro, prices: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    if "bitcoin" in prices and "altcoins" in prices:
        share = macro.figures.bitcoin_dominance.value
        bitcoin = share * prices["bitcoin"] / prices["bitcoin"][0]
        others = (1 - share) * prices["altcoins"] / prices["altcoins"][0]
        found["bitcoin_dominance"] = bitcoin / (bitcoin + others)
    if "big_tech" in prices and "small_caps" in prices:
        ratio = prices["big_tech"] / prices["small_caps"]
        found["rotation"] = np.log(ratio / ratio[0])
    return found
