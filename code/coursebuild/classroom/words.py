"""Answers in words: a page to read and mark them on, and the points that come back from there.

The page names nobody. It keeps what one marks in its browser, and hands it over as `words.csv`,
which the next run of the grading finds beside the results.
"""

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from markdown_it import MarkdownIt

from coursebuild.classroom.document import document
from coursebuild.classroom.files import write_whole
from coursebuild.classroom.gradebook import FORMULA
from coursebuild.classroom.intake import decoded
from coursebuild.classroom.key import Key
from coursebuild.classroom.results import Result
from layerlab.errors import LayerlabError

PAGE, POINTS = "words.html", "words.csv"
HEAD = ["student", "exercise", "answer", "points", "comment", "text"]
N_NEEDED = 5  # of these columns; the last one says which text was marked
FORM = Path(__file__).with_name("words.html")
DATA = "{{data}}"  # where the page has its answers
TITLE = "Answers in words"
STYLE = """\
:root { --ground: light-dark(#f5efe6, #2a2622); }
body { max-width: 52rem; margin-bottom: 6rem; }
fieldset { border: 1px solid var(--line); margin: 1rem 0; padding: .6rem 1rem; }
label { margin-right: 1.2rem; } :is(th, td) { padding: .1rem 1rem .1rem 0; text-align: left; }
textarea { display: block; width: 100%; box-sizing: border-box; font: inherit; margin-top: .4rem; }
details { background: var(--ground); padding: .5rem 1rem; }
.bar { position: fixed; inset: auto 0 0 0; background: var(--ground); padding: .6rem 1rem;
  text-align: center; }
button { font: inherit; }
:focus-visible { outline: 3px solid light-dark(#1d6b52, #7fd1b0); outline-offset: 2px; }
"""

Given = dict[tuple[str, str, str], tuple[float, str]]  # points and comment, by the first columns


def read_points(path: Path, results: Iterable[Result]) -> tuple[Given, list[str]]:
    """The points that were given, and what is wrong with other lines of the table.

    It may come from a spreadsheet, in whatever encoding, with semicolons and decimal commas. Points
    count for the text that they were given for. A line without points says nothing.

    Raises
    ------
    LayerlabError
        If the table is another one.
    """
    if not path.is_file():
        return {}, []
    asked = {
        (result.student, result.exercise, word["id"]): word
        for result in results
        for word in result.words
        if word["text"]
    }
    text = decoded(path.read_bytes())
    first = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    if (rows.fieldnames or [])[:N_NEEDED] != HEAD[:N_NEEDED]:
        raise LayerlabError(f"{path}: its first line has to be {','.join(HEAD)}")
    given: Given = {}
    wrong, lines, disputed = [], {}, set()
    for row in rows:
        values = [_plain(row.get(name) or "") for name in HEAD]
        if not values[3].strip() or values == HEAD:  # nothing given; or two tables in one file
            continue
        key = (values[0], values[1], values[2])
        try:
            given[key] = _given(key, values, asked)
            if lines.setdefault(key, (rows.line_num, given[key]))[1] != given[key]:
                disputed.add(key)
                raise LayerlabError(f"line {lines[key][0]} says otherwise; delete one of the two")
        except LayerlabError as error:
            wrong.append(f"{path}, line {rows.line_num}: {error}")
    return {key: said for key, said in given.items() if key not in disputed}, wrong


def _given(key: tuple[str, str, str], values: list[str], asked: dict) -> tuple[float, str]:
    if key not in asked:
        raise LayerlabError(f"{' / '.join(key)!r} is no answer that was handed in")
    if values[5].strip() not in ("", digest(asked[key]["text"])):
        raise LayerlabError(f"{' / '.join(key)!r} is another text now, and waits again")
    most = asked[key]["maximum"]
    try:
        points = float(values[3].replace(",", "."))
    except ValueError as error:
        raise LayerlabError(f"{values[3]!r} is no number of points") from error
    if not (math.isfinite(points) and 0 <= points <= most):
        raise LayerlabError(f"{values[3]} points, where 0 to {most:g} can be given")
    return points, values[4]


def digest(text: str) -> str:
    """What a table calls a text; no spreadsheet takes it for a number."""
    return f"t{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}"


def _plain(text: str) -> str:
    """A cell as it was before it was kept from being a formula."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def with_points(result: Result, given: Given) -> Result:
    """A result with what its answers in words were given."""
    words = []
    for word in result.words:
        points = given.get((result.student, result.exercise, word["id"]))
        words.append(word if points is None else {**word, "points": points[0], "said": points[1]})
    return replace(result, words=words)


def write_form(results: Iterable[Result], keys: list[Key], folder: Path) -> Path | None:
    """Write the page on which the answers are marked; None if there is nothing to read.

    Parameters
    ----------
    results : iterable of Result
        With the points that were given so far.
    keys : list of Key
    folder : Path
        Where the page goes, and where `words.csv` is looked for.
    """
    results = list(results)
    exercises = [_exercise(key, results) for key in keys]
    exercises = [exercise for exercise in exercises if exercise["answers"]]
    if not exercises:
        return None
    data = json.dumps({"head": HEAD, "exercises": exercises}).replace("<", "\\u003c")
    body = FORM.read_text(encoding="utf-8").replace(DATA, data)
    write_whole(folder / PAGE, document(TITLE, body, STYLE, scripts=True))
    return folder / PAGE


def _exercise(key: Key, results: list[Result]) -> dict:
    answers = [
        {"student": result.student, "answer": word["id"], **_word(word)}
        for result in results
        if result.exercise == key.name
        for word in result.words
        if word["text"]
    ]
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    questions = [markdown.render(key.question_of(name)) for name in key.words]
    return {
        "exercise": key.name,
        "title": key.title,
        "questions": questions,
        "rubric": key.rubric,
        "answers": answers,
    }


def _word(word: dict) -> dict:
    kept = {name: word[name] for name in ("text", "maximum")}
    said = {"points": word.get("points"), "comment": word.get("said", "")}
    return kept | said | {"of": digest(word["text"])}
