"""Calls encoded and answers decoded by ABI; expected words are written out by hand."""

from __future__ import annotations

import eth_abi
import pytest

from simulator.chain import Artifact, Contract, Log, Receipt
from simulator.chain.base import Call
from simulator.chain.codec import Encoder, keccak, revert_reason

TOKEN = "0x" + "aa" * 20
ALICE = "0x" + "a1" * 20


def field(kind: str, name: str = "x", **more: object) -> dict:
    return {"name": name, "type": kind, **more}


def function(name: str, inputs: list[dict], outputs: list[dict]) -> dict:
    return {"type": "function", "name": name, "inputs": inputs, "outputs": outputs}


WORD = field("uint256")
PAIR = field("tuple", components=[WORD, field("bool", "y")])
ABI = (
    function("transfer", [field("address"), WORD], [field("bool")]),
    function("put", [WORD], [WORD]),
    function("put", [WORD, WORD], [WORD, WORD]),
    function("set", [WORD], []),
    function("set", [field("string")], []),
    function("pair", [], [PAIR]),
    function("ping", [], []),
    {
        "type": "event",
        "name": "Moved",
        "inputs": [
            field("uint256", "amount", indexed=False),
            field("address", "to", indexed=True),
            field("string", "memo", indexed=True),
        ],
    },
)
CONTRACT = Contract(Artifact("toy", ABI, b"", 0, "", ""), TOKEN)


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_keccak__empty_input__is_the_published_digest():
    # The code hash of an account without code, as the yellow paper gives it.
    expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak(b"").hex() == expected


def test_call__transfer__is_selector_and_words():
    # a9059cbb is ERC-20's published selector of transfer(address,uint256).
    call = CONTRACT.call("transfer", ALICE, 5, sender=ALICE, gas=60_000)
    assert call.data.hex() == "a9059cbb" + "00" * 12 + "a1" * 20 + word(5).hex()
    assert (call.to, call.sender, call.gas) == (TOKEN, ALICE, 60_000)
    assert call.label == "toy.transfer(0xa1a1…a1a1, 5)"


def test_call__contract_as_argument__stands_for_its_address():
    assert CONTRACT.call("transfer", CONTRACT, 5) == CONTRACT.call("transfer", TOKEN, 5)


def test_call__overloads__are_told_apart_by_number_and_type():
    calls = [CONTRACT.call("put", 1), CONTRACT.call("put", 1, 2)]
    calls += [CONTRACT.call("set", 1), CONTRACT.call("set", "one")]
    signatures = ["put(uint256)", "put(uint256,uint256)", "set(uint256)", "set(string)"]
    assert [call.data[:4] for call in calls] == [keccak(s.encode())[:4] for s in signatures]


@pytest.mark.parametrize(
    ("name", "args"), [("transfer", (ALICE,)), ("nothing", ()), ("set", (b"",))]
)
def test_call__no_fitting_overload__is_refused(name, args):
    with pytest.raises(TypeError, match=f"{name} with {len(args)} arguments: "):
        CONTRACT.call(name, *args)


def test_decode__none_one_and_several_values():
    assert CONTRACT.decode("ping", b"") is None
    assert CONTRACT.decode("put", word(7)) == 7
    assert CONTRACT.decode("put", word(7) + word(8), arguments=2) == (7, 8)
    assert CONTRACT.decode("pair", word(7) + word(1)) == (7, True)


def test_events__own_ones__by_name_in_declared_order():
    topic = keccak(b"Moved(uint256,address,string)")
    memo = keccak(b"rent")
    moved = Log(TOKEN, (topic, b"\0" * 12 + b"\xa1" * 20, memo), word(9))
    foreign = Log(ALICE, moved.topics, moved.data)
    unknown = Log(TOKEN, (keccak(b"Other()"),), b"")
    anonymous = Log(TOKEN, (), b"")
    receipt = Receipt(Call(TOKEN, b""), 0, (foreign, unknown, anonymous, moved), 1, 1)
    assert CONTRACT.events(receipt) == [("Moved", {"amount": 9, "to": ALICE, "memo": memo})]
    assert list(CONTRACT.events(receipt)[0][1]) == ["amount", "to", "memo"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("08c379a0" + word(32).hex() + word(2).hex() + b"no".hex() + "00" * 30, "no"),
        ("4e487b71" + word(0x12).hex(), "panic 0x12"),
        ("deadbeef", "0xdeadbeef"),
        ("", "no reason given"),
    ],
)
def test_revert_reason__each_kind(data, reason):
    assert revert_reason(bytes.fromhex(data)) == reason


@pytest.mark.parametrize(
    ("kinds", "args"),
    [
        (("uint256",), (0,)),
        (("uint256", "uint256"), (1, 2**256 - 1)),
        (("address", "uint256"), ("0x" + "Ab" * 20, 7)),
        (("uint256[]",), ([],)),
        (("address[]", "bool", "uint16[]"), ([ALICE, TOKEN], True, (1, 2, 65_535))),
        (("uint256[][]", "uint256"), ([[1], [2, 3]], 4)),
    ],
)
def test_encoder__short_way__equals_the_library(kinds, args):
    assert Encoder(kinds)(args) == eth_abi.encode(kinds, args)


def test_encoder__list__stands_behind_the_words_and_begins_where_its_place_says():
    # The ABI's head and tail by hand: two words of head, so the list begins at byte 64.
    data = Encoder(("uint256[]", "uint256"))(([7, 8], 9))
    assert data == word(64) + word(9) + word(2) + word(7) + word(8)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint256", -1),
        ("uint256", 2**256),
        ("uint256", 1.0),
        ("uint256", True),
        ("uint256", None),
        ("address", "0x" + "aa" * 19),
        ("address", "0x" + "zz" * 20),
        ("address", 5),
        ("uint16[]", [65_536]),
        ("address[]", ALICE),
    ],
)
def test_encoder__value_that_does_not_fit__is_refused(kind, value):
    with pytest.raises(eth_abi.exceptions.EncodingError):
        Encoder((kind,))((value,))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("uint8", 255, word(255)),
        ("int256", -1, b"\xff" * 32),
        ("int128", -(2**127), b"\xff" * 16 + b"\x80" + b"\x00" * 15),
        ("bool", True, word(1)),
        ("bool", False, word(0)),
        ("bytes32", b"\x01" * 32, b"\x01" * 32),
        ("address", ALICE, b"\x00" * 12 + b"\xa1" * 20),
    ],
)
def test_encode__static_types__are_words_of_twos_complement(kind, value, expected):
    # Two's complement by hand; eth-abi is the independent word on it.
    assert Encoder([kind])([value]) == expected == eth_abi.encode([kind], [value])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint256", -1),
        ("uint256", True),
        ("int8", 128),
        ("int8", -129),
        ("bool", 1),
        ("bytes32", "0x01"),
        ("address", "0x01"),
    ],
)
def test_encode__value_that_does_not_fit__is_refused(kind, value):
    with pytest.raises(eth_abi.exceptions.EncodingError):
        Encoder([kind])([value])


def test_call__true_after_one__is_not_taken_for_it():
    # To a dictionary 1 == True; a number of tokens is not a truth value.
    assert CONTRACT.call("put", 5) is CONTRACT.call("put", 5)
    assert CONTRACT.call("put", 1).data[4:] == word(1)
    with pytest.raises(eth_abi.exceptions.EncodingError):
        CONTRACT.call("put", True)
