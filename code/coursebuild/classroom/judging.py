"""Whether a step is right: decided of what came out of the sandbox, where no submission is."""

from dataclasses import dataclass, field

from coursechecks import engine
from layerlab.errors import LayerlabError

MOST_FACTS = 5000


@dataclass(frozen=True)
class Verdict:
    """What is said of a step."""

    passed: bool
    group: str = ""
    names: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def judge(known: dict, report: dict, right: dict | None) -> Verdict:
    """Judge a step by what its answers did.

    Parameters
    ----------
    known : dict
        What is stored of the step.
    report : dict
        What came out of the sandbox, for which nobody vouches.
    right : dict or None
        What the solution reported of the same step.
    """
    try:
        seen = _observation(report["visible"])
        finding = engine.diagnose(known, seen)
    except (KeyError, TypeError, ValueError, AttributeError, LayerlabError, RecursionError):
        return Verdict(False, lines=["nothing could be observed"])
    if finding is None:
        return Verdict(True)
    hints = [mistake["hint"] for mistake in finding.mistakes]
    return Verdict(False, finding.group, finding.names, hints, finding.lines)


def _observation(said: dict) -> engine.Observation:
    facts = said["facts"]
    if len(facts) > MOST_FACTS or not all(isinstance(name, str) for name in facts):
        raise ValueError("too many facts, or names that are none")
    uses = [str(name) for name in said["uses"]]
    return engine.Observation(facts, uses, [str(name) for name in said["answers"]])
