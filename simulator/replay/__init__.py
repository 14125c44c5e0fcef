"""Plays single paths on a chain and compares model with contract, step by step."""

from simulator.replay.play import Replay, play
from simulator.replay.reconcile import ObservableResult
from simulator.replay.select import LABELS, Choice, check_label, choose, players

__all__ = [
    "LABELS",
    "Choice",
    "ObservableResult",
    "Replay",
    "check_label",
    "choose",
    "play",
    "players",
]
