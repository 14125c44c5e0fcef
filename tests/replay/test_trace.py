"""What a step's calls do inside is what the chain says that they did."""

from __future__ import annotations

import json
import re
from dataclasses import replace as changed
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner
from paths import BUSY, replay

from simulator.chain import AnvilChain, Artifact, RevmChain
from simulator.chain.compile import compile_patched
from simulator.chain.contract import interface_of
from simulator.cli import main
from simulator.errors import ChainUnavailable, ReconciliationFailed, TransactionReverted, UsageError
from simulator.replay import Evidence
from simulator.replay.trace import faults_of, trace_step
from simulator.replay.trace_words import trace_lines, trace_object

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
START = 1_768_867_200
"""2026-01-20 00:00 UTC."""
DAY = 86_400
BUSY_PATH, DAY_SEEN = 3, 12
PLANTED = f'assert block.timestamp < {START + 2 * DAY}, "gold_pool: planted"'
CANNOT = "strategy_book: strategy cannot be valued"
RESERVES = "return self._reserve0, self._reserve1, self._changed_at"
VARIABLE = re.compile(r"(?:\w+\.)*(\w+)((?:\[[^\]]+\])*)")


@pytest.fixture(scope="module")
def planted() -> Artifact:
    """Return the pool whose reserves nobody can read from day 2 on."""
    edit = ("gold_pool.vy", RESERVES, f"{PLANTED}\n    {RESERVES}")
    return compile_patched(CONTRACTS / "gold_pool.vy", edit)


def played(chain, day: int) -> Evidence:
    evidence = Evidence()
    replay(chain, BUSY_PATH, *BUSY, evidence=evidence, until=day)
    return evidence


def getter(contract, variable: str):
    """Return what reads a variable, and its keys; None where it is not public, or no such map."""
    match = VARIABLE.fullmatch(variable)
    name, keys = match.groups() if match else ("", "")
    known = interface_of(contract.artifact).functions.get(name)
    args = re.findall(r"\[([^\]]+)\]", keys)
    fits = known is not None and known[0].inputs == ("address",) * len(args)
    return (name, args) if fits else None


def test_storage__before_and_after__is_what_views_say() -> None:
    """Two replays stop a day apart; what can be read of a change is read on both."""
    before, after = RevmChain(START), RevmChain(START)
    played(before, DAY_SEEN - 1)
    evidence = played(after, DAY_SEEN)
    contracts = {"/".join(key): contract for key, contract in evidence.contracts.items()}
    first, last = {}, {}
    for seen in trace_step(evidence, DAY_SEEN):
        for one in seen.changes:
            first.setdefault((one.contract, one.variable), one.before.raw)
            last[one.contract, one.variable] = one.after.raw
    addresses = evidence.addresses | evidence.roles
    read = 0
    for (label, variable), value in last.items():
        contract = contracts[label]
        if (found := getter(contract, variable)) is None:
            continue
        name, args = found[0], [addresses.get(key, key) for key in found[1]]
        read += 1
        assert contract.read(before, name, *args) == first[label, variable], variable
        assert contract.read(after, name, *args) == value, variable
    assert read > 20


def test_gas_of_each_transaction__is_what_anvil_charges(anvil: AnvilChain) -> None:
    evidence = played(anvil, 2)
    for step in range(3):
        charged = [r.gas_used for r in evidence.receipts if r.timestamp == START + step * DAY]
        assert [one.call.gas for one in trace_step(evidence, step)] == charged


def test_revert_three_calls_deep__names_the_line_in_each_contract(planted: Artifact) -> None:
    evidence = Evidence()
    with pytest.raises(TransactionReverted, match=CANNOT):
        replay(None, BUSY_PATH, *BUSY, until=4, patched={planted.name: planted}, evidence=evidence)
    assert [fault.step for fault in faults_of(evidence)] == [2]
    seen = trace_step(evidence, 2)
    vault = next(s.call for s in seen if s.call.reverted and s.call.contract.endswith("gold_vault"))
    strategy = vault.inner[-1]
    pool = strategy.inner[-1]
    line = next(
        number
        for number, text in enumerate((CONTRACTS / "gold_pool.vy").read_text().splitlines(), 1)
        if text.strip() == RESERVES
    )
    assert str(pool.place) == f"contracts/gold_pool.vy:{line} in getReserves: {PLANTED}"
    assert (pool.contract, pool.function) == ("gold_pool/gold_pool", "getReserves")
    # the vault takes a refusal for an answer, and gives a reason of its own
    assert (vault.reverted, strategy.reverted) == (CANNOT, "gold_pool: planted")
    assert pool.reverted == "gold_pool: planted"
    # each line above stands in its source as it is told: one calls, one refuses
    for call, part in ((strategy, "getReserves("), (vault, CANNOT)):
        assert part in call.place.text
        source = (CONTRACTS.parent / call.place.file).read_text().splitlines()
        assert source[call.place.line - 1].strip() == call.place.text
    told = "\n".join(trace_lines(seen, [s for s in seen if s.call is vault]))
    assert f"reverted: gold_pool: planted\n        at contracts/gold_pool.vy:{line} in" in told
    assert f"  reverted: {CANNOT}\n    at contracts/modules/strategy_book.vy:" in told


def test_step__that_the_path_never_reached__is_refused() -> None:
    evidence = played(None, 0)
    with pytest.raises(UsageError, match="no step 1: the path ended at step 0"):
        trace_step(evidence, 1)


def test_object__has_whole_numbers_as_text_and_bytes_as_hex() -> None:
    evidence = played(None, 0)
    found = json.loads(json.dumps(trace_object(0, trace_step(evidence, 0))))
    (first, *_) = found["transactions"]
    # the feed's first answer: the keeper opens the market
    assert first["call"]["contract"] == "gold_token/metal_feed"
    assert first["call"]["arguments"] == {"status": "2"}
    assert first["storage"] == [
        {
            "contract": "gold_token/metal_feed",
            "variable": "marketStatus",
            "before": "0",
            "after": "2",
            "undone": False,
        }
    ]


SHORT = ("--paths", "128", "--path", "3", "--until", "4", "--chain", "revm")


def assay(*words: object):
    told = [str(word) for word in ("replay", "gold-vault-sober", *SHORT, *words)]
    return CliRunner().invoke(main, told)


def test_trace__of_a_step__is_printed_after_the_replay() -> None:
    asked = assay("--trace", 2)
    assert asked.exit_code == 0, asked.output
    assert "step 2, 2026-01-22: " in asked.output
    assert "gold_token/metal_feed.update_answer(answer=" in asked.output
    as_data = json.loads(assay("--trace", 2, "--json").output)
    (trace,) = as_data["traces"]
    assert trace["step"] == 2
    assert f"step 2, 2026-01-22: {len(trace['transactions'])} transactions" in asked.output


def test_step_that_fails__without_being_asked__shows_what_reverts(
    tmp_path: Path, planted: Artifact
) -> None:
    broken = tmp_path / "gold_pool.json"
    broken.write_text(planted.to_json())
    asked = assay("--contract", broken)
    assert asked.exit_code == 5
    assert "reverted: gold_pool: planted" in asked.output
    assert "at contracts/gold_pool.vy:" in asked.output
    assert "--trace 2 shows all of it" in asked.output
    late = assay("--contract", broken, "--trace", 3)
    assert late.exit_code == 5
    assert "--trace: no step 3: the path ended at step 2" in late.output


def test_figure_that_disagrees__is_told_with_the_calls_to_its_instrument(tmp_path: Path) -> None:
    """A vault that takes no fees has dearer shares from the first report on."""
    source = (CONTRACTS / "gold_vault.vy").read_text()
    (fees,) = re.findall(r"fees: uint256 = gain \* .+", source)
    edit = ("gold_vault.vy", fees, "fees: uint256 = 0 * gain")
    free = compile_patched(CONTRACTS / "gold_vault.vy", edit)
    (tmp_path / "gold_vault.json").write_text(free.to_json())
    asked = assay("--contract", tmp_path / "gold_vault.json", "--path", 5)
    assert asked.exit_code == 5
    lines = asked.output.splitlines()
    told = next(n for n, line in enumerate(lines) if " on the chain and " in line)
    assert re.match(r"step \d+: gold_vault\.", lines[told]), asked.output
    assert " transactions, played again in " in lines[told + 1]
    assert re.match(r"  \d+\. gold_vault/", lines[told + 2])


def test_step_that_fails__py_evm_is_missing__is_told_and_the_failure_stands(
    tmp_path: Path, planted: Artifact, monkeypatch
) -> None:
    def missing() -> None:
        raise ChainUnavailable('py-evm is not installed; pip install "assay-sim[trace]"')

    for module in ("simulator.replay.trace", "simulator.cli.tracing"):
        monkeypatch.setattr(import_module(module), "require_tracing", missing)
    broken = tmp_path / "gold_pool.json"
    broken.write_text(planted.to_json())
    asked = assay("--contract", broken)
    assert asked.exit_code == 5
    remedy = 'py-evm is not installed; pip install "assay-sim[trace]"'
    assert f"what the calls of step 2 did is not shown: {remedy}\n" in asked.output
    refused = assay("--trace", 2)
    assert (refused.exit_code, refused.output) == (4, f"assay: {remedy}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--trace", "-1"), "--trace -1: must be 0 to 4, the last day"),
        (("--trace", "5"), "--trace 5: must be 0 to 4, the last day"),
        (("--trace", "3", "--until", "2"), "--trace 3: must be 0 to 2, the last day"),
    ],
)
def test_step__that_is_not_there__is_a_line(words, said) -> None:
    asked = assay(*words)
    assert (asked.exit_code, asked.output) == (2, f"assay: {said}\n")


def test_trace__on_an_attached_node__is_refused() -> None:
    words = ["replay", "gold-vault-sober", "--trace", "1", "--rpc", "http://127.0.0.1:1"]
    asked = CliRunner().invoke(main, words)
    assert asked.exit_code == 2
    assert asked.output == "assay: --trace plays a path again from nothing; leave --rpc out\n"


def test_step_that_fails__its_trace_does_not_agree_either__the_failure_stands(
    tmp_path: Path, planted: Artifact, monkeypatch
) -> None:
    def apart(*_: object) -> None:
        raise ReconciliationFailed("succeeds on revm and reverts in py-evm")

    monkeypatch.setattr("simulator.cli.tracing.trace_step", apart)
    broken = tmp_path / "gold_pool.json"
    broken.write_text(planted.to_json())
    asked = assay("--contract", broken)
    assert asked.exit_code == 5
    assert "what the calls of step 2 did is not shown: succeeds on revm" in asked.output
    assert CANNOT in asked.output.splitlines()[-1]
    # who asks for a step of a path that agrees is told that it cannot be shown
    told = assay("--trace", 2).output.splitlines()[-1]
    assert told == "assay: succeeds on revm and reverts in py-evm"


def test_path__that_stops_on_its_first_day__has_come_to_step_0() -> None:
    assert Evidence(start=START, stopped=(START, ())).last == 0
    assert Evidence(start=START).last == -1


def test_lines__two_equal_transactions__have_each_its_own_number() -> None:
    seen = trace_step(played(None, 0), 0)[:1] * 2
    one, other = (changed(each) for each in seen)
    heads = [line for line in trace_lines([one, other], [one, other]) if line[0].isdigit()]
    assert [head.split(".")[0] for head in heads] == ["1", "2"]
