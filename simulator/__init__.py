"""Assay puts the yield claims of tokenized commodities to the test.

    import simulator as assay

    scenario = assay.load_scenario("gold-vault-sober").with_(paths=2_000)
    crashed = assay.run(scenario.with_shock("price.gold", -0.20, day=60))
    crashed.verdicts                        # a DataFrame, a row a claim
    crashed.nav("holder")                   # dates by quantiles
    crashed.path(17).prices                 # one path, day by day
    assay.replay(crashed, "p05").events     # what it did on a chain, event by event

The names below load on first use: `import simulator` alone takes no numpy, and only what
opens a chain needs the `chain` extra.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.chain import Chain, open_chain
    from simulator.claims import ConditionResult, Outcomes, Verdict
    from simulator.engine.breakeven import break_even
    from simulator.engine.sensitivity import sensitivity
    from simulator.engine.simulate import Simulation, simulate
    from simulator.engine.sweep import sweep
    from simulator.engine.verdicts import judge
    from simulator.errors import (
        AssayError,
        ChainUnavailable,
        ForbiddenEndpoint,
        InputError,
        Problem,
        ReconciliationFailed,
        TransactionReverted,
        UsageError,
    )
    from simulator.investors import InvestorMeasures
    from simulator.replay import Choice, ObservableResult, choose, players
    from simulator.replay.play import Replay, play
    from simulator.scenario import (
        Calibration,
        LoadedScenario,
        Scenario,
        load_calibration,
        load_scenario,
        shipped_scenarios,
    )
    from simulator.study import PathReplay, PathStory, Run, local_chain, replay, run

__all__ = [
    "AssayError",
    "Calibration",
    "Chain",
    "ChainUnavailable",
    "Choice",
    "ConditionResult",
    "ForbiddenEndpoint",
    "InputError",
    "InvestorMeasures",
    "LoadedScenario",
    "ObservableResult",
    "Outcomes",
    "PathReplay",
    "PathStory",
    "Problem",
    "ReconciliationFailed",
    "Replay",
    "Run",
    "Scenario",
    "Simulation",
    "TransactionReverted",
    "UsageError",
    "Verdict",
    "break_even",
    "choose",
    "judge",
    "load_calibration",
    "load_scenario",
    "local_chain",
    "open_chain",
    "play",
    "players",
    "replay",
    "run",
    "sensitivity",
    "shipped_scenarios",
    "simulate",
    "sweep",
]

_HOMES = {
    "chain": ("Chain", "open_chain"),
    "claims": ("ConditionResult", "Outcomes", "Verdict"),
    "engine": ("Simulation", "break_even", "judge", "sensitivity", "simulate", "sweep"),
    "errors": (
        "AssayError",
        "ChainUnavailable",
        "ForbiddenEndpoint",
        "InputError",
        "Problem",
        "ReconciliationFailed",
        "TransactionReverted",
        "UsageError",
    ),
    "investors": ("InvestorMeasures",),
    "replay": ("Choice", "ObservableResult", "Replay", "choose", "play", "players"),
    "study": ("PathReplay", "PathStory", "Run", "local_chain", "replay", "run"),
    "scenario": (
        "Calibration",
        "LoadedScenario",
        "Scenario",
        "load_calibration",
        "load_scenario",
        "shipped_scenarios",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


class _Package(ModuleType):
    """Leaves `replay` to the function: Python would give the name to the folder it imports.

    The folder is there by its full name: `from simulator.replay import ...`.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "replay" or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
