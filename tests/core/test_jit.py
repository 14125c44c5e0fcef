"""Compiled code is kept on disk: what it was compiled from must renew it."""

import importlib
import sys

import pytest

TUPLES = """
from typing import NamedTuple

class Inner(NamedTuple):
    {inner}

class Outer(NamedTuple):
    inner: Inner
    last: float
"""
KERNEL = """
from typing import NamedTuple
from simulator.jit import kernel
from kept_tuples import Inner, Outer

@kernel
def first(outer: Outer) -> float:
    return outer.inner.first

def made() -> Outer:
    return Outer(Inner(first=1.0, second=2.0), 3.0)
"""


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return a function that writes two modules, imports them anew and calls the kernel."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = ("kept_tuples", "kept_kernel")
    # once: numba itself renews what stands in a file that was written again
    (tmp_path / "kept_kernel.py").write_text(KERNEL)

    def call(*fields):
        inner = "\n    ".join(f"{field}: float" for field in fields)
        (tmp_path / "kept_tuples.py").write_text(TUPLES.format(inner=inner))
        for name in names:
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        module = importlib.import_module("kept_kernel")
        return module.first(module.made())

    yield call
    for name in names:
        sys.modules.pop(name, None)


def test_kernel__whose_tuple_of_another_module_swaps_two_fields__is_compiled_anew(kept):
    assert kept("first", "second") == 1.0
    assert kept("second", "first") == 1.0
