"""A copper mine's cash flow: ore and price in, distributable profit out.

    payable tonnes = ore x grade x recovery x payable share
    net smelter revenue = payable tonnes x (copper price - treatment and refining charges)
    operating = revenue - royalty - site cost - sustaining capex
    tax = rate x max(operating - depreciation - losses carried forward, 0)
    distributable = max(operating - tax - deficit carried forward, 0)

Rates of a day are a 365th of those of a year. The site's cost follows the ore, not the copper:
as the grade falls, a pound costs more. A year calculated by hand is in docs/mine-year.md.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.jit import inlined


class Mine(NamedTuple):
    """A mine's terms at full output and the first grade.

    payable_tonnes_a_day : tonnes of copper that the smelter pays for
    charges_usd_per_tonne : treatment and refining, USD per payable tonne
    site_usd_a_day : cost of the site, USD
    fixed_cost_share : share of it that a standing mine bears too, 0 to 1
    sustaining_usd_a_day : sustaining capex, USD
    depreciation_usd_a_day : what may be deducted before tax, USD
    royalty : share of revenue, 0 to 1
    tax : share of taxable profit, 0 to 1
    """

    payable_tonnes_a_day: float
    charges_usd_per_tonne: float
    site_usd_a_day: float
    fixed_cost_share: float
    sustaining_usd_a_day: float
    depreciation_usd_a_day: float
    royalty: float
    tax: float


@inlined
def revenue(mine: Mine, output: float, grade: float, copper_usd: float) -> float:
    """Return a day's net smelter revenue in USD.

    Parameters
    ----------
    output : float
        Ore over the plant's capacity, 0 to 1.
    grade : float
        Copper out of the ore over the plan's first year, 1 at the start.
    copper_usd : float
        USD per tonne.
    """
    tonnes = mine.payable_tonnes_a_day * output * grade
    return tonnes * (copper_usd - mine.charges_usd_per_tonne)


@inlined
def cost(mine: Mine, output: float, revenue_usd: float) -> float:
    """Return a day's royalty, site cost and sustaining capex in USD."""
    site = mine.fixed_cost_share + (1.0 - mine.fixed_cost_share) * output
    return mine.royalty * revenue_usd + mine.site_usd_a_day * site + mine.sustaining_usd_a_day


@inlined
def settle(
    operating: float, depreciation: float, tax: float, losses: float, deficit: float
) -> tuple[float, float, float]:
    """Return a period's distributable profit, and the losses and deficit carried on, USD.

    `losses` (for tax) and `deficit` (in cash) are those carried into the period, USD, never
    negative; `tax` is a share, 0 to 1.
    """
    taxable = operating - depreciation - losses
    cash = operating - tax * max(taxable, 0.0) - deficit
    return max(cash, 0.0), max(-taxable, 0.0), max(-cash, 0.0)
