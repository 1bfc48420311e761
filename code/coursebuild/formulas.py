"""Formulas are drawn by KaTeX when the site is built, so that no page needs a script for them.

Each formula becomes HTML for the eye and MathML for a screen reader. All that a build needs are
drawn in one run of Node, and kept with the site. What KaTeX cannot read stops the build.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

from coursebuild.web import LOCK, WebError, node_modules, run_node, web_folder, web_output

SCRIPT = Path(__file__).with_suffix(".cjs")
OTHER_FORMATS = re.compile(r',url\([^)]+\) format\("(?:woff|truetype)"\)')
STYLE, FONTS = "katex.css", "katex"  # beside what is made of book/web


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.add_html_math_renderer("katex", (visit_math, None), (visit_block, None))
    app.connect("config-inited", lambda app, config: setattr(config, "html_math_renderer", "katex"))
    app.connect("doctree-read", note_formulas)
    app.connect("env-purge-doc", forget_formulas)
    app.connect("env-updated", draw_formulas)
    return {"parallel_read_safe": False, "parallel_write_safe": True}


def key_of(node: nodes.Node) -> tuple[str, bool]:
    """Return the TeX of a formula, and whether it stands on lines of its own."""
    display = isinstance(node, nodes.math_block)
    return _one_formula(node.astext()) if display else node.astext(), display


def _one_formula(tex: str) -> str:
    """Join paragraphs, which Sphinx takes as formulas below each other, and lines."""
    parts = [part.strip() for part in tex.split("\n\n") if part.strip()]
    if len(parts) > 1 or (r"\\" in tex and r"\begin" not in tex):
        return r"\begin{aligned}" + r"\\".join(parts) + r"\end{aligned}"
    return tex.strip()


def note_formulas(app: Sphinx, doctree: nodes.document) -> None:
    """Note which formulas a page has."""
    found = doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block))
    _noted(app.env)[app.env.docname] = list(dict.fromkeys(map(key_of, found)))


def forget_formulas(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget those of a page that is read again, or gone."""
    _noted(env).pop(docname, None)


def _noted(env: BuildEnvironment) -> dict[str, list[tuple[str, bool]]]:
    if not hasattr(env, "course_formulas"):
        env.course_formulas = {}
    return env.course_formulas


def draw_formulas(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Draw those formulas that are not drawn yet; Sphinx calls this after it has read all pages."""
    wanted = {key: page for page, keys in _noted(env).items() for key in keys}
    if app.builder.format != "html" or not wanted:
        app.course_formulas = {}
        return []
    root = Path(app.srcdir)
    version = hashlib.sha256((web_folder(root) / LOCK).read_bytes() + SCRIPT.read_bytes())
    store = Path(app.outdir).parent / ".formulas.json"
    drawn = kept(store, version.hexdigest())
    missing = [key for key in wanted if key not in drawn]
    try:
        results = draw(root, missing) if missing else []
    except WebError as error:
        raise ExtensionError(str(error)) from error
    problems = [
        f"{wanted[key]}: {result['error']}\n    {key[0]}"
        for key, result in zip(missing, results, strict=True)
        if "error" in result
    ]
    if problems:
        raise ExtensionError("formulas that KaTeX cannot read:\n" + "\n".join(problems))
    drawn |= {key: result["html"] for key, result in zip(missing, results, strict=True)}
    app.course_formulas = {key: drawn[key] for key in wanted}
    keep(store, version.hexdigest(), app.course_formulas)
    load_style(app)
    return []


def keep(store: Path, version: str, drawn: dict[tuple[str, bool], str]) -> None:
    """Store formulas for the next build with the same KaTeX."""
    rows = [[*key, html] for key, html in drawn.items()]
    store.write_text(json.dumps([version, rows]), "utf-8")


def kept(store: Path, version: str) -> dict[tuple[str, bool], str]:
    """Return what an earlier build drew with the same KaTeX."""
    if not store.is_file():
        return {}
    made_with, rows = json.loads(store.read_text("utf-8"))
    return {(tex, display): html for tex, display, html in rows} if made_with == version else {}


def draw(root: Path, formulas: list[tuple[str, bool]]) -> list[dict]:
    """Draw formulas, each given as its TeX and whether it stands on lines of its own.

    Parameters
    ----------
    root : Path
        The root of the course, whose lock file names the KaTeX to use.
    formulas : list of (str, bool)

    Returns
    -------
    list of dict
        For each formula `html`, or the `error` that KaTeX found in it.
    """
    asked = json.dumps([{"tex": tex, "display": display} for tex, display in formulas])
    return json.loads(run_node([str(SCRIPT)], root, node_modules(root), asked))


def visit_math(writer, node: nodes.math) -> None:
    """Write a formula that stands in a line of text."""
    writer.body.append(f'<span class="math notranslate">{_drawn(writer, node)}</span>')
    raise nodes.SkipNode


def visit_block(writer, node: nodes.math_block) -> None:
    """Write a formula that stands by itself, with the number that pages refer to."""
    writer.body.append(writer.starttag(node, "div", CLASS="math notranslate"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append(f"{_drawn(writer, node)}</div>\n")
    raise nodes.SkipNode


def _drawn(writer, node: nodes.Node) -> str:
    return writer.builder.app.course_formulas[key_of(node)]


def load_style(app: Sphinx) -> None:
    """Have KaTeX's style and fonts copied into the site, and the style read with the others."""
    source, target = node_modules(Path(app.srcdir)) / "katex" / "dist", web_output(app.outdir)
    style = OTHER_FORMATS.sub("", (source / "katex.min.css").read_text("utf-8"))
    (target / STYLE).write_text(style.replace("url(fonts/", f"url({FONTS}/"), "utf-8")
    newest = shutil.ignore_patterns("*.woff", "*.ttf")
    shutil.copytree(source / "fonts", target / FONTS, ignore=newest, dirs_exist_ok=True)
    app.add_css_file(STYLE)
