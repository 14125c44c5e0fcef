"""From terms and drivers to the holder's paths; with a record of every act if asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from simulator.instruments.base import InstrumentPaths
from simulator.instruments.gold_vault import kernel
from simulator.instruments.gold_vault.borrowers import Needs
from simulator.instruments.gold_vault.daily import day_by_day
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers
from simulator.instruments.gold_vault.moves import ROUNDING_ROOM
from simulator.instruments.gold_vault.state import (
    N_ACTIONS,
    N_OBSERVED,
    N_SOURCES,
    SOURCES,
    new_terms,
)
from simulator.mechanics.rows import empty_apart
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
    by_source: bool = True,
) -> tuple[InstrumentPaths, GoldVaultRecord]:
    """Return the holder's paths in the vault, and the record (empty unless asked for).

    `daily` asks for the dollars of each day too, for investors who trade, and `by_source`
    for where these came from.
    """
    prices = drivers.prices
    shape = prices.metal_usd.shape
    steps_recorded, paths_recorded = shape if record else (0, 0)
    kept = GoldVaultRecord(
        np.zeros((steps_recorded, paths_recorded, N_ACTIONS)),
        np.zeros((steps_recorded, paths_recorded, N_OBSERVED)),
    )
    mark, mark_usd, leave, leave_usd, utilisation = (empty_apart(shape, 7 + k) for k in range(5))
    attribution = np.empty((2, N_SOURCES, shape[1]))
    events, unpaid = np.empty(shape[1], np.int64), np.empty(shape[1])
    gains = np.empty((N_SOURCES, *(shape if daily and by_source else (0, 0))))
    needs = cast(Needs, tuple((1.0 + ROUNDING_ROOM) / ltv for ltv in terms.borrowers.ltv_ladder))
    kernel.run(
        new_terms(terms, gas, holder_ounces, token.sale_spread_bps, token.decimals),
        needs,
        terms.report_every_days,
        terms.emissions.claim_every_days,
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
        mark_usd,
        leave,
        leave_usd,
        utilisation,
        attribution,
        gains,
        events,
        unpaid,
        kept.actions,
        kept.observed,
    )
    leave[0] = holder_ounces * prices.backing[0]
    leave_usd[0] = holder_ounces * prices.token_usd[0]
    days = None
    if daily:
        days = day_by_day(terms, token, gas, prices.token_usd, mark_usd, leave_usd, gains)
    return (
        InstrumentPaths(
            name="gold_vault",
            sources=SOURCES,
            initial={"ounces": leave[0], "usd": leave_usd[0]},
            mark={"ounces": mark, "usd": mark_usd},
            exit={"ounces": leave, "usd": leave_usd},
            attribution={"ounces": attribution[0], "usd": attribution[1]},
            events=events,
            unpaid=unpaid,
            details={"utilisation": utilisation},
            daily=days,
        ),
        kept,
    )
