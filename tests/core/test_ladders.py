"""Ladders of severity: read, laid over a scenario, refused with file and line."""

from __future__ import annotations

import pytest

from simulator.errors import InputError, UsageError
from simulator.scenario import load_scenario
from simulator.scenario.ladders import (
    SEVERITIES,
    Rung,
    lay_ladders,
    read_ladders,
    ready_ladders,
)
from simulator.scenario.shocks import AMOUNTS

GOOD = """\
ladders:
  gold:
    target: price.gold
    says: Gold falls
    others: stay
    mild: {size: -0.05, source: a paper}
    severe: {size: -0.1, source: a paper, mark: secondary}
    extreme: {size: -0.3, ramp_days: 30, mark: assumption}
"""


def read(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return read_ladders(str(path))


def laid(name, *files, **how):
    return lay_ladders(files or (read_ladders("ready"),), load_scenario(name).scenario, **how)


def refused(call):
    with pytest.raises(InputError) as caught:
        call()
    (problem,) = caught.value.problems
    return problem


def test_rungs__are_shocks_on_the_day__with_the_ladders_own_where_they_say_nothing(tmp_path):
    found = laid("gold-vault-sober", read(tmp_path, GOOD), day=12)
    assert [one.severity for one in found.rungs] == list(SEVERITIES)
    shocks = [one.shocks[0] for one in found.rungs]
    assert [shock.size for shock in shocks] == [-0.05, -0.1, -0.3]
    assert [shock.ramp_days for shock in shocks] == [1, 1, 30]
    assert {(shock.day, shock.others) for shock in shocks} == {(12, "stay")}
    assert [shock.group for shock in shocks] == ["gold-mild", "gold-severe", "gold-extreme"]


def test_rungs__begin_on_day_30__or_half_way_through_a_short_run(tmp_path):
    file = read(tmp_path, GOOD)
    long = load_scenario("gold-vault-sober").scenario
    short = load_scenario("gold-vault-sober", overrides=("horizon_days=40",)).scenario
    days = [lay_ladders([file], one).rungs[0].shocks[0].day for one in (long, short)]
    assert days == [30, 20]


def test_kind__hits_every_label_of_it():
    found = laid("two-vaults", chosen=["vault-exploit"])
    assert [[shock.target for shock in one.shocks] for one in found.rungs] == [
        ["sober_vault.exploit", "promised_vault.exploit"]
    ] * 3
    assert {shock.group for shock in found.rungs[0].shocks} == {"vault-exploit-mild"}


def test_ready_ladders__have_sources__and_leave_out_what_the_scenario_has_not():
    ladders = read_ladders("ready").ladders.ladders
    for ladder in ladders.values():
        for severity in SEVERITIES:
            rung = getattr(ladder, severity)
            assert rung.source or rung.marked == "assumption"
    found = laid("copper-sto")
    assert found.left_out["gold"] == "price.gold"
    assert set(found.ladders) | set(found.left_out) == set(ladders)
    assert laid("hard-assets-2026").left_out == {}


def test_ready_ladders__get_worse_from_step_to_step():
    for ladder in read_ladders("ready").ladders.ladders.values():
        rungs = [getattr(ladder, severity) for severity in SEVERITIES]
        sizes = [
            (1 - (rung.at or 1))
            + abs(rung.size or 0)
            + (rung.times or 0)
            + (rung.plateau_days or 0) * rung.share
            for rung in rungs
        ]
        sizes = [size or rung.share for size, rung in zip(sizes, rungs, strict=True)]
        assert sizes == sorted(sizes), ladder.says


def test_rung__can_say_every_amount_that_a_shock_can():
    assert set(AMOUNTS) <= set(Rung.model_fields)


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "rule"),
    [
        (", source: a paper}", "}", 6, "ladders.gold.mild", "must have a source, or a mark"),
        (
            "source: a paper, mark: secondary",
            "mark: secondary",
            7,
            "ladders.gold.severe.source",
            "because the rung is marked secondary",
        ),
        ("mark: assumption", "mark: guess", 8, "ladders.gold.extreme.mark", "must be one of"),
        ("    mild:", "    mildly:", 2, "ladders.gold.mild", "is required"),
    ],
)
def test_file__faulty__is_refused_at_its_line(tmp_path, old, new, line, field, rule):
    text = GOOD.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    found = {problem.field: problem for problem in caught.value.problems}
    assert found[field].file.endswith("own.yaml")
    assert found[field].line == line
    assert rule in found[field].rule


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "rule"),
    [
        ("price.gold", "price.glod", 3, "ladders.gold.target", "did you mean price.gold"),
        ("-0.3", "-1.5", 8, "ladders.gold.extreme.size", "must be above -1"),
        ("size: -0.1", "times: 2", 7, "ladders.gold.severe", "must have size or at"),
        ("price.gold", "gold_token.premium", 8, "ladders.gold.extreme.size", "must be -0.9 to 1"),
    ],
)
def test_ladder__that_cannot_be__is_refused_at_its_line(tmp_path, old, new, line, field, rule):
    file = read(tmp_path, GOOD.replace(old, new, 1).replace("-0.3", "-0.95"))
    problem = refused(lambda: laid("gold-vault-sober", file))
    assert (problem.line, problem.field) == (line, field)
    assert rule in problem.rule


def test_ladder__in_two_files__is_refused(tmp_path):
    own = read(tmp_path, GOOD)
    problem = refused(lambda: laid("gold-vault-sober", read_ladders("ready"), own))
    assert (problem.line, problem.field) == (2, "ladders.gold")
    assert str(ready_ladders()) in problem.rule


def test_choice__that_is_not_there__names_the_nearest():
    with pytest.raises(UsageError, match="--only usdt: must be a ladder; did you mean usdc"):
        laid("gold-vault-sober", chosen=["usdt"])


def test_nothing_to_hit__is_refused(tmp_path):
    file = read(tmp_path, GOOD)
    with pytest.raises(UsageError, match=r"nothing that these ladders hit: price\.gold"):
        laid("copper-sto", file)


def test_day__behind_the_run__is_refused(tmp_path):
    problem = refused(lambda: laid("gold-vault-sober", read(tmp_path, GOOD), day=400))
    assert "must be at most 365" in problem.rule
