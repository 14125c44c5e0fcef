"""`assay devnet`: a chain that lives, and the words that move it on."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.later import carried_out_by
from simulator.cli.options import deployed_option, json_option, scenario_options

_START = "start"


class _Devnet(click.Group):
    """`assay devnet SCENARIO` is `assay devnet start SCENARIO`."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return super().get_command(context, name) or super().get_command(context, _START)

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        is_ours = args and (args[0] in self.commands or args[0] in context.help_option_names)
        return super().parse_args(context, args if is_ours or not args else [_START, *args])


folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs") / "devnet",
    show_default=True,
    help="Where the devnet writes addresses, ABIs and keys, and is found again.",
)


@click.group(cls=_Devnet)
def devnet() -> None:
    """Run a local chain on which a scenario goes on, and act on it yourself.

    assay devnet SCENARIO starts it (assay devnet start --help); the other commands move it on from
    a second terminal, and are understood at the first one too.
    """


@devnet.command()
@click.argument("scenario", metavar="SCENARIO")
@click.option("--path", "label", default="p50", help="p05, p50, p95, events or a number.")
@click.option("--at", type=int, default=0, metavar="DAY", help="Play up to this day first.")
@click.option("--pace", metavar="DAYS", help="Then play on, as 1d/s: a day a second.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8545,
    show_default=True,
    help="0 takes any free one.",
)
@click.option("--load", "saved", type=click.Path(path_type=Path), help="Go on from a saved state.")
@deployed_option
@click.option("--rpc", metavar="URL", help="On an Anvil that runs on loopback, as a fork of yours.")
@click.option("--anvil", "anvil_path", type=click.Path(path_type=Path), help="The Anvil binary.")
@folder_option
@scenario_options
@carried_out_by("simulator.cli.devnet:start")
def start() -> None:
    """Start a local chain with SCENARIO's contracts, and play it up to a day."""


_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@devnet.command()
@click.argument("days", metavar="[N]", default="1")
@folder_option
@carried_out_by("simulator.cli.devnet_words:step")
def step() -> None:
    """Play N days, 1 by default."""


@devnet.command()
@click.argument("day", metavar="DAY")
@folder_option
@carried_out_by("simulator.cli.devnet_words:until")
def until() -> None:
    """Play up to DAY."""


@devnet.command()
@click.argument("pace", metavar="[PACE]", default="1d/s")
@folder_option
@carried_out_by("simulator.cli.devnet_words:play")
def play() -> None:
    """Go on to the end, at PACE days a second (1d/s by default)."""


@devnet.command()
@folder_option
@carried_out_by("simulator.cli.devnet_words:pause")
def pause() -> None:
    """Stop between two days."""


@devnet.command()
@json_option
@folder_option
@carried_out_by("simulator.cli.devnet_words:status")
def status() -> None:
    """Say where it stands, with the figures of contracts and model."""


@devnet.command()
@click.argument("address", metavar="ADDRESS")
@click.argument("amount", metavar="AMOUNT")
@click.argument("token", metavar="[TOKEN]", default="usdc")
@folder_option
@carried_out_by("simulator.cli.devnet_words:faucet")
def faucet() -> None:
    """Send AMOUNT whole tokens to ADDRESS; TOKEN is usdc, eth, another NAME or LABEL/NAME."""


@devnet.command()
@_file
@folder_option
@carried_out_by("simulator.cli.devnet_words:save")
def save() -> None:
    """Keep the whole state in FILE."""


@devnet.command()
@_file
@folder_option
@carried_out_by("simulator.cli.devnet_words:load")
def load() -> None:
    """Go back to the state in FILE."""


@devnet.command()
@folder_option
@carried_out_by("simulator.cli.devnet_words:down")
def down() -> None:
    """End it."""
