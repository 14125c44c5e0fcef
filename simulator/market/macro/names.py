"""The macro model's rows by name: states, drivers, channels, and the factors that come out.

State      what moves from day to day, a row of lanes for each
Driver     what has surprised so far, in the unit of the elasticities
Channel    a driver times an asset's elasticity: a part of its drift that is recorded

A state's stream is 36 + its number.
"""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """Rows of the factors' state; rates as fractions, flows and quantities as logarithms."""

    REAL_RATE = 0
    INFLATION = 1
    PURCHASES = 2
    SALES = 3
    SILVER_INDUSTRIAL = 4
    SILVER_JEWELLERY = 5
    SILVER_INVESTMENT = 6
    SILVER_SUPPLY = 7
    COPPER_DEMAND = 8
    COPPER_SUPPLY = 9
    LIQUIDITY = 10


class Driver(IntEnum):
    """Rows of the cumulated surprises: actual less expected.

    RATE        changes of the real rate that were not expected the day before, points
    LEVEL       ex-post real rate less its expectation on the first day, points * years
    BANKS       net purchases less their expectation, 100 tonnes
    SILVER      ln demand - ln supply, less expectation
    COPPER      ln demand - ln supply, less expectation
    LIQUIDITY   standardised liquidity less its expectation, s.d. * years
    NOMINAL     nominal rate less its expectation, years
    """

    RATE = 0
    LEVEL = 1
    BANKS = 2
    SILVER = 3
    COPPER = 4
    LIQUIDITY = 5
    NOMINAL = 6


CUMULATED = (Driver.LEVEL, Driver.BANKS, Driver.LIQUIDITY, Driver.NOMINAL)
"""Drivers that add up daily values over time; RATE adds up news, the others are levels."""

CHANGES = tuple(int(driver) for driver in Driver if driver not in CUMULATED)
"""Drivers with news on every day: what a channel has of a day's variance."""

N_STATES = len(State)
N_DRIVERS = len(Driver)

CHANNELS: tuple[tuple[str, Driver, str], ...] = (
    ("real_rate", Driver.RATE, "real rate"),
    ("real_rate_level", Driver.LEVEL, "level of the real rate"),
    ("central_banks", Driver.BANKS, "central banks"),
    ("silver_balance", Driver.SILVER, "silver demand and supply"),
    ("copper_balance", Driver.COPPER, "copper demand and supply"),
    ("liquidity", Driver.LIQUIDITY, "global liquidity"),
    ("rotation", Driver.LIQUIDITY, "passive flows"),
    ("bill_rate", Driver.NOMINAL, "nominal rate"),
)
"""Channels that are linear in a driver: name, driver, words for a chart."""

PULLS: tuple[tuple[str, str], ...] = (
    ("ratio_pull", "gold-silver ratio"),
    ("copper_reversion", "copper's short-run factor"),
)
"""Channels that follow prices: name, words for a chart."""

PARTS = tuple(name for name, _, _ in CHANNELS) + tuple(name for name, _ in PULLS)
"""Rows of what is recorded for each asset and path; one more holds their total with the rest."""
N_RECORDED = len(PARTS) + 1
LABELS = {name: words for name, _, words in CHANNELS} | dict(PULLS)

FACTOR_UNITS = {
    "real_rate": "1/year",
    "nominal_rate": "1/year",
    "inflation": "1/year",
    "real_rate_ex_post": "1/year",
    "central_bank_purchases": "tonnes/year",
    "central_bank_sales": "tonnes/year",
    "central_bank_net": "tonnes/year",
    "silver_demand": "million oz/year",
    "silver_supply": "million oz/year",
    "silver_gap": "million oz/year",
    "copper_demand": "million tonnes/year",
    "copper_supply": "million tonnes/year",
    "copper_gap": "million tonnes/year",
    "liquidity": "s.d.",
    "regime": "number",
    "bitcoin_dominance": "1",
    "rotation": "log return",
}
"""The factors that come out, with their units; regimes are numbered as in `REGIMES`."""
