"""Break-even and sensitivity of effects, against the moments of two lognormal prices."""

import math

import numpy as np
import pytest
import questions

from simulator.engine.answers import ask
from simulator.engine.breakeven import break_even
from simulator.engine.sensitivity import sensitivity

DRIFT = "market.assets.gold.drift"
SILVER = 0.05
PATHS = 2048


def metals(folder, *overrides, drift=0.0, paths=PATHS):
    return questions.token(folder, *questions.TWO_METALS, *overrides, drift=drift, paths=paths)


def solved(loaded, parameter=DRIFT, claim="beats", **options):
    return break_even(loaded.scenario, loaded.calibration, claim, parameter, **options)


def deviation(loaded):
    """Return the standard deviation of gold's less silver's growth, both expected to be e^0.05.

    Var(e^X - e^Y) = e^(2 m) (e^vx + e^vy - 2 e^cov), for growth of expectation e^m.
    """
    days = 250 / 252
    gold, silver = 0.2**2 * days, 0.3**2 * days
    shared = loaded.calibration.correlation(("gold", "silver"))[0, 1] * 0.2 * 0.3 * days
    spread = math.exp(gold) + math.exp(silver) - 2 * math.exp(shared)
    return math.exp(SILVER) * math.sqrt(spread)


def test_effect_of_two_investors__turns_where_their_means_are_equal(tmp_path):
    loaded = metals(tmp_path)
    found = solved(loaded)
    # E[growth] = e^drift for both, so it turns at silver's drift; d/d(drift) of gold's is e^0.05.
    assert abs(found.value - SILVER) < 2 * found.standard_error
    expected = deviation(loaded) / math.sqrt(PATHS) / math.exp(SILVER)
    assert found.standard_error == pytest.approx(expected, rel=0.1)
    assert (found.kind, found.compared) == ("effect", "gold less silver")
    assert found.probability is None
    (crossing,) = found.crossings
    assert (crossing[0].kept, crossing[1].kept) == (False, True)
    assert not found.jumps


def test_found_value__put_back__is_no_difference_within_two_errors(tmp_path):
    found = solved(metals(tmp_path))
    here = metals(tmp_path, f"{DRIFT}={found.value!r}")
    answer = ask(here.scenario, here.calibration, "beats")
    assert abs(answer.told) <= 0.01 * answer.error
    other = metals(tmp_path, f"{DRIFT}={found.value!r}", "seed=8")
    again = ask(other.scenario, other.calibration, "beats")
    # Both samples err.
    assert 0 < abs(again.told) < 2 * math.hypot(again.error, answer.error)


def test_bound_of_an_effect__is_where_it_turns(tmp_path):
    bound = "claims.beats.conditions=[{measure: total_return, unit: usd, at_least: 0.1}]"
    found = solved(metals(tmp_path, bound))
    # e^drift - e^0.05 = 0.1
    expected = math.log(math.exp(SILVER) + 0.1)
    assert abs(found.value - expected) < 2 * found.standard_error
    assert found.estimate == pytest.approx(0.1, abs=1e-3)


def test_effect_of_a_changed_world__turns_where_the_change_is_none(tmp_path):
    change = (
        f"claims.lift={{kind: effect, says: x, change: {{{DRIFT}: 0.1}}, statistic: median, "
        "conditions: [{series: price.gold, measure: total_return, at_least: 0}]}"
    )
    found = solved(metals(tmp_path, change, paths=256), claim="lift")
    # Common random numbers: the two worlds are the same at 0.1, path by path.
    assert found.value == pytest.approx(0.1, abs=1e-5)
    assert found.present.estimate > 0.05


def test_parameter__that_no_side_hangs_on__makes_no_difference(tmp_path):
    found = solved(metals(tmp_path, paths=256), "premium_mean")
    assert (found.value, found.standard_error, found.estimate, found.bracket) == (None,) * 4
    assert len({point.estimate for point in found.points}) == 1


def test_sides__that_are_the_same__are_neither_kept_nor_broken(tmp_path):
    free = "{kind: holding, what: physical_gold, buy_spread_bps: 0, sell_spread_bps: 0}"
    same = f"instruments.coin={free}"
    fee = "instruments.bar.fee"
    # Gold against gold with a fee of 15 basis points: they part on either side.
    # The grid meets 0.0015 itself, half way from 0.003 to 0, and passes 0.0014 by.
    for fee_of_coin in (0.0015, 0.0014):
        coin = f"instruments.coin.fee={fee_of_coin}"
        found = solved(metals(tmp_path, same, f"{fee}=0.003", coin, paths=128), fee)
        assert found.value == pytest.approx(fee_of_coin, rel=1e-3)
        assert not found.jumps
    never = metals(tmp_path, same, "instruments.coin.fee=0.0", paths=128)
    stays = solved(never, fee, low=0.0, high=0.1)
    assert stays.points[0].excess is None
    assert stays.points[0].estimate == 0.0
    assert stays.value is None


def test_sensitivity_of_an_effect__moves_as_the_means_do(tmp_path):
    loaded = metals(tmp_path, drift=0.08)
    found = sensitivity(loaded.scenario, loaded.calibration, "beats")
    assert (found.kind, found.probability, found.compared) == ("effect", None, "gold less silver")
    effect = next(e for e in found.effects if e.name == DRIFT)
    error = 0.1743 / math.sqrt(9274 / 365)  # as in test_sensitivity
    for end, sign in ((effect.low, -1), (effect.high, 1)):
        expected = math.exp(0.08 + sign * error) - math.exp(SILVER)
        assert abs(end.estimate - expected) < 3 * deviation(loaded) / math.sqrt(PATHS)
    # Only gold moves: a path's swing is its growth at 0.08 times 2 sinh(error).
    swing = math.exp(0.08) * 2 * math.sinh(error)
    assert abs(effect.swing - swing) < 3 * effect.standard_error
    scatter = math.sqrt(math.expm1(questions.VARIANCE)) * swing / math.sqrt(PATHS)
    assert effect.standard_error == pytest.approx(scatter, rel=0.1)
    names = {e.name for e in found.effects}
    assert "market.assets.silver.drift" in names
    assert not [name for name in names if name.startswith("instruments.gold_token")]


def test_sensitivity_of_prices_alone__moves_no_instrument(tmp_path):
    claim = (
        "claims.peak={says: x, conditions: [{series: price.gold, measure: highest, "
        "at_least: 5_000}]}"
    )
    loaded = metals(tmp_path, claim, paths=256)
    found = sensitivity(loaded.scenario, loaded.calibration, "peak")
    assert found.scale == "level"
    roots = {effect.name.partition(".")[0] for effect in found.effects}
    assert roots <= {"market", "calibration"}
    assert found.effects[0].name in (
        DRIFT,
        "market.assets.gold.price",
        "market.assets.gold.volatility",
    )
    assert np.isfinite(found.median)


def test_claim_that_asks_for_a_break_even_elsewhere__can_be_asked_alone(tmp_path):
    """The number stands in what the claim is not about, and is left out of its world."""
    loaded = metals(tmp_path, "claims.rises.break_even=[instruments.coin.fee]", paths=128)
    found = sensitivity(loaded.scenario, loaded.calibration, "rises")
    names = {effect.name for effect in found.effects}
    assert DRIFT in names
    assert "instruments.coin.fee" not in names
