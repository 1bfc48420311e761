"""Articles of wikis that were read before: a file for each revision, whole or not at all."""

import hashlib
import json
import os
import warnings
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs

from layerlab.errors import ArticleWarning
from layerlab.texts import Article

PLACE = "LAYERLAB_CACHE"  # the environment variable that names another folder than the platform's
# What a file that is damaged, or none of ours, makes reading it fail with.
DAMAGED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def find_kept(source: str) -> Article | None:
    """The article that was read last from a source, if it is still there and whole."""
    kept, unreadable = _read_folder(_folder_of(source))
    if unreadable:  # it may be the last one, and an earlier one would be another run in silence
        _warn(f"{str(unreadable[0])!r} is damaged: {source!r} is read anew")
        return None
    return max(kept, key=lambda found: found[:2])[-1] if kept else None


def keep(article: Article) -> None:
    """Keep an article for later runs; where that cannot be, warn, for this run has it."""
    folder = _folder_of(article.source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".") as aside:
            path = Path(aside) / f"{article.revision}-{article.taken}.json"
            content = asdict(article) | {"sha256": _digest(article)}
            path.write_text(json.dumps(content, indent=1), encoding="utf-8")
            path.replace(folder / path.name)
        for path in _read_folder(folder)[1]:
            path.unlink(missing_ok=True)  # another process may have done so
    except OSError as error:
        _warn(
            f"{article.source!r} cannot be kept in {str(folder)!r} ({error.strerror or error}), so "
            f"a later run will read it anew: make room there, or set {PLACE} to another folder"
        )


def cache_folder() -> Path:
    """Where this user's computer keeps what can be had again; it need not be there yet."""
    named = os.environ.get(PLACE, "").strip()
    return Path(named) if named else platformdirs.user_cache_path("layerlab")


def _folder_of(source: str) -> Path:
    name = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return cache_folder() / "articles" / name


def _read_folder(folder: Path) -> tuple[list[tuple[str, int, Article]], list[Path]]:
    """Articles with the times when they were read and kept, and the files that hold none."""
    kept, unreadable = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            article = _read_file(path)
            kept.append((article.read, path.stat().st_mtime_ns, article))
        except FileNotFoundError:
            continue  # another process has just mended it
        except (OSError, *DAMAGED):
            unreadable.append(path)
    return kept, unreadable


def _read_file(path: Path) -> Article:
    content = json.loads(path.read_bytes())
    digest, article = content.pop("sha256"), Article(**content)
    if digest != _digest(article):
        raise ValueError("the text is not the one that was kept")
    return article


def _digest(article: Article) -> str:
    return hashlib.sha256(json.dumps(asdict(article), sort_keys=True).encode()).hexdigest()


def _warn(message: str) -> None:
    warnings.warn(message, ArticleWarning, stacklevel=2)
