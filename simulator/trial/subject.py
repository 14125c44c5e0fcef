"""What is put on trial: a Vyper source, or an artifact of ape, Foundry or Vyper."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from simulator.chain import Artifact
from simulator.chain.artifacts import too_large
from simulator.chain.codec import Decoder, Encoder, optional
from simulator.chain.compile import compile_source
from simulator.chain.contract import Interface
from simulator.errors import ChainUnavailable, InputError, Problem, UsageError
from simulator.plain_json import plain_json


def read_subject(file: Path) -> Artifact:
    """Return the contract of a file, compiled.

    Raises
    ------
    UsageError
        There is no such file, or it is neither source nor artifact.
    InputError
        It does not compile, is no artifact, or is too large for a chain.
    ChainUnavailable
        The compiler is not installed.
    """
    if not file.is_file() or file.suffix not in (".vy", ".json"):
        raise UsageError(
            f"{file}: must be a Vyper source (.vy), an artifact of ape, Foundry or Vyper (.json), "
            "or an address on a node that --rpc names"
        )
    artifact = _compiled(file) if file.suffix == ".vy" else _stored(file)
    if rule := too_large(artifact):
        raise _fault(file, rule)
    return artifact


def _compiled(file: Path) -> Artifact:
    optional_vyper()
    try:
        return compile_source(file)
    except (ValueError, OSError, KeyError) as error:
        raise _fault(file, str(error).split("\n")[0]) from None
    except import_module("vyper.exceptions").VyperException as error:
        said = " ".join(str(error).split())
        raise _fault(file, f"does not compile: {type(error).__name__}: {said}") from None


def optional_vyper() -> None:
    """Make sure that there is a compiler.

    Raises
    ------
    ChainUnavailable
    """
    try:
        optional("vyper.compiler")
    except ChainUnavailable:
        raise ChainUnavailable(
            "a Vyper source needs the compiler, which is not installed: pip install vyper, or "
            "give an artifact (vyper -f combined_json FILE > FILE.json)"
        ) from None


def _stored(file: Path) -> Artifact:
    try:
        raw = plain_json(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _fault(file, f"is no JSON: {error}") from None
    except OSError as error:
        raise _fault(file, f"cannot be read: {error.strerror}") from None
    if not isinstance(raw, dict):
        raise _fault(file, "is no artifact: must be an object with abi and bytecode")
    name, entry = _entry(file, raw)
    abi = entry.get("abi")
    if isinstance(abi, str):
        try:
            abi = plain_json(abi)
        except ValueError as error:
            raise _fault(file, f"abi is no JSON: {error}") from None
    if not isinstance(abi, list) or not all(isinstance(item, dict) for item in abi):
        raise _fault(file, "abi must be a list of functions and events")
    for place, item in enumerate(abi):
        _check_entry(file, place, item)
    code = _code(file, entry, ("deploymentBytecode", "bytecode"))
    runtime = _runtime_size(file, entry)
    return Artifact(
        name=name,
        abi=tuple(item for item in abi if "type" in item),
        bytecode=code,
        deployed_size=runtime,
        source_hash="",
        compiler=str(entry.get("compiler", "")),
    )


def _check_entry(file: Path, place: int, entry: Mapping[str, Any]) -> None:
    """Raise where an entry of an ABI does not say what it must, or has a type that is none."""
    if "type" not in entry:
        return
    what = " ".join(str(entry[key]) for key in ("type", "name") if key in entry)
    try:
        if entry["type"] in ("function", "event") and not isinstance(entry["name"], str):
            raise TypeError("name must be a text")
        read = Interface([entry])
        for one in read.by_selector.values():
            Encoder(one.inputs), Decoder(one.outputs)
        for event in read.events.values():
            Decoder(tuple(kind for _, kind in (*event.indexed, *event.plain)))
        Encoder(read.constructor)
    except KeyError as error:
        rule = f"lacks {error.args[0]}"
    except (TypeError, AttributeError, ValueError) as error:
        rule = " ".join(str(error).split())
    else:
        return
    raise _fault(file, f"abi: entry {place + 1} ({what}): {rule}")


def _entry(file: Path, raw: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the contract's name and its part of the file."""
    if "abi" in raw:
        return str(raw.get("contractName") or raw.get("name") or file.stem), raw
    several = {key: item for key, item in raw.items() if isinstance(item, dict) and "abi" in item}
    if len(several) == 1:
        ((key, item),) = several.items()
        return Path(key).stem, item
    if several:
        raise _fault(file, f"has {len(several)} contracts; give a file of one of them")
    raise _fault(file, "is no artifact: it has no abi")


def _code(file: Path, entry: Mapping[str, Any], names: tuple[str, ...]) -> bytes:
    found = next((entry[name] for name in names if entry.get(name)), None)
    if isinstance(found, dict):
        found = found.get("object", found.get("bytecode"))
    if not isinstance(found, str) or found in ("", "0x"):
        raise _fault(file, "has no bytecode: an interface, or a contract that is abstract")
    try:
        return bytes.fromhex(found.removeprefix("0x"))
    except ValueError:
        rule = "bytecode is no hex"
        if "__$" in found:
            rule = "bytecode has libraries that are not linked"
        raise _fault(file, rule) from None


def _runtime_size(file: Path, entry: Mapping[str, Any]) -> int:
    """Return the size of the deployed code as far as the file tells; 0 where it does not."""
    if isinstance(entry.get("deployed_size"), int):
        return int(entry["deployed_size"])
    names = ("deployedBytecode", "runtimeBytecode", "bytecode_runtime")
    if not any(entry.get(name) for name in names):
        return 0
    return len(_code(file, entry, names))


def _fault(file: Path, rule: str) -> InputError:
    return InputError([Problem(str(file), None, "", "", rule)])
