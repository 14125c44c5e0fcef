"""The lending market's rules on the values of one path: the twin of `contracts/lending_market.vy`.

Every function takes values and returns values: without side effects and with next to no
branches, a loop over lanes that calls them becomes vector instructions. Amounts are ounces of
the lent token, collateral is USDC, times are days. Every function keeps cash + borrows = all
claims. Loans on a metal token are the same the other way round: read USDC for ounces, tokens for
USDC, and tokens a dollar for the price.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.jit import inlined


class Market(NamedTuple):
    """State of one market; the index starts at 1, everything else at 0."""

    cash: float
    total_scaled_debt: float
    borrow_index: float
    shares: float
    treasury_shares: float


class Position(NamedTuple):
    """One borrower's scaled debt, and collateral in USDC."""

    scaled_debt: float
    collateral_usdc: float


@inlined
def kinked_rate(
    utilisation: float, base_rate: float, slope1: float, slope2: float, kink: float
) -> float:
    """Return the annual borrow rate at a utilisation of 0 to 1."""
    below = base_rate + slope1 / kink * utilisation
    above = base_rate + slope1 + slope2 / (1.0 - kink) * (utilisation - kink)
    return below if utilisation <= kink else above


def utilisation_at(
    rate: float, base_rate: float, slope1: float, slope2: float, kink: float
) -> float:
    """Return the highest utilisation, 0 to 1, at which the borrow rate is at most `rate`."""
    if rate < base_rate:
        return 0.0
    if rate < base_rate + slope1:
        return kink * (rate - base_rate) / slope1
    if slope2 <= 0.0:
        return 1.0
    return min(1.0, kink + (1.0 - kink) * (rate - base_rate - slope1) / slope2)


@inlined
def borrows(market: Market) -> float:
    """Return the ounces owed by all borrowers, as of the last accrual."""
    return market.total_scaled_debt * market.borrow_index


@inlined
def utilisation(market: Market) -> float:
    """Return borrows / (cash + borrows), zero when the market is empty."""
    owed = borrows(market)
    share = owed / (market.cash + owed)
    return share if owed > 0.0 else 0.0


@inlined
def supply_index(market: Market) -> float:
    """Return ounces per supply share, one while there are no shares."""
    index = (market.cash + borrows(market)) / market.shares
    return index if market.shares > 0.0 else 1.0


@inlined
def accrue(market: Market, growth: float, reserve_factor: float) -> tuple[Market, float]:
    """Let debts grow by `growth`, rate times years; the reserve becomes treasury shares.

    Returns also the shares per ounce, one while there are none: the reserve's are minted at the
    price that all of them then have.
    """
    before = borrows(market)
    owing = market.total_scaled_debt > 0.0
    index = market.borrow_index * (1.0 + growth) if owing else market.borrow_index
    after = market.total_scaled_debt * index
    reserve = (after - before) * reserve_factor
    per_ounce = market.shares / (market.cash + after - reserve)
    minted = reserve * per_ounce if owing else 0.0
    grown = Market(
        market.cash,
        market.total_scaled_debt,
        index,
        market.shares + minted,
        market.treasury_shares + minted,
    )
    return grown, per_ounce if market.shares > 0.0 else 1.0


@inlined
def move(market: Market, ounces: float, shares: float) -> Market:
    """Take `ounces` from a supplier for `shares`; pay them out and burn where negative."""
    return Market(
        market.cash + ounces,
        market.total_scaled_debt,
        market.borrow_index,
        market.shares + shares,
        market.treasury_shares,
    )


@inlined
def lend(market: Market, ounces: float, scaled: float) -> Market:
    """Lend `ounces` (at most the cash), a debt of `scaled`; take them back where negative."""
    return Market(
        market.cash - ounces,
        market.total_scaled_debt + scaled,
        market.borrow_index,
        market.shares,
        market.treasury_shares,
    )


@inlined
def liquidate(
    market: Market, position: Position, gold_usd: float, bonus: float
) -> tuple[Market, Position, float]:
    """Close a whole position at the feed's price; return also the bad debt.

    Bad debt is what nobody will pay: treasury shares are burnt for it first, the rest lowers
    the supply index.
    """
    debt = position.scaled_debt * market.borrow_index
    payable = position.collateral_usdc / ((1.0 + bonus) * gold_usd)
    if debt <= payable:
        left = position.collateral_usdc - debt * gold_usd * (1.0 + bonus)
        return lend(market, -debt, -position.scaled_debt), Position(0.0, left), 0.0
    bad_debt = debt - payable
    burnt = min(market.treasury_shares, bad_debt / supply_index(market))
    after = Market(
        market.cash + payable,
        market.total_scaled_debt - position.scaled_debt,
        market.borrow_index,
        market.shares - burnt,
        market.treasury_shares - burnt,
    )
    return after, Position(0.0, 0.0), bad_debt
