"""A product's card: what the registry knows of it before anything else is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from simulator.instruments.terms import InstrumentTerms

T = TypeVar("T", bound=InstrumentTerms)


@dataclass(frozen=True)
class Instrument(Generic[T]):
    """One kind of product.

    Attributes
    ----------
    kind : str
        Its name in a scenario.
    about : str
        What it is, in a line.
    terms : type of InstrumentTerms
    model, stagecraft, page : str
        Where its `Model`, `Stagecraft` and `Page` are, as "package.module:NAME"; loaded on
        first use. Without stagecraft it is not played on a chain, without a page the report shows
        it like any other.
    artifacts : str
        Package that holds its compiled contracts as JSON; empty for Assay's own.
    draws : tuple of str
        Names of what it draws, each from a stream of its own (`registry.own_stream`). Products
        that ship with Assay have numbers of old and name none.
    gas : dict of act to int
        Gas that each act of the measured holder uses, as the replay measures it on Anvil; what a
        scenario's `gas.used` may change. Empty for what books none.
    """

    kind: str
    about: str
    terms: type[T]
    model: str = ""
    stagecraft: str = ""
    page: str = ""
    artifacts: str = ""
    draws: tuple[str, ...] = ()
    gas: Mapping[str, int] = field(default_factory=dict)
