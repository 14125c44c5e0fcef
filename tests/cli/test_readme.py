"""The README says what there is: its commands, options, scenarios, files and its Python."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from simulator.cli import main
from simulator.scenario import shipped_scenarios

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (?:\$ )?(?:\.venv/bin/)?(assay [a-z].*)$", README, re.MULTILINE)


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    context = click.Context(main)
    found: click.Command = main
    while isinstance(found, click.Group):
        name, *words = words
        inner = found.get_command(context, re.split(r"[|]", name)[0])
        assert inner is not None, f"no command {name}"
        found = inner
    return found, words


def test_readme__names_commands() -> None:
    assert len(COMMANDS) > 12


@pytest.mark.parametrize("line", COMMANDS)
def test_command__of_the_readme__is_there_with_its_options(line: str) -> None:
    words = shlex.split(re.sub(r"\s{2,}.*$|#.*$|>.*$", "", line))[1:]
    command, rest = command_of(words)
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options
    ready = {path.stem for path in shipped_scenarios()}
    for word in rest:
        if word.startswith(("gold-vault-", "hard-assets-", "scenarios/")) and "2026-01" not in word:
            assert Path(word).stem in ready or word in ("gold-vault-8-12",)


def test_links__of_the_readme__lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_python__of_the_readme__runs(capsys: pytest.CaptureFixture[str]) -> None:
    block = re.search(r"From Python:\n\n((?:    .*\n|\n)+)", README)
    assert block is not None
    code = "\n".join(line[4:] for line in block.group(1).splitlines())
    exec(compile(code.replace("paths=2_000", "paths=128"), "README.md", "exec"), {})
    assert "gold-vault-8-12" in capsys.readouterr().out
