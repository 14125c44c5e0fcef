"""Chains for the tests: one per session, rolled back after each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from simulator.chain import DEVELOPMENT_ACCOUNTS, AnvilChain, Chain, RevmChain, find_anvil
from simulator.errors import ChainUnavailable

APE_TESTS = Path(__file__).parent / "ape"

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
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let ape start its node for its own tests only, and only where Anvil is."""
    runner = config.pluginmanager.get_plugin("ape-test")
    if runner is None:
        return
    # ape would take a snapshot around every test of the suite; its own use `isolate`.
    config.option.disable_isolation = True
    ape_items = [item for item in items if APE_TESTS in item.path.parents]
    if not (ape_items and _anvil_on_path(ape_items)):
        config.pluginmanager.unregister(runner)


def _anvil_on_path(items: list[pytest.Item]) -> bool:
    """Put Anvil on PATH, where ape looks for it; without it, skip `items` except in CI."""
    try:
        folder = str(find_anvil().parent)
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        for item in items:
            item.add_marker(pytest.mark.skip(str(error)))
        return False
    os.environ["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", "")])
    return True


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


def _rolled_back(chain: Chain) -> Iterator[Chain]:
    before = chain.snapshot()
    yield chain
    chain.revert(before)
