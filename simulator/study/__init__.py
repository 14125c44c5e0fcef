"""Runs in Python: simulated, judged, and looked at as pandas frames."""

from simulator.study.paths import PathStory
from simulator.study.runs import Run, run

__all__ = ["PathStory", "Run", "run"]
