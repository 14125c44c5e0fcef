"""A stage for the price cover: dollars, a copper feed, the pool, and its actors.

Days count from the stage's first midnight, prices are whole dollars a tonne, amounts whole
dollars or tonnes; what the contract takes and gives is converted here.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from types import SimpleNamespace
from typing import Any

from props import DAY, DOLLAR, deploy

from simulator.chain import Artifact, Chain, Contract, Receipt, load_artifact
from simulator.units import WAD

UNLIMITED = 2**256 - 1
FEED_UNIT = 10**8
POLICY = (
    "holder",
    "amount",
    "strike",
    "sum_insured",
    "premium_per_day",
    "bought_at",
    "start",
    "expiry",
    "is_triggered",
    "is_closed",
)
"""The contract's `Policy`, in its order."""
SPOT = 10_000
"""Price of a tonne at the start, USD."""


@dataclass(frozen=True)
class CoverTerms:
    """The contract's `Terms`, in their order."""

    leverage: int = WAD
    max_strike_share: int = WAD
    trigger_share: int = 95 * WAD // 100
    min_sum_insured: int = 1_000 * DOLLAR
    min_term_days: int = 7
    max_term_days: int = 365
    lag_days: int = 0
    window_seconds: int = DAY
    feed_max_age: int = 5 * DAY
    cooldown_seconds: int = 7 * DAY
    claim_window_seconds: int = 2 * DAY
    premium_floor: int = 2 * WAD // 100
    premium_slope: int = 8 * WAD // 100
    premium_ceiling: int = 10 * WAD // 100


@dataclass
class CoverStage:
    """Everything deployed; the underwriter has put in `pool_usd`, on day 0."""

    chain: Chain
    roles: SimpleNamespace
    terms: CoverTerms = field(default_factory=CoverTerms)
    pool_usd: int = 2_000_000
    artifact: Artifact | None = None
    reader: Artifact | None = None
    """What replaces the packaged pool and reader: how tests break them."""

    def __post_init__(self) -> None:
        chain, roles = self.chain, self.roles
        self.usdc = deploy(chain, "usdc", sender=roles.owner)
        self.feed = deploy(chain, "price_feed", 8, "Copper / USD", roles.keeper, sender=roles.owner)
        reader = self.reader or load_artifact("feed_reader")
        self.feed_reader = chain.deploy(reader, (), sender=roles.owner)
        self.pool = self.deploy_pool(self.usdc, self.feed)
        self.rounds = 0
        self.midnight = (chain.timestamp() // DAY + 1) * DAY
        self.send(self.usdc, "configureMinter", roles.owner, UNLIMITED, by=roles.owner)
        for who in (roles.underwriter, roles.depositor, roles.mine_operator, roles.trader):
            self.send(self.usdc, "mint", who, 10**9 * DOLLAR, by=roles.owner)
            self.send(self.usdc, "approve", self.pool.address, UNLIMITED, by=who)
        self.price(SPOT, day=0)
        if self.pool_usd:
            self.deposit(self.pool_usd)

    def deploy_pool(
        self, asset: Contract, feed: Contract, terms: CoverTerms | None = None
    ) -> Contract:
        """Deploy a pool of an asset on a feed, the guardian its owner."""
        args = ("Copper Cover", "cCOV", asset, feed, self.feed_reader, self.roles.guardian)
        found = self.artifact or load_artifact("price_cover")
        packed = astuple(terms or self.terms)
        return self.chain.deploy(found, (*args, packed), sender=self.roles.owner)

    # -- acts ----------------------------------------------------------------------

    def send(self, contract: Any, function: str, *args: object, by: str) -> Receipt:
        return self.chain.block(
            self.chain.timestamp(), [contract.call(function, *args, sender=by)]
        )[0]

    def act(self, function: str, *args: object, by: str) -> Receipt:
        """Call the pool at the present time."""
        return self.send(self.pool, function, *args, by=by)

    def go(self, day: float) -> None:
        """Go to a day, or to a part of it."""
        self.chain.block(self.at(day), [])

    def at(self, day: float) -> int:
        return self.midnight + round(day * DAY)

    def price(self, usd: float, *, day: float | None = None) -> int:
        """Post a round, on `day` or now; return its id."""
        if day is not None:
            self.go(day)
        self.send(self.feed, "update_answer", round(usd * FEED_UNIT), by=self.roles.keeper)
        self.rounds += 1
        return self.rounds

    def deposit(self, usd: int, by: str | None = None) -> int:
        who = by or self.roles.underwriter
        before = self.read("balanceOf", who)
        self.act("deposit", usd * DOLLAR, who, by=who)
        return self.read("balanceOf", who) - before

    def buy(
        self, tonnes: int = 100, strike: float = 9_000, days: int = 30, by: str | None = None
    ) -> int:
        """Buy a cover and return its number."""
        who = by or self.roles.mine_operator
        self.act("buy_cover", *self.cover(tonnes, strike, days), UNLIMITED, by=who)
        return self.read("policy_count")

    @staticmethod
    def cover(tonnes: int, strike: float, days: int) -> tuple[int, int, int]:
        """Return the arguments of a quote."""
        return tonnes * WAD, round(strike * FEED_UNIT) * 10**10, days

    def fix(self, day: float, last_round: int | None = None) -> Receipt:
        """Fix the settlement of the policies that end on `day`, at the present time."""
        last = self.rounds if last_round is None else last_round
        return self.act("fix_settlement", self.at(day), last, by=self.roles.stranger)

    # -- reads ---------------------------------------------------------------------

    def read(self, view: str, *args: object) -> Any:
        return self.pool.read(self.chain, view, *args)

    def dollars(self, who: str) -> int:
        """Return the dollars of an account, in the token's unit."""
        return self.usdc.read(self.chain, "balanceOf", who)

    def policy(self, policy_id: int) -> SimpleNamespace:
        return SimpleNamespace(**dict(zip(POLICY, self.read("policies", policy_id), strict=True)))

    def check_books(self) -> None:
        """Assert that every unit is the underwriters', not yet earned, or set aside."""
        held = self.dollars(self.pool.address)
        parts = [self.read(name) for name in ("totalAssets", "unearned_premium", "set_aside")]
        assert held == sum(parts)
        assert self.read("locked") <= self.read("capacity")
