"""What is claimed, and what the run says of it."""

from simulator.claims.verdict import ConditionResult, Verdict, as_object, judge

__all__ = ["ConditionResult", "Verdict", "as_object", "judge"]
