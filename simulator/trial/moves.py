"""What people do to a vault, or with a stake: moves, in numbers that mean the same in any state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.chain import Call
from simulator.trial.stage import TrialStage
from simulator.units import SECONDS_PER_DAY

OfVault = Literal[
    "deposit",
    "mint",
    "withdraw",
    "redeem",
    "transfer",
    "give",
    "earn",
    "lose",
    "report",
    "wait",
]
What = OfVault | Literal["stake", "unstake", "claim"]
MILLION = 1_000_000


@dataclass(frozen=True)
class Move:
    """One thing that happens.

    Attributes
    ----------
    what : str
        give is a donation; earn, lose and report are the adapter's. stake, unstake and claim are of
        a contract that pays rewards for stakes, which earns what it is to pay.
    who, to : str
        Roles, where somebody acts, and where shares go to somebody else.
    amount : int
        Assets in their smallest unit of deposit, mint, give, earn and stake; millionths of what the
        actor has of withdraw, redeem, transfer and unstake; millionths of all assets of lose;
        seconds of wait.
    """

    what: What
    who: str = ""
    amount: int = 0
    to: str = ""

    def words(self, unit: int) -> str:
        """Return it as people say it, assets in whole units of `unit`."""
        part = f"{self.amount / MILLION:.4g}"
        said = {
            "deposit": f"{self.who} deposits {_units(self.amount, unit)}",
            "mint": f"{self.who} mints the shares of {_units(self.amount, unit)}",
            "withdraw": f"{self.who} withdraws {part} of what is his",
            "redeem": f"{self.who} redeems {part} of his shares",
            "transfer": f"{self.who} hands {part} of his shares to {self.to}",
            "give": f"{self.who} sends it {_units(self.amount, unit)} as a gift",
            "earn": f"it earns {_units(self.amount, unit)}",
            "lose": f"it loses {part} of its assets",
            "report": "it is reported",
            "stake": f"{self.who} stakes {_units(self.amount, unit)}",
            "unstake": f"{self.who} takes back {part} of his stake",
            "claim": f"{self.who} claims his rewards",
            "wait": f"{self.amount / SECONDS_PER_DAY:.4g} days pass",
        }
        return said[self.what]


def _units(amount: int, unit: int) -> str:
    """Return an amount in whole units, or in its smallest ones where it is next to nothing."""
    return f"{amount:,} wei" if amount < unit // 10**6 else f"{amount / unit:,.6g}"


def calls_of(stage: TrialStage, move: Move) -> list[Call]:
    """Return the calls of a move in the present state; none where it comes to nothing."""
    vault, what = stage.contract, move.what
    if what in ("earn", "lose", "report"):
        return _of_the_adapter(stage, move)
    who = getattr(stage.roles, move.who) if move.who else ""
    if what == "give":
        return [stage.asset.call("transfer", vault, move.amount, sender=who)]
    if what == "deposit":
        return [vault.call("deposit", move.amount, who, sender=who)]
    if what == "mint":
        shares = stage.read("convertToShares", move.amount)
        return [vault.call("mint", shares, who, sender=who)] if shares else []
    if what == "stake":
        return [vault.call("stake", move.amount, sender=who)]
    if what == "claim":
        return [vault.call("getReward", sender=who)]
    if what == "wait":
        return []
    return _of_a_holder(stage, move, who)


def _of_the_adapter(stage: TrialStage, move: Move) -> list[Call]:
    if move.what == "report":
        return stage.told("report")
    amount = move.amount
    if move.what == "lose":
        amount = stage.there() * move.amount // MILLION
    return stage.told(move.what, amount) if amount else []


def _of_a_holder(stage: TrialStage, move: Move, who: str) -> list[Call]:
    vault = stage.contract
    if move.what == "transfer":
        shares = stage.read("balanceOf", who) * move.amount // MILLION
        to = getattr(stage.roles, move.to)
        return [vault.call("transfer", to, shares, sender=who)] if shares else []
    if move.what == "unstake":
        amount = stage.read("balanceOf", who) * move.amount // MILLION
        return [vault.call("withdraw", amount, sender=who)] if amount else []
    name = "maxWithdraw" if move.what == "withdraw" else "maxRedeem"
    amount = stage.read(name, who) * move.amount // MILLION
    return [vault.call(move.what, amount, who, who, sender=who)] if amount else []
