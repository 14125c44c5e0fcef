"""A loan by hand: opened, liquidated, lost, repaid; the sums are in the docstrings."""

from __future__ import annotations

import math

import pytest
from loans import CAPITAL, HOLDER, LABEL, SUPPLIED, by_source, drawn, run, terms

from simulator.instruments.checks import faults_of
from simulator.instruments.token_loan.gas import HOLDER_GAS
from simulator.instruments.token_loan.paths import Wanted
from simulator.instruments.token_loan.state import Observed, Outcome
from simulator.mechanics import loop

HALF = f"{LABEL}-half"
LENDER = f"{LABEL}-suppliers"
DAY = 1.0001
"""What a debt grows by a day at 3.65 % a year."""
CENT = 1e-2
"""Dollars that buying leaves in the wallet, and rounding in the market, lie below it."""


def test_wanted_debt__is_a_geometric_series() -> None:
    """100,000 dollars at 60 %, feed and ask alike: 100,000 x (0.6 + 0.36 + ...) = 150,000."""
    assert loop.wanted_debt(100_000.0, 0.6, 4_000.0, 4_000.0) == pytest.approx(150_000.0)


def test_wanted_debt__dear_desk__reaches_the_same_loan_to_value() -> None:
    """With D dollars borrowed (K + D) / a tokens are worth f (K + D) / a: D over that is 0.6."""
    feed, ask = 4_000.0, 4_040.0
    debt = loop.wanted_debt(100_000.0, 0.6, feed, ask)
    assert debt / (feed * (100_000.0 + debt) / ask) == pytest.approx(0.6)


def test_opening__half__borrows_its_capital_and_doubles_its_tokens() -> None:
    """At 50 %: 100,000 borrowed, 200,000 / 4,000 = 50 tokens, in two rounds of 70,000 + 30,000."""
    own = terms()
    paths, record = run(own, drawn(own, [4_000.0] * 3), wanted=Wanted(record=True))
    assert record.outcomes[0, Outcome.TOKENS, 0] == pytest.approx(50.0, abs=CENT / 4_000)
    assert record.outcomes[0, Outcome.SCALED, 0] == pytest.approx(100_000.0, abs=CENT)
    borrowed = record.opened[0, 0, :, 0]
    assert borrowed[:4].tolist() == pytest.approx([0.0, 70_000.0, 30_000.0, 0.0], abs=2 * CENT)
    assert paths[HALF].details["ltv"][0, 0] == pytest.approx(0.5, abs=1e-7)


def test_opening__highest_loan_to_value__takes_the_rounds_it_may() -> None:
    """At 70 % of 70 %: after n rounds the debt is K (0.7 + ... + 0.7^n), here with n = 5."""
    own = terms({"ltv": 0.7}, most_rounds=5)
    _, record = run(own, drawn(own, [4_000.0] * 3))
    expected = CAPITAL * sum(0.7**n for n in range(1, 6))
    assert record.outcomes[0, Outcome.SCALED, 0] == pytest.approx(expected, abs=CENT)


def test_opening__spread__is_paid_on_all_that_is_bought() -> None:
    """1 % on a token of 4,000: (200,000 less a bit) / 4,040 tokens, 40 lost on each, twice."""
    own = terms(swap_spread_bps=100)
    paths, record = run(own, drawn(own, [4_000.0] * 3))
    debt = loop.wanted_debt(CAPITAL, 0.5, 4_000.0, 4_040.0)
    tokens = (CAPITAL + debt) / 4_040.0
    assert record.outcomes[0, Outcome.TOKENS, 0] == pytest.approx(tokens, abs=CENT / 4_000)
    assert paths[HALF].mark["usd"][1, 0] == pytest.approx(tokens * 4_000.0 - debt * DAY, abs=CENT)
    assert by_source(paths[HALF])["swaps"] == pytest.approx(-tokens * 80.0, abs=CENT)


def test_held_to_the_end__pays_tokens_less_debt() -> None:
    """50 tokens at 4,400 less 100,000 x 1.0001^3: 20,000 gained, 30.003001 of interest."""
    own = terms()
    paths, _ = run(own, drawn(own, [4_000.0, 4_000.0, 4_200.0, 4_400.0]))
    interest = CAPITAL * (DAY**3 - 1.0)
    assert paths[HALF].exit["usd"][-1, 0] == pytest.approx(120_000.0 - interest, abs=CENT)
    found = by_source(paths[HALF])
    assert found["price"] == pytest.approx(20_000.0, abs=CENT)
    assert found["interest"] == pytest.approx(-interest, abs=CENT)
    assert found["penalty"] == found["written_off"] == 0.0


def test_in_ounces__price_takes_what_ounces_did() -> None:
    """25 ounces put in; (220,000 - 100,030.003) / 4,400 = 27.27 come out, less their interest."""
    own = terms()
    paths, _ = run(own, drawn(own, [4_000.0, 4_000.0, 4_200.0, 4_400.0]))
    loan = paths[HALF]
    left = (220_000.0 - CAPITAL * DAY**3) / 4_400.0
    assert loan.initial["ounces"][0] == 25.0
    assert loan.exit["ounces"][-1, 0] == pytest.approx(left, abs=1e-5)
    first, second, third = (CAPITAL * DAY**n * 1e-4 for n in range(3))
    interest = first / 4_000.0 + second / 4_200.0 + third / 4_400.0
    assert by_source(loan, "ounces")["interest"] == pytest.approx(-interest, abs=1e-8)
    assert sum(by_source(loan, "ounces").values()) == pytest.approx(left - 25.0, abs=1e-5)


def test_liquidation__takes_debt_and_penalty__gives_the_rest_back() -> None:
    """On day 2 at 2,600: 50 tokens are worth 130,000, the debt is 100,020.001, 76.9 % of it.

    Repaid in full; tokens worth 106,021.20 go, 9.22 stay with the borrower, who sells at 2,700.
    """
    own = terms()
    paths, record = run(own, drawn(own, [4_000.0, 4_000.0, 2_600.0, 2_700.0]))
    debt = CAPITAL * DAY**2
    rest = 50.0 - debt * 1.06 / 2_600.0
    loan, outcome = paths[HALF], record.outcomes[0, :, 0]
    assert outcome[Outcome.STEP] == 2.0
    assert outcome[Outcome.REPAID] == pytest.approx(debt, abs=CENT)
    assert outcome[Outcome.PROFIT] == pytest.approx(0.06 * debt, abs=CENT)
    assert outcome[Outcome.RETURNED] == pytest.approx(rest, abs=CENT / 2_600)
    assert loan.exit["usd"][-1, 0] == pytest.approx(rest * 2_700.0, abs=CENT)
    found = by_source(loan)
    assert found["penalty"] == pytest.approx(-0.06 * debt, abs=CENT)
    assert found["price"] == pytest.approx(-50.0 * 1_400.0 + rest * 100.0, abs=CENT)
    assert loan.happened["liquidated"].all()
    assert not loan.happened["by_feed_alone"].any()
    assert loan.events.tolist() == [1] * loan.events.size


@pytest.mark.parametrize(("price", "closed"), [(2_667.0, True), (2_668.0, False)])
def test_threshold__is_what_decides(price: float, closed: bool) -> None:
    """50 tokens and 100,010 owed after a day: 75 % is 2,666.93 a token; beyond it from 2,667.20
    on the second day, so 2,667 is closed and 2,668 is not."""
    own = terms()
    paths, _ = run(own, drawn(own, [4_000.0, 4_000.0, price, price * 1.1]))
    assert paths[HALF].happened["liquidated"].all() == closed


def test_bad_debt__burns_the_treasury_first_and_then_the_suppliers() -> None:
    """On day 2 at 1,500 all 50 tokens, worth 75,000, pay for 75,000 / 1.06 = 70,754.72.

    29,265.28 are left. The treasury has a tenth of the interest of 20.001; the suppliers, of
    whom the measured one is a thousandth, bear the rest.
    """
    own = terms()
    paths, record = run(own, drawn(own, [4_000.0, 4_000.0, 1_500.0, 1_500.0]))
    debt = CAPITAL * DAY**2
    repaid = 75_000.0 / 1.06
    loan, lender = paths[HALF], paths[LENDER]
    assert record.outcomes[0, Outcome.BAD_DEBT, 0] == pytest.approx(debt - repaid, abs=CENT)
    assert loan.exit["usd"][-1, 0] == pytest.approx(0.0, abs=CENT)
    found = by_source(loan)
    assert found["written_off"] == pytest.approx(debt - repaid, abs=CENT)
    assert found["penalty"] == pytest.approx(-(75_000.0 - repaid), abs=CENT)
    share = HOLDER / SUPPLIED
    reserve = 0.1 * CAPITAL * (DAY**2 - 1.0)
    lost = by_source(lender)["bad_debt"]
    assert lost == pytest.approx(-share * (debt - repaid - reserve), abs=1e-4)
    assert by_source(lender)["interest"] == pytest.approx(share * 9.0 * reserve, abs=1e-4)
    assert lender.happened["lost_to_bad_debt"].all()


def test_keeper_late__closes_at_the_price_of_a_later_day() -> None:
    """Beyond the threshold from day 2 on; two days late it is closed on day 4, at 2,200."""
    prices = [4_000.0, 4_000.0, 2_600.0, 2_400.0, 2_200.0, 2_200.0]
    own = terms(keeper_late_days=2)
    _, record = run(own, drawn(own, prices))
    assert record.outcomes[0, Outcome.STEP, 0] == 4.0
    assert record.outcomes[0, Outcome.REPAID, 0] == pytest.approx(CAPITAL * DAY**4, abs=CENT)


def test_keeper_late__price_that_recovers_in_time__closes_nothing() -> None:
    """The days must follow each other: two beyond, one within, two beyond are not three."""
    prices = [4_000.0, 2_600.0, 2_600.0, 4_000.0, 2_600.0, 2_600.0, 4_000.0]
    own = terms(keeper_late_days=2)
    paths, _ = run(own, drawn(own, prices))
    assert not paths[HALF].happened["liquidated"].any()


def test_feed_alone__falls_for_a_day__closes_what_the_metal_would_not() -> None:
    """The exchange shows 2,600 while token and metal stay at 4,000: the liquidator takes 40.78
    tokens worth 163,110 for 100,020; the metal's own loan to value is 50 %."""
    own = terms(price="exchange")
    feed = [4_000.0, 4_000.0, 2_600.0, 4_000.0]
    paths, record = run(own, drawn(own, [4_000.0] * 4, feed=feed))
    debt = CAPITAL * DAY**2
    profit = debt * (1.06 * 4_000.0 / 2_600.0 - 1.0)
    assert paths[HALF].happened["by_feed_alone"].all()
    assert paths[HALF].details["by_feed_alone"][:, 0].tolist() == [0.0, 0.0, 1.0, 1.0]
    lent = paths[LENDER].further
    repaid = [0.0, 0.0, debt, debt]
    assert lent["liquidated_usd"][:, 0].tolist() == pytest.approx(repaid, abs=CENT)
    assert not lent["insolvent_usd"].any()
    assert record.outcomes[0, Outcome.PROFIT, 0] == pytest.approx(profit, abs=CENT)
    assert by_source(paths[HALF])["penalty"] == pytest.approx(-profit, abs=CENT)


def test_feed_too_high__nobody_pays_for_what_he_cannot_sell() -> None:
    """The token falls to 2,000, the feed says 2,600: a liquidator would pay 100,020 for 40.78
    tokens worth 81,555. The loan stays; at the end 100,000 do not pay the debt, which is left."""
    own = terms()
    token = [4_000.0, 4_000.0, 2_000.0, 2_000.0]
    feed = [4_000.0, 4_000.0, 2_600.0, 2_600.0]
    paths, record = run(own, drawn(own, token, feed=feed))
    assert not paths[HALF].happened["liquidated"].any()
    assert record.outcomes[0, Outcome.PAID_BACK, 0] == 0.0
    assert paths[HALF].exit["usd"][-1, 0] == pytest.approx(0.0, abs=CENT)
    left = CAPITAL * DAY**3 - 100_000.0
    assert by_source(paths[HALF])["written_off"] == pytest.approx(left, abs=CENT)
    insolvent = [0.0, 0.0, CAPITAL * DAY**2 - 100_000.0, left]
    found = paths[LENDER].further["insolvent_usd"][:, 0]
    assert found.tolist() == pytest.approx(insolvent, abs=CENT)
    assert not paths[LENDER].further["liquidated_usd"].any()


def test_without_a_loop__dollars_earn_beside_the_tokens() -> None:
    """25 tokens locked, 50,000 borrowed that earn 0.02 % a day: 50,000 x (1.0002^3 - 1.0001^3)."""
    own = terms({"loop": False, "deployed": {"rate": 0.073}})
    paths, record = run(own, drawn(own, [4_000.0] * 4))
    earned, interest = 50_000.0 * (1.0002**3 - 1.0), 50_000.0 * (DAY**3 - 1.0)
    assert record.outcomes[0, Outcome.TOKENS, 0] == pytest.approx(25.0, abs=CENT / 4_000)
    gain = paths[HALF].exit["usd"][-1, 0] - CAPITAL
    assert gain == pytest.approx(earned - interest, abs=CENT)
    assert by_source(paths[HALF])["deployed"] == pytest.approx(earned, abs=CENT)


def test_without_a_loop__closed__keeps_its_dollars() -> None:
    """25 tokens at 1,000 do not pay 50,010: they are gone, the dollars are not."""
    own = terms({"loop": False})
    paths, _ = run(own, drawn(own, [4_000.0, 1_000.0, 1_000.0]))
    assert paths[HALF].exit["usd"][-1, 0] == pytest.approx(50_000.0, abs=CENT)


def test_deployed__failure__loses_its_share_and_earns_no_more() -> None:
    """On day 2 of 3: 50,000 x 1.0002^2 are there, four fifths of it go."""
    deployed = {"rate": 0.073, "hazard": 1.0, "loss": 0.8}
    own = terms({"loop": False, "deployed": deployed})
    paths, record = run(own, drawn(own, [4_000.0] * 4, fails=2))
    there = 50_000.0 * 1.0002**2
    assert record.outcomes[0, Outcome.DEPLOYED, 0] == pytest.approx(0.2 * there, abs=CENT)
    assert by_source(paths[HALF])["default"] == pytest.approx(-0.8 * there, abs=CENT)


def test_others__bring_the_market_to_its_utilisation() -> None:
    """A million supplied, 60 % wanted: 500,000 beside the loan's 100,000; the rate is 6 % x 0.6
    / 0.9 = 4 % a year of a curve without base."""
    own = terms(pool__borrow_rate=None, pool__slope1=0.06, pool__kink=0.9)
    paths, record = run(own, drawn(own, [4_000.0] * 3, utilisation=0.6), wanted=Wanted(record=True))
    lender = paths[LENDER]
    assert record.others[0, 0] == pytest.approx(500_000.0, abs=CENT)
    assert lender.details["utilisation"][:2, 0].tolist() == pytest.approx([0.6, 0.6], abs=1e-7)
    assert lender.details["borrow_rate"][0, 0] == pytest.approx(0.04, abs=1e-8)
    assert record.index[1, 0] == pytest.approx(1.0 + 0.04 / 365, abs=1e-10)
    interest = 600_000.0 * 0.04 / 365 * 0.9 * HOLDER / SUPPLIED
    assert lender.mark["usd"][1, 0] - HOLDER == pytest.approx(interest, abs=1e-6)


def test_supplier__more_than_there_is__waits_at_a_discount() -> None:
    """2,112 dollars supplied, 99 % of them lent; the loan's tokens fall to 1,500 and it is left.

    21.12 are there, of which he leaves one: 979.88 and his interest wait, at a percent off.
    """
    own = terms({"capital_usd": 1_000.0}, pool__supplied_usd=1_112.0)
    token = [4_000.0, 4_000.0, 1_500.0]
    paths, _ = run(own, drawn(own, token, feed=[4_000.0] * 3, utilisation=0.99))
    lender = paths[LENDER]
    waiting = lender.mark["usd"][-1, 0] - 20.12
    assert lender.unpaid[0] == pytest.approx(waiting, abs=CENT)
    assert waiting > 979.0
    expected = lender.mark["usd"][-1, 0] - 0.01 * waiting
    assert lender.exit["usd"][-1, 0] == pytest.approx(expected, abs=1e-3)


def test_gas__is_that_of_each_act() -> None:
    """Two rounds: one entry, two loans, two further purchases; one way out."""
    own = terms()
    price = 1e-6
    paths, _ = run(own, drawn(own, [4_000.0] * 3), usd_per_gas=price)
    acts = {"enter": 1, "borrow": 2, "buy": 2, "leave": 1}
    expected = price * sum(times * HOLDER_GAS[act] for act, times in acts.items())
    assert by_source(paths[HALF])["gas"] == pytest.approx(-expected)
    lender = price * (HOLDER_GAS["supply"] + HOLDER_GAS["redeem"])
    assert by_source(paths[LENDER])["gas"] == pytest.approx(-lender)


def test_record__is_what_the_market_has_at_the_end_of_each_day() -> None:
    """A million less the loan of 100,000; then its interest of ten dollars a day, a tenth of it
    the treasury's; on day 2 at 1,500 the liquidator's 70,754.72 come back."""
    own = terms()
    prices = [4_000.0, 4_000.0, 1_500.0, 1_500.0]
    _, record = run(own, drawn(own, prices), wanted=Wanted(record=True))
    first, second, third, _ = record.observed[:, 0]
    assert first[Observed.CASH] == pytest.approx(900_000.0, abs=CENT)
    assert first[Observed.UTILISATION] == pytest.approx(0.1, abs=1e-7)
    assert second[Observed.SUPPLY_INDEX] == pytest.approx(1.0 + 9.0 / SUPPLIED, abs=1e-10)
    assert second[Observed.TREASURY] == pytest.approx(1.0, abs=1e-3)
    assert second[Observed.EXIT] == pytest.approx(HOLDER * second[Observed.SUPPLY_INDEX])
    repaid = 75_000.0 / 1.06
    assert third[Observed.CASH] == pytest.approx(900_000.0 + repaid, abs=CENT)
    assert third[Observed.BAD_DEBT] == pytest.approx(CAPITAL * DAY**2 - repaid, abs=CENT)
    assert third[Observed.LIQUIDATORS] == pytest.approx(75_000.0 - repaid, abs=CENT)
    assert third[Observed.TREASURY] == 0.0


def test_every_case__identities_hold_day_by_day() -> None:
    names = frozenset({HALF, LENDER})
    for prices in ([4_000.0, 2_600.0, 2_700.0], [4_000.0, 1_500.0, 1_500.0], [4_000.0, 4_400.0]):
        for loan in ({}, {"loop": False, "deployed": {"rate": 0.073}}):
            own = terms(loan, swap_spread_bps=25)
            paths, _ = run(own, drawn(own, prices), usd_per_gas=1e-5, wanted=Wanted(days=names))
            assert [fault for one in paths.values() for fault in faults_of(one)] == []
            assert all(math.isfinite(one.exit["usd"][-1, 0]) for one in paths.values())
