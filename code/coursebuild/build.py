"""Build the site: the command behind `make book`.

    python -m coursebuild.build [--solutions no] [--language de] [--out FOLDER] [SOURCE]

The same as `jupyter-book build`, with the course's own words at the end: what to open, or why
there is nothing to open. The strictness lies in the extension `coursebuild.site`, so both ways of
building accept and refuse the same books.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

from filelock import FileLock
from jupyter_book.sphinx import build_sphinx

from coursebuild.catalogues import ENGLISH, CatalogueError, Language
from coursebuild.course import CourseError, course_root


def build(
    source: Path,
    out: Path,
    *,
    solutions: bool = True,
    language: str = ENGLISH,
    copy: Path | None = None,
) -> bool:
    """Build the site from a folder with `_config.yml` and `_toc.yml`.

    Parameters
    ----------
    source : Path
        The root of the course.
    out : Path
        Where the site, the stored outputs and the figures go; the site itself is `site_of(out)`. A
        second build into the same folder waits for the first.
    solutions : bool
        Whether the solutions are part of the site. If not, it holds no trace of them.
    language : str
        What it is translated into. All languages share the stored outputs.
    copy : Path, optional
        A folder that is not there yet, for the site as it was built just now: the other one is what
        the next build makes of it.

    Returns
    -------
    bool
        Whether the build succeeded. If not, the reasons stand on the standard error.
    """
    overrides = {
        "external_toc_path": (source / "_toc.yml").as_posix(),
        "latex_individualpages": False,
        "course_solutions": solutions,
        "language": language,
        "course_stored": out.as_posix(),
    }
    site = site_of(out, language)
    site.parent.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / ".lock"):
        result = build_sphinx(
            source,
            site,
            noconfig=True,
            path_config=source / "_config.yml",
            confoverrides=overrides,
            quiet=True,  # warnings and errors still show, and the progress of the notebooks
        )
        if copy and result == 0:
            shutil.copytree(site, copy)
    return result == 0


def site_of(out: Path, language: str = ENGLISH) -> Path:
    """Return the folder of the site in a language, below the folder of all that is built."""
    return out / "html" if language == ENGLISH else out / language / "html"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.build", description="Build the course as a web site."
    )
    parser.add_argument("source", nargs="?", type=Path, help="root of the course")
    parser.add_argument("--out", type=Path, help="output folder (default: SOURCE/_build)")
    parser.add_argument(
        "--solutions", choices=("yes", "no"), default="yes", help="whether they are in the site"
    )
    parser.add_argument(
        "--language", default=ENGLISH, help="what it is translated into, such as de"
    )
    parser.add_argument("--copy", type=Path, help="a new folder for a copy of the site")
    options = parser.parse_args(arguments)
    try:
        source = course_root(options.source)
        if options.language != ENGLISH:
            Language(source, options.language)
    except (CourseError, CatalogueError) as error:
        parser.error(str(error))
    missing = [name for name in ("_config.yml", "_toc.yml") if not (source / name).is_file()]
    if missing:
        parser.error(f"{source} holds no {missing[0]}; name the root of the course")
    out = (options.out or source / "_build").resolve()

    start = time.perf_counter()
    language, solutions = options.language, options.solutions == "yes"
    succeeded = build(source, out, solutions=solutions, language=language, copy=options.copy)
    seconds = time.perf_counter() - start
    if not succeeded:
        print(f"\nThe book was not built ({seconds:.0f} s). See above.", file=sys.stderr)
        return 1
    edition = "" if options.solutions == "yes" else " without solutions"
    edition += "" if language == ENGLISH else f" in {language!r}"
    index = site_of(out, language) / "index.html"
    print(f"\nThe book is built{edition} ({seconds:.1f} s). Open {index}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
