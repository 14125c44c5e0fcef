"""What the vault's model is told, what it says was done, and what is observed of it."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, get_args

from simulator.instruments.base import Source
from simulator.instruments.gas import Gas
from simulator.instruments.gold_vault.terms import GoldVaultTerms
from simulator.mechanics.lending import utilisation_at
from simulator.units import BPS, BoolArray, FloatArray, StepArray

N_COHORTS = 8
"""Cohorts of borrowers. Not free: what a lane's cohorts do every day is written out cohort by
cohort (`cohorts` says why), `Needs` is a tuple of as many numbers, the record has a column for
each, and the terms ask for a ladder of as many rungs."""

Needs = tuple[float, float, float, float, float, float, float, float]
"""By cohort, the collateral over a debt of one at which it opens a loan."""
assert len(get_args(Needs)) == N_COHORTS

SOURCES = (
    Source("interest", "organic", "Interest from borrowers"),
    Source("pool_fees", "organic", "Pool fees"),
    Source("vault_fees", "cost", "Vault fees"),
    Source("bad_debt", "loss", "Bad debt"),
    Source("exploit", "loss", "Exploit", ends_income=True),
    Source("impermanent_loss", "market", "Impermanent loss in the pool"),
    Source("emissions", "subsidised", "Token emissions"),
    Source("illiquidity", "loss", "Discount on what could not be paid"),
    Source("gas", "cost", "Transaction costs"),
    Source("custodian_shortfall", "loss", "Custodian shortfall", ends_income=True),
    Source("gold_price", "market", "Gold price"),
    Source("token_premium", "market", "Token premium over gold"),
    Source("sale_spread", "cost", "Spread when selling the token"),
)
"""The first six are those of `mechanics.vault`, in its order."""
EMISSIONS, ILLIQUIDITY, GAS, SHORTFALL, GOLD_PRICE, PREMIUM, SPREAD = range(6, 13)
N_SOURCES = len(SOURCES)


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
    REPORT_POOL_LOSS = 46
    LENDING_TARGET = 47
    POOL_TARGET = 48
    POOL_FIRST = 49
    EXPLOIT_LENDING_TARGET = 50
    EXPLOIT_POOL_TARGET = 51
    EXPLOIT_STOLEN = 52
    NOTIFY = 53
    CLAIM = 54


N_ACTIONS = 55
assert Action.CROWD_REDEEM_SHARES == 5 * N_COHORTS


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
    POOL_WORTH = 9
    LTV = 10


N_OBSERVED = 18
"""`LTV` is the first of eight columns, one for each cohort."""
assert Observed.LTV + N_COHORTS == N_OBSERVED


WEI = 2.0**-60
"""The unit of 18 decimals, nearly: rounding to it leaves a float64 above 2^-8 as it is."""


POOL_GAP = 0.05
"""How far beyond its fee a pool may stand off the price: further nothing goes in or out."""


class PoolNumbers(NamedTuple):
    """The vault's pool as numbers.

    keep, gap : one less its fee; the most its gold and its USDC may differ in worth
    reserve_ounces, provided_usdc : what others have put in, and what its measured provider does
    arbitrage_usd : gas of an arbitrage
    """

    keep: float = 1.0
    gap: float = 0.0
    reserve_ounces: float = 0.0
    provided_usdc: float = 0.0
    arbitrage_usd: float = 0.0


NO_POOL = PoolNumbers()


class Terms(NamedTuple):
    """The terms as numbers; ounces, days, rates a year, shares with 1 = 100 %.

    `unit` is the token's smallest unit, `units` how many are in an ounce; `bearable` the
    utilisation at which the borrow rate is the reservation rate.
    """

    crowd_ounces: float
    holder_ounces: float
    idle_share: float
    pool_share: float
    pool_pace: float
    pool_keep: float
    pool_gap: float
    pool_reserve_ounces: float
    pool_provided_usdc: float
    pool_arbitrage_usd: float
    run_share: float
    unlock_days: float
    performance_fee: float
    management_fee: float
    base_rate: float
    slope1: float
    slope2: float
    kink: float
    reserve_factor: float
    liquidation_threshold: float
    liquidation_bonus: float
    bearable: float
    inertia: float
    period_days: float
    slippage: float
    haircut: float
    sale_spread: float
    gas_enter_usd: float
    gas_claim_usd: float
    gas_leave_usd: float
    unit: float
    units: float


class Numbers(NamedTuple):
    """What is the same on every path.

    terms : Terms
    needs : Needs
    claim_every_days : int
        Days between two claims of the holder.
    pooled : bool
        Whether there is a pool.
    gas_times : ndarray of shape (n_steps + 1,)
        What gas costs on each step over the scenario's own price.
    """

    terms: Terms
    needs: Needs
    claim_every_days: int
    pooled: bool
    gas_times: FloatArray


class DriverArrays(NamedTuple):
    """What happens from outside; (n_steps + 1, n_paths), float64, unless said otherwise.

    n_paths is a multiple of `lanes.WIDTH`.

    gold_usd, token_usd : USD per ounce, USD per token
    feed_usd : USD per ounce, what the market reads for gold
    backing : ounces behind a token
    premium : log gap between the token and what backs it
    demand_ounces : ounces that borrowers want
    flow : the crowd's net deposits of a day over its deposits
    reward_usd : USD per reward token
    reward_tokens : (n_steps + 1,), tokens notified on a step
    exploit_step : (n_paths,), int64
        Beyond the horizon where there is no exploit.
    exploit_share : (n_paths,), share of all assets that the intruder goes for
    volume_usdc, imbalance : USDC, and -1 to 1; or (0, 0) without a pool
        What the pool's noise traders trade on a day, and their purchases less sales over that.
    leaving : shares with which other providers leave the pool, or (0, 0)
    away : bool, where no keeper liquidates; or (0, 0)
    reports : (n_steps + 1,), bool, on which steps gains are reported and assets allocated
    """

    gold_usd: FloatArray
    feed_usd: FloatArray
    token_usd: FloatArray
    backing: FloatArray
    premium: FloatArray
    demand_ounces: FloatArray
    flow: FloatArray
    reward_usd: FloatArray
    reward_tokens: FloatArray
    exploit_step: StepArray
    exploit_share: FloatArray
    volume_usdc: FloatArray
    imbalance: FloatArray
    leaving: FloatArray
    away: BoolArray
    reports: BoolArray


class Results(NamedTuple):
    """What the kernel writes; (n_steps + 1, n_paths), float64, unless said otherwise.

    What is not asked for has no steps, and is left alone.

    mark_ounces, mark_usd : ounces, USD
        The holder's value.
    exit_ounces, exit_usd : ounces, USD
        What leaving on the day would pay; on the last step what it pays.
    utilisation : borrows over supply, 0 to 1
    sellable : share of the holder's value, 0 to 1, or (0, 0)
        What the vault and the wallet could pay on the day.
    attribution : (2, n_sources, n_paths), ounces and USD
        Gains by source, the exit at the horizon included.
    gains : (n_sources, n_steps + 1, n_paths), USD, or (n_sources, 0, 0)
        Gains by source up to each step, the exit at the horizon left out.
    events : (n_paths,), int64
    unpaid : (n_paths,), ounces
        What the exit at the horizon could not be paid.
    actions : (n_steps + 1, n_paths, N_ACTIONS), or (0, 0, N_ACTIONS)
        Columns of `Action`.
    observed : (n_steps + 1, n_paths, N_OBSERVED), or (0, 0, N_OBSERVED)
        Columns of `Observed`.
    pool_gold, pool_shares, pool_fees : as in `base.PoolVisits`, or (0, 0) without a pool
    bad_debt_usd, liquidated_usd : USDC
        Debt that the day's liquidations wrote off, and what liquidators repaid: zero on entry,
        and written on the days of a liquidation alone.
    """

    mark_ounces: FloatArray
    mark_usd: FloatArray
    exit_ounces: FloatArray
    exit_usd: FloatArray
    utilisation: FloatArray
    sellable: FloatArray
    attribution: FloatArray
    gains: FloatArray
    events: StepArray
    unpaid: FloatArray
    actions: FloatArray
    observed: FloatArray
    pool_gold: FloatArray
    pool_shares: FloatArray
    pool_fees: FloatArray
    bad_debt_usd: FloatArray
    liquidated_usd: FloatArray


def new_terms(
    terms: GoldVaultTerms,
    gas: Gas,
    holder_ounces: float,
    sale_spread_bps: float,
    token_decimals: int,
    pool: PoolNumbers,
) -> Terms:
    """Return the terms in the form the kernel reads."""
    market, borrowers = terms.lending, terms.borrowers
    curve = (market.base_rate, market.slope1, market.slope2, market.kink)
    return Terms(
        crowd_ounces=terms.crowd_ounces,
        holder_ounces=holder_ounces,
        idle_share=terms.idle_share,
        pool_share=terms.pool_share,
        pool_pace=terms.pool_pace,
        pool_keep=pool.keep,
        pool_gap=pool.gap,
        pool_reserve_ounces=pool.reserve_ounces,
        pool_provided_usdc=pool.provided_usdc,
        pool_arbitrage_usd=pool.arbitrage_usd,
        run_share=terms.run_share,
        unlock_days=float(terms.profit_unlock_days),
        performance_fee=terms.performance_fee_bps / BPS,
        management_fee=terms.management_fee_bps / BPS,
        base_rate=market.base_rate,
        slope1=market.slope1,
        slope2=market.slope2,
        kink=market.kink,
        reserve_factor=market.reserve_factor,
        liquidation_threshold=market.liquidation_threshold,
        liquidation_bonus=market.liquidation_bonus,
        bearable=utilisation_at(borrowers.reservation_rate, *curve),
        inertia=borrowers.inertia,
        period_days=float(terms.emissions.period_days),
        slippage=terms.emissions.slippage_bps / BPS,
        haircut=terms.illiquidity_haircut_bps / BPS,
        sale_spread=sale_spread_bps / BPS,
        gas_enter_usd=gas.usd("enter"),
        gas_claim_usd=gas.usd("claim"),
        gas_leave_usd=gas.usd("leave"),
        unit=WEI if token_decimals == 18 else 10.0**-token_decimals,
        units=1.0 / WEI if token_decimals == 18 else 10.0**token_decimals,
    )
