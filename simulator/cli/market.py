"""`assay market`: the market of a scenario by itself."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from simulator.cli.options import all_overrides, json_option, scenario_options
from simulator.cli.progress import Reporter
from simulator.cli.results import peak_rss_mib
from simulator.engine import MarketSummary, summarise_market
from simulator.errors import UsageError
from simulator.market.build import market_spec
from simulator.report import print_market, render_market
from simulator.scenario import load_scenario


@click.command()
@click.argument("scenario")
@scenario_options
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE.html", help="Write a page too."
)
@json_option
def market(
    scenario: str,
    paths: int | None,
    seed: int | None,
    calibration: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> None:
    """Show what the prices of SCENARIO do, without instruments."""
    reporter = Reporter(quiet=as_json)
    loaded = load_scenario(
        scenario, overrides=all_overrides(overrides, paths, seed), calibration=calibration
    )
    if out is not None:
        _check_target(out)
    terms = loaded.scenario
    market_spec(terms, loaded.calibration)  # a faulty history is refused here
    text = f"simulating {terms.paths:,} paths over {terms.horizon_days} days"
    with reporter.task(text, terms.paths) as advance:
        summary = summarise_market(terms, loaded.calibration, on_block=advance)
    if out is not None:
        _write(out, render_market(loaded, summary))
    if as_json:
        click.echo(json.dumps(market_object(summary, out), allow_nan=False))
        return
    print_market(Console(highlight=False), loaded, summary)
    if out is not None:
        click.echo(f"page: {out}")


def market_object(summary: MarketSummary, page: Path | None = None) -> dict[str, Any]:
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
    }


def _check_target(out: Path) -> None:
    """Refuse a file that could not be written, before anything is simulated."""
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; name a file, such as market.html")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}")


def _write(out: Path, page: str) -> None:
    temporary = out.with_name(f".{out.name}.part")
    try:
        temporary.write_text(page, encoding="utf-8", newline="\n")
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"--out {out}: cannot be written: {error.strerror}") from None
