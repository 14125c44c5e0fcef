"""The metal token's model: premium, backing and supply drawn, an ounce of it held."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.instruments.gold_token import paths
from simulator.instruments.gold_token.paths import GoldTokenDrivers, Metal
from simulator.instruments.gold_token.terms import FREEZE, PAUSE, PREMIUM, SHORTFALL, GoldTokenTerms
from simulator.instruments.model import Ask, Ground, Played, Setting


@dataclass(frozen=True)
class TokenModel:
    """A token of one metal."""

    metal: Metal

    def draw(
        self, label: str, terms: GoldTokenTerms, setting: Setting, ground: Ground
    ) -> GoldTokenDrivers:
        """Return price, premium, backing and supply of a block."""
        del ground
        asset = self.metal.asset
        drawn = paths.draw_drivers(
            terms,
            label,
            self.metal,
            setting.prices[asset],
            setting.seed,
            setting.first_path,
            missing=setting.struck(label, SHORTFALL),
            dislocated=setting.struck(label, PREMIUM),
            frozen=setting.struck(label, FREEZE),
            paused=setting.struck(label, PAUSE),
        )
        prices = drawn.prices
        told = setting.feed(asset, prices.metal_usd, prices.token_usd)
        if told is prices.metal_usd:
            return drawn
        return replace(drawn, prices=replace(prices, told_usd=told))

    def play(
        self,
        label: str,
        terms: GoldTokenTerms,
        drivers: GoldTokenDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[GoldTokenDrivers, None]:
        """Return the paths of `ask.size` ounces, with the market value of all tokens."""
        del setting, ground
        held = paths.simulate(
            terms,
            drivers.prices,
            ask.size,
            self.metal,
            name=label,
            stopped=drivers.stopped,
            daily=label in ask.days,
            by_source=ask.by_source,
        )
        values = paths.market_values(terms, drivers)
        return Played({label: replace(held, details=values)}, drivers)


GOLD = TokenModel(paths.GOLD)
SILVER = TokenModel(paths.SILVER)
