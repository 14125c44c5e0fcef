"""`assay market`: the market of a scenario by itself."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from simulator.cli.options import (
    all_overrides,
    named_columns,
    tell_history,
    tell_warnings,
)
from simulator.cli.progress import Reporter
from simulator.cli.results import peak_rss_mib
from simulator.engine import MarketSummary, summarise_market
from simulator.engine.against import Against, Question, answer, ask
from simulator.engine.extremes import scenario_extremes
from simulator.errors import InputError
from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec
from simulator.measures.extremes import Held
from simulator.report import print_market, render_market
from simulator.scenario import load_market, load_scenario
from simulator.writer import check_target, write_text


def market(
    scenario: str,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    against_files: tuple[Path, ...],
    columns: tuple[str, ...],
    exclude: tuple[str, ...],
    keep: tuple[str, ...],
    out: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Do what `assay market` is asked for, as its own module in `commands` says."""
    reporter = Reporter(quiet=as_json)
    loaded = load_market(
        scenario, overrides=all_overrides(overrides, paths, seed), calibration=calibration
    )
    if out is not None:
        check_target("--out", out)
    terms = loaded.scenario
    tell_warnings(loaded, strict)
    tell_history(market_spec(terms, loaded.calibration))  # a faulty one is refused here
    if terms.shocks:
        click.echo("note: the market is shown without its shocks; assay run tells them", err=True)
    question = None
    if against_files:
        named = named_columns(columns)
        question = ask(terms, loaded.calibration, against_files, named, exclude, keep)
        for note in question.notes:
            click.echo(f"note: {note}", err=True)
    text = f"simulating {terms.paths:,} paths over {terms.horizon_days} days"
    with reporter.task(text, terms.paths) as advance:
        summary = summarise_market(terms, loaded.calibration, on_block=advance)
    held = _held(scenario, all_overrides(overrides, paths, seed), calibration, reporter)
    against = None if question is None else _compared(reporter, question)
    if out is not None:
        write_text(out, render_market(loaded, summary, against, held))
    if as_json:
        click.echo(json.dumps(market_object(summary, out, against, held), allow_nan=False))
        return
    print_market(Console(highlight=False), loaded, summary, against, held)
    if out is not None:
        click.echo(f"page: {out}")


def _held(
    scenario: str, overrides: tuple[str, ...], calibration: str | None, reporter: Reporter
) -> Held:
    """Return the extremes of instruments and investors; empty where the file is a market alone."""
    try:
        loaded = load_scenario(scenario, overrides=overrides, calibration=calibration)
    except InputError:
        return {}
    terms = loaded.scenario.model_copy(update={"shocks": None})  # as the prices beside it
    with reporter.task("the same of what is held", terms.paths) as advance:
        found = scenario_extremes(terms, loaded.calibration, on_block=advance)
    return {group: rows for group, rows in found.items() if group != "assets"}


def _compared(reporter: Reporter, question: Question) -> Against:
    assets = ", ".join(question.pasts)
    with reporter.task(f"comparing {assets} with history", 1) as advance:
        found = answer(question)
        advance(1)
    return found


def market_object(
    summary: MarketSummary,
    page: Path | None = None,
    against: Against | None = None,
    held: Held | None = None,
) -> dict[str, Any]:
    """Return everything that was found, as plain data; `page` is the file written, if any."""
    scenario = summary.scenario
    return {
        "scenario": scenario.name,
        "model": scenario.market.model,
        "bootstrap": _bootstrap(summary),
        "calibration": summary.calibration.name,
        "seed": scenario.seed,
        "paths": scenario.paths,
        "steps": scenario.horizon_days,
        "start": f"{summary.spec.dates[0]:%Y-%m-%d}",
        "end": f"{summary.spec.dates[-1]:%Y-%m-%d}",
        "checksum": summary.checksum,
        "seconds": {"simulate": round(summary.seconds, 3)},
        "peak_rss_mib": peak_rss_mib(),
        "page": None if page is None else str(page),
        "assets": {
            asset.name: {key: value for key, value in asdict(asset).items() if key != "name"}
            for asset in summary.assets
        },
        "correlation": {
            "assets": [asset.name for asset in summary.assets],
            "matrix": summary.correlation.tolist(),
        },
        "drift": _drift(summary),
        "factors": _factors(summary),
        "extremes": {name: asdict(found) for name, found in summary.extremes.items()},
        "holdings": {
            group: {name: asdict(found) for name, found in rows.items()}
            for group, rows in (held or {}).items()
        },
        "notes": list(summary.notes),
        "against": None if against is None else _against(against),
    }


def _drift(summary: MarketSummary) -> dict[str, list[dict[str, Any]]]:
    """Return the parts of each asset's drift."""
    found: dict[str, list[dict[str, Any]]] = {asset.name: [] for asset in summary.assets}
    for share in summary.drift:
        fields = asdict(share)
        found[fields.pop("asset")].append(fields)
    return found


def _factors(summary: MarketSummary) -> dict[str, dict[str, Any]]:
    """Return each factor's quantiles on the first and on the last day."""
    quantiles = ["p05", "p25", "p50", "p75", "p95"]
    found = {}
    for name, rows in summary.factors.groupby("series", sort=False, observed=True):
        ends = rows[quantiles].astype(float)
        found[str(name)] = {
            "unit": summary.factor_units[str(name)],
            "start": ends.iloc[0].to_dict(),
            "end": ends.iloc[-1].to_dict(),
        }
    return found


def _against(against: Against) -> dict[str, Any]:
    return {
        "tables": list(against.frequencies),
        "histories": against.histories,
        "inside": against.inside,
        "count": len(against.rows),
        "cells": [
            {
                **asdict(row.cell),
                **{name: value for name, value in asdict(row).items() if name != "cell"},
                "inside": row.inside,
            }
            for row in against.rows
        ],
    }


def _bootstrap(summary: MarketSummary) -> dict[str, Any] | None:
    history = summary.spec.history
    if history is None:
        return None
    return {
        "history": history.file,
        "sha256": history.sha256,
        "frequency": str(history.kind),
        "returns": history.returns.shape[1],
        "mean_block": history.mean_block,
        "smooth": history.smooth,
        "volatility_start": _first_volatilities(summary.spec),
    }


def _first_volatilities(spec: MarketSpec) -> dict[str, float] | None:
    """Return the annual volatility of the first day by asset; None where past days are plain."""
    history = spec.history
    if history is None or not history.smooth:
        return None
    first = np.sqrt(history.smoothed.start * history.periods_per_year)
    return dict(zip(spec.assets, first.tolist(), strict=True))
