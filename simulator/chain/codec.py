"""ABI encoding through eth-abi, each tuple of types looked up once.

eth-abi comes with the optional `chain` dependencies and is imported on first use.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from simulator.errors import ChainUnavailable

INSTALL = 'pip install "assay-sim[chain]"'
_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
NO_REASON = "no reason given"
_WORD = 32
_ADDRESS = 20


def optional(module: str) -> Any:
    """Import a module of an optional dependency.

    Raises
    ------
    ChainUnavailable
        If it is not installed; the message has the command that installs it.
    """
    try:
        with warnings.catch_warnings():
            # web3 imports a part of websockets that is going away.
            warnings.simplefilter("ignore", DeprecationWarning)
            return import_module(module)
    except ImportError as error:
        package = module.split(".")[0].replace("_", "-")
        raise ChainUnavailable(f"{package} is not installed; {INSTALL}") from error


@lru_cache(maxsize=1)
def _registry() -> Any:
    return optional("eth_abi.registry").registry


@lru_cache(maxsize=1)
def _hasher() -> Callable[[bytes], bytes]:
    hasher: Callable[[bytes], bytes] = optional("eth_utils.crypto").keccak
    return hasher


def keccak(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 hash of `data`."""
    return _hasher()(data)


def canonical_type(field: Mapping[str, Any]) -> str:
    """Return an ABI field's type as a signature spells it; a struct is `(a,b)`."""
    kind = str(field["type"])
    if not kind.startswith("tuple"):
        return kind
    parts = ",".join(canonical_type(part) for part in field["components"])
    return f"({parts}){kind.removeprefix('tuple')}"


_Word = Callable[[Any], bytes]
_ADDRESSES_KEPT = 4_096
_LIST = "[]"
_STATIC = re.compile(r"(u?)int(\d+)")


def _whole_number(bits: int, signed: bool) -> _Word:
    """Return what makes a word of an integer of `bits` bits."""
    low = -(1 << (bits - 1)) if signed else 0
    high = (1 << (bits - 1 if signed else bits)) - 1

    def word(value: Any) -> bytes:
        if value.__class__ is not int or not low <= value <= high:
            raise TypeError
        found: bytes = value.to_bytes(_WORD, "big", signed=signed)
        return found

    return word


def _bool_word(value: Any) -> bytes:
    if value.__class__ is not bool:
        raise TypeError
    return b"\0" * (_WORD - 1) + (b"\1" if value else b"\0")


def _bytes32_word(value: Any) -> bytes:
    if value.__class__ is not bytes or len(value) != _WORD:
        raise TypeError
    return bytes(value)


@lru_cache(_ADDRESSES_KEPT)
def _address_word(value: Any) -> bytes:
    if value[:2] != "0x" or len(value) != 2 * _ADDRESS + 2:
        raise ValueError
    return bytes.fromhex(value[2:]).rjust(_WORD, b"\0")


_FAST: dict[str, _Word] = {
    "address": _address_word,
    "bool": _bool_word,
    "bytes32": _bytes32_word,
}


def _list_of(word: _Word) -> _Word:
    """Return what makes a list of any length: its length, then a word for each."""

    def words(values: Any) -> bytes:
        if values.__class__ not in (list, tuple):
            raise TypeError
        return b"".join([len(values).to_bytes(_WORD, "big"), *map(word, values)])

    return words


def _short_way(kind: str) -> _Word | None:
    """Return what encodes a static type or a list of such; None for what eth-abi must encode."""
    if kind.endswith(_LIST):
        word = None if kind.count("[") > 1 else _short_way(kind.removesuffix(_LIST))
        return word and _list_of(word)
    if (match := _STATIC.fullmatch(kind)) and 0 < int(match[2]) <= 8 * _WORD:
        return _whole_number(int(match[2]), signed=not match[1])
    return _FAST.get(kind)


class Encoder:
    """Encodes a sequence of arguments of fixed types."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._encode = _registry().get_encoder(f"({','.join(kinds)})") if kinds else None
        words = [_short_way(kind) for kind in kinds]
        self._words = None if None in words else [word for word in words if word is not None]
        self._is_list = [kind.endswith(_LIST) for kind in kinds]
        self._join = self._with_lists if any(self._is_list) else b"".join

    def __call__(self, args: Sequence[object]) -> bytes:
        """Return the ABI encoding of `args`.

        Raises
        ------
        eth_abi.exceptions.EncodingError
            If an argument does not fit its type.
        """
        if self._words is not None:
            try:
                return self._join([word(arg) for word, arg in zip(self._words, args, strict=True)])
            except (TypeError, ValueError):
                pass  # Whatever the short way cannot do, eth-abi does, or says what is wrong.
        return bytes(self._encode(args)) if self._encode else b""

    def _with_lists(self, parts: Sequence[bytes]) -> bytes:
        """Return the parts with each list behind the words, and in its place where it begins."""
        heads, lists, at = [], [], _WORD * len(parts)
        for part, is_list in zip(parts, self._is_list, strict=True):
            heads.append(at.to_bytes(_WORD, "big") if is_list else part)
            if is_list:
                lists.append(part)
                at += len(part)
        return b"".join(heads + lists)

    def accepts(self, args: Sequence[object]) -> bool:
        """Return whether `args` fit the types."""
        from eth_abi.exceptions import EncodingError

        if self._encode is None:
            return not args
        try:
            self._encode.validate_value(args)
        except EncodingError:
            return False
        return True


class Decoder:
    """Decodes data of fixed types into a tuple."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._decode = _registry().get_decoder(f"({','.join(kinds)})") if kinds else None
        # One static word is by far the most frequent answer, and needs no stream.
        self._word = len(kinds) == 1 and kinds[0] == "uint256"

    def __call__(self, data: bytes) -> tuple[Any, ...]:
        """Return the decoded values."""
        if self._word and len(data) == _WORD:
            return (int.from_bytes(data, "big"),)
        if self._decode is None:
            return ()
        return tuple(self._decode(_stream(data)))


def _stream(data: bytes) -> Any:
    from eth_abi import decoding

    stream: Any = decoding.ContextFramesBytesIO
    return stream(data)


def revert_reason(data: bytes) -> str:
    """Return what a revert says: the message, the panic code, or the raw bytes in hex."""
    if data.startswith(_ERROR_STRING):
        return str(Decoder(("string",))(data[4:])[0])
    if data.startswith(_PANIC):
        return f"panic 0x{int.from_bytes(data[4:], 'big'):02x}"
    return f"0x{data.hex()}" if data else NO_REASON
