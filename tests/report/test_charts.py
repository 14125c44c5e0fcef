"""Charts show the numbers they are given."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pytest
import samples

from simulator.engine.attribution import contributions
from simulator.report import charts
from simulator.report.charts.base import KIND_COLOURS
from simulator.report.charts.fan import ticks
from simulator.report.charts.tornado import Bar, tornado
from simulator.words import rounded


@pytest.mark.parametrize(("days", "factor"), [(730, 1.08**2), (365, 1.08), (45, 1.08)])
def test_threshold__annual_yield__compounds_and_is_not_annualised_below_a_year(days, factor):
    assert charts.Threshold(0.08).factor(days) == pytest.approx(factor, rel=1e-12)


def test_threshold__of_the_whole_run__does_not_compound():
    assert charts.Threshold(0.08, annual=False).factor(730) == pytest.approx(1.08, rel=1e-12)


@pytest.fixture
def gold():
    run = samples.loaded()
    daily = samples.simulation(run).daily
    return daily[daily["series"] == "exit.holder.ounces"]


def test_fan__threshold__runs_from_the_first_value_to_its_growth(gold):
    figure = charts.fan(gold, unit="ounces", thresholds=[charts.Threshold(0.08)])
    line = figure.data[-1]
    assert (line.y[0], line.y[-1]) == (100.0, pytest.approx(108.0, rel=1e-6))
    assert [a.text for a in figure.layout.annotations] == ["8\u00a0%"]


def test_fan__of_a_year__has_a_value_for_each_day_and_each_quantile(gold):
    figure = charts.fan(gold, unit="ounces")
    assert [trace.name for trace in figure.data] == ["p05", "p95", "p25", "p75", "median"]
    assert all(len(trace.y) == 366 for trace in figure.data)
    assert figure.data[0].y[-1] == pytest.approx(90.0, rel=1e-6)


def test_lay_out__all_paths__are_in_below_or_above_the_bins():
    values = np.concatenate([np.linspace(0.0, 0.05, 950), np.full(50, -0.75)])
    bins = charts.lay_out(values, [0.08, 0.12])
    assert bins.shares.sum() + bins.below + bins.above == pytest.approx(1.0, abs=1e-12)
    assert bins.below == pytest.approx(0.05)
    assert "5.0\u00a0% of the paths lie below" in bins.outside
    assert "down to −75\u00a0%" in bins.outside


def test_lay_out__thresholds__are_in_view():
    bins = charts.lay_out(np.linspace(0.0, 0.01, 100), [0.08, 0.12])
    assert bins.edges[0] <= 0 < 12 < bins.edges[-1]


def test_lay_out__one_value_on_all_paths__still_has_bins():
    bins = charts.lay_out(np.zeros(10), [])
    assert bins.shares.sum() == pytest.approx(1.0)
    assert bins.outside == ""


def test_waterfall__each_bar_starts_where_the_last_ended():
    found = contributions(samples.vault_measures())
    bar = charts.waterfall(found, "ounces").data[0]
    # interest, emissions, gold, exploit, fees; bad debt is zero in both units and left out
    assert list(bar.x) == pytest.approx([1.0, 3.0, 0.0, -8.0, -0.5, -4.5])
    assert list(bar.base) == pytest.approx([0.0, 1.0, 4.0, 4.0, -4.0, 0.0])


def test_waterfall__colours__are_those_of_the_kinds():
    found = contributions(samples.vault_measures())
    bar = charts.waterfall(found, "ounces").data[0]
    kinds = ("organic", "subsidised", "market", "loss", "cost")
    assert list(bar.marker.color[:-1]) == [KIND_COLOURS[kind] for kind in kinds]


def test_agreement__errors__are_shares_of_the_tolerance_and_zeros_are_not_drawn():
    figure = charts.agreement(samples.replay(ok=False).series)
    exit_value = figure.data[1]
    assert list(exit_value.x) == list(range(1, 20, 2))
    assert np.allclose(exit_value.y, 3.0, rtol=1e-3)


def test_agreement__number_that_is_not_finite__stands_above_the_tolerance():
    series = samples.replay().series
    series.loc[series["step"] == 4, "chain"] = np.nan
    figure = charts.agreement(series)
    assert max(figure.data[0].y) > 1


def test_tornado__names__stand_above_their_bars_and_ends_reach_their_values():
    bars = [Bar("grade", 0.0, 80.0), Bar("tax", 30.0, 12.0)]
    figure = tornado(bars, 20.0, "% of the paths")
    low, high = figure.data
    assert [base + x for base, x in zip((low.base,) * 2, low.x, strict=True)] == [0.0, 30.0]
    assert [high.base + x for x in high.x] == [80.0, 12.0]
    words = {note.text: note.y for note in figure.layout.annotations}
    assert words["grade"] < low.y[0] < words["tax"] < low.y[1]


def test_movers__within_chance__are_paler():
    rows = [charts.Moved("one", "drift of gold", 0.9), charts.Moved("two", "drift of gold", -0.2)]
    figure = charts.movers(rows, 0.43)
    sure, weak = figure.data[0].marker.color
    assert sure != weak
    assert list(figure.data[0].x) == [0.9, -0.2]
    limits = sorted(shape.x0 for shape in figure.layout.shapes)
    assert limits == [-0.43, 0.43]


def test_fan__what_happens_on_a_date__stands_there_with_its_words(gold):
    day = dt.date(2026, 3, 1)
    figure = charts.fan(gold, unit="ounces", marks=[(day, "listed"), (day, "a shock")])
    (line,) = [shape for shape in figure.layout.shapes if shape.x0 == "2026-03-01"]
    (words,) = figure.layout.annotations
    assert line.x1 == line.x0
    assert (words.text, words.x) == ("listed, a shock", "2026-03-01")
    many = charts.fan(
        gold, unit="ounces", marks=[(day, f"a thing with a long name {n}") for n in "ab"]
    )
    # words run along the height of the chart: what does not fit is counted
    assert many.layout.annotations[0].text == "a thing with a long name a, and 1 more"


# Vienot, Brettel, Mollon (1999), doi:10.1002/(SICI)1520-6378(199908)24:4<243::AID-COL5>3.0.CO;2-3:
# linear RGB as a protanope and a deuteranope see it.
SEEN = {
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


def _linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    """Return CIE L*a*b* under D65 (CIE 15:2004)."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", ["normal", *SEEN])
def test_colours__of_kinds_and_of_the_first_series__are_told_apart(eye):
    """Ten units of CIE 1976 are far above the 2.3 that are just seen."""
    matrix = np.array(SEEN.get(eye, np.eye(3)))
    for colours in (tuple(KIND_COLOURS.values()), charts.SERIES_COLOURS[:6]):
        seen = [_lab(np.clip(matrix @ _linear(colour), 0, 1)) for colour in colours]
        for (first, one), (second, other) in itertools.combinations(enumerate(seen), 2):
            assert np.linalg.norm(one - other) > 10, (colours[first], colours[second])


def test_ticks__below_a_thousand__have_no_prefix_that_reads_as_millions():
    assert ticks(np.array([[-0.5, 0.8]])) == ",.4~r"  # "s" would write 800m
    assert ticks(np.array([[0.0, 999.0], [np.nan, 1.0]])) == ",.4~r"
    assert ticks(np.array([[0.0, -1_000.0]])) == ",.3~s"


@pytest.mark.parametrize(
    ("value", "words"),
    [(3_451.2, "3,450"), (36.587, "36.6"), (0.0123456, "0.0123"), (0.0, "0"), (-12_884, "−12,900")],
)
def test_rounded__keeps_three_digits(value, words):
    assert rounded(value) == words
