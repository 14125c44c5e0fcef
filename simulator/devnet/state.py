"""A devnet in a file: the node's whole state, and where in which scenario it stands."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from simulator.errors import InputError, Problem
from simulator.plain_json import plain_json
from simulator.writer import write_bytes

FORMAT = 1
_HEAD = "assay_devnet"


@dataclass(frozen=True)
class Saved:
    """What a file holds.

    Attributes
    ----------
    scenario, run_hash : str
        Name, and the hash of scenario and calibration with all that was set.
    contracts : dict of str to str
        Addresses by `LABEL/NAME`.
    timestamp : int
        Of the latest block, seconds.
    acted_on, strangers : int or None, int
        See `Story` and `LivingChain`.
    state : str
        Anvil's own dump, hex.
    """

    scenario: str
    run_hash: str
    path: int
    day: int
    timestamp: int
    acted_on: int | None
    strangers: int
    anvil: str
    contracts: dict[str, str]
    state: str


def write(file: Path, saved: Saved) -> None:
    """Write a file, whole or not at all."""
    head = {_HEAD: FORMAT, "assay": version("assay-sim")}
    text = json.dumps(head | asdict(saved), sort_keys=True)
    write_bytes(file, gzip.compress(text.encode(), mtime=0))


def read(file: Path, scenario: str, run_hash: str, path: int | None) -> Saved:
    """Return what a file holds, for the devnet of `scenario`, its hash and path, None for any.

    Raises
    ------
    InputError
        It is no saved devnet, or of another version, scenario or path.
    """
    try:
        packed = file.read_bytes()
    except OSError as error:
        raise _fault(file, "", "", f"cannot be read: {error.strerror or error}") from None
    try:
        found = plain_json(gzip.decompress(packed).decode())
        form, made_by = found.pop(_HEAD), found.pop("assay")
    except (OSError, zlib.error, ValueError, LookupError, TypeError, AttributeError, EOFError):
        raise _fault(file, "", "", "is no saved devnet") from None
    ours = {_HEAD: FORMAT, "assay": version("assay-sim")}
    theirs = {_HEAD: form, "assay": made_by}
    ours |= {"scenario": scenario, "run_hash": run_hash}
    ours |= {} if path is None else {"path": path}
    theirs |= {name: found.get(name) for name in ("scenario", "path", "run_hash")}
    for name, mine in ours.items():
        if theirs[name] != mine:
            raise _fault(file, name, str(theirs[name]), f"must be {mine}, that of this devnet")
    try:
        return Saved(**found)
    except TypeError:
        raise _fault(file, "", "", "is no saved devnet") from None


def _fault(file: Path, field: str, value: str, rule: str) -> InputError:
    return InputError([Problem(str(file), None, field, value, rule)])
