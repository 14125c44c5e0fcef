"""Which of a portfolio's holdings are traded on the chain, and how, on one path of a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.chain import DEVELOPMENT_ACCOUNTS
from simulator.instruments.base import InstrumentPaths
from simulator.investors.portfolio import PortfolioPaths
from simulator.investors.world import METALS, World, holder_usd, vault_ounces
from simulator.replay.desk.custody import Custody, DeskAccount, Quote
from simulator.replay.desk.sto_tokens import STOCK_ROOM, Offering, StoTokens
from simulator.replay.desk.vault_shares import VaultShares, crowd_shares, recall_step
from simulator.replay.mining_sto import TOKEN_DECIMALS, Guests
from simulator.replay.stage import ACCOUNTS_OF_ROLES
from simulator.scenario.models import Scenario
from simulator.scenario.stablecoin import USDC
from simulator.units import USDC_DECIMALS, FloatArray, from_wei, midnight_timestamp

VAULT = "gold_vault"
SEATS = len(DEVELOPMENT_ACCOUNTS) - ACCOUNTS_OF_ROLES
"""Portfolios that an account is left for."""


@dataclass(frozen=True)
class DeskPlan:
    """What is played at the desk on one path.

    Attributes
    ----------
    accounts : tuple of DeskAccount
    custodies : dict of str to Custody
        How each token is kept, by its name.
    guests : dict of str to Guests
        Who holds an STO's tokens beside its own player's actors, by the STO's name.
    notes : tuple of str
        What of the portfolios is not played, and why.
    usdc : ndarray of shape (n_steps + 1,), dollars, or None
        Price of the USDC that all is paid in; None for one dollar on every day.
    """

    accounts: tuple[DeskAccount, ...]
    custodies: Mapping[str, Custody]
    guests: Mapping[str, Guests]
    notes: tuple[str, ...]
    usdc: FloatArray | None = None


@dataclass
class _Draft:
    accounts: list[DeskAccount]
    custodies: dict[str, Custody]
    guests: dict[str, Guests]
    notes: list[str]


def desk_plan(scenario: Scenario, world: World, lane: int) -> DeskPlan:
    """Return what portfolios do with this chain's tokens on path `lane` of the block.

    The world must have been simulated with a record.
    """
    draft = _Draft([], {}, {}, [])
    world = _with_seats(draft, scenario, world)
    for metal in METALS:
        _plan_metal(draft, scenario, world, metal.name, lane)
    if VAULT in world.instruments:
        _plan_vault(draft, scenario, world, lane)
    for name in scenario.instruments.mining_sto:
        _plan_sto(draft, scenario, world, name, lane)
    for name in _fixed(scenario):
        for investor in _holders(world, name):
            draft.notes.append(
                f"{investor} holds a part of {name}, which cannot be handed on: it is a position "
                "of the model alone"
            )
    usdc = world.market.prices.get(USDC)
    return DeskPlan(
        tuple(draft.accounts),
        draft.custodies,
        draft.guests,
        tuple(draft.notes),
        None if usdc is None else usdc[:, lane],
    )


def _with_seats(draft: _Draft, scenario: Scenario, world: World) -> World:
    """Return the world without the portfolios for which the stage has no account."""
    traded = {*(metal.name for metal in METALS), VAULT, *scenario.instruments.mining_sto}
    names = dict.fromkeys(investor for name in traded for investor in _holders(world, name))
    left_out = [investor for investor in world.investors if investor in names][SEATS:]
    if left_out:
        draft.notes.append(
            f"The stage has no account left for these portfolios: {', '.join(left_out)}"
        )
    kept = {name: paths for name, paths in world.investors.items() if name not in left_out}
    return replace(world, investors=kept)


def _fixed(scenario: Scenario) -> tuple[str, ...]:
    """Return the positions on the chain that are nobody's to transfer: staked, or underwritten."""
    chosen = scenario.instruments
    return (*chosen.revenue_staking, *chosen.price_cover)


def _holders(world: World, name: str) -> dict[str, PortfolioPaths]:
    """Return the portfolios that have `name` in their plan."""
    return {
        investor: paths.portfolio
        for investor, paths in world.investors.items()
        if paths.portfolio is not None and name in paths.portfolio.holdings
    }


def _column(array: FloatArray, held: PortfolioPaths, name: str, lane: int) -> FloatArray:
    """Return a holding's row of an array (n_holdings, n_steps + 1, n_paths) on one path."""
    column: FloatArray = array[held.holdings.index(name), :, lane]
    return column


def _account(
    investor: str,
    held: PortfolioPaths,
    name: str,
    lane: int,
    decimals: int,
    quote: Quote,
    per_unit: float,
    *,
    stays: bool = False,
) -> DeskAccount:
    """Return what an investor does; `per_unit` tokens stand for a unit of the instrument."""
    return DeskAccount(
        investor=investor,
        token=name,
        decimals=decimals,
        quote=quote,
        units=_column(held.units, held, name, lane) * per_unit,
        bought=_column(held.bought, held, name, lane) * per_unit,
        sold=_column(held.sold, held, name, lane) * per_unit,
        level=_column(held.level, held, name, lane) / per_unit,
        stays=stays,
    )


def _per_token(paths: InstrumentPaths, lane: int, per_unit: float) -> tuple[FloatArray, FloatArray]:
    """Return mark and proceeds of a token, the last those of the exit: what portfolios see."""
    days = paths.daily
    if days is None:
        raise ValueError(f"{paths.name} was simulated without its days; the desk needs them")
    mark = paths.mark["usd"] if days.value is None else days.value
    leave = paths.exit["usd"][:, lane]
    leave = leave if days.income is None else leave - np.cumsum(days.income[:, lane])
    sale = leave if days.access.sale_usd is None else days.access.sale_usd[:, lane].copy()
    sale[-1] = leave[-1]
    return mark[:, lane] / per_unit, np.maximum(sale, 0.0) / per_unit


# -- metals ------------------------------------------------------------------------------


def _plan_metal(draft: _Draft, scenario: Scenario, world: World, name: str, lane: int) -> None:
    terms, holders = scenario.instruments.token(name), _holders(world, name)
    if terms is None or not holders:
        return
    quote = Quote(world.plays.tokens[name].prices.token_usd[:, lane], terms.sale_spread_bps)
    draft.custodies[name] = Custody(name, terms.decimals, quote)
    draft.accounts += [
        _account(investor, held, name, lane, terms.decimals, quote, 1.0)
        for investor, held in holders.items()
    ]


# -- shares of the vault -----------------------------------------------------------------


def _plan_vault(draft: _Draft, scenario: Scenario, world: World, lane: int) -> None:
    terms, token = scenario.instruments.gold_vault, scenario.instruments.gold_token
    holders, play = _holders(world, VAULT), world.plays.vault
    if terms is None or token is None or play is None or not holders:
        return
    per_unit, record = vault_ounces(scenario), play.record.lane(lane)
    mark, sale = _per_token(world.instruments[VAULT], lane, per_unit)
    quote = Quote(mark, token.sale_spread_bps, sale)
    accounts = [
        _account(investor, held, VAULT, lane, token.decimals, quote, per_unit)
        for investor, held in holders.items()
    ]
    actions = record.actions[:, 0]
    wanted = np.sum([account.units for account in accounts], axis=0)
    recalled = recall_step(crowd_shares(actions, terms.crowd_ounces), wanted)
    if recalled is not None:
        draft.notes.append(
            f"From day {recalled} on shares of the vault are a position of the model alone "
            f"({', '.join(holders)}): its crowd has withdrawn more than portfolios left it"
        )
        for account in accounts:
            _end(account, recalled)
    draft.custodies[VAULT] = VaultShares(
        token.decimals,
        quote,
        actions,
        record.observed[:, 0],
        play.drivers.prices.metal_usd[:, lane],
        per_unit,
        recalled,
    )
    draft.accounts += accounts


def _end(account: DeskAccount, step: int) -> None:
    """Let an account be empty from a step on."""
    for array in (account.units, account.bought, account.sold, account.level):
        array[step:] = 0.0


# -- tokens of mines ---------------------------------------------------------------------


def _plan_sto(draft: _Draft, scenario: Scenario, world: World, name: str, lane: int) -> None:
    terms, holders = scenario.instruments.mining_sto[name], _holders(world, name)
    if not holders:
        return
    play, own = world.plays.stos[name].lane(lane), holder_usd(scenario, name)
    sale = terms.sale
    crowd = min(float(play.drivers.others_usd[0]), sale.hard_cap_usd - own)
    succeeds = own + crowd >= sale.soft_cap_usd
    per_unit = own / sale.token_price_usd
    mark, proceeds = _per_token(world.instruments[name], lane, per_unit)
    quote = Quote(mark, 0.0, proceeds)
    locked = scenario.horizon_days < sale.days + terms.compliance.lockup_days
    form = (name, lane, TOKEN_DECIMALS, quote, per_unit)
    accounts = [_account(one, held, *form, stays=locked) for one, held in holders.items()]
    paid_in = {a.investor: _into_raise(a, sale.days) * sale.token_price_usd for a in accounts}
    if not succeeds:
        for account in accounts:
            _end(account, sale.days)
    offering = Offering(
        terms=terms,
        begin=midnight_timestamp(scenario.start),
        succeeds=succeeds,
        paid_in=paid_in,
        profit=play.record.paid_usd[:, 0] / per_unit,
        periods=frozenset(s for j, s in enumerate(play.drivers.mine.settles) if j > 0),
        stock=_stock(accounts, sale.days) if succeeds else 0.0,
    )
    guests = Guests(offering.payments())
    stock = (offering.stock + STOCK_ROOM) * sale.token_price_usd
    if crowd - from_wei(guests.paid_by(sale.days), USDC_DECIMALS) < stock:
        draft.notes.append(
            f"{name} is a position of the model alone ({', '.join(holders)}): the crowd has too "
            "few tokens to share"
        )
        return
    draft.accounts += accounts
    draft.custodies[name] = StoTokens(name, quote, offering, guests)
    draft.guests[name] = guests


def _into_raise(account: DeskAccount, close: int) -> FloatArray:
    """Take the tokens that are paid for in the raise out of an account's purchases."""
    paid_for = account.bought.copy()
    paid_for[close:] = 0.0
    account.bought[:close] = 0.0
    return paid_for


def _stock(accounts: Sequence[DeskAccount], close: int) -> float:
    """Return the most tokens that investors hold beyond those they got in the raise."""
    held = np.sum([account.units for account in accounts], axis=0)
    return max(0.0, float(held[close:].max() - held[close - 1]))
