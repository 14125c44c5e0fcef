"""Each rounding of the tokens, the desk and the staking, at a value where its direction shows.

`usdc`, `reward_token` and `price_feed` do not divide: a transfer moves what it says, a round
is stored as it was written. `modules/feed.vy` and the reserve gate of `gold_token` only
multiply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from props import DAY, deploy, send

from simulator.chain import ZERO_ADDRESS, Artifact, Chain, Contract, load_artifact
from simulator.chain.compile import compile_patched

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
UNLIMITED = 2**256 - 1
WAD = 10**18
STAKING_RATE = 10**18
STAKING_PER_TOKEN = 10**36

Figures = dict[str, int]
Stage = Callable[[Chain, SimpleNamespace, Artifact], Figures]


def plain(*args: object) -> list[object]:
    return [getattr(arg, "address", arg) for arg in args]


# -- gold_token


def token_of(chain: Chain, roles: SimpleNamespace, artifact: Artifact) -> Contract:
    """A gold token with 18 decimals, of which the owner holds 1e6 wei."""
    reserve = deploy(chain, "price_feed", 8, "Reserve", roles.keeper, sender=roles.owner)
    send(chain, reserve, "update_answer", 10**8, sender=roles.keeper)
    args = plain("Gold", "GOLD", 18, reserve, DAY)
    token = chain.deploy(artifact, args, sender=roles.owner)
    send(chain, token, "increaseSupply", 10**6, sender=roles.owner)
    return token


def gold_figures(chain: Chain, roles: SimpleNamespace, artifact: Artifact) -> Figures:
    """Transfer 9,999 wei at 200 millionths: the fee is 1.9998 wei."""
    token = token_of(chain, roles, artifact)
    send(chain, token, "setFeeRecipient", roles.treasury, sender=roles.owner)
    send(chain, token, "setFeeRate", 200, sender=roles.owner)
    quoted = token.read(chain, "getFeeFor", 9_999)
    send(chain, token, "transfer", roles.trader, 9_999, sender=roles.owner)
    return {
        "fee quoted": quoted,
        "fee taken": token.read(chain, "balanceOf", roles.treasury),
        "received": token.read(chain, "balanceOf", roles.trader),
    }


GOLD = {"fee quoted": 1, "fee taken": 1, "received": 9_998}
"""Down, in favour of the sender: as PAXG's own formula."""


# -- staking_rewards


def farm_of(
    chain: Chain, roles: SimpleNamespace, artifact: Artifact, reward: int, duration: int
) -> Contract:
    """A farm in which both stakers may stake and `reward` wei can be notified."""
    token = deploy(chain, "reward_token", "Token", "TKN", sender=roles.owner)
    share = deploy(chain, "reward_token", "Share", "SHR", sender=roles.owner)
    args = plain(roles.owner, roles.owner, token, share, duration)
    farm = chain.deploy(artifact, args, sender=roles.owner)
    for staker in (roles.staker, roles.second_staker):
        send(chain, share, "mint", staker, 100, sender=roles.owner)
        send(chain, share, "approve", farm.address, 100, sender=staker)
    send(chain, token, "mint", farm.address, reward, sender=roles.owner)
    return farm


def notify(chain: Chain, farm: Contract, roles: SimpleNamespace, reward: int) -> int:
    return send(chain, farm, "notifyRewardAmount", reward, sender=roles.owner).timestamp


def rate_figures(chain: Chain, roles: SimpleNamespace, artifact: Artifact) -> Figures:
    """Stream 2 wei over 3 seconds while nobody stakes: 2/3 wei a second."""
    farm = farm_of(chain, roles, artifact, 2, 3)
    start = notify(chain, farm, roles, 2)
    chain.block(start + 1, [])
    return {
        "rate": farm.read(chain, "rewardRate"),
        "for the duration": farm.read(chain, "getRewardForDuration"),
        "carried": farm.read(chain, "carried"),
    }


RATE = {"rate": 2 * STAKING_RATE // 3, "for the duration": 1, "carried": 0}
"""666...666 a second, so 1.99...98 wei in 3 seconds and 0.66...66 in one: all rounded down."""


def earned_figures(chain: Chain, roles: SimpleNamespace, artifact: Artifact) -> Figures:
    """Stream 1 wei a second for 10 seconds to stakes of 1 and 2 wei; read after 1 second.

    Per wei of stake 1/3 of a wei, for the stakes 1/3 and 2/3 of one.
    """
    farm = farm_of(chain, roles, artifact, 10, 10)
    send(chain, farm, "stake", 1, sender=roles.staker)
    send(chain, farm, "stake", 2, sender=roles.second_staker)
    start = notify(chain, farm, roles, 10)
    chain.block(start + 1, [])
    return {
        "per token": farm.read(chain, "rewardPerToken"),
        "of 1 of 3": farm.read(chain, "earned", roles.staker),
        "of 2 of 3": farm.read(chain, "earned", roles.second_staker),
    }


EARNED = {"per token": STAKING_PER_TOKEN // 3, "of 1 of 3": 0, "of 2 of 3": 0}
"""Down, so that claims stay below what flowed: up, the two would claim 2 wei of the 1."""


# -- desk


@dataclass
class Desk:
    """A desk with gold at 1 dollar and one unit of 1e-18, and a spread of 25 bp.

    `coin_usd` is what the desk's feed says of USDC; without it a USDC is a dollar.
    """

    chain: Chain
    roles: SimpleNamespace
    artifact: Artifact
    coin_usd: float | None = None

    def __post_init__(self) -> None:
        chain, roles = self.chain, self.roles
        price = self._feed(18, WAD + 1)
        coin = self._feed(8, round(self.coin_usd * 10**8)) if self.coin_usd else ZERO_ADDRESS
        self.usdc = deploy(chain, "usdc", sender=roles.owner)
        self.gold = token_of(chain, roles, load_artifact("gold_token"))
        args = plain(self.usdc, roles.keeper, DAY, coin)
        self.desk = chain.deploy(self.artifact, args, sender=roles.owner)
        send(chain, self.desk, "list_token", *plain(self.gold, price), 25, sender=roles.owner)
        send(chain, self.usdc, "configureMinter", roles.owner, 10**9, sender=roles.owner)
        for holder in (roles.trader, self.desk.address):
            send(chain, self.usdc, "mint", holder, 10**6, sender=roles.owner)
            send(chain, self.gold, "transfer", holder, 10**3, sender=roles.owner)
        for token in (self.usdc, self.gold):
            send(chain, token, "approve", self.desk.address, UNLIMITED, sender=roles.trader)

    def _feed(self, decimals: int, answer: int) -> Contract:
        args = (decimals, "feed", self.roles.keeper)
        feed = deploy(self.chain, "price_feed", *args, sender=self.roles.owner)
        send(self.chain, feed, "update_answer", answer, sender=self.roles.keeper)
        return feed

    def quote(self, side: str, amount: int) -> int:
        return int(self.desk.read(self.chain, f"quote_{side}", self.gold.address, amount))

    def trade(self, side: str, limit: int) -> int:
        """Trade a wei of gold; return the USDC that the trader has more, or less."""
        before = self.dollars()
        call = (side, self.gold.address, 1, limit)
        send(self.chain, self.desk, *call, sender=self.roles.trader)
        return self.dollars() - before

    def dollars(self) -> int:
        return int(self.usdc.read(self.chain, "balanceOf", self.roles.trader))

    def figures(self) -> Figures:
        """Quote 1e30 wei, whose value in USDC is the price's 18 decimals; trade a wei."""
        return {
            "ask": self.quote("buy", 10**30),
            "bid": self.quote("sell", 10**30),
            "a wei's cost quoted": self.quote("buy", 1),
            "a wei's proceeds quoted": self.quote("sell", 1),
            "a wei bought": self.trade("buy", UNLIMITED),
            "a wei sold": self.trade("sell", 0),
        }


def desk_figures(chain: Chain, roles: SimpleNamespace, artifact: Artifact) -> Figures:
    return Desk(chain, roles, artifact).figures()


def coin_figures(chain: Chain, roles: SimpleNamespace, artifact: Artifact) -> Figures:
    return Desk(chain, roles, artifact, coin_usd=1.1).figures()


A_WEI = {
    "a wei's cost quoted": 1,
    "a wei's proceeds quoted": 0,
    "a wei bought": -1,
    "a wei sold": 0,
}
"""Worth 1e-12 of a unit of USDC: one is paid and none is got."""

DESK = {"ask": 1_002_500_000_000_000_002, "bid": 997_500_000_000_000_000, **A_WEI}
"""1e18 + 1 times 1.0025 is 1.0025e18 + 1.0025, up; times 0.9975 it is 0.9975e18 + 0.9975, down."""

COIN = {"ask": 911_363_636_363_636_366, "bid": 906_818_181_818_181_818, **A_WEI}
"""The same over 1.1: 911,363,636,363,636,365.45 up and 906,818,181,818,181,818.18 down."""


@dataclass(frozen=True)
class Case:
    """A contract, what is played on it, and what must be seen."""

    contract: str
    stage: Stage
    expected: Figures


CASES = {
    "gold": Case("gold_token", gold_figures, GOLD),
    "rate": Case("staking_rewards", rate_figures, RATE),
    "earned": Case("staking_rewards", earned_figures, EARNED),
    "desk": Case("desk", desk_figures, DESK),
    "coin": Case("desk", coin_figures, COIN),
}


@dataclass(frozen=True)
class Fault:
    """A rounding turned round, and the figure that then is another."""

    case: str
    figure: str
    old: str
    new: str


def up(numerator: str, denominator: str) -> tuple[str, str]:
    """Return a division of the source as it is and rounded up."""
    return (
        f"{numerator} // {denominator}",
        f"({numerator} + {denominator} - 1) // {denominator}",
    )


FAULTS = [
    Fault("gold", "fee quoted", *up("amount * self.feeRate", "feeParts")),
    Fault("gold", "fee taken", *up("amount * self.feeRate", "feeParts")),
    Fault("rate", "rate", *up("pot", "self.rewardsDuration")),
    Fault("rate", "for the duration", *up("self.rewardRate * self.rewardsDuration", "_RATE_SCALE")),
    Fault(
        "rate",
        "carried",
        *up("(self._carried_scaled + self._flowed_to_nobody())", "_RATE_SCALE"),
    ),
    Fault("earned", "per token", *up("flowed", "self.totalSupply")),
    Fault("earned", "of 1 of 3", *up("self.balanceOf[account] * since", "_PER_TOKEN_SCALE")),
    Fault("desk", "ask", "_BPS + listing.spread_bps, _BPS, True", "_BPS + 25, _BPS, False"),
    Fault("desk", "bid", "_BPS - listing.spread_bps, _BPS, False", "_BPS - 25, _BPS, True"),
    Fault(
        "desk",
        "a wei's cost quoted",
        "amount, self._ask(token), True",
        "amount, self._ask(token), False",
    ),
    Fault(
        "desk",
        "a wei's proceeds quoted",
        "amount, self._bid(token), False",
        "amount, self._bid(token), True",
    ),
    Fault("desk", "a wei bought", "token, amount, price, True", "token, amount, price, False"),
    Fault("desk", "a wei sold", "token, received, price, False", "token, received, price, True"),
    *(
        Fault(case, figure, f"{divisor}, round_up)", f"{divisor}, {turned})")
        for case, divisor in (("desk", "unit * _USDC_SCALE"), ("coin", "unit * usdc_price"))
        for figure, turned in (("a wei bought", "False"), ("a wei sold", "True"))
    ),
    Fault("coin", "ask", "unit * usdc_price, round_up)", "unit * usdc_price, False)"),
    Fault("coin", "bid", "unit * usdc_price, round_up)", "unit * usdc_price, True)"),
]


@cache
def broken(contract: str, old: str, new: str) -> Artifact:
    return compile_patched(CONTRACTS / f"{contract}.vy", (f"{contract}.vy", old, new))


@pytest.mark.parametrize("name", CASES)
def test_roundings__go_against_the_caller_or_as_the_real_token_has_them(
    name: str, revm: Chain, roles: SimpleNamespace
) -> None:
    case = CASES[name]
    assert case.stage(revm, roles, load_artifact(case.contract)) == case.expected


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.case}: {fault.figure}")
def test_rounding_turned_round__is_found_out(
    fault: Fault, revm: Chain, roles: SimpleNamespace
) -> None:
    case = CASES[fault.case]
    turned = broken(case.contract, fault.old, fault.new)
    found = case.stage(revm, roles, turned)[fault.figure]
    assert abs(found - case.expected[fault.figure]) == 1
