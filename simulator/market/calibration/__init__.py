"""Fits a market's figures to tables of daily closes.

`read_prices` checks a table, `fit_calibration` estimates, `write_calibration` writes the
file that `assay run --calibration` reads. `calibrate_until` fits what was known on a day.
"""

from simulator.market.calibration.averages import are_averages
from simulator.market.calibration.closes import Closes, closes_of
from simulator.market.calibration.data import MarketData, bearing_a_fit, read_data
from simulator.market.calibration.exclusions import (
    Exclusion,
    check_exclusions,
    chosen_exclusions,
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
from simulator.market.calibration.levels import LastPrice, check_levels
from simulator.market.calibration.outliers import check_returns
from simulator.market.calibration.overlay import Extras, is_of_base, lay_over
from simulator.market.calibration.prices import PriceTable, read_prices
from simulator.market.calibration.write import write_calibration

__all__ = [
    "AssetFit",
    "Closes",
    "Exclusion",
    "Extras",
    "Fitted",
    "LastPrice",
    "MarketData",
    "PriceTable",
    "are_averages",
    "bearing_a_fit",
    "calibrate_until",
    "check_exclusions",
    "check_levels",
    "check_returns",
    "chosen_exclusions",
    "closes_of",
    "default_exclusions",
    "default_name",
    "fit_asset",
    "fit_calibration",
    "fit_data",
    "is_of_base",
    "lay_over",
    "parse_exclusion",
    "read_closes",
    "read_data",
    "read_prices",
    "write_calibration",
]
