"""What a trial finds: rules that hold for any contract of a standard, and breaches of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.chain import Call
from simulator.trial.moves import Move

MOST = 2**255 - 1
"""The greatest word that an exported test compares."""

RULES: Mapping[str, str] = {
    "erc-20": "it moves tokens as ERC-20 says",
    "permit": "it takes a signed approval once, as ERC-2612 says",
    "views": "its views answer in every state",
    "rounding": "it rounds in favour of those who stay",
    "previews": "entries and exits pay at least what previews say",
    "limits": "what its limits allow does not revert",
    "round-trip": "nobody gains by going in and out again",
    "others-value": "what the others have never falls by a stranger's act",
    "price-fall": "its price falls only when a loss is reported",
    "fee-on-loss": "a loss costs holders no more than was lost",
    "gain": "a gain brings holders no more than was earned",
    "stale-price": "its price knows of a loss before anybody leaves",
    "claims": "all shares together are worth no more than its assets",
    "donations": "a gift does not move its price",
    "first-depositor": "who comes first cannot take from who comes next",
    "re-entry": "coming back in before it has finished brings nothing",
    "unbounded-queue": "what an exit costs does not grow with what strangers do",
    "authority": "nobody burns another's shares beyond what he is allowed",
    "receiver": "who is named as the receiver gets what the caller would, and nobody else",
    "events": "entries and exits are logged with their parties and amounts",
    "exit": "leaving at once pays the stake and all that was earned",
    "stake": "what is staked is booked, and can be taken back whole at any time",
    "before-stake": "a stake earns nothing for the time before it",
    "accrued": "what somebody has earned falls only when it is paid to him",
    "paid-as-earned": "a claim pays what was told to be earned, once",
    "over-paid": "it pays and owes no more rewards than came in",
    "shares-alike": "in the same time stakes earn in proportion to their size",
    "lost-rewards": "what came in reaches who stakes, also where a period is topped up",
    "slowed-rewards": "a stranger cannot slow down what flows",
}
"""Every rule, as what holds of a sound contract."""

NAMES: Mapping[str, str] = {
    "rounding": "rounds for the one who acts",
    "previews": "pays less than its preview says",
    "limits": "refuses what its limits allow",
    "round-trip": "pays for going in and out",
    "others-value": "takes from others when a stranger acts",
    "price-fall": "lets its price fall without a loss",
    "fee-on-loss": "takes a fee on a loss",
    "gain": "makes up a gain",
    "stale-price": "keeps a stale price after a loss",
    "claims": "owes more than it has",
    "donations": "counts donations",
    "first-depositor": "lets the first depositor rob the next",
    "re-entry": "can be re-entered",
    "unbounded-queue": "walks a queue without bound",
    "authority": "lets others burn one's shares",
    "receiver": "does not do right by a receiver",
    "events": "logs no entries or exits as ERC-4626 says",
    "exit": "keeps something back from who leaves at once",
    "views": "has views that revert",
    "stake": "keeps back what was staked",
    "before-stake": "pays a stake for the time before it",
    "accrued": "takes back what was earned",
    "paid-as-earned": "pays another reward than it tells",
    "over-paid": "pays more rewards than came in",
    "shares-alike": "rewards like stakes unlike",
    "lost-rewards": "loses rewards that came in",
    "slowed-rewards": "lets a stranger slow down the rewards",
    "erc-20": "is no sound ERC-20 token",
    "permit": "takes permits that it must not",
}
"""What a contract does that breaks each."""


@dataclass(frozen=True)
class Check:
    """What an exported test asks after all calls: a view's first word must lie between two."""

    view: Call
    least: int = 0
    most: int = MOST


@dataclass(frozen=True)
class Breach:
    """A rule that does not hold in one state.

    Attributes
    ----------
    said : str
        What was found, in a sentence, with its figures.
    check : Check or None
        How it is seen in a view.
    after : tuple of Call
        What has to be called besides to see it, and was undone.
    reverts : bool
        Whether it is seen in the last call, which reverts and must not.
    """

    rule: str
    said: str
    check: Check | None = None
    after: tuple[Call, ...] = ()
    reverts: bool = False


@dataclass(frozen=True)
class Fault:
    """A rule that a contract breaks, and steps that show it.

    Attributes
    ----------
    steps : tuple of Move or Call
        From a contract that was only just deployed.
    tried : int
        Steps of the sequence in which it was found.
    where : str
        Where that was: a standard's sequences, an attack, a market's path.
    is_least : bool
        Whether none of the steps can be left out.
    """

    rule: str
    said: str
    steps: tuple[Move | Call, ...]
    check: Check | None
    tried: int
    where: str
    reverts: bool = False
    is_least: bool = False

    @property
    def is_told(self) -> bool:
        """Whether a test without Assay can show it: by a view, or by a call that reverts."""
        return self.check is not None or self.reverts

    @property
    def name(self) -> str:
        """What the contract does, in a few words."""
        return NAMES[self.rule]
