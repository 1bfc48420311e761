"""The parts of the table of contents: the sidebar folds them, and each page names its own.

Without this a sidebar has a line for every page. With it, the part that one reads is open, the
others are a line each, and any of them opens without JavaScript.
"""

import re
from collections.abc import Callable
from html import escape, unescape

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from coursebuild.catalogues import say

PART = re.compile(
    r'<p aria-level="2" class="caption" role="heading">'
    r'<span class="caption-text">(?P<name>.*?)</span></p>\s*(?P<list><ul.*?</ul>)',
    re.DOTALL,
)


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("html-page-context", fold_sidebar, priority=900)  # after the theme's own function
    app.connect("html-page-context", name_part)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def parts(env: BuildEnvironment) -> dict[str, list[str]]:
    """Return the pages of each part of the table of contents, by the part's caption."""
    site = getattr(env, "external_site_map", None)
    trees = site.root.subtrees if site else []
    return {tree.caption: [str(page) for page in tree.files()] for tree in trees if tree.caption}


def part_of(env: BuildEnvironment, page: str) -> str:
    """Return the caption of the part that a page belongs to, "" if it belongs to none."""
    return next((caption for caption, pages in parts(env).items() if page in pages), "")


def progress(env: BuildEnvironment) -> dict[str, str]:
    """What is counted of each part, by its caption as HTML: pages "read", or exercises "done".

    Parts after the exercises are looked up in, not read through.
    """
    kinds = {}
    for caption, pages in parts(env).items():
        has_exercises = any(page.startswith("exercises/") for page in pages)
        kinds[escape(caption, quote=False)] = "done" if has_exercises else "read"
        if has_exercises:
            break
    return kinds


def fold(navigation: str, counted: dict[str, str] | None = None) -> str:
    """Make an element that opens of each part of the sidebar; the current one is open.

    Parameters
    ----------
    navigation : str
        The sidebar's HTML.
    counted : dict, optional
        What `book/web/progress.js` counts of a part, by its caption.
    """

    def folded(part: re.Match) -> str:
        is_open = " open" if 'class="toctree-l1 current' in part["list"] else ""
        kind = (counted or {}).get(part["name"])
        counts = f' data-progress="{kind}"' if kind else ""
        head = f"<summary>{_said(part['name'])}</summary>"
        return f'<details class="course-part"{counts}{is_open}>{head}{part["list"]}</details>'

    return PART.sub(folded, navigation)


def _said(caption: str) -> str:
    return escape(say(unescape(caption)), quote=False)


def fold_sidebar(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Fold what the theme's function returns for the sidebar."""
    generate: Callable | None = context.get("generate_toctree_html")
    if generate is None:
        return

    def generate_folded(kind: str, *args, **options):
        made = generate(kind, *args, **options)
        return fold(str(made), progress(app.env)) if kind == "sidebar" else made

    context["generate_toctree_html"] = generate_folded


def name_part(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Write the name of its part above a page's title."""
    caption = part_of(app.env, pagename)
    if caption and doctree:
        kicker = f'<p class="course-kicker">{escape(say(caption))}</p>\n<h1'
        context["body"] = context["body"].replace("<h1", kicker, 1)
