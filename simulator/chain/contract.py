"""A deployed contract: calls encoded, return data and events decoded by its ABI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from simulator.chain.accounts import ZERO_ADDRESS
from simulator.chain.artifacts import Artifact
from simulator.chain.codec import Decoder, Encoder, canonical_type, keccak
from simulator.chain.messages import Call, Log, Reader, Receipt

_CALLS_KEPT = 8_192
"""Calls of a contract whose encoding is remembered: much is read and done again every day."""
_AMOUNT = 2**16
"""Numbers from here on are amounts and prices; those below are ids and statuses."""


@dataclass(frozen=True)
class Function:
    """One entry of an ABI, ready to encode and decode; `names` are those of the inputs."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """The canonical signature, such as `transfer(address,uint256)`."""
        return f"{self.name}({','.join(self.inputs)})"

    @cached_property
    def selector(self) -> bytes:
        """The first four bytes of the signature's hash."""
        return keccak(self.signature.encode())[:4]

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the arguments."""
        return Encoder(self.inputs)

    @cached_property
    def decoder(self) -> Decoder:
        """The decoder of the return values."""
        return Decoder(self.outputs)


@dataclass(frozen=True)
class Event:
    """One event of an ABI: names and types, indexed ones first in `topics`."""

    name: str
    indexed: tuple[tuple[str, str], ...]
    plain: tuple[tuple[str, str], ...]
    order: tuple[str, ...]

    @cached_property
    def decoder(self) -> Decoder:
        """The decoder of the part that is not indexed."""
        return Decoder(tuple(kind for _, kind in self.plain))

    def decode(self, log: Log) -> dict[str, Any]:
        """Return the event's fields in the order of its declaration.

        An indexed field of dynamic type is the hash that the log holds instead.
        """
        fields = dict(zip((name for name, _ in self.plain), self.decoder(log.data), strict=True))
        for (name, kind), topic in zip(self.indexed, log.topics[1:], strict=True):
            dynamic = kind in ("string", "bytes") or kind.endswith(("]", ")"))
            fields[name] = topic if dynamic else Decoder((kind,))(topic)[0]
        return {name: fields[name] for name in self.order}


class Interface:
    """An ABI, indexed by function name, selector and event topic.

    `constructor` are the types of its arguments, `created_with` their names.
    """

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        self.functions: dict[str, list[Function]] = {}
        self.events: dict[bytes, Event] = {}
        self.constructor: tuple[str, ...] = ()
        self.created_with: tuple[str, ...] = ()
        self._only: dict[tuple[str, int], Function] = {}
        for entry in abi:
            self._add(entry)

    def _add(self, entry: Mapping[str, Any]) -> None:
        inputs = tuple(canonical_type(field) for field in entry.get("inputs", ()))
        if entry["type"] == "function":
            outputs = tuple(canonical_type(field) for field in entry["outputs"])
            function = Function(entry["name"], inputs, outputs, _names(entry))
            self.functions.setdefault(function.name, []).append(function)
        elif entry["type"] == "constructor":
            self.constructor, self.created_with = inputs, _names(entry)
        elif entry["type"] == "event":
            topic = keccak(f"{entry['name']}({','.join(inputs)})".encode())
            self.events[topic] = _event(entry, inputs)

    @cached_property
    def by_selector(self) -> dict[bytes, Function]:
        """Return every function by the first four bytes of a call to it."""
        return {one.selector: one for own in self.functions.values() for one in own}

    def function(self, name: str, args: Sequence[object]) -> Function:
        """Return the overload of `name` that takes `args`.

        Raises
        ------
        TypeError
            If there is no such function, or none takes these arguments.
        """
        if found := self._only.get((name, len(args))):
            return found
        overloads = self.functions.get(name, [])
        fitting = [item for item in overloads if len(item.inputs) == len(args)]
        if len(fitting) == 1:
            self._only[name, len(args)] = fitting[0]
        elif fitting:
            fitting = [item for item in fitting if item.encoder.accepts(args)]
        if len(fitting) == 1:
            return fitting[0]
        known = ", ".join(item.signature for item in overloads) or "no such function"
        raise TypeError(f"{name} with {len(args)} arguments: {known}")


def _names(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the inputs' names; one that has none is called by its place."""
    inputs = enumerate(entry.get("inputs", ()))
    return tuple(field["name"] or f"arg{place}" for place, field in inputs)


def _event(entry: Mapping[str, Any], kinds: Sequence[str]) -> Event:
    named = list(zip(_names(entry), kinds, strict=True))
    flags = [field["indexed"] for field in entry["inputs"]]
    return Event(
        name=entry["name"],
        indexed=tuple(item for item, flag in zip(named, flags, strict=True) if flag),
        plain=tuple(item for item, flag in zip(named, flags, strict=True) if not flag),
        order=tuple(name for name, _ in named),
    )


@cache
def interface_of(artifact: Artifact) -> Interface:
    """Return the artifact's interface, built once."""
    return Interface(artifact.abi)


def constructor_data(artifact: Artifact, args: Sequence[object]) -> bytes:
    """Return the encoded constructor arguments that follow the creation code.

    Raises
    ------
    TypeError
        If the number of arguments differs from the constructor's.
    """
    kinds = interface_of(artifact).constructor
    if len(kinds) != len(args):
        raise TypeError(f"{artifact.name}.__init__ takes ({', '.join(kinds)}), got {len(args)}")
    return Encoder(kinds)(_plain(args))


@dataclass(frozen=True)
class Contract:
    """A contract at an address, lower case."""

    artifact: Artifact
    address: str
    _known: dict[object, Call] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The contract's name: the stem of its file."""
        return self.artifact.name

    def call(
        self, function: str, *args: Any, sender: str = ZERO_ADDRESS, gas: int | None = None
    ) -> Call:
        """Return the encoded call; a `Contract` among `args` stands for its address.

        Raises
        ------
        TypeError
            If no overload of `function` takes `args`.
        """
        for arg in args:
            kind = arg.__class__
            if kind is int:
                # an amount hardly comes again; and to a dictionary 1 is True, to the ABI it is not
                if not 1 < arg < _AMOUNT:
                    return self._encoded(function, args, sender, gas)
            elif kind is not str and kind is not Contract:
                return self._encoded(function, args, sender, gas)
        key = (function, args, sender, gas)
        known = self._known.get(key)
        if known is None:
            known = self._encoded(function, args, sender, gas)
            if len(self._known) >= _CALLS_KEPT:
                self._known.clear()
            self._known[key] = known
        return known

    def _encoded(
        self, function: str, args: tuple[object, ...], sender: str, gas: int | None
    ) -> Call:
        plain = [arg.address if arg.__class__ is Contract else arg for arg in args]
        entry = self._interface.function(function, plain)
        told = f"{self.artifact.name}.{function}"
        return Call(self.address, entry.selector + entry.encoder(plain), sender, told, gas, plain)

    @cached_property
    def _interface(self) -> Interface:
        return interface_of(self.artifact)

    def decode(self, function: str, data: bytes, arguments: int | None = None) -> Any:
        """Return a call's decoded result: None, the one value, or a tuple of several.

        `arguments` picks the overload by its number of arguments, where outputs differ.
        """
        overloads = interface_of(self.artifact).functions[function]
        entry = next(i for i in overloads if arguments in (None, len(i.inputs)))
        values = entry.decoder(data)
        return values[0] if len(values) == 1 else (values or None)

    def read(self, chain: Reader, function: str, *args: object, sender: str = ZERO_ADDRESS) -> Any:
        """Return the decoded result of one view at the latest block."""
        data = chain.view_one(self.call(function, *args, sender=sender))
        return self.decode(function, data, len(args))

    def events(self, receipt: Receipt) -> list[tuple[str, dict[str, Any]]]:
        """Return this contract's events in `receipt`, in order, as name and fields."""
        known = interface_of(self.artifact).events
        own = (log for log in receipt.logs if log.address == self.address)
        found = ((known.get(log.topics[0]), log) for log in own if log.topics)
        return [(event.name, event.decode(log)) for event, log in found if event is not None]

    def __hash__(self) -> int:
        """Return the address's: a contract is an argument of many calls."""
        return hash(self.address)


def _plain(args: Sequence[object]) -> tuple[object, ...]:
    return tuple(arg.address if isinstance(arg, Contract) else arg for arg in args)
