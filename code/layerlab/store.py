"""Where an atlas keeps what it found: one small Parquet file for each cell.

A file is written under another name and renamed when it is whole, so what stands in the folder is
all there is to know: no list of what is done lies beside it that could say something else.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from layerlab.articles import Article
from layerlab.cells import Cell, Measured, asked, make_key
from layerlab.errors import LayerlabError
from layerlab.families import COMPONENTS
from layerlab.grid import AXES, SINGLE
from layerlab.options import Options

CELLS, FAILURES = "cells", "failures"  # folders
STATISTICS = ("mean", "tau")
NUMBERS = [f"{statistic}_{measure}" for statistic in STATISTICS for measure in ("mi", "l1", "l2")]
# Where a text comes from: what was asked for is a column of its own.
ARTICLE = {f"article_{f.name}": f.name for f in fields(Article) if f.name not in ("text", "source")}
KINDS = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
ASKED = [
    (option.name, KINDS[type(option.default)])
    for option in fields(Options)
    if option.name in (*AXES.values(), *SINGLE)
]
FACTS = [  # the same in all rows of a cell
    ("key", pa.string()),
    *ASKED,
    *((name, pa.string()) for name in ("model_files", "article_sha256", "layerlab")),
    *((name, pa.string()) for name in ("model_version", *ARTICLE)),
    *((name, pa.int64()) for name in ("n_tokens", "n_occurrences", "n_compared")),
    *((name, pa.int64()) for name in ("width", "n_layers")),
]
ROWS = [("component", pa.string()), ("block", pa.int64()), ("depth", pa.float64())]
TWICE = [*NUMBERS, *(f"control_{name}" for name in NUMBERS)]
SCHEMA = pa.schema([*FACTS, *ROWS, *((name, pa.float64()) for name in TWICE)])
FAILURE = pa.schema([*ASKED, ("key", pa.string()), ("error", pa.string()), ("says", pa.string())])


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in words that a disk is full, or may not be written, whichever file it was."""
    try:
        yield
    except OSError as error:
        raise LayerlabError(
            f"cannot write to the atlas {str(folder)!r} ({error.strerror or error}): what was done "
            "is kept, so make room there, or see who may write, and run the same command again, "
            "which goes on from here"
        ) from error


class Found(NamedTuple):
    """A cell as it was kept.

    Attributes
    ----------
    facts : dict
        Its options, what its key was made of, and the numbers of tokens, places and blocks.
    summary : ndarray, shape (2, n_layers, 2, 3)
    control : ndarray of the same shape
        NaN where there is none.
    """

    facts: dict[str, Any]
    summary: np.ndarray
    control: np.ndarray


class Store:
    """The folder of an atlas, as one process writes to it.

    Parameters
    ----------
    folder : Path
        Gets the folders ``cells`` and ``failures``.
    workplace : Path
        A folder on the same disk, for what is not whole yet.

    Attributes
    ----------
    damaged : list of str
        Files that were no Parquet, or had changed; they are gone, and their cells are done again.

    Raises
    ------
    LayerlabError
        If the folder holds cells of another kind, or one twice, or cannot be written.
    """

    def __init__(self, folder: Path, workplace: Path) -> None:
        self.folder, self.workplace = folder, workplace
        self.damaged: list[str] = []
        with writing(folder):
            for name, schema in ((CELLS, SCHEMA), (FAILURES, FAILURE)):
                (folder / name).mkdir(parents=True, exist_ok=True)
                for path in sorted((folder / name).glob("*.parquet")):
                    self._check(path, schema)
        self._keys = {path.stem for path in (folder / CELLS).glob("*.parquet")}

    def _check(self, path: Path, schema: pa.Schema) -> None:
        try:
            found = pq.read_table(path, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:  # of any kind, for a bit may flip anywhere
            if getattr(error, "errno", None):  # the disk's fault, and not the file's
                raise
            path.unlink()
            self.damaged.append(path.name)
            return
        if not found.schema.equals(schema):
            raise LayerlabError(
                f"{str(path)!r} has other columns than those of layerlab's atlas today: name "
                "another --out"
            )
        if path.parent.name == CELLS and found["key"][0].as_py() != path.stem:
            raise LayerlabError(
                f"{str(path)!r} is a copy of another cell, which would count twice: move it away"
            )

    def holds(self, cell: Cell) -> bool:
        """Whether a cell is done."""
        return cell.key in self._keys

    def has_failed(self, cell: Cell) -> bool:
        """Whether a cell was tried, with just these inputs, and did not succeed."""
        path = self._failure(cell.options)
        return path.exists() and pq.read_table(path)["key"][0].as_py() == cell.key

    def save(self, cell: Cell, measured: Measured) -> None:
        """Keep a cell that is done."""
        table = pa.Table.from_pylist(list(_rows(cell, measured)), schema=SCHEMA)
        self._write(table, self.folder / CELLS / f"{cell.key}.parquet")
        self._keys.add(cell.key)
        self.forget_failure(cell)

    def fail(self, options: Options, key: str | None, error: BaseException) -> None:
        """Keep what went wrong; the key is None where it did before a key could be made."""
        said = str(error) if isinstance(error, LayerlabError) else repr(error)
        row = asked(options) | {"key": key, "error": type(error).__name__, "says": said}
        self._write(pa.Table.from_pylist([row], schema=FAILURE), self._failure(options))

    def forget_failure(self, cell: Cell) -> None:
        """What succeeded has not failed; a process may have been killed in between."""
        with writing(self.folder):
            self._failure(cell.options).unlink(missing_ok=True)

    def _failure(self, options: Options) -> Path:
        return self.folder / FAILURES / f"{make_key(asked(options))}.parquet"

    def _write(self, table: pa.Table, path: Path) -> None:
        unfinished = self.workplace / path.name
        with writing(self.folder):
            with unfinished.open("wb") as file:
                pq.write_table(table, file, write_page_checksum=True)
                file.flush()
                os.fsync(file.fileno())  # or a power cut could leave the name and not the numbers
            unfinished.replace(path)


def read_cells(folder: Path) -> list[Found]:
    """All cells of an atlas, in the order of what they were asked for."""
    found = [_unfold(pq.read_table(path)) for path in (folder / CELLS).glob("*.parquet")]
    return sorted(found, key=lambda cell: [cell.facts[name] for name, _ in FACTS[1:]])


def read_failures(folder: Path) -> list[dict[str, Any]]:
    """All failures of an atlas, in the order of what they were asked for."""
    paths = (folder / FAILURES).glob("*.parquet")
    failures = [row for path in paths for row in pq.read_table(path).to_pylist()]
    return sorted(failures, key=lambda failure: [failure[name] for name, _ in ASKED])


def _rows(cell: Cell, measured: Measured) -> Iterator[Mapping[str, Any]]:
    """One row for each component and block."""
    _, n_layers, *_ = measured.summary.shape
    names = ("model_version", "n_tokens", "n_occurrences", "n_compared", "width")
    facts = {"key": cell.key, **cell.inputs, "n_layers": n_layers}
    facts |= {name: getattr(measured, name) for name in names}
    facts |= {column: cell.article.facts[name] for column, name in ARTICLE.items()}
    for i, component in enumerate(COMPONENTS):
        for block, depth in enumerate(np.linspace(0, 1, n_layers)):
            place = {"component": component, "block": block, "depth": depth}
            numbers = [measured.summary[i, block].ravel()]  # (2 * 3,)
            if measured.control is not None:
                numbers.append(measured.control[i, block].ravel())
            values = [None if np.isnan(number) else float(number) for number in np.ravel(numbers)]
            yield facts | place | dict(zip(TWICE, values, strict=False))


def _unfold(table: pa.Table) -> Found:
    facts = table.select([name for name, _ in FACTS]).slice(0, 1).to_pylist()[0]
    columns = [table[name].to_numpy() for name in TWICE]
    shape = (len(COMPONENTS), facts["n_layers"], 2, len(STATISTICS), len(columns) // 4)
    numbers = np.stack(columns, axis=-1).astype(float).reshape(shape)
    return Found(facts, numbers[:, :, 0], numbers[:, :, 1])
