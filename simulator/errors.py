"""The exceptions Assay raises on purpose, each with the exit code of the command line.

AssayError (1)
├── ProductFailed (1)        a product from outside raised an error of its own
├── UsageError (2)             the command line itself is wrong
├── InputError (3)             a scenario, calibration or data file is wrong
├── ChainUnavailable (4)       no chain, or it went away, or it must not be used
│   └── ForbiddenEndpoint (4)  not loopback, or not a development chain
├── ClusterUnavailable (4)     no scheduler, no worker, or one of other versions
├── TransactionReverted (5)    a call reverted that the model says must succeed
├── ReconciliationFailed (5)   model and contract disagree beyond rounding
└── TrialFailed (5)            a contract on trial breaks a rule of its kind
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class AssayError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the shell sees."""

    exit_code = 1


class ProductFailed(AssayError):
    """A product of an installed package raised where it must not; names kind and package."""

    exit_code = 1


class UsageError(AssayError):
    """The command line asks for something that does not exist or does not fit."""

    exit_code = 2


@dataclass(frozen=True)
class Problem:
    """One fault of an input file: where it is, what stands there, which rule it breaks."""

    file: str
    line: int | None
    field: str
    value: str
    rule: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        value = f" is {self.value};" if self.value else ":" if self.field else ""
        return " ".join(part for part in (f"{place}:", f"{self.field}{value}", self.rule) if part)


class InputError(AssayError):
    """An input file breaks one or more rules; all of its problems are listed at once."""

    exit_code = 3

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ChainUnavailable(AssayError):
    """No chain could be started or reached, or it stopped answering."""

    exit_code = 4


class ForbiddenEndpoint(ChainUnavailable):
    """The endpoint is not a development chain on the loopback interface."""


class ClusterUnavailable(AssayError):
    """No scheduler answers, it has no workers, or one of them has other versions."""

    exit_code = 4


class TransactionReverted(AssayError):
    """A transaction reverted; `reason` is the contract's own message."""

    exit_code = 5

    def __init__(self, call: str, reason: str) -> None:
        self.call = call
        self.reason = reason
        super().__init__(f"{call} reverted: {reason}")


class ReconciliationFailed(AssayError):
    """Model and contract differ by more than the derived tolerance."""

    exit_code = 5


class TrialFailed(AssayError):
    """A contract on trial breaks rules of its standard, or of any contract of its kind."""

    exit_code = 5
