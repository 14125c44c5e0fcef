"""JSON of files that anybody may have written, read only as deep as Python's own reader bears.

A library may have raised the limit of recursion beyond what the stack of a thread bears; a text
of some thousands of open brackets then ends the process, and no error is ever raised.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

MOST_OPEN = 500
"""Brackets that may be open at once, those in text included."""


def is_too_deep(text: str) -> bool:
    """Return whether more brackets of a text are open at once than are read."""
    steps = (1 if one in "[{" else -1 for one in re.findall(r"[][{}]", text))
    return max(accumulate(steps), default=0) > MOST_OPEN


def plain_json(text: str) -> Any:
    """Return what a text of JSON says.

    Raises
    ------
    ValueError
        It is no JSON, or has more than `MOST_OPEN` open brackets.
    """
    if is_too_deep(text):
        raise ValueError(f"more than {MOST_OPEN} open brackets")
    return json.loads(text)
