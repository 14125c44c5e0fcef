"""What a day does to the measured tokens: energy, default, price, payment, bonus, value.

Functions work on WIDTH paths side by side, on the rows that `rows` describes; `own` is of shape
(STATE_SIZE,). Every day's loops are kernels apart, so that LLVM makes vector instructions of them.
"""

from __future__ import annotations

from simulator.instruments.solar_nft.draws import WIDTH
from simulator.instruments.solar_nft.rows import (
    ACCRUED,
    BONUS,
    BY_AGEING,
    BY_DEFAULT,
    BY_ENERGY,
    BY_ISSUE,
    BY_MOOD,
    BY_POWER,
    BY_SILVER,
    CASH,
    FAILS,
    HELD,
    LEAVE,
    LEAVE_LOCKED,
    LOCKED,
    MARK,
    MARK_LOCKED,
    METAL,
    MOOD,
    MOOD_WAS,
    OTHERS,
    PAID,
    POWER,
    POWER_WAS,
    PRICE,
    SILVER,
    SUN,
    UNLOCKED,
    WORTH,
)
from simulator.jit import kernel
from simulator.mechanics.solar import bonus_part, pot, silver_usd
from simulator.units import FloatArray


@kernel
def generate(
    own: FloatArray, day: float, fleet_kw: float, cost: float, after: float, part: float
) -> None:
    """Sell a day's energy, at a share `after` of the price once the off-taker has failed.

    On the day of the default he has not paid for the running period: all of it is lost.

    `own` is of shape (STATE_SIZE,).
    """
    for k in range(WIDTH):
        paid = after if day > own[FAILS + k] else 1.0
        revenue = fleet_kw * own[SUN + k] * own[POWER + k] * paid - cost
        accrued = own[ACCRUED + k] + revenue
        held = part * max(0.0, accrued)
        lost = 1.0 if day == own[FAILS + k] else 0.0
        own[BY_ENERGY + k] += held - own[HELD + k]
        own[BY_DEFAULT + k] -= lost * held
        own[ACCRUED + k] = (1.0 - lost) * accrued
        own[HELD + k] = (1.0 - lost) * held


@kernel
def price(
    own: FloatArray,
    day: float,
    base: float,
    slope: float,
    base_after: float,
    slope_after: float,
    ounces: float,
) -> None:
    """Price the tokens anew and split the change by source.

    The numbers are those of `worth.Tables` on the day, of the whole position. With the worth X of
    the energy, Y of the silver, and the mood M, the price is (X + Y) M; the power price counts at
    yesterday's mood, the mood at today's worth, and what is left is age and time.

    `own` is of shape (STATE_SIZE,).
    """
    for k in range(WIDTH):
        usd, mood, was = own[POWER + k], own[MOOD + k], own[MOOD_WAS + k]
        whole = max(0.0, base + slope * usd)
        broken = max(0.0, base_after + slope_after * usd)
        failed, fails = day >= own[FAILS + k], 1.0 if day == own[FAILS + k] else 0.0
        worth = broken if failed else whole
        metal = ounces * own[SILVER + k]
        # until today the price moved as it did before a default
        moved = slope_after if day > own[FAILS + k] else slope
        moved = moved if worth > 0.0 else 0.0
        by_power = was * moved * (usd - own[POWER_WAS + k])
        by_default = was * fails * (broken - whole)
        own[BY_POWER + k] += by_power
        own[BY_DEFAULT + k] += by_default
        own[BY_AGEING + k] += was * (worth - own[WORTH + k]) - by_power - by_default
        own[BY_SILVER + k] += was * (metal - own[METAL + k])
        own[BY_MOOD + k] += (worth + metal) * (mood - was)
        own[WORTH + k], own[METAL + k] = worth, metal
        own[POWER_WAS + k], own[MOOD_WAS + k] = usd, mood
        own[PRICE + k] = (worth + metal) * mood


@kernel
def begin(own: FloatArray, issue_usd: float) -> None:
    """Forget how the first price came about, but for what the issue costs beyond it.

    `own` is of shape (STATE_SIZE,).
    """
    for k in range(WIDTH):
        own[BY_POWER + k] = own[BY_AGEING + k] = own[BY_MOOD + k] = own[BY_SILVER + k] = 0.0
        own[BY_ISSUE + k] = own[PRICE + k] - issue_usd


@kernel
def share_out(own: FloatArray, part: float, pots: FloatArray) -> None:
    """Close a period; its revenue goes into `pots`, of shape (WIDTH,), USD."""
    for k in range(WIDTH):
        shared = pot(own[ACCRUED + k])
        own[BY_ENERGY + k] += part * shared - own[HELD + k]
        own[PAID + k] += part * shared
        own[ACCRUED + k] = own[HELD + k] = 0.0
        pots[k] = shared


@kernel
def reward(own: FloatArray, a_day: float, own_watts: float, array_watts: float) -> None:
    """Share a day's bonus by the watts that were locked, and see who is locked now.

    `own` is of shape (STATE_SIZE,).
    """
    for k in range(WIDTH):
        got = bonus_part(a_day, own_watts, own[OTHERS + k])
        own[BONUS + k] += got
        own[OTHERS + k] = array_watts * (own[LOCKED + k] - own[UNLOCKED + k])


@kernel
def claim_silver(own: FloatArray, milligrams: float, recovery: float) -> None:
    """Pay for the silver of retired panels.

    `own` is of shape (STATE_SIZE,).
    """
    for k in range(WIDTH):
        paid = silver_usd(milligrams, recovery, own[SILVER + k])
        own[CASH + k] += paid
        own[BY_SILVER + k] += paid


@kernel
def value(
    own: FloatArray,
    keep: float,
    keep_locked: float,
    spent: float,
    spent_locked: float,
    gas: float,
    unlock_gas: float,
) -> None:
    """Write what the tokens are worth, and what selling them would pay.

    Parameters
    ----------
    keep, keep_locked : float
        Share of the price that a seller of free and of locked tokens gets.
    spent, spent_locked : float
        Gas so far of who holds them free and locked, USD.
    gas, unlock_gas : float
        Gas of leaving, and what unlocking adds to it, USD.

    `own` is of shape (STATE_SIZE,).
    """
    for k in range(WIDTH):
        dirty = own[PRICE + k] + own[HELD + k]
        cash = own[PAID + k] + own[CASH + k]
        leaves = 1.0 if dirty > 0.0 else 0.0
        more = cash + own[BONUS + k] - spent_locked
        own[MARK + k] = dirty + cash - spent
        own[LEAVE + k] = keep * dirty + cash - spent - leaves * gas
        own[MARK_LOCKED + k] = dirty + more
        own[LEAVE_LOCKED + k] = keep_locked * dirty + more - leaves * (gas + unlock_gas)
