"""A state machine of a security token: ours comes through, and planted faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from simulator.chain import load_artifact
from simulator.chain.compile import compile_patched
from simulator.errors import InputError
from simulator.testing import Security, StoMachine, staged
from simulator.units import SECONDS_PER_DAY

CONTRACTS = Path(__file__).parents[2] / "contracts"
FEW = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
)


class Mine(Security):
    """Our token with registry and rules of its own; the owner is agent of both and pays."""

    decimals = 6

    def arguments(self):
        stage, owner = self.stage, self.stage.roles.owner
        self.known = stage.deploy("identity_registry")
        return {
            "name_": "Copper Mine One",
            "symbol_": "CU1",
            "identity_registry_": self.known,
            "compliance_": stage.deploy("compliance"),
            "funds_token_": stage.asset,
            "stream_seconds_": 90 * SECONDS_PER_DAY,
            "payout_bps_": 6_000,
            "mine_operator_": owner,
            "auditor_": owner,
        }

    def set_up(self):
        owner, token = self.stage.roles.owner, self.stage.contract
        return [
            self.known.call("addAgent", owner, sender=owner),
            token.call("addAgent", owner, sender=owner),
            token.call("unpause", sender=owner),
            self.stage.asset.call("approve", token, 2**256 - 1, sender=owner),
        ]

    def earn(self, amount):
        owner = self.stage.roles.owner
        pays = self.stage.contract.call("distribute_funds", amount, sender=owner)
        return [self.stage.minted(owner, amount), pays]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return what writes the token with an edit as an artifact, once for each."""
    folder, made = tmp_path_factory.mktemp("sto"), {}

    def file(name, *edit):
        if name not in made:
            made[name] = folder / f"{name}.json"
            artifact = load_artifact("mining_sto")
            if edit:
                artifact = compile_patched(CONTRACTS / "mining_sto.vy", edit)
            made[name].write_text(artifact.to_json())
        return str(made[name])

    return file


def machine(file, own=Mine):
    return type("Machine", (StoMachine,), {"contract": file, "adapter": own})


def told_of(tested):
    """Search until a fault is found; what is found when depends on all that is loaded."""
    with pytest.raises(AssertionError) as told:
        run_state_machine_as_test(tested, settings=settings(FEW, max_examples=1_000))
    return str(told.value)


def test_sto__of_ours__comes_through(files):
    run_state_machine_as_test(machine(files("sound")), settings=FEW)


FAULTS = {
    "unverified": (
        "mining_sto.vy",
        "    self._check_verified(to)\n    compliance_check._check(self.compliance, owner, to",
        "    compliance_check._check(self.compliance, owner, to",
    ),
    "claims-travel": (
        "modules/dividend_stream.vy",
        "    self._corrections[sender] += moved\n",
        "    pass\n",
    ),
}
SAID = {
    "unverified": "is not eligible and gets",
    "claims-travel": "could claim",
}


@pytest.mark.deep
@pytest.mark.parametrize("fault", FAULTS)
def test_sto__with_a_planted_fault__is_told(fault, files):
    assert SAID[fault] in told_of(machine(files(fault, *FAULTS[fault])))


def test_sto__whose_leavers_must_not_sell__is_told_that_ours_lets_them(files):
    class Strict(Mine):
        is_for_eligible_senders = True

    said = told_of(machine(files("sound"), Strict))
    assert "is not eligible and hands on" in said


def test_sto__whose_adapter_is_wrong__is_told_with_its_line(files):
    class Wrong(Mine):
        def claimable(self, who):
            return None

    with pytest.raises(InputError, match=r"test_securities\.py:\d+: adapter: claimable returns"):
        run_state_machine_as_test(machine(files("sound"), Wrong), settings=FEW)


def test_stage__deploys_a_file_of_ones_own(tmp_path):
    token, other = tmp_path / "token.json", tmp_path / "other.json"
    token.write_text(load_artifact("reward_token").to_json())
    other.write_text(load_artifact("identity_registry").to_json())
    on = staged(str(token))
    registry = on.deploy(str(other))
    assert registry.name == "identity_registry"
    assert on.ask(registry, "owner").lower() == on.roles.owner
