"""pytest's fixtures: `stage`, `roles`, `ape_roles`, `at_day`, `market_path`, `shock`; `--assay`.

PYTEST_DONT_REWRITE: pytest loads this wherever Assay is installed. Nothing is imported before a
test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulator.trial.sequences import Year
    from simulator.trial.stage import TrialStage

STORED = pytest.StashKey[Path]()
"""Where `--assay-update` has written verdicts."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--assay` and what goes with it."""
    group = parser.getgroup("assay", "claims of a scenario as tests")
    group.addoption(
        "--assay",
        metavar="SCENARIO",
        help="Test that each claim of a scenario has the verdict that is stored beside it.",
    )
    group.addoption(
        "--assay-contract",
        metavar="FILE",
        help="A contract that stands in place of what the scenario's subject holds.",
    )
    group.addoption("--assay-adapter", metavar="FILE", help="As `assay try --adapter`.")
    group.addoption(
        "--assay-arg", action="append", metavar="NAME=VALUE", help="As `assay try --arg`."
    )
    group.addoption(
        "--assay-years",
        type=int,
        default=100,
        metavar="N",
        help="Years of the scenario that a contract is driven through (100).",
    )
    group.addoption(
        "--assay-update", action="store_true", help="Store the verdicts as they are now."
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add a test for each claim of the scenario that `--assay` names."""
    if config.getoption("assay"):
        from simulator.testing.items import claims_of

        def on_stored(file: Path) -> None:
            config.stash[STORED] = file

        items += claims_of(session, config.getoption, on_stored)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where verdicts were stored."""
    if stored := config.stash.get(STORED, None):
        terminalreporter.write_line(f"verdicts stored in {stored}")


@pytest.fixture
def stage() -> Callable[..., TrialStage]:
    """Return `stage(contract, adapter=None, **arguments)`, which deploys a contract."""
    from simulator.testing.bench import staged

    return staged


@pytest.fixture
def roles() -> SimpleNamespace:
    """Return the addresses of those who deal with a contract: `roles.keeper`."""
    from simulator.testing.bench import roles_of

    return roles_of()


@pytest.fixture
def ape_roles() -> SimpleNamespace:
    """Return the same as ape's accounts, to call a contract through ape."""
    from simulator.testing.over_ape import ape_roles as found

    return found()


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
