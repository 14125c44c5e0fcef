"""The model of a collection: what happens is drawn, what tokens pay is played."""

from __future__ import annotations

from dataclasses import replace

from simulator.instruments.model import Ask, Ground, Played, Setting
from simulator.instruments.solar_nft import paths
from simulator.instruments.solar_nft.drivers import SolarNftDrivers, draw_drivers
from simulator.instruments.solar_nft.paths import SolarNftRecord
from simulator.instruments.solar_nft.terms import DEFAULT, FLOOR, OUTAGE, RUN, SolarNftTerms


class SolarModel:
    """Whole tokens for about `ask.size` dollars, free and locked, beside the collection's."""

    def draw(
        self, label: str, terms: SolarNftTerms, setting: Setting, ground: Ground
    ) -> SolarNftDrivers:
        """Return sun, power price, default, mood and others' locks."""
        del ground
        liquidity = setting.factors["liquidity"] if terms.reads_liquidity else None
        silver = setting.prices["silver"]
        drawn = draw_drivers(
            terms,
            label,
            setting.start,
            silver,
            liquidity,
            setting.seed,
            setting.first_path,
            failed=setting.struck(label, DEFAULT),
            outages=setting.struck(label, OUTAGE),
            moved=setting.struck(label, FLOOR),
            fled=setting.struck(label, RUN),
        )
        return replace(drawn, feed_usd=setting.feed("silver", drawn.silver_usd))

    def play(
        self,
        label: str,
        terms: SolarNftTerms,
        drivers: SolarNftDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[SolarNftDrivers, SolarNftRecord]:
        """Return the paths of free and of locked tokens."""
        del ground
        wanted = ask.days & frozenset(terms.names(label))
        found, record = paths.simulate(
            terms,
            setting.gas["solar_nft"],
            drivers,
            ask.size,
            daily=wanted,
            by_source=ask.by_source,
            record=ask.record,
        )
        return Played(found, drivers, record)


MODEL = SolarModel()
