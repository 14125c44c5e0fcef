"""The perpetual's market on one path as a plain loop: what the kernel does, said once more.

Written from the rules of docs/mechanics.md, an object for each account and a dictionary for the
cash; nothing of the kernel is used but its terms and drivers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.instruments.miner_perp.drivers import MinerPerpDrivers
from simulator.instruments.miner_perp.state import first_size
from simulator.instruments.miner_perp.terms import MinerPerpTerms

BAND = 1e-6


@dataclass
class Account:
    """A cohort or a measured trader."""

    name: str
    sign: float
    leverage: float
    margin: float
    order: float | None
    stop_share: float = 0.0
    crowd: bool = False
    size: float = 0.0
    cost: float = 0.0
    index: float = 0.0
    closes: bool = False
    stop: float | None = None
    touched: bool = False
    cash: float = 0.0


class Oracle:
    """Plays one path; `values` has each trader's worth by day."""

    def __init__(self, terms: MinerPerpTerms, drivers: MinerPerpDrivers, holder: float) -> None:
        self.terms, self.market, self.drivers = terms, terms.market, drivers
        deposits = terms.pool.deposits_usd
        self.pool, self.fund = deposits + holder, terms.pool.insurance_usd
        self.deposits, self.scale = deposits, terms.funding.skew_scale * deposits
        self.holder = holder / (deposits + holder)
        self.rate = self.paid = 0.0
        self.debt = self.cut = 0.0
        self.accounts = [
            *(self.cohort(name) for name in terms.crowd.cohorts),
            *(self.trader(name) for name in terms.traders),
        ]
        self.values: dict[str, list[float]] = {name: [] for name in terms.traders}

    def cohort(self, name: str) -> Account:
        cohort = self.terms.crowd.cohorts[name]
        usual = cohort.notional_share * self.deposits
        margin = math.ceil(
            usual / cohort.leverage + usual * self.market.taker_fee + self.market.keeper_fee_usd
        )
        sign = 1.0 if cohort.side == "long" else -1.0
        return Account(name, sign, cohort.leverage, float(margin), sign * usual, crowd=True)

    def trader(self, name: str) -> Account:
        trader = self.terms.traders[name]
        sign = 1.0 if trader.side == "long" else -1.0
        order = sign * first_size(self.terms, trader)
        stop = (trader.stop_loss or 0.0) / trader.leverage
        return Account(name, sign, trader.leverage, trader.margin_usd, order, stop)

    # -- what things are worth ----------------------------------------------------------

    def side(self, sign: float) -> list[Account]:
        return [a for a in self.accounts if a.size * sign > 0.0]

    def open_size(self, sign: float) -> float:
        return sum(abs(a.size) for a in self.side(sign))

    def gain_of_side(self, sign: float, price: float) -> float:
        return sum(a.size * price - a.cost for a in self.side(sign))

    def payable(self, gain: float, sign: float, price: float) -> float:
        most = self.pool * self.market.max_profit
        if gain <= 0.0:
            return gain
        return min(most, gain * min(1.0, most / max(self.gain_of_side(sign, price), 1e-12)))

    def equity(self, a: Account, price: float) -> float:
        gain = self.payable(a.size * price - a.cost, 1.0 if a.size > 0.0 else -1.0, price)
        return a.margin + gain - a.size * (self.paid - a.index)

    def fee(self, delta: float, price: float) -> float:
        skew = self.open_size(1.0) - self.open_size(-1.0)
        makes = min(abs(skew), abs(delta)) if skew * delta < 0.0 else 0.0
        made, took = self.market.maker_fee, self.market.taker_fee
        return price * (makes * made + (abs(delta) - makes) * took)

    # -- what happens -------------------------------------------------------------------

    def take(self, a: Account, usd: float) -> float:
        taken = min(usd, a.margin)
        a.margin -= taken
        return taken

    def trade(self, a: Account, delta: float, price: float, fee: float) -> None:
        closed = 0.0
        if a.size * delta < 0.0:
            closed = math.copysign(min(abs(a.size), abs(delta)), a.size)
        part = a.cost * closed / a.size if closed else 0.0
        gain = closed * price - part
        paid = self.payable(gain, 1.0 if a.size > 0.0 else -1.0, price)
        self.cut += gain - paid
        net = paid - a.size * (self.paid - a.index)
        a.cost += (delta + closed) * price - part
        a.size = 0.0 if delta == -a.size else a.size + delta
        a.index = self.paid
        if net >= 0.0:
            net = min(net, self.pool)
            self.pool, a.margin = self.pool - net, a.margin + net
        else:
            got = self.take(a, -net)
            covered = min(-net - got, self.fund)
            self.fund -= covered
            self.pool += got + covered
            self.debt += -net - got - covered
        charged = self.take(a, fee)
        insured = charged * self.market.insurance_share
        self.fund += insured
        self.pool += charged - insured - charged * self.market.protocol_share
        if a.size == 0.0:
            a.stop, a.touched, a.cost = None, False, 0.0

    def fits(self, a: Account, delta: float, price: float) -> bool:
        after, notional = a.size + delta, abs(a.size + delta) * price
        if after == 0.0:
            return True
        if notional < self.market.min_notional_usd:
            return False
        if after * a.size > 0.0 and abs(after) <= abs(a.size):
            kept = abs(a.size) * price * self.market.maintenance_margin
            return self.equity(a, price) > kept
        open_interest = self.open_size(math.copysign(1.0, after)) - abs(a.size) + abs(after)
        if open_interest * price > self.pool * self.market.max_open_interest:
            return False
        left = self.equity(a, price) - self.fee(delta, price)
        return left >= notional * self.market.initial_margin

    def fill(self, a: Account, price: float) -> None:
        delta = -a.size if a.closes else float(a.order or 0.0)
        opens = a.size == 0.0
        a.order, a.closes = None, False
        self.take(a, self.market.keeper_fee_usd)
        if delta != 0.0 and self.fits(a, delta, price):
            self.trade(a, delta, price, self.fee(delta, price))
            if opens and a.stop_share > 0.0:
                a.stop = price * (1.0 - a.sign * a.stop_share)

    def liquidate(self, a: Account, price: float) -> None:
        notional = abs(a.size) * price
        kept = notional * self.market.maintenance_margin * (1.0 - BAND)
        if a.size == 0.0 or self.equity(a, price) > kept:
            return
        a.order, a.closes = None, False
        self.trade(a, -a.size, price, 0.0)
        reward = self.take(a, self.market.keeper_fee_usd)
        self.fund += self.take(a, notional * self.market.liquidation_penalty)
        missing = self.market.keeper_fee_usd - reward
        insured = min(missing, self.fund)
        self.fund -= insured
        self.pool -= min(missing - insured, self.pool)

    def reduce(self, a: Account, price: float) -> None:
        gain, side = a.size * price - a.cost, self.gain_of_side(a.sign, price)
        trigger = self.pool * self.market.adl_trigger * (1.0 + BAND)
        if a.size == 0.0 or gain <= 0.0 or side <= trigger:
            return
        most, target = self.pool * self.market.max_profit, self.market.adl_target
        factor = min(1.0, most / side)
        owed = a.size * (self.paid - a.index)
        wanted = (side - target * (self.pool + owed)) / (1.0 - target * factor) * (1.0 - BAND)
        share = min(1.0, min(wanted, most / factor) / gain)
        size = math.floor(abs(a.size) * share * 1e6) / 1e6
        if size > 0.0:
            self.trade(a, -math.copysign(size, a.size), price, 0.0)

    def decide(self, a: Account, goal: float, price: float) -> None:
        if a.order is not None:
            return
        room = self.pool * self.market.max_open_interest * (1.0 - 1e-6)
        room -= self.open_size(a.sign) * price
        goal = min(goal, abs(a.size) * price + max(0.0, room))
        after = math.floor(goal / price * 1e6) / 1e6
        if goal < 2.0 * self.market.min_notional_usd:
            after = 0.0
        delta = a.sign * after - a.size
        if delta == 0.0 or abs(delta) * price <= 0.05 * goal:
            return
        needs = self.fee(delta, price) + self.market.keeper_fee_usd
        missing = after * price / a.leverage + needs - self.equity(a, price)
        if missing > 0.0:
            a.margin += math.ceil(missing * 100.0) / 100.0
        a.order = delta

    def play(self) -> None:
        """Run all steps."""
        index, rounds = self.drivers.index[:, 0], self.drivers.rounds[:, 0]
        last, funding = self.drivers.last_round, self.terms.funding
        for step, price in enumerate(map(float, index)):
            if step > 0:
                before = float(index[step - 1])
                skew = (self.open_size(1.0) - self.open_size(-1.0)) * before
                self.paid += (self.rate + funding.fixed_rate) * before / 365
                moved = self.rate + funding.velocity_a_day * max(-1.0, min(1.0, skew / self.scale))
                self.rate = max(-funding.max_rate, min(funding.max_rate, moved))
            if rounds[step]:
                self.round(step, price)
            if step == last:
                for a in self.accounts:
                    if not a.crowd and a.size == 0.0 and a.order is None and not a.closes:
                        a.cash += self.take(a, a.margin)
                if rounds[step]:
                    self.claim(price)
            for number, due in enumerate(self.drivers.decides):
                if due == step and rounds[step]:
                    goals = self.drivers.goals[number, :, 0]
                    for a, goal in zip(self.accounts, goals, strict=False):
                        self.decide(a, float(goal), price)
            if step == last - 1:
                for a in self.accounts:
                    if not a.crowd and a.size != 0.0 and a.order is None:
                        a.closes = True
            for a in self.accounts:
                if not a.crowd:
                    self.values[a.name].append(max(0.0, self.equity(a, price)) + a.cash)

    def round(self, step: int, price: float) -> None:
        """Do what a new round sets off."""
        for a in self.accounts:
            if a.order is not None or a.closes:
                self.fill(a, price)
        for a in self.accounts:
            self.liquidate(a, price)
        for a in self.accounts:
            if a.touched:
                self.take(a, self.market.keeper_fee_usd)
                self.trade(a, -a.size, price, self.fee(-a.size, price))
            if a.stop is not None and a.size != 0.0:
                level = a.stop
                beyond = (
                    price * (1.0 + BAND) <= level if a.size > 0.0 else price * (1.0 - BAND) >= level
                )
                a.touched = a.touched or beyond
        profits = [self.gain_of_side(sign, price) for sign in (1.0, -1.0)]
        if max(profits) > self.pool * self.market.adl_trigger:
            for a in self.accounts:
                self.reduce(a, price)
        del step

    def claim(self, price: float) -> None:
        """Let the measured provider out."""
        if self.terms.pool.cooldown_days > self.drivers.last_round:
            return
        most = self.pool * self.market.max_profit
        owed = sum(a.size * (self.paid - a.index) for a in self.accounts)
        gains = [self.gain_of_side(s, price) for s in (1.0, -1.0)]
        net = self.pool + owed - sum(min(gain, most) for gain in gains)
        open_interest = max(self.open_size(1.0), self.open_size(-1.0)) * price
        kept = open_interest / self.market.max_open_interest
        free = max(0.0, self.pool - max(kept, max(gains) / self.market.max_profit))
        self.pool -= min(self.holder * max(0.0, net), free)
