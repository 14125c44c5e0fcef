"""Markup escapes what it did not build itself."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from simulator.report.markup import Column, Html, Row, element, fold, join, table


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


def test_table__as_csv__has_plain_numbers_and_text_as_it_reads():
    rows = [Row((Html("a<wbr>b <i>x</i>"), "\u22121,234.5\u00a0%")), Row(('say "no", twice', "7"))]
    shown = table((Column("who", numeric=False), Column("gain")), rows, caption="The <b>")
    (link,) = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', shown)
    assert unquote(link) == 'who,gain\r\nab x,-1234.5 %\r\n"say ""no"", twice",7\r\n'
    assert 'download="the-b.csv"' in shown


def test_fold__is_closed_and_its_anchor_lies_inside():
    shown = fold("a", "Title", "words")
    assert shown.index("<details><summary>") < shown.index('id="a"') < shown.index("words")
