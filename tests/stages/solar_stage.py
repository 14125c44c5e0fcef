"""A stage for solar tokens: dollars, a silver feed, the collection, its market, and its actors.

Energy is whole kWh, money whole dollars, days count from the stage's beginning; what the contract
takes and gives is converted here.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from props import DAY, DOLLAR, deploy

from simulator.chain import Artifact, Chain, Contract, Receipt, load_artifact

KWH = 10**6
YEAR = 31_536_000
UNLIMITED = 2**256 - 1
LOCK_DAYS = 90
RECOVERY_BPS = 7_000
ROYALTY_BPS = 250
SILVER_USD = 31
"""Price of an ounce at the start: at 31.1034768 g about a dollar for a gram."""


class SolarStage:
    """Everything deployed; `owner` issues, `agent` operates, nobody has a token yet."""

    def __init__(self, chain: Chain, roles: SimpleNamespace, artifact: Artifact | None = None):
        self.chain, self.roles = chain, roles
        self.usdc = deploy(chain, "usdc", sender=roles.owner)
        feed = ("price_feed", 8, "Silver / USD", roles.keeper)
        self.feed = deploy(chain, *feed, sender=roles.owner)
        self.nft = chain.deploy(
            artifact or load_artifact("solar_nft"), self.arguments(), sender=roles.owner
        )
        self.desk = deploy(chain, "nft_desk", self.nft, self.usdc, sender=roles.owner)
        self.begin = chain.timestamp()
        self.send(self.usdc, "configureMinter", roles.owner, UNLIMITED, by=roles.owner)
        self.send(self.nft, "set_operator", roles.agent, by=roles.owner)
        for who in (roles.owner, roles.depositor, roles.second_depositor, roles.trader):
            self.send(self.usdc, "mint", who, 10**9 * DOLLAR, by=roles.owner)
            for taker in (self.nft, self.desk):
                self.send(self.usdc, "approve", taker, UNLIMITED, by=who)
        self.silver(SILVER_USD)

    def arguments(self, **changes: object) -> tuple[Any, ...]:
        """Return the collection's constructor arguments, some of them changed."""
        terms = {
            "name": "Solar",
            "symbol": "SUN",
            "base_uri": "ipfs://panels/",
            "usdc": self.usdc.address,
            "feed": self.feed.address,
            "max_age": 5 * DAY,
            "recovery_bps": RECOVERY_BPS,
            "royalty_bps": ROYALTY_BPS,
            "receiver": self.roles.treasury,
            "lock_seconds": LOCK_DAYS * DAY,
        }
        return tuple({**terms, **changes}.values())

    # -- acts ----------------------------------------------------------------------

    def send(self, contract: Contract, function: str, *args: object, by: str) -> Receipt:
        plain = [getattr(arg, "address", arg) for arg in args]
        return self.chain.block(
            self.chain.timestamp(), [contract.call(function, *plain, sender=by)]
        )[0]

    def act(self, function: str, *args: object, by: str) -> Receipt:
        """Call the collection at the present time."""
        return self.send(self.nft, function, *args, by=by)

    def go(self, day: float) -> None:
        """Go to a day, or to a part of it."""
        self.chain.block(self.begin + round(day * DAY), [])

    def silver(self, usd: float) -> None:
        """Post a price of silver."""
        self.send(self.feed, "update_answer", round(usd * 10**8), by=self.roles.keeper)

    def panel(self, owner: str, watts: int = 400, **changes: int) -> int:
        """Commission a panel and return its number."""
        facts = {"commissioned": self.begin, "degradation_bps": 50, "silver_mg": 4_000, **changes}
        self.act("commission", owner, watts, *facts.values(), by=self.roles.owner)
        return self.read("totalSupply")

    def report(self, token_id: int, kwh: float, period: int | None = None) -> None:
        number = self.read("open_period") if period is None else period
        self.act("report_generation", token_id, round(kwh * KWH), number, by=self.roles.agent)

    def share(self, usd: float) -> None:
        """Pay revenue in, and close the period."""
        if usd:
            self.act("deposit_revenue", round(usd * DOLLAR), by=self.roles.owner)
        self.act("close_period", by=self.roles.agent)

    def claim(self, who: str, *token_ids: int) -> int:
        """Claim; return what arrived, in units."""
        before = self.dollars(who)
        self.act("claim", list(token_ids), by=who)
        return self.dollars(who) - before

    # -- reads ---------------------------------------------------------------------

    def read(self, view: str, *args: object) -> Any:
        return self.nft.read(self.chain, view, *args)

    def dollars(self, who: str) -> int:
        return self.usdc.read(self.chain, "balanceOf", who)

    def check_books(self) -> None:
        """Assert that the collection holds what was paid in and not paid out, to the unit."""
        names = ("total_revenue", "total_bonus", "silver_reserve")
        paid_in = sum(self.read(name) for name in names)
        paid_out = sum(self.read(f"total_claimed_{name}") for name in ("revenue", "bonus"))
        assert self.dollars(self.nft.address) == paid_in - paid_out
