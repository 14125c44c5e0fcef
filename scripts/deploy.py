"""Deploys the main contracts on a local network: `ape run deploy`.

The network is a development node that ape starts, or one that is running already
(`--network ethereum:local:foundry`). It deploys USDC, three price feeds, a gold
token, a lending market, a gold vault and staking rewards, then a mine's security
token with its registry, its compliance and its staking, wires them, and prints the
addresses. Nothing is ever sent to another network.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ape import accounts, networks, project

CHAIN_ID = 31_337
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


def main() -> None:
    """Deploy on the connected network and print what went where."""
    deployed = deploy(roles())
    width = max(map(len, vars(deployed)))
    for name, contract in vars(deployed).items():
        print(f"{name:{width}}  {contract.address}")


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


def require_local() -> None:
    """Refuse any network but a local development chain."""
    network = networks.provider.network
    if network.name != "local" or networks.provider.chain_id != CHAIN_ID:
        raise RuntimeError(f"{network.name} is not a local development chain; nothing was sent")


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
