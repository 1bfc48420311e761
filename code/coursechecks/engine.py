"""The check of a step: what an answer does is compared with what right and wrong programs do.

An observer is a generator function, one for each step. It calls the answers on probes and yields
pairs ``("group: what", value)``. A name that ends in ``?`` is a sign, a fact that says enough by
itself. The build runs the solution and every known mistake through the same observers and stores
what they did in ``seen/NN.json.xz``, so that neither answers nor wrong programs are handed out.

An answer that does all that the solution does is right. Otherwise the first group that differs
counts, and in it the mistake that does the same; then a sign that only one mistake shows; else the
answer gets no name. What a check says never holds what would pass.
"""

import copy
import json
import lzma
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import numpy as np

from coursechecks.language import say, translatable, worded
from coursechecks.words import in_kind, in_pattern, is_error, kind, same
from layerlab.errors import LayerlabError

BLANK = "____"
Facts = Iterator[tuple[str, object]]  # what an observer yields: names and values
MOST_NUMBERS = 4096  # that one observed value may hold; a probe needs far fewer


class CheckFailed(LayerlabError, AssertionError):
    """An answer of an exercise is not right yet; the text says what came and what may be wrong."""

    def _render_traceback_(self) -> list[str]:
        """Lines that a notebook shows: the message alone, for the way to it teaches nothing."""
        return str(self).splitlines()


BLANK_LEFT = translatable("✗ {name}: the blank {blank} in this function is still to be filled.")


class BlankLeft(CheckFailed):
    """A function of an answer came to a blank that is left unfilled."""

    def __init__(self, name: str):
        super().__init__(BLANK_LEFT.format(name=name, blank=BLANK))
        self.name = name


# Calling an answer ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Raised:
    """An error in place of a result."""

    error: Exception


@dataclass(frozen=True)
class About:
    """Numbers that agree to four digits only, since they went through float32."""

    numbers: object


def run(function, *arguments):
    """Result of a student's function on copies of the arguments; an error becomes `Raised`.

    Warnings are kept, and the check prints each of them once. On the standard error, where Python
    would put it, a warning costs a right answer its points: nbgrader takes whatever stands there
    for a failure.

    Raises
    ------
    BlankLeft
        If the function comes to a blank that is left unfilled.
    """
    return _run(function, *map(copy.deepcopy, arguments))


_warned: dict[str, None] = {}  # by the answers of the step that is observed
results: list | None = None  # of all calls, in order, while somebody wants to look through them


def _run(function, *arguments):
    result = _result(function, *arguments)
    if results is not None:
        results.append(plain(result))
    return result


def _result(function, *arguments):
    with warnings.catch_warnings(record=True) as caught:
        try:
            return function(*arguments)
        except NameError as error:
            if error.name == BLANK:
                name = getattr(function, "__name__", "the answer")
                raise BlankLeft(name) from error
            return Raised(error)
        except CheckFailed:
            raise
        except Exception as error:
            return Raised(error)
        finally:
            for warning in caught:
                _warned[f"{warning.category.__name__}: {warning.message}"] = None


def as_it_is(name: str, result) -> Facts:
    """Observe a result as it came."""
    yield name, result


def calls(group: str, function, *arguments, what: str = "result", see=as_it_is) -> Facts:
    """Observe one call: its result, as `see` does, and the sign that it changed what was given."""
    result, is_changed = tried(function, *arguments)
    yield from see(f"{group}: {what}", result)
    yield f"{group}: changes what it is given?", is_changed


def tried(function, *arguments) -> tuple[object, bool]:
    """Result of one call, as `run`, and whether it changed what it was given."""
    handed = copy.deepcopy(arguments)
    result = _run(function, *handed)
    return result, any(plain(a) != plain(b) for a, b in zip(arguments, handed, strict=True))


def depends(function, arguments: tuple, others: tuple) -> Facts:
    """Observe which arguments of a call make a difference: a sign for each that is replaced.

    Where `others` holds None, the argument stays as it is.
    """
    first = plain(run(function, *arguments))
    for place, other in enumerate(others):
        if other is not None and not is_error(first):
            changed = (*arguments[:place], other, *arguments[place + 1 :])
            is_same = same(first, plain(run(function, *changed)))
            yield f"use of arguments: number {place + 1} makes a difference?", not is_same


def with_names(function, **values):
    """The function with other values for names that it takes from its notebook.

    So an answer that rests on the notebook's own data is tried on other data, too. What is no
    plain function comes back as it is.
    """
    if not isinstance(function, FunctionType):
        return function
    there = {**function.__globals__, **values}
    other = FunctionType(
        function.__code__, there, function.__name__, function.__defaults__, function.__closure__
    )
    other.__kwdefaults__ = function.__kwdefaults__
    return other


# A form in which anything can be compared and stored ---------------------------------------------


def plain(value, depth: int = 0):
    """The canonical form of a value: None, booleans, text, numbers, and dictionaries of these.

    Arrays, tensors, ranges, and lists of numbers all become
    ``{"shape": […], "numbers": […]}``, masked and missing numbers NaN; other lists
    ``{"items": […]}``, mappings ``{"entries": […]}`` in their order, errors ``{"error": …,
    "says": …}``, and anything else ``{"kind": …}``.
    """
    if isinstance(value, About):
        return {"about": plain(value.numbers)}
    if isinstance(value, Raised):
        says = re.sub(r"0x[0-9a-f]+", "#", str(value.error))  # another address in every run
        return {"error": type(value.error).__name__, "says": says.split("\n")[0][:200]}
    if value is None or isinstance(value, (bool, np.bool_)):
        return value if value is None else bool(value)
    if isinstance(value, str):
        return value[:1000]
    if isinstance(value, (int, float, np.number)) and not isinstance(value, np.complexfloating):
        return _number(value)
    if hasattr(value, "detach"):  # a tensor of torch
        value = value.detach().cpu().numpy()
    if isinstance(value, (np.ndarray, list, tuple, range)):
        numbers = _numbers(value)
        if numbers is not None:
            return numbers
    if isinstance(value, (list, tuple)) and depth < 4 and len(value) <= MOST_NUMBERS:
        return {"items": [plain(item, depth + 1) for item in value]}
    if isinstance(value, dict) and depth < 4 and len(value) <= MOST_NUMBERS:
        return {"entries": [[plain(k, 4), plain(v, depth + 1)] for k, v in value.items()]}
    if isinstance(value, np.ndarray) and value.size > MOST_NUMBERS:
        return {"kind": f"an array of {size_of(value)}"}
    return {"kind": kind_of(value)}


def _number(value) -> float:
    try:
        return float(f"{float(value):.12g}") + 0.0  # no negative zero
    except OverflowError:  # an integer beyond all floats
        return float("inf")


def _numbers(value) -> dict | None:
    """Shape and numbers of an array or a list; None if it holds something else."""
    try:
        array = value if isinstance(value, np.ndarray) else np.asarray(value)
        if array.dtype.kind not in "biuf" or array.size > MOST_NUMBERS:
            return None
        filled = np.ma.filled(np.ma.asarray(array).astype(np.float64), np.nan)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last of a tensor's history
        return None
    if filled.ndim == 0:
        return _number(filled)
    return {"shape": list(filled.shape), "numbers": [_number(n) for n in filled.flat]}


def size_of(value) -> "str | Raised":
    """The shape of an array or a list in words, for a fact that no number should tell."""
    if value is None or isinstance(value, (Raised, Mapping, Set, Iterator)):
        return kind_of(value)  # NumPy would take them for one thing each
    try:
        return " × ".join(map(str, np.shape(value))) or "a single one"
    except ValueError:  # a list whose parts have other shapes
        return "parts of different sizes"


def outline(value):
    """An error as it came; of anything else how much it holds, or what it is, and no number."""
    if isinstance(value, (list, tuple)):
        return str(len(value))
    return size_of(value) if isinstance(value, np.ndarray) else kind_of(value)


def kind_of(value) -> "str | Raised":
    """What an answer is, in words, such as "an ndarray"; an error stays one, for it says more."""
    if value is None or isinstance(value, Raised):
        return value or "nothing (None)"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIO' or name == 'ndarray' else 'a'} {name}"


# Observing ------------------------------------------------------------------------------------


@dataclass
class Observation:
    """What the answers of a step did.

    Attributes
    ----------
    facts : dict
        Canonical values by ``"group: what"``, in the observer's order. An observer that could not
        go on with such answers leaves ``"your answer: could be used"`` with the error.
    uses : list of str
        The names that the code of the answers uses, as far as they are functions.
    answers : list of str
        The names of the answers themselves, and of what they rest on.
    warned : list of str
        What Python warned of meanwhile, each warning once.
    """

    facts: dict
    uses: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)


STOPPED = f"{translatable('your answer')}: {translatable('could be used')}"


def observe(observer: Callable, answers: dict) -> Observation:
    """Let an observer try the answers of its step."""
    facts = {}
    _warned.clear()
    try:
        for name, value in observer(**answers):
            _add(facts, name, plain(value))
    except CheckFailed:
        raise
    except Exception as error:  # an answer may be of any kind, and fail in any way
        facts[STOPPED] = plain(Raised(error))
    uses = sorted(set().union(*map(names_in, answers.values())))
    return Observation(facts, uses, list(answers), list(_warned))


def _add(facts: dict, name: str, value) -> None:
    """Add a fact: a sign that shows once is there, and what has the same name gets a number."""
    if name.endswith("?") and name in facts:
        facts[name] = facts[name] or value
        return
    number = sum(known == name or known.startswith(f"{name} (") for known in facts)
    facts[f"{name} ({number + 1})" if number else name] = value


def names_in(answer) -> set[str]:
    """Names that the code of a function uses, those of functions within it too."""
    code = getattr(answer, "__code__", None)
    return _names(code) if isinstance(code, CodeType) else set()


def _names(code: CodeType) -> set[str]:
    inner = (_names(part) for part in code.co_consts if isinstance(part, CodeType))
    return set(code.co_names).union(*inner)


def group_of(name: str) -> str:
    """The group that an observed name belongs to."""
    return name.partition(": ")[0]


def first_difference(right: dict, facts: dict) -> str:
    """The first group in which facts differ from the right ones; empty if there is none."""
    names = [*right, *(name for name in facts if name not in right)]
    different = (name for name in names if not _same_fact(name, right, facts))
    first = next(different, "")
    if first not in facts and STOPPED in facts:  # not observed, since the answer stopped it
        first = STOPPED
    return group_of(first)


def _same_fact(name: str, a: dict, b: dict) -> bool:
    return name in a and name in b and same(a[name], b[name])


def same_group(group: str, a: dict, b: dict) -> bool:
    """Whether two observations are equal in a whole group."""
    names = {name for name in (*a, *b) if group_of(name) == group}
    return all(_same_fact(name, a, b) for name in names)


# Diagnosing -----------------------------------------------------------------------------------


@dataclass
class Finding:
    """What a check found wrong.

    Attributes
    ----------
    group : str
        The first group of facts that differs from the solution's.
    mistakes : list of dict
        The known mistakes that explain it, with "name" and "hint"; two at most.
    lines : list of str
        How it differs, in kind.
    """

    group: str
    mistakes: list[dict]
    lines: list[str]

    @property
    def names(self) -> list[str]:
        """The names of the mistakes."""
        return [mistake["name"] for mistake in self.mistakes]


def diagnose(step: dict, seen: Observation) -> Finding | None:
    """Compare what an answer did with what right and wrong programs did.

    Parameters
    ----------
    step : dict
        What is stored of a step: "answers", their names; "facts" of the solution; and "mistakes",
        each with "name", "hint" and "programs", and each of these with "facts" (where they differ
        from the solution's; MISSING where there are none), "uses", and "also" where a second
        mistake is made along with it.
    seen : Observation
        What the answer did.

    Returns
    -------
    Finding or None
        None if the answer does all that the solution does.
    """
    group = first_difference(step["facts"], seen.facts)
    if not group:
        return None
    programs = [(m, p, whole(step, p)) for m in step["mistakes"] for p in m["programs"]]
    # What a program shows only after another difference is no sign of it without that one.
    begin = [entry for entry in programs if first_difference(step["facts"], entry[2]) == group]
    found = [entry for entry in begin if same_group(group, seen.facts, entry[2])]
    alike = [entry for entry in found if not first_difference(entry[2], seen.facts)]
    mistakes = _mistakes(step, _by_names(alike or found, seen.uses))
    if not mistakes or len(mistakes) > 2:
        mistakes = _by_sign(step, seen, programs)
    return Finding(group, mistakes, _differences(step["facts"], seen.facts, group))


def whole(step: dict, program: dict) -> dict:
    """All facts of a program of which only the differences from the solution are stored."""
    facts = step["facts"] | program["facts"]
    return {name: value for name, value in facts.items() if value != MISSING}


MISSING = {"missing": True}


def _mistakes(step: dict, found: list) -> list[dict]:
    """Mistakes that were found, each once, with those made along with them."""
    names = [name for m, p, _ in found for name in (m["name"], *p.get("also", []))]
    by_name = {mistake["name"]: mistake for mistake in step["mistakes"]}
    return [by_name[name] for name in dict.fromkeys(names)]


def _by_names(found: list, uses: list[str]) -> list:
    """Of programs that do the same, those whose code uses the most like names."""
    if len({m["name"] for m, _, _ in found}) < 2:
        return found
    likeness = [len(set(uses) ^ set(program["uses"])) for _, program, _ in found]
    return [entry for entry, off in zip(found, likeness, strict=True) if off == min(likeness)]


def _by_sign(step: dict, seen: Observation, programs: list) -> list[dict]:
    """The mistake that alone shows a sign which this answer shows, too.

    An error is a thing of its own, and what else such an answer shows may come from that.
    """
    right = step["facts"]
    if any(map(is_error, seen.facts.values())):
        return []
    for name, value in seen.facts.items():
        if not name.endswith("?") or _same_fact(name, right, seen.facts):
            continue
        showing = [m for m, _, facts in programs if _shows(name, value, right, facts)]
        found = [
            mistake
            for mistake in step["mistakes"]
            if mistake in showing
            and showing.count(mistake) == len(mistake["programs"])
            # A by-product: what came is of another kind than what that mistake leads to.
            and any(_alike(right, seen.facts, facts) for m, _, facts in programs if m is mistake)
        ]
        if len(found) == 1:
            return found
    return []


def _shows(name: str, value, right: dict, facts: dict) -> bool:
    return name in facts and same(facts[name], value) and not _same_fact(name, right, facts)


def _alike(right: dict, seen: dict, facts: dict) -> bool:
    """Whether two wrong programs lead to things of one kind where the first goes wrong."""
    name = next((name for name in right if not _same_fact(name, right, seen)), "")
    return name in seen and name in facts and kind(seen[name]) == kind(facts[name])


def _differences(right: dict, facts: dict, group: str) -> list[str]:
    """Say in kind how a group differs: all its single numbers alike, or else its first fact."""
    names = [name for name in {**right, **facts} if group_of(name) == group]
    numbers = [name for name in names if _are_numbers(right.get(name), facts.get(name))]
    pattern = in_pattern([right[name] for name in numbers], [facts[name] for name in numbers])
    wrong = [name for name in names if not _same_fact(name, right, facts)]
    if pattern and set(wrong) <= set(numbers):
        what = worded(numbers[0].partition(": ")[2])
        return [say("{what}, and the others: {how}", what=what, how=pattern)]
    what = worded(wrong[0].partition(": ")[2])
    if wrong[0] not in facts:
        return [say("{what}: there is nothing to look at", what=what)]
    return [f"{what}: {line}" for line in in_kind(right.get(wrong[0]), facts[wrong[0]])]


def _are_numbers(*values) -> bool:
    return all(type(value) in (int, float) for value in values)


# The check in a notebook ----------------------------------------------------------------------


@cache
def load(path: Path) -> dict[str, dict]:
    """What right and wrong programs of an exercise did, by step, in the order of the steps.

    Raises
    ------
    CheckFailed
        If nothing is stored of the exercise.
    """
    if not path.is_file():
        raise CheckFailed(f"{path.name} is missing beside the checks; `make exercises` makes it")
    return json.loads(lzma.decompress(path.read_bytes()))


_passed: dict[tuple[str, str], bool] = {}  # of this notebook's checks, how each ended last
recorder: Callable[[str, Observation], None] | None = None  # set while the course is built
listener: Callable[[str, str, "Finding | None"], None] | None = None  # set where attempts are kept


def checker(name: str) -> Callable[..., None]:
    """Make the function `check` of an exercise's module, such as ``coursechecks.ex5``."""
    return partial(_check_of, name)


def _check_of(name: str, step: str, /, **answers) -> None:
    check(sys.modules[name], step, **answers)


def observer_of(module: ModuleType, step: str) -> Callable:
    """The observer of a step, among those of an exercise's module."""
    name = step.replace("-", "_")
    observer = getattr(module, name, None)
    if observer is None:
        raise CheckFailed(f"{module.__name__} has no observer `{name}` for a step {step!r}")
    return observer


def check(module: ModuleType, step: str, /, **answers) -> None:
    """Say in one line that a step is right, or stop with what is wrong and why.

    Parameters
    ----------
    module : module
        The exercise's, with an observer for each step. Its READS names what is stored of it.
    step : str
        The step's name.
    answers
        The answers by the names that the exercise gives them, and what they rest on.

    Raises
    ------
    CheckFailed
        If the answer is not right yet.
    """
    seen = _observed(observer_of(module, step), answers)
    for text in seen.warned:
        print(say("· Python warned: {text}", text=text))
    if recorder is not None:
        recorder(step, seen)
        return
    steps = load(Path(module.__file__).parent / module.READS[0])
    if step not in steps:
        there = ", ".join(steps)
        raise CheckFailed(
            f"nothing is stored of a step {step!r}, only of {there}; `make exercises` stores it"
        )
    finding = diagnose(steps[step], seen)
    _passed[module.__name__, step] = finding is None
    if listener is not None:
        listener(module.__name__.rpartition(".")[2], step, finding)
    if finding is not None:
        used = {*seen.uses, *seen.answers}
        earlier = list(steps)[: list(steps).index(step)]
        open_steps = [name for name in earlier if not _passed.get((module.__name__, name))]
        raise CheckFailed(
            message(finding, [s for s in open_steps if used & {*steps[s]["answers"]}])
        )
    print(f"✓ {say(steps[step]['right'])}")


def _observed(observer: Callable, answers: dict) -> Observation:
    """Observe answers for a student, who reads of a blank in the language that is spoken."""
    try:
        return observe(observer, answers)
    except BlankLeft as left:
        raise CheckFailed(say(BLANK_LEFT, name=left.name, blank=BLANK)) from left


ONE_EARLIER = translatable(
    "Begin earlier: the step {step} has not passed its check since the kernel started, and this "
    "may follow."
)
MORE_EARLIER = translatable(
    "Begin earlier: {steps} have not passed their checks since the kernel started, and this may "
    "follow."
)


def message(finding: Finding, earlier: list[str] = ()) -> str:
    """The text of a failed check; `earlier` are steps that its answers use and that are open."""
    lines = [say("✗ {group}: not right yet.", group=worded(finding.group))]
    if len(earlier) == 1:
        lines.append("  " + say(ONE_EARLIER, step=earlier[0]))
    elif earlier:
        lines.append("  " + say(MORE_EARLIER, steps=", ".join(earlier)))
    for mistake in finding.mistakes:
        name, hint = say(mistake["name"]), say(mistake["hint"])
        lines.append("  " + say("This looks like a known mistake: {name}.", name=name))
        lines.append("  " + say("Hint: {hint}", hint=hint))
    lines += [f"  {line}" for line in finding.lines]
    return "\n".join(lines)
