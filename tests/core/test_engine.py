"""The engine: the same bytes for any number of threads and any size of block."""

from __future__ import annotations

import numpy as np
import pytest
import worlds

from simulator.engine import simulate
from simulator.engine.chunk_files import path_table

SMALL = ("paths=700", "horizon_days=90")


def run(*overrides: str, **options):
    loaded = worlds.load(*SMALL, *overrides)
    return simulate(loaded.scenario, loaded.calibration, **options)


def test_checksum__same_for_threads_and_blocks() -> None:
    expected = run(workers=1).checksum
    assert run(workers=2).checksum == expected
    assert run(workers=2, block_paths=128).checksum == expected
    assert run(workers=1, block_paths=1024).checksum == expected


@pytest.mark.parametrize("model", ["gbm", "jump"])
def test_checksum__same_for_threads_with_every_model(model: str) -> None:
    one = run(f"market.model={model}", workers=1).checksum
    assert run(f"market.model={model}", workers=2, block_paths=256).checksum == one


def test_checksum__another_seed__another_result() -> None:
    assert run("seed=2").checksum != run("seed=3").checksum


def test_paths__a_longer_run_begins_with_the_shorter_one() -> None:
    few, many = run("paths=200"), run("paths=700")
    np.testing.assert_array_equal(
        few.investors["holder"].final["usd"], many.investors["holder"].final["usd"][:200]
    )


def test_paths__odd_number__gives_exactly_that_many_rows() -> None:
    simulation = run("paths=130")
    table = path_table(simulation.investors, 0).to_pandas()
    assert len(table) == 2 * 130
    assert sorted(table["path"].unique()) == list(range(130))


def test_table_of_paths__has_every_number__and_null_where_there_is_none() -> None:
    simulation = run("paths=130")
    table = path_table(simulation.investors, 1_000).to_pandas().set_index("investor")
    for name, found in simulation.investors.items():
        rows = table.loc[name]
        assert rows["path"].tolist() == list(range(1_000, 1_130))
        np.testing.assert_array_equal(rows["final.usd"], found.final["usd"])
        for source, amounts in zip(found.sources, found.attribution["usd"], strict=True):
            np.testing.assert_array_equal(rows[f"{source.name}.usd"], amounts)
    assert table.loc["token_only", "exploit.usd"].isna().all()


def test_blocks__keep_numbers_of_paths__and_no_days_behind_them() -> None:
    """A view of the last day would hold the memory of all days until the run ends."""
    blocks = []
    run("paths=128", on_block=blocks.append)
    for measures in (*blocks[0].investors.values(), *blocks[0].instruments.values()):
        by_unit = (measures.attribution, measures.initial, measures.final)
        kept = [*measures.values.values(), *(v for of in by_unit for v in of.values())]
        kept += [measures.events, measures.unpaid, measures.organic_share]
        held = [values if values.base is None else values.base for values in kept]
        assert max(array.size for array in held) < 90 * 128


def test_daily__quantiles_are_ordered_and_start_at_what_was_put_in() -> None:
    daily = run().daily
    columns = ["p05", "p25", "p50", "p75", "p95"]
    assert np.all(np.diff(daily[columns].to_numpy(), axis=1) >= 0)
    start = daily[daily["series"] == "exit.holder.ounces"].iloc[0]
    assert start[columns].tolist() == [100.0] * 5


def test_seconds__is_not_part_of_the_checksum() -> None:
    assert run().checksum == run().checksum


def test_investors__common_random_numbers__token_holder_is_untouched_by_the_vault() -> None:
    quiet = run("instruments.gold_vault.exploit_hazard=0")
    wild = run("instruments.gold_vault.exploit_hazard=1")
    np.testing.assert_array_equal(
        quiet.investors["token_only"].final["usd"], wild.investors["token_only"].final["usd"]
    )
