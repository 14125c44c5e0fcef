"""What the token's kernel is told and what it writes; sources of return, and the holder's gas."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from simulator.instruments.base import Source
from simulator.instruments.gas import Gas
from simulator.instruments.mining.terms import MiningStoTerms
from simulator.instruments.mining.worth import Tables
from simulator.units import BoolArray, DayArray, FloatArray, KindArray, StepArray


class From(IntEnum):
    """Rows of the attribution: where a holder's gain comes from, in the order of `SOURCES`."""

    PROFIT = 0
    RETURNED = 1
    COPPER = 2
    ORE_AND_TIME = 3
    MOOD = 4
    OUTAGE = 5
    DELAY = 6
    DEFAULT = 7
    TRUST = 8
    ISSUE = 9
    ILLIQUIDITY = 10
    GAS = 11


SOURCES = (
    Source("mine_profit", "organic", "Mine profit paid out"),
    Source("returned_capital", "return of capital", "Paid beyond the recorded profit"),
    Source("copper_price", "market", "Copper price"),
    Source("ore_and_time", "market", "Ore used up, output and time"),
    Source("mood", "market", "Mood of the secondary market"),
    Source("outage", "loss", "Outages"),
    Source("delay", "loss", "Construction and ramp-up late"),
    Source("default", "loss", "Default of the operator", ends_income=True),
    Source("broken_promise", "loss", "Price falls as the promise breaks"),
    Source("issue_price", "cost", "Issue price above the first market price"),
    Source("illiquidity", "cost", "Discount when selling"),
    Source("gas", "cost", "Transaction costs"),
)


class Befell(IntEnum):
    """Rows of what may befall a subscription.

    RAISE_FAILED : the soft cap was missed, and there are no tokens
    DEFAULTED : the operator of tokens that exist stopped paying
    PROMISE_BROKEN : a promise kept with top-ups was broken, by too small a payment or by default
    OUTAGE : the mine stood still, wholly or in part, on a day on which the holder had tokens
    """

    RAISE_FAILED = 0
    DEFAULTED = 1
    PROMISE_BROKEN = 2
    OUTAGE = 3


BEFELL = tuple(row.name.lower() for row in Befell)
"""The same by the names under which a holder's paths tell them."""


class Numbers(NamedTuple):
    """The terms that are not the mine's, as numbers.

    close_day, lockup_end_day : days from the start
    token_price_usd : issue price of a token
    soft_cap_usd, hard_cap_usd : least and most that is raised
    payout_ratio : share of the mine's profit that goes to holders where all is sold, 0 to 1
    payments_a_year : number
    stream_days : days over which a payment flows
    promised_yield : a year on the issue price, 1 = 100 %
    topped_up : 1 where payments are topped up to the promise, else 0
    reserve_share : share of the raise that is kept for that, 0 to 1
    deposits_a_year : new deposits over the issue value of all tokens
    trust : how far tokens trade at the issue price while promises are kept, 0 to 1
    recovery : share of the worth that a default leaves, 0 to 1
    discount, lockup_discount : share of the price that a seller loses, after and before the
        lock-up ends, 0 to 1
    holder_usd : what the measured holder subscribes for
    gas_enter_usd, gas_claim_usd, gas_leave_usd : cost of his transactions
    gas_times : (n_steps + 1,), what gas costs on each step over the scenario's own price
    """

    close_day: float
    lockup_end_day: float
    token_price_usd: float
    soft_cap_usd: float
    hard_cap_usd: float
    payout_ratio: float
    payments_a_year: float
    stream_days: float
    promised_yield: float
    topped_up: float
    reserve_share: float
    deposits_a_year: float
    trust: float
    recovery: float
    discount: float
    lockup_discount: float
    holder_usd: float
    gas_enter_usd: float
    gas_claim_usd: float
    gas_leave_usd: float
    gas_times: FloatArray


class Drivers(NamedTuple):
    """What happens to the token.

    tables : Tables
        Of what the mine is worth.
    copper_usd : (n_steps + 1, n_paths), USD per tonne; n_paths is a multiple of LANES
    accrued : (n_steps + 1, n_paths), the mine's profit of the running period so far, USD
    profit : (n_periods, n_paths), the mine's profit of each period, USD
    halted : (n_steps + 1, n_paths), int8, kind of the outage, 0 where there is none
    deferred : (n_steps + 1, n_paths), int16, days of full output still to be missed
    begins : (n_paths,), int64, step of the first ore
    ends : (n_steps + 1,), bool
        Whether a period ends on the step; the first one ends with the close of the raise.
    others_usd : (n_paths,), what others want to subscribe, USD
    default_step : (n_paths,), int64, step on which the operator stops paying
    noise : (n_steps + 1, n_paths), log gap between the token's price and its worth
    """

    tables: Tables
    copper_usd: FloatArray
    accrued: FloatArray
    profit: FloatArray
    halted: KindArray
    deferred: DayArray
    begins: StepArray
    ends: BoolArray
    others_usd: FloatArray
    default_step: StepArray
    noise: FloatArray


class Results(NamedTuple):
    """What is written, USD; zeros where it is added to. What is not asked for is empty.

    mark, leave : (n_steps + 1, n_paths), value at mark and at exit, with all that was received
    paid : (n_steps + 1, n_paths), what was received so far
    price : (n_steps + 1, n_paths), or (0, 0), price of the holder's tokens
    last_price : (n_paths,), the same on the last step
    attribution : (n_sources, n_paths), added to: rows of `From`
    gains : (n_sources, n_steps + 1, n_paths), or (n_sources, 0, 0)
        Gains up to each step, without the costs of leaving.
    recorded, payments, deposits : (n_periods, n_paths), zeros but where there are any
        The holders' profit, what is paid, new tokens sold.
    events : (n_paths,), int64, added to: a failed raise, outages, a default, a broken promise
    happened : (4, n_paths), bool, rows of `Befell`
    """

    mark: FloatArray
    leave: FloatArray
    paid: FloatArray
    price: FloatArray
    last_price: FloatArray
    attribution: FloatArray
    gains: FloatArray
    recorded: FloatArray
    payments: FloatArray
    deposits: FloatArray
    events: StepArray
    happened: BoolArray


def numbers(terms: MiningStoTerms, gas: Gas, holder_usd: float, n_steps: int) -> Numbers:
    """Return the terms in the form in which the kernel reads them."""
    sale, payout, market = terms.sale, terms.payout, terms.secondary
    top_up = payout.top_up
    return Numbers(
        close_day=float(sale.days),
        lockup_end_day=float(sale.days + terms.compliance.lockup_days),
        token_price_usd=sale.token_price_usd,
        soft_cap_usd=sale.soft_cap_usd,
        hard_cap_usd=sale.hard_cap_usd,
        payout_ratio=payout.payout_ratio,
        payments_a_year=float(payout.payments_a_year),
        stream_days=float(payout.stream_days),
        promised_yield=payout.promised_yield,
        topped_up=float(top_up is not None),
        reserve_share=top_up.reserve_share if top_up else 0.0,
        deposits_a_year=top_up.deposits_a_year if top_up else 0.0,
        trust=top_up.trust if top_up else 0.0,
        recovery=terms.default.recovery,
        discount=market.illiquidity_discount,
        lockup_discount=market.lockup_discount,
        holder_usd=float(holder_usd),
        gas_enter_usd=gas.usd("enter"),
        gas_claim_usd=gas.usd("claim"),
        gas_leave_usd=gas.usd("leave"),
        gas_times=gas.factors(n_steps),
    )
