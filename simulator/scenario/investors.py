"""Terms of an investor: what is put in, into what, and when it is traded."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.schema.fields import (
    Bps,
    Fault,
    Frozen,
    Label,
    OpenShare,
    Positive,
    Share,
    Unit,
    Whole,
    refuse,
)

CASH = "cash"
"""What a weight may name beside the instruments: dollars that earn nothing."""
_SUM_TOLERANCE = 1e-9

Day = Annotated[Whole, Field(ge=1, le=3660)]


class RebalanceTerms(Frozen):
    """When a portfolio is brought back to its weights; without either it drifts."""

    every_days: Day | None = None
    """Calendar days between two rebalancings; none = not by the calendar."""
    band: OpenShare | None = None
    """Distance of a weight from its target, of the whole, that sets one off; none = never."""


class StopTerms(Frozen):
    """Stop-losses: what triggers on a step is sold on the next one."""

    holding: OpenShare | None = None
    """Fall of one holding's price at which all of it is sold; none = never."""
    portfolio: OpenShare | None = None
    """Fall of the whole at which everything is sold; none = never."""
    measured_from: Literal["peak", "entry"] = "peak"
    """What a fall is counted from: the highest price since buying, or the price then."""
    reenter_after_days: Day | None = None
    """Days after which what was sold is bought again; none = never."""
    parked_in: Label | None = None
    """Holding that takes what stops bring, itself without a stop; none = cash."""


class FlowTerms(Frozen):
    """Money that is put in or taken out during the run."""

    usd: Annotated[float, Field(ge=-1e12, le=1e12), Unit("negative is taken out")]
    """Dollars each time; negative = taken out."""
    first_day: Day
    """Day of the first payment."""
    every_days: Day | None = None
    """Days between two payments; none = once."""

    @model_validator(mode="after")
    def _moves_something(self) -> FlowTerms:
        if self.usd == 0.0:
            refuse([(("usd",), "0", "must not be zero")])
        return self


class InvestorTerms(Frozen):
    """Someone who holds one instrument over the whole run, or a portfolio by weights."""

    holding: Label | None = None
    """The one instrument held, by its name; none for a portfolio."""
    ounces: Positive | None = None
    """Ounces of metal token put in at the start; tokens and the vault alone are held so."""
    capital_usd: Positive | None = None
    """Dollars put in at the start, instead of ounces."""
    weights: dict[Label, Share] | None = None
    """Shares of the capital by instrument or cash; they sum to 1."""
    rebalance: RebalanceTerms = RebalanceTerms()
    """When the weights are restored."""
    stop_loss: StopTerms = StopTerms()
    """When holdings are sold to stop a loss."""
    flows: Annotated[tuple[FlowTerms, ...], Field(strict=False)] = ()
    """Contributions and withdrawals."""
    trading_cost_bps: Bps = 0.0
    """Commission on what is bought or sold, beside the instruments' own spreads."""

    @model_validator(mode="after")
    def _fits_together(self) -> InvestorTerms:
        if (self.holding is None) == (self.weights is None):
            refuse([((), "", "must have either holding or weights")])
        if self.weights is None:
            refuse(self._single_faults())
        else:
            refuse(self._portfolio_faults(self.weights))
        return self

    def _single_faults(self) -> list[Fault]:
        faults: list[Fault] = []
        if (self.ounces is None) == (self.capital_usd is None):
            faults.append(((), "", "must have either ounces or capital_usd"))
        traded = {"rebalance", "stop_loss", "flows", "trading_cost_bps"}
        given = [name for name in InvestorTerms.model_fields if name in traded]
        rule = "is for portfolios: write weights in place of holding"
        defaults = {name: InvestorTerms.model_fields[name].default for name in given}
        return faults + [
            ((name,), "", rule) for name in given if getattr(self, name) != defaults[name]
        ]

    def _portfolio_faults(self, weights: dict[str, float]) -> list[Fault]:
        faults: list[Fault] = []
        total = sum(weights.values())
        if abs(total - 1.0) > _SUM_TOLERANCE:
            faults.append((("weights",), "", f"sum to {total:.10g}; must sum to 1"))
        if not self.held:
            faults.append((("weights",), "", "must name at least one instrument"))
        if self.capital_usd is None:
            faults.append((("capital_usd",), "", "is required: weights are shares of it"))
        if self.ounces is not None:
            faults.append((("ounces",), f"{self.ounces:g}", "must not stand beside weights"))
        parked = self.stop_loss.parked_in
        if parked is not None and parked not in weights:
            rule = f"must be one of the weights (0 will do): {', '.join(weights)}"
            faults.append((("stop_loss", "parked_in"), f"'{parked}'", rule))
        return faults

    @property
    def held(self) -> tuple[str, ...]:
        """Return the names of the instruments that are held, without cash."""
        names = (self.holding,) if self.weights is None else self.weights
        return tuple(name for name in names if name is not None and name != CASH)


def unknown_instrument(name: str, known: Collection[str]) -> str:
    """Return the rule that a name of no instrument breaks, with the nearest names."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else f": {', '.join(known)}"
    return f"must be an instrument of this file{hint}"
