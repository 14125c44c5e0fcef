"""The model of what is held off chain: nothing is drawn, a dollar of it is held."""

from __future__ import annotations

from simulator.instruments.holding import paths
from simulator.instruments.holding.terms import HoldingTerms
from simulator.instruments.model import Ask, Ground, Played, Setting


class HoldingModel:
    """Something that follows a market asset; it has no drivers of its own."""

    def draw(self, label: str, terms: HoldingTerms, setting: Setting, ground: Ground) -> None:
        """Return nothing: prices are the market's."""
        del label, terms, setting, ground

    def play(
        self,
        label: str,
        terms: HoldingTerms,
        drivers: None,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[None, None]:
        """Return the paths of a dollar."""
        del ground
        held = paths.simulate(
            terms,
            setting.prices,
            label,
            exchange_open=setting.exchange_open,
            daily=label in ask.days,
            by_source=ask.by_source,
        )
        return Played({label: held}, drivers)


MODEL = HoldingModel()
