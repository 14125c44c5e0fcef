"""A stage for the gold pool: a gold token that may take a fee, USDC, the pool, and its actors."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from props import DOLLAR, deploy

from simulator.chain import Artifact, Chain, Receipt, load_artifact

UNLIMITED = 2**256 - 1
OUNCES = 100_000_000
LOCKED = "0x000000000000000000000000000000000000dEaD"
PEOPLE = ("crowd", "depositor", "arbitrageur", "trader", "stranger")


@dataclass
class PoolStage:
    """Everything deployed; everybody has plenty of both tokens and has approved the pool."""

    chain: Chain
    roles: SimpleNamespace
    fee_ppm: int = 3_000
    token_fee_ppm: int = 0
    """What the gold token keeps of a transfer."""
    gold_decimals: int = 18
    artifact: Artifact | None = None

    def __post_init__(self) -> None:
        chain, roles = self.chain, self.roles
        owner = roles.owner
        reserve = deploy(chain, "price_feed", 8, "Gold reserve, oz", owner, sender=owner)
        gold = ("gold_token", "Gold", "GOLD", self.gold_decimals, reserve, 10**9)
        self.gold, self.usdc = (
            deploy(chain, *gold, sender=owner),
            deploy(chain, "usdc", sender=owner),
        )
        args = ("Gold Pool", "GLP", self.gold, self.usdc, self.fee_ppm)
        found = self.artifact or load_artifact("gold_pool")
        self.pool = chain.deploy(found, args, sender=owner)
        self.send(reserve, "update_answer", OUNCES * 10**8, by=owner)
        self.send(self.gold, "increaseSupply", OUNCES * self.ounce, by=owner)
        self.send(self.usdc, "configureMinter", owner, UNLIMITED, by=owner)
        for who in PEOPLE:
            account = getattr(roles, who)
            self.send(self.gold, "transfer", account, OUNCES // 10 * self.ounce, by=owner)
            self.send(self.usdc, "mint", account, 10**11 * DOLLAR, by=owner)
            for token in (self.gold, self.usdc):
                self.send(token, "approve", self.pool, UNLIMITED, by=account)
        if self.token_fee_ppm:
            self.send(self.gold, "setFeeController", owner, by=owner)
            self.send(self.gold, "setFeeRecipient", roles.fee_recipient, by=owner)
            self.send(self.gold, "setFeeRate", self.token_fee_ppm, by=owner)

    @property
    def ounce(self) -> int:
        """A whole gold token, in its unit."""
        return 10**self.gold_decimals

    # -- acts ----------------------------------------------------------------------

    def send(self, contract: Any, function: str, *args: object, by: str) -> Receipt:
        call = contract.call(function, *args, sender=by)
        return self.chain.block(self.chain.timestamp(), [call])[0]

    def add(self, gold: int, usdc: int, by: str, *, to: str = "", least: Any = (0, 0)) -> Receipt:
        """Add liquidity, amounts in the tokens' units."""
        args = (gold, usdc, *least, to or by, UNLIMITED)
        return self.send(self.pool, "addLiquidity", *args, by=by)

    def remove(self, shares: int, by: str, *, least: Any = (0, 0)) -> Receipt:
        return self.send(self.pool, "removeLiquidity", shares, *least, by, UNLIMITED, by=by)

    def swap(self, paid: int, by: str, *, gold: bool, least: int = 0, to: str = "") -> Receipt:
        """Pay gold or USDC in."""
        path = [self.gold.address, self.usdc.address][:: 1 if gold else -1]
        args = (paid, least, path, to or by, UNLIMITED)
        return self.send(self.pool, "swapExactTokensForTokens", *args, by=by)

    # -- reads ---------------------------------------------------------------------

    def read(self, view: str, *args: object) -> Any:
        return self.pool.read(self.chain, view, *args)

    def reserves(self) -> tuple[int, int]:
        gold, usdc, _ = self.read("getReserves")
        return gold, usdc

    def has(self, who: str) -> tuple[int, int]:
        """Return an account's gold and USDC, in their units."""
        return self.gold.read(self.chain, "balanceOf", who), self.usdc.read(
            self.chain, "balanceOf", who
        )
