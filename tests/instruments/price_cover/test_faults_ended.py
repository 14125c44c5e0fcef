"""Faults of the cover's room that were ended, each shown by a test that the old code failed."""

from __future__ import annotations

import datetime as dt
import inspect

import covers
import numpy as np

from simulator.instruments.gas import Gas
from simulator.instruments.model import Setting
from simulator.instruments.price_cover import paths, rows
from simulator.instruments.price_cover.drivers import draw_drivers
from simulator.instruments.price_cover.gas import HOLDER_GAS
from simulator.instruments.price_cover.kernel import run
from simulator.instruments.price_cover.model import MODEL
from simulator.instruments.price_cover.state import SOURCES, Outcome, Policy, Results
from simulator.instruments.price_cover.terms import PriceCoverTerms
from simulator.units import LANES

STEPS, N_PATHS = 60, 4
FALL = [10_000.0] * 10 + [2_000.0] * 51
"""Eight tenths on day 10."""


class OfSilver(PriceCoverTerms):
    """A cover of another metal."""

    @property
    def follows(self) -> str:
        """Return silver."""
        return "silver"


def test_drivers__of_a_cover_of_silver__are_silver_s() -> None:
    """The metal that the terms follow, whatever else the market has."""
    silver = np.full((STEPS + 1, LANES), 31.5)
    setting = Setting(
        seed=1,
        first_path=0,
        n_steps=STEPS,
        n_paths=LANES,
        start=covers.START,
        exchange_open=np.ones(STEPS + 1, np.bool_),
        prices={"copper": 300.0 * silver, "silver": silver},
        volatility={"copper": 0.25, "silver": 0.35},
        periods_per_year={"copper": 252.0, "silver": 365.0},
    )
    terms = OfSilver.model_validate(covers.PLAIN)
    drivers = MODEL.draw("cover", terms, setting, None)
    np.testing.assert_array_equal(drivers.copper_usd, silver)
    assert (drivers.volatility, drivers.periods_per_year) == (0.35, 365.0)


def test_drivers__are_the_price_given__rounded_as_the_feed_says_it() -> None:
    price = np.full((2, LANES), 9_999.123456789)
    drivers = draw_drivers("cover", price, dt.date(2026, 1, 20), np.ones(2, bool), 0.3, 252.0)
    np.testing.assert_array_equal(drivers.copper_usd, 9_999.12345679)
    np.testing.assert_array_equal(price, 9_999.123456789)


def test_days__are_told_without_a_write_to_what_they_are_told_from() -> None:
    shape = (STEPS + 1, N_PATHS)
    marks, gains = np.full(shape, 1e4), np.full((len(SOURCES), *shape), 1.0)
    marks.setflags(write=False)
    gains.setflags(write=False)
    days = paths._daily(covers.terms(), Gas(HOLDER_GAS, 1e-6), marks, gains)
    assert days.brought is gains
    np.testing.assert_allclose(days.access.sale_usd, 1e4 - 0.096701, rtol=1e-15)


def test_days__begin_with_what_was_put_in_and_no_gain() -> None:
    drivers = covers.drawn(FALL, 0.25)
    found, _ = paths.simulate(
        covers.terms(), Gas(HOLDER_GAS, 1e-6), drivers, covers.HOLDER_USD, daily=True
    )
    put_in = {"cover": covers.HOLDER_USD, "cover-miner": 1e6, "cover-unhedged": 1e6}
    for name, usd in put_in.items():
        np.testing.assert_array_equal(found[name].mark["usd"][0], usd)
        np.testing.assert_array_equal(found[name].exit["usd"][0], usd)
    np.testing.assert_array_equal(found["cover"].daily.brought[:, 0], 0.0)


def test_kernel__takes_numbers_drivers_and_results() -> None:
    assert list(inspect.signature(run.py_func).parameters) == ["numbers", "drivers", "results"]


def test_results__have_the_shapes_that_are_written_of_them() -> None:
    """A policy has seven rows; the docstring said six."""
    described = Results.__doc__ or ""
    assert f"sold : (n_policies, {len(Policy)}, n_paths)" in described
    assert f"outcomes : (n_policies, {len(Outcome)}, n_paths)" in described
    _, record = covers.run(covers.terms(), FALL, record=True)
    n_policies = len(record.plan.buyer)
    assert record.policies.shape == (n_policies, len(Policy), LANES)


def test_rows__stand_one_after_another_as_they_are_named() -> None:
    """Constants are unpacked in order: one name too many or in the wrong place would shift all."""
    for enum in (rows.Own, Policy):
        for row in enum:
            assert getattr(rows, row.name) == LANES * row, row.name
    for enum in (Outcome, rows.Act):
        for row in enum:
            assert getattr(rows, row.name) == row, row.name


def test_shortfall__is_told_where_the_pool_could_not_pay_a_claim() -> None:
    """Others insure five times the pool, and copper falls by eight tenths on half of the paths."""
    table = np.full((len(FALL), LANES), 10_000.0)
    table[:, ::2] = np.array(FALL)[:, None]
    terms = covers.terms(
        pool__leverage=5.0,
        others={"utilisation": 1.0, "cover": {"strike_share": 0.9, "term_days": 30}},
    )
    found, record = covers.run(terms, table)
    short = found["cover"].happened["shortfall"]
    np.testing.assert_array_equal(short, np.arange(LANES) % 2 == 0)
    np.testing.assert_array_equal(short, found["cover"].details["missing_usd"][-1] > 0.0)
    assert record.policies.any()
    assert not found["cover-miner"].happened
    assert not found["cover-unhedged"].happened


def test_shortfall__of_a_pool_that_pays__is_none() -> None:
    found, _ = covers.run(covers.terms(), FALL)
    assert found["cover-miner"].details["payouts_usd"][-1].min() > 0.0
    assert not found["cover"].happened["shortfall"].any()


def test_usdc_flows__of_the_covered_miner__are_his_payouts_less_his_premiums() -> None:
    found, _ = covers.run(covers.terms(), FALL)
    miner, bare = found["cover-miner"], found["cover-unhedged"]
    assert list(miner.usdc_flows) == ["payouts", "cover_premiums"]
    np.testing.assert_array_equal(miner.usdc_flows["payouts"], miner.details["payouts_usd"])
    np.testing.assert_array_equal(
        miner.usdc_flows["cover_premiums"], -miner.details["premiums_usd"]
    )
    assert not bare.usdc_flows
    # and they are all that sets him apart from the miner without cover
    apart = sum(miner.usdc_flows.values())
    gap = miner.mark["usd"] - bare.mark["usd"]
    np.testing.assert_allclose(gap[1:], apart[1:], atol=1e-6)
