"""A token is held to a ledger and to ERC-2612; what the standards leave open is no fault."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

from planted import patched, small_vault
from test_planted import case_of, the_test

from simulator.chain.contract import interface_of
from simulator.trial.campaign import Trial
from simulator.trial.export import write_fault
from simulator.trial.standards import standings
from simulator.trial.tokens import ACTS, erc20, permits

SPEND = "    left: uint256 = self.allowance[owner][msg.sender]\n"
OWN_TOKENS = (SPEND, f"    if owner == msg.sender:\n        return\n{SPEND}")
MOVED = "    log IERC20.Transfer(sender=owner, receiver=to, value=amount)"
MOVES = "    self._move(msg.sender, to, amount)\n    return True"
TOO_MUCH = "    if self.balanceOf[msg.sender] < amount:\n        return "


def found_by(vault):
    trial = Trial(case_of(vault))
    return erc20(trial.stage, trial.fresh, "vault", seed=1)


@pytest.mark.parametrize(
    "edits",
    [
        (),
        # WETH9, and DAI: a holder needs no allowance for what is his own. And of EIP-20, "Callers
        # MUST handle false": it is no fault to refuse by an answer.
        (OWN_TOKENS, (MOVES, f"{TOO_MUCH}False\n{MOVES}")),
    ],
    ids=["small", "own tokens, and an answer"],
)
def test_ledger__what_the_standard_leaves_open__is_no_fault(edits):
    assert found_by(patched(*edits)) is None


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            (MOVED, MOVED.replace("owner", "to").replace("receiver=to", "receiver=owner")),
            "logs no Transfer of its parties and amount",
        ),
        ((MOVES, MOVES.replace("True", "False")), "transfer answers False where it must do it"),
        ((MOVES, f"{TOO_MUCH}True\n{MOVES}"), "transfer answers True and must not"),
        pytest.param(
            (SPEND, f"    if amount == 1:\n        return\n{SPEND}"),
            "answers True and must not",
            marks=pytest.mark.deep,
        ),
        pytest.param(
            (MOVED, f"    self.totalSupply += amount // 100\n{MOVED}"),
            "totalSupply is",
            marks=pytest.mark.deep,
        ),
    ],
    ids=["parties of an event", "no for yes", "yes for no", "no allowance", "makes tokens"],
)
def test_ledger__a_token_that_says_what_it_does_not__is_told(edit, said, tmp_path):
    case = case_of(patched(edit))
    fault = found_by(case.subject)
    assert (fault.rule, fault.is_least, fault.tried) == ("erc-20", True, ACTS)
    assert said in fault.said
    if fault.is_told:
        file = tmp_path / "test_it.py"
        write_fault(file, case, fault)
        shrunk = f"Of {ACTS} steps {len(fault.steps)} are left, all of them needed."
        assert shrunk in file.read_text()
        with pytest.raises(AssertionError):
            the_test(file)()


def test_exported_test__of_steps_that_were_not_shrunk__does_not_say_so(tmp_path):
    case = case_of(small_vault("first-depositor"))
    (fault,) = [one for one in Trial(case).attacks() if one.rule == "first-depositor"]
    write_fault(tmp_path / "test_it.py", case, fault)
    text = (tmp_path / "test_it.py").read_text()
    assert f"These are the {len(fault.steps)} steps in which it was found" in text
    assert "all of them needed" not in text


@pytest.mark.parametrize("also", [("nonces",), ()])
def test_permit__of_another_shape_than_erc_2612__is_not_asked_for(also):
    vault = small_vault()
    # DAI's: a flag in place of the amount.
    kinds = ("address", "address", "uint256", "uint256", "bool", "uint8", "bytes32", "bytes32")
    abi = (*vault.abi, function("permit", kinds), *(function(name, ("address",)) for name in also))
    case = case_of(replace(vault, abi=abi))
    trial = Trial(case)
    assert permits(trial.stage, trial.fresh) is None
    absent = [one.standard for one in standings(interface_of(case.subject), "vault") if one.absent]
    assert absent == ["ERC-2612"]


def function(name, kinds):
    inputs = [{"name": "", "type": kind} for kind in kinds]
    return {"type": "function", "name": name, "inputs": inputs, "outputs": []}
