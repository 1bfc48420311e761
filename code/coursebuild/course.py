"""Where the course is that a command works on, and which of its exercises are still drafts.

Several checkouts of the course may share one environment, in which the code of only one of them is
installed. A command that took the course from where its own code lies would then build and write
in that one, whichever its user stands in.
"""

import re
from pathlib import Path

import yaml

from layerlab.errors import LayerlabError

CODE = Path(__file__).resolve().parents[1]  # of the checkout whose code runs
FRONT_MATTER = re.compile(r"---\n(.*?\n)?---\s", re.DOTALL)


class CourseError(LayerlabError):
    """There is no course where one was looked for, or not with this code."""


def course_root(named: Path | None = None) -> Path:
    """Find the root of the course that a command is to work on.

    Parameters
    ----------
    named : Path, optional
        The root that the user named; it is taken as it is.

    Returns
    -------
    Path
        Absolute. Without a name, the checkout that the current folder lies in.

    Raises
    ------
    CourseError
        If the current folder lies in no checkout, or in another one than the code that runs.
    """
    if named is not None:
        return named.resolve()
    here = Path.cwd().resolve()
    root = next((folder for folder in (here, *here.parents) if _is_course(folder)), None)
    if root is None:
        raise CourseError(f"{here} lies in no checkout of the course; change into one")
    if (root / "code").resolve() != CODE:
        way_out = f"use `make`, or set PYTHONPATH={root / 'code'}"
        raise CourseError(f"you are in {root}, and the code that runs is that of {CODE}; {way_out}")
    return root


def _is_course(folder: Path) -> bool:
    return (folder / "_toc.yml").is_file() and (folder / "code" / "coursebuild").is_dir()


def drafts(root: Path) -> list[str]:
    """List the exercises that readers do not get yet, as `NN-topic`.

    Parameters
    ----------
    root : Path
        The root of the course.

    Returns
    -------
    list of str
        Names of the solutions whose front matter says `draft: true`, in their order. The rest of
        a solution is not read, so that whatever is wrong with a draft disturbs nobody.

    Raises
    ------
    CourseError
        If a solution is not in UTF-8, or its front matter no YAML.
    """
    return [path.stem for path in sorted((root / "solutions").glob("*.md")) if _is_draft(path)]


def read_source(path: Path) -> str:
    """A text that an author wrote, without the mark that some editors begin it with.

    Raises
    ------
    CourseError
        If it is not in UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise CourseError(
            f"{path.parent.name}/{path.name}:{line} holds a letter that is not in UTF-8: save the "
            "file in that encoding"
        ) from error


def _is_draft(path: Path) -> bool:
    front_matter = FRONT_MATTER.match(read_source(path))
    try:
        said = yaml.safe_load(front_matter[1] or "") if front_matter else None
    except yaml.YAMLError as error:
        raise CourseError(f"solutions/{path.name}: its front matter is no YAML: {error}") from error
    return isinstance(said, dict) and said.get("draft") is True
