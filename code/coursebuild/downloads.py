"""What a student takes home: notebooks, and zips that hold all that a machine needs to run them.

    python -m coursebuild.downloads [--solutions no] [--out FOLDER] [SOURCE]

The site's build does the same and serves the folder, so that the addresses stay the same from
edition to edition:

    downloads/exercises/NN-topic.ipynb   one exercise
    downloads/exercises.zip              all, the package, its pins, and what to do with them
    downloads/layerlab-VERSION-py3-none-any.whl
    downloads/solutions/NN-topic.ipynb, downloads/solutions.zip     unless they are withheld

The same inputs give the same bytes, and nothing is made again unless an input changed.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import yaml
from nbformat import NotebookNode
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coursebuild.catalogues import WORDS, current, say, translatable
from coursebuild.course import course_root, drafts
from coursebuild.execution import GENERATED, fingerprint
from coursebuild.messages import with_messages
from coursebuild.notebooks import as_text, exercise_notebook, solution_notebook
from layerlab.errors import LayerlabError

JUPYTER = "jupyterlab"  # what the notebooks are worked on in
PACKAGE = ("code/layerlab", "code/coursechecks", "pyproject.toml", "README.md", "LICENSE")
PACKAGE += ("LICENSE-TEXT.md",)
# Our modules that decide what a download holds.
MAKERS = ("downloads", "execution", "kernels", "notebooks", "rules", "blanks", "course")
MAKERS += ("messages", "pictures", "catalogues")
GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
LINK_TO_PAGE = re.compile(r"\[([^\]]+)\]\(\.\./([\w/.-]+)\.(?:md|ipynb)(#[\w-]+)?\)")
TITLE = r'(?m)^(# |\s*"description[^"\n]*": "){}(?= \d|:)'
EXERCISE, SOLUTION = translatable("Exercise"), translatable("Solution")  # as titles begin
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip can name
SYSTEMS = (  # where a student may work; what only one of them needs is pinned for all
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
)
EXTRA = "checks"  # of the package: what an exercise needs besides
CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"

STEPS = f"""\
1. **Make an environment**: a folder that holds what the course needs and leaves the rest of your
   machine as it is. You need Python 3.11 or newer.
2. **Install** the package `layerlab`, with the versions that the course was tested with, and
   JupyterLab. The model and the article come along with the package. This step downloads PyTorch,
   so it needs a connection and a few minutes; the notebooks themselves need none.
3. **Start JupyterLab** with the first notebook. A browser window opens. The next time, this step
   is all you do.

On Linux and macOS:

```sh
python3 -m venv .venv
.venv/bin/python -m pip install -c constraints.txt "{{wheel}}[{EXTRA}]" {JUPYTER}
.venv/bin/jupyter lab {{first}}
```

On Windows:

```bat
py -m venv .venv
.venv\\Scripts\\python -m pip install -c constraints.txt "{{wheel}}[{EXTRA}]" {JUPYTER}
.venv\\Scripts\\jupyter lab {{first}}
```

On Linux without a GPU, add `{CPU_INDEX}` to the
second line, which spares you several gigabytes of CUDA libraries.
"""
README = """\
# {title}: {what}

This folder holds {what} as notebooks, the package that they measure with, and the versions that
fit together (`constraints.txt`). Unpack the zip, open a terminal in this folder, and take three
steps.

{steps}"""


WHAT = {
    "exercises": translatable("the exercises"),
    "solutions": translatable("the solutions"),
}


class DownloadError(LayerlabError):
    """The downloads cannot be made from what is there."""


def make_downloads(
    root: Path,
    out: Path,
    *,
    solutions: bool = True,
    site_url: str = "",
    wheels: Path | None = None,
) -> Path | None:
    """Make the folder of downloads, unless it is there and nothing that it depends on changed.

    Parameters
    ----------
    root : Path
        The root of the course.
    out : Path
        The folder for what is built. The downloads lie in its `downloads` afterwards, and nothing
        else lies there.
    solutions : bool
        Whether the solutions are among them.
    site_url : str
        Where the site will be published; the first cell of a notebook then installs the package
        from there. Empty if that is not known.
    wheels : Path, optional
        Where the package's wheel is kept, unless in a folder of `out`.

    Returns
    -------
    Path or None
        The folder. None if the course has no exercises.

    Raises
    ------
    DownloadError
        If an exercise has no solution, the package cannot be packed, or a pin is missing.
    """
    names = exercise_names(root)
    folder = out / "downloads"
    if not names:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    stamp = out / ".downloads"
    state = _state(root, names, solutions, site_url)
    if folder.is_dir() and stamp.is_file() and stamp.read_text("utf-8") == state:
        return folder
    stamp.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)

    wheel = build_wheel(root, wheels or out / ".wheel")
    folder.mkdir(parents=True)
    shutil.copyfile(wheel, folder / wheel.name)
    (folder / "constraints.txt").write_text(student_pins(root), encoding="utf-8")
    made = Notebooks(root, out / ".notebooks", site_url)
    _add_notebooks(root, folder, "exercises", names, wheel, made)
    if solutions:
        _add_notebooks(root, folder, "solutions", names, wheel, made)
    made.forget_others()
    stamp.write_text(state, encoding="utf-8")
    return folder


def exercise_names(root: Path) -> list[str]:
    """List the exercises that readers get, as `NN-topic`, in their order; drafts are left out."""
    names = sorted(path.stem for path in (root / "exercises").glob("*.ipynb"))
    orphans = [name for name in names if not (root / "solutions" / f"{name}.md").is_file()]
    if orphans:
        raise DownloadError(
            f"exercises/{orphans[0]}.ipynb has no solutions/{orphans[0]}.md that it is made from; "
            "exercises are not written by hand"
        )
    left_out = drafts(root)
    return [name for name in names if name not in left_out]


def _state(root: Path, names: list[str], solutions: bool, site_url: str) -> str:
    """Say in one line on what the downloads depend."""
    inputs = [*PACKAGE, "constraints.txt", "_config.yml"]
    inputs += [f"solutions/{name}.md" for name in names]
    own = fingerprint(Path(__file__).parent, [f"{name}.py" for name in MAKERS])
    words = " ".join(_translations(f"solutions/{name}") for name in names)
    return f"{fingerprint(root, inputs)} {own} solutions={solutions} {site_url} {words}\n"


def _translations(page: str) -> str:
    """What decides how a notebook is translated; "" in English."""
    language = current()
    if language is None:
        return ""
    return f"{language.name}-{language.fingerprint(page)}-{language.fingerprint(WORDS)}"


class Notebooks:
    """The texts of notebooks to take home; each is made once while its solution stays as it is.

    Parameters
    ----------
    root : Path
        The root of the course.
    cache : Path
        Where the texts are kept.
    site_url : str
        Where the site will be published.
    """

    def __init__(self, root: Path, cache: Path, site_url: str):
        self.root, self.cache, self.site_url = root, cache, site_url
        own = [f"{name}.py" for name in MAKERS]
        self.makers = fingerprint(Path(__file__).parent, own)
        self.used = set()
        cache.mkdir(parents=True, exist_ok=True)

    def text(self, what: str, name: str, package: str | None) -> bytes:
        """Text of an exercise or a solution, which installs the package if one is named."""
        source = self.root / "solutions" / f"{name}.md"
        said = [what, name, str(package), self.site_url, self.makers, source.read_text("utf-8")]
        said.append(_translations(f"solutions/{name}"))
        path = self.cache / hashlib.sha256("\0".join(said).encode()).hexdigest()
        self.used.add(path)
        if not path.is_file():
            path.with_suffix(".part").write_bytes(self._made(what, source, package))
            path.with_suffix(".part").replace(path)
        return path.read_bytes()

    def _made(self, what: str, source: Path, package: str | None) -> bytes:
        make = exercise_notebook if what == "exercises" else solution_notebook
        notebook = make(source, package=package, language=current())
        lead_links_to_site(notebook, self.site_url)
        if what == "solutions":
            notebook.cells = [_titled_solution(cell) for cell in notebook.cells]
        return as_text(notebook).encode()

    def forget_others(self) -> None:
        """Remove the texts that nobody asked for."""
        for path in set(self.cache.iterdir()) - self.used:
            path.unlink()


def _add_notebooks(
    root: Path, folder: Path, what: str, names: list[str], wheel: Path, made: Notebooks
) -> None:
    """Write the notebooks of one kind, one by one and as a zip with all that they need."""
    (folder / what).mkdir()
    package = package_of_site(root, made.site_url)
    members = {}
    for name in names:
        (folder / what / f"{name}.ipynb").write_bytes(made.text(what, name, package))
        members[f"{name}.ipynb"] = made.text(what, name, None)  # there the package lies beside
    steps = three_steps(wheel.name, f"{names[0]}.ipynb")
    title = say(yaml.safe_load((root / "_config.yml").read_text("utf-8"))["title"])
    readme = with_messages(README, say).format(title=title, what=say(WHAT[what]), steps=steps)
    members["README.md"] = readme.encode()
    members["constraints.txt"] = (folder / "constraints.txt").read_bytes()
    members[wheel.name] = wheel.read_bytes()
    write_zip(folder / f"{what}.zip", what, members)


def lead_links_to_site(notebook: NotebookNode, site_url: str) -> None:
    """Let links to pages lead to the published site; without one, only their words stay.

    A notebook that was taken home has no neighbours that a link could lead to.
    """

    def replace(match: re.Match) -> str:
        words, page, place = match.groups(default="")
        return f"[{words}]({site_url}/{page}.html{place})" if site_url else words

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK_TO_PAGE.sub(replace, cell.source)


def name_as_solution(text: str) -> str:
    """Let the title and the description that a solution shares with its exercise say what it is."""
    for begin, instead in {EXERCISE: SOLUTION, say(EXERCISE): say(SOLUTION)}.items():
        text = re.sub(TITLE.format(begin), rf"\g<1>{instead}", text)
    return text


def _titled_solution(cell: NotebookNode) -> NotebookNode:
    if cell.cell_type == "markdown":
        cell.source = name_as_solution(cell.source)
    return cell


def three_steps(wheel: str, first: str) -> str:
    """Return the words that take a student from the unpacked zip to the first notebook.

    Parameters
    ----------
    wheel, first : str
        File names of the package and of the first notebook.
    """
    return with_messages(STEPS, say).format(wheel=wheel, first=first)


def write_zip(path: Path, folder: str, members: dict[str, bytes]) -> None:
    """Write a zip whose bytes depend on its members alone: sorted, all of the same old time."""
    with ZipFile(path, "w") as archive:
        for name in sorted(members):
            entry = ZipInfo(f"{folder}/{name}", date_time=EARLIEST)
            entry.create_system = 3  # Unix, on every machine
            entry.external_attr = 0o644 << 16
            packed = name.endswith((".whl", ".zip"))
            entry.compress_type = ZIP_STORED if packed else ZIP_DEFLATED
            archive.writestr(entry, members[name])


def published_address(baseurl: str, repository: str) -> str:
    """Return where the site is published, as far as `_config.yml` says; empty if it does not.

    Parameters
    ----------
    baseurl : str
        The setting `html.baseurl`, which decides.
    repository : str
        The setting `repository.url`. A repository on GitHub has its site on GitHub Pages.
    """
    match = GITHUB.fullmatch(repository)
    if baseurl or match is None:
        return baseurl.rstrip("/")
    owner, name = match.groups()
    host = f"{owner.lower()}.github.io"
    return f"https://{host}" if name.lower() == host else f"https://{host}/{name}"


# The package ---------------------------------------------------------------------------------


def wheel_name(root: Path) -> str:
    """Return the file name of the package's wheel."""
    project = _project(root)
    name = canonicalize_name(project["name"]).replace("-", "_")
    return f"{name}-{project['version']}-py3-none-any.whl"


def package_of_site(root: Path, site_url: str) -> str | None:
    """Return what pip needs to install the package from the published site, and fitting versions.

    None if no site is named.
    """
    folder = f"{site_url}/downloads"
    package = f"{_project(root)['name']}[{EXTRA}] @ {folder}/{wheel_name(root)}"
    return f'-c {folder}/constraints.txt "{package}"' if site_url else None


def _project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


def build_wheel(root: Path, cache: Path) -> Path:
    """Build the package's wheel, or find the one that was built from the same files.

    Parameters
    ----------
    root : Path
        The root of the course.
    cache : Path
        Where the wheel is kept; older ones are removed.

    Returns
    -------
    Path
        The wheel. It holds `layerlab` with its model and its article, and `coursechecks` with what
        it compares answers with, drafts left out; and no other package.
    """
    name = wheel_name(root)
    wheel = cache / fingerprint(root, PACKAGE) / name
    if wheel.is_file():
        return wheel
    shutil.rmtree(cache, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        # A copy, so that the tools leave no files in the course, and other packages stay out.
        source, built = Path(scratch) / "source", Path(scratch) / "built"
        _copy_package(root, source)
        _pack(source, built)
        if [path.name for path in built.iterdir()] != [name]:
            raise DownloadError(
                f"expected {name}, setuptools built {[p.name for p in built.iterdir()]}"
            )
        wheel.parent.mkdir(parents=True)
        shutil.copyfile(built / name, wheel.with_suffix(".part"))
    wheel.with_suffix(".part").replace(wheel)
    return wheel


def _copy_package(root: Path, target: Path) -> None:
    """Copy what the wheel is made of, with the same permissions on every machine."""
    unfinished = [int(name.partition("-")[0]) for name in drafts(root)]
    unfinished = [name for n in unfinished for name in (f"ex{n}.py", f"{n:02}.json.xz")]
    ignore = shutil.ignore_patterns(*GENERATED, *(f"*{e}" for e in GENERATED), *unfinished)
    for name in PACKAGE:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (root / name).is_dir():
            shutil.copytree(root / name, target / name, ignore=ignore)
        else:
            shutil.copyfile(root / name, target / name)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _pack(source: Path, built: Path) -> None:
    """Have setuptools build the wheel, by the hook that pip would call, with what is installed."""
    built.mkdir()
    hook = "import sys, setuptools.build_meta as backend; backend.build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", hook, str(built)]
    variables = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}  # 1 January 1980, as in EARLIEST
    variables.pop("PYTHONPATH", None)
    result = subprocess.run(
        command, cwd=source, env=variables, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise DownloadError(f"the package could not be packed:\n{result.stdout}{result.stderr}")


# The pins ------------------------------------------------------------------------------------


def student_pins(root: Path) -> str:
    """Return those lines of `constraints.txt` that a student's environment needs.

    These are the package's dependencies and Jupyter's, and all that they need in turn on any
    system, as the metadata of the installed packages says.
    """
    pins = dict(_read_pins((root / "constraints.txt").read_text("utf-8")))
    needed = set(closure([*_needed_by_students(_project(root)), JUPYTER]))
    lines = [line for name, line in pins.items() if name in needed]
    return "# The versions with which the course was tested.\n" + "\n".join(lines) + "\n"


def _needed_by_students(project: dict) -> Iterator[str]:
    """Yield the package's requirements, with those of the extra, and of extras named in it."""
    extras = project.get("optional-dependencies", {})
    waiting = [*project["dependencies"], *extras.get(EXTRA, [])]
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name == project["name"]:
            waiting += [text for extra in requirement.extras for text in extras[extra]]
        else:
            yield str(requirement)


def _read_pins(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name in its one spelling and the line, for each pin."""
    for line in text.splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==", line):
            yield canonicalize_name(match[1]), line


def closure(requirements: Iterable[str]) -> list[str]:
    """List all packages that some packages need, themselves included.

    Parameters
    ----------
    requirements : iterable of str
        As they stand in `pyproject.toml`. Each must be installed here.

    Returns
    -------
    list of str
        Names in their one spelling. What another system needs is among them, but not what that
        needs in turn.

    Raises
    ------
    DownloadError
        If one of the requirements is not installed.
    """
    waiting = [Requirement(text) for text in requirements]
    for requirement in waiting:
        if _needs(requirement.name) is None:
            raise DownloadError(
                f"{requirement.name} is not installed, so nobody knows what it needs; "
                "`make book` installs it"
            )
    found: dict[str, set[str]] = {}  # name -> extras that were followed
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        new = extras - found.setdefault(name, set())
        found[name] |= new
        for text in (_needs(name) or []) if new else []:
            if _is_wanted(Requirement(text), new):
                waiting.append(Requirement(text))
    return sorted(found)


def _needs(name: str) -> list[str] | None:
    """Return what an installed package requires; None if it is not installed."""
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return None


def _is_wanted(requirement: Requirement, extras: set[str]) -> bool:
    """Tell whether a requirement holds on one of the systems, with one of the extras."""
    if requirement.marker is None:
        return True
    here = default_environment()
    return any(
        requirement.marker.evaluate({**here, **system, "extra": extra})
        for system in SYSTEMS
        for extra in extras
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.downloads", description="Make what students download."
    )
    parser.add_argument("source", nargs="?", type=Path, help="root of the course")
    parser.add_argument("--out", type=Path, help="output folder (default: SOURCE/_build)")
    parser.add_argument("--solutions", choices=("yes", "no"), default="yes")
    options = parser.parse_args(arguments)
    try:
        root = course_root(options.source)
        config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
        folder = make_downloads(
            root,
            (options.out or root / "_build").resolve(),
            solutions=options.solutions == "yes",
            site_url=published_address(
                config.get("html", {}).get("baseurl") or "",
                config.get("repository", {}).get("url") or "",
            ),
        )
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The downloads lie in {folder}" if folder else f"{root} holds no exercises")
    return 0


if __name__ == "__main__":
    sys.exit(main())
