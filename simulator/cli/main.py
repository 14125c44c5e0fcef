"""`assay`: the group of commands, and what an error looks like."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

import click

from simulator.cli.pipes import closed_pipes_are_no_error
from simulator.errors import AssayError

INTERRUPTED = 130
_OBJECTS_A_COLLECTION = 200_000

_COMMANDS = (
    "breakeven",
    "calibrate",
    "claims",
    "compare",
    "devnet",
    "explain",
    "market",
    "open",
    "replay",
    "report",
    "reproduce",
    "run",
    "runs",
    "scenario",
    "sensitivity",
    "serve",
    "stress",
    "sweep",
    "try",
    "warmup",
)
"""Each is declared in the module of its name in `commands`, loaded when it is asked for."""

_KEYWORDS = {"try": "trial"}
"""Commands that Python has a word of its own for: what their module is called."""


class _Commands(click.Group):
    """Turns the exceptions that Assay raises on purpose into one line and an exit code."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        # Imports, files and charts make many objects and hardly any garbage.
        gc.set_threshold(_OBJECTS_A_COLLECTION)
        module = _KEYWORDS.get(name, name)
        command: click.Command = getattr(
            importlib.import_module(f"simulator.cli.commands.{module}"), module
        )
        return command

    def main(self, *arguments: Any, **options: Any) -> Any:
        with closed_pipes_are_no_error():
            return super().main(*arguments, **options)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except AssayError as error:
            click.echo(f"assay: {error}" if "\n" not in str(error) else str(error), err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            # what the interrupt left half made may fail when it is thrown away
            sys.unraisablehook = lambda unraisable: None
            click.echo("assay: interrupted; the same command goes on where it stopped", err=True)
            sys.exit(INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="assay-sim")
def main() -> None:
    """Put the yield claims of tokenized commodities to the test.

    Exit codes: 0 done, 1 internal error, 2 usage, 3 invalid scenario or data, 4 chain
    unavailable, 5 reconciliation failed or a contract on trial broke a rule, 6 a verdict that
    --fail-on names.
    """
