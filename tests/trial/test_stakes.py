"""Our staking contract comes through; faults planted in it are named by what they do."""

from __future__ import annotations

import pytest

pytest.importorskip("pyrevm")
pytest.importorskip("vyper")

from planted import STAKING_FAULTS, staking, staking_with
from test_planted import SEEDS, SURE_OF, the_test

from simulator.errors import InputError, UsageError
from simulator.trial.adapters import Adapter, Staking
from simulator.trial.campaign import Trial
from simulator.trial.economics import drive
from simulator.trial.export import write_fault
from simulator.trial.moves import Move
from simulator.trial.sequences import Year
from simulator.trial.stage import Case
from simulator.trial.whole import summon


def case_of(artifact, **given):
    return Case(artifact, Staking, given, kind="staking")


def found_in(case, seed):
    trial = Trial(case)
    first = trial.random_sequences(seed)
    return [*([first] if first else []), *trial.attacks()]


@pytest.mark.parametrize("given", [{}, {"rewards_token_": "asset"}], ids=["two", "one"])
def test_staking__of_ours__comes_through(given):
    assert found_in(case_of(staking(), **given), seed=1) == []


def test_staking__of_ours__comes_through_a_year_of_ups_and_downs():
    returns = [0.0, *(0.004 if day % 9 else -0.02 for day in range(1, 200))]
    prices = [1.0]
    for gained in returns[1:]:
        prices.append(prices[-1] * (1 + gained))
    trial = Trial(case_of(staking()))
    found = drive(
        trial, [(Year("made up", tuple(returns), tuple(prices)), True)], 1, lambda _: None
    )
    assert (found.faults, found.years, found.worth.size) == ((), 1, 0)
    assert found.moves > 200


QUICK = ("before-stake", "lost-rewards", "exit")
"""The others take two seconds each to compile: all are named below."""


@pytest.mark.parametrize("fault", QUICK)
def test_planted_fault__in_a_staking_contract__is_named(fault):
    assert fault in [found.rule for found in found_in(case_of(staking(fault)), seed=1)]


@pytest.mark.deep
@pytest.mark.parametrize("fault", STAKING_FAULTS)
def test_planted_fault__in_a_staking_contract__is_named_in_nine_of_ten_seeds(fault):
    case = case_of(staking(fault))
    named = [fault in [found.rule for found in found_in(case, seed)] for seed in range(SEEDS)]
    assert sum(named) >= SURE_OF


@pytest.mark.parametrize("fault", QUICK)
def test_exported_test__of_a_staking_contract__fails_as_planted_and_passes_mended(fault, tmp_path):
    case = case_of(staking(fault))
    (found,) = [one for one in found_in(case, seed=1) if one.rule == fault]
    file = tmp_path / "test_it.py"
    write_fault(file, case, found)
    with pytest.raises(AssertionError):
        the_test(file)()
    codes = file.with_suffix(".json")
    planted, sound = staking(fault).bytecode.hex(), staking().bytecode.hex()
    codes.write_text(codes.read_text().replace(planted, sound))
    the_test(file)()


@pytest.mark.deep
def test_claim__of_nothing_that_is_refused__is_no_fault():
    nothing = "    if reward == 0:\n        return\n"
    refused = '    assert reward != 0, "nothing to claim"\n'
    assert found_in(case_of(staking_with((nothing, refused))), seed=1) == []


def test_stake__alone_for_a_day_of_seven__earns_a_seventh():
    trial = Trial(case_of(staking()))
    stage, who = trial.stage, trial.stage.roles.depositor
    watch = trial.manner.watch(stage, 1)
    unit = stage.unit
    moves = (Move("stake", "depositor", 5 * unit), Move("earn", "", 700 * unit))
    assert [watch.play(move) for move in (*moves, Move("wait", "", 86_400))] == [None] * 3
    # The rate rounds down, so that a wei may be missing.
    assert stage.read("earned", who) == pytest.approx(100 * unit, abs=1)


def test_staking__whose_rewards_nobody_can_hand_over__is_told():
    class Silent(Staking):
        def earn(self, amount):
            who = self.stage.roles.intruder
            return [self.stage.contract.call("notifyRewardAmount", amount, sender=who)]

    with pytest.raises(InputError, match=r"earn: .*caller is not the rewards distribution"):
        Trial(Case(staking(), Silent, kind="staking")).attacks()


def test_summon__a_staking_contract__is_known_by_its_calls(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(staking().to_json())
    summons = summon(str(file), None, None, {}, None)
    assert (summons.kind, summons.adapter) == ("staking", "staking (ready)")
    file.write_text(staking().to_json().replace("notifyRewardAmount", "notifyOfReward"))
    with pytest.raises(UsageError, match="lacks notifyRewardAmount; give a file that says how"):
        summon(str(file), None, None, {}, None)
    own = tmp_path / "own.py"
    own.write_text("class A:\n    def earn(self, amount):\n        return []\n")
    adapter = summon(str(file), None, str(own), {}, None).case.adapter
    assert issubclass(adapter, Staking)
    assert issubclass(adapter, Adapter)
