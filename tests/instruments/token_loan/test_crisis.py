"""PAXG's weekend over the gold loop, on a chain: loans by the exchange's feed and by gold's."""

from __future__ import annotations

import datetime as dt

import pytest
from paths import differing, rows

from simulator.chain import RevmChain
from simulator.market.build import market_spec
from simulator.replay import play, players
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

SATURDAY = dt.date(2026, 2, 21)
"""The first one after the first Friday that is 30 days from the start, 2026-01-20."""
HEAD = ("horizon_days=45", "instruments.gold_loan_exchange.exchange.spike_hazard=0")


@pytest.fixture(scope="module", params=["paxg-2025-10", "paxg-2025-10-exchange-feed"])
def crisis(request):
    """Return a crisis's name and a path of it, played in process."""
    loaded = load_scenario("gold-loop", overrides=HEAD, crisis=request.param)
    scenario = loaded.scenario
    cast = players(scenario, market_spec(scenario, loaded.calibration), 1)
    chain = RevmChain(midnight_timestamp(scenario.start))
    return request.param, play(chain, cast, scenario.start, scenario.horizon_days, "1", 1)


def closed_on(found, label, loan):
    """Return when a loan left the market on the chain; None where it stayed to the end."""
    locked = rows(found, label, f"{loan}.locked").set_index("step").chain
    gone = locked.index[(locked < 1e-3) & (locked.index < locked.index[-1])]
    return dt.date(2026, 1, 20) + dt.timedelta(days=int(gone[0])) if gone.size else None


def test_weekend__closes_loans_where_the_exchange_is_read_and_none_on_gold(crisis):
    name, found = crisis
    assert found.ok, differing(found)
    own_feed = {loan: closed_on(found, "gold_loan_exchange", loan) for loan in ("ltv_50", "ltv_65")}
    # 0.65 / 0.7815 = 0.83 is beyond 0.75, 0.50 / 0.7815 = 0.64 is not
    assert own_feed == {"ltv_50": None, "ltv_65": SATURDAY}
    on_gold = closed_on(found, "gold_loan", "ltv_65")
    assert on_gold == (SATURDAY if name == "paxg-2025-10-exchange-feed" else None)
