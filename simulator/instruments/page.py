"""What a product says of itself in a report: plain data, laid out elsewhere.

A page computes its numbers and words its sentences; the terminal, the HTML report and any other
reader lay out the same blocks. Nothing here knows of markup or colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import pandas as pd

from simulator.instruments.base import Source, Unit
from simulator.units import BoolArray, FloatArray

T = TypeVar("T")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `lead` are its first words, which stand out; an aside explains."""

    text: str
    lead: str = ""
    aside: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under columns, the first of them words, all others numbers."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Fan:
    """A daily series' quantiles over the paths.

    Attributes
    ----------
    series : str
        Its name in `Told.daily`.
    title, unit : str
    share : bool
        Whether its values are shares, to be shown in percent.
    level : float or None
        A level to be drawn across, in the series' own unit.
    note : str
    """

    series: str
    title: str
    unit: str
    share: bool = False
    level: float | None = None
    note: str = ""


Block = Paragraph | Table | Fan


@dataclass(frozen=True)
class Date:
    """A step on which something happens on every path, and what: `listed`.

    `of` is the position that it is about, by the ending of its name; empty for all.
    """

    step: int
    words: str
    of: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report of its own."""

    title: str
    blocks: tuple[Block, ...]


class Measures(Protocol):
    """The numbers of an investor or an instrument on each path (`investors.InvestorMeasures`)."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return where its return came from."""

    @property
    def values(self) -> Mapping[tuple[str, Unit], FloatArray]:
        """Return measures by (measure, unit), shape (n_paths,)."""

    @property
    def attribution(self) -> Mapping[Unit, FloatArray]:
        """Return gains by unit, shape (n_sources, n_paths)."""

    @property
    def initial(self) -> Mapping[Unit, FloatArray]:
        """Return what was put in by unit, shape (n_paths,)."""

    @property
    def happened(self) -> Mapping[str, BoolArray]:
        """Return what befell it by name, shape (n_paths,)."""

    def worst_return(self, unit: Unit, tail: float = 0.05) -> float:
        """Return the mean total return of the worst share `tail` of the paths."""


@dataclass(frozen=True)
class Told(Generic[T]):
    """What a page is told of a run.

    Attributes
    ----------
    label : str
    terms : T
    horizon_days : int
    instruments : dict of str to Measures
        The label's own positions by themselves, by name.
    investors : dict of str to Measures
        Everybody, by name.
    promised : dict of str to float
        By investor: the least yield a year in ounces that a claim promises him.
    daily : DataFrame
        Columns date, series, p05, p25, p50, p75, p95; series as `LABEL.OBSERVABLE`.
    """

    label: str
    terms: T
    horizon_days: int
    instruments: Mapping[str, Measures]
    investors: Mapping[str, Measures]
    promised: Mapping[str, float]
    daily: pd.DataFrame

    def rows(self, series: str) -> pd.DataFrame:
        """Return the daily quantiles of one series."""
        return self.daily[self.daily["series"] == series]


class Page(Protocol[T]):
    """What a product adds to a report; every method may return nothing."""

    def section(self, told: Told[T]) -> Section | None:
        """Return a part of the report about the product as such."""

    def of_holder(self, told: Told[T], who: str) -> Sequence[Block]:
        """Return what is to be said of an investor who holds it alone."""

    def fans(self, told: Told[T]) -> Sequence[Fan]:
        """Return what is to be drawn beside the market's prices."""

    def on_depeg(self, told: Told[T]) -> str:
        """Return a sentence on what a fall of USDC does to it."""

    def dates(self, terms: T) -> Sequence[Date]:
        """Return on which steps something happens on every path."""


class Silent(Generic[T]):
    """A page that says nothing: a base for those that say little."""

    def section(self, told: Told[T]) -> Section | None:
        """Return nothing."""
        del told
        return None

    def of_holder(self, told: Told[T], who: str) -> Sequence[Block]:
        """Return nothing."""
        del told, who
        return ()

    def fans(self, told: Told[T]) -> Sequence[Fan]:
        """Return nothing."""
        del told
        return ()

    def on_depeg(self, told: Told[T]) -> str:
        """Return nothing."""
        del told
        return ""

    def dates(self, terms: T) -> Sequence[Date]:
        """Return nothing."""
        del terms
        return ()


class BySource(Mapping[str, FloatArray]):
    """What each source brought over what was put in, each made when it is asked for.

    All sources of a million paths together are a gigabyte, and a page tells one after the other.
    """

    def __init__(self, measures: Measures, unit: Unit) -> None:
        self._measures, self._unit = measures, unit
        self._places = {source.name: place for place, source in enumerate(measures.sources)}

    def __getitem__(self, name: str) -> FloatArray:
        """Return a source's part, shape (n_paths,)."""
        amounts: FloatArray = self._measures.attribution[self._unit][self._places[name]]
        return amounts / self._measures.initial[self._unit]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def by_source(measures: Measures, unit: Unit = "usd") -> Mapping[str, FloatArray]:
    """Return what each source brought over what was put in, shape (n_paths,) each."""
    return BySource(measures, unit)
