"""The perpetual's kernel against a plain loop over the same rules."""

from __future__ import annotations

import numpy as np
import pytest
from perp_oracle import Oracle
from perps import HOLDER_USD, LANES, drawn, run, without_rounds
from test_miner_perp_by_hand import BUSY, wild

from simulator.instruments.miner_perp.state import Observed
from simulator.instruments.miner_perp.terms import FreezeTerms, MinerPerpTerms

OPENS = np.arange(61) % 7 < 5


# paths side by side are frozen on other days each, or all on the same
FREEZING = BUSY.model_copy(update={"freeze": FreezeTerms(hazard=5.0, days=4)})


@pytest.mark.parametrize(("perp", "frozen"), [(FREEZING, None), (BUSY, slice(20, 25))])
def test_kernel__on_wild_paths__does_what_the_loop_does(
    perp: MinerPerpTerms, frozen: slice | None
) -> None:
    prices = wild(LANES, 60, 0.07)
    paths, record = run(perp, prices, opens=OPENS, record=True, frozen=frozen)
    drivers = drawn(perp, prices, OPENS)
    if frozen is not None:
        drivers = without_rounds(drivers, frozen)
    for k in range(24):
        oracle = Oracle(perp, drivers.lane(k), HOLDER_USD)
        oracle.play()
        last = record.observed[-1, k]
        found = [
            last[c] for c in (Observed.POOL, Observed.INSURANCE, Observed.BAD_DEBT, Observed.CUT)
        ]
        expected = [oracle.pool, oracle.fund, oracle.debt, oracle.cut]
        assert found == pytest.approx(expected, rel=1e-7, abs=1e-4)
        for name, values in oracle.values.items():
            assert paths[name].mark["usd"][1:, k] == pytest.approx(values[1:], rel=1e-7, abs=1e-4)
