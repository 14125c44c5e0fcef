"""The terminal's report: narrow, without colours in a pipe, with every number of the verdicts."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
import samples
from rich.cells import cell_len
from rich.console import Console

from simulator.report import print_report


def shown(run, found, judged, replays, *, terminal=False, width=None, folder=None) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=width, highlight=False)
    print_report(console, run, found, judged, replays, folder)
    return stream.getvalue()


@pytest.fixture
def sample():
    run = samples.loaded()
    found = samples.simulation(run)
    return run, found, samples.verdicts(run, found)


@pytest.mark.parametrize(("terminal", "width"), [(False, None), (True, 100), (True, 200)])
def test_report__anywhere__fits_100_columns(sample, terminal, width):
    run, found, judged = sample
    titled = run.scenario.model_copy(update={"title": "words " * 60})
    run = replace(run, scenario=titled)
    text = shown(run, found, judged, [samples.replay()], terminal=terminal, width=width)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(cell_len(line) for line in plain.splitlines()) <= 100


def test_report__in_a_pipe__has_no_colours_and_on_a_terminal_it_has(sample):
    assert "\x1b[" not in shown(*sample, [])
    assert "\x1b[" in shown(*sample, [], terminal=True, width=100)


def test_report__with_a_folder__ends_with_the_page(sample):
    folder = Path("runs") / ("a-name-so-long-that-it-would-not-fit-into-a-line-" * 3)
    text = shown(*sample, [], folder=folder)
    assert text.splitlines()[-1] == f"report: {folder / 'report.html'}"


def test_report__verdicts__are_named_with_their_numbers(sample):
    text = shown(*sample, [])
    for verdict in sample[2]:
        assert verdict.claim in text
        assert verdict.verdict in text
    # 180 of 200 paths are not exploited; none earns 8 % in ounces.
    assert "drawdown in ounces at most 5 %" in text
    assert "90.0 %" in text


def test_report__sources__add_up_to_the_net(sample):
    lines = shown(*sample, []).splitlines()
    kinds = [float(line.split()[2]) for line in lines if line.startswith(" all ")]
    net = next(line for line in lines if "Net: what the holder keeps" in line)
    assert sum(kinds) == pytest.approx(-4.5, abs=0.02)
    assert "-4.50" in net


def test_report__replay__says_whether_it_agrees(sample):
    good = shown(*sample, [samples.replay()])
    bad = shown(*sample, [samples.replay(ok=False)])
    assert "agrees" in good
    assert "differs" not in good
    assert "differs" in bad


def test_report__three_errors_and_a_word_that_is_not_firm__fit_100_columns(sample):
    run, found, judged = sample
    wide = replace(
        judged[0],
        verdict="plausible",
        could_be="supported",
        kind="effect",
        estimate=-0.1234,
        interval=(-0.5678, 0.1234),
        parameter_range=(-0.6789, 0.2345),
        assumption_range=(-1.2345, 1.2345),
    )
    text = shown(run, found, (wide, *judged[1:]), [])
    assert max(map(len, text.splitlines())) <= 100
    for line in (
        "-12.3 points",
        "-56.8 to +12.3",
        "sets -67.9 to +23.4",
        "assumed -123.4 to +123.4",
    ):
        assert line in text
    words = " ".join(text.split())
    assert "difference in yield a year in ounces at least +8.0 points -12.3 points" in words


def test_report__gas_counted_in_process__is_a_lower_bound(sample):
    assert "at least 56,789,000" in shown(*sample, [samples.replay()])
    on_node = shown(*sample, [samples.replay(exact=True)])
    assert "56,789,000" in on_node
    assert "at least" not in on_node.partition("Model against contract")[2]


def test_report__without_replays__says_so(sample):
    assert "Not replayed on a chain." in shown(*sample, [])


def test_report__untestable_claim__gives_the_reason_and_no_probability(sample):
    run, found, judged = sample
    judged = (replace(judged[0], verdict="not testable", reason="too short"), *judged[1:])
    text = shown(run, found, judged, [])
    assert f"{judged[0].claim}: not testable, too short" in text


@pytest.mark.parametrize("width", [40, 60, 80])
def test_report__on_a_narrow_terminal__loses_no_digit_and_no_name(sample, width):
    wide, narrow = (
        shown(*sample, [samples.replay()], terminal=True, width=columns) for columns in (100, width)
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", narrow)
    assert max(map(cell_len, plain.splitlines())) <= width
    rules = set("\u2500")
    found = re.findall(r"[\w.,<>-]+", plain)
    for word in re.findall(r"[\w.,<>-]+", re.sub(r"\x1b\[[0-9;]*m", "", wide)):
        if len(word) <= width and not set(word) <= rules:
            assert any(word.strip(",.") in other for other in found), word


def test_report__of_a_word_that_is_not_firm__reads_as_a_sentence_where_it_is_narrow(sample):
    run, found, judged = sample
    open_ = replace(judged[0], verdict="unlikely", could_be="plausible")
    text = shown(run, found, (open_, judged[1]), [], terminal=True, width=60)
    assert "verdict: unlikely, could be plausible;" in re.sub(r"\x1b\[[0-9;]*m", "", text)
