"""Prose that the code can contradict is held to it."""

import re
from pathlib import Path

from simulator.instruments.stage import Phase

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_mechanics__order_within_a_step__is_the_codes():
    text = (DOCS / "mechanics.md").read_text(encoding="utf-8")
    section = text[text.index("## Order within a step") : text.index("## Lending market")]
    named = re.findall(r"^(\d+)\. (\w+)", section, re.MULTILINE)
    assert [int(number) for number, _ in named] == list(range(1, len(Phase) + 1))
    assert [word.upper() for _, word in named] == [phase.name for phase in Phase]


def test_departures__every_message_of_a_refusal__is_one_of_the_contracts():
    text = (DOCS / "departures.md").read_text(encoding="utf-8")
    section = text[text.index("## What a contract refuses") :]
    named = set(re.findall(r"`([a-z_0-9]+): ([^`]+)`", section))
    sources = {path.stem: path.read_text() for path in (ROOT / "contracts").rglob("*.vy")}
    own = {(contract, reason) for contract, reason in named if contract in sources}
    assert len(own) > 60
    missing = [f"{name}: {why}" for name, why in own if f'"{name}: {why}"' not in sources[name]]
    assert missing == []
    # The others are of the modules that the tokens are built on.
    assert {contract for contract, _ in named - own} == {"erc20", "ecdsa"}
