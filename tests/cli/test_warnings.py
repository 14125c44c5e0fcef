"""What is allowed and hardly meant is warned of with its line; `--strict` refuses it."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from apart import KEEPS_APART
from click.testing import CliRunner

from simulator.cli import main
from simulator.engine.prune import pruned
from simulator.engine.simulate import simulate
from simulator.engine.verdicts import judge
from simulator.scenario import load_calibration, load_market, load_scenario, shipped_scenarios
from simulator.scenario.files import shipped_folder
from simulator.scenario.plausible import FRESH_DAYS

TRAPS = Path(__file__).parents[3] / "shared" / "cases" / "traps.yaml"
READY = [path.stem for path in shipped_scenarios()]
SMALL = ("--paths", 128, "--set", "horizon_days=30")
MARKET = """\
name: metals
title: Metals alone
market:
  model: garch
  assets:
    gold: {drift: 0.035}
    silver: {drift: 0.035}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assay(*arguments, code=0):
    outcome = CliRunner(**KEEPS_APART).invoke(main, [str(argument) for argument in arguments])
    assert outcome.exit_code == code, outcome.stderr or outcome.exception
    return outcome


def warnings_of(text, *more):
    """Return the warnings of the vault's scenario with some lines of its own."""
    Path("own.yaml").write_text(f"extends: gold-vault-sober\nname: own\n{text}", encoding="utf-8")
    return assay("scenario", "check", "own.yaml", *more).stderr.splitlines()


def test_check__traps__are_each_named_with_line_and_remedy_and_strict_refuses(folder):
    if not TRAPS.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/cases is missing")
        pytest.skip("../shared/cases is not here")
    shutil.copy(TRAPS, folder / "traps.yaml")
    checked = assay("scenario", "check", "traps.yaml")
    assert checked.stdout == "traps.yaml: valid\n"
    claim = "claims.gold-vault-8-12.conditions"
    note = "or give it a note that says why"
    expected = [
        "traps.yaml:12: instruments.gold_vault.performance_fee_bps is 10; below 50 is hardly "
        f"meant; 10 % is written 1_000, {note}",
        "traps.yaml:12: instruments.gold_vault.management_fee_bps is 2; below 10 is hardly meant; "
        f"2 % is written 200, {note}",
        "traps.yaml:12: instruments.gold_vault.exploit_hazard is 5; above 2 is hardly meant; 5 % "
        f"is written 0.05, {note}",
        f"traps.yaml:8: {claim}[0].at_least is 8; 800 % a year is hardly meant; 8 % is written "
        "0.08",
        f"traps.yaml:9: {claim}[1].at_most is 15; can never fail: a drawdown is never above 1 "
        "(100 %); 15 % is written 0.15",
        # 2030-06-01 less 2026-01-20: 4 years (one leap day) and 132 days, 4 x 365 + 1 + 132
        "traps.yaml:4: start is 2030-06-01; the last close of gold, silver, copper is of "
        "2026-01-20, 1,593 days before it; calibrate prices of that time, or say that these "
        "closes are known by price_age_days, or leave start out",
    ]
    assert checked.stderr.splitlines() == [f"warning: {line}" for line in expected]
    refused = assay("scenario", "check", "traps.yaml", "--strict", code=3)
    assert refused.stderr.splitlines() == expected
    assert refused.stdout == ""
    for command in (("run", "traps.yaml", "--no-replay"), ("market", "traps.yaml")):
        assert assay(*command, "--strict", code=3).stderr.splitlines() == expected


@pytest.mark.parametrize("name", READY)
def test_check__ready_scenario__has_no_warning(name):
    assert load_scenario(name).warnings == ()
    if name == READY[0]:
        assert assay("scenario", "check", name, "--strict").stderr == ""


@pytest.mark.parametrize(
    ("place", "values"),
    [
        # the default hazards of each way to hold gold or copper, with their ranges
        ("gold_vault: {{exploit_hazard: {}}}", (0.0003, 0.003, 0.01, 0.05, 0.10)),
        ("gold_vault: {{exploit_severity: {}}}", (0.5, 0.6, 1.0)),
        ("gold_token: {{shortfall_hazard: {}}}", (0.001, 0.05)),
        # lease rates of gold, yields that were paid, and an "80 % APR"
        ("gold_vault: {{lending: {{base_rate: {}}}}}", (0.0011, 0.0024, 0.045, 0.80)),
        # fees of vaults, from none to a hedge fund's
        ("gold_vault: {{performance_fee_bps: {}}}", (0, 100, 1_000, 2_000)),
        ("gold_vault: {{management_fee_bps: {}}}", (0, 10, 25, 200)),
        # the slope of lending curves beyond the kink
        ("gold_vault: {{lending: {{slope2: {}}}}}", (0.6, 1.0, 3.0)),
    ],
)
def test_check__values_within_what_is_known__have_no_warning(place, values):
    for value in values:
        assert warnings_of(f"instruments:\n  {place.format(value)}\n") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("gold_vault: {exploit_hazard: 2.1}", "above 2 is hardly meant"),
        ("gold_vault: {exploit_hazard: {value: 2.1, note: a stress}}", ""),
        ("gold_vault: {exploit_hazard: {value: 2.1, mark: assumption}}", "above 2"),
        ("gold_vault: {lending: {base_rate: 1.5}}", "above 1 is hardly meant; 5 % is written 0.05"),
        ("gold_vault: {lending: {slope2: 4}}", "above 3 is hardly meant"),
        ("gold_vault: {performance_fee_bps: 20}", "10 % is written 1_000"),
    ],
)
def test_check__number__is_warned_of_unless_its_note_says_why(line, words):
    found = warnings_of(f"instruments:\n  {line}\n")
    assert len(found) == (1 if words else 0)
    if words:
        assert found[0].startswith("warning: own.yaml:4: instruments.gold_vault.")
        assert words in found[0]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("measure: annual_yield, unit: ounces, at_least: 1.5", "150 % a year is hardly meant"),
        ("measure: annual_yield, unit: ounces, at_least: 0.18", ""),
        ("measure: annual_yield, unit: ounces, at_least: -1", "can never fail"),
        ("measure: annual_yield, unit: ounces, at_most: -2", "can never hold"),
        ("measure: total_return, unit: usd, at_least: 3", ""),
        ("measure: total_return, unit: usd, at_least: 8", "800 % is hardly meant"),
        ("measure: drawdown, unit: usd, at_most: 1", "can never fail"),
        ("measure: drawdown, unit: usd, at_most: 0.99", ""),
        ("measure: drawdown, unit: usd, at_least: 0", "can never fail: a drawdown is never below"),
        ("measure: drawdown, unit: usd, at_least: 20", "can never hold"),
        ("measure: yield_deviation, unit: ounces, at_most: 2", "200 % a year is hardly meant"),
        ("series: price.gold, measure: highest, at_least: 6_000", ""),
    ],
)
def test_check__bound__that_decides_nothing_or_is_percent_is_warned_of(condition, words):
    claim = f"claims:\n  gold-vault-8-12:\n    conditions:\n      - {{{condition}}}\n"
    found = warnings_of(claim)
    assert len(found) == (1 if words else 0)
    if words:
        assert found[0].startswith("warning: own.yaml:6: claims.gold-vault-8-12.conditions[0].at_")
        assert words in found[0]


NEGATIVE = "extends: hard-assets-2026\nname: own\nmarket:\n  views:\n    real_rate: negative\n"
LATE = (
    # 1.97 + 1 points; 2.97 / 2.65 x 730 days; 1.97 - (1.95 + 30 / 365 x .70) on day 395
    "the real rate would have to fall by 2.97 points in 90 days; since 2003 it fell by at most "
    "1.48 in 90, 1.95 in 365, 2.65 in 730 days, so it arrives on day 819, and is expected at "
    "-0.04 % on day 395, the last"
)
REMEDY = "; set market.views.rate_pace to historical to mean that, to any to have it in 90 days"


def test_check__view_of_rates_faster_than_history__is_warned_of_and_strict_refuses(folder):
    (folder / "own.yaml").write_text(NEGATIVE, encoding="utf-8")
    line = f"own.yaml:5: market.views.real_rate is -0.01; {LATE}{REMEDY}"
    assert assay("scenario", "check", "own.yaml").stderr == f"warning: {line}\n"
    assert assay("scenario", "check", "own.yaml", "--strict", code=3).stderr == f"assay: {line}\n"
    page = ("market", "own.yaml", "--paths", 128, "--out", "page.html")
    assert assay(*page).stderr.startswith(f"warning: {line}\n")
    assert LATE in (folder / "page.html").read_text(encoding="utf-8")
    for pace in ("historical", "any"):
        (folder / "own.yaml").write_text(f"{NEGATIVE}    rate_pace: {pace}\n", encoding="utf-8")
        assert assay("scenario", "check", "own.yaml", "--strict").stderr == ""


def test_check__claims_view_of_rates_faster_than_history__is_warned_of(folder):
    claim = (
        "  rates:\n"
        "    kind: effect\n"
        "    says: Negative rates lift gold\n"
        "    change: {market.views.real_rate: negative}\n"
        "    conditions: [{series: price.gold, measure: total_return, at_least: 0}]\n"
    )
    text = f"extends: hard-assets-2026\nname: own\nclaims:\n{claim}"
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    line = f"own.yaml:7: claims.rates.change: {LATE}{REMEDY}"
    assert assay("scenario", "check", "own.yaml").stderr == f"warning: {line}\n"


def test_verdict__of_a_view_that_history_holds_back__says_when_it_arrives():
    loaded = load_scenario("hard-assets-2026", overrides=["paths=128"])
    terms = loaded.scenario.claims["negative-real-rates-lift-gold"]
    only = pruned(loaded.scenario, "negative-real-rates-lift-gold")
    (verdict,) = judge(simulate(only, loaded.calibration))
    assert terms.note == ""
    assert verdict.note == LATE


def test_check__effects_bound__is_of_a_difference_and_may_be_zero():
    # the flagship's ballast: a fall that is smaller by anything
    claims = load_scenario("hard-assets-2026").scenario.claims.values()
    bounds = [c.at_most for claim in claims if claim.kind == "effect" for c in claim.conditions]
    assert 0 in bounds


def test_start__follows_the_calibration_unless_it_is_set(folder):
    shipped = shipped_folder() / "calibrations" / "metals-2026-01.yaml"
    text = shipped.read_text(encoding="utf-8")
    later = text.replace("as_of: 2026-01-20", "as_of: 2026-01-26")
    (folder / "later.yaml").write_text(later, encoding="utf-8")
    assert str(load_scenario("gold-vault-sober").scenario.start) == "2026-01-20"
    loaded = load_scenario("gold-vault-sober", calibration="later.yaml")
    assert str(loaded.scenario.start) == "2026-01-26"
    # five days after the last close are a long weekend, six are told
    (warning,) = loaded.warnings
    assert "the run starts on 2026-01-26, and the last close of gold, silver, copper is of" in str(
        warning
    )
    (folder / "later.yaml").write_text(later.replace("01-26", "01-25", 1), encoding="utf-8")
    assert (FRESH_DAYS, load_scenario("gold-vault-sober", calibration="later.yaml").warnings) == (
        5,
        (),
    )
    set_by_hand = load_scenario("gold-vault-sober", overrides=["start=2026-02-02"])
    assert str(set_by_hand.scenario.start) == "2026-02-02"
    (warning,) = set_by_hand.warnings
    assert str(warning).startswith("--set: start is 2026-02-02; the last close of gold, silver, ")


def test_start__price_of_another_day__is_known_where_the_scenario_says_so(folder):
    # the exchange's table of coins ends 18 days before the others
    flagship = load_scenario("hard-assets-2026")
    assert flagship.scenario.market.assets["bitcoin"].price_age_days == 18
    less = load_scenario(
        "hard-assets-2026", overrides=["market.assets.bitcoin.price_age_days=17"]
    ).warnings
    assert [warning.field for warning in less] == ["market.assets.bitcoin"]
    # a price that the scenario sets itself is no close of another day
    priced = load_scenario(
        "gold-vault-sober",
        overrides=[
            "start=2026-03-01",
            *(f"market.assets.{a}.price=50" for a in ("gold", "silver")),
        ],
    )
    (warning,) = priced.warnings
    assert "the last close of copper is of 2026-01-20, 40 days before it" in warning.rule


def test_run__own_metals__start_on_their_last_day_with_their_prices_and_warn_of_the_rest(folder):
    random = np.random.default_rng(5)
    dates = pd.bdate_range(end="2026-11-27", periods=700)
    steps = 0.01 * random.standard_t(6, (700, 3))
    logs = np.cumsum(steps, axis=0)
    prices = [4200, 55, 5.1] * np.exp(logs - logs[-1])
    names = ["gold_usd_per_oz", "silver_usd_per_oz", "copper_usd_per_lb"]
    table = pd.DataFrame(prices, columns=names).assign(date=dates.strftime("%Y-%m-%d"))
    table.to_csv("metals.csv", index=False)
    assay("calibrate", "metals.csv", "--out", "mine.yaml")
    loaded = load_scenario("hard-assets-2026", calibration="mine.yaml")
    assert str(loaded.scenario.start) == "2026-11-27"
    assert loaded.calibration.assets["gold"].price.value == pytest.approx(4200)
    # 5.1 USD a pound times 2204.62262 pounds a tonne
    assert loaded.calibration.assets["copper"].price.value == pytest.approx(11243.6, abs=0.1)
    run = assay(
        "run", "hard-assets-2026", "--calibration", "mine.yaml", "--paths", 128,
        "--set", "horizon_days=60", "--no-replay", "--parameter-sets", 0, "--out", "x",
    )  # fmt: skip
    # 2026-11-27 less 2026-01-20: 311 days, less 2026-01-02: 329
    assert "is of 2026-01-20, 311 days before it" in run.stderr
    assert "bitcoin, altcoins is of 2026-01-02, 329 days before it" in run.stderr
    report = Path("x/report.html").read_text(encoding="utf-8")
    assert "Before you read on" in report
    assert "311 days before it" in report
    shipped = load_calibration(shipped_folder() / "calibrations" / "hard-assets-2026-01.yaml")
    bitcoin = loaded.calibration.assets["bitcoin"].price
    assert bitcoin.value == shipped.assets["bitcoin"].price.value
    assert bitcoin.note.startswith("not in the data: of hard-assets-2026-01")


def test_report__without_a_warning__has_no_section_of_them(folder):
    assay("run", "gold-vault-sober", *SMALL, "--no-replay", "--parameter-sets", 0, "--out", "x")
    assert "Before you read on" not in Path("x/report.html").read_text(encoding="utf-8")


def test_market__without_instruments_investors_or_claims__is_shown(folder):
    Path("metals.yaml").write_text(MARKET, encoding="utf-8")
    text = assay("market", "metals.yaml", *SMALL, "--out", "page.html").stdout
    assert "The market of Metals alone" in text
    assert "from 2026-01-20" in text
    assert Path("page.html").is_file()
    # the same market as that of a whole scenario: the same bytes
    whole = assay(
        "market",
        "gold-vault-sober",
        *SMALL,
        "--set",
        "market.assets={gold: {drift: 0.035}, silver: {drift: 0.035}, copper: {drift: 0.035}}",
        "--json",
    ).stdout
    alone = assay("market", "metals.yaml", *SMALL, "--seed", 20260120, "--set",
                  "market.assets.copper={drift: 0.035}", "--json").stdout  # fmt: skip
    assert json.loads(alone)["checksum"] == json.loads(whole)["checksum"]


def test_market__of_a_scenario_without_claims__leaves_the_rest_aside(folder):
    text = "extends: gold-vault-sober\nname: own\nclaims: null\n"
    Path("own.yaml").write_text(text, encoding="utf-8")
    assay("market", "own.yaml", *SMALL)
    assert load_market("own.yaml").scenario.name == "own"
    failed = assay("run", "own.yaml", *SMALL, code=3)
    assert "claims: is required" in failed.stderr


def test_market__alone__is_checked_as_a_run_is(folder):
    Path("metals.yaml").write_text(MARKET.replace("0.035", "x", 1), encoding="utf-8")
    failed = assay("market", "metals.yaml", code=3)
    assert "metals.yaml:6: market.assets.gold.drift is 'x'; must be a number" in failed.stderr
    Path("metals.yaml").write_text(MARKET + "prices: 3\n", encoding="utf-8")
    failed = assay("market", "metals.yaml", code=3)
    assert failed.stderr.startswith("assay: metals.yaml:8: prices is 3; unknown key")
