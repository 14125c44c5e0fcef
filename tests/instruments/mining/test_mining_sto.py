"""The token's model over paths: identities, payments, default, lock-up, top-ups, and its share."""

from __future__ import annotations

import mines
import numpy as np
import pytest
from daily import check_daily

from simulator.instruments.base import attribution_gap
from simulator.instruments.gas import Gas
from simulator.instruments.mining.equity import draw_equity_drivers, simulate_equity
from simulator.instruments.mining.gas import HOLDER_GAS
from simulator.instruments.mining.paths import simulate
from simulator.instruments.mining.streams import Stream, stream
from simulator.instruments.mining.worth import tables, worth
from simulator.schema.gas import GasTerms

RISKY = {
    "default__hazard": 0.8,
    "outages": {kind: {"hazard": 1.5, "mean_days": 20.0} for kind in mines.STILL},
    "secondary__noise_deviation": 0.1,
    "sale__demand_usd": 270e6,
    "sale__demand_deviation": 0.3,
    "mine__output_deviation": 0.1,
}
"""Much of everything that can happen to a producing mine's token."""

RISKY_SHARE = {"noise_deviation": 0.1, "default_hazard": 0.5, "interest_rate": 0.1}

TOP_UP = {"reserve_share": 0.02, "deposits_a_year": 0.1, "trust": 0.8}
RAMP = {"stage": "ramp-up", "ramp_days": 200, "overrun": 0.5}
BUILD = {"stage": "development", "construction_days": 150, "ramp_days": 60, "overrun": 0.5}


def paid_to(held):
    """Return what the holder of 100,000 dollars received so far, USD."""
    return 1e5 * held.details["payments"]


CASES = {
    "producing": mines.terms(**RISKY),
    "ramp-up": mines.terms(**RISKY, stage=RAMP),
    "development": mines.terms(**RISKY, stage=BUILD),
    "topped up": mines.terms(**RISKY, payout={"payout_ratio": 0.1, "top_up": TOP_UP}),
}


@pytest.mark.parametrize("case", CASES)
def test_attribution__sums_to_the_return_on_every_path(case: str) -> None:
    market = mines.wild_copper()
    held = mines.play(CASES[case], market)[1]
    assert attribution_gap(held, "usd").max() < 1e-9
    assert attribution_gap(mines.share(CASES[case], market, **RISKY_SHARE), "usd").max() < 1e-9


def test_risky__plays_every_source() -> None:
    """Guards the test above: an identity over sources that are all zero would prove nothing."""
    found: dict[str, float] = {}
    for terms in CASES.values():
        for held in (mines.play(terms, mines.wild_copper())[1],):
            for name, amounts in mines.by_source(held).items():
                found[name] = max(found.get(name, 0.0), float(np.abs(amounts).max()))
    quiet = {name for name, most in found.items() if most < 1.0}
    assert quiet == {"gas"}  # the tests' gas is free


def test_exit__is_never_above_the_mark() -> None:
    held = mines.play(CASES["producing"], mines.wild_copper())[1]
    assert np.all(held.exit["usd"][1:] <= held.mark["usd"][1:] + 1e-9)


def test_stream__a_payment_flows_evenly_over_its_days() -> None:
    terms = mines.terms(payout__stream_days=60)
    _, held, record = mines.play(terms, mines.market())
    part = 1e5 / 500e6
    payment = record.payment_usd[1]
    paid = paid_to(held)
    for day in (0, 1, 30, 60, 75):
        expected = part * payment * min(day, 60) / 60
        np.testing.assert_allclose(paid[121 + day], expected, rtol=1e-12, atol=1e-9)


def test_declared__counts_payments_in_full_on_their_day() -> None:
    _, held, record = mines.play(mines.terms(), mines.market())
    declared = held.details["declared"]
    np.testing.assert_array_equal(declared[:121], 0.0)
    for period, step in enumerate((121, 212, 303, 395), start=1):
        expected = record.payment_usd[1 : period + 1].sum(axis=0) / 500e6
        np.testing.assert_allclose(declared[step], expected, rtol=1e-12)
    # docs/mine-year.md: 90,066,340.65 of 500 m
    np.testing.assert_allclose(declared[-1], 0.1801326813, rtol=1e-9)


def test_paid__is_organic__where_nothing_is_topped_up() -> None:
    held = mines.play(CASES["producing"], mines.wild_copper())[1]
    found = mines.by_source(held)
    np.testing.assert_allclose(found["mine_profit"], paid_to(held)[-1], rtol=1e-12)
    assert np.abs(found["returned_capital"]).max() == 0.0


def test_partly_sold__holders_get_the_sold_share_of_the_payout() -> None:
    """Half of the hard cap sold: half of the payments, to half as many tokens."""
    whole = mines.play(mines.terms(), mines.market())
    half = mines.play(mines.terms(sale__demand_usd=250e6 - 1e5), mines.market())
    np.testing.assert_allclose(half[2].payment_usd[1:], whole[2].payment_usd[1:] / 2, rtol=1e-12)
    np.testing.assert_allclose(paid_to(half[1]), paid_to(whole[1]), rtol=1e-9, atol=1e-6)


def test_soft_cap_missed__the_money_comes_back_and_nothing_else() -> None:
    _, held, record = mines.play(mines.terms(sale__demand_usd=100e6), mines.wild_copper())
    np.testing.assert_array_equal(held.exit["usd"], 1e5)
    assert np.all(held.events == 1)
    assert record.payment_usd.max() == 0.0
    assert np.abs(held.attribution["usd"]).max() == 0.0


def test_soft_cap_reached_to_the_unit__the_raise_succeeds() -> None:
    held = mines.play(mines.terms(sale__demand_usd=250e6 - 1e5), mines.market())[1]
    assert np.all(held.events == 0)
    assert np.all(paid_to(held)[-1] > 0.0)


def test_escrow__counts_at_what_was_paid_until_the_close() -> None:
    held = mines.play(mines.terms(), mines.wild_copper())[1]
    np.testing.assert_array_equal(held.exit["usd"][:30], 1e5)
    assert np.all(held.exit["usd"][30] != 1e5)


def test_default__what_is_left_is_the_recovery__and_the_stream_goes_on() -> None:
    drivers, held, record = mines.play(mines.terms(default__hazard=2.0), mines.market())
    steps = drivers.default_step
    later = np.flatnonzero((steps > 130) & (steps < 200))
    assert later.size > 5
    np.testing.assert_array_equal(record.payment_usd[2:, later], 0.0)
    for k in later[:5]:
        step = int(steps[k])
        assert held.events[k] == 1
        streamed = paid_to(held)[211, k]
        np.testing.assert_allclose(streamed, 1e5 / 500e6 * record.payment_usd[1, k], rtol=1e-12)
        # after the stream's end nothing but the recovered claim is left, and stays
        left = held.mark["usd"][-1, k] - paid_to(held)[-1, k]
        at_default = held.mark["usd"][step, k] - paid_to(held)[step, k]
        unstreamed = 1e5 / 500e6 * record.payment_usd[1, k] * (121 + 90 - step) / 90
        np.testing.assert_allclose(at_default - unstreamed, left, rtol=1e-9)
    losses = mines.by_source(held)["default"]
    assert np.all(losses[later] < 0.0)
    assert np.all(losses[steps > 395] == 0.0)


def test_default__loss_is_what_the_recovery_does_not_leave() -> None:
    """Without hazard in the price: the day's claim is that of a path that goes on, less 80 %."""
    terms = mines.terms(default__hazard=2.0, default__recovery=0.2)
    drivers, held, _ = mines.play(terms, mines.market())
    losses = mines.by_source(held)["default"]
    k = int(np.flatnonzero((drivers.default_step > 40) & (drivers.default_step < 100))[0])
    left = held.mark["usd"][-1, k]
    np.testing.assert_allclose(losses[k], -left * 0.8 / 0.2, rtol=1e-9)


def test_lockup__costs_more_until_its_last_day() -> None:
    terms = mines.terms(compliance__lockup_days=100)
    held = mines.play(terms, mines.market())[1]
    price = held.mark["usd"] - paid_to(held)
    left = (held.exit["usd"] - paid_to(held)) / price
    np.testing.assert_allclose(left[129], 1 - 0.35, rtol=1e-9)
    np.testing.assert_allclose(left[130], 1 - 0.15, rtol=1e-9)
    assert held.unpaid.max() == 0.0


def test_lockup_beyond_the_horizon__the_tokens_are_reported_as_unpaid() -> None:
    terms = mines.terms(compliance__lockup_days=1_000)
    held = mines.play(terms, mines.market())[1]
    price = held.mark["usd"][-1] - paid_to(held)[-1]
    np.testing.assert_allclose(held.unpaid, price, rtol=1e-12)


def test_gas__every_act_is_paid_once() -> None:
    drivers = mines.play(mines.terms(), mines.market())[0]
    gas = GasTerms(price_gwei=10.0, ether_usd=3_000.0)
    held, _ = simulate(mines.terms(), Gas(HOLDER_GAS, gas.usd_per_gas), drivers, 1e5)
    # issue and four payments are claimed
    used = HOLDER_GAS["enter"] + 5 * HOLDER_GAS["claim"] + HOLDER_GAS["leave"]
    np.testing.assert_allclose(mines.by_source(held)["gas"], -used * 1e-8 * 3_000.0, rtol=1e-12)


def test_top_up__payments_are_the_promise__and_capital_what_profit_does_not_cover() -> None:
    top_up = {"reserve_share": 0.5, "deposits_a_year": 0.4, "trust": 0.5}
    terms = mines.terms(payout={"payout_ratio": 0.1, "top_up": top_up})
    _, held, record = mines.play(terms, mines.market())
    supply = 500e6
    for period in range(1, 5):
        np.testing.assert_allclose(record.deposit_usd[period], supply * 0.1, rtol=1e-9)
        supply += supply * 0.1
        np.testing.assert_allclose(record.payment_usd[period], supply * 0.18 / 4, rtol=1e-9)
    assert np.all(record.recorded_usd[1:] < 0.3 * record.payment_usd[1:])
    found = mines.by_source(held)
    total = found["mine_profit"] + found["returned_capital"]
    np.testing.assert_allclose(total, paid_to(held)[-1], rtol=1e-12)
    assert np.all(found["returned_capital"] > 2.0 * found["mine_profit"])
    assert np.all(held.events == 0)


def test_top_up__when_the_pot_is_empty__the_promise_breaks_and_the_price_falls() -> None:
    top_up = {"reserve_share": 0.02, "deposits_a_year": 0.0, "trust": 0.9}
    terms = mines.terms(payout={"payout_ratio": 0.1, "top_up": top_up})
    _, held, record = mines.play(terms, mines.market())
    # 10 m in the pot and about 4.5 m of profit are less than the first promise of 22.5 m
    np.testing.assert_allclose(record.payment_usd[1] - record.recorded_usd[1], 10e6, rtol=1e-12)
    np.testing.assert_array_equal(record.payment_usd[2:], record.recorded_usd[2:])
    assert np.all(held.events == 1)
    assert np.all(held.mark["usd"][121] < 0.5 * held.mark["usd"][120])
    assert np.all(mines.by_source(held)["broken_promise"] < -4e4)


def test_top_up__money_paid_out_never_exceeds_what_came_in() -> None:
    terms = mines.terms(**RISKY, payout={"payout_ratio": 0.1, "top_up": TOP_UP})
    drivers, _, record = mines.play(terms, mines.wild_copper())
    raised = np.minimum(drivers.others_usd + 1e5, 500e6)
    into_pot = 0.02 * raised + record.deposit_usd.sum(axis=0)
    added = record.payment_usd.sum(axis=0) - record.recorded_usd.sum(axis=0)
    assert np.all(added <= into_pot + 1e-3)
    assert added.max() > 1e6


def test_draws__of_a_path__do_not_depend_on_its_block() -> None:
    wide = mines.wild_copper(n_paths=256)
    one = mines.market(wide.prices["copper"][:, 128:], n_paths=128, first=128)
    _, whole, _ = mines.play(CASES["topped up"], wide)
    _, part, _ = mines.play(CASES["topped up"], one)
    np.testing.assert_array_equal(whole.exit["usd"][:, 128:], part.exit["usd"])
    np.testing.assert_array_equal(
        mines.share(CASES["producing"], wide, **RISKY_SHARE).exit["usd"][:, 128:],
        mines.share(CASES["producing"], one, **RISKY_SHARE).exit["usd"],
    )


def test_labelled__streams__differ_by_name_and_keep_their_number() -> None:
    first, second = (stream(Stream.MINE_EVENTS, name) for name in ("one", "two"))
    assert first != second
    assert first & 0xFF == second & 0xFF == Stream.MINE_EVENTS
    assert first < 2**32


def coming(terms, step: int, price: float) -> float:
    """Return the worth of a producing mine's profit to come at 8 % a year; no growth expected."""
    found = tables(terms, 0.08, 0.0, np.zeros(mines.DAYS + 1), 0)
    left = mines.DAYS - step
    base, slope = worth(found.by_work, found.by_days, 1.0, 10_000.0, step, 0, left)
    return base + slope * price


def test_share__worth_is_the_mine_less_debt() -> None:
    """Bought at its worth and still copper: a fall of copper by 1 % on day one, by hand."""
    terms = mines.terms()
    prices = np.full((mines.DAYS + 1, 128), 12_730.0)
    prices[1:] *= 0.99
    held = mines.share(terms, mines.market(prices), net_debt_share=0.5)
    whole = coming(terms, 0, 12_730.0)
    mine = mines.play(terms, mines.market(prices))[0].mine
    then = coming(terms, 1, 12_730.0 * 0.99) + mine.accrued[1]
    expected = 1e5 * (then - 0.5 * whole) / (0.5 * whole)
    np.testing.assert_allclose(held.mark["usd"][1], expected, rtol=1e-12)


def test_share__dividends_are_the_ratio_of_profit() -> None:
    terms = mines.terms()
    held = mines.share(terms, mines.market(), dividend_ratio=0.3, net_debt_share=0.0)
    mine = mines.play(terms, mines.market())[0].mine
    units = 1e5 / coming(terms, 0, 12_730.0)
    expected = units * 0.3 * mine.profit.sum(axis=0)
    np.testing.assert_allclose(mines.by_source(held)["dividends"], expected, rtol=1e-12)


def test_share__of_a_fairly_priced_mine__earns_the_discount_rate() -> None:
    """Copper stands at the price expected for ever, nothing happens: 8 % a year, 395 days."""
    terms = mines.terms(mine__tax=0.0)
    held = mines.share(terms, mines.market(10_000.0), net_debt_share=0.0, sale_spread_bps=0.0)
    # dividends and profit kept earn nothing once they are paid, half a year on average
    gain = held.exit["usd"][-1] / 1e5 - 1.0
    assert np.all(gain < np.exp(0.08 * 395 / 365) - 1.0)
    np.testing.assert_allclose(gain, np.exp(0.08 * 395 / 365) - 1.0, atol=0.012)


def test_share__net_debt__bears_interest_less_the_tax_that_it_saves() -> None:
    """Half of the mine is debt, all profit is paid out: 395 days at 8 % less 30 % tax, daily.

    Debt grows to (1 + 0.08 x 0.7 / 365)^395 of what it was, and the share is as large as the debt.
    """
    chosen, half = mines.terms(), {"net_debt_share": 0.5, "dividend_ratio": 1.0}
    free = mines.share(chosen, mines.market(), **half)
    held = mines.share(chosen, mines.market(), **half, interest_rate=0.08)
    expected = 1e5 * ((1.0 + 0.08 * 0.7 / 365) ** 395 - 1.0)
    assert expected == pytest.approx(6_247.18, abs=0.01)
    lost = free.mark["usd"][-1] - held.mark["usd"][-1]
    np.testing.assert_allclose(lost, expected, rtol=1e-9)
    np.testing.assert_allclose(mines.by_source(held)["interest"], -expected, rtol=1e-9)


def test_share__capital_to_come__bears_interest_like_debt() -> None:
    """A mine of 150 days' construction: a day costs 400 m x 0.08 x 0.7 / 365 USD."""
    plain = {"stage": "development", "construction_days": 150, "overrun": 0.0}
    chosen, still = mines.terms(stage=plain | {"capital_usd": 400e6}), mines.market()
    free, held = (
        mines.share(chosen, still, net_debt_share=0.0, interest_rate=rate) for rate in (0.0, 0.08)
    )
    lost = free.mark["usd"][1] - held.mark["usd"][1]
    found = tables(chosen, 0.08, 0.0, np.zeros(mines.DAYS + 1), 150)
    base, slope = worth(found.by_work, found.by_days, 1.0, 10_000.0, 0, 150, mines.DAYS)
    units = 1e5 / (base + slope * 12_730.0 - 400e6)
    np.testing.assert_allclose(lost, units * 400e6 * 0.08 * 0.7 / 365, rtol=1e-6)


def test_share__net_cash__bears_no_interest() -> None:
    kept = {"net_debt_share": 0.0, "dividend_ratio": 0.0}
    free, held = (
        mines.share(mines.terms(), mines.market(), **kept, interest_rate=rate)
        for rate in (0.0, 0.08)
    )
    np.testing.assert_array_equal(free.mark["usd"], held.mark["usd"])


def test_share__while_copper_grows__earns_the_discount_rate_where_buyers_know_of_the_growth() -> (
    None
):
    """Copper grows by 20 % a year in expectation, the share still earns 8 % over 395 days.

    Paths come in pairs that move against each other, so that their mean is close.
    """
    days, n_paths = mines.DAYS, 4_096
    moves = np.random.default_rng(5).normal(0.0, 0.1 / np.sqrt(365), (days, n_paths // 2))
    moves = np.concatenate([moves, -moves], axis=1) - 0.5 * 0.1**2 / 365
    walk = np.vstack([np.zeros(n_paths), np.cumsum(moves, axis=0)])
    growth = 0.2 * np.arange(days + 1) / 365
    market = mines.market(12_730.0 * np.exp(walk + growth[:, None]), days, n_paths)
    chosen = mines.terms(mine__tax=0.0)
    terms = mines.equity(net_debt_share=0.0, sale_spread_bps=0.0, dividend_ratio=0.0)

    def gain(expected) -> float:
        mine = mines.drawn(chosen, market, growth=expected).mine
        drivers = draw_equity_drivers(terms, mine, 1, 0)
        held = simulate_equity(terms, chosen, drivers, "share", 1e5)
        return float(held.exit["usd"][-1].mean() / 1e5 - 1.0)

    # profit kept earns nothing, half a year on average: 14 % of the worth at 8 %
    assert gain(growth) == pytest.approx(np.exp(0.08 * 395 / 365) - 1.0, abs=0.012)
    # buyers who expect nothing are surprised every day
    assert gain(np.zeros(days + 1)) > 0.25


def test_share__fails_no_earlier_than_the_operator_defaults() -> None:
    terms = mines.terms(default__hazard=0.5)
    market = mines.market(n_paths=256)
    drivers = mines.play(terms, market)[0]
    equity = mines.equity(default_hazard=0.1)
    drawn = draw_equity_drivers(equity, drivers.mine, 1, 0)
    assert np.all(drawn.default_step >= drivers.default_step - 30)


def test_default__of_the_operator__is_counted_from_the_close_of_the_raise() -> None:
    """The share's company is there from the start: the same hazard and draws, 30 days earlier."""
    drivers = mines.play(mines.terms(default__hazard=2.0), mines.market())[0]
    drawn = draw_equity_drivers(mines.equity(default_hazard=2.0), drivers.mine, 1, 0)
    np.testing.assert_array_equal(drivers.default_step, drawn.default_step + 30)


def test_share__capital_to_come__is_taken_from_its_worth() -> None:
    plain = {"stage": "development", "construction_days": 150, "overrun": 0.0}
    dear = mines.terms(stage=plain | {"capital_usd": 400e6})
    cheap = mines.terms(stage=plain)
    prices = np.full((mines.DAYS + 1, 128), 12_730.0)
    prices[1:] *= 1.05
    up = [mines.share(terms, mines.market(prices)).mark["usd"][1, 0] for terms in (cheap, dear)]
    assert up[1] > up[0] > 1e5  # the same rise on a smaller claim


@pytest.mark.parametrize("refunded", [False, True], ids=["raised", "refunded"])
def test_days__of_the_token__add_up_to_the_return(refunded: bool) -> None:
    caps = {"sale__soft_cap_usd": 1e11, "sale__hard_cap_usd": 1e12} if refunded else {}
    chosen = mines.terms(**(RISKY | caps))
    drivers = mines.drawn(chosen, mines.wild_copper())
    paths, _ = simulate(chosen, Gas(HOLDER_GAS, GasTerms().usd_per_gas), drivers, 1e5, daily=True)
    check_daily(paths)
    days = paths.daily
    assert np.all(days.value[: chosen.sale.days] == 1e5)
    back = np.abs(days.income[chosen.sale.days] - 1e5) < 10.0
    assert np.all(back) if refunded else not np.all(back)
    assert days.access.lockup_days == chosen.sale.days + chosen.compliance.lockup_days


def test_days__of_the_mines_share__add_up_to_the_return() -> None:
    chosen, market = mines.terms(**RISKY), mines.wild_copper()
    mine = mines.drawn(chosen, market).mine
    terms = mines.equity(**RISKY_SHARE)
    drawn = draw_equity_drivers(terms, mine, 1, 0)
    paths = simulate_equity(terms, chosen, drawn, "share", 1e5, daily=True)
    check_daily(paths)
    assert paths.daily.income.max() > 0
