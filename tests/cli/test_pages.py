"""What the documentation says to type works: commands, files and links, page by page."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from simulator.cli import main
from simulator.scenario.json_schema import scenario_schema

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted({ROOT / "README.md", *DOCS.glob("*.md")})
"""What people read; what scripts write into docs/reference is held to the code elsewhere."""
GUIDES = ("tutorial", "judge-an-offer", "stress-a-vault")
LONGER = (
    "calibrate-on-my-data",
    "findings",
    "market",
    "model-and-contract",
    "scenarios",
    "shocks",
    "stress",
)
BLOCK = re.compile(r"(?:(?<=\n\n)|\A) {4}.+\n(?:(?: {4}.*)?\n)*")
NAMED = re.compile(r"`([\w-]+\.yaml)`:\n\n((?: {4}.*\n|\n)+)")
ELSEWHERE = re.compile(r"\b[A-Z]{3,}\b|[A-Z]=|…|\.\./|tcp://|--rpc|\bdevnet\b|--cluster|mine/|acme")
"""Needs what is not here (computers, a second terminal, another package), or is a pattern."""
SLOW = {"claims"}
"""Reads every ready scenario; `test_commands` runs it."""
PATHS = ["--paths", "64"]
FEW = {
    "run": [*PATHS, "--parameter-sets", "0", "--assumption-sets", "0", "--no-replay"],
    "replay": [*PATHS, "--chain", "revm"],
    "breakeven": PATHS,
    "market": PATHS,
    "sensitivity": PATHS,
    "stress": PATHS,
}


def blocks(page: Path) -> Iterator[str]:
    """Yield the page's blocks of code, without their margin."""
    text = re.sub(r"^(#.*)$", r"\1\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for found in BLOCK.finditer(text):
        yield re.sub(r"^ {4}", "", found.group(), flags=re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Return what is to be typed after `assay`, a line each, without remarks behind it."""
    text = "".join(blocks(page)).replace("\\\n", " ")
    lines = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?assay ([a-z].*)$", text, re.MULTILINE)
    return [re.sub(r"\s{2,}[^-\s].*$|\s#.*$", "", line).strip() for line in lines]


def declared(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words begin with, and the words behind it."""
    context, found = click.Context(main), main
    while isinstance(found, click.Group):
        name, *rest = words
        inner = found.get_command(context, re.split(r"[|]", name)[0])
        if inner is None and found is not main:
            return found, words
        assert inner is not None, f"no command {name}"
        found, words = inner, rest
    return found, words


def mentioned(page: Path) -> list[str]:
    """Return what a page calls by its name in a sentence, as `assay run FILE --fresh`."""
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    return [line.replace("…", "") for line in re.findall(r"(?<!`)`assay ([a-z][^`]*)`", text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands__of_a_page__are_there_with_their_options(page: Path) -> None:
    for line in commands(page) + mentioned(page):
        command, rest = declared(shlex.split(line.split(" > ")[0]))
        options = {option for parameter in command.params for option in parameter.opts}
        if isinstance(command, click.Group):
            start = command.get_command(click.Context(command), "start")
            options |= {option for parameter in start.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, line


def test_pages__have_commands_where_they_should() -> None:
    assert all(len(commands(DOCS / f"{name}.md")) > 1 for name in GUIDES + LONGER)


# -- carried out -----------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with what a reader of the pages has: the examples, tables of his own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(click, "launch", lambda url: 0)
    shutil.copytree(ROOT / "examples", "examples", ignore=shutil.ignore_patterns("acme*"))
    made_up = pd.read_csv("examples/made-up-prices.csv")
    made_up.to_csv("prices.csv", index=False)
    gold = made_up.rename(columns={"date": "Date", "gold_usd_per_oz": "Close"})
    gold[["Date", "Close"]].to_csv("gold.csv", index=False)
    gold.assign(Date=pd.bdate_range("2011-01-03", periods=len(gold))).rename(
        columns={"Close": "gold_usd_per_oz"}
    ).to_csv("closes.csv", index=False)
    return tmp_path


def carry_out(line: str) -> None:
    """Do what a line says, on few paths; `>` and `|` as the shell has them, without a shell."""
    typed, _, into = line.partition(" > ")
    words = shlex.split(typed.split(" | ")[0])
    result = CliRunner().invoke(main, [*words, *FEW.get(words[0], [])], catch_exceptions=False)
    assert result.exit_code == 0, f"assay {line}\n{result.output}"
    if into:
        Path(into.strip()).write_text(result.stdout, encoding="utf-8")


def follow(page: Path) -> int:
    """Write the page's files, then do what it says, in its order; return how many commands."""
    for name, text in NAMED.findall(page.read_text(encoding="utf-8")):
        Path(name).write_text(re.sub(r"^ {4}", "", text, flags=re.MULTILINE), encoding="utf-8")
    own = [line for line in commands(page) if not ELSEWHERE.search(line) and line not in SLOW]
    for line in own:
        carry_out(line)
    return len(own)


@pytest.mark.parametrize("name", GUIDES)
def test_guide__followed_from_top_to_bottom__does_what_it_says(name: str, desk: Path) -> None:
    assert follow(DOCS / f"{name}.md") > 1


@pytest.mark.deep
@pytest.mark.parametrize("name", LONGER)
def test_page__followed_from_top_to_bottom__does_what_it_says(name: str, desk: Path) -> None:
    carry_out("scenario new mine --hold bills=0.7 --hold gold_token=0.3 --yield 0.06 > mine.yaml")
    assert follow(DOCS / f"{name}.md") > 1


# -- files -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def form() -> Draft202012Validator:
    return Draft202012Validator(scenario_schema())


SECTIONS = {"market", "instruments", "investors", "claims", "shocks", "extends", "use"}


def test_scenarios__shown_on_a_page__have_the_form_of_one(form: Draft202012Validator) -> None:
    found = 0
    for page in PAGES:
        for block in blocks(page):
            if block.split(":")[0] not in SECTIONS or "..." in block:
                continue
            text = re.split(r"\n\n(?=\S)", block)[0]
            said = YAML(typ="safe", pure=True).load(text)
            plain = json.loads(json.dumps(said, default=str))  # dates are text there
            whole = {"extends": "hard-assets-2026", "name": "shown", **plain}
            assert [error.message for error in form.iter_errors(whole)] == [], (page.name, text)
            found += 1
    assert found > 8


def test_extending__every_line_of_code__is_the_examples_or_a_rooms() -> None:
    places = (ROOT / "examples" / "acme_warehouse", ROOT / "simulator" / "instruments")
    files = [file for place in places for kind in ("*.py", "*.toml") for file in place.rglob(kind)]
    there = {line.strip() for file in files for line in file.read_text("utf-8").splitlines()}
    shown = "".join(blocks(DOCS / "extending.md")).splitlines()
    typed = re.compile(r"pip |cd |python |pytest$|assay |$")
    code = [line for line in shown if not typed.match(line)]
    assert len(code) > 10
    assert [line for line in code if line.strip() not in there] == []


# -- links -----------------------------------------------------------------------------------------

LINK = re.compile(r"\]\(([^)\s]+)\)")
WRITTEN = sorted(
    {*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")}
    | {*ROOT.glob("scenarios/**/*.md"), *ROOT.glob("benchmarks/*.md")}
)


def anchors(page: Path) -> set[str]:
    """Return what a page's headings are called in links."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    plain = (
        re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title)
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    )
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links__of_a_page__lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        assert found.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(found), f"{page.name}: {target}"


# -- a run's folder --------------------------------------------------------------------------------

COLUMN = re.compile(r"`([^`]+)`")
OPEN = re.compile(r"<\w+>|[A-Z]{4,}")


def test_run_folder__every_column_of_its_tables__is_on_the_page(desk: Path) -> None:
    carry_out("scenario new mine --hold bills=0.7 --hold gold_token=0.3 --yield 0.06 > mine.yaml")
    few = "--paths 8 --parameter-sets 1 --assumption-sets 1 --chain revm --set horizon_days=30"
    changed = "--set claims.earns.conditions[0].measure=total_return"
    words = shlex.split(f"run mine.yaml --out done {few} {changed}")
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    page = (DOCS / "run-folder.md").read_text(encoding="utf-8")
    shown = [OPEN.sub("\0", name) for name in COLUMN.findall(page)]
    forms = [re.compile(re.escape(name).replace("\0", r"[\w.\[\]-]+")) for name in shown]
    tables = sorted(Path("done").rglob("*.parquet"))
    assert len(tables) > 10
    for table in tables:
        columns = pq.read_schema(table).names
        assert [c for c in columns if not any(f.fullmatch(c) for f in forms)] == [], table


# -- JSON ------------------------------------------------------------------------------------------

NAMES = {"attribution", "investors", "instruments", "probabilities", "returns", "errors", "lenders"}
"""Their keys are names of a scenario."""
ASKED = {
    "run": "run gold-vault-sober --engine evm --set horizon_days=30 --paths 2 --yes --chain revm",
    "replay": "replay gold-vault-sober --set horizon_days=30",
    "runs": "runs",
}
ASKED_FURTHER = {
    "breakeven": "breakeven gold-vault-sober --claim gold-vault-8-12-usd --solve gold.drift",
    "sensitivity": "sensitivity gold-vault-sober --claim gold-vault-8-12-usd",
    "sweep": "sweep gold-vault-sober --set exploit_hazard=0,0.1 --set paths=64",
    "stress": "stress gold-vault-sober --only usdc",
}


def keys(value: object, *, are_names: bool = False) -> Iterator[str]:
    """Yield every field's name in a JSON value, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from keys(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not are_names and "." not in key:
                yield key
            if key not in ("holder_gas", "verdicts") or isinstance(inner, list):
                yield from keys(inner, are_names=key in NAMES)


@pytest.mark.parametrize(
    "asked", [ASKED, pytest.param(ASKED_FURTHER, marks=pytest.mark.deep)], ids=["run", "further"]
)
def test_json__every_field_that_a_command_prints__is_on_the_page(
    asked: dict[str, str], desk: Path
) -> None:
    page = (DOCS / "reference" / "json.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    for command, line in asked.items():
        few = [option for option in FEW.get(command, []) if option != "--no-replay"]
        words = [*line.split(), *(few if "--paths" not in line else few[2:]), "--json"]
        result = CliRunner().invoke(main, words, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        found = set(keys(json.loads(result.stdout)))
        assert found
        assert found - named == set(), line
