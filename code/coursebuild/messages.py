"""What of a page is translated, and the page with other words in those places: text in, text out.

A message is what one translates at a time: a paragraph, a heading, a cell of a table, a line of a
quiz, in Markdown and on one line. Code, formulas, labels and all that only programs read are none.
`with_messages` puts what a function returns for each message in its place and leaves all else as it
was, so that a page has the same cells in every language, and the same stored outputs.

What cells print stays as they printed it, but the captions, alternative texts and drawn words of
figures and the heads of tables are messages, too: HTML in, HTML out.
"""

import ast
import json
import re
import tokenize
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import escape, unescape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from coursebuild.blanks import read_tokens
from coursebuild.pictures import HELD
from layerlab.errors import LayerlabError

Translate = Callable[[str], str]
Edit = tuple[int, int, str]  # from one place of a text to another: what stands there instead

# Those of `_config.yml` that decide what a block is; a test compares them.
EXTENSIONS = ("amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath", "fieldlist")
EXTENSIONS += ("substitution",)
TITLED = {"admonition", "dropdown", "card", "tip", "note", "warning"}  # their argument is read
WITH_TEXT = TITLED | {"div", "said", "margin", "important", "seealso"}
FRONT_MATTER = (
    re.compile(r'^\s+"description lang=en": "(?P<text>.*)"$', re.MULTILINE),
    re.compile(r"^\s+promises: (?P<text>.*)$", re.MULTILINE),
)
DIRECTIVE = re.compile(r"\{(?P<name>[\w:-]+)\} *(?P<title>.*)")
OPTION = re.compile(r"^:[\w-]+:.*$")
CHOICES = re.compile(r"^:choices: (?P<texts>.*)$", re.MULTILINE)
UNIT = re.compile(r"^:number: (?P<text>\S.*)$", re.MULTILINE)
AXES = re.compile(r"^:sketch: (?P<text>.*)$", re.MULTILINE)
AXIS = re.compile(r"(?P<label>.+?)(?P<ends> -?\d+(?:\.\d+)? -?\d+(?:\.\d+)?)")
LINE_OF_QUIZ = re.compile(r"(?P<mark>[-+=]|\d+\.|::) +(?P<text>.*)")
UNSPOKEN = re.compile(
    r"\{[\w:-]+\}`[^`]*`|\$[^$]*\$|`[^`]*`|\]\([^)]*\)|\{\{.*?\}\}"
)  # of a message: a page needs other words for none of it
ROLE = re.compile(r"\{[\w:-]+\}`[^`]*`")
TARGET = re.compile(r"\]\(([^)]*)\)")
FIELD = re.compile(r"(?<!\{)\{\w*(?:[!:][^{}]*)?\}(?![`}])")
PARTS_OF_QUIZ = (" :: ", " ± ")
HTML_TEXT = re.compile(
    r"(?P<open><(?:figcaption|caption)>|<th scope=\"(?:col|row)\">|<img alt=\")"
    r"(?P<text>[^<>\"]*)(?P<close><|\")"
)
TOUCHED = re.compile(
    r'(?P<open><div class="explorable"[^>]*><script type="application/json">)'
    r"(?P<data>.*?)(?=</script>)",
    re.DOTALL,
)
SAID_THERE = ("title", "try")  # of what can be touched
DRAWN = re.compile(r"(?P<open><text\b[^>]*>)(?P<text>[^<]+)(?P<close></text>)")


class MessageError(LayerlabError):
    """A page cannot be taken apart into its messages, or a translation does not fit."""


# A page ---------------------------------------------------------------------------------------


def messages_of(text: str) -> list[str]:
    """The messages of a page or of a cell in Markdown, each once, in their order."""
    found: dict[str, None] = {}

    def note(message: str) -> str:
        found[message] = None
        return message

    with_messages(text, note)
    return list(found)


def with_messages(text: str, translate: Translate) -> str:
    """Put other words into a page.

    Parameters
    ----------
    text : str
        The source of a page, or of a cell in Markdown.
    translate : callable
        What stands in place of a message; the message itself where it stays.

    Returns
    -------
    str
        The same code, formulas, labels and directives, in the same order.

    Raises
    ------
    MessageError
        If a message cannot be found where its place should be.
    """
    edits: list[Edit] = []
    starts = _starts(text)
    tokens = _parser().parse(text)
    for before, token in pairwise([Token("", "", 0), *tokens]):
        if token.type == "front_matter":
            edits += _front_matter(text, starts, token, translate)
        elif token.type == "inline" and before.type != "fieldlist_name_open":
            edits += _inline(text, starts, token, edits, translate)
        elif token.type in ("fence", "colon_fence"):
            edits += _directive(text, starts, token, translate)
    return _edited(text, edits)


@cache
def _parser() -> MarkdownIt:
    """The parser of the pages themselves, so that both see the same blocks."""
    return create_md_parser(MdParserConfig(enable_extensions=set(EXTENSIONS)), RendererHTML)


def _starts(text: str) -> list[int]:
    """Where each line begins, and where the next one would."""
    places = [0]
    for line in text.split("\n"):
        places.append(places[-1] + len(line) + 1)
    return places


def _edited(text: str, edits: Iterable[Edit]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def has_words(message: str) -> bool:
    """Whether there is anything in a message that another language says otherwise."""
    return re.search(r"[^\W\d_]{2}", UNSPOKEN.sub(" ", message)) is not None


def _said(message: str, translate: Translate) -> str:
    return translate(message) if has_words(message) else message


def _front_matter(
    text: str, starts: list[int], token: Token, translate: Translate
) -> Iterator[Edit]:
    end = starts[token.map[1]] - 1
    for pattern in FRONT_MATTER:
        for found in pattern.finditer(text, 0, end):
            said = _said(found["text"], translate)
            if said != found["text"]:
                yield *found.span("text"), json.dumps(said, ensure_ascii=False).strip('"')


# Paragraphs, headings, cells of tables ---------------------------------------------------------


def one_line(content: str) -> str:
    """A paragraph on one line, but for the breaks that it asks for itself."""
    lines = content.split("\n")
    pieces = [lines[0].strip()]
    for before, line in pairwise(lines):
        pieces += ["\n" if before.endswith(("\\", "  ")) else " ", line.strip()]
    return "".join(pieces)


def _inline(
    text: str, starts: list[int], token: Token, edits: list[Edit], translate: Translate
) -> Iterator[Edit]:
    message = one_line(token.content)
    said = _said(message, translate)
    lines = token.content.split("\n")
    first = starts[token.map[0]]
    begun = [end for start, end, _ in edits if start >= first]  # other cells of this table's row
    start = _find(text, lines[0].strip(), max([first, *begun]), message)
    last = max(start, starts[token.map[0] + len(lines) - 1])
    end = _find(text, lines[-1].strip(), last, message) + len(lines[-1].strip())
    before = text[first:start]
    after = re.sub(
        r"[^>\s]", " ", before
    )  # a list's sign is there once, a quotation's on each line
    # What stays is told, too, so that the next cell of a row is looked for behind it.
    yield start, end, text[start:end] if said == message else said.replace("\n", f"\n{after}")


def _find(text: str, words: str, start: int, message: str) -> int:
    at = text.find(words, start)
    if at < 0:
        raise MessageError(f"{message[:60]!r} is not found where it stands; write it more plainly")
    return at


# Directives ------------------------------------------------------------------------------------


def _directive(text: str, starts: list[int], token: Token, translate: Translate) -> Iterator[Edit]:
    found = DIRECTIVE.fullmatch(token.info.strip())
    if found is None:
        return
    name, first = found["name"], starts[token.map[0]]
    if name in TITLED and found["title"] and (said := _said(found["title"], translate)):
        at = _find(text, found["title"], first, found["title"])
        yield at, at + len(found["title"]), said
    made = _body(name, token.content, translate)
    if made != token.content:
        line = text[first : starts[token.map[0] + 1] - 1]
        before = re.sub(r"[^>\s]", " ", line[: line.index(token.markup)])
        end = starts[token.map[0] + 1 + token.content.count("\n")]
        lines = (before + line if line else "" for line in made.rstrip("\n").split("\n"))
        yield starts[token.map[0] + 1], end, "\n".join(lines) + "\n"


def _body(name: str, content: str, translate: Translate) -> str:
    """What stands in a directive, with other words."""
    if name in WITH_TEXT:
        lines = content.split("\n")
        n = next((i for i, line in enumerate(lines) if not OPTION.match(line)), len(lines))
        return "\n".join([*lines[:n], with_messages("\n".join(lines[n:]), translate)])
    makers = {"quiz": _quiz, "predict": _prediction, "glossary": _glossary}
    return makers[name](content, translate) if name in makers else content


def _quiz(content: str, translate: Translate) -> str:
    """The questions of a quiz; a choice and its reason are one message."""
    blocks = re.split(r"\n\s*\n", content.strip("\n"))
    made = ["\n".join(_question(block, translate)) for block in blocks]
    return "\n\n".join(made) + "\n" if made != blocks else content


def _question(block: str, translate: Translate) -> Iterator[str]:
    lines: list[tuple[str, str]] = [("", "")]
    for line in map(str.strip, block.split("\n")):
        if marked := LINE_OF_QUIZ.fullmatch(line):
            lines.append((f"{marked['mark']} ", marked["text"]))
        else:
            mark, text = lines[-1]
            lines[-1] = mark, f"{text} {line}".strip()
    said = [mark + _said(text, translate) for mark, text in lines]
    unchanged = [mark + text for mark, text in lines] == said
    yield from block.split("\n") if unchanged else said


def _prediction(content: str, translate: Translate) -> str:
    def choices(found: re.Match) -> str:
        texts = (_said(text.strip(), translate) for text in found["texts"].split("|"))
        return f":choices: {' | '.join(texts)}"

    def axes(found: re.Match) -> str:
        axes = (AXIS.fullmatch(part.strip()) for part in found["text"].split("|"))
        return ":sketch: " + " | ".join(_said(a["label"], translate) + a["ends"] for a in axes if a)

    content = UNIT.sub(lambda found: f":number: {_said(found['text'], translate)}", content)
    return AXES.sub(axes, CHOICES.sub(choices, content))


def _glossary(content: str, translate: Translate) -> str:
    """What a glossary says of its terms; the terms are names, by which pages find them."""

    def definition(found: re.Match) -> str:
        message = one_line(found[0].rstrip("\n"))
        said = _said(message, translate)
        return found[0] if said == message else f"  {said}\n"

    return re.sub(r"(?m)(?:^[ \t]+\S.*\n?)+", definition, content)


# Code of notebooks to take home ------------------------------------------------------------------


def code_messages(source: str) -> list[str]:
    """The comments and the words below a `def` that a cell of code holds, each once."""
    found: dict[str, None] = {}

    def note(message: str) -> str:
        found[message] = None
        return message

    with_code_messages(source, note)
    return list(found)


def with_code_messages(source: str, translate: Translate) -> str:
    """Put other words into the comments and the docstrings of a cell; the code stays the same."""
    starts = _starts(source)
    edits = []
    for token in read_tokens(source):
        said = ""
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if token.type == tokenize.COMMENT:
            message = token.string.lstrip("#").strip()
            said = _said(message, translate)
            start += len(token.string) - len(message)
        elif token.start in _docstrings(source) and token.string.startswith('"""'):
            message = token.string.removeprefix('"""').removesuffix('"""')
            said = _said(message, translate)
            start, end = start + 3, end - 3
        if said and said != source[start:end]:
            edits.append((start, end, said))
    made = _edited(source, edits)
    if ast.dump(without_docstrings(made)) != ast.dump(without_docstrings(source)):
        raise MessageError(f"with its comments translated, a cell is other code:\n{made}")
    return made


def _documented(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a cell that are docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            yield node.body[0]


@cache
def _docstrings(source: str) -> set[tuple[int, int]]:
    return {(node.lineno, node.col_offset) for node in _documented(ast.parse(source))}


def without_docstrings(source: str) -> ast.Module:
    """What a cell does: its code as a tree, whose docstrings are empty."""
    tree = ast.parse(source)
    for node in _documented(tree):
        node.value.value = ""
    return tree


# What cells put out ------------------------------------------------------------------------------


def html_messages(html: str) -> list[str]:
    """The captions, alternative texts, heads, titles and drawn words in what a cell put out."""
    found: dict[str, None] = {}

    def note(message: str) -> str:
        found[message] = None
        return message

    html_with_messages(html, note)
    return list(found)


def html_with_messages(html: str, translate: Translate) -> str:
    """Put other words into what a cell put out; lines and numbers stay."""

    def text(found: re.Match) -> str:
        message = unescape(found["text"])
        said = _said(message, translate)
        return found[0] if said == message else found["open"] + escape(said) + found["close"]

    def touched(found: re.Match) -> str:
        data = json.loads(found["data"])
        said = {key: _said(data[key], translate) for key in SAID_THERE if key in data}
        if said == {key: data[key] for key in said}:
            return found[0]
        return found["open"] + json.dumps(data | said).replace("</", "<\\/")

    def drawn(found: re.Match) -> str:
        if found[1] == "png":
            return found[0]
        drawing = DRAWN.sub(text, b64decode(found[2]).decode("utf-8"))
        return found[0].replace(found[2], b64encode(drawing.encode("utf-8")).decode("ascii"))

    return HELD.sub(drawn, HTML_TEXT.sub(text, TOUCHED.sub(touched, html)))


# Whether a translation fits ----------------------------------------------------------------------


def misfits(message: str, said: str) -> list[str]:
    """What a translation lacks that its message has, or the other way round; a line for each.

    Roles, where links lead, fields in braces and the signs of a quiz stay as they are, for programs
    read them; and what is one paragraph stays one.
    """
    lines = []
    for what, pattern in (("the role", ROLE), ("the link to", TARGET), ("the field", FIELD)):
        wanted, came = (Counter(pattern.findall(text)) for text in (message, said))
        lines += [f"{what} {one} is missing" for one in (wanted - came)]
        lines += [f"{what} {one} is new" for one in (came - wanted)]
    for sign in PARTS_OF_QUIZ:
        if message.count(sign) != said.count(sign):
            lines.append(f"{sign.strip()!r} stands there {said.count(sign)} times")
    if _is_paragraph(message) and not _is_paragraph(said):
        lines.append("it is no single paragraph any more")
    return lines


def _is_paragraph(text: str) -> bool:
    types = [token.type for token in _parser().parse(text)]
    return types == ["paragraph_open", "inline", "paragraph_close"]
