"""What a scenario may say of solar tokens: each refusal with its file, line and rule."""

from __future__ import annotations

from pathlib import Path

import panels
import pytest

from simulator.errors import InputError
from simulator.scenario import load_scenario

SCENARIO = """\
extends: solar-nft
name: mine
instruments:
  solar_nft:
    {line}
"""

REFUSALS = {
    "issue_price_usd: 0": "issue_price_usd is 0; must be above 0",
    "collection_watts: 100": "collection_watts is 100; must be 10000 to 1e+12",
    "panel: {watts: 0}": "panel.watts is 0; must be 1 to 1000000",
    "panel: {watts: 400.5}": "panel.watts is 400.5; must be a whole number",
    "panel: {kwh_per_kwp: 0}": "panel.kwh_per_kwp is 0; must be above 0 and at most 3000",
    "panel: {degradation_bps: 10_001}": (
        "panel.degradation_bps is 10001; must be 0 to 10000 (10000 = 100 %)"
    ),
    "panel: {degradation_bps: 401}": (
        "panel.degradation_bps is 401; must be at most 400, or nothing is left within life_years"
    ),
    "panel: {age_years: 25}": ("panel.age_years is 25; must be at least a day below life_years 25"),
    "panel: {season: 0.8, kwh_per_kwp: 2_900}": (
        "panel.kwh_per_kwp is 2900; gives above 12 kWh per kWp on a day, which no panel does"
    ),
    "energy: {price_after_default: 1.5}": (
        "energy.price_after_default is 1.5; must be 0 to 1 (1 = 100 %)"
    ),
    "energy: {period_days: 0}": "energy.period_days is 0; must be 1 to 366",
    "buyers: {discount_rate: 0}": "buyers.discount_rate is 0; must be above 0 and at most 1",
    "buyers: {royalty_bps: 2.5}": "buyers.royalty_bps is 2.5; must be a whole number",
    "buyers: {royalty_bps: 5_000}": (
        "lock.haircut is 0.3; must be at least 0.515, what spread and royalty take of a free token"
    ),
    "lock: {days: 0}": "lock.days is 0; must be 1 to 3650",
    "lock: {share_mean: 1}": "lock.share_mean is 1; must be above 0 and below 1",
    "silver: {recovery_bps: 10_500}": "silver.recovery_bps is 10500; must be 0 to 10000",
    "silver: {mg_per_watt: 200}": "silver.mg_per_watt is 200; must be 0 to 100",
    "silver: {grams: 4}": "silver.grams",
}


def message(tmp_path: Path, line: str) -> str:
    """Return what is said of a scenario with this line, the fifth."""
    path = tmp_path / "mine.yaml"
    path.write_text(SCENARIO.format(line=line))
    with pytest.raises(InputError) as caught:
        load_scenario(str(path))
    return str(caught.value)


@pytest.mark.parametrize("line", REFUSALS)
def test_refusal__has_file_line_field_value_and_rule(tmp_path: Path, line: str) -> None:
    found = message(tmp_path, line)
    # a rule that joins two figures is told where the other one stands
    assert ("solar-nft.yaml:" if "haircut" in REFUSALS[line] else "mine.yaml:5:") in found
    assert f"instruments.solar_nft.{REFUSALS[line]}" in found


def test_line__is_that_of_the_file(tmp_path: Path) -> None:
    assert "mine.yaml:5: " in message(tmp_path, "panel: {watts: 0}")


@pytest.mark.parametrize(
    "line",
    [
        "panel: {watts: 1}",
        "panel: {degradation_bps: 400}",
        "panel: {age_years: 24.9}",
        "buyers: {royalty_bps: 2_500}",
        "silver: {recovery_bps: 10_000}",
    ],
)
def test_bounds__are_allowed_themselves(tmp_path: Path, line: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SCENARIO.format(line=line))
    assert load_scenario(str(path)).scenario.instruments["solar_nft"]


def test_liquidity__without_a_market_that_has_it__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SCENARIO.format(line="panel: {watts: 400}") + "market: {model: garch}\n")
    with pytest.raises(InputError) as caught:
        load_scenario(str(path))
    assert "reads liquidity, which only model macro has" in str(caught.value)


def test_positions__are_free_and_locked_tokens() -> None:
    free, locked = panels.terms().positions("sun")
    assert (free.name, locked.name) == ("sun", "sun-locked")
    assert free.settles == locked.settles == "usdc"
    assert free.divisible
