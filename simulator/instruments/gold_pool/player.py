"""Drives the gold pool along one path: its providers, the arbitrageur, the noise traders."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from simulator.chain import Call, Contract, Receipt
from simulator.errors import ReconciliationFailed
from simulator.instruments.base import TokenTerms
from simulator.instruments.casting import Cast, Part
from simulator.instruments.custody import QUOTE_DECIMALS
from simulator.instruments.gas import Gas
from simulator.instruments.gold_pool.drivers import GoldPoolDrivers
from simulator.instruments.gold_pool.paths import GoldPoolRecord
from simulator.instruments.gold_pool.state import Act, Observed
from simulator.instruments.gold_pool.terms import GoldPoolTerms
from simulator.instruments.stage import UNLIMITED, Observable, Phase, Stage
from simulator.mechanics.pool import LEAST_USDC, OUNCE_UNITS, USDC_UNITS
from simulator.units import DEAD_BAND, USDC_DECIMALS, from_wei, to_wei

ROUNDINGS_A_STEP = 8
"""Three trades and two movements of liquidity, each with one or two roundings of a reserve."""

USDC_UNIT = 10.0**-USDC_DECIMALS

OBSERVED = {
    "reserve_gold": Observed.GOLD,
    "reserve_usdc": Observed.USDC,
    "shares": Observed.SHARES,
    "arbitrageur_gold": Observed.OWN_GOLD,
    "arbitrageur_usdc": Observed.OWN_USDC,
}
OF_PROVIDER = ("provider_gold", "provider_usdc")
"""What the measured provider's shares would bring; at the end what they brought."""


class GoldPoolPlayer:
    """The measured provider and the others, the arbitrageur, and the noise traders."""

    def __init__(
        self,
        terms: GoldPoolTerms,
        token: TokenTerms,
        gas: Gas,
        drivers: GoldPoolDrivers,
        record: GoldPoolRecord,
        holder_usdc: float,
    ) -> None:
        """Take drivers and record of one path: arrays of shape (n_steps + 1, 1, ...)."""
        self._terms, self._gas, self._decimals = terms, gas, token.decimals
        self._acts, self._seen = record.acts[:, 0], record.observed[:, 0]
        self._price = drivers.prices.token_usd[:, 0]
        self._leaving = drivers.leaving[:, 0] if drivers.leaving.size else drivers.leaving
        self._holder_usdc = holder_usdc
        self._last_step = self._acts.shape[0] - 1
        # shares are the root of gold times USDC, in the tokens' units
        self._share_scale = 10.0 ** ((self._decimals + USDC_DECIMALS) / 2)
        # as the providers have filled it, before anybody else comes
        gold, usdc = self._seen[0, [Observed.KEPT_GOLD, Observed.KEPT_USDC]]
        self._beside = self._bought() * float(usdc / gold)
        self._own = self._bought() * math.sqrt(usdc / gold)
        gold_unit = 10.0**-self._decimals
        counted = np.maximum(self._price, LEAST_USDC)
        self._gold_off = np.cumsum(USDC_UNIT / counted)
        self._usdc_off = np.cumsum(gold_unit * counted)
        most = {name: float(np.abs(self._seen[:, row]).max()) for name, row in OBSERVED.items()}
        # what the arbitrageur has is the sum of all that ever went in and out
        for name, row in (("arbitrageur_gold", "GOLD"), ("arbitrageur_usdc", "USDC")):
            turned = float(np.abs(np.diff(self._seen[:, Observed[f"OWN_{row}"]])).sum())
            most[name] = max(most[name], turned)
        most["provider_gold"], most["provider_usdc"] = most["reserve_gold"], most["reserve_usdc"]
        # a unit of either token that is added or removed is so many shares
        dearest, cheapest = math.sqrt(counted.max()), math.sqrt(counted.min())
        added = gold_unit * dearest + USDC_UNIT / cheapest
        units = {"shares": 1.0 / self._share_scale + added}
        units |= {n: USDC_UNIT if n.endswith("usdc") else gold_unit for n in most if n != "shares"}
        self.observables = tuple(
            Observable(name, ROUNDINGS_A_STEP, units[name], max(1.0, most[name])) for name in most
        )

    def _bought(self) -> float:
        """Return the ounces that the measured provider puts in."""
        return (
            math.floor(0.5 * self._holder_usdc / float(self._price[0]) * OUNCE_UNITS) / OUNCE_UNITS
        )

    # -- set-up ------------------------------------------------------------------------

    def deploy(self, stage: Stage) -> None:
        """Create USDC and pool; hand out what everybody pays in, and the allowances."""
        roles = stage.roles
        self._stage = stage
        self._token, self._usdc = stage.contract("token", self._terms.token), stage.deploy("usdc")
        names = ("Assay Gold Pool", "aGLP")
        tokens = (self._token, self._usdc)
        self._pool = stage.deploy("gold_pool", *names, *tokens, self._terms.fee_ppm)
        # for who values a part of the pool: the token's price, which the pool itself never reads
        feed = ("price_feed", QUOTE_DECIMALS, "Gold token / USDC", roles.keeper)
        self._feed = stage.deploy(*feed, name="token_feed")
        mint = self._usdc.call("configureMinter", roles.owner, UNLIMITED, sender=roles.owner)
        calls = [mint]
        for who, (gold, usdc) in self._funds.items():
            calls.append(self._token.call("transfer", who, gold, sender=roles.custodian))
            calls.append(self._usdc.call("mint", who, usdc, sender=roles.owner))
        # The measured provider approves as part of entering: his gas counts.
        for who in (roles.crowd, roles.arbitrageur, roles.noise_traders):
            calls += [t.call("approve", self._pool, UNLIMITED, sender=who) for t in tokens]
        stage.send(*calls)

    @cached_property
    def _funds(self) -> dict[str, tuple[int, int]]:
        """What everybody has at the start, gold and USDC in their units."""
        roles, acts = self._stage.roles, self._acts
        usdc = math.floor(self._terms.reserve_ounces * float(self._price[0]) * USDC_UNITS)
        own_usdc = to_wei(self._holder_usdc, USDC_DECIMALS)
        return {
            roles.crowd: (self._gold(self._terms.reserve_ounces), usdc),
            roles.depositor: (self._gold(self._bought()), own_usdc),
            roles.arbitrageur: self._start(
                acts[:, Act.ARBITRAGE_GOLD].sum(), acts[:, Act.ARBITRAGE_USDC].sum()
            ),
            roles.noise_traders: self._start(
                acts[:, Act.NOISE_GOLD].sum(), acts[:, Act.NOISE_USDC].sum()
            ),
        }

    def _start(self, gold: float, usdc: float) -> tuple[int, int]:
        """Return a little more than all that somebody will pay in."""
        return self._gold(float(gold) + 1.0), to_wei(float(usdc) + 1.0, USDC_DECIMALS)

    def _gold(self, ounces: float) -> int:
        return to_wei(float(ounces), self._decimals)

    # -- a step ------------------------------------------------------------------------

    def calls(self, step: int) -> list[tuple[Phase, Call]]:
        """Return the step's calls, each with its phase."""
        by_phase = [
            (Phase.PRICES, [self._quote(step)]),
            (Phase.ACCRUAL, self._arbitrage(step)),
            (Phase.DEPOSITS, self._entries(step)),
            (Phase.CLAIMS, [*self._noise(step), *self._others_leave(step), *self._exit(step)]),
        ]
        return [(phase, call) for phase, calls in by_phase for call in calls]

    def _quote(self, step: int) -> Call:
        """Return the token's price in USDC; a feed has none of zero."""
        answer = to_wei(max(float(self._price[step]), LEAST_USDC), QUOTE_DECIMALS)
        return self._feed.call("update_answer", answer, sender=self._stage.roles.keeper)

    def _swap(self, paid: int, gold: bool, who: str) -> list[Call]:
        if paid == 0:
            return []
        tokens = [self._token.address, self._usdc.address]
        path = tokens if gold else tokens[::-1]
        args = (paid, 0, path, who, UNLIMITED)
        return [self._pool.call("swapExactTokensForTokens", *args, sender=who)]

    def _arbitrage(self, step: int) -> list[Call]:
        act, who = self._acts[step], self._stage.roles.arbitrageur
        usdc = to_wei(float(act[Act.ARBITRAGE_USDC]), USDC_DECIMALS)
        gold = self._gold(act[Act.ARBITRAGE_GOLD])
        return [*self._swap(usdc, False, who), *self._swap(gold, True, who)]

    def _noise(self, step: int) -> list[Call]:
        act, who = self._acts[step], self._stage.roles.noise_traders
        usdc = to_wei(float(act[Act.NOISE_USDC]), USDC_DECIMALS)
        return [
            *self._swap(usdc, False, who),
            *self._swap(self._gold(act[Act.NOISE_GOLD]), True, who),
        ]

    def _entries(self, step: int) -> list[Call]:
        """Return the first day's deposits: the crowd's, then the measured provider's."""
        if step != 0:
            return []
        roles, funds = self._stage.roles, self._funds
        own = roles.depositor
        gold, usdc = funds[own]
        return [
            self._add(roles.crowd, *funds[roles.crowd]),
            self._token.call("approve", self._pool, gold, sender=own),
            self._usdc.call("approve", self._pool, usdc, sender=own),
            self._add(own, gold, usdc),
        ]

    def _add(self, who: str, gold: int, usdc: int) -> Call:
        return self._pool.call("addLiquidity", gold, usdc, 0, 0, who, UNLIMITED, sender=who)

    def _others_leave(self, step: int) -> list[Call]:
        """Return the exit of other providers in a run."""
        if self._leaving.size == 0 or self._leaving[step] == 0.0:
            return []
        crowd, shares = self._stage.roles.crowd, int(self._leaving[step] * self._share_scale)
        return [self._pool.call("removeLiquidity", shares, 0, 0, crowd, UNLIMITED, sender=crowd)]

    def _exit(self, step: int) -> list[Call]:
        if step != self._last_step:
            return []
        own = self._stage.roles.depositor
        return [
            self._pool.call("removeLiquidity", self._own_shares(), 0, 0, own, UNLIMITED, sender=own)
        ]

    def _own_shares(self) -> int:
        """Return the shares that the contract gave the measured provider."""
        own = self._stage.roles.depositor
        answer = self._stage.chain.view_one(self._pool.call("balanceOf", own))
        return int.from_bytes(answer, "big")

    # -- observation -------------------------------------------------------------------

    def views(self, step: int) -> list[Call]:
        """Return the reads."""
        del step
        return self._reads

    @cached_property
    def _reads(self) -> list[Call]:
        own, trader = self._stage.roles.depositor, self._stage.roles.arbitrageur
        return [
            self._pool.call("getReserves"),
            self._pool.call("totalSupply"),
            self._pool.call("balanceOf", own),
            self._token.call("balanceOf", own),
            self._usdc.call("balanceOf", own),
            self._token.call("balanceOf", trader),
            self._usdc.call("balanceOf", trader),
        ]

    def read(self, step: int, answers: Sequence[bytes]) -> Mapping[str, float]:
        """Return the observables on chain."""
        gold, usdc = _reserves(answers[0])
        supply, shares, own_gold, own_usdc, has_gold, has_usdc = (
            int.from_bytes(answer, "big") for answer in answers[1:]
        )
        first_gold, first_usdc = self._funds[self._stage.roles.arbitrageur]
        if step < self._last_step:
            own_gold, own_usdc = shares * gold // supply, shares * usdc // supply
        else:
            own_usdc -= self._kept
        return {
            "reserve_gold": from_wei(gold, self._decimals),
            "reserve_usdc": from_wei(usdc, USDC_DECIMALS),
            "shares": supply / self._share_scale,
            "provider_gold": from_wei(own_gold, self._decimals),
            "provider_usdc": from_wei(own_usdc, USDC_DECIMALS),
            "arbitrageur_gold": from_wei(has_gold - first_gold, self._decimals),
            "arbitrageur_usdc": from_wei(has_usdc - first_usdc, USDC_DECIMALS),
        }

    @property
    def _kept(self) -> int:
        """Return the USDC that was too much beside the provider's gold, in units."""
        return to_wei(self._holder_usdc - self._beside, USDC_DECIMALS)

    def expected(self, step: int) -> Mapping[str, float]:
        """Return the model's observables; its record of the last step is before the exit."""
        seen: list[float] = self._seen[step].tolist()
        values = {name: seen[row] for name, row in OBSERVED.items()}
        own = self._own / values["shares"]
        values["provider_gold"] = own * values["reserve_gold"]
        values["provider_usdc"] = own * values["reserve_usdc"]
        if step == self._last_step:
            for name in ("reserve_gold", "reserve_usdc", "shares"):
                values[name] *= 1.0 - own
        return values

    def extra_tolerance(self, step: int) -> Mapping[str, float]:
        """Return what a unit of one token is worth in the other, on each step so far."""
        gold = ROUNDINGS_A_STEP * float(self._gold_off[step])
        usdc = ROUNDINGS_A_STEP * float(self._usdc_off[step])
        kinds = {"gold": gold, "usdc": usdc}
        return {o.name: kinds[o.name[-4:]] for o in self.observables if o.name != "shares"}

    def check_decisions(self, step: int, answers: Sequence[bytes]) -> tuple[int, int]:
        """Compare whether tomorrow's arbitrage pays on the contract's reserves.

        Nobody moves them between today's last call and it; the trade is worked out here anew.
        """
        if step >= self._last_step or float(self._price[step + 1]) <= LEAST_USDC:
            return 0, 0
        moves, earned = self._best(step + 1, *_reserves(answers[0]))
        least, act = self._gas.usd_on("arbitrage", step + 1), self._acts[step + 1]
        pays = moves > DEAD_BAND and earned > least
        made = bool(act[Act.ARBITRAGE_GOLD] > 0.0 or act[Act.ARBITRAGE_USDC] > 0.0)
        if made == pays:
            return 1, 0
        # units of both tokens, and the dead-band of who decides
        if abs(moves - DEAD_BAND) <= DEAD_BAND or abs(earned - least) <= DEAD_BAND * least:
            return 1, 1
        raise ReconciliationFailed(
            f"step {step + 1}: an arbitrage that earns {earned:.6f} USDC (gas {least:.6f}) on the "
            f"contract's reserves is {'' if made else 'not '}made"
        )

    def _best(self, step: int, gold: int, usdc: int) -> tuple[float, float]:
        """Return what part of a reserve the best arbitrage pays in, and what it earns, USDC.

        With r^2 how far the pool's price is beyond the band, a reserve grows by (r - 1) / g and
        the gain is (r - 1)^2 / g of its worth, where g is one less the fee.
        """
        x, y = from_wei(gold, self._decimals), from_wei(usdc, USDC_DECIMALS)
        price, keep = float(self._price[step]), 1.0 - self._terms.fee_ppm / 1e6
        dear = y / x / price
        beyond = math.sqrt(max(keep * dear, keep / dear, 1.0)) - 1.0
        reserve = x * price if dear > 1.0 else y
        return beyond / keep, beyond**2 * reserve / keep

    def gas(self, step: int, receipts: Sequence[Receipt]) -> Mapping[str, int]:
        """Return the gas of entering, of leaving, and of an arbitrage."""
        roles, own = self._stage.roles, {c.address for c in self._contracts()}
        used: dict[str, int] = {}
        for receipt in receipts:
            if receipt.call.to not in own:
                continue
            act = ""
            if receipt.call.sender == roles.depositor:
                act = "enter" if step == 0 else "leave"
            elif receipt.call.sender == roles.arbitrageur:
                act = "arbitrage"
            if act:
                used[act] = used.get(act, 0) + receipt.gas_used
        return used

    def _contracts(self) -> tuple[Contract, ...]:
        return self._token, self._usdc, self._pool


def _reserves(answer: bytes) -> tuple[int, int]:
    """Return gold and USDC as `getReserves` says them, in their units."""
    return int.from_bytes(answer[:32], "big"), int.from_bytes(answer[32:64], "big")


class PoolStage:
    """Casts the pool's player; what portfolios trade of its shares stays with the model."""

    def cast(self, part: Part[GoldPoolTerms, GoldPoolDrivers, GoldPoolRecord]) -> Cast:
        """Return who plays the pool along one path."""
        token = part.ground.terms(part.terms.token, TokenTerms)
        gas = part.gas["gold_pool"]
        player = GoldPoolPlayer(part.terms, token, gas, part.drivers, part.record, part.size)
        notes = tuple(
            f"{investor} trades parts of {part.label}, whose shares no desk lists: they are a "
            "position of the model alone"
            for investor in part.holders
        )
        return Cast(player, notes=notes)


STAGE = PoolStage()
