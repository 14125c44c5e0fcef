"""What a person may tell a devnet, read from words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import UsageError

HELP = """step [N]                      play N days, 1 by default
until DAY                     play up to a day
play [PACE]                   go on to the end, as 2d/s: two days a second
pause                         stop between two days
status                        where it stands, and the figures of contracts and model
faucet ADDRESS AMOUNT [TOKEN] send tokens, usdc by default; eth, or LABEL/NAME
save FILE, load FILE          keep the whole state, go back to one that was kept
down                          end it"""
WORDS = ("step", "until", "play", "pause", "status", "faucet", "save", "load", "down", "help")
PING = "ping"
AS_JSON = "--json"
DEFAULT_PACE = "1d/s"
DEFAULT_TOKEN = "usdc"
_PACE = re.compile(r"(\d+(?:\.\d+)?)(?:d(?:ays?)?/s)?")


@dataclass(frozen=True)
class Step:
    """Play a number of days."""

    days: int = 1


@dataclass(frozen=True)
class Until:
    """Play up to a day."""

    day: int


@dataclass(frozen=True)
class Play:
    """Go on to the end, at a number of days a second."""

    days_per_second: float


@dataclass(frozen=True)
class Faucet:
    """Send whole tokens to an address."""

    address: str
    amount: str
    token: str = DEFAULT_TOKEN


@dataclass(frozen=True)
class Save:
    """Keep the state in a file."""

    file: Path


@dataclass(frozen=True)
class Load:
    """Go back to the state in a file."""

    file: Path


@dataclass(frozen=True)
class Status:
    """Say where it stands."""

    as_json: bool = False


@dataclass(frozen=True)
class Plain:
    """A word that stands alone: pause, down, help, ping."""

    word: str


Order = Step | Until | Play | Faucet | Save | Load | Status | Plain


def parse(words: list[str]) -> Order:
    """Return the order that `words` give.

    Raises
    ------
    UsageError
    """
    word, *rest = words or [""]
    if word in ("pause", "down", "help", PING):
        _count(word, rest, 0, 0)
        return Plain(word)
    if word == "status":
        if rest not in ([], [AS_JSON]):
            raise UsageError(f"status {' '.join(rest)}: takes nothing but {AS_JSON}")
        return Status(bool(rest))
    if word in _READERS:
        return _READERS[word](rest)
    raise UsageError(f"no command {word!r}; there are: {', '.join(WORDS)}")


def pace_of(text: str) -> float:
    """Return days a second, from a text such as `2d/s`.

    Raises
    ------
    UsageError
    """
    match = _PACE.fullmatch(text)
    pace = float(match[1]) if match else 0.0
    if not 0.0 < pace < math.inf:
        raise UsageError(f"pace {text}: must be days a second above 0, as 1d/s or 0.5d/s")
    return pace


def _count(word: str, rest: list[str], least: int, most: int) -> None:
    if not least <= len(rest) <= most:
        line = next((row for row in HELP.splitlines() if row.startswith(word)), word)
        raise UsageError(f"{' '.join([word, *rest])}: must be {line.split('  ')[0]}")


def _step(rest: list[str]) -> Step:
    _count("step", rest, 0, 1)
    return Step(_whole("step", rest[0], least=1) if rest else 1)


def _until(rest: list[str]) -> Until:
    _count("until", rest, 1, 1)
    return Until(_whole("until", rest[0], least=0))


def _play(rest: list[str]) -> Play:
    _count("play", rest, 0, 1)
    return Play(pace_of(rest[0] if rest else DEFAULT_PACE))


def _faucet(rest: list[str]) -> Faucet:
    _count("faucet", rest, 2, 3)
    return Faucet(*rest)


def _save(rest: list[str]) -> Save:
    _count("save", rest, 1, 1)
    return Save(Path(rest[0]))


def _load(rest: list[str]) -> Load:
    _count("load", rest, 1, 1)
    return Load(Path(rest[0]))


_READERS: dict[str, Callable[[list[str]], Order]] = {
    "step": _step,
    "until": _until,
    "play": _play,
    "faucet": _faucet,
    "save": _save,
    "load": _load,
}


def _whole(word: str, text: str, least: int) -> int:
    digits = text.replace("_", "").replace(",", "")
    if not digits.isdecimal() or int(digits) < least:
        raise UsageError(f"{word} {text}: must be a whole number of days, {least} or more")
    return int(digits)
