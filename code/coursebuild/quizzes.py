"""What a page asks its reader: predictions that are kept, and quizzes. Directives for MyST pages.

A prediction stands where it is asked for, and what the reader had said where the result is told::

    ```{predict} larger
    :choices: the walk | the straight line
    ```

    ```{said} larger
    It was {glue:text}`larger`.
    ```

Instead of `:choices:` there may be `:number: UNIT`, or, for a curve that the reader draws,
`:sketch: LABEL LOW HIGH | LABEL LOW HIGH`, x before y. A quiz is a list of questions, with a blank
line between them::

    ```{quiz}
    Which distance is larger?
    + The walk. :: No detour is shorter than the straight line.
    - The straight line. :: It is the shortest way.

    How long is the walk?
    = {glue:text}`l1:.1f` ± 10 % steps :: One for each component.

    What comes first?
    1. the difference
    2. the power
    3. the root
    :: The root undoes the power.
    ```

`+` is the right choice and `-` a wrong one, each with what there is to say of it; `=` a number,
with how far an answer may be off; lines with numbers are to be put in order. Without its script a
quiz is a list with folded answers, and a prediction is left to the reader's pencil.
"""

import json
import random
import re
from dataclasses import dataclass, field
from html import escape
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursebuild.catalogues import say

MARK = re.compile(r"(?P<mark>[-+=]|\d+\.|::) +(?P<text>.*)")
NUMBER = re.compile(r"(?P<value>.+?) ± (?P<off>\d+(?:\.\d+)?)(?P<percent> ?%)? ?(?P<unit>.*)")
AXIS = re.compile(r"(.+?) (-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)")
SEPARATOR = " :: "


class QuizError(ValueError):
    """A question that is not written as questions are."""


@dataclass
class Question:
    """A question of a quiz, as its source says it.

    Attributes
    ----------
    stem : str
        What is asked.
    lines : list of (str, str)
        Marks and what follows them, in order.
    """

    stem: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """One of "choice", "number" and "order"."""
        marks = {mark for mark, _ in self.lines}
        if marks == {"+", "-"} and [mark for mark, _ in self.lines].count("+") == 1:
            return "choice"
        if [mark for mark, _ in self.lines] == ["="]:
            return "number"
        if len(self.lines) >= 4 and self.lines[-1][0] == "::" and not marks & set("+-="):
            return "order"
        raise QuizError(
            f"{self.stem!r}: a question has one + and some -, or one =, or three or more numbered "
            "lines and then a :: with what to say of them"
        )


def read_questions(text: str) -> list[Question]:
    """Read the source of a quiz.

    Raises
    ------
    QuizError
        If a question is written otherwise; its first line is quoted.
    """
    questions = [_read_question(block) for block in re.split(r"\n\s*\n", text.strip())]
    for question in questions:
        for mark, line in question.lines:
            if question.kind != "order" and not all(map(str.strip, _halves(line))):
                raise QuizError(f"{question.stem!r}: `{mark} {line}` lacks ` :: ` and a reason")
        if question.kind == "number" and not NUMBER.fullmatch(_halves(question.lines[0][1])[0]):
            raise QuizError(f"{question.stem!r}: write `= NUMBER ± HOW FAR OFF UNIT :: reason`")
    return questions


def _read_question(block: str) -> Question:
    question = Question("")
    for line in map(str.strip, block.splitlines()):
        match = MARK.fullmatch(line)
        if match:
            question.lines.append((match["mark"], match["text"]))
        elif question.lines:
            mark, text = question.lines[-1]
            question.lines[-1] = mark, f"{text} {line}"
        else:
            question.stem = f"{question.stem} {line}".strip()
    return question


def _halves(line: str) -> tuple[str, str]:
    before, _, after = line.partition(SEPARATOR)
    return before, after


class Predict(nodes.General, nodes.Element):
    """Where a reader says what to expect."""


class Said(nodes.General, nodes.Element):
    """Where a reader is told what he or she had said."""


class Quiz(nodes.General, nodes.Element):
    """Questions with answers."""


class Answer(nodes.General, nodes.Element):
    """What there is to say of an answer, folded."""


ASKING = (Predict, Said, Quiz)


class PredictDirective(SphinxDirective):
    """Ask for a prediction: one of some choices, a number, or a curve."""

    required_arguments = 1
    option_spec: ClassVar[dict] = {
        "choices": directives.unchanged_required,
        "number": directives.unchanged,
        "sketch": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Make the node, its choices as a list."""
        if len(self.options) != 1:
            raise self.error("a prediction has one of :choices:, :number: and :sketch:")
        node = Predict(name=_full_name(self), unit=self.options.get("number"))
        if "sketch" in self.options:
            node["sketch"] = self._axes(self.options["sketch"])
        if "choices" in self.options:
            texts = self.options["choices"].split("|")
            node += _bullets([_inline(self, text.strip()) for text in texts])
        known = self.env.metadata[self.env.docname].setdefault("predictions", [])
        if node["name"] in known:
            raise self.error(f"the page asks twice for the prediction {self.arguments[0]!r}")
        known.append(node["name"])
        return [node]

    def _axes(self, text: str) -> str:
        """Return labels and ends of both axes as JSON."""
        found = [AXIS.fullmatch(part.strip()) for part in text.split("|")]
        if len(found) != 2 or None in found:
            raise self.error(f":sketch: {text} is not LABEL LOW HIGH | LABEL LOW HIGH")
        axes = [[axis[1], float(axis[2]), float(axis[3])] for axis in found if axis]
        return json.dumps(dict(zip("xy", axes, strict=True)))


class SaidDirective(SphinxDirective):
    """Say what the reader had predicted, and what came."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Make the node around what came."""
        name = _full_name(self)
        if name not in self.env.metadata[self.env.docname].get("predictions", []):
            raise self.error(f"nobody was asked for the prediction {self.arguments[0]!r} above")
        node = Said(name=name)
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


class QuizDirective(SphinxDirective):
    """Ask questions that can be answered on the page."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Make a list of the questions, each with a folded answer."""
        try:
            questions = read_questions("\n".join(self.content))
        except QuizError as error:
            raise self.error(str(error)) from error
        items = nodes.enumerated_list("", enumtype="arabic")
        for question in questions:
            items += MAKERS[question.kind](self, question)
        return [Quiz("", items, page=_page(self))]


def _page(directive: SphinxDirective) -> str:
    return directive.env.docname.rpartition("/")[2]


def _full_name(directive: SphinxDirective) -> str:
    return f"{_page(directive)}/{directive.arguments[0]}"


def _inline(directive: SphinxDirective, text: str) -> list[nodes.Node]:
    found, _ = directive.state.inline_text(text, directive.lineno)
    return found


def _bullets(items: list[list[nodes.Node]], kind: type = nodes.bullet_list) -> nodes.Element:
    made = [nodes.list_item("", nodes.paragraph("", "", *item)) for item in items]
    extra = {"enumtype": "arabic"} if kind is nodes.enumerated_list else {"bullet": "-"}
    return kind("", *made, **extra)


def _item(directive: SphinxDirective, question: Question, *below: nodes.Node) -> nodes.list_item:
    stem = nodes.paragraph("", "", *_inline(directive, question.stem))
    return nodes.list_item("", stem, *below, classes=[question.kind])


def _choice(directive: SphinxDirective, question: Question) -> nodes.list_item:
    halves = [(mark, *_halves(line)) for mark, line in question.lines]
    options = _bullets([_inline(directive, text) for _, text, _ in halves])
    reasons = nodes.bullet_list("", bullet="-")
    for mark, text, reason in halves:
        words = say("Right:") if mark == "+" else say("Not:")
        said = [nodes.strong("", f"{words} "), *_inline(directive, f"{text} ")]
        why = nodes.inline("", "", *_inline(directive, reason), classes=["why"])
        paragraph = nodes.paragraph("", "", *said, why)
        classes = ["right"] if mark == "+" else []
        reasons += nodes.list_item("", paragraph, classes=classes)
    return _item(directive, question, options, Answer("", reasons))


def _number(directive: SphinxDirective, question: Question) -> nodes.list_item:
    text, reason = _halves(question.lines[0][1])
    match = NUMBER.fullmatch(text)
    assert match  # or `read_questions` would have refused it
    value = nodes.inline("", "", *_inline(directive, match["value"]), classes=["value"])
    unit = f" {match['unit']}" if match["unit"] else ""
    why = nodes.inline("", "", *_inline(directive, reason), classes=["why"])
    paragraph = nodes.paragraph("", "", value, nodes.Text(f"{unit}. "), why)
    off = f"{match['off']}{'%' if match['percent'] else ''}"
    return _item(directive, question, Answer("", paragraph, off=off, unit=match["unit"]))


def _order(directive: SphinxDirective, question: Question) -> nodes.list_item:
    *lines, (_, reason) = question.lines
    right = [text for _, text in lines]
    mixed = random.Random(question.stem).sample(right, len(right))
    if mixed == right:
        mixed.reverse()
    options, ordered = (
        _bullets([_inline(directive, text) for text in texts], kind)
        for texts, kind in ((mixed, nodes.bullet_list), (right, nodes.enumerated_list))
    )
    places = " ".join(str(right.index(text)) for text in mixed)
    why = nodes.paragraph("", "", *_inline(directive, reason), classes=["why"])
    return _item(directive, question, options, Answer("", ordered, why, places=places))


MAKERS = {"choice": _choice, "number": _number, "order": _order}


# What becomes of them ------------------------------------------------------------------------


def _tag(name: str, **attributes: str | None) -> str:
    """Open an element; `class_` is its class, `data_name` its data-name, and None is left out."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    texts = [f'{key}="{escape(value)}"' for key, value in given.items() if value is not None]
    return f"<{' '.join([name, *texts])}>"


def _visit_predict(self, node: Predict) -> None:
    asked = {f"data_{key}": node.get(key) for key in ("name", "unit", "sketch")}
    self.body.append(_tag("div", class_="predict", data_script="ask", hidden="", **asked))


def _visit_said(self, node: Said) -> None:
    self.body.append(
        _tag("div", class_="said", data_script="ask", hidden="", data_name=node["name"])
    )


def _visit_quiz(self, node: Quiz) -> None:
    self.body.append(_tag("div", class_="quiz", data_script="ask", data_name=node["page"]))


def _visit_answer(self, node: Answer) -> None:
    known = {f"data_{key}": node.get(key) for key in ("off", "unit", "places")}
    self.body.append(f"{_tag('details', **known)}<summary>{say('Answer')}</summary>")


def _leave(self, node: nodes.Element) -> None:
    self.body.append("</details>" if isinstance(node, Answer) else "</div>")


def _skip(self, node: nodes.Element) -> None:
    raise nodes.SkipNode


def _pass(self, node: nodes.Element) -> None:
    """Let what is inside speak for itself."""


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    plain = ("latex", "text", "man", "texinfo")
    for node, visit in ((Predict, _visit_predict), (Said, _visit_said)):
        app.add_node(node, html=(visit, _leave), **dict.fromkeys(plain, (_skip, None)))
    for node, visit in ((Quiz, _visit_quiz), (Answer, _visit_answer)):
        app.add_node(node, html=(visit, _leave), **dict.fromkeys(plain, (_pass, _pass)))
    app.add_directive("predict", PredictDirective)
    app.add_directive("said", SaidDirective)
    app.add_directive("quiz", QuizDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
