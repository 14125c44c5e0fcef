"""Receipts of a path as acts that a plain EVM plays again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from simulator.chain import Call, Receipt
from simulator.chain.base import CALL_GAS, DEPLOY_GAS, VIEW_GAS
from simulator.chain.contract import Contract
from simulator.replay.bare import Act
from simulator.replay.evidence import Evidence


def acts_of(
    evidence: Evidence, receipts: Sequence[Receipt]
) -> tuple[tuple[Act, ...], dict[str, str]]:
    """Return receipts as acts, with the codes of all that was created."""
    made = {contract.address: contract for contract in evidence.contracts.values()}
    nonces, codes = Counter[str](), dict[str, str]()
    acts = []
    for receipt in receipts:
        acts.append(act_of(receipt, made, nonces[receipt.call.sender], codes))
        nonces[receipt.call.sender] += 1
    return tuple(acts), codes


def act_of(
    receipt: Receipt, made: Mapping[str, Contract], nonce: int, codes: dict[str, str]
) -> Act:
    """Return a receipt as an act; of a creation the code is added to `codes`.

    Parameters
    ----------
    made : dict of address to Contract
        Every contract that the receipts create.
    nonce : int
        How many receipts its sender has before it.
    """
    call = receipt.call
    where = (receipt.timestamp, receipt.block, call.sender, call.to)
    artifact = made[call.to].artifact if call.to in made else None
    if artifact is None or not call.data.startswith(artifact.bytecode):
        return Act(*where, call.data.hex(), CALL_GAS if call.gas is None else call.gas)
    codes[artifact.name] = artifact.bytecode.hex()
    arguments = call.data[len(artifact.bytecode) :].hex()
    return Act(*where, arguments, DEPLOY_GAS, artifact.name, nonce)


def view_after(last: Act, call: Call) -> Act:
    """Return a read as it is asked after an act."""
    return Act(last.time, last.block, call.sender, call.to, call.data.hex(), VIEW_GAS)
