"""Sequences of moves: plain random ones, and such as a market's path brings about."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from simulator.trial.moves import MILLION, Move, OfVault, What
from simulator.trial.stage import HOLDERS
from simulator.units import SECONDS_PER_DAY

_RANDOM: tuple[What, ...] = get_args(OfVault)
_OF_STAKES: tuple[What, ...] = ("stake", "unstake", "claim", "earn", "wait")
_MOST_LOST = 300_000
"""The most that a random move loses, in millionths: a third is more than most years bring."""

CROWD = 1_000_000
"""Whole units with which the crowd begins in a market's sequence."""
HOLDING = 100
"""Those of the measured holder."""
REPORT_EVERY = 7
"""Days from report to report; a loss is reported at once."""
_MOMENTUM_DAYS = 30
_FLOW_DEVIATION = 0.005
_FLOW_MOMENTUM = 0.05
_RUN_LOSS = 0.01
"""A loss on a day from which people run."""
_RUN_SHARE = 0.2
_RUN_DAYS = 5


@dataclass(frozen=True)
class Year:
    """What a market's path brings a vault.

    Attributes
    ----------
    name : str
        Which path of what.
    returns : tuple of float
        What the assets earn on each day, as a share; index 0 is the first day's, zero.
    prices : tuple of float
        The asset's price on each day, in dollars.
    """

    name: str
    returns: tuple[float, ...]
    prices: tuple[float, ...]


def random_moves(seed: int, count: int, unit: int) -> list[Move]:
    """Return moves of which each is as likely as any other, with amounts of any size."""
    draw = random.Random(seed)
    moves = [Move("deposit", "crowd", 10 ** draw.randint(0, 6) * unit)]
    while len(moves) < count:
        moves.append(_random_move(draw, unit, _RANDOM))
    return moves


def random_stakes(seed: int, count: int, unit: int) -> list[Move]:
    """Return the same of a contract that pays rewards for stakes."""
    draw = random.Random(seed)
    moves = [Move("stake", "crowd", 10 ** draw.randint(0, 6) * unit)]
    while len(moves) < count:
        moves.append(_random_move(draw, unit, _OF_STAKES))
    return moves


def _random_move(draw: random.Random, unit: int, among: Sequence[What]) -> Move:
    what, who = draw.choice(among), draw.choice(HOLDERS)
    if what in ("deposit", "mint", "give", "stake"):
        return Move(what, who, _any_size(draw, unit))
    if what == "claim":
        return Move(what, who)
    if what in ("withdraw", "redeem", "unstake"):
        return Move(what, who, draw.choice((MILLION, draw.randint(1, MILLION))))
    if what == "transfer":
        to = draw.choice([role for role in HOLDERS if role != who])
        return Move(what, who, draw.randint(1, MILLION), to)
    if what == "earn":
        return Move(what, "", _any_size(draw, unit))
    if what == "lose":
        return Move(what, "", draw.randint(1, _MOST_LOST))
    if what == "wait":
        return Move(what, "", draw.choice((1, 3600, SECONDS_PER_DAY, 30 * SECONDS_PER_DAY)))
    return Move(what)


def _any_size(draw: random.Random, unit: int) -> int:
    """Return an amount from one to a million whole units, each order of magnitude alike."""
    return max(int(10 ** draw.uniform(0, 6) * (unit if draw.random() < 0.7 else 1)), 1)


def market_moves(
    year: Year, seed: int, unit: int, there: Callable[[], int]
) -> Iterator[list[Move]]:
    """Yield the moves of each day of a year; `there` returns the assets at the time of a move.

    Gains and losses are the path's, as shares of what the vault then has. The crowd comes with
    the price of the last 30 days and goes with it, and a fifth of it runs each day for five days
    after a loss of a percent. Small strangers come and go in between.
    """
    draw = random.Random(seed)
    yield [
        Move("deposit", "crowd", CROWD * unit),
        Move("deposit", "depositor", HOLDING * unit),
    ]
    running = 0
    for day in range(1, len(year.returns)):
        assets = there()
        moves = [Move("wait", "", SECONDS_PER_DAY), *_result(year.returns[day], assets)]
        if year.returns[day] < -_RUN_LOSS:
            running = _RUN_DAYS
        lost = year.returns[day] < 0
        if lost or day % REPORT_EVERY == 0:
            moves.append(Move("report"))
        flow = -_RUN_SHARE if running else _flow(draw, year.prices, day)
        running = max(running - 1, 0)
        moves += _crowd(flow, assets)
        yield [*moves, *_strangers(draw, unit)]


def market_stakes(
    year: Year, seed: int, unit: int, there: Callable[[], int]
) -> Iterator[list[Move]]:
    """Yield the moves of each day of a year of stakes; `there` returns all stakes.

    Each week the rewards are topped up by what the path earned in it on all stakes, where that is
    a gain. The crowd comes, goes and runs as from a vault; small strangers stake in between.
    """
    draw = random.Random(seed)
    yield [Move("stake", "crowd", CROWD * unit), Move("stake", "depositor", HOLDING * unit)]
    running, earned = 0, 0.0
    for day in range(1, len(year.returns)):
        stakes, moves = there(), [Move("wait", "", SECONDS_PER_DAY)]
        earned += year.returns[day]
        if day % REPORT_EVERY == 0:
            moves += [Move("earn", "", int(earned * stakes))] if earned * stakes >= unit else []
            earned = 0.0
        if year.returns[day] < -_RUN_LOSS:
            running = _RUN_DAYS
        flow = -_RUN_SHARE if running else _flow(draw, year.prices, day)
        running = max(running - 1, 0)
        if flow > 0:
            moves.append(Move("stake", "crowd", max(int(flow * stakes), 1)))
        elif int(-flow * MILLION):
            moves.append(Move("unstake", "crowd", int(-flow * MILLION)))
        yield [*moves, *_small_stakes(draw, unit)]


def _small_stakes(draw: random.Random, unit: int) -> list[Move]:
    chance = draw.random()
    if chance < 0.05:
        return [Move("stake", "second_depositor", draw.randint(1, 10 * unit))]
    if chance < 0.08:
        return [Move("unstake", "second_depositor", draw.randint(1, MILLION))]
    if chance < 0.12:
        return [Move("claim", draw.choice(HOLDERS))]
    if chance < 0.14:
        return [Move("stake", "intruder", draw.randint(1, 10**6))]
    return [Move("unstake", "intruder", MILLION)] if chance < 0.16 else []


def _result(gained: float, assets: int) -> list[Move]:
    if gained > 0:
        return [Move("earn", "", max(int(gained * assets), 1))]
    lost = min(int(-gained * MILLION), MILLION - 1)
    return [Move("lose", "", lost)] if lost else []


def _flow(draw: random.Random, prices: Sequence[float], day: int) -> float:
    before = prices[max(day - _MOMENTUM_DAYS, 0)]
    momentum = prices[day] / before - 1 if before > 0 else 0.0
    flow = draw.gauss(0.0, _FLOW_DEVIATION) + _FLOW_MOMENTUM * momentum / _MOMENTUM_DAYS
    return max(min(flow, 0.5), -0.5)


def _crowd(flow: float, assets: int) -> list[Move]:
    if flow > 0:
        return [Move("deposit", "crowd", max(int(flow * assets), 1))]
    part = int(-flow * MILLION)
    return [Move("redeem", "crowd", part)] if part else []


def _strangers(draw: random.Random, unit: int) -> list[Move]:
    """Return what small strangers do on a day: mostly nothing."""
    chance = draw.random()
    if chance < 0.04:
        return [Move("deposit", "second_depositor", draw.randint(1, 10 * unit))]
    if chance < 0.06:
        return [Move("mint", "intruder", draw.randint(1, 10**6))]
    if chance < 0.08:
        return [Move("withdraw", "second_depositor", draw.randint(1, MILLION))]
    if chance < 0.10:
        return [Move("redeem", "intruder", MILLION)]
    if chance < 0.11:
        return [Move("transfer", "second_depositor", draw.randint(1, MILLION), "intruder")]
    if chance < 0.12:
        return [Move("give", "intruder", draw.randint(1, unit))]
    return []
