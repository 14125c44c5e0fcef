"""Chains that run the contracts: Anvil as a child process, revm in this one."""

from simulator.chain.accounts import DEVELOPMENT_ACCOUNTS, ZERO_ADDRESS, development_account
from simulator.chain.anvil import AnvilChain
from simulator.chain.artifacts import Artifact, artifact_names, load_artifact
from simulator.chain.base import (
    BLOCK_GAS,
    CALL_GAS,
    CHAIN_ID,
    SETUP_SECONDS,
    Call,
    Chain,
    Log,
    Receipt,
)
from simulator.chain.contract import Contract
from simulator.chain.node import find_anvil
from simulator.chain.opening import open_chain
from simulator.chain.revm import RevmChain

__all__ = [
    "BLOCK_GAS",
    "CALL_GAS",
    "CHAIN_ID",
    "DEVELOPMENT_ACCOUNTS",
    "SETUP_SECONDS",
    "ZERO_ADDRESS",
    "AnvilChain",
    "Artifact",
    "Call",
    "Chain",
    "Contract",
    "Log",
    "Receipt",
    "RevmChain",
    "artifact_names",
    "development_account",
    "find_anvil",
    "load_artifact",
    "open_chain",
]
