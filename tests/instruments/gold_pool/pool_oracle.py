"""The gold pool in plain Python, path by path: what the kernel must say.

Written from docs/mechanics.md, without the kernel's own functions. The best arbitrage is found by
bisection on what the next millionth would earn, not by the root that the kernel takes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from simulator.instruments.gold_pool.terms import GoldPoolTerms

DUST = 1e-6


@dataclass
class Oracle:
    """One pool on one path; `gas` by act in dollars."""

    terms: GoldPoolTerms
    holder_usdc: float
    gas: dict[str, float]
    spread: float
    x: float = 0.0
    y: float = 0.0
    own: float = 0.0
    rest: float = 0.0
    profit: float = 0.0
    trades: int = 0
    fees: float = 0.0
    loss: float = 0.0
    mark: list[float] = field(default_factory=list)
    kept: list[tuple[float, float]] = field(default_factory=list)

    @property
    def fee(self) -> float:
        return self.terms.fee_bps / 10_000

    def start(self, price: float) -> None:
        """Others put in both tokens at the price; the provider half of his money each."""
        self.x = self.terms.reserve_ounces
        self.y = math.floor(self.x * price / DUST) * DUST
        ounces = math.floor(self.holder_usdc / 2 / price / DUST) * DUST
        usdc = ounces * self.y / self.x
        self.rest = self.holder_usdc - ounces * price - usdc
        self.own = ounces / (self.x + ounces)
        self.x, self.y = self.x + ounces, self.y + usdc

    def pay(self, gold: float, usdc: float, price: float) -> float:
        """Pay one token in; return what the pool won by it at the market's price."""
        product = self.x * self.y
        if gold:
            # what is at work beside the fee keeps the product
            out = self.y - product / (self.x + gold * (1 - self.fee))
            self.x, self.y, won = self.x + gold, self.y - out, gold * price - out
            fee = self.fee * gold * price
        elif usdc:
            out = self.x - product / (self.y + usdc * (1 - self.fee))
            self.x, self.y, won = self.x - out, self.y + usdc, usdc - out * price
            fee = self.fee * usdc
        else:
            return 0.0
        self.fees += fee * self.own
        self.loss += (won - fee) * self.own
        return won

    def best(self, price: float) -> tuple[float, float]:
        """Return gold and USDC to pay in, as far as the next bit of it earns something."""

        reckoned = max(price, 1e-4)

        def earns_usdc(paid: float) -> bool:
            after = self.y + paid * (1 - self.fee)
            return self.x * self.y / after**2 * (1 - self.fee) * reckoned > 1

        def earns_gold(paid: float) -> bool:
            after = self.x + paid * (1 - self.fee)
            return self.x * self.y / after**2 * (1 - self.fee) > reckoned

        return _last(earns_gold, 1e7 - self.x), _last(earns_usdc, 1e12)

    def arbitrage(self, price: float) -> None:
        gold, usdc = (math.floor(paid / DUST) * DUST for paid in self.best(price))
        gold = gold if gold > 1e-6 * self.x else 0.0
        usdc = usdc if usdc > 1e-6 * self.y else 0.0
        before = self.x, self.y, self.fees, self.loss
        won = self.pay(gold, usdc, price)
        if -won > self.gas["arbitrage"]:
            self.profit -= won
            self.trades += 1
        else:
            self.x, self.y, self.fees, self.loss = before
        self.kept.append((self.x, self.y))

    def noise(self, price: float, volume: float, imbalance: float) -> None:
        if price <= 1e-4:
            return
        usdc = min(volume / 2 * (1 + imbalance), self.y / 2)
        self.pay(0.0, math.floor(usdc / DUST) * DUST, price)
        gold = min(volume / 2 * (1 - imbalance) / price, self.x / 2)
        self.pay(math.floor(gold / DUST) * DUST, 0.0, price)

    def value(self, price: float) -> float:
        """Return the provider's deposit at mark."""
        return self.own * (self.x * price + self.y) + self.rest - self.gas["enter"]

    def leave(self, price: float) -> float:
        cost = self.own * self.x * price * self.spread + self.gas["leave"]
        return self.value(price) - cost


def _last(holds, most: float) -> float:
    """Return up to where a condition holds that holds at first and not later, 0 if never."""
    low, high = 0.0, most
    if high <= 0.0 or not holds(0.0):
        return 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def run(oracle: Oracle, prices, volumes, imbalances) -> Oracle:
    """Run a path: prices, volumes and imbalances of each day."""
    for day, (price, volume, imbalance) in enumerate(zip(prices, volumes, imbalances, strict=True)):
        if day == 0:
            oracle.start(price)
            oracle.kept.append((oracle.x, oracle.y))
        else:
            oracle.arbitrage(price)
            oracle.noise(price, volume, imbalance)
        oracle.mark.append(oracle.value(price))
    return oracle
