"""The tool itself: what it breaks, that draws repeat, and that its lists fit the sources."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import pytest
from mutators import mutants, named

pytest.importorskip("vyper")

import of_contracts
from mutants import ROOT, equivalents

FIVE_LINES = """
LIMIT: constant(uint256) = 10


@external
def add(amount: uint256, names: DynArray[address, 8]):
    \"\"\"
    @notice Adds 1 + 1.
    \"\"\"
    assert amount <= LIMIT, "too much"
    self.total += min(amount, 5)
    self._told(
        amount
    )
"""


def test_mutants__of_five_lines__are_these():
    # Written out by hand: the constant, `<=` two ways, the assert, `+=`, min, 5, two statements.
    assert [
        (found.function, found.line, found.mutant) for found in mutants("a.vy", FIVE_LINES)
    ] == [
        ("", "LIMIT: constant(uint256) = 10", "LIMIT: constant(uint256) = 11"),
        ("add", 'assert amount <= LIMIT, "too much"', 'assert amount < LIMIT, "too much"'),
        ("add", 'assert amount <= LIMIT, "too much"', 'assert amount > LIMIT, "too much"'),
        ("add", 'assert amount <= LIMIT, "too much"', "pass"),
        ("add", "self.total += min(amount, 5)", "self.total -= min(amount, 5)"),
        ("add", "self.total += min(amount, 5)", "self.total += max(amount, 5)"),
        ("add", "self.total += min(amount, 5)", "self.total += min(amount, 6)"),
        ("add", "self.total += min(amount, 5)", "pass"),
        ("add", "self._told(", "pass"),
    ]


def test_mutant__of_a_statement_over_lines__leaves_it_out_whole():
    last = mutants("a.vy", FIVE_LINES)[-1]
    assert last.apply(FIVE_LINES) == FIVE_LINES.replace(
        "self._told(\n        amount\n    )", "pass"
    )


@pytest.mark.parametrize("line", ["x = y if not a else -b", "x = f(*a, **b)", "x = a not in b"])
def test_mutants__signs_that_are_no_operation__are_left_alone(line: str):
    text = f"def f(a):\n    {line}\n"
    changed = {found.mutant for found in mutants("a.py", text, removes_names=False)}
    assert changed == ({"x = y if  a else -b"} if "if" in line else set())


def test_rank__depends_on_seed_and_change_alone():
    first, again = mutants("a.vy", FIVE_LINES)[0], mutants("a.vy", "\n\n" + FIVE_LINES)[0]
    assert first.number != again.number
    assert first.rank(1) == again.rank(1) != first.rank(2)


def test_draw__repeats_and_has_enough_of_each_file(tmp_path):
    ranks = [found.rank(of_contracts.SEED) for found in of_contracts.ranked("contracts/desk.vy")]
    assert ranks == sorted(ranks)
    for contract in of_contracts.TESTS:
        assert sum(of_contracts.shares(contract).values()) >= of_contracts.TOTAL
    drawn = of_contracts.draw("reward_token", tmp_path)
    assert [found for found, _ in drawn] == [
        found for found, _ in of_contracts.draw("reward_token", tmp_path)
    ]


def test_draw__of_a_contract_with_little_of_its_own__takes_more_of_its_modules(
    tmp_path, monkeypatch
):
    # Code of one byte, and two that say how long the compiler's note is: no contract's own.
    monkeypatch.setattr(of_contracts, "compiled", lambda *_: SimpleNamespace(bytecode=b"\xfe\0\2"))
    for contract in ("feed_reader", "gold_vault"):
        drawn = [found for found, _ in of_contracts.draw(contract, tmp_path)]
        assert len({*drawn}) == len(drawn) >= of_contracts.TOTAL


def test_modules__are_each_drawn_five_times():
    for path in of_contracts.CONTRACTS.glob("modules/*.vy"):
        file = str(path.relative_to(ROOT))
        counts = [of_contracts.shares(name)[file] for name in of_contracts.importers(file)]
        assert sum(counts) >= of_contracts.OF_A_MODULE or not counts, file


def test_tests__of_every_contract__are_there():
    assert {*of_contracts.TESTS} == {*of_contracts.contract_sources(of_contracts.CONTRACTS)}
    for files in of_contracts.TESTS.values():
        assert [file for file in files if not (ROOT / file).is_file()] == []


def test_named__mutants_still_occur_in_the_sources():
    for _, file, function, old, new in of_contracts.NAMED:
        assert named(file, (ROOT / file).read_text(), function, old, new).line


@pytest.mark.parametrize(
    ("old", "new", "mutant"),
    [
        ("self.total += min(amount, 5)", None, "pass"),
        (" += min(amount, 5)", "", "self.total"),
    ],
)
def test_named__without_a_text__leaves_the_statement_or_the_words_out(
    old: str, new: str | None, mutant: str
):
    assert named("a.vy", FIVE_LINES, "add", old, new).mutant == mutant


def test_named__text_that_is_not_there__is_refused():
    assert named("a.vy", FIVE_LINES, "add", "min(amount, 5)", "amount").mutant.endswith("= amount")
    with pytest.raises(ValueError, match=r"a\.vy: 'burn' occurs 0 times in add, must be once"):
        named("a.vy", FIVE_LINES, "add", "burn", None)


def test_equivalents__are_mutants_of_the_sources_as_they_are():
    for (file, function, line, mutant, contract), reason in equivalents().items():
        found = mutants(file, (ROOT / file).read_text(), removes_names=file.endswith(".vy"))
        assert (function, line, mutant) in {(one.function, one.line, one.mutant) for one in found}
        assert not contract or contract in of_contracts.importers(file)
        assert reason


@pytest.mark.parametrize("file", ["simulator/mechanics/vault.py", "simulator/mechanics/cover.py"])
def test_mutants__of_a_kernel__are_python(file: str):
    text = (ROOT / file).read_text()
    for found in mutants(file, text, removes_names=False):
        assert ast.dump(ast.parse(found.apply(text))) != ast.dump(ast.parse(text))
