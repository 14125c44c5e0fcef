"""The largest moves of the real rate are those of the data; a view arrives when they let it."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator.scenario.pace import LARGEST_FALLS, LARGEST_RISES, arrival_day, largest_move
from simulator.scenario.views import Views

RATES = Path(__file__).parents[3] / "shared" / "data" / "rates_daily.csv"


def test_largest_moves__are_those_of_the_real_data():
    if not RATES.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("../shared/data is missing")
        pytest.skip("../shared/data is not here")
    table = pd.read_csv(RATES, parse_dates=["date"], index_col="date")
    rate = table["real_yield_10y_pct"].dropna().resample("D").ffill() / 100
    for days in (90, 365, 730):
        moves = rate.diff(days)
        assert -moves.min() == pytest.approx(LARGEST_FALLS[days].value)
        assert moves.max() == pytest.approx(LARGEST_RISES[days].value)
    assert (rate.index[0].date(), rate.index[-1].date()) == LARGEST_FALLS[90].window


def test_largest_move__between_and_beyond_the_stated_days__is_straight():
    # half of 1.48; between 1.48 and 1.95 by (180 - 90) / 275; twice 2.65 after twice 730 days
    days = np.array([0, 45, 90, 180, 730, 1460])
    expected = [0, 0.0074, 0.0148, 0.0148 + 0.0047 * 90 / 275, 0.0265, 0.053]
    assert largest_move(LARGEST_FALLS, days) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("terms", "day"),
    [
        # 2.97 points at 2.65 in 730 days: 818.2
        ({"real_rate": -0.01}, 819),
        ({"real_rate": -0.01, "ramp_days": 900}, 900),
        ({"real_rate": -0.01, "rate_pace": "any"}, 90),
        # 3 points: 2.87 in 365 days, and .13 of the .67 of the 365 after these: 435.8
        ({"real_rate": 0.0497}, 436),
        # within what has been
        ({"real_rate": 0.0197 - 0.0148}, 90),
        ({"real_rate": 0.0197 - 0.0148, "ramp_days": 30}, 90),
        ({"real_rate": 0.0197}, 90),
    ],
)
def test_arrival__view__is_the_first_day_of_so_large_a_move(terms, day):
    assert arrival_day(Views(**terms), 0.0197) == day
