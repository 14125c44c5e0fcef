"""Casts the vault for one path: its player, and the portfolios that trade its shares."""

from __future__ import annotations

import numpy as np

from simulator.instruments.base import PoolTerms, TokenTerms
from simulator.instruments.casting import Cast, Part
from simulator.instruments.custody import Quote, desk_account, ended, per_token
from simulator.instruments.gold_vault.custody import VaultShares, crowd_shares, recall_step
from simulator.instruments.gold_vault.drivers import GoldVaultDrivers
from simulator.instruments.gold_vault.paths import GoldVaultRecord
from simulator.instruments.gold_vault.player import GoldVaultPlayer
from simulator.instruments.gold_vault.terms import GoldVaultTerms

VaultPart = Part[GoldVaultTerms, GoldVaultDrivers, GoldVaultRecord]


class VaultStage:
    """A vault whose shares portfolios buy from its crowd, and sell back to it."""

    def cast(self, part: VaultPart) -> Cast:
        """Return who plays the vault along one path."""
        token = part.ground.terms(part.terms.token, TokenTerms)
        player = GoldVaultPlayer(
            part.terms,
            token,
            part.gas["gold_vault"],
            part.drivers,
            part.record,
            part.size,
            part.usdc,
            None if part.terms.pool is None else part.ground.terms(part.terms.pool, PoolTerms),
        )
        return _with_holders(player, part, token) if part.holders else Cast(player)


def _with_holders(player: GoldVaultPlayer, part: VaultPart, token: TokenTerms) -> Cast:
    mark, sale = per_token(part.paths[part.label], part.lane, part.size)
    quote = Quote(mark, token.sale_spread_bps, sale)
    accounts = [
        desk_account(investor, part.label, holder, token.decimals, quote, part.size)
        for investor, holder in part.holders.items()
    ]
    actions, notes = part.record.actions[:, 0], tuple[str, ...]()
    wanted = np.sum([account.units for account in accounts], axis=0)
    recalled = recall_step(crowd_shares(actions, part.terms.crowd_ounces), wanted)
    if recalled is not None:
        notes = (
            f"From day {recalled} on shares of {part.label} are a position of the model alone "
            f"({', '.join(part.holders)}): its crowd has withdrawn more than portfolios left it",
        )
        accounts = [ended(account, recalled) for account in accounts]
    custody = VaultShares(
        part.label,
        token.decimals,
        quote,
        actions,
        part.record.observed[:, 0],
        part.drivers.prices.feed_usd[:, 0],
        part.size,
        recalled,
    )
    return Cast(player, tuple(accounts), custody, notes)


STAGE = VaultStage()
