"""A scenario's claims as tests of pytest: each fails where its verdict is not the stored one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest

from simulator.errors import AssayError
from simulator.testing.verdicts import Answer, Question, answer, names_of, store, stored, turned


class Turned(Exception):
    """A verdict is not what it was."""


class Claims(pytest.File):
    """The claims of one scenario; they are answered together, once."""

    question: Question
    is_update: bool
    on_stored: Callable[[Path], None]

    @cached_property
    def kept_in(self) -> Path:
        """Where the verdicts are stored."""
        return self.question.stored_in(self.config.rootpath)

    @cached_property
    def before(self) -> Answer | None:
        """What was stored when the run began."""
        return None if self.is_update else stored(self.kept_in)

    def now(self) -> Answer:
        """Return what is said now, written down where that is asked for.

        Raises
        ------
        AssayError
            The question cannot be answered.
        """
        if isinstance(self._found, AssayError):
            raise self._found
        return self._found

    @cached_property
    def _found(self) -> Answer | AssayError:
        try:
            found = answer(self.question)
        except AssayError as error:
            return error
        if self.is_update:
            store(self.kept_in, found)
            self.on_stored(self.kept_in)
        return found

    def collect(self) -> list[Claim]:
        """Return a test for each claim, those too that are stored and there no longer."""
        names = names_of(self.question)
        gone = [] if self.before is None else [n for n in self.before.claims if n not in names]
        return [Claim.from_parent(self, name=name) for name in (*names, *gone)]


class Claim(pytest.Item):
    """One claim."""

    fixturenames: ClassVar[tuple[str, ...]] = ()
    parent: Claims

    def runtest(self) -> None:
        """Ask for the verdict.

        Raises
        ------
        Turned
            It is not the stored one: says what it was, what it is, and what has changed.
        """
        now = self.parent.now()
        if self.parent.is_update:
            return
        if why := turned(self.name, self.parent.before, now):
            raise Turned(why)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return the reason alone, where it is one of ours."""
        if isinstance(excinfo.value, Turned | AssayError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where the claim stands."""
        return self.path, None, f"claim {self.name}"


def claims_of(
    session: pytest.Session, option: Callable[[str], Any], on_stored: Callable[[Path], None]
) -> list[Claim]:
    """Return the tests that the command line asks for.

    `on_stored` is told where verdicts were stored.

    Raises
    ------
    pytest.UsageError
        There is no such scenario, or an argument is wrong.
    """
    given = [text.partition("=") for text in option("assay_arg") or ()]
    if odd := ["".join(parts) for parts in given if not (parts[0] and parts[1])]:
        raise pytest.UsageError(f"--assay-arg {odd[0]}: must be NAME=VALUE")
    question = Question(
        option("assay"),
        option("assay_contract"),
        option("assay_adapter"),
        {name: value for name, _, value in given},
        option("assay_years"),
    )
    node: Claims = Claims.from_parent(session, path=Path(question.scenario).absolute())
    node.question, node.is_update = question, option("assay_update")
    node.on_stored = on_stored
    try:
        return list(node.collect())
    except AssayError as error:
        raise pytest.UsageError(str(error)) from None
