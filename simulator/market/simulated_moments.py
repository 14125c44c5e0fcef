"""Fits what no likelihood can: the figures that make simulated histories look like the real one.

How many of the wild days are events, how wild a stress is and how it ties assets together act on
everything at once. They are chosen jointly, so that the figures of simulated histories of the real
length come near those of the history (the method of simulated moments); and the shocks'
correlations so that the returns correlate as they did.

Every fit begins at the same values, whatever calibration lies below: the same tables make the same
figures. The same draws are used for every candidate, so that only the parameters move the figures.

References
----------
McFadden (1989), doi:10.2307/1913621; Duffie and Singleton (1993), doi:10.2307/2951768.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from simulator.market.build import market_spec
from simulator.market.calibration.figures import significant
from simulator.market.calibration.matrix import consistent_values
from simulator.market.validation.compare import (
    BAND,
    historical_figures,
    matched,
    simulated_figures,
)
from simulator.market.validation.past import Past
from simulator.scenario.calibration import SMALLEST_EIGENVALUE, Calibration
from simulator.scenario.correlation import nearest_correlation
from simulator.scenario.macro_types import Regimes, Sourced
from simulator.scenario.market import AssetTerms, MarketTerms
from simulator.scenario.models import MarketScenario
from simulator.units import FloatArray

HISTORIES = 256
SEED = 20_260_121
ROUNDS = 4
"""Of the correlations given the parameters, and of the parameters given the correlations."""
STEPS = 2
"""Gauss-Newton steps of the parameters in a round."""
DAMPING = 0.3
"""Of a step, as a share of the curvature: the weights of stress are loosely tied down."""
DIGITS = 4
_NORMAL_RANGE = 3.29
"""Standard deviations between a normal's 5 and 95 % quantiles."""
_MOST_MOVES = 20
_LARGEST = 0.97
"""No correlation of shocks is moved beyond this."""
_NOTE = "by simulated moments: jointly with the other figures that say so"

Progress = Callable[[str], None]
Of = TypeVar("Of", bound=Sourced)


@dataclass(frozen=True)
class Parameter:
    """A number that is fitted.

    start : where the search begins
    low, high : it stays between
    step : by which its effect is measured
    loads : the assets whose weight on the shock of stress it is
    """

    name: str
    start: float
    low: float
    high: float
    step: float
    loads: tuple[str, ...] = ()


PARAMETERS = (
    Parameter("event_share", 0.34, 0.0, 1.0, 0.1),
    Parameter("stress_volatility", 2.56, 1.0, 4.0, 0.2),
    Parameter("gold", 0.0009, -0.7, 0.7, 0.1, ("gold",)),
    Parameter("other metals", 0.42, -0.7, 0.7, 0.1, ("silver", "copper")),
    Parameter("shares", 0.7, -0.7, 0.7, 0.1, ("big_tech", "small_caps", "copper_miners")),
    Parameter("gold miners", 0.56, -0.7, 0.7, 0.1, ("gold_miners",)),
    Parameter("coins", 0.58, -0.7, 0.7, 0.1, ("bitcoin", "altcoins")),
)
"""What is fitted jointly, from where an earlier fit had ended; the last five are weights on the
common shock of stress."""


@dataclass(frozen=True)
class MomentFit:
    """A calibration fitted by simulated moments.

    distance : sum of the squared distances of the figures, each in standard deviations
    errors : standard error of each parameter, by name
    """

    calibration: Calibration
    distance: float
    errors: Mapping[str, float]


def fit_moments(
    calibration: Calibration,
    pasts: Mapping[str, Past],
    progress: Progress = lambda what: None,
) -> MomentFit:
    """Return a calibration with the figures that simulated moments fit; takes minutes.

    Parameters
    ----------
    calibration : Calibration
        As fitted by likelihood, for all else and as the start.
    pasts : by asset, the history to come near to; others have no say
    """
    known = {asset: pasts[asset] for asset in calibration.assets if asset in pasts}
    search = _Search(calibration, known, progress)
    values = search.start_values
    shocks = search.shocks_at(values, {})
    for number in range(1, ROUNDS + 1):
        progress(f"round {number} of {ROUNDS}")
        values = search.improved(values, shocks)
        shocks = search.shocks_at(values, shocks)
    distances, simulated = search.distances(values, shocks)
    errors = search.errors(values, shocks, simulated)
    fitted = search.calibration(values, shocks, errors)
    named = {p.name: error for p, error in zip(search.parameters, errors.tolist(), strict=True)}
    return MomentFit(fitted, float(distances @ distances), named)


Shocks = Mapping[tuple[str, str], float]


@dataclass(frozen=True, eq=False)
class _Search:
    start: Calibration
    pasts: Mapping[str, Past]
    progress: Progress

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return what the histories say something of: a weight needs one of its assets."""
        return tuple(p for p in PARAMETERS if not p.loads or self.pasts.keys() & set(p.loads))

    @property
    def start_values(self) -> FloatArray:
        return np.array([parameter.start for parameter in self.parameters])

    @property
    def low(self) -> FloatArray:
        return np.array([parameter.low for parameter in self.parameters])

    @property
    def high(self) -> FloatArray:
        return np.array([parameter.high for parameter in self.parameters])

    @property
    def step(self) -> FloatArray:
        return np.array([parameter.step for parameter in self.parameters])

    def calibration(
        self, values: FloatArray, shocks: Shocks, errors: FloatArray | None = None
    ) -> Calibration:
        """Return the calibration with these values, the errors beside them where known."""
        given = errors if errors is not None else np.full(values.size, math.nan)
        rounded = [significant(value, DIGITS) for value in values.tolist()]
        found = {p.name: (v, e) for p, v, e in zip(self.parameters, rounded, given, strict=True)}
        macro = self.start.macro_figures
        regimes = _with_stress(macro.regimes, found, self._dress)
        share = self._dress(macro.event_share, *found["event_share"])
        pairs = tuple(
            pair.model_copy(update={"shocks": shocks.get(pair.between, pair.shocks)})
            for pair in self.start.correlations
        )
        section = {name: getattr(macro, name) for name in macro.model_fields_set}
        section |= {"regimes": regimes, "event_share": share}
        return self.start.model_copy(
            update={
                "correlations": pairs,
                "macro": type(macro).model_validate(section),
            }
        )

    @property
    def _window(self) -> tuple[dt.date, dt.date]:
        return (
            min(past.first for past in self.pasts.values()),
            max(past.last for past in self.pasts.values()),
        )

    def _dress(self, figure: Of, value: float, error: float) -> Of:
        dressed: Of = figure.model_copy(
            update={
                "value": value,
                "mark": "observed",
                "source": self.start.source,
                "window": self._window,
                "standard_error": None if math.isnan(error) else significant(error, 3),
                "note": _NOTE,
            }
        )
        return dressed

    def simulated(self, values: FloatArray, shocks: Shocks) -> dict[str, FloatArray]:
        """Return the figures of simulated histories by subject."""
        calibration = self.calibration(values, shocks)
        spec = market_spec(_market(calibration), calibration)
        return simulated_figures(matched(spec, self.pasts), self.pasts, HISTORIES, SEED)

    def distances(self, values: FloatArray, shocks: Shocks) -> tuple[FloatArray, FloatArray]:
        """Return how far each moment is from the history's, and the moments of each path.

        A distance is in standard deviations of simulated histories, from their median.

        Returns
        -------
        distances : ndarray of shape (n_moments,)
        moments : ndarray of shape (n_histories, n_moments)
        """
        history = historical_figures(self.pasts)
        simulated = _moments(self.simulated(values, shocks))
        low, middle, high = np.quantile(simulated, (BAND[0], 0.5, BAND[1]), axis=0)
        own = _moments({subject: found[None, :] for subject, found in history.items()})[0]
        return (own - middle) / ((high - low) / _NORMAL_RANGE), simulated

    def shocks_at(self, values: FloatArray, shocks: Shocks) -> Shocks:
        """Return the shocks' correlations by which the returns' come out; two corrections."""
        names = tuple(self.start.assets)
        history = historical_figures(self.pasts)
        found = {pair.between: pair.of(shocks=True) for pair in self.start.correlations} | dict(
            shocks
        )
        for _ in range(2):
            simulated = self.simulated(values, found)
            for pair in found:
                for subject in ("-".join(pair), "-".join(reversed(pair))):
                    if subject in simulated:
                        lack = history[subject][0] - np.median(simulated[subject][:, 0])
                        found[pair] = min(max(found[pair] + float(lack), -_LARGEST), _LARGEST)
            found = consistent_values(names, found)
            found = self._drawable(values, found)
        return found

    def _drawable(self, values: FloatArray, shocks: Shocks) -> dict[tuple[str, str], float]:
        """Return correlations of shocks by which the normals' is positive definite.

        Otherwise the nearest would be drawn, and an asset would change those before it.
        """
        found = dict(shocks)
        for _ in range(_MOST_MOVES):
            calibration = self.calibration(values, found)
            spec = market_spec(_market(calibration), calibration)
            normals = spec.macro_plan.normals
            if np.linalg.eigvalsh(normals)[0] > SMALLEST_EIGENVALUE:
                break
            moves = nearest_correlation(normals) - normals
            for pair in found:
                one, two = (spec.assets.index(asset) for asset in pair)
                found[pair] = significant(found[pair] + float(moves[one, two]), DIGITS)
        return {pair: significant(value, DIGITS) for pair, value in found.items()}

    def improved(self, values: FloatArray, shocks: Shocks) -> FloatArray:
        """Return better values by damped Gauss-Newton steps on robust distances."""
        here, _ = self.distances(values, shocks)
        best = _loss(here)
        for _ in range(STEPS):
            slopes = self._slopes(values, shocks)
            weight = 1 / np.sqrt(1 + here**2)
            normal = (slopes * weight[:, None]).T @ slopes
            normal += DAMPING * np.diag(np.diag(normal) + 1e-9)
            move = np.linalg.solve(normal, -(slopes * weight[:, None]).T @ here)
            for damping in (1.0, 0.5, 0.25):
                trial = np.clip(values + damping * move * self.step, self.low, self.high)
                there, _ = self.distances(trial, shocks)
                self.progress(f"{self._words(trial)}: distance {float(there @ there):.1f}")
                if _loss(there) < best:
                    values, here, best = trial, there, _loss(there)
                    break
            else:
                break
        return values

    def _words(self, values: FloatArray) -> str:
        named = zip(self.parameters, values.tolist(), strict=True)
        return ", ".join(f"{parameter.name} {value:.4g}" for parameter, value in named)

    def _slopes(self, values: FloatArray, shocks: Shocks) -> FloatArray:
        """Return what a step of each parameter does to the distances, (n_moments, n_parameters)."""
        columns = []
        for place, step in enumerate(self.step):
            self.progress(f"effect of {self.parameters[place].name}")
            ends: list[tuple[float, FloatArray]] = []
            for sign in (0.5, -0.5):
                moved = values.copy()
                moved[place] += sign * step
                moved = np.clip(moved, self.low, self.high)
                ends.append((moved[place], self.distances(moved, shocks)[0]))
            (above, high), (below, low) = ends
            columns.append((high - low) * step / (above - below))
        return np.column_stack(columns)

    def errors(self, values: FloatArray, shocks: Shocks, simulated: FloatArray) -> FloatArray:
        """Return the parameters' standard errors: what a history of this length leaves open.

        The usual sandwich: distances weighed alike, with the moments' covariance over simulated
        histories; a simulated moment's own error adds 1 / HISTORIES of it.
        """
        slopes = self._slopes(values, shocks)
        bread = np.linalg.pinv(slopes.T @ slopes) @ slopes.T
        spread = np.corrcoef(simulated, rowvar=False)
        covariance = bread @ spread @ bread.T * (1 + 1 / HISTORIES)
        found: FloatArray = np.sqrt(np.diag(covariance)) * self.step
        return found


def _moments(figures: Mapping[str, FloatArray]) -> FloatArray:
    """Return the moments of each history: assets' figures, and rises of correlation by group.

    A pair's rise is mostly noise; the mean over the pairs of two groups of `PARAMETERS` is a
    moment.
    """
    columns = [found for subject, found in figures.items() if "-" not in subject]
    rises: dict[frozenset[str], list[FloatArray]] = {}
    for subject, found in figures.items():
        if "-" in subject:
            one, two = subject.split("-")
            rises.setdefault(frozenset((_group(one), _group(two))), []).append(found[:, 1])
    means = [np.mean(of, axis=0)[:, None] for of in rises.values()]
    return np.concatenate([*columns, *means], axis=1)


def _group(asset: str) -> str:
    return next((p.name for p in PARAMETERS if asset in p.loads), asset)


def _loss(distances: FloatArray) -> float:
    """Return the soft absolute loss: a figure that no parameter reaches shall not rule."""
    return float(np.sum(2 * (np.sqrt(1 + distances**2) - 1)))


def _value(calibration: Calibration, parameter: Parameter) -> float:
    macro = calibration.macro_figures
    if parameter.name == "event_share":
        return macro.event_share.value
    if parameter.name == "stress_volatility":
        return macro.regimes.stress.volatility_factor.value
    if parameter.loads:
        given = macro.regimes.stress_loadings
        return float(np.mean([given[a].value if a in given else 0.0 for a in parameter.loads]))
    raise KeyError(parameter.name)


def _with_stress(
    regimes: Regimes,
    found: Mapping[str, tuple[float, float]],
    dress: Callable[[Any, float, float], Any],
) -> Regimes:
    stress = regimes.stress
    factor = dress(stress.volatility_factor, *found["stress_volatility"])
    loadings = {
        asset: dress(figure, *found[parameter.name])
        for parameter in PARAMETERS
        for asset, figure in regimes.stress_loadings.items()
        if asset in parameter.loads and parameter.name in found
    }
    return regimes.model_copy(
        update={
            "stress": stress.model_copy(update={"volatility_factor": factor}),
            "stress_loadings": {**regimes.stress_loadings, **loadings},
        }
    )


def _market(calibration: Calibration) -> MarketScenario:
    """Return a scenario of all assets; drifts are the history's own where it is compared."""
    assets = {name: AssetTerms(drift=0.0) for name in calibration.assets}
    return MarketScenario(
        name="moments",
        title="Simulated moments",
        start=calibration.as_of,
        market=MarketTerms.model_validate({"model": "macro", "assets": assets}),
    )


def moment_lines(fit: MomentFit) -> Sequence[str]:
    """Return what was fitted, a line each."""
    fitted = [parameter for parameter in PARAMETERS if parameter.name in fit.errors]
    return [
        f"{f'weight of stress on {p.name}' if p.loads else p.name:<40} "
        f"{_value(fit.calibration, p):.4g} ± {fit.errors[p.name]:.2g}"
        for p in fitted
    ]
