"""From terms and drivers to the holder's paths; with a record of every act if asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.gold_vault import kernel
from simulator.instruments.gold_vault.daily import day_by_day
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers
from simulator.instruments.gold_vault.state import (
    N_ACTIONS,
    N_OBSERVED,
    N_SOURCES,
    SOURCES,
    new_paths,
    new_world,
)
from simulator.scenario.instruments import GoldTokenTerms, GoldVaultTerms
from simulator.scenario.models import GasTerms
from simulator.units import FloatArray


@dataclass(frozen=True)
class GoldVaultRecord:
    """What was done and what is to be observed, for the replay.

    Attributes
    ----------
    actions : ndarray of shape (n_steps + 1, n_paths, N_ACTIONS)
        Columns of `state.Action`.
    observed : ndarray of shape (n_steps + 1, n_paths, N_OBSERVED)
        Columns of `state.Observed`.
    """

    actions: FloatArray
    observed: FloatArray

    def lane(self, k: int) -> GoldVaultRecord:
        """Return path `k` of the block alone."""
        return GoldVaultRecord(self.actions[:, k : k + 1], self.observed[:, k : k + 1])


def simulate(
    terms: GoldVaultTerms,
    token: GoldTokenTerms,
    gas: GasTerms,
    drivers: GoldVaultDrivers,
    holder_ounces: float,
    *,
    record: bool = False,
    daily: bool = False,
) -> tuple[InstrumentPaths, GoldVaultRecord]:
    """Return the holder's paths in the vault, and the record (empty unless asked for).

    `daily` asks for the dollars of each day too, for investors who trade.
    """
    prices = drivers.prices
    shape = prices.metal_usd.shape
    steps_recorded, paths_recorded = shape if record else (0, 0)
    kept = GoldVaultRecord(
        np.zeros((steps_recorded, paths_recorded, N_ACTIONS)),
        np.zeros((steps_recorded, paths_recorded, N_OBSERVED)),
    )
    world = new_world(terms, gas, holder_ounces, token.sale_spread_bps, token.decimals)
    paths = new_paths(terms, shape[1])
    mark, leave, utilisation = np.empty(shape), np.empty(shape), np.empty(shape)
    attribution = np.zeros((shape[1], 2, N_SOURCES))
    gains = np.empty((N_SOURCES, *(shape if daily else (0, 0))))
    kernel.run(
        world[0],
        np.array(terms.borrowers.ltv_ladder),
        paths,
        prices.metal_usd,
        prices.token_usd,
        prices.backing,
        prices.premium,
        drivers.demand_ounces,
        drivers.flow,
        drivers.reward_usd,
        drivers.reward_tokens,
        drivers.exploit_step,
        mark,
        leave,
        utilisation,
        attribution,
        gains,
        kept.actions,
        kept.observed,
    )
    leave[0] = holder_ounces
    in_usd = leave * prices.token_usd * (1.0 - world["sale_spread"][0])
    in_usd[0] = holder_ounces * prices.token_usd[0]
    mark_usd = mark * prices.token_usd
    days = None
    if daily:
        days = day_by_day(terms, token, gas, prices.token_usd, mark_usd, in_usd, gains)
    return (
        InstrumentPaths(
            name="gold_vault",
            sources=SOURCES,
            initial={"ounces": leave[0] * prices.backing[0], "usd": in_usd[0]},
            mark={"ounces": mark * prices.backing, "usd": mark_usd},
            exit={"ounces": leave * prices.backing, "usd": in_usd},
            attribution={
                "ounces": np.ascontiguousarray(attribution[:, 0].T),
                "usd": np.ascontiguousarray(attribution[:, 1].T),
            },
            events=paths["events"].copy(),
            unpaid=paths["unpaid"].copy(),
            details={"utilisation": utilisation},
            daily=days,
        ),
        kept,
    )
