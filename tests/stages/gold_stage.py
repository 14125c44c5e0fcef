"""A stage for the gold vault and its lending market: tokens, feeds, both contracts, a pool.

Amounts are wei, prices whole dollars, times seconds. `try_out` runs a transaction at the
latest block without keeping it, so that a preview and what it previews share a block.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from props import DAY, DOLLAR, OUNCE, deploy

from simulator.chain import Artifact, Chain, Contract, Receipt, load_artifact
from simulator.chain.compile import compile_patched
from simulator.errors import TransactionReverted
from simulator.units import RAY, SECONDS_PER_YEAR, WAD

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"

UNLIMITED = 2**256 - 1
FEED_UNIT = 10**8
GOLD_USD = 4_000
STAGE_OUNCES = 1_000_000
STAGE_DOLLARS = 10**10
NEVER_STALE = 100 * SECONDS_PER_YEAR


@dataclass(frozen=True)
class MarketTerms:
    """Arguments of the market's constructor after the treasury, in their order."""

    base_rate: int = WAD // 100
    slope1: int = 4 * WAD // 100
    slope2: int = 60 * WAD // 100
    kink: int = 80 * WAD // 100
    reserve_factor: int = 10 * WAD // 100
    max_ltv: int = 75 * WAD // 100
    liquidation_threshold: int = 85 * WAD // 100
    liquidation_bonus: int = 5 * WAD // 100

    def args(self) -> tuple[int, ...]:
        return tuple(vars(self).values())


NOBODY = "0x" + "0" * 40


@dataclass(frozen=True)
class VaultTerms:
    """Arguments of the vault's constructor after the fee recipient, in their order, but for the
    queue, which stands where there is a batch period."""

    performance_fee_bps: int = 0
    management_fee_bps: int = 0
    profit_unlock_seconds: int = 7 * DAY
    deposit_cap: int = UNLIMITED
    cooldown_seconds: int = 0
    batch_seconds: int = 0

    def args(self) -> tuple[int, ...]:
        return (
            self.performance_fee_bps,
            self.management_fee_bps,
            self.profit_unlock_seconds,
            self.deposit_cap,
        )


@dataclass
class GoldStage:
    """Everything deployed; `market` lends gold against USDC, `pool` is a stage strategy."""

    chain: Chain
    roles: SimpleNamespace
    market_terms: MarketTerms = field(default_factory=MarketTerms)
    vault_terms: VaultTerms = field(default_factory=VaultTerms)
    feed_max_age: int = NEVER_STALE
    decimals: int = 18

    def __post_init__(self) -> None:
        chain, roles = self.chain, self.roles
        self.ounce = 10**self.decimals
        reserve = self._feed("Gold reserve, oz", STAGE_OUNCES)
        self.gold_feed = self._feed("XAU / USD", GOLD_USD)
        self.usd_feed = self._feed("USDC / USD", 1)
        self.gold = deploy(
            chain,
            "gold_token",
            "Gold",
            "GOLD",
            self.decimals,
            reserve,
            NEVER_STALE,
            sender=roles.owner,
        )
        self.usdc = deploy(chain, "usdc", sender=roles.owner)
        self.market = self.deploy_market(self.market_terms)
        self.vault = self.deploy_vault(self.vault_terms)
        self.pool = deploy(
            chain,
            "stage_strategy",
            self.gold,
            self.vault,
            roles.keeper,
            roles.intruder,
            sender=roles.owner,
        )
        self.send(self.gold, "increaseSupply", STAGE_OUNCES * self.ounce, sender=roles.owner)
        self.send(
            self.usdc, "configureMinter", roles.owner, STAGE_DOLLARS * DOLLAR, sender=roles.owner
        )

    def _feed(self, description: str, answer: int) -> Contract:
        keeper = self.roles.keeper
        feed = deploy(self.chain, "price_feed", 8, description, keeper, sender=self.roles.owner)
        self.send(feed, "update_answer", answer * FEED_UNIT, sender=keeper)
        return feed

    def deploy_market(self, terms: MarketTerms, artifact: Artifact | None = None) -> Contract:
        """Deploy a market that lends gold against USDC; `artifact` replaces the packaged one."""
        args = (
            self.usdc.address,
            self.gold.address,
            self.usd_feed.address,
            self.gold_feed.address,
            self.feed_max_age,
            self.roles.treasury,
            *terms.args(),
        )
        artifact = artifact or load_artifact("lending_market")
        return self.chain.deploy(artifact, args, sender=self.roles.owner)

    def deploy_vault(self, terms: VaultTerms, artifact: Artifact | None = None) -> Contract:
        """Deploy a vault for the gold, its `queue` beside it where the terms have one;
        `artifact` replaces the vault's packaged one."""
        owner, is_queued = self.roles.owner, terms.batch_seconds != 0
        if is_queued:
            times = (terms.cooldown_seconds, terms.batch_seconds)
            self.queue = deploy(self.chain, "vault_queue", *times, sender=owner)
        args = (
            "Gold Vault",
            "vGOLD",
            self.gold.address,
            self.roles.curator,
            self.roles.fee_recipient,
            *terms.args(),
            self.queue.address if is_queued else NOBODY,
        )
        artifact = artifact or load_artifact("gold_vault")
        vault = self.chain.deploy(artifact, args, sender=owner)
        if is_queued:
            self.send(self.queue, "bind", vault, sender=owner)
        return vault

    # --- Calls ---------------------------------------------------------------

    def send(
        self, contract: Contract, function: str, *args: object, sender: str, at: int | None = None
    ) -> Receipt:
        return self.chain.send(contract.call(function, *args, sender=sender), at)

    def read(self, contract: Contract, function: str, *args: object) -> Any:
        return contract.read(self.chain, function, *args)

    def try_out(self, contract: Contract, function: str, *args: object, sender: str) -> Any:
        """Return what the transaction would return in the latest block; keep nothing."""
        return contract.read(self.chain, function, *args, sender=sender)

    def refusal(self, contract: Contract, function: str, *args: object, sender: str) -> str | None:
        """Return the reason for which the transaction would revert, or None."""
        try:
            self.try_out(contract, function, *args, sender=sender)
        except TransactionReverted as error:
            return error.reason
        return None

    def wait(self, seconds: int) -> int:
        """Mine an empty block `seconds` after the latest; return its time."""
        at = self.chain.timestamp() + seconds
        self.chain.block(at, [])
        return at

    # --- People --------------------------------------------------------------

    def endow(self, account: str, gold: int = 0, dollars: int = 0) -> None:
        """Give an account wei of gold and whole dollars, and let both contracts take them."""
        if gold:
            self.send(self.gold, "transfer", account, gold, sender=self.roles.owner)
        if dollars:
            self.send(self.usdc, "mint", account, dollars * DOLLAR, sender=self.roles.owner)
        for token in (self.gold, self.usdc):
            for spender in (self.market, self.vault):
                self.send(token, "approve", spender, UNLIMITED, sender=account)

    def supply(self, account: str, gold: int) -> None:
        """Let an account supply gold to the market, from the stage's stock."""
        self.endow(account, gold)
        self.send(self.market, "deposit", gold, account, sender=account)

    def open_loan(self, borrower: str, gold: int, dollars: int) -> None:
        """Let a borrower post dollars and borrow wei of gold."""
        self.endow(borrower, dollars=dollars)
        self.send(self.market, "supply_collateral", dollars * DOLLAR, borrower, sender=borrower)
        self.send(self.market, "borrow", gold, borrower, sender=borrower)

    def deposit(self, account: str, gold: int) -> int:
        """Let an account deposit gold into the vault, from the stage's stock; return shares."""
        self.endow(account, gold)
        before = self.read(self.vault, "balanceOf", account)
        self.send(self.vault, "deposit", gold, account, sender=account)
        return int(self.read(self.vault, "balanceOf", account) - before)

    def set_gold_price(self, usd: int | float) -> None:
        answer = round(usd * FEED_UNIT)
        self.send(self.gold_feed, "update_answer", answer, sender=self.roles.keeper)

    # --- The vault's strategies ----------------------------------------------

    def place(self, strategy: Contract, gold: int) -> None:
        """Let the curator add the strategy if need be and bring its debt to wei of gold."""
        if self.read(self.vault, "last_report", strategy) == 0:
            self.send(self.vault, "add_strategy", strategy, sender=self.roles.curator)
        self.send(self.vault, "update_debt", strategy, gold, sender=self.roles.curator)

    def report(self, strategy: Contract, at: int | None = None) -> Receipt:
        return self.send(self.vault, "process_report", strategy, sender=self.roles.curator, at=at)

    def credit(self, gold: int) -> None:
        """Let the keeper pay income into the pool."""
        keeper = self.roles.keeper
        self.send(self.gold, "transfer", keeper, gold, sender=self.roles.owner)
        self.send(self.gold, "approve", self.pool, gold, sender=keeper)
        self.send(self.pool, "credit", gold, sender=keeper)

    def seize(self, gold: int) -> None:
        """Let the intruder take assets from the pool."""
        intruder = self.roles.intruder
        self.send(self.pool, "seize", gold, intruder, sender=intruder)


def market_without_fair_deposits(*edits: tuple[str, str, str]) -> Artifact:
    """The market without the rule that a deposit is fair, and without what `edits` take away."""
    fair = "share_math._check_fair(received, shares, total_assets, erc20.totalSupply)"
    unfair = ("lending_market.vy", fair, 'assert shares != 0, "no shares"')
    return compile_patched(CONTRACTS / "lending_market.vy", unfair, *edits)


def to_shares(assets: int, total_assets: int, supply: int, *, up: bool = False) -> int:
    """Return shares for assets, by the rule of `share_math`, in Python's integers."""
    if supply == 0:
        return assets
    return (assets * (supply + 1) + (total_assets if up else 0)) // (total_assets + 1)


def to_assets(shares: int, total_assets: int, supply: int, *, up: bool = False) -> int:
    """Return assets for shares, by the rule of `share_math`, in Python's integers."""
    if supply == 0:
        return shares
    return (shares * (total_assets + 1) + (supply if up else 0)) // (supply + 1)


__all__ = [
    "DAY",
    "DOLLAR",
    "FEED_UNIT",
    "GOLD_USD",
    "NEVER_STALE",
    "OUNCE",
    "RAY",
    "SECONDS_PER_YEAR",
    "UNLIMITED",
    "WAD",
    "GoldStage",
    "MarketTerms",
    "VaultTerms",
    "market_without_fair_deposits",
    "to_assets",
    "to_shares",
]
