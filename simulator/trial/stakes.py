"""Watches a contract that pays rewards for stakes: after every move all rules are looked at.

Amounts are whole numbers of the smallest unit. All that is divided must round down, so that no
comparison of what is paid with what came in allows anything.

References
----------
Synthetix' StakingRewards, https://github.com/Synthetixio/synthetix, `contracts/StakingRewards.sol`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.chain import Call
from simulator.errors import TransactionReverted
from simulator.trial.faults import Breach, Check
from simulator.trial.moves import Move, calls_of
from simulator.trial.stage import TrialStage

_FIRST = (
    "before-stake",
    "accrued",
    "paid-as-earned",
    "stake",
    "over-paid",
    "shares-alike",
)
"""Which of several breaches of one move is told: the one that says most of its cause."""
_FINENESS = 10**18
"""Rewards of one unit of stake are kept in so many parts, at least: what a holder may lack is his
stake over it."""


@dataclass
class Seen:
    """A state: stakes, purses and rewards by address; and the whole.

    `got` are rewards in the holders' hands, `kept` those in the contract's.
    """

    stake: dict[str, int]
    purse: dict[str, int]
    earned: dict[str, int]
    got: dict[str, int]
    total: int
    kept: int


class StakeWatch:
    """Plays moves on a stage and tells the first breach; as `Watch`, of another kind.

    Whether everybody can leave, and whether a stake for a moment pays, is tried on one move of
    `probes_every`; all is undone.
    """

    def __init__(self, stage: TrialStage, probes_every: int = 3) -> None:
        self.stage, self.moves, self.done = stage, list[Move](), Counter[str]()
        self._probes_every = probes_every
        self._holders = stage.holders()
        contract = stage.contract
        self._views = [
            *(contract.call("balanceOf", one) for one in self._holders),
            *(stage.asset.call("balanceOf", one) for one in self._holders),
            *(contract.call("earned", one) for one in self._holders),
            *(stage.reward.call("balanceOf", one) for one in self._holders),
            contract.call("totalSupply"),
            stage.reward.call("balanceOf", contract),
        ]
        self._seen = self.look()
        # What a contract on a node holds already may be owed already.
        self._came_in = self._rewards_kept()
        self._paid = 0

    def look(self) -> Seen:
        """Return the present state."""
        words, n = self.stage.words(self._views), len(self._holders)
        parts = [words[k * n : (k + 1) * n] for k in range(4)]
        stake, purse, earned, got = (dict(zip(self._holders, part, strict=True)) for part in parts)
        return Seen(stake, purse, earned, got, *words[4 * n :])

    def play(self, move: Move) -> Breach | None:
        """Play one move; return the first rule that does not hold then."""
        self.moves.append(move)
        try:
            found = self._play(move)
            return min(found, key=lambda breach: _FIRST.index(breach.rule), default=None)
        except TransactionReverted as error:
            return Breach("views", f"a view reverts: {error}")

    def _play(self, move: Move) -> list[Breach]:
        before = self._seen
        if move.what == "wait":
            self.stage.wait(move.amount)
            self._seen = self.look()
            return [*self._fallen(move, before), *self._alike(before), *self._whole()]
        calls = calls_of(self.stage, move)
        if not calls:
            return []
        error = self._error_of(calls)
        self._seen = self.look()
        if move.what == "earn":
            self._came_in += self._seen.kept - before.kept
        if error is not None:
            return list(self._refused(move, calls[-1].sender, error, before))
        self.done[move.what] += 1
        found = [*self._after(move, calls[-1], before), *self._whole()]
        if len(self.moves) % self._probes_every == 0:
            found += [*self._flash(), *self._leaving()]
        return found

    def _error_of(self, calls: list[Call]) -> TransactionReverted | None:
        try:
            self.stage.send(calls)
        except TransactionReverted as error:
            return error
        return None

    def _refused(
        self, move: Move, who: str, error: TransactionReverted, before: Seen
    ) -> Iterator[Breach]:
        """Yield where a way out is refused; a stake and a notice of rewards may be."""
        said = f"a {move.what} reverts: {error.reason}"
        if move.what == "unstake":
            yield Breach("stake", said, reverts=True)
        if move.what == "claim" and before.earned[who]:
            yield Breach("paid-as-earned", said, reverts=True)

    # -- after a move ------------------------------------------------------------------------

    def _after(self, move: Move, call: Call, before: Seen) -> Iterator[Breach]:
        now, who = self._seen, call.sender
        if move.what == "claim":
            yield from self._claimed(who, before)
        if move.what in ("stake", "unstake"):
            yield from self._moved(move, who, before)
        if move.what == "stake" and now.earned[who] > before.earned[who]:
            more = now.earned[who] - before.earned[who]
            said = f"{self.stage.names[who]} has earned {more:,} more the moment he stakes"
            yield Breach("before-stake", said, self._earned_check(who, most=before.earned[who]))
        yield from self._fallen(move, before, but=who if move.what == "claim" else "")

    def _fallen(self, move: Move, before: Seen, but: str = "") -> Iterator[Breach]:
        """Yield whose earned rewards have fallen."""
        for one in self._holders:
            fell = before.earned[one] - self._seen.earned[one]
            if fell > 0 and one != but:
                act = f"{move.who}'s {move.what}" if move.who else f"a {move.what}"
                said = f"{self.stage.names[one]} has earned {fell:,} less after {act}"
                yield Breach("accrued", said, self._earned_check(one, least=before.earned[one]))

    def _claimed(self, who: str, before: Seen) -> Iterator[Breach]:
        now = self._seen
        told, paid = before.earned[who], now.got[who] - before.got[who]
        self._paid += paid
        if paid != told:
            said = f"a claim pays {paid:,}, earned were {told:,}"
            view, right = self.stage.reward.call("balanceOf", who), before.got[who] + told
            yield Breach("paid-as-earned", said, Check(view, least=right, most=right))
        elif now.earned[who]:
            said = f"after a claim of {paid:,} still {now.earned[who]:,} are earned"
            yield Breach("paid-as-earned", said, self._earned_check(who, most=0))

    def _moved(self, move: Move, who: str, before: Seen) -> Iterator[Breach]:
        """Yield where the stake that is booked, or what is given back, is not what it must be."""
        now = self._seen
        spent = before.purse[who] - now.purse[who]
        booked = now.stake[who] - before.stake[who]
        if booked != spent:
            verb = "takes" if move.what == "stake" else "gives"
            said = f"a {move.what} {verb} {abs(spent):,} and books {abs(booked):,}"
            view, right = self.stage.contract.call("balanceOf", who), before.stake[who] + spent
            yield Breach("stake", said, Check(view, least=right, most=right))

    def _alike(self, before: Seen) -> Iterator[Breach]:
        """Yield who has earned more in a time than his part of all stakes of it."""
        if not getattr(self.stage.adapter, "is_pro_rata", True):
            return
        gained = {one: self._seen.earned[one] - before.earned[one] for one in self._holders}
        stakes, gains = sum(before.stake.values()), sum(gained.values())
        for one, stake in before.stake.items():
            # All but he may lack a unit and what their stakes lose by fineness.
            slack = len(self._holders) + (stakes + stake) // _FINENESS + 1
            most = gains * stake // stakes + slack if stakes else 0
            if gained[one] > most:
                said = f"{self.stage.names[one]} earns {gained[one]:,} with {stake:,} of {stakes:,}"
                said += f" staked, while all earn {gains:,}"
                check = self._earned_check(one, most=before.earned[one] + most)
                yield Breach("shares-alike", said, check)

    def _whole(self) -> Iterator[Breach]:
        """Yield where more is paid and owed than came in, or more is owed than is there."""
        now = self._seen
        owed = sum(now.earned.values())
        there = min(self._came_in - self._paid, self._rewards_kept())
        if owed > there:
            said = f"{owed:,} are earned and not paid, {max(there, 0):,} of what came in are left"
            most = max(self._seen.earned, key=lambda one: self._seen.earned[one])
            others = owed - now.earned[most]
            yield Breach("over-paid", said, self._earned_check(most, most=max(there - others, 0)))

    def _rewards_kept(self) -> int:
        """Return the rewards in the contract's hands, without stakes of the same token."""
        same = self.stage.reward.address == self.stage.asset.address
        return self._seen.kept - (self._seen.total if same else 0)

    def _earned_check(self, who: str, least: int = 0, most: int = 2**255 - 1) -> Check:
        return Check(self.stage.contract.call("earned", who), least=least, most=most)

    # -- probes --------------------------------------------------------------------------------

    def _leaving(self) -> Iterator[Breach]:
        """Yield who cannot take back all his stake and claim all he has earned, one by one."""
        stage, here, done = self.stage, self.stage.chain.snapshot(), list[Call]()
        for rule, call in self._ways_out():
            done.append(call)
            if error := self._error_of([call]):
                said = f"{call.label} by {stage.names[call.sender]} reverts where all leave: "
                yield Breach(rule, said + error.reason, after=tuple(done), reverts=True)
                break
        stage.chain.revert(here)

    def _ways_out(self) -> Iterator[tuple[str, Call]]:
        contract = self.stage.contract
        for one in self._holders:
            if one == self.stage.visitor.address:
                continue
            if amount := self._seen.stake[one]:
                yield "stake", contract.call("withdraw", amount, sender=one)
            if self._seen.earned[one]:
                yield "paid-as-earned", contract.call("getReward", sender=one)

    def _flash(self) -> Iterator[Breach]:
        """Yield a gain by a stake that is taken back in the same block; all is undone."""
        stage, who = self.stage, self.stage.roles.intruder
        here, before = stage.chain.snapshot(), self._seen
        calls = [
            stage.contract.call("stake", 50_000 * stage.unit, sender=who),
            stage.contract.call("withdraw", 50_000 * stage.unit, sender=who),
            stage.contract.call("getReward", sender=who),
        ]
        try:
            stage.send(calls)
            got = int(stage.words([stage.reward.call("balanceOf", who)])[0])
        except TransactionReverted:
            got = 0
        stage.chain.revert(here)
        most = before.got[who] + before.earned[who]
        if got > most:
            said = f"a stake for a moment brings {got - most:,}"
            view = stage.reward.call("balanceOf", who)
            yield Breach("before-stake", said, Check(view, most=most), tuple(calls))
