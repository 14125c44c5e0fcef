"""One block of paths, whole: market, drivers, instruments, investors.

The engine reduces blocks to measures; the replay takes single paths out of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.instruments import gold_token, gold_vault
from simulator.instruments.gold_token import GoldTokenDrivers
from simulator.instruments.gold_vault import GoldVaultDrivers, GoldVaultRecord
from simulator.investors.paths import InvestorPaths
from simulator.market.dynamics import MarketSpec
from simulator.market.paths import MarketPaths, simulate_market
from simulator.scenario.models import Scenario
from simulator.units import FloatArray


@dataclass(frozen=True)
class World:
    """A block of paths; `vault` and `record` are None where the scenario has no vault.

    `record` is empty unless it was asked for.
    """

    market: MarketPaths
    token: GoldTokenDrivers
    vault: GoldVaultDrivers | None
    record: GoldVaultRecord | None
    investors: Mapping[str, InvestorPaths]


def vault_holder(scenario: Scenario) -> tuple[str, float]:
    """Return the name and ounces of the vault's measured holder.

    Without one, a depositor of one ounce stands in, so that the vault can be watched.
    """
    for name, investor in scenario.investors.items():
        if investor.holding == "gold_vault":
            return name, investor.ounces
    return "", 1.0


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

    `block`, of `market.paths.empty_block`, takes the prices; reusing one a thread keeps them
    in the cache. The world then holds until the block is filled again.
    """
    market = simulate_market(spec, scenario.seed, first_path, n_paths, block=block)
    terms = scenario.instruments
    token = gold_token.draw_drivers(terms.gold_token, market, scenario.seed)
    investors: dict[str, InvestorPaths] = {}
    vault_drivers = vault_record = None
    if terms.gold_vault is not None:
        gold_volatility = float(spec.volatility[spec.assets.index("gold")])
        vault_drivers = gold_vault.draw_drivers(
            terms.gold_vault, token.prices, gold_volatility, first_path, scenario.seed
        )
        name, ounces = vault_holder(scenario)
        holding, vault_record = gold_vault.simulate(
            terms.gold_vault, terms.gold_token, scenario.gas, vault_drivers, ounces, record=record
        )
        investors[name] = InvestorPaths(name, holding)
    for name, investor in scenario.investors.items():
        if investor.holding == "gold_token":
            held = gold_token.simulate(terms.gold_token, token.prices, investor.ounces)
            investors[name] = InvestorPaths(name, held)
    ordered = {name: investors[name] for name in scenario.investors}
    return World(market, token, vault_drivers, vault_record, ordered)
