"""What is played at the desk on one path: all that rooms have cast for portfolios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.instruments.custody import Custody, DeskAccount
from simulator.units import FloatArray


@dataclass(frozen=True)
class DeskPlan:
    """What is played at the desk on one path.

    Attributes
    ----------
    accounts : tuple of DeskAccount
    custodies : dict of str to Custody
        How each token is kept, by its position's name.
    notes : tuple of str
        What of the portfolios is not played, and why.
    usdc : ndarray of shape (n_steps + 1,), dollars, or None
        Price of the USDC that all is paid in; None for one dollar on every day.
    """

    accounts: tuple[DeskAccount, ...]
    custodies: Mapping[str, Custody]
    notes: tuple[str, ...]
    usdc: FloatArray | None = None
