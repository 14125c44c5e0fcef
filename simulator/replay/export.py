"""Writes a failure out as a test that needs no Assay: pytest and pyrevm alone."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.chain.contract import interface_of
from simulator.replay import bare
from simulator.replay.bare import Act
from simulator.replay.evidence import SET_UP
from simulator.replay.failing import Failure
from simulator.writer import write_json, write_text

_HEAD = '''"""{why}

{about}

{shrunk}

Needs pytest and pyrevm. The contracts' creation codes are in {codes}:
put that of a mended contract in place of the one there.
"""

import json
import pathlib
{harness}


CODES = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())

ACTS = [
{acts}
]
'''

_REVERTS = """

def test_last_call_succeeds():
    play(ACTS, CODES)
"""

_ANSWERS = """
# {view}
VIEW = {act}
LEAST = {least}
MOST = {most}


def test_answer_is_as_it_must_be():
    found = play(ACTS, CODES, VIEW)
    assert len(found) == len(LEAST), found
    for word, least, most in zip(found, LEAST, MOST):
        assert least <= word <= most, f"{{word}}, must be {{least}} to {{most}}"
"""


@dataclass(frozen=True)
class Told:
    """What a test says and plays.

    Attributes
    ----------
    why, about, shrunk : str
        What failed, what must be instead, and how few calls are left.
    acts : sequence of (str, Act)
        What is played in order, each with a line that tells it.
    codes : dict of str to str
        Creation codes in hex by name; those that are used are written.
    view : (str, Act), optional
        The read that answers otherwise than it must; without one the last act reverts.
    least, most : tuple of int
        What each word of the answer must be between, both allowed.
    """

    why: str
    about: str
    shrunk: str
    acts: Sequence[tuple[str, Act]]
    codes: Mapping[str, str]
    view: tuple[str, Act] | None = None
    least: tuple[int, ...] = ()
    most: tuple[int, ...] = ()


def write_told(file: Path, told: Told) -> None:
    """Write the test, and beside it the creation codes as JSON."""
    codes = file.with_suffix(".json")
    used = {act.code for _, act in told.acts if act.code}
    write_json(codes, {name: told.codes[name] for name in sorted(used)})
    head = _HEAD.format(
        why=told.why,
        about=told.about,
        codes=codes.name,
        shrunk=told.shrunk,
        harness=inspect.getsource(bare).split('"""', 2)[2].strip(),
        acts="\n".join(f"    # {line}\n    {_act(act)}," for line, act in told.acts),
    )
    write_text(file, head + _check(told))


def write_test(file: Path, failure: Failure) -> None:
    """Write a replay's failure as a test, and beside it the creation codes as JSON."""
    view = None if failure.view is None else (_read(failure, failure.view), failure.view)
    told = Told(
        failure.why,
        _about(failure),
        _shrunk(failure),
        _lines(failure),
        failure.codes,
        view,
        failure.least,
        failure.most,
    )
    write_told(file, told)


def _about(failure: Failure) -> str:
    if failure.view is None:
        return "The last call must succeed, and reverts."
    return f"{_read(failure, failure.view)} must answer LEAST to MOST, and does not."


def _shrunk(failure: Failure) -> str:
    total, left = len(failure.played), len(failure.acts)
    if failure.sound != failure.codes:
        must = "What must be is what the packaged contracts do on the same calls."
    elif failure.view is None:
        return "What must be is what the model says; no call before it has been left out."
    else:
        must = "What must be is what the model says; the contracts answer as after all calls."
    return f"{must}\nOf {total} creations and calls {left} are left, all of them needed."


def _check(told: Told) -> str:
    if told.view is None:
        return _REVERTS
    line, view = told.view
    return _ANSWERS.format(view=line, act=_act(view), least=told.least, most=told.most)


def _lines(failure: Failure) -> list[tuple[str, Act]]:
    """Return each act with a line that tells it."""
    rows = dict(zip(failure.played, failure.story.transactions.to_dict("records"), strict=True))
    lines = []
    for act in failure.acts:
        row = rows[act]
        when = "set-up" if row["step"] == SET_UP else f"step {row['step']}"
        arguments = ", ".join(f"{k}={v}" for k, v in json.loads(row["arguments"]).items())
        where = f"{row['label']}/{row['contract']}"
        lines.append((f"{when}: {where}.{row['function']}({arguments}) by {row['sender']}", act))
    return lines


def _act(act: Act) -> str:
    own = (act.code, act.nonce) if act.code else ()
    return f"Act({', '.join(repr(value) for value in (*act[:6], *own))})"


def _read(failure: Failure, view: Act) -> str:
    """Return what a read asks, as LABEL/NAME.FUNCTION."""
    made = {contract.address: key for key, contract in failure.story.contracts.items()}
    key = made[view.to]
    functions = interface_of(failure.story.contracts[key].artifact).by_selector
    return f"{'/'.join(key)}.{functions[bytes.fromhex(view.data[:8])].name}"
