"""The shared rules against closed forms and hand calculations."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from simulator.mechanics import lending, staking, vault

TERMS = {"base_rate": 0.01, "slope1": 0.04, "slope2": 0.60, "kink": 0.80}
RATES = tuple(TERMS.values())


def new_market(supplied: float, lent: float, treasury_shares: float = 0.0) -> lending.Market:
    return lending.Market(supplied - lent, lent, 1.0, supplied, treasury_shares)


def accrue(market: lending.Market, days: float) -> lending.Market:
    rate = lending.kinked_rate(lending.utilisation(market), *RATES)
    after, shares_per_ounce = lending.accrue(market, rate * days / 365, 0.10)
    assert shares_per_ounce == pytest.approx(1.0 / lending.supply_index(after), rel=1e-14)
    return after


def claims(market: lending.Market) -> float:
    return market.cash + lending.borrows(market)


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
    market = new_market(100.0, 40.0)
    cash, owed, shares, treasury = Fraction(60), Fraction(40), Fraction(100), Fraction(0)
    base, slope, kink, factor = Fraction(1, 100), Fraction(4, 100), Fraction(8, 10), Fraction(1, 10)
    for _ in range(365):
        rate = base + slope * (owed / (cash + owed)) / kink
        interest = owed * rate / 365
        owed += interest
        minted = factor * interest * shares / (cash + owed - factor * interest)
        shares, treasury = shares + minted, treasury + minted
        # exact fractions would grow without bound; 60 digits are exact enough
        owed = Fraction(round(owed * 10**60), 10**60)
        shares = Fraction(round(shares * 10**60), 10**60)
        market = accrue(market, 1.0)
    assert market.borrow_index * 40 == pytest.approx(float(owed), rel=1e-13)
    assert market.shares == pytest.approx(float(shares), rel=1e-13)
    assert market.treasury_shares == pytest.approx(float(treasury), rel=1e-12)
    index = float((cash + owed) / shares)
    assert lending.supply_index(market) == pytest.approx(index, rel=1e-13)


def test_accrue__reserve_is_its_share_of_the_interest() -> None:
    market = new_market(100.0, 50.0)
    before = claims(market)
    market = accrue(market, 30.0)
    interest = claims(market) - before
    reserve = market.treasury_shares * lending.supply_index(market)
    assert interest == pytest.approx(50 * (0.01 + 0.04 * 0.5 / 0.8) * 30 / 365, rel=1e-12)
    assert reserve == pytest.approx(0.10 * interest, rel=1e-12)


def test_accrue__without_debt__changes_nothing() -> None:
    market = new_market(100.0, 0.0)
    assert accrue(market, 30.0) == market


@pytest.mark.parametrize("ounces", [7.0, -7.0])
def test_move__at_the_index__leaves_it_as_it_was(ounces: float) -> None:
    market = accrue(new_market(100.0, 50.0), 365.0)
    index = lending.supply_index(market)
    moved = lending.move(market, ounces, ounces / index)
    assert moved.cash == market.cash + ounces
    assert lending.supply_index(moved) == pytest.approx(index, rel=1e-14)


def test_liquidate__enough_collateral__seizes_debt_and_bonus_and_leaves_the_rest() -> None:
    """10 oz owed at 5,000 USD with 60,000 USDC: seized 10 x 5,000 x 1.05 = 52,500."""
    position = lending.Position(10.0, 60_000.0)
    market, left, bad_debt = lending.liquidate(new_market(100.0, 10.0), position, 5_000.0, 0.05)
    assert bad_debt == 0.0
    assert left.collateral_usdc == pytest.approx(7_500.0, rel=1e-13)
    assert left.scaled_debt == 0.0
    assert market.cash == 100.0


def test_liquidate__bad_debt__burns_the_treasury_first_then_lowers_the_index() -> None:
    """42,000 USDC pay 42,000 / (1.05 x 5,000) = 8 of 10 oz; 2 are bad, the treasury covers 0.5."""
    position = lending.Position(10.0, 42_000.0)
    before = new_market(100.0, 10.0, treasury_shares=0.5)
    market, left, bad_debt = lending.liquidate(before, position, 5_000.0, 0.05)
    assert bad_debt == pytest.approx(2.0)
    assert left == lending.Position(0.0, 0.0)
    assert market.treasury_shares == 0.0
    assert market.shares == pytest.approx(99.5)
    assert lending.supply_index(market) == pytest.approx(98.0 / 99.5, rel=1e-13)


NOTHING = vault.BySource(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Played:
    """A vault with 100 shares for 100 ounces, and what its profits came to."""

    def __init__(self, unlock_days: float = 7.0) -> None:
        self.vault = vault.Vault(0.0, 100.0, 100.0, 0.0, 0.0, 0.0)
        self.buffer, self.released = NOTHING, NOTHING
        self.unlock_days, self.day = unlock_days, 0.0

    def unlock(self, day: float) -> None:
        self.vault, self.buffer, released = vault.unlock(self.vault, self.buffer, self.day, day)
        self.released, self.day = vault.add(self.released, released), day

    def report(self, performance: float = 0.0, management: float = 0.0, **gains: float) -> float:
        """Report gains and losses of a strategy since ten days ago; return the fee's shares."""
        result = vault.BySource(**(NOTHING._asdict() | gains))
        terms = vault.Report(sum(result), performance, 100.0, management * 10 / 365)
        before = self.vault.shares
        self.vault, self.buffer, released = vault.report(
            self.vault, self.buffer, result, terms, self.day, self.unlock_days
        )
        debt = self.vault.lending_debt + sum(result)
        self.vault = self.vault._replace(lending_debt=debt)
        self.released = vault.add(self.released, released)
        return self.vault.shares - before

    @property
    def price(self) -> float:
        return vault.share_price(self.vault)


def test_report__gain__reaches_the_share_price_linearly_over_the_period() -> None:
    played = Played()
    played.report(interest=7.0)
    for day, price in [(0, 1.0), (1, 1.01), (3.5, 1.035), (7, 1.07), (9, 1.07)]:
        played.unlock(float(day))
        assert played.price == pytest.approx(price, rel=1e-13)
    assert played.released.interest == pytest.approx(0.07, rel=1e-13)


def test_report__second_gain__unlocks_by_the_weighted_mean_of_the_periods() -> None:
    """After 7 at day 0, at day 3.5: 3.5 are left with 3.5 days; 3.5 more get 7 days: 5.25."""
    played = Played()
    played.report(interest=7.0)
    played.unlock(3.5)
    played.report(pool_fees=3.5)
    assert played.vault.unlock_end_day == pytest.approx(3.5 + 5.25, rel=1e-13)
    assert played.vault.locked == pytest.approx(7.0)


def test_report__loss__hits_the_locked_profit_first() -> None:
    played = Played()
    played.report(interest=7.0)
    played.report(bad_debt=-4.0)
    assert played.price == pytest.approx(1.0)
    played.report(bad_debt=-5.0)
    assert played.price == pytest.approx(0.98)
    assert sum(played.released) == pytest.approx(-0.02, rel=1e-12)


def test_report__without_a_lock__reaches_the_share_price_at_once() -> None:
    played = Played(unlock_days=0.0)
    played.report(interest=7.0)
    assert played.price == pytest.approx(1.07, rel=1e-13)
    assert played.released.interest == pytest.approx(0.07, rel=1e-13)


def test_report__performance_fee__is_paid_in_shares_worth_the_fee() -> None:
    played = Played()
    fee_shares = played.report(performance=0.10, interest=10.0)
    assert played.price == pytest.approx(1.0, rel=1e-14)
    assert fee_shares * played.price == pytest.approx(1.0, rel=1e-13)
    assert played.vault.locked == pytest.approx(9.0)


def test_report__management_fee_without_gain__lowers_the_share_price() -> None:
    """1 % a year on 100 oz over 10 days is 0.0274 oz, out of the price without a buffer."""
    played = Played()
    fee_shares = played.report(management=0.01)
    fee = 100 * 0.01 * 10 / 365
    assert played.price == pytest.approx(1 - fee / 100, rel=1e-13)
    assert fee_shares * played.price == pytest.approx(fee, rel=1e-12)
    assert played.released.vault_fees == pytest.approx(-fee / 100, rel=1e-12)


def test_staking__two_stakers__share_by_stake_and_time() -> None:
    """70 tokens over 7 days: one staker for 2 days, then three of four parts for 5 days."""
    state = staking.notify(staking.Staking(0.0, 0.0, 1.0, 0.0, 0.0), 70.0, 0.0, 7.0)
    state = staking.advance(state, 0.0, 2.0)
    assert state.reward_per_share == pytest.approx(20.0)
    state = staking.advance(state._replace(staked=4.0), 2.0, 30.0)
    assert state.reward_per_share == pytest.approx(20.0 + 50.0 / 4)


def test_staking__rewards_without_stake__are_carried_to_the_next_period() -> None:
    state = staking.notify(staking.Staking(0.0, 0.0, 0.0, 0.0, 0.0), 70.0, 0.0, 7.0)
    state = staking.advance(state, 0.0, 7.0)
    assert state.carried == pytest.approx(70.0)
    state = staking.notify(state, 70.0, 7.0, 7.0)
    assert state.rate_per_day == pytest.approx(20.0)
    assert math.isclose(state.carried, 0.0)
