"""Two scenarios whose answers are known in closed form, for break-even and sensitivity."""

from simulator.scenario import LoadedScenario, load_scenario

TOKEN = """
name: token
title: A gold token without premium, spread or shortfall
start: 2026-01-20
paths: {paths}
seed: 7
market:
  model: gbm
  assets:
    gold: {{drift: {drift}, volatility: 0.2}}
instruments:
  gold_token:
    premium_mean: 0.0
    premium_deviation: 0.0
    shortfall_hazard: 0.0
    sale_spread_bps: 0.0
investors:
  owner: {{holding: gold_token, ounces: 1}}
claims:
  rises:
    says: up
    subject: owner
    conditions: [{{measure: total_return, unit: usd, at_least: {bound}}}]
  band:
    says: up a little
    subject: owner
    conditions: [{{measure: total_return, unit: usd, at_least: 0.0, at_most: 0.4}}]
  never:
    says: up a thousandfold
    subject: owner
    conditions: [{{measure: total_return, unit: usd, at_least: 999}}]
replay: {{subject: owner}}
"""

TWO_METALS = (
    "market.assets.silver={drift: 0.05, volatility: 0.3}",
    "instruments.bar={kind: holding, what: physical_gold, fee: 0, buy_spread_bps: 0, "
    "sell_spread_bps: 0}",
    "instruments.coin={kind: holding, what: physical_gold, asset: silver, fee: 0, "
    "buy_spread_bps: 0, sell_spread_bps: 0}",
    "investors.gold={holding: bar, capital_usd: 1_000}",
    "investors.silver={holding: coin, capital_usd: 1_000}",
    "claims.beats={kind: effect, says: gold beats silver, subject: gold, against: silver, "
    "conditions: [{measure: total_return, unit: usd, at_least: 0}]}",
)
"""Beside the token: gold and silver without costs, of equal drift where gold has 5 % too."""

VARIANCE = 0.2**2 * 250 / 252
"""Of the token's log price over the 365 days: 250 of them are trading days (a test counts)."""

CALM = (
    "instruments.gold_token.shortfall_hazard=0",
    "instruments.gold_vault.exploit_hazard=0",
    "instruments.gold_vault.flow_deviation=0",
    "instruments.gold_vault.pool=null",
    "instruments.gold_vault.pool_share=0",
    "instruments.gold_vault.emissions={tokens_per_day: 1_000, price_volatility: 0, dilution: 0, "
    "slippage_bps: 0}",
    "instruments.gold_token.premium_mean=0",
    "instruments.gold_token.premium_deviation=0",
    "market.assets.gold={drift: 0, volatility: 1e-9, price: 4_000}",
    "instruments.gold_vault.borrowers.demand_share=0",
    "gas.price_gwei=0",
    "claims.gold-vault-8-12.conditions=[{measure: total_return, unit: ounces, at_least: 0.02}]",
)
"""A vault in which nothing happens but its emissions, on every path the same; gold stands still."""


def token(folder, *overrides, paths=2048, drift=0.0, bound=0.1) -> LoadedScenario:
    path = folder / "token.yaml"
    path.write_text(TOKEN.format(paths=paths, drift=drift, bound=bound), encoding="utf-8")
    return load_scenario(path, overrides=overrides)


def calm(*overrides) -> LoadedScenario:
    return load_scenario("gold-vault-sober", overrides=("paths=128", *CALM, *overrides))
