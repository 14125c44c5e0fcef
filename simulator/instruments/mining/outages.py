"""What stops a mine and for how long: a list of outages for each path."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.instruments.mining.terms import OUTAGES, OutagesTerms
from simulator.jit import kernel
from simulator.market.philox import uniforms4
from simulator.units import DAYS_PER_YEAR, DayArray, FloatArray, KindArray, StepArray

KINDS = tuple(OUTAGES)
"""Kind 1, 2 and 3 of an outage; 0 is none."""

HALF = 0.5
LONGEST_DAYS = 30_000.0
"""Durations are cut here, to fit DayArray; far beyond any horizon."""


def hazards(terms: OutagesTerms) -> FloatArray:
    """Return the kinds as rows: chance a day, mean days, share of output lost; shape (3, 3)."""
    rows = [getattr(terms, kind) for kind in KINDS]
    return np.array([[r.hazard / DAYS_PER_YEAR, r.mean_days, r.output_lost] for r in rows])


def availability(terms: OutagesTerms) -> float:
    """Return the share of full output that is expected, outages counted."""
    lost: float = sum(
        r.hazard * r.mean_days / DAYS_PER_YEAR * r.output_lost
        for r in (getattr(terms, kind) for kind in KINDS)
    )
    return max(0.0, 1.0 - lost)


@kernel
def fill_outages(
    kinds: KindArray,
    left: DayArray,
    rates: FloatArray,
    begins: StepArray,
    seed: int,
    stream: int,
    first_path: int,
) -> None:
    """Write the outages of consecutive paths: each waits for the end of the one before.

    Parameters
    ----------
    kinds : ndarray of shape (n_steps + 1, n_paths), int8
        Written: kind on each step, 0 where the mine is not stopped.
    left : ndarray of shape (n_steps + 1, n_paths), int16
        Written: days that the outage still lasts, the present one included.
    rates : ndarray of shape (3, 3)
        As `hazards` gives them: by kind a chance a day, days, and a share of 0 to 1.
    begins : ndarray of shape (n_paths,), int64
        Step at which a path's mine begins to work.
    """
    kinds[:] = 0
    left[:] = 0
    total = rates[:, 0].sum()
    n_rows = kinds.shape[0]
    for k in range(kinds.shape[1] if total > 0.0 else 0):
        # a mine that is not there yet cannot stand still: the first wait begins with its ore
        step, event = begins[k], 0
        while True:
            wait, which, length, _ = uniforms4(seed, event, stream, first_path + k)
            gap = -np.log(wait) / total
            if gap >= n_rows - step:
                break
            # one process for all kinds; which of them it is follows their rates
            kind = 0
            share = which * total
            while kind < 2 and share >= rates[kind, 0]:
                share -= rates[kind, 0]
                kind += 1
            start = step + max(1, int(np.ceil(gap)))
            days = max(1, int(np.ceil(min(-rates[kind, 1] * np.log(length), LONGEST_DAYS))))
            for t in range(start, min(start + days, n_rows)):
                kinds[t, k] = kind + 1
                left[t, k] = start + days - t
            step = start + days - 1
            event += 1
            if step >= n_rows - 1:
                break


def outage_paths(
    terms: OutagesTerms,
    begins: StepArray,
    seed: int,
    stream: int,
    first_path: int,
    n_steps: int,
) -> tuple[KindArray, DayArray]:
    """Return kind and days left on each step, as `fill_outages` writes them.

    Shape (n_steps + 1, n_paths) each, int8 and int16; `begins` as there.
    """
    shape = (n_steps + 1, begins.shape[0])
    kinds: Any = np.empty(shape, np.int8)
    left: Any = np.empty(shape, np.int16)
    fill_outages(kinds, left, hazards(terms), begins, seed, stream, first_path)
    return kinds, left


def lay_over(kinds: KindArray, left: DayArray, kind: str, stopped: FloatArray) -> None:
    """Stop the mine on some days, whatever else happens on them.

    Parameters
    ----------
    kinds, left : ndarray of shape (n_steps + 1, n_paths)
        As `fill_outages` writes them; changed where the mine is stopped.
    stopped : ndarray of shape (n_steps + 1, n_paths)
        More than one half on the days of the outage.
    """
    on = stopped > HALF
    days = np.zeros(on.shape, np.int16)
    for step in range(on.shape[0] - 1, -1, -1):
        after = days[step + 1] if step + 1 < on.shape[0] else np.int16(0)
        days[step] = np.where(on[step], after + 1, 0)
    kinds[on] = KINDS.index(kind) + 1
    left[on] = days[on]
