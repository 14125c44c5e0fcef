"""The contracts as `scripts/deploy.py` puts them on the node that ape starts."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from simulator.chain import find_anvil
from simulator.errors import ChainUnavailable

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "deploy.py"

# ape belongs to the development tools; the core's tests run without it.
if importlib.util.find_spec("ape") is None:
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def node(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Connect ape to the node of its configuration, or of `--network`."""
    import ape

    put_anvil_on_path()
    choice = request.config.getoption("network", None)
    with ape.networks.parse_network_choice(choice, disconnect_after=True) as provider:
        yield provider


def put_anvil_on_path() -> None:
    """Put Anvil where ape looks for it; without it, skip on a laptop and fail in CI."""
    try:
        folder = str(find_anvil().parent)
    except ChainUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    # The compiler stands beside the interpreter, also where no environment is activated.
    tools = [folder, str(Path(sys.executable).parent)]
    os.environ["PATH"] = os.pathsep.join([*tools, os.environ.get("PATH", "")])


@pytest.fixture(scope="session")
def script(node: Any) -> ModuleType:
    spec = importlib.util.spec_from_file_location("deploy", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def actors(script: ModuleType) -> SimpleNamespace:
    return script.roles()


@pytest.fixture(scope="session")
def deployed(script: ModuleType, actors: SimpleNamespace) -> SimpleNamespace:
    return script.deploy(actors)


@pytest.fixture
def stage(deployed: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """Yield the contracts as deployed; undo what the test does to them."""
    import ape

    with ape.chain.isolate():
        yield deployed


@pytest.fixture
def at() -> Callable[[int], int]:
    """Return a function that sets the time of the next block, seconds, and returns it."""
    import ape

    def set_next(timestamp: int) -> int:
        ape.chain.pending_timestamp = timestamp
        return timestamp

    return set_next


@pytest.fixture
def give_gold(stage: SimpleNamespace, actors: SimpleNamespace) -> Callable[[Any, int], None]:
    """Return a function that mints gold, in wei, to an account."""

    def give(receiver: Any, amount_wei: int) -> None:
        stage.gold_token.increaseSupply(amount_wei, sender=actors.custodian)
        stage.gold_token.transfer(receiver, amount_wei, sender=actors.custodian)

    return give


@pytest.fixture
def give_usdc(stage: SimpleNamespace, actors: SimpleNamespace) -> Callable[[Any, int], None]:
    """Return a function that mints USDC, in millionths, to an account."""

    def give(receiver: Any, amount: int) -> None:
        stage.usdc.mint(receiver, amount, sender=actors.owner)

    return give
