"""The perpetual's model: a miner's shocks and a feed's freezes are drawn, the rest is played."""

from __future__ import annotations

from simulator.instruments.miner_perp import paths
from simulator.instruments.miner_perp.drivers import MinerPerpDrivers, draw_drivers
from simulator.instruments.miner_perp.paths import MinerPerpRecord
from simulator.instruments.miner_perp.terms import RUN, VENUE, MinerPerpTerms
from simulator.instruments.model import Ask, Ground, Played, Setting
from simulator.instruments.terms import KEEPER


class PerpModel:
    """A market: its crowd, its measured traders, and a measured provider of `ask.size` dollars."""

    def draw(
        self, label: str, terms: MinerPerpTerms, setting: Setting, ground: Ground
    ) -> MinerPerpDrivers:
        """Return both feeds, quantised, their rounds, and what the crowd wants."""
        del ground
        metal = terms.index.metal
        return draw_drivers(
            terms,
            label,
            setting.prices[metal],
            setting.volatility[metal],
            setting.start,
            setting.exchange_open,
            setting.seed,
            setting.first_path,
            setting.struck(label, KEEPER),
            setting.feeds.get(metal, ()),
            setting.struck(label, VENUE),
            setting.struck(label, RUN),
        )

    def play(
        self,
        label: str,
        terms: MinerPerpTerms,
        drivers: MinerPerpDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[MinerPerpDrivers, MinerPerpRecord]:
        """Return the paths of the provider and of all traders."""
        del label, ground
        found, record = paths.simulate(
            terms,
            setting.gas["miner_perp"],
            drivers,
            ask.size,
            setting.exchange_open,
            record=ask.record,
            days=ask.days,
            by_source=ask.by_source,
        )
        return Played(found, drivers, record)


MODEL = PerpModel()
