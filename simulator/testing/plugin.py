"""pytest's fixtures: `stage`, `roles`, `at_day`, `market_path`, `shock`.

PYTEST_DONT_REWRITE: pytest loads this wherever Assay is installed. Nothing is imported before a
test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulator.trial.sequences import Year
    from simulator.trial.stage import TrialStage


@pytest.fixture
def stage() -> Callable[..., TrialStage]:
    """Return `stage(contract, adapter=None, **arguments)`, which deploys a contract."""
    from simulator.testing.bench import staged

    return staged


@pytest.fixture
def roles() -> SimpleNamespace:
    """Return the addresses of those who deal with a contract: `roles.keeper`."""
    from simulator.chain import DEVELOPMENT_ACCOUNTS
    from simulator.trial.stage import ROLES

    return SimpleNamespace(**dict(zip(ROLES, DEVELOPMENT_ACCOUNTS, strict=False)))


@pytest.fixture
def at_day() -> Callable[[TrialStage, int], None]:
    """Return `at_day(stage, day)`, which lets time pass."""
    from simulator.testing.bench import at_day as until

    return until


@pytest.fixture
def market_path() -> Callable[..., Year]:
    """Return `market_path(scenario, path)`: what a simulated year brings, day by day."""
    from simulator.testing.bench import market_path as path

    return path


@pytest.fixture
def shock() -> Callable[[Year, int, float], Year]:
    """Return `shock(year, day, gained)`: the same year with a gain or loss on a day."""
    from simulator.testing.bench import shock as shocked

    return shocked
