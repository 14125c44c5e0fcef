"""Packages that only a calibration needs."""

from __future__ import annotations

import importlib
from typing import Any

from simulator.errors import UsageError


def statsmodels(module: str) -> Any:
    """Return `statsmodels.<module>`.

    Raises
    ------
    UsageError
        The package is not installed.
    """
    try:
        return importlib.import_module(f"statsmodels.{module}")
    except ImportError:
        message = 'calibration needs the package statsmodels: pip install "assay-sim[calibrate]"'
        raise UsageError(message) from None
