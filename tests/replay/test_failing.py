"""What a failing path leaves behind as calls: shrunk where a sound contract tells what must be."""

from __future__ import annotations

from runpy import run_path

import pytest
from paths import BUSY, replay

from simulator.chain import Artifact, Contract
from simulator.errors import ReconciliationFailed, TransactionReverted
from simulator.instruments.gold_vault.player import GoldVaultPlayer
from simulator.replay import Evidence
from simulator.replay.bare import Act, play
from simulator.replay.beside import _about
from simulator.replay.export import write_test
from simulator.replay.failing import NotTellable, failure_of
from simulator.replay.shrink import fewest

SHORT = (*BUSY, "horizon_days=30")


def test_fewest__three_of_a_hundred_needed__leaves_those_three() -> None:
    needed, asked = {3, 40, 97}, []

    def fails(items) -> bool:
        asked.append(1)
        return needed <= set(items)

    assert fewest(range(100), fails) == [3, 40, 97]
    assert len(asked) < 100  # one by one it takes a hundred


def test_fewest__either_of_two__leaves_one() -> None:
    assert fewest("axbx", lambda items: "x" in items) == ["x"]


def test_fewest__needed_only_by_what_goes_later__goes_too() -> None:
    """`a` needs `b`, and only `x` is needed: once `a` has gone, `b` may."""
    assert fewest("abx", lambda items: "x" in items and ("a" not in items or "b" in items)) == ["x"]


def test_fewest__nothing_needed__leaves_nothing() -> None:
    assert fewest(range(7), lambda items: True) == []


def test_wrong_model__exported__with_the_models_figure_and_what_it_needs(
    monkeypatch, tmp_path
) -> None:
    """Model and chain agreed; with 1 % on top the bounds lie 1 % above what the chain answers.

    On the first day entering the pool alone moves the price: nobody needs the lending market.
    """
    sound = GoldVaultPlayer.expected

    def expected(self, step):
        values = dict(sound(self, step))
        return values | {"share_price": values["share_price"] * 1.01}

    monkeypatch.setattr(GoldVaultPlayer, "expected", expected)
    evidence = Evidence()
    replay(None, 3, *SHORT, evidence=evidence)
    failure = failure_of(evidence, None, {})
    created = {act.code for act in failure.acts if act.code}
    assert {"gold_vault", "gold_pool"} <= created
    assert "lending_market" not in created
    assert play(failure.played, failure.codes, failure.view) == play(
        failure.acts, failure.codes, failure.view
    )
    assert "step 0: gold_vault.share_price is " in failure.why
    (least,), (most,) = failure.least, failure.most
    (answer,) = play(failure.acts, failure.codes, failure.view)
    assert least < answer * 101 // 100 < most
    assert most - least < 10**18  # of 10^27 for one token
    write_test(tmp_path / "test_it.py", failure)
    with pytest.raises(AssertionError, match=", must be "):
        run_path(str(tmp_path / "test_it.py"))["test_answer_is_as_it_must_be"]()


def test_call_that_reverts__nothing_sound_beside__ends_the_test(monkeypatch, tmp_path) -> None:
    """A stranger may not pause a vault: the contract is right, and nothing may be left out."""
    sound = GoldVaultPlayer._accrual

    def accrual(self, act):
        return [*sound(self, act), self._vault.call("pause", sender=self._stage.roles.stranger)]

    monkeypatch.setattr(GoldVaultPlayer, "_accrual", accrual)
    evidence = Evidence()
    with pytest.raises(TransactionReverted) as raised:
        replay(None, 3, *SHORT, evidence=evidence)
    failure = failure_of(evidence, raised.value, {})
    assert failure.view is None
    assert failure.acts == failure.played
    write_test(tmp_path / "test_it.py", failure)
    with pytest.raises(AssertionError, match="reverted: "):
        run_path(str(tmp_path / "test_it.py"))["test_last_call_succeeds"]()


def test_set_up_that_reverts__is_refused(monkeypatch) -> None:
    sound = GoldVaultPlayer._gold
    monkeypatch.setattr(GoldVaultPlayer, "_gold", lambda self, ounces: sound(self, ounces * 1e9))
    evidence = Evidence()
    with pytest.raises(TransactionReverted) as raised:
        replay(None, 3, *SHORT, evidence=evidence)
    with pytest.raises(NotTellable, match="before step 0"):
        failure_of(evidence, raised.value, {})


def test_decision_that_no_read_tells__is_refused(monkeypatch) -> None:
    def disagree(self, step, answers):
        raise ReconciliationFailed("step 0: cohort 0 is liquidatable on chain")

    monkeypatch.setattr(GoldVaultPlayer, "check_decisions", disagree)
    evidence = Evidence()
    with pytest.raises(ReconciliationFailed) as raised:
        replay(None, 3, *SHORT, evidence=evidence)
    with pytest.raises(NotTellable, match="the packaged contracts answer the same"):
        failure_of(evidence, raised.value, {})


def test_what_a_contract_is_asked__changes_nothing() -> None:
    """A claim returns a number too; asked like a view it would be done, and stay done."""
    whole = {"type": "function", "inputs": [], "outputs": [{"name": "", "type": "uint256"}]}
    abi = [
        {**whole, "name": "price", "stateMutability": "view"},
        {**whole, "name": "claim_withdraw", "stateMutability": "nonpayable"},
    ]
    pool = Contract(Artifact("pool", abi, b"", 0, "", ""), "0x" + "aa" * 20)
    act = Act(0, 1, "0x" + "a1" * 20, pool.address, "", 100_000)
    asked = [read.data for read in _about(act, pool)]
    assert asked == [pool.call("price").data.hex()]
