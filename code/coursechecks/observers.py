"""Inside a graded run: what the answers of a step did, as one document of limited size.

This half runs in the process of the student's code, which may have changed anything there. So it
holds nothing that tells a right answer, and what it writes is read as `coursechecks.verdicts` reads
it: as data of whoever wrote it.
"""

import importlib.util
import json
from functools import cache
from types import ModuleType

from coursechecks import engine
from coursechecks.arrays import as_numbers
from coursechecks.engine import CheckFailed, observe, observer_of
from coursechecks.probes import Probes, in_place

MOST_BYTES = 2_000_000  # of a document; the solutions' largest has a tenth of that


@cache
def load(exercise: int, variation: int | str | None = None) -> ModuleType:
    """The observers of an exercise, with the probes of one variation.

    Once loaded, they need no file any more.

    Raises
    ------
    CheckFailed
        If there is no such exercise, or hidden probes are asked of one that has none.
    """
    name = f"coursechecks.ex{exercise}"
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise CheckFailed(f"there is no {name}: an exercise is called by its number, such as 1")
    module = importlib.util.module_from_spec(spec)
    with in_place(Probes(variation)):
        spec.loader.exec_module(module)
    if variation is not None and not hasattr(module, "PROBES"):
        raise CheckFailed(f"{name} has no hidden probes: let it draw from `PROBES = here()`")
    return module


def observe_all(
    exercise: int, step: str, answers: dict[str, object], variation: int | str | None = None
) -> str:
    """What the answers of a step did on the probes of one variation, as JSON.

    Parameters
    ----------
    exercise : int
        Its number.
    step : str
        The step's name.
    answers : dict
        The answers, by the names that the check of the step hands over.
    variation : int or str, optional
        The secret that hidden probes are made of. None: the visible ones.

    Returns
    -------
    str
        With "facts", "uses", "answers" and "warned" as `coursechecks.engine.Observation` has them,
        and "stopped": empty, or what kept the observer from going on at all. Of a step that the
        exercise's module names in REPLAYED also "calls": all that came of calls, so that facts can
        be told from that, elsewhere.
    """
    found = {"exercise": exercise, "step": step, "variation": variation, "stopped": ""}
    module = load(exercise, variation)
    engine.results = [] if is_replayed(module, step) else None
    try:
        seen = observe(observer_of(module, step), answers)
    except (CheckFailed, SystemExit) as error:  # a blank in a function, or a way out of Python
        return json.dumps(found | {"stopped": _told(error)})
    finally:
        calls, engine.results = engine.results, None
    document = json.dumps(found | vars(seen) | ({} if calls is None else {"calls": calls}))
    if len(document) > MOST_BYTES:
        what = f"what the answers return is too large: {len(document):,} characters as text"
        return json.dumps(found | {"stopped": what})
    return document


def is_replayed(module: ModuleType, step: str) -> bool:
    """Whether what a step's answers return is looked through once more, elsewhere."""
    return step in getattr(module, "REPLAYED", {})


def replay(
    exercise: int, step: str, variation: int | str, names: list[str], calls: list, facts: dict
) -> dict:
    """Facts, and in their place what an observer tells of what came of calls, wherever it can.

    Parameters
    ----------
    exercise, step, variation
        As in `observe_all`. The exercise's module says in REPLAYED how the groups of those facts
        begin that are told anew.
    names : list of str
        Of the answers.
    calls : list
        What came, in canonical forms, in the order in which the observer asks for it.
    facts : dict
        As somebody told them.
    """
    came = iter(calls)

    def answer(*_, **__):
        return as_numbers(next(came))

    module = load(exercise, variation)
    anew = observe(observer_of(module, step), dict.fromkeys(names, answer)).facts
    groups = module.REPLAYED[step]
    others = {name: value for name, value in facts.items() if not name.startswith(groups)}
    return others | {name: value for name, value in anew.items() if name.startswith(groups)}


def _told(error: BaseException) -> str:
    name = type(error).__name__
    return str(error)[:1000] if isinstance(error, CheckFailed) else f"an answer raised {name}"
