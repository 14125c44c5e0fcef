"""Casts a mine's token for one path, and the token staked, with the portfolios that trade it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.instruments.casting import Cast, Part, cannot_be_handed_on
from simulator.instruments.custody import DeskAccount, Quote, desk_account, ended, per_token
from simulator.instruments.mining.custody import STOCK_ROOM, Offering, StoTokens
from simulator.instruments.mining.drivers import MiningStoDrivers
from simulator.instruments.mining.model import StakedRecord
from simulator.instruments.mining.paths import MiningStoRecord
from simulator.instruments.mining.player import TOKEN_DECIMALS, Guests, MiningStoPlayer
from simulator.instruments.mining.staking_player import RevenueStakingPlayer
from simulator.instruments.mining.staking_terms import RevenueStakingTerms
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.units import USDC_DECIMALS, FloatArray, from_wei, midnight_timestamp

StoPart = Part[MiningStoTerms, MiningStoDrivers, MiningStoRecord]


class StoStage:
    """A mine's token, into whose raise portfolios pay, and which they trade afterwards."""

    def cast(self, part: StoPart) -> Cast:
        """Return who plays the token along one path."""
        if not part.holders:
            return Cast(_player(part, Guests()))
        accounts, offering = _accounts(part)
        guests = Guests(offering.payments())
        paid_in = from_wei(guests.paid_by(part.terms.sale.days), USDC_DECIMALS)
        stock = (offering.stock + STOCK_ROOM) * part.terms.sale.token_price_usd
        if _crowd_usd(part) - paid_in < stock:
            note = (
                f"{part.label} is a position of the model alone ({', '.join(part.holders)}): the "
                "crowd has too few tokens to share"
            )
            return Cast(_player(part, Guests()), notes=(note,))
        custody = StoTokens(part.label, accounts[0].quote, offering, guests)
        return Cast(_player(part, guests), tuple(accounts), custody)


def _player(part: StoPart, guests: Guests) -> MiningStoPlayer:
    return MiningStoPlayer(
        part.label,
        part.terms,
        part.gas["mining_sto"],
        part.drivers,
        part.record,
        part.size,
        part.start,
        guests,
    )


def _crowd_usd(part: StoPart) -> float:
    """Return what others than the measured holder pay into the raise."""
    return min(float(part.drivers.others_usd[0]), part.terms.sale.hard_cap_usd - part.size)


def _accounts(part: StoPart) -> tuple[list[DeskAccount], Offering]:
    """Return what portfolios do at the desk, and the raise that they pay into before."""
    terms, sale = part.terms, part.terms.sale
    succeeds = part.size + _crowd_usd(part) >= sale.soft_cap_usd
    per_unit = part.size / sale.token_price_usd
    mark, proceeds = per_token(part.paths[part.label], part.lane, per_unit)
    quote = Quote(mark, 0.0, proceeds)
    locked = part.n_steps < sale.days + terms.compliance.lockup_days
    form = (TOKEN_DECIMALS, quote, per_unit)
    accounts = [
        desk_account(investor, part.label, holder, *form, stays=locked)
        for investor, holder in part.holders.items()
    ]
    paid_in = {a.investor: _into_raise(a, sale.days) * sale.token_price_usd for a in accounts}
    if not succeeds:
        accounts = [ended(account, sale.days) for account in accounts]
    offering = Offering(
        terms=terms,
        begin=midnight_timestamp(part.start),
        succeeds=succeeds,
        paid_in=paid_in,
        profit=part.record.paid_usd[:, 0] / per_unit,
        periods=frozenset(s for j, s in enumerate(part.drivers.mine.settles) if j > 0),
        stock=_stock(accounts, sale.days) if succeeds else 0.0,
    )
    return accounts, offering


def _into_raise(account: DeskAccount, close: int) -> FloatArray:
    """Take the tokens that are paid for in the raise out of an account's purchases."""
    paid_for = account.bought.copy()
    paid_for[close:] = 0.0
    account.bought[:close] = 0.0
    return paid_for


def _stock(accounts: Sequence[DeskAccount], close: int) -> float:
    """Return the most tokens that investors hold beyond those they got in the raise."""
    held = np.sum([account.units for account in accounts], axis=0)
    return max(0.0, float(held[close:].max() - held[close - 1]))


class StakingStage:
    """A token whose measured holder stakes it; a stake is nobody's to transfer."""

    def cast(self, part: Part[RevenueStakingTerms, MiningStoDrivers, StakedRecord]) -> Cast:
        """Return who plays token and staking along one path."""
        player = RevenueStakingPlayer(
            part.label,
            part.ground.terms(part.terms.sto, MiningStoTerms),
            part.terms,
            part.gas["mining_sto"],
            part.gas["revenue_staking"],
            part.drivers,
            part.record.sto,
            part.record.staking,
            part.size,
            part.start,
        )
        return Cast(player, notes=cannot_be_handed_on(part))


STO, STAKING = StoStage(), StakingStage()
