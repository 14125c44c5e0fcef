"""Commands run in process draw two parameter sets instead of fifty: the tests are many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.cli.run import run


@pytest.fixture(autouse=True, scope="session")
def few_sets() -> Iterator[None]:
    (option,) = (p for p in run.params if p.name == "parameter_sets")
    before, option.default = option.default, 2
    yield
    option.default = before
