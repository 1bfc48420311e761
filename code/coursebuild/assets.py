"""What a page loads: one style sheet, with the rules that the site uses, and no script in vain.

The theme and its companions bring style sheets of half a megabyte, of which the pages use a tenth,
an icon font as a script, and scripts for what no page has.
"""

import json
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from coursebuild.fonts import cut_fonts, letters_of, swapped
from coursebuild.web import WebError, node_modules, run_node, web_output

SCRIPT = Path(__file__).with_name("styles.cjs")
SHEET = "site.css"
LATE_FONTS = "late-fonts.css"  # for pages that are no server's
THEME = ("basic.css", "styles/pydata-sphinx-theme.css")  # linked by the theme's own template
# Scripts for Sphinx's search and its keys, and what book/web/page.js does. Options for them: the
# theme asks for some, and book/_templates/layout.html says that none is set.
NEEDLESS = ("doctools.js", "sphinx_highlight.js", "sphinx-book-theme.js", "OPTIONS", "_options.js")
ONLY_FOR = {  # a script, or words in one that stands in the page, and what a page has that needs it
    "toggle": re.compile(r'class="[^"]*\b(?:toggle|dropdown)\b'),
    "design-tabs": re.compile(r'class="[^"]*\bsd-tab'),
    "copybutton": re.compile(r"<pre"),
    "clipboard": re.compile(r"<pre"),
}
NO_NAMES = ("fontawesome.js", "search-texts.js")  # scripts that name no rule, for all their words
GONE = ("scripts/fontawesome.js", "scripts/*.map", "scripts/*.txt", "styles/*.map")
GONE += ("vendor/fontawesome/webfonts/*", "locales/**/*")


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.course_styles = {}
    app.connect("html-page-context", choose_scripts, priority=900)
    app.connect("html-page-context", gather_styles, priority=900)
    app.connect("build-finished", make_sheet, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": False}


def choose_scripts(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Leave out the scripts that a page does not need; none of the others holds it up."""
    body = context.get("body", "")
    kept = [js for js in context["script_files"] if is_needed(_says(js), body)]
    for js in kept:
        if js.filename:
            js.attributes["defer"] = "defer"
    context["script_files"] = kept


def _says(script) -> str:
    return f"{script.filename or ''} {script.attributes.get('body', '')}".strip()


def is_needed(script: str, body: str) -> bool:
    """Tell whether a page needs a script, given by its file or by what it says."""
    if any(word in script for word in NEEDLESS):
        return False
    return all(what.search(body) for word, what in ONLY_FOR.items() if word in script)


def gather_styles(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Take the style sheets of all pages out of each; what only some load stays there."""
    common = {str(css.filename) for css in app.builder._orig_css_files}
    sheets = sorted(context["css_files"], key=lambda css: css.priority)
    names = [str(css.filename).removeprefix("_static/") for css in sheets if css.filename in common]
    app.course_styles |= dict.fromkeys(names)
    context["css_files"] = [css for css in sheets if css.filename not in common]


def make_sheet(app: Sphinx, exception: Exception | None) -> None:
    """Make the one style sheet, and remove what nothing loads any more."""
    if exception is not None or app.builder.format != "html":
        return
    static, root = Path(app.outdir) / "_static", Path(app.srcdir)
    pages = sorted(Path(app.outdir).rglob("*.html"))
    try:
        if app.course_styles:  # some page was written
            styles = [str(static / name) for name in (*THEME, *app.course_styles)]
            (static / SHEET).write_text(_used(root, styles, [*pages, *_scripts(static)]), "utf-8")
        sheet, letters = (static / SHEET).read_text("utf-8"), letters_of(map(_text, pages))
        (static / LATE_FONTS).write_text(swapped(sheet), "utf-8")
        cut_fonts(root, sheet, web_output(app.outdir), static, letters)
    except WebError as error:
        raise ExtensionError(str(error)) from error
    for pattern in GONE:
        for path in static.glob(pattern):
            if path.is_file():
                path.unlink()


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _scripts(static: Path) -> list[Path]:
    return [path for path in static.rglob("*.js") if path.name not in NO_NAMES]


def _used(root: Path, styles: list[str], content: list[Path]) -> str:
    """One sheet of several, with the rules that something in the files of `content` can use."""
    asked = json.dumps({"styles": styles, "content": list(map(str, content))})
    return run_node([str(SCRIPT)], root, node_modules(root), asked)
