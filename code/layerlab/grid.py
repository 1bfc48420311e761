"""The grid of an atlas: a TOML file that names models, articles, targets and seeds."""

import itertools
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from layerlab._validate import check_characters
from layerlab.errors import LayerlabError
from layerlab.options import Options

# The lists of the file, and the option that each gives values to.  They vary in this order, the
# last one fastest: a model and its untrained weights serve many cells before the next are loaded.
AXES = {"models": "model", "seeds": "seed", "articles": "article", "targets": "target"}
# Of parts 4, 5 and 7 and of other designs, while a cell is part 6 of the worksheet; and whether a
# text that was read before is taken.
OTHER_PARTS = (
    *("block", "n_sequences", "n_context"),
    *("design", "controls", "n_draws", "n_past"),
    "refresh",
)
NAME_ONE = f"name a TOML file with the lists {', '.join(AXES)}"
SINGLE = tuple(
    option.name for option in fields(Options) if option.name not in (*AXES.values(), *OTHER_PARTS)
)


def read_grid(path: str | Path) -> list[Options]:
    """All cells that a TOML file asks for.

    Parameters
    ----------
    path : str or Path
        Of a file with the lists ``models``, ``articles``, ``targets`` and ``seeds``, each of which
        may be left out for the default of the option, and single values of other options.

    Returns
    -------
    list of Options
        Each combination once, those of one model and seed side by side.

    Raises
    ------
    LayerlabError
        If the file cannot be read, or holds anything else.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "atlas.toml"
    ...     _ = file.write_text('targets = [" coffee", " cup"]\\nseeds = [0, 1]')
    ...     [(cell.seed, cell.target) for cell in read_grid(file)]
    [(0, ' coffee'), (0, ' cup'), (1, ' coffee'), (1, ' cup')]
    """
    if not str(path).strip():
        raise LayerlabError(f"{str(path)!r} names no grid: {NAME_ONE}")
    asked = _read_toml(Path(path))
    try:
        for name in asked:
            _check_name(name)
        single = {name: asked[name] for name in SINGLE if name in asked}
        axes = [_read_axis(axis, asked, single) for axis in AXES]
        return [
            Options(**dict(zip(AXES.values(), values, strict=True)), **single)
            for values in itertools.product(*axes)
        ]
    except LayerlabError as error:
        raise LayerlabError(f"{str(path)!r}: {error}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LayerlabError(
            f"cannot read the grid {str(path)!r} ({error.strerror or error}): {NAME_ONE}"
        ) from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise LayerlabError(f"{str(path)!r} is no TOML ({error}): mend it there") from error


def _check_name(name: str) -> None:
    if name in OTHER_PARTS:
        raise LayerlabError(
            f"{name!r} is nothing that a cell of an atlas is made of: leave it out, and give it to "
            "the command"
        )
    if name not in (*AXES, *SINGLE):
        raise LayerlabError(
            f"{name!r} is nothing that an atlas knows: it takes the lists {', '.join(AXES)}, and "
            f"one value each of {', '.join(SINGLE)}"
        )


def _read_axis(axis: str, asked: dict[str, Any], single: dict[str, Any]) -> list[Any]:
    """The values of one axis, each of them fit for its option, and none of them twice."""
    option = AXES[axis]
    values = asked.get(axis, [getattr(Options(), option)])
    if not isinstance(values, list):
        raise LayerlabError(f"{axis} = {values!r} should be a list: write [{values!r}]")
    if not values:
        raise LayerlabError(f"{axis} = [] makes no cell: put a value into it, or leave it out")
    for value in values:
        Options(**{option: value}, **single)
        if isinstance(value, str):
            check_characters(option, value, LayerlabError)
    if twice := [value for i, value in enumerate(values) if value in values[:i]]:
        raise LayerlabError(
            f"{axis} holds {twice[0]!r} twice: each cell is done once, write it once"
        )
    return values
