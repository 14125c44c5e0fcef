"""What the shell completes: scenarios, runs, claims, names for `--set`, crises, ladders.

It answers on every press of a key, so nothing here loads what computes: files are looked through
line by line (`outline`), and the fields of a scenario stand in `fields.txt`, made from the models
by `scripts/build_reference.py`. What cannot be read completes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

import click

from simulator.cli.outline import Outline, outline
from simulator.scenario.shipped import shipped_folder, shipped_scenarios

_RUNS = "runs"
_SCENARIO = "scenario.yaml"
_BY_LABEL = "instruments."
_CHOSEN = {"ASSET": ("market", "assets"), "INVESTOR": ("investors",), "CLAIM": ("claims",)}
"""What stands in capitals in a field's name, and where a file has its names."""


def scenarios(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return ready scenarios by name, and YAML files."""
    del context, parameter
    return _begin(incomplete, (*_ready(), *_paths(incomplete, ".yaml", ".yml")))


def runs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return folders of runs: those in `runs/`, and what lies where one is looking."""
    del context, parameter
    found = (str(path.parent) for path in sorted(Path(_RUNS).glob(f"*/{_SCENARIO}")))
    return _begin(incomplete, dict.fromkeys((*found, *_paths(incomplete))))


def sources(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return runs and scenarios, where a command takes either."""
    both = (*runs(context, parameter, incomplete), *scenarios(context, parameter, incomplete))
    return list(dict.fromkeys(both))


def claims(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the claims of the run or scenario that the line names; else of all ready ones."""
    del parameter
    named = _named(context)
    found = [outline(named)] if named is not None else map(outline, shipped_scenarios())
    return _begin(incomplete, dict.fromkeys(name for one in found for name in one.below("claims")))


def settings(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return names for `--set` with their `=`, as far as the scenario has them."""
    del parameter
    return [f"{name}=" for name in _names(context) if name.startswith(incomplete)]


def numbers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the same names without `=`."""
    del parameter
    return _begin(incomplete, _names(context))


def crises(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the ready crises."""
    del context, parameter
    return _begin(incomplete, _stems(shipped_folder() / "crises"))


def calibrations(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the calibrations that ship with Assay, and YAML files."""
    del context, parameter
    ready = _stems(shipped_folder() / "calibrations")
    return _begin(incomplete, (*ready, *_paths(incomplete, ".yaml", ".yml")))


def things(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return what an investor can hold of the ready parts, or of `--from`, with its `=`."""
    del parameter
    source = context.params.get("source") or "parts"
    ready = {path.stem: path for path in shipped_scenarios()}
    labels = outline(ready.get(source, Path(source))).below("instruments")
    return _begin(incomplete, [f"{name}=" for name in (*labels, "cash")])


def ladders(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the ladders of a stress test: of its `--ladder` files, else the ready ones."""
    del parameter
    given = context.params.get("files") or ("ready",)
    ready = shipped_folder() / "ladders" / "ready.yaml"
    found = (outline(ready if name == "ready" else Path(name)) for name in given)
    return _begin(incomplete, [name for one in found for name in one.below("ladders")])


def _begin(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _ready() -> tuple[str, ...]:
    return tuple(path.stem for path in shipped_scenarios())


def _stems(folder: Path) -> list[str]:
    return [path.stem for path in sorted(folder.glob("*.yaml"))]


def _paths(incomplete: str, *endings: str) -> Iterator[str]:
    """Yield files with one of the endings, and folders with a slash, of the folder begun."""
    folder = incomplete.rpartition("/")[0]
    root = Path(folder or ("/" if incomplete.startswith("/") else "."))
    try:
        entries = sorted(root.iterdir())
    except OSError:
        return
    head = f"{folder}/" if "/" in incomplete else ""
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith("."):
            yield f"{head}{entry.name}/"
        elif entry.suffix in endings:
            yield f"{head}{entry.name}"


def _named(context: click.Context) -> Path | None:
    """Return the file of the run or scenario that stands on the line already."""
    arguments = [one.name for one in context.command.params if isinstance(one, click.Argument)]
    # behind an option that waits for its value click has not given the arguments their names yet
    said = [*(context.params.get(name or "") for name in arguments), *context.args]
    ready = {path.stem: path for path in shipped_scenarios()}
    for text in (word for word in said if isinstance(word, str)):
        places = (Path(text) / _SCENARIO, Path(text), ready.get(Path(text).stem, Path(text)))
        found = next((place for place in places if place.is_file()), None)
        if found is not None:
            return found
    return None


def _names(context: click.Context) -> list[str]:
    """Return every dotted name that the scenario on the line may set."""
    named = _named(context)
    found = Outline() if named is None else outline(named)
    lines = files("simulator.cli").joinpath("fields.txt").read_text(encoding="utf-8").split()
    return list(dict.fromkeys(name for line in lines for name in _chosen(line, found)))


def _chosen(field: str, found: Outline) -> Iterator[str]:
    """Yield a field's names in a scenario: by label, asset, investor and claim."""
    if field.startswith(_BY_LABEL):
        kind, _, rest = field.removeprefix(_BY_LABEL).partition(".")
        kinds = found.kinds()
        labels = [label for label, own in kinds.items() if own == kind] if kinds else [kind]
        yield from (f"{_BY_LABEL}{label}.{rest}" for label in labels)
        return
    for word, place in _CHOSEN.items():
        if f".{word}" in field:
            yield from (field.replace(word, name, 1) for name in found.below(*place))
            return
    yield field
