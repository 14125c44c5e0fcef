"""HTML as text: everything is escaped unless it was built here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: str) -> Html:
    """Return `value` escaped; markup stays as it is."""
    return value if isinstance(value, Html) else Html(html.escape(value, quote=True))


def join(parts: Iterable[str]) -> Html:
    """Return the parts one after the other, escaped where they are not markup."""
    return Html("".join(text(part) for part in parts))


def element(name: str, *children: str, **attributes: str) -> Html:
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

    A row of one cell heads the rows below it and spans the table.
    """

    cells: Sequence[str]
    class_: str = ""


def table(
    columns: Sequence[Column], rows: Iterable[Row], *, caption: str, class_: str = ""
) -> Html:
    """Return a table that scrolls sideways by itself where the page is too narrow.

    Cells carry their column's title, so that narrow pages can stack them (class `stack`).
    """
    head = element("tr", *(_heading(column) for column in columns))
    body = join(_row(columns, row) for row in rows)
    inner = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", body),
        class_=class_ or "plain",
    )
    return element(
        "div", inner, class_="scroll", tabindex="0", role="region", aria_label=_plain(caption)
    )


def _plain(caption: str) -> str:
    return html.unescape(caption) if isinstance(caption, Html) else caption


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
    return element("tr", *cells, **({"class_": row.class_} if row.class_ else {}))


def section(anchor: str, title: str, *children: str) -> Html:
    """Return a titled section that the page's contents can point to."""
    heading = element("h2", title, id=f"{anchor}-title")
    return element("section", heading, *children, id=anchor, aria_labelledby=f"{anchor}-title")
