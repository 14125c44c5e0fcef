"""A calibration of all ten assets with the figures that the market's design states."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np

from simulator.scenario.calibration import Calibration
from simulator.scenario.macro import MacroCalibration
from simulator.scenario.models import Scenario

SOURCE = "the market's design"
WINDOW = (dt.date(2000, 1, 3), dt.date(2026, 1, 20))
START = dt.date(2026, 1, 20)

# price, unit, volatility, alpha, gamma, beta, jumps a year, their mean and deviation
TABLE = {
    "gold": (4_760.0, "oz", 0.174, 0.055, -0.031, 0.945, 1.7, -0.011, 0.048),
    "silver": (94.2, "oz", 0.318, 0.061, -0.039, 0.943, 1.8, -0.045, 0.074),
    "copper": (12_730.0, "tonne", 0.269, 0.040, 0.0, 0.945, 1.2, -0.027, 0.083),
    "bitcoin": (89_900.0, "coin", 0.666, 0.072, 0.001, 0.912, 4.9, -0.014, 0.14),
    "altcoins": (100.0, "index", 0.79, 0.105, 0.001, 0.849, 2.9, -0.093, 0.17),
    "big_tech": (608.06, "share", 0.259, 0.003, 0.167, 0.898, 1.3, -0.018, 0.065),
    "small_caps": (262.58, "share", 0.240, 0.014, 0.132, 0.901, 0.8, -0.036, 0.058),
    "gold_miners": (102.78, "share", 0.409, 0.031, 0.034, 0.937, 0.9, -0.043, 0.11),
    "copper_miners": (82.25, "share", 0.354, 0.034, 0.051, 0.9255, 0.7, -0.073, 0.089),
    "treasury_bills": (100.0, "index", 0.002, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}
ASSETS = tuple(TABLE)
EVERY_DAY = ("bitcoin", "altcoins", "treasury_bills")
DRIFTS = dict.fromkeys(ASSETS, 0.07) | {
    "gold": 0.035,
    "silver": 0.035,
    "copper": 0.035,
    "treasury_bills": 0.037,
}
# Stated in the design; pairs that it leaves out are assumptions here.
CORRELATIONS = {
    ("gold", "silver"): 0.77,
    ("gold", "copper"): 0.32,
    ("silver", "copper"): 0.42,
    ("gold", "bitcoin"): 0.16,
    ("big_tech", "small_caps"): 0.76,
    ("gold", "gold_miners"): 0.81,
    ("copper", "copper_miners"): 0.74,
    ("big_tech", "bitcoin"): 0.22,
    ("bitcoin", "altcoins"): 0.80,
    ("silver", "bitcoin"): 0.18,
    ("copper", "bitcoin"): 0.16,
    ("gold", "altcoins"): 0.14,
    ("silver", "altcoins"): 0.18,
    ("copper", "altcoins"): 0.16,
    ("big_tech", "altcoins"): 0.26,
    ("small_caps", "bitcoin"): 0.22,
    ("small_caps", "altcoins"): 0.26,
    ("gold", "big_tech"): 0.05,
    ("gold", "small_caps"): 0.05,
    ("silver", "big_tech"): 0.20,
    ("silver", "small_caps"): 0.22,
    ("copper", "big_tech"): 0.28,
    ("copper", "small_caps"): 0.33,
    ("silver", "gold_miners"): 0.72,
    ("copper", "gold_miners"): 0.35,
    ("gold", "copper_miners"): 0.35,
    ("silver", "copper_miners"): 0.45,
    ("big_tech", "gold_miners"): 0.20,
    ("small_caps", "gold_miners"): 0.25,
    ("big_tech", "copper_miners"): 0.52,
    ("small_caps", "copper_miners"): 0.60,
    ("gold_miners", "copper_miners"): 0.50,
    ("bitcoin", "gold_miners"): 0.18,
    ("altcoins", "gold_miners"): 0.18,
    ("bitcoin", "copper_miners"): 0.22,
    ("altcoins", "copper_miners"): 0.24,
}


def figure(value, unit):
    return {
        "value": value,
        "unit": unit,
        "source": SOURCE,
        "window": WINDOW,
        "standard_error": None,
        "note": "stated in the design",
    }


def asset_figures(name):
    price, unit, volatility, alpha, gamma, beta, rate, mean, deviation = TABLE[name]
    periods = 365 if name in EVERY_DAY else 252
    return {
        "periods_per_year": periods,
        "price": figure(price, f"USD/{unit}"),
        "volatility": figure(volatility, "1/sqrt(year)"),
        "alpha": figure(alpha, "1"),
        "gamma": figure(gamma, "1"),
        "beta": figure(beta, "1"),
        "variance_start": figure(volatility**2 / periods, "1/period"),
        "degrees_of_freedom": figure(6.0, "1"),
        "jump_intensity": figure(rate, "1/year"),
        "jump_mean": figure(mean, "log return"),
        "jump_sd": figure(deviation, "log return"),
    }


def correlation(one, other):
    return CORRELATIONS.get((one, other), CORRELATIONS.get((other, one), 0.0))


def data(assets=ASSETS):
    """Return the calibration as plain data."""
    return {
        "name": "ten-assets",
        "as_of": START,
        "source": SOURCE,
        "assets": {name: asset_figures(name) for name in assets},
        "correlations": [
            {"between": pair, **figure(correlation(*pair), "1")}
            for pair in itertools.combinations(assets, 2)
        ],
        "joint_degrees_of_freedom": figure(6.0, "1"),
    }


def ten_assets(macro: MacroCalibration | None = None, assets=ASSETS) -> Calibration:
    """Return the calibration."""
    found = Calibration.model_validate(data(assets))
    return found.model_copy(update={"macro": macro})


def scenario_of(assets=ASSETS, *, drifts=DRIFTS, days=365, paths=1_000, **market) -> Scenario:
    """Return a scenario whose market holds `assets`; `market` are its other terms."""
    needed = {"gold": {"drift": drifts["gold"]}} if "gold" not in assets else {}
    return Scenario.model_validate(
        {
            "name": "ten-assets",
            "title": "All assets",
            "start": START,
            "horizon_days": days,
            "paths": paths,
            "seed": 20260120,
            "market": {
                "model": "garch",
                "calibration": "ten-assets",
                "assets": {name: {"drift": drifts[name]} for name in assets} | needed,
                **market,
            },
            "instruments": {"gold_token": {"preset": "paxg"}},
            "investors": {"holder": {"holding": "gold_token", "ounces": 1.0}},
            "claims": {
                "any": {
                    "says": "it pays",
                    "subject": "holder",
                    "conditions": [{"measure": "total_return", "unit": "usd", "at_least": 0.0}],
                }
            },
            "replay": {"subject": "holder"},
        }
    )


def log_returns(prices: np.ndarray) -> np.ndarray:
    """Return daily log returns, of shape (n_steps, n_paths)."""
    return np.diff(np.log(prices), axis=0)
