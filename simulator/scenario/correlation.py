"""Correlation matrices that contradict themselves, and the nearest ones that do not."""

from __future__ import annotations

import numpy as np

from simulator.units import FloatArray

_ROUNDS = 500
_MARGIN = 2e-3
"""Smallest eigenvalue of what is offered: it survives rounding to three digits."""


def nearest_correlation(matrix: FloatArray) -> FloatArray:
    """Return the correlation matrix nearest to a symmetric one, in the sum of squares.

    Alternating projections (Higham 2002) onto matrices whose eigenvalues are at least
    `_MARGIN` and onto those of unit diagonal, with Dykstra's correction.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)

    Returns
    -------
    ndarray of shape (n, n)

    References
    ----------
    Higham (2002), https://doi.org/10.1093/imanum/22.3.329
    """
    found: FloatArray = matrix.copy()
    correction = np.zeros_like(matrix)
    for _ in range(_ROUNDS):
        shifted = found - correction
        values, vectors = np.linalg.eigh(shifted)
        positive: FloatArray = (vectors * np.maximum(values, _MARGIN)) @ vectors.T
        correction = positive - shifted
        found = (positive + positive.T) / 2
        np.fill_diagonal(found, 1.0)
        if np.abs(found - positive).max() < 1e-9:
            break
    return found


def changed_pairs(names: tuple[str, ...], matrix: FloatArray, nearest: FloatArray) -> str:
    """Return the pairs that differ, as `gold-silver 0.71, gold-copper 0.4`.

    Both matrices are of shape (n, n).
    """
    pairs = [
        f"{names[i]}-{names[j]} {nearest[i, j]:.3g}"
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(nearest[i, j] - matrix[i, j]) >= 5e-4
    ]
    return ", ".join(pairs)
