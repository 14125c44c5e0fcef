"""Break-even against closed forms: where it lies, with which error, or that it is nowhere."""

import math

import numpy as np
import pytest
import questions
from scipy import optimize, stats

from simulator.engine.answers import ask
from simulator.engine.breakeven import RUN_PATHS, break_even, break_evens, grid_values
from simulator.engine.inputs import default_range, find_input, inputs, with_value
from simulator.errors import InputError, UsageError
from simulator.scenario import load_scenario
from simulator.units import trading_days

DRIFT = "market.assets.gold.drift"
EMITTED = "instruments.gold_vault.emissions.tokens_per_day"


def solved(loaded, claim, parameter, **options):
    return break_even(loaded.scenario, loaded.calibration, claim, parameter, **options)


def test_questions__trading_days__are_those_of_the_closed_form(tmp_path):
    scenario = questions.token(tmp_path).scenario
    days = trading_days(scenario.start, scenario.horizon_days)
    assert int(np.sum(days[1:])) == 250


def test_drift__of_a_lognormal_price__is_found_within_two_standard_errors(tmp_path):
    # ln S_T is normal with mean drift - v/2: P(S_T/S_0 >= 1.1) = 1/2 where the mean is ln 1.1.
    found = solved(questions.token(tmp_path), "rises", DRIFT)
    expected = math.log(1.1) + questions.VARIANCE / 2
    assert abs(found.value - expected) < 2 * found.standard_error
    # dP/d(drift) = phi(0) / sd, so the error is sd sqrt(pi / 2) / sqrt(n).
    error = math.sqrt(questions.VARIANCE * math.pi / 2 / 2048)
    assert found.standard_error == pytest.approx(error, rel=0.15)
    assert (found.low, found.high) == (-2, 2)
    assert len(found.crossings) == 1


def test_found_value__put_back__is_as_likely_as_not(tmp_path):
    loaded = questions.token(tmp_path)
    found = solved(loaded, "rises", DRIFT)
    again = questions.token(tmp_path, f"{DRIFT}={found.value!r}")
    share = ask(again.scenario, again.calibration, "rises").verdict.probability
    assert abs(share - 0.5) <= 0.5 / 2048
    other = questions.token(tmp_path, f"{DRIFT}={found.value!r}", "seed=8")
    share = ask(other.scenario, other.calibration, "rises").verdict.probability
    # Both samples err, each by sqrt(1/4 / n).
    assert 0 < abs(share - 0.5) < 2 * math.sqrt(2 * 0.25 / 2048)


def test_emissions__of_a_calm_vault__have_the_break_even_of_a_division():
    # The holder has 100 of 20,100 oz, rewards are sold at a dollar: 365 days of them are worth
    # 2 % of all ounces on every path.
    found = solved(questions.calm(), "gold-vault-8-12", "tokens_per_day")
    assert found.value == pytest.approx(0.02 * 20_100 * 4_000 / 365, rel=1e-4)
    below, above = found.bracket
    assert (below.probability, above.probability) == (0.0, 1.0)
    assert above.value - below.value < 1e-4 * found.value


def test_exploit_hazard__of_a_calm_vault__is_that_of_an_exponential_waiting_time():
    # The claim holds where nothing happens in 365 days: exp(-hazard) = 1/2.
    loaded = questions.calm(f"{EMITTED}=50_000", "paths=1024")
    found = solved(loaded, "gold-vault-8-12", "hazard")
    assert found.parameter == "instruments.gold_vault.exploit_hazard"
    assert abs(found.value - math.log(2)) < 2 * found.standard_error
    # dP/dh = -1/2 there: the error is twice that of the share.
    assert found.standard_error == pytest.approx(2 * 0.5 / 32, rel=0.15)


def test_claim_that_holds_in_a_band__turns_twice__and_the_nearest_is_solved(tmp_path):
    def surplus(drift):
        log_price = stats.norm(drift - questions.VARIANCE / 2, math.sqrt(questions.VARIANCE))
        return log_price.cdf(math.log(1.4)) - log_price.cdf(0.0) - 0.5

    for drift, bracket in ((0.0, (-0.2, 0.15)), (0.4, (0.2, 0.6))):
        found = solved(questions.token(tmp_path, drift=drift), "band", DRIFT, low=-0.6, high=1)
        first, last = (pair[0].kept for pair in found.crossings)
        assert (first, last) == (False, True)
        assert abs(found.value - optimize.brentq(surplus, *bracket)) < 2 * found.standard_error


def test_no_value__makes_it_likely__and_that_is_said(tmp_path):
    found = solved(questions.token(tmp_path, paths=256), "never", DRIFT)
    assert (found.value, found.standard_error, found.probability) == (None, None, None)
    assert found.crossings == ()
    assert found.bracket is None
    assert found.present.value == 0.0
    assert {point.probability for point in found.points} == {0.0}


def test_search__workers_and_repetition__change_nothing(tmp_path):
    loaded = questions.token(tmp_path, paths=600)
    once = solved(loaded, "rises", DRIFT, workers=1)
    assert solved(loaded, "rises", DRIFT, workers=2) == once


def test_points__are_told_as_they_are_tried(tmp_path):
    told = []
    found = solved(questions.token(tmp_path, paths=256), "rises", DRIFT, on_point=told.append)
    assert told[0] == found.present
    assert sorted(told, key=lambda point: point.value) == list(found.points)


def test_volatility__that_the_calibration_gives__can_be_solved_for(tmp_path):
    loaded = questions.token(tmp_path, "market.assets.gold={drift: 0}")
    item = inputs(loaded.scenario, loaded.calibration)["market.assets.gold.volatility"]
    assert item.value == loaded.calibration.assets["gold"].volatility.value
    # Drift ln 1.1 + v/2 makes "rises" a coin toss at volatility 0.3; less makes it likelier.
    drift = math.log(1.1) + 0.3**2 * 250 / 252 / 2
    loaded = questions.token(tmp_path, f"market.assets.gold={{drift: {drift}}}")
    found = solved(loaded, "rises", "volatility", low=0.1, high=0.8)
    assert abs(found.value - 0.3) < 2 * found.standard_error


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("demand_shar", "did you mean instruments.gold_vault.borrowers.demand_share"),
        ("borow_demand", "did you mean instruments.gold_vault.borrowers.demand_share"),
        ("qqqq", "assay scenario show lists them all"),
        (
            "drift",
            "drift may mean market.assets.gold.drift, market.assets.silver.drift, "
            "market.assets.copper.drift; name one of them",
        ),
        ("report_every_days", "report_every_days is a whole number"),
        ("paths", "paths is a whole number"),
    ],
)
def test_parameter__unknown_or_ambiguous__is_refused_with_names(name, message):
    loaded = questions.calm()
    with pytest.raises(UsageError) as caught:
        find_input(loaded.scenario, loaded.calibration, name)
    assert message in str(caught.value)


def test_parameter__misspelt_with_its_asset__suggests_that_asset_first():
    loaded = questions.load_scenario("hard-assets-2026")
    with pytest.raises(UsageError, match=r"did you mean market\.assets\.silver\.drift, ") as caught:
        find_input(loaded.scenario, loaded.calibration, "silver.drfit")
    assert str(caught.value).count("market.assets.") == 5


@pytest.mark.parametrize("parameter", ["borrow_demand", "exploit_hazard"])
def test_vault_as_claimed__has_a_break_even__and_put_back_it_is_a_coin_toss(parameter):
    # without the pool, whose worth in gold swings with the price: with it nobody gets that far
    paths = 512
    bare = ("instruments.gold_vault.pool=null", "instruments.gold_vault.pool_share=0")
    overrides = [f"paths={paths}", *bare]
    loaded = questions.load_scenario("gold-vault-as-claimed", overrides=overrides)
    found = solved(loaded, "gold-vault-8-12", parameter)
    assert found.low < found.value < found.high
    assert found.present.probability > 0.8
    assert not found.jumps
    here = f"{found.parameter}={found.value!r}"
    for seed, errors in ((loaded.scenario.seed, 1), (77, 2)):
        again = questions.load_scenario(
            "gold-vault-as-claimed", overrides=[*overrides, here, f"seed={seed}"]
        )
        share = ask(again.scenario, again.calibration, "gold-vault-8-12").verdict.probability
        # Of another seed both samples err.
        assert abs(share - 0.5) < 3 * math.sqrt(errors * 0.25 / paths)


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("demand_share", "instruments.gold_vault.borrowers.demand_share"),
        ("borrow_demand", "instruments.gold_vault.borrowers.demand_share"),
        ("emissions", "instruments.gold_vault.emissions.tokens_per_day"),
        ("gold.drift", "market.assets.gold.drift"),
        ("market.assets.copper.drift", "market.assets.copper.drift"),
    ],
)
def test_parameter__by_its_last_parts__is_found(name, full):
    loaded = questions.calm()
    assert find_input(loaded.scenario, loaded.calibration, name).name == full


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("run_share", 0, 1),
        ("exploit_hazard", 0, 10),
        # Above 0 and at most 5: a thousandth of the range away from 0.
        ("copper.volatility", 0.005, 5),
        # At least 0, no bound above: ten times 15,650.
        ("tokens_per_day", 0, 156_500),
        # Above 0: from a tenth to ten times 20,000.
        ("crowd_ounces", 2_000, 200_000),
        # idle_share 0.05 + pool_share must stay within 1.
        ("pool_share", 0, 0.95),
        # liquidation_threshold 0.86 and the ladder's 0.80 are its neighbours.
        ("max_ltv", 0.80, 0.86),
    ],
)
def test_default_range__is_the_fields_own__or_ten_times_the_present_value(name, low, high):
    loaded = questions.load_scenario("gold-vault-sober")
    item = find_input(loaded.scenario, loaded.calibration, name)
    found = default_range(loaded.scenario, loaded.calibration, item)
    assert found == pytest.approx((low, high), rel=1e-6)


def test_default_range__of_a_zero_without_bounds__asks_for_one():
    loaded = questions.calm(f"{EMITTED}=0")
    item = find_input(loaded.scenario, loaded.calibration, "tokens_per_day")
    with pytest.raises(UsageError, match="give --low and --high"):
        default_range(loaded.scenario, loaded.calibration, item)


def test_grid__reaches_both_ends_and_is_dense_around_the_present_value():
    grid = grid_values(1.0, 0.0, 65.0)
    assert (grid[0], grid[-1]) == (0.0, 65.0)
    assert grid.index(1.0) == len(grid) // 2
    assert min(np.diff(grid)) == pytest.approx(1 / 64)
    # A present value outside the range gives way to the end beside it.
    assert grid_values(-5.0, 0.0, 64.0)[:3] == [0.0, 1.0, 2.0]


def test_range__upside_down_or_outside_the_field__is_refused(tmp_path):
    loaded = questions.token(tmp_path, paths=128)
    with pytest.raises(UsageError, match="--low 1 must be below --high 0"):
        solved(loaded, "rises", DRIFT, low=1, high=0)
    with pytest.raises(InputError, match=r"--high: market.assets.gold.drift is 3; must be -2 to 2"):
        solved(loaded, "rises", DRIFT, low=1, high=3)


def test_claim__unknown_or_untestable__is_refused(tmp_path):
    loaded = questions.token(tmp_path, paths=128)
    with pytest.raises(UsageError, match="has no claim rise; did you mean rises"):
        solved(loaded, "rise", DRIFT)
    with pytest.raises(UsageError, match="has no claim x; it has rises, band, never"):
        solved(loaded, "x", DRIFT)
    short = questions.load_scenario("gold-vault-sober", overrides=("paths=128", "horizon_days=40"))
    with pytest.raises(UsageError, match="gold-vault-8-12 is not testable here"):
        solved(short, "gold-vault-8-12", "hazard")


def test_with_value__leaves_the_scenario_itself_alone():
    scenario = questions.calm().scenario
    changed = with_value(scenario, ("gas", "price_gwei"), 3.5, "--solve")
    assert changed.gas.price_gwei == 3.5
    assert scenario.gas.price_gwei == 0
    assert changed.model_copy(update={"gas": scenario.gas}) == scenario


def test_jump_model__volatility_below_its_jumps__is_an_input_error_and_no_crash(tmp_path):
    loaded = questions.token(tmp_path, "market.model=jump", paths=128)
    with pytest.raises(InputError, match=r"--low: market.assets.gold.volatility is 0\.01"):
        solved(loaded, "rises", "volatility", low=0.01, high=0.5)


def test_break_evens__of_a_scenario__are_those_its_claims_ask_for_on_its_first_paths(tmp_path):
    asks = f"claims.rises.break_even=[{DRIFT}, market.assets.gold.volatility]"
    loaded = questions.token(tmp_path, asks, paths=2048)
    heard = []
    found = break_evens(loaded.scenario, loaded.calibration, on_found=heard.append)
    assert [(one.claim, one.parameter) for one in found] == [
        ("rises", DRIFT),
        ("rises", "market.assets.gold.volatility"),
    ]
    assert list(found) == heard
    few = questions.token(tmp_path, paths=RUN_PATHS)
    assert found[0] == solved(few, "rises", DRIFT)
    # Without drift the median falls as the volatility rises: nothing makes 10 % likely.
    assert found[1].value is None
    assert break_evens(few.scenario, few.calibration) == ()


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        # what stands in the name, in the description, in the calibration, and as a share
        ("instruments.gold_vault.illiquidity_haircut_bps", "bps"),
        ("instruments.producing_sto.mine.aisc_usd_per_lb", "USD per lb"),
        ("instruments.gold_vault.exploit_hazard", "a year"),
        ("market.assets.gold.drift", "a year"),
        ("market.assets.copper.price", "USD/tonne"),
        ("instruments.gold_vault.pool_share", "1 = 100 %"),
        ("instruments.gold_vault.emissions.dilution", ""),
    ],
)
def test_input__has_the_unit_of_its_number(name, unit):
    loaded = load_scenario("hard-assets-2026")
    assert inputs(loaded.scenario, loaded.calibration)[name].unit == unit
