"""The Sphinx extension that makes Jupyter Book build this course strictly and quietly offline.

Jupyter Book loads it from `_config.yml`. Seven things happen here that a stock book leaves open:

* a warning of any kind makes the build fail, and a build that failed is never taken up again;
* a page runs only when something changed that its outputs rest on, and the build says what;
* a change in what pages may refer to, a title or a label, writes all of them, so that none keeps a
  reference to what is gone;
* solutions are shown without the marks of their blanks, or, with `course_solutions` false, are
  left out with everything that an earlier build made of them; so are drafts in every case;
* students find the notebooks to take home (`coursebuild.downloads`, `coursebuild.chapters`) on
  the pages of exercises and chapters;
* the site speaks the language that it is built in (`coursebuild.languages`);
* the finished site is read once more (`coursebuild.audit`).
"""

import os
import re
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from html import escape
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import yaml
from docutils import nodes
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError, ExtensionError
from sphinx.util import logging
from sphinx.util.osutil import relative_uri
from sphinx_external_toc.parsing import MalformedError, parse_toc_data

from coursebuild import (
    assets,
    captions,
    cards,
    contents,
    editions,
    formulas,
    glossary,
    languages,
    leads,
    margins,
    published,
    quizzes,
    search,
    slides,
)
from coursebuild.audit import audit_site
from coursebuild.catalogues import current, say
from coursebuild.chapters import chapters, write_chapters
from coursebuild.course import drafts
from coursebuild.downloads import (
    GITHUB,
    build_wheel,
    exercise_names,
    make_downloads,
    name_as_solution,
    published_address,
    three_steps,
    wheel_name,
)
from coursebuild.execution import Run, execute_notebooks, fingerprint, prepare_kernels
from coursebuild.fonts import first_fonts
from coursebuild.inputs import Sources, modules_in_common
from coursebuild.laboratory import make_laboratory
from coursebuild.languages import stored_folder, translated
from coursebuild.layout import lay_out
from coursebuild.lean import leave_out, plain_classes
from coursebuild.notebooks import solution_page
from coursebuild.outputs import Outputs
from coursebuild.pictures import forget_pictures, take_out_pictures
from coursebuild.programs import forget_programs, offer_server, places_of, program, write_program
from coursebuild.web import make_scripts, scripts_asked_for, web_folder, web_output
from coursechecks.language import ENGLISH, VARIABLE
from layerlab.errors import LayerlabError

logger = logging.getLogger(__name__)

EVERY_PAGE = ("page", "progress")  # the scripts that every page loads
DESCRIPTION_LENGTH = 160
STYLES = ("look", "touch")  # of all pages, among what is made of book/web
OWN_MODULES = ("site", "audit", "downloads", "outputs", "inputs", "execution", "kernels")
OWN_MODULES += ("web", "laboratory", "export", "pictures", "layout", "lean")
OWN_MODULES += ("notebooks", "rules", "blanks", "course")
OWN_MODULES += ("glossary", "contents", "cards", "published", "formulas", "search", "assets")
OWN_MODULES += ("quizzes", "programs", "plain", "chapters", "editions", "fonts", "captions")
OWN_MODULES += ("margins", "leads", "slides", "languages", "catalogues", "messages", "texts")
OWN_MODULES += ("tables",)
# Extensions of this one.
PARTS = (languages, glossary, margins, quizzes, captions, leads, contents, cards)
PARTS += (published, formulas, search, editions, slides, assets)
EXERCISE_FOLDERS = ("exercises", "solutions")  # the one that is never withheld comes first
TOC_LISTS = ("parts", "subtrees", "chapters", "sections", "entries")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of an object in memory
MISLEADING = (' aria-label="Toggle hidden content"', ' role="doc-biblioentry"', ' role="list"')
SUMMARY = re.compile(r"<summary>.*?</summary>", re.DOTALL)
P_TAG = re.compile(r"<(/?)p\b")
LIST_IN_P = re.compile(r'<p>(<ul class="simple">.*?</ul>)\s*</p>(?=\s*</dd>)', re.DOTALL)
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
    <main><h1>{title}</h1><p><a href="{page}">{words}</a></p></main>
  </body>
</html>
"""


def setup(app: Sphinx) -> dict:
    """Connect the course to Sphinx; called by Sphinx."""
    # As `-W --keep-going` would: count every warning, finish, and fail at the end.
    app.keep_going, app.warningiserror = True, False

    for part in PARTS:
        app.setup_extension(part.__name__)
    app.add_config_value("course_builder", "", "env", types=[str])
    app.add_config_value("course_look", "", "html", types=[str])
    app.add_config_value("course_solutions", True, "env", types=[bool])
    app.add_config_value("course_site_branch", "gh-pages", "html", types=[str])
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it, used or not

    app.connect("config-inited", forget_failed_build, priority=100)
    app.connect("config-inited", name_what_pages_are_made_with, priority=200)
    app.connect("config-inited", leave_out_solutions, priority=300)
    app.connect("config-inited", leave_out_drafts, priority=350)
    app.connect("config-inited", fill_in_steps, priority=400)
    app.connect("config-inited", bundle_scripts)
    app.connect("builder-inited", start_kernels_from_here)
    app.connect("builder-inited", prepare_downloads, priority=900)  # after those that fork
    app.connect("env-get-outdated", require_pages_of_exercises)
    app.connect("env-get-outdated", drop_removed_pages)
    app.connect("env-get-outdated", find_pages_to_run)
    app.connect("env-before-read-docs", execute_before_reading)
    app.connect("source-read", take_out_marks)
    app.connect("env-get-updated", write_pages_that_may_refer)
    app.connect("html-page-context", describe_page)
    app.connect("html-page-context", mend_html)
    app.connect("html-page-context", name_pictures)
    app.connect("html-page-context", make_room)
    app.connect("html-page-context", make_lean)
    app.connect("html-page-context", offer_downloads)
    app.connect("html-page-context", keep_program)
    app.connect("html-page-context", offer_one_notebook, priority=900)  # after the theme's buttons
    app.connect("html-page-context", load_scripts)
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
    """Start from nothing unless the last build succeeded, and built the same pages.

    Sphinx does not repeat the warnings of pages that it need not read again. A build that failed
    on a warning would so pass when it is started a second time. And a site without solutions must
    keep nothing, no picture either, of one with them.
    """
    mark = success_mark(app)
    if not mark.exists() or mark.read_text("utf-8") != editions.edition(config.course_solutions):
        shutil.rmtree(app.doctreedir, ignore_errors=True)
        if (Path(app.outdir) / ".buildinfo").exists():
            shutil.rmtree(app.outdir)
        Path(app.doctreedir).mkdir(parents=True, exist_ok=True)
        Path(app.outdir).mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)


def name_what_pages_are_made_with(app: Sphinx, config) -> None:
    """Let Sphinx read every page again when the builder changed, and write it when the look did."""
    own = [f"{name}.py" for name in OWN_MODULES] + ["formulas.cjs", "styles.cjs", "fonts.cjs"]
    look = [*config.html_static_path, *config.templates_path]  # the theme adds absolute paths
    look = [name for name in look if not Path(name).is_absolute()]
    if web_folder(Path(app.srcdir)).is_dir():
        look.append(web_folder(Path(app.srcdir)).relative_to(app.srcdir).as_posix())
    try:
        config.course_builder = fingerprint(Path(__file__).parent, own)
        config.course_look = fingerprint(Path(app.srcdir), look)
    except FileNotFoundError as error:
        raise ConfigError(str(error)) from error
    config.nb_execution_cache_path = str(stored_folder(app) / ".jupyter_cache")


def drop_removed_pages(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Delete the pages of chapters that are gone."""
    for docname in removed if app.builder.format == "html" else ():
        Path(app.builder.get_outfilename(docname)).unlink(missing_ok=True)
        for suffix in app.config.source_suffix:
            source = Path(app.outdir) / "_sources" / f"{docname}{suffix}"
            source.unlink(missing_ok=True)
    app.course_removed = removed
    return []


def write_pages_that_may_refer(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Name all pages for writing if one changed so that another may show it or lead to it."""
    read = set(app.course_read)
    changed = app.course_removed or (read and app.course_offers != _offers(env))
    written = env.found_docs if changed else read
    if written:
        tell(f"pages to write: {len(written)}")
    return sorted(written)


def _offers(env: BuildEnvironment) -> list[str]:
    """Describe all that pages may show of others, or refer to there."""
    headings = {name: data.get("myst_slugs") for name, data in env.metadata.items()}
    contents = [env.titles, env.longtitles, env.tocs, env.toctree_includes, headings]
    numbers = [env.toc_secnumbers, env.toc_fignumbers]
    return [
        _describe(part) for part in (*contents, *numbers, *(d.data for d in env.domains.values()))
    ]


def _describe(thing) -> str:
    """Describe a structure so that two of them can be compared, in whatever order they grew."""
    if isinstance(thing, nodes.Node):
        return thing.pformat()
    if isinstance(thing, dict):
        return str(sorted(f"{key}: {_describe(value)}" for key, value in thing.items()))
    if isinstance(thing, list | set):
        return str(sorted(map(_describe, thing)))
    return ADDRESS.sub("", repr(thing))


# Exercises and solutions ---------------------------------------------------------------------


def is_solution(docname: str) -> bool:
    """Tell whether a page is one that can be withheld."""
    return docname.startswith("solutions/")


def leave_out_solutions(app: Sphinx, config) -> None:
    """Build without solutions if they are withheld."""
    if config.course_solutions:
        return
    _leave_out(app, config, is_solution, ["solutions/**"])
    shutil.rmtree(build_folder(app) / "jupyter_execute" / "solutions", ignore_errors=True)


def leave_out_drafts(app: Sphinx, config) -> None:
    """Build without the exercises that are not for readers yet, and say which ones these are."""
    names = _ask_course(drafts, app)
    pages = {f"{folder}/{name}" for folder in EXERCISE_FOLDERS for name in names}
    for name in names:
        tell(f"left out exercises/{name} and its solution, which says `draft: true`")
    if names:
        _leave_out(app, config, pages.__contains__, [f"{page}.*" for page in sorted(pages)])


def _leave_out(
    app: Sphinx, config, is_left_out: Callable[[str], bool], patterns: list[str]
) -> None:
    """Take pages out of the table of contents; `patterns` says which files these are."""
    path = Path(app.srcdir, config.external_toc_path)
    try:
        contents = yaml.safe_load(path.read_text("utf-8"))
        parse_toc_data(contents)
    except (MalformedError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is no table of contents: {error}") from error
    kept = _without(contents, is_left_out)
    if kept != contents:
        path = build_folder(app).resolve() / "toc-of-this-build.yml"
        path.write_text(yaml.safe_dump(kept, sort_keys=False), "utf-8")
        config.external_toc_path = path.as_posix()
    config.exclude_patterns = [*config.exclude_patterns, *patterns]


def _without(entry: dict, is_left_out: Callable[[str], bool]) -> dict:
    """Return an entry of a table of contents without pages, and without parts left empty."""
    kept = dict(entry)
    for key in TOC_LISTS:
        if key not in entry:
            continue
        inner = [_without(child, is_left_out) for child in entry[key]]
        kept[key] = [child for child in inner if not _leads_nowhere(child, is_left_out)]
        if not kept[key]:
            del kept[key]
    return kept


def _leads_nowhere(entry: dict, is_left_out: Callable[[str], bool]) -> bool:
    if not any(key in entry for key in ("file", "url", "glob", *TOC_LISTS)):
        return True
    return is_left_out(re.sub(r"\.(md|ipynb)$", "", entry.get("file", entry.get("glob", ""))))


def require_pages_of_exercises(app: Sphinx, env: BuildEnvironment, *changes) -> list[str]:
    """Refuse to build a site that lacks the page of an exercise which is no draft."""
    names = _ask_course(exercise_names, app)
    folders = EXERCISE_FOLDERS if app.config.course_solutions else EXERCISE_FOLDERS[:1]
    pages = {f"{folder}/{name}" for folder in folders for name in names} - env.found_docs
    if pages:
        way_out = "list them there, or write `draft: true` into the front matter of the solution"
        raise ExtensionError(f"_toc.yml lacks {', '.join(sorted(pages))}; {way_out}")
    return []


def fill_in_steps(app: Sphinx, config) -> None:
    """Let pages say `{{ three_steps }}` for the words that the zip's README uses."""
    names = _ask_course(exercise_names, app)
    if names:
        steps = three_steps(wheel_name(Path(app.srcdir)), f"{names[0]}.ipynb")
        config.myst_substitutions = {**config.myst_substitutions, "three_steps": steps}


def _ask_course(question: Callable[[Path], list[str]], app: Sphinx) -> list[str]:
    """Ask for names of exercises; Sphinx prints an error of ours without a traceback."""
    try:
        return question(Path(app.srcdir))
    except LayerlabError as error:
        raise ExtensionError(str(error)) from error


def prepare_downloads(app: Sphinx) -> None:
    """Begin to pack the package that students take home, beside the other work.

    The rest of what they take home is made here, not in a thread: there Python 3.11 cannot read
    source code while it reads another in this one. And it begins when the other extensions have:
    sphinx-sitemap forks this process, and such a fork holds the pipe through which a program that
    is being started says that it runs, so that whoever starts it waits for ever.
    """
    if app.builder.format == "html" and _ask_course(exercise_names, app):
        packing = build_wheel, Path(app.srcdir), stored_folder(app) / ".wheel"
        app.course_wheel = ThreadPoolExecutor(1).submit(*packing)


def _downloads(app: Sphinx) -> Path | None:
    """Make what students take home, once; return the folder, None if there is nothing."""
    if app.builder.format != "html":
        return None
    if not hasattr(app, "course_downloads"):
        site_url = published_address(app.config.html_baseurl, _repository(app))
        options = {"solutions": app.config.course_solutions, "site_url": site_url}
        options |= {"wheels": stored_folder(app) / ".wheel"}
        try:
            if hasattr(app, "course_wheel"):
                app.course_wheel.result()
            app.course_downloads = make_downloads(Path(app.srcdir), build_folder(app), **options)
        except LayerlabError as error:
            raise ExtensionError(str(error)) from error
    return app.course_downloads


def _repository(app: Sphinx) -> str:
    return app.config.html_theme_options.get("repository_url") or ""


def take_out_marks(app: Sphinx, docname: str, source: list[str]) -> None:
    """Read a solution as its page shows it."""
    source[0] = _shown_text(docname, source[0], Path(app.srcdir))


@cache
def _shown_text(docname: str, text: str, root: Path) -> str:
    """Return a page's source as a reader may see it, in the language of this site."""
    try:
        if is_solution(docname):
            return name_as_solution(translated(docname, solution_page(text, docname), root))
        return translated(docname, text, root)
    except LayerlabError as error:
        raise ExtensionError(str(error)) from error


def offer_downloads(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put buttons under the title of the pages that have something to take home."""
    folder, body = _downloads(app), context.get("body", "")
    notebook = _notebook(app, pagename)
    if folder is None or not doctree or not (notebook or pagename == "book/exercises"):
        return
    what = notebook.split("/")[0] or "exercises"
    archive = folder / f"{what}.zip"
    values = {
        "pathto": context["pathto"],
        "say": say,
        "what": what,
        "notebook": notebook and f"downloads/{notebook}",
        "steps": "book/exercises" if "book/exercises" in app.env.found_docs else "",
        "archive": f"downloads/{what}.zip" if archive.is_file() else "",
        "megabytes": max(1, round(archive.stat().st_size / 1e6)) if archive.is_file() else 0,
        "launchers": _launchers(app, pagename) if what == "exercises" else {},
    }
    buttons = app.builder.templates.render("course-downloads.html", values)
    context["body"] = body.replace("</h1>", f"</h1>\n{buttons}", 1)


def _notebook(app: Sphinx, pagename: str) -> str:
    """Return where the notebook of a page lies among the downloads; "" if there is none."""
    folder = _downloads(app)
    if folder is None:
        return ""
    if pagename in chapters(app):
        return f"chapters/{PurePosixPath(pagename).name}.ipynb"
    return f"{pagename}.ipynb" if (folder / f"{pagename}.ipynb").is_file() else ""


def offer_one_notebook(app: Sphinx, pagename: str, templatename: str, context: dict, doctree):
    """Let the menu in a page's head lead to the notebook that its box offers, to no second one."""
    notebook = _notebook(app, pagename)
    for group in context.get("header_buttons", ()) if notebook else ():
        for button in group.get("buttons", ()):
            if button["label"] == "download-source-button":
                address = context["pathto"](f"downloads/{notebook}", 1)
                tooltip = say("Download notebook file")
                button |= {"url": address, "text": ".ipynb", "tooltip": tooltip}


def _launchers(app: Sphinx, pagename: str) -> dict[str, str]:
    """Return the addresses that open an exercise in a Jupyter elsewhere, by name of the service.

    Both services read from a repository on GitHub. What they open is not the notebook among the
    sources but the site's own download, since its first cell installs the package.
    """
    match = GITHUB.fullmatch(_repository(app))
    if match is None:
        return {}
    place, branch = f"{match[1]}/{match[2]}", app.config.course_site_branch
    language = current()
    path = f"{f'{language.name}/' if language else ''}downloads/{pagename}.ipynb"
    return {
        "Colab": f"https://colab.research.google.com/github/{place}/blob/{branch}/{path}",
        "Binder": f"https://mybinder.org/v2/gh/{place}/{branch}?urlpath=lab/tree/{path}",
    }


# Running the notebooks -----------------------------------------------------------------------


def start_kernels_from_here(app: Sphinx) -> None:
    """Have `python3` mean the interpreter that builds, with the package that lies here."""
    cores = os.cpu_count() or 1
    source_roots = [Path(app.srcdir) / "code"]
    variables = {
        "OMP_NUM_THREADS": str(max(1, cores // count_workers())),
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore:IProgress not found",  # no widgets on a page, and none missed
    }
    os.environ[VARIABLE] = ENGLISH  # of checks: all languages share what pages put out
    prepare_kernels((build_folder(app) / ".kernels").resolve(), source_roots, variables)


def count_workers() -> int:
    """Return how many notebooks run at the same time: one per core, four at most."""
    return min(4, os.cpu_count() or 1)


def find_pages_to_run(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """Name the pages whose stored outputs are not true any more, so that they are read again."""
    app.course_runs, app.course_outputs = {}, None
    if env.mystnb_config.execution_mode != "cache":
        return []
    figures = stored_folder(app) / "figures"
    figures.mkdir(exist_ok=True)
    app.course_outputs = Outputs(Path(env.mystnb_config.execution_cache_path), figures)
    sources = Sources(Path(app.srcdir))
    for docname in sorted(env.found_docs):
        run = _read_run(env, docname, sources)
        reason = app.course_outputs.reason(run) if run else ""
        if reason:
            app.course_runs[docname] = run, reason
    return list(app.course_runs)


def execute_before_reading(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Run the notebooks whose outputs are not stored, and say why each of them runs."""
    app.course_read, app.course_offers = docnames, _offers(env)
    if not app.course_runs:
        return
    # Later pages compute more, and what takes longest should not be left for the end.
    runs = [run for run, _ in reversed(app.course_runs.values())]
    if len(runs) > count_workers():  # some page waits for another
        _downloads(app)  # what is wrong there should be said at once
    tell(f"notebooks to execute: {len(runs)}, up to {count_workers()} at a time")
    for docname, (run, reason) in app.course_runs.items():
        tell(f"{docname} runs: {reason}")
        run.variables["LAYERLAB_FIGURES"] = str(app.course_outputs.place_for_figures(run))
    failed = execute_notebooks(
        runs,
        app.course_outputs.keep,
        modules=modules_in_common([run.notebook for run in runs]),
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


def _read_notebook(env: BuildEnvironment, docname: str) -> NotebookNode | None:
    """Read a page as MyST-NB will; None for a page without code."""
    path = Path(env.doc2path(docname))
    text = _shown_text(docname, path.read_text("utf-8"), Path(env.srcdir))
    reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
    return reader and reader.read(text)


def _read_run(env: BuildEnvironment, docname: str, sources: Sources) -> Run | None:
    """Read a page that is to be executed; None for all others."""
    path = Path(env.doc2path(docname))
    patterns = env.mystnb_config.execution_excludepatterns
    if any(PurePosixPath(path.as_posix()).match(pattern) for pattern in patterns):
        return None
    notebook = _read_notebook(env, docname)
    if notebook is None:
        return None
    try:
        inputs = sources.page_inputs(path, notebook)
    except (LayerlabError, FileNotFoundError) as error:
        raise ExtensionError(str(error)) from error
    return Run(path.relative_to(env.srcdir).as_posix(), path, notebook, inputs)


# Pages ---------------------------------------------------------------------------------------


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


def mend_html(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Take out what misleads a screen reader, and what HTML does not allow.

    MyST-NB's label for a folded cell differs from the words one sees on it, which it makes
    paragraphs. The role that docutils gives the entries of a bibliography no longer exists, and
    without it they form no list. Napoleon puts lists into paragraphs.
    """
    body = context.get("body", "")
    for attribute in MISLEADING:
        body = body.replace(attribute, "")
    body = SUMMARY.sub(lambda words: P_TAG.sub(r"<\1span", words[0]), body)
    context["body"] = LIST_IN_P.sub(r"\1", body)


def name_pictures(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Let a page name its pictures, which lie beside it."""
    way = relative_uri(app.builder.get_target_uri(pagename), "_images/")
    context["body"] = take_out_pictures(context["body"], Path(app.outdir, "_images"), way)


def make_room(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Let long lines break and wide tables stack where a window is narrow."""
    context["body"] = lay_out(context["body"])


def make_lean(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Leave out the elements that neither theme shows."""
    options = app.config.html_theme_options
    styles = (options["pygments_light_style"], options["pygments_dark_style"])
    context["body"] = leave_out(context["body"], plain_classes(styles))


def bundle_scripts(app: Sphinx, config) -> None:
    """Make the pages' own scripts, as a folder of static files."""
    static = web_output(app.outdir)
    static.mkdir(parents=True, exist_ok=True)
    try:
        app.course_scripts = make_scripts(Path(app.srcdir), static / "web")
        make_laboratory(Path(app.srcdir), static / "lab")
    except LayerlabError as error:
        raise ExtensionError(str(error)) from error
    config.html_static_path = [*config.html_static_path, static.as_posix()]
    sheets = [f"web/{name}.css" for name in STYLES if name in app.course_scripts]
    for place, name in enumerate(sheets):
        app.add_css_file(name, priority=900 + place)  # after the theme's
    sheet = "".join((static / name).read_text("utf-8") for name in sheets)
    config.html_context["first_fonts"] = first_fonts(sheet)


def keep_program(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Keep a page's code where the page may load it to run it, and say so where it may at once."""
    notebook = _read_notebook(app.env, pagename) if doctree else None
    if notebook is None:
        return
    write_program(Path(app.outdir), pagename, program(notebook, places_of(doctree)))
    if app.config.course_jupyter:
        place = offer_server(app.config.course_jupyter, pagename)
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{place}", 1)


def load_scripts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Load the scripts of every page, and those that a page asks for."""
    for name in scripts_asked_for(context.get("body", "")):
        if name not in app.course_scripts:
            known = ", ".join(app.course_scripts) or "none"
            raise ExtensionError(f'{pagename}: data-script="{name}"; book/web has {known}')
        app.add_js_file(f"web/{name}.js", loading_method="defer")
    for name in EVERY_PAGE:
        if name in app.course_scripts:
            app.add_js_file(f"web/{name}.js", loading_method="defer")


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
    _complete_downloads(app)
    _copy_downloads(app)
    forget_programs(Path(app.outdir), app.env.found_docs)
    _write_sources_without_marks(app)
    _write_redirect(app)
    if getattr(app, "course_wrote", False):
        pages = (path.read_text("utf-8") for path in Path(app.outdir).rglob("*.html"))
        forget_pictures(pages, Path(app.outdir, "_images"))
        prefix = urlsplit(app.config.html_baseurl or "/").path or "/"
        private = {str(app.srcdir), sys.prefix, str(Path.home())} - {"/"}
        for page, problem in audit_site(Path(app.outdir), private, prefix):
            logger.warning("%s: %s", page, problem, type="course", subtype="audit")
    if app._warncount == 0:
        _note_success(app)


def _write_redirect(app: Sphinx) -> None:
    """Let index.html lead to the first page, also for somebody whom no refresh takes there."""
    if app.config.root_doc == "index":
        return
    page = app.builder.get_target_uri(app.config.root_doc)
    title = escape(app.config.html_title)
    words = {"language": app.config.language, "words": say("Go to the first page")}
    text = REDIRECT.format(page=page, title=title, **words)
    (Path(app.outdir) / "index.html").write_text(text, encoding="utf-8")


def _complete_downloads(app: Sphinx) -> None:
    """Put the notebooks of the chapters, and the whole book as files, among the downloads."""
    folder = _downloads(app)
    if folder is None:
        return
    try:
        write_chapters(app, folder / "chapters")
        editions.copy_files(app, folder)
    except LayerlabError as error:
        raise ExtensionError(str(error)) from error


def _copy_downloads(app: Sphinx) -> None:
    """Let the site serve the downloads of this build, and no older one.

    Sphinx's own way for such files (html_extra_path) copies them only when a page is written, and
    removes none.
    """
    target = Path(app.outdir) / "downloads"
    source = _downloads(app)
    wanted = {path.relative_to(source) for path in source.rglob("*")} if source else set()
    for path in sorted(target.rglob("*"), reverse=True):  # a folder comes after what is in it
        if path.relative_to(target) not in wanted:
            path.rmdir() if path.is_dir() else path.unlink()
    for name in sorted(wanted):
        old, new = target / name, source / name
        if new.is_file() and not (old.is_file() and _same_file(old, new)):
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(new, old)
    if not wanted and target.is_dir():
        target.rmdir()


def _same_file(one: Path, other: Path) -> bool:
    """Tell whether a file is the other's copy, by size and time."""
    one, other = one.stat(), other.stat()
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def _write_sources_without_marks(app: Sphinx) -> None:
    """Overwrite the solutions' sources that Sphinx keeps, and drop second notebooks."""
    for path in Path(app.outdir, "_sources", "exercises").glob("*.ipynb"):
        path.unlink()
    for docname in filter(is_solution, app.env.found_docs):
        path = Path(app.env.doc2path(docname))
        copy = Path(app.outdir) / "_sources" / path.relative_to(app.srcdir)
        if copy.is_file():
            text = _shown_text(docname, path.read_text("utf-8"), Path(app.srcdir))
            copy.write_text(text, encoding="utf-8")


def _note_success(app: Sphinx) -> None:
    """Leave the mark that the next build trusts, and clear away what no build will use again."""
    if app.course_outputs:
        app.course_outputs.clear(Path(app.srcdir))
    success_mark(app).write_text(editions.edition(app.config.course_solutions), encoding="utf-8")
