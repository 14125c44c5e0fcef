"""Without the optional packages the core imports, and a chain says what to install."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from simulator.chain import RevmChain, load_artifact
from simulator.chain.rpc import over_http, over_socket
from simulator.errors import ChainUnavailable

HEAVY = ("web3", "pyrevm", "eth_abi", "eth_utils", "vyper", "requests")


def test_import__chain_package__loads_no_optional_package():
    script = f"import sys, simulator.chain; print(sorted(set(sys.modules) & set({HEAVY})))"
    path = os.pathsep.join(filter(None, sys.path))
    printed = subprocess.check_output(
        [sys.executable, "-c", script], text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert printed.strip() == "[]"


@pytest.mark.parametrize(
    ("package", "module", "use"),
    [
        ("pyrevm", "pyrevm", RevmChain),
        ("web3", "web3", lambda: over_http("http://127.0.0.1:1")),
        ("web3", "web3.providers.base", lambda: over_socket("/nowhere")),
    ],
)
def test_use__package_missing__names_the_command(package, module, use, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ChainUnavailable) as caught:
        use()
    assert str(caught.value) == f'{package} is not installed; pip install "assay-sim[chain]"'


def test_codec__eth_abi_missing__names_the_command():
    # In a process of its own: the registry is looked up once and kept.
    script = (
        "import sys; sys.modules['eth_abi.registry'] = None\n"
        "from simulator.chain.codec import Encoder\n"
        "try: Encoder(('uint256',))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    printed = subprocess.check_output(
        [sys.executable, "-c", script], text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert printed.strip() == (
        'ChainUnavailable eth-abi is not installed; pip install "assay-sim[chain]"'
    )
    assert load_artifact("usdc").abi
