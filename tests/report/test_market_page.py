"""The market's page and tables where a model has channels and factors."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import samples
from rich.console import Console

from simulator.engine import DriftShare, MarketSummary, summarise_market
from simulator.engine.against import Against
from simulator.market.validation.compare import Compared
from simulator.market.validation.statistics import Cell
from simulator.report import charts, print_market, render_market

PARTS = (
    ("base", "base", "base drift", 0.035, 0.035, 0.035),
    ("real_rate", "channel", "real rates", -0.008, -0.06, 0.05),
    ("central_banks", "channel", "central banks", 0.02, -0.01, 0.05),
    ("liquidity", "channel", "liquidity", 0.0, 0.0, 0.0),
    ("view.target", "view", "target <6,000>", 0.014, 0.014, 0.014),
)
FACTORS = (("real_rate", 0.0197, 0.01), ("central_banks_net", 666.0, 280.0))


@cache
def loaded():
    return samples.loaded("horizon_days=60")


@cache
def plain() -> MarketSummary:
    return summarise_market(loaded().scenario, loaded().calibration, workers=1)


def with_channels() -> MarketSummary:
    """Return a summary whose gold has five parts that sum to 6.1 %, and two factors."""
    shares = [DriftShare("gold", *part) for part in PARTS]
    shares += [
        DriftShare(name, "base", "base", "base drift", 0.035, 0.035, 0.035)
        for name in ("silver", "copper")
    ]
    dates = plain().daily["date"].unique()
    levels = {"p05": -1.0, "p25": -0.5, "p50": 0.0, "p75": 0.5, "p95": 1.0}
    factors = [
        pd.DataFrame(
            {
                "date": dates,
                "series": name,
                **{q: middle + width * level for q, level in levels.items()},
            },
            index=np.arange(len(dates)),
        )
        for name, middle, width in (
            ("real_rate", 0.0197, 0.01),
            ("central_banks_net", 666.0, 280.0),
        )
    ]
    return replace(
        plain(),
        drift=tuple(shares),
        factors=pd.concat(factors, ignore_index=True),
        factor_units={"real_rate": "1/year", "central_banks_net": "tonnes/year"},
        notes=("gold at 4,700 is met at the start already",),
    )


def printed(summary: MarketSummary, against: Against | None = None) -> str:
    stream = io.StringIO()
    print_market(Console(file=stream), loaded(), summary, against)
    return stream.getvalue()


def test_terminal__drift__is_a_line_of_parts_that_sum_to_the_whole():
    text = " ".join(printed(with_channels()).split())
    expected = (
        "gold +6.10 %: base drift +3.50, real rates -0.80, central banks +2.00, target <6,000> "
        "+1.40"
    )
    assert expected in text
    assert "silver +3.50 %: base drift +3.50" in text
    assert "liquidity" not in text  # a part without a trace on any path
    assert "gold at 4,700 is met at the start already" in text


def test_terminal__without_channels__says_nothing_of_parts():
    assert "Why it rises" not in printed(plain())


def test_page__channels__waterfall_table_and_fans_of_the_factors():
    page = render_market(loaded(), with_channels())
    for anchor in ("drift-gold", "drift-silver", "fan-factor-real_rate", "fan-gold"):
        assert page.count(f'id="{anchor}"') == 1
    assert "Gold: +6.10\u00a0% a year" in page
    assert "target &lt;6,000&gt;" in page
    assert "Real rate, % a year; at the end median 1.97, p05 0.97, p95 2.97" in page
    assert "Central banks net, tonnes/year; at the end median 666," in page
    assert re.search(r'<a href="#factors">Factors</a>', page)
    assert page == render_market(loaded(), with_channels())


def test_page__without_channels__has_no_empty_sections():
    page = render_market(loaded(), plain())
    for anchor in ("drift", "factors", "against"):
        assert f'id="{anchor}"' not in page
        assert f'href="#{anchor}"' not in page


def test_drift__bars__begin_where_the_last_ended_and_whiskers_stand_about_the_start():
    steps = [charts.DriftStep("a", "base", 3.5, 3.5, 3.5), charts.DriftStep("b", "view", -1, -3, 2)]
    figure = charts.drift(steps, 2.5)
    bars, whisker = figure.data
    assert list(bars.base) == [0.0, 3.5, 0.0]
    assert list(bars.x) == [3.5, -1.0, 2.5]
    assert list(bars.y) == ["a", "b", "together"]
    assert list(whisker.x) == [0.5, 5.5]  # 3.5 - 3 and 3.5 + 2
    low, high = figure.layout.xaxis.range
    assert low < 0
    assert high > 5.5
    assert [note.text for note in figure.layout.annotations] == ["+3.50", "−1.00", "<b>+2.50</b>"]


def against() -> Against:
    rows = (
        Compared(Cell("gold", "kurtosis", 1), 5.1, 5.5, 6.0, 9.0),
        Compared(Cell("gold", "q05.0", 20), -0.04, -0.05, -0.038, -0.03),
        Compared(Cell("gold-silver", "correlation", 5), 0.8, 0.5, 0.6, 0.7),
        Compared(Cell("gold-silver", "rise of correlation in stress", 5), 0.06, -0.1, 0.05, 0.2),
    )
    return Against(rows, ("past.csv: daily <trading days>",))


def test_page__against_history__counts_map_and_misses():
    page = render_market(loaded(), plain(), against()).replace("\u00a0", " ")
    assert "Inside: 2 of 4 (50 %)" in page
    assert page.count('<svg xmlns="http://www.w3.org/2000/svg" viewBox') == 2
    assert "past.csv: daily &lt;trading days&gt;" in page
    assert "excess kurtosis, 1-day" in page
    assert "5 % quantile, 20-day" not in page  # inside
    text = printed(plain(), against())
    assert "gold–silver" in text
    assert "0.600" in text


@pytest.mark.parametrize("many", [False, True])
def test_terminal__correlations__of_many_assets_fit_100_columns(many):
    summary = plain()
    if many:
        assets = tuple(
            replace(summary.assets[0], name=f"copper_miners{place}") for place in range(10)
        )
        summary = replace(summary, assets=assets, correlation=np.full((10, 10), -0.25))
    lines = printed(summary).splitlines()
    assert max(len(line) for line in lines) <= 100
    head = "10 copper miners9" if many else "copper"
    assert any(line.strip().startswith(head) for line in lines)
