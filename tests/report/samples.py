"""A small run built by hand: numbers that can be followed with pencil and paper."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd

from simulator.claims import Outcomes, Verdict, judge_events
from simulator.engine import Simulation
from simulator.instruments.base import UNITS, Source
from simulator.investors import InvestorMeasures
from simulator.market.build import market_spec
from simulator.replay import ObservableResult, Replay
from simulator.scenario.files import LoadedScenario, load_scenario
from simulator.units import calendar

N_PATHS = 200
NO_POOL = (
    "instruments.gold_vault.pool=null",
    "instruments.gold_vault.pool_share=0",
    "instruments.gold_vault.pool_pace=null",
    "instruments.gold_pool=null",
)
"""The vault lends alone: its pool would want daily series of its own."""
DEPOSIT = {"ounces": 100.0, "usd": 400_000.0}

VAULT_SOURCES = (
    Source("interest", "organic", "Interest from borrowers"),
    Source("emissions", "subsidised", "Token <emissions>"),
    Source("gold_price", "market", "Gold price"),
    Source("exploit", "loss", "Exploit"),
    Source("bad_debt", "loss", "Bad debt"),
    Source("vault_fees", "cost", "Vault fees"),
)
TOKEN_SOURCES = (
    Source("gold_price", "market", "Gold price"),
    Source("sale_spread", "cost", "Spread when selling the token"),
)


def loaded(*overrides: str) -> LoadedScenario:
    """Return the sober scenario with few paths; its claims are about `holder`."""
    alone = (*NO_POOL, f"paths={N_PATHS}")
    return load_scenario("gold-vault-sober", overrides=[*alone, *overrides])


def vault_measures() -> InvestorMeasures:
    """Interest 1 %, emissions 3 %, fees -0.5 %; every tenth path loses 80 % to an exploit.

    In dollars gold adds 12 % on even paths and takes 10 % on odd ones.
    """
    path = np.arange(N_PATHS)
    exploited = path % 10 == 0
    gold = np.where(path % 2 == 0, 0.12, -0.10)
    ones, none = np.ones(N_PATHS), np.zeros(N_PATHS)
    loss = np.where(exploited, -0.8, 0.0)
    parts = {
        "ounces": [0.01 * ones, 0.03 * ones, none, loss, none, -0.005 * ones],
        "usd": [0.01 * ones, 0.03 * ones, gold, loss, none, -0.005 * ones],
    }
    return _measures("holder", "gold_vault", VAULT_SOURCES, parts, exploited)


def token_measures() -> InvestorMeasures:
    """Gold as in the vault, less a spread of 0.1 %."""
    path = np.arange(N_PATHS)
    gold = np.where(path % 2 == 0, 0.12, -0.10)
    none = np.zeros(N_PATHS)
    parts = {"ounces": [none, none], "usd": [gold, np.full(N_PATHS, -0.001)]}
    return _measures("token_only", "gold_token", TOKEN_SOURCES, parts, path < 0)


def _measures(name, holding, sources, parts, exploited) -> InvestorMeasures:
    values, attribution, initial, final = {}, {}, {}, {}
    for unit in UNITS:
        shares = np.array(parts[unit])
        gain = shares.sum(axis=0)
        values["annual_yield", unit] = gain
        values["total_return", unit] = gain
        values["drawdown", unit] = np.where(exploited, 0.8, 0.001)
        values["yield_deviation", unit] = np.where(exploited, 2.0, 0.005)
        initial[unit] = np.full(N_PATHS, DEPOSIT[unit])
        attribution[unit] = shares * DEPOSIT[unit]
        final[unit] = DEPOSIT[unit] * (1 + gain)
    return InvestorMeasures(
        name=name,
        holding=holding,
        sources=sources,
        values=values,
        attribution=attribution,
        initial=initial,
        final=final,
        events=exploited.astype(np.int64),
        unpaid=np.where(exploited, 1.0, 0.0),
        organic_share=np.full(N_PATHS, 0.25 if holding == "gold_vault" else np.nan),
        attribution_gap=2e-16,
    )


def simulation(run: LoadedScenario) -> Simulation:
    return Simulation(
        scenario=run.scenario,
        calibration=run.calibration,
        spec=market_spec(run.scenario, run.calibration),
        outcomes=Outcomes({"holder": vault_measures(), "token_only": token_measures()}),
        instruments={"gold_vault": vault_measures(), "gold_token": token_measures()},
        daily=_daily(run.scenario.start, run.scenario.horizon_days),
        checksum="0123456789abcdef" * 4,
        seconds=1.5,
    )


def _daily(start: dt.date, days: int) -> pd.DataFrame:
    """Return fans that open in proportion to time."""
    firsts = {
        "price.gold": 4_000.0,
        "exit.holder.ounces": 100.0,
        "exit.holder.usd": 400_000.0,
        "exit.token_only.ounces": 100.0,
        "exit.token_only.usd": 400_000.0,
        "gold_vault.utilisation": 0.7,
    }
    passed = np.arange(days + 1) / days
    widths = {"p05": -0.1, "p25": -0.04, "p50": 0.01, "p75": 0.05, "p95": 0.12}
    parts = []
    for series, first in firsts.items():
        bands = {name: first * (1 + width * passed) for name, width in widths.items()}
        parts.append(pd.DataFrame({"date": calendar(start, days), "series": series, **bands}))
    return pd.concat(parts, ignore_index=True)


def verdicts(run: LoadedScenario, found: Simulation) -> tuple[Verdict, ...]:
    return judge_events(run.scenario.claims, found.outcomes)


def replay(label: str = "p50", path: int = 7, *, ok: bool = True, exact: bool = False) -> Replay:
    """Two observables over 20 days: errors of a tenth of the tolerance, or of three times it."""
    factor = 0.1 if ok else 3.0
    steps = np.arange(21)
    parts, results = [], []
    for name, tolerance in (("share_price", 1e-12), ("exit_value", 1e-8)):
        model = 1.0 + steps / 1000.0
        model = np.where(steps == 20, np.nan, model)
        chain = model + factor * tolerance * (steps % 2)
        parts.append(
            pd.DataFrame(
                {
                    "step": steps,
                    "instrument": "gold_vault",
                    "observable": name,
                    "model": model,
                    "chain": np.where(steps == 20, 5.0, chain),
                    "tolerance": tolerance,
                }
            )
        )
        results.append(ObservableResult("gold_vault", name, factor * tolerance, tolerance, 1, ok))
    return Replay(
        label=label,
        path=path,
        chain="revm",
        transactions=1_234,
        gas=56_789_000,
        seconds=0.5,
        holder_gas={("gold_vault", "enter"): 200_000, ("gold_vault", "claim"): 40_000},
        observables=tuple(results),
        decisions=160,
        in_band=0,
        series=pd.concat(parts, ignore_index=True),
        gas_is_exact=exact,
    )


def with_verdict(found: tuple[Verdict, ...], **changes: object) -> tuple[Verdict, ...]:
    """Return the verdicts with the first one changed."""
    return (replace(found[0], **changes), *found[1:])
