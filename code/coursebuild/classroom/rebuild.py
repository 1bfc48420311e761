"""A submission put together anew: given cells and checks from the source, answers from the student.

Cells are told by their ids, then by nbgrader's metadata, which a split or a copied cell keeps, then
by what they say. Cells that were added stay between their neighbours. What was put back is told.
"""

import difflib
from collections import defaultdict
from dataclasses import dataclass, field

from coursebuild.classroom.intake import Cell
from coursebuild.classroom.key import BLANK, Key, KeyCell, answers_in, defined_in
from coursebuild.classroom.needed import needed
from coursechecks.language import say

FEWEST = 3  # cells by which an exercise is recognised
LIKENESS = 0.6  # of an answer and what there was to fill in, so that one is taken for the other


@dataclass
class Rebuilt:
    """A submission as it is run.

    Attributes
    ----------
    cells : list of dict
        For the sandbox (see `inside.Submission`).
    words : dict of str
        Answers in words, by the id of their cells; empty where there are none.
    told : list of str
        What was put back, in sentences.
    """

    cells: list[dict] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


# Which exercise ---------------------------------------------------------------------------------


def recognise(cells: list[Cell], keys: list[Key]) -> list[Key]:
    """The exercises that a notebook is of, by ids or by what its cells say; most often one."""
    n_alike = {key.name: _n_alike(cells, key) for key in keys}
    best = max(keys, key=lambda key: n_alike[key.name], default=None)
    if best is None or n_alike[best.name] < FEWEST:
        return []
    return [best, *(key for key in keys if key is not best and _has_most_answers(cells, key))]


def _has_most_answers(cells: list[Cell], key: Key) -> bool:
    """Whether most places for answers are there: several exercises were put into one notebook."""
    places = {cell.id for cell in key.cells if cell.kind == "answer"}
    there = places & {name for cell in cells for name in (cell.id, cell.grade_id)}
    return len(there) > len(places) / 2


def _n_alike(cells: list[Cell], key: Key) -> int:
    named = {cell.id for cell in key.cells}
    said = {squeeze(text) for cell in key.cells for text in (cell.source, *cell.translated)}
    names = [n for c in key.cells if c.kind == "answer" for n in defined_in(c.source)]
    found = {cell.id for cell in cells if cell.id in named}
    found |= {cell.grade_id for cell in cells if cell.grade_id in named}
    same = {text for cell in cells if (text := squeeze(cell.source)) in said}
    defined = {name for cell in cells if cell.is_code for name in defined_in(cell.source)}
    return max(len(found), len(same), len(defined & set(names)))


def squeeze(text: str) -> str:
    """Text without whitespace."""
    return "".join(text.split())


def is_changed(cell: Cell, source: KeyCell) -> bool:
    """Whether a cell is not as students got it, in whichever language."""
    return squeeze(cell.source) not in map(squeeze, (source.source, *source.translated))


# Which cell -------------------------------------------------------------------------------------


@dataclass
class Match:
    """Which cells of a submission stand for which of the source.

    Attributes
    ----------
    groups : dict
        By the place of a cell in the source, the places of its cells in the submission.
    added : dict
        By the place of the source's cell before them (-1 for none), places of added cells.
    elsewhere : dict
        By the place of an answer in the source, that of the cell of another place that holds it.
    """

    groups: dict[int, list[int]]
    added: dict[int, list[int]]
    elsewhere: dict[int, int]


def match(cells: list[Cell], key: Key) -> Match:
    """Find the source's cells in a submission."""
    groups: dict[int, list[int]] = defaultdict(list)
    places = {cell.id: place for place, cell in enumerate(key.cells)}
    taken: dict[int, int] = {}

    def take(own: int, place: int) -> None:
        groups[place].append(own)
        taken[own] = place

    for own, cell in enumerate(cells):
        named = places.get(cell.grade_id, places.get(cell.id))
        if named is not None and cell.is_code == (key.cells[named].kind not in ("text", "words")):
            take(own, named)
    for place, source in enumerate(key.cells):
        for own, cell in enumerate(cells):
            same = not is_changed(cell, source)
            if place not in groups and own not in taken and same:
                take(own, place)
    elsewhere = {}
    for place, source in enumerate(key.cells):
        if place in groups or source.kind not in ("answer", "words"):
            continue
        own = _likest(source, cells, taken)
        if own is not None:
            take(own, place)
        elif (own := _holding(source, cells)) is not None:
            elsewhere[place] = own
    added, last = defaultdict(list), -1
    for own in range(len(cells)):
        last = taken.get(own, last)
        if own not in taken:
            added[last].append(own)
    return Match({p: sorted(g) for p, g in groups.items()}, added, elsewhere)


def _likest(source: KeyCell, cells: list[Cell], taken: dict) -> int | None:
    """A cell that no other place has, of the same step, or that defines or says nearly the same."""
    wanted, best, found = set(defined_in(source.source)), 0.0, None
    for own, cell in enumerate(cells):
        if own in taken or cell.is_code != (source.kind == "answer"):
            continue
        score = 1.0 if source.step and cell.step == source.step else 0.0
        if source.kind == "answer":
            score += len(wanted & set(defined_in(cell.source)))
            if not score:
                likeness = difflib.SequenceMatcher(None, source.source, cell.source[:4000])
                if likeness.quick_ratio() >= LIKENESS and likeness.ratio() >= LIKENESS:
                    score = LIKENESS
        if score > best:
            best, found = score, own
    return found


def _holding(source: KeyCell, cells: list[Cell]) -> int | None:
    """A cell that defines all that an answer should, as one does into which others were merged."""
    wanted = set(defined_in(source.source))
    for own, cell in enumerate(cells):
        if cell.is_code and wanted and wanted <= set(defined_in(cell.source)):
            return own
    return None


# Put together -----------------------------------------------------------------------------------


def rebuild(cells: list[Cell], key: Key) -> Rebuilt:
    """Put a submission together in the order of the source."""
    found = match(cells, key)
    rebuilt = Rebuilt()
    _run_added(rebuilt, cells, found.added[-1])
    for place, source in enumerate(key.cells):
        own = [cells[number] for number in found.groups.get(place, [])]
        if source.kind == "answer":
            _answer(rebuilt, source, own, place in found.elsewhere)
        elif source.kind == "check":
            _check(rebuilt, source, own, key, cells)
        elif source.kind == "given":
            _given(rebuilt, source, own)
        elif source.kind == "words":
            _words(rebuilt, source, own, key, cells, found)
        _run_added(rebuilt, cells, found.added[place])
    rebuilt.cells = needed(rebuilt.cells, key.solutions)
    order = [place for place, _ in sorted(found.groups.items(), key=lambda item: item[1])]
    if order != sorted(order):
        rebuilt.told.append(
            say("Cells stood in another order; they were put back into the given one.")
        )
    return rebuilt


def _run_added(rebuilt: Rebuilt, cells: list[Cell], places: list[int]) -> None:
    for place in places:
        if cells[place].is_code and cells[place].source.strip():
            label = f"cell {place + 1} (added)"
            rebuilt.cells.append(
                {"label": label, "kind": "added", "sources": [cells[place].source]}
            )


def _answer(rebuilt: Rebuilt, source: KeyCell, own: list[Cell], is_elsewhere: bool) -> None:
    sources = pieces([cell.source for cell in own])
    if len(own) > 1:
        twice = {"step": source.step, "n": len(own)}
        rebuilt.told.append(say("Step {step}: a cell was there {n} times; all were read.", **twice))
    if not own and is_elsewhere:
        text = say(
            "Step {step}: its answer stood in another cell, where it was run.", step=source.step
        )
        rebuilt.told.append(text)
    elif not own:
        text = say(
            "Step {step}: a cell to fill in was missing, and counts as blank.", step=source.step
        )
        rebuilt.told.append(text)
        sources = [source.source]
    cell = {"label": source.id, "kind": "answer", "step": source.step, "sources": sources}
    rebuilt.cells.append(cell)


def pieces(sources: list[str]) -> list[str]:
    """Sources of one answer: copies left blank are dropped, and parts that need each other joined.

    Examples
    --------
    >>> pieces(["def f(x):", "    return x"])
    ['def f(x):\\n    return x']
    """
    filled = [source for source in sources if BLANK not in source and source.strip()]
    names = {name for source in filled for name in defined_in(source)}
    kept = [
        source
        for source in sources
        if source in filled or not (set(defined_in(source)) and set(defined_in(source)) <= names)
    ]
    together = "\n".join(kept)
    alone = all(map(parses, kept))
    return kept if alone or not parses(together) else [together]


def parses(source: str) -> bool:
    """Whether a source is Python; a line of IPython is left to the shell."""
    try:
        compile(source, "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _check(rebuilt: Rebuilt, source: KeyCell, own: list[Cell], key: Key, cells: list[Cell]) -> None:
    if not own:
        text = say("Step {step}: its check was missing, and was put back.", step=source.step)
        rebuilt.told.append(text)
    elif any(is_changed(cell, source) for cell in own):
        text = say("Step {step}: its check was changed, and was put back.", step=source.step)
        rebuilt.told.append(text)
    answers = key.answers_of(source.step)
    others = (answers_in(cell.source).get(source.step) for cell in own or cells if cell.is_code)
    other = next(filter(None, others), {})
    if len(other) == len(answers) and other.keys() != answers.keys():  # renamed throughout
        other = dict(zip(answers, other.values(), strict=True))
    defines: dict[str, int | None] = {}
    for cell in key.cells_of(source.step):
        defines |= defined_in(cell.source)
    rebuilt.cells.append(
        {
            "label": source.id,
            "kind": "observe",
            "step": source.step,
            "answers": answers,
            "other": {answer: name for answer, name in other.items() if answer in answers},
            "defines": {name: defines.get(name) for name in answers.values()},
        }
    )


def _given(rebuilt: Rebuilt, source: KeyCell, own: list[Cell]) -> None:
    """The source's cell; before it what became of it, for something may have been added to it."""
    changed = [cell.source for cell in own if is_changed(cell, source)]
    begin = next((line for line in source.source.splitlines() if line.strip()), "")[:60]
    if not own:
        text = say("A given cell was missing, and was put back: {begin}", begin=begin)
        rebuilt.told.append(text)
    if changed:
        text = say(
            "A given cell was changed; its own text was run after yours: {begin}", begin=begin
        )
        rebuilt.told.append(text)
        rebuilt.cells.append({"label": source.id, "kind": "added", "sources": changed})
    rebuilt.cells.append({"label": source.id, "kind": "given", "sources": [source.source]})


def _elsewhere(source: KeyCell, places: range, key: Key, cells: list[Cell], found: Match) -> str:
    """What was written near some places: in cells of one's own, behind a given text, or as code."""
    added = [n for place in places for n in found.added.get(place, [])]
    parts = {
        n: cells[n].source
        for n in added
        if not cells[n].is_code or (cells[n].id == source.id and is_changed(cells[n], source))
    }
    for place in places:
        given = key.cells[place] if place >= 0 and key.cells[place].kind == "text" else None
        for n in found.groups.get(place, []) if given else []:
            parts[n] = _behind(cells[n].source, given)
    return _joined([parts[n] for n in sorted(parts)])


def _behind(text: str, given: KeyCell) -> str:
    """What stands in a cell behind the text that was given."""
    lengths = [len(one) for one in (given.source, *given.translated) if text.startswith(one)]
    return text[max(lengths) :] if lengths else ""


def _joined(texts: list[str]) -> str:
    return "\n\n".join(filter(None, (text.strip() for text in texts)))


def _words(
    rebuilt: Rebuilt, source: KeyCell, own: list[Cell], key: Key, cells: list[Cell], found: Match
) -> None:
    """What was written in the place for it, or else in cells added behind the question."""
    place = key.cells.index(source)
    behind = [cells[n] for n in sorted(found.added.get(place, [])) if not cells[n].is_code]
    written = _joined([cell.source for cell in own if is_changed(cell, source)])
    text = _joined([written, *(cell.source for cell in behind)])
    if not text:
        near = range(max(place - 3, 0), len(key.cells))
        text = _elsewhere(source, near, key, cells, found)
        text = text or _elsewhere(source, range(-1, len(key.cells)), key, cells, found)
    if text and not written:
        rebuilt.told.append(say("Your answer in words stood in another cell, and was found there."))
    rebuilt.words[source.id] = text
