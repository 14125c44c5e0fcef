"""The tool itself: its chain does what revm does, and it tells which lines and branches ran."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest
from props import deploy, refused, send

pytest.importorskip("eth")
pytest.importorskip("vyper")

import line_coverage
from line_coverage import Found, Place, enter
from traced_chain import TracedChain, TracedComputation

from simulator.chain import Chain, Contract, RevmChain
from simulator.errors import TransactionReverted

START = 1_735_689_600
FEED = "contracts/price_feed.vy"


def use(chain: Chain, roles: SimpleNamespace) -> list[object]:
    """Use a price feed: a refusal, an answer, a reading. Return all that the chain told."""
    feed: Contract = deploy(chain, "price_feed", 8, "XAU / USD", roles.keeper, sender=roles.owner)
    told: list[object] = [feed.address, chain.code_size(feed.address), chain.timestamp()]
    empty = chain.snapshot()
    with pytest.raises(TransactionReverted) as caught:
        send(chain, feed, "update_answer", 1, sender=roles.intruder)
    told.append(caught.value.reason)
    receipt = send(chain, feed, "update_answer", 4_000, sender=roles.keeper)
    told += [feed.events(receipt), receipt.timestamp, feed.read(chain, "latestRoundData")]
    chain.revert(empty)
    with refused("price_feed: no data"):
        feed.read(chain, "latestRoundData")
    return told


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No steps but this test's; those of the session come back after it."""
    monkeypatch.setattr(TracedComputation, "steps", defaultdict(set))


@pytest.mark.usefixtures("fresh")
def test_traced_chain__tells_what_revm_tells(roles: SimpleNamespace):
    assert use(TracedChain(START), roles) == use(RevmChain(START), roles)


@pytest.mark.usefixtures("fresh")
def test_enter__knows_what_ran_and_which_way(roles: SimpleNamespace):
    use(TracedChain(START), roles)
    files: dict[str, Found] = defaultdict(Found)
    enter(files, "price_feed", TracedComputation.steps)
    found = files[FEED]
    run = {place.line for place in found.run}
    silent = {place.line for place in found.silent()}
    assert "log ModeSet(mode=new_mode)" in silent
    assert any(line.startswith("log IAggregatorV3.AnswerUpdated(") for line in run)
    assert not any("caller is not the keeper" in place.line for place in found.one_way())


def report(
    monkeypatch: pytest.MonkeyPatch, tmp_path, listed: str, ways: set[bool], runs: bool
) -> int:
    path = tmp_path / "uncovered.toml"
    entry = f'[[uncovered]]\nfile = "a.vy"\nfunction = "f"\nline = "{listed}"\nreason = "r"\n'
    path.write_text(entry if listed else "")
    monkeypatch.setattr(line_coverage, "UNCOVERED", path)
    place = Place("a.vy", 1, 4, "f", "assert a")
    found = Found({place}, {place} if runs else set(), {place}, defaultdict(set, {place: ways}))
    return line_coverage.report({"a.vy": found})


@pytest.mark.parametrize(
    ("listed", "ways", "runs", "code"),
    [
        ("", {True, False}, True, 0),
        ("", {True}, True, 1),
        ("assert a", {True}, True, 0),
        ("", set(), False, 1),
        ("assert a", set(), False, 0),
        ("assert a", {True, False}, True, 1),
        ("assert b", {True}, True, 1),
    ],
)
def test_report__passes_only_where_the_list_says_all_that_is_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path, listed: str, ways: set[bool], runs: bool, code: int
):
    assert report(monkeypatch, tmp_path, listed, ways, runs) == code


def test_tests__are_those_on_the_sessions_chain():
    files = line_coverage.tests()
    assert any(file.endswith("test_desk.py") for file in files)
    assert not any("stateful" in file or "replay" in file for file in files)
