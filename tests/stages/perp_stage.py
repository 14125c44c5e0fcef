"""A stage for the perpetual: dollars, two feeds, the index, the market, and its actors.

Prices of the metal are dollars, and its base is 100: a price of 90 is an index of 0.9. Amounts
are whole dollars, sizes whole units of the index; what the contract takes and gives is converted
here.
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
BASE = 100
TRADERS = ("trader", "borrower", "second_borrower")
PROVIDERS = ("depositor", "second_depositor")


@dataclass(frozen=True)
class PerpTerms:
    """The contract's `Terms`, in their order."""

    initial_margin: int = WAD // 10
    maintenance_margin: int = 2 * WAD // 100
    liquidation_penalty: int = WAD // 100
    keeper_fee: int = 2 * DOLLAR
    maker_fee: int = WAD // 1_000
    taker_fee: int = 2 * WAD // 1_000
    insurance_share: int = WAD // 10
    protocol_share: int = 2 * WAD // 10
    max_open_interest: int = 2 * WAD
    max_profit: int = 8 * WAD // 10
    adl_trigger: int = 7 * WAD // 10
    adl_target: int = 6 * WAD // 10
    min_notional: int = 200 * DOLLAR
    cooldown_seconds: int = 7 * DAY
    claim_window_seconds: int = 2 * DAY


@dataclass(frozen=True)
class FundingTerms:
    """The contract's `Funding`, in its order; none by default."""

    fixed_rate: int = 0
    max_rate: int = WAD
    velocity: int = 0
    skew_scale: int = 100_000 * DOLLAR


@dataclass
class PerpStage:
    """Everything deployed; a provider has put in `pool_usd`, and the index stands at 1."""

    chain: Chain
    roles: SimpleNamespace
    terms: PerpTerms = field(default_factory=PerpTerms)
    funding: FundingTerms = field(default_factory=FundingTerms)
    miner_weight: int = 0
    pool_usd: int = 100_000
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    """What replaces packaged contracts: how tests break them."""

    def __post_init__(self) -> None:
        chain, roles = self.chain, self.roles
        self.usdc = deploy(chain, "usdc", sender=roles.owner)
        feeds = ("Metal / USD", "Miner / USD")
        self.feed, self.miner = (
            deploy(chain, "price_feed", 8, name, roles.keeper, sender=roles.owner) for name in feeds
        )
        self.index = self.create("miner_index", self.sources())
        args = (self.usdc, roles.keeper, self.index, astuple(self.terms), astuple(self.funding))
        self.perp = self.create("miner_perp", *args)
        self.rounds = 0
        self.send(self.usdc, "configureMinter", roles.owner, UNLIMITED, by=roles.owner)
        for name in (*TRADERS, *PROVIDERS, "stranger"):
            who = getattr(roles, name)
            self.send(self.usdc, "mint", who, 10**9 * DOLLAR, by=roles.owner)
            self.send(self.usdc, "approve", self.perp.address, UNLIMITED, by=who)
        self.post_miner(BASE)
        self.price(BASE)
        if self.pool_usd:
            self.act("deposit", self.pool_usd * DOLLAR, by=roles.depositor)

    def sources(self, **changes: object) -> tuple[object, ...]:
        """Return the sources of an index on both feeds, with changes."""
        found: dict[str, object] = {
            "metal_feed": self.feed.address,
            "miner_feed": self.miner.address,
            "metal_weight": WAD - self.miner_weight,
            "miner_weight": self.miner_weight,
            "metal_base": BASE * WAD,
            "miner_base": BASE * WAD,
            "max_age": 3 * DAY,
        }
        return tuple({**found, **changes}.values())

    def create(self, name: str, *args: object) -> Contract:
        found = self.artifacts.get(name) or load_artifact(name)
        plain = [getattr(arg, "address", arg) for arg in args]
        return self.chain.deploy(found, plain, sender=self.roles.owner)

    # -- acts ----------------------------------------------------------------------

    def send(self, contract: Any, function: str, *args: object, by: str) -> Receipt:
        return self.chain.block(
            self.chain.timestamp(), [contract.call(function, *args, sender=by)]
        )[0]

    def act(self, function: str, *args: object, by: str) -> Receipt:
        """Call the market at the present time."""
        return self.send(self.perp, function, *args, by=by)

    def wait(self, seconds: int) -> None:
        self.chain.block(self.chain.timestamp() + seconds, [])

    def post_miner(self, usd: float) -> None:
        """Post a round of the miner's feed now."""
        self.send(self.miner, "update_answer", round(usd * FEED_UNIT), by=self.roles.keeper)

    def price(self, usd: float, *, after: int = 1) -> int:
        """Post a round of the metal's feed, some seconds later; return its number."""
        self.wait(after)
        self.send(self.feed, "update_answer", round(usd * FEED_UNIT), by=self.roles.keeper)
        self.rounds += 1
        return self.rounds

    def add(self, usd: float, *, by: str) -> Receipt:
        return self.act("add_margin", round(usd * DOLLAR), by=by)

    def order(self, size: float, *, by: str, acceptable: int | None = None) -> Receipt:
        """Order a change of a position at any price, or up to an acceptable one."""
        worst = (UNLIMITED if size > 0 else 0) if acceptable is None else acceptable
        return self.act("modify_position", round(size * 10**6) * 10**12, worst, by=by)

    def execute(self, who: str, *, by: str | None = None) -> Receipt:
        return self.act("execute_order", who, by=by or self.roles.keeper)

    def open(self, size: float, margin: float, *, by: str, at: float = BASE) -> Receipt:
        """Open a position with a margin, filled at a price."""
        self.add(margin, by=by)
        self.order(size, by=by)
        self.price(at)
        return self.execute(by)

    def close(self, *, by: str, at: float) -> Receipt:
        self.act("close_position", 0 if self.position(by).size > 0 else UNLIMITED, by=by)
        self.price(at)
        return self.execute(by)

    # -- reads ---------------------------------------------------------------------

    def read(self, view: str, *args: object) -> Any:
        return self.perp.read(self.chain, view, *args)

    def dollars(self, who: str) -> int:
        """Return the dollars of an account, in the token's unit."""
        return self.usdc.read(self.chain, "balanceOf", who)

    def position(self, who: str) -> SimpleNamespace:
        names = ("size", "cost", "margin", "funding")
        return SimpleNamespace(**dict(zip(names, self.read("positions", who), strict=True)))

    def check_books(self, *also: str) -> None:
        """Assert that every unit is a margin's, the pool's, the fund's, or a fee to collect."""
        held = self.dollars(self.perp.address)
        parts = [self.read(name) for name in ("margins", "pool", "insurance", "fees")]
        assert held == sum(parts)
        traders = [getattr(self.roles, name) for name in (*TRADERS, *also)]
        assert self.read("margins") == sum(self.position(who).margin for who in traders)
