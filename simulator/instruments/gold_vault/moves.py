"""Amounts that leave room for rounding, and moves between the vault and its strategies.

Functions take the values of one path and return values, as in `mechanics.lending`. Where they
take the supply shares' price, it is the day's: supplying, withdrawing, borrowing and repaying
leave it as it was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.instruments.gold_vault.state import Terms
from simulator.jit import inlined
from simulator.mechanics import lending
from simulator.mechanics.lending import Market
from simulator.mechanics.vault import Vault

DEAD_BAND = 1e-6
"""Keepers act this far (relative) beyond a threshold, wider than any rounding."""
ROUNDING_ROOM = 1e-9
ROOM_OUNCES = 1e-6
ROOM_UNITS = 1_000.0
"""Of what there is, this share, these ounces and this many token units are never asked for:
the contract rounds, float64 carries 1e-12 of the whole book, and a request for the last unit
could be refused."""
ALLOCATION_BAND = 1e-3
"""Share of assets below which the curator moves nothing."""
MINIMUM_OUNCES = 0.01
"""Flows and moves below this are not made."""
MINIMUM_LOAN_USD = 100.0
"""Loans below this are not made; USDC's unit then stays far inside the dead-band."""

USDC_UNIT = 1e-6
USDC_UNITS = 1e6
"""USDC's unit in dollars, and how many there are in one."""
ROOM_USDC = 1.0
"""Likewise for collateral in USDC, of two units."""


class Price(NamedTuple):
    """The price of shares, both ways."""

    ounces_per_share: float
    shares_per_ounce: float


class Fund(NamedTuple):
    """The vault, the market that it lends in, its shares there, and what the pool would pay."""

    market: Market
    vault: Vault
    lending_shares: float
    pool_payable: float


@inlined
def floor_to(amount: float, terms: Terms) -> float:
    """Return `amount` rounded down to the token's unit."""
    return np.floor(amount * terms.units) * terms.unit


@inlined
def with_room(amount: float, terms: Terms) -> float:
    """Return what can be asked for of `amount`, whatever the contract's rounding."""
    left = floor_to(without_room(amount, terms), terms)
    return left if left > 0.0 else 0.0


@inlined
def without_room(amount: float, terms: Terms) -> float:
    """Return `amount` less the room, not rounded, and negative where there is none."""
    return amount - (ROUNDING_ROOM * amount + ROOM_OUNCES + ROOM_UNITS * terms.unit)


@inlined
def usdc_down(amount: float) -> float:
    """Return USDC rounded down to its unit."""
    return np.floor(amount * USDC_UNITS) * USDC_UNIT


@inlined
def releasable(collateral_usdc: float, terms: Terms, gold_usd: float) -> float:
    """Return what of a collateral can be taken out, however its past seizures were rounded."""
    room = ROOM_USDC + ROUNDING_ROOM * collateral_usdc + ROOM_UNITS * terms.unit * gold_usd
    left = usdc_down(collateral_usdc - room)
    return left if left > 0.0 else 0.0


@inlined
def lending_liquid(fund: Fund, supply: Price) -> float:
    """Return what the lending market could pay the vault now."""
    value = fund.lending_shares * supply.ounces_per_share
    claim = value if value < fund.vault.lending_debt else fund.vault.lending_debt
    payable = fund.market.cash if fund.market.cash < claim else claim
    return payable if payable > 0.0 else 0.0


@inlined
def liquid(fund: Fund, supply: Price) -> float:
    """Return what the vault could pay out now."""
    return fund.vault.idle + lending_liquid(fund, supply) + fund.pool_payable


@inlined
def pull(fund: Fund, supply: Price, ounces: float) -> tuple[Fund, float, float]:
    """Take `ounces` from idle, then lending, then the pool; return also the latter two."""
    # the contract's order: what lies idle, then its queue of strategies
    from_idle = fund.vault.idle if fund.vault.idle < ounces else ounces
    rest = ounces - from_idle
    available = lending_liquid(fund, supply)
    from_lending = available if available < rest else rest
    rest = rest - from_lending
    from_pool = fund.pool_payable if fund.pool_payable < rest else rest
    fund = move_lending(fund, supply, -from_lending, from_idle)
    return move_pool(fund, -from_pool, 0.0), from_lending, from_pool


@inlined
def move_lending(fund: Fund, supply: Price, ounces: float, from_idle: float) -> Fund:
    """Supply `ounces` to the lending market (withdraw where negative), `from_idle` less idle."""
    shares = ounces * supply.shares_per_ounce
    return Fund(
        lending.move(fund.market, ounces, shares),
        Vault(
            fund.vault.idle - from_idle,
            fund.vault.shares,
            fund.vault.lending_debt + ounces,
            fund.vault.pool_debt,
            fund.vault.locked,
            fund.vault.unlock_end_day,
        ),
        fund.lending_shares + shares,
        fund.pool_payable,
    )


@inlined
def move_pool(fund: Fund, ounces: float, from_idle: float) -> Fund:
    """Owe the pool `ounces` more (less where negative), `from_idle` less idle.

    What it costs is booked by `pool_leg`.
    """
    return Fund(
        fund.market,
        Vault(
            fund.vault.idle - from_idle,
            fund.vault.shares,
            fund.vault.lending_debt,
            fund.vault.pool_debt + ounces,
            fund.vault.locked,
            fund.vault.unlock_end_day,
        ),
        fund.lending_shares,
        fund.pool_payable + ounces,
    )


@inlined
def change_shares(fund: Fund, ounces: float, shares: float) -> Fund:
    """Take a deposit of idle `ounces` for `shares`."""
    return Fund(
        fund.market,
        Vault(
            fund.vault.idle + ounces,
            fund.vault.shares + shares,
            fund.vault.lending_debt,
            fund.vault.pool_debt,
            fund.vault.locked,
            fund.vault.unlock_end_day,
        ),
        fund.lending_shares,
        fund.pool_payable,
    )
