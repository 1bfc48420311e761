"""The site's fonts: small, of the letters and weights that are used, there from a disk, too."""

import json
from pathlib import Path

import pytest

from coursebuild.fonts import cut_fonts, faces, first_fonts, letters_of, one_weight_each, swapped
from coursebuild.web import make_scripts, node_modules, run_node

ROOT = Path(__file__).parents[1]
SHEET = (
    '@font-face{font-family:A;src:url(web/a.woff2) format("woff2");font-weight:400 700;'
    "font-display:optional}p{color:red}"
    '@font-face{font-family:B;src:url("web/b.woff2");font-weight:400;font-display:optional}'
    "@font-face{font-family:C;src:local(C)}"
)
TABLES = """
const { readFileSync } = require("fs");
const { convert } = require("fontverter");
const names = JSON.parse(readFileSync(0, "utf8"));
async function main() {
  const found = [];
  for (const name of names) {
    const font = await convert(readFileSync(name), "truetype");
    const count = font.readUInt16BE(4);
    const starts = [...Array(count).keys()].map((i) => 12 + 16 * i);
    const tags = starts.map((start) => font.toString("latin1", start, start + 4));
    const maxp = font.readUInt32BE(starts[tags.indexOf("maxp")] + 8);
    found.push({ tags, glyphs: font.readUInt16BE(maxp + 4) });
  }
  process.stdout.write(JSON.stringify(found));
}
main();
"""


def tables(tmp_path, *files):
    """The tables and the number of glyphs of each font."""
    script = tmp_path / "tables.cjs"
    script.write_text(TABLES, "utf-8")
    names = json.dumps([str(file) for file in files])
    return json.loads(run_node([str(script)], tmp_path, node_modules(ROOT), names))


def test_faces_with_a_file_say_their_weights():
    assert [(f.file, f.lightest, f.heaviest) for f in faces(SHEET)] == [
        ("web/a.woff2", 400, 700),
        ("web/b.woff2", 400, 400),
    ]


def test_from_a_disk_each_face_comes_when_it_comes():
    late = swapped(SHEET)
    assert late.count("font-display:swap") == 2 and "optional" not in late
    assert "color" not in late


def test_what_one_sees_first_is_the_first_face_of_each_family():
    italic = SHEET.replace("a.woff2", "italic.woff2")
    assert first_fonts(SHEET + italic) == ["web/a.woff2", "web/b.woff2"]
    assert first_fonts(SHEET.replace("optional", "block")) == []


def test_letters_are_those_that_a_page_shows():
    letters = letters_of(["<p>τ &le; ½</p>"])
    assert set("τ≤½~ A") <= set(letters) and "π" not in letters


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The fonts as they came, and the style that names them."""
    folder = tmp_path_factory.mktemp("whole")
    make_scripts(ROOT, folder / "web")
    return folder, (folder / "web" / "look.css").read_text("utf-8")


@pytest.mark.check
def test_a_font_is_cut_to_letters_and_weights_and_keeps_its_shapes(whole, tmp_path):
    folder, sheet = whole
    (tmp_path / "web").mkdir()
    cut_fonts(ROOT, sheet, folder, tmp_path, letters_of(["τ"]))
    files = [face.file for face in faces(sheet)]
    assert len(files) == 4
    before, after = (sum((at / f).stat().st_size for f in files) for at in (folder, tmp_path))
    assert after < before / 2
    for found in tables(tmp_path, *(tmp_path / file for file in files)):
        assert found["glyphs"] < 150


@pytest.mark.check
def test_on_paper_each_weight_is_a_font_of_its_own(whole, tmp_path):
    folder, sheet = whole
    style = one_weight_each(ROOT, sheet, folder, tmp_path, letters_of([]))
    made = sorted(tmp_path.glob("*.woff2"))
    assert [face.lightest for face in faces(style)].count(600) >= 3
    assert all(face.lightest == face.heaviest for face in faces(style))
    assert len(made) >= 6 and all("fvar" not in found["tags"] for found in tables(tmp_path, *made))
