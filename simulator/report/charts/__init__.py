"""The report's charts: plotly figures of a common look, embedded without random ids."""

from simulator.report.charts.agreement import agreement
from simulator.report.charts.area import area
from simulator.report.charts.base import KIND_COLOURS, SERIES_COLOURS, embed, library
from simulator.report.charts.drift import DriftStep, drift
from simulator.report.charts.fan import Threshold, fan
from simulator.report.charts.histogram import Histogram, histogram, lay_out
from simulator.report.charts.movers import Moved, movers
from simulator.report.charts.scatter import scatter
from simulator.report.charts.waterfall import shown, waterfall

__all__ = [
    "KIND_COLOURS",
    "SERIES_COLOURS",
    "DriftStep",
    "Histogram",
    "Moved",
    "Threshold",
    "agreement",
    "area",
    "drift",
    "embed",
    "fan",
    "histogram",
    "lay_out",
    "library",
    "movers",
    "scatter",
    "shown",
    "waterfall",
]
