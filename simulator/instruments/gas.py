"""What the measured holder's transactions cost: gas of each act, and the price of a unit of it.

A kind's card has the figures that a replay measures on Anvil; a scenario may have its own, under
`gas.used`. Model and replay book the same ones, and no replay changes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from simulator.instruments.registry import cards
from simulator.schema.fields import Fault
from simulator.schema.gas import GasTerms
from simulator.schema.raw import Provenance
from simulator.units import FloatArray

MEASURED = Provenance(source="measured on Anvil by Assay's replay, approvals included")
PLACE = ("gas", "used")


@dataclass(frozen=True)
class Gas:
    """Gas of one kind's acts, by name, and what a unit of gas costs.

    Attributes
    ----------
    used : dict of act to float
        Units of gas.
    usd_per_gas : float
        Price of a unit, USD.
    times : ndarray of shape (n_steps + 1,), or None
        What the price is multiplied by on each step, 1 on the first; None for 1 on all.
    """

    used: Mapping[str, float]
    usd_per_gas: float
    times: FloatArray | None = None

    def usd(self, act: str) -> float:
        """Return what an act costs, USD, at the scenario's own price."""
        return self.used[act] * self.usd_per_gas

    def factors(self, n_steps: int) -> FloatArray:
        """Return what the price is multiplied by on each step, shape (n_steps + 1,)."""
        return np.ones(n_steps + 1) if self.times is None else self.times.copy()

    def usd_on(self, act: str, step: int) -> float:
        """Return what an act costs on a step, USD."""
        return self.usd(act) * (1.0 if self.times is None else float(self.times[step]))


def gas_by_kind(terms: GasTerms, times: FloatArray | None = None) -> dict[str, Gas]:
    """Return the gas of every kind that books some: as measured, where the scenario has no own.

    `times`, of shape (n_steps + 1,), is what the scenario's price is multiplied by on each step.
    """
    return {
        kind: Gas({**card.gas, **terms.used.get(kind, {})}, terms.usd_per_gas, times)
        for kind, card in cards().items()
        if card.gas
    }


def gas_faults(terms: GasTerms) -> list[Fault]:
    """Return the kinds and acts of `gas.used` that nothing books."""
    known = {kind: card.gas for kind, card in cards().items() if card.gas}
    found: list[Fault] = []
    for kind, acts in terms.used.items():
        if kind not in known:
            rule = f"is no kind of instrument that books gas: {', '.join(known)}"
            found.append(((*PLACE, kind), "", rule))
            continue
        rule = f"is no act of a {kind}: {', '.join(known[kind])}"
        found += [((*PLACE, kind, act), "", rule) for act in acts if act not in known[kind]]
    return found


def with_measured(terms: GasTerms, kinds: Iterable[str]) -> GasTerms:
    """Return the terms with the measured gas of these kinds written out."""
    written = {
        kind: {act: float(used) for act, used in cards()[kind].gas.items()}
        | terms.used.get(kind, {})
        for kind in kinds
        if cards()[kind].gas
    }
    return terms.model_copy(update={"used": {**terms.used, **written}})
