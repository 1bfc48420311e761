"""What is known to go wrong in an exercise: read from ``solutions/mistakes/NN.toml``, and stored.

A table for each step holds what the check says of a right answer, the known mistakes with the
programs that make them, programs to be refused without a name, and alternatives to be accepted:

    [counting]
    right = "Each pair of entries is compared once."
    refused = [{ "x[a] > x[b]" = "x[a] >= x[b]" }]

    [[counting.mistake]]
    name = "not divided"
    hint = "…"
    programs = [{ "(agree - differ) / (agree + differ)" = "agree - differ" }]

    [[counting.alternative]]
    why = "signs instead of differences"
    answers = { "x[a] > x[b]" = "np.sign(x[a] - x[b]) > 0" }

A step also says which functions of the package compute what it asks for: ``withheld``, names such
as ``"layerlab.statistics.kendall_tau"``, or of a whole module. In a graded run nobody can call what
an exercise withholds; those in ``kept`` can be called by the cells that it gives.

A program names blanks by their expressions (see `coursebuild.blanks`) and says what stands there.
For who teaches, a mistake also has its `misconception` and what to `ask`: they go into the guide
(see `coursebuild.guide`), and into nothing that a student gets.
"""

import json
import lzma
from itertools import combinations
from pathlib import Path

from coursebuild.blanks import BlankError, fill_cells
from coursebuild.tables import TableError, read_tables, tables
from coursebuild.trials import Outcome, Step, Trial
from coursechecks.engine import MISSING, STOPPED, Observation, diagnose, first_difference, whole
from coursechecks.words import same

MOST_NAMES = 6  # of mistakes in a step
KEYS_OF = {"mistake": {"name", "hint", "programs"}, "alternative": {"why", "answers"}}
TEACHING = {"mistake": {"misconception", "ask"}}  # may stand there, too
WORDS = {"type": "string"}
NAMES = {"type": "array", "items": WORDS}
PROGRAMS = {"type": "array", "items": tables(WORDS)}


def _entries(**known: dict) -> dict:
    """A list of tables in which some keys, if they are there, have their types."""
    return {"type": "array", "items": {"type": "object", "properties": known}}


TEACHES = dict.fromkeys(TEACHING["mistake"], WORDS)
TYPES = {
    "right": WORDS,
    "refused": PROGRAMS,
    "withheld": NAMES,
    "kept": NAMES,
    "mistake": _entries(name=WORDS, hint=WORDS, programs=PROGRAMS, **TEACHES),
    "alternative": _entries(why=WORDS, answers=tables(WORDS)),
}
SCHEMA = tables({"type": "object", "properties": TYPES})


def read(path: Path) -> dict[str, dict]:
    """The steps of a file of mistakes, as they are written, each value of its type.

    Raises
    ------
    TableError
        If one is not, or the file is no TOML.
    """
    return read_tables(path, SCHEMA)


class Known:
    """What a file of mistakes says.

    Attributes
    ----------
    words : dict of dict
        For each step "right" and the "mistakes", each a name and its hint.
    trials : list of Trial
        Of the kinds "right", "mistake", "refused", "alternative" and "pair".
    problems : list of str
        A sentence for each entry that cannot be used.
    """

    def __init__(self, path: Path, name: str, steps: list[Step]):
        self.name, self.words, self.trials, self.problems = name, {}, [], []
        entries = self._parse(path)
        for unknown in entries.keys() - {step.name for step in steps}:
            self.problems.append(f"{name}: there is no step {unknown!r}")
        for step in steps:
            self._read_step(step, entries.get(step.name, {}))

    def _parse(self, path: Path) -> dict:
        self.is_read = False
        try:
            found = read(path)
        except FileNotFoundError:
            self.problems.append(f"{self.name} does not exist")
        except TableError as error:
            self.problems.append(str(error))
        else:
            self.is_read = True
            return found
        return {}

    def _read_step(self, step: Step, entry: dict) -> None:
        where = f"{self.name}, step {step.name}"
        for key in entry.keys() - TYPES.keys():
            self.problems.append(f"{where}: unknown {key!r}; there is {', '.join(sorted(TYPES))}")
        if self.is_read and not entry.get("right"):
            self.problems.append(f"{where}: `right` is missing, what the check says of a right one")
        mistakes = self._complete(where, "mistake", entry)
        names = [mistake["name"] for mistake in mistakes]
        if len(names) > MOST_NAMES:
            problem = f"{len(names)} named mistakes; keep the {MOST_NAMES} that people make"
            self.problems.append(f"{where}: {problem}, the others are `refused`")
        for name in {name for name in names if names.count(name) > 1}:
            self.problems.append(f"{where}: two mistakes are called {name!r}")
        self.words[step.name] = {
            "right": entry.get("right", ""),
            "mistakes": [{"name": m["name"], "hint": m["hint"]} for m in mistakes],
        }
        self._add("right", step.name, step, {}, where)
        for mistake in mistakes:
            for number, program in enumerate(mistake["programs"], start=1):
                place = f"{where}, program {number} of {mistake['name']!r}"
                self._add("mistake", mistake["name"], step, program, place)
        for number, program in enumerate(entry.get("refused", []), start=1):
            self._add(
                "refused", " · ".join(program.values()), step, program, f"{where}, refused {number}"
            )
        others = self._complete(where, "alternative", entry)
        for other in others:
            self._add("alternative", other["why"], step, other["answers"], f"{where}, alternative")
        self._add_pairs(step, mistakes, where)

    def _complete(self, where: str, kind: str, entry: dict) -> list[dict]:
        """The entries of a kind that have all their keys."""
        complete = []
        for number, one in enumerate(entry.get(kind, []), start=1):
            if set(one) - TEACHING.get(kind, set()) == KEYS_OF[kind] and all(one.values()):
                complete.append(one)
            else:
                problem = f"needs exactly {sorted(KEYS_OF[kind])}, has {sorted(one)}"
                self.problems.append(f"{where}, {kind} {number}: {problem}")
        return complete

    def _add(self, kind: str, title: str, step: Step, answers: dict, origin: str) -> None:
        try:
            sources = fill_cells([cell.source for cell in step.cells], answers)
        except BlankError as error:
            self.problems.append(f"{origin}: {error}")
            return
        self.trials.append(Trial(kind, title, step, sources, origin))

    def _add_pairs(self, step: Step, mistakes: list[dict], where: str) -> None:
        """Two mistakes at once, where the first programs of both fill different blanks."""
        for one, other in combinations(mistakes, 2):
            first, second = one["programs"][0], other["programs"][0]
            if not first.keys() & second.keys():
                title = f"{one['name']}\n{other['name']}"
                self._add("pair", title, step, first | second, f"{where}, two mistakes at once")


def withheld_of(path: Path) -> tuple[list[str], list[str]]:
    """What a graded run takes away of the package, and what it keeps for given cells.

    Parameters
    ----------
    path : Path
        The file of mistakes of an exercise.

    Returns
    -------
    withheld, kept : list of str
        As `coursechecks.withheld.take_away` takes them, each name once.
    """
    steps = read(path).values()
    withheld, kept = (
        list(dict.fromkeys(name for step in steps for name in step.get(key, [])))
        for key in ("withheld", "kept")
    )
    return withheld, kept


def stored(known: Known, judged: list[tuple[Trial, Outcome]]) -> dict[str, dict]:
    """What the checks of an exercise know, from what right and wrong programs did.

    Parameters
    ----------
    known : Known
    judged : list of (Trial, Outcome)
        Each trial with what its observer saw.

    Returns
    -------
    dict of dict
        By step, as `coursechecks.engine.diagnose` takes it. A program that did not come to its
        check, or did what the solution does, is left out; the gate complains of it. So is a step
        whose observer the solution itself stops, for then nothing would be told apart.
    """
    steps = {}
    for name, words in known.words.items():
        own = [(t, o) for t, o in judged if t.step.name == name and o.facts is not None]
        right = next((o for t, o in own if t.kind == "right"), None)
        if right is None or STOPPED in right.facts:
            continue
        facts = right.facts
        mistakes = [{**mistake, "programs": []} for mistake in words["mistakes"]]
        step = {"right": words["right"], "answers": right.answers, "facts": facts}
        steps[name] = step = {**step, "mistakes": mistakes}
        by_name = {mistake["name"]: mistake["programs"] for mistake in mistakes}
        for trial, outcome in own:
            if trial.kind == "mistake":
                _store(by_name[trial.title], facts, outcome)
        for trial, outcome in own:
            if trial.kind == "pair":
                _store_pair(step, by_name, trial.title.split("\n"), outcome)
    return steps


def _store(programs: list[dict], facts: dict, outcome: Outcome, **more) -> None:
    """Add a program by what sets it apart from the solution, unless it is known already."""
    if not first_difference(facts, outcome.facts):
        return
    names = [*outcome.facts, *(name for name in facts if name not in outcome.facts)]
    apart = {
        name: outcome.facts.get(name, MISSING)
        for name in names
        if not (name in facts and name in outcome.facts and same(facts[name], outcome.facts[name]))
    }
    program = {"facts": apart, "uses": outcome.uses, **more}
    # The last digits depend on the processor, and how many programs are stored must not.
    if not any(same(program, other) for other in programs):
        programs.append(program)


def _store_pair(step: dict, by_name: dict, names: list[str], outcome: Outcome) -> None:
    """Add two mistakes at once where they would not be told as one of the two, or as both.

    What nobody can tell from a third mistake is told as that one.
    """
    finding = diagnose(step, Observation(outcome.facts, outcome.uses))
    told = finding.names if finding else names
    if not told or false_names(step, told, names, outcome.facts):
        _store(by_name[names[0]], step["facts"], outcome, also=names[1:])


def false_names(step: dict, told: list[str], names: list[str], facts: dict) -> list[str]:
    """Of the names that were told, those that are none of the right ones, and not as right."""
    return [
        mistake["name"]
        for mistake in step["mistakes"]
        if mistake["name"] in set(told) - set(names)
        and all(first_difference(whole(step, p), facts) for p in mistake["programs"])
    ]


def write(steps: dict[str, dict], path: Path) -> bool:
    """Write what is stored of an exercise, the same bytes every time; tell whether it changed."""
    data = lzma.compress(json.dumps(steps, ensure_ascii=False).encode(), preset=9)
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return True
