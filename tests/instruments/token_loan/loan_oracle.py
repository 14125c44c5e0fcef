"""The same loans and market as a plain loop over days of one path, in floats and dictionaries."""

from __future__ import annotations

import math
from typing import Any

from simulator.instruments.token_loan.terms import TokenLoanTerms

YEAR = 365
ROOM = 1e-9


def down(value: float, units: float) -> float:
    return math.floor(value * units) / units


class Oracle:
    """One path; prices are lists over steps, amounts USDC."""

    def __init__(self, terms: TokenLoanTerms, holder: float, units: float, gas: dict[str, float]):
        self.terms, self.holder, self.units, self.gas = terms, holder, units, gas
        self.spread = terms.swap_spread_bps / 10_000
        self.cash = self.shares = terms.pool.supplied_usd + holder
        self.owed = self.treasury = self.others = self.lost = self.bad = 0.0
        self.index, self.rate, self.dollars_gained = 1.0, 0.0, 0.0
        self.loans: list[dict[str, Any]] = []

    def used(self) -> float:
        owed = self.owed * self.index
        return owed / (self.cash + owed)

    def curve(self) -> float:
        base, slope1, slope2, kink = self.terms.pool.curve
        used = self.used()
        if used <= kink:
            return base + slope1 * used / kink
        return base + slope1 + slope2 * (used - kink) / (1 - kink)

    def supply_index(self) -> float:
        return (self.cash + self.owed * self.index) / self.shares

    def open(self, feed: float, token: float) -> None:
        ask = token * (1 + self.spread)
        for own in self.terms.loans.values():
            tokens = down((own.capital_usd - 2e-6) / ask, self.units)
            dollars, debt, rounds, deployed = own.capital_usd - tokens * ask, 0.0, 0, 0.0
            ratio = own.ltv * feed / ask
            wanted = own.capital_usd * ratio / (1 - ratio) if own.loop else own.ltv * feed * tokens
            wanted = down(wanted, 1e6)
            while rounds < self.terms.most_rounds:
                most = self.terms.pool.max_ltv * (1 - ROOM) * tokens * feed - debt
                most = min(down(max(most, 0.0), 1e6), self.cash - debt)
                amount = down(min(most, wanted - debt), 1e6)
                if amount < 1.0:
                    break
                rounds, debt = rounds + 1, debt + amount
                if not own.loop:
                    deployed = amount
                    break
                more = down((dollars + amount - 2e-6) / ask, self.units)
                dollars, tokens = dollars + amount - more * ask, tokens + more
            self.cash -= debt
            self.owed += debt
            spent = self.gas["enter"] + rounds * self.gas["borrow"]
            spent += rounds * self.gas["buy"] if own.loop else 0.0
            self.loans.append(
                {
                    "tokens": tokens,
                    "free": 0.0,
                    "owed": debt,
                    "dollars": dollars,
                    "deployed": deployed,
                    "earns": own.deployed.rate / YEAR,
                    "loss": own.deployed.loss,
                    "beyond": 0,
                    "spent": spent,
                    "closed": 0,
                    "worth": [own.capital_usd],
                    "exit": [own.capital_usd],
                }
            )

    def accrue(self) -> None:
        before = self.owed * self.index
        self.index *= 1 + self.rate / YEAR
        interest = self.owed * self.index - before
        reserve = interest * self.terms.pool.reserve_factor
        minted = reserve * self.shares / (self.cash + self.owed * self.index - reserve)
        self.shares += minted
        self.treasury += minted

    def close(self, loan: dict[str, Any], feed: float, token: float, step: int) -> None:
        pool = self.terms.pool
        debt = loan["owed"] * self.index
        if debt <= pool.liquidation_threshold * (1 + 1e-6) * loan["tokens"] * feed:
            loan["beyond"] = 0
            return
        loan["beyond"] += 1
        if loan["beyond"] <= self.terms.keeper_late_days:
            return
        bonus = 1 + pool.liquidation_penalty
        repaid = min(debt, loan["tokens"] * feed / bonus)
        seized = min(loan["tokens"], debt * bonus / feed)
        profit = seized * token * (1 - self.spread) - repaid
        if profit < 0:
            return
        before, bad = self.supply_index(), debt - repaid
        burnt = min(self.treasury, bad / before) if bad > 0 else 0.0
        self.shares -= burnt
        self.treasury -= burnt
        self.cash += repaid
        self.owed -= loan["owed"]
        self.lost += self.holder * (before - self.supply_index()) if bad > 0 else 0.0
        self.bad += bad
        self.dollars_gained += profit
        left = loan["tokens"] - seized
        room = ROOM * left + 4e-6 / feed + 1 / self.units
        loan["free"] = down(max(0.0, left - room), self.units)
        loan["spent"] += self.gas["release"] if loan["free"] > 0 else 0.0
        loan |= {"tokens": 0.0, "owed": 0.0, "closed": step}

    def others_move(self, wanted: float, feed: float, first: float) -> None:
        owed, theirs = self.owed * self.index, self.others * self.index
        change = max(0.0, wanted * (self.cash + owed) - (owed - theirs)) - theirs
        most = (self.cash if change > 0 else theirs) - 1.0
        size = down(min(abs(change), most), 1e6)
        if size < 1.0 or feed <= 0.05 * first:
            return
        change = math.copysign(size, change)
        self.others += change / self.index
        self.owed += change / self.index
        self.cash -= change

    def value(self, loan: dict[str, Any], token: float) -> None:
        bid = token * (1 - self.spread)
        rest = loan["dollars"] + loan["deployed"] - loan["spent"]
        debt = loan["owed"] * self.index
        sale = max(0.0, loan["tokens"] * bid - debt)
        out = self.gas["sell"] if loan["free"] * bid > 0 else 0.0
        out = out or (self.gas["leave"] if sale > 0 else 0.0)
        worth = max(0.0, loan["tokens"] * token - debt)
        loan["worth"].append(worth + loan["free"] * token + rest)
        loan["exit"].append(sale + loan["free"] * bid + rest - out)

    def repay(self, loan: dict[str, Any], token: float) -> None:
        """On the last step: of a loan that pays, the market gets its debt back."""
        bid = token * (1 - self.spread)
        if loan["owed"] > 0 and loan["tokens"] * bid > loan["owed"] * self.index:
            self.cash += loan["owed"] * self.index
            self.owed -= loan["owed"]

    def run(
        self,
        feed: list[float],
        token: list[float],
        wanted: list[float],
        fails: list[int],
    ) -> None:
        last = len(feed) - 1
        self.open(feed[0], token[0])
        self.others_move(wanted[0], feed[0], feed[0])
        self.rate = self.curve()
        self.supplier = [self.holder * self.supply_index()]
        for step in range(1, last + 1):
            self.accrue()
            for loan, failing in zip(self.loans, fails, strict=True):
                loan["deployed"] *= 1 + loan["earns"]
                if failing == step:
                    loan["deployed"] *= 1 - loan["loss"]
                    loan["earns"] = 0.0
                self.close(loan, feed[step], token[step], step)
            if step < last:
                self.others_move(wanted[step], feed[step], feed[0])
            for loan in self.loans:
                self.value(loan, token[step])
                if step == last:
                    self.repay(loan, token[step])
            self.rate = self.curve()
            self.supplier.append(self.holder * self.supply_index())
