"""What a product's terms say of it before anything is simulated.

This module is read together with the scenario: it needs neither numba nor a market nor a chain.
A product's own terms derive from `InstrumentTerms` and lie in its room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from simulator.schema.fields import Fault, Frozen

Unit = Literal["ounces", "usd"]
UNITS: tuple[Unit, Unit] = ("ounces", "usd")
"""Every unit, in the order of tables; what has no metal behind it is measured in USD alone."""

RESERVED = ("cash", "desk")
"""Labels that no instrument may have: portfolios hold cash, and trade at the stage's desk."""


@dataclass(frozen=True)
class Measured:
    """A position of one size that is simulated, of which others hold parts.

    Its size is that of its first holder. Where portfolios alone hold it, it is as large as their
    largest part, so that gas weighs what it would; and without any, as large as `stand_in`, so
    that the product can be watched.

    Attributes
    ----------
    unit : Unit
        What its size is counted in.
    stand_in : float
        Size without any holder, in `unit`.
    usd_per_unit : float
        Round price at which dollars of a portfolio count as units.
    one_holder : bool
        Whether a second holder beside the first, by `holding`, is refused.
    """

    unit: Unit = "usd"
    stand_in: float = 1_000.0
    usd_per_unit: float = 1.0
    one_holder: bool = False


@dataclass(frozen=True)
class Lends:
    """Which observables of who lends say what becomes of his loans, in dollars.

    Attributes
    ----------
    insolvent : str
        Debt that its collateral does not pay for: written off so far, or open today.
    liquidated : str
        Debt that liquidators repaid so far.
    """

    insolvent: str
    liquidated: str


@dataclass(frozen=True)
class Position:
    """A thing that investors, claims and series may name.

    Attributes
    ----------
    name : str
        The instrument's label, or one that begins with it.
    follows : str
        The market's asset that moves it most; the report shows its price.
    units : tuple of Unit
        What it is measured in.
    observables : tuple of str
        Names of the daily series it shows beside its worth, as `InstrumentPaths.details` and
        `InstrumentPaths.further`.
    divisible : bool
        Whether portfolios can hold parts that change.
    measured : Measured or None
        How large the simulated position is; None for one unit: an ounce, a dollar.
    settles : "dollars", "usdc" or "flows"
        What its numbers count in: dollars, USDC, or dollars with single payments in USDC
        (`InstrumentPaths.usdc_flows`).
    usdc_moves : str
        Of a position that settles in USDC but is worth as many dollars whatever USDC does: the
        source that takes the moves of USDC. Empty where they are a source of their own.
    lends : Lends or None
        Of who lends to others: the observables that tell what becomes of it.
    """

    name: str
    follows: str
    units: tuple[Unit, ...] = ("usd",)
    observables: tuple[str, ...] = ()
    divisible: bool = True
    measured: Measured | None = None
    settles: Literal["dollars", "usdc", "flows"] = "dollars"
    usdc_moves: str = ""
    lends: Lends | None = None


Amount = Literal["size", "at", "times"]
"""How a shock says how much: a relative move or a share, a level, a multiple."""


@dataclass(frozen=True)
class Struck:
    """Something that a shock can do to an instrument, as `LABEL.NAME`.

    Attributes
    ----------
    name : str
    about : str
        What happens, in a sentence for the docs.
    amounts : tuple of Amount
        How it can be said how much; empty for what has no size.
    low, high : float
        Between which an amount must lie.
    lasts : bool
        Whether it has a duration: ramp, plateau, half-life. What is done in one stroke has none.
    is_certain : bool
        Whether it holds on all paths alike, so that no condition or share decides.
    alone : str
        Of what is only for something on which no other instrument stands, since it would stop these
        too: what there is in its place. Empty for what may hit anything.
    """

    name: str
    about: str
    amounts: tuple[Amount, ...] = ()
    low: float = 0.0
    high: float = 1.0
    lasts: bool = False
    is_certain: bool = False
    alone: str = ""


KEEPER = "keeper"


def without_keepers(what: str) -> Struck:
    """Return the absence of those who act for others; `what` says what then nobody does."""
    return Struck(KEEPER, f"nobody {what} while it lasts", lasts=True)


@dataclass(frozen=True)
class Needs:
    """What an instrument stands on: assets and factors of the market, other instruments.

    `trades_in` are those of `instruments` whose own prices its trades move. Such a ground is drawn
    before it and played after it, with its visits (`Played.visits`): nobody else may trade there.
    """

    assets: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    trades_in: tuple[str, ...] = ()


@dataclass(frozen=True)
class Among:
    """The scenario around an instrument, as its `faults` may see it.

    Attributes
    ----------
    horizon_days : int
    instruments : mapping
        Terms of all instruments by label.
    traded : frozenset of str
        Labels that portfolios trade, with all that these stand on.
    """

    horizon_days: int
    instruments: Mapping[str, InstrumentTerms]
    traded: frozenset[str] = frozenset()


class InstrumentTerms(Frozen):
    """Base of every product's terms."""

    kind: str = ""
    """What it is; may be left out where the label is a kind."""

    aliases: ClassVar[Mapping[str, str]] = {}
    """What people call one of its numbers where the file's own name differs."""

    def positions(self, label: str) -> tuple[Position, ...]:
        """Return what can be held of it, the instrument itself first."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of its positions")

    def needs(self) -> Needs:
        """Return what it stands on."""
        return Needs()

    @classmethod
    def shocks(cls) -> tuple[Struck, ...]:
        """Return what shocks can do to it, beside what they do to the market."""
        return ()

    def faults(self, label: str, among: Among) -> list[Fault]:
        """Return what the scenario around it does not allow; places are seen from the terms."""
        del label, among
        return []


def stands_on(
    terms: InstrumentTerms,
    field: str,
    among: Among,
    kind: type[InstrumentTerms],
    named: str,
) -> list[Fault]:
    """Return the fault of a field that must name an instrument of a certain kind.

    Parameters
    ----------
    kind : type
        Class of the terms that it must have.
    named : str
        What such an instrument is called in a message, as in `a mining_sto`.
    """
    label = getattr(terms, field)
    others = [other for other, theirs in among.instruments.items() if isinstance(theirs, kind)]
    if label in others:
        return []
    rule = f"must be {named} of this file: {', '.join(others) or 'there is none'}"
    return [((field,), f"'{label}'", rule)]
