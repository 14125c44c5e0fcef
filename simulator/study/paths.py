"""One path of a run, day by day: prices, instruments, investors, and what happened."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from simulator.instruments.base import Unit
from simulator.investors.world import World
from simulator.units import calendar

_EVENT_COLUMNS = ["date", "who", "what"]


@dataclass(frozen=True)
class PathStory:
    """One path, all frames with the days as index.

    Attributes
    ----------
    number : int
        Of the path in the run.
    prices : DataFrame
        A column an asset, in the asset's own unit.
    instruments : DataFrame
        Columns (position, series): what leaving pays (`usd`, `ounces`) for the simulated position,
        and its own observables.
    investors : DataFrame
        Columns (investor, unit): net asset value by what leaving pays.
    events : DataFrame
        Columns date, who, what, by day: shocks that began, and what befell a position; last,
        without a date, what is not kept by day.
    """

    number: int
    prices: pd.DataFrame
    instruments: pd.DataFrame
    investors: pd.DataFrame
    events: pd.DataFrame

    def returns(self, investor: str, unit: Unit = "usd") -> pd.Series[float]:
        """Return an investor's daily returns, without the first day: what quantstats reads.

        Raises
        ------
        KeyError
            There is no such investor, or he is not measured in the unit.
        """
        worth = self.investors[investor, unit]
        return worth.pct_change().iloc[1:].rename(investor)

    def __repr__(self) -> str:
        days = f"{self.prices.index[0]:%Y-%m-%d} to {self.prices.index[-1]:%Y-%m-%d}"
        told = (f"{who} {what}" for who, what in self.events[["who", "what"]].to_numpy())
        befell = ", ".join(told) or "nothing befell anybody"
        return f"Path {self.number}, {days}: {befell}"

    def _repr_html_(self) -> str:
        names = [" in ".join(column) for column in self.investors.columns]
        investors = self.investors.set_axis(names, axis=1)
        every = self.prices.join(investors)
        shown = {"start": every.iloc[0], "lowest": every.min(), "highest": every.max()}
        frame: str = pd.DataFrame({**shown, "end": every.iloc[-1]}).to_html(
            float_format="{:,.6g}".format
        )
        return f"<p>{self!r}</p>{frame}"


def story(world: World, lane: int, number: int) -> PathStory:
    """Return path `lane` of a block as frames.

    Parameters
    ----------
    number : int
        What the run calls it.
    """
    setting = world.setting
    days = calendar(setting.start, setting.n_steps).rename("date")
    prices = {name: values[:, lane] for name, values in world.market.prices.items()}
    held = {
        (name, unit): paths.exit[unit][:, lane]
        for name, paths in world.instruments.items()
        for unit in paths.units
    }
    shown = {
        (name, detail): values[:, lane]
        for name, paths in world.instruments.items()
        for detail, values in paths.details.items()
    }
    worth = {
        (name, unit): paths.holding.exit[unit][:, lane]
        for name, paths in world.investors.items()
        for unit in paths.holding.units
    }
    return PathStory(
        number,
        pd.DataFrame(prices, index=days),
        pd.DataFrame(held | shown, index=days),
        pd.DataFrame(worth, index=days),
        _events(world, lane, days),
    )


def _events(world: World, lane: int, days: pd.DatetimeIndex) -> pd.DataFrame:
    happened = world.market.happened
    rows: list[tuple[object, str, str]] = []
    for name, begins in ({} if happened is None else happened.begins).items():
        if begins[lane] < len(days):
            rows.append((days[begins[lane]], "market", f"shock {name}"))
    for name, paths in world.instruments.items():
        for what, on in paths.happened.items():
            step = int(paths.happened_on[what][lane]) if what in paths.happened_on else len(days)
            if on[lane]:
                rows.append((days[step] if step < len(days) else pd.NaT, name, what))
    # by day, those without one at the end
    return pd.DataFrame(rows, columns=_EVENT_COLUMNS).sort_values(
        "date", kind="stable", ignore_index=True
    )
