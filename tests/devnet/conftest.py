"""One devnet for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from devnet_process import Running, running

from simulator.chain import find_anvil
from simulator.errors import ChainUnavailable


@pytest.fixture(scope="session")
def anvil_binary() -> Path:
    """Return the Anvil to use; without one, skip on a laptop and fail in CI."""
    try:
        return find_anvil()
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def devnet(tmp_path_factory: pytest.TempPathFactory, anvil_binary: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("devnet")) as found:
        yield found
        found.ask("down")
        assert found.wait() == 0
