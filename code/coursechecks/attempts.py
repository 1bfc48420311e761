"""A log of what a student tried, kept only where the student switches it on.

    from coursechecks import attempts

    attempts.keep()

From then on each check of the notebook adds a line to a file beside it: when, which step, whether
it was right, and the names of the mistakes. No code, no answer and no name of a person is in it. It
goes nowhere by itself: who teaches gets it only if it is handed in.
"""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from coursechecks import engine
from coursechecks.language import say
from layerlab.errors import LayerlabError

FILE = "attempts.jsonl"


def keep(file: str | Path = FILE) -> None:
    """Add a line to a file whenever a check says something, until `stop` is called.

    Parameters
    ----------
    file : str or Path
        Beside the notebook, unless it names a folder, too.

    Raises
    ------
    LayerlabError
        If the file cannot be written.
    """
    path = Path(file).resolve()
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise LayerlabError(
            f"attempts cannot be kept in {str(file)!r} ({error.strerror}); name a file in a folder "
            "that you may write"
        ) from error
    engine.listener = partial(_write, path)
    print(
        say(
            "From now on each check adds a line to {file}; attempts.stop() ends that.",
            file=path.name,
        )
    )


def stop() -> None:
    """Keep nothing any more; what is written stays."""
    engine.listener = None


def _write(path: Path, exercise: str, step: str, finding: engine.Finding | None) -> None:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "exercise": exercise,
        "step": step,
        "right": finding is None,
        "mistakes": finding.names if finding else [],
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
