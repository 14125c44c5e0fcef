"""The cover's terms as numbers, the days on which policies begin and end, and the sources."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from simulator.instruments.base import Source
from simulator.scenario.models import GasTerms
from simulator.scenario.price_cover import CoverTerms, PriceCoverTerms
from simulator.units import BPS, DAYS_PER_YEAR

DEAD_BAND = 1e-6
"""Keepers mark a policy only beyond this around the trigger and the strike."""

ROOM = 1e-9
"""Part of the capacity and of the highest strike that buyers leave unused: the rounding of
both engines lies within it."""


class From(IntEnum):
    """Rows of the underwriter's attribution."""

    PREMIUMS = 0
    CLAIMS = 1
    OPEN_CLAIMS = 2
    ILLIQUIDITY = 3
    GAS = 4


SOURCES = (
    Source("premiums", "organic", "Premiums earned"),
    Source("claims", "loss", "Claims paid"),
    Source("open_claims", "loss", "Claims still open when leaving"),
    Source("illiquidity", "loss", "Discount on what could not be paid"),
    Source("gas", "cost", "Transaction costs"),
)

MINER_SOURCES = (
    Source("copper_sold", "organic", "Copper sold less its cost"),
    Source("payouts", "market", "Payouts of the cover"),
    Source("cover_premiums", "cost", "Premiums of the cover"),
)

HOLDER_GAS = {"enter": 151_689, "request": 92_649, "leave": 96_339}
"""Gas of the underwriter's transactions, his approval included, as the replay measures it on
Anvil (a test holds these figures)."""


class Own(IntEnum):
    """Rows of what there is on each path, USD: the pool, all sums insured, premium a day that
    is being earned, premiums not earned yet, sums insured of triggered policies, what open
    policies would be paid as their settlements stand; sums so far of premiums earned, claims paid,
    the miner's premiums, his payouts, his sales, and his cash a period ago with and without
    cover.
    """

    POOL = 0
    LOCKED = 1
    RATE = 2
    UNEARNED = 3
    TRIGGERED = 4
    OPEN = 5
    EARNED = 6
    PAID = 7
    PREMIUMS = 8
    PAYOUTS = 9
    SOLD = 10
    COVERED_BEFORE = 11
    SOLD_BEFORE = 12


class Policy(IntEnum):
    """Rows of a policy on each path: tonnes, strike, sum insured, premium a day and in all,
    1 while it is marked as triggered, and the sum of the prices seen in its settlement's
    window."""

    TONNES = 0
    STRIKE = 1
    INSURED = 2
    DAILY = 3
    PREMIUM = 4
    MARKED = 5
    SEEN = 6


class Outcome(IntEnum):
    """Rows of what became of a policy on each path: what it was paid, what was missing of the
    claim, and the step on which it was voided, 0 for never."""

    PAYOUT = 0
    MISSING = 1
    VOIDED = 2


class Act(IntEnum):
    """What a keeper does with a policy on a step."""

    NONE = 0
    TRIGGER = 1
    CLEAR = 2
    VOID = 3


class Observed(IntEnum):
    """Columns of what both engines observe at the end of a step."""

    TOTAL_ASSETS = 0
    LOCKED = 1
    UNEARNED = 2
    TRIGGERED = 3
    UTILISATION = 4
    EXIT_VALUE = 5
    SETTLEMENT = 6
    MINER_PREMIUMS = 7
    MINER_PAYOUTS = 8


MINER, OTHERS = 0, 1


@dataclass(frozen=True)
class Schedule:
    """The policies of a run in the order of their purchase, the same on every path.

    Attributes
    ----------
    buyer, bought, start, end : ndarray of shape (n_policies,), int64
        `MINER` or `OTHERS`, and the steps of purchase, start and expiry.
    """

    buyer: npt.NDArray[np.int64]
    bought: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]


def schedule(terms: PriceCoverTerms, n_steps: int) -> Schedule:
    """Return the policies; the miner buys none that ends after the run."""
    rows = []
    for buyer, cover in ((MINER, terms.miner.cover), (OTHERS, terms.others.cover)):
        for day in range(0, n_steps, cover.renew_every_days):
            start = day + terms.pool.lag_days
            end = start + cover.term_days
            if buyer == OTHERS or end <= n_steps:
                rows.append((day, buyer, start, end))
    table = np.array(sorted(rows), np.int64).reshape(-1, 4)
    return Schedule(table[:, 1].copy(), table[:, 0].copy(), table[:, 2].copy(), table[:, 3].copy())


TERMS = np.dtype(
    [
        (name, np.float64)
        for name in (
            "pool_usd",
            "holder_usd",
            "leverage",
            "floor",
            "slope",
            "ceiling",
            "max_strike_share",
            "trigger_share",
            "min_insured",
            "window_days",
            "haircut",
            "tonnes_a_day",
            "aisc",
            "cash_usd",
            "period_days",
            "miner_tonnes",
            "miner_strike_share",
            "miner_strike",
            "others_utilisation",
            "others_strike_share",
            "others_strike",
            "gas_enter_usd",
            "gas_request_usd",
            "gas_leave_usd",
            "request_step",
            "can_claim",
            "hardly",
        )
    ]
)
"""The terms as numbers; a strike of zero means that its share counts. `hardly` is less than
any sum insured, and more than what sums and differences of them leave."""


def terms_record(
    terms: PriceCoverTerms, gas: GasTerms, holder_usd: float, n_steps: int
) -> npt.NDArray[np.void]:
    """Return the terms as an array with one record of `TERMS`."""
    pool, miner, others = terms.pool, terms.miner, terms.others
    per_gas = gas.price_gwei * 1e-9 * gas.ether_usd
    values = {
        "pool_usd": pool.deposits_usd + holder_usd,
        "holder_usd": holder_usd,
        "leverage": pool.leverage,
        "floor": pool.premium.floor,
        "slope": pool.premium.slope,
        "ceiling": pool.premium.ceiling,
        "max_strike_share": pool.max_strike_share,
        "trigger_share": pool.trigger_share,
        "min_insured": pool.min_sum_insured_usd,
        "window_days": pool.window_days,
        "haircut": pool.illiquidity_haircut_bps / BPS,
        "tonnes_a_day": miner.tonnes_a_year / DAYS_PER_YEAR,
        "aisc": miner.aisc_usd_per_tonne,
        "cash_usd": miner.cash_usd,
        "period_days": miner.cover.renew_every_days,
        "miner_tonnes": miner.tonnes,
        "others_utilisation": others.utilisation,
        "request_step": request_step(terms, n_steps),
        "can_claim": float(pool.cooldown_days <= n_steps),
        "hardly": 0.5 * pool.min_sum_insured_usd,
    }
    values |= _strikes("miner", miner.cover) | _strikes("others", others.cover)
    values |= {f"gas_{act}_usd": used * per_gas for act, used in HOLDER_GAS.items()}
    record = np.zeros(1, TERMS)
    for name, value in values.items():
        record[name] = value
    return record


def request_step(terms: PriceCoverTerms, n_steps: int) -> int:
    """Return the step on which the underwriter asks for his money: a cooldown before the end."""
    return max(0, n_steps - terms.pool.cooldown_days)


def _strikes(who: str, cover: CoverTerms) -> dict[str, float]:
    return {
        f"{who}_strike_share": cover.strike_share or 0.0,
        f"{who}_strike": cover.strike_usd_per_tonne or 0.0,
    }
