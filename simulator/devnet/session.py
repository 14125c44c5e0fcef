"""A devnet at work: takes orders from several terminals and plays the days between them.

One thread, the main one, touches the chain. Orders come in from standard input and from the control
port, and wait in one queue; a day is never interrupted.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from simulator.devnet.control import Reply, Say
from simulator.devnet.faucet import give
from simulator.devnet.orders import (
    HELP,
    Faucet,
    Load,
    Order,
    Plain,
    Play,
    Save,
    Status,
    Step,
    Until,
    parse,
)
from simulator.devnet.status import status_object, status_text, where
from simulator.devnet.story import Story
from simulator.devnet.venue import Venue
from simulator.errors import AssayError, ChainUnavailable, UsageError

_LOOK_SECONDS = 1.0
"""How often an idle devnet sees whether its node is there, and whether somebody has acted."""
_ENDED: Reply = (4, "the devnet has ended")


@dataclass
class _Asked:
    """An order and who waits for it."""

    order: Order
    say: Say
    reply: Reply | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def answer(self, code: int = 0, error: str = "") -> None:
        self.reply = code, error
        self.done.set()


class Session:
    """Carries out orders until it is told to end.

    Parameters
    ----------
    venue : Venue
        The scenario's path and the node that it is played on.
    say : callable
        Takes what everybody at the devnet's own terminal should read.
    """

    def __init__(self, venue: Venue, say: Say) -> None:
        self._venue, self._say = venue, say
        self._queue: queue.Queue[_Asked] = queue.Queue()
        self._target = self._story.day
        self._pace: float | None = None
        self._due = 0.0
        self._waiting: _Asked | None = None
        self._ended = False
        self._told = False

    @property
    def _story(self) -> Story:
        return self._venue.story

    # -- from any thread ---------------------------------------------------------------

    def serve(self, words: Sequence[str], say: Say) -> Reply:
        """Carry out what `words` say and return when it is done."""
        try:
            order = parse(list(words))
        except UsageError as error:
            return error.exit_code, str(error)
        asked = _Asked(order, say)
        self._queue.put(asked)
        while not asked.done.wait(_LOOK_SECONDS):
            if self._ended:
                break
        return asked.reply or _ENDED

    # -- the main thread ---------------------------------------------------------------

    def play(self, days_per_second: float) -> None:
        """Begin to play to the end, as if somebody had told it to."""
        self._go(self._story.n_steps, days_per_second)

    def run(self) -> None:
        """Carry out orders and play days until it is told to end.

        Raises
        ------
        ChainUnavailable
            The node went away.
        """
        try:
            while not self._ended:
                asked = self._next()
                if asked is not None:
                    self._carry_out(asked)
                elif self._is_going:
                    self._day()
                else:
                    self._look()
        except ChainUnavailable as error:
            self._finish(error.exit_code, str(error))
            raise
        finally:
            self._ended = True

    @property
    def _is_going(self) -> bool:
        return self._story.day < self._target

    def _next(self) -> _Asked | None:
        """Return the next order that comes in before there is something else to do."""
        wait = max(0.0, self._due - time.monotonic()) if self._is_going else _LOOK_SECONDS
        try:
            return self._queue.get(timeout=wait) if wait else self._queue.get_nowait()
        except queue.Empty:
            return None

    def _day(self) -> None:
        faults = self._story.advance()
        if self._pace is not None:
            self._due = max(self._due + 1.0 / self._pace, time.monotonic() - 1.0)
        for fault in faults:
            self._tell(f"day {self._story.day}: could not be done: {fault}")
        self._tell_of_strangers()
        if not self._is_going:
            self._tell(where(self._venue))
            self._finish()

    def _look(self) -> None:
        self._story.look_around()
        self._tell_of_strangers()

    def _tell_of_strangers(self) -> None:
        if not self._told and not self._story.is_undisturbed:
            self._told = True
            self._say(self._story.verdict())

    def _tell(self, text: str) -> None:
        """Tell the devnet's own terminal, and who waits elsewhere."""
        self._say(text)
        if self._waiting is not None and self._waiting.say is not self._say:
            self._waiting.say(text)

    def _finish(self, code: int = 0, error: str = "") -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.answer(code, error)

    def _go(self, day: int, pace: float | None) -> None:
        self._target, self._pace = day, pace
        self._due = time.monotonic() + (1.0 / pace if pace else 0.0)

    def _carry_out(self, asked: _Asked) -> None:
        try:
            if self._obey(asked):
                asked.answer()
        except ChainUnavailable as error:
            asked.answer(error.exit_code, str(error))
            raise
        except AssayError as error:
            asked.answer(error.exit_code, str(error))

    def _obey(self, asked: _Asked) -> bool:
        """Do what is asked; return whether it is done, and not only begun."""
        order = asked.order
        match order:
            case Step() | Until():
                return self._play_days(order, asked)
            case Play():
                self.play(order.days_per_second)
            case Load():
                self._require_idle()
                self._venue.load(order.file)
                self._target, self._told = self._story.day, not self._story.is_undisturbed
                asked.say(where(self._venue))
            case Save():
                self._venue.save(order.file)
                asked.say(f"saved day {self._story.day} to {order.file}")
            case Faucet():
                for line in give(self._story, order.address, order.amount, order.token):
                    asked.say(line)
            case Status():
                asked.say(self._status(order.as_json))
            case Plain():
                self._plain(order.word, asked.say)
        return True

    def _play_days(self, order: Step | Until, asked: _Asked) -> bool:
        self._require_idle()
        today = self._story.day
        day = today + order.days if isinstance(order, Step) else order.day
        if day > self._story.n_steps:
            left = self._story.n_steps - today
            said = f"step {order.days}" if isinstance(order, Step) else f"until {day}"
            raise UsageError(
                f"{said}: the scenario ends on day {self._story.n_steps}, {left} days on"
            )
        if day < today:
            raise UsageError(f"until {day}: must be {today} or later, where it stands")
        self._go(day, None)
        if day == today:
            asked.say(where(self._venue))
            return True
        self._waiting = asked
        return False

    def _require_idle(self) -> None:
        if self._is_going:
            raise UsageError(f"it is playing, to day {self._target}; pause first")

    def _status(self, as_json: bool) -> str:
        self._story.look_around()
        found = status_object(self._venue, playing=self._is_going)
        return json.dumps(found) if as_json else status_text(found)

    def _plain(self, word: str, say: Say) -> None:
        if word == "help":
            say(HELP)
        elif word == "down":
            self._ended = True
            self._finish(*_ENDED)
        elif word == "pause":
            self._target = self._story.day
            say(where(self._venue))
            self._finish()


def read_lines(session: Session, lines: Iterable[str], say: Say, *, wait: bool) -> None:
    """Carry out each line; with `wait` one after the other, as a script means it."""
    for line in lines:
        words = line.split()
        if not words:
            continue
        if wait:
            _one(session, words, say)
        else:
            threading.Thread(target=_one, args=(session, words, say), daemon=True).start()


def _one(session: Session, words: list[str], say: Say) -> None:
    code, error = session.serve(words, say)
    if code:
        say(f"assay: {error}")
