"""Views asked together answer as those asked alone, on each chain."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from handmade import CLOCK, COUNTER, DENYING, ONCE, SILENT, poke

from simulator.chain import ZERO_ADDRESS, Call, Chain, bundle, load_artifact
from simulator.errors import TransactionReverted

START = 1_735_689_600
VIEW_GAS = 30_000_000


def asked_by_nobody(call: Call) -> Call:
    return call._replace(sender=ZERO_ADDRESS)


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


@pytest.fixture
def clock(chain: Chain, roles: SimpleNamespace) -> Call:
    """A view of a block's time and number, at a block of a known time."""
    contract = chain.deploy(CLOCK, [], roles.owner)
    chain.block(START, [])
    return asked_by_nobody(poke(contract, roles.owner))


def test_view__several__answer_in_their_order_with_their_lengths(chain, roles, clock):
    feed = chain.deploy(load_artifact("price_feed"), [8, "XAU / USD", roles.keeper], roles.owner)
    nobody = Call("0x" + "77" * 20, b"\x01\x02")
    calls = [clock, feed.call("description"), nobody, feed.call("decimals"), clock]
    times, title, nothing, decimals, again = chain.view(calls)
    # A string is its offset, its length and its text in words of 32 bytes.
    assert title == word(32) + word(9) + b"XAU / USD".ljust(32, b"\0")
    assert (nothing, decimals) == (b"", word(8))
    assert times == again == chain.view_one(clock)
    assert int.from_bytes(times[:32], "big") == chain.timestamp()


def test_view__asked_again_after_a_block__sees_the_new_state(chain, roles, clock):
    before = chain.view([clock, clock])
    chain.block(chain.timestamp() + 5, [])
    after = chain.view([clock, clock])
    seconds = [int.from_bytes(answer[:32], "big") for answer in (*before, *after)]
    assert seconds[2] - seconds[0] == seconds[3] - seconds[1] == 5


def test_view__answers_of_another_length_in_the_same_total__are_told_apart(chain, roles):
    # Both messages are of one size, and so are both answers: 64 bytes and none, or none and 64.
    long = asked_by_nobody(poke(chain.deploy(CLOCK, [], roles.owner), roles.owner))
    short = Call("0x" + "77" * 20, b"")
    lengths = [[len(a) for a in chain.view(pair)] for pair in ([long, short], [short, long])]
    assert lengths == [[64, 0], [0, 64]]


def test_view__one_of_several_reverts__is_named_with_its_reason(chain, roles, clock):
    token = chain.deploy(load_artifact("usdc"), [], roles.owner)
    refused = token.call("transfer", roles.crowd, 1)
    with pytest.raises(TransactionReverted) as caught:
        chain.view([clock, refused, clock])
    crowd = f"{roles.crowd[:6]}…{roles.crowd[-4:]}"
    assert caught.value.call == f"usdc.transfer({crowd}, 1)"
    silent = asked_by_nobody(poke(chain.deploy(SILENT, [], roles.owner), roles.owner))
    with pytest.raises(TransactionReverted, match=r"silent\(\) reverted: no reason given"):
        chain.view([clock, silent])


def test_view__of_calls_that_write__is_answered_alone_and_leaves_no_trace(chain, roles):
    # A view that writes cannot run in a static call; asked alone it may, and is undone.
    counter = chain.deploy(COUNTER, [], roles.owner)
    once = chain.deploy(ONCE, [], roles.owner)
    calls = [asked_by_nobody(poke(contract, roles.owner)) for contract in (counter, once)]
    assert chain.view(calls * 2) == [b""] * 4


def test_view__of_a_contract_that_says_nothing__is_not_taken_for_a_failure(chain, roles):
    denying = chain.deploy(DENYING, [], roles.owner)
    asked = asked_by_nobody(poke(denying, roles.owner))
    assert chain.view([asked, asked]) == [word(0), word(0)]


def test_fits__who_asks_or_how_much_gas_matters__is_asked_alone():
    plain = Call("0x" + "77" * 20, b"")
    assert bundle.fits([plain, plain])
    assert not bundle.fits([plain])
    assert not bundle.fits([plain, plain._replace(sender="0x" + "88" * 20)])
    assert not bundle.fits([plain, plain._replace(gas=50_000)])


def test_gas__of_a_hundred_views__leaves_each_its_own():
    # A call passes on at most 63 of 64 parts (EIP-150): what is left before the last view is the
    # whole less 99 views, and 63/64 of it must still be a view's gas.
    calls = [Call("0x" + "77" * 20, b"")] * 100
    assert (bundle.gas_of(calls) - 99 * VIEW_GAS) * 63 // 64 >= VIEW_GAS


def test_code__gives_each_view_the_usual_gas():
    # PUSH4 of 30,000,000 and STATICCALL.
    assert bytes.fromhex("63" + f"{VIEW_GAS:08x}" + "fa") in bundle.CODE
