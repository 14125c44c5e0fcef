"""Markup escapes what it did not build itself."""

from __future__ import annotations

import pytest

from simulator.report.markup import Column, Html, Row, element, join, table


def test_element__text_with_markup__is_escaped():
    assert element("p", "<script>&") == "<p>&lt;script&gt;&amp;</p>"


def test_element__markup__is_kept():
    assert element("p", element("b", "x")) == "<p><b>x</b></p>"


def test_element__attribute_with_quote__cannot_break_out():
    shown = element("i", title='" onclick="x', class_="a", aria_label="b")
    assert shown == '<i title="&quot; onclick=&quot;x" class="a" aria-label="b"></i>'


def test_join__mixed_parts__escapes_only_text():
    assert join(("<", Html("<br>"))) == "&lt;<br>"


def test_table__row_of_one_cell__spans_the_table():
    shown = table((Column("a"), Column("b")), [Row(("group",))], caption="c")
    assert '<th scope="rowgroup" colspan="2">group</th>' in shown


def test_table__row_with_too_few_cells__is_refused():
    with pytest.raises(ValueError, match="zip"):
        table((Column("a"), Column("b"), Column("c")), [Row(("1", "2"))], caption="c")
