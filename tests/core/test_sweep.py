"""A sweep's grid and table: every point is the scenario that `--set` would make."""

import pandas as pd
import pytest
import questions

from simulator.engine import judge, simulate
from simulator.engine.sweep import (
    RESULTS,
    Axis,
    count_runs,
    full_names,
    lay_grid,
    parse_axis,
    sweep,
    sweep_hash,
)
from simulator.errors import InputError, UsageError
from simulator.scenario import load_scenario

DRIFT = Axis("market.assets.gold.drift", ("0", "0.2"))
BOUND = Axis("claims.rises.conditions[0].at_least", ("0.0", "0.1", "0.2"))


@pytest.fixture
def token(tmp_path):
    questions.token(tmp_path, paths=128)
    return str(tmp_path / "token.yaml")


@pytest.mark.parametrize(
    ("setting", "name", "texts"),
    [
        ("paths=1", "paths", ("1",)),
        ("a.b=0.1, 0.2,3e-1", "a.b", ("0.1", "0.2", "3e-1")),
        ("a=[1,2],[3]", "a", ("[1,2]", "[3]")),
        ("a={value: 1, note: 'x, y'},2", "a", ("{value: 1, note: 'x, y'}", "2")),
        ("a='x,y',z", "a", ("'x,y'", "z")),
    ],
)
def test_axis__commas__part_values_outside_brackets_and_quotes(setting, name, texts):
    assert parse_axis(setting) == Axis(name, texts)


@pytest.mark.parametrize("setting", ["paths", "paths=", "=1", "paths=1,,2", "paths=1,"])
def test_axis__without_name_or_value__is_usage(setting):
    with pytest.raises(UsageError, match="must be PATH=VALUE,VALUE"):
        parse_axis(setting)


def test_count__above_ten_thousand__asks_first():
    axes = [Axis("seed", ("1",) * 100), Axis("paths", ("1",) * 100)]
    assert count_runs(axes, agreed=False) == 10_000
    more = [Axis("seed", ("1",) * 101), axes[1]]
    with pytest.raises(UsageError, match="10,100 runs; more than 10,000 need --yes"):
        count_runs(more, agreed=False)
    assert count_runs(more, agreed=True) == 10_100


def test_count__axis_that_stands_twice__is_usage():
    with pytest.raises(UsageError, match="--set seed stands twice"):
        count_runs([Axis("seed", ("1",)), Axis("seed", ("2",))], agreed=True)


def test_grid__every_point__is_what_set_would_make(token):
    model = Axis("market.model", ("gbm", "garch"))
    points, first = lay_grid(token, [DRIFT, model], overrides=["seed=9"])
    assert len(points) == 4
    expected = [(drift, kind) for drift in (0.0, 0.2) for kind in ("gbm", "garch")]
    assert [point.values for point in points] == expected
    for point, (drift, kind) in zip(points, expected, strict=True):
        settings = ["seed=9", f"{DRIFT.name}={drift}", f"market.model={kind}"]
        assert point.scenario == load_scenario(token, overrides=settings).scenario
    assert first.scenario == points[0].scenario


def test_grid__lists_and_groups__are_values_too():
    ladder = "[" + ", ".join(["0.3"] * 8) + "]"
    axes = [Axis("instruments.gold_vault.borrowers.ltv_ladder", (ladder,)), Axis("paths", ("128",))]
    points, _ = lay_grid("gold-vault-sober", axes)
    assert points[0].scenario.instruments["gold_vault"].borrowers.ltv_ladder == (0.3,) * 8


def test_grid__last_part_of_a_name__is_written_out():
    axes = [Axis("exploit_hazard", ("0", "1")), Axis("report_every_days", ("1",)), DRIFT]
    names = [axis.name for axis in full_names("gold-vault-sober", axes)]
    assert names == [
        "instruments.gold_vault.exploit_hazard",
        "instruments.gold_vault.report_every_days",
        DRIFT.name,
    ]
    with pytest.raises(UsageError, match="no parameter exploit_hazrd"):
        full_names("gold-vault-sober", [Axis("exploit_hazrd", ("0",))])


def test_grid__faults__are_found_before_anything_runs():
    shares = Axis("instruments.gold_vault.pool_share", ("0.2", "1.5"))
    with pytest.raises(InputError, match=r"pool_share is 1.5; must be 0 to 1"):
        lay_grid("gold-vault-sober", [shares])
    # Each is fine beside the other's first value; together they are more than all.
    shares = Axis("instruments.gold_vault.pool_share", ("0.2", "0.7"))
    idle = Axis("instruments.gold_vault.idle_share", ("0.1", "0.6"))
    with pytest.raises(InputError, match=r"idle_share \+ pool_share is 1.3"):
        lay_grid("gold-vault-sober", [shares, idle])


def test_sweep__row_of_each_point_and_claim__is_the_runs_verdict(token):
    axes = [DRIFT, BOUND]
    points, _ = lay_grid(token, axes)
    done = []
    found = sweep(points, axes, on_point=done.append)
    assert list(found.columns) == [DRIFT.name, BOUND.name, *RESULTS]
    assert (len(found), sum(done)) == (2 * 3 * 3, 6)
    own = found[(found[DRIFT.name] == 0.2) & (found[BOUND.name] == 0.1)].set_index("claim")
    loaded = load_scenario(token, overrides=[f"{DRIFT.name}=0.2", f"{BOUND.name}=0.1"])
    simulation = simulate(loaded.scenario, loaded.calibration)
    for verdict in judge(simulation):
        row = own.loc[verdict.claim]
        assert (row["probability"], row["verdict"]) == (verdict.probability, verdict.verdict)
        assert (row["low"], row["high"]) == verdict.interval
        assert (row["p05"], row["median"], row["p95"]) == (
            verdict.p05, verdict.median, verdict.p95,
        )  # fmt: skip
        assert row["max_drawdown_median"] == verdict.max_drawdown_median


def test_sweep__common_random_numbers__a_higher_bound_never_holds_more_often(token):
    points, _ = lay_grid(token, [DRIFT, BOUND])
    found = sweep(points, [DRIFT, BOUND])
    rises = found[found["claim"] == "rises"]
    table = rises.pivot_table(index=BOUND.name, columns=DRIFT.name, values="probability")
    assert (table.diff().dropna() <= 0).all(axis=None)
    assert (table[0.2] >= table[0.0]).all()


def test_sweep__repeated__is_the_same_table_and_name(token):
    points, first = lay_grid(token, [DRIFT])
    again, second = lay_grid(token, [DRIFT])
    pd.testing.assert_frame_equal(sweep(points, [DRIFT], workers=1), sweep(again, [DRIFT]))
    assert sweep_hash(first, [DRIFT]) == sweep_hash(second, [DRIFT])
    assert sweep_hash(first, [DRIFT]) != sweep_hash(first, [Axis(DRIFT.name, ("0", "0.3"))])
