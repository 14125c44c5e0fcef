"""A scenario's market against tables of closes: `assay market SCENARIO --against CSV`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import InputError, Problem, UsageError
from simulator.market.build import market_spec
from simulator.market.calibration import (
    check_returns,
    chosen_exclusions,
    closes_of,
    read_prices,
)
from simulator.market.calibration.layout import Asked
from simulator.market.dynamics import MarketSpec
from simulator.market.validation.compare import (
    HISTORIES,
    SEED,
    Compared,
    compare,
)
from simulator.market.validation.past import Past, pasts_of
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import MarketScenario


@dataclass(frozen=True)
class Question:
    """A market and the histories to hold it against, both checked.

    frequencies : what each table's rows are, in words
    notes : what was left out of the tables or assumed
    """

    spec: MarketSpec
    pasts: dict[str, Past]
    frequencies: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Against:
    """What came of it.

    rows : a cell for each figure of each asset and pair that both sides have
    frequencies : of each table, in words
    histories : simulated ones
    """

    rows: tuple[Compared, ...]
    frequencies: tuple[str, ...]
    histories: int = HISTORIES

    @property
    def inside(self) -> int:
        """Return of how many cells the history lies within the simulated histories."""
        return sum(row.inside for row in self.rows)


def ask(
    scenario: MarketScenario,
    calibration: Calibration,
    tables: Sequence[Path],
    columns: Mapping[str, str] | None = None,
    exclude: Sequence[str] = (),
    keep: Sequence[str] = (),
) -> Question:
    """Read the tables, as a calibration does, and find the assets that the scenario has too.

    Parameters
    ----------
    columns : mapping of str to str, optional
        From a name that Assay knows to a column of a table.
    exclude, keep : sequence of str
        Returns to leave out, and those that stand out and are true, as DATE:ASSET.

    Raises
    ------
    UsageError
        The scenario's model draws from a history itself.
    InputError
        A table is faulty, has a return that is no market's, two of them have the same asset, or
        none has one of the scenario.
    """
    if scenario.market.model in ("bootstrap", "history"):
        model = scenario.market.model
        raise UsageError(f"--against: model {model} is the past itself; name another model")
    read = [read_prices(path, asked=Asked(columns or {})) for path in tables]
    left_out, kept = chosen_exclusions(read, exclude, keep)
    told = check_returns(read, left_out, kept)
    wanted: tuple[str, ...] = tuple(scenario.market.assets)
    pasts: dict[str, Past] = {
        asset: past
        for asset, past in pasts_of(closes_of(read, left_out)).items()
        if asset in wanted
    }
    _check_moves(pasts)
    if not pasts:
        rule = f"has no asset of the scenario, which has {', '.join(wanted)}"
        raise InputError([Problem(table.path, 1, "", "", rule) for table in read])
    words = tuple(f"{table.file}: {table.frequency.message}" for table in read)
    notes = (*(f"{table.path}: {note}" for table in read for note in table.notes), *told)
    return Question(market_spec(scenario, calibration), pasts, words, notes)


def _check_moves(pasts: Mapping[str, Past]) -> None:
    """Refuse closes that stand still: they have no volatility to compare."""
    still = [past for past in pasts.values() if not past.returns.std() > 0]
    rule = "prices do not move; there is nothing to compare"
    if still:
        raise InputError([Problem(past.source, None, past.asset, "", rule) for past in still])


def answer(question: Question) -> Against:
    """Simulate histories and compare them; about a second an asset of 25 years."""
    rows = compare(question.spec, question.pasts, seed=SEED)
    return Against(tuple(rows), question.frequencies)
