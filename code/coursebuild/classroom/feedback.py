"""What a student reads of a graded exercise: a page that names steps, mistakes and hints."""

from html import escape

from coursebuild.classroom.document import document
from coursebuild.classroom.marking import StepMark
from coursebuild.classroom.results import WAITS, Result
from coursechecks.language import say, spoken, translatable, worded

STYLE = """\
:root { --good: light-dark(#116329, #57ab5a); --bad: light-dark(#a40e26, #f47067); }
body { max-width: 46rem; }
section { border-top: 1px solid var(--line); padding: .2rem 0 .6rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: .7rem 0 .2rem; }
.right { color: var(--good); } .wrong { color: var(--bad); }
p, ul { margin: .3rem 0; } pre { white-space: pre-wrap; font-size: .9rem; }
"""
BODY = "<h1>{title}</h1>\n<p>{student} · {points}</p>\n{parts}"

IN_WORDS = translatable("In words: {points:g} of {maximum:g}")
POINTS = translatable("{points:g} of {maximum:g}")
SO_FAR = translatable(
    "{points:g} of {maximum:g} points so far; your answer in words waits for a reader"
)


def page(result: Result) -> str:
    """The page of a result, in which nothing that a student wrote is anything but text."""
    if result.reason:
        why = f"<p>{escape(say('Your instructor sees why.'))}</p>"
        parts = [_section(say("No grade yet"), [why])]
    else:
        parts = [_step(mark) for mark in result.steps] + [_words(word) for word in result.words]
    if result.told:
        parts.append(_section(say("About your notebook"), _items(result.told)))
    title = say(result.title)
    body = BODY.format(
        title=escape(title),
        student=escape(result.student),
        points=escape(points_in_words(result)),
        parts="\n".join(parts),
    )
    return document(say("{title}: feedback", title=title), body, STYLE, language=spoken())


def points_in_words(result: Result) -> str:
    """How many points there are, and whether more may come."""
    if result.reason:
        return say("no grade yet")
    points = {"points": result.points, "maximum": result.maximum}
    if result.state == WAITS:
        return say(SO_FAR, **points)
    return say("{points:g} of {maximum:g} points", **points)


def _step(mark: StepMark) -> str:
    name = escape(mark.step)
    sign = "✓" if mark.points else "✗"
    kind = "right" if mark.points else "wrong"
    points = say(POINTS, points=mark.points, maximum=mark.maximum)
    head = f'<span class="{kind}">{sign}</span> {name}: {escape(points)}'
    rows = []
    if mark.group:
        words = say("{group}: not right.", group=worded(mark.group))
        rows.append(f"<p>{escape(words)}</p>")
    for name, hint in zip(mark.names, mark.hints, strict=False):
        bold = f"<b>{escape(say(name))}</b>"
        looks = say("This looks like a known mistake: {name}.", name=bold)
        rows.append(f"<p>{looks} {escape(say(hint))}</p>")
    rows += _items(mark.lines)
    if mark.errors:
        rows.append(f"<p>{escape(say('What its cells raised:'))}</p>")
        rows += [f"<pre>{escape(error)}</pre>" for error in mark.errors]
    return _section(head, rows)


def _words(word: dict) -> str:
    if not word["text"]:
        nothing = f"<p>{escape(say('Nothing was written.'))}</p>"
        return _section(say(IN_WORDS, points=0, maximum=word["maximum"]), [nothing])
    rows = [f"<blockquote>{escape(word['text'])}</blockquote>"]
    rows += [f"<p>{escape(word['said'])}</p>"] if word.get("said") else []
    if "points" in word:
        return _section(say(IN_WORDS, points=word["points"], maximum=word["maximum"]), rows)
    waits = say("In words: waits for a reader ({maximum:g} at most)", maximum=word["maximum"])
    return _section(waits, rows)


def _items(lines: list[str]) -> list[str]:
    rows = [f"<li>{escape(line)}</li>" for line in lines]
    return ["<ul>", *rows, "</ul>"] if rows else []


def _section(head: str, rows: list[str]) -> str:
    return "\n".join(["<section>", f"<h2>{head}</h2>", *rows, "</section>"])
