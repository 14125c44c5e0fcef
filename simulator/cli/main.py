"""`assay`: the group of commands, and what an error looks like."""

from __future__ import annotations

import sys
from typing import Any

import click

from simulator.cli.breakeven import breakeven
from simulator.cli.calibrate import calibrate
from simulator.cli.claims import claims
from simulator.cli.compare import compare
from simulator.cli.market import market
from simulator.cli.replay import replay
from simulator.cli.run import run
from simulator.cli.scenario import scenario
from simulator.cli.sensitivity import sensitivity
from simulator.cli.sweep import sweep
from simulator.errors import AssayError

INTERRUPTED = 130


class _Commands(click.Group):
    """Turns the exceptions that Assay raises on purpose into one line and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except AssayError as error:
            click.echo(f"assay: {error}" if "\n" not in str(error) else str(error), err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("assay: interrupted; what was whole is kept", err=True)
            sys.exit(INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="assay-sim")
def main() -> None:
    """Put the yield claims of tokenized commodities to the test.

    Exit codes: 0 done, 1 internal error, 2 usage, 3 invalid scenario or data, 4 chain
    unavailable, 5 reconciliation failed, 6 a verdict that --fail-on names.
    """


for _command in (
    run,
    replay,
    compare,
    breakeven,
    sensitivity,
    sweep,
    market,
    calibrate,
    scenario,
    claims,
):
    main.add_command(_command)
