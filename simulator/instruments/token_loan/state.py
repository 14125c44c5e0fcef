"""What the loans' kernel is told and what it writes; sources of return, the terms as numbers."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from simulator.instruments.base import Source
from simulator.instruments.gas import Gas
from simulator.instruments.token_loan.terms import LoanTerms, TokenLoanTerms
from simulator.units import BPS, DAYS_PER_YEAR, BoolArray, FloatArray, StepArray

MOST_DECIMALS = 12
"""Tokens are counted to this in both engines: a float64 has no more of a hundred thousand."""


class Of(IntEnum):
    """Rows of a loan's attribution."""

    PRICE = 0
    INTEREST = 1
    DEPLOYED = 2
    DEFAULT = 3
    SWAPS = 4
    PENALTY = 5
    WRITTEN_OFF = 6
    GAS = 7


SOURCES = (
    Source("price", "market", "Price of the tokens held"),
    Source("interest", "cost", "Interest on the debt"),
    Source("deployed", "organic", "What borrowed dollars earned"),
    Source("default", "loss", "Borrowed dollars that were lost", ends_income=True),
    Source("swaps", "cost", "Spread of buying and selling tokens"),
    Source("penalty", "loss", "What a liquidator got beyond the debt he repaid"),
    Source("written_off", "loss", "Debt that the tokens did not pay for"),
    Source("gas", "cost", "Transaction costs"),
)
"""A loan's, in the order of `Of`."""


class From(IntEnum):
    """Rows of a supplier's attribution."""

    INTEREST = 0
    BAD_DEBT = 1
    ILLIQUIDITY = 2
    GAS = 3


SUPPLIER_SOURCES = (
    Source("interest", "organic", "Interest of the borrowers"),
    Source("bad_debt", "loss", "Debt that nobody will repay"),
    Source("illiquidity", "loss", "Discount on what could not be paid"),
    Source("gas", "cost", "Transaction costs"),
)
"""The measured supplier's, in the order of `From`."""


class Outcome(IntEnum):
    """Rows of what became of a loan on each path.

    TOKENS, SCALED : locked, and owed over the borrow index, once the loan stood
    STEP : of its liquidation, 0 for never
    REPAID, BAD_DEBT : by the liquidator, and written off, USDC
    RETURNED : tokens that were left to the borrower
    PROFIT : the liquidator's at the desk's price, USDC
    BY_FEED : 1 where the metal's own price would have left it alone
    PAID_BACK : 1 where it was repaid at the end
    LEFT : dollars that the first day's purchases left, USDC
    DEPLOYED : borrowed dollars that bought no tokens, as they stand at the end, USDC
    DUST : tokens that a liquidation left in the market, for nobody asks for the last unit
    """

    TOKENS = 0
    SCALED = 1
    STEP = 2
    REPAID = 3
    BAD_DEBT = 4
    RETURNED = 5
    PROFIT = 6
    BY_FEED = 7
    PAID_BACK = 8
    LEFT = 9
    DEPLOYED = 10
    DUST = 11


class Observed(IntEnum):
    """Columns of what both engines observe of the market at the end of a step.

    CASH : USDC
    SUPPLY_INDEX : USDC per share
    UTILISATION : 0 to 1
    TREASURY : its shares
    BAD_DEBT : written off so far, USDC
    LIQUIDATORS : what they have got for seized tokens less what they repaid, USDC
    EXIT : what the measured supplier would be paid, USDC; on the last step what he was paid
    """

    CASH = 0
    SUPPLY_INDEX = 1
    UTILISATION = 2
    TREASURY = 3
    BAD_DEBT = 4
    LIQUIDATORS = 5
    EXIT = 6


class Pool(NamedTuple):
    """The market's terms as numbers: rates a year, shares of 1, USDC.

    supplied : by all suppliers at the start, the measured one included
    holder : the measured supplier's
    units : parts into which a token is counted
    spread : of buying and of selling tokens
    late_days : that a loan must have been beyond the threshold before somebody acts
    most_rounds : purchases with borrowed dollars on the first day
    supply_gas, redeem_gas : the supplier's gas, USD
    """

    supplied: float
    holder: float
    base_rate: float
    slope1: float
    slope2: float
    kink: float
    reserve_factor: float
    max_ltv: float
    threshold: float
    penalty: float
    haircut: float
    units: float
    spread: float
    late_days: float
    most_rounds: float
    supply_gas: float
    redeem_gas: float


class Loans(NamedTuple):
    """The loans' terms as numbers, (n_loans,) each.

    capital : USDC
    ltv : on the first day
    loops : bool
    rate, loss : of deployed dollars, a day, and of what is lost in a failure
    """

    capital: FloatArray
    ltv: FloatArray
    loops: BoolArray
    rate: FloatArray
    loss: FloatArray


class Costs(NamedTuple):
    """Gas of a borrower's acts, USD; see `gas.HOLDER_GAS`."""

    enter: float
    borrow: float
    buy: float
    release: float
    leave: float
    sell: float


class Numbers(NamedTuple):
    """All terms as numbers.

    gas_times : (n_steps + 1,), what gas costs on each step over the scenario's own price
    """

    pool: Pool
    loans: Loans
    costs: Costs
    gas_times: FloatArray


class Drivers(NamedTuple):
    """What happens from outside; (n_steps + 1, n_paths), n_paths a multiple of LANES.

    feed : USDC per token, as the market reads it
    token, metal : USDC per token at the desk's middle, USDC per ounce
    backing : ounces behind a token
    utilisation : that other borrowers bring the market to, 0 to 1
    fails : (n_loans, n_paths), int64, step on which deployed dollars fail
    away : bool, where no keeper acts; or (0, 0)
    """

    feed: FloatArray
    token: FloatArray
    metal: FloatArray
    backing: FloatArray
    utilisation: FloatArray
    fails: StepArray
    away: BoolArray


class Results(NamedTuple):
    """What is written; what is not asked for is empty.

    mark, leave : (1 + n_loans, n_steps + 1, n_paths), USDC
        The measured supplier's, then each loan's, at mark and at exit.
    mark_oz, leave_oz : (n_loans, n_steps + 1, n_paths), ounces
    gains : (n_loans, 8, n_steps + 1, n_paths), USDC, or (n_loans, 8, 0, 0)
        Each loan's gains up to each step, without the costs of leaving.
    supplied : (4, n_steps + 1, n_paths), USDC, or (4, 0, 0)
        Likewise the supplier's.
    attribution : (n_loans, 2, 8, n_paths), USDC and ounces, rows of `Of`
    of_supplier : (4, n_paths), USDC, rows of `From`
    borrow_index, utilisation, rate : (n_steps + 1, n_paths)
        The borrow index, and utilisation and borrow rate at the end of a step.
    outcomes : (n_loans, 12, n_paths), rows of `Outcome`
    unpaid : (n_paths,), USDC, what the supplier could not be paid at the end
    others : (n_steps + 1, n_paths), or (0, 0)
        What other borrowers borrow, negative what they repay, USDC.
    opened : (n_loans, 2, 1 + most_rounds, n_paths), or (n_loans, 2, 0, 0)
        Dollars borrowed before each purchase of the first day, and tokens bought.
    observed : (n_steps + 1, n_paths, 7), or (0, 0, 7), columns of `Observed`
    """

    mark: FloatArray
    leave: FloatArray
    mark_oz: FloatArray
    leave_oz: FloatArray
    gains: FloatArray
    supplied: FloatArray
    attribution: FloatArray
    of_supplier: FloatArray
    borrow_index: FloatArray
    utilisation: FloatArray
    rate: FloatArray
    outcomes: FloatArray
    unpaid: FloatArray
    others: FloatArray
    opened: FloatArray
    observed: FloatArray


def numbers(
    terms: TokenLoanTerms, gas: Gas, holder_usd: float, decimals: int, n_steps: int
) -> Numbers:
    """Return the terms in the form in which the kernel reads them."""
    pool = terms.pool
    base, slope1, slope2, kink = pool.curve
    market = Pool(
        supplied=pool.supplied_usd + holder_usd,
        holder=float(holder_usd),
        base_rate=base,
        slope1=slope1,
        slope2=slope2,
        kink=kink,
        reserve_factor=pool.reserve_factor,
        max_ltv=pool.max_ltv,
        threshold=pool.liquidation_threshold,
        penalty=pool.liquidation_penalty,
        haircut=pool.illiquidity_haircut_bps / BPS,
        units=10.0 ** min(decimals, MOST_DECIMALS),
        spread=terms.swap_spread_bps / BPS,
        late_days=float(terms.keeper_late_days),
        most_rounds=float(terms.most_rounds),
        supply_gas=gas.usd("supply"),
        redeem_gas=gas.usd("redeem"),
    )
    costs = Costs(*(gas.usd(act) for act in Costs._fields))
    return Numbers(market, _loans(list(terms.loans.values())), costs, gas.factors(n_steps))


def _loans(loans: list[LoanTerms]) -> Loans:
    return Loans(
        capital=np.array([loan.capital_usd for loan in loans]),
        ltv=np.array([loan.ltv for loan in loans]),
        loops=np.array([loan.loop for loan in loans]),
        rate=np.array([loan.deployed.rate for loan in loans]) / DAYS_PER_YEAR,
        loss=np.array([loan.deployed.loss for loan in loans]),
    )
