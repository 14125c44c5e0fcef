"""Daily series of loans and their market: made when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.instruments.base import OnDemand
from simulator.instruments.token_loan.drivers import TokenLoanDrivers
from simulator.instruments.token_loan.state import Outcome, Results
from simulator.instruments.token_loan.terms import TokenLoanTerms
from simulator.units import FloatArray


@dataclass(frozen=True)
class Series:
    """What follows from the outcomes of the loans; all series of shape (n_steps + 1, n_paths)."""

    terms: TokenLoanTerms
    drivers: TokenLoanDrivers
    results: Results

    def of_market(self) -> OnDemand:
        """Return utilisation, rate, debt written off and the liquidators' gain so far, USDC."""
        return OnDemand(
            {
                "utilisation": lambda: self.results.utilisation,
                "borrow_rate": lambda: self.results.rate,
                "bad_debt_usd": lambda: self._in_all(Outcome.BAD_DEBT),
                "liquidator_usd": lambda: self._in_all(Outcome.PROFIT),
            }
        )

    def of_lending(self) -> OnDemand:
        """Return the debt beyond its tokens' worth, and what liquidators repaid so far, USDC."""
        return OnDemand(
            {
                "insolvent_usd": self.insolvent,
                "liquidated_usd": lambda: self._in_all(Outcome.REPAID),
            }
        )

    def insolvent(self) -> FloatArray:
        """Return debt written off so far, and open debt beyond its tokens' worth on the market.

        USDC, shape (n_steps + 1, n_paths). A feed that stands too high leaves such loans open.
        """
        total = self._in_all(Outcome.BAD_DEBT)
        for outcome in self.results.outcomes:
            worth = outcome[Outcome.TOKENS] * self.drivers.prices.token_usd
            gap = outcome[Outcome.SCALED] * self.results.borrow_index - worth
            days = np.arange(gap.shape[0])[:, None]
            is_open = (outcome[Outcome.STEP] == 0.0) | (days < outcome[Outcome.STEP])
            total += np.where(is_open, np.maximum(gap, 0.0), 0.0)
        return total

    def of_loan(self, i: int) -> OnDemand:
        """Return a loan's debt over its tokens' value at the feed, and 1 from its liquidation on.

        A loan that is closed has no debt: its ratio is zero.
        """
        outcome = self.results.outcomes[i]
        makers: dict[str, Callable[[], FloatArray]] = {
            "ltv": lambda: self.ltv(i),
            "liquidated": lambda: self._from_then(i, np.ones_like(outcome[Outcome.STEP])),
            "by_feed_alone": lambda: self._from_then(i, outcome[Outcome.BY_FEED]),
        }
        return OnDemand(makers)

    def ltv(self, i: int) -> FloatArray:
        """Return a loan's debt over its tokens' value, shape (n_steps + 1, n_paths)."""
        outcome = self.results.outcomes[i]
        debt = outcome[Outcome.SCALED] * self.results.borrow_index
        locked = outcome[Outcome.TOKENS] * self.drivers.feed_usdc
        ratio: FloatArray = debt / locked * (1.0 - self._from_then(i, np.ones(debt.shape[1])))
        return ratio

    def _in_all(self, row: Outcome) -> FloatArray:
        loans = range(len(self.terms.loans))
        amounts = (self._from_then(i, self.results.outcomes[i, row]) for i in loans)
        total: FloatArray = np.sum(list(amounts), axis=0)
        return total

    def _from_then(self, i: int, amount: FloatArray) -> FloatArray:
        """Return an amount, shape (n_paths,), from the step of a liquidation on, zero before."""
        step = self.results.outcomes[i, Outcome.STEP]
        days = np.arange(self.results.borrow_index.shape[0])[:, None]
        found: FloatArray = np.where((step > 0.0) & (days >= step), amount, 0.0)
        return found
