"""What is held off chain: hand calculation, identities, and what a scenario may say of it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import worlds
from daily import check_daily
from scenario_text import changed, refused

from simulator.instruments.base import attribution_gap
from simulator.instruments.holding.paths import simulate
from simulator.instruments.holding.terms import PRESETS, HoldingTerms
from simulator.units import FloatArray, trading_days

FRIDAY = dt.date(2026, 1, 16)


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def held(prices: dict[str, FloatArray], daily: bool = True, **terms: object):
    """Return a dollar's paths from FRIDAY on, without costs that are not named."""
    given = {"what": "gold_etf", "fee": 0.0, "buy_spread_bps": 0.0, "sell_spread_bps": 0.0}
    chosen = HoldingTerms(**(given | terms))
    n_steps = len(next(iter(prices.values()))) - 1
    is_open = trading_days(FRIDAY, n_steps)
    return simulate(chosen, prices, "etf", exchange_open=is_open, daily=daily)


def by_source(paths) -> dict[str, float]:
    amounts = paths.attribution["usd"][:, 0]
    return {source.name: float(x) for source, x in zip(paths.sources, amounts, strict=True)}


def test_hold__without_costs__is_the_price() -> None:
    prices = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, (400, 5)), axis=0))
    found = held({"gold": prices})
    np.testing.assert_allclose(found.exit["usd"], prices / prices[0], rtol=1e-12)
    assert found.units == ("usd",)


def test_hold__a_year_at_a_fee__pays_it_day_by_day() -> None:
    flat = np.full((366, 1), 50.0)
    found = held({"gold": flat}, fee=0.004)
    np.testing.assert_allclose(found.mark["usd"][-1], (1 - 0.004 / 365) ** 365, rtol=1e-12)
    parts = by_source(found)
    assert parts["fee"] == pytest.approx((1 - 0.004 / 365) ** 365 - 1, rel=1e-12)
    assert parts["financing"] == parts["costs"] == 0.0
    assert abs(parts["price"]) < 1e-12


def test_hold__spreads__are_paid_going_in_and_coming_out() -> None:
    found = held({"gold": column(10, 20)}, buy_spread_bps=100, sell_spread_bps=50)
    # A dollar buys 1 / 1.01 at mark, which doubles, and 0.5 % of it is lost on the way out.
    np.testing.assert_allclose(found.mark["usd"][:, 0], [1 / 1.01, 2 / 1.01], rtol=1e-15)
    np.testing.assert_allclose(found.exit["usd"][:, 0], [1.0, 2 / 1.01 * 0.995], rtol=1e-15)
    parts = by_source(found)
    assert parts["price"] == pytest.approx(1 / 1.01)
    assert parts["costs"] == pytest.approx(1 / 1.01 - 1 - 0.005 * 2 / 1.01)


def test_hold__leverage__is_set_anew_each_day() -> None:
    # Up 10 % and down 10 % at 1.5: 1.15 x 0.85; borrowed at 3.65 % a year, 0.5 x 1 bp a day.
    terms = {"what": "copper_miner_etf", "leverage": 1.5, "financing_rate": 0.0365}
    found = held({"copper_miners": column(100, 110, 99)}, **terms)
    expected = (1 + 0.15 - 0.00005) * (1 - 0.15 - 0.00005)
    np.testing.assert_allclose(found.mark["usd"][-1], expected, rtol=1e-12)
    first = 1.15 - 0.00005
    assert by_source(found)["financing"] == pytest.approx(-0.00005 * (1 + first), rel=1e-12)
    assert by_source(found)["price"] == pytest.approx(0.15 - 0.15 * first, rel=1e-12)


def test_hold__leverage_at_the_rate_of_bills__pays_what_they_earned() -> None:
    prices = {"copper_miners": column(1, 1, 1), "treasury_bills": column(1, 1.001, 1.003)}
    found = held(prices, what="copper_miner_etf", leverage=1.5)
    expected = (1 - 0.5 * 0.001) * (1 - 0.5 * (1.003 / 1.001 - 1))
    np.testing.assert_allclose(found.mark["usd"][-1], expected, rtol=1e-12)


def test_hold__fall_beyond_the_leverage__leaves_nothing_and_not_less() -> None:
    terms = {"what": "copper_miner_etf", "leverage": 1.5, "fee": 0.05, "financing_rate": 0.1}
    found = held({"copper_miners": column(100, 30, 60)}, **terms)
    np.testing.assert_array_equal(found.mark["usd"][1:], 0.0)
    assert found.events[0] == 1
    assert attribution_gap(found, "usd").max() < 1e-12
    almost = held({"copper_miners": column(100, 34, 60)}, **terms)
    assert almost.mark["usd"][-1, 0] > 0
    assert almost.events[0] == 0


@pytest.mark.parametrize("what", PRESETS)
def test_every_kind__attribution_and_days_add_up(what: str) -> None:
    random = np.random.default_rng(7)
    walk = np.exp(np.cumsum(random.normal(0, 0.05, (500, 40)), axis=0))
    bills = np.cumprod(np.full((500, 40), 1.0001), axis=0)
    terms = HoldingTerms(what=what)
    prices = {"treasury_bills": bills} | {terms.follows: walk}
    found = simulate(terms, prices, what, daily=True)
    assert attribution_gap(found, "usd").max() < 1e-9
    check_daily(found)
    if terms.leverage == 1.0:
        assert np.all(found.mark["usd"] <= walk / walk[0])


def test_days__without_their_sources__leave_the_sources_empty() -> None:
    prices = {"gold": column(100.0, 110.0)}
    terms = HoldingTerms(what="gold_etf")
    for by_source, n_steps in ((True, 2), (False, 0)):
        found = simulate(terms, prices, "etf", daily=True, by_source=by_source)
        assert found.daily.brought.shape[1] == n_steps
        assert simulate(terms, prices, "etf", daily=False, by_source=by_source).daily is None


def test_days__not_asked_for__are_not_there() -> None:
    assert held({"gold": column(1, 1)}, daily=False).daily is None


def test_access__metals_close_at_weekends_and_coins_do_not() -> None:
    week = np.ones((8, 1))
    etf = held({"gold": week}).daily.access
    # Friday, weekend, Martin Luther King Day, then four days.
    np.testing.assert_array_equal(etf.open_days, [1, 0, 0, 0, 1, 1, 1, 1])
    assert held({"bitcoin": week}, what="bitcoin").daily.access.open_days is None


def test_plain_loop__of_a_leveraged_walk__is_the_kernels() -> None:
    random = np.random.default_rng(3)
    prices = 100 * np.exp(np.cumsum(random.normal(0, 0.03, (300, 3)), axis=0))
    terms = {"what": "copper_miner_etf", "leverage": 1.3, "fee": 0.01, "financing_rate": 0.05}
    found = held({"copper_miners": prices}, **terms)
    for path in range(3):
        value = 1.0
        for day in range(1, 300):
            move = prices[day, path] / prices[day - 1, path] - 1
            value *= 1 + 1.3 * move - 0.3 * 0.05 / 365 - 0.01 / 365
            assert found.mark["usd"][day, path] == pytest.approx(value, rel=1e-12)


# -- in a scenario

SECTION = "  gold_vault:\n    crowd_ounces:"


def with_holding(text: str) -> str:
    return changed(SECTION, f"  safe: {text}\n{SECTION}")


def test_world__holds_what_the_scenario_names() -> None:
    world = worlds.world(
        "instruments.safe={kind: holding, what: physical_gold}",
        "investors.keeper={holding: safe, capital_usd: 1000}",
    )
    found = world.investors["keeper"].holding
    assert found.name == "safe"
    np.testing.assert_array_equal(found.exit["usd"][0], 1000.0)
    gold = world.market.prices["gold"]
    growth = np.prod(gold[1:] / gold[:-1] - 0.003 / 365, axis=0)
    expected = 1000 / 1.02 * growth * 0.99
    np.testing.assert_allclose(found.exit["usd"][-1], expected, rtol=1e-12)


def test_terms__what_the_kind_sets__is_written_out_and_can_be_changed() -> None:
    terms = HoldingTerms(what="physical_gold", fee=0.001)
    assert (terms.follows, terms.fee, terms.buy_spread_bps) == ("gold", 0.001, 200.0)
    assert terms.model_dump()["asset"] == "gold"
    shares = HoldingTerms(what="mining_equity", asset="copper_miners")
    assert shares.needs().assets == ("copper_miners",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{kind: holding, what: gold_eft}", "did you mean 'gold_etf'?"),
        ("{kind: holding, what: gold_etf, leverage: 2}", "leverage is 2; must be 1 to 1.5"),
        (
            "{kind: holding, what: gold_etf, fee: 40}",
            "fee is 40; must be 0 to 0.1 (1 = 100 % a year)",
        ),
        ("{kind: holding, what: gold_etf, spread: 3}", "spread is 3; unknown key; did you mean"),
        ("{kind: holding, fee: 0.01}", "what: is required"),
        (
            "{kind: holding, what: bitcoin}",
            "market.assets.bitcoin: is required: instruments.safe follows it",
        ),
        (
            "{kind: holding, what: gold_etf, leverage: 1.2}",
            "market.assets.treasury_bills: is required",
        ),
    ],
)
def test_scenario__bad_terms__are_one_line_with_the_rule(tmp_path, text: str, fault: str) -> None:
    # with a leverage beyond its bound it borrows as well, at a rate that the market lacks
    own = 1 if "leverage: 2" in text else 0
    message, *others = sorted(
        refused(tmp_path, with_holding(text)), key=lambda one: fault not in one
    )
    assert fault in message
    assert message.startswith("own.yaml:")
    assert len(others) == own
    assert all("market.assets.treasury_bills: is required" in other for other in others)


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("gold_token", "stands twice; it is on line 24 already"),
        ("silver_token", "is the name of another kind; a holding needs a label of its own"),
    ],
)
def test_scenario__a_label_that_is_taken__is_refused(tmp_path, label: str, fault: str) -> None:
    text = changed(SECTION, f"  {label}: {{kind: holding, what: gold_etf}}\n{SECTION}")
    assert refused(tmp_path, text) == [f"own.yaml:42: instruments.{label}: {fault}"]
