"""The cover's model: nothing is drawn but the market's price; pool and miner are played."""

from __future__ import annotations

from dataclasses import replace

from simulator.instruments.model import Ask, Ground, Played, Setting
from simulator.instruments.price_cover import paths
from simulator.instruments.price_cover.drivers import PriceCoverDrivers, draw_drivers
from simulator.instruments.price_cover.paths import PriceCoverRecord
from simulator.instruments.price_cover.terms import EXPLOIT, RUN, PriceCoverTerms
from simulator.instruments.terms import KEEPER


class CoverModel:
    """A pool, a measured underwriter of `ask.size` dollars, a miner with and without cover."""

    def draw(
        self, label: str, terms: PriceCoverTerms, setting: Setting, ground: Ground
    ) -> PriceCoverDrivers:
        """Return the price of what is insured, quantised as its feed is."""
        del ground
        asset = terms.follows
        figures = setting.volatility[asset], setting.periods_per_year[asset]
        drawn = draw_drivers(
            label,
            setting.prices[asset],
            setting.start,
            setting.exchange_open,
            *figures,
            setting.struck(label, RUN),
            terms.pool.cooldown_days,
            setting.struck(label, KEEPER),
            setting.struck(label, EXPLOIT),
        )
        return replace(drawn, feed_usd=setting.feed(asset, drawn.copper_usd))

    def play(
        self,
        label: str,
        terms: PriceCoverTerms,
        drivers: PriceCoverDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[PriceCoverDrivers, PriceCoverRecord]:
        """Return the paths of the underwriter and of both miners."""
        del ground
        found, record = paths.simulate(
            terms,
            setting.gas["price_cover"],
            drivers,
            ask.size,
            record=ask.record,
            daily=label in ask.days,
            by_source=ask.by_source,
        )
        return Played(found, drivers, record)


MODEL = CoverModel()
