"""The vault's contracts on the stage: created, wired, and every allowance but the depositor's."""

from __future__ import annotations

from typing import NamedTuple

from simulator.chain import Call, Contract
from simulator.instruments.gold_vault.state import N_COHORTS, POOL_GAP
from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.instruments.stage import UNLIMITED, Stage
from simulator.units import FEED_DECIMALS, SECONDS_PER_DAY, to_wei

FEED_MAX_AGE = 2 * SECONDS_PER_DAY

NO_QUEUE = "0x" + "0" * 40
"""Everybody may withdraw; a vault with a queue names its address here."""


class VaultContracts(NamedTuple):
    """What a vault consists of: its token, its loans' USDC, its strategies and its rewards."""

    token: Contract
    usdc: Contract
    usdc_feed: Contract
    market: Contract
    vault: Contract
    pool: Contract | None
    hostile: Contract
    reward: Contract
    staking: Contract


def deploy_contracts(stage: Stage, terms: GoldVaultTerms, pool_fee_ppm: int) -> VaultContracts:
    """Create all of them but the token and the pool, which stand already."""
    roles = stage.roles
    token, usdc = stage.contract("token", terms.token), stage.deploy("usdc")
    feed = ("price_feed", FEED_DECIMALS, "USDC / USD", roles.keeper)
    usdc_feed = stage.deploy(*feed, name="usdc_feed")
    market = _deploy_market(stage, terms, usdc, token, usdc_feed)
    vault = _deploy_vault(stage, terms, token)
    parts = (token, vault, roles.keeper, roles.intruder)
    label = terms.pool
    pool = None if label is None else _deploy_pool(stage, label, pool_fee_ppm, vault)
    hostile = stage.deploy("stage_strategy", *parts, name="hostile")
    reward = stage.deploy("reward_token", "Assay Reward", "aRWD")
    period = terms.emissions.period_days * SECONDS_PER_DAY
    staking = stage.deploy("staking_rewards", roles.owner, roles.distributor, reward, vault, period)
    stage.send(
        usdc_feed.call("update_answer", 10**FEED_DECIMALS, sender=roles.keeper),
        usdc_feed.call("set_market_status", 1, sender=roles.keeper),
        vault.call("add_strategy", market, sender=roles.curator),
        *(vault.call("add_strategy", s, sender=roles.curator) for s in (pool,) if s is not None),
    )
    return VaultContracts(token, usdc, usdc_feed, market, vault, pool, hostile, reward, staking)


def _deploy_market(
    stage: Stage, terms: GoldVaultTerms, usdc: Contract, token: Contract, usdc_feed: Contract
) -> Contract:
    own = terms.lending
    rates = (own.base_rate, own.slope1, own.slope2, own.kink, own.reserve_factor)
    risks = (own.max_ltv, own.liquidation_threshold, own.liquidation_bonus)
    return stage.deploy(
        "lending_market",
        usdc,
        token,
        usdc_feed,
        stage.contract("metal_feed", terms.token),
        FEED_MAX_AGE,
        stage.roles.treasury,
        *(to_wei(x, 18) for x in (*rates, *risks)),
    )


def _deploy_pool(stage: Stage, pool: str, fee_ppm: int, vault: Contract) -> Contract:
    """Deploy the strategy that provides to the pool of another label, at its price."""
    liquidity = stage.contract("gold_pool", pool)
    price = stage.contract("token_feed", pool)
    gap_ppm = fee_ppm + round(POOL_GAP * 10**6)
    return stage.deploy("pool_strategy", liquidity, vault, price, FEED_MAX_AGE, gap_ppm)


def _deploy_vault(stage: Stage, terms: GoldVaultTerms, token: Contract) -> Contract:
    roles = stage.roles
    vault = stage.deploy(
        "gold_vault",
        "Assay Gold Vault",
        "avGLD",
        token,
        roles.owner,
        roles.fee_recipient,
        round(terms.performance_fee_bps),
        round(terms.management_fee_bps),
        round(terms.profit_unlock_days * SECONDS_PER_DAY),
        UNLIMITED,
        NO_QUEUE,
    )
    grants = [
        vault.call(
            "grantRole",
            vault.decode(name, stage.chain.view_one(vault.call(name))),
            account,
            sender=roles.owner,
        )
        for name, account in (("CURATOR", roles.curator), ("KEEPER", roles.keeper))
    ]
    stage.send(*grants)
    return vault


def allowances(stage: Stage, found: VaultContracts) -> list[Call]:
    """Return every allowance but the depositor's, who approves as part of entering."""
    roles = stage.roles
    calls = [
        found.token.call("approve", found.vault, UNLIMITED, sender=roles.crowd),
        found.vault.call("approve", found.staking, UNLIMITED, sender=roles.crowd),
        found.token.call("approve", found.market, UNLIMITED, sender=roles.keeper),
    ]
    for borrower in roles.several("borrower", N_COHORTS):
        calls += [
            token.call("approve", found.market, UNLIMITED, sender=borrower)
            for token in (found.usdc, found.token)
        ]
    return calls
