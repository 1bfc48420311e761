"""Exercise notebooks: what is left of a solution, and which solutions are refused."""

import json
import subprocess
import sys

import jupytext
import nbformat
import pytest

from coursebuild.notebooks import (
    PROMPT,
    NotebookError,
    answer_texts,
    as_text,
    count_blanks,
    exercise_notebook,
    main,
    make_exercises,
    read_solution,
    solution_notebook,
    solution_page,
    write,
)

HEAD = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
    jupytext_version: 1.2.3
kernelspec:
  display_name: Python 3
  language: python
  name: python3
language_info:
  name: python
myst:
  html_meta:
    "description lang=en": "A small exercise."
---
"""
BODY = """
# Exercise 1: Sums – and Greek μ

Read [the chapter](../book/01-minkowski.md) first; then $x^2$ and `{not a role}`.

```{code-cell} ipython3
import numpy as np

values = np.arange(6.0)
```

## By hand

```{code-cell} ipython3
:step: by-hand

total = values.sum() + 0  # blank: values.sum()  # blank: 0
mean = total / len(values)  # blank: len(values)
```

A word in between.

```{code-cell} ipython3
:step: by-hand

def spread(values):
    # blank begin: the mean square of the distance from the mean
    centred = values - values.mean()
    return (centred**2).mean()
    # blank end

high = values.max()  # shape ()  # blank: values.max()
```

```{code-cell} ipython3
:step: by-hand
:tags: [check]

assert total == 15 and mean == 2.5 and spread(values) > 0
```

+++ {"tags": ["solution-only"]}

```{note}
The {term}`mean` gives it away: values.sum() / 6.
```

## Indices

```{code-cell} ipython3
---
step: indices
tags: [hide-output]
---
first = values[0]  # blank: values[0]
last = values[-1]  # blank: values[-1]
both = first + last  # blank: first + last
```

```{code-cell} ipython3
:step: indices
:tags: [check]

assert both == 5
```

+++ {"tags": ["exercise-only"]}

Take your time.

+++ {"tags": ["answer"], "step": "closing"}

Because it is so.
"""
TEXT = HEAD + BODY


@pytest.fixture
def solution(tmp_path):
    """Writes a solution's text into a file of its own, and returns the path."""

    def put(text=TEXT, name="01-sums"):
        path = tmp_path / "solutions" / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put


def sources(notebook) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells)


def cells(notebook) -> dict:
    return {cell.id: cell for cell in notebook.cells}


# The exercise --------------------------------------------------------------------------------


def test_exercise_has_blanks_where_the_solution_has_answers(solution):
    exercise = cells(exercise_notebook(solution()))
    assert exercise["by-hand"].source == "total = ____ + ____\nmean = total / ____"
    assert exercise["by-hand-2"].source == (
        "def spread(values):\n    ____  # the mean square of the distance from the mean\n\n"
        "high = ____  # shape ()"
    )
    assert exercise["indices"].source == "first = ____\nlast = ____\nboth = ____"
    assert exercise["by-hand-check"].source.startswith("assert total == 15")
    assert exercise["closing"].source == PROMPT
    assert count_blanks(read_solution(solution())) == {"by-hand": 5, "indices": 3}


def test_exercise_and_solution_have_the_cells_that_are_theirs(solution):
    exercise, answered = exercise_notebook(solution()), solution_notebook(solution())
    assert "gives it away" not in sources(exercise) and "gives it away" in sources(answered)
    assert "Take your time." in sources(exercise) and "Take your time." not in sources(answered)
    assert "Because it is so." not in sources(exercise) and "Because" in sources(answered)
    assert "[the chapter](../book/01-minkowski.md)" in sources(exercise)


def test_solution_runs_without_marks(solution):
    notebook = solution_notebook(solution())
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert "blank" not in "\n".join(code)
    exec("\n".join(code), {})


def test_exercise_parses_and_stops_at_its_first_blank(solution):
    code = [cell.source for cell in exercise_notebook(solution()).cells if cell.cell_type == "code"]
    for source in code:
        compile(source, "cell", "exec")
    with pytest.raises(NameError, match="'____'"):
        exec("\n".join(code), {})


def test_metadata_of_nbgrader(solution):
    for notebook in (exercise_notebook(solution()), solution_notebook(solution())):
        grading = {
            cell.id: cell.metadata.nbgrader
            for cell in notebook.cells
            if "nbgrader" in cell.metadata
        }
        assert list(grading) == [
            *("by-hand", "by-hand-2", "by-hand-check"),
            *("indices", "indices-check", "closing"),
        ]
        filled = {"grade": False, "solution": True, "locked": False, "task": False}
        check = {"grade": True, "solution": False, "locked": True, "task": False, "points": 1}
        words = {"grade": True, "solution": True, "locked": False, "task": False, "points": 1}
        common = {"schema_version": 3, "cell_type": "code"}
        assert grading["by-hand-2"] == common | filled | {"grade_id": "by-hand-2"}
        assert grading["indices-check"] == common | check | {"grade_id": "indices-check"}
        assert grading["closing"] == common | words | {
            "grade_id": "closing",
            "cell_type": "markdown",
        }


def test_notebook_metadata_has_nothing_of_a_version(solution):
    for notebook in (exercise_notebook(solution()), solution_notebook(solution())):
        assert notebook.metadata == {
            "kernelspec": {"display_name": "Python 3", "name": "python3"},
            "language_info": {"name": "python"},
            "myst": {"html_meta": {"description lang=en": "A small exercise."}},
        }
        assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


def test_options_of_cells_are_kept(solution):
    exercise = cells(exercise_notebook(solution()))
    assert exercise["indices"].metadata.tags == ["hide-output"]
    assert exercise["indices"].metadata.step == "indices"
    assert exercise["by-hand-check"].metadata.tags == ["check"]


def test_same_bytes_every_time(solution, tmp_path):
    path = tmp_path / "exercises" / "01-sums.ipynb"
    assert write(exercise_notebook(solution()), path)
    content = path.read_bytes()
    assert not write(exercise_notebook(solution()), path)
    assert path.read_bytes() == content == as_text(exercise_notebook(solution())).encode()
    assert content.endswith(b"}\n") and content.startswith(b'{\n "cells": [\n  {\n')
    assert "Greek μ" in content.decode("utf-8")
    loaded = nbformat.read(path, as_version=4)
    nbformat.validate(loaded)
    code = [cell for cell in loaded.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_same_bytes_in_another_process(solution):
    command = (
        "import sys; from coursebuild.notebooks import as_text, exercise_notebook\n"
        "sys.stdout.buffer.write(as_text(exercise_notebook(sys.argv[1])).encode())"
    )
    path = solution()
    result = subprocess.run([sys.executable, "-c", command, path], capture_output=True, check=True)
    assert result.stdout.decode("utf-8") == as_text(exercise_notebook(path))


def test_ids_stay_when_another_cell_is_edited(solution):
    before = [cell.id for cell in exercise_notebook(solution()).cells]
    edited = TEXT.replace("A word in between.", "Other words.\n\n+++\n\nAnd a cell more.")
    edited = edited.replace("both = first + last", "both = last + first").replace(
        "# blank: first + last", "# blank: last + first"
    )
    after = [cell.id for cell in exercise_notebook(solution(edited)).cells]
    assert len(set(before)) == len(before) == len(after) - 1
    assert [name for name in before if name not in after] == [before[4]]


def test_equal_cells_have_different_ids(solution):
    notebook = read_solution(solution(TEXT + "\n+++\n\nTwice.\n\n+++\n\nTwice.\n"))
    assert notebook.cells[-1].source == notebook.cells[-2].source
    assert notebook.cells[-1].id == f"{notebook.cells[-2].id}-2"


def test_install_cell_comes_first_on_request_only(solution, tmp_path, monkeypatch):
    assert "install" not in cells(exercise_notebook(solution()))
    url = "https://example.org/downloads/layerlab-0.1.0-py3-none-any.whl"
    first = exercise_notebook(solution(), package=url).cells[0]
    assert solution_notebook(solution(), package=url).cells[0] == first
    ran = []
    shell = type("Shell", (), {"run_line_magic": lambda self, *line: ran.append(line)})
    exec(first.source, {"get_ipython": shell})
    assert ran == []  # the package is here
    (tmp_path / "a_mere_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    for missing in ("layer_lab", "a_mere_folder"):
        exec(first.source.replace('"layerlab"', f'"{missing}"'), {"get_ipython": shell})
        assert ran.pop() == ("pip", f"install -q {url}")


# Answers to search for -----------------------------------------------------------------------


def test_answer_texts_are_long_and_computed(solution):
    assert (
        answer_texts(solution())
        == [
            "values.sum()",
            "centred = values - values.mean()",
            "return (centred**2).mean()",
            "values.max()",
            "first + last",
        ][:-1]
    )


def test_answer_texts_leave_out_what_says_little(solution):
    block = """\
    # blank begin: all
    with no_more_gradients():
        def a_helper_of_mine(x):
            return x
        a_long_name_of_a_thing = another_name  # with a.comment()
        a_pair_of_things = (another_name, [one_more_name])
        text = "a (string) that + says - it"
        for i in range(j + 1, 7):
            values = call(  # and a remark
                "of several lines", i
            )
    # blank end"""
    start, end = TEXT.index("    # blank begin"), TEXT.index("    # blank end") + 15
    texts = answer_texts(solution(TEXT[:start] + block + TEXT[end:]))
    assert texts[1:-1] == ["for i in range(j + 1, 7):", "values = call("]


def test_words_about_a_cell_of_the_solution_alone_are_not_left_in_the_exercise(solution):
    cell = "```{code-cell} ipython3\n:tags: [solution-only]\n\nprint(mean)\n```\n\n"
    told, word = "It is two and a half.", "A word in between."
    with pytest.raises(NotebookError, match="cell 6: it follows a cell that only the solution has"):
        read_solution(solution(TEXT.replace(word, cell + told)))
    tagged = f'+++ {{"tags": ["solution-only"]}}\n\n{told}'
    exercise = exercise_notebook(solution(TEXT.replace(word, cell + tagged)))
    assert told not in as_text(exercise)


@pytest.mark.parametrize(
    "leak",
    ["It is `values.sum( )`.", "```{code-cell} ipython3\nprint(values\n      .sum())\n```"],
)
def test_answer_elsewhere_in_the_exercise_is_refused(solution, leak):
    with pytest.raises(NotebookError) as caught:
        exercise_notebook(solution(TEXT.replace("A word in between.", leak)))
    assert str(caught.value) == (
        "solutions/01-sums.md, cell 5, line 1: the exercise gives away the answer `values.sum()`; "
        "blank it here too, or write it in another way"
    )


def test_answer_in_a_block_may_not_stand_elsewhere(solution):
    text = TEXT.replace("A word", "Take\n\nwords such as centred = values-values.mean().\n\nA word")
    with pytest.raises(NotebookError, match=r"line 3: .* `centred = values - values.mean\(\)`"):
        exercise_notebook(solution(text))


# What a solution must keep to ----------------------------------------------------------------

STEP = "```{code-cell} ipython3\n:step: by-hand\n"
WHERE = TEXT.partition("[hide-output]")[0].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: python3", "name: julia", "kernelspec must be python3, not 'julia'"),
        ("language_info:", "language_info: [", "its front matter is no YAML"),
        ("myst:", "draft: perhaps\nmyst:", "`draft: 'perhaps'` says neither yes nor no"),
        ("myst:", 'draft: "true"\nmyst:', "`draft: 'true'` says neither yes nor no"),
        ('["solution-only"]', '["solution_only"]', "cell 8: the tag 'solution_only' means nothing"),
        ("[hide-output]", "hide-output", "the option `tags` is unusable, 'hide-output' is not"),
        ("[hide-output]", "hide-output", f"solutions/01-sums.md:{WHERE}: the option `tags`"),
        ("step: indices\ntags", "step: My Index\ntags", "name a step in lower-case words"),
        (":step: indices\n:tags: [check]", ":tags: [check]", "a check is a code cell with"),
        ('"step": "closing"', '"other": "closing"', "an answer is a Markdown cell with"),
        ("tags: [hide-output]", "tags: [solution-only]", "cannot be absent from the exercise"),
        ("tags: [hide-output]", "tags: [exercise-only]", "cannot be absent from the solution"),
        (
            "# blank: len(values)",
            "# blank: len(value)",
            "solutions/01-sums.md, cell 4 (step by-hand), line 2: `# blank: len(value)` matches "
            "nothing",
        ),
        ("+ 0  # blank", "+ 0  # blank: values  # blank", "cell 4 (step by-hand), line 1: "),
        (
            "np.arange(6.0)",
            "np.arange(6.0)  # blank: 6.0",
            "cell 2, line 3: a cell without `:step:`",
        ),
        ("both == 5", "both == 5  # blank: 5", "cell 10 (step indices), line 1: a check holds no"),
        ("import numpy as np", "%pylab", "cell 2, line 1: a cell must be plain Python"),
        (f"{STEP}:tags: [check]\n\nassert", f"{STEP}\nassert", "has blanks or is its check"),
        (":step: indices\n:tags: [check]", "", "cell 9 (step indices): the step indices has no"),
        ("step: indices\ntags", "step: by-hand\ntags", "the step by-hand has ended before"),
        ('"step": "closing"', '"step": "indices"', "the step indices has ended before"),
        ("both = first + last  # blank: first + last", "both = 5", None),
        (
            "```{code-cell} ipython3\n---\nstep: indices",
            "```{code-cell} ipython3\n---\nstop: 1",
            "",
        ),
        ('["answer"]', '["hide-cell"]', "no cell has the tag answer"),
        ("A word", "```{note}\nWords\n```\n\nA word", "directive `{note}`; say it in plain"),
        ("A word", "Well:\n\n:::{tip}\nWords\n:::\n\nA word", "line 3: plain Jupyter does not"),
        (
            "A word",
            "A {term}`word`",
            "cell 5, line 1: plain Jupyter does not show the role `{term}`",
        ),
        ("## By hand", "(by-hand)=\n## By hand", "does not show the label `(by-hand)=`"),
        ("A word", "A [word](#part-1)", "where the link to `#part-1` leads"),
        ("A word", "A [](../book/01-minkowski.md)", "a link without words"),
        ('{"tags": ["solution-only"]}', '{"tags": [}', "solutions/01-sums.md: Markdown cell"),
    ],
)
def test_broken_rule_is_named(solution, old, new, message):
    assert TEXT.count(old) >= 1
    if message is None:  # too few blanks: seven
        message = "solutions/01-sums.md: 7 blanks; an exercise has 8 to 25"
    with pytest.raises(NotebookError) as caught:
        exercise_notebook(solution(TEXT.replace(old, new, 1)))
    assert message in str(caught.value)
    assert str(caught.value).startswith("solutions/01-sums.md")


# Each fault, and how the line that names it begins; in the order of the file.
FAULTS = [
    ("name: python3", "name: julia", ": its kernelspec must be python3"),
    ("+ 0  # blank: v", "+ 0  # blank: w", ", cell 4 (step by-hand), line 1: `# blank: walues"),
    ("# blank: len(values)", "# blank: len(v)", ", cell 4 (step by-hand), line 2: `# blank: len"),
    ("A word", "A {term}`word`", ", cell 5, line 1: plain Jupyter does not show the role"),
    ("(centred**2)", "(centred**)", ", cell 6 (step by-hand), line 4: a cell must be plain Python"),
    ("## Indices", "In `total = values.sum()`.", None),  # the mark of this answer is broken
    ("take your time", "take values[-1]", None),  # too short to be searched for
    ('["solution-only"]', '["solution_only"]', ", cell 8: the tag 'solution_only' means nothing"),
    ("{note}", "{tip}", ", cell 8, line 1: plain Jupyter does not show the directive"),
    (
        ":step: indices\n:tags: [check]",
        ":step: indices",
        ", cell 10 (step indices): a cell of a step has blanks or is its check",
    ),
    ("assert both", "assert both", ", cell 10 (step indices): the step indices has no check"),
    ('"step": "closing"', '"stop": ""', ", cell 12: an answer is a Markdown cell"),
]


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_file(solution):
    text = TEXT
    for old, new, _ in FAULTS:
        text = text.replace(old, new, 1)
    with pytest.raises(NotebookError) as caught:
        exercise_notebook(solution(text))
    expected = [f"solutions/01-sums.md{begin}" for *_, begin in FAULTS if begin]
    assert str(caught.value).splitlines() == caught.value.problems
    assert len(caught.value.problems) == len(expected)
    for problem, begin in zip(caught.value.problems, expected, strict=True):
        assert problem.startswith(begin)


def test_one_fault_is_one_problem(solution):
    """A mark that cannot be read says nothing of a step's cells, or of the number of blanks."""
    text = TEXT.replace("# blank: first + last", "# blank: first +")
    with pytest.raises(NotebookError) as caught:
        exercise_notebook(solution(text))
    [problem] = caught.value.problems
    assert "(step indices), line 3: `# blank: first +` does not name" in problem


# Drafts --------------------------------------------------------------------------------------

DRAFT = TEXT.replace("myst:\n", "draft: true\nmyst:\n").replace("  # blank: values[-1]", "")
DRAFT = DRAFT[: DRAFT.index('+++ {"tags": ["answer"]')]


def test_a_draft_may_lack_what_only_readers_need(solution):
    exercise = exercise_notebook(solution(DRAFT))
    assert exercise.metadata.draft is True
    assert cells(exercise)["indices"].source == "first = ____\nlast = values[-1]\nboth = ____"
    with pytest.raises(NotebookError) as caught:
        exercise_notebook(solution(DRAFT.replace("draft: true", "draft: false")))
    assert caught.value.problems == [
        "solutions/01-sums.md: 7 blanks; an exercise has 8 to 25",
        "solutions/01-sums.md: no cell has the tag answer; ask a question in words at the end",
    ]


def test_a_draft_must_keep_all_other_rules(solution):
    with pytest.raises(NotebookError, match="gives away the answer `values.sum"):
        exercise_notebook(solution(DRAFT.replace("A word", "It is values.sum(). A word")))


def test_command_names_a_draft_and_what_it_lacks(solution, tmp_path, capsys):
    solution(DRAFT), solution(TEXT.replace("myst:\n", "draft: true\nmyst:\n"), "02-more")
    assert make_exercises(tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "exercises/01-sums.ipynb: written, 7 blanks in 2 steps; a draft, so readers do not get it",
        "  before readers get it: 7 blanks; an exercise has 8 to 25",
        "  before readers get it: no cell has the tag answer; ask a question in words at the end",
        "exercises/02-more.ipynb: written, 8 blanks in 2 steps; a draft, so readers do not get it",
    ]
    assert (tmp_path / "exercises" / "01-sums.ipynb").is_file()


def test_too_many_blanks(solution):
    line = "first = values[0]  # blank: values[0]\n"
    with pytest.raises(NotebookError, match="26 blanks; an exercise has 8 to 25"):
        exercise_notebook(solution(TEXT.replace(line, line * 19)))
    exercise_notebook(solution(TEXT.replace(line, line * 18)))


def test_two_checks_of_a_step(solution):
    check = "```{code-cell} ipython3\n:step: indices\n:tags: [check]\n\nassert both\n```\n"
    text = TEXT.replace('+++ {"tags": ["exercise-only"]}', f"{check}\n+++")
    with pytest.raises(NotebookError, match="the step indices has ended before"):
        exercise_notebook(solution(text))


def test_check_of_nothing(solution):
    check = "```{code-cell} ipython3\n:step: more\n:tags: [check]\n\nassert both\n```\n"
    with pytest.raises(NotebookError, match=r"\(step more\): there is nothing to check"):
        exercise_notebook(solution(f"{TEXT}\n{check}"))


def test_last_step_without_check(solution):
    text = TEXT[: TEXT.index("```{code-cell} ipython3\n:step: indices")]
    with pytest.raises(NotebookError, match=r"cell 9 .*: the step indices has no check; end it"):
        exercise_notebook(solution(text))


def test_names_that_collide(solution):
    text = TEXT.replace("step: indices", "step: by-hand-2")
    with pytest.raises(NotebookError, match="would be named by-hand-2, as cell 6 is"):
        exercise_notebook(solution(text))


def test_directive_in_a_cell_of_the_solution_alone_is_fine(solution):
    text = TEXT.replace("Because it is so.", "Because {term}`it` is so.")
    assert "{term}" not in sources(exercise_notebook(solution(text)))


# The page ------------------------------------------------------------------------------------


def test_page_has_no_marks_and_everything_else_in_its_place():
    page = solution_page(TEXT)
    assert "# blank" not in page and "Take your time." not in page
    assert "total = values.sum() + 0\n" in page and "high = values.max()  # shape ()\n" in page
    old, new = TEXT.split("\n"), page.split("\n")
    assert len(old) == len(new)
    for line in ("## Indices", ":step: indices", "both = first + last", "Because it is so."):
        assert [i for i, text in enumerate(new) if text.startswith(line)] == [
            i for i, text in enumerate(old) if text.startswith(line)
        ]


def test_page_without_marks_is_unchanged():
    text = TEXT[: TEXT.index("## By hand")] + "````md\n```{code-cell}\nx  # blank: y\n```\n````\n"
    assert solution_page(text) == text


def test_page_and_notebook_hold_the_same_code(solution):
    text = TEXT[: TEXT.index('+++ {"tags": ["exercise-only"]}')]
    page = jupytext.reads(solution_page(text), fmt="md:myst")
    notebook = solution_notebook(solution(text))
    assert [cell.source for cell in page.cells] == [cell.source for cell in notebook.cells]


def test_page_names_the_line_of_a_bad_mark():
    text = TEXT.replace("# blank: len(values)", "# blank: len(value)")
    line = text[: text.index("# blank: len(value)")].count("\n") + 1
    with pytest.raises(
        NotebookError, match=f"^solutions/x.md, code cell 2, line {line} of the file:"
    ):
        solution_page(text, "solutions/x.md")


def test_page_drops_code_of_the_exercise_alone():
    cell = "```{code-cell} ipython3\n:tags: [exercise-only]\n\nprint('a hint')\n```\n"
    page = solution_page(TEXT.replace("A word in between.\n", cell))
    assert page == solution_page(TEXT.replace("A word in between.\n", "\n" * cell.count("\n")))


# The command ---------------------------------------------------------------------------------


def test_command_writes_removes_and_reports(solution, tmp_path, capsys):
    solution(), solution(TEXT, "02-more")
    old = tmp_path / "exercises" / "03-gone.ipynb"
    old.parent.mkdir()
    old.write_text("{}")
    assert make_exercises(tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "exercises/01-sums.ipynb: written, 8 blanks in 2 steps",
        "exercises/02-more.ipynb: written, 8 blanks in 2 steps",
        "exercises/03-gone.ipynb: removed",
    ]
    assert sorted(path.name for path in old.parent.iterdir()) == ["01-sums.ipynb", "02-more.ipynb"]
    assert make_exercises(tmp_path)
    assert "exercises/01-sums.ipynb: unchanged, 8 blanks" in capsys.readouterr().out


def test_check_names_what_differs_and_changes_nothing(solution, tmp_path, capsys):
    solution(), solution(TEXT, "02-more")
    make_exercises(tmp_path)
    assert make_exercises(tmp_path, check=True)
    path, other = (tmp_path / "exercises" / f"{name}.ipynb" for name in ("01-sums", "02-more"))
    notebook = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    other.unlink()
    (tmp_path / "exercises" / "03-gone.ipynb").write_text("{}")
    before = path.read_bytes()
    capsys.readouterr()
    assert not make_exercises(tmp_path, check=True)
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "exercises/01-sums.ipynb: differs from what its solution makes; run `make exercises`",
        "exercises/02-more.ipynb: is missing; run `make exercises`",
    ]
    assert out.splitlines() == ["exercises/03-gone.ipynb: has no solution"]
    assert path.read_bytes() == before and not other.exists()
    assert (tmp_path / "exercises" / "03-gone.ipynb").exists()


def test_check_fails_for_an_exercise_without_solution_alone(solution, tmp_path):
    solution()
    make_exercises(tmp_path)
    (tmp_path / "exercises" / "03-gone.ipynb").write_text("{}")
    assert not make_exercises(tmp_path, check=True)


def test_command_goes_on_after_a_bad_solution(solution, tmp_path, capsys):
    solution(TEXT.replace("# blank: len(values)", "# blank: x")), solution(TEXT, "02-more")
    assert not make_exercises(tmp_path)
    out, err = capsys.readouterr()
    assert err.startswith(
        "solutions/01-sums.md, cell 4 (step by-hand), line 2: `# blank: x` matches"
    )
    assert out == "exercises/02-more.ipynb: written, 8 blanks in 2 steps\n"


def test_command_without_solutions_removes_nothing(tmp_path, capsys):
    exercise = tmp_path / "exercises" / "01-sums.ipynb"
    exercise.parent.mkdir()
    exercise.write_text("{}")
    assert not make_exercises(tmp_path)
    assert exercise.exists() and "no solutions" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "check"), [([], False), (["--check"], True)])
def test_exit_code(arguments, check, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "coursebuild.notebooks.make_exercises", lambda root, check: calls.append(check) or not check
    )
    assert main(arguments) == int(check)
    assert calls == [check]
