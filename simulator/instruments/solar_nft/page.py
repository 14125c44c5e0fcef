"""What a token on a panel has paid and is worth, by right, and how small and far the silver is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from simulator.instruments.page import Date, Fan, Paragraph, Section, Silent, Table, Told
from simulator.instruments.solar_nft.state import array_watts
from simulator.instruments.solar_nft.terms import SolarNftTerms
from simulator.instruments.solar_nft.worth import silver_mg
from simulator.mechanics.solar import MG_PER_OUNCE, N_ARRAYS
from simulator.units import BPS, DAYS_PER_YEAR
from simulator.words import figure, number, percent

COLUMNS = ("of one token, USD", "p05", "median", "p95")


class SolarPage(Silent[SolarNftTerms]):
    """A section of its own: rights in dollars, the silver today, and what is locked."""

    def dates(self, terms: SolarNftTerms) -> Sequence[Date]:
        """Return when the lock of who locks on the first day ends."""
        return (Date(terms.lock.days, "lock ends", of="-locked"),)

    def section(self, told: Told[SolarNftTerms]) -> Section:
        """Return the rights, the silver in words, what is locked, and the fans."""
        panel = told.terms.panel
        intro = Paragraph(
            f"A token is a panel of {panel.watts} W, issued at "
            f"{number(told.terms.issue_price_usd, 2)} USD. Its owner is paid for the energy that "
            "it gives, may lock the token for a share of a bonus, and is paid for its silver once "
            "it is retired. The floor price is what buyers expect of energy and silver, "
            "discounted, times their mood."
        )
        caption = f"What a token has paid after {told.horizon_days} days, and is worth then"
        table = Table(caption, COLUMNS, tuple(rights(told)))
        silver = Paragraph(silver_words(told), lead="The silver.")
        return Section(
            f"Solar tokens: {told.label}",
            (
                intro,
                table,
                silver,
                Paragraph(locked_words(told), lead="What is locked."),
                *_fans(told),
            ),
        )


def rights(told: Told[SolarNftTerms]) -> list[tuple[str, str, str, str]]:
    """Return a row for each right and cost: words, p05, median and p95 over the paths."""
    free, locked = told.terms.names(told.label)
    wanted = {
        "Energy paid": f"{free}.energy_usd",
        "Bonus paid, if it was locked from the first day": f"{locked}.bonus_usd",
        "The right to the silver": f"{free}.silver_usd",
        "Floor price": f"{free}.floor_usd",
        "Rights paid, less issue premium, gas and costs of a sale": f"{free}.rights_less_costs_usd",
    }
    rows = []
    for words, series in wanted.items():
        last = told.rows(series).iloc[-1]
        low, middle, high = (number(float(last[q]), 2) for q in ("p05", "p50", "p95"))
        rows.append((words, low, middle, high))
    return rows


def silver_words(told: Told[SolarNftTerms]) -> str:
    """Return how much silver there is, what it will be paid with, and what that is today."""
    terms = told.terms
    free, _ = terms.names(told.label)
    milligrams, years = silver_mg(terms), terms.panel.days_left / DAYS_PER_YEAR
    today = float(told.rows(f"{free}.silver_usd").iloc[0]["p50"])
    waits = math.exp((terms.buyers.discount_rate - terms.silver.expected_growth) * years)
    share = terms.silver.recovery_bps / BPS
    return (
        f"A panel holds {number(milligrams / 1_000, 2)} g, {number(milligrams / MG_PER_OUNCE, 3)} "
        f"ounces. Its owner is paid for {percent(share, 0)} of that once the panel is retired, in "
        f"{number(years, 1)} years: {number(today * waits, 2)} USD at the price of the first day. "
        f"Discounted at {percent(terms.buyers.discount_rate)} a year that is {number(today, 2)} "
        f"USD today, {percent(today / terms.issue_price_usd)} of the issue price."
    )


def locked_words(told: Told[SolarNftTerms]) -> str:
    """Return what is locked after three months, and what there is to be locked."""
    terms = told.terms
    free, _ = terms.names(told.label)
    value = told.rows(f"{free}.locked_in_three_months_usd").iloc[-1]
    floor = float(told.rows(f"{free}.floor_usd").iloc[0]["p50"])
    watts = N_ARRAYS * array_watts(terms)
    return (
        f"After three months tokens worth {figure(float(value['p50']), 'level')} USD are locked in "
        f"the median, {figure(float(value['p95']), 'level')} on one path of twenty. All "
        f"{number(watts / 1e6, 0)} MW of the collection are worth "
        f"{figure(watts / terms.panel.watts * floor, 'level')} USD at the first floor price."
    )


def _fans(told: Told[SolarNftTerms]) -> tuple[Fan, ...]:
    free, locked = told.terms.names(told.label)
    issue = told.terms.issue_price_usd
    return (
        Fan(f"{free}.floor_usd", "Floor price of a token", "USD", level=issue, note="issue price"),
        Fan(f"{free}.energy_usd", "Energy paid so far, of one token", "USD"),
        Fan(f"{locked}.bonus_usd", "Bonus paid so far, of one locked token", "USD"),
        Fan(f"{free}.locked_value_usd", "Value of all locked tokens", "USD"),
    )


PAGE = SolarPage()
