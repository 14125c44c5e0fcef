"""The loans' model: what the market reads, utilisation and failures drawn; everybody played.

The market counts in USDC, so prices are turned into it.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.instruments.base import TokenDrivers, TokenTerms
from simulator.instruments.model import Ask, Ground, Played, Setting
from simulator.instruments.terms import KEEPER
from simulator.instruments.token_loan import paths
from simulator.instruments.token_loan.drivers import TokenLoanDrivers, draw_drivers
from simulator.instruments.token_loan.paths import TokenLoanRecord, Wanted
from simulator.instruments.token_loan.terms import FAILURE, UTILISATION, TokenLoanTerms
from simulator.units import FloatArray


class LoanModel:
    """A market, a measured supplier of `ask.size` dollars, and each loan of the terms."""

    def draw(
        self, label: str, terms: TokenLoanTerms, setting: Setting, ground: Ground
    ) -> TokenLoanDrivers:
        """Return the drivers of a block, prices in USDC."""
        prices = ground.drivers(terms.token, TokenDrivers).prices
        drawn = draw_drivers(
            terms,
            label,
            prices,
            setting.seed,
            setting.first_path,
            kept_away=setting.struck(label, KEEPER),
            used=setting.struck(label, UTILISATION),
            failed=setting.struck(label, FAILURE),
        )
        return drawn if setting.usdc is None else in_usdc(drawn, setting.usdc)

    def play(
        self,
        label: str,
        terms: TokenLoanTerms,
        drivers: TokenLoanDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[TokenLoanDrivers, TokenLoanRecord]:
        """Return the paths of the supplier and of each loan."""
        del label
        decimals = ground.terms(terms.token, TokenTerms).decimals
        wanted = Wanted(ask.record, ask.days, ask.by_source)
        gas = setting.gas["token_loan"]
        found, record = paths.simulate(terms, decimals, gas, drivers, ask.size, wanted)
        return Played(found, drivers, record)


def in_usdc(drivers: TokenLoanDrivers, usdc: FloatArray) -> TokenLoanDrivers:
    """Return the drivers with prices in USDC, whose price in dollars `usdc` is.

    `usdc` is of shape (n_steps + 1, n_paths).
    """
    prices = drivers.prices.in_usdc(usdc)
    return replace(drivers, prices=prices, feed_usdc=drivers.feed_usdc / usdc)


MODEL = LoanModel()
