"""What the macro model refuses, in one clear line each, and what it says of targets."""

import pytest
from macro_markets import macro_spec
from ten_assets import ASSETS, data, scenario_of, ten_assets

from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.market.calibration import write_calibration
from simulator.scenario import load_scenario
from simulator.scenario.calibration import Calibration
from simulator.scenario.files import shipped_folder
from simulator.scenario.targets import target_notes

SOBER = (shipped_folder() / "gold-vault-sober.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a calibration of ten assets."""
    write_calibration(ten_assets(), tmp_path / "ten.yaml")
    return tmp_path


def load(folder, market, *overrides):
    """Load the sober scenario with another `market` section (YAML in flow style)."""
    head, rest = SOBER.split("\nmarket:\n")
    tail = rest[rest.index("\ninstruments:") :]
    path = folder / "own.yaml"
    path.write_text(f"{head}\nmarket:\n{market}\n{tail}", encoding="utf-8")
    return load_scenario(path, overrides=overrides)


MARKET = """  model: macro
  calibration: ten.yaml
  assets:
    gold: {drift: 0.035}
    silver: {drift: 0.035}
    copper: {drift: 0.035}
"""


def refusal(folder, extra, market=MARKET):
    with pytest.raises(InputError) as caught:
        load(folder, market + extra)
    (problem,) = caught.value.problems
    text = (folder / "own.yaml").read_text().split("\n")
    return problem, text[(problem.line or 1) - 1]


def test_load__macro_with_views_and_parts__is_read(folder):
    extra = """  parts: {ratio_pull: false}
  views:
    real_rate: negative
    central_banks_net_t: {value: 1_000, mark: claimed, source: "the promoters' note"}
    liquidity: limited
    targets:
      gold: {at_least: 6_000, by: 2026-12-31}
"""
    loaded = load(folder, MARKET + extra)
    market = loaded.scenario.market
    assert market.views.real_rate == -0.01
    assert market.views.central_banks_net_t == 1_000
    assert market.views.liquidity == "limited"
    assert not market.parts.ratio_pull
    assert market.parts.regimes
    assert loaded.provenance["market.views.central_banks_net_t"].mark == "claimed"
    assert market_spec(loaded.scenario, loaded.calibration).tables.has_jumps


def test_load__target_that_needs_more_than_200_percent_a_year__refused_with_its_line(folder):
    extra = "  views:\n    targets:\n      gold: {at_least: 6_000, by: 2026-01-30}\n"
    problem, line = refusal(folder, extra)
    assert "at_least: 6_000" in line
    assert problem.field == "market.views.targets.gold"
    assert problem.value == "6,000"
    # ln(6000 / 4760) * 365 / 10 = 845 %
    assert problem.rule == (
        "needs a drift of +845% a year, from 4,760 in 10 days; must be within 200 %"
    )
    load(folder, MARKET + extra.replace("2026-01-30", "2026-12-31"))


def test_load__target_that_falls_too_fast__refused(folder):
    problem, _ = refusal(folder, "  views: {targets: {silver: {fall: 0.7, by: 2026-06-30}}}\n")
    assert problem.rule.startswith("needs a drift of -273% a year")  # ln(0.3) * 365 / 161


def test_load__target_before_the_start__refused(folder):
    problem, line = refusal(
        folder,
        "  views:\n    targets:\n      gold:\n        at_least: 6_000\n        by: 2026-01-20\n",
    )
    assert problem.rule == "must be after the start, 2026-01-20"
    assert "by: 2026-01-20" in line


@pytest.mark.parametrize(
    ("extra", "field", "rule"),
    [
        ("  views: {real_rate: low}\n", "market.views.real_rate", "must be a number"),
        ("  views: {liquidity: scarce}\n", "market.views.liquidity", "'limited'"),
        ("  views: {rates: 1}\n", "market.views.rates", "unknown key"),
        ("  parts: {regime: false}\n", "market.parts.regime", "did you mean 'regimes'?"),
        ("  parts: {regimes: 1}\n", "market.parts.regimes", "must be true or false"),
        (
            "  views: {targets: {bitcoin: {fall: 0.1}}}\n",
            "market.assets.bitcoin",
            "is required: a target of market.views is about it",
        ),
        (
            "  views: {targets: {gold: {fall: 0.1, at_least: 5_000}}}\n",
            "market.views.targets.gold",
            "must have one of at_least, at_most and fall",
        ),
        ("  views: {targets: {gold: {fall: 1.2}}}\n", "market.views.targets.gold.fall", "below 1"),
        (
            "  views: {targets: {gold: {at_most: -1}}}\n",
            "market.views.targets.gold.at_most",
            "above 0",
        ),
    ],
)
def test_load__view_or_part_that_cannot_be__refused_with_its_line(folder, extra, field, rule):
    problem, line = refusal(folder, extra)
    assert problem.field == field
    assert rule in problem.rule
    assert problem.line is not None
    assert line


@pytest.mark.parametrize("model", ["gbm", "jump", "garch"])
def test_load__views_or_parts_of_another_model__refused(folder, model):
    market = MARKET.replace("macro", model)
    problem, _ = refusal(folder, "  views: {real_rate: negative}\n", market)
    assert problem.rule == f"are read by model macro alone, and the model is {model}"
    problem, _ = refusal(folder, "  parts: {regimes: false}\n", market)
    assert problem.field == "market.parts"
    load(folder, market)


def test_load__unknown_asset_and_negative_volatility__refused(folder):
    problem, _ = refusal(folder, "    iron: {drift: 0.0}\n")
    assert "must be one of 'gold'" in problem.rule
    problem, line = refusal(folder, "    bitcoin: {drift: 0.0, volatility: -0.5}\n")
    assert problem.field == "market.assets.bitcoin.volatility"
    assert "must be above 0" in problem.rule
    assert "bitcoin" in line


def test_calibration__persistence_of_one__refused():
    raw = data()
    raw["assets"]["gold"]["beta"]["value"] = 0.99
    with pytest.raises(ValueError, match="must be below 1, or the variance explodes"):
        Calibration.model_validate(raw)


@pytest.mark.parametrize(
    ("model", "volatility", "cause"),
    # a real rate of 76 bp times -9.5 % moves gold by 7.2 % a year; 1.7 jumps of 4.9 % by 6.4 %
    [("macro", 0.07, "macro channels"), ("macro", 0.01, "jumps"), ("jump", 0.05, "jumps")],
)
def test_market_spec__volatility_below_what_channels_or_jumps_do__refused(model, volatility, cause):
    scenario = scenario_of(("gold",), model=model)
    assets = {"gold": scenario.market.assets["gold"].model_copy(update={"volatility": volatility})}
    market = scenario.market.model_copy(update={"assets": assets})
    with pytest.raises(InputError) as caught:
        market_spec(scenario.model_copy(update={"market": market}), ten_assets())
    (problem,) = caught.value.problems
    assert problem.field == "market.assets.gold.volatility"
    assert problem.value == f"{volatility:g}"
    assert problem.rule.startswith(f"the {cause} alone have more variance")
    assert problem.rule.endswith("gold")
    assert macro_spec(("gold",)).tables is not None


def test_notes__targets__what_they_need_and_what_is_met():
    targets = {
        "gold": {"at_least": 6_000.0, "by": "2026-12-31"},
        "copper": {"at_least": 12_000.0},
        "gold_silver_ratio": {"at_most": 60.0},
    }
    scenario = scenario_of(ASSETS, model="macro", views={"targets": targets})
    assert target_notes(scenario, ten_assets()) == (
        # ln(6000 / 4760) * 365 / 345
        "gold at least 6,000 in 345 days: the expectation grows by +24.5% a year from 4,760, in "
        "place of the base drift of +3.5%",
        "copper at least 12,000: met already, it starts at 12,730; nothing is added",
        "gold-silver ratio at most 60: met already, it starts at 50.5308; nothing is added",
    )
