"""HTML as text: everything is escaped unless it was built here."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from simulator.words import plain

_FILE_NAME = 40
"""Letters of a table's title in the name of its file."""


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: str) -> Html:
    """Return `value` escaped; markup stays as it is."""
    return value if isinstance(value, Html) else Html(html.escape(value, quote=True))


def join(parts: Iterable[str]) -> Html:
    """Return the parts one after the other, escaped where they are not markup."""
    return Html("".join(text(part) for part in parts))


def element(name: str, /, *children: str, **attributes: str) -> Html:
    """Return `<name attributes>children</name>`.

    A trailing underscore of an attribute is dropped, others become hyphens: `class_`,
    `aria_label`. Values and children are escaped.
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value, quote=True)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{pairs}>{join(children)}</{name}>")


@dataclass(frozen=True)
class Column:
    """A table's column; numbers stand to the right."""

    title: str
    numeric: bool = True


@dataclass(frozen=True)
class Row:
    """A table's row: its cells, the first of which is its heading, and a CSS class.

    A row of one cell heads the rows below it and spans the table. `find` is what the page's
    search finds it by.
    """

    cells: Sequence[str]
    class_: str = ""
    find: str = ""


def table(
    columns: Sequence[Column], rows: Iterable[Row], *, caption: str, class_: str = ""
) -> Html:
    """Return a table that scrolls sideways by itself where the page is too narrow.

    Cells carry their column's title, so that narrow pages can stack them (class `stack`). Beside
    the caption a link saves the table as a CSV file, which needs no script.
    """
    found = list(rows)
    head = element("tr", *(_heading(column) for column in columns))
    body = join(_row(columns, row) for row in found)
    inner = element(
        "table",
        element("caption", caption, " ", _csv_link(columns, found, _plain(caption))),
        element("thead", head),
        element("tbody", body),
        class_=class_ or "plain",
    )
    return element(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=_plain(caption)
    )


def _plain(words: str) -> str:
    """Return markup as text; where a word may break is no break, another tag is a space."""
    if not isinstance(words, Html):
        return words
    return html.unescape(re.sub(r"<[^>]*>", " ", words.replace("<wbr>", "")))


def _csv_link(columns: Sequence[Column], rows: Sequence[Row], caption: str) -> Html:
    """Return a link that holds the table: one line a row, numbers without thousands separators."""
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\r\n").writerow
    write([column.title for column in columns])
    for row in rows:
        write(
            [_value(cell, column) for cell, column in zip(row.cells, columns, strict=False)],
        )
    name = re.sub(r"[^a-z0-9]+", "-", caption.lower())[:_FILE_NAME].strip("-") or "table"
    return element(
        "a",
        "CSV",
        class_="csv",
        download=f"{name}.csv",
        href=f"data:text/csv;charset=utf-8,{quote(text.getvalue())}",
        aria_label=f"Save as CSV: {caption}",
    )


def _value(cell: str, column: Column) -> str:
    words = " ".join(plain(_plain(cell)).split())
    return words.replace(",", "") if column.numeric else words


def _heading(column: Column) -> Html:
    return element("th", column.title, scope="col", class_="number" if column.numeric else "word")


def _row(columns: Sequence[Column], row: Row) -> Html:
    first, *others = row.cells
    if not others:
        head = element("th", first, scope="rowgroup", colspan=str(len(columns)))
        return element("tr", head, class_="group")
    cells = [element("th", first, scope="row")]
    for column, cell in zip(columns[1:], others, strict=True):
        kind = "number" if column.numeric else "word"
        cells.append(element("td", cell, class_=kind, data_label=column.title))
    given = {"class_": row.class_, "data_claim": row.find}
    return element("tr", *cells, **{name: words for name, words in given.items() if words})


def verdict_word(word: str) -> Html:
    """Return a verdict's word on its colour."""
    return element("strong", word, class_=f"verdict {word.replace(' ', '-')}")


def section(anchor: str, title: str, *children: str) -> Html:
    """Return a titled section that the page's contents can point to."""
    heading = element("h2", title, id=f"{anchor}-title")
    return element("section", heading, *children, id=anchor, aria_labelledby=f"{anchor}-title")


def fold(anchor: str, title: str, *children: str) -> Html:
    """Return a titled section that is closed until somebody opens it.

    The anchor lies inside, so that a link to it opens the section without a script too.
    """
    summary = element("summary", element("h2", title, id=f"{anchor}-title"))
    inside = element("div", *children, id=anchor, class_="inside")
    folded = element("details", summary, inside)
    return element("section", folded, class_="fold", aria_labelledby=f"{anchor}-title")


def contents(links: Iterable[tuple[str, str]], *tools: str) -> Html:
    """Return the bar of a page's contents: anchors with their words, and what stands behind."""
    found = (element("a", words, href=f"#{anchor}") for anchor, words in links)
    return element("nav", element("div", *found, class_="links"), *tools, aria_label="Contents")
