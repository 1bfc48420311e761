"""A model's files from the Hugging Face hub or its cache: all that are needed, or one sentence."""

import hashlib
import json
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import httpx2

from layerlab.errors import ModelError

with warnings.catch_warnings():  # a notebook without ipywidgets misses nothing here
    warnings.filterwarnings("ignore", message="IProgress not found")
    from huggingface_hub import constants, get_cached_repo_tree, get_session, snapshot_download
    from huggingface_hub.errors import (
        CachedRepoTreeNotFoundError,
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
        validate_repo_id,
    )
    from transformers.utils import (
        SAFE_WEIGHTS_INDEX_NAME,
        SAFE_WEIGHTS_NAME,
        WEIGHTS_INDEX_NAME,
        WEIGHTS_NAME,
    )

TIMEOUT = 10.0  # seconds without a byte, until the hub counts as unreachable
CONFIGURATION = "config.json"
WEIGHTS = (SAFE_WEIGHTS_NAME, SAFE_WEIGHTS_INDEX_NAME, WEIGHTS_NAME, WEIGHTS_INDEX_NAME)
OF_WEIGHTS = (".safetensors", ".bin")
LARGEST_OTHER = 64 * 2**20  # bytes; the largest tokenizers have half of that
SHA256, SHA1 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{40}")
# What the library raises when an answer is none, or says something that it does not expect.
NO_ANSWER = (
    httpx2.RequestError,
    httpx2.InvalidURL,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    AssertionError,
)


@dataclass(frozen=True)
class Repository:
    """What the hub has under one name, at one commit; `folder` holds what was fetched of it.

    Attributes
    ----------
    name, repo : str
        As it was asked for, and without its revision.
    commit : str
    folder : Path
        In the cache.
    sizes : dict of int or None
        Bytes of each file; None where only the folder itself says what belongs to it.
    """

    name: str
    repo: str
    commit: str
    folder: Path
    sizes: dict[str, int | None]

    def fetch_weights(self, named: str | None = None) -> None:
        """Have the weights in `folder`: one file, or a list and all files that it names.

        Parameters
        ----------
        named : str, optional
            The file that holds them, or lists them; by default as transformers looks for it.

        Raises
        ------
        ModelError
            If there are none, or they cannot be fetched.
        """
        wanted = WEIGHTS if named is None else (named,)
        name = next((name for name in wanted if name in self.sizes), None)
        if name is None:
            found = ", ".join(sorted(self.sizes)) or "nothing"
            raise ModelError(
                f"the model {self.name!r} has no weights that can be read (no "
                f"{', no '.join(wanted)}, but {found}): give another model, or the folder of one"
            )
        self._fetch([name])
        if name.endswith(".index.json"):
            self._fetch(self._listed(name))

    def _listed(self, name: str) -> set[str]:
        """The files that a list of weights names."""
        try:
            shards = set(json.loads((self.folder / name).read_bytes())["weight_map"].values())
            missing = sorted(shards - self.sizes.keys())
        except (OSError, *NO_ANSWER) as error:
            raise ModelError(
                f"the list of weights {name!r} of the model {self.name!r} cannot be read "
                f"({first_line(error)}): give another model, or the folder of one"
            ) from error
        if missing:
            raise ModelError(
                f"the model {self.name!r} has no {missing[0]!r}, which its {name!r} lists: "
                "give another model, or the folder of one"
            )
        return shards

    def _fetch(self, names: Iterable[str]) -> None:
        names = list(names)
        listed = [name for name in names if self.sizes[name] is not None]
        with _in_words(self.name):
            if listed:  # or else what lies there is all that is known
                with _quiet(), _time_limit():
                    _snapshot(self.repo, self.commit, listed)
            for name in names:
                self._check(name)

    def _check(self, name: str) -> None:
        """Let no file stay that is not what the hub says; who downloads and keeps it may not know.

        Once for each load, which reads all of it anyway.
        """
        path, size = self.folder / name, self.sizes[name]
        found = path.stat().st_size
        if size is not None and found != size:
            wrong = f"had {found} bytes instead of {size}"
        elif not _has_its_hash(path):
            wrong = "had other bytes than the hub's, which their hash tells,"
        else:
            return
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise ModelError(
            f"the file {name!r} of the model {self.name!r} {wrong} in the cache "
            f"{constants.HF_HUB_CACHE!r} and was removed: run it again to fetch it anew"
        )


def open_repository(name: str) -> Repository:
    """Find a model on the hub, or in the cache, and have all its files but the weights.

    Parameters
    ----------
    name : str
        As ``"gpt2-large"``, ``"EleutherAI/pythia-70m"``, or with a branch, a tag or a commit:
        ``"EleutherAI/pythia-70m@step1000"``.

    Raises
    ------
    ModelError
        If it is neither there nor wholly here, or the cache cannot be written to.
    """
    repo, revision = _split(name)
    with _in_words(name), _quiet(), _time_limit():
        folder = _find(repo, revision)
    repository = Repository(name, repo, folder.name, folder, _list_sizes(repo, folder))
    repository._fetch(n for n, size in repository.sizes.items() if _is_small_and_no_weight(n, size))
    return repository


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_line(error: BaseException) -> str:
    """What an error says, as far as it fits into a sentence."""
    first, *others = (str(error).strip() or type(error).__name__).splitlines()
    return f"{first} {others[0].strip()}" if first.endswith(":") and others else first


def _split(name: str) -> tuple[str, str | None]:
    repo, at, revision = name.partition("@")
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ModelError(
            f"{name!r} is neither a folder nor a name that the Hugging Face hub could know: "
            "give 'embedded', a model's folder, or a name such as 'gpt2-large'"
        ) from error
    if at and (not revision or ".." in revision or revision.startswith("/")):
        raise ModelError(
            f"{name!r} names no revision after its @: give a branch, a tag or a commit, as in "
            f"'{repo}@main', or {repo!r} alone"
        )
    return repo, revision or None


def _find(repo: str, revision: str | None) -> Path:
    """The folder of a commit; the cache's where the hub has no answer to give."""
    try:
        return _snapshot(repo, revision, [CONFIGURATION])
    except NO_ANSWER as error:  # after others the library looks there itself
        try:
            return _snapshot(repo, revision, [CONFIGURATION], local_files_only=True)
        except LocalEntryNotFoundError as missing:
            raise missing from error


def _snapshot(
    repo: str, revision: str | None, names: list[str], *, local_files_only: bool = False
) -> Path:
    folder = snapshot_download(
        repo,
        revision=revision,
        allow_patterns=[escape(name) for name in names],
        etag_timeout=TIMEOUT,
        local_files_only=local_files_only,
    )
    return Path(folder)


def _list_sizes(repo: str, folder: Path) -> dict[str, int | None]:
    try:
        tree = get_cached_repo_tree(repo, revision=folder.name)
    except CachedRepoTreeNotFoundError:  # another program filled the cache, and no hub is there
        return {path.name: None for path in folder.glob("*")}
    return {file.path: file.size for file in tree}


def _has_its_hash(path: Path) -> bool:
    """Whether a file's bytes are those that the cache names it by, as far as it does.

    The cache keeps each file under its hash, and a link by its name: SHA-256 where the hub keeps it
    as a large one, and else Git's own, SHA-1 of the file after a line on its length. Where a disk
    knows no links, or a hub other marks, there is nothing to compare with.
    """
    wanted = path.readlink().name if path.is_symlink() else ""
    if SHA256.fullmatch(wanted):
        return sha256_of(path) == wanted
    if SHA1.fullmatch(wanted):
        content = path.read_bytes()
        blob = b"blob %d\0%b" % (len(content), content)
        return hashlib.sha1(blob, usedforsecurity=False).hexdigest() == wanted
    return True


def _is_small_and_no_weight(name: str, size: int | None) -> bool:
    """Whether a file may be of the tokenizer or the settings, whose names are many."""
    small = size is None or size <= LARGEST_OTHER
    return small and "/" not in name and not name.endswith(OF_WEIGHTS)


# ---- what can go wrong -----------------------------------------------------------------------


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Whatever the hub answers, or the cache's disk, is one sentence."""
    repo, _, revision = name.partition("@")
    hub = constants.ENDPOINT
    try:
        yield
    except GatedRepoError as error:
        raise ModelError(
            f"the model {name!r} asks for a licence first: accept it at {hub}/{repo} and log in "
            "with 'hf auth login'"
        ) from error
    except RevisionNotFoundError as error:
        raise ModelError(
            f"the model {repo!r} at {hub} has no revision {revision!r}: give a branch, a tag or "
            f"a whole commit that {hub}/{repo} lists"
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"{name!r} is no folder here and no model at {hub}: check its spelling, log in with "
            "'hf auth login' if it is private, or use 'embedded'"
        ) from error
    except (OSError, *NO_ANSWER) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ModelError(
                f"{name!r} cannot be kept in the cache {constants.HF_HUB_CACHE!r} "
                f"({error.strerror}): make room there, or name another folder by HF_HOME"
            ) from error
        raise ModelError(
            f"{name!r} is no folder here, is not complete in the local cache, and {hub} does not "
            f"deliver it ({first_line(_origin(error))}): connect to the network, or use 'embedded' "
            "or a model's folder"
        ) from error


def _origin(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@contextmanager
def _time_limit() -> Iterator[None]:
    """Wait for no answer without end, as the library does for some."""

    def limit(request: httpx2.Request) -> None:
        if request.extensions["timeout"]["read"] is None:
            request.extensions["timeout"] = httpx2.Timeout(TIMEOUT).as_dict()

    hooks = get_session().event_hooks["request"]
    hooks.append(limit)
    try:
        yield
    finally:
        hooks.remove(limit)


@contextmanager
def _quiet() -> Iterator[None]:
    """Gigabytes show their bars and their delays in a terminal, but never inside a page."""
    verbosity, bars = logging.get_verbosity(), not are_progress_bars_disabled()
    if sys.stderr.isatty():
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # HF_HUB_DISABLE_PROGRESS_BARS has priority
        disable_progress_bars()
        logging.set_verbosity_error()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                enable_progress_bars()
