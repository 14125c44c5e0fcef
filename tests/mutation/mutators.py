"""Makes mutants of a source text: one operator, constant, flag or statement changed at a time.

Vyper and Python share their tokens, so one reader of tokens serves contracts and kernels. Only
the bodies of functions and the values of a module's constants are changed.
"""

from __future__ import annotations

import hashlib
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

OPERATORS = {
    "+": ("-",),
    "-": ("+",),
    "*": ("//",),
    "//": ("*",),
    "/": ("*",),
    "%": ("//",),
    "<": ("<=", ">"),
    "<=": ("<", ">"),
    ">": (">=", "<"),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "+=": ("-=",),
    "-=": ("+=",),
    "*=": ("/=",),
    "/=": ("*=",),
}
WORDS = {
    "and": "or",
    "or": "and",
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "True": "False",
    "False": "True",
}
SIZED = {"DynArray", "String", "Bytes"}
"""Types whose number is a capacity: a greater one changes nothing that a test could see."""
IN_PLACE = {"+=", "-=", "*=", "/=", "//=", "%="}
KEPT = {"return", "raise", "if", "elif", "else", "for", "while", "def", "log", "pass", "with"}
KEPT |= {"import", "from", "class", "try", "except", "continue", "break"}
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}

Line = list[tokenize.TokenInfo]


@dataclass(frozen=True)
class Mutant:
    """A text with `text[start:end]` replaced; `line` and `mutant` show the line before and after.

    `function` is where it stands, empty for a constant of the module.
    """

    file: str
    function: str
    number: int
    line: str
    mutant: str
    start: int
    end: int
    replacement: str

    def apply(self, text: str) -> str:
        """Return the mutated text."""
        return text[: self.start] + self.replacement + text[self.end :]

    def rank(self, seed: int) -> str:
        """Return a pseudo-random key of the change alone, so that draws outlast other edits."""
        key = f"{seed}|{self.file}|{self.function}|{self.line}|{self.mutant}"
        return hashlib.sha256(key.encode()).hexdigest()

    def __str__(self) -> str:
        where = f"{self.file}:{self.number} {self.function or 'constants'}"
        return f"{where}\n      - {self.line}\n      + {self.mutant}"


def mutants(file: str, text: str, removes_names: bool = True) -> list[Mutant]:
    """Return all mutants of a text, in its order.

    Parameters
    ----------
    file : str
        The name that they carry.
    removes_names : bool
        Whether to remove also the assignment of a plain name: in Python that only leaves a name
        undefined, which any test would notice.
    """
    starts = _line_starts(text)
    found: list[Mutant] = []
    for function, line in _code_lines(text):
        edits = [(token.start, token.end, new) for token, new in _tokens_changed(line)]
        if function and _is_removable(line, removes_names):
            edits.append((line[0].start, line[-1].end, "pass"))
        for (row, column), (end_row, end_column), new in edits:
            start = starts[row - 1] + column
            end = starts[end_row - 1] + end_column
            found.append(_mutant(file, function, text, row, start, end, new))
    return found


def named(file: str, text: str, function: str, old: str, new: str | None) -> Mutant:
    """Return the mutant that a person described: `old` in a function becomes `new`.

    Parameters
    ----------
    old : str
        Occurs exactly once in the function.
    new : str or None
        None leaves the statement out, which `old` must then be in full.

    Raises
    ------
    ValueError
        If it does not: the mutant would test nothing.
    """
    head = re.search(rf"^def {function}\(.*?(?=^(?:@|def )|\Z)", text, re.MULTILINE | re.DOTALL)
    times = head[0].count(old) if head else 0
    if head is None or times != 1:
        raise ValueError(f"{file}: {old!r} occurs {times} times in {function}, must be once")
    start = head.start() + head[0].index(old)
    row = text.count("\n", 0, start) + 1
    replacement = "pass" if new is None else new
    return _mutant(file, function, text, row, start, start + len(old), replacement)


def _mutant(
    file: str, function: str, text: str, row: int, start: int, end: int, new: str
) -> Mutant:
    head, tail = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    line = text[head : text.find("\n", start)].strip()
    mutant = (text[head:start] + new + text[end:tail]).strip().split("\n")[0]
    return Mutant(file, function, row, line, mutant, start, end, new)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _code_lines(text: str) -> Iterator[tuple[str, Line]]:
    """Yield each logical line with its function: bodies, and constants of the module.

    Headers of functions, classes and decorators are left out, and so are doc strings.
    """
    function, line = "", Line()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in SKIPPED:
            continue
        if token.type != tokenize.NEWLINE:
            line.append(token)
            continue
        first, column = line[0].string, line[0].start[1]
        if first == "def" and column == 0:
            function = line[1].string
        elif column == 0 and not _is_constant(line):
            function = ""
        elif column and function and line[0].type != tokenize.STRING and first not in ("def", "@"):
            yield function, line
        elif column == 0:
            yield "", line
        line = Line()


def _is_constant(line: Line) -> bool:
    words = [token.string for token in line]
    return re.fullmatch(r"_?[A-Z][A-Z0-9_]*", words[0]) is not None and "=" in words


def _tokens_changed(line: Line) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    """Yield tokens of a line with what each may become."""
    for at, token in enumerate(line):
        before = line[at - 1].string if at else ""
        if token.type == tokenize.OP and _is_binary(line, at):
            yield from ((token, new) for new in OPERATORS.get(token.string, ()))
        elif token.type == tokenize.NAME and token.string in WORDS:
            yield token, WORDS[token.string]
        elif token.string == "not" and before != "is" and line[at + 1].string != "in":
            yield token, ""
        elif token.type == tokenize.NUMBER and not _is_capacity(line, at):
            yield from ((token, new) for new in _next_number(token.string))


def _is_binary(line: Line, at: int) -> bool:
    if not at:
        return False
    before = line[at - 1]
    closes = before.type in (tokenize.NAME, tokenize.NUMBER) or before.string in (")", "]")
    return closes and before.string not in ("return", "and", "or", "not", "in", "if", "else")


def _is_capacity(line: Line, at: int) -> bool:
    """Return whether a number is the size of a type, or the bound of a loop."""
    if [token.string for token in line[max(at - 2, 0) : at]] == ["bound", "="]:
        return True
    depth = 0
    for index in range(at - 1, 0, -1):
        depth += {"[": 1, "]": -1}.get(line[index].string, 0)
        if depth == 1:
            return line[index - 1].string in SIZED
    return False


def _next_number(text: str) -> tuple[str, ...]:
    if text.lower().startswith("0x"):
        return ()
    digits = text.replace("_", "")
    return (str(int(digits) + 1 if digits.isdigit() else float(digits) + 1.0),)


def _is_removable(line: Line, removes_names: bool) -> bool:
    """Return whether a logical line is a call, an assignment to what exists, or an assert."""
    first, words = line[0], [token.string for token in line]
    if first.type != tokenize.NAME or first.string in KEPT or line[-1].string == ":":
        return False
    depth, outside = 0, []
    for word in words:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(word, 0)
        if depth == 0:
            outside.append(word)
    if ":" in outside:
        return False
    if "=" not in outside or first.string == "assert":
        return first.string == "assert" or bool(IN_PLACE & {*outside}) or "(" in words
    target = outside[: outside.index("=")]
    return removes_names or target != [first.string]
