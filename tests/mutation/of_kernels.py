"""Mutants of the models' kernels: which are drawn, where they are put, which tests must fail."""

from __future__ import annotations

TESTS: dict[str, tuple[str, ...]] = {}
OPTIONS = ("--without-chain",)
