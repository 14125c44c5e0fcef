"""What the loans say of themselves: how often each was liquidated, by whose price, at what loss."""

from __future__ import annotations

import numpy as np

from simulator.instruments.page import (
    Fan,
    Measures,
    Paragraph,
    Section,
    Silent,
    Table,
    Told,
    by_source,
)
from simulator.instruments.token_loan.terms import LoanTerms, TokenLoanTerms
from simulator.words import bound, figure, percent

COLUMNS = ("loan", "liquidated", "feed alone", "interest", "penalty", "median", "worst 5 %")
CAPTION = "What was borrowed, and what became of it"


class LoanPage(Silent[TokenLoanTerms]):
    """A section of its own: a row for each loan, the suppliers, and the market's fans."""

    def section(self, told: Told[TokenLoanTerms]) -> Section:
        """Return the loans, the suppliers and the fans."""
        table = Table(CAPTION, COLUMNS, tuple(_row(told, name) for name in told.terms.loans))
        blocks = (Paragraph(intro(told.terms)), table, Paragraph(lenders(told)))
        return Section(f"Loans on a token: {told.label}", (*blocks, *_fans(told)))

    def on_depeg(self, told: Told[TokenLoanTerms]) -> str:
        """Return what befalls the loans."""
        return (
            f"The loans of {told.label} are owed in USDC: on that day their debt is worth less, "
            "and who supplied the dollars is repaid in them."
        )


def intro(terms: TokenLoanTerms) -> str:
    """Return what the market reads, and when it closes a loan."""
    pool = terms.pool
    reads = "the metal's reference feed, which stands still while metals do not trade"
    if terms.price == "exchange":
        reads = "one exchange's own trades in the token, which never close"
    late = f", {terms.keeper_late_days} days late" if terms.keeper_late_days else ""
    return (
        f"The market reads {reads}. Beyond a loan to value of "
        f"{bound(pool.liquidation_threshold)} a loan is closed{late}: the liquidator repays the "
        f"debt and takes tokens for it and {bound(pool.liquidation_penalty)} more; what is left "
        "goes back to the borrower, who keeps it to the end. Interest and penalty are means over "
        "all paths, of what was put in. Closed by the feed alone is a loan that the metal's own "
        "price of that day would have left alone."
    )


def _row(told: Told[TokenLoanTerms], name: str) -> tuple[str, ...]:
    held, loan = told.instruments[f"{told.label}-{name}"], told.terms.loans[name]
    parts = by_source(held)
    return (
        _words(name, loan),
        percent(_share(held, "liquidated")),
        percent(_share(held, "by_feed_alone")),
        percent(float(np.mean(parts["interest"]))),
        percent(float(np.mean(parts["penalty"]))),
        percent(float(np.median(held.values["total_return", "usd"]))),
        percent(held.worst_return("usd")),
    )


def _words(name: str, loan: LoanTerms) -> str:
    if loan.loop:
        return name
    return f"{name}, at {bound(loan.deployed.rate)}"


def _share(held: Measures, what: str) -> float:
    return float(np.mean(held.happened[what]))


def lenders(told: Told[TokenLoanTerms]) -> str:
    """Return sentences on the supplier's yield, bad debt, and what liquidators earned."""
    name = told.terms.names(told.label)[0]
    held = told.instruments[name]
    median = percent(float(np.median(held.values["total_return", "usd"])))
    lost = percent(_share(held, "lost_to_bad_debt"), 2)
    gains = told.rows(f"{name}.liquidator_usd")["p50"]
    earned = (
        "" if gains.empty else f" Liquidators gained {_usd(float(gains.iloc[-1]))} in the median."
    )
    return (
        f"Who supplies the dollars earns {median} over the run in the median. On {lost} of the "
        f"paths a loan's tokens did not pay for its debt, which falls on the treasury and then on "
        f"the suppliers.{earned}"
    )


def _usd(value: float) -> str:
    return f"{figure(value, 'level')} USD" if value else "nothing"


def _fans(told: Told[TokenLoanTerms]) -> tuple[Fan, ...]:
    name, pool = told.terms.names(told.label)[0], told.terms.pool
    level = None if pool.borrow_rate is not None else pool.kink
    return (
        Fan(f"{name}.utilisation", "Dollars lent over dollars supplied", "", True, level),
        Fan(f"{name}.borrow_rate", "Borrow rate a year", "", True),
    )


PAGE = LoanPage()
