"""Lending market, vault and staking as plain loops over one path: the oracle's rules.

Records with fields that change, one branch after the other; the model's functions of values
must agree with these. Written before them, and kept as they were.
"""

from __future__ import annotations

from simulator.units import BPS, DAYS_PER_YEAR

INTEREST, POOL_FEES, VAULT_FEES, BAD_DEBT, EXPLOIT, IMPERMANENT = range(6)
N_VAULT_SOURCES = 6


def kinked_rate(utilisation, base_rate, slope1, slope2, kink):
    if utilisation <= kink:
        return base_rate + slope1 * utilisation / kink
    return base_rate + slope1 + slope2 * (utilisation - kink) / (1.0 - kink)


def borrows(market):
    return market.total_scaled_debt * market.borrow_index


def utilisation(market):
    owed = borrows(market)
    return owed / (market.cash + owed) if owed > 0.0 else 0.0


def borrow_rate(market):
    return kinked_rate(
        utilisation(market), market.base_rate, market.slope1, market.slope2, market.kink
    )


def supply_index(market):
    if market.shares <= 0.0:
        return 1.0
    return (market.cash + borrows(market)) / market.shares


def accrue(market, day):
    elapsed = day - market.accrued_day
    market.accrued_day = day
    if elapsed <= 0.0 or market.total_scaled_debt <= 0.0:
        return
    before = borrows(market)
    market.borrow_index *= 1.0 + borrow_rate(market) * elapsed / DAYS_PER_YEAR
    after = borrows(market)
    reserve = (after - before) * market.reserve_factor
    minted = reserve * market.shares / (market.cash + after - reserve)
    market.shares += minted
    market.treasury_shares += minted


def supply(market, ounces):
    shares = ounces / supply_index(market)
    market.cash += ounces
    market.shares += shares
    return shares


def withdraw(market, ounces):
    shares = ounces / supply_index(market)
    market.cash -= ounces
    market.shares -= shares
    return shares


def borrow(market, scaled_debt, cohort, ounces):
    scaled = ounces / market.borrow_index
    scaled_debt[cohort] += scaled
    market.total_scaled_debt += scaled
    market.cash -= ounces


def repay(market, scaled_debt, cohort, ounces):
    scaled = min(ounces / market.borrow_index, scaled_debt[cohort])
    scaled_debt[cohort] -= scaled
    market.total_scaled_debt -= scaled
    market.cash += ounces


def close(market, scaled_debt, cohort):
    market.cash += scaled_debt[cohort] * market.borrow_index
    market.total_scaled_debt -= scaled_debt[cohort]
    scaled_debt[cohort] = 0.0


def liquidate(market, scaled_debt, collateral_usdc, cohort, gold_usd):
    debt = scaled_debt[cohort] * market.borrow_index
    payable = collateral_usdc[cohort] / ((1.0 + market.liquidation_bonus) * gold_usd)
    if debt <= payable:
        collateral_usdc[cohort] -= debt * gold_usd * (1.0 + market.liquidation_bonus)
        close(market, scaled_debt, cohort)
        return (debt, 0.0)
    bad_debt = debt - payable
    burnt = min(market.treasury_shares, bad_debt / supply_index(market))
    repay(market, scaled_debt, cohort, payable)
    market.total_scaled_debt -= scaled_debt[cohort]
    scaled_debt[cohort] = 0.0
    collateral_usdc[cohort] = 0.0
    market.treasury_shares -= burnt
    market.shares -= burnt
    return (payable, bad_debt)


def total_assets(vault):
    return vault.idle + vault.lending_debt + vault.pool_debt


def share_price(vault):
    if vault.shares <= 0.0:
        return 1.0
    return (total_assets(vault) - vault.locked) / vault.shares


def unlock(vault, buffer, released, day):
    span = vault.unlock_end_day - vault.locked_day
    elapsed = day - vault.locked_day
    vault.locked_day = day
    if vault.locked <= 0.0 or elapsed <= 0.0:
        return
    left = max(0.0, 1.0 - elapsed / span) if span > 0.0 else 0.0
    for source in range(N_VAULT_SOURCES):
        released[source] += buffer[source] * (1.0 - left) / vault.shares
        buffer[source] *= left
    vault.locked *= left


def deposit(vault, ounces):
    shares = ounces / share_price(vault)
    vault.idle += ounces
    vault.shares += shares
    return shares


def _lock(vault, buffer, released, net, shares_before):
    remaining = vault.locked
    if remaining + net > 0.0 and vault.unlock_days > 0.0:
        if net > 0.0:
            days_left = max(0.0, vault.unlock_end_day - vault.locked_day)
            period = (remaining * days_left + net * vault.unlock_days) / (remaining + net)
            vault.unlock_end_day = vault.locked_day + period
        vault.locked = remaining + net
        return
    vault.locked = 0.0
    for source in range(N_VAULT_SOURCES):
        released[source] += buffer[source] / shares_before
        buffer[source] = 0.0


def report(vault, buffer, released, debt, days_since, result):
    change = 0.0
    for source in range(N_VAULT_SOURCES):
        change += result[source]
        buffer[source] += result[source]
    fee = max(change, 0.0) * vault.performance_fee_bps / BPS
    fee += debt * vault.management_fee_bps / BPS * days_since / DAYS_PER_YEAR
    buffer[VAULT_FEES] -= fee
    shares_before = vault.shares
    assets_after = total_assets(vault) + change
    _lock(vault, buffer, released, change - fee, shares_before)
    if fee > 0.0:
        minted = fee * shares_before / (assets_after - vault.locked - fee)
        vault.shares += minted
        vault.fee_shares += minted


def advance(staking, day):
    end = min(day, staking.period_end_day)
    flowed = staking.rate_per_day * max(0.0, end - staking.updated_day)
    staking.updated_day = day
    if staking.staked > 0.0:
        staking.reward_per_share += flowed / staking.staked
    else:
        staking.carried += flowed


def notify(staking, tokens, day, duration_days):
    left_over = staking.rate_per_day * max(0.0, staking.period_end_day - day)
    staking.rate_per_day = (tokens + left_over + staking.carried) / duration_days
    staking.period_end_day = day + duration_days
    staking.carried = 0.0
