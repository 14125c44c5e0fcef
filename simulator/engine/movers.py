"""Which drawn figure moved a claim most over the parameter sets: a sensitivity for free.

All figures are drawn together, so a rank correlation tells each one's part from the noise of the
others; with few sets it tells only the strong ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from scipy import special

CONFIDENCE = 0.95
_PREFIXES = ("drift.", "volatility.", "assumed.")


@dataclass(frozen=True)
class Mover:
    """A drawn figure and its rank correlation with what a claim was found to be."""

    figure: str
    correlation: float


def moved_by(rows: pd.DataFrame, told: str) -> tuple[Mover, ...]:
    """Return the drawn figures by the size of their rank correlation, the largest first.

    Spearman's: the correlation of the ranks, ties sharing the mean of theirs. Figures that do
    not vary are left out; so is everything where the claim does not.

    Parameters
    ----------
    rows : DataFrame
        Of `run_sets`, one claim's.
    told : str
        The column it is about: probability or estimate.
    """
    names = [str(name) for name in rows if str(name).startswith(_PREFIXES)]
    ranks = rows[[told, *names]].rank()
    ranks = ranks.loc[:, ranks.std() > 0]
    if told not in ranks:
        return ()
    found = ranks.corr()[told].drop(told)
    each = [Mover(str(name), float(value)) for name, value in found.items()]
    return tuple(sorted(each, key=lambda mover: (-abs(mover.correlation), mover.figure)))


def by_chance(sets: int, figures: int) -> float:
    """Return the size that the largest of `figures` rank correlations has by chance alone.

    One in twenty times, where nothing moves the claim: z / sqrt(sets - 1) with z shared out
    among the figures (Bonferroni). 1 where there are too few sets to say anything.
    """
    if sets < 3 or figures < 1:
        return 1.0
    z = float(special.ndtri(1.0 - (1.0 - CONFIDENCE) / (2.0 * figures)))
    return min(1.0, z / math.sqrt(sets - 1))
