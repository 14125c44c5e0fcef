"""What shocks do to a mine: outages and the operator's default; model and contract."""

from __future__ import annotations

import numpy as np
import pytest
from paths import replay

from simulator.instruments.mining.outages import KINDS
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

FIRM = ("instruments.producing_sto.default.hazard=0", "horizon_days=200", "paths=256")
ALONE = (
    "instruments.producing_sto.outages={mudslide: {hazard: 0, mean_days: 1}, "
    "strike: {hazard: 0, mean_days: 1, output_lost: 0.7}, power: {hazard: 0, mean_days: 1}}",
)


def mine(*shocks, overrides=(*FIRM, *ALONE)):
    """Return the drivers of the producing mine on 128 paths."""
    listed = ", ".join(f"{{name: s{k}, {shock}}}" for k, shock in enumerate(shocks))
    more = (f"shocks=[{listed}]",) if shocks else ()
    loaded = load_scenario("copper-sto", overrides=(*overrides, *more))
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_block(loaded.scenario, spec, 0, 128).played["producing_sto"].drivers


STRIKE = "target: producing_sto.strike, day: 50, plateau_days: 30"
DEFAULT = "target: producing_sto.default, day: {}"


def test_strike__stops_the_mine_for_its_days_and_counts_them_down():
    struck = mine(STRIKE).mine
    kind = KINDS.index("strike") + 1
    assert np.all(struck.halted[50:80] == kind)
    assert np.all(struck.halted[:50] == 0)
    assert np.all(struck.halted[80:] == 0)


def test_strike__takes_its_share_of_the_days_profit_away():
    # 30 of the days are worked at 30 %: what is accrued in a period falls, and no other day does
    struck, plain = mine(STRIKE).mine, mine().mine
    before = struck.accrued[49], plain.accrued[49]
    assert np.array_equal(*before)
    day = struck.accrued[51] - struck.accrued[50], plain.accrued[51] - plain.accrued[50]
    assert np.all(day[0] < day[1])


@pytest.mark.parametrize(("day", "expected"), [(100, 100), (5, 31)])
def test_default__comes_on_its_day_and_not_before_the_raise_has_closed(day, expected):
    # the raise of the ready scenario closes on day 30
    assert np.all(mine(DEFAULT.format(day)).default_step == expected)


@pytest.mark.parametrize("shock", [STRIKE, DEFAULT.format(120)])
def test_replay__agrees_on_the_path_of_a_shock(shock):
    found = replay(None, 3, *FIRM, f"shocks=[{{name: s, {shock}}}]", name="copper-sto")
    assert found.ok
