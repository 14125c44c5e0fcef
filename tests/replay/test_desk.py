"""Portfolios on the chain: tokens traded at the desk, stops filled on the step after."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from paths import casts, differing

from simulator.chain import AnvilChain, Artifact, Chain, RevmChain
from simulator.chain.compile import compile_patched
from simulator.errors import ChainUnavailable, ReconciliationFailed, TransactionReverted
from simulator.instruments.stage import Actor
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.replay import Replay, play
from simulator.replay.desk import DeskPlayer
from simulator.replay.select import desk_plan
from simulator.scenario import load_scenario
from simulator.units import midnight_timestamp

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
WILD = (
    "horizon_days=150",
    "market.assets.gold.volatility=0.5",
    "market.assets.silver.volatility=0.8",
    "instruments.silver_token={preset: xaut, sale_spread_bps: 35}",
    "instruments.bills={kind: holding, what: gold_etf}",
    "investors.bold={capital_usd: 80000, weights: {gold_token: 0.4, silver_token: 0.5, "
    "bills: 0.1}, rebalance: {every_days: 20, band: 0.1}, trading_cost_bps: 5, "
    "stop_loss: {holding: 0.1, portfolio: 0.2, reenter_after_days: 9, parked_in: bills}}",
    "investors.calm={capital_usd: 50000, weights: {gold_token: 0.7, bills: 0.3}, "
    "rebalance: {every_days: 7}, stop_loss: {holding: 0.15, measured_from: entry}, "
    "flows: [{usd: 400, first_day: 11, every_days: 11}, {usd: -9000, first_day: 60}]}",
)
PATHS = range(4)


class Cast:
    """One path's tokens and desk, without the vault, which has tests of its own."""

    def __init__(self, path: int, *overrides: str) -> None:
        loaded = load_scenario("gold-vault-sober", overrides=(*WILD, *overrides))
        self.scenario = loaded.scenario
        spec = market_spec(self.scenario, loaded.calibration)
        world = simulate_block(self.scenario, spec, 0, 128, record=True)
        found = casts(self.scenario, world, path)
        plan = desk_plan(found, world, path)
        self.accounts, self.desk = plan.accounts, DeskPlayer(plan)
        tokens = [Actor(name, found[name].player) for name in ("gold_token", "silver_token")]
        self.actors = [*tokens, Actor("desk", self.desk)]

    def replay(
        self, chain: Chain | None = None, patched: Mapping[str, Artifact] | None = None
    ) -> Replay:
        start = self.scenario.start
        on = chain or RevmChain(midnight_timestamp(start))
        days = self.scenario.horizon_days
        return play(on, self.actors, start, days, "desk", 0, patched=patched)


@pytest.mark.parametrize("path", PATHS)
def test_portfolios__on_the_chain__hold_the_same_tokens_and_dollars(path: int) -> None:
    found = Cast(path).replay()
    assert found.ok, found.observables
    assert {item.name for item in found.observables if item.instrument == "desk"} == {
        "bold.gold_token.tokens",
        "bold.silver_token.tokens",
        "calm.gold_token.tokens",
        "bold.desk_usd",
        "calm.desk_usd",
        "bold.on_chain_usd",
        "calm.on_chain_usd",
    }


def test_paths__contain_what_they_are_there_for() -> None:
    """Guards the test above: stops by touch and by the whole, re-entries, moves, both ways."""
    casts = [Cast(path) for path in PATHS]
    accounts = [account for cast in casts for account in cast.accounts]
    touches = sum(a.touches(step) for a in accounts for step in range(150))
    assert touches > 5
    out = [np.any((a.units[:-1] <= 0) & (a.units[1:] > 0)) for a in accounts]
    assert sum(out) > 3
    assert sum(np.any(a.bought[1:] > 0) and np.any(a.sold > 0) for a in accounts) > 6
    levels = [np.count_nonzero(np.diff(a.level[a.level > 0])) for a in accounts]
    assert min(levels) >= 0
    assert max(levels) > 5
    alone = [np.any(a.sold[1:][~_touched(a)[:-1]] == a.units[:-1][~_touched(a)[:-1]])
             for a in accounts]  # fmt: skip
    assert any(alone)


def _touched(account) -> np.ndarray:
    return np.array([account.touches(step) for step in range(account.units.size)])


def test_stop__in_the_model__fills_at_the_step_and_price_of_the_chain() -> None:
    """Each fill of a stop is found among the desk's events: same day, amount, price."""
    cast = Cast(0)
    receipts = []
    chain = RevmChain(midnight_timestamp(cast.scenario.start))
    block = chain.block
    chain.block = lambda *args: receipts.append(block(*args)) or receipts[-1]
    cast.replay(chain)
    desk, contracts = cast.desk._desk, cast.desk._stage.contracts
    start = midnight_timestamp(cast.scenario.start)
    fills = [
        ((receipt.timestamp - start) // 86_400, fields)
        for batch in receipts
        for receipt in batch
        for name, fields in desk.events(receipt)
        if name == "StopExecuted"
    ]
    expected = [
        (step + 1, account)
        for account in cast.accounts
        for step in range(150)
        if account.touches(step)
    ]
    assert len(fills) == len(expected) > 0
    for step, fields in fills:
        (account,) = [
            a for day, a in expected
            if day == step and fields["token"] == contracts[a.token, "token"].address
            and abs(_leaving(a, day) - fields["amount"] / 10**a.decimals) < 1e-5
        ]  # fmt: skip
        bid = account.token_usd[step] * (1 - account.quote.spread_bps / 1e4)
        assert fields["price"] / 1e18 == pytest.approx(bid, rel=1e-14)


def _leaving(account, day: int) -> float:
    """Return what is sold on a day: on the last one, all that is left."""
    last = day == account.units.size - 1
    return float(account.units[day] if last else account.sold[day])


@pytest.fixture(scope="module")
def node():
    start = midnight_timestamp(load_scenario("gold-vault-sober").scenario.start)
    try:
        with AnvilChain(start) as chain:
            yield chain
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def test_portfolios__on_anvil__show_the_same_numbers_as_in_process(node) -> None:
    fresh = node.snapshot()
    on_anvil = Cast(0).replay(node)
    node.revert(fresh)
    in_process = Cast(0).replay()
    assert on_anvil.ok, on_anvil.observables
    assert on_anvil.series.equals(in_process.series)


def test_token_that_becomes_worthless__is_kept_and_agrees() -> None:
    found = Cast(1, "instruments.gold_token.shortfall_hazard=9").replay()
    assert found.ok, found.observables


def test_broken_desk__without_its_spread__differs() -> None:
    edit = ("desk.vy", "_BPS - listing.spread_bps", "_BPS")
    patched = {"desk": compile_patched(CONTRACTS / "desk.vy", edit)}
    assert "desk.bold.desk_usd" in differing(Cast(0).replay(patched=patched))


def test_broken_desk__that_sees_stops_late__is_noticed() -> None:
    edit = ("desk.vy", "self._answer(price_feed, latest) <= order.trigger", "False")
    patched = {"desk": compile_patched(CONTRACTS / "desk.vy", edit)}
    with pytest.raises(ReconciliationFailed, match="not touched on chain"):
        Cast(0).replay(patched=patched)


def test_broken_model__that_fills_on_the_touch__reverts_on_the_chain() -> None:
    """The keeper of a model that filled stops at once would find no round after the touch."""
    cast = Cast(0)
    account = next(a for a in cast.accounts if any(a.touches(step) for step in range(149)))
    step = next(step for step in range(149) if account.touches(step))
    for array in (account.sold, account.units, account.level):
        array.setflags(write=True)
    account.sold[step], account.sold[step + 1] = account.sold[step + 1], 0.0
    account.units[step] = 0.0
    try:
        found = cast.replay()
    except TransactionReverted:
        return
    assert not found.ok
