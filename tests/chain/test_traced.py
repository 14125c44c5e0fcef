"""Calls seen from inside: slots and lines of contracts small enough to work out by hand."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from handmade import COUNTER, poke

from simulator.chain import RevmChain
from simulator.chain.source_map import SourceMap
from simulator.errors import ChainUnavailable

pytest.importorskip("vyper")
pytest.importorskip("eth")

from simulator.chain.compile import compile_source
from simulator.chain.traced import Ran, Tracer, require_py_evm

START = 1_735_689_600
KEPT = """# pragma version 0.4.3
struct Loan:
    owed: uint256
    due: int128

interface Other:
    def poke(amount: uint256) -> uint256: nonpayable

loans: HashMap[address, Loan]
seen: HashMap[address, HashMap[bytes32, bool]]
queue: DynArray[address, 4]
rates: int256[3]
name: String[40]
total: uint256
other: Other

@deploy
def __init__(other: address):
    self.other = Other(other)

@external
def keep(who: address, what: bytes32):
    self.loans[who] = Loan(owed=7, due=-3)
    self.seen[who][what] = True
    self.queue.append(who)
    self.rates[2] = -5
    self.name = "short"

@external
def take(amount: uint256):
    self.total -= amount

@external
def pass_on(amount: uint256) -> uint256:
    self.total = 9
    return extcall self.other.poke(amount)
"""
POKED = """# pragma version 0.4.3
count: public(uint256)

@external
def poke(amount: uint256) -> uint256:
    self.count += amount
    assert (
        amount < 10
    ), "poked: too hard"
    return amount * 2
"""
LINE = {text.strip(): number for number, text in enumerate(KEPT.splitlines(), start=1)}


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    folder = tmp_path_factory.mktemp("contracts")
    for name, text in (("kept", KEPT), ("poked", POKED)):
        (folder / f"{name}.vy").write_text(text)
    return SimpleNamespace(
        kept=compile_source(folder / "kept.vy"),
        poked=compile_source(folder / "poked.vy"),
        folder=folder.name,
    )


@pytest.fixture
def stage(artifacts: SimpleNamespace, roles: SimpleNamespace) -> SimpleNamespace:
    chain = RevmChain(START)
    poked = chain.deploy(artifacts.poked, [], roles.owner)
    kept = chain.deploy(artifacts.kept, [poked.address], roles.owner)
    chain.send(poked.call("poke", 5, sender=roles.owner))
    tracer = Tracer(chain._evm)
    return SimpleNamespace(kept=kept, poked=poked, tracer=tracer, source=artifacts.kept.source_map)


def run(stage: SimpleNamespace, roles: SimpleNamespace, function: str, *args: object) -> Ran:
    return stage.tracer.run(stage.kept.call(function, *args, sender=roles.keeper), START, 9)


def told(kind: str, word: int) -> str:
    return f"{kind} {word:x}"


def test_slots__of_every_type__are_called_by_their_variables(stage, roles):
    key = b"\x01" * 32
    ran = run(stage, roles, "keep", roles.staker, key)
    source = SourceMap(stage.source)
    found = {
        source.slot(one.slot, stage.tracer.hashed, told): (one.before, one.after)
        for one in ran.writes
    }
    staker = f"address {int(roles.staker, 16):x}"
    text = int.from_bytes(b"short".ljust(32, b"\0"), "big")
    assert found == {
        (f"loans[{staker}].owed", "uint256"): (0, 7),
        (f"loans[{staker}].due", "int128"): (0, 2**256 - 3),
        (f"seen[{staker}][bytes32 {key.hex().lstrip('0')}]", "bool"): (0, 1),
        ("len(queue)", "uint256"): (0, 1),
        ("queue[0]", "address"): (0, int(roles.staker, 16)),
        ("rates[2]", "int256"): (0, 2**256 - 5),
        ("len(name)", "uint256"): (0, 5),
        ("name, word 0", "bytes32"): (0, text),
    }
    assert not any(one.undone for one in ran.writes)


def test_revert_within__names_both_lines_and_undoes_both_writes(stage, roles, artifacts):
    ran = run(stage, roles, "pass_on", 10)
    (inner,) = ran.frame.inner
    assert ran.frame.error == inner.error == "poked: too hard"
    outer_place = SourceMap(stage.source).place(ran.frame.trail)
    inner_place = SourceMap(artifacts.poked.source_map).place(inner.trail)
    text = "return extcall self.other.poke(amount)"
    assert str(outer_place) == f"{artifacts.folder}/kept.vy:{LINE[text]} in pass_on: {text}"
    # the assert goes over three lines, and is told in one
    told = f"{artifacts.folder}/poked.vy:7 in poke: assert ( amount < 10 ), "
    assert str(inner_place) == told + '"poked: too hard"'
    # 5 were poked before the trace, on the other machine
    assert [(w.address, w.before, w.after, w.undone) for w in ran.writes] == [
        (stage.kept.address, 0, 9, True),
        (stage.poked.address, 5, 15, True),
    ]


def test_calls__one_after_the_other__go_on_from_what_stayed(stage, roles):
    run(stage, roles, "pass_on", 10)  # reverts, so nothing of it stays
    ran = run(stage, roles, "pass_on", 4)
    assert int.from_bytes(ran.frame.output, "big") == 8
    assert [(w.before, w.after, w.undone) for w in ran.writes] == [(0, 9, False), (5, 9, False)]
    again = run(stage, roles, "pass_on", 1)
    # the total is written again, and is what it was
    assert [(w.before, w.after) for w in again.writes] == [(9, 10)]


def test_check_of_the_compiler__without_a_reason__is_named(stage, roles):
    ran = run(stage, roles, "take", 1)
    source = SourceMap(stage.source)
    assert ran.frame.error == "no reason given"
    assert source.check(ran.frame.trail[-8:]) == "safesub"
    assert source.place(ran.frame.trail).line == LINE["self.total -= amount"]


def test_gas_runs_out__in_a_call__is_told(stage, roles):
    call = stage.kept.call("keep", roles.staker, b"\0" * 32, sender=roles.keeper, gas=30_000)
    ran = stage.tracer.run(call, START, 9)
    assert ran.frame.error.startswith("all gas used")
    assert ran.frame.gas == 30_000


def test_code_without_a_map__is_run_and_has_no_lines(roles):
    chain = RevmChain(START)
    counter = chain.deploy(COUNTER, [], roles.owner)
    ran = Tracer(chain._evm).run(poke(counter, roles.keeper), START, 9)
    (write,) = ran.writes
    assert (write.before, write.after) == (0, 1)
    assert SourceMap(None).place(ran.frame.trail) is None
    assert SourceMap(None).slot(write.slot, {}, told) == ("slot 0x0", "uint256")


def test_py_evm__not_installed__is_a_line_with_the_remedy(monkeypatch):
    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib.import_module("simulator.chain.traced"), "import_module", fail)
    with pytest.raises(ChainUnavailable, match=r'py-evm is not installed; pip install "assay-sim'):
        require_py_evm()


def test_map__of_the_same_source_elsewhere__is_the_same(tmp_path: Path, artifacts):
    folder = tmp_path / artifacts.folder
    folder.mkdir()
    (folder / "poked.vy").write_text(POKED)
    assert compile_source(folder / "poked.vy").source_map == artifacts.poked.source_map
