"""Writes a fault out as a test that needs no Assay: pytest and pyrevm alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from simulator.chain import Call
from simulator.chain.base import VIEW_GAS
from simulator.chain.messages import CALL_GAS
from simulator.errors import TransactionReverted
from simulator.replay.acts import act_of
from simulator.replay.bare import Act
from simulator.replay.export import Told, write_told
from simulator.trial.faults import RULES, Check, Fault
from simulator.trial.moves import Move, calls_of
from simulator.trial.stage import Case, TrialStage


def write_fault(file: Path, case: Case, fault: Fault) -> None:
    """Write a fault as a test, and beside it the creation codes as JSON."""
    stage = case.stage(hears=True)
    last = _play(stage, fault)
    codes: dict[str, str] = {}
    acts = _acts(stage, codes)
    if fault.reverts and last is not None:
        acts.append((_line(stage, last), _after(acts[-1][1], stage, last)))
    check = fault.check
    told = Told(
        why=f"{case.subject.name} {fault.name}: {fault.said}.",
        about=_about(fault, check),
        shrunk=_shrunk(fault),
        acts=acts,
        codes=codes,
        view=None if check is None else (check.view.label, _after(acts[-1][1], stage, check.view)),
        least=() if check is None else (check.least,),
        most=() if check is None else (check.most,),
    )
    write_told(file, told)


def _shrunk(fault: Fault) -> str:
    if fault.is_least:
        return f"Of {fault.tried} steps {len(fault.steps)} are left, all of them needed."
    return f"These are the {len(fault.steps)} steps in which it was found; some may not be needed."


def _about(fault: Fault, check: Check | None) -> str:
    rule = f"What must hold: {RULES[fault.rule]}."
    if check is None:
        return f"{rule}\nThe last call must succeed, and reverts."
    return f"{rule}\n{check.view.label} must answer LEAST to MOST, and does not."


def _play(stage: TrialStage, fault: Fault) -> Call | None:
    """Play the steps; return the call that reverts, where one does."""
    refused = None
    for step in fault.steps:
        if isinstance(step, Move) and step.what == "wait":
            stage.wait(step.amount)
            continue
        for call in [step] if isinstance(step, Call) else calls_of(stage, step):
            try:
                stage.send([call])
            except TransactionReverted:
                refused = call
    return refused


def _acts(stage: TrialStage, codes: dict[str, str]) -> list[tuple[str, Act]]:
    made = {contract.address: contract for contract in stage.made}
    nonces, acts = Counter[str](), []
    for receipt in stage.chain.heard or ():
        sender = receipt.call.sender
        acts.append((_line(stage, receipt.call), act_of(receipt, made, nonces[sender], codes)))
        nonces[sender] += 1
    return acts


def _line(stage: TrialStage, call: Call) -> str:
    text = call.label
    for address, role in stage.names.items():
        text = text.replace(f"{address[:6]}…{address[-4:]}", role)
    return f"{text} by {stage.names.get(call.sender, call.sender)}"


def _after(last: Act, stage: TrialStage, call: Call) -> Act:
    gas = call.gas or (CALL_GAS if call.sender in stage.names else VIEW_GAS)
    return Act(stage.chain.timestamp(), last.block, call.sender, call.to, call.data.hex(), gas)
