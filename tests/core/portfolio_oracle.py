"""A portfolio on one path, branch after branch: the oracle of the kernel that runs in lanes.

It follows `docs/investors.md` line by line and shares no code with the kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from simulator.instruments.base import InstrumentPaths
from simulator.scenario.investors import InvestorTerms

DEAD_BAND = 1e-6
HELD, LEAVING, OUT = "held", "leaving", "out"


@dataclass
class Holding:
    """A holding of one path: what a unit is worth, and where it stands."""

    paths: InstrumentPaths
    k: int
    weight: float
    commission: float
    units: float = 0.0
    reference: float = 0.0
    asked: float = 0.0
    due: int = 0
    goal: float = 0.0
    status: str = HELD
    since: int = 0
    received: float = 0.0
    costs: float = 0.0
    brought: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.access = self.paths.daily.access
        self.brought = [0.0] * len(self.paths.sources)
        self.buy_cost = self.access.buy_cost + self.commission

    def mark(self, step: int) -> float:
        value = self.paths.daily.value
        return float((self.paths.mark["usd"] if value is None else value)[step, self.k])

    def leaving_price(self, step: int) -> float:
        return float(self.paths.exit["usd"][step, self.k]) - self.received

    def sale_price(self, step: int) -> float:
        sale = self.access.sale_usd
        price = self.leaving_price(step) if sale is None else float(sale[step, self.k])
        return price * (1.0 - self.commission)

    def is_open(self, step: int) -> bool:
        days = self.access.open_days
        return True if days is None else bool(days[step])

    def sellable(self, step: int) -> float:
        if not self.is_open(step) or step < self.access.lockup_days or self.mark(step) <= 0.0:
            return 0.0
        share = self.access.sellable
        return self.units * (1.0 if share is None else float(share[step, self.k]))

    def turn_to(self, units: float, step: int) -> None:
        """Hold `units` from now on; what goes takes along what it brought so far."""
        for source, so_far in enumerate(self.paths.daily.brought[:, step, self.k]):
            self.brought[source] += (self.units - units) * float(so_far)
        self.units = units


class OnePath:
    """An investor's portfolio on path `k`, day after day."""

    def __init__(self, terms: InvestorTerms, held: list[InstrumentPaths], k: int) -> None:
        commission = terms.trading_cost_bps / 10_000
        self.terms, self.commission = terms, commission
        self.holdings = [Holding(p, k, terms.weights[p.name], commission) for p in held]
        park = terms.stop_loss.parked_in
        self.park = None if park is None else self.holdings[terms.held.index(park)]
        self.cash, self.owed, self.parked = float(terms.capital_usd), 0.0, 0.0
        self.grown, self.peak, self.before = 1.0, 1.0, 0.0
        self.pending, self.whole, self.stops = "", HELD, 0
        self.flow, self.moved = 0.0, 0.0
        self.last = held[0].mark["usd"].shape[0] - 1
        self.days: list[tuple[float, ...]] = []
        self.units: list[list[float]] = []

    def run(self) -> OnePath:
        self.aim()
        self.pending = "invest"
        self.trade(0)
        for step in range(self.last + 1):
            self.day(step)
        return self

    def day(self, step: int) -> None:
        if step > 0:
            self.receive(step)
        if 0 < step < self.last:
            self.fill_sales(step)
            self.put_into_the_park(step)
            self.reenter(step)
            self.move_money(step)
            self.check_weights(step)
            if self.pending and self.all_open(step):
                self.trade(step)
        value = self.total(step)
        if step > 0 and self.terms.stop_loss.portfolio:
            growth = (value - self.flow) / self.before if self.before > 0.0 else 0.0
            self.grown *= max(growth, 0.0)
        self.before = value
        self.days.append((value, self.leave(step), self.cash, self.flow, self.moved))
        self.units.append([one.units for one in self.holdings])
        self.flow, self.moved = 0.0, 0.0
        if step < self.last:
            self.watch(step)

    def all_open(self, step: int) -> bool:
        return all(one.is_open(step) for one in self.holdings)

    def total(self, step: int) -> float:
        value = self.cash
        for one in self.holdings:
            value += one.units * one.mark(step)
        return value

    def leave(self, step: int) -> float:
        value = self.cash
        for one in self.holdings:
            value += one.units * one.leaving_price(step)
        return self.cash + (value - self.cash) * (1.0 - self.commission)

    def aim(self) -> None:
        stopped = 0.0
        for one in self.holdings:
            one.goal = one.weight if one.status == HELD else 0.0
            stopped += 0.0 if one.status == HELD else one.weight
        if self.park is not None:
            self.park.goal += stopped

    def sell(self, one: Holding, units: float, step: int) -> float:
        if units <= 0.0:
            return 0.0
        mark, proceeds = units * one.mark(step), units * one.sale_price(step)
        one.turn_to(0.0 if units >= one.units else one.units - units, step)
        self.cash += proceeds
        one.costs += proceeds - mark
        self.moved += mark
        return proceeds

    def buy(self, one: Holding, value: float, step: int) -> None:
        price = one.mark(step)
        if value <= 0.0 or price <= 0.0:
            return
        if one.units <= 0.0:
            one.reference = price
        one.turn_to(one.units + value / price, step)
        self.cash -= value * (1.0 + one.buy_cost)
        one.costs -= value * one.buy_cost
        self.moved += value

    def ask(self, one: Holding, units: float, step: int) -> None:
        one.asked, one.due = units, step + one.access.notice_days

    def receive(self, step: int) -> None:
        for one in self.holdings:
            if one.paths.daily.income is not None:
                paid = float(one.paths.daily.income[step, one.k])
                self.cash += one.units * paid
                one.received += paid

    def fill_sales(self, step: int) -> None:
        for one in self.holdings:
            if one.asked <= 0.0 or step < one.due:
                continue
            units = min(one.asked, one.sellable(step))
            proceeds = self.sell(one, units, step)
            worthless = one.mark(step) <= 0.0
            one.asked = 0.0 if worthless else min(one.asked - units, one.units)
            if one.status == LEAVING:
                self.parked += proceeds if self.park is not None else 0.0
                if one.units <= 0.0 or worthless:
                    one.status, one.since = OUT, step
        if self.whole == LEAVING and all(one.status != LEAVING for one in self.holdings):
            self.whole = OUT

    def put_into_the_park(self, step: int) -> None:
        if self.park is not None and self.parked > 0.0 and self.park.is_open(step):
            spent = min(self.parked, self.cash)
            self.buy(self.park, spent / (1.0 + self.park.buy_cost), step)
            self.parked = 0.0

    def reenter(self, step: int) -> None:
        days = self.terms.stop_loss.reenter_after_days
        back = [
            one
            for one in self.holdings
            if days and one.status == OUT and step - one.since >= days and self.whole != LEAVING
        ]
        if not back:
            return
        for one in back:
            one.status = HELD
        self.aim()
        self.pending = "restore"
        if self.whole == OUT:
            self.whole, self.peak = HELD, self.grown

    def move_money(self, step: int) -> None:
        amount = sum((f.usd for f in self.terms.flows if _is_due(f, step)), 0.0)
        if amount > 0.0:
            self.cash += amount
            self.flow += amount
            self.pending = self.pending or "invest"
        elif amount < 0.0:
            self.owed -= amount
        if self.owed <= 0.0:
            return
        if self.owed > self.cash and self.all_open(step):
            self.raise_cash(self.owed - self.cash, step)
        paid = min(self.owed, max(self.cash, 0.0))
        self.cash, self.owed, self.flow = self.cash - paid, self.owed - paid, self.flow - paid

    def raise_cash(self, wanted: float, step: int) -> None:
        at_once = [one for one in self.holdings if one.access.notice_days == 0]
        possible = 0.0
        for one in at_once:
            possible += one.sellable(step) * one.sale_price(step)
        share = min(1.0, wanted / possible) if possible > 0.0 else 0.0
        for one in at_once:
            self.sell(one, share * one.sellable(step), step)
        short = wanted - share * possible
        for one in self.holdings:
            price = one.sale_price(step)
            if short > 0.0 and one not in at_once and one.asked <= 0.0 and price > 0.0:
                units = min(one.units, short / price)
                self.ask(one, units, step)
                short -= units * price

    def check_weights(self, step: int) -> None:
        every, band = self.terms.rebalance.every_days, self.terms.rebalance.band
        if every and step % every == 0:
            self.pending = "restore"
        value = self.total(step)
        for one in self.holdings:
            if band and abs(one.units * one.mark(step) - one.goal * value) > band * value:
                self.pending = "restore"

    def trade(self, step: int) -> None:
        value = self.total(step) - self.owed
        restores, self.pending = self.pending == "restore", ""
        if value <= 0.0:
            return
        if restores:
            self.sell_excess(value, step)
            value = self.total(step) - self.owed
        wanted, invested, cost = [], 0.0, 0.0
        for one in self.holdings:
            price, free = one.mark(step), one.status == HELD and one.asked <= 0.0
            held = one.units * price
            lacks = max(0.0, one.goal * value - held) if free else 0.0
            if step > 0 and one.access.most_units < math.inf:
                lacks = min(lacks, max(0.0, one.access.most_units * price - held))
            wanted.append(lacks)
            invested += one.goal
            cost += lacks * (1.0 + one.buy_cost)
        spare = self.cash - self.owed - self.parked - max(0.0, 1.0 - invested) * value
        scale = min(1.0, max(spare, 0.0) / cost) if cost > 0.0 else 0.0
        for one, lacks in zip(self.holdings, wanted, strict=True):
            self.buy(one, scale * lacks, step)

    def sell_excess(self, value: float, step: int) -> None:
        for one in self.holdings:
            mark = one.mark(step)
            over = one.units * mark - one.goal * value
            if over <= 0.0 or mark <= 0.0 or one.status != HELD or one.asked > 0.0:
                continue
            if one.access.notice_days > 0:
                self.ask(one, over / mark, step)
            else:
                self.sell(one, min(over / mark, one.sellable(step)), step)

    def watch(self, step: int) -> None:
        stop = self.terms.stop_loss
        from_peak = stop.measured_from == "peak"
        for one in self.holdings:
            if not stop.holding or one is self.park or one.status != HELD or one.units <= 0.0:
                continue
            price = one.mark(step)
            one.reference = max(one.reference, price) if from_peak else one.reference
            if price < one.reference * (1.0 - stop.holding) * (1.0 - DEAD_BAND):
                self.stop(one, step)
                self.stops += 1
        if not stop.portfolio or self.whole != HELD:
            return
        self.peak = max(self.peak, self.grown) if from_peak else self.peak
        if self.grown < self.peak * ((1.0 - stop.portfolio) * (1.0 - DEAD_BAND)):
            self.whole, self.stops = LEAVING, self.stops + 1
            for one in self.holdings:
                if one is not self.park and one.status == HELD:
                    self.stop(one, step)
            self.aim()

    def stop(self, one: Holding, step: int) -> None:
        one.status = LEAVING
        self.ask(one, one.units, step + 1)
        self.aim()


def _is_due(flow: object, step: int) -> bool:
    if flow.every_days is None:
        return step == flow.first_day
    return step >= flow.first_day and (step - flow.first_day) % flow.every_days == 0


def by_hand(terms: InvestorTerms, held: list[InstrumentPaths], k: int) -> OnePath:
    """Return the portfolio on path `k`; holdings in the order of the weights."""
    with np.errstate(all="raise"):
        return OnePath(terms, held, k).run()
