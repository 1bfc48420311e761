"""The results of a class: a file for each student and exercise, there whole or not at all."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from coursebuild.classroom.files import file_name, write_whole
from coursebuild.classroom.marking import StepMark
from layerlab.errors import LayerlabError

GRADED, WAITS, NONE = "graded", "waits for a reader", "no grade yet"


@dataclass
class Result:
    """What a student got for an exercise.

    Attributes
    ----------
    student, exercise, title : str
    path : str
        The file that was graded, relative to the class's folder.
    basis : str
        Hash of all that the grade rests on.
    steps : list of StepMark
    words : list of dict
        Answers in words: "id", "text" and "maximum"; "points" and what is "said" of them where
        somebody has read them.
    told : list of str
        What was put back, and what else is to be said.
    seconds : float
        How long it took.
    reason : str
        Why there is no grade; empty if there is one.
    lms : dict
        The student's numbers in Canvas or Moodle.
    """

    student: str
    exercise: str
    title: str
    path: str
    basis: str
    steps: list[StepMark] = field(default_factory=list)
    words: list[dict] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = ""
    lms: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """The points of the steps, and those that words were given."""
        steps = sum(mark.points for mark in self.steps)
        return steps + sum(word.get("points", 0.0) for word in self.words)

    @property
    def maximum(self) -> float:
        """All points there are, those of words among them."""
        return sum(m.maximum for m in self.steps) + sum(word["maximum"] for word in self.words)

    @property
    def state(self) -> str:
        """Whether there is a grade, and whether it is the whole one."""
        if self.reason:
            return NONE
        waits = any(word["text"] and "points" not in word for word in self.words)
        return WAITS if waits else GRADED


class Store:
    """Results in a folder.

    Parameters
    ----------
    folder : Path
        It may be there already, with results of an earlier run.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, student: str, exercise: str) -> Path:
        """Where a result lies."""
        return self.folder / file_name(exercise) / f"{file_name(student)}.json"

    def write(self, result: Result) -> None:
        """Store a result."""
        text = json.dumps(asdict(result), indent=1, ensure_ascii=False)
        write_whole(self.path(result.student, result.exercise), text)

    def read(self, student: str, exercise: str) -> Result | None:
        """The stored result of a student; None if there is none."""
        path = self.path(student, exercise)
        return _read(path) if path.is_file() else None

    def all(self) -> Iterator[Result]:
        """All stored results, by exercise and student; not copies, which have other names."""
        for path in sorted(self.folder.glob("*/[!.]*.json")):
            result = _read(path)
            if path == self.path(result.student, result.exercise):
                yield result

    def forget(self, student: str, exercise: str | None = None) -> int:
        """Forget the results of a student, in one exercise or in all; how many there were."""
        folders = [self.path(student, exercise).parent] if exercise else self.folder.glob("*/")
        paths = [folder / f"{file_name(student)}.json" for folder in folders]
        there = [path for path in paths if path.is_file()]
        for path in there:
            path.unlink()
        return len(there)


def _read(path: Path) -> Result:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        said["steps"] = [StepMark(**mark) for mark in said["steps"]]
        return Result(**said)
    except (ValueError, TypeError, LookupError) as error:
        raise LayerlabError(
            f"{path} is no result ({error}): delete it, and what was handed in is graded anew"
        ) from error
