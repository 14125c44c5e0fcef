"""What the kernel is told and what it writes; sources of return, and the rows of its state."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from simulator.instruments.base import Source
from simulator.instruments.gas import Gas
from simulator.instruments.solar_nft.terms import SolarNftTerms
from simulator.instruments.solar_nft.worth import Tables, silver_mg, tables
from simulator.mechanics.solar import N_ARRAYS
from simulator.units import BPS, DAYS_PER_YEAR, BoolArray, FloatArray, StepArray


class From(IntEnum):
    """Rows of the attribution, in the order of `SOURCES`."""

    ENERGY = 0
    BONUS = 1
    SILVER = 2
    POWER = 3
    MOOD = 4
    AGEING = 5
    DEFAULT = 6
    ISSUE = 7
    SALE = 8
    GAS = 9


SOURCES = (
    Source("energy_income", "organic", "Energy sold"),
    Source("lock_bonus", "subsidised", "Bonus for locking, paid in by the issuer"),
    Source("silver_right", "market", "Right to the silver: its worth, and what it paid"),
    Source("power_price", "market", "Power price"),
    Source("mood", "market", "Mood of buyers"),
    Source("ageing", "market", "Energy that is no longer to come, and time"),
    Source("default", "loss", "Default of the off-taker"),
    Source("issue_price", "cost", "Issue price above the first floor price"),
    Source("sale", "cost", "Spread, royalty and haircut when selling"),
    Source("gas", "cost", "Transaction costs"),
)


class Numbers(NamedTuple):
    """The terms as numbers, of the measured position: `tokens` whole tokens.

    tokens : number
    part : share of the revenue that they get, 0 to 1
    fleet_kw : kW that count by energy: others' panels, and twice the position (free and locked)
    cost_a_day : of all panels, USD
    own_watts, array_watts : rated power of the position, and of one of the others' arrays
    bonus_a_day : USD
    bonus_days, lock_days : days from the start
    after : share of the price after a default, 0 to 1
    keep, keep_locked : share of the price that a seller gets of a free and of a locked token
    silver_mg, recovery : silver of the position, and share of it that is paid for
    issue_usd : what the position costs on the first day
    retire_step : last day of the panels
    leave_gas, unlock_gas : cost of leaving, and what unlocking adds to it, USD
    """

    tokens: float
    part: float
    fleet_kw: float
    cost_a_day: float
    own_watts: float
    array_watts: float
    bonus_a_day: float
    bonus_days: float
    lock_days: float
    after: float
    keep: float
    keep_locked: float
    silver_mg: float
    recovery: float
    issue_usd: float
    retire_step: float
    leave_gas: float
    unlock_gas: float


class Days(NamedTuple):
    """What is the same on all paths, shape (n_steps + 1,).

    worth : Tables
        Of the position.
    ends : bool, whether a period ends on the step
    spent, spent_locked : gas so far of who holds free and locked tokens, USD
    gas_times : what gas costs on the step over the scenario's own price
    """

    worth: Tables
    ends: BoolArray
    spent: FloatArray
    spent_locked: FloatArray
    gas_times: FloatArray


class Drivers(NamedTuple):
    """What happens, as in `SolarNftDrivers`; arrays of shape (n_steps + 1, n_paths)."""

    power_usd: FloatArray
    sun: FloatArray
    mood: FloatArray
    silver_usd: FloatArray
    feed_usd: FloatArray
    locked: FloatArray
    unlocked: FloatArray
    default_step: StepArray


class Results(NamedTuple):
    """What is written, USD; of shape (n_steps + 1, n_paths) unless said otherwise.

    mark, leave : value at mark and at exit, with all that was received, of free tokens
    mark_locked, leave_locked : the same of locked ones
    paid : energy income that could have been claimed so far
    bonus : the same of the bonus, locked tokens
    price : floor price of the position, without the revenue of the running period
    pots : (n_periods, n_paths), what each period shared among all
    silver_paid : (n_paths,), what the silver paid, zeros where the panels outlive the run
    attribution : (n_sources, n_paths), rows of `From`; without bonus, gas and costs of leaving
    gains : (n_sources, n_steps + 1, n_paths) or (n_sources, 0, 0), the same up to each step
    """

    mark: FloatArray
    leave: FloatArray
    mark_locked: FloatArray
    leave_locked: FloatArray
    paid: FloatArray
    bonus: FloatArray
    price: FloatArray
    pots: FloatArray
    silver_paid: FloatArray
    attribution: FloatArray
    gains: FloatArray


def numbers(terms: SolarNftTerms, gas: Gas, usd: float) -> Numbers:
    """Return the terms in the form in which the kernel reads them; `usd` asks for so much."""
    count, panel, energy, lock = terms.tokens(usd), terms.panel, terms.energy, terms.lock
    own = float(count * panel.watts)
    array = array_watts(terms)
    counted = own * panel.site_factor
    fleet = N_ARRAYS * array + 2.0 * counted
    cost = energy.cost_usd_per_kw_year / 1_000.0 / DAYS_PER_YEAR
    return Numbers(
        tokens=float(count),
        part=counted / fleet,
        fleet_kw=fleet / 1_000.0,
        cost_a_day=cost * (N_ARRAYS * array + 2.0 * own),
        own_watts=own,
        array_watts=array,
        bonus_a_day=lock.bonus_usd / lock.bonus_days,
        bonus_days=float(lock.bonus_days),
        lock_days=float(lock.days),
        after=energy.price_after_default,
        keep=terms.sale_share,
        keep_locked=1.0 - lock.haircut,
        silver_mg=float(count * silver_mg(terms)),
        recovery=terms.silver.recovery_bps / BPS,
        issue_usd=count * terms.issue_price_usd,
        retire_step=float(panel.days_left),
        leave_gas=gas.usd("leave"),
        unlock_gas=gas.usd("unlock"),
    )


def array_watts(terms: SolarNftTerms) -> float:
    """Return the rated power of one of the others' arrays, whole watts."""
    return float(int(terms.collection_watts) // N_ARRAYS)


def days(terms: SolarNftTerms, gas: Gas, start: dt.date, n_steps: int, own: Numbers) -> Days:
    """Return calendar, worth of the position and gas by step."""
    worth, watts = tables(terms, start, n_steps), own.own_watts
    steps = np.arange(n_steps + 1)
    ends, claims = calendar(terms, n_steps)
    times = gas.factors(n_steps)
    claimed = np.cumsum((claims & (steps < n_steps)) * times) * gas.usd("claim")
    spent = gas.usd("enter") + claimed
    return Days(
        worth=Tables(
            base=watts * worth.base,
            slope=watts * worth.slope,
            base_after=watts * worth.base_after,
            slope_after=watts * worth.slope_after,
            silver=own.tokens * worth.silver,
        ),
        ends=ends,
        spent=spent,
        spent_locked=spent + gas.usd("lock"),
        gas_times=times,
    )


def calendar(terms: SolarNftTerms, n_steps: int) -> tuple[BoolArray, BoolArray]:
    """Return on which steps a period ends, and on which the holder claims, (n_steps + 1,) each.

    The panels' last day ends a period too, and their silver is claimed then.
    """
    steps, last = np.arange(n_steps + 1), terms.panel.days_left
    ends = (steps > 0) & (steps <= last)
    ends &= (steps % terms.energy.period_days == 0) | (steps == last)
    claims = ends & ((np.cumsum(ends) % terms.energy.claim_every_periods == 0) | (steps == last))
    return ends, claims
