"""What the instructor's guide takes from elsewhere, as pages: mistakes, questions, minutes, plans.

A mistake stands in `solutions/mistakes`, a model answer in its solution, and how long something
takes at the top of its page. So nothing of it is written a second time; what only who teaches needs
stands in `guide/`: plans (`week.toml` and others) and rubrics (`rubrics.toml`).
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from coursebuild.cards import MINUTES
from coursebuild.downloads import LINK_TO_PAGE
from coursebuild.mistakes import TEACHING
from coursebuild.mistakes import read as read_mistakes
from coursebuild.notebooks import read_solution
from coursebuild.rules import ANSWER, CHECK, EXERCISE_ONLY, SOLUTION_ONLY, step_of, tags_of
from coursebuild.tables import MINUTES as WHOLE_MINUTES
from coursebuild.tables import TEXT, TEXTS, lists, read_tables, table, tables
from layerlab.errors import LayerlabError

RUBRICS = "rubrics.toml"
QUESTION = "**Question.**"
BEGINS = re.compile(r"^## |\*\*Question\.\*\*", re.MULTILINE)  # the last of them
PART = re.compile(r"(?<!\w)\(([a-z])\)")  # of a question in words
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
TIME = re.compile(r"\* \*\*Time:\*\* (.*)")
SIGNS = re.compile(r"([\\*_\[\]<>${}|#~])")
CODE = re.compile(r"(`[^`]*`)")
KINDS = {"read": ("book", "read"), "do": ("solutions", "do exercise")}
LISTS = {
    "objectives": "Afterwards they can",
    "need": "They need",
    "prepare": "Prepare",
    "late": "When you are late",
}
BLOCK = table({"what": TEXT}, {"minutes": WHOLE_MINUTES, "do": TEXT, "read": TEXT})
BLOCK["oneOf"] = [{"required": [key]} for key in ("minutes", "do", "read")]
SESSION = table(
    {"title": TEXT, "minutes": WHOLE_MINUTES, "blocks": lists(BLOCK)},
    dict.fromkeys([*LISTS, "home"], TEXTS),
)
PLAN = table({"title": TEXT, "words": TEXT, "session": lists(SESSION)})
RUBRIC = tables(tables(table({"earned": TEXT, "not": TEXT})))  # by exercise, by part


class GuideError(LayerlabError):
    """Something that the guide is made of is missing, or does not fit."""


# Minutes --------------------------------------------------------------------------------------


def minutes(root: Path) -> dict[str, int]:
    """How long each chapter takes to read and each exercise to do, as their own pages say it.

    Parameters
    ----------
    root : Path
        The root of the course.

    Returns
    -------
    dict of int
        By ``read 01-minkowski`` and ``do 01-minkowski``.
    """
    found = {}
    for kind, (folder, _) in KINDS.items():
        for path in sorted((root / folder).glob("*.md")):
            said = re.search(
                MINUTES, " ".join(path.read_text("utf-8").partition("\n## ")[0].split())
            )
            if said:
                found[f"{kind} {path.stem}"] = int(said[1])
    return found


def as_substitutions(times: dict[str, int]) -> dict[str, int]:
    """The same for pages of the guide: ``{{ read_01 }}``, ``{{ do_01 + 10 }}``."""
    return {re.sub(r"^(\w+) (\w+)(-.*)?$", r"\1_\2", name): value for name, value in times.items()}


# Mistakes -------------------------------------------------------------------------------------


def exercise_page(root: Path, name: str) -> str:
    """What is behind the mistakes of an exercise, and its question in words, as a page.

    Parameters
    ----------
    root : Path
        The root of the course.
    name : str
        Such as ``01-minkowski``.

    Returns
    -------
    str
        MyST Markdown.

    Raises
    ------
    GuideError
        If mistakes lack what is behind them or what to ask, or the question has no rubric.
    """
    notebook = read_solution(root / "solutions" / f"{name}.md")
    mistakes = root / "solutions" / "mistakes" / f"{name[:2]}.toml"
    steps = read_mistakes(mistakes)
    lacking = list(lacking_words(steps))
    if lacking:
        wanted = " and ".join(f"`{key}`" for key in sorted(TEACHING["mistake"]))
        raise GuideError("\n".join(f"{mistakes.name}, {one} needs {wanted}" for one in lacking))
    head = next((cell.source for cell in notebook.cells if TIME.search(cell.source)), None)
    if head is None:
        raise GuideError(
            f"solutions/{name}.md says nowhere how long it takes; write a line "
            "`* **Time:** about 60 minutes` below its title"
        )
    parts = [
        f"# {HEADING.search(head)[1]}",
        f"**Time:** {TIME.search(head)[1]}",
        "What the check calls a mistake, with the hint that your students have read; what somebody "
        "may believe who makes it; and a question that leads on.",
    ]
    headings = headings_of_steps(notebook)
    for step, entry in steps.items():
        parts += [f"## {headings.get(step, step)}", f"`{step}` · *{_shown(entry['right'])}*"]
        parts += [_table(entry["mistake"])] if entry.get("mistake") else []
    return "\n\n".join([*parts, *words_of(root, name, notebook)]) + "\n"


def lacking_words(steps: dict) -> Iterator[str]:
    """The mistakes that lack something which the guide says of each."""
    for step, entry in steps.items():
        for mistake in entry.get("mistake", []):
            if not all(mistake.get(key) for key in TEACHING["mistake"]):
                yield f"step {step}, mistake {mistake.get('name')!r}"


def headings_of_steps(notebook: NotebookNode) -> dict[str, str]:
    """The heading above the first cell of each step, by the step's name."""
    found, last = {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            last = [last, *HEADING.findall(cell.source)][-1]
        elif step_of(cell):
            found.setdefault(step_of(cell), last)
    return found


def _table(mistakes: list[dict]) -> str:
    rows = [("What the check says", "What may be behind it", "What to ask")]
    for one in mistakes:
        said = f"**{_shown(one['name'])}**: {_shown(one['hint'])}"
        rows.append((said, _shown(one["misconception"]), _shown(one["ask"])))
    cells = "\n".join(
        f"{'* ' if place == 0 else '  '}- {cell}" for row in rows for place, cell in enumerate(row)
    )
    return f"```{{list-table}}\n:header-rows: 1\n:widths: 44 28 28\n\n{cells}\n```"


def _shown(text: str) -> str:
    """A text of signs and of code in backticks, so that Markdown shows it as it stands."""
    return "".join(
        piece if CODE.fullmatch(piece) else SIGNS.sub(r"\\\1", piece) for piece in CODE.split(text)
    )


# Questions in words ---------------------------------------------------------------------------


def words_of(root: Path, name: str, notebook: NotebookNode) -> list[str]:
    """The question in words of an exercise, its model answer and its rubric."""
    question, answer = question_and_answer(notebook)
    rubric = rubric_of(root, name)
    asked = parts_of(question)
    if list(rubric) != asked:
        raise GuideError(
            f"guide/{RUBRICS}: {name!r} has {', '.join(rubric) or 'nothing'}, and its question in "
            f"words asks {', '.join(asked)}; write one table for each part"
        )
    lines = [
        f"* **{part}** · *earned by:* {one['earned']} · *not by:* {one['not']}"
        for part, one in rubric.items()
    ]
    share = "It is worth one point" + (f", a part 1/{len(asked)} of it." if len(asked) > 1 else ".")
    return [
        "## The question in words",
        question,
        "### A model answer",
        answer,
        "### How to mark it",
        f"{share} Mark what is said, not how; a right reason beside a wrong number earns its part.",
        "\n".join(lines),
    ]


def question_and_answer(notebook: NotebookNode) -> tuple[str, str]:
    """The last question of a solution and the answer to it, without links and headings."""
    ends = [place for place, cell in enumerate(notebook.cells) if ANSWER in tags_of(cell)]
    before = [
        cell
        for cell in notebook.cells[: ends[-1]]
        if not {EXERCISE_ONLY, SOLUTION_ONLY, CHECK} & set(tags_of(cell))
    ]
    starts = [
        place
        for place, cell in enumerate(before)
        if cell.cell_type == "markdown" and BEGINS.search(cell.source)
    ]
    cells = (
        f"```python\n{cell.source}\n```" if cell.cell_type == "code" else cell.source
        for cell in before[starts[-1] :]
    )
    question = HEADING.sub("", "\n\n".join(cells)).replace(QUESTION, "").strip()
    answer = notebook.cells[ends[-1]].source
    return LINK_TO_PAGE.sub(r"\1", question), LINK_TO_PAGE.sub(r"\1", answer)


def parts_of(question: str) -> list[str]:
    """The letters of a question's parts in their order; one nameless part if it has none."""
    return list(dict.fromkeys(PART.findall(question))) or ["the whole"]


def rubric_of(root: Path, name: str) -> dict[str, dict[str, str]]:
    """For each part of an exercise's question in words what earns it, and what does not."""
    return rubrics(root).get(name, {})


def rubrics(root: Path) -> dict[str, dict[str, dict[str, str]]]:
    """The rubrics of all exercises, by their names."""
    path = root / "guide" / RUBRICS
    return read_tables(path, RUBRIC) if path.is_file() else {}


# Plans ----------------------------------------------------------------------------------------


def plan_page(path: Path, times: dict[str, int]) -> str:
    """A week, a term or a workshop, as a page.

    Parameters
    ----------
    path : Path
        A file of `guide/`: `title`, `words`, and a `session` for each meeting, with its `title`,
        `minutes`, lists (`objectives`, `need`, `prepare`, `late`), what to do `home` before it,
        and `blocks`. A block says `what` happens, and either its `minutes` or a page to `do` or
        to `read`, which says itself how long that takes.
    times : dict of int
        As `minutes` returns it.

    Returns
    -------
    str
        MyST Markdown.

    Raises
    ------
    GuideError
        If blocks do not fill their session, or name a page that says no time, or two sessions have
        one title.
    TableError
        If the file holds something else.
    """
    plan = read_tables(path, PLAN)
    parts = [f"# {plan['title']}", plan["words"].strip()]
    titles = [session["title"] for session in plan["session"]]
    for title in {title for title in titles if titles.count(title) > 1}:
        raise GuideError(f"{path.name}: two sessions are called {title!r}")
    for session in plan["session"]:
        where = f"{path.name}, {session['title']!r}"
        rows = list(_clock(session["blocks"], times, where))
        total = sum(length for _, length, _ in rows)
        if total != session["minutes"]:
            raise GuideError(
                f"{where}: its blocks take {total} minutes, and it has {session['minutes']}"
            )
        parts += [f"## {session['title']}", *_lists(session), *_home(session, times, where)]
        parts.append(_schedule(rows))
    return "\n\n".join(parts) + "\n"


def _clock(blocks: Iterable[dict], times: dict[str, int], where: str) -> Iterator[tuple]:
    """When each block begins, how long it takes, and what happens."""
    now = 0
    for block in blocks:
        named = [f"{kind} {block[kind]}" for kind in KINDS if kind in block]
        length = _time(named[0], times, where) if named else block["minutes"]
        yield f"{now // 60}:{now % 60:02}", length, block["what"]
        now += length


def _time(name: str, times: dict[str, int], where: str) -> int:
    if name not in times:
        raise GuideError(f"{where}: {name!r} says nowhere how long it takes")
    return times[name]


def _lists(session: dict) -> Iterator[str]:
    for key, words in LISTS.items():
        if session.get(key):
            lines = "\n".join(f"* {one}" for one in session[key])
            yield f"**{words}**\n\n{lines}"


def _home(session: dict, times: dict[str, int], where: str) -> Iterator[str]:
    """What is done before the session, with the minutes that the pages say themselves."""
    if session.get("home"):
        each = [(name, _time(name, times, where)) for name in session["home"]]
        listed = ", ".join(f"{_called(name)} ({length} minutes)" for name, length in each)
        total = sum(length for _, length in each)
        yield f"**At home before:** {listed}" + (f"; {total} in all." if len(each) > 1 else ".")


def _called(name: str) -> str:
    """What a page is called in a plan."""
    kind, _, page = name.partition(" ")
    number = page[:2].lstrip("0")
    what = f"{number}, *{page[3:].replace('-', ' ')}*" if page[:2].isdigit() else f"*{page}*"
    return f"exercise {what}" if kind == "do" else f"read {what}"


def _schedule(rows: list[tuple]) -> str:
    lines = "\n".join(
        f"| {start} | {length} | {' '.join(what.split()).replace('|', chr(92) + '|')} |"
        for start, length, what in rows
    )
    return f"| from | minutes | what happens |\n| ---: | ---: | --- |\n{lines}"
