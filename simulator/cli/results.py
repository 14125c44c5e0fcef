"""The JSON object that `assay run --json` prints."""

from __future__ import annotations

import math
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from simulator.claims import Verdict, as_object
from simulator.engine import BreakEven, Simulation
from simulator.engine.attribution import contributions
from simulator.engine.losses import Losses, losses_of
from simulator.investors import InvestorMeasures
from simulator.replay import EveryPath, Replay, every_object


def peak_rss_mib() -> float:
    """Return this process's largest resident size so far, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def run_object(
    simulation: Simulation,
    verdicts: Sequence[Verdict],
    replays: Sequence[Replay],
    turns: Sequence[BreakEven] = (),
    every: EveryPath | None = None,
) -> dict[str, Any]:
    """Return everything a run found, as plain data, without clock and place."""
    scenario = simulation.scenario
    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "paths": scenario.paths,
        "steps": scenario.horizon_days,
        "checksum": simulation.checksum,
        "verdicts": [as_object(verdict) for verdict in verdicts],
        "break_evens": break_even_objects(turns),
        "investors": {name: _investor(m) for name, m in simulation.investors.items()},
        "instruments": {name: _instrument(m) for name, m in simulation.instruments.items()},
        "replays": reconciliation_object(replays),
        "every_path": None if every is None else every_object(every),
    }


def break_even_objects(turns: Sequence[BreakEven]) -> list[dict[str, Any]]:
    """Return at which values claims would be as likely as not, without all that was tried."""
    kept = ("claim", "parameter", "paths", "value", "standard_error", "probability", "low", "high")
    return [
        {**{name: getattr(one, name) for name in kept}, "now": one.present.value} for one in turns
    ]


def _investor(measures: InvestorMeasures) -> dict[str, Any]:
    return {
        "holding": measures.holding,
        "attribution_gap": measures.attribution_gap,
        "unpaid_mean": float(measures.unpaid.mean()),
        **{
            unit: {**_spread(measures, unit), "losses": losses_object(losses_of(measures, unit))}
            for unit in measures.units
        },
    }


def losses_object(found: Losses) -> dict[str, Any]:
    """Return what can be lost as plain data; null where it is not known."""
    return {
        "significant_loss_a_year": _known(found.significant),
        "significant_loss_interval": [_known(end) for end in found.significant_interval],
        "loss": _known(found.loss),
        "loss_interval": [_known(end) for end in found.loss_interval],
        **{f"var_{100 - 100 * t:.0f}": _known(v) for t, v in found.value_at_risk.items()},
        **{f"es_{100 - 100 * t:.0f}": _known(v) for t, v in found.expected_shortfall.items()},
        "under_water_days_median": _known(found.under_water_days),
        "under_water_open": _known(found.under_water_open),
        "under_water_share": _known(found.under_water_share),
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _spread(measures: InvestorMeasures, unit: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("total_return", "drawdown"):
        low, middle, high = np.quantile(measures.values[name, unit], (0.05, 0.5, 0.95))
        mean = float(measures.values[name, unit].mean())
        found[name] = {"p05": low, "median": middle, "p95": high, "mean": mean}
    return found


def _instrument(measures: InvestorMeasures) -> dict[str, Any]:
    return {
        unit: {
            "return_mean": float(measures.values["total_return", unit].mean()),
            "drawdown_median": float(np.median(measures.values["drawdown", unit])),
            "losses": losses_object(losses_of(measures, unit)),
            "attribution": {
                source.name: {"kind": source.kind, "mean_share": mean.value}
                for source, mean in zip(
                    measures.sources, contributions(measures).by_source[unit], strict=True
                )
            },
        }
        for unit in measures.units
    }


def replay_object(replay: Replay) -> dict[str, Any]:
    """Return one replay as plain data."""
    return {
        "label": replay.label,
        "path": replay.path,
        "chain": replay.chain,
        "transactions": replay.transactions,
        "seconds": round(replay.seconds, 3),
        "gas": replay.gas,
        "gas_is_lower_bound": not replay.gas_is_exact,
        "holder_gas": _by_label(replay.holder_gas),
        "decisions": replay.decisions,
        "in_band": replay.in_band,
        "ok": replay.ok,
        "notes": list(replay.notes),
        "observables": [asdict(observable) for observable in replay.observables],
    }


def _by_label(holder_gas: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Return gas by label, then by act."""
    found: dict[str, dict[str, int]] = {}
    for (label, act), used in holder_gas.items():
        found.setdefault(label, {})[act] = used
    return found


def reconciliation_object(replays: Sequence[Replay]) -> list[dict[str, Any]]:
    """Return the replays without their timing: the run folder holds no clock."""
    objects = [replay_object(replay) for replay in replays]
    return [{k: v for k, v in item.items() if k != "seconds"} for item in objects]
