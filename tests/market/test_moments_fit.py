"""The fit by simulated moments, on two assets and few histories."""

from __future__ import annotations

import numpy as np
import pytest
from ten_assets import ten_assets

from simulator.market import simulated_moments
from simulator.market.build import market_spec
from simulator.market.dynamics import fill
from simulator.market.simulated_moments import _market, _moments, _Search
from simulator.market.validation.compare import matched
from simulator.market.validation.past import Past
from simulator.units import LANES

N_DAYS = 2_000
NAMES = ("gold", "silver")


@pytest.fixture(scope="module", autouse=True)
def few_histories():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_moments, "HISTORIES", LANES)
        yield


@pytest.fixture(scope="module")
def calibration():
    whole = ten_assets()
    return whole.model_copy(
        update={
            "assets": {name: whole.assets[name] for name in NAMES},
            "correlations": tuple(p for p in whole.correlations if set(p.between) == set(NAMES)),
        }
    )


@pytest.fixture(scope="module")
def search(calibration):
    """Return a search whose history is one of the market's own."""
    days = calibration.as_of.toordinal() - N_DAYS + np.arange(N_DAYS + 1)
    empty = {name: Past(name, days, np.linspace(0.0, 0.1, N_DAYS + 1)) for name in NAMES}
    spec = matched(market_spec(_market(calibration), calibration), empty)
    block = np.empty((2, N_DAYS + 1, LANES))
    fill(spec, 77, 0, block)
    pasts = {name: Past(name, days, np.log(block[row, :, 5])) for row, name in enumerate(NAMES)}
    return _Search(calibration, pasts, lambda what: None)


def own_values(search):
    """Return the values that the search's own market has."""
    return np.array([simulated_moments._value(search.start, p) for p in search.parameters])


def test_distances__of_one_of_the_markets_own_histories__are_standard(search):
    distances, simulated = search.distances(own_values(search), {})
    # eleven figures of each asset, and one rise of correlation; nine in ten within 1.645
    assert distances.shape == (2 * 11 + 1,)
    assert simulated.shape == (LANES, 23)
    assert np.mean(np.abs(distances) < 1.645) > 0.7


def test_shocks__corrected__make_the_returns_correlate_as_the_history(search):
    values = own_values(search)
    pair = ("gold", "silver")
    history = simulated_moments.historical_figures(search.pasts)["gold-silver"][0]
    shocks = search.shocks_at(values, {pair: 0.3})
    found = search.simulated(values, shocks)["gold-silver"][:, 0]
    # two corrections from .3: what is left is of second order
    assert np.median(found) == pytest.approx(history, abs=0.02)
    assert np.median(search.simulated(values, {pair: 0.3})["gold-silver"][:, 0]) < history - 0.2


def test_improved__from_a_market_without_stress__comes_nearer(search):
    values = own_values(search)
    start = values.copy()
    start[1] = 1.0
    before, _ = search.distances(start, {})
    better = search.improved(start, {})
    after, _ = search.distances(better, {})
    assert simulated_moments._loss(after) < simulated_moments._loss(before)
    assert np.all((better >= search.low) & (better <= search.high))


def test_errors__are_of_the_right_order(search):
    values = own_values(search)
    _, simulated = search.distances(values, {})
    errors = search.errors(values, {}, simulated)
    # eight years say something of events and stress, and of the weights of what is there
    assert [p.name for p in search.parameters] == [
        "event_share", "stress_volatility", "gold", "other metals"
    ]  # fmt: skip
    assert 0.05 < errors[0] < 2
    assert 0.1 < errors[1] < 3
    assert errors.shape == (4,)


def test_moments__rises_of_pairs__are_means_by_group():
    figures = {
        "gold": np.zeros((4, 11)),
        "gold-silver": np.full((4, 2), 0.1),
        "gold-copper": np.full((4, 2), 0.3),
    }
    # silver and copper are one group: .1 and .3 make .2
    assert _moments(figures)[:, -1] == pytest.approx(0.2)
    assert _moments(figures).shape == (4, 12)
