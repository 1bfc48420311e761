"""Formulas drawn when the site is built."""

import json
from pathlib import Path

import pytest
from docutils import nodes

from coursebuild.formulas import draw, keep, kept, key_of

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("tex", "drawn"),
    [
        ("x", "x"),
        (" x\n", "x"),
        ("x \\\\ y", "\\begin{aligned}x \\\\ y\\end{aligned}"),
        ("x\n\ny", "\\begin{aligned}x\\\\y\\end{aligned}"),
        ("\\begin{cases} x \\\\ y \\end{cases}", "\\begin{cases} x \\\\ y \\end{cases}"),
    ],
)
def test_lines_and_paragraphs_become_one_formula(tex, drawn):
    assert key_of(nodes.math_block("", tex)) == (drawn, True)
    assert key_of(nodes.math("", tex)) == (tex, False)


def test_what_was_drawn_is_kept_for_one_version(tmp_path):
    store = tmp_path / "formulas.json"
    assert kept(store, "1") == {}
    keep(store, "1", {("x", True): "<b>x</b>"})
    assert kept(store, "1") == {("x", True): "<b>x</b>"}
    assert kept(store, "2") == {}
    assert json.loads(store.read_text("utf-8"))


@pytest.mark.check
def test_katex_draws_for_eye_and_ear_and_says_what_it_cannot_read():
    good, root, bad = draw(ROOT, [("x^2", False), (r"\sqrt{x}", True), (r"\frac{x", False)])
    assert 'class="katex"' in good["html"] and "<math" in good["html"]
    assert not any(name in good["html"] + root["html"] for name in ("annotation", "semantics"))
    assert "katex-display" in root["html"]
    assert '<svg aria-hidden="true"' in root["html"] and "<svg xmlns" not in root["html"]
    assert "error" in bad and "html" not in bad
