"""The whole book as a file, PDF or EPUB: made of a finished site, and offered by the next one.

The site offers a file only if it was made of the same edition: one without solutions must not hand
out a book that has them.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from coursebuild.catalogues import say

FILES = {"book.pdf": "PDF", "book.epub": "EPUB"}


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("env-get-outdated", renew_offer)
    app.connect("html-page-context", offer_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def edition(solutions: bool) -> str:
    """Name what a site holds."""
    return "with solutions\n" if solutions else "without solutions\n"


def keep_file(made: Path, build: Path, name: str, of: str) -> Path:
    """Put a book where the next site finds it, with the edition that it was made of."""
    _note(build, name).write_text(of, encoding="utf-8")
    made.replace(build / name)
    return build / name


def offered(build: Path, of: str) -> list[str]:
    """Name the files that a site of that edition may hand out."""
    made = [name for name in FILES if (build / name).is_file() and _note(build, name).is_file()]
    return [name for name in made if _note(build, name).read_text("utf-8") == of]


def _note(build: Path, name: str) -> Path:
    return build / f".{name}-edition"


def _offered(app: Sphinx) -> list[str]:
    return offered(Path(app.outdir).parent, edition(app.config.course_solutions))


def renew_offer(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Read the first page again if it can offer more than before, or less."""
    before = getattr(env, "course_files", [])
    env.course_files = _offered(app)
    return [app.config.root_doc] if before != env.course_files else []


def offer_files(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put a line with the files at the end of the first page."""
    names = _offered(app) if pagename == app.config.root_doc else []
    if names:
        build = Path(app.outdir).parent
        files = [
            (context["pathto"](f"downloads/{name}", 1), FILES[name], _megabytes(build / name))
            for name in names
        ]
        line = app.builder.templates.render("course-files.html", {"files": files, "say": say})
        context["body"] += line


def _megabytes(file: Path) -> int:
    return max(1, round(file.stat().st_size / 1e6))


def copy_files(app: Sphinx, folder: Path) -> None:
    """Put the files that the site offers among its downloads, and no others."""
    build = Path(app.outdir).parent
    for name in FILES:
        if name in _offered(app):
            shutil.copy2(build / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
