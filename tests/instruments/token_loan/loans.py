"""Loans and price paths for the tests of model and replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulator.instruments.base import InstrumentPaths, TokenPrices
from simulator.instruments.gas import Gas
from simulator.instruments.token_loan.drivers import TokenLoanDrivers
from simulator.instruments.token_loan.gas import HOLDER_GAS
from simulator.instruments.token_loan.paths import TokenLoanRecord, Wanted, simulate
from simulator.instruments.token_loan.terms import TokenLoanTerms
from simulator.market.events import NEVER
from simulator.units import LANES

LABEL = "loan"
CAPITAL = 100_000.0
SUPPLIED = 1_000_000.0
HOLDER = 1_000.0
DECIMALS = 18

POOL = {
    "supplied_usd": SUPPLIED - HOLDER,
    "borrow_rate": 0.0365,
    "reserve_factor": 0.10,
    "max_ltv": 0.70,
    "liquidation_threshold": 0.75,
    "liquidation_penalty": 0.06,
    "illiquidity_haircut_bps": 100.0,
}
"""A hundredth of a percent a day on a million dollars."""


def terms(loan: Mapping[str, Any] | None = None, **changes: Any) -> TokenLoanTerms:
    """Return one loan of a hundred thousand dollars at 50 %, without spread, nobody beside it.

    `pool__max_ltv=0.6` changes `pool.max_ltv`.
    """
    data: dict[str, Any] = {
        "token": "gold_token",
        "pool": dict(POOL),
        "utilisation": {"mean": 0.0, "deviation": 0.0},
        "swap_spread_bps": 0,
        "loans": {"half": {"ltv": 0.5, **(loan or {})}},
    }
    for place, value in changes.items():
        section, _, field = place.partition("__")
        if field:
            data[section] = {**data[section], field: value}
        else:
            data[section] = value
    return TokenLoanTerms.model_validate(data)


def table(prices: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return prices as an array of shape (n_steps + 1, LANES): the same on every path."""
    found = np.array(prices, np.float64)
    return np.repeat(found[:, None], LANES, axis=1) if found.ndim == 1 else found


def drawn(
    own: TokenLoanTerms,
    token: Sequence[float] | np.ndarray,
    *,
    metal: Sequence[float] | np.ndarray | None = None,
    feed: Sequence[float] | np.ndarray | None = None,
    utilisation: float | np.ndarray = 0.0,
    fails: int = NEVER,
) -> TokenLoanDrivers:
    """Return drivers with these prices; metal and feed are the token's where nothing is said."""
    token = table(token)
    metal = token if metal is None else table(metal)
    read = token if feed is None else table(feed)
    prices = TokenPrices(metal, token, np.zeros_like(token), np.ones_like(token))
    wanted = np.broadcast_to(np.asarray(utilisation, np.float64), token.shape).copy()
    failing = np.full((len(own.loans), token.shape[1]), fails, np.int64)
    return TokenLoanDrivers(LABEL, prices, read, wanted, failing)


def run(
    own: TokenLoanTerms,
    drivers: TokenLoanDrivers,
    *,
    usd_per_gas: float = 0.0,
    decimals: int = DECIMALS,
    wanted: Wanted | None = None,
) -> tuple[Mapping[str, InstrumentPaths], TokenLoanRecord]:
    """Return the paths of supplier and loans, and the record."""
    return simulate(own, decimals, Gas(HOLDER_GAS, usd_per_gas), drivers, HOLDER, wanted)


def by_source(paths: InstrumentPaths, unit: str = "usd") -> dict[str, float]:
    """Return what each source brought on the first path."""
    names = (source.name for source in paths.sources)
    return dict(zip(names, paths.attribution[unit][:, 0].tolist(), strict=True))
