"""When a stored output is true, and what is said when it is not."""

import nbformat
import pytest

from coursebuild.execution import Run
from coursebuild.outputs import Outputs, difference

INPUTS = {"Python": "3", "constraints.txt": "1", "code/lab/figures.py": "2", "code/lab/low.py": "3"}


@pytest.fixture
def outputs(tmp_path):
    """A store in which one page has run and has drawn one figure."""
    (tmp_path / "figures").mkdir()
    outputs = Outputs(tmp_path / "cache", tmp_path / "figures")
    keep(outputs, a_run(), "five.png")
    return outputs


def a_run(code="print(6 * 7)", name="book/05.md", **inputs):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    return Run(name, None, notebook, INPUTS | inputs)


def keep(outputs, run, *figures):
    folder = outputs.place_for_figures(run)
    for name in figures:
        (folder / name).touch()
    outputs.keep(run)


def again(outputs, tmp_path):
    """The same store, as the next build opens it."""
    return Outputs(tmp_path / "cache", tmp_path / "figures")


def test_a_page_that_ran_and_rests_on_the_same_runs_no_more(outputs, tmp_path):
    assert again(outputs, tmp_path).reason(a_run()) == ""


def test_a_page_that_is_not_stored_never_ran(outputs):
    assert outputs.reason(a_run(name="book/06.md")) == "never ran"


def test_other_cells_run_again(outputs):
    assert outputs.reason(a_run("print(42)")) == "its cells changed"


def test_what_changed_is_named(outputs):
    run = a_run(**{"code/lab/figures.py": "changed"})
    assert outputs.reason(run) == "lab/figures.py changed"


def test_a_lost_figure_is_made_again(outputs, tmp_path):
    (tmp_path / "figures" / "five.png").unlink()
    assert outputs.reason(a_run()) == "its figure five.png is gone"


def test_lost_outputs_are_made_again(outputs, tmp_path):
    (tmp_path / "cache" / "global.db").unlink()
    assert again(outputs, tmp_path).reason(a_run()) == "its outputs are gone"


def test_outputs_without_a_record_are_not_trusted(outputs, tmp_path):
    (tmp_path / "cache" / "pages.json").unlink()
    assert again(outputs, tmp_path).reason(a_run()) == "never ran"
    assert not (tmp_path / "cache" / "executed").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"constraints.txt": "x", "code/lab/low.py": "x"}, "the pins changed"),
        ({"Python": "x", "constraints.txt": "x"}, "another Python runs it"),
        ({"code/lab/new.py": "x", "code/lab/low.py": "x"}, "lab/low.py and lab/new.py changed"),
        (
            {f"code/lab/{letter}.py": "x" for letter in "abcde"},
            "lab/a.py and lab/b.py and 3 more changed",
        ),
    ],
)
def test_a_line_says_what_changed(changes, words):
    assert difference(INPUTS, INPUTS | changes) == words


def test_an_input_that_is_gone_is_a_change():
    fewer = {name: value for name, value in INPUTS.items() if "low" not in name}
    assert difference(INPUTS, fewer) == "lab/low.py changed"


def test_what_no_build_will_use_again_is_cleared_away(outputs, tmp_path):
    keep(outputs, a_run("print(7 * 6)"), "new.png")  # the page was edited
    keep(outputs, a_run("1", "book/gone.md"), "gone.png")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "05.md").touch()
    outputs.clear(tmp_path)
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["new.png"]
    assert len(list((tmp_path / "cache" / "executed").iterdir())) == 1
    assert outputs.reason(a_run("print(7 * 6)")) == ""
    assert outputs.reason(a_run("1", "book/gone.md")) == "never ran"
