"""Single lines of the mine's kernels, by hand: a late ramp-up, a failure, the last day's stake."""

from __future__ import annotations

import mines
import numpy as np

from simulator.instruments.base import attribution_gap
from simulator.instruments.gas import Gas
from simulator.instruments.mining import staking
from simulator.instruments.mining.equity import MineEquityDrivers, simulate_equity
from simulator.instruments.mining.gas import HOLDER_GAS, STAKING_GAS
from simulator.instruments.mining.output_kernel import (
    BEGINS,
    LATE_RAMP,
    MISSED,
    N_ROWS,
    OUTPUT,
    build_up,
)
from simulator.instruments.mining.paths import simulate
from simulator.instruments.mining.staking import StakingDrivers
from simulator.instruments.mining.staking_terms import RevenueStakingTerms
from simulator.market.events import NEVER
from simulator.schema.gas import GasTerms
from simulator.units import LANES

TERMS = RevenueStakingTerms(sto="mine", revenue_share=0.1, staked_share=0.25, period_days=50)
PART = 1e5 / (0.25 * (500e6 - 1e5) + 1e5)
"""What 100,000 dollars of 500 m are of all stake, a quarter of the others' tokens."""


def staked(days: int, stake_step: int = 30, gas: GasTerms | None = None):
    """Return the rewards of all, the staker's paths and his record, of a mine without chance."""
    chosen, usd_per_gas = mines.terms(), 0.0 if gas is None else gas.usd_per_gas
    drivers = mines.drawn(chosen, mines.market(days=days))
    held, _ = simulate(chosen, Gas(HOLDER_GAS, usd_per_gas), drivers, 1e5)
    profit = drivers.mine.profit
    outside = StakingDrivers(
        profit_usd=profit,
        issued_usd=np.full_like(profit, 500e6),
        sold_share=np.ones(128),
        ends=drivers.mine.ends,
        stake_step=stake_step,
    )
    found, record = staking.simulate(TERMS, Gas(STAKING_GAS, usd_per_gas), held, outside)
    return np.floor(0.1 * profit * 1e6) / 1e6, found, record


def test_ramp_up__half_done_and_half_as_long_again__half_of_the_delay_is_known() -> None:
    """Day 50 of 100, which will be 150, from nothing: output is 1/3 of full.

    Known is half of the 50 days more: 100 + 25 - 50 = 75 days to go, which miss 2/3 now and
    nothing in the end, 25 days of full output on average.
    """
    rows = np.zeros(N_ROWS * LANES)
    rows[BEGINS : BEGINS + LANES] = 0.0
    rows[LATE_RAMP : LATE_RAMP + LANES] = 0.5
    build_up(rows, 50, 0.0, 100.0, 0.0)
    np.testing.assert_allclose(rows[OUTPUT : OUTPUT + LANES], 1 / 3, rtol=1e-12)
    np.testing.assert_allclose(rows[MISSED : MISSED + LANES], 25.0, rtol=1e-12)
    # On day 120 all of the delay is known: 30 to go, which miss 1/5 now.
    build_up(rows, 120, 0.0, 100.0, 0.0)
    np.testing.assert_allclose(rows[MISSED : MISSED + LANES], 3.0, rtol=1e-12)


def test_failure__of_one_company__is_counted_on_its_path_alone() -> None:
    chosen = mines.terms()
    mine = mines.drawn(chosen, mines.market()).mine
    for path in (1, LANES - 1, 64):
        fails = np.full(128, NEVER)
        fails[path] = 100
        drivers = MineEquityDrivers(mine, fails, np.zeros_like(mine.copper_usd))
        found = simulate_equity(mines.equity(), chosen, drivers, "share", 1e5)
        assert np.flatnonzero(found.events).tolist() == [path]
        assert np.flatnonzero(mines.by_source(found)["default"]).tolist() == [path]
        assert found.events[path] == 1


def test_income__of_later_periods__is_added_once_each() -> None:
    """Profits are settled on days 121, 212 and 303, and each flows for 50 days."""
    rewards, _, record = staked(days=380)
    halfway = PART * (rewards[1] + rewards[2] / 2)
    np.testing.assert_allclose(record.income_usd[212 + 25], halfway, rtol=1e-12)
    over = PART * (rewards[1] + rewards[2] + rewards[3])
    for step in (303 + 50, 303 + 51, 380):
        np.testing.assert_allclose(record.income_usd[step], over, rtol=1e-12)


def test_stake__of_the_last_day_but_one__pays_for_staking_and_leaving() -> None:
    gas = GasTerms(price_gwei=10.0, ether_usd=3_000.0)
    for days in (380, 381):
        _, found, _ = staked(days, stake_step=379, gas=gas)
        assert attribution_gap(found, "usd").max() < 1e-9
