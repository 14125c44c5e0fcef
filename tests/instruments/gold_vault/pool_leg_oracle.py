"""The vault's pool as a plain record: trades by the product of the reserves, moves by bisection.

What to sell of gold that is added, and what to remove for gold that is wanted, is searched for
until it fits; the model has closed forms of both. Of the pool's own days the pool's oracle knows.
"""

from __future__ import annotations

import math

from pool_oracle import Oracle

LEAST = 1e-4
"""Price that is reckoned with at least, USDC."""


class PoolLeg(Oracle):
    """A pool of which somebody has `part` who brings gold alone and wants gold alone back."""

    part = 0.0
    open_fees = 0.0

    def pay(self, gold: float, usdc: float, price: float) -> float:
        paid = self.fee * (gold * price + usdc)
        self.open_fees += self.part * paid / max(price, LEAST)
        return super().pay(gold, usdc, price)

    def arbitrage(self, price: float) -> None:
        before = self.open_fees, self.trades
        super().arbitrage(price)
        if self.trades == before[1]:
            self.open_fees = before[0]

    def worth(self, price: float) -> float:
        """Return what the part is worth in ounces where the pool stands at the price."""
        root = math.sqrt(self.x * self.y / max(price, LEAST))
        return 2 * self.part * root

    def is_at(self, price: float) -> bool:
        """Return whether the reserves are worth the same but for five percent and the fee."""
        counted = self.y / max(price, LEAST)
        return abs(counted - self.x) <= (0.05 + self.fee) * self.x

    def brings(self, part: float) -> float:
        """Return the gold that removing a part of the pool brings."""
        x, y = self.x * (1 - part), self.y * (1 - part)
        bought = x - x * y / (y + (1 - self.fee) * part * self.y)
        return part * self.x + bought

    def payable(self, price: float, debt: float) -> float:
        if not self.is_at(price):
            return 0.0
        return min(debt, self.worth(price), self.brings(self.part))

    def add(self, gold: float) -> None:
        """Sell so much of the gold that the rest and its USDC fit the reserves then."""

        def sells_less(sold: float) -> bool:
            x = self.x + sold
            out = self.y - self.x * self.y / (self.x + sold * (1 - self.fee))
            return (gold - sold) * (self.y - out) > out * x

        sold = _between(sells_less, gold)
        new = (gold - sold) / (self.x + sold)
        self.part = (self.part + new) / (1 + new)
        self.own /= 1 + new
        self.x += gold

    def take(self, gold: float) -> None:
        """Remove so much that it brings the gold."""
        part = _between(lambda part: self.brings(part) < gold, self.part)
        self.part = (self.part - part) / (1 - part)
        self.own /= 1 - part
        self.x -= gold


def _between(holds, most: float) -> float:
    low, high = 0.0, most
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
