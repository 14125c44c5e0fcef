"""What curator, keeper, crowd and intruder do to the vault.

Functions take the values of one path and return values, as in `mechanics.lending`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.instruments.gold_vault.moves import (
    ALLOCATION_BAND,
    MINIMUM_OUNCES,
    Fund,
    Price,
    change_shares,
    floor_to,
    lending_liquid,
    liquid,
    move_lending,
    move_pool,
    pull,
    with_room,
    without_room,
)
from simulator.instruments.gold_vault.state import Terms
from simulator.jit import inlined
from simulator.mechanics import vault
from simulator.mechanics.lending import Market
from simulator.mechanics.vault import BySource, Report, Vault
from simulator.units import DAYS_PER_YEAR


class Books(NamedTuple):
    """The fund and its profits: locked, ounces; released by reports, ounces per share."""

    fund: Fund
    buffer: BySource
    released: BySource


class Flow(NamedTuple):
    """What the crowd did: shares redeemed, ounces deposited, shares staked of them.

    `refused` is 1 where it asked for more than could be paid, `from_pool` what the pool must pay.
    """

    redeemed: float
    deposited: float
    staked: float
    refused: float
    from_pool: float


class Targets(NamedTuple):
    """Debts that the curator moved the strategies to; NaN where nothing moved."""

    lending: float
    pool: float
    pool_first: float


@inlined
def crowd_moves(
    fund: Fund,
    supply: Price,
    crowd_shares: float,
    leaving: float,
    joining: float,
    price: Price,
    terms: Terms,
) -> tuple[Fund, Flow]:
    """Redeem or deposit a share of the crowd's deposits; at most one of the two is above 0.

    It redeems as far as the vault can pay, and stakes all but the rounding of a deposit.
    """
    deposited = floor_to(joining * crowd_shares * price.ounces_per_share, terms)
    deposited = deposited if deposited >= MINIMUM_OUNCES else 0.0
    asked = leaving * crowd_shares
    most = without_room(crowd_shares, terms)
    asked = most if most < asked else asked
    asked = asked if price.ounces_per_share > 0.0 and asked > 0.0 else 0.0
    payable_ounces = without_room(liquid(fund, supply), terms)
    payable_ounces = payable_ounces if payable_ounces > 0.0 else 0.0
    shares = (deposited if deposited > 0.0 else payable_ounces) * price.shares_per_ounce
    minted = shares if deposited > 0.0 else 0.0
    redeemed = floor_to(shares if shares < asked else asked, terms)
    ounces = redeemed * price.ounces_per_share
    redeemed = redeemed if ounces >= MINIMUM_OUNCES else 0.0
    ounces = ounces if ounces >= MINIMUM_OUNCES else 0.0
    fund, _, from_pool = pull(fund, supply, ounces)
    fund = change_shares(fund, deposited, minted - redeemed)
    refused = 1.0 if asked > shares else 0.0
    return fund, Flow(redeemed, deposited, with_room(minted, terms), refused, from_pool)


@inlined
def report_lending(
    books: Books, supply: Price, pending: float, since: float, day: float, terms: Terms
) -> Books:
    """Report the lending strategy: what is not bad debt (`pending`) is interest."""
    value = books.fund.lending_shares * supply.ounces_per_share
    interest = value - books.fund.vault.lending_debt + pending
    result = BySource(interest, 0.0, 0.0, -pending, 0.0, 0.0)
    report = Report(
        interest - pending,
        terms.performance_fee,
        books.fund.vault.lending_debt,
        terms.management_fee * since / DAYS_PER_YEAR,
    )
    books = _book(books, result, report, day, terms)
    return _with_debts(books, value, books.fund.vault.pool_debt)


@inlined
def report_pool(
    books: Books, worth: float, fees: float, since: float, day: float, terms: Terms
) -> Books:
    """Report the pool strategy: what it is worth beyond its debt is fees and impermanent loss."""
    debt = books.fund.vault.pool_debt
    change = worth - debt
    result = BySource(0.0, fees, 0.0, 0.0, 0.0, change - fees)
    yearly = terms.management_fee * since / DAYS_PER_YEAR
    report = Report(change, terms.performance_fee, debt, yearly)
    books = _book(books, result, report, day, terms)
    return _with_debts(books, books.fund.vault.lending_debt, worth)


@inlined
def book_pool_loss(books: Books, worth: float, fees: float, day: float, terms: Terms) -> Books:
    """Take what the pool is worth less than its debt into the books, as every move there does.

    Nothing changes where it is worth no less.
    """
    debt = books.fund.vault.pool_debt
    change = worth - debt if worth < debt else 0.0
    earned = fees if worth < debt else 0.0
    result = BySource(0.0, earned, 0.0, 0.0, 0.0, change - earned)
    books = _book(books, result, Report(change, 0.0, 0.0, 0.0), day, terms)
    return _with_debts(books, books.fund.vault.lending_debt, debt + change)


@inlined
def _book(books: Books, result: BySource, report: Report, day: float, terms: Terms) -> Books:
    after, buffer, released = vault.report(
        books.fund.vault, books.buffer, result, report, day, terms.unlock_days
    )
    fund = Fund(books.fund.market, after, books.fund.lending_shares, books.fund.pool_payable)
    return Books(fund, buffer, vault.add(books.released, released))


@inlined
def _with_debts(books: Books, lending_debt: float, pool_debt: float) -> Books:
    before = books.fund.vault
    after = Vault(
        before.idle,
        before.shares,
        lending_debt,
        pool_debt,
        before.locked,
        before.unlock_end_day,
    )
    fund = Fund(books.fund.market, after, books.fund.lending_shares, books.fund.pool_payable)
    return Books(fund, books.buffer, books.released)


@inlined
def report_kept(
    fund: Fund,
    buffer: BySource,
    supply: Price,
    price: Price,
    since: float,
    day: float,
    terms: Terms,
) -> tuple[Fund, BySource, bool]:
    """Report the lending strategy, where that leaves locked profit; say whether.

    It does but where losses or fees eat it up, or where profits are not locked at all. Then
    nothing reaches the share price at once, so that the fees are paid in shares at the `price`
    there was.
    """
    before = fund.vault
    value = fund.lending_shares * supply.ounces_per_share
    change = value - before.lending_debt
    yearly = terms.management_fee * since / DAYS_PER_YEAR
    fee, net = vault.charge(Report(change, terms.performance_fee, before.lending_debt, yearly))
    locked = before.locked + net
    keeps = locked > 0.0 and terms.unlock_days > 0.0
    waits = vault.waiting(before.locked * vault.days_left(before, day), net, terms.unlock_days)
    end = day + waits / locked if net > 0.0 else before.unlock_end_day
    minted = fee * price.shares_per_ounce if fee > 0.0 else 0.0
    after = Vault(before.idle, before.shares + minted, value, before.pool_debt, locked, end)
    earned = BySource(change, 0.0, -fee, 0.0, 0.0, 0.0)
    reported = Fund(fund.market, after, fund.lending_shares, fund.pool_payable)
    return reported, vault.add(buffer, earned), keeps


@inlined
def choose(first: bool, one: Fund, other: Fund) -> Fund:
    """Return one fund or the other, of the same market but for its cash and shares."""
    return Fund(
        Market(
            one.market.cash if first else other.market.cash,
            other.market.total_scaled_debt,
            other.market.borrow_index,
            one.market.shares if first else other.market.shares,
            other.market.treasury_shares,
        ),
        Vault(
            one.vault.idle if first else other.vault.idle,
            one.vault.shares if first else other.vault.shares,
            one.vault.lending_debt if first else other.vault.lending_debt,
            one.vault.pool_debt if first else other.vault.pool_debt,
            one.vault.locked if first else other.vault.locked,
            one.vault.unlock_end_day if first else other.vault.unlock_end_day,
        ),
        one.lending_shares if first else other.lending_shares,
        one.pool_payable if first else other.pool_payable,
    )


@inlined
def choose_profit(first: bool, one: BySource, other: BySource) -> BySource:
    """Return the usual sources' locked profit of one or the other."""
    return BySource(
        one.interest if first else other.interest,
        one.pool_fees if first else other.pool_fees,
        one.vault_fees if first else other.vault_fees,
        other.bad_debt,
        other.exploit,
        other.impermanent,
    )


@inlined
def allocate(
    fund: Fund, supply: Price, pool_most: float, terms: Terms
) -> tuple[Fund, Targets, float]:
    """Move assets towards the shares of the terms; withdrawals come before deposits.

    At most `pool_most` ounces go into the pool or come out of it.

    Returns
    -------
    fund
    targets : Targets
    pool_moved : float
        Ounces that go into the pool, negative what comes out.
    """
    assets = vault.total_assets(fund.vault)
    band = ALLOCATION_BAND * assets
    band = band if band > MINIMUM_OUNCES else MINIMUM_OUNCES
    lending_gap = (1.0 - terms.idle_share - terms.pool_share) * assets - fund.vault.lending_debt
    pool_gap = terms.pool_share * assets - fund.vault.pool_debt
    most = pool_most if pool_most < fund.pool_payable else fund.pool_payable
    pool_out = with_room(-pool_gap if -pool_gap < most else most, terms)
    pool_out = pool_out if pool_gap < -band and pool_out > MINIMUM_OUNCES else 0.0
    idle = fund.vault.idle + pool_out
    # of what can be withdrawn, or of what lies idle
    available = lending_liquid(fund, supply)
    most = available if lending_gap < 0.0 else idle
    size = -lending_gap if lending_gap < 0.0 else lending_gap
    moved = with_room(size if size < most else most, terms)
    moved = moved if size > band else 0.0
    moved = -moved if lending_gap < 0.0 else moved
    left = idle - moved
    pool_into = pool_gap if pool_gap < left else left
    pool_into = with_room(pool_into if pool_into < pool_most else pool_most, terms)
    pool_into = pool_into if pool_gap > band and pool_into > MINIMUM_OUNCES else 0.0
    pool_moved = pool_into - pool_out
    fund = move_pool(move_lending(fund, supply, moved, moved), pool_moved, pool_moved)
    targets = Targets(
        fund.vault.lending_debt if size > band else np.nan,
        fund.vault.pool_debt if pool_moved != 0.0 else np.nan,
        1.0 if lending_gap > 0.0 else 0.0,
    )
    return fund, targets, pool_moved


@inlined
def exploit(
    books: Books, supply: Price, day: float, share: float, terms: Terms
) -> tuple[Books, Targets, float, float]:
    """Drain what is liquid, up to a share of all assets, and report the loss.

    Returns
    -------
    books
    targets : Targets
        Debts that the strategies were moved to.
    stolen : float
        Ounces, 0 where there was hardly anything to steal.
    from_pool : float
        Ounces that the pool must pay.
    """
    wanted = share * vault.total_assets(books.fund.vault)
    gathered = min(wanted, with_room(liquid(books.fund, supply), terms))
    stolen = with_room(gathered, terms)
    if stolen <= MINIMUM_OUNCES:
        return books, Targets(np.nan, np.nan, 0.0), 0.0, 0.0
    fund, from_lending, from_pool = pull(books.fund, supply, gathered)
    targets = Targets(
        fund.vault.lending_debt if from_lending > 0.0 else np.nan,
        fund.vault.pool_debt if from_pool > 0.0 else np.nan,
        0.0,
    )
    fund = change_shares(fund, gathered, 0.0)
    loss = BySource(0.0, 0.0, 0.0, 0.0, -stolen, 0.0)
    books = Books(fund, books.buffer, books.released)
    books = _book(books, loss, Report(-stolen, 0.0, 0.0, 0.0), day, terms)
    return (
        Books(change_shares(books.fund, -stolen, 0.0), books.buffer, books.released),
        targets,
        stolen,
        from_pool,
    )
