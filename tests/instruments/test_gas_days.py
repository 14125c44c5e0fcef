"""A gas price that a shock moves for some days: booked on its day, by models and players alike."""

from __future__ import annotations

import numpy as np
import pytest
from paths import differing, replay

from simulator.errors import InputError
from simulator.instruments.gas import Gas
from simulator.investors.setting import gas_times
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

HEAD = ("horizon_days=60", "paths=256")
LAST = "{name: end, target: gas, day: 60, times: 40}"


def block(name, *shocks, overrides=HEAD):
    loaded = load_scenario(name, overrides=(*overrides, f"shocks=[{', '.join(shocks)}]"))
    spec = market_spec(loaded.scenario, loaded.calibration)
    return loaded.scenario, simulate_block(loaded.scenario, spec, 0, 128)


def test_times__multiply_and_levels_come_after_them():
    listed = (
        "{name: a, target: gas, day: 10, times: 5, plateau_days: 10}",
        "{name: b, target: gas, day: 15, times: 2, plateau_days: 10}",
        "{name: c, target: gas, day: 18, at: 30, plateau_days: 1}",
        "{name: d, target: gas, day: 40, times: 3, ramp_days: 2, half_life_days: 5}",
    )
    overrides = (*HEAD, "gas.price_gwei=2", f"shocks=[{', '.join(listed)}]")
    found = gas_times(load_scenario("gold-vault-sober", overrides=overrides).scenario)
    assert found[[0, 9, 10, 14, 15, 18, 19, 20, 24, 25]].tolist() == [
        1,
        1,
        5,
        5,
        10,
        15,
        10,
        2,
        2,
        1,
    ]
    # half way there on the first day, all of it on the second, half of that five days later
    assert found[[40, 41, 46]] == pytest.approx([2.0, 3.0, 2.0], rel=1e-15)


def test_gas__without_a_shock_costs_the_same_on_every_day():
    plain = Gas({"leave": 2.0}, 3.0)
    assert plain.factors(4).tolist() == [1.0] * 5
    assert plain.usd_on("leave", 4) == plain.usd("leave") == 6.0


@pytest.mark.parametrize(
    ("name", "position", "act"),
    [
        ("gold-vault-sober", "gold_vault", "leave"),
        ("gold-pool", "gold_pool", "leave"),
        ("gold-loop", "gold_loan-suppliers", "redeem"),
        ("copper-cover", "copper-cover", "leave"),
        ("solar-nft", "solar_nft", "leave"),
        ("copper-sto", "producing_sto", "leave"),
    ],
)
def test_leaving_on_a_dear_day__costs_as_many_times_its_gas(name, position, act):
    """Gas of the last day alone is forty times as dear: the difference is 39 times leaving's."""
    quiet = (*HEAD, "gas.price_gwei=0.01")
    scenario, dear = block(name, LAST, overrides=quiet)
    _, usual = block(name, overrides=quiet)
    label = position.partition("-suppliers")[0]
    label = label if label in scenario.instruments else position
    gas = usual.setting.gas[scenario.instruments[label].kind]
    held = usual.instruments[position]
    row = [source.name for source in held.sources].index("gas")
    rose = held.attribution["usd"][row] - dear.instruments[position].attribution["usd"][row]
    assert np.any(rose > 0.0)
    assert rose[rose > 0.0] == pytest.approx(39.0 * gas.usd(act), rel=1e-9)
    # the day before it was not dearer yet
    before = dear.instruments[position].exit["usd"][-2], held.exit["usd"][-2]
    assert np.array_equal(*before)


SPELL = "shocks=[{name: spell, target: gas, day: 5, times: 30, plateau_days: 40}]"


@pytest.mark.parametrize(
    "name",
    ["gold-vault-sober", "copper-cover", "silver-perp", "solar-nft", "copper-sto", "gold-loop"],
)
def test_replay__agrees_on_dear_days(name):
    found = replay(None, 3, *HEAD, SPELL, name=name)
    assert found.ok, differing(found)


def test_gas_that_costs_nothing__has_nothing_to_move():
    with pytest.raises(InputError, match=r"gas.price_gwei is 0"):
        load_scenario("gold-vault-sober", overrides=(*HEAD, "gas.price_gwei=0", SPELL))
