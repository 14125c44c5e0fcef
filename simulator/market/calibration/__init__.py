"""Fits a market's figures to a table of daily closes.

`read_prices` checks the table, `fit_calibration` estimates, `write_calibration` writes the
file that `assay run --calibration` reads.
"""

from simulator.market.calibration.exclusions import (
    Exclusion,
    default_exclusions,
    parse_exclusion,
)
from simulator.market.calibration.fit import default_name, fit_calibration
from simulator.market.calibration.prices import PriceTable, read_prices
from simulator.market.calibration.write import write_calibration

__all__ = [
    "Exclusion",
    "PriceTable",
    "default_exclusions",
    "default_name",
    "fit_calibration",
    "parse_exclusion",
    "read_prices",
    "write_calibration",
]
