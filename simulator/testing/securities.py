"""A security token in a test: who may hold it, what it pays, and a machine that deals with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hypothesis import strategies
from hypothesis.stateful import initialize, invariant, rule

from simulator.chain import Artifact, Call, Contract
from simulator.errors import TransactionReverted
from simulator.testing.machines import Machine
from simulator.trial.adapters import Adapter
from simulator.trial.moves import MILLION
from simulator.trial.stage import HOLDERS
from simulator.units import SECONDS_PER_DAY

_COUNTRY = 756
_FUNDS = 1_000
"""Whole tokens that each of the first holders begins with."""


def _view(name: str, inputs: Sequence[str], outputs: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": "", "type": kind} for kind in inputs],
        "outputs": [{"name": "", "type": kind} for kind in outputs],
    }


_REGISTRY = Artifact(
    name="registry",
    abi=(
        _view("isVerified", ("address",), ("bool",)),
        _view("registerIdentity", ("address", "address", "uint16"), ()),
        _view("deleteIdentity", ("address",), ()),
    ),
    bytecode=b"",
    deployed_size=0,
    source_hash="",
    compiler="",
)


class Security(Adapter):
    """A token of ERC-3643 that pays dividends as ERC-2222 does; say what differs of yours.

    `earn` pays a dividend of so many units of the stage's asset, `fund` creates tokens for a
    holder, by the owner. What is paid is taken out by each holder himself.

    Attributes
    ----------
    is_for_eligible_senders : bool
        Whether who is no longer eligible must not even sell; ERC-3643 lets him.

    References
    ----------
    https://eips.ethereum.org/EIPS/eip-3643, https://github.com/ethereum/EIPs/issues/2222
    """

    is_for_eligible_senders = False

    @property
    def registry(self) -> Contract:
        """The registry of identities, which the token names."""
        return Contract(_REGISTRY, str(self.stage.read("identityRegistry")))

    def is_eligible(self, who: str) -> bool:
        """Return whether an account may get tokens."""
        return bool(self.stage.ask(self.registry, "isVerified", who))

    def admit(self, who: str) -> Sequence[Call]:
        """Return the calls by which an account becomes eligible: as an identity of its own."""
        owner = self.stage.roles.owner
        return [self.registry.call("registerIdentity", who, who, _COUNTRY, sender=owner)]

    def expel(self, who: str) -> Sequence[Call]:
        """Return the calls by which it is so no longer."""
        return [self.registry.call("deleteIdentity", who, sender=self.stage.roles.owner)]

    def earn(self, amount: int) -> Sequence[Call]:
        """Hand a dividend over, and let the token see that it has come."""
        contract = self.stage.contract
        seen = contract.call("updateFundsReceived", sender=self.stage.roles.owner)
        return [self.stage.minted(contract.address, amount), seen]

    def claimable(self, who: str) -> int:
        """Return what an account could take out now, in the smallest unit of the asset."""
        return int(self.stage.read("withdrawableFundsOf", who))

    def claim(self, who: str) -> Sequence[Call]:
        """Return the calls by which it does."""
        return [self.stage.contract.call("withdrawFunds", sender=who)]


class StoMachine(Machine):
    """A security token whose holders come, trade, are paid, and lose their eligibility.

    `contract`, `adapter` and `arguments` are as a `VaultMachine`'s; the adapter is a `Security`.
    After every act: nobody who is not eligible has got tokens, and no tokens were made or lost;
    dividends taken out and still claimable are at most those paid in; and what somebody can claim
    has fallen for nobody but by his own claim, which paid as much.

    Override `may_refuse` for rules of one's own, as a lock-up.
    """

    is_a: ClassVar[Any] = "token"
    adapter: ClassVar[Any] = Security

    @initialize()
    def begin(self) -> None:
        """Let the first three be holders; the intruder is not eligible."""
        self.security: Any = self.stage.adapter
        self.people = [getattr(self.stage.roles, role) for role in HOLDERS]
        self.paid_in = self.paid_out = 0
        for who in self.people[:-1]:
            self.stage.send(self.stage.told("admit", who))
            self.stage.send(self.stage.told("fund", who, _FUNDS * self._whole()))
        self._claims = self.claims()
        self._balances = self.balances()

    def may_refuse(self, owner: str, to: str, amount: int) -> bool:
        """Return whether a transfer between eligible accounts may be refused all the same."""
        return False

    def claims(self) -> dict[str, int]:
        """Return what each can claim."""
        return {one: self.stage.number_from("claimable", one) for one in self.people}

    def balances(self) -> dict[str, int]:
        """Return what each holds."""
        return {one: int(self.stage.read("balanceOf", one)) for one in self.people}

    def _whole(self) -> int:
        decimals: int = self.stage.read("decimals")
        return int(10**decimals)

    # -- acts ------------------------------------------------------------------------------------

    @rule(
        owner=strategies.sampled_from(HOLDERS),
        to=strategies.sampled_from(HOLDERS),
        part=strategies.integers(1, MILLION),
        by_another=strategies.booleans(),
    )
    def transfer(self, owner: str, to: str, part: int, by_another: bool) -> None:
        """Hand a part of somebody's tokens to somebody, by himself or with an allowance."""
        seller, buyer = getattr(self.stage.roles, owner), getattr(self.stage.roles, to)
        amount = self._balances[seller] * part // MILLION
        if not amount:
            return
        moved = self._agreed(self._transfers(seller, buyer, amount, by_another))
        to_eligible = bool(self.security.is_eligible(buyer))
        from_eligible = bool(self.security.is_eligible(seller))
        assert to_eligible or not moved, f"{to} is not eligible and gets {amount:,} of {owner}'s"
        if self.security.is_for_eligible_senders:
            assert from_eligible or not moved, f"{owner} is not eligible and hands on {amount:,}"
        must = to_eligible and from_eligible and not self.may_refuse(seller, buyer, amount)
        assert moved or not must, f"{owner} and {to} are eligible, and {amount:,} do not move"
        if moved:
            self._balances[seller] -= amount
            self._balances[buyer] += amount

    def _transfers(self, owner: str, to: str, amount: int, by_another: bool) -> list[Call]:
        token, spender = self.stage.contract, self.stage.roles.keeper
        if not by_another:
            return [token.call("transfer", to, amount, sender=owner)]
        return [
            token.call("approve", spender, amount, sender=owner),
            token.call("transferFrom", owner, to, amount, sender=spender),
        ]

    def _agreed(self, calls: Sequence[Call]) -> bool:
        """Send calls; return whether the last was agreed to: no revert, and no answer of False."""
        *before, last = calls
        try:
            self.stage.send(before)
            answer = self.stage.chain.view_one(last)
            self.stage.send([last])
        except TransactionReverted:
            return False
        return bool(int.from_bytes(answer[:32] or b"\1", "big"))

    @rule(units=strategies.integers(1, 10**6))
    def pay(self, units: int) -> None:
        """Pay a dividend."""
        amount = units * self.stage.unit
        try:
            self.stage.send(self.stage.told("earn", amount))
        except TransactionReverted as error:
            raise self.stage.refused("earn", error) from None
        self.paid_in += amount
        self.hold()

    @rule(days=strategies.integers(1, 120))
    def wait(self, days: int) -> None:
        """Let time pass."""
        self.stage.wait(days * SECONDS_PER_DAY)

    @rule(who=strategies.sampled_from(HOLDERS))
    def claim(self, who: str) -> None:
        """Let somebody take out what he can."""
        self.hold()
        account = getattr(self.stage.roles, who)
        told, had = self._claims[account], self.stage.held(account)
        agreed = self._agreed(self.stage.told("claim", account))
        assert agreed or not told, f"{who} can claim {told:,}, and the claim is refused"
        got = self.stage.held(account) - had
        self.paid_out += got
        assert got == told, f"{who} could claim {told:,} and is paid {got:,}"
        left = self.stage.number_from("claimable", account)
        assert not left, f"{who} has claimed {got:,} and can claim {left:,} again"
        self._claims[account] = 0

    @rule(who=strategies.sampled_from(HOLDERS))
    def change(self, who: str) -> None:
        """Take somebody's eligibility, or give it."""
        account = getattr(self.stage.roles, who)
        what = "expel" if self.security.is_eligible(account) else "admit"
        self.stage.send(self.stage.told(what, account))
        now = bool(self.security.is_eligible(account))
        assert now is (what == "admit"), f"{who}: {what} changes nothing"

    # -- what always holds ---------------------------------------------------------------------

    @invariant()
    def hold(self) -> None:
        """Look at balances and claims.

        Raises
        ------
        AssertionError
            A rule does not hold: says which, and its figures.
        """
        if not hasattr(self, "_claims"):
            return
        found = self.balances()
        assert found == self._balances, f"balances are {found}, must be {self._balances}"
        claims = self.claims()
        for one, before in self._claims.items():
            name, fell = self.stage.names[one], before - claims[one]
            assert fell <= 0, f"{name} could claim {before:,}, and can claim {fell:,} less"
        self._claims = claims
        owed = sum(claims.values()) + self.paid_out
        assert owed <= self.paid_in, (
            f"{owed:,} are paid or claimable, {self.paid_in:,} were paid in"
        )
