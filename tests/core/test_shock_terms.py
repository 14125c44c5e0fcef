"""What a scenario may say of shocks, and how each fault is told."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.scenario import load_scenario
from simulator.scenario.shocks import read_condition

HEAD = """\
extends: gold-vault-sober
name: own
start: 2026-02-02
shocks:
"""


def loaded(folder, *shocks):
    path = folder / "own.yaml"
    path.write_text(HEAD + "".join(f"  - {{name: s{k}, {s}}}\n" for k, s in enumerate(shocks)))
    return load_scenario(path).scenario


def fault(folder, *shocks):
    with pytest.raises(InputError) as caught:
        loaded(folder, *shocks)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    "said",
    [
        "target: price.gold, on: 2026-03-16, size: -0.2",
        "target: price.gold, day: 10, at: 3_000",
        "target: volatility, day: 1, times: 2, half_life_days: 20",
        "target: volatility.silver, day: 1, times: 2, plateau_days: 20",
        "target: correlation, when: gold < 4_000, size: 0.5",
        "target: usdc, when: drawdown(gold) >= 0.2, at: 0.9, plateau_days: 7",
        "target: feed.gold, day: 1, size: -0.3, plateau_days: 2",
        "target: feed.silver, day: 1, feed: exchange",
        "target: gold_token.premium, day: 5, size: -0.2, half_life_days: 3",
        "target: gold_token.shortfall, day: 5, size: 1, share: 0.1",
    ],
)
def test_shock__that_can_be__is_read(tmp_path, said):
    assert len(loaded(tmp_path, said).shocks) == 1


@pytest.mark.parametrize(
    ("said", "field", "rule"),
    [
        ("target: price.gould, day: 5, size: -0.2", "target", "did you mean price.gold"),
        ("target: gold_token.premum, day: 5, size: 0.1", "target", "gold_token.premium"),
        ("target: gold_vault.fire, day: 5, size: 0.1", "target", "must be something to be hit"),
        ("target: usdc, day: 5, at: 90", "at", "at most 1.5: 90 cents are written 0.90"),
        ("target: price.gold, when: drawdown(gold) > 30, size: -0.2", "when", "is written 0.3"),
        ("target: price.gold, day: 366, size: -0.2", "day", "at most 365, the last day of the run"),
        (
            "target: price.gold, on: 2025-01-01, size: -0.2",
            "on",
            "must be after 2026-02-02 and at most 2027-02-02",
        ),
        ("target: price.gold, size: -0.2", "", "must have one of on (a date), day (a step)"),
        ("target: price.gold, day: 1, when: gold < 1, size: -0.2", "", "must have one of on"),
        (
            "target: price.gold, when: gold falls, size: -0.2",
            "when",
            "must be as `gold < 4_000` or `drawdown(silver) > 0.3`",
        ),
        (
            "target: price.gold, when: tin < 3, size: -0.2",
            "when",
            "tin is no asset of this market: gold, silver, copper",
        ),
        ("target: price.gold, day: 5, size: -1", "size", "must be above -1 (-100 %)"),
        ("target: price.gold, day: 5, size: -1.5", "size", "must be above -1 (-100 %)"),
        ("target: price.gold, day: 5", "", "must have size or at, and nothing else"),
        ("target: price.gold, day: 5, size: 0.1, at: 3", "", "must have size or at, and nothing"),
        ("target: volatility, day: 5, size: 0.1", "", "must have times, and nothing else"),
        ("target: correlation, day: 5, size: 1.2", "size", "above 0 and at most 1, the whole way"),
        ("target: feed.bitcoin, day: 5, size: 0.1", "target", "must be something that a shock can"),
        ("target: feed.gold, day: 5, size: 0.1, feed: frozen", "", "must have size or at or feed"),
        ("target: price.gold, day: 5, feed: frozen", "", "must have size or at, and nothing else"),
        ("target: gold_token.shortfall, day: 5, size: 1.2", "size", "must be 0 to 1: share of the"),
        ("target: gold_token.shortfall, day: 5", "", "must have size, and nothing else"),
        (
            "target: gold_token.shortfall, day: 5, size: 0.5, plateau_days: 3",
            "",
            "is done in one stroke and has no duration",
        ),
    ],
)
def test_shock__that_cannot_be__is_refused_with_its_line(tmp_path, said, field, rule):
    found = fault(tmp_path, said)
    assert (found.file, found.line) == (str(tmp_path / "own.yaml"), 5)
    assert found.field == f"shocks[0].{field}".rstrip(".")
    assert rule in found.rule


def test_two_levels_on_one_day__contradict_each_other(tmp_path):
    level = "target: price.gold, day: 5, at: {}"
    found = fault(tmp_path, level.format(3_000), level.format(3_100))
    assert (found.line, found.field) == (6, "shocks[1].at")
    assert found.rule == "contradicts s0, which sets another level on the same day"


def test_level_of_a_feed_that_stands_still__contradicts_it(tmp_path):
    stands = "target: feed.gold, day: 5, feed: frozen"
    found = fault(tmp_path, stands, "target: feed.gold, day: 5, at: 3_100")
    assert (found.line, found.field) == (6, "shocks[1].at")
    assert found.rule == "contradicts s0, which lets it stand still on the same day"


@pytest.mark.parametrize(
    ("target", "first", "later", "when"),
    [
        (
            "usdc",
            "at: 0.9, plateau_days: 7",
            "day: 11, at: 0.8",
            "sets another level from step 5 to 11",
        ),
        ("feed.gold", "at: 3_000, plateau_days: 30", "day: 15, at: 3_100", "from step 5 to 34"),
        ("feed.gold", "feed: frozen", "day: 15, at: 3_100", "lets it stand still from step 5 on"),
        ("gas", "at: 50, plateau_days: 2", "day: 6, at: 60", "from step 5 to 6"),
    ],
)
def test_level_while_another_is_held__contradicts_it(tmp_path, target, first, later, when):
    said = (f"target: {target}, day: 5, {first}", f"target: {target}, {later}")
    found = fault(tmp_path, *said)
    assert (found.line, found.field) == (6, "shocks[1].at")
    assert found.rule.startswith("contradicts s0, which ")
    assert found.rule.endswith(when)
    turned = fault(tmp_path, *reversed(said))
    assert (turned.line, turned.field) == (5, "shocks[0].at")


@pytest.mark.parametrize(
    ("target", "first", "later"),
    [
        ("usdc", "at: 0.9, plateau_days: 7", "day: 12, at: 0.8"),
        ("usdc", "at: 0.9", "day: 12, at: 0.95"),
        ("price.gold", "at: 3_000, plateau_days: 30", "day: 15, at: 2_000, plateau_days: 3"),
        ("feed.gold", "at: 3_000, plateau_days: 30", "day: 15, feed: frozen, plateau_days: 3"),
    ],
)
def test_level_after_another__or_of_a_price_that_moves_on__stands(tmp_path, target, first, later):
    found = loaded(tmp_path, f"target: {target}, day: 5, {first}", f"target: {target}, {later}")
    assert [shock.day for shock in found.shocks][1] > 5


def test_two_shocks_of_one_name__are_refused(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(HEAD + "  - {name: a, target: price.gold, day: 5, size: 0.1}\n" * 2)
    with pytest.raises(InputError, match="is the name of another shock"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("text", "asset", "falls", "sign", "bound"),
    [
        ("gold < 4_000", "gold", False, "<", 4_000.0),
        ("drawdown( silver )>=0.3", "silver", True, ">=", 0.3),
        ("bitcoin > 1e5", "bitcoin", False, ">", 1e5),
    ],
)
def test_condition__is_read_as_it_is_written(text, asset, falls, sign, bound):
    found = read_condition(text)
    assert (found.asset, found.falls, found.sign, found.bound) == (asset, falls, sign, bound)


@pytest.mark.parametrize("text", ["gold", "gold = 3", "fall(gold) > 1", "gold < x", ""])
def test_condition__that_cannot_be_read__is_none(text):
    assert read_condition(text) is None
