"""A saved devnet is read by what made it alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from simulator.devnet import state
from simulator.errors import InputError

SAVED = state.Saved("own", "abc", 3, 30, 1_735_689_600, None, 0, "anvil/v1", {"a/b": "0x1"}, "0x00")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    state.write(tmp_path / "day.gz", SAVED)
    return tmp_path / "day.gz"


def test_saved__is_read_again(file):
    assert state.read(file, "own", "abc", 3) == SAVED


def test_saved__twice__same_bytes(file, tmp_path):
    state.write(tmp_path / "again.gz", SAVED)
    assert (tmp_path / "again.gz").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("other", "abc", 3), "scenario is own; must be other, that of this devnet"),
        (("own", "abd", 3), "run_hash is abc; must be abd, that of this devnet"),
        (("own", "abc", 4), "path is 3; must be 4, that of this devnet"),
    ],
)
def test_saved__of_another_path__is_refused(file, asked, message):
    with pytest.raises(InputError, match=message):
        state.read(file, *asked)
    assert state.read(file, "own", "abc", None).path == 3


@pytest.mark.parametrize(("name", "value"), [("assay_devnet", 2), ("assay", "0.0.1")])
def test_saved__of_another_version__is_refused(file, name, value):
    found = json.loads(gzip.decompress(file.read_bytes())) | {name: value}
    file.write_bytes(gzip.compress(json.dumps(found).encode()))
    with pytest.raises(InputError, match=f"day.gz: {name} is {value}; must be "):
        state.read(file, "own", "abc", 3)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", gzip.compress(b"[]"), gzip.compress(b"{}")],
    ids=["empty", "text", "a list", "an empty object"],  # gzip writes the time of day
)
def test_file__that_is_something_else__is_refused(tmp_path, content):
    file = tmp_path / "day.gz"
    file.write_bytes(content)
    with pytest.raises(InputError, match="is no saved devnet"):
        state.read(file, "own", "abc", 3)


def test_file__cut_short__is_refused(file):
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match="is no saved devnet"):
        state.read(file, "own", "abc", 3)
