"""What a page loads: the scripts it needs, and the rules that some page can use."""

import json
from pathlib import Path

import pytest

from coursebuild.assets import SCRIPT, is_needed
from coursebuild.web import node_modules, run_node

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("script", "body", "needed"),
    [
        ("_static/doctools.js", "", False),
        ("let toggleHintShow = 'Click to show';", "<p>", False),
        ("_static/togglebutton.js", '<div class="admonition dropdown">', True),
        ("_static/togglebutton.js", "<p>toggle it</p>", False),
        ("_static/design-tabs.js", '<div class="sd-tab-set">', True),
        ("_static/copybutton.js", "<pre>", True),
        ("_static/copybutton.js", "<p>", False),
        ("_static/web/page.js", "", True),
    ],
)
def test_a_script_is_loaded_where_the_page_has_what_it_is_for(script, body, needed):
    assert is_needed(script, body) == needed


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheet")
    (folder / "a.css").write_text(
        ".used { color: red } .unused { color: blue }\n"
        '@font-face { font-family: "Font Awesome"; src: url(a.woff2) }\n'
        '@font-face { font-family: "Serif Named"; src: url(b.woff2) }\n'
        "@font-face { font-family: Nowhere; src: url(c.woff2) }\n"
        ':root { --serif: "Serif Named", serif }\n'
        'html[data-theme="dark"] .used, .other { color: black }\n'
        'html[data-theme="light"] .used { color: white }\n',
        encoding="utf-8",
    )
    (folder / "page.html").write_text('<html data-theme="auto"><p class="used">', encoding="utf-8")
    (folder / "script.js").write_text(
        'html.dataset.theme = "dark" || "light"; element.classList.add("other")', encoding="utf-8"
    )
    files = {"styles": ["a.css"], "content": ["page.html", "script.js"]}
    asked = {key: [str(folder / name) for name in names] for key, names in files.items()}
    return run_node([str(SCRIPT)], ROOT, node_modules(ROOT), json.dumps(asked))


@pytest.mark.check
def test_the_style_sheet_has_what_pages_or_scripts_name(sheet):
    assert ".used{color:red}" in sheet and ".other" in sheet
    assert ".unused" not in sheet and "Font Awesome" not in sheet


@pytest.mark.check
def test_a_font_stays_where_a_rule_names_it(sheet):
    assert sheet.count("@font-face") == 1 and "url(b.woff2)" in sheet


@pytest.mark.check
def test_without_a_script_the_page_follows_the_system_and_on_paper_it_is_light(sheet):
    dark = "{color:#000}}"
    assert f"@media screen{{html[data-theme=dark] .used{dark}" in sheet
    system = "@media screen and (prefers-color-scheme:dark)"
    assert f"{system}{{html[data-theme=auto] .used{dark}" in sheet
    assert "@media print{html[data-theme] .used{color:#fff}}" in sheet
    assert sheet.count("print") == 1
