"""The gate goes red for each promise that is broken on purpose, and for no other."""

import lzma
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from coursebuild import gate, notebooks, promises, trials

ROOT = Path(__file__).resolve().parents[1]

SOLUTION = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Exercise: Gaps

Two lists of numbers are given, and we ask how far they lie apart.

```{code-cell} ipython3
from tinychecks.exNUMBER import check

x, y = [1.0, 5.0, 2.0], [4.0, 1.0, 4.0]
```

## The gaps

How far apart are the first, second and third numbers?

```{code-cell} ipython3
:step: gaps

first = abs(x[0] - y[0])  # blank: abs(x[0] - y[0])
second = abs(x[1] - y[1])  # blank: abs(x[1] - y[1])
```

```{code-cell} ipython3
:step: gaps

third = abs(x[2] - y[2])  # blank: abs(x[2] - y[2])
```

```{code-cell} ipython3
:step: gaps
:tags: [check]

check("gaps", first=first, second=second, third=third, x=x, y=y)
```

+++ {"tags": ["solution-only"]}

The sign says who is ahead; without it only the distance is left.

## Together

Now all of them, by a function for lists of any length, and what it says of ours.

```{code-cell} ipython3
:step: together

def total_gap(left, right):
    # blank begin: go through both lists and add the gaps up
    total = 0
    for a, b in zip(left, right, strict=True):
        total += abs(a - b)
    return total
    # blank end


total = total_gap(x, y)  # blank: total_gap(x, y)
largest = max(first, second, third)  # blank: max(first, second, third)
smallest = min(first, second, third)  # blank: min(first, second, third)
mean = total / len(x)  # blank: total / len(x)
```

```{code-cell} ipython3
:step: together
:tags: [check]

check("together", total_gap=total_gap, numbers=[total, largest, smallest, mean], x=x, y=y)
```

## In words

Which of the numbers says least about the lists, and why?

+++ {"tags": ["answer"], "step": "in-words"}

The smallest gap: one pair that happens to agree is enough.
"""

MISTAKES = """
[gaps]
right = "each gap is a distance"
MORE_OF_GAPS

[[gaps.mistake]]
name = "sign kept"
hint = "A distance knows no direction."
programs = [{ "abs(x[0] - y[0])" = "x[0] - y[0]" }]
MORE_PROGRAMS

[[gaps.alternative]]
why = "the other order"
answers = { "abs(x[1] - y[1])" = "abs(y[1] - x[1])" }

[together]
right = "the gaps are added up"

[[together.mistake]]
name = "mean for the sum"
hint = "Nothing asks for a division here."
programs = [{ "go through both lists and add the gaps up" = '''
    gaps = [abs(a - b) for a, b in zip(left, right)]
    return sum(gaps) / len(gaps)
''' }]

[[together.alternative]]
why = "a sum over a generator"

[together.alternative.answers]
"go through both lists and add the gaps up" = "return sum(abs(a - b) for a, b in zip(left, right))"
"""

CHECKS = '''"""Checks for the tests of the gate."""

from coursechecks.engine import calls, checker

READS = ("seen/NUMBER.json.xz",)


def gaps(first, second, third, x, y):
    right = [abs(a - b) for a, b in zip(x, y)]
    for name, got, wanted in zip(("first", "second", "third"), (first, second, third), right):
        yield f"{name}: gap, as a part of the right one", got / wanted


def together(total_gap, numbers, x, y):
    yield from calls("total_gap", total_gap, [1.5, -2.0, 7.0], [3.0, 5.0, -6.0], what="three")
    yield from calls("total_gap", total_gap, [2.25, 1.0], [-3.0, 8.5], what="two")
    right = [abs(a - b) for a, b in zip(x, y)]
    right = [sum(right), max(right), min(right), sum(right) / len(right)]
    for name, got, wanted in zip(("total", "largest", "smallest", "mean"), numbers, right):
        yield f"{name}: less the right one", got - wanted


check = checker(__name__)
'''

END = """
```{{code-cell}} ipython3
{}
```
"""


QUIT = """\
import os
from coursechecks import engine

if engine.recorder is None:  # not while it is stored what programs do
    os._exit(5)"""


@dataclass
class Broken:
    """A notebook that differs from the good one, and what the gate must say of it.

    Attributes
    ----------
    promises : set of str
        The promises that break.
    says : list of str
        What stands in the report, as patterns: one for each failure.
    solution, exercise : list of (str, str)
        Replacements in the source, and in the committed exercise after that was made.
    more_of_gaps, more_programs : str
        What the first step's table of mistakes holds besides.
    checks : list of (str, str)
        Replacements in the module of the checks.
    stored : list of (str, str)
        Replacements in what is stored of the programs.
    site : dict of str
        Files of the built site.
    is_refused : bool
        Whether no exercise can be made at all.
    """

    promises: set[str]
    says: list[str]
    solution: list[tuple[str, str]] = field(default_factory=list)
    exercise: list[tuple[str, str]] = field(default_factory=list)
    more_of_gaps: str = ""
    more_programs: str = ""
    checks: list[tuple[str, str]] = field(default_factory=list)
    stored: list[tuple[str, str]] = field(default_factory=list)
    site: dict[str, str] = field(default_factory=dict)
    is_refused: bool = False


def more(name, expression, answer, hint="Look at it."):
    return (
        f'[[gaps.mistake]]\nname = "{name}"\nhint = "{hint}"\n'
        f'programs = [{{ "{expression}" = "{answer}" }}]\n'
    )


def other(why, expression, answer):
    return f'[[gaps.alternative]]\nwhy = "{why}"\nanswers = {{ "{expression}" = "{answer}" }}\n'


FIRST, SECOND = "abs(x[0] - y[0])", "abs(x[1] - y[1])"

BROKEN = {
    "stale": Broken(
        {"committed"},
        [r"committed · exercises/NAME.ipynb:\d+\n +is not what its solution makes"],
        exercise=[("Two lists of numbers", "A pair of lists")],
    ),
    "missing": Broken({"committed"}, [r"committed · exercises/NAME.ipynb\n +does not exist"]),
    "garbled": Broken(
        {"committed", "parses", "runs alone"},
        [r"parses · exercises/NAME.ipynb, cell 2, line 1\n +SyntaxError: .*first = = ____"],
        exercise=[("first = ____", "first = = ____")],
    ),
    "small": Broken(
        {"committed", "size"},
        [r"size · solutions/NAME.md\n +7 blanks; an exercise has 8 to 25"],
        solution=[(r"  # blank: total / len\(x\)", "")],
        is_refused=True,
    ),
    "telling": Broken(
        {"committed", "secrets"},
        [
            rf"secrets · {place}\n +gives away the answer `{re.escape(SECOND)}`"
            for place in (
                r"exercises/NAME.ipynb",
                r"_build/html/exercises/NAME.html",
                r"_build/html/_sources/exercises/NAME.ipynb",
                r"_build/html/searchindex.js",
            )
        ],
        exercise=[("How far apart", f"With {SECOND}, how far apart")],
        site={
            "exercises/NAME.html": "<p>abs<b>(x[1]&nbsp;-\n y[1])</b></p>",
            "_sources/exercises/NAME.ipynb": '{"source": "abs(x[1] - y[1])"}',
            "searchindex.js": "Search.setIndex({abs(x[1]-y[1])})",
        },
    ),
    "loud": Broken(
        {"solution", "runs alone"},
        [
            r"solution · solutions/NAME.md:\d+ \(cell 4\)\n.* starts with ✓; this one printed:"
            r"\n +✓ each gap is a distance\n +and more",
            r"solution · solutions/NAME.md:\d+ \(cell 7\)\n +on the standard error:\n +careful",
            r"solution · solutions/NAME.md:\d+ \(cell 8\)\n +ValueError: at the end",
            r"runs alone · exercises/NAME.ipynb\n(.*\n)* +ValueError: at the end",
        ],
        solution=[
            (r'check\("gaps".*\n', "\\g<0>print('and more')\n"),
            (r"\Z", END.format("import sys\n\nprint('careful', file=sys.stderr)")),
            (r"\Z", END.format("raise ValueError('at the end')")),
        ],
    ),
    "careless": Broken(
        {"blanks", "mutants"},
        [
            r"mutants · step gaps, .*\n +`x\[0\] \+ y\[0\] → .*` passes, and further on `extra` is",
            r"blanks · step gaps, solutions/NAME.md:\d+ \(cell 3\)\n"
            r" +with `print\(first\)` left as ____ the step and its check go through",
            r"blanks · step gaps, solutions/NAME.md:\d+ \(cell 3\)\n"
            r" +with `x\[0\] \+ y\[0\]` left as ____ the step stops with something unreadable:\n"
            r" +TypeError: no idea",
        ],
        solution=[
            (
                "third = ",
                "def never():\n    print(first)  # blank: print(first)\n\n\ntry:\n"
                "    extra = x[0] + y[0]  # blank: x[0] + y[0]\nexcept NameError:\n"
                "    raise TypeError('no idea') from None\n\\g<0>",
            )
        ],
    ),
    "unchecked": Broken(
        {"committed"},
        [r"committed · NAME.md\n.* \(step together\): the step together has no check"],
        solution=[(r":step: together\n:tags: \[check\]", "")],
        is_refused=True,
    ),
    "outdated": Broken(
        {"stored"},
        [
            r"stored · code/tinychecks/seen/..\.json\.xz\n"
            r" +step gaps: is not what its programs do now"
        ],
        stored=[("each gap is a distance", "each gap was a distance")],
    ),
    "mistaken": Broken(
        {"mistakes"},
        [
            r"mistakes · step gaps, .*program 1 of 'no mistake'\n +'no mistake' is not caught",
            r"mistakes · step gaps, .*\n +'twin' is told as 'sign kept', 'twin'\n +✗ first",
            r"mistakes · step gaps, .*\n +'sign kept' is told as 'sign kept', 'twin'\n",
            r"mistakes · step gaps, .*\n +'too far' stops the step before its check:\n +IndexError",
            r"mistakes · .*\n +.*toml: there is no step 'nowhere'",
            r"mistakes · .*\n +.*no blank is called `nothing`",
            r"mistakes · .*\n +.*step gaps: 7 named mistakes; keep the 6 that people make",
            r"mistakes · .*\n +.*step gaps, mistake 8: needs exactly \['hint', 'name', 'prog",
            r"mistakes · .*, step gaps\n +the hint of 'doubled' gives away `abs\(x",
            r"mistakes · step gaps, .*refused 1\n +'abs\(y\[0\] - x\[0\]\)' is not caught",
        ],
        more_of_gaps='refused = [{ "abs(x[0] - y[0])" = "abs(y[0] - x[0])" }]\n',
        more_programs=more("no mistake", FIRST, "abs(y[0] - x[0])")
        + more("doubled", FIRST, "2 * abs(x[0] - y[0])", hint="Take abs( x[1]-y[1] ) as it is.")
        + more("too far", FIRST, "x[7] - y[7]")
        + more("twin", FIRST, "x[0] - y[0] + 0")
        + more("nothing there", "nothing", "x[0] - y[0]")
        + more("one more", FIRST, "3 * abs(x[0] - y[0])")
        + '[[gaps.mistake]]\nname = "half"\n[nowhere]\nright = "There is no such step."\n',
    ),
    "blind": Broken(
        {"mutants"},
        [
            r"mutants · step together, .*\n +`total / len\(x\) → total \* len\(x\)` passes, and "
            r"further on `mean` is another"
        ],
        solution=[(r"smallest, mean\]", "smallest]")],
    ),
    "chatty": Broken(
        {"says no answer"},
        [
            r"says no answer · step gaps, .*\n +the check tells 3.25:\n"
            r"(.*\n)* +gap, as a part of the right one: yours is '.* of 3.25'"
        ],
        checks=[
            ("got / wanted", 'f"{got} of {wanted + 0.25}"'),
        ],
    ),
    "narrow": Broken(
        {"alternatives"},
        [
            r"alternatives · step gaps, .*toml.*\n"
            r" +refused, though it is right \(a square root\):\n +✗ first",
            r"alternatives · step gaps, .*\n.*\n +killed: it was still running",
            r"alternatives · step gaps, .*\n.*\n +died: .* ended with code 3",
        ],
        more_programs=other("a square root", FIRST, "(x[0] - y[0]) ** 0.5")
        + other("endless", FIRST, "[1 for _ in iter(int, 1)]")
        + other("a way out", FIRST, "__import__('os')._exit(3)"),
    ),
    "brittle": Broken(
        {"odd answers"},
        [
            r"odd answers · step gaps, .*\n +first = text: ValueError: could not convert",
            r"odd answers · step together, .*\n +mean = nothing: passes",
        ],
        solution=[
            (r"first=first", "first=float(first)"),
            (r"smallest, mean\]", "smallest, mean or 3.0]"),
        ],
    ),
    "leaning": Broken(
        {"runs alone"},
        [r"runs alone · exercises/NAME.ipynb\n(.*\n)* +NameError: name 'helper' is not defined"],
        solution=[
            (
                r"\Z",
                END.format(":tags: [solution-only]\n\nhelper = 1") + END.format("print(helper)"),
            )
        ],
    ),
    "quitting": Broken(
        {"solution"},
        [r"solution · solutions/NAME.md\n +the process that tried it ended with code 5"],
        solution=[(r"\Z", END.format(QUIT))],
    ),
}


def write_notebook(root: Path, number: int, word: str, edits: Broken) -> None:
    """Write the good notebook, with edits, and all that belongs to it."""
    name = f"{number:02}-{word}"
    text = SOLUTION.replace("NUMBER", str(number))
    for old, new in edits.solution:
        text, n_places = re.subn(old, new, text)
        assert n_places == 1, old
    solution = root / "solutions" / f"{name}.md"
    solution.write_text(text, "utf-8")
    text = MISTAKES.replace("MORE_OF_GAPS", edits.more_of_gaps)
    own, _, elsewhere = edits.more_programs.partition("[nowhere]")
    text = text.replace("MORE_PROGRAMS", own) + (elsewhere and f"[nowhere]{elsewhere}")
    (root / "solutions" / "mistakes" / f"{number:02}.toml").write_text(text, "utf-8")
    text = CHECKS.replace("NUMBER", f"{number:02}")
    for old, new in edits.checks:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (root / "code" / "tinychecks" / f"ex{number}.py").write_text(text, "utf-8")

    exercise = root / "exercises" / f"{name}.ipynb"
    if not edits.is_refused:
        text = notebooks.as_text(notebooks.exercise_notebook(solution))
        for old, new in edits.exercise:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        exercise.write_text(text, "utf-8")
    for path, text in edits.site.items():
        file = root / "_build" / "html" / path.replace("NAME", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def run(root: Path, command: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", f"coursebuild.{command}", "--root", str(root)]
    paths = filter(None, [str(root / "code"), os.environ.get("PYTHONPATH")])
    return subprocess.run(
        [*command, "--checks", "tinychecks", *arguments],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"},
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A small course: one good notebook, and one for each way to break a promise."""
    root = tmp_path_factory.mktemp("course")
    for folder in ("solutions/mistakes", "exercises", "code/tinychecks"):
        (root / folder).mkdir(parents=True)
    write_notebook(root, 1, "good", Broken(set(), []))
    for number, (word, edits) in enumerate(BROKEN.items(), start=2):
        write_notebook(root, number, word, edits)
    (root / "exercises" / f"{name_of('missing')}.ipynb").unlink()
    (root / "exercises" / "99-forgotten.ipynb").write_text("{}")
    run(root, "seen", "--seconds", "4")
    for number, edits in enumerate(BROKEN.values(), start=2):
        for old, new in edits.stored:
            path = root / "code" / "tinychecks" / "seen" / f"{number:02}.json.xz"
            text = lzma.decompress(path.read_bytes()).decode()
            assert text.count(old) == 1, old
            path.write_bytes(lzma.compress(text.replace(old, new).encode()))
    return root


def name_of(word: str) -> str:
    number = 2 + list(BROKEN).index(word) if word in BROKEN else 1
    return f"{number:02}-{word}"


@pytest.fixture(scope="module")
def broken(course):
    """The gate's run over the whole small course."""
    return run(course, "gate", "--seconds", "4", "--edits", "2")


def test_a_good_notebook_keeps_all_promises(course):
    result = run(course, "gate", "01-good", "--edits", "2")
    assert (result.returncode, result.stderr) == (0, "")
    *lines, empty, last = result.stdout.splitlines()
    assert [re.split(r"  +", line)[:3] for line in lines] == [
        ["PASS", "01-good", promise] for promise in promises.PROMISES
    ]
    counts = "1 exercise, 8 blanks, 2 mistakes, 2 alternatives, 15 promises"
    assert empty == "" and re.fullmatch(rf"gate: {counts}, all kept in \d+ s", last)


def test_promises_may_be_left_out(course):
    left_out = [word for promise in promises.SLOW for word in ("--without", promise)]
    said = run(course, "gate", "01-good", *left_out).stdout
    tried = [promise for promise in promises.PROMISES if promise not in promises.SLOW]
    assert re.findall(r"^PASS  01-good +(\S.*?)  ", said, re.MULTILINE) == tried
    assert f"{len(tried)} promises, all kept" in said


@pytest.mark.parametrize("word", BROKEN)
def test_a_broken_promise_is_named(broken, word):
    name = name_of(word)
    for pattern in BROKEN[word].says:
        assert re.search(f"FAIL  {name} · " + pattern.replace("NAME", name), broken.stdout)
    assert f"again: python -m coursebuild.gate {name}\n" in broken.stdout


@pytest.mark.parametrize("word", ["good", *BROKEN])
def test_no_other_promise_is_blamed(broken, word):
    lines = [re.split(r"  +", line) for line in broken.stdout.splitlines()]
    failed = {line[2] for line in lines if line[:2] == ["FAIL", name_of(word)]}
    assert failed == (BROKEN[word].promises if word in BROKEN else set())


def test_what_only_the_whole_course_promises(broken):
    assert "FAIL  course · complete · exercises/99-forgotten.ipynb\n" in broken.stdout
    assert re.search(r"\d+ mistakes; there should be at least 60\n", broken.stdout)
    assert broken.returncode == 1
    assert re.search(r"\d+ broken \(\d+ failures\) in \d+ s\n\Z", broken.stdout)


@pytest.mark.parametrize("promise", [*promises.PROMISES, "complete"])
def test_one_broken_promise_decides(monkeypatch, capsys, tmp_path, promise):
    kept = [promises.Verdict("01-minkowski", other, "1 thing") for other in promises.PROMISES]
    fails = promises.Verdict(
        "01-minkowski", promise, "1 thing", 0.1, [promises.Failure("there", "this")]
    )
    root = tmp_path
    (root / "solutions").mkdir()
    (root / "solutions" / "01-minkowski.md").touch()
    monkeypatch.setattr(gate, "try_all", lambda *args, **options: [*kept, fails])
    assert gate.main(["--root", str(root), "01-minkowski"]) == 1
    assert f"FAIL  01-minkowski · {promise} · there\n      this\n" in capsys.readouterr().out
    monkeypatch.setattr(gate, "try_all", lambda *args, **options: kept)
    assert gate.main(["--root", str(root), "01-minkowski"]) == 0


def test_an_unknown_notebook_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        gate.main(["08-nowhere"])
    assert stop.value.code == 2
    assert "these notebooks: 01-minkowski" in capsys.readouterr().err


def test_a_site_older_than_the_exercise_is_not_read(course):
    name = name_of("telling")
    page = course / "_build" / "html" / "exercises" / f"{name}.html"
    small = promises.Course(course, "tinychecks")
    assert len(promises.site_texts(small, name)) == 3
    page_time = page.stat().st_mtime
    os.utime(page, (1, 1))
    assert promises.site_texts(small, name) == {}
    os.utime(page, (page_time, page_time))


def test_a_failure_names_the_line_of_the_file(course, broken):
    name = name_of("careless")
    number = re.search(rf"{name}.md:(\d+) .*\n +with `print\(first\)`", broken.stdout).group(1)
    lines = (course / "solutions" / f"{name}.md").read_text("utf-8").splitlines()
    assert lines[int(number) - 1].endswith("# blank: print(first)")


def test_a_blank_is_left_alone_even_if_others_read_the_same():
    sources = ["a = f(1) + f(2)  # blank: f(1)", "b = f(1)  # blank: f(1)", "check(a, b)"]
    cells = [trials.Cell(i, text, None, "same", i == 3) for i, text in enumerate(sources, 1)]
    [step] = trials.read_steps(cells)
    assert [trial.sources for trial in trials.blank_trials(step, "x.md")] == [
        ["a = ____ + f(2)", "b = f(1)", "check(a, b)"],
        ["a = f(1) + f(2)", "b = ____", "check(a, b)"],
    ]


def test_forks_of_a_process_with_threads_prove_nothing(monkeypatch):
    monkeypatch.setattr(trials, "wait_for_one_thread", lambda: 2)
    sources = ["a = 1 + 1  # blank: 1 + 1", "print('✓ two')"]
    cells = [trials.Cell(i, text, None, "two", i == 2) for i, text in enumerate(sources, 1)]
    made = trials.blank_trials(trials.read_steps(cells)[0], "x.md")
    rehearsal = trials.rehearse("x", cells, made, AssertionError)
    [failure] = promises.not_tried("blank", made, rehearsal)
    assert failure.what == "the process had 2 threads; a fork of it proves nothing"


@pytest.mark.parametrize(
    ("hint", "answer", "is_told"),
    [
        ("Take p_xy.sum( axis=1 ) here.", "p_xy.sum(axis=1)", True),
        ("Mind the space: ' coffee'.", "' coffee'", True),
        ("Mind xp_xy.sum(axis=1)", "p_xy.sum(axis=1)", False),
        ("An index counts from 0 and x has 1.", "x", False),
        ("Look at axis 10.", "-10", False),
    ],
)
def test_hints_may_speak_of_names_and_numbers_only(hint, answer, is_told):
    assert promises.tells(hint, answer) == is_told


def gate_of_the_course(*without: str) -> None:
    """Run the gate on the exercises of this repository, and see that it ends well."""
    options = [word for promise in without for word in ("--without", promise)]
    command = [sys.executable, "-m", "coursebuild.gate", *options]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, f"\n{result.stdout}\n{result.stderr}"


def test_the_course_keeps_the_promises_that_are_quickly_tried():
    gate_of_the_course(*promises.SLOW)


@pytest.mark.check
def test_the_course_keeps_its_promises():
    gate_of_the_course("runs alone")  # test_home tries it, in a student's own environment
