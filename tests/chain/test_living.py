"""A node that people use between our blocks: what they send is noticed, and ends nothing."""

from __future__ import annotations

import socket

import pytest
from handmade import COUNTER, poke
from test_endpoint import anvil_or_skip

from simulator.chain import Receipt
from simulator.chain.living import LivingChain
from simulator.errors import ChainUnavailable, TransactionReverted

START = 1_735_689_600
DAY = 86_400


@pytest.fixture(scope="module")
def whole():
    anvil_or_skip()
    with LivingChain(START) as chain:
        yield chain


@pytest.fixture
def living(whole, roles):
    """A chain with a counter, handed over; undone after each test."""
    kept = whole.snapshot()
    whole.counter = whole.deploy(COUNTER, [], roles.owner)
    whole.hand_over()
    whole.strangers = 0
    yield whole
    whole._request("evm_setAutomine", False)
    whole.revert(kept)
    whole._nonces.clear()


def somebody_pokes(living, who):
    """Send what a wallet would."""
    living.pass_on(poke(living.counter, who))


def test_attempt__nobody_acted__plays_as_a_block_does(living, roles):
    outcomes = living.attempt(START, [poke(living.counter, roles.keeper)] * 3)
    assert [one.timestamp for one in outcomes] == [START] * 3
    assert len({one.block for one in outcomes}) == 1
    assert living.look_around() == 0


def test_wallet__sends__is_mined_at_once_and_the_clock_stands_still(living, roles):
    living.attempt(START, [poke(living.counter, roles.keeper)])
    for _ in range(3):
        somebody_pokes(living, roles.stranger)
    assert living.look_around() == 3
    assert living.timestamp() == START


def test_wallet__acts_with_a_role_s_key__the_role_goes_on(living, roles):
    living.attempt(START, [poke(living.counter, roles.keeper)])
    somebody_pokes(living, roles.keeper)
    (outcome,) = living.attempt(START + DAY, [poke(living.counter, roles.keeper)])
    assert isinstance(outcome, Receipt)
    assert living.look_around() == 1


def test_role__robbed_of_its_means__is_given_new_ones(living, roles):
    living.attempt(START, [poke(living.counter, roles.keeper)])
    somebody_pokes(living, roles.stranger)
    living._request("anvil_setBalance", roles.keeper, "0x0")
    (outcome,) = living.attempt(START + DAY, [poke(living.counter, roles.keeper)])
    assert isinstance(outcome, Receipt)


def test_attempt__a_call_fails__is_told_and_the_others_stand(living, roles):
    bad = poke(living.counter, roles.keeper, 21_500)  # too little to write with
    good = poke(living.counter, roles.keeper)
    outcomes = living.attempt(START, [good, bad, good])
    assert [type(one) for one in outcomes] == [Receipt, TransactionReverted, Receipt]
    assert str(outcomes[1]).startswith("counter() reverted: all gas used")


def test_attempt__the_node_refuses_a_call__the_others_are_sent_anew(living, roles):
    poor = poke(living.counter, roles.borrower)
    huge = type(poor)(poor.to, poor.data, poor.sender, "counter.poke()", 2**60)
    good = poke(living.counter, roles.borrower)
    outcomes = living.attempt(START, [good, huge, good])
    assert [type(one) for one in outcomes] == [Receipt, TransactionReverted, Receipt]


def test_clock__moved_past_midnight_by_a_person__day_comes_when_it_can(living, roles):
    living.attempt(START, [poke(living.counter, roles.keeper)])
    living._request("evm_mine", START + 3 * DAY)
    (outcome,) = living.attempt(START + DAY, [poke(living.counter, roles.keeper)])
    assert outcome.timestamp == START + 3 * DAY


def test_chain__taken_back_by_a_person__counts_as_acting(living, roles):
    key = living._request("evm_snapshot")
    living.attempt(START, [poke(living.counter, roles.keeper)])
    living._request("evm_revert", key)
    assert living.look_around() == 1


def test_restore__what_was_dumped__goes_on_there(living, roles):
    with LivingChain(START) as first:
        counter = first.deploy(COUNTER, [], roles.owner)
        first.hand_over()
        first.attempt(START, [poke(counter, roles.keeper)] * 3)
        state, height = first.dump(), first.height
        with LivingChain(START) as second:
            second.restore(state, START, 0, 0)
            assert (second.timestamp(), second.height) == (START, height)
            assert second.code_size(counter.address) == first.code_size(counter.address)
            second.pass_on(poke(counter, roles.stranger))
            assert (second.look_around(), second.timestamp()) == (1, START)
            (outcome,) = second.attempt(START + DAY, [poke(counter, roles.keeper)])
            assert outcome.timestamp == START + DAY


def test_port__that_is_taken__is_a_line():
    anvil_or_skip()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ChainUnavailable, match="Address already in use"):
            LivingChain(START, port=taken.getsockname()[1])
