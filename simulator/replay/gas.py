"""Gas by function: a table of a replay, and its change against one that was stored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from simulator.errors import InputError, Problem, UsageError

KEYS = ["label", "contract", "function"]
_NUMBERS = {"calls": "int64", "least": "int64", "mean": "float64", "most": "int64"}
COLUMNS = [*KEYS, *_NUMBERS, "total", "chain"]


def gas_by_function(transactions: pd.DataFrame, chain: str) -> pd.DataFrame:
    """Return what each function used over a replay, the most first.

    Columns: label, contract, function (`__init__` is a creation), calls, and of them the least,
    mean, most and total gas; chain, since in process the gas is a lower bound.
    """
    by = transactions.groupby(KEYS, sort=False)["gas"]
    found = by.agg(calls="size", least="min", mean="mean", most="max", total="sum").reset_index()
    found = found.sort_values(["total", *KEYS], ascending=[False, True, True, True])
    return found.assign(chain=chain).reset_index(drop=True)[COLUMNS]


def read_gas(file: Path) -> pd.DataFrame:
    """Return a table that a replay wrote as CSV.

    Raises
    ------
    UsageError
        There is no such file.
    InputError
        It is no such table.
    """
    try:
        found = pd.read_csv(file, keep_default_na=False, float_precision="round_trip")
        found = found[COLUMNS].astype({**_NUMBERS, "total": "int64"})
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    except KeyError:
        raise _faulty(file, f"must have the columns {', '.join(COLUMNS)}") from None
    except ValueError as error:
        raise _faulty(file, f"is no table of gas: {error}") from None
    if found.duplicated(KEYS).any():
        row = found[found.duplicated(KEYS)].iloc[0]
        raise _faulty(file, f"has {'.'.join(row[KEYS])} twice")
    return found


def check_chain(stored: pd.DataFrame, chain: str) -> None:
    """Raise UsageError where a stored table is of another chain, which counts otherwise."""
    for other in sorted({*stored["chain"]} - {chain}):
        raise UsageError(f"the stored gas is of {other} and this is {chain}; give --chain {other}")


def gas_change(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return the mean gas of each function beside a stored table's, the largest change first.

    Columns: label, contract, function, calls, mean, before, change, share (of before). A function
    that only one of the tables has lacks the other's numbers.
    """
    stored = before[[*KEYS, "mean"]].rename(columns={"mean": "before"})
    both = now[[*KEYS, "calls", "mean"]].merge(stored, on=KEYS, how="outer")
    both["calls"] = both["calls"].fillna(0).astype("int64")
    both["change"] = both["mean"] - both["before"]
    both["share"] = both["change"] / both["before"]
    size = both["share"].abs().fillna(float("inf"))
    order = size.sort_values(ascending=False, kind="stable").index
    return both.loc[order].reset_index(drop=True)


def _faulty(file: Path, rule: str) -> InputError:
    return InputError([Problem(str(file), None, "", "", rule)])
