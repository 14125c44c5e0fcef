"""The loans' kernel against a plain loop over days, on wild and on calm paths."""

from __future__ import annotations

import numpy as np
import pytest
from loan_oracle import Oracle
from loans import HOLDER, LABEL, drawn, run, terms

from simulator.instruments.checks import faults_of
from simulator.instruments.token_loan.gas import HOLDER_GAS
from simulator.instruments.token_loan.paths import Wanted
from simulator.instruments.token_loan.state import Outcome
from simulator.market.events import NEVER
from simulator.units import LANES

STEPS = 120
USD_PER_GAS = 3e-6
WIDTH = 2 * LANES
PATHS = range(0, WIDTH, 11)
"""Of a block of two rows of lanes that are compared; the others have prices too."""

LOANS = {
    "low": {"ltv": 0.5},
    "high": {"ltv": 0.7, "capital_usd": 30_000.0},
    "lends": {
        "ltv": 0.6,
        "capital_usd": 50_000.0,
        "loop": False,
        "deployed": {"rate": 0.1, "hazard": 1.0, "loss": 0.7},
    },
}


def _walk(random: np.random.Generator, daily: float, jump: float) -> np.ndarray:
    """Return prices of shape (STEPS + 1, WIDTH), some with one fall by `jump`."""
    moves = random.normal(0.0, daily, (STEPS + 1, WIDTH))
    moves[0] = 0.0
    moves[random.integers(1, STEPS, WIDTH), np.arange(WIDTH)] += np.log(1.0 - jump)
    return np.round(4_000.0 * np.exp(np.cumsum(moves, axis=0)), 8)


@pytest.mark.parametrize(
    ("daily", "jump", "late", "decimals"),
    [(0.01, 0.0, 0, 18), (0.03, 0.35, 0, 6), (0.05, 0.3, 3, 18), (0.02, 0.99, 1, 18)],
)
def test_kernel__is_the_plain_loop(daily: float, jump: float, late: int, decimals: int) -> None:
    random = np.random.default_rng(int(1e4 * daily))
    token, gap = _walk(random, daily, jump), random.normal(0.0, 0.02, (STEPS + 1, WIDTH))
    gap[0] = 0.0
    feed, wanted = token * np.exp(gap), random.uniform(0.3, 0.97, (STEPS + 1, WIDTH))
    own = terms(
        loans=LOANS,
        keeper_late_days=late,
        swap_spread_bps=20,
        pool__borrow_rate=None,
        pool__slope1=0.06,
        pool__slope2=0.5,
        pool__supplied_usd=600_000.0,
    )
    drivers = drawn(own, token, metal=token / 1.01, feed=feed, utilisation=wanted, fails=NEVER)
    drivers.fails[2, ::3] = 40
    names = own.names(LABEL)
    wanted_too = Wanted(days=frozenset(names))
    paths, record = run(own, drivers, usd_per_gas=USD_PER_GAS, decimals=decimals, wanted=wanted_too)
    gas = {act: used * USD_PER_GAS for act, used in HOLDER_GAS.items()}
    units = 10.0 ** min(decimals, 12)
    for k in PATHS:
        plain = Oracle(own, HOLDER, units, gas)
        columns = (array[:, k].tolist() for array in (feed, token, wanted))
        plain.run(*columns, drivers.fails[:, k].tolist())
        for i, loan in enumerate(plain.loans):
            found = paths[names[1 + i]]
            np.testing.assert_allclose(found.mark["usd"][:, k], loan["worth"], rtol=1e-9, atol=1e-6)
            left = found.exit["usd"][:-1, k]
            np.testing.assert_allclose(left, loan["exit"][:-1], rtol=1e-9, atol=1e-6)
            assert record.outcomes[i, Outcome.STEP, k] == loan["closed"]
            last = found.exit["usd"][-1, k]
            assert last == pytest.approx(loan["exit"][-1], rel=1e-9, abs=1e-5)
        lender = paths[names[0]]
        held = lender.mark["usd"][1:, k] + gas["supply"]
        np.testing.assert_allclose(held, plain.supplier[1:], rtol=1e-9)
        assert lender.details["bad_debt_usd"][-1, k] == pytest.approx(plain.bad, rel=1e-9, abs=1e-5)
        assert lender.further["insolvent_usd"][-1, k] >= lender.details["bad_debt_usd"][-1, k]
        got = lender.details["liquidator_usd"][-1, k]
        assert got == pytest.approx(plain.dollars_gained, rel=1e-9, abs=1e-5)
        assert lender.attribution["usd"][1, k] == pytest.approx(-plain.lost, rel=1e-9, abs=1e-7)
    assert [fault for one in paths.values() for fault in faults_of(one)] == []
    closed = (record.outcomes[:, Outcome.STEP] > 0.0).mean()
    assert closed > 0.5 if jump else closed > 0.05
    if jump > 0.3:
        assert (record.outcomes[:, Outcome.BAD_DEBT] > 0.0).sum() > 5
