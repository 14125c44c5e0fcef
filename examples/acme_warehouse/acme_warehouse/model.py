"""The receipt's model: metal shrinks by the storage fee, and by what a count does not find.

    m_t = m_{t-1} (1 - fee / 365) (1 - missing share, on the day of the count)

Metal behind a receipt on day t; its worth is m_t P_t, and delivery keeps its fee of that. Arrays
are of shape (n_steps + 1, n_paths) unless it is said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acme_warehouse.terms import WarehouseTerms
from simulator.instruments.base import Access, Daily, InstrumentPaths, Source
from simulator.instruments.model import Ask, Ground, Played, Setting
from simulator.instruments.registry import own_stream
from simulator.market.events import first_event
from simulator.units import BPS, DAYS_PER_YEAR, BoolArray, FloatArray, StepArray

SOURCES = (
    Source("price", "market", "Price of the metal"),
    Source("storage", "cost", "Storage fee"),
    Source("missing", "loss", "Metal found missing"),
    Source("delivery", "cost", "Delivery fee"),
)
PRICE, STORAGE, MISSING, DELIVERY = range(len(SOURCES))


@dataclass(frozen=True)
class WarehouseDrivers:
    """What happens to the warehouse from outside.

    Attributes
    ----------
    price_usd : ndarray of shape (n_steps + 1, n_paths), USD per unit of metal
    missing_step : ndarray of shape (n_paths,)
        Step of the count that finds metal missing; beyond the run for never.
    """

    price_usd: FloatArray
    missing_step: StepArray

    def lane(self, k: int) -> WarehouseDrivers:
        """Return path `k` of the block alone."""
        one = slice(k, k + 1)
        return WarehouseDrivers(self.price_usd[:, one], self.missing_step[one])


class WarehouseModel:
    """Receipts bought at the start and redeemed at the end."""

    def draw(
        self, label: str, terms: WarehouseTerms, setting: Setting, ground: Ground
    ) -> WarehouseDrivers:
        """Return the metal's price, and the day on which some of it is found missing."""
        del ground
        stream = own_stream(terms.kind, "missing", label)
        first, count = setting.first_path, setting.n_paths
        step = first_event(setting.seed, stream, first, count, terms.missing_hazard)
        return WarehouseDrivers(setting.prices[terms.metal], step)

    def play(
        self,
        label: str,
        terms: WarehouseTerms,
        drivers: WarehouseDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[WarehouseDrivers, None]:
        """Return the paths of receipts bought for `ask.size` dollars."""
        del setting, ground
        daily = label in ask.days
        return Played({label: _hold(label, terms, drivers, ask, daily=daily)}, drivers)


def _hold(
    label: str, terms: WarehouseTerms, drivers: WarehouseDrivers, ask: Ask, *, daily: bool
) -> InstrumentPaths:
    price, steps = drivers.price_usd, np.arange(drivers.price_usd.shape[0])[:, None]
    found = steps >= drivers.missing_step
    stored = (1.0 - terms.storage_fee / DAYS_PER_YEAR) ** steps
    per_receipt = stored * np.where(found, 1.0 - terms.missing_share, 1.0)
    metal = ask.size / price[0] * per_receipt
    fee, mark = terms.delivery_fee_bps / BPS, metal * price
    leave = np.vstack([mark[:1], (1.0 - fee) * mark[1:]])
    gains = _gains(terms, found, metal, price)
    by_day = gains.cumsum(axis=1) if daily and ask.by_source else gains[:, :0, :0]
    return InstrumentPaths(
        name=label,
        sources=SOURCES,
        initial={"usd": mark[0]},
        mark={"usd": mark},
        exit={"usd": leave},
        attribution={"usd": np.vstack([gains.sum(axis=1)[:DELIVERY], -fee * mark[-1]])},
        events=found[-1].astype(np.int64),
        unpaid=np.zeros(price.shape[1]),
        details={"metal_per_receipt": per_receipt},
        daily=Daily(by_day, access=Access(buy_cost=fee)) if daily else None,
        happened={"missing": found[-1]},
    )


def _gains(
    terms: WarehouseTerms, found: BoolArray, metal: FloatArray, price: FloatArray
) -> FloatArray:
    """Return what each source brought on each day, USD, shape (4, n_steps + 1, n_paths).

    Parameters
    ----------
    found : ndarray of bool
        Whether metal has been found missing by the end of a day.
    metal : ndarray, units of metal behind the position
    price : ndarray, USD per unit
    """
    gains, fee = np.zeros((len(SOURCES), *price.shape)), terms.storage_fee / DAYS_PER_YEAR
    counted = np.diff(found, axis=0)
    gains[PRICE, 1:] = metal[:-1] * np.diff(price, axis=0)
    gains[STORAGE, 1:] = -fee * metal[:-1] * price[1:]
    gains[MISSING, 1:] = -(1.0 - fee) * terms.missing_share * counted * metal[:-1] * price[1:]
    return gains


MODEL = WarehouseModel()
