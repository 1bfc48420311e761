"""Build the site: the command behind `make book`.

    python -m coursebuild.build [--out FOLDER] [SOURCE]

The same as `jupyter-book build`, with the course's own words at the end: what to open, or why
there is nothing to open. The strictness lies in the extension `coursebuild.site`, so both ways of
building accept and refuse the same books.
"""

import argparse
import sys
import time
from pathlib import Path

from jupyter_book.sphinx import build_sphinx

ROOT = Path(__file__).parents[2]


def build(source: Path, out: Path) -> bool:
    """Build the site from a folder with `_config.yml` and `_toc.yml`.

    Parameters
    ----------
    source : Path
        The root of the course.
    out : Path
        Where the site, the stored outputs and the figures go; the site itself is `out/html`.

    Returns
    -------
    bool
        Whether the build succeeded. If not, the reasons stand on the standard error.
    """
    overrides = {
        "external_toc_path": (source / "_toc.yml").as_posix(),
        "latex_individualpages": False,
    }
    result = build_sphinx(
        source,
        out / "html",
        noconfig=True,
        path_config=source / "_config.yml",
        confoverrides=overrides,
        quiet=True,  # warnings and errors still show, and so does the progress of the notebooks
    )
    return result == 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.build", description="Build the course as a web site."
    )
    parser.add_argument("source", nargs="?", type=Path, default=ROOT, help="root of the course")
    parser.add_argument("--out", type=Path, help="output folder (default: SOURCE/_build)")
    options = parser.parse_args(arguments)
    source = options.source.resolve()
    missing = [name for name in ("_config.yml", "_toc.yml") if not (source / name).is_file()]
    if missing:
        parser.error(f"{source} holds no {missing[0]}; name the root of the course")
    out = (options.out or source / "_build").resolve()

    start = time.perf_counter()
    succeeded = build(source, out)
    seconds = time.perf_counter() - start
    if not succeeded:
        print(f"\nThe book was not built ({seconds:.0f} s). See above.", file=sys.stderr)
        return 1
    print(f"\nThe book is built ({seconds:.1f} s). Open {out / 'html' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
