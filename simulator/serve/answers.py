"""On how many paths a slider's claims are asked: at once on few, then on all of the run's.

The first answer is to be there within two seconds, and what was asked in vain is not computed.
"""

from __future__ import annotations

import threading

from simulator.engine.sliders import Answered, Slider, ask_at
from simulator.serve.runs import key_of
from simulator.study import Run
from simulator.units import LANES

FIRST_PATHS = 1_024
"""The first answer is on so many paths, on fewer where these take longer than is good."""
GOOD_SECONDS = 1.0

Key = tuple[tuple[str, str], str]
"""A run and an input."""


class Answers:
    """Asks the engine: one sharper answer at a time, beside the quick ones."""

    def __init__(self) -> None:
        self._paths: dict[Key, int] = {}
        self._turns: dict[Key, int] = {}
        self._sharp, self._counting = threading.Lock(), threading.Lock()

    def warm(self, run: Run, sliders: tuple[Slider, ...]) -> None:
        """Ask everything once on few paths, in a thread: kernels load, and the pace is known."""
        fresh = [one for one in sliders if (key_of(run), one.name) not in self._paths]
        self._paths |= {(key_of(run), one.name): LANES for one in fresh}

        def ask_all() -> None:
            for slider in (*fresh, *fresh):  # the first time kernels are loaded, or compiled
                self._few(run, slider, slider.stops[slider.at])

        if fresh:
            threading.Thread(target=ask_all, daemon=True).start()

    def quick(self, run: Run, slider: Slider, value: float) -> tuple[Answered, int]:
        """Return an answer on few paths, and the number of the question.

        Raises
        ------
        InputError
            The scenario cannot have the value.
        """
        key = key_of(run), slider.name
        with self._counting:
            turn = self._turns[key] = self._turns.get(key, 0) + 1
        return self._few(run, slider, value), turn

    def sharp(self, run: Run, slider: Slider, value: float, turn: int) -> Answered | None:
        """Return an answer on the run's own paths; None where the slider has moved on since."""
        key, whole = (key_of(run), slider.name), run.scenario.paths
        with self._sharp:
            if turn != self._turns.get(key):
                return None
            found = ask_at(run.scenario, run.loaded.calibration, slider, value, whole)
        return found if turn == self._turns[key] else None

    def _few(self, run: Run, slider: Slider, value: float) -> Answered:
        key = key_of(run), slider.name
        paths = min(self._paths.get(key, FIRST_PATHS), run.scenario.paths)
        found = ask_at(run.scenario, run.loaded.calibration, slider, value, paths)
        self._paths[key] = FIRST_PATHS  # of the next one, halved until it is quick enough
        while self._paths[key] > LANES and found.seconds * self._paths[key] / paths > GOOD_SECONDS:
            self._paths[key] //= 2
        return found
