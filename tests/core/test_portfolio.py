"""Portfolios: hand-calculated trades, what must add up on every path, and what waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import worlds
from daily import check_daily
from hypothesis import given, settings
from hypothesis import strategies as st
from portfolio_oracle import by_hand
from scenario_text import changed, line_of, refused, written

from simulator.engine import simulate
from simulator.errors import InputError
from simulator.instruments.base import Access, Daily, InstrumentPaths, Source, attribution_gap
from simulator.investors.paths import InvestorPaths, join, measure
from simulator.investors.portfolio import PortfolioPaths, Wanted, hold
from simulator.investors.sizes import size
from simulator.scenario import load_scenario
from simulator.scenario.investors import InvestorTerms


def asset(
    name: str,
    prices: object,
    *,
    spread: float = 0.0,
    income: object = None,
    **access: Any,
) -> InstrumentPaths:
    """Return an instrument of which a unit is worth `prices`; leaving costs the spread."""
    mark = np.array(prices, dtype=float)
    mark = mark[:, None] if mark.ndim == 1 else mark
    paid = np.zeros_like(mark) if income is None else np.broadcast_to(income, mark.shape).copy()
    brought = np.zeros((3, *mark.shape))
    brought[0] = mark - mark[0]
    brought[1] = np.cumsum(paid, axis=0)
    leave = mark * (1.0 - spread) + np.cumsum(paid, axis=0)
    leave[0] = mark[0]
    last = mark[-1] * (1.0 - spread) + paid.sum(axis=0)
    found = InstrumentPaths(
        name=name,
        sources=(
            Source("price", "market", "Price"),
            Source("payouts", "organic", "Payouts"),
            Source("spread", "cost", "Spread"),
        ),
        initial={"usd": mark[0]},
        mark={"usd": mark},
        exit={"usd": np.concatenate((leave[:-1], last[None]))},
        attribution={"usd": np.stack([mark[-1] - mark[0], paid.sum(axis=0), -spread * mark[-1]])},
        events=np.zeros(mark.shape[1], np.int64),
        unpaid=np.zeros(mark.shape[1]),
        daily=Daily(
            brought,
            None if income is None else paid,
            Access(buy_cost=spread, **access),
        ),
    )
    check_daily(found)
    return found


def held(weights: dict[str, float], *instruments: InstrumentPaths, **terms: object):
    """Return what 100 dollars (or `capital_usd`) by weights come to."""
    record, count = bool(terms.pop("record", False)), terms.pop("count", None)
    investor = InvestorTerms(**({"capital_usd": 100.0, "weights": weights} | terms))
    found = hold(
        investor,
        {paths.name: paths for paths in instruments},
        count=count,
        wanted=Wanted(record=record),
    )
    check_sums(found)
    return found


def check_sums(found: PortfolioPaths) -> None:
    """Assert that holdings are the whole, and sources the return, within 1e-9 on every path."""
    whole, flows = found.whole, found.flows.sum(axis=0)
    room = 1e-9 * (whole.initial["usd"] + np.abs(found.flows).sum(axis=0))
    nav = found.values.sum(axis=0) + found.cash
    assert np.all(np.abs(nav - whole.mark["usd"]) <= room)
    gap = attribution_gap(whole, "usd", flows) * whole.initial["usd"]
    assert np.all(gap <= room)
    assert np.all(found.cash >= -room)
    assert np.all(found.units >= 0.0)


def nav(found: PortfolioPaths) -> list[float]:
    return list(found.whole.mark["usd"][:, 0])


def units(found: PortfolioPaths, row: int = 0) -> list[float]:
    return list(found.units[row, :, 0])


def brought(found: PortfolioPaths, source: str) -> float:
    names = [item.name for item in found.whole.sources]
    return float(found.whole.attribution["usd"][names.index(source), 0])


HALF = {"a": 0.5, "b": 0.5}
FLAT = asset("b", np.full(9, 1.0))


# -- weights and rebalancing


def test_hold__without_rebalancing__drifts_with_the_prices() -> None:
    found = held({"a": 0.6, "b": 0.3, "cash": 0.1}, asset("a", [10, 12, 6]), asset("b", [1, 1, 3]))
    np.testing.assert_allclose(nav(found), [100, 60 * 1.2 + 30 + 10, 60 * 0.6 + 90 + 10])
    np.testing.assert_allclose(found.cash[:, 0], 10)
    assert brought(found, "a.price") == pytest.approx(-24)
    assert brought(found, "b.price") == pytest.approx(60)


def test_calendar__restores_the_weights_on_its_days() -> None:
    # Half and half; a doubles, on day 2 75 each, then a halves: 37.5 + 75.
    prices = asset("a", [1, 2, 2, 1, 1])
    found = held(HALF, prices, asset("b", np.ones(5)), rebalance={"every_days": 2})
    np.testing.assert_allclose(nav(found), [100, 150, 150, 112.5, 112.5])
    np.testing.assert_allclose(units(found), [50, 50, 37.5, 37.5, 37.5])
    np.testing.assert_allclose(found.turnover[:, 0], [100, 0, 50, 0, 0])


def test_last_day__is_the_exit__and_not_a_day_of_trading() -> None:
    found = held(HALF, asset("a", [1, 2, 4]), asset("b", np.ones(3)), rebalance={"every_days": 2})
    np.testing.assert_allclose(units(found), [50, 50, 50])


@pytest.mark.parametrize(("price", "trades"), [(1.49, False), (1.51, True), (0.67, False)])
def test_band__sets_off_once_a_weight_is_beyond_it(price: float, trades: bool) -> None:
    # At 1.5 the weight of a is 75 / 125 = 60 %: ten points above its half.
    found = held(HALF, asset("a", [1, price, price]), asset("b", np.ones(3)),
                 rebalance={"band": 0.1})  # fmt: skip
    expected = 50 * (1 + price) / 2 / price if trades else 50
    np.testing.assert_allclose(units(found)[1:], expected)


def test_costs__of_a_rebalancing__are_the_spreads_and_the_commission() -> None:
    # b costs 1 % going in and out, a commission of 0.5 % is on everything.
    found = held(HALF, asset("a", [1, 2, 2]), asset("b", np.ones(3), spread=0.01),
                 rebalance={"every_days": 1}, trading_cost_bps=50)  # fmt: skip
    # 100 buy 2 x value with 0.5 % and 1.5 % on top: value = 100 / 2.02 each.
    first = 100 / 2.02
    np.testing.assert_allclose(found.values[:, 0, 0], [first, first])
    assert nav(found)[0] == pytest.approx(2 * first)
    # a doubles: half a first is sold at 0.5 %, then b is bought, and half of the rest each.
    sold = first / 2
    proceeds = sold * 0.995
    value = 2.5 * first + proceeds
    np.testing.assert_allclose(units(found)[1], first - sold / 2)
    spent = min(proceeds, (value / 2 - first) * 1.015)
    assert found.values[1, 1, 0] == pytest.approx(first + spent / 1.015)
    leave = found.whole.exit["usd"][-1, 0]
    expected = (found.values[0, -1, 0] + found.values[1, -1, 0] * 0.99) * 0.995 + found.cash[-1, 0]
    assert leave == pytest.approx(expected)
    assert brought(found, "b.spread") == pytest.approx(-0.01 * found.values[1, -1, 0])


def test_exit_value__on_every_day__is_what_selling_all_would_pay() -> None:
    found = held({"a": 1.0}, asset("a", [1, 2, 3], spread=0.02), trading_cost_bps=100)
    bought = 100 / 1.03
    np.testing.assert_allclose(
        found.whole.exit["usd"][:, 0],
        [100, 2 * bought * 0.98 * 0.99, 3 * bought * 0.98 * 0.99],
    )
    np.testing.assert_allclose(nav(found), [bought, 2 * bought, 3 * bought])


def test_income__is_cash_until_the_next_rebalancing() -> None:
    payer = asset("a", [1, 1, 1, 1], income=np.array([0, 0.1, 0, 0])[:, None])
    found = held({"a": 1.0}, payer, rebalance={"every_days": 2})
    np.testing.assert_allclose(found.cash[:, 0], [0, 10, 0, 0], atol=1e-12)
    np.testing.assert_allclose(units(found), [100, 100, 110, 110])
    assert brought(found, "a.payouts") == pytest.approx(10)


# -- stops

STOP = {"holding": 0.2}


def test_stop__triggered_at_t__fills_at_t_plus_1() -> None:
    # 80 is the level and no fall beyond it; 79 triggers on day 2, day 3 fills at 60.
    found = held({"a": 1.0}, asset("a", [100, 80, 79, 60, 90, 90]), stop_loss=STOP)
    np.testing.assert_allclose(units(found), [1, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(nav(found), [100, 80, 79, 60, 60, 60])
    assert found.whole.events[0] == 1


def test_stop__within_the_dead_band__does_nothing() -> None:
    just = asset("a", [100, 80 * (1 - 0.9e-6), 70, 70])
    assert held({"a": 1.0}, just, stop_loss=STOP).whole.events[0] == 1  # of day 2
    np.testing.assert_allclose(units(held({"a": 1.0}, just, stop_loss=STOP)), [1, 1, 1, 1])
    beyond = asset("a", [100, 80 * (1 - 1.1e-6), 70, 70])
    np.testing.assert_allclose(units(held({"a": 1.0}, beyond, stop_loss=STOP)), [1, 1, 0, 0])


def test_stop__from_the_peak__follows_it_up_and_from_entry_does_not() -> None:
    path = asset("a", [100, 200, 150, 150, 150])
    np.testing.assert_allclose(units(held({"a": 1.0}, path, stop_loss=STOP)), [1, 1, 1, 0, 0])
    entry = STOP | {"measured_from": "entry"}
    np.testing.assert_allclose(units(held({"a": 1.0}, path, stop_loss=entry)), 1)


def test_stop__of_one_holding__leaves_the_others_alone() -> None:
    found = held(HALF, asset("a", [1, 0.5, 0.5, 0.5]), asset("b", np.ones(4)), stop_loss=STOP)
    np.testing.assert_allclose(units(found, 0), [50, 50, 0, 0])
    np.testing.assert_allclose(units(found, 1), 50)
    np.testing.assert_allclose(found.cash[:, 0], [0, 0, 25, 25])


def test_stop__what_it_brings__is_parked_and_rebalancing_keeps_it_there() -> None:
    found = held(
        {"a": 0.5, "b": 0.3, "c": 0.2},
        asset("a", [1, 0.5, 0.5, 2, 2]),
        asset("b", np.ones(5)),
        asset("c", np.ones(5)),
        stop_loss=STOP | {"parked_in": "b"},
        rebalance={"every_days": 3},
    )
    np.testing.assert_allclose(found.values[:, 2, 0], [0, 55, 20])
    # On day 3 the weights are 0, 0.8, 0.2 of 75.
    np.testing.assert_allclose(found.values[:, 3, 0], [0, 60, 15])


def test_stop__after_the_days_of_waiting__is_bought_again_at_a_new_level() -> None:
    found = held({"a": 1.0}, asset("a", [10, 5, 5, 4, 4, 4, 3.3, 3, 3]),
                 stop_loss=STOP | {"reenter_after_days": 3})  # fmt: skip
    # Sold on day 2 for 50, bought on day 5 at 4; 3.3 is above 80 % of that, 3 is not.
    np.testing.assert_allclose(units(found), [10, 10, 0, 0, 0, 12.5, 12.5, 12.5, 12.5])
    assert found.whole.events[0] == 2


def test_portfolio_stop__sells_everything_and_stays_out() -> None:
    # Half each: the whole falls by 25 % where a falls by half.
    found = held(HALF, asset("a", [1, 0.5, 0.6, 1, 1]), asset("b", np.ones(5)),
                 stop_loss={"portfolio": 0.2})  # fmt: skip
    np.testing.assert_allclose(nav(found), [100, 75, 80, 80, 80])
    np.testing.assert_allclose(found.values[:, 2:, 0], 0)
    assert found.whole.events[0] == 1


def test_portfolio_stop__a_withdrawal__is_no_loss() -> None:
    flows = [{"usd": -50, "first_day": 2}]
    found = held({"a": 1.0}, asset("a", np.ones(6)), stop_loss={"portfolio": 0.2}, flows=flows)
    assert found.whole.events[0] == 0
    np.testing.assert_allclose(nav(found), [100, 100, 50, 50, 50, 50])


def test_portfolio_stop__and_back__starts_from_a_new_peak() -> None:
    found = held({"a": 1.0}, asset("a", [1, 0.7, 0.7, 0.7, 0.6, 0.5, 0.5]),
                 stop_loss={"portfolio": 0.2, "reenter_after_days": 1})  # fmt: skip
    # Out on day 2 with 70, in again on day 3 at 0.7; 0.5 is more than 20 % below.
    np.testing.assert_allclose(units(found), [100, 100, 0, 100, 100, 100, 0 + 100])
    assert found.whole.events[0] == 2


# -- what cannot be sold waits


def test_closed_market__stop_waits_for_the_next_open_day() -> None:
    path = asset("a", [100, 70, 70, 70, 60, 60], open_days=np.array([1, 1, 0, 0, 1, 1], bool))
    found = held({"a": 1.0}, path, stop_loss=STOP)
    np.testing.assert_allclose(units(found), [1, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(nav(found)[-1], 60)


def test_closed_market__rebalancing_waits_for_a_day_on_which_all_are_open() -> None:
    one = asset("a", [1, 2, 2, 2, 2], open_days=np.array([1, 0, 1, 1, 1], bool))
    two = asset("b", np.ones(5), open_days=np.array([1, 1, 0, 1, 1], bool))
    found = held(HALF, one, two, rebalance={"band": 0.1})
    np.testing.assert_allclose(units(found), [50, 50, 50, 37.5, 37.5])


def test_lockup__nothing_is_sold_before_it_ends() -> None:
    path = asset("a", [100, 70, 60, 50, 50, 50], lockup_days=3)
    np.testing.assert_allclose(units(held({"a": 1.0}, path, stop_loss=STOP)), [1, 1, 1, 0, 0, 0])


def test_lockup__what_is_worth_nothing_by_then__is_no_longer_waited_for() -> None:
    # Triggered on day 1, worthless on day 3 and so out, back on day 5 and out again at once.
    path = asset("a", [100, 70, 70, 0, 0, 0, 0, 0], lockup_days=6)
    found = held({"a": 1.0}, path, stop_loss=STOP | {"reenter_after_days": 2})
    assert found.whole.events[0] == 2
    np.testing.assert_allclose(units(found), 1)


def test_notice__a_sale_is_priced_and_paid_when_it_has_passed() -> None:
    path = asset("a", [100, 70, 60, 50, 40, 40], notice_days=2)
    found = held({"a": 1.0}, path, stop_loss=STOP)
    # Triggered on day 1, asked for on day 2, paid on day 4.
    np.testing.assert_allclose(units(found), [1, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(found.cash[-1], 40)


def test_liquidity__only_the_sellable_share_goes_each_day() -> None:
    share = np.array([1, 1, 0.25, 0, 1, 1])[:, None]
    path = asset("a", [100, 70, 60, 50, 40, 40], sellable=share)
    found = held({"a": 1.0}, path, stop_loss=STOP)
    np.testing.assert_allclose(units(found), [1, 1, 0.75, 0.75, 0, 0])
    np.testing.assert_allclose(found.cash[:, 0], [0, 0, 15, 15, 45, 45])


def test_liquidity__the_price_of_the_sellable_part__is_its_own() -> None:
    mark = np.array([100.0, 70, 60, 60])[:, None]
    path = asset("a", mark, spread=0.1, sale_usd=mark * 0.95, sellable=np.full((4, 1), 0.5))
    found = held({"a": 1.0}, path, stop_loss=STOP)
    bought = 100 / 1.1 / 100
    np.testing.assert_allclose(found.cash[2, 0], bought / 2 * 60 * 0.95)
    assert found.whole.exit["usd"][2, 0] == pytest.approx(found.cash[2, 0] + bought / 2 * 60 * 0.9)


# -- flows


def test_rebalancing__into_what_fell_to_nothing__buys_no_more_than_there_is() -> None:
    """50 units at 1 fall to 0.001: a weight of a half would take 25,025 units, 100 are to be had.

    50 more cost 0.05; the half in b is sold down to 25.025, and the rest stays cash.
    """
    prices = {"a": [1.0, 0.001, 0.001, 1.0], "b": [1.0] * 4}
    few = asset("a", prices["a"], most_units=100.0)
    found = held({"a": 0.5, "b": 0.5}, few, asset("b", prices["b"]), rebalance={"every_days": 1})
    assert units(found)[:3] == pytest.approx([50.0, 100.0, 100.0])
    assert found.cash[1, 0] == pytest.approx(50.05 - 25.025 - 0.1)
    many = asset("a", prices["a"])
    without = held({"a": 0.5, "b": 0.5}, many, asset("b", prices["b"]), rebalance={"every_days": 1})
    assert units(without)[1] == pytest.approx(25_025.0)


def test_first_day__buys_its_weight_whatever_there_is_later() -> None:
    found = held({"a": 1.0}, asset("a", [1.0, 1.0], most_units=1.0))
    assert units(found)[0] == pytest.approx(100.0)


def test_contribution__is_invested_by_the_weights_without_a_sale() -> None:
    found = held(HALF, asset("a", [1, 2, 2, 2]), asset("b", np.ones(4)),
                 flows=[{"usd": 60, "first_day": 2}])  # fmt: skip
    # 100 and 50: of 210 each should have 105, so 5 and 55; nothing is sold.
    np.testing.assert_allclose(found.values[:, 2, 0], [105, 105])
    np.testing.assert_allclose(found.flows[:, 0], [0, 0, 60, 0])
    small = held(HALF, asset("a", [1, 2, 2, 2]), asset("b", np.ones(4)),
                 flows=[{"usd": 20, "first_day": 2}])  # fmt: skip
    np.testing.assert_allclose(small.values[:, 2, 0], [100, 70])


def test_contribution__every_so_often__comes_on_its_days_but_not_on_the_last() -> None:
    found = held({"b": 0.0, "cash": 1.0}, FLAT, flows=[{"usd": 5, "first_day": 2, "every_days": 3}])
    np.testing.assert_allclose(found.flows[:, 0], [0, 0, 5, 0, 0, 5, 0, 0, 0])


def test_withdrawal__takes_cash_first_and_then_the_same_share_of_all() -> None:
    found = held({"a": 0.4, "b": 0.5, "cash": 0.1}, asset("a", np.ones(4), spread=0.1),
                 asset("b", np.ones(4)), flows=[{"usd": -50, "first_day": 1}])  # fmt: skip
    whole = found.values[:, 0, 0]
    share = (50 - found.cash[0, 0]) / (whole[0] * 0.9 + whole[1])
    np.testing.assert_allclose(found.values[:, 1, 0], whole * (1 - share))
    np.testing.assert_allclose(found.flows[1, 0], -50)
    np.testing.assert_allclose(found.cash[1:, 0], 0, atol=1e-12)


def test_withdrawal__beyond_what_can_be_sold__waits_for_the_rest() -> None:
    share = np.array([1, 0.2, 0, 1, 1])[:, None]
    found = held({"a": 1.0}, asset("a", np.ones(5), sellable=share),
                 flows=[{"usd": -50, "first_day": 1}])  # fmt: skip
    np.testing.assert_allclose(found.flows[:, 0], [0, -20, 0, -30, 0])


def test_withdrawal__beyond_everything__leaves_nothing_and_less_is_not_possible() -> None:
    found = held({"a": 1.0}, asset("a", np.ones(5)), flows=[{"usd": -500, "first_day": 1}])
    np.testing.assert_allclose(found.flows.sum(), -100)
    np.testing.assert_allclose(nav(found)[1:], 0, atol=1e-12)


def test_withdrawal__with_notice__is_asked_for_and_paid_later() -> None:
    found = held({"a": 1.0}, asset("a", np.ones(7), notice_days=3),
                 flows=[{"usd": -40, "first_day": 1}])  # fmt: skip
    np.testing.assert_allclose(found.flows[:, 0], [0, 0, 0, 0, -40, 0, 0])


# -- measures


def measured(found: PortfolioPaths):
    return measure(InvestorPaths("me", found.whole, found))


def test_measures__with_flows__are_time_weighted_with_the_money_beside() -> None:
    # 100 grows to 110, 110 come in, 220 fall to 176: -12 % a unit; -16.2 % of the money.
    found = measured(
        held({"a": 1.0}, asset("a", [1, 1.1, 0.88]), flows=[{"usd": 110, "first_day": 1}])
    )
    np.testing.assert_allclose(found.values["total_return", "usd"], [-0.12])
    q = (-110 + np.sqrt(110**2 + 4 * 100 * 176)) / 200
    np.testing.assert_allclose(found.values["money_weighted_return", "usd"], [q**2 - 1])
    np.testing.assert_allclose(found.flows, [110])
    assert found.attribution_gap < 1e-12


def test_measures__allocation_and_turnover__are_means_over_paths() -> None:
    prices = np.array([[1.0, 1.0], [3.0, 1.0], [3.0, 1.0]])
    paths = InvestorPaths("me", *_two(prices))
    found = measure(paths)
    np.testing.assert_allclose(found.allocation["a"], [0.5, (0.75 + 0.5) / 2, (0.75 + 0.5) / 2])
    np.testing.assert_allclose(found.allocation["cash"], 0, atol=1e-15)
    np.testing.assert_allclose(found.turnover, [1, 0, 0])


def _two(prices: np.ndarray, count: int | None = None) -> tuple[InstrumentPaths, PortfolioPaths]:
    found = held(HALF, asset("a", prices), asset("b", np.ones_like(prices)), count=count)
    return found.whole, found


def test_measures__of_some_paths__are_those_of_all_and_blocks_join() -> None:
    prices = np.exp(np.random.default_rng(2).normal(0, 0.1, (40, 6)).cumsum(axis=0))
    whole = measure(InvestorPaths("me", *_two(prices)))
    first = measure(InvestorPaths("me", *_two(prices[:, :4])))
    padded = measure(InvestorPaths("me", *_two(prices, 4)), 4)
    for key, values in first.values.items():
        np.testing.assert_array_equal(padded.values[key], values)
    np.testing.assert_array_equal(padded.allocation["a"], first.allocation["a"])
    joined = join([first, measure(InvestorPaths("me", *_two(prices[:, 4:])))])
    np.testing.assert_allclose(joined.allocation["a"], whole.allocation["a"], rtol=1e-12)
    np.testing.assert_allclose(joined.turnover, whole.turnover, rtol=1e-12)
    np.testing.assert_array_equal(joined.values["drawdown", "usd"], whole.values["drawdown", "usd"])


# -- everything at once


def wild(seed: int, n_paths: int = 16, n_steps: int = 60) -> list[InstrumentPaths]:
    """Return five instruments with all that can stand in the way of a trade."""
    random = np.random.default_rng(seed)
    shape = (n_steps + 1, n_paths)
    marks = np.exp(np.cumsum(random.normal(0, 0.06, (5, *shape)), axis=1))
    marks[4, 30:, 0] = 0.0
    days = np.arange(n_steps + 1)
    paid = np.where((days % 20 == 10)[:, None], 0.02, 0.0)
    return [
        asset("a", marks[0], spread=0.01, open_days=days % 7 < 5),
        asset("b", marks[1], spread=0.002, notice_days=6),
        asset("c", marks[2], spread=0.05, lockup_days=25, income=paid),
        asset(
            "d",
            marks[3],
            spread=0.02,
            sellable=random.uniform(0, 1, shape),
            sale_usd=marks[3] * 0.999,
        ),
        asset("e", marks[4], spread=0.003),
    ]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_portfolio__holdings_are_the_whole_and_sources_the_return(data: st.DataObject) -> None:
    draw = data.draw
    shares = np.array(draw(st.lists(st.integers(0, 5), min_size=6, max_size=6))) + 1e-9
    weights = dict(zip("abcde", shares[:5] / shares.sum(), strict=True))
    weights["cash"] = 1.0 - sum(weights.values())
    maybe = st.none() | st.floats(0.02, 0.4)
    days = st.none() | st.integers(1, 30)
    flow = st.fixed_dictionaries(
        {"usd": st.sampled_from([-40, -5, 3, 50]), "first_day": st.integers(1, 50),
         "every_days": days}
    )  # fmt: skip
    found = held(
        weights,
        *wild(draw(st.integers(0, 50))),
        rebalance={"every_days": draw(days), "band": draw(maybe)},
        stop_loss={
            "holding": draw(maybe),
            "portfolio": draw(maybe),
            "measured_from": draw(st.sampled_from(["peak", "entry"])),
            "reenter_after_days": draw(days),
            "parked_in": draw(st.sampled_from([None, "a", "b", "e"])),
        },
        flows=draw(st.lists(flow, max_size=3)),
        trading_cost_bps=draw(st.sampled_from([0, 30])),
        record=True,
    )
    assert np.all(found.sold >= 0.0)
    assert np.all(found.units[2, 1:25] >= found.units[2, :24] - 1e-15)  # locked up
    closed = np.arange(61) % 7 >= 5
    change = np.diff(found.units[0], axis=0)[closed[1:]]
    np.testing.assert_array_equal(change, 0.0)


WAITING = {"stop_loss": {"holding": 0.1, "reenter_after_days": 4, "parked_in": "b"}}
AGAINST_THE_LOOP = {
    "rebalanced": {"rebalance": {"every_days": 7, "band": 0.03}, "trading_cost_bps": 30},
    "stopped and parked": WAITING | {"rebalance": {"every_days": 11}},
    "stopped from entry": {
        "stop_loss": {"holding": 0.15, "measured_from": "entry", "reenter_after_days": 9},
        "trading_cost_bps": 5,
    },
    "stopped as a whole": {
        "stop_loss": {"portfolio": 0.05, "reenter_after_days": 3, "parked_in": "e"},
        "rebalance": {"band": 0.02},
    },
    "with money in and out": WAITING
    | {
        "flows": [
            {"usd": 7, "first_day": 3, "every_days": 5},
            {"usd": -25, "first_day": 9, "every_days": 17},
        ],
        "stop_loss": {"holding": 0.2, "portfolio": 0.25, "reenter_after_days": 6},
    },
}


@pytest.mark.parametrize("name", AGAINST_THE_LOOP)
@pytest.mark.parametrize("n_paths", [8, 19])
def test_lanes__give_the_bytes_of_the_loop_over_one_path(name: str, n_paths: int) -> None:
    """Nineteen paths fill two vectors and a part of a third."""
    terms = InvestorTerms(
        capital_usd=100.0,
        weights={"a": 0.2, "b": 0.15, "c": 0.25, "d": 0.2, "e": 0.1, "cash": 0.1},
        **AGAINST_THE_LOOP[name],
    )
    few = replace_most(wild(7, n_paths), "e", 60.0)
    found = hold(terms, {paths.name: paths for paths in few})
    sources = found.whole.attribution["usd"]
    assert name == "rebalanced" or found.whole.events.sum() > n_paths // 2
    for k in range(n_paths):
        alone = by_hand(terms, few, k)
        mark, leave, cash, flow, moved = np.array(alone.days).T
        np.testing.assert_array_equal(found.whole.mark["usd"][:, k], mark)
        np.testing.assert_array_equal(found.whole.exit["usd"][1:, k], leave[1:])
        np.testing.assert_array_equal(found.cash[:, k], cash)
        np.testing.assert_array_equal(found.flows[:, k], flow)
        np.testing.assert_array_equal(found.turnover[:, k], moved)
        np.testing.assert_array_equal(found.units[:, :, k].T, alone.units)
        assert found.whole.events[k] == alone.stops
        brought = [
            [
                *(np.array(one.brought) + one.units * one.paths.attribution["usd"][:, k]),
                one.costs - one.units * one.leaving_price(-1) * alone.commission,
            ]
            for one in alone.holdings
        ]
        np.testing.assert_array_equal(sources[:, k], np.concatenate(brought))


def replace_most(
    held: list[InstrumentPaths], name: str, most_units: float
) -> list[InstrumentPaths]:
    """Return the instruments, one of them with an end to what is bought of it."""
    return [
        paths
        if paths.name != name
        else replace(
            paths,
            daily=replace(paths.daily, access=replace(paths.daily.access, most_units=most_units)),
        )
        for paths in held
    ]


def test_paths__beside_others__are_the_same_as_alone() -> None:
    terms = {"rebalance": {"band": 0.05}, "stop_loss": STOP | {"reenter_after_days": 9}}
    weights = dict.fromkeys("abcde", 0.2)
    many = held(weights, *wild(3), **terms)
    prices = wild(3)
    one = [
        asset(p.name, p.mark["usd"][:, 5:6], spread=p.daily.access.buy_cost,
              income=None if p.daily.income is None else p.daily.income[:, 5:6],
              **_only(p.daily.access, 5))
        for p in prices
    ]  # fmt: skip
    alone = held(weights, *one, **terms)
    np.testing.assert_array_equal(alone.whole.mark["usd"][:, 0], many.whole.mark["usd"][:, 5])


def _only(access: Access, k: int) -> dict[str, object]:
    return {
        "open_days": access.open_days,
        "lockup_days": access.lockup_days,
        "notice_days": access.notice_days,
        "sellable": None if access.sellable is None else access.sellable[:, k : k + 1],
        "sale_usd": None if access.sale_usd is None else access.sale_usd[:, k : k + 1],
    }


STRATEGIES = {
    "none": {},
    "rebalanced": {"rebalance": {"every_days": 5, "band": 0.05}},
    "stopped at the peak": {"stop_loss": {"holding": 0.05}},
    "stopped and back": {
        "stop_loss": {"holding": 0.05, "reenter_after_days": 3, "parked_in": "c"},
        "rebalance": {"every_days": 7},
    },
    "stopped as a whole": {"stop_loss": {"portfolio": 0.05, "reenter_after_days": 4}},
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_fair_game__no_strategy__wins_or_loses_on_average(name: str) -> None:
    """Prices without drift, no costs: whoever looks ahead by a day would show here."""
    random = np.random.default_rng(11)
    shape = (61, 4_000)
    steps = random.choice([-0.03, 0.03], (3, *shape))
    steps[:, 0] = 0.0
    prices = np.cumprod(1.0 + steps, axis=1)
    funds = [asset(label, walk) for label, walk in zip("abc", prices, strict=True)]
    found = held({"a": 0.4, "b": 0.4, "c": 0.2}, *funds, **STRATEGIES[name])
    final = found.whole.exit["usd"][-1]
    error = final.std(ddof=1) / np.sqrt(final.size)
    assert abs(final.mean() - 100.0) < 4 * error
    traded = found.turnover[1:].sum() > 0
    assert traded == (name != "none")


def test_instrument__without_its_days__is_refused() -> None:
    bare = replace(FLAT, daily=None)
    with pytest.raises(ValueError, match="without its days"):
        held({"b": 1.0}, bare)


@pytest.mark.parametrize(
    "wanted",
    [Wanted(False, False, False), Wanted(shares=False, days=False), Wanted(sources=False)],
)
def test_hold__asked_for_less__has_the_same_value_to_the_byte(wanted: Wanted) -> None:
    terms = InvestorTerms(
        capital_usd=100.0,
        weights=dict.fromkeys("abcde", 0.2),
        rebalance={"band": 0.05},
        stop_loss=STOP,
        flows=[{"usd": -20, "first_day": 30}],
    )
    instruments = {paths.name: paths for paths in wild(3)}
    whole, less = hold(terms, instruments), hold(terms, instruments, wanted=wanted)
    assert less.whole.exit["usd"].tobytes() == whole.whole.exit["usd"].tobytes()
    assert less.whole.mark["usd"].tobytes() == whole.whole.mark["usd"].tobytes()
    assert less.flows.tobytes() == whole.flows.tobytes()
    assert less.whole.events.tobytes() == whole.whole.events.tobytes()
    assert bool(less.whole.sources) == wanted.sources
    assert bool(less.shares.size) == wanted.shares
    assert bool(less.units.size) == wanted.days
    measured_gap = measure(InvestorPaths("me", less.whole, less)).attribution_gap
    assert measured_gap < 1e-9 if wanted.sources else np.isnan(measured_gap)


def test_hold__sources_that_the_days_do_not_tell__are_refused() -> None:
    assert FLAT.daily is not None
    silent = replace(FLAT, daily=replace(FLAT.daily, brought=np.empty((3, 0, 0))))
    terms = InvestorTerms(capital_usd=100.0, weights={"b": 1.0})
    with pytest.raises(ValueError, match="b was simulated without the sources of its days"):
        hold(terms, {"b": silent})
    found = hold(terms, {"b": silent}, wanted=Wanted(sources=False))
    np.testing.assert_allclose(found.whole.mark["usd"], 100.0)


def test_hold__instruments_of_different_length__are_refused() -> None:
    terms = InvestorTerms(capital_usd=100.0, weights=HALF)
    short = asset("a", np.ones(4))
    with pytest.raises(ValueError, match="must be one for all"):
        hold(terms, {"a": short, "b": FLAT})


# -- in a scenario

FUNDS = (
    "instruments.etf={kind: holding, what: gold_etf}",
    "instruments.safe={kind: holding, what: physical_gold}",
    "instruments.gold_vault.borrowers.demand_share=0.7",
)
MIXED = (
    "investors.mixed={capital_usd: 50000, trading_cost_bps: 5, "
    "weights: {etf: 0.3, safe: 0.1, gold_token: 0.2, gold_vault: 0.3, cash: 0.1}, "
    "rebalance: {every_days: 91, band: 0.05}, "
    "stop_loss: {holding: 0.15, parked_in: etf, reenter_after_days: 60}, "
    "flows: [{usd: 300, first_day: 30, every_days: 30}]}"
)


def test_world__portfolio_of_all_that_there_is__adds_up_on_every_path() -> None:
    world = worlds.world(*worlds.STRESS, *FUNDS, MIXED)
    found = world.investors["mixed"]
    check_sums(found.portfolio)
    assert found.holding.events.max() > 3
    months = np.arange(366) % 30 == 0
    paid = found.portfolio.flows[:, 0]
    np.testing.assert_array_equal(paid[1:-1], 300.0 * months[1:-1])


def test_measured_holder__is_who_holds_it_alone__else_the_largest_part() -> None:
    none = worlds.load("investors={idle: {holding: gold_token, ounces: 1}}", *SUBJECTS).scenario
    assert sized(none, "gold_vault") == 1.0
    two = (
        "investors.a={capital_usd: 1000, weights: {gold_vault: 0.5, gold_token: 0.5}}",
        "investors.b={capital_usd: 80000, weights: {gold_vault: 0.25, cash: 0.75}}",
    )
    assert sized(worlds.load(*two).scenario, "gold_vault") == 100.0  # of `holder`
    assert sized(worlds.load(*two).scenario, "gold_token") == 1.0  # an ounce
    alone = (*two, "investors.holder={holding: gold_token, ounces: 100}")
    assert sized(worlds.load(*alone).scenario, "gold_vault") == 20_000.0 / 5_000.0


SUBJECTS = (
    "claims={dear: {says: x, conditions: [{series: price.gold, measure: highest, at_least: 1}]}}",
    "replay.subject=idle",
)


def sized(scenario, name) -> float:
    return size(scenario, scenario.positions[name])


def test_measured_holder__in_dollars__is_who_holds_it_or_a_thousand() -> None:
    """Of the mine's token: 100,000 of its holder; without him what a portfolio has; else 1,000."""
    held = load_scenario("copper-sto").scenario
    assert sized(held, "producing_sto") == 100_000.0
    alone = ("investors={me: {capital_usd: 9_000, weights: {producing_sto: 0.5, cash: 0.5}}}",)
    dear = "{says: x, conditions: [{series: price.copper, measure: highest, at_least: 1}]}"
    rest = (f"claims={{dear: {dear}}}", "replay.subject=me")
    parts = load_scenario("copper-sto", overrides=[*alone, *rest]).scenario
    assert sized(parts, "producing_sto") == 4_500.0
    assert sized(parts, "ramp_up_sto") == 1_000.0


def test_simulate__any_number_of_threads__same_bytes_and_every_identity() -> None:
    loaded = worlds.load(*FUNDS, MIXED, "paths=300", "horizon_days=120")
    one = simulate(loaded.scenario, loaded.calibration, workers=1)
    two = simulate(loaded.scenario, loaded.calibration, workers=2)
    assert one.checksum == two.checksum
    measures = one.investors["mixed"]
    assert measures.attribution_gap < 1e-9
    assert measures.events.shape == (300,)
    shares = sum(measures.allocation.values())
    np.testing.assert_allclose(shares, 1.0, rtol=1e-12)
    np.testing.assert_array_equal(two.investors["mixed"].turnover, measures.turnover)
    assert set(measures.allocation) == {"etf", "safe", "gold_token", "gold_vault", "cash"}


def test_simulate__without_details__measures_the_same() -> None:
    loaded = worlds.load(*FUNDS, MIXED, "paths=300", "horizon_days=120")
    whole = simulate(loaded.scenario, loaded.calibration)
    bare = simulate(loaded.scenario, loaded.calibration, details=False)
    for name, measures in whole.investors.items():
        for key, values in measures.values.items():
            assert bare.investors[name].values[key].tobytes() == values.tobytes(), (name, key)
    assert bare.investors["mixed"].sources == ()


PERSON = "  holder: {holding: gold_vault, ounces: 100}"


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ("capital_usd: 9, weights: {gold_token: 0.5, cash: 0.4}",
         "investors.me.weights: sum to 0.9; must sum to 1"),
        ("capital_usd: 9, weights: {gold_tokens: 1}",
         "investors.me.weights.gold_tokens: must be an instrument of this file; "
         "did you mean gold_token"),
        ("holding: gold_valut, ounces: 1",
         "investors.me.holding is 'gold_valut'; must be an instrument of this file; "
         "did you mean gold_vault"),
        ("weights: {gold_token: 1}", "investors.me.capital_usd: is required"),
        ("capital_usd: 9, weights: {cash: 1}", "must name at least one instrument"),
        ("capital_usd: 9, weights: {gold_token: 1}, holding: gold_token",
         "must have either holding or weights"),
        ("capital_usd: 9", "must have either holding or weights"),
        ("holding: gold_token, ounces: 1, rebalance: {every_days: 5}",
         "investors.me.rebalance: is for portfolios"),
        ("capital_usd: 9, weights: {gold_token: 1}, stop_loss: {holding: 1.2}",
         "investors.me.stop_loss.holding is 1.2; must be above 0 and below 1 (1 = 100 %)"),
        ("capital_usd: 9, weights: {gold_token: 1}, stop_loss: {parked_in: gold_vault}",
         "must be one of the weights (0 will do): gold_token"),
        ("capital_usd: 9, weights: {gold_token: 1}, flows: [{usd: 0, first_day: 3}]",
         "investors.me.flows[0].usd is 0; must not be zero"),
        ("capital_usd: 9, weights: {gold_token: 1.5, cash: -0.5}",
         "investors.me.weights.cash is -0.5; must be 0 to 1 (1 = 100 %)"),
    ],
)  # fmt: skip
def test_scenario__bad_portfolio__is_refused_at_its_line(tmp_path, terms, fault) -> None:
    text = changed(PERSON, f"{PERSON}\n  me: {{{terms}}}")
    messages = refused(tmp_path, text)
    assert any(fault in message for message in messages), messages
    assert all(m.startswith(f"own.yaml:{line_of(text, '  me: {')}:") for m in messages)


def test_scenario__portfolio_of_a_token_at_broken_basis_points__is_refused(tmp_path) -> None:
    person = f"{PERSON}\n  me: {{capital_usd: 9, weights: {{gold_token: 1}}}}"
    text = changed(PERSON, person).replace("sale_spread_bps: {value: 10,", SPREAD)
    (message,) = refused(tmp_path, text)
    assert "instruments.gold_token.sale_spread_bps is 2.5; must be whole" in message
    alone = changed("sale_spread_bps: {value: 10,", SPREAD)
    assert load_scenario(written(tmp_path, alone)).scenario.instruments["gold_token"] is not None


def test_scenario__what_cannot_be_held_in_part__is_refused_and_the_underwriting_is_not() -> None:
    def portfolio(name: str) -> str:
        return f"investors.me={{capital_usd: 9, weights: {{{name}: 1}}}}"

    (label,) = load_scenario("copper-cover").scenario.instruments
    with pytest.raises(InputError) as caught:
        load_scenario("copper-cover", overrides=[portfolio(f"{label}-miner")])
    assert f"weights.{label}-miner: cannot be part of a portfolio" in str(caught.value)
    loaded = load_scenario("copper-cover", overrides=[portfolio(label), "paths=128"])
    measures = simulate(loaded.scenario, loaded.calibration).investors["me"]
    assert measures.attribution_gap < 1e-9


SPREAD = "sale_spread_bps: {value: 2.5,"


def test_scenario__claim_in_ounces_on_a_portfolio__is_refused(tmp_path) -> None:
    text = changed(PERSON, "  holder: {capital_usd: 9, weights: {gold_vault: 1}}")
    messages = refused(tmp_path, text)
    assert messages
    assert all("holder is not measured in it; must be usd" in message for message in messages)
