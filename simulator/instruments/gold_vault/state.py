"""State of the vault's world on one path: terms as numbers, who holds what, what was done."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Source
from simulator.mechanics.lending import MARKET
from simulator.mechanics.staking import STAKING
from simulator.mechanics.vault import VAULT
from simulator.scenario.instruments import GoldVaultTerms
from simulator.scenario.models import GasTerms
from simulator.units import BPS

N_COHORTS = 8

SOURCES = (
    Source("interest", "organic", "Interest from borrowers"),
    Source("pool_fees", "organic", "Pool fees (assumed)"),
    Source("vault_fees", "cost", "Vault fees"),
    Source("bad_debt", "loss", "Bad debt"),
    Source("exploit", "loss", "Exploit"),
    Source("emissions", "subsidised", "Token emissions"),
    Source("illiquidity", "loss", "Discount on what could not be paid"),
    Source("gas", "cost", "Transaction costs"),
    Source("custodian_shortfall", "loss", "Custodian shortfall"),
    Source("gold_price", "market", "Gold price"),
    Source("token_premium", "market", "Token premium over gold"),
    Source("sale_spread", "cost", "Spread when selling the token"),
)
"""The first five are those of `mechanics.vault`, in its order."""
EMISSIONS, ILLIQUIDITY, GAS, SHORTFALL, GOLD_PRICE, PREMIUM, SPREAD = range(5, 12)
N_SOURCES = len(SOURCES)

HOLDER_GAS = {"enter": 296_282, "claim": 73_542, "leave": 256_578}
"""Gas of the holder's transactions, approvals included, as the replay measures it on Anvil (a
test holds these figures); leaving costs a little less where no reward is pending."""


class Action(IntEnum):
    """Columns of the record of what was done on a step; cohort actions come eight abreast.

    Ounces, USDC or shares; a repayment of infinity closes the loan; targets are NaN where
    nothing is to be moved, flags are 0 or 1.
    """

    LIQUIDATE = 0
    REPAY = 8
    RELEASE_USDC = 16
    BORROW = 24
    POST_USDC = 32
    CROWD_REDEEM_SHARES = 40
    CROWD_DEPOSIT = 41
    CROWD_STAKE_SHARES = 42
    HOLDER_REDEEM_SHARES = 43
    REPORT_LOSS = 44
    REPORT = 45
    POOL_CREDIT = 46
    LENDING_TARGET = 47
    POOL_TARGET = 48
    POOL_FIRST = 49
    EXPLOIT_LENDING_TARGET = 50
    EXPLOIT_POOL_TARGET = 51
    EXPLOIT_STOLEN = 52
    NOTIFY = 53
    CLAIM = 54


N_ACTIONS = 55


class Observed(IntEnum):
    """Columns of what both engines observe at the end of a step."""

    SHARE_PRICE = 0
    UTILISATION = 1
    BORROW_INDEX = 2
    SUPPLY_INDEX = 3
    REWARDS_EARNED = 4
    EXIT_OUNCES = 5
    TOTAL_ASSETS = 6
    MARKET_CASH = 7
    MARKET_ASSETS = 8
    LTV = 9


N_OBSERVED = 17
"""`LTV` is the first of eight columns, one for each cohort."""

WORLD = np.dtype(
    [
        (name, np.float64)
        for name in (
            "crowd_ounces",
            "holder_ounces",
            "idle_share",
            "pool_share",
            "pool_fee_yield",
            "run_share",
            "reservation_rate",
            "inertia",
            "report_every_days",
            "claim_every_days",
            "period_days",
            "slippage",
            "haircut",
            "sale_spread",
            "exploit_severity",
            "gas_enter_usd",
            "gas_claim_usd",
            "gas_leave_usd",
            "unit",
        )
    ]
)
"""The terms that are neither the market's nor the vault's; `unit` is 0 for 18 decimals."""

PATH = np.dtype(
    [
        ("vault", VAULT),
        ("market", MARKET),
        ("staking", STAKING),
        ("crowd_shares", np.float64),
        ("holder_shares", np.float64),
        ("reward_per_share_paid", np.float64),
        ("rewards_unclaimed", np.float64),
        ("rewards_earned", np.float64),
        ("sold_tokens", np.float64),
        ("gas_tokens", np.float64),
        ("income_tokens", np.float64),
        ("mark_tokens", np.float64),
        ("bad_debt_pending", np.float64),
        ("events", np.int64),
        ("unpaid", np.float64),
    ]
)
"""Everything that changes on one path, but for the arrays by cohort and by source."""


def new_world(
    terms: GoldVaultTerms,
    gas: GasTerms,
    holder_ounces: float,
    sale_spread_bps: float,
    token_decimals: int,
) -> npt.NDArray[np.void]:
    """Return the terms as an array with one record of `WORLD`."""
    world = np.zeros(1, WORLD)
    shared = set(WORLD.names or ()) & set(GoldVaultTerms.model_fields)
    values = {name: getattr(terms, name) for name in shared}
    values |= {
        "holder_ounces": holder_ounces,
        "reservation_rate": terms.borrowers.reservation_rate,
        "inertia": terms.borrowers.inertia,
        "claim_every_days": terms.emissions.claim_every_days,
        "period_days": terms.emissions.period_days,
        "slippage": terms.emissions.slippage_bps / BPS,
        "haircut": terms.illiquidity_haircut_bps / BPS,
        "sale_spread": sale_spread_bps / BPS,
        "unit": 0.0 if token_decimals == 18 else 10.0**-token_decimals,
    }
    usd_per_gas = gas.price_gwei * 1e-9 * gas.ether_usd
    values |= {f"gas_{act}_usd": used * usd_per_gas for act, used in HOLDER_GAS.items()}
    for name, value in values.items():
        world[name] = value
    return world


def new_paths(terms: GoldVaultTerms, n_paths: int) -> npt.NDArray[np.void]:
    """Return n_paths records of `PATH`, before the first deposit."""
    paths = np.zeros(n_paths, PATH)
    for name in ("base_rate", "slope1", "slope2", "kink", "reserve_factor"):
        paths["market"][name] = getattr(terms.lending, name)
    paths["market"]["liquidation_threshold"] = terms.lending.liquidation_threshold
    paths["market"]["liquidation_bonus"] = terms.lending.liquidation_bonus
    paths["market"]["borrow_index"] = 1.0
    paths["vault"]["performance_fee_bps"] = terms.performance_fee_bps
    paths["vault"]["management_fee_bps"] = terms.management_fee_bps
    paths["vault"]["unlock_days"] = terms.profit_unlock_days
    return paths
