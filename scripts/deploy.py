"""Deploys the main contracts on a local network: `ape run deploy`.

By itself it tries them on a node that ends with it. `--keep` starts an Anvil that stays, and
`--network ethereum:local:http://127.0.0.1:8545` takes one that runs already; addresses and ABIs
then stand in `runs/deploy/contracts.json`, where `ape console` finds them. It deploys USDC, three
price feeds, a gold token, a lending market, a gold vault and staking rewards, then a mine's
security token with its registry, its compliance and its staking, wires them, and prints the
addresses. Nothing is ever sent to a node that is not an Anvil on this machine.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
from ape import accounts, networks, project

from simulator.chain.rpc import loopback_url, place_of
from simulator.errors import ForbiddenEndpoint

CHAIN_ID = 31_337
HOST = "127.0.0.1"
LOCAL = "ethereum:local:foundry"
AT_URL = "ethereum:local:"
LABEL = "deploy"
CONTRACTS = Path("runs") / LABEL / "contracts.json"
START_SECONDS = 15.0
KEPT: list[subprocess.Popen[bytes]] = []
"""Nodes that stay; held here, since Python warns of a process that nobody holds."""
WAD = 10**18
GOLD_USD = 4_000 * 10**8
RESERVE_OUNCES = 1_000_000 * 10**8
DAY = 86_400
FEED_MAX_AGE_SECONDS = 2 * DAY
NO_CAP = 2**256 - 1
NO_QUEUE = "0x" + "0" * 40

RATES = {
    "base_rate": 0,
    "slope1": WAD * 4 // 100,
    "slope2": WAD * 60 // 100,
    "kink": WAD * 90 // 100,
    "reserve_factor": WAD * 10 // 100,
}
RISK = {
    "max_ltv": WAD * 70 // 100,
    "liquidation_threshold": WAD * 75 // 100,
    "liquidation_bonus": WAD * 6 // 100,
}
STREAM_SECONDS = 90 * DAY
PAYOUT_BPS = 6_000
CHILE = 152
FIRST_IDENTITY = "0x" + "1d" * 20

VAULT_FEES = {"performance_fee_bps": 1_000, "management_fee_bps": 100}

ROLES = (
    "owner",
    "custodian",
    "keeper",
    "treasury",
    "fee_recipient",
    "depositor",
    "borrower",
    "liquidator",
    "staker",
    "intruder",
)


@click.command()
@click.option("--network", default=LOCAL, show_default=True, help="A local network of ape's.")
@click.option("--keep", is_flag=True, help="Start an Anvil that stays, and deploy there.")
@click.option("--port", default=8545, show_default=True, help="Where --keep's Anvil listens.")
def cli(network: str, keep: bool, port: int) -> None:
    """Deploy the main contracts on a local development chain."""
    try:
        run(network, keep, port)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None


def run(network: str, keep: bool, port: int) -> None:
    """Deploy, say what went where, and write it down where the node stays."""
    require_loopback(network)
    node = start_node(port) if keep else None
    try:
        choice = f"{AT_URL}http://{HOST}:{port}" if keep else network
        with networks.parse_network_choice(choice) as provider:
            stays = getattr(provider, "process", None) is None
            main(write=stays)
    except BaseException:
        if node is not None:
            node.kill()
            node.wait()
        raise
    if node is not None:
        KEPT.append(node)
        print(f"anvil stays at http://{HOST}:{port}; end it with: kill {node.pid}")
    if stays:
        print(f"to look around: ape console --network {choice}")


def main(write: bool = False) -> None:
    """Deploy on the connected network and print what went where."""
    deployed = deploy(roles())
    width = max(map(len, vars(deployed)))
    for name, contract in vars(deployed).items():
        print(f"{name:{width}}  {contract.address}")
    if write:
        write_contracts(deployed)


def write_contracts(deployed: SimpleNamespace) -> None:
    """Write addresses and ABIs, in the form in which replays and devnets write theirs."""
    found = {
        f"{LABEL}/{name}": {
            "address": contract.address,
            "contract": contract.contract_type.name,
            "abi": [entry.model_dump(mode="json") for entry in contract.contract_type.abi],
        }
        for name, contract in vars(deployed).items()
    }
    CONTRACTS.parent.mkdir(parents=True, exist_ok=True)
    CONTRACTS.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"addresses and ABIs: {CONTRACTS}")


def start_node(port: int) -> subprocess.Popen[bytes]:
    """Return an Anvil that outlives this process, once it answers."""
    if listens(HOST, port):
        raise RuntimeError(f"--port {port} is taken; name another")
    options = ("--hardfork", "cancun", "--base-fee", "0", "--chain-id", str(CHAIN_ID), "--quiet")
    try:
        node = subprocess.Popen(
            ["anvil", "--host", HOST, "--port", str(port), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise RuntimeError(f"anvil did not start: {error.strerror}; npm installs it") from None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and node.poll() is None:
        if listens(HOST, port):
            return node
        time.sleep(0.02)
    node.kill()
    raise RuntimeError("anvil did not start")


def roles() -> SimpleNamespace:
    """Return ape's development accounts under the names of their roles."""
    held = [accounts.test_accounts[index] for index in range(len(ROLES))]
    return SimpleNamespace(**dict(zip(ROLES, held, strict=True)))


def deploy(actors: SimpleNamespace) -> SimpleNamespace:
    """Deploy and wire all contracts; return them by name.

    Raises
    ------
    RuntimeError
        If the connected network is not a local development chain.
    """
    require_local()
    token = deploy_tokens(actors)
    market = deploy_market(actors, token)
    vault = deploy_vault(actors, token)
    staking = actors.owner.deploy(
        project.staking_rewards,
        actors.owner,
        actors.keeper,
        token.reward_token,
        vault,
        30 * DAY,
    )
    return SimpleNamespace(
        **vars(token),
        lending_market=market,
        gold_vault=vault,
        staking_rewards=staking,
        **vars(deploy_mine(actors, token.usdc)),
    )


def require_loopback(network: str) -> None:
    """Refuse a choice of network that names another machine, or nobody: nothing is sent there."""
    if network == LOCAL:
        return
    if not network.startswith(f"{AT_URL}http"):
        raise RuntimeError(f"{network}: must be {LOCAL} or {AT_URL}URL; nothing was sent")
    try:
        url = loopback_url(network.removeprefix(AT_URL))
    except ForbiddenEndpoint as error:
        raise RuntimeError(f"{network}: {str(error).partition(': ')[2]}") from None
    if not listens(*place_of(url)):
        raise RuntimeError(f"{network}: nothing listens there; --keep starts an Anvil that stays")


def listens(host: str, port: int) -> bool:
    """Return whether somebody takes connections at a port."""
    try:
        socket.create_connection((host, port), 1.0).close()
    except OSError:
        return False
    return True


def require_local() -> None:
    """Refuse any network but a local development chain: the node itself is asked what it is."""
    provider = networks.provider
    name = provider.network.name
    chain_id = provider.make_request("eth_chainId", []) if name == "local" else None
    client = str(provider.make_request("web3_clientVersion", [])) if name == "local" else ""
    found = int(chain_id, 16) if isinstance(chain_id, str) else chain_id
    if found != CHAIN_ID or not client.lower().startswith("anvil/"):
        raise RuntimeError(f"{name} is not a local development chain; nothing was sent")


def deploy_tokens(actors: SimpleNamespace) -> SimpleNamespace:
    """Deploy the tokens and the feeds that price and attest them."""
    owner = actors.owner
    usdc = owner.deploy(project.usdc)
    usdc.configureMinter(owner, NO_CAP, sender=owner)
    gold_feed = deploy_feed(owner, "XAU / USD", actors.keeper, GOLD_USD)
    usdc_feed = deploy_feed(owner, "USDC / USD", actors.keeper, 10**8)
    reserve_feed = deploy_feed(owner, "Gold reserve, ounces", actors.custodian, RESERVE_OUNCES)
    gold = owner.deploy(
        project.gold_token, "Assay Gold", "aGOLD", 18, reserve_feed, FEED_MAX_AGE_SECONDS
    )
    gold.setSupplyController(actors.custodian, sender=owner)
    reward = owner.deploy(project.reward_token, "Assay Reward", "aRWD")
    return SimpleNamespace(
        usdc=usdc,
        gold_feed=gold_feed,
        usdc_feed=usdc_feed,
        reserve_feed=reserve_feed,
        gold_token=gold,
        reward_token=reward,
    )


def deploy_feed(owner: Any, description: str, keeper: Any, answer: int) -> Any:
    """Deploy a feed of 8 decimals and give it its first answer."""
    feed = owner.deploy(project.price_feed, 8, description, keeper)
    feed.update_answer(answer, sender=keeper)
    return feed


def deploy_market(actors: SimpleNamespace, token: SimpleNamespace) -> Any:
    """Deploy the market that lends USDC against gold."""
    return actors.owner.deploy(
        project.lending_market,
        token.gold_token,
        token.usdc,
        token.gold_feed,
        token.usdc_feed,
        FEED_MAX_AGE_SECONDS,
        actors.treasury,
        *RATES.values(),
        *RISK.values(),
    )


def deploy_vault(actors: SimpleNamespace, token: SimpleNamespace) -> Any:
    """Deploy the vault over the gold token: no queue, profit unlocked over ten days."""
    return actors.owner.deploy(
        project.gold_vault,
        "Assay Gold Vault",
        "vGOLD",
        token.gold_token,
        actors.owner,
        actors.fee_recipient,
        *VAULT_FEES.values(),
        10 * DAY,
        NO_CAP,
        NO_QUEUE,
    )


def deploy_mine(actors: SimpleNamespace, usdc: Any) -> SimpleNamespace:
    """Deploy a mine's security token: paused, the owner its agent, the staking known.

    The keeper runs the mine and pays its profit, the custodian audits its revenue.
    """
    owner = actors.owner
    registry = owner.deploy(project.identity_registry)
    rules = owner.deploy(project.compliance)
    sto = owner.deploy(
        project.mining_sto,
        "Assay Copper",
        "aCU",
        registry,
        rules,
        usdc,
        STREAM_SECONDS,
        PAYOUT_BPS,
        actors.keeper,
        actors.custodian,
    )
    staking = owner.deploy(project.revenue_staking, owner, actors.keeper, sto, 30 * DAY)
    for contract, agent in ((registry, owner), (registry, sto), (sto, owner)):
        contract.addAgent(agent, sender=owner)
    registry.set_listener(rules, sender=owner)
    registry.registerIdentity(staking, FIRST_IDENTITY, CHILE, sender=owner)
    rules.set_custodian(staking, True, sender=owner)
    return SimpleNamespace(
        identity_registry=registry, compliance=rules, mining_sto=sto, revenue_staking=staking
    )
