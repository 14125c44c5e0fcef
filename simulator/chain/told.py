"""What calls and events say, as JSON text: names and values by the ABI.

A path has tens of thousands of both, nearly all of static words, so each function and event has
its text laid out once. Whole numbers are decimal strings, since most readers of JSON lose what is
beyond 2^53; addresses and bytes are hex.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from simulator.chain.codec import Decoder
from simulator.chain.contract import Event, Function
from simulator.chain.messages import Log

WORD = 32
SELECTOR = 4
_NUMBER = re.compile(r"(u?)int\d+")
_BYTES = re.compile(r"bytes(\d+)")

_Word = Callable[[bytes], str]


def call_text(function: Function) -> Callable[[bytes], str]:
    """Return what turns a call's data into JSON text: its arguments by name."""
    arguments = arguments_text(function.names, function.inputs)
    return lambda data: arguments(data[SELECTOR:])


def arguments_text(names: Sequence[str], kinds: Sequence[str]) -> Callable[[bytes], str]:
    """Return what turns encoded arguments into JSON text."""
    words = [_word(kind) for kind in kinds]
    static = [word for word in words if word is not None]
    layout = _layout(names)
    if len(static) == len(words):
        placed = list(zip(static, _places(len(static)), strict=True))
        return lambda data: layout % tuple([word(data[at : at + WORD]) for word, at in placed])
    decode = Decoder(tuple(kinds))
    return lambda data: layout % tuple(map(_json, decode(data)))


def event_text(event: Event) -> Callable[[Log], str]:
    """Return what turns an event's log into JSON text: its fields by name, as declared.

    What it returns raises ValueError for a log that has other fields.
    """
    kinds = dict((*event.indexed, *event.plain))
    words = [_word(kinds[name]) for name in event.order]
    static = [word for word in words if word is not None]
    layout = _layout(event.order)
    if len(static) < len(words):
        return lambda log: layout % tuple(map(_json, _decoded(event, log)))
    flat = [name for name, _ in (*event.indexed, *event.plain)]
    order = [(word, flat.index(name)) for word, name in zip(static, event.order, strict=True)]
    n_indexed, n_plain = len(event.indexed), len(event.plain)

    def text(log: Log) -> str:
        data = log.data
        if len(log.topics) != n_indexed + 1 or len(data) != n_plain * WORD:
            raise ValueError(f"{event.name} with {len(log.topics)} topics, {len(data)} bytes")
        found = [*log.topics[1:], *[data[at : at + WORD] for at in _places(n_plain)]]
        return layout % tuple([word(found[place]) for word, place in order])

    return text


def _decoded(event: Event, log: Log) -> Iterable[Any]:
    from eth_abi.exceptions import DecodingError

    try:
        return event.decode(log).values()
    except DecodingError as error:
        raise ValueError(f"{event.name}: {error}") from None


def raw_text(log: Log) -> str:
    """Return an event that no ABI knows: its topics and data in hex."""
    return json.dumps({"topics": [_hex(topic) for topic in log.topics], "data": _hex(log.data)})


def _layout(names: Sequence[str]) -> str:
    """Return the text with a place for each value."""
    return "{" + ", ".join(f'"{name}": %s' for name in names) + "}"


@lru_cache
def _places(count: int) -> range:
    return range(0, count * WORD, WORD)


def _word(kind: str) -> _Word | None:
    """Return what tells a word of a static type as JSON; None where the type is none."""
    if match := _NUMBER.fullmatch(kind):
        signed = not match[1]
        return lambda word: f'"{int.from_bytes(word, "big", signed=signed)}"'
    if match := _BYTES.fullmatch(kind):
        size = int(match[1])
        return lambda word: f'"0x{word[:size].hex()}"'
    return {"address": _address, "bool": _bool}.get(kind)


def _address(word: bytes) -> str:
    return f'"0x{word[12:].hex()}"'


def _bool(word: bytes) -> str:
    return "true" if word[-1] else "false"


def _json(value: Any) -> str:
    return json.dumps(plain(value))


def plain(value: Any) -> Any:
    """Return a decoded value as JSON has it."""
    if isinstance(value, bytes):
        return _hex(value)
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
