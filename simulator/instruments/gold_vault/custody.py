"""Shares of the vault: investors stake them, as the measured holder does.

The shares come out of the crowd's, which takes them back: by transfer, and by staking on the
same block, so that neither the vault nor the sum of stakes is changed by a trade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from simulator.chain import Call, Contract
from simulator.instruments.custody import QUOTE_DECIMALS, Custody, DeskAccount, Quote, Seat
from simulator.instruments.gold_vault.player import (
    REWARD_DECIMALS,
    ROUNDINGS_A_STEP,
    SMALLEST_BOOK_OUNCES,
)
from simulator.instruments.gold_vault.state import N_COHORTS, Action, Observed
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.units import USDC_DECIMALS, FloatArray, from_wei

ROOM_SHARES = 1e-3
"""Shares that the crowd keeps beyond what investors have of it."""


def crowd_shares(actions: FloatArray, first: float) -> FloatArray:
    """Return the shares of the model's crowd at the end of each step, shape (n_steps + 1,).

    `actions` are the columns of `Action` of one path.
    """
    joined, left = actions[:, Action.CROWD_STAKE_SHARES], actions[:, Action.CROWD_REDEEM_SHARES]
    shares: FloatArray = first + np.cumsum(joined - left)
    return shares


def recall_step(shares: FloatArray, wanted: FloatArray) -> int | None:
    """Return the first step on which the crowd has less than investors have of it.

    Before its withdrawals of a step investors still have what they had the day before. Both
    are of shape (n_steps + 1,).
    """
    before = np.concatenate([wanted[:1], wanted[:-1]])
    short = np.flatnonzero(shares < np.maximum(wanted, before) + ROOM_SHARES)
    return int(short[0]) if short.size else None


class VaultShares(Custody):
    """Shares that are staked while they are held, and the rewards they bring."""

    quote_decimals = QUOTE_DECIMALS
    n_views = 5

    def __init__(
        self,
        label: str,
        decimals: int,
        quote: Quote,
        actions: FloatArray,
        observed: FloatArray,
        metal_usd: FloatArray,
        per_unit: float,
        recalled: int | None,
    ) -> None:
        """Take one path's record, of the measured holder's `per_unit` shares.

        `recalled` is the step on which the crowd takes all shares back, if it does.
        """
        super().__init__(label, decimals, quote, (label, "gold_vault"))
        self._acts, self._seen, self._recalled = actions, observed, recalled
        self._last = actions.shape[0] - 1
        rewards = observed[:, Observed.REWARDS_EARNED] / per_unit
        self._rewards = np.diff(rewards, prepend=0.0)
        books = observed[:, [Observed.TOTAL_ASSETS, Observed.MARKET_ASSETS]]
        self._scale = max(float(books[:-1].min()), SMALLEST_BOOK_OUNCES)
        self._book = float(books.max())
        seized = actions[:, Action.LIQUIDATE : Action.LIQUIDATE + N_COHORTS].sum(axis=1)
        lost = np.cumsum(seized) * 10.0**-USDC_DECIMALS / np.minimum.accumulate(metal_usd)
        self._lost_gold = lost / self._scale

    def observables(self, account: DeskAccount) -> list[Observable]:
        """Return tokens, the gold that they would pay, and the rewards of the stake."""
        most = max(1.0, float(account.units.max()))
        unit = 10.0**-self.decimals / self._scale
        gold = (ROUNDINGS_A_STEP, most * unit, most * self._book / self._scale)
        rewards = (ROUNDINGS_A_STEP, 10.0**-REWARD_DECIMALS, 1.0)
        return [
            *super().observables(account),
            Observable(self.name(account, "gold"), *gold),
            Observable(self.name(account, "rewards"), *rewards),
        ]

    def deploy(self, stage: Stage, desk: Contract, seats: Sequence[Seat]) -> None:
        """List the shares; let the staking contract take investors' shares too."""
        super().deploy(stage, desk, seats)
        self._staking = stage.contract("staking_rewards", self.token)
        self._reward = stage.contract("reward_token", self.token)
        self._crowd = stage.accounts.of(self.token, "crowd")
        approve = ("approve", self._staking, UNLIMITED)
        stage.send(*(self._contract.call(*approve, sender=seat.address) for seat in seats))

    def _stock(self) -> list[Call]:
        return []

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the claims of rewards, and the recall of all shares."""
        calls = []
        if step == self._recalled:
            for seat in self.seats:
                calls += [(Phase.ARBITRAGE, call) for call in self._recall(seat)]
        if self._acts[step, Action.CLAIM] or step == self._last:
            claim = "getReward"
            calls += [
                (Phase.CLAIMS, self._staking.call(claim, sender=s.address)) for s in self.seats
            ]
        return calls

    def _recall(self, seat: Seat) -> list[Call]:
        """Hand an investor's shares back to the crowd, without a price."""
        wei, seat.balance = seat.balance, 0
        if wei == 0:
            return []
        crowd = self._crowd
        return [
            self._staking.call("withdraw", wei, sender=seat.address),
            self._contract.call("transfer", crowd, wei, sender=seat.address),
            self._staking.call("stake", wei, sender=crowd),
        ]

    def sale(self, seat: Seat, wei: int, trade: Call) -> list[Call]:
        """Take the shares out of the stake, sell them; the crowd stakes them again."""
        crowd, owner = self._crowd, self._stage.roles.owner
        return [
            self._staking.call("withdraw", wei, sender=seat.address),
            trade,
            self._desk.call("take_out", self._contract, crowd, wei, sender=owner),
            self._staking.call("stake", wei, sender=crowd),
        ]

    def purchase(self, seat: Seat, wei: int, trade: Call) -> list[Call]:
        """Stock the desk out of the crowd's stake, buy, and stake."""
        crowd = self._crowd
        return [
            self._staking.call("withdraw", wei, sender=crowd),
            self._contract.call("transfer", self._desk, wei, sender=crowd),
            trade,
            self._staking.call("stake", wei, sender=seat.address),
        ]

    def views(self, seat: Seat) -> list[Call]:
        """Return the reads: shares in wallet and stake, their gold, rewards paid and open."""
        return [
            *super().views(seat),
            self._staking.call("balanceOf", seat.address),
            self._contract.call("convertToAssets", seat.balance),
            self._reward.call("balanceOf", seat.address),
            self._staking.call("earned", seat.address),
        ]

    def read(self, seat: Seat, words: Sequence[int]) -> Mapping[str, float]:
        """Return an account's observables on chain."""
        in_wallet, staked, gold, paid, earned = words
        account = seat.account
        return {
            self.name(account, "tokens"): from_wei(in_wallet + staked, self.decimals),
            self.name(account, "gold"): from_wei(gold, self.decimals),
            self.name(account, "rewards"): from_wei(paid + earned, REWARD_DECIMALS),
        }

    def expected(self, account: DeskAccount, step: int) -> Mapping[str, float]:
        """Return the model's: rewards are those of the shares held overnight."""
        held = account.held(step)
        price = float(self._seen[step, Observed.SHARE_PRICE]) if held > 0.0 else 0.0
        overnight = account.units[:step] @ self._rewards[1 : step + 1]
        return {
            self.name(account, "tokens"): held,
            self.name(account, "gold"): held * price,
            self.name(account, "rewards"): float(overnight),
        }

    def extra_tolerance(self, account: DeskAccount, step: int) -> Mapping[str, float]:
        """Return what USDC's unit adds to a share's gold, as it does to the share price."""
        return {self.name(account, "gold"): account.held(step) * float(self._lost_gold[step])}
