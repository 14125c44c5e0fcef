"""The stage with the market the other way round: gold is locked, USDC is lent."""

from __future__ import annotations

from dataclasses import dataclass, field

from gold_stage import GOLD_USD, GoldStage, MarketTerms
from props import DOLLAR, OUNCE

from simulator.chain import Artifact, Contract, load_artifact
from simulator.units import WAD

LOANS = MarketTerms(
    max_ltv=70 * WAD // 100,
    liquidation_threshold=75 * WAD // 100,
    liquidation_bonus=6 * WAD // 100,
)
"""As a large money market lists a gold token."""


@dataclass
class LoanStage(GoldStage):
    """`market` lends USDC against gold; vault and pool stand idle."""

    market_terms: MarketTerms = field(default_factory=lambda: LOANS)

    def deploy_market(self, terms: MarketTerms, artifact: Artifact | None = None) -> Contract:
        """Deploy the market with the pair reversed: the same contract, other arguments."""
        args = (
            self.gold.address,
            self.usdc.address,
            self.gold_feed.address,
            self.usd_feed.address,
            self.feed_max_age,
            self.roles.treasury,
            *terms.args(),
        )
        found = artifact or load_artifact("lending_market")
        return self.chain.deploy(found, args, sender=self.roles.owner)

    def supply_dollars(self, account: str, dollars: int) -> None:
        """Let an account supply whole dollars."""
        self.endow(account, dollars=dollars)
        self.send(self.market, "deposit", dollars * DOLLAR, account, sender=account)

    def open_gold_loan(self, borrower: str, ounces: int, dollars: int) -> None:
        """Let a borrower lock whole ounces and borrow whole dollars."""
        self.endow(borrower, gold=ounces * OUNCE)
        self.send(self.market, "supply_collateral", ounces * OUNCE, borrower, sender=borrower)
        self.send(self.market, "borrow", dollars * DOLLAR, borrower, sender=borrower)


__all__ = ["GOLD_USD", "LOANS", "LoanStage"]
