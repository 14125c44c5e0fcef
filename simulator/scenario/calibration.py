"""A calibration file: the market's fitted figures, each with unit, source, window and error.

`assay calibrate` writes one, `assay run --calibration FILE` reads one, and a user may write
his own. The models refuse what the market could not simulate: an explosive variance, an
unknown unit, correlations that contradict each other.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    field_validator,
    model_serializer,
    model_validator,
)

from simulator.errors import InputError, Problem
from simulator.scenario.correlation import changed_pairs, nearest_correlation
from simulator.scenario.loader import read_yaml, validate
from simulator.scenario.macro import MacroCalibration
from simulator.schema.assets import CLASSES, AssetClass, class_of
from simulator.schema.fields import Fault, refuse
from simulator.schema.texts import Described
from simulator.units import FloatArray

AssetName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

Mark = Literal["observed", "secondary", "claimed", "assumption"]

SMALLEST_EIGENVALUE = 1e-8
"""Below this a correlation matrix counts as singular; its Cholesky factor would be noise."""


class _Model(Described):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Model):
    """One number of the world with its origin."""

    value: Number
    """The estimate, in `unit`."""
    unit: str
    """Unit of `value` and of `standard_error`."""
    source: Annotated[str, StringConstraints(min_length=1)]
    """Where the data came from."""
    window: tuple[dt.date, dt.date]
    """First and last date of the data behind the figure."""
    standard_error: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)] | None
    """Standard error in `unit`; null only where none exists, and then `note` says why."""
    mark: Mark = "observed"
    """Whether the figure was measured, taken over, claimed or assumed."""
    weak: str = ""
    """Why the data hardly show the figure, such as |t| below 2; empty where they do."""
    note: str = ""
    """What a reader must know to use the figure."""

    @model_validator(mode="after")
    def _check_origin(self) -> Figure:
        if self.window[0] > self.window[1]:
            raise ValueError("window must be [first date, last date]")
        if self.standard_error is None and not self.note:
            raise ValueError("a figure without standard error needs a note that says why")
        return self


class Price(Figure):
    """Last price."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
    """Price, above 0."""
    unit: Annotated[str, StringConstraints(pattern=r"^USD/[a-z]+$")]
    """US dollars per unit of the asset: USD/oz for gold and silver, USD/tonne for copper."""


class Volatility(Figure):
    """Standard deviation of log returns, annualised with the asset's periods per year."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0, le=5)]
    """Annual volatility as a fraction: 0.17 is 17 %."""
    unit: Literal["1/sqrt(year)"]
    """Fraction per square root of a year."""


class Weight(Figure):
    """Weight of a squared shock or of yesterday's variance in today's variance."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]
    """Weight, 0 to below 1."""
    unit: Literal["1"]
    """Dimensionless."""


class Asymmetry(Figure):
    """Additional weight of a negative shock; below zero for metals."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=-1, lt=1)]
    """Weight, −1 to 1."""
    unit: Literal["1"]
    """Dimensionless."""


class PeriodVariance(Figure):
    """Variance of the log return of one trading day (of one day, where there are 365)."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
    """Variance, not annualised: 1e-4 is a daily volatility of 1 %."""
    unit: Literal["1/period"]
    """Per period of the asset's own clock."""


class JumpRate(Figure):
    """Jumps a year."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
    """Expected number of jumps a year."""
    unit: Literal["1/year"]
    """Per year."""


class JumpMean(Figure):
    """Mean of the log return on a jump day."""

    unit: Literal["log return"]
    """Natural logarithm of the price ratio."""


class JumpDeviation(JumpMean):
    """Standard deviation of the log return over jump days."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
    """Standard deviation of a jump's log return, at least 0."""


class DegreesOfFreedom(Figure):
    """Tail index of a Student t distribution of unit variance."""

    value: Annotated[float, Field(strict=True, allow_inf_nan=False, gt=2)]
    """Degrees of freedom; the variance exists only above 2."""
    unit: Literal["1"]
    """Dimensionless."""


class Correlation(Figure):
    """Pearson correlation of two assets' log returns on the same days."""

    between: tuple[AssetName, AssetName]
    """The two assets."""
    value: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1, le=1)]
    """Correlation, −1 to 1."""
    unit: Literal["1"]
    """Dimensionless."""
    shocks: Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1, le=1)] | None = None
    """Correlation of the shocks that makes the returns' own `value`: larger, because variances
    wander each by itself. None where it was not fitted: the same as `value`."""

    @model_serializer(mode="wrap")
    def _without_empty_shocks(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        if self.shocks is None:
            data.pop("shocks", None)
        return data

    def of(self, *, shocks: bool) -> float:
        """Return the correlation of the shocks, or of the returns."""
        return self.value if self.shocks is None or not shocks else self.shocks

    def moved(self, value: float) -> Correlation:
        """Return the pair with another correlation of returns, the shocks' moved along."""
        by = value - self.value
        shocks = None if self.shocks is None else min(max(self.shocks + by, -1.0), 1.0)
        return self.model_copy(update={"value": value, "shocks": shocks})


class ExcludedReturn(_Model):
    """A day's return that the fit left out."""

    date: dt.date
    """Date of the close that ends the return."""
    asset: AssetName
    """The asset whose return was left out; the other assets keep theirs."""
    log_return: Number
    """The return that was left out."""
    reason: Annotated[str, StringConstraints(min_length=1)]
    """Why it does not belong to the asset's own history."""


class AssetCalibration(_Model):
    """The fitted figures of one asset."""

    periods_per_year: Annotated[int, Field(strict=True, ge=200, le=366)]
    """Periods of this asset's clock in a year: 252 trading days, or 365 days."""
    price: Price
    """Last price of the window."""
    volatility: Volatility
    """Long-run volatility, to which the variance is targeted."""
    alpha: Weight
    """Weight of the last squared shock."""
    gamma: Asymmetry
    """Additional weight of the last squared shock where it was negative."""
    beta: Weight
    """Weight of the last variance."""
    variance_start: PeriodVariance
    """Variance of the first period after the window."""
    degrees_of_freedom: DegreesOfFreedom
    """Tail index of this asset alone; a diagnostic, the market draws with its class's."""
    jump_intensity: JumpRate
    """Days a year beyond 4 robust standard deviations."""
    jump_mean: JumpMean
    """Mean log return of those days."""
    jump_sd: JumpDeviation
    """Standard deviation of the log return over those days."""

    @property
    def persistence(self) -> float:
        """Return alpha + gamma/2 + beta, the share of a variance surprise left a period on."""
        return self.alpha.value + self.gamma.value / 2 + self.beta.value

    @model_validator(mode="after")
    def _check_variance(self) -> AssetCalibration:
        faults: list[Fault] = []
        if self.persistence >= 1:
            rule = (
                f"alpha + gamma/2 + beta is {self.persistence:.6g}; must be below 1, "
                "or the variance explodes"
            )
            faults.append((("beta", "value"), f"{self.beta.value:g}", rule))
        if self.alpha.value + self.gamma.value < 0:
            rule = "alpha + gamma must be at least 0, or the variance can turn negative"
            faults.append((("gamma", "value"), f"{self.gamma.value:g}", rule))
        long_run = self.volatility.value**2 / self.periods_per_year
        if not 1e-3 < self.variance_start.value / long_run < 1e3:
            rule = (
                "must be within a factor of 1000 of volatility² / periods_per_year = "
                f"{long_run:.3g}"
            )
            faults.append((("variance_start", "value"), f"{self.variance_start.value:g}", rule))
        refuse(faults)
        return self


class Calibration(_Model):
    """The fitted figures of a market."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Name under which runs record the calibration."""
    as_of: dt.date
    """Last date of the data; the market looks forward from here."""
    source: Annotated[str, StringConstraints(min_length=1)]
    """The data set, with the beginning of its SHA-256."""
    laid_over: str = ""
    """The calibration whose figures stand where the data have none; empty where they have all."""
    excluded: tuple[ExcludedReturn, ...] = ()
    """Returns that the fit left out."""
    assets: Annotated[dict[AssetName, AssetCalibration], Field(min_length=1)]
    """Figures by asset."""
    correlations: tuple[Correlation, ...]
    """One entry for each pair of assets."""
    joint_degrees_of_freedom: dict[AssetClass, DegreesOfFreedom]
    """Tail index of the shocks of a class's assets together, as estimated."""
    macro: MacroCalibration | None = None
    """What the macro model reads beside; none = the defaults of `MacroCalibration`."""
    findings: dict[AssetName, Figure] = Field(default={})
    """What else was measured, for the reader; no model reads it."""

    @field_validator("joint_degrees_of_freedom", mode="before")
    @classmethod
    def _one_for_all(cls, given: Any) -> Any:
        # Files of before had one figure, for all classes.
        return (
            dict.fromkeys(CLASSES, given) if isinstance(given, dict) and "value" in given else given
        )

    @model_serializer(mode="wrap")
    def _without_empty_sections(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A file without these sections is written, and hashed, as it always was.
        data: dict[str, Any] = handler(self)
        if self.macro is None:
            data.pop("macro", None)
        if not self.findings:
            data.pop("findings", None)
        if not self.laid_over:
            data.pop("laid_over", None)
        return data

    @property
    def macro_figures(self) -> MacroCalibration:
        """Return the macro section, or its defaults where the file has none."""
        return self.macro or MacroCalibration()

    def innovation_dofs(self, assets: tuple[str, ...]) -> tuple[int, ...]:
        """Return the degrees of freedom that each asset is drawn with: the nearest even integer.

        Even, so that the chi-square of the multivariate t is a sum of logarithms.
        """
        return tuple(_even(self.joint_degrees_of_freedom[class_of(asset)]) for asset in assets)

    def correlation(self, assets: tuple[str, ...], *, shocks: bool = False) -> FloatArray:
        """Return the correlation matrix of `assets`, in their order: of returns, or of shocks.

        Returns
        -------
        ndarray of shape (n_assets, n_assets)

        Raises
        ------
        InputError
            An asset is not in the calibration.
        """
        unknown = [asset for asset in assets if asset not in self.assets]
        if unknown:
            known = ", ".join(self.assets)
            rule = f"is not calibrated; the calibration has {known}"
            raise InputError([Problem(self.name, None, asset, "", rule) for asset in unknown])
        by_pair = {frozenset(pair.between): pair.of(shocks=shocks) for pair in self.correlations}
        matrix = np.eye(len(assets))
        for i, j in itertools.combinations(range(len(assets)), 2):
            matrix[i, j] = matrix[j, i] = by_pair[frozenset((assets[i], assets[j]))]
        return matrix

    @model_validator(mode="after")
    def _check_market(self) -> Calibration:
        faults = [*self._pair_faults(), *self._window_faults()]
        if not faults:
            faults = self._matrix_faults()
        faults += self._tail_faults()
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _tail_faults(self) -> list[str]:
        lacking = dict.fromkeys(map(class_of, self.assets)).keys() - self.joint_degrees_of_freedom
        faults = [f"joint_degrees_of_freedom has none for {name}" for name in sorted(lacking)]
        # 2.5 degrees of freedom round to 2, where the variance no longer exists.
        faults += [
            f"joint_degrees_of_freedom.{name} is {tail.value:g}; must be at least 3, so that its "
            "nearest even integer is at least 4"
            for name, tail in self.joint_degrees_of_freedom.items()
            if _even(tail) < 4
        ]
        return faults

    def _pair_faults(self) -> list[str]:
        wanted = {frozenset(pair) for pair in itertools.combinations(self.assets, 2)}
        given = [frozenset(pair.between) for pair in self.correlations]
        faults = [
            f"correlations name {' and '.join(pair.between)}; must be two different assets of "
            f"{', '.join(self.assets)}"
            for pair in self.correlations
            if frozenset(pair.between) not in wanted
        ]
        for pair in sorted(tuple(sorted(pair)) for pair in wanted):
            count = given.count(frozenset(pair))
            if count != 1:
                faults.append(f"correlations of {' and '.join(pair)} stand {count} times; once")
        return faults

    def _window_faults(self) -> list[str]:
        # The prices below may be newer than the data: a scenario that uses both is warned.
        if self.laid_over:
            return []
        return [
            f"{asset}.price ends on {figures.price.window[1]}; must not be after as_of {self.as_of}"
            for asset, figures in self.assets.items()
            if figures.price.window[1] > self.as_of
        ]

    def _matrix_faults(self) -> list[str]:
        names = tuple(self.assets)
        for shocks in (False, True):
            matrix = self.correlation(names, shocks=shocks)
            eigenvalues, eigenvectors = np.linalg.eigh(matrix)
            if eigenvalues[0] <= SMALLEST_EIGENVALUE:
                break
        else:
            return []
        weights = np.abs(eigenvectors[:, 0])
        involved = [name for name, weight in zip(names, weights, strict=True) if weight > 0.1]
        nearest = changed_pairs(names, matrix, nearest_correlation(matrix))
        return [
            f"correlations of {', '.join(involved)} contradict each other (smallest eigenvalue "
            f"{eigenvalues[0]:.2g}); the matrix must be positive definite; the nearest one that "
            f"is has {nearest}"
        ]


def _even(tail: DegreesOfFreedom) -> int:
    return 2 * math.floor(tail.value / 2 + 0.5)


def load_calibration(path: Path | str) -> Calibration:
    """Read a calibration file.

    Raises
    ------
    InputError
        With one problem for each fault of the file.
    """
    return validate(Calibration, read_yaml(path))
