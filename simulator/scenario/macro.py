"""The macro section of a calibration: what the macro model reads, with defaults.

A calibration file may give any of the groups below; a group that it leaves out has the
figures of this module. A figure without data is marked `assumption`.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from simulator.scenario.macro_types import (
    REGIMES,
    CentralBanks,
    CopperBalance,
    Elasticities,
    Flow,
    Liquidity,
    LoadingFigure,
    MacroModel,
    Mark,
    MeanReverting,
    NonNegativeFigure,
    PositiveFigure,
    Quantity,
    RatioPull,
    RegimeName,
    Regimes,
    RegimeState,
    ShareFigure,
    SilverBalance,
    Sourced,
)
from simulator.schema.assets import Asset

__all__ = ["REGIMES", "MacroCalibration", "RegimeName", "Sourced"]

_FED = "US Federal Reserve, 10-year TIPS and nominal yields"
_MONEY = "US Federal Reserve, M2, 12-month log growth, monthly"
_CPI = "US BLS, CPI, 12-month log change, monthly"
_WGC = "World Gold Council, central banks' net purchases, annual"
_OWN = "own choice"
_A_YEAR = "1/year"
_ROOT = "1/sqrt(year)"
_RATE_WINDOW = (dt.date(2003, 1, 2), dt.date(2026, 1, 20))


Kind = TypeVar("Kind", bound=Sourced)


def _of(
    kind: type[Kind],
    value: float,
    unit: str,
    source: str = _OWN,
    mark: Mark = "assumption",
    error: float | None = None,
    window: tuple[dt.date, dt.date] | None = None,
    note: str = "",
) -> Kind:
    return kind(
        value=value,
        unit=unit,
        mark=mark,
        source=source,
        standard_error=error,
        window=window,
        note=note,
    )


def _assumed(value: float, unit: str = "1", note: str = "") -> Sourced:
    return _of(Sourced, value, unit, note=note)


def _positive(value: float, unit: str, note: str = "") -> PositiveFigure:
    return _of(PositiveFigure, value, unit, note=note)


def _zero_or_more(value: float, unit: str, note: str = "") -> NonNegativeFigure:
    return _of(NonNegativeFigure, value, unit, note=note)


def _real_rate() -> MeanReverting:
    return MeanReverting(
        start=_of(Sourced, 0.0197, _A_YEAR, _FED, "observed", window=(_RATE_WINDOW[1],) * 2),
        long_run=_of(Sourced, 0.010, _A_YEAR, _FED, "observed", window=_RATE_WINDOW),
        speed=_of(
            PositiveFigure, 0.28, _A_YEAR, _FED, "observed", window=_RATE_WINDOW, note="2.5 years"
        ),
        volatility=_of(NonNegativeFigure, 0.0076, _ROOT, _FED, "observed", window=_RATE_WINDOW),
    )


def _inflation() -> MeanReverting:
    window = (dt.date(2003, 1, 1), dt.date(2025, 12, 1))
    breakeven = "solved: start and speed then make the breakeven of 2026-01-20, 2.33 %"
    return MeanReverting(
        start=_of(Sourced, 0.0264, _A_YEAR, _CPI, "observed", window=(window[1],) * 2),
        long_run=_of(Sourced, 0.0223, _A_YEAR, _FED, "observed", note=breakeven),
        speed=_of(
            PositiveFigure,
            0.40,
            _A_YEAR,
            _CPI,
            "observed",
            window=window,
            note="AR(1), .967 a month",
        ),
        volatility=_of(
            NonNegativeFigure,
            0.0157,
            _ROOT,
            _CPI,
            "observed",
            window=window,
            note="standard deviation 1.76 points",
        ),
    )


def _central_banks() -> CentralBanks:
    tonnes, window = "tonnes/year", (dt.date(2014, 1, 1), dt.date(2025, 12, 31))
    split = "only the net has data (mean 666 t, s.d. 280 t); the split is an assumption"
    purchases = Flow(
        start=_of(PositiveFigure, 1_000.0, tonnes, _WGC, window=window, note=split),
        mean=_of(PositiveFigure, 820.0, tonnes, _WGC, window=window, note=split),
        speed=_positive(0.5, _A_YEAR),
        volatility=_zero_or_more(0.33, _ROOT, split),
    )
    sales = Flow(
        start=_of(PositiveFigure, 137.0, tonnes, _WGC, window=window, note="net 863 t in 2025"),
        mean=_of(PositiveFigure, 154.0, tonnes, _WGC, window=window, note=split),
        speed=_positive(0.5, _A_YEAR),
        volatility=_zero_or_more(0.40, _ROOT, split),
    )
    return CentralBanks(purchases=purchases, sales=sales)


def _quantity(
    unit: str, level: float, growth: float, speed: float, volatility: float, note: str
) -> Quantity:
    return Quantity(
        level=_positive(level, unit, note),
        growth=_assumed(growth, _A_YEAR),
        speed=_positive(speed, _A_YEAR),
        volatility=_zero_or_more(volatility, _ROOT),
    )


def _silver() -> SilverBalance:
    ounces = "million oz/year"
    deficit = "deficits of 2021-2025 add up to about 820 million oz, 164 a year"
    return SilverBalance(
        industrial=_quantity(ounces, 680.0, 0.03, 0.5, 0.05, "above half of demand"),
        jewellery=_quantity(ounces, 250.0, 0.0, 0.5, 0.09, deficit),
        investment=_quantity(ounces, 234.0, 0.0, 0.5, 0.25, deficit),
        supply=_quantity(ounces, 1_000.0, 0.01, 0.5, 0.02, "72 % by-product"),
        supply_elasticity=_zero_or_more(0.15, "1", "by-product: inelastic"),
        demand_elasticity=_positive(0.60, "1", "sum of elasticities 0.5 to 1 over years"),
    )


def _copper() -> CopperBalance:
    tonnes = "million tonnes/year"
    smith = "Schwartz-Smith"
    return CopperBalance(
        demand=_quantity(tonnes, 27.4, 0.0275, 0.3, 0.02, "electric vehicles, data centres, grid"),
        supply=_quantity(tonnes, 27.0, 0.02, 0.7, 0.012, "10 to 17 years to a new mine"),
        supply_elasticity=_zero_or_more(0.25, "1"),
        demand_elasticity=_positive(0.50, "1"),
        outage_rate=_zero_or_more(1.0, _A_YEAR),
        outage_size=_zero_or_more(0.012, "1", "a mine of 0.3 million tonnes"),
        outage_deviation=_zero_or_more(0.004, "1"),
        reversion_speed=_zero_or_more(0.35, _A_YEAR, smith),
        short_volatility=_zero_or_more(0.20, _ROOT, smith),
        long_volatility=_positive(0.14, _ROOT, smith),
    )


def _liquidity() -> Liquidity:
    window = (dt.date(1985, 1, 1), dt.date(2025, 10, 1))
    return Liquidity(
        start=_of(
            Sourced, -0.3, "s.d.", _MONEY, "observed", window=(window[1],) * 2, note="growth 4.5 %"
        ),
        speed=_of(PositiveFigure, 0.19, _A_YEAR, _MONEY, "observed", window=window),
        money_growth_mean=_of(Sourced, 0.056, _A_YEAR, _MONEY, "observed", window=window),
        money_growth_deviation=_of(
            PositiveFigure, 0.037, _A_YEAR, _MONEY, "observed", window=window
        ),
    )


def _state(
    months: float,
    following: dict[RegimeName, float],
    real_rate: float,
    liquidity: float,
    factor: float,
    note: str = "",
) -> RegimeState:
    return RegimeState(
        duration=_positive(months, "months", note),
        following={name: _of(ShareFigure, share, "1") for name, share in following.items()},
        real_rate_shift=_assumed(real_rate, _A_YEAR),
        liquidity_shift=_assumed(liquidity, "s.d."),
        volatility_factor=_positive(factor, "1", note),
    )


_MOMENTS = "simulated moments of nine assets' daily closes (docs/calibration.md)"
_HISTORY = (dt.date(2000, 5, 26), dt.date(2026, 1, 20))
_LOADINGS: dict[Asset, tuple[float, float]] = {
    "gold": (0.07, 0.19),
    "silver": (0.40, 0.24),
    "copper": (0.40, 0.24),
    "bitcoin": (0.46, 0.80),
    "altcoins": (0.46, 0.80),
    "big_tech": (0.70, 0.19),
    "small_caps": (0.70, 0.19),
    "gold_miners": (0.70, 0.16),
    "copper_miners": (0.70, 0.19),
}
"""Weights on the common shock of stress, each with its error."""


def _regimes() -> Regimes:
    gold = "gold's two states last 56 and 13 months"
    stress = _state(13.0, {"easing": 0.5, "neutral": 0.3, "limited": 0.2}, -0.005, -1.2, 1.0, gold)
    wild = _of(PositiveFigure, 2.56, "1", _MOMENTS, "observed", 0.35, _HISTORY)
    return Regimes(
        start="neutral",
        easing=_state(24.0, {"neutral": 0.8, "limited": 0.1, "stress": 0.1}, -0.005, 0.8, 0.95),
        neutral=_state(30.0, {"easing": 0.35, "limited": 0.45, "stress": 0.2}, 0.0, 0.0, 0.95),
        limited=_state(18.0, {"easing": 0.15, "neutral": 0.55, "stress": 0.3}, 0.005, -0.8, 1.05),
        stress=stress.model_copy(update={"volatility_factor": wild}),
        stress_loadings={
            asset: _of(LoadingFigure, loading, "1", _MOMENTS, "observed", error, _HISTORY)
            for asset, (loading, error) in _LOADINGS.items()
        },
    )


def _ratio() -> RatioPull:
    source, window = "World Bank Pink Sheet", (dt.date(2000, 1, 1), dt.date(2025, 12, 1))
    return RatioPull(
        equilibrium=_of(PositiveFigure, 68.0, "oz/oz", source, "observed", window=window),
        speed=_of(
            NonNegativeFigure,
            0.30,
            _A_YEAR,
            source,
            "observed",
            window=window,
            note="half-life 1.1 to 3 years by window; cointegration is weak, p .08 to .23",
        ),
    )


def _elasticities() -> Elasticities:
    point, level = "log return/percentage point", "log return/year/percentage point"
    money = "log return/year per 1/year of money growth"
    monthly = "own regression on monthly changes, 2003 to 2026-01"
    broken = "log return 15.5 / 11.7 / 3.6 % at rates below 0, 0 to 2, above 2 %; broke after 2022"
    return Elasticities(
        real_rate={
            "gold": _of(Sourced, -0.095, point, monthly, "observed", 0.012, _RATE_WINDOW),
            "silver": _of(Sourced, -0.105, point, "own regression", "observed", 0.020),
        },
        real_rate_level={
            "gold": _of(Sourced, -0.024, level, _CPI, "secondary", 0.012, note=broken)
        },
        central_banks={
            "gold": _of(
                Sourced,
                0.015,
                "log return/100 tonnes",
                _WGC,
                "observed",
                0.018,
                note="uncertain: t = 0.7 alone, 2.3 with the real rate; twelve years",
            )
        },
        liquidity={
            "bitcoin": _of(Sourced, 3.6, money, _MONEY, "observed", 2.0, note="t = 1.8"),
            "altcoins": _assumed(5.5, money, "silent where liquidity is scarce"),
        },
        rotation={
            "big_tech": _assumed(0.005, "log return/year/s.d.", "weight, flow, price"),
            "small_caps": _assumed(-0.025, "log return/year/s.d.", "the smaller side moves more"),
        },
        bill_rate={"treasury_bills": _assumed(1.0, "1", "bills follow the nominal rate")},
        gold_beta={"gold_miners": _of(Sourced, 1.7, "1", "GDX on gold, weekly", "observed")},
        copper_beta={"copper_miners": _of(Sourced, 1.2, "1", "COPX on copper, weekly", "observed")},
    )


class MacroCalibration(MacroModel):
    """Everything that the macro model reads beside the assets' own figures."""

    real_rate: MeanReverting = _real_rate()
    """The market's 10-year real rate."""
    inflation: MeanReverting = _inflation()
    """12-month consumer price inflation."""
    central_banks: CentralBanks = _central_banks()
    """Gross purchases and sales of gold."""
    silver: SilverBalance = _silver()
    """Silver's demand and supply."""
    copper: CopperBalance = _copper()
    """Copper's demand, supply, outages and short-run factor."""
    liquidity: Liquidity = _liquidity()
    """Global liquidity."""
    regimes: Regimes = _regimes()
    """Regimes of liquidity."""
    ratio: RatioPull = _ratio()
    """The gold-silver ratio."""
    elasticities: Elasticities = _elasticities()
    """What assets do for a unit of a factor."""
    event_share: ShareFigure = _of(
        ShareFigure,
        0.33,
        "1",
        _MOMENTS,
        "observed",
        0.14,
        _HISTORY,
        note="of the calibrated jumps; t shocks hold most of the tail already",
    )
    """Share of the assets' jump rates that counts as events on top of t shocks."""
    bitcoin_dominance: ShareFigure = _of(
        ShareFigure, 0.59, "1", "market data sites, January 2026", "secondary"
    )
    """Bitcoin's share of the value of all crypto assets on the first day."""
