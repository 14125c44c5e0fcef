"""Write docs/reference/fields.md: every field of a scenario, from the models' own texts.

Beside it, for the shell's completion, simulator/cli/fields.txt: the names alone.

python scripts/build_reference.py            write both
python scripts/build_reference.py --check    say whether they are as the models are
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from simulator.instruments.registry import BUILT_IN, cards
from simulator.scenario.reference import Field, all_fields

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "fields.md"
NAMES = ROOT / "simulator" / "cli" / "fields.txt"
_OPEN = re.compile(r"\[\]|\.NAME\b|\.KIND\b")
HEAD = """# Fields of a scenario

Made by `python scripts/build_reference.py` from the texts beneath the fields in the code;
`assay explain FIELD` says the same, and which scenarios and claims use it. What a file chooses
stands in capitals. A field without a default must be said. A number may stand alone or with its
origin ([how](../scenarios.md#figures-and-their-origin))."""
TABLE = "| field | what | must be | default |\n|---|---|---|---|"


def page() -> str:
    """Return the page as it is right."""
    parts = [HEAD]
    for section, fields in all_fields().items():
        if _is_own(section) and fields:
            parts.append("\n".join(_section(section, fields)))
    return "\n\n".join(parts) + "\n"


def names() -> str:
    """Return the names of what `--set` can reach, a line each.

    Items of lists and what has any name are left out.
    """
    found = (
        field.name
        for section, fields in all_fields().items()
        if _is_own(section)
        for field in fields
        if field.rule != "a group" and not _OPEN.search(field.name)
    )
    return "".join(f"{name}\n" for name in found)


def _is_own(section: str) -> bool:
    """Return whether a section is Assay's: an installed package's products are not."""
    kind = section.partition(".")[2]
    return not kind or cards()[kind].terms.__module__.startswith(tuple(BUILT_IN))


def _section(section: str, fields: Sequence[Field]) -> Iterator[str]:
    kind = section.partition(".")[2]
    yield f"## {f'{kind}' if kind else section}"
    if kind:
        yield f"{cards()[kind].about[:1].upper()}{cards()[kind].about[1:]}."
        yield ""
    yield TABLE
    head = f"{section}."
    for field in fields:
        default = f"`{field.default}`" if field.default else ""
        name = field.name.removeprefix(head)
        yield f"| `{name}` | {_cell(field.words)} | {_cell(field.rule)} | {default} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write both, or compare them."""
    for path, text in ((PAGE, page()), (NAMES, names())):
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.name} is not as the models are: python scripts/build_reference.py")


if __name__ == "__main__":
    main()
