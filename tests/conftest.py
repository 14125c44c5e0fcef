"""Chains for the tests: one per session, rolled back after each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import hypothesis
import pytest

from simulator.chain import DEVELOPMENT_ACCOUNTS, AnvilChain, Chain, RevmChain, artifacts
from simulator.errors import ChainUnavailable
from simulator.instruments import registry

# Products of packages that happen to be installed here are nobody's business in these tests.
registry.entry_points = lambda group: ()

hypothesis.settings.register_profile("repeatable", derandomize=True, database=None)

if folder := os.environ.get("ASSAY_ARTIFACTS"):
    # For `tests/mutation`: other bytecode in place of the packaged contracts'.
    packaged = artifacts._folder
    artifacts._folder = lambda package: (
        Path(folder) if package == artifacts.PACKAGED else packaged(package)
    )

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


ON_A_CHAIN = {"revm", "anvil", "chain", "AnvilChain", "RevmChain", "replay", "players"}
"""Fixtures that a test asks for, or names that its module imports, if it needs a chain."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--without-chain`: the models' tests alone, as for another numpy; and its opposite."""
    parser.addoption("--without-chain", action="store_true", help="Leave out tests on a chain.")
    parser.addoption("--on-a-chain", action="store_true", help="Leave out all other tests.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out ape's runner, and what `--without-chain` or `--on-a-chain` leaves out.

    The runner would connect, snapshot and trace for every test there is. The tests in `tests/ape`
    connect by themselves. It stays where its reports are asked for.
    """
    without, alone = config.getoption("--without-chain"), config.getoption("--on-a-chain")
    if without or alone:
        out = [item for item in items if _is_on_a_chain(item) is not alone]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]
    runner = config.pluginmanager.get_plugin("ape-test")
    reports = config.getoption("gas", False) or config.getoption("coverage", False)
    if runner is not None and not reports:
        config.pluginmanager.unregister(runner)


def _is_on_a_chain(item: pytest.Item) -> bool:
    named = {*getattr(item, "fixturenames", ()), *vars(getattr(item, "module", item))}
    return not ON_A_CHAIN.isdisjoint(named)


@pytest.fixture(scope="session")
def roles() -> SimpleNamespace:
    """Return the account of each role, as attributes: `roles.keeper`."""
    return SimpleNamespace(**dict(zip(ROLES, DEVELOPMENT_ACCOUNTS, strict=False)))


@pytest.fixture(scope="session")
def revm_session() -> Iterator[Chain]:
    if steps := os.environ.get("ASSAY_STEPS"):
        # For `tests/coverage`: a chain that notes which instructions run.
        from traced_chain import TracedChain

        with TracedChain(START) as chain:
            yield chain
            chain.save(Path(steps), str(os.getpid()))
        return
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
