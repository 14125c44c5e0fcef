"""Chains for the tests: one per session, rolled back after each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from simulator.chain import DEVELOPMENT_ACCOUNTS, AnvilChain, Chain, RevmChain
from simulator.errors import ChainUnavailable
from simulator.instruments import registry

# Products of packages that happen to be installed here are nobody's business in these tests.
registry.entry_points = lambda group: ()

START = 1_735_689_600
"""2025-01-01 00:00 UTC, the time of a scenario's first block."""

ROLES = (
    "owner",
    "custodian",
    "keeper",
    "curator",
    "guardian",
    "treasury",
    "fee_recipient",
    "depositor",
    "second_depositor",
    "crowd",
    "borrower",
    "second_borrower",
    "liquidator",
    "intruder",
    "market_maker",
    "mine_operator",
    "underwriter",
    "trader",
    "arbitrageur",
    "rewards_distribution",
    "staker",
    "second_staker",
    "stranger",
    "agent",
    "auditor",
    "verifier",
)


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Take ape's runner out: it would connect, snapshot and trace for every test there is.

    The tests in `tests/ape` connect by themselves. The runner stays where its reports
    are asked for.
    """
    runner = config.pluginmanager.get_plugin("ape-test")
    reports = config.getoption("gas", False) or config.getoption("coverage", False)
    if runner is not None and not reports:
        config.pluginmanager.unregister(runner)


@pytest.fixture(scope="session")
def roles() -> SimpleNamespace:
    """Return the account of each role, as attributes: `roles.keeper`."""
    return SimpleNamespace(**dict(zip(ROLES, DEVELOPMENT_ACCOUNTS, strict=False)))


@pytest.fixture(scope="session")
def revm_session() -> Iterator[Chain]:
    with _opened(RevmChain) as chain:
        yield chain


@pytest.fixture(scope="session")
def anvil_session() -> Iterator[Chain]:
    with _opened(AnvilChain) as chain:
        yield chain


@pytest.fixture
def revm(revm_session: Chain) -> Iterator[Chain]:
    """Yield the in-process chain, empty at the start of each test."""
    yield from _rolled_back(revm_session)


@pytest.fixture
def anvil(anvil_session: Chain) -> Iterator[Chain]:
    """Yield the session's node, empty at the start of each test."""
    yield from _rolled_back(anvil_session)


@pytest.fixture(params=["anvil", "revm"])
def chain(request: pytest.FixtureRequest) -> Chain:
    """Yield each chain in turn."""
    found: Chain = request.getfixturevalue(request.param)
    return found


def _opened(kind: Callable[[int], Chain]) -> Chain:
    """Open a chain; where its tools are missing, skip on a laptop and fail in CI."""
    try:
        return kind(START)
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


_empty: dict[int, int] = {}
"""The snapshot of each session's chain before its first test. Chains hold a limited number of open
snapshots, and going back to this one closes all that the tests have opened."""


def _rolled_back(chain: Chain) -> Iterator[Chain]:
    if id(chain) not in _empty:
        _empty[id(chain)] = chain.snapshot()
    yield chain
    chain.revert(_empty[id(chain)])
