"""The site in another language than English: the same sources and outputs, with other words.

    make book LANGUAGE=de

A page is translated before it is read (`coursebuild.messages`), and not node by node as Sphinx does
it: there each message becomes a document of its own, in which no cell has stored the numbers that
`glue` asks for, and what a quiz says is never seen. The code of a page stays as it is, so its
stored outputs hold for every language, and no page runs because of one.

What is not translated is said for each page at the end, and all of it is written to a file.
"""

import re
from pathlib import Path

from docutils import nodes
from markdown_it import MarkdownIt
from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError, ExtensionError
from sphinx.transforms import SphinxTransform

from coursebuild.catalogues import (
    DOMAIN,
    ENGLISH,
    WORDS,
    CatalogueError,
    Lack,
    begin,
    current,
    lacks,
    say,
    source_of,
)
from coursebuild.downloads import published_address
from coursebuild.messages import MessageError, html_messages, html_with_messages, with_messages
from coursebuild.notebooks import NotebookError, as_text, exercise_notebook
from coursebuild.texts import (
    messages_of_checks,
    messages_of_page,
    messages_of_scripts,
    messages_of_site,
)
from layerlab.errors import LayerlabError

FILE = "untranslated.txt"
PRAISE = "✓ "  # with which a check begins that is passed
SLUG = f"{__name__}.slug"
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)

_headings: dict[str, str] = {}  # translated ones, and what their English ones are


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.add_config_value("course_words", "", "env", types=[str])
    app.add_config_value("course_stored", "", "", types=[str])
    app.add_transform(EnglishPages)
    app.connect("config-inited", choose_language, priority=150)
    app.connect("env-get-outdated", find_pages_translated_anew)
    app.connect("doctree-read", translate_outputs, priority=400)  # before figures get their numbers
    app.connect("html-page-context", hand_words_over, priority=100)
    app.connect("build-finished", tell_what_is_missing, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def stored_folder(app: Sphinx) -> Path:
    """Return the folder of what all languages share: stored outputs, the figures, the wheel."""
    return Path(app.config.course_stored or Path(app.outdir).parent)


def choose_language(app: Sphinx, config) -> None:
    """Begin with the language of this site, and let the theme's own settings speak it, too."""
    try:
        language = begin(Path(app.srcdir), config.language or ENGLISH)
    except LayerlabError as error:
        raise ConfigError(str(error)) from error
    if language is None:
        return
    config.course_words = language.fingerprint(WORDS) + language.fingerprint(DOMAIN)
    known, scripts = language.of(WORDS).known, messages_of_scripts(Path(app.srcdir))
    app.course_script_words = {text: known[text] for text in scripts if known.get(text)}
    config.myst_heading_slug_func = SLUG
    config.nb_code_prompt_show = say("Show the code")
    config.nb_code_prompt_hide = say("Hide the code")
    config.html_title = say(config.html_title or config.project)
    config.author = say(config.author)
    repository = config.html_theme_options.get("repository_url") or ""
    if address := published_address(config.html_baseurl, repository):
        config.html_baseurl = f"{address}/{language.name}"
    for option in ("search_bar_text", "toc_title"):
        if option in config.html_theme_options:
            config.html_theme_options[option] = say(config.html_theme_options[option])


# Pages ---------------------------------------------------------------------------------------


def translated(page: str, text: str, root: Path) -> str:
    """Return the source of a page in the language of this site.

    Parameters
    ----------
    page : str
        Its name, such as "book/01-minkowski".
    text : str
        Its source in English, as it would be read.
    root : Path
        The root of the course.

    Raises
    ------
    LayerlabError
        If a translation cannot stand there.
    """
    language = current()
    if language is None:
        return text
    if page.startswith("exercises/"):
        source = root / f"{source_of(page)}.md"
        return as_text(exercise_notebook(source, language=language))
    catalogue = language.of(page)
    for message in HEADING.findall(text):
        if catalogue(message) != message:
            _headings[_plain(catalogue(message))] = _plain(message)
    try:
        return with_messages(text, catalogue)
    except MessageError as error:
        raise MessageError(f"{page}: {error}") from error


def _plain(heading: str) -> str:
    """The words of a heading, of which its anchor is made."""
    inline = MarkdownIt("commonmark").parseInline(heading)[0].children or []
    return "".join(token.content for token in inline if token.type in ("text", "code_inline"))


def slug(title: str) -> str:
    """Name the anchor of a heading: as in English, so that links lead there in every language."""
    return default_slugify(_headings.get(title, title))


class EnglishPages(SphinxTransform):
    """Say of pages without any translation that they are English, quotation marks included."""

    default_priority = 700  # before those that make the quotation marks of a language

    def apply(self, **kwargs) -> None:
        """Mark the sections of such a page; docutils gives them the attribute `lang`."""
        language = current()
        if language and not any(language.of(self.env.docname).known.values()):
            for section in self.document.findall(nodes.section):
                if isinstance(section.parent, nodes.document):
                    section["classes"].append(f"language-{ENGLISH}")


def find_pages_translated_anew(app: Sphinx, env: BuildEnvironment, *changes) -> list[str]:
    """Name the pages whose translations are others than when they were read."""
    language, before = current(), getattr(env, "course_translated", {})
    now = {name: language.fingerprint(name) for name in env.found_docs} if language else {}
    env.course_translated = now
    return [name for name in now if name in before and before[name] != now[name]]


def translate_outputs(app: Sphinx, doctree: nodes.document) -> None:
    """Let captions, alternative texts and passed checks speak the language; note what there is."""
    language, page = current(), app.env.docname
    if language is None:
        return
    found: dict[str, None] = {}
    for output in list(doctree.findall(nodes.raw)):
        if output["format"] == "html":
            found |= dict.fromkeys(html_messages(output.astext()))
            text = html_with_messages(output.astext(), language.of(page))
            if text != output.astext():
                output.replace_self(nodes.raw(text, text, format="html"))
    for printed in list(doctree.findall(nodes.literal_block)):
        if printed.astext().startswith(PRAISE):
            text = PRAISE + language.checks(printed.astext().removeprefix(PRAISE).strip())
            printed.children = [nodes.Text(text)]
    app.env.metadata[page]["course_put_out"] = list(found)


def hand_words_over(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Let templates say words, and give a page those that its scripts say."""
    context["say"] = say
    if current():
        context["script_words"] = app.course_script_words


# What is missing -----------------------------------------------------------------------------


def tell_what_is_missing(app: Sphinx, exception: Exception | None) -> None:
    """Say of each page what is not translated, and write all of it to a file."""
    language, root = current(), Path(app.srcdir)
    if exception is not None or language is None or app.builder.format != "html":
        return
    found: list[Lack] = []
    for page in sorted({source_of(name) for name in app.env.found_docs}):
        put_out = app.env.metadata.get(page, {}).get("course_put_out", [])
        found.append(lacks(page, messages_of_page(root, page, put_out), language.of(page)))
    try:
        found.append(lacks(WORDS, messages_of_site(root), language.of(WORDS)))
        found.append(lacks(DOMAIN, messages_of_checks(root), language.checks))
    except (CatalogueError, NotebookError) as error:
        raise ExtensionError(str(error)) from error
    path = Path(app.outdir).parent / FILE
    path.write_text("\n\n".join(map(_listed, filter(_is_told, found))) + "\n", encoding="utf-8")
    for lack in filter(_is_told, found):
        print(lack, flush=True)
    print(f"All that is not translated into {language.name!r} stands in {path}", flush=True)


def _is_told(lack: Lack) -> bool:
    return bool(lack.missing or lack.gone)


def _listed(lack: Lack) -> str:
    missing = [f"  {message}" for message in lack.missing]
    gone = [f"  translated, and no message any more: {message}" for message in lack.gone]
    return "\n".join([str(lack), *missing, *gone])
