"""What is claimed, and what the run says of it."""

from simulator.claims.outcomes import Outcomes
from simulator.claims.scale import WORDS
from simulator.claims.verdict import (
    ConditionResult,
    Verdict,
    as_object,
    from_object,
    judge_events,
)

__all__ = [
    "WORDS",
    "ConditionResult",
    "Outcomes",
    "Verdict",
    "as_object",
    "from_object",
    "judge_events",
]
