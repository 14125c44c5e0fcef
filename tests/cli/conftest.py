"""Commands run in process draw two sets of each kind instead of fifty: the tests are many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.cli.commands.run import run


@pytest.fixture(autouse=True, scope="session")
def few_sets() -> Iterator[None]:
    options = [p for p in run.params if p.name in ("parameter_sets", "assumption_sets")]
    before = [option.default for option in options]
    for option in options:
        option.default = 2
    yield
    for option, default in zip(options, before, strict=True):
        option.default = default
