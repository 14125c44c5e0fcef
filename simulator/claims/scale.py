"""The words of a verdict: one scale for how likely a statement is, given what is not known.

supported from 0.95, plausible from 0.5, unlikely from 0.05, refuted below. The probability is
that of the statement given sampling and estimation error; what assumptions leave open stands
beside the word. Some findings take the place of a word, the first that applies:

not testable    it has no number here: the run or the data cannot decide it
by assumption   it follows from a figure that is itself assumed
already met     it is reached on the first day
not decided     too few paths to tell two words apart
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulator.units import FloatArray
from simulator.words import VERDICTS, Word

WORDS = VERDICTS
BOUNDS: tuple[tuple[float, Word], ...] = (
    (0.95, "supported"),
    (0.5, "plausible"),
    (0.05, "unlikely"),
)
"""A probability of at least the bound earns the word; below all of them it is refuted."""
SCALE: tuple[Word, ...] = (*(word for _, word in BOUNDS), "refuted")

MIDDLE = (0.05, 0.95)
"""The range over sets that is reported: that of the middle nine tenths."""
MOST_BANDS = 2
"""A sampling interval that reaches over more words than this decides nothing."""


@dataclass(frozen=True)
class Rating:
    """A word, and how firm it is.

    Attributes
    ----------
    firm : bool or None
        Whether the range over parameter sets stays within the word; None where none were drawn.
    could_be : str
        The neighbouring word where it does not; empty otherwise.
    """

    word: Word
    firm: bool | None = None
    could_be: Word | Literal[""] = ""


NOT_DECIDED = Rating("not decided")


def word_for(probability: float) -> Word:
    """Return the word that a probability earns."""
    return next((word for bound, word in BOUNDS if probability >= bound), "refuted")


def rate(likelihood: float, reached: tuple[float, float] | None = None) -> Rating:
    """Return the word of a statement, firm where the range over the sets stays within it.

    Parameters
    ----------
    reached : tuple of float, optional
        From the 5th to the 95th percentile over the sets; without it firmness is not known.

    Notes
    -----
    Where the range goes beyond the word on both sides, the neighbour whose bound is nearer to
    the likelihood is named.
    """
    word = word_for(likelihood)
    if reached is None:
        return Rating(word)
    place = SCALE.index(word)
    low, high = (SCALE.index(word_for(end)) for end in reached)
    worse = place + 1 if low > place else None
    better = place - 1 if high < place else None
    if worse is None and better is None:
        return Rating(word, firm=True)
    if worse is None or better is None:
        found = worse if better is None else better
        assert found is not None
        return Rating(word, firm=False, could_be=SCALE[found])
    nearer_above = BOUNDS[better][0] - likelihood < likelihood - BOUNDS[place][0]
    return Rating(word, firm=False, could_be=SCALE[better if nearer_above else worse])


def is_decided(sampling: tuple[float, float], reached: tuple[float, float] | None = None) -> bool:
    """Return whether the paths are enough to tell an event's word from the next.

    They are too few where the sampling interval reaches over more than two words, or over two
    while it is wider than the range over the parameter sets: then it is sampling that leaves
    the word open, and more paths would close it.
    """
    bands = 1 + SCALE.index(word_for(sampling[0])) - SCALE.index(word_for(sampling[1]))
    if bands == 1:
        return True
    ignorance = 0.0 if reached is None else reached[1] - reached[0]
    return bands <= MOST_BANDS and ignorance >= sampling[1] - sampling[0]


def holding_share(low: float | None, high: float | None, interval: tuple[float, float]) -> float:
    """Return 1 where a whole interval lies between two bounds, 0 where it lies outside.

    Half where it holds a bound, or is not known (NaN): the paths do not say. An interval of no
    width on a bound is inside, as a value on its bound is.
    """
    least = -math.inf if low is None else low
    most = math.inf if high is None else high
    if least <= interval[0] and interval[1] <= most:
        return 1.0
    if interval[1] < least or interval[0] > most:
        return 0.0
    return 0.5


def rate_shares(held: FloatArray) -> tuple[float, Rating]:
    """Return how likely an effect is, and its rating, from whether it holds in each set.

    Parameters
    ----------
    held : ndarray of shape (n_sets,)
        Of `holding_share`; of one world alone, an array of one.

    Notes
    -----
    Not decided where the intervals of most sets hold the bound: more paths would narrow them.
    """
    likelihood = float(held.mean())
    if np.mean(held == 0.5) > 0.5:
        return likelihood, NOT_DECIDED
    if held.size == 1:
        return likelihood, rate(likelihood)
    low, high = (float(q) for q in np.quantile(held, MIDDLE))
    return likelihood, rate(likelihood, (low, high))
