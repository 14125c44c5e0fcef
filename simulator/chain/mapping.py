"""Maps compiled code to its source: the statement of each instruction, the place of each variable.

Made from what the compiler knows, kept in the artifact as plain data, read by `source_map`. The
compiler is a development tool; nothing here is needed to read a map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

JUMPI, REVERT, INVALID = 0x57, 0xFD, 0xFE
_MOST_TEXT = 160


def map_of(
    code: bytes, maps: dict[str, Any], module: Any, nodes: Any, root: Path
) -> dict[str, Any]:
    """Return the map of a contract's code, as JSON has it.

    Parameters
    ----------
    code, maps : bytes, dict
        What stays on the chain, and the compiler's own maps of it.
    module : vyper.ast.Module
        The source, annotated.
    nodes : module
        `vyper.ast`.
    root : Path
        The folder of the contract's own sources; what lies outside is told without its text.

    Returns
    -------
    dict
        `places`, each [file, function, line, text]; `lines`, pairs of an instruction's distance
        from the one before and the place that begins there (-1 for none); `errors` and `checks`,
        likewise, for what the compiler checks by itself; `variables`, each [name, slot, type].
    """
    places, lines = _runs(maps["pc_raw_ast_map"], lambda node: _place(node, nodes, root))
    checked = {at: why for at, why in maps["error_map"].items() if at < len(code)}
    ending = {at: why for at, why in checked.items() if code[at] in (JUMPI, REVERT, INVALID)}
    errors, checks = _runs(ending, lambda why: why)
    return {
        "places": places,
        "lines": lines,
        "errors": errors,
        "checks": checks,
        "variables": [list(one) for one in _variables(module, nodes, "")],
    }


def _runs(by_place: dict[int, Any], told: Callable[[Any], Any]) -> tuple[list[Any], list[int]]:
    """Return what is told, each once, and where each begins, as distances and numbers."""
    known: dict[str, int] = {}
    found: list[Any] = []
    runs: list[int] = []
    before, last = 0, None
    for at in sorted(by_place):
        one = told(by_place[at])
        number = -1 if one is None else known.setdefault(str(one), len(found))
        if number == len(found):
            found.append(one)
        if number != last:
            runs += [at - before, number]
            before, last = at, number
    return found, runs


def _place(node: Any, nodes: Any, root: Path) -> list[Any] | None:
    """Return file, function, line and text of the statement that a node belongs to."""
    function = node.get_ancestor(nodes.FunctionDef)
    if function is None or node.lineno is None:
        return None
    kinds = _statements(nodes)
    statement: Any = node if isinstance(node, kinds) else node.get_ancestor(kinds)
    if statement is None or statement.lineno is None:
        return None
    path = Path(node.module_node.resolved_path)
    own = path.is_relative_to(root)
    text = _text(statement) if own else ""
    return [_name(path, root), function.name, statement.lineno, text]


def _statements(nodes: Any) -> tuple[type, ...]:
    names = "Assert Assign AugAssign AnnAssign Expr For If Log Raise Return"
    return tuple(getattr(nodes, name) for name in names.split())


def _text(statement: Any) -> str:
    """Return a statement in a line; of a block its head."""
    lines = statement.full_source_code.splitlines()
    last = statement.end_lineno
    if body := getattr(statement, "body", None):
        last = max(body[0].lineno - 1, statement.lineno)
    text = " ".join(" ".join(lines[statement.lineno - 1 : last]).split())
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"


def _name(path: Path, root: Path) -> str:
    """Return a source as it is told: from its own folder, or from its library's."""
    if path.is_relative_to(root):
        return str(root.name / path.relative_to(root))
    parts = path.parts
    start = parts.index("site-packages") + 1 if "site-packages" in parts else -2
    return "/".join(parts[start:])


def _variables(module: Any, nodes: Any, prefix: str) -> Iterator[tuple[str, int, Any]]:
    """Yield name, slot and type of each variable in storage, those of modules by `MODULE.NAME`."""
    for node in module.body:
        if isinstance(node, nodes.InitializesDecl):
            info = node._metadata["initializes_info"].module_info
            yield from _variables(info.module_node, nodes, f"{prefix}{info.alias}.")
        elif isinstance(node, nodes.VariableDecl):
            variable = node.target._metadata["varinfo"]
            if variable.location.name == "STORAGE" and variable.position is not None:
                name = f"{prefix}{node.target.id}"
                yield name, variable.position.position, _type(variable.typ)


def _type(kind: Any) -> Any:
    """Return a type as JSON: a word by its name, others by what they hold."""
    name = type(kind).__name__
    if name == "HashMapT":
        return {"map": [_type(kind.key_type), _type(kind.value_type)]}
    if name == "SArrayT":
        return {"array": [_type(kind.value_type), kind.count]}
    if name == "DArrayT":
        return {"list": [_type(kind.value_type), kind.count]}
    if name == "StructT":
        return {"struct": [[member, _type(own)] for member, own in kind.members.items()]}
    if name in ("BytesT", "StringT"):
        return {"bytes": kind.length}
    if name == "InterfaceT":
        return "address"
    return "uint256" if name == "FlagT" else str(kind)
