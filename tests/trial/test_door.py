"""A foreign token's balances are set by a call, which is undone as any other."""

from __future__ import annotations

import pytest

pytest.importorskip("pyrevm")

from simulator.chain import RevmChain, load_artifact
from simulator.errors import UsageError
from simulator.trial.node import Door
from simulator.trial.stage import ARTIFACTS


@pytest.fixture
def chain():
    return RevmChain(1_735_689_600)


def slots(chain, token):
    return [chain._evm.storage(token.address, slot) for slot in range(64)]


def test_door__sets_a_balance_and_leaves_all_other_slots(chain):
    owner, other, third = chain.accounts[:3]
    token = chain.deploy(load_artifact("trial_asset", ARTIFACTS), (6,), owner)
    chain.send(token.call("mint", other, 70, sender=owner))
    before = slots(chain, token)
    door = Door(chain, token, owner)
    assert slots(chain, token) == before
    assert (token.read(chain, "balanceOf", owner), token.read(chain, "decimals")) == (0, 6)
    here = chain.snapshot()
    chain.send(door.set(other, 5))
    chain.send(token.call("transfer", third, 2, sender=other))
    held = [token.read(chain, "balanceOf", one) for one in (owner, other, third)]
    assert held == [0, 3, 2]
    chain.revert(here)
    assert token.read(chain, "balanceOf", other) == 70
    with pytest.raises(Exception, match="transfer exceeds balance"):
        chain.send(token.call("transfer", third, 71, sender=other))


def test_door__of_a_token_whose_balances_are_nowhere__is_refused(chain):
    # A vault's own shares are found; a registry has no balances at all.
    odd = chain.deploy(load_artifact("trial_visitor", ARTIFACTS), (), chain.accounts[0])
    token = type(odd)(load_artifact("trial_asset", ARTIFACTS), odd.address)
    with pytest.raises(UsageError, match="keeps balances where no compiler does"):
        Door(chain, token, chain.accounts[0])
