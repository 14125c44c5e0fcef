"""Compiled contracts as they ship in the package: ABI, creation code, origin.

The JSON files lie in `simulator/chain/artifacts/`, one per contract, written by
`scripts/build_artifacts.py`. Simulating and replaying needs no compiler.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from simulator.errors import ChainUnavailable

_SUFFIX = ".json"


@dataclass(frozen=True, eq=False)
class Artifact:
    """One compiled contract.

    `bytecode` is the creation code, `deployed_size` the bytes that stay on chain
    (EIP-170 allows 24,576), `source_hash` the SHA-256 over the source and all it
    imports, `compiler` the compiler's name and version.
    """

    name: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    deployed_size: int
    source_hash: str
    compiler: str

    def to_json(self) -> str:
        """Return the file's text: sorted keys, one ABI entry a line."""
        entries = ",\n    ".join(json.dumps(entry, sort_keys=True) for entry in self.abi)
        rest = {
            "bytecode": "0x" + self.bytecode.hex(),
            "compiler": self.compiler,
            "deployed_size": self.deployed_size,
            "name": self.name,
            "source_hash": self.source_hash,
        }
        fields = ",\n  ".join(f"{json.dumps(key)}: {json.dumps(rest[key])}" for key in sorted(rest))
        return f'{{\n  "abi": [\n    {entries}\n  ],\n  {fields}\n}}\n'

    @classmethod
    def from_json(cls, text: str) -> Artifact:
        """Return the artifact that `to_json` wrote."""
        raw = json.loads(text)
        return cls(
            name=raw["name"],
            abi=tuple(raw["abi"]),
            bytecode=bytes.fromhex(raw["bytecode"][2:]),
            deployed_size=raw["deployed_size"],
            source_hash=raw["source_hash"],
            compiler=raw["compiler"],
        )


def artifact_names() -> tuple[str, ...]:
    """Return the names of all packaged contracts, sorted."""
    folder = files("simulator.chain") / "artifacts"
    if not folder.is_dir():
        return ()
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load_artifact(name: str) -> Artifact:
    """Return the packaged contract `name`.

    Raises
    ------
    ChainUnavailable
        If there is none of that name; the message lists those there are.
    """
    path = files("simulator.chain") / "artifacts" / f"{name}{_SUFFIX}"
    if not path.is_file():
        known = ", ".join(artifact_names()) or "none; run scripts/build_artifacts.py"
        raise ChainUnavailable(f"no compiled contract named {name!r}; there are: {known}")
    return Artifact.from_json(path.read_text(encoding="utf-8"))
