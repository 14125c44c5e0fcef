"""The pool's model: noise traders drawn, a provider and the arbitrageur played.

The pool counts in USDC, and so does its model: prices are turned into it.
"""

from __future__ import annotations

from simulator.instruments.base import PoolVisits, TokenDrivers, TokenTerms
from simulator.instruments.gold_pool import paths
from simulator.instruments.gold_pool.drivers import GoldPoolDrivers, draw_drivers
from simulator.instruments.gold_pool.paths import GoldPoolRecord
from simulator.instruments.gold_pool.terms import RUN, GoldPoolTerms
from simulator.instruments.model import Ask, Ground, Played, Setting


class PoolModel:
    """A pool, its noise traders, its arbitrageur, and a measured provider of `ask.size` USDC."""

    def draw(
        self, label: str, terms: GoldPoolTerms, setting: Setting, ground: Ground
    ) -> GoldPoolDrivers:
        """Return the drivers of a block, prices in USDC."""
        prices = ground.drivers(terms.token, TokenDrivers).prices
        if setting.usdc is not None:
            prices = prices.in_usdc(setting.usdc)
        runs = setting.struck(label, RUN)
        return draw_drivers(terms, label, prices, setting.first_path, setting.seed, runs)

    def play(
        self,
        label: str,
        terms: GoldPoolTerms,
        drivers: GoldPoolDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[GoldPoolDrivers, GoldPoolRecord]:
        """Return the paths of provider and arbitrageur."""
        found, record = paths.simulate(
            terms,
            ground.terms(terms.token, TokenTerms),
            setting.gas["gold_pool"],
            drivers,
            ask.size,
            name=label,
            visits=ground.visits(PoolVisits),
            record=ask.record,
            daily=label in ask.days,
            by_source=ask.by_source,
        )
        return Played(found, drivers, record)


MODEL = PoolModel()
