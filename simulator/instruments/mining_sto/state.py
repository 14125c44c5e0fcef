"""The token's terms as numbers, its sources of return, and what a holder's acts cost."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Source
from simulator.scenario.mining_sto import MiningStoTerms
from simulator.scenario.models import GasTerms


class From(IntEnum):
    """Rows of the attribution: where a holder's gain comes from."""

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


class Own(IntEnum):
    """Rows of what a holder has on each path.

    Part of the supply, share of the mine's worth that his claim is, the running stream a day
    and its organic part (of all holders), days it still runs, what he received, cash that is
    not in tokens (escrow or refund), issue value of his tokens, what a default left of his
    claim (negative: none yet), and what transactions cost him.
    """

    PART = 0
    SHARE = 1
    STREAM = 2
    ORGANIC = 3
    DAYS_LEFT = 4
    PAID = 5
    CASH = 6
    PAR = 7
    LEFT = 8
    SPENT = 9


class Seen(IntEnum):
    """Rows of how the market saw the holding on the last day.

    Dollars of price per dollar of the mine's worth, and that times its tonnes (see `worth`) and
    its profit to come; mood as a factor, how far the issue price is believed in, the price,
    copper's price, profit accrued, the discount thought to be left a day later, and whether the
    mine stands still (1 or 0).
    """

    GEARING = 0
    BY_TONNES = 1
    BY_WAIT = 2
    MOOD = 3
    TRUST = 4
    PRICE = 5
    USD = 6
    ACCRUED = 7
    AHEAD = 8
    HALTED = 9


class Today(IntEnum):
    """Rows that a day writes anew, but for the last.

    Tonnes, profit to come at the long-run price, the discount for days to be missed, and for
    one day fewer; the mine's worth, the mood's change over the new one, trust before the
    period ended, and outages begun so far.
    """

    TONNES = 0
    PLANNED = 1
    DISCOUNT = 2
    NEXT = 3
    WHOLE = 4
    SWING = 5
    TRUSTED = 6
    HAPPENED = 7


SOURCES = (
    Source("mine_profit", "organic", "Mine profit paid out"),
    Source("returned_capital", "return of capital", "Paid beyond the recorded profit"),
    Source("copper_price", "market", "Copper price"),
    Source("ore_and_time", "market", "Ore used up, output and time"),
    Source("mood", "market", "Mood of the secondary market"),
    Source("outage", "loss", "Outages"),
    Source("delay", "loss", "Construction and ramp-up late"),
    Source("default", "loss", "Default of the operator"),
    Source("broken_promise", "loss", "Price falls as the promise breaks"),
    Source("issue_price", "cost", "Issue price above the first market price"),
    Source("illiquidity", "cost", "Discount when selling"),
    Source("gas", "cost", "Transaction costs"),
)

HOLDER_GAS = {"enter": 224_368, "claim": 95_601, "leave": 228_095}
"""Gas of the holder's transactions, approvals included, as the replay measures it on Anvil (a
test holds these figures); a claim is the mean over tokens and payments."""

TERMS = np.dtype(
    [
        (name, np.float64)
        for name in (
            "close",
            "token_price",
            "soft_cap",
            "hard_cap",
            "payout_ratio",
            "payments_a_year",
            "stream_days",
            "promised",
            "topped_up",
            "reserve_share",
            "deposits_a_year",
            "trust",
            "recovery",
            "discount",
            "lockup_discount",
            "lockup_end",
            "holder_usd",
            "gas_enter_usd",
            "gas_claim_usd",
            "gas_leave_usd",
        )
    ]
)
"""The terms that are not the mine's; shares are 0 to 1, days count from the start."""


def terms_record(terms: MiningStoTerms, gas: GasTerms, holder_usd: float) -> npt.NDArray[np.void]:
    """Return the terms as an array with one record of `TERMS`."""
    top_up = terms.payout.top_up
    per_gas = gas.price_gwei * 1e-9 * gas.ether_usd
    values = {
        "close": terms.sale.days,
        "token_price": terms.sale.token_price_usd,
        "soft_cap": terms.sale.soft_cap_usd,
        "hard_cap": terms.sale.hard_cap_usd,
        "payout_ratio": terms.payout.payout_ratio,
        "payments_a_year": terms.payout.payments_a_year,
        "stream_days": terms.payout.stream_days,
        "promised": terms.payout.promised_yield,
        "topped_up": float(top_up is not None),
        "reserve_share": top_up.reserve_share if top_up else 0.0,
        "deposits_a_year": top_up.deposits_a_year if top_up else 0.0,
        "trust": top_up.trust if top_up else 0.0,
        "recovery": terms.default.recovery,
        "discount": terms.secondary.illiquidity_discount,
        "lockup_discount": terms.secondary.lockup_discount,
        "lockup_end": terms.sale.days + terms.compliance.lockup_days,
        "holder_usd": holder_usd,
    }
    values |= {f"gas_{act}_usd": used * per_gas for act, used in HOLDER_GAS.items()}
    record = np.zeros(1, TERMS)
    for name, value in values.items():
        record[name] = value
    return record
