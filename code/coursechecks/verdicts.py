"""Outside a graded run: whether a step has its points, from documents that nobody vouches for.

What comes out of the process of a student's code may be anything. It is read as data, of limited
size and of one form, and compared with what is known here alone.
"""

import json
import math
from dataclasses import dataclass, field

from coursechecks.engine import Finding, Observation, diagnose, first_difference, group_of
from coursechecks.language import say, translatable
from coursechecks.observers import MOST_BYTES, replay
from layerlab.errors import LayerlabError

MOST_FACTS, DEEPEST, MOST_AXES = 5000, 12, 16
LONGEST = 1000  # characters of a text, as `coursechecks.engine.plain` leaves them
KEYS = {"exercise", "step", "variation", "facts", "uses", "answers", "warned", "calls", "stopped"}


class BadDocument(LayerlabError):
    """What a graded run wrote is not what an observer writes."""


@dataclass(frozen=True)
class Verdict:
    """Whether a step has its points, and what its feedback says.

    Attributes
    ----------
    passed : bool
        Whether the answers do all that the solution does, on both kinds of probes.
    where : str
        Where they first do not: "visible" or "hidden" probes, or "nothing" if nothing came that
        could be compared. Empty for a right answer.
    group : str
        What first differs, in words.
    names, hints : list of str
        The mistakes that explain it, and what to look at for each.
    lines : list of str
        How it differs in kind, or what kept it from being looked at. Plain text, in part the
        student's own, and never a value that would pass.
    uses, warned : list of str
        The names that the answers' code uses, and what Python warned of.
    """

    passed: bool
    where: str = ""
    group: str = ""
    names: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)


def judge(
    known: dict,
    visible: str | bytes | None,
    hidden: str | bytes | None,
    right: str | bytes,
) -> Verdict:
    """Judge a step by what its answers did on visible and on hidden probes.

    Parameters
    ----------
    known : dict
        What is stored of the step, as `coursechecks.engine.diagnose` takes it.
    visible, hidden : str or bytes or None
        What `coursechecks.observers.observe_all` wrote of the answers; None if nothing came.
    right : str or bytes
        What it wrote of the solution, on the same hidden probes.

    Raises
    ------
    BadDocument
        If what was written of the solution cannot be read, or the solution stopped.
    """
    facts = _facts(right, right)
    try:
        seen, other = read(visible), _facts(hidden, right)
    except BadDocument as error:
        return Verdict(False, "nothing", lines=[str(error)])
    told = {"uses": seen.uses, "warned": seen.warned}
    finding = diagnose(known, seen)
    if finding is not None:
        return Verdict(False, "visible", **_said(finding), **told)
    name = first_difference(facts, other)
    if name:
        return Verdict(False, "hidden", name, lines=[say(HIDDEN)], **told)
    return Verdict(True, **told)


def _facts(document: str | bytes | None, right: str | bytes) -> dict:
    """The facts of a document; where only yes and no is observed, told anew from what came.

    Which step it is, and which probes they are, only the solution's document says.
    """
    facts, known = read(document).facts, json.loads(right)
    if "calls" not in known:
        return facts
    calls = json.loads(document).get("calls")
    if not isinstance(calls, list) or not all(map(_is_canonical, calls)):
        raise BadDocument("what came holds no results of calls")
    which = known["exercise"], known["step"], known["variation"]
    return replay(*which, known["answers"], calls, facts)


HIDDEN = translatable(
    "Right for what the check in the notebook tries, and not for other inputs of the same kind: "
    "does the answer rest on numbers, sizes or names that only fit the notebook?"
)


def _said(finding: Finding) -> dict:
    hints = [mistake["hint"] for mistake in finding.mistakes]
    return {"group": finding.group, "names": finding.names, "hints": hints, "lines": finding.lines}


def read(document: str | bytes | None, most: int = MOST_BYTES) -> Observation:
    """Read what an observer wrote, and nothing else.

    Raises
    ------
    BadDocument
        If it is not there, too large, or of another form; or if it says that it was stopped.
    """
    if document is None:
        raise BadDocument("no result came of this step")
    if len(document) > most:
        raise BadDocument(f"a result of {len(document):,} bytes came; at most it has {most:,}")
    try:
        found = json.loads(document)
    except (ValueError, RecursionError) as error:  # of the first, also text in no known encoding
        raise BadDocument(f"what came is no JSON: {type(error).__name__}") from error
    if not isinstance(found, dict) or not found.keys() <= KEYS:
        raise BadDocument("what came is not what an observer writes")
    if stopped := found.get("stopped"):
        raise BadDocument(str(stopped)[:LONGEST])
    facts, *lists = (found.get(key) for key in ("facts", "uses", "answers", "warned"))
    if not isinstance(facts, dict) or len(facts) > MOST_FACTS:
        raise BadDocument("what came holds no facts")
    for name, value in facts.items():
        if len(name) > LONGEST or not group_of(name) or not _is_canonical(value):
            raise BadDocument(f"what came holds a fact of no known form: {name[:60]!r}")
    if not all(isinstance(texts, list) and all(map(_is_text, texts)) for texts in lists):
        raise BadDocument("what came holds names that are no text")
    return Observation(facts, *lists)


def _is_text(value) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST


def _is_number(value) -> bool:
    return type(value) is float or (type(value) is int and abs(value) < 2**53)


def _is_canonical(value, depth: int = 0) -> bool:
    """Whether a value has one of the forms that `coursechecks.engine.plain` makes."""
    if value is None or isinstance(value, bool) or _is_text(value) or _is_number(value):
        return True
    if not isinstance(value, dict) or depth > DEEPEST:
        return False
    deeper = depth + 1
    match value:
        case {"about": inner, **rest} if not rest:
            return _is_canonical(inner, deeper)
        case {"error": str(error), "says": str(says), **rest} if not rest:
            return _is_text(error) and _is_text(says)
        case {"kind": str(kind), **rest} if not rest:
            return _is_text(kind)
        case {"shape": list(shape), "numbers": list(numbers), **rest} if not rest:
            return _is_shape(shape, len(numbers)) and all(map(_is_number, numbers))
        case {"items": list(items), **rest} if not rest:
            return all(_is_canonical(item, deeper) for item in items)
        case {"entries": list(entries), **rest} if not rest:
            return all(_is_entry(entry, deeper) for entry in entries)
    return False


def _is_entry(entry, depth: int) -> bool:
    is_pair = isinstance(entry, list) and len(entry) == 2
    return is_pair and all(_is_canonical(part, depth) for part in entry)


def _is_shape(shape: list, size: int) -> bool:
    """Whether an array can have this shape and that many numbers."""
    if not 1 <= len(shape) <= MOST_AXES or not all(type(n) is int and n >= 0 for n in shape):
        return False
    return math.prod(shape) == size
