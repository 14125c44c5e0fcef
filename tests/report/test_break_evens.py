"""The table of break-evens, on the terminal and in the HTML report."""

from __future__ import annotations

import io

import pytest
import samples
from rich.console import Console

from simulator.engine import BreakEven
from simulator.engine.breakeven import Point
from simulator.report import break_evens, print_report, render_html

NOW = Point(0.0069, 0.137)


def found(value, probability, error=None, low=0.0, high=1.0, unit="") -> BreakEven:
    """Return what a search for a mine's grade may have found, on 1,000 paths."""
    return BreakEven(
        claim="pays-18",
        kind="event",
        quantity="yield a year in dollars",
        compared="",
        scale="share",
        parameter="sto.mine.grade",
        paths=1_000,
        present=NOW,
        low=low,
        high=high,
        crossings=(),
        value=value,
        standard_error=error,
        probability=probability,
        estimate=None,
        bracket=None,
        points=(NOW,),
        unit=unit,
        days=395,
    )


CASES = {
    "found": (found(0.00877714, 0.5005, 7.8e-05), ("0.0087771", "7.8e-05")),
    "found, a price": (found(17_257.7, 0.5, 213.4), ("17258", "213")),
    "without an error": (found(0.5, 0.5), ("0.5", "")),
    "jumps": (found(0.25, 1.0, 0.1), ("jumps at 0.25", "")),
    "nowhere": (found(None, None, low=0.001, high=0.5), ("none from 0.001 to 0.5", "")),
}


@pytest.mark.parametrize("case", CASES)
def test_row__of_what_was_found__says_value_error_and_what_holds_now(case) -> None:
    one, (value, error) = CASES[case]
    (row,) = break_evens.rows([one])
    assert row == ("pays-18", "sto.mine.grade", value, error, "0.0069", "13.7\u00a0%")
    assert len(row) == len(break_evens.COLUMNS)


def test_row__of_a_number_with_a_unit__names_it() -> None:
    (row,) = break_evens.rows([found(0.3, 0.5, unit="a year")])
    assert row[1] == "sto.mine.grade, a year"


@pytest.fixture(scope="module")
def sample():
    run = samples.loaded()
    simulation = samples.simulation(run)
    return run, simulation, samples.verdicts(run, simulation), []


def printed(sample, turns) -> str:
    stream = io.StringIO()
    print_report(Console(file=stream, highlight=False), *sample, turns=turns)
    return stream.getvalue()


def test_terminal__with_break_evens__shows_them_and_how_they_were_found(sample) -> None:
    text = printed(sample, [CASES["found"][0]])
    assert "What would have to be true" in text
    assert "0.0087771" in text
    assert "half of 1,000 paths of 395 days" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert "What would have to be true" not in printed(sample, [])


def test_html__with_break_evens__shows_them_before_the_parameter_sets(sample) -> None:
    page = render_html(*sample, turns=[CASES["found"][0]])
    assert page.index("as likely as not at") < page.index("drew no parameter sets")
    assert "0.0087771" in page
    assert "as likely as not at" not in render_html(*sample)
