"""A trace as lines for people, and as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from simulator.chain.codec import NO_REASON
from simulator.chain.source_map import Place
from simulator.chain.told import plain
from simulator.replay.trace import CallSeen, Change, Seen, Value

ENGINE = "py-evm"
_INDENT = "  "
_LONGEST = 66
"""Characters of a value that a line shows; the plain data has all."""


def trace_lines(seen: Sequence[Seen], shown: Sequence[Seen]) -> list[str]:
    """Return those of a step's transactions that are shown, by their numbers.

    Each has its calls, one a line and those within further in, then what of the storage it changed.
    """
    lines = []
    for number, one in enumerate(seen, start=1):
        if not any(one is wanted for wanted in shown):
            continue
        lines.append(f"{number}. {one.call.sender} calls")
        lines += _call_lines(one.call, 1)
        lines += [f"{_INDENT}storage {_change(change)}" for change in one.changes]
    return lines


def _call_lines(call: CallSeen, depth: int) -> Iterator[str]:
    arguments = ", ".join(f"{name}={_short(value)}" for name, value in call.arguments)
    end = " REVERTS" if call.reverted else ""
    returned = f" = {', '.join(map(_short, call.returns))}" if call.returns else ""
    where = f"{_INDENT * depth}{call.contract}.{call.function or '?'}"
    yield f"{where}({arguments}){returned}: {call.gas:_} gas{end}"
    for inner in call.inner:
        yield from _call_lines(inner, depth + 1)
    if call.reverted:
        yield f"{_INDENT * (depth + 1)}reverted: {_why(call)}"
        if call.place is not None:
            yield f"{_INDENT * (depth + 1)}at {call.place}"


def _why(call: CallSeen) -> str:
    """Return the reason, and where the contract gave none what the compiler checked."""
    if call.check and call.reverted == NO_REASON:
        return f"{call.reverted} ({call.check})"
    return call.reverted


def _change(change: Change) -> str:
    undone = ", undone by the revert" if change.undone else ""
    values = f"{_short(change.before)} -> {_short(change.after)}"
    return f"{change.contract}.{change.variable}: {values}{undone}"


def _short(value: Value) -> str:
    text = value.text
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def trace_object(step: int, seen: Sequence[Seen]) -> dict[str, Any]:
    """Return a trace as plain data; whole numbers are decimal strings, bytes are hex."""
    return {"step": step, "engine": ENGINE, "transactions": [_seen_object(one) for one in seen]}


def _seen_object(seen: Seen) -> dict[str, Any]:
    storage = [
        {
            "contract": one.contract,
            "variable": one.variable,
            "before": plain(one.before.raw),
            "after": plain(one.after.raw),
            "undone": one.undone,
        }
        for one in seen.changes
    ]
    return {"call": _call_object(seen.call), "storage": storage}


def _call_object(call: CallSeen) -> dict[str, Any]:
    return {
        "sender": call.sender,
        "contract": call.contract,
        "function": call.function,
        "arguments": {name: plain(value.raw) for name, value in call.arguments},
        "returns": [plain(value.raw) for value in call.returns],
        "gas": call.gas,
        "reverted": call.reverted or None,
        "check": call.check or None,
        "place": _place_object(call.place),
        "calls": [_call_object(one) for one in call.inner],
    }


def _place_object(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else asdict(place)
