"""A chapter's way into the laboratory: where the line stands, and that what it opens is there."""

import json
import subprocess
import sys
from urllib.parse import parse_qs

import pytest
import yaml
from bs4 import BeautifulSoup
from test_touch import in_node
from test_web import ROOT

from coursebuild.web import web_folder

CONF = """
extensions = ["myst_parser", "coursebuild.quizzes", "coursebuild.leads"]
html_theme = "basic"
"""
PAGE = """---
laboratory:
  promises: each pair in one block
  shows: see=pairs&measure=MI
---

# A chapter

Its head.

## Words

Some.

## Check yourself

```{quiz}
How much?
= 3 ± 1 :: So.
```
"""


def build(folder, page):
    """Build a site of a chapter and a laboratory; returns what Sphinx complained of."""
    book = folder / "src" / "book"
    book.mkdir(parents=True)
    (folder / "src" / "conf.py").write_text(CONF, "utf-8")
    (folder / "src" / "index.md").write_text(
        "# All\n\n```{toctree}\n:glob:\nbook/*\n```\n", "utf-8"
    )
    (book / "laboratory.md").write_text("# The laboratory\n", "utf-8")
    (book / "one.md").write_text(page, "utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", folder / "src", folder / "out"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_the_line_stands_before_the_questions_and_opens_what_it_promises(tmp_path):
    assert build(tmp_path, PAGE) == ""
    html = (tmp_path / "out" / "book" / "one.html").read_text("utf-8")
    line = BeautifulSoup(html, "html.parser").select_one("p.course-laboratory")
    assert line.get_text() == "Touch it in the laboratory: each pair in one block."
    assert line.a["href"] == "laboratory.html#see=pairs&measure=MI"
    assert line.find_parent("section").h2.get_text().startswith("Words")


@pytest.mark.parametrize("part", ["promises", "shows"])
def test_half_a_line_is_none(tmp_path, part):
    lines = [line for line in PAGE.splitlines() if not line.startswith(f"  {part}")]
    assert "needs promises and shows" in build(tmp_path, "\n".join(lines))


def leads():
    """What chapters ask the laboratory to show."""
    for path in sorted((ROOT / "book").glob("*.md")):
        _, *head = path.read_text("utf-8").split("---\n", 2)
        asked = yaml.safe_load(head[0]).get("laboratory") if len(head) == 2 else None
        if asked:
            yield pytest.param(asked["shows"], id=path.stem)


@pytest.fixture(scope="module")
def offered():
    """Each field of the laboratory with the values it can take, and the parts of its page."""
    module = json.dumps((web_folder(ROOT) / "lab" / "view.js").as_uri())
    view = in_node(f"import {{ VIEW }} from {module}; console.log(VIEW);")
    soup = BeautifulSoup(view, "html.parser")
    fields = {}
    for field in soup.select("[name]"):
        values = [option.get("value", option.get_text()) for option in field.select("option")]
        fields.setdefault(field["name"], set()).update(values or [field.get("value")])
    return fields, {heading["id"].removeprefix("lab-") for heading in soup.select("h2")}


@pytest.mark.parametrize("shows", list(leads()))
def test_what_a_chapter_asks_for_is_what_the_laboratory_offers(offered, shows):
    fields, parts = offered
    asked = parse_qs(shows, strict_parsing=True)
    assert asked.pop("see")[0] in parts
    for name, (value,) in asked.items():
        one = {value} if name != "controls" else set(value.split())
        is_free = fields[name] == {None}  # a number
        assert value.isdigit() if is_free else one <= fields[name], (name, value)


def test_many_chapters_lead_there():
    assert len(list(leads())) > 7
