"""Prose that the code can contradict is held to it."""

import re
from pathlib import Path

from simulator.instruments.stage import Phase

DOCS = Path(__file__).parents[2] / "docs"


def test_mechanics__order_within_a_step__is_the_codes():
    text = (DOCS / "mechanics.md").read_text(encoding="utf-8")
    section = text[text.index("## Order within a step") : text.index("## Lending market")]
    named = re.findall(r"^(\d+)\. (\w+)", section, re.MULTILINE)
    assert [int(number) for number, _ in named] == list(range(1, len(Phase) + 1))
    assert [word.upper() for _, word in named] == [phase.name for phase in Phase]
