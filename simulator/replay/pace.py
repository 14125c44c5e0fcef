"""Where the time of a run goes whose every path is played through the bytecode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Spent(NamedTuple):
    """What a path took.

    Attributes
    ----------
    evm : float
        Seconds within pyrevm, on the wall.
    processor : float
        Seconds of the processor, all in all.
    views, reads : int
        How often the chain was asked without a change, and for how many answers in all.
    alone : float
        Seconds of the processor that the EVM takes for the same with nothing around it; 0 where
        that was not measured: a process does it for its first path.
    """

    evm: float = 0.0
    processor: float = 0.0
    views: int = 0
    reads: int = 0
    alone: float = 0.0


class Played(Protocol):
    """A path that was played: what of it counts here."""

    @property
    def gas(self) -> int:
        """Return what its transactions took."""

    @property
    def transactions(self) -> int:
        """Return how many there were."""

    @property
    def spent(self) -> Spent:
        """Return where its time went."""


@dataclass(frozen=True)
class Pace:
    """Where the time of all paths went.

    Attributes
    ----------
    processes : int
    seconds : float
        On the wall, from the start of the processes to the last path.
    evm_seconds : float
        On the wall, of all processes, within pyrevm.
    processor_seconds : float
        What all paths took of the processors, whatever else these had to do.
    gas, transactions, views, reads : int
    gas_a_second : float
        What one core does on the same transactions and views, with nothing around the EVM, while
        the others are at work: gas of transactions by seconds of the processor, those of views
        among them. NaN where no path was played to its end.
    """

    processes: int
    seconds: float
    evm_seconds: float
    processor_seconds: float
    gas: int
    transactions: int
    views: int
    reads: int
    gas_a_second: float

    @property
    def evm_share(self) -> float:
        """Return the EVM's part of all processes' time."""
        return self.evm_seconds / (self.processes * self.seconds)

    @property
    def alone_seconds(self) -> float:
        """Return the least that all paths take of the processors: the EVM, and nothing else."""
        return self.gas / self.gas_a_second

    @property
    def times_the_least(self) -> float:
        """Return the time on the wall over what the EVM alone would take on as many cores."""
        return self.seconds * self.processes / self.alone_seconds

    def sentence(self) -> str:
        """Return in a sentence where the time went."""
        calls = max(self.transactions, 1)
        return (
            f"{self.seconds:,.1f} s in {self.processes} processes, {self.evm_share:.0%} of it "
            f"within the EVM, which does {self.gas_a_second / 1e6:,.0f} M gas/s alone on a core: "
            f"{self.times_the_least:.2f} times the least on the wall, "
            f"{self.processor_seconds / self.alone_seconds:.2f} times of the processors; "
            f"{self.views / calls:.2f} views a transaction, with {self.reads / calls:.1f} answers"
        )


def pace_of(outcomes: Sequence[Played], processes: int, seconds: float) -> Pace:
    """Return where the time of all paths went, from what each of them took."""
    spent = [outcome.spent for outcome in outcomes]
    noted = [outcome for outcome in outcomes if outcome.spent.alone > 0.0]
    alone = sum(outcome.spent.alone for outcome in noted)
    return Pace(
        processes=processes,
        seconds=seconds,
        evm_seconds=sum(one.evm for one in spent),
        processor_seconds=sum(one.processor for one in spent),
        gas=sum(outcome.gas for outcome in outcomes),
        transactions=sum(outcome.transactions for outcome in outcomes),
        views=sum(one.views for one in spent),
        reads=sum(one.reads for one in spent),
        gas_a_second=sum(outcome.gas for outcome in noted) / alone if alone else float("nan"),
    )
