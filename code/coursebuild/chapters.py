"""Chapters to take home: each as a notebook that runs wherever the package is installed.

Made of the notebook as it ran, so that its text can say the numbers that its cells computed. Cells
that only serve the site lose that: nothing is stored for the prose any more, and code that a page
folds is folded in Jupyter, too. Data that a chapter reads from the course travels in a cell.
"""

import ast
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode
from pybtex.database import BibliographyData, Entry, parse_file
from sphinx.application import Sphinx

from coursebuild.downloads import package_of_site, published_address
from coursebuild.notebooks import as_text, finished, with_install_cell
from coursebuild.plain import Known, PlainError, plain

FOLDER = "book"  # whose pages with cells are chapters
ANCHOR = re.compile(r'anchor="([\w-]+)"')
CAPTION = re.compile(r'(caption=\(?\s*f?)"')
EQUATION = re.compile(r'id="equation-([\w-]+)">\s*<span class="eqno">\(([\d.]+)\)')
FOLDING = ("hide-input", "hide-cell", "remove-input", "remove-cell")
FOR_PROSE = {"glue", "at_least", "at_most"}  # of `layerlab.pages`, for numbers in sentences
OURS = ("code/", "constraints.txt")  # what a page may read, and the package brings
DATA = """\
# What this chapter reads, beside the notebook.
from base64 import b64decode
from pathlib import Path

FILES = {{
{files}
}}
for name, text in FILES.items():
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(b64decode(text))"""


# One notebook --------------------------------------------------------------------------------


def chapter_notebook(
    ran: NotebookNode, known: Known, data: dict[str, bytes], package: str | None = None
) -> NotebookNode:
    """Make the notebook that a reader takes home.

    Parameters
    ----------
    ran : NotebookNode
        The chapter as the site's build ran it.
    known : Known
        What its text refers to.
    data : dict
        The files that it reads, by their paths as its cells name them.
    package : str, optional
        What pip needs to install the package, as in `coursebuild.notebooks`.

    Returns
    -------
    NotebookNode
        Without outputs.
    """
    notebook = nbformat.v4.new_notebook(cells=[])
    for cell in ran.cells:
        if cell.cell_type == "markdown":
            notebook.cells.append(nbformat.v4.new_markdown_cell(plain(cell.source, known)))
        elif source := without_glue(cell.source):
            source = _numbered(_near(source, data), known.figures)
            notebook.cells.append(_code_cell(source, cell.metadata.get("tags", [])))
    if data:
        notebook.cells.insert(0, _code_cell(_data_cell(data), ["hide-input"]))
    return with_install_cell(finished(notebook), package)


def _code_cell(source: str, tags: Iterable[str]) -> NotebookNode:
    folded = any(tag in FOLDING for tag in tags)
    metadata = {"jupyter": {"source_hidden": True}} if folded else {}
    return nbformat.v4.new_code_cell(source, metadata=metadata)


def without_glue(source: str) -> str:
    """Take out of a cell what it stores for the prose, and what is empty then."""
    if "glue" not in source:
        return source
    lines = source.split("\n")
    for node in reversed(_gluing(ast.parse(source).body)):
        del lines[node.lineno - 1 : node.end_lineno]
    kept = re.sub(r"\n{3,}", "\n\n\n", "\n".join(lines)).strip("\n")
    if re.search(rf"\b({'|'.join(FOR_PROSE)})\b", kept):
        raise PlainError(f"a cell uses glue in a way that cannot be taken out:\n{kept}")
    return kept


def _gluing(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements that do nothing but store values, in order: single ones, or whole loops."""
    found = []
    for node in body:
        inner = [child for child in getattr(node, "body", []) if isinstance(child, ast.stmt)]
        gluing = _gluing(inner)
        if _glues(node) or (inner and len(gluing) == len(inner) and not getattr(node, "orelse", 0)):
            found.append(node)
        else:
            found += gluing
    return found


def _glues(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return {alias.name for alias in node.names} <= FOR_PROSE
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and getattr(call.func, "id", "") == "glue"


def _near(source: str, data: dict[str, bytes]) -> str:
    """Let a cell read beside the notebook what lay elsewhere in the course."""
    return source.replace('"../', '"') if data else source


def _numbered(source: str, figures: Mapping[str, str]) -> str:
    """Let the captions of a cell begin with the number that the text refers to."""
    numbers = [f"{figures[anchor]}. " for anchor in ANCHOR.findall(source) if anchor in figures]
    each = iter(numbers)
    return CAPTION.sub(lambda begin: f'{begin[1]}"{next(each)}', source) if numbers else source


def _data_cell(data: dict[str, bytes]) -> str:
    texts = {name: b64encode(content).decode() for name, content in sorted(data.items())}
    files = [f'    "{name}": """\n{_wrapped(text)}""",' for name, text in texts.items()]
    return DATA.format(files="\n".join(files))


def _wrapped(text: str, width: int = 100) -> str:
    return "\n".join(text[i : i + width] for i in range(0, len(text), width))


# What chapters refer to ----------------------------------------------------------------------


def works(bibliography: BibliographyData) -> dict[str, tuple[str, str]]:
    """Authors and year of each work, as a text cites it."""
    return {
        key: (_authors(work), work.fields["year"]) for key, work in bibliography.entries.items()
    }


def _authors(work: Entry) -> str:
    people = work.persons.get("author") or work.persons["editor"]
    names = [" ".join(map(str, who.rich_prelast_names + who.rich_last_names)) for who in people]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


def data_of(page: Path, ran: NotebookNode, root: Path) -> dict[str, bytes]:
    """The files that a chapter reads, by their paths below the folder of its notebook.

    Parameters
    ----------
    page : Path
        Its source.
    ran : NotebookNode
        The chapter as it ran. Its front matter says what it may read, and its cells name files.
    root : Path
        The root of the course.
    """
    found, named = {}, _paths_named(ran)
    reads = ran.metadata.get("reads", [])
    for name in reads:
        place = (page.parent / name).resolve()
        if place.relative_to(root.resolve()).as_posix().startswith(OURS):
            continue
        near = PurePosixPath(name.replace("../", ""))
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        for file in files:
            path = (near / file.relative_to(place)).as_posix()
            if any(fnmatch(path, name) or path.startswith(f"{name}/") for name in named):
                found[path] = file.read_bytes()
    return found


def _paths_named(ran: NotebookNode) -> set[str]:
    """The paths in the code of a notebook, with a star for what is filled in when it runs."""
    code = "\n".join(without_glue(cell.source) for cell in ran.cells if cell.cell_type == "code")
    found = set()
    for node in ast.walk(ast.parse(code)):
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        texts = [
            getattr(part, "value", "") if isinstance(part, ast.Constant) else "*" for part in parts
        ]
        if isinstance(node, ast.JoinedStr | ast.Constant) and all(
            isinstance(t, str) for t in texts
        ):
            found.add("".join(texts).replace("../", ""))
    return {name for name in found if re.search(r"[\w-]{2}", name) and "\n" not in name}


# On the site ---------------------------------------------------------------------------------


def chapters(app: Sphinx) -> list[str]:
    """The pages that are chapters: they have cells, and are not where the book begins."""
    pages = sorted(app.env.found_docs - {app.config.root_doc})
    return [page for page in pages if page.startswith(f"{FOLDER}/") and _ran(app, page).is_file()]


def _ran(app: Sphinx, page: str) -> Path:
    return Path(app.outdir).parent / "jupyter_execute" / f"{page}.ipynb"


def write_chapters(app: Sphinx, folder: Path) -> None:
    """Write the notebooks of all chapters into a folder, and remove those of chapters gone."""
    root = Path(app.srcdir)
    repository = app.config.html_theme_options.get("repository_url") or ""
    site_url = published_address(app.config.html_baseurl, repository)
    bibliography = [works(parse_file(root / name)) for name in app.config.bibtex_bibfiles]
    common = {
        "equations": dict(_equations(Path(app.outdir, FOLDER))),
        "figures": _figures(app),
        "works": {key: work for known in bibliography for key, work in known.items()},
    }
    texts = {}
    for page in chapters(app):
        ran = nbformat.read(_ran(app, page), 4)
        known = Known(values=_values(app, page), address=_addresses(app, page, site_url), **common)
        source = root / app.env.doc2path(page, base=False)
        try:
            data = data_of(source, ran, root)
            made = chapter_notebook(ran, known, data, package_of_site(root, site_url))
        except PlainError as error:
            raise PlainError(f"{source.relative_to(root)}: {error}") from error
        texts[f"{PurePosixPath(page).name}.ipynb"] = as_text(made).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        if not (folder / name).is_file() or (folder / name).read_bytes() != text:
            (folder / name).write_bytes(text)


def _values(app: Sphinx, page: str) -> dict[str, str]:
    """What the cells of a page stored for its prose."""
    file = _ran(app, page).with_suffix(".glue.json")
    stored = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return {name: output["data"]["text/plain"] for name, output in stored.items()}


def _equations(pages: Path) -> Iterable[tuple[str, str]]:
    """Labels and numbers of the formulas, as the pages show them."""
    for path in sorted(pages.glob("*.html")):
        yield from EQUATION.findall(path.read_text("utf-8"))


def _figures(app: Sphinx) -> dict[str, str]:
    """What a link without words says: a figure's number, or the title of a section with a label."""
    return {name: title for name, (_, _, title) in app.env.get_domain("std").labels.items()}


def _addresses(app: Sphinx, page: str, site_url: str):
    """How a text of that page finds others on the published site."""
    labels = app.env.get_domain("std").anonlabels

    def address(other: str, place: str) -> str:
        if not site_url:
            return ""
        name, anchor = page, place
        if other:
            name = (PurePosixPath(page).parent / other).as_posix()
            name = name.replace(f"{FOLDER}/../", "")
        elif place in labels:
            name, anchor = labels[place][0], f"#{labels[place][1]}"
        elif place:
            anchor = f"#{place}"
        return f"{site_url}/{app.builder.get_target_uri(name)}{anchor}"

    return address
