"""A run as an object: verdicts, values, prices, sources and single paths as pandas frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.claims import Verdict, from_object
from simulator.engine.attribution import contributions
from simulator.engine.compare import VERDICTS, read_run
from simulator.engine.simulate import Simulation, simulate
from simulator.engine.sources import load_source, stored_paths
from simulator.engine.verdicts import judge
from simulator.errors import InputError, Problem, UsageError
from simulator.instruments.base import Unit
from simulator.investors import InvestorMeasures
from simulator.investors.series import series
from simulator.investors.world import World, simulate_block
from simulator.scenario import LoadedScenario, Scenario
from simulator.scenario.observables import one_of
from simulator.study.paths import PathStory, story
from simulator.study.plots import Plots
from simulator.units import LANES, calendar

QUANTILES = ["p05", "p25", "p50", "p75", "p95"]
_VERDICT_COLUMNS = ["verdict", "words", "probability", "low", "high", "median", "p05", "p95"]
_KEPT_BLOCKS = 4


def run(
    scenario: LoadedScenario,
    *,
    workers: int | None = None,
    on_block: Callable[[Any], None] = lambda block: None,
) -> Run:
    """Simulate a scenario and judge its claims; nothing is written.

    Verdicts bear the sampling error alone: `assay run` adds parameter and assumption sets.

    Parameters
    ----------
    scenario : LoadedScenario
        As `load_scenario` gives it, or changed by its `with_` and `with_shock`.
    workers : int, optional
        Threads; by default one for each core.
    on_block : callable
        Called with each finished block of paths.

    Raises
    ------
    InputError
        The calibration lacks something that the scenario needs.
    """
    simulation = simulate(
        scenario.scenario, scenario.calibration, workers=workers, on_block=on_block
    )
    verdicts = judge(simulation, workers=workers, provenance=scenario.provenance)
    return Run(scenario, simulation, {verdict.claim: verdict for verdict in verdicts})


@dataclass(frozen=True, repr=False)
class Run:
    """A scenario, its simulation, and the verdicts.

    Attributes
    ----------
    loaded : LoadedScenario
    simulation : Simulation
    judged : dict of str to Verdict
        By claim.
    """

    loaded: LoadedScenario
    simulation: Simulation
    judged: dict[str, Verdict] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str | Path, *, workers: int | None = None) -> Run:
        """Return the run of a folder, simulated again from its scenario and calibration.

        Raises
        ------
        UsageError
            It is no run's folder.
        InputError
            Its files are not as Assay wrote them.
        """
        return run(load_source(str(folder)), workers=workers)

    @classmethod
    def read(cls, folder: str | Path) -> Run:
        """Return the finished run of a folder as it stands there, without simulating anything.

        Its verdicts are those that the run found, with their ranges over the sets.

        Raises
        ------
        UsageError
            It is no finished run.
        InputError
            Its files are not as Assay wrote them.
        """
        loaded = load_source(str(folder))
        simulation = stored_paths(Path(folder), loaded)
        found = read_run(Path(folder), loaded).verdicts
        try:
            return cls(loaded, simulation, {name: from_object(one) for name, one in found.items()})
        except (KeyError, TypeError) as error:
            rule = f"is not what Assay wrote: {error}"
            raise InputError([Problem(f"{folder}/{VERDICTS}", None, "", "", rule)]) from None

    @property
    def scenario(self) -> Scenario:
        """Return the resolved scenario."""
        return self.loaded.scenario

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """Return a row a claim: the word, its probability or estimate, and what was measured.

        `low` and `high` are the 95 % interval of sampling; `judged` has the verdicts whole.
        """
        rows = {name: _row(verdict) for name, verdict in self.judged.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=_VERDICT_COLUMNS)

    def nav(
        self, investor: str, unit: Unit = "usd", *, paths: Sequence[int] | None = None
    ) -> pd.DataFrame:
        """Return an investor's net asset value by what leaving pays, dates by quantiles or paths.

        Parameters
        ----------
        paths : sequence of int, optional
            Numbers of paths; by default the quantiles over the run's paths.

        Raises
        ------
        UsageError
            There is no such investor, unit or path.
        """
        self._measures(investor, unit)
        if paths is None:
            return self._quantiles(f"exit.{investor}.{unit}")
        return self._columns(paths, lambda w: w.investors[investor].holding.exit[unit])

    def prices(self, asset: str, *, paths: Sequence[int] | None = None) -> pd.DataFrame:
        """Return an asset's price in its own unit, dates by quantiles or paths.

        Raises
        ------
        UsageError
            There is no such asset or path.
        """
        self._check(asset, self.scenario.priced, "an asset of this market")
        return self.series(f"price.{asset}", paths=paths)

    def series(self, name: str, *, paths: Sequence[int] | None = None) -> pd.DataFrame:
        """Return a daily series by the name that claims use, as `gold_vault.utilisation`.

        Raises
        ------
        UsageError
            The report has no quantiles of it: name paths.
        InputError
            There is no such series.
        """
        if paths is None:
            return self._quantiles(name)
        return self._columns(paths, lambda w: series(w.market, w.instruments, name))

    def path(self, number: int) -> PathStory:
        """Return one path, day by day.

        Raises
        ------
        UsageError
            The run has no such path.
        """
        world, lane = self._block(number)
        return story(world, lane, number)

    def measures(self, who: str) -> pd.DataFrame:
        """Return an investor's or an instrument's measures, a row a path.

        Columns are `measure_unit`, `initial_unit` and `final_unit`, as those of a run's folder.

        Raises
        ------
        UsageError
            Nobody is called so.
        """
        found = self._measures(who)
        columns = {f"{measure}_{unit}": values for (measure, unit), values in found.values.items()}
        for unit in found.units:
            columns[f"initial_{unit}"] = found.initial[unit]
            columns[f"final_{unit}"] = found.final[unit]
        return pd.DataFrame(columns).rename_axis(index="path")

    def attribution(self, who: str) -> pd.DataFrame:
        """Return where the return comes from: a row a source, means as shares of the deposit.

        Columns are kind, and for each unit its mean and the standard error (`usd`, `usd_error`).
        The rows sum to the row `net`.

        Raises
        ------
        UsageError
            Nobody is called so.
        """
        found = contributions(self._measures(who))
        rows: dict[str, dict[str, Any]] = {
            line.label: {
                "kind": line.kind or "",
                **{unit: mean.value for unit, mean in line.means.items()},
                **{f"{unit}_error": mean.error for unit, mean in line.means.items()},
            }
            for line in found.sources
        }
        net: dict[str, Any] = {
            "kind": "",
            **{unit: mean.value for unit, mean in found.net.means.items()},
        }
        net |= {f"{unit}_error": mean.error for unit, mean in found.net.means.items()}
        return pd.DataFrame.from_dict({**rows, "net": net}, orient="index")

    @property
    def plot(self) -> Plots:
        """Return the run's charts: `run.plot.fan("stable")`."""
        return Plots(self._quantiles, tuple(self.simulation.investors))

    def compare(self, *others: Run) -> pd.DataFrame:
        """Return the verdicts of runs side by side: columns (run, word) and (run, probability).

        Runs of one name are numbered.
        """
        parts: dict[str, pd.DataFrame] = {}
        for each in (self, *others):
            name, count = each.scenario.name, 2
            while name in parts:
                name, count = f"{each.scenario.name}-{count}", count + 1
            parts[name] = each.verdicts[["verdict", "probability"]]
        return pd.concat(parts, axis=1)

    # -- how it is found -----------------------------------------------------------------------

    def _quantiles(self, name: str) -> pd.DataFrame:
        daily = self.simulation.daily
        rows = daily[daily["series"] == name]
        if rows.empty:
            known = sorted(set(daily["series"]))
            raise UsageError(f"series {name}: {one_of(name, known, 'a series with quantiles')}")
        return rows.set_index("date")[QUANTILES]

    def _columns(self, paths: Sequence[int], find: Callable[[World], Any]) -> pd.DataFrame:
        found = {}
        for number in paths:
            world, lane = self._block(number)
            found[number] = find(world)[:, lane].copy()
        days = calendar(self.scenario.start, self.scenario.horizon_days).rename("date")
        return pd.DataFrame(found, index=days).rename_axis(columns="path")

    def _block(self, number: int) -> tuple[World, int]:
        """Return the block that holds a path, and its lane there."""
        if not 0 <= number < self.scenario.paths:
            raise UsageError(f"no path {number}; must be 0 to {self.scenario.paths - 1}")
        return self._worlds(number // LANES), number % LANES

    @cached_property
    def _worlds(self) -> Callable[[int], World]:
        @lru_cache(maxsize=_KEPT_BLOCKS)
        def world(block: int) -> World:
            return simulate_block(self.scenario, self.simulation.spec, block * LANES, LANES)

        return world

    def _measures(self, who: str, unit: str = "") -> InvestorMeasures:
        known = {**self.simulation.instruments, **self.simulation.investors}
        self._check(who, known, "an investor or an instrument of this run")
        if unit and unit not in known[who].units:
            units = " or ".join(known[who].units)
            raise UsageError(f"{who} is not measured in {unit}; must be {units}")
        return known[who]

    def _check(self, name: str, known: Any, what: str) -> None:
        if name not in known:
            raise UsageError(f"{name}: {one_of(name, list(known), what)}")

    def __repr__(self) -> str:
        scenario = self.scenario
        words = self.verdicts["verdict"].value_counts()
        told = ", ".join(f"{count} {word}" for word, count in words.items())
        claims = f"{len(self.judged)} claim{'' if len(self.judged) == 1 else 's'}"
        return (
            f"Run of {scenario.name}: {scenario.paths:,} paths of {scenario.horizon_days:,} days "
            f"from {scenario.start}\n{claims}: {told}"
        )

    def _repr_html_(self) -> str:
        frame: str = self.verdicts.to_html(float_format="{:.4g}".format)
        return f"<p>{self!r}</p>{frame}".replace("\n", " ")


def _row(verdict: Verdict) -> list[Any]:
    told = verdict.probability if verdict.kind == "event" else verdict.estimate
    low, high = verdict.interval
    numbers = [told, low, high, verdict.median, verdict.p05, verdict.p95]
    return [verdict.verdict, verdict.words, *numbers]
