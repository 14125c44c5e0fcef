"""Numbers as words; expected texts are written by hand."""

from __future__ import annotations

import math

import pytest

from simulator import words

HARD = "\u00a0"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.3893, "38.9"),
        (0.0101, "1.0"),
        (0.0016, "0.16"),
        (0.99863, "99.86"),
        (0.0, "0"),
        (1.0, "100"),
        (1e-6, "below 0.01"),
        (1 - 1e-6, "above 99.99"),
    ],
)
def test_share__near_the_ends__has_more_digits_and_no_false_0_or_100(value, expected):
    assert words.share(value) == f"{expected}{HARD}%"


def test_interval__of_a_rare_event__shows_both_ends_with_two_digits():
    assert words.interval((0.0083, 0.0123)) == f"0.83 to 1.23{HARD}%"


def test_interval__of_a_common_event__shows_one_digit():
    assert words.interval((0.3798, 0.3989)) == f"38.0 to 39.9{HARD}%"


def test_percent__of_a_loss__has_a_true_minus():
    assert words.percent(-0.0128, 2) == f"−1.28{HARD}%"


def test_number__that_rounds_to_zero__has_no_sign():
    assert words.number(-0.004, 2, signed=True) == "0.00"


def test_number__signed__shows_plus():
    assert words.number(2.565, 1, signed=True) == "+2.6"


def test_plain__for_a_terminal__is_ascii():
    assert words.plain(words.percent(-0.5)) == "-50.0 %"
    assert words.plain(words.percent(-0.5)).isascii()


def test_spoken__unit_usd__is_dollars():
    assert words.spoken("yield a year in usd at least 8 %") == (
        f"yield a year in dollars at least 8{HARD}%"
    )


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0"), (3.14e-16, "3.1e−16"), (2.0e-7, "2.0e−7")]
)
def test_scientific__any_size__has_two_digits(value, expected):
    assert words.scientific(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0"), (0.1134, "0.11"), (float("inf"), "not finite")]
)
def test_ratio__of_error_to_tolerance__is_short(value, expected):
    assert words.ratio(value) == expected


def test_runs__of_a_year__are_years_and_others_name_their_days():
    assert words.runs(365, 10_000) == "10,000 simulated years"
    assert words.runs(30, 1) == "1 simulated run of 30 days"


def test_short_names__that_stand_for_something_else__grow_longer() -> None:
    """A sweep has a column `low` of its own, the lower end of the interval."""
    names = ["market.stablecoin.low", "market.stablecoin.day", "seed"]
    assert list(words.short_names(names).values()) == ["low", "day", "seed"]
    taken = list(words.short_names(names, ["low", "high"]).values())
    assert taken == ["stablecoin.low", "day", "seed"]


def test_share__of_an_effect__is_none() -> None:
    assert words.share(float("nan")) == "none"


def test_difference__of_fractions__is_in_points_with_its_sign() -> None:
    assert words.plain(words.difference(0.0213, "share")) == "+2.1 points"
    assert words.plain(words.difference(-0.0004, "share")) == "-0.04 points"
    assert words.plain(words.differences((-0.0102, 0.004), "share")) == "-1.0 to +0.4 points"
    assert words.plain(words.difference(12.3, "level")) == "+12.30"
    assert words.plain(words.difference(math.nan, "share")) == "none"


@pytest.mark.parametrize(
    ("unit", "expected"), [("", "0.2"), ("a year", "0.2 a year"), ("1 = 100 %", "0.2 (1 = 100 %)")]
)
def test_with_unit__an_explanation__stands_in_brackets(unit, expected):
    assert words.with_unit("0.2", unit).replace(HARD, " ") == expected


def test_figure__too_small_for_its_digits__is_0() -> None:
    assert words.figure(4e-5, "level") == "0"
    assert words.figure(6e-5, "level") == "0.0001"


def test_figures__of_a_yes_or_no__are_0_and_1() -> None:
    assert words.figures((0.0, 1.0), "level") == "0 to 1"
    assert words.figures((0.0, 2.0), "level") == "0 to 2.00"
