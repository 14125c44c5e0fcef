"""Fits a market's figures to tables of daily closes.

`read_prices` checks a table, `fit_calibration` estimates, `write_calibration` writes the
file that `assay run --calibration` reads. `calibrate_until` fits what was known on a day.
"""

from simulator.market.calibration.closes import Closes, closes_of
from simulator.market.calibration.data import MarketData, read_data
from simulator.market.calibration.exclusions import (
    Exclusion,
    default_exclusions,
    parse_exclusion,
)
from simulator.market.calibration.fit import (
    AssetFit,
    Fitted,
    calibrate_until,
    default_name,
    fit_asset,
    fit_calibration,
    fit_data,
    read_closes,
)
from simulator.market.calibration.prices import PriceTable, read_prices
from simulator.market.calibration.write import write_calibration

__all__ = [
    "AssetFit",
    "Closes",
    "Exclusion",
    "Fitted",
    "MarketData",
    "PriceTable",
    "calibrate_until",
    "closes_of",
    "default_exclusions",
    "default_name",
    "fit_asset",
    "fit_calibration",
    "fit_data",
    "parse_exclusion",
    "read_closes",
    "read_data",
    "read_prices",
    "write_calibration",
]
