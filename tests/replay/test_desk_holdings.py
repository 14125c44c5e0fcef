"""Vault shares and mining tokens of portfolios on the chain: raise, stake, sales, profit, stops."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from paths import casts, differing, player_of, rows

from simulator.chain import AnvilChain, Artifact, Chain, RevmChain
from simulator.chain.compile import compile_patched
from simulator.errors import ChainUnavailable, ReconciliationFailed, TransactionReverted
from simulator.instruments.custody import DeskAccount
from simulator.instruments.gold_vault.custody import recall_step
from simulator.instruments.stage import Accounts, Actor
from simulator.investors.world import World, simulate_block
from simulator.market.build import market_spec
from simulator.replay import Replay, play, players
from simulator.replay.desk import DeskPlan
from simulator.replay.select import desk_plan
from simulator.scenario import Scenario, load_scenario
from simulator.units import LANES, midnight_timestamp

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
DAYS = 160
STO = "instruments.producing_sto."
PLAYED = {"gold_token", "silver_token", "gold_pool", "gold_vault", "producing_sto", "desk"}
"""Of the mines only this one; the others, staking and cover have tests of their own."""

EAGER = (
    f"horizon_days={DAYS}",
    "market.assets.gold.volatility=0.6",
    f"{STO}compliance.lockup_days=20",
    "investors.stable={capital_usd: 300000, weights: {gold_vault: 0.3, producing_sto: 0.4, "
    "bills: 0.3}, rebalance: {every_days: 13, band: 0.1}, trading_cost_bps: 5, "
    "stop_loss: {holding: 0.1, reenter_after_days: 9, parked_in: bills}, "
    "flows: [{usd: 900, first_day: 4, every_days: 5}]}",
    "investors.aggressive={capital_usd: 90000, weights: {gold_vault: 0.5, producing_sto: 0.4, "
    "bills: 0.1}, rebalance: {every_days: 7}, "
    "flows: [{usd: 400, first_day: 3, every_days: 11}, {usd: -9000, first_day: 90}]}",
    "investors.aggressive_without_stop={capital_usd: 5000, weights: {bills: 1}}",
    "investors.conservative={capital_usd: 5000, weights: {bills: 1}}",
)
SHORT = "horizon_days=60"
PATHS = (0, 3)
"""On both the raise succeeds, and its last buyers come late."""


@cache
def block(*overrides: str) -> tuple[Scenario, object, World]:
    loaded = load_scenario("hard-assets-2026", overrides=(*EAGER, *overrides))
    spec = market_spec(loaded.scenario, loaded.calibration)
    return loaded.scenario, spec, simulate_block(loaded.scenario, spec, 0, LANES, record=True)


def planned(path: int, *overrides: str) -> DeskPlan:
    scenario, _, world = block(*overrides)
    return desk_plan(casts(scenario, world, path), world, path)


def replay(
    path: int,
    *overrides: str,
    chain: Chain | None = None,
    patched: Mapping[str, Artifact] | None = None,
) -> Replay:
    scenario, spec, _ = block(*overrides)
    cast = played(scenario, spec, path)
    chain = chain or RevmChain(midnight_timestamp(scenario.start))
    days = scenario.horizon_days
    return play(chain, cast, scenario.start, days, "desk", path, patched=patched)


@cache
def unbroken(path: int, *overrides: str) -> Replay:
    """Return a replay in process, played once for all tests that look at it."""
    return replay(path, *overrides)


def played(scenario: Scenario, spec: object, path: int) -> list[Actor]:
    """Return the actors of what is played here."""
    return [actor for actor in players(scenario, spec, path) if actor.label in PLAYED]


def account(path: int, name: str, *overrides: str) -> DeskAccount:
    investor, token = name.split(".")
    found = planned(path, *overrides).accounts
    return next(a for a in found if (a.investor, a.token) == (investor, token))


def last(found: Replay, name: str) -> float:
    """Return what was read of an observable of the desk on the last step."""
    return float(rows(found, "desk", name).chain.iloc[-1])


@pytest.mark.parametrize("path", PATHS)
def test_shares_and_mining_tokens__on_the_chain__agree(path: int) -> None:
    found = unbroken(path)
    assert found.ok, differing(found)
    names = {item.name for item in found.observables if item.instrument == "desk"}
    own = {"gold_vault.tokens", "gold_vault.gold", "gold_vault.rewards"}
    own |= {"producing_sto.tokens", "producing_sto.received", "desk_usd", "on_chain_usd"}
    assert names == {f"{who}.{what}" for who in ("stable", "aggressive") for what in own}
    assert last(found, "aggressive.gold_vault.rewards") > 10
    assert last(found, "aggressive.producing_sto.received") > 100
    assert found.notes == ()


FALL = "market.stablecoin={day: 91, low: 0.6, recovers_days: 5, lasting_loss: 0.1}"


def test_usdc_at_60_cents__is_what_trades_of_that_day_are_paid_in() -> None:
    """On day 91 one portfolio rebalances: it takes 1 / 0.6 USDC for each dollar, and so on."""
    found = replay(0, FALL)
    assert found.ok, differing(found)
    plan = planned(0, FALL)
    (kept,) = (a for a in plan.accounts if (a.investor, a.token) == ("aggressive", "gold_vault"))
    traded = kept.sold[91] * kept.quote.bids[91] - kept.bought[91] * kept.token_usd[91]
    assert abs(traded) > 10.0
    paid, at_par = kept.paid(plan.usdc), kept.paid()
    np.testing.assert_allclose(paid[:91], at_par[:91], rtol=1e-12)
    dollars = at_par[91] - at_par[90]
    np.testing.assert_allclose(paid[91] - paid[90], dollars / 0.6, rtol=1e-9)


def test_usdc_at_60_cents__a_desk_that_takes_it_for_a_dollar__differs() -> None:
    edit = ("desk.vy", "if usdc_feed == empty(address):", "if True:")
    patched = {"desk": compile_patched(CONTRACTS / "desk.vy", edit)}
    assert "desk.aggressive.desk_usd" in differing(replay(0, FALL, patched=patched))


def test_paths__contain_what_they_are_there_for() -> None:
    """Guards the test above: raise, purchases and sales at the desk, stops that wait, and fill."""
    mines = [account(path, "stable.producing_sto") for path in PATHS]
    vaults = [account(path, "stable.gold_vault") for path in PATHS]
    for mine in mines:
        held = mine.units
        assert 100_000 < held[0] < held[29]  # paid for on the first day, and later in the raise
        assert not mine.bought[:30].any()
        assert not mine.sold[:50].any()  # 30 days of raise, 20 of lock-up
    touched = [[step for step in range(DAYS) if a.touches(step)] for a in (*mines, *vaults)]
    assert any(30 <= step < 49 for steps in touched[:2] for step in steps)
    assert any(mine.sold[50] == mine.units[49] > 0 for mine in mines)
    assert any(steps for steps in touched[2:])
    for what in ("gold_vault", "producing_sto"):
        kept = [account(path, f"aggressive.{what}") for path in PATHS]
        assert all(((a.sold > 0) & (a.units > 0)).sum() > 3 for a in kept)
        assert all((a.bought[31:] > 0).sum() > 3 for a in kept)


@pytest.mark.parametrize("who", ["stable", "aggressive"])
def test_chain__tokens_at_their_prices__are_that_part_of_the_net_asset_value(who: str) -> None:
    """What was read from the chain alone, against the portfolio's own values."""
    found = unbroken(0)
    on_chain = rows(found, "desk", f"{who}.on_chain_usd").chain
    _, _, world = block()
    held = world.investors[who].portfolio
    parts = [held.holdings.index(name) for name in ("gold_vault", "producing_sto")]
    expected = held.values[parts, :-1, 0].sum(axis=0)
    assert on_chain.to_numpy()[:-1] == pytest.approx(expected, abs=1e-3)
    assert on_chain.iloc[-1] == 0.0  # all of it was sold
    bills = held.values[held.holdings.index("bills"), :-1, 0]
    whole = expected + bills + held.cash[:-1, 0]
    assert whole == pytest.approx(world.investors[who].holding.mark["usd"][:-1, 0], rel=1e-9)


def test_raise_that_fails__everybody_gets_back_what_he_paid() -> None:
    few = (f"{STO}sale.demand_usd=2000000", SHORT)
    found = replay(0, *few)
    assert found.ok, differing(found)
    (paid,) = [
        custody._offering.paid_in["stable"]
        for name, custody in planned(0, *few).custodies.items()
        if name == "producing_sto"
    ]
    assert last(found, "stable.producing_sto.received") == pytest.approx(paid.sum(), abs=1e-5)
    assert paid.sum() > 120_000
    assert last(found, "stable.producing_sto.tokens") == 0.0


def test_tokens_locked_beyond_the_end__stay_with_the_investor() -> None:
    locked = (f"{STO}compliance.lockup_days=1000", SHORT)
    found = replay(0, *locked)
    assert found.ok, differing(found)
    kept = last(found, "stable.producing_sto.tokens")
    assert kept == pytest.approx(account(0, "stable.producing_sto", *locked).units[-1], abs=1e-4)
    assert last(found, "stable.on_chain_usd") > 0.5 * kept


def test_crowd_that_runs__takes_the_shares_back_and_says_so() -> None:
    run = ("instruments.gold_vault.exploit_hazard=6", "horizon_days=130")
    found = replay(0, *run)
    assert found.ok, differing(found)
    (note,) = found.notes
    assert "shares of gold_vault are a position of the model alone (stable, aggressive)" in note
    tokens = rows(found, "desk", "aggressive.gold_vault.tokens").chain
    assert tokens.iloc[0] > 0.0
    assert tokens.iloc[-1] == 0.0


def test_recall__compares_what_is_left_with_what_was_held_the_day_before() -> None:
    assert recall_step(np.array([10.0, 9.0, 5.0]), np.array([3.0, 3.0, 3.0])) is None
    assert recall_step(np.array([10.0, 2.9, 5.0]), np.array([3.0, 3.0, 3.0])) == 1
    assert recall_step(np.array([10.0, 2.9, 5.0]), np.array([3.0, 1.0, 1.0])) == 1
    assert recall_step(np.array([10.0, 9.0, 2.0]), np.array([3.0, 1.0, 1.0])) is None


def test_crowd_too_small__leaves_the_tokens_off_the_desk_and_says_so() -> None:
    few = (f"{STO}sale.demand_usd=20000", "horizon_days=40")
    plan = planned(0, *few)
    assert {a.token for a in plan.accounts} == {"gold_vault"}
    assert plan.notes[0].startswith("producing_sto is a position of the model alone")
    assert replay(0, *few).ok


def test_staked_tokens__are_a_position_of_the_model_alone_and_said_to_be() -> None:
    staked = (
        "horizon_days=40",
        "investors.conservative={capital_usd: 5000, weights: {producing_staking: 1}}",
    )
    (note,) = planned(0, *staked).notes
    assert note.startswith("conservative holds a part of producing_staking, which cannot be")
    assert "conservative" not in {a.investor for a in planned(0, *staked).accounts}
    assert replay(0, *staked).notes == (note,)


def test_every_portfolio__has_an_account_and_none_is_left_out() -> None:
    plan = planned(0, SHORT)
    assert plan.notes == ()
    assert {a.investor for a in plan.accounts} == {"stable", "aggressive"}


def test_more_actors_than_accounts__are_refused_with_the_number_of_accounts() -> None:
    """Each (label, role) has an account of its own, of the 512 that there are."""
    accounts = Accounts()
    dealt = {accounts.of(f"label {n}", "depositor") for n in range(512)}
    assert len(dealt) == 512
    assert accounts.of("label 0", "depositor") in dealt
    with pytest.raises(ChainUnavailable, match="the stage has 512 accounts; this scenario needs"):
        accounts.of("label 512", "depositor")


@pytest.fixture
def node() -> Iterator[AnvilChain]:
    try:
        with AnvilChain(midnight_timestamp(block(SHORT)[0].start)) as chain:
            yield chain
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


def test_on_anvil__the_numbers_are_those_in_process__and_gas_is_that_of_transactions(
    node: AnvilChain,
) -> None:
    on_anvil, in_process = replay(0, SHORT, chain=node), unbroken(0, SHORT)
    assert on_anvil.ok, differing(on_anvil)
    assert on_anvil.series.equals(in_process.series)
    used = on_anvil.holder_gas
    assert 21_000 < used["desk", "order"] < used["desk", "buy"] < 400_000
    assert 21_000 < used["desk", "sell"] < 400_000


# -- broken contracts


def broken(name: str, *edit: str) -> dict[str, Artifact]:
    return {name: compile_patched(CONTRACTS / f"{name}.vy", edit)}


def test_broken_desk__that_buys_at_the_price__differs() -> None:
    patched = broken("desk", "desk.vy", "self._open_price(listing.bid_feed)", "mid")
    assert "desk.aggressive.desk_usd" in differing(replay(0, patched=patched))


def test_broken_token__whose_transfers_carry_profit_along__differs() -> None:
    old, new = (f"_corrections[receiver] {sign}= moved" for sign in "-+")
    patched = broken("mining_sto", "modules/dividend_stream.vy", old, new)
    assert "desk.aggressive.producing_sto.received" in differing(replay(0, patched=patched))


def test_broken_stake__that_forgets_a_withdrawal__differs() -> None:
    less = "self.totalSupply -= amount"
    old = f"self._update_reward(account)\n    {less}"
    patched = broken("staking_rewards", "staking_rewards.vy", old, less)
    assert "desk.aggressive.gold_vault.rewards" in differing(replay(0, patched=patched))


def test_broken_compliance__without_its_lock_up__is_noticed() -> None:
    patched = broken("compliance", "compliance.vy", "self._is_locked(sender, amount)", "False")
    with pytest.raises(ReconciliationFailed, match="is free on chain, and not in the model"):
        replay(0, patched=patched)


def test_broken_model__that_sells_locked_tokens__reverts_on_the_chain() -> None:
    scenario, spec, _ = block()
    cast = played(scenario, spec, 0)
    mine = next(a for a in player_of(cast, "desk")._accounts if a.token == "producing_sto")
    mine.sold[40] = 100.0
    chain = RevmChain(midnight_timestamp(scenario.start))
    with pytest.raises(TransactionReverted, match=r"step 40: .*tokens are locked up"):
        play(chain, cast, scenario.start, scenario.horizon_days, "desk", 0)
