"""A chapter's Markdown as any Jupyter reads it: MyST in, plain Markdown out.

Numbers that cells computed are written out, boxes become block quotes, folded answers stay folded,
and roles become the words that the page shows. What is not known here stops the build: no reader
should meet a directive's source.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from myst_nb.core.variables import format_plain_text

from coursebuild.quizzes import NUMBER, SEPARATOR, Question, read_questions
from layerlab.errors import LayerlabError

BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|:{3,})(?:\{(?P<name>[\w:-]+)\})?(?P<argument>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
OPTION = re.compile(r"^:(?P<name>[\w-]+):(?P<value>[^\n]*)\n?")
ROLE = re.compile(r"\{(?P<name>[a-z:]+)\}`(?P<text>[^`]+)`")
LABEL = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)
NUMBERED = re.compile(r"\n\$\$ \((?P<label>[\w-]+)\)")
TITLED = re.compile(r"(?P<words>.*?) *<[^<>]+>")
PAGE = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<page>[\w./-]+)\.(?:md|ipynb)(?P<place>#[\w-]+)?\)")
PLACE = re.compile(r"\[(?P<words>[^\]]+)\]\(#(?P<label>[\w-]+)\)")
FIGURE = re.compile(r"\[\]\(#(?P<anchor>[\w-]+)\)")
FOLDED = "<details><summary>{title}</summary>\n\n{body}\n\n</details>"


class PlainError(LayerlabError):
    """A page says something that only the site can show."""


@dataclass
class Known:
    """What a page's text refers to.

    Attributes
    ----------
    values : mapping
        What its cells stored under a name, as text.
    equations : mapping
        The number that the pages show beside a formula, by its label.
    works : mapping
        Authors and year of what is cited, by its key.
    figures : mapping
        What a link without words says: the number of each figure, such as "Figure 2.1", by its
        anchor, and the title of each section that has a label.
    address : callable
        Where a page, given relative to this one, or a label lies; "" if nowhere that one could go.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    equations: Mapping[str, str] = field(default_factory=dict)
    works: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)
    address: Callable[[str, str], str] = lambda page, place: ""


def plain(text: str, known: Known) -> str:
    """Write a Markdown cell so that it can be read without the site.

    Raises
    ------
    PlainError
        If it has a directive or a role that has no plain words, or refers to what is not known.
    """
    text = BLOCK.sub(lambda block: _plain_block(block, known), text)
    text = LABEL.sub("", text)
    text = NUMBERED.sub(lambda m: rf" \tag{{{_found(known.equations, m['label'])}}}" "\n$$", text)
    text = ROLE.sub(lambda role: _plain_role(role, known), text)
    text = FIGURE.sub(lambda m: _found(known.figures, m["anchor"]), text)
    text = PAGE.sub(lambda m: _link(m["words"], known.address(m["page"], m["place"] or "")), text)
    return PLACE.sub(lambda m: _link(m["words"], known.address("", m["label"])), text)


def _link(words: str, address: str) -> str:
    return f"[{words}]({address})" if address else words


def _found(mapping: Mapping, key: str):
    if key not in mapping:
        raise PlainError(f"{key!r} is referred to, and nothing on the pages has that name")
    return mapping[key]


# Roles ---------------------------------------------------------------------------------------


def _plain_role(role: re.Match, known: Known) -> str:
    name, text = role["name"], role["text"]
    if name == "glue:text":
        key, _, form = text.rpartition(":") if ":" in text else (text, "", "s")
        return format_plain_text(_found(known.values, key), form)
    if name == "eq":
        return f"({_found(known.equations, text)})"
    if name == "term":
        titled = TITLED.fullmatch(" ".join(text.split()))
        return titled["words"] if titled else text
    if name in CITED:
        works = [_found(known.works, key.strip()) for key in text.split(",")]
        return CITED[name](works)
    raise PlainError(f"the role `{role[0]}` has no plain words")


CITED: dict[str, Callable[[list[tuple[str, str]]], str]] = {
    "cite:p": lambda works: f"({'; '.join(f'{who}, {year}' for who, year in works)})",
    "cite:t": lambda works: ", ".join(f"{who} ({year})" for who, year in works),
    "cite:yearpar": lambda works: f"({'; '.join(year for _, year in works)})",
}


# Directives ----------------------------------------------------------------------------------


def _plain_block(block: re.Match, known: Known) -> str:
    """Write a fenced block; what has no name in braces is code, and stays as it is."""
    if block["name"] is None:
        return block[0]
    if block["name"] not in BLOCKS:
        raise PlainError(f"the directive `{block['name']}` has no plain words")
    indent, body, options = block["indent"], block["body"], {}
    body = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
    while match := OPTION.match(body):
        options[match["name"]], body = match["value"].strip(), body[match.end() :]
    made = BLOCKS[block["name"]](block["argument"].strip(), options, plain(body.strip(), known))
    return "\n".join(f"{indent}{line}".rstrip() for line in made.split("\n"))


def _box(title: str, options: dict[str, str], body: str) -> str:
    return re.sub(r"^(?=.)|^$", "> ", f"**{title}**\n\n{body}", flags=re.MULTILINE)


def _predict(title: str, options: dict[str, str], body: str) -> str:
    """Leave a prediction to the reader's pencil."""
    if "choices" in options:
        return f"*Write down which: {options['choices'].replace('|', '·')}.*"
    unit = f" ({options['number']})" if options.get("number") else ""
    return "*Draw your curve on paper.*" if "sketch" in options else f"*Write down a number{unit}.*"


def _quiz(title: str, options: dict[str, str], body: str) -> str:
    questions = [f"{i}. {_question(q)}" for i, q in enumerate(read_questions(body), 1)]
    return "\n\n".join(questions)


def _question(question: Question) -> str:
    """Write a question with its choices, and its answer folded, as an item of a list."""
    halves = [(mark, *text.partition(SEPARATOR)[::2]) for mark, text in question.lines]
    if question.kind == "choice":
        asked = [f"- {text}" for _, text, _ in halves]
        said = {"+": "**Right:** ", "-": "**Not:** "}
        answer = [f"- {said[mark]}{text} {reason}" for mark, text, reason in halves]
    elif question.kind == "number":
        asked, ((_, value, reason),) = [], halves
        number = NUMBER.fullmatch(value)
        answer = [f"{number['value']} {number['unit']}".strip() + f". {reason}"]
    else:
        *lines, (_, reason, _) = halves
        asked = [f"- {text}" for text in sorted(text for _, text, _ in lines)]
        answer = [*(f"{i}. {text}" for i, (_, text, _) in enumerate(lines, 1)), "", reason]
    folded = FOLDED.format(title="Answer", body="\n".join(answer))
    parts = [question.stem, "\n".join(asked), folded]
    return re.sub(r"\n(?=.)", "\n   ", "\n\n".join(filter(None, parts)))


BLOCKS: dict[str, Callable[[str, dict[str, str], str], str]] = {
    "admonition": _box,
    "warning": lambda title, options, body: _box("Warning", options, body),
    "dropdown": lambda title, options, body: FOLDED.format(title=title, body=body),
    "predict": _predict,
    "said": lambda title, options, body: "",  # the prose says it, too
    "quiz": _quiz,
}
