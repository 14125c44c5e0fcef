"""What is written for those who work in Python runs: the page's study, and the notebooks."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import pytest

import simulator as assay

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
MOST_LINES = 25
SMALL = "paths=128, horizon_days=90"


def study() -> str:
    block = re.search(r"## A study\n\n(?:.+\n)*\n((?:    .*\n|\n)+)", PAGE)
    assert block is not None
    return "\n".join(line[4:] for line in block.group(1).splitlines())


def test_study__of_the_page__runs_in_few_lines_of_public_names() -> None:
    code = study()
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
    assert re.findall(r"import .*", code) == ["import simulator as assay"]
    assert not re.search(r"\._", code)
    names: dict[str, object] = {}
    exec(compile(code.replace("paths=2_000", SMALL), "docs/python.md", "exec"), names)
    replay = names["replay"]
    assert isinstance(replay, assay.PathReplay)
    assert replay.ok


@pytest.mark.parametrize("kind", [assay.Run, assay.PathStory, assay.PathReplay])
def test_page__names_all_that_is_public(kind: type) -> None:
    public = {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}
    public |= set(getattr(kind, "__dataclass_fields__", ()))
    named = {part for code in re.findall(r"`([\w.]+)", PAGE) for part in code.split(".")}
    assert public - named == set()


def show(value: object) -> None:
    """Do what a notebook does with a cell's last value."""
    assert repr(value)
    as_html = getattr(value, "_repr_html_", None)
    if as_html is not None:
        as_html()


def run_cell(source: str, names: dict[str, object], place: str) -> None:
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), place, "exec"), names)
    if isinstance(last, ast.Expr):
        show(eval(compile(ast.Expression(last.value), place, "eval"), names))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook__runs_from_top_to_bottom(notebook: Path) -> None:
    book = json.loads(notebook.read_text(encoding="utf-8"))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    names: dict[str, object] = {}
    for number, cell in enumerate(book["cells"]):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            run_cell("".join(cell["source"]), names, f"{notebook.name}[{number}]")


def test_notebooks__are_three() -> None:
    stems = [path.stem for path in NOTEBOOKS]
    assert stems == ["own-claim", "parameter-study", "replay-as-events"]
