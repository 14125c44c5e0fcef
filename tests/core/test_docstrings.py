"""Every array has its shape in a docstring: those of public functions and those of kernels.

A kernel's signature says of an array what it holds, not along which axes. Private functions
that are not compiled may leave it to their caller.
"""

import ast
import re
from pathlib import Path

import pytest

import simulator

PACKAGE = Path(simulator.__file__).parent

ARRAY = re.compile(r"\b(?:\w*Array|ndarray)\b")
SHAPE = re.compile(r"\bshapes? (?:in |of )?[(`]|\bany shape\b|\(n_")
"""A shape in brackets, or that of what stands in backticks: an argument, another function."""


def functions(tree, outer=""):
    """Yield (dotted name, node) of every function and method, those inside functions left out."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield f"{outer}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{outer}{node.name}.")


def takes_or_returns_arrays(node):
    every = node.args
    arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
    annotations = [argument.annotation for argument in arguments if argument] + [node.returns]
    return any(ARRAY.search(ast.unparse(found)) for found in annotations if found)


def must_say(name, node):
    """Return whether a function is one whose docstring is read: public, or compiled."""
    is_public = not any(part.startswith("_") for part in name.split("."))
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    return is_public or bool(decorators & {"kernel", "inlined"})


def silent(source):
    """Return (line, name) of the functions that have an array and name no shape."""
    return [
        (node.lineno, name)
        for name, node in functions(ast.parse(source))
        if must_say(name, node)
        and takes_or_returns_arrays(node)
        and not SHAPE.search(" ".join((ast.get_docstring(node) or "").split()))
    ]


def test_docstrings__of_functions_with_arrays__name_a_shape():
    faults = [
        f"simulator/{path.relative_to(PACKAGE).as_posix()}:{line}: {name} names no shape"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, name in silent(path.read_text(encoding="utf-8"))
    ]
    assert not faults, "\n" + "\n".join(faults)


SAYS = '''"""Return the gain, shape (n_paths,)."""'''
SILENT = '''"""Return the gain."""'''


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        (f"def gain(x: FloatArray) -> float: {SAYS}", False),
        (f"def gain(x: FloatArray) -> float: {SILENT}", True),
        ("def gain(x: FloatArray) -> float: ...", True),
        ("def gain(x: float) -> float: ...", False),
        (f"def gain(x: float) -> np.ndarray: {SILENT}", True),
        (f"def gain(*, x: BoolArray | None = None) -> float: {SILENT}", True),
        (f"def gain(*x: npt.NDArray[np.int8]) -> float: {SILENT}", True),
        (f"def _gain(x: FloatArray) -> float: {SILENT}", False),
        (f"@kernel\ndef _gain(x: FloatArray) -> float: {SAYS}", False),
        (f"@kernel\ndef _gain(x: FloatArray) -> float: {SILENT}", True),
        (f"@inlined\ndef _gain(x: WordArray) -> None: {SILENT}", True),
        (f"class A:\n    @property\n    def gain(self) -> FloatArray: {SAYS}", False),
        (f"class A:\n    @property\n    def gain(self) -> FloatArray: {SILENT}", True),
        (f"class _A:\n    def gain(self) -> FloatArray: {SILENT}", False),
        ("def f() -> None:\n    def gain(x: FloatArray) -> float: ...", False),
        ("def f(x: FloatArray) -> float: '''Gain, x of shape\n    (4, n).'''", False),
        ("def f(x: FloatArray) -> float: '''Gain, of the shapes in `draw`.'''", False),
        ("def f(x: FloatArray) -> float: '''Gain; makes x anew where its shape changes.'''", True),
    ],
)
def test_rule__array_without_a_shape__is_found_and_one_with_it_is_not(source, refused):
    assert bool(silent(source)) is refused
