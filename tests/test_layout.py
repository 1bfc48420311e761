"""Long lines and wide tables: what is added to them leaves what they say as it was."""

from html import escape

import pytest
from bs4 import BeautifulSoup

from coursebuild.layout import FITS, lay_out

LONG = "x" * FITS + "y"
TABLE = (
    '<table class="table"><thead><tr><th class="head"><p>{name}</p></th><th>value</th></tr></thead>'
    "<tbody><tr><th>first</th><td>{text}</td></tr><tr><td>second</td><td><p></p></td></tr></tbody>"
    "</table>"
)


def parse(html):
    return BeautifulSoup(lay_out(html), "html.parser")


def test_short_lines_and_what_is_no_code_stay_as_they_are():
    html = f"<p>{LONG}</p><pre><span></span>{'x' * FITS}\nshort\n</pre>"
    assert lay_out(html) == html


def test_a_long_line_can_break_and_the_block_knows_how_long_it_is():
    page = parse(f'<pre><span></span>short\n<span class="n">{LONG}</span> = 1\n</pre>')
    assert [line.text for line in page.find_all(class_="fold")] == [f"{LONG} = 1"]
    assert page.pre["style"] == f"--longest:{FITS + 5}"


def test_what_is_read_and_copied_stays_the_same():
    html = f"<pre><span></span>a &lt; b {LONG}\n\n    {LONG}\n</pre>"
    assert parse(html).text == BeautifulSoup(html, "html.parser").text


def test_lines_of_a_printed_table_break_between_the_same_columns():
    head = "name      tau  Kendall p   Mantel p  blocks"
    row = "L1&L2    0.47    6.2e-06   < 0.0003  3 of 12"
    text = "\n".join(["A title over the table", head, row])
    page = parse(f"<pre><span></span>{escape(text)}</pre>")
    assert page.text == text
    lines = [[part.text for part in line("span")] for line in page.find_all(class_="fold")]
    assert lines[0] == ["name     ", " tau  ", "Kendall p   ", "Mantel p  ", "blocks"]
    assert lines[1] == ["L1&L2    ", "0.47  ", "  6.2e-06   ", "< 0.0003  ", "3 of 12"]


def test_lines_without_columns_in_common_break_at_any_word():
    assert "column" not in lay_out(f"<pre>{'a word ' * 9}\n{'some others ' * 9}</pre>")


def test_characters_are_counted_and_not_what_writes_them():
    assert "fold" not in lay_out(f"<pre><b>{'&lt;' * FITS}</b></pre>")
    assert "fold" in lay_out(f"<pre><b>{'&lt;' * FITS}</b>x</pre>")


def test_cells_of_a_wide_table_carry_the_names_of_their_columns():
    table = parse(TABLE.format(name="what", text="word " * 60)).table
    assert table["class"] == ["table", "stack-46"]
    cells = table.find_all("td")
    assert [cell.get("data-label") for cell in cells] == ["value", "what", None]
    assert cells[2].decode() == "<td></td>", "an empty cell is left out where the table stacks"


def test_a_name_with_quotes_stays_one_attribute():
    table = parse(TABLE.format(name='the "what" & why', text="word " * 30)).table
    assert table.find_all("td")[1]["data-label"] == 'the "what" & why'


@pytest.mark.parametrize(
    "html",
    [
        TABLE.format(name="what", text="word"),
        '<table class="table"><tbody><tr><td>no head, and ' + LONG + "</td></tr></tbody></table>",
        TABLE.format(name="what", text=LONG).replace("<td>second", '<td colspan="2">x</td><td>'),
    ],
    ids=["narrow", "no names", "cells of several columns"],
)
def test_other_tables_are_left_alone(html):
    assert lay_out(html) == html


@pytest.mark.parametrize(("printed", "is_right"), [("✓ So.", 1), ("1 ✓", 0), ("✗ No.", 0)])
def test_what_a_passed_check_says_has_a_class(printed, is_right):
    html = '<div class="cell_output docutils">\n<div class="output"><div><pre><span></span>'
    page = parse(f"{html}{printed}\n</pre></div></div></div>")
    assert page.div["class"].count("right") == is_right
