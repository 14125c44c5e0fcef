"""Faults planted in a small vault are named; the same vault without them, and others', pass.

No rule knows the vault: it is found by what it does. Every edit stands in `planted.py`.
"""

from __future__ import annotations

import json
from functools import cache
from runpy import run_path

import pytest

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

from planted import FAULTS, PARTIES, patched, small_vault

from simulator.chain.contract import interface_of
from simulator.testing import VaultMachine
from simulator.trial.adapters import adapter_for
from simulator.trial.attacks import attacked
from simulator.trial.campaign import Trial
from simulator.trial.export import write_fault
from simulator.trial.parties import OF_PARTIES
from simulator.trial.stage import Case
from simulator.trial.whole import _never_done

SEEDS = 10
SURE_OF = 9
"""Seeds of ten that must name a fault."""


def case_of(artifact, **given):
    adapter, _ = adapter_for(interface_of(artifact), None)
    return Case(artifact, adapter, given)


def found_in(case, seed):
    trial = Trial(case)
    first = trial.random_sequences(seed)
    return [*([first] if first else []), *trial.attacks()]


@cache
def found_with(fault):
    """Return what one seed finds, once for all tests that look at it."""
    return tuple(found_in(case_of(small_vault(fault)), seed=1))


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault__is_named(fault):
    assert fault in [found.rule for found in found_with(fault)]


def test_small_vault__without_a_fault__comes_through():
    assert found_in(case_of(small_vault()), seed=1) == []


@pytest.mark.deep
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault__is_named_in_nine_of_ten_seeds(fault):
    case = case_of(small_vault(fault))
    named = [fault in [found.rule for found in found_in(case, seed)] for seed in range(SEEDS)]
    assert sum(named) >= SURE_OF


@pytest.mark.deep
def test_small_vault__without_a_fault__comes_through_ten_seeds():
    assert [found_in(case_of(small_vault()), seed) for seed in range(SEEDS)] == [[]] * SEEDS


@pytest.mark.parametrize("fault", FAULTS)
def test_exported_test__fails_as_planted_and_passes_once_mended(fault, tmp_path):
    case = case_of(small_vault(fault))
    (found,) = [one for one in found_with(fault) if one.rule == fault]
    file = tmp_path / "test_it.py"
    write_fault(file, case, found)
    assert "simulator" not in file.read_text()
    with pytest.raises(AssertionError):
        the_test(file)()
    codes = json.loads(file.with_suffix(".json").read_text())
    mended = {**codes, "small_vault": small_vault().bytecode.hex()}
    file.with_suffix(".json").write_text(json.dumps(mended))
    the_test(file)()


QUICK_PARTIES = (
    "no-allowance",
    "spent-in-assets",
    "third-party-paid-more",
    "parties-of-a-withdrawal-swapped",
)
"""The others take a second each to compile."""


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(name, marks=[] if name in QUICK_PARTIES else pytest.mark.deep)
        for name in PARTIES
    ],
)
def test_fault_of_parties__is_named__and_its_test_passes_once_mended(planted, tmp_path):
    rule, edits = PARTIES[planted]
    case = case_of(patched(*edits))
    trial = Trial(case)
    found = {one.rule: one for one in attacked(OF_PARTIES, trial.stage, trial.fresh)}
    assert rule in found
    assert found[rule].is_told is (rule != "events")
    if rule == "events":
        return
    file = tmp_path / "test_it.py"
    write_fault(file, case, found[rule])
    with pytest.raises(AssertionError, match="must be"):
        the_test(file)()
    codes = json.loads(file.with_suffix(".json").read_text())
    mended = {**codes, "small_vault": small_vault().bytecode.hex()}
    file.with_suffix(".json").write_text(json.dumps(mended))
    the_test(file)()


def test_vault_machine__of_a_vault_that_anybody_can_empty__refuses_it(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(patched(*PARTIES["no-allowance"][1]).to_json())
    machine = type("Mine", (VaultMachine,), {"contract": str(file)})
    with pytest.raises(AssertionError, match="it lets others burn one's shares"):
        machine().begin()


def test_limit__that_is_always_zero__is_told_as_moves_that_never_took_place():
    limit = "    return self._to_assets(self.balanceOf[owner], False)\n"
    trial = Trial(case_of(patched((limit, "    return 0\n"))))
    assert trial.random_sequences(seed=1) is None
    asked = trial.asked["withdraw"]
    told = f"0 of {asked:,} random moves to withdraw took place, as maxWithdraw allows none"
    assert list(_never_done(trial)) == [told]
    assert asked > 50


def the_test(file):
    (test,) = [value for name, value in run_path(str(file)).items() if name.startswith("test_")]
    return test
