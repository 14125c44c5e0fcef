"""Compiled contracts as they ship in the package: ABI, creation code, origin.

The JSON files lie in `simulator/chain/artifacts/`, one per contract, written by
`scripts/build_artifacts.py`. Simulating and replaying needs no compiler.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from simulator.errors import ChainUnavailable
from simulator.plain_json import plain_json

_SUFFIX = ".json"


CODE_LIMIT = 24_576
"""Bytes of deployed code that EIP-170 allows."""
INITCODE_LIMIT = 2 * CODE_LIMIT
"""Bytes of creation code that EIP-3860 allows."""


@dataclass(frozen=True, eq=False)
class Artifact:
    """One compiled contract.

    `bytecode` is the creation code, `deployed_size` the bytes that stay on chain
    (see `CODE_LIMIT`), `source_hash` the SHA-256 over the source and all it
    imports, `compiler` the compiler's name and version, `source_map` what `mapping` makes.
    """

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    deployed_size: int
    source_hash: str
    compiler: str
    source_map: Mapping[str, Any] | None = field(default=None, repr=False)

    def to_json(self) -> str:
        """Return the file's text: sorted keys, one ABI entry a line."""
        entries = ",\n    ".join(json.dumps(entry, sort_keys=True) for entry in self.abi)
        rest: dict[str, Any] = {
            "bytecode": "0x" + self.bytecode.hex(),
            "compiler": self.compiler,
            "deployed_size": self.deployed_size,
            "name": self.name,
            "source_hash": self.source_hash,
        }
        if self.source_map is not None:
            rest["source_map"] = {"of": self.source_hash, **self.source_map}
        fields = ",\n  ".join(f"{json.dumps(key)}: {_line(rest[key])}" for key in sorted(rest))
        return f'{{\n  "abi": [\n    {entries}\n  ],\n  {fields}\n}}\n'

    @classmethod
    def from_json(cls, text: str) -> Artifact:
        """Return the artifact that `to_json` wrote."""
        raw = plain_json(text)
        return cls(
            name=raw["name"],
            abi=tuple(raw["abi"]),
            bytecode=bytes.fromhex(raw["bytecode"][2:]),
            deployed_size=raw["deployed_size"],
            source_hash=raw["source_hash"],
            compiler=raw["compiler"],
            source_map=_own_map(raw),
        )


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _own_map(raw: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return an artifact's map; None where it has none, or that of another source."""
    found = raw.get("source_map")
    return found if found and found["of"] == raw["source_hash"] else None


PACKAGED = "simulator.chain.artifacts"
"""The package whose folder holds Assay's own compiled contracts."""


def artifact_names(package: str = PACKAGED) -> tuple[str, ...]:
    """Return the names of all contracts that a package ships compiled, sorted."""
    folder = _folder(package)
    if not folder.is_dir():
        return ()
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load_artifact(name: str, package: str = PACKAGED) -> Artifact:
    """Return a compiled contract of a package: `name`.json in its folder.

    Raises
    ------
    ChainUnavailable
        There is none of that name (the message lists those there are), or it cannot be read.
    """
    path = _folder(package) / f"{name}{_SUFFIX}"
    if not path.is_file():
        known = ", ".join(artifact_names(package)) or "none; run scripts/build_artifacts.py"
        where = "" if package == PACKAGED else f" in {package}"
        raise ChainUnavailable(f"no compiled contract named {name!r}{where}; there are: {known}")
    try:
        return Artifact.from_json(path.read_text(encoding="utf-8"))
    except (ValueError, LookupError, TypeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise ChainUnavailable(f"{package}: {path.name} is no artifact: {said}") from None


def _folder(package: str) -> Traversable:
    """Return the folder of a package, which need not be one that can be imported itself."""
    parent, _, last = package.rpartition(".")
    try:
        return files(parent) / last if parent else files(package)
    except ModuleNotFoundError as error:
        raise ChainUnavailable(f"{package} cannot be found: {error}") from None


def too_large(artifact: Artifact, arguments: bytes = b"") -> str:
    """Return why no chain takes a contract's code; empty where it is small enough.

    The constructor's encoded `arguments` are part of the creation code.
    """
    creation = len(artifact.bytecode) + len(arguments)
    if artifact.deployed_size > CODE_LIMIT:
        size = f"bytecode is {artifact.deployed_size:,} bytes; at most {CODE_LIMIT:,} (EIP-170)"
    elif creation > INITCODE_LIMIT:
        made = f"creation code is {creation:,} bytes{' with its arguments' if arguments else ''}"
        size = f"{made}; at most {INITCODE_LIMIT:,} (EIP-3860)"
    else:
        return ""
    return f"{size}: split it, or compile for size"
