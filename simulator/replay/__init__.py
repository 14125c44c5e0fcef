"""Plays single paths on a chain and compares model with contract, step by step."""

from simulator.replay.every import play_every, require_evm
from simulator.replay.evidence import Evidence
from simulator.replay.play import Replay, play
from simulator.replay.reconcile import ObservableResult
from simulator.replay.select import LABELS, Choice, check_label, choose, players
from simulator.replay.together import EveryPath, every_object

__all__ = [
    "LABELS",
    "Choice",
    "EveryPath",
    "Evidence",
    "ObservableResult",
    "Replay",
    "check_label",
    "choose",
    "every_object",
    "play",
    "play_every",
    "players",
    "require_evm",
]
