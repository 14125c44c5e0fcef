"""Returns with money coming and going, against hand calculation and pyxirr."""

import datetime as dt

import numpy as np
import pytest

from simulator import measures
from simulator.measures.flows import sign_changes


def column(*values):
    return np.array(values, dtype=float)[:, None]


def with_flows(seed, n_steps=400, n_paths=12):
    """Return values and flows of random portfolios: monthly payments in, some out."""
    random = np.random.default_rng(seed)
    growth = np.exp(random.normal(0.0002, 0.02, (n_steps + 1, n_paths)))
    flows = np.zeros((n_steps + 1, n_paths))
    flows[30::30] = random.normal(5.0, 10.0, flows[30::30].shape)
    values = np.empty_like(flows)
    values[0] = 100.0
    for step in range(1, n_steps + 1):
        values[step] = values[step - 1] * growth[step]
        flows[step] = np.maximum(flows[step], -0.5 * values[step])
        values[step] += flows[step]
    return values, flows, growth


def test_time_weighted__flows_change_nothing__only_growth_counts():
    values, flows, growth = with_flows(3)
    found = measures.unit_values(values, flows)
    expected = np.cumprod(np.concatenate((np.ones_like(growth[:1]), growth[1:])), axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    total = measures.time_weighted_return(values, flows)
    np.testing.assert_allclose(total, expected[-1] - 1, rtol=1e-12)


def test_time_weighted__doubled_before_a_fall__is_the_units_return():
    # 100 grows to 110, 110 is put in, 220 falls to 176: 1.1 x 0.8 - 1 = -12 %.
    values, flows = column(100, 220, 176), column(0, 110, 0)
    np.testing.assert_allclose(measures.time_weighted_return(values, flows), [-0.12])


def test_time_weighted__without_flows__is_the_total_return():
    values, _, _ = with_flows(4)
    np.testing.assert_allclose(
        measures.time_weighted_return(values, np.zeros_like(values)),
        measures.total_return(values),
        rtol=1e-12,
    )


def test_time_weighted__drawdown_of_the_unit__ignores_a_withdrawal():
    # Half is taken out on a flat day: value falls by half, the unit does not.
    unit = measures.unit_values(column(100, 50, 45), column(0, -50, 0))
    np.testing.assert_allclose(measures.max_drawdown(unit), [0.1])


def test_time_weighted__everything_lost__stays_lost_whatever_is_put_in():
    values, flows = column(100, 0, 50, 60), column(0, 0, 50, 0)
    np.testing.assert_array_equal(measures.time_weighted_return(values, flows), [-1.0])


def test_money_weighted__without_flows__is_the_annual_yield():
    values, _, _ = with_flows(5)
    none = np.zeros_like(values)
    np.testing.assert_allclose(
        measures.money_weighted_yield(values, none), measures.annual_yield(values), atol=1e-11
    )
    np.testing.assert_allclose(
        measures.money_weighted_return(values, none), measures.total_return(values), atol=1e-11
    )


def test_money_weighted__two_payments__is_the_root_of_a_quadratic():
    # 100 now and 100 after a year give 231 after two: 100 q^2 + 100 q = 231, q = 1.1.
    values, flows = np.full((731, 1), 100.0), np.zeros((731, 1))
    flows[365] = 100.0
    values[-1] = 231.0
    np.testing.assert_allclose(measures.money_weighted_yield(values, flows), [0.1], rtol=1e-10)
    np.testing.assert_allclose(measures.money_weighted_return(values, flows), [0.21], rtol=1e-10)


def test_money_weighted__payment_before_a_fall__is_below_time_weighted():
    values, flows = column(100, 220, 176), column(0, 110, 0)
    money = measures.money_weighted_return(values, flows)
    # Of 210 put in, 176 came back; halfway: 100 q^2 + 110 q = 176.
    q = (-110 + np.sqrt(110**2 + 4 * 100 * 176)) / 200
    np.testing.assert_allclose(money, [q**2 - 1], rtol=1e-10)
    assert money[0] < measures.time_weighted_return(values, flows)[0]


def test_money_weighted__on_the_first_day__is_put_in_at_the_start():
    """A flow of step 0 is part of the first value, not beside it."""
    values, flows = column(100, 110), column(100, 0)
    np.testing.assert_allclose(measures.money_weighted_return(values, flows), [0.1], rtol=1e-10)


@pytest.mark.parametrize("days", [30, 364])
def test_money_weighted_yield__below_a_year__is_nan_and_the_return_is_not(days):
    values, flows, _ = with_flows(6, n_steps=days)
    assert np.isnan(measures.money_weighted_yield(values, flows)).all()
    assert np.isfinite(measures.money_weighted_return(values, flows)).all()


def test_money_weighted__of_random_portfolios__is_pyxirr():
    pyxirr = pytest.importorskip("pyxirr", reason="is in the development extra")
    values, flows, _ = with_flows(7, n_steps=500, n_paths=40)
    found = measures.money_weighted_yield(values, flows)
    start = dt.date(2026, 1, 20)
    dates = [start + dt.timedelta(days=day) for day in range(501)]
    for path in range(40):
        cash = -flows[:, path]
        cash[0] = -values[0, path]
        cash[-1] += values[-1, path]
        assert found[path] == pytest.approx(pyxirr.xirr(dates, cash), abs=1e-9)


def test_money_weighted__nothing_back__is_a_total_loss():
    for last in (0.0, -3.0):
        values, flows = np.full((366, 1), 100.0), np.zeros((366, 1))
        flows[100] = 50.0
        values[-1] = last
        np.testing.assert_array_equal(measures.money_weighted_return(values, flows), [-1.0])
        np.testing.assert_array_equal(measures.money_weighted_yield(values, flows), [-1.0])


def test_money_weighted__near_total_loss_and_great_gain__are_found():
    values = np.full((366, 2), 100.0)
    values[-1] = (1e-6, 1e9)
    found = measures.money_weighted_return(values, np.zeros_like(values))
    np.testing.assert_allclose(found, [1e-8 - 1, 1e7 - 1], rtol=1e-9)


def test_money_weighted__two_roots__takes_the_one_nearest_to_zero():
    # -100 + 250 d - 155 d^2 with d = 1 / q: q = (250 +- sqrt(500)) / 200.
    values, flows = column(100, 100, 0.0), column(0, -250, 155)
    q = (250 - np.sqrt(500)) / 200
    np.testing.assert_allclose(measures.money_weighted_return(values, flows), [q**2 - 1])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1.05, 1.09),  # close together, on one side of zero
        (0.97, 1.08),  # the fall is nearer than the gain
        (0.92, 1.03),  # the gain is nearer than the fall
        (0.91, 0.94),
    ],
)
def test_money_weighted__of_several_rates__is_the_one_nearest_to_zero(first, second):
    """-100 q^2 + 100 (a + b) q - 100 a b = 0 has the roots a and b, each of half the time."""
    both = 100 * (first + second)
    values, flows = column(100, 100, 0.0), column(0, -both, 100 * first * second)
    nearest = min(first, second, key=lambda q: abs(q**2 - 1)) ** 2 - 1
    found = measures.money_weighted_return(values, flows)
    np.testing.assert_allclose(found, [nearest], rtol=1e-9)


def test_money_weighted__of_one_change_of_sign__has_one_rate():
    """Descartes: as many positive roots as changes of sign, or fewer by an even number."""
    flows = np.array([[-100.0, -100.0, -100.0], [0.0, 230.0, -5.0], [110.0, -132.0, 0.0]])
    np.testing.assert_array_equal(sign_changes(flows), [1, 2, 0])


def test_money_weighted__no_rate_fits__is_nan():
    # -100 + 100 d - 100 d^2 has no real root.
    values, flows = column(100, 100, 0.0), column(0, -100, 100)
    assert np.isnan(measures.money_weighted_return(values, flows)).all()


def test_measures__nan_on_one_path__stays_on_that_path():
    values, flows, _ = with_flows(8)
    for measure in (measures.time_weighted_return, measures.money_weighted_return):
        clean = measure(values, flows)
        broken = values.copy()
        broken[200:201, 1] = np.nan
        found = measure(broken, flows)
        assert np.isnan(found[1])
        keep = np.arange(values.shape[1]) != 1
        np.testing.assert_array_equal(found[keep], clean[keep])
