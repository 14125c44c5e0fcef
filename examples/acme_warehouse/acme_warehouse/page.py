"""What the report says of a receipt: where its return came from, how often metal is missing."""

from __future__ import annotations

import numpy as np

from acme_warehouse.terms import WarehouseTerms
from simulator.instruments.page import Paragraph, Section, Silent, Table, Told, by_source
from simulator.words import percent, share

COLUMNS = ("over the run, of what was paid", "p05", "median", "p95")
CAPTION = "What the metal brought, and what storing it cost"


class WarehousePage(Silent[WarehouseTerms]):
    """A section of its own: a row for each source, a sentence on what is missing."""

    def section(self, told: Told[WarehouseTerms]) -> Section:
        """Return quantiles over the paths of what each source brought."""
        held = told.instruments[told.label]
        rows = [
            (source.label, *map(percent, np.quantile(gain, (0.05, 0.5, 0.95)).tolist()))
            for source, gain in zip(held.sources, by_source(held).values(), strict=True)
        ]
        words = (
            f"On {share(float(held.happened['missing'].mean()))} of the paths a count finds "
            f"{percent(told.terms.missing_share)} of the {told.terms.metal} missing: every "
            "receipt stands for that much less from then on, and delivery pays what is there."
        )
        table = Table(CAPTION, COLUMNS, tuple(rows))
        return Section(f"Warehouse receipt: {told.label}", (table, Paragraph(words)))


PAGE = WarehousePage()
