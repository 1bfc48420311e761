"""Build the instructor's guide, a small book of its own: the command behind `make guide`.

    python -m coursebuild.guide [--out FOLDER] [SOURCE]

Its pages stand in `guide/`, and some are made of what stands elsewhere (`coursebuild.teaching`). It
is built as the site is, with the same look and as strictly, but from a folder that is laid out for
it and into one of its own, for it holds all answers: the students' site knows nothing of it.
"""

import argparse
import sys
import time
from pathlib import Path

import yaml

from coursebuild.build import build
from coursebuild.course import course_root
from coursebuild.downloads import exercise_names
from coursebuild.teaching import (
    GuideError,
    as_substitutions,
    exercise_page,
    minutes,
    plan_page,
    rubrics,
)
from layerlab.errors import LayerlabError

FOLDER = "guide"
SETTINGS, CONTENTS = "_config.yml", "_toc.yml"
PLANS = ("week", "term", "workshop")
LOOK = ("book/_static", "book/_templates", "book/web", "book/references.bib")


def pages(root: Path) -> dict[str, str]:
    """All pages of the guide by name, those that are written and those that are made.

    Parameters
    ----------
    root : Path
        The root of the course.

    Returns
    -------
    dict of str
        MyST Markdown.

    Raises
    ------
    GuideError
        If something that a page is made of is missing, or does not fit.
    """
    folder, times = root / FOLDER, minutes(root)
    written = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))}
    planned = {name: plan_page(folder / f"{name}.toml", times) for name in PLANS}
    names = exercise_names(root)
    if others := rubrics(root).keys() - set(names):
        raise GuideError(f"guide/rubrics.toml: there is no exercise {', '.join(sorted(others))}")
    made = {name: exercise_page(root, name) for name in names}
    return {**written, **planned, **made}


def settings(root: Path) -> dict:
    """The site's settings, changed where `guide/_config.yml` says so."""
    texts = (path.read_text("utf-8") for path in (root / SETTINGS, root / FOLDER / SETTINGS))
    merged = _merged(*map(yaml.safe_load, texts))
    merged["parse"]["myst_substitutions"] = as_substitutions(minutes(root))
    return merged


def _merged(one: dict, other: dict) -> dict:
    both = {
        key: _merged(one[key], value) if isinstance(value, dict) and key in one else value
        for key, value in other.items()
    }
    return {**one, **both}


def contents(root: Path) -> dict:
    """The guide's table of contents, with a part for the exercises, each on a page of its own."""
    listed = yaml.safe_load((root / FOLDER / CONTENTS).read_text("utf-8"))
    for part in listed["parts"]:
        if part.pop("exercises", False):
            chapters = [{"file": f"{FOLDER}/{name}"} for name in exercise_names(root)]
            part["chapters"] = [*part.get("chapters", []), *chapters]
    return listed


def lay_out(root: Path, folder: Path) -> None:
    """Lay out a course in a folder whose only pages are those of the guide."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / "book").mkdir(exist_ok=True)
    for name in LOOK:
        place = folder / name
        if not place.is_symlink():
            place.symlink_to((root / name).resolve())
    for name, value in ((SETTINGS, settings(root)), (CONTENTS, contents(root))):
        _write(folder / name, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    wanted = pages(root)
    for path in (folder / FOLDER).glob("*.md"):
        if path.stem not in wanted:
            path.unlink()
    for name, text in wanted.items():
        _write(folder / FOLDER / f"{name}.md", text)


def _write(path: Path, text: str) -> None:
    """Write a file unless it reads so already: what is not new, no build reads again."""
    if not path.is_file() or path.read_text("utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.guide", description="Build the instructor's guide."
    )
    parser.add_argument("source", nargs="?", type=Path, help="root of the course")
    parser.add_argument("--out", type=Path, help="output folder (default: SOURCE/_build/guide)")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    try:
        root = course_root(options.source)
        out = (options.out or root / "_build" / FOLDER).resolve()
        lay_out(root, out / "source")
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    if not build(out / "source", out):
        print("\nThe guide was not built. See above.", file=sys.stderr)
        return 1
    seconds = time.perf_counter() - start
    print(f"\nThe guide is built ({seconds:.1f} s). It holds all answers: keep it from students.")
    print(f"Open {out / 'html' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
