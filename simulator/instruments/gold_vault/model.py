"""The vault's model: demand, flows, rewards and the intruder drawn; the measured holder played.

Collateral and rewards are counted in USDC, so prices are turned into it after all that people do
by the price of gold in dollars has been drawn.
"""

from __future__ import annotations

from dataclasses import replace

from simulator.instruments.base import PoolDrivers, PoolTerms, TokenDrivers, TokenTerms
from simulator.instruments.gold_vault import paths
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers, draw_drivers
from simulator.instruments.gold_vault.paths import GoldVaultRecord
from simulator.instruments.gold_vault.state import POOL_GAP, PoolNumbers
from simulator.instruments.gold_vault.terms import DEMAND, EXPLOIT, REPORTS, RUN, GoldVaultTerms
from simulator.instruments.model import Ask, Ground, Played, Setting
from simulator.instruments.terms import KEEPER
from simulator.units import FloatArray


class VaultModel:
    """A vault, its crowd, its borrowers, and one measured holder of `ask.size` ounces."""

    def draw(
        self, label: str, terms: GoldVaultTerms, setting: Setting, ground: Ground
    ) -> GoldVaultDrivers:
        """Return the drivers of a block, prices in USDC."""
        prices = ground.drivers(terms.token, TokenDrivers).prices
        volatility = setting.volatility["gold"]
        drawn = draw_drivers(
            terms,
            label,
            prices,
            volatility,
            setting.first_path,
            setting.seed,
            drained=setting.struck(label, EXPLOIT),
            runs=setting.struck(label, RUN),
            shy=setting.struck(label, DEMAND),
            kept_away=setting.struck(label, KEEPER),
            late=setting.struck(label, REPORTS),
        )
        if terms.pool is not None:
            pool = ground.drivers(terms.pool, PoolDrivers)
            drawn = replace(
                drawn,
                volume_usdc=pool.volume_usdc,
                imbalance=pool.imbalance,
                leaving=pool.leaving,
            )
        return drawn if setting.usdc is None else in_usdc(drawn, setting.usdc)

    def play(
        self,
        label: str,
        terms: GoldVaultTerms,
        drivers: GoldVaultDrivers,
        setting: Setting,
        ask: Ask,
        ground: Ground,
    ) -> Played[GoldVaultDrivers, GoldVaultRecord]:
        """Return the holder's paths."""
        held, record = paths.simulate(
            terms,
            ground.terms(terms.token, TokenTerms),
            setting.gas["gold_vault"],
            drivers,
            ask.size,
            name=label,
            pool=_pool(terms, setting, ground),
            record=ask.record,
            daily=label in ask.days,
            by_source=ask.by_source,
        )
        visits = {} if terms.pool is None else {terms.pool: record.visits}
        return Played({label: held}, drivers, record, visits)


def _pool(terms: GoldVaultTerms, setting: Setting, ground: Ground) -> PoolNumbers | None:
    """Return the vault's pool as numbers, where it has one."""
    if terms.pool is None:
        return None
    pool = ground.terms(terms.pool, PoolTerms)
    fee = pool.fee_ppm / 1e6
    return PoolNumbers(
        keep=1.0 - fee,
        gap=fee + POOL_GAP,
        reserve_ounces=pool.reserve_ounces,
        provided_usdc=float(ground.size(terms.pool)),
        arbitrage_usd=setting.gas[pool.kind].usd("arbitrage"),
    )


def in_usdc(drivers: GoldVaultDrivers, usdc: FloatArray) -> GoldVaultDrivers:
    """Return the drivers with prices in USDC: what collateral and rewards are counted in.

    `usdc`, of shape (n_steps + 1, n_paths), is its price in dollars. What was drawn from prices
    stays: people look at gold in dollars.
    """
    prices = drivers.prices.in_usdc(usdc)
    return replace(drivers, prices=prices, reward_usd=drivers.reward_usd / usdc)


MODEL = VaultModel()
