"""The shared rules against closed forms and hand calculations."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from simulator.mechanics import lending, staking, vault

TERMS = {"base_rate": 0.01, "slope1": 0.04, "slope2": 0.60, "kink": 0.80}
RATES = tuple(TERMS.values())


def new_market(**values: float) -> np.ndarray:
    market = np.zeros(1, lending.MARKET)
    market["borrow_index"] = 1.0
    for name, value in (TERMS | {"reserve_factor": 0.10} | values).items():
        market[name] = value
    return market


def claims(market: np.ndarray) -> float:
    return float(market["cash"][0] + market["total_scaled_debt"][0] * market["borrow_index"][0])


@pytest.mark.parametrize(
    ("utilisation", "rate"),
    [(0.0, 0.01), (0.4, 0.03), (0.8, 0.05), (0.9, 0.35), (1.0, 0.65)],
)
def test_kinked_rate__at_hand_calculated_points(utilisation: float, rate: float) -> None:
    assert lending.kinked_rate(utilisation, *RATES) == pytest.approx(rate, rel=1e-14)


@pytest.mark.parametrize("utilisation", [0.05, 0.4, 0.8, 0.83, 1.0])
def test_utilisation_at__is_the_inverse_of_the_rate(utilisation: float) -> None:
    rate = lending.kinked_rate(utilisation, *RATES)
    assert lending.utilisation_at(rate, *RATES) == pytest.approx(utilisation, rel=1e-12)


@pytest.mark.parametrize(("rate", "expected"), [(0.009, 0.0), (5.0, 1.0)])
def test_utilisation_at__outside_the_curve__is_bounded(rate: float, expected: float) -> None:
    assert lending.utilisation_at(rate, *RATES) == expected


def test_accrue__a_year_of_daily_pokes__agrees_with_exact_fractions() -> None:
    """100 supplied, 40 lent: each day's rate is that of the state at its start."""
    market = new_market()
    debts = np.zeros(1)
    lending.supply(market[0], 100.0)
    lending.borrow(market[0], debts, 0, 40.0)
    cash, owed, shares, treasury = Fraction(60), Fraction(40), Fraction(100), Fraction(0)
    base, slope, kink, factor = Fraction(1, 100), Fraction(4, 100), Fraction(8, 10), Fraction(1, 10)
    for day in range(1, 366):
        rate = base + slope * (owed / (cash + owed)) / kink
        interest = owed * rate / 365
        owed += interest
        minted = factor * interest * shares / (cash + owed - factor * interest)
        shares, treasury = shares + minted, treasury + minted
        # exact fractions would grow without bound; 60 digits are exact enough
        owed = Fraction(round(owed * 10**60), 10**60)
        shares = Fraction(round(shares * 10**60), 10**60)
        lending.accrue(market[0], float(day))
    assert market["borrow_index"][0] * 40 == pytest.approx(float(owed), rel=1e-13)
    assert market["shares"][0] == pytest.approx(float(shares), rel=1e-13)
    assert market["treasury_shares"][0] == pytest.approx(float(treasury), rel=1e-12)
    index = float((cash + owed) / shares)
    assert lending.supply_index(market[0]) == pytest.approx(index, rel=1e-13)


def test_accrue__reserve_is_its_share_of_the_interest() -> None:
    market = new_market()
    debts = np.zeros(1)
    lending.supply(market[0], 100.0)
    lending.borrow(market[0], debts, 0, 50.0)
    before = claims(market)
    lending.accrue(market[0], 30.0)
    interest = claims(market) - before
    reserve = market["treasury_shares"][0] * lending.supply_index(market[0])
    assert interest == pytest.approx(50 * (0.01 + 0.04 * 0.5 / 0.8) * 30 / 365, rel=1e-12)
    assert reserve == pytest.approx(0.10 * interest, rel=1e-12)


def test_liquidate__enough_collateral__seizes_debt_and_bonus_and_leaves_the_rest() -> None:
    """10 oz owed at 5,000 USD with 60,000 USDC: seized 10 x 5,000 x 1.05 = 52,500."""
    market = new_market(liquidation_bonus=0.05)
    debts, collateral = np.zeros(1), np.array([60_000.0])
    lending.supply(market[0], 100.0)
    lending.borrow(market[0], debts, 0, 10.0)
    repaid, bad_debt = lending.liquidate(market[0], debts, collateral, 0, 5_000.0)
    assert (repaid, bad_debt) == (10.0, 0.0)
    assert collateral[0] == pytest.approx(7_500.0, rel=1e-13)
    assert debts[0] == 0.0
    assert market["cash"][0] == 100.0


def test_liquidate__bad_debt__burns_the_treasury_first_then_lowers_the_index() -> None:
    """42,000 USDC pay 42,000 / (1.05 x 5,000) = 8 of 10 oz; 2 are bad, the treasury covers 0.5."""
    market = new_market(liquidation_bonus=0.05)
    debts, collateral = np.zeros(1), np.array([42_000.0])
    lending.supply(market[0], 100.0)
    market["treasury_shares"] = 0.5
    lending.borrow(market[0], debts, 0, 10.0)
    repaid, bad_debt = lending.liquidate(market[0], debts, collateral, 0, 5_000.0)
    assert (repaid, bad_debt) == (pytest.approx(8.0), pytest.approx(2.0))
    assert market["treasury_shares"][0] == 0.0
    assert market["shares"][0] == pytest.approx(99.5)
    assert lending.supply_index(market[0]) == pytest.approx(98.0 / 99.5, rel=1e-13)


def new_vault(**values: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    state = np.zeros(1, vault.VAULT)
    for name, value in ({"unlock_days": 7.0} | values).items():
        state[name] = value
    return state, np.zeros(5), np.zeros(5)


def report(state: np.ndarray, buffer: np.ndarray, released: np.ndarray, **by_source: float) -> None:
    result = np.zeros(5)
    for name, amount in by_source.items():
        result[getattr(vault, name)] = amount
    vault.report(state[0], buffer, released, 100.0, 10.0, result)
    state["lending_debt"] += sum(by_source.values())


def test_report__gain__reaches_the_share_price_linearly_over_the_period() -> None:
    state, buffer, released = new_vault()
    vault.deposit(state[0], 100.0)
    report(state, buffer, released, INTEREST=7.0)
    for day, price in [(0, 1.0), (1, 1.01), (3.5, 1.035), (7, 1.07), (9, 1.07)]:
        vault.unlock(state[0], buffer, released, float(day))
        assert vault.share_price(state[0]) == pytest.approx(price, rel=1e-13)
    assert released[vault.INTEREST] == pytest.approx(0.07, rel=1e-13)


def test_report__second_gain__unlocks_by_the_weighted_mean_of_the_periods() -> None:
    """After 7 at day 0, at day 3.5: 3.5 are left with 3.5 days; 3.5 more get 7 days: 5.25."""
    state, buffer, released = new_vault()
    vault.deposit(state[0], 100.0)
    report(state, buffer, released, INTEREST=7.0)
    vault.unlock(state[0], buffer, released, 3.5)
    report(state, buffer, released, POOL_FEES=3.5)
    assert state["unlock_end_day"][0] == pytest.approx(3.5 + 5.25, rel=1e-13)
    assert state["locked"][0] == pytest.approx(7.0)


def test_report__loss__hits_the_locked_profit_first() -> None:
    state, buffer, released = new_vault()
    vault.deposit(state[0], 100.0)
    report(state, buffer, released, INTEREST=7.0)
    report(state, buffer, released, BAD_DEBT=-4.0)
    assert vault.share_price(state[0]) == pytest.approx(1.0)
    report(state, buffer, released, BAD_DEBT=-5.0)
    assert vault.share_price(state[0]) == pytest.approx(0.98)
    assert released.sum() == pytest.approx(-0.02, rel=1e-12)


def test_report__performance_fee__is_paid_in_shares_worth_the_fee() -> None:
    state, buffer, released = new_vault(performance_fee_bps=1_000.0)
    vault.deposit(state[0], 100.0)
    report(state, buffer, released, INTEREST=10.0)
    price = vault.share_price(state[0])
    assert price == pytest.approx(1.0, rel=1e-14)
    assert state["fee_shares"][0] * price == pytest.approx(1.0, rel=1e-13)
    assert state["locked"][0] == pytest.approx(9.0)


def test_report__management_fee_without_gain__lowers_the_share_price() -> None:
    """1 % a year on 100 oz over 10 days is 0.0274 oz, out of the price without a buffer."""
    state, buffer, released = new_vault(management_fee_bps=100.0)
    vault.deposit(state[0], 100.0)
    report(state, buffer, released)
    fee = 100 * 0.01 * 10 / 365
    assert vault.share_price(state[0]) == pytest.approx(1 - fee / 100, rel=1e-13)
    assert state["fee_shares"][0] * vault.share_price(state[0]) == pytest.approx(fee, rel=1e-12)
    assert released[vault.VAULT_FEES] == pytest.approx(-fee / 100, rel=1e-12)


def test_staking__two_stakers__share_by_stake_and_time() -> None:
    """70 tokens over 7 days: one staker for 2 days, then three of four parts for 5 days."""
    state = np.zeros(1, staking.STAKING)
    state["staked"] = 1.0
    staking.notify(state[0], 70.0, 0.0, 7.0)
    staking.advance(state[0], 2.0)
    assert state["reward_per_share"][0] == pytest.approx(20.0)
    state["staked"] = 4.0
    staking.advance(state[0], 30.0)
    assert state["reward_per_share"][0] == pytest.approx(20.0 + 50.0 / 4)


def test_staking__rewards_without_stake__are_carried_to_the_next_period() -> None:
    state = np.zeros(1, staking.STAKING)
    staking.notify(state[0], 70.0, 0.0, 7.0)
    staking.advance(state[0], 7.0)
    assert state["carried"][0] == pytest.approx(70.0)
    staking.notify(state[0], 70.0, 7.0, 7.0)
    assert state["rate_per_day"][0] == pytest.approx(20.0)
    assert math.isclose(state["carried"][0], 0.0)
