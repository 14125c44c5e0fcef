"""One block of paths, whole: a market, a loop over the instruments' cards, the investors.

The engine reduces blocks to measures; the replay takes single paths out of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.instruments.base import InstrumentPaths, scaled
from simulator.instruments.model import Ask, Played, Setting
from simulator.instruments.registry import in_order, model_of, turns, working_for
from simulator.investors import portfolio
from simulator.investors.ground import BlockGround
from simulator.investors.paths import InvestorPaths
from simulator.investors.setting import factors_asked_for, new_setting, wanted_days
from simulator.investors.settlement import turn_into_dollars
from simulator.investors.sizes import size
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import MarketPaths, simulate_market
from simulator.scenario.investors import InvestorTerms
from simulator.scenario.models import Scenario
from simulator.units import FloatArray


@dataclass(frozen=True)
class World:
    """A block of paths: prices, every instrument of the scenario, every investor.

    Attributes
    ----------
    instruments : dict of str to InstrumentPaths
        By name of the position; each is that of one unit (an ounce of a token, a dollar of what
        is held off chain) or of the measured holder.
    played : dict of str to Played
        By label: what each model was told and did. Its paths count in USDC where it does.
    asks : dict of str to Ask
        By label: what each model was asked for.
    """

    market: MarketPaths
    setting: Setting
    instruments: Mapping[str, InstrumentPaths]
    investors: Mapping[str, InvestorPaths]
    played: Mapping[str, Played[Any, Any]]
    asks: Mapping[str, Ask]


def simulate_block(
    scenario: Scenario,
    spec: MarketSpec,
    first_path: int,
    n_paths: int,
    *,
    record: bool = False,
    block: FloatArray | None = None,
) -> World:
    """Return paths `first_path` to `first_path + n_paths - 1`; n_paths of full lanes.

    `block`, of shape (n_assets, n_steps + 1, n_paths) as of `market.paths.empty_block`, takes the
    prices; reusing one a thread keeps them in the cache. The world then holds until the block is
    filled again.
    """
    world = simulate_instruments(scenario, spec, first_path, n_paths, record=record, block=block)
    wanted = portfolio.Wanted(record=record)
    return replace(world, investors=dict(each_investor(scenario, world, wanted=wanted)))


def simulate_instruments(
    scenario: Scenario,
    spec: MarketSpec,
    first_path: int,
    n_paths: int,
    *,
    record: bool = False,
    by_source: bool = True,
    block: FloatArray | None = None,
) -> World:
    """Return the same as `simulate_block`, but for the investors, which `each_investor` makes.

    Without `by_source` the instruments' days tell no sources, so portfolios have none. `block` is
    of shape (n_assets, n_steps + 1, n_paths).
    """
    asked = factors_asked_for(scenario)
    market = simulate_market(spec, scenario.seed, first_path, n_paths, block=block, factors=asked)
    setting = new_setting(scenario, spec, market, n_paths)
    # what is settled in USDC turns into dollars source by source, and who holds it alone has them
    alone = any(investor.holding is not None for investor in scenario.investors.values())
    ask = Ask(by_source=by_source or (alone and setting.usdc is not None), record=record)
    days = wanted_days(scenario)
    played: dict[str, Played[Any, Any]] = {}
    asks: dict[str, Ask] = {}
    order = in_order(scenario.instruments)
    for label in order:
        own = scenario.instruments[label].positions(label)
        names = frozenset(position.name for position in own)
        asks[label] = replace(ask, size=size(scenario, own[0]), days=names & days)
    for label, is_play in turns(scenario.instruments):
        terms = scenario.instruments[label]
        ground = BlockGround(scenario, setting, label, played, asks)
        with working_for(label, terms.kind):
            if is_play:
                drivers = played[label].drivers
                found = model_of(terms).play(label, terms, drivers, setting, asks[label], ground)
            else:
                found = Played({}, model_of(terms).draw(label, terms, setting, ground))
        played[label] = found
    played = {label: played[label] for label in order}
    instruments = {name: held for found in played.values() for name, held in found.paths.items()}
    turn_into_dollars(scenario.positions, setting.usdc, instruments)
    return World(market, setting, instruments, {}, played, asks)


def each_investor(
    scenario: Scenario,
    world: World,
    *,
    count: int | None = None,
    wanted: portfolio.Wanted = portfolio.EVERYTHING,
) -> Iterator[tuple[str, InvestorPaths]]:
    """Yield the investors by name, each made when it is asked for.

    Who lets each go before the next one keeps memory small and warm: all portfolios together
    are larger than the instruments. `count` paths are wanted, the others pad the lanes.
    """
    for name, investor in scenario.investors.items():
        if investor.holding is not None:
            yield name, InvestorPaths(name, _position(investor, world.instruments))
        else:
            held = portfolio.hold(investor, world.instruments, count=count, wanted=wanted)
            yield name, InvestorPaths(name, held.whole, held)


def _position(
    investor: InvestorTerms, instruments: Mapping[str, InstrumentPaths]
) -> InstrumentPaths:
    """Return an investor's share of an instrument, whose paths are those of one unit."""
    one = instruments[str(investor.holding)]
    if investor.ounces is not None:
        factor = investor.ounces / float(one.initial["ounces"][0])
    else:
        factor = (investor.capital_usd or 0.0) / float(one.initial["usd"][0])
    return one if factor == 1.0 else scaled(one, factor)
