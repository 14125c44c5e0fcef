"""What the report says of a mining STO: who was paid by whom, and what a promise pays for."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from simulator.engine import judge, simulate
from simulator.instruments.base import Source, organic_share
from simulator.instruments.mining import page as mining
from simulator.report.sections import origin_section
from simulator.report.terminal import print_report
from simulator.scenario import LoadedScenario, load_scenario

STO = "instruments.producing_sto."


def run(name: str, *overrides: str):
    loaded = load_scenario(name, overrides=["paths=256", *overrides])
    return simulate(loaded.scenario, loaded.calibration, workers=1)


@pytest.fixture(scope="module")
def copper():
    return run("copper-sto")


@pytest.fixture(scope="module")
def scheme():
    return run("copper-sto-paid-from-deposits", "horizon_days=500")


def terms_of(simulation, investor: str):
    """Return the terms of the STO that an investor holds."""
    return simulation.scenario.instruments[simulation.investors[investor].holding]


def whose_money(simulation, investor: str) -> str:
    """Return the sentence of the report on an investor's payments."""
    return mining.whose_money(terms_of(simulation, investor), simulation.investors[investor])


def test_triangle__18_percent_at_a_loss_of_80__pays_for_a_hazard_of_17(copper) -> None:
    """(0.18 - 0.043) / 0.8 = 17.1 %, as in the literature of promised yields."""
    found = mining.triangle(terms_of(copper, "producing_holder"))
    assert found.hazard == pytest.approx(0.17125)
    assert "hazard of 17.1" in mining.triangle_words(found).replace("\u00a0", " ")


def test_triangle__promise_no_higher_than_a_safe_bond__says_nothing() -> None:
    safe = run("copper-sto", f"{STO}payout.promised_yield=0.04", "horizon_days=40")
    assert mining.triangle(terms_of(safe, "producing_holder")) is None


def test_whose_money__profit_alone__is_said_so(copper) -> None:
    assert whose_money(copper, "producing_holder").startswith("All that holders were paid")
    assert whose_money(copper, "development_holder").startswith("Nothing was paid")


def test_whose_money__paid_from_deposits__is_called_what_it_is(scheme) -> None:
    words = whose_money(scheme, "producing_holder")
    assert "return of capital" in words
    assert "Ponzi scheme" in words
    measures = scheme.investors["producing_holder"]
    by = dict(zip([s.name for s in measures.sources], measures.attribution["usd"], strict=True))
    returned, profit = by["returned_capital"].sum(), by["mine_profit"].sum()
    assert words.startswith(f"{100 * returned / (returned + profit):.0f}")


def test_happenings__every_path__stands_in_one_line(copper, scheme) -> None:
    for simulation in (copper, scheme):
        rows = list(mining.happenings(simulation.investors["producing_holder"]))
        shares = [float(row[1].split("\u00a0")[0].rstrip(" %")) for row in rows]
        assert sum(shares) == pytest.approx(100, abs=0.5)
        assert rows[-1][0] == "none of these"
        assert all(len(row) == len(mining.COLUMNS) for row in rows)


def test_happenings__failed_raise__returns_the_deposit() -> None:
    few = run("copper-sto", f"{STO}sale.demand_usd=1000000", "horizon_days=60")
    (row,) = mining.happenings(few.investors["producing_holder"])
    assert row[0] == "the raise failed"
    assert row[2].startswith(("0.0", "-0.0"))


def test_organic_share__returned_capital__is_no_profit(scheme) -> None:
    """By hand: 30 of profit and 70 of capital are 30 % organic; market gains do not count."""
    kinds = ("organic", "return of capital", "market")
    sources = tuple(Source(kind, kind, kind) for kind in kinds)
    found = organic_share(sources, np.array([[30.0], [70.0], [500.0]]))
    assert found[0] == pytest.approx(0.3)
    paid = scheme.investors["producing_holder"].organic_share
    assert np.nanmedian(paid) < 0.8


def test_page_and_terminal__show_all_of_it(scheme) -> None:
    verdicts = judge(scheme, workers=1)
    page = str(origin_section(scheme, verdicts))
    assert "Ponzi scheme" in page
    assert "What happened to producing_holder" in page
    out = StringIO()
    loaded = LoadedScenario(scheme.scenario, scheme.calibration, {}, "own.yaml")
    print_report(Console(file=out), loaded, scheme, verdicts, [])
    assert "the operator defaulted" in out.getvalue()
    assert max(len(line) for line in out.getvalue().splitlines()) <= 100
