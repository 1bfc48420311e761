"""The Sphinx extension that makes Jupyter Book build this course strictly and quietly offline.

Jupyter Book loads it from `_config.yml`. Four things happen here that a stock book leaves open:

* a warning of any kind makes the build fail, and a build that failed is never taken up again;
* a stored output is used only while everything that it depends on is unchanged;
* one change on one page writes all pages, so that no page keeps a reference to what is gone;
* the finished site is read once more (`coursebuild.audit`).
"""

import importlib.util
import json
import os
import re
import shutil
import sys
from html import escape
from pathlib import Path, PurePosixPath

from docutils import nodes
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError, ExtensionError
from sphinx.util import logging

from coursebuild.audit import audit_site
from coursebuild.execution import Run, execute_notebooks, fingerprint, prepare_kernels

logger = logging.getLogger(__name__)

DESCRIPTION_LENGTH = 160
MATHJAX_PARTS = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions", "a11y")
MISLEADING = (' aria-label="Toggle hidden content"', ' role="doc-biblioentry"', ' role="list"')
REDIRECT = """<!DOCTYPE html>
<html lang="{language}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="refresh" content="0; url={page}">
    <meta name="description" content="{title}">
    <title>{title}</title>
  </head>
  <body>
    <main><h1>{title}</h1><p><a href="{page}">Go to the first page</a></p></main>
  </body>
</html>
"""


def setup(app: Sphinx) -> dict:
    """Connect the course to Sphinx; called by Sphinx."""
    # As `-W --keep-going` would: count every warning, finish, and fail at the end.
    app.keep_going, app.warningiserror = True, False

    app.add_config_value("course_inputs", [], "", types=[list])
    app.add_config_value("course_builder", "", "env", types=[str])
    app.add_config_value("course_look", "", "html", types=[str])
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it, used or not

    app.connect("config-inited", forget_failed_build, priority=100)
    app.connect("config-inited", name_what_outputs_depend_on, priority=200)
    app.connect("config-inited", use_local_mathjax)
    app.connect("builder-inited", start_kernels_from_here)
    app.connect("env-get-outdated", drop_removed_pages)
    app.connect("env-before-read-docs", execute_before_reading)
    app.connect("env-get-updated", write_all_pages_or_none)
    app.connect("html-page-context", describe_page)
    app.connect("html-page-context", mend_accessibility)
    app.connect("build-finished", finish_site, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def build_folder(app: Sphinx) -> Path:
    """Return the folder that holds the site and everything made on the way to it."""
    return Path(app.outdir).parent


def success_mark(app: Sphinx) -> Path:
    """Return the file that exists while the last build of this site succeeded."""
    return build_folder(app) / f".{Path(app.outdir).name}-succeeded"


# Trust in the last build ---------------------------------------------------------------------


def forget_failed_build(app: Sphinx, config) -> None:
    """Start from nothing unless the last build succeeded.

    Sphinx does not repeat the warnings of pages that it need not read again. A build that failed
    on a warning would so pass when it is started a second time.
    """
    mark = success_mark(app)
    if not mark.exists():
        shutil.rmtree(app.doctreedir, ignore_errors=True)
        if (Path(app.outdir) / ".buildinfo").exists():
            shutil.rmtree(app.outdir)
        Path(app.doctreedir).mkdir(parents=True, exist_ok=True)
        Path(app.outdir).mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)


def name_what_outputs_depend_on(app: Sphinx, config) -> None:
    """Put the execution cache where only the same package, data, model and versions find it."""
    root = Path(app.srcdir)
    if not config.course_inputs:
        raise ConfigError("_config.yml must name course_inputs, the files that outputs depend on")
    try:
        inputs = fingerprint(root, config.course_inputs)
    except FileNotFoundError as error:
        raise ConfigError(str(error)) from error
    own = [f"{name}.py" for name in ("site", "execution", "audit")]
    look = [*config.html_static_path, *config.templates_path]  # the theme adds absolute paths
    config.course_builder = fingerprint(Path(__file__).parent, own)
    config.course_look = fingerprint(root, [name for name in look if not Path(name).is_absolute()])

    cache = build_folder(app) / ".jupyter_cache" / inputs
    if not _figures_are_there(app, cache):
        shutil.rmtree(cache)
        shutil.rmtree(app.doctreedir)
        Path(app.doctreedir).mkdir()
    config.nb_execution_cache_path = str(cache)  # its change makes Sphinx read every page again


def _figures_are_there(app: Sphinx, cache: Path) -> bool:
    """Tell whether the image files that the stored runs wrote beside their outputs still exist."""
    record = cache / "figures.json"
    names = json.loads(record.read_text("utf-8")) if record.exists() else []
    return all((build_folder(app) / "figures" / name).exists() for name in names)


def drop_removed_pages(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Delete the pages of chapters that are gone, and note that something changed."""
    for docname in removed if app.builder.format == "html" else ():
        Path(app.builder.get_outfilename(docname)).unlink(missing_ok=True)
    app.course_changed = bool(removed)
    return []


def write_all_pages_or_none(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Name all pages for writing when one changed: each may refer to it."""
    if not app.course_changed:
        return []
    tell(f"writing {len(env.found_docs)} pages")
    return sorted(env.found_docs)


# Running the notebooks -----------------------------------------------------------------------


def start_kernels_from_here(app: Sphinx) -> None:
    """Have `python3` mean the interpreter that builds, with the package that lies here."""
    cores = os.cpu_count() or 1
    source_roots = [Path(app.srcdir) / "code"]
    variables = {
        "OMP_NUM_THREADS": str(max(1, cores // count_workers())),
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore:IProgress not found",  # no widgets on a page, and none missed
        "LAYERLAB_FIGURES": str((build_folder(app) / "figures").resolve()),
    }
    (build_folder(app) / "figures").mkdir(exist_ok=True)
    prepare_kernels((build_folder(app) / ".kernels").resolve(), source_roots, variables)


def count_workers() -> int:
    """Return how many notebooks run at the same time: one per core, four at most."""
    return min(4, os.cpu_count() or 1)


def execute_before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Run the notebooks among the pages to be read, unless their outputs are stored."""
    app.course_changed |= bool(docnames)
    if env.mystnb_config.execution_mode != "cache":
        return
    runs = [run for run in map(lambda name: _read_run(env, name), docnames) if run]
    failed = execute_notebooks(
        runs,
        Path(env.mystnb_config.execution_cache_path),
        workers=count_workers(),
        timeout=env.mystnb_config.execution_timeout,
        report=tell,
    )
    if failed:
        errors = "\n\n".join(run.error for run in failed)
        raise ExtensionError(f"{len(failed)} of {len(runs)} notebooks failed\n\n{errors}")


def tell(line: str) -> None:
    """Print a line of progress, at once, also where Sphinx is told to be quiet."""
    print(line, flush=True)


def _read_run(env: BuildEnvironment, docname: str) -> Run | None:
    """Read a page as MyST-NB will; None for a page without code, or one that is not executed."""
    path = Path(env.doc2path(docname))
    patterns = env.mystnb_config.execution_excludepatterns
    if any(PurePosixPath(path.as_posix()).match(pattern) for pattern in patterns):
        return None
    text = path.read_text("utf-8")
    reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
    if reader is None:
        return None
    return Run(path.relative_to(env.srcdir).as_posix(), path, reader.read(text))


# Pages ---------------------------------------------------------------------------------------


def use_local_mathjax(app: Sphinx, config) -> None:
    """Serve formulas from the site itself; the files come from the MathJax package in use."""
    config.mathjax_path = "mathjax/tex-chtml.js"


def _copy_mathjax(app: Sphinx) -> None:
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None:
        raise ExtensionError("MathJax is missing: install sphinx-mathjax-offline")
    source = Path(package.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX_PARTS:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        if not (target / name).exists():
            copy(source / name, target / name)


def describe_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Give each page a description for search engines and shared links."""
    app.course_wrote = True
    if 'name="description"' in context.get("metatags", ""):
        return
    text = _first_paragraph(doctree) if doctree else ""
    title = re.sub(r"<[^>]+>", "", context.get("title") or "")
    text = _shorten(text or f"{title} – {app.config.html_title}")
    tag = f'<meta name="description" content="{escape(text)}" />\n'
    context["metatags"] = context.get("metatags", "") + tag


def mend_accessibility(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Take out what misleads a screen reader.

    MyST-NB's label for a folded cell differs from the words one sees on it. The role that docutils
    gives the entries of a bibliography no longer exists, and without it they form no list.
    """
    body = context.get("body", "")
    for attribute in MISLEADING:
        body = body.replace(attribute, "")
    context["body"] = body


def _first_paragraph(doctree: nodes.document) -> str:
    """Return the text of the first paragraph that stands in a section of its own."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            return " ".join(paragraph.astext().split())
    return ""


def _shorten(text: str) -> str:
    """Cut a text at a word's end so that it fits a description."""
    if len(text) <= DESCRIPTION_LENGTH:
        return text
    return text[: DESCRIPTION_LENGTH - 1].rsplit(" ", 1)[0].rstrip(" ,;:–-") + "…"


# The end -------------------------------------------------------------------------------------


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Complete the site, read it once more, and note the success if it is one."""
    if exception is not None or app.builder.format != "html":
        return
    _copy_mathjax(app)
    _write_redirect(app)
    if getattr(app, "course_wrote", False):
        private = {str(app.srcdir), sys.prefix, str(Path.home())} - {"/"}
        for page, problem in audit_site(Path(app.outdir), private):
            logger.warning("%s: %s", page, problem, type="course", subtype="audit")
    if app._warncount == 0:
        _note_success(app)


def _write_redirect(app: Sphinx) -> None:
    """Let index.html lead to the first page, also for somebody whom no refresh takes there."""
    if app.config.root_doc == "index":
        return
    page = app.builder.get_target_uri(app.config.root_doc)
    title = escape(app.config.html_title)
    text = REDIRECT.format(page=page, title=title, language=app.config.language)
    (Path(app.outdir) / "index.html").write_text(text, encoding="utf-8")


def _note_success(app: Sphinx) -> None:
    """Leave the mark that the next build trusts, and clear away what no build will use again."""
    cache = Path(app.config.nb_execution_cache_path)
    figures = sorted(path.name for path in (build_folder(app) / "figures").iterdir())
    if cache.is_dir():
        (cache / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
    for old in cache.parent.glob("*"):
        if old != cache:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    success_mark(app).touch()
