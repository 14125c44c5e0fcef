"""Runs in Python: simulated, judged, and looked at as pandas frames."""

from simulator.study.paths import PathStory
from simulator.study.replays import PathReplay, local_chain, replay
from simulator.study.runs import Run, run

__all__ = ["PathReplay", "PathStory", "Run", "local_chain", "replay", "run"]
