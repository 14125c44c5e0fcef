"""Write docs/reference: every field of a scenario and every command, from the code's own texts.

Beside it, for the shell's completion, simulator/cli/fields.txt: the names alone.

python scripts/build_reference.py            write all three
python scripts/build_reference.py --check    say whether they are as the code is
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from pathlib import Path

import click

from simulator.cli import main as assay
from simulator.instruments.registry import BUILT_IN, cards
from simulator.scenario.reference import Field, all_fields

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "fields.md"
COMMANDS = ROOT / "docs" / "reference" / "cli.md"
NAMES = ROOT / "simulator" / "cli" / "fields.txt"
_OPEN = re.compile(r"\[\]|\.NAME\b|\.KIND\b")
HEAD = """# Fields of a scenario

Made by `python scripts/build_reference.py` from the texts beneath the fields in the code;
`assay explain FIELD` says the same, and which scenarios and claims use it. What a file chooses
stands in capitals. A field without a default must be said. A number may stand alone or with its
origin ([how](../scenarios.md#figures-and-their-origin))."""
COMMANDS_HEAD = """# The command line

Made by `python scripts/build_reference.py` from what `assay COMMAND --help` says. What goes in and
what comes out is told in the [how-tos](../index.md); what `--json` prints in [JSON](json.md)."""
OPTIONS = "| option | what |\n|---|---|"
TABLE = "| field | what | must be | default |\n|---|---|---|---|"


def page() -> str:
    """Return the page as it is right."""
    parts = [HEAD]
    for section, fields in all_fields().items():
        if _is_own(section) and fields:
            parts.append("\n".join(_section(section, fields)))
    return "\n\n".join(parts) + "\n"


def names() -> str:
    """Return the names of what `--set` can reach, a line each.

    Items of lists and what has any name are left out.
    """
    found = (
        field.name
        for section, fields in all_fields().items()
        if _is_own(section)
        for field in fields
        if field.rule != "a group" and not _OPEN.search(field.name)
    )
    return "".join(f"{name}\n" for name in found)


def commands() -> str:
    """Return the page of all commands."""
    context = click.Context(assay, info_name="assay")
    parts = [COMMANDS_HEAD, _prose(assay.help or "")]
    parts += ["\n".join(_command(inner)) for inner in _leaves(context)]
    return "\n\n".join(parts) + "\n"


def _leaves(context: click.Context) -> Iterator[click.Context]:
    """Yield each command that does something by itself; groups of commands are opened."""
    group = context.command
    if not isinstance(group, click.Group):
        yield context
        return
    if group.invoke_without_command:
        yield context
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from _leaves(click.Context(command, info_name=name, parent=context))


def _command(context: click.Context) -> Iterator[str]:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"## {context.command_path}"
    yield f"    {usage}"
    yield ""
    yield _prose(command.help or "")
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [
        f"| `{names.replace('|', ' / ')}` | {_cell(what)} |"
        for names, what in filter(None, records)
    ]
    if rows:
        yield ""
        yield OPTIONS
        yield from rows


def _prose(text: str) -> str:
    """Return a help text: what `\\b` keeps as it is becomes a block of code."""
    parts = []
    for part in cleandoc(text).split("\n\n"):
        kept = part.startswith("\b")
        lines = part.removeprefix("\b\n").splitlines()
        parts.append("\n".join(f"    {line}" for line in lines) if kept else "\n".join(lines))
    return "\n\n".join(parts)


def _is_own(section: str) -> bool:
    """Return whether a section is Assay's: an installed package's products are not."""
    kind = section.partition(".")[2]
    return not kind or cards()[kind].terms.__module__.startswith(tuple(BUILT_IN))


def _section(section: str, fields: Sequence[Field]) -> Iterator[str]:
    kind = section.partition(".")[2]
    yield f"## {f'{kind}' if kind else section}"
    if kind:
        yield f"{cards()[kind].about[:1].upper()}{cards()[kind].about[1:]}."
        yield ""
    yield TABLE
    head = f"{section}."
    for field in fields:
        default = f"`{field.default}`" if field.default else ""
        name = field.name.removeprefix(head)
        yield f"| `{name}` | {_cell(field.words)} | {_cell(field.rule)} | {default} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write all three, or compare them."""
    for path, text in ((PAGE, page()), (COMMANDS, commands()), (NAMES, names())):
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.name} is not as the code is: python scripts/build_reference.py")


if __name__ == "__main__":
    main()
