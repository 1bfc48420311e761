"""What a student reads of a graded exercise: a page that names steps, mistakes and hints."""

from html import escape

from coursebuild.classroom.marking import StepMark
from coursebuild.classroom.results import WAITS, Result

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}: feedback</title>
<style>
:root {{ color-scheme: light dark; --line: light-dark(#d0d7de, #444c56);
  --good: light-dark(#116329, #57ab5a); --bad: light-dark(#a40e26, #f47067); }}
body {{ font: 1rem/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }}
section {{ border-top: 1px solid var(--line); padding: .2rem 0 .6rem; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.05rem; margin: .7rem 0 .2rem; }}
.right {{ color: var(--good); }} .wrong {{ color: var(--bad); }}
p, ul {{ margin: .3rem 0; }} pre {{ white-space: pre-wrap; font-size: .9rem; }}
blockquote {{ margin: .4rem 0; padding-left: .8rem; border-left: 3px solid var(--line);
  white-space: pre-wrap; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{student} · {points}</p>
{parts}
</body>
</html>
"""


def page(result: Result) -> str:
    """The page of a result, in which nothing that a student wrote is anything but text."""
    if result.reason:
        parts = [_section("No grade yet", ["<p>Your instructor sees why.</p>"])]
    else:
        parts = [_step(mark) for mark in result.steps] + [_words(word) for word in result.words]
    if result.told:
        parts.append(_section("About your notebook", _items(result.told)))
    return PAGE.format(
        title=escape(result.title),
        student=escape(result.student),
        points=escape(points_in_words(result)),
        parts="\n".join(parts),
    )


def points_in_words(result: Result) -> str:
    """How many points there are, and whether more may come."""
    if result.reason:
        return "no grade yet"
    words = f"{result.points:g} of {result.maximum:g} points"
    return f"{words} so far; your answer in words {WAITS}" if result.state == WAITS else words


def _step(mark: StepMark) -> str:
    name = escape(mark.step)
    sign = "✓" if mark.points else "✗"
    kind = "right" if mark.points else "wrong"
    head = f'<span class="{kind}">{sign}</span> {name}: {mark.points:g} of {mark.maximum:g}'
    rows = []
    if mark.group:
        rows.append(f"<p>{escape(mark.group)}: not right.</p>")
    for name, hint in zip(mark.names, mark.hints, strict=False):
        rows.append(
            f"<p>This looks like a known mistake: <b>{escape(name)}</b>. {escape(hint)}</p>"
        )
    rows += _items(mark.lines)
    if mark.errors:
        rows.append("<p>What its cells raised:</p>")
        rows += [f"<pre>{escape(error)}</pre>" for error in mark.errors]
    return _section(head, rows)


def _words(word: dict) -> str:
    if not word["text"]:
        return _section(f"In words: 0 of {word['maximum']:g}", ["<p>Nothing was written.</p>"])
    rows = [f"<blockquote>{escape(word['text'])}</blockquote>"]
    rows += [f"<p>{escape(word['said'])}</p>"] if word.get("said") else []
    if "points" in word:
        return _section(f"In words: {word['points']:g} of {word['maximum']:g}", rows)
    return _section(f"In words: {WAITS} ({word['maximum']:g} at most)", rows)


def _items(lines: list[str]) -> list[str]:
    rows = [f"<li>{escape(line)}</li>" for line in lines]
    return ["<ul>", *rows, "</ul>"] if rows else []


def _section(head: str, rows: list[str]) -> str:
    return "\n".join(["<section>", f"<h2>{head}</h2>", *rows, "</section>"])
