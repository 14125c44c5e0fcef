"""The rules of the mine's token in Python: who may receive, and who has earned what, exactly.

Refusals are those of the contracts, by message and in their order; claims are fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from sto_stage import TOKEN

PAUSED = "mining_sto: paused"
FROZEN = "mining_sto: wallet is frozen"
UNVERIFIED = "mining_sto: receiver is not verified"
FREE = "mining_sto: amount exceeds the free balance"
BALANCE = "mining_sto: amount exceeds the balance"
RECOVERED = "revenue_staking: wallet was recovered"
COUNTRY = "compliance: country is forbidden"
CAP = "compliance: identity would exceed its cap"


@dataclass
class Stream:
    """Payments that flow side by side, to wallets and through the staking to stakers."""

    seconds: int
    now: int
    payments: list[tuple[Fraction, int]] = field(default_factory=list)
    """Of each its amount in units and when it was made."""
    carried: Fraction = Fraction(0)
    held: dict[str, Fraction] = field(default_factory=dict)
    """What each wallet has earned by holding."""
    staked: dict[str, Fraction] = field(default_factory=dict)
    """What each wallet has earned by staking."""

    @classmethod
    def of(cls, seconds: int, now: int, wallets: tuple[str, ...]) -> Stream:
        nothing = dict.fromkeys(wallets, Fraction(0))
        return cls(seconds, now, held=dict(nothing), staked=dict(nothing))

    def advance(self, now: int, balances: dict[str, int], stakes: dict[str, int]) -> None:
        """Let what flows until `now` go to those who hold and stake."""
        flow = Fraction(0)
        for amount, start in self.payments:
            seconds = min(now, start + self.seconds) - min(self.now, start + self.seconds)
            flow += amount * seconds / self.seconds
        self.now = now
        supply = sum(balances.values()) + sum(stakes.values())
        if supply < TOKEN:
            self.carried += flow
            return
        for earned, weights in ((self.held, balances), (self.staked, stakes)):
            for wallet, weight in weights.items():
                earned[wallet] += flow * weight / supply

    def pay(self, amount: int) -> None:
        self.payments.append((amount + self.carried, self.now))
        self.carried = Fraction(0)


@dataclass
class Ledger:
    """Wallets, identities and rules, as the contracts must see them. Amounts are token wei."""

    staking: str
    balance: dict[str, int] = field(default_factory=dict)
    stake: dict[str, int] = field(default_factory=dict)
    entrusted: dict[str, int] = field(default_factory=dict)
    part: dict[str, int] = field(default_factory=dict)
    """The frozen part of each balance."""
    frozen: set[str] = field(default_factory=set)
    identity: dict[str, str] = field(default_factory=dict)
    country: dict[str, int] = field(default_factory=dict)
    booked: dict[str, str] = field(default_factory=dict)
    successor: dict[str, str] = field(default_factory=dict)
    forbidden: set[int] = field(default_factory=set)
    cap: int = 2**256 - 1
    paused: bool = False

    @classmethod
    def of(cls, staking: str, wallets: tuple[str, ...]) -> Ledger:
        ledger = cls(staking)
        for column in (ledger.balance, ledger.stake, ledger.entrusted, ledger.part):
            column.update(dict.fromkeys(wallets, 0))
        return ledger

    def held_by(self, identity: str) -> int:
        """Return what an identity has in wallets and at the staking."""
        own = [wallet for wallet, booked in self.booked.items() if booked == identity]
        return sum(self.balance[wallet] + self.entrusted[wallet] for wallet in own)

    # --- What is refused, and why ----------------------------------------------

    def rules(self, sender: str | None, receiver: str, amount: int) -> str | None:
        """Return the compliance's refusal of a transfer between wallets, or of a mint."""
        if sender == receiver:
            return None
        if self.country[receiver] in self.forbidden:
            return COUNTRY
        if amount == 0:
            return None
        identity = self.identity[receiver]
        if sender is not None and self.booked.get(sender) == identity:
            return None
        return CAP if self.held_by(identity) + amount > self.cap else None

    def transfer(self, sender: str, receiver: str, amount: int) -> str | None:
        if self.paused:
            return PAUSED
        if sender in self.frozen or receiver in self.frozen:
            return FROZEN
        if amount > self.balance[sender] - self.part[sender]:
            return FREE
        if receiver not in self.identity:
            return UNVERIFIED
        return self.rules(sender, receiver, amount)

    def mint(self, receiver: str, amount: int) -> str | None:
        if receiver not in self.identity:
            return UNVERIFIED
        return self.rules(None, receiver, amount)

    def forced(self, sender: str, receiver: str, amount: int) -> str | None:
        if receiver not in self.identity:
            return UNVERIFIED
        return BALANCE if amount > self.balance[sender] else None

    def recovery(self, lost: str, new: str, identity: str) -> str | None:
        if lost == new:
            return "mining_sto: lost wallet is the new one"
        if lost in self.successor or new in self.successor:
            return "mining_sto: wallet was recovered before"
        if self.identity.get(lost) != identity:
            return "mining_sto: lost wallet has another identity"
        if self.identity.get(new, identity) != identity:
            return "mining_sto: new wallet has another identity"
        return None

    def staking_in(self, wallet: str, amount: int) -> str | None:
        if wallet in self.successor:
            return RECOVERED
        if self.paused:
            return PAUSED
        if wallet in self.frozen:
            return FROZEN
        if amount > self.balance[wallet] - self.part[wallet]:
            return FREE
        return None if amount else "staking_rewards: cannot stake nothing"

    def staking_out(self, wallet: str, amount: int) -> str | None:
        if wallet in self.successor:
            return RECOVERED
        if amount == 0:
            return "staking_rewards: cannot withdraw nothing"
        if amount > self.stake[wallet]:
            return "staking_rewards: amount exceeds the stake"
        if self.paused:
            return PAUSED
        if wallet in self.frozen:
            return FROZEN
        return None if wallet in self.identity else UNVERIFIED

    # --- What happens ------------------------------------------------------------

    def move(self, sender: str, receiver: str, amount: int) -> None:
        self.balance[sender] -= amount
        self.balance[receiver] += amount

    def thaw(self, wallet: str, amount: int) -> None:
        """Unfreeze what `amount` takes of the frozen part, before it leaves."""
        self.part[wallet] = min(self.part[wallet], self.balance[wallet] - amount)

    def register(self, wallet: str, identity: str, country: int) -> None:
        self.identity[wallet], self.country[wallet] = identity, country
        self.booked[wallet] = identity

    def recover(self, lost: str, new: str) -> None:
        if new not in self.identity:
            self.register(new, self.identity[lost], self.country[lost])
        self.move(lost, new, self.balance[lost])
        self.part[new] += self.part[lost]
        self.part[lost] = 0
        self.entrusted[new] += self.entrusted[lost]
        self.entrusted[lost] = 0
        if lost in self.frozen:
            self.frozen.add(new)
        self.successor[lost] = new
        del self.identity[lost], self.country[lost]
