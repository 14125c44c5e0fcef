"""What the report says of a vault: what its promise would pay for, and how much is lent out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.instruments.page import Block, Fan, Measures, Paragraph, Silent, Told
from simulator.words import HARD_SPACE, bound, percent

_YEAR = (365, 366)


class VaultPage(Silent[GoldVaultTerms]):
    """Of a holder the credit triangle, of the market the vault's utilisation."""

    def of_holder(self, told: Told[GoldVaultTerms], who: str) -> Sequence[Block]:
        """Return what hazard the promise would pay for, where a claim makes one.

        hazard = (promised - fair) / loss given default; fair is what the holding earns
        organically in this run. Nothing where the run is not a year.
        """
        promised, terms = told.promised.get(who), told.terms
        if promised is None or told.horizon_days not in _YEAR:
            return ()
        fair, loss = _organic(told.investors[who]), terms.exploit_severity
        if not promised > fair or loss <= 0:
            return ()
        implied = (promised - fair) / loss
        words = (
            f"The organic sources earn {percent(fair, 2)}. If the rest of the promised "
            f"{bound(promised)} were the fair price of losing {bound(loss)} of the deposit, that "
            f"loss would have a hazard of {percent(implied)}{HARD_SPACE}a year: "
            "(promised − organic) / loss. This is risk-neutral and an upper bound, since "
            f"subsidies pay a part. The scenario assumes {bound(terms.exploit_hazard)} a year."
        )
        return (Paragraph(words, lead="What such a promise pays for.", aside=True),)

    def fans(self, told: Told[GoldVaultTerms]) -> Sequence[Fan]:
        """Return the utilisation, with the kink where it comes near."""
        series = f"{told.label}.utilisation"
        rows, kink = told.rows(series), told.terms.lending.kink
        near = not rows.empty and float(rows["p95"].max()) > 0.5 * kink
        note = f"The borrow rate turns up at {bound(kink)}"
        note += " (dotted line)." if near else ", above the chart."
        title = f"{told.label}: utilisation of its lending market"
        return (Fan(series, title, "lent out", True, kink if near else None, note),)

    def on_depeg(self, told: Told[GoldVaultTerms]) -> str:
        """Return what befalls the loans."""
        return (
            f"The vault {told.label} holds gold, and lends it against USDC: on that day borrowers "
            "whose USDC no longer covers their loan are closed out, and what it does not pay for "
            "is a loss of the vault, in ounces (bad debt)."
        )


def _organic(measures: Measures) -> float:
    """Return the mean of what organic sources earn in ounces, of the deposit."""
    rows = [row for row, source in enumerate(measures.sources) if source.kind == "organic"]
    if not rows:
        return 0.0
    organic = reduce(np.add, (measures.attribution["ounces"][row] for row in rows))
    return float(np.mean(organic / measures.initial["ounces"]))


PAGE = VaultPage()
