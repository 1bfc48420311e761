"""The command `layerlab`: the whole investigation on any model, any article and any target."""

import argparse
import hashlib
import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from layerlab.errors import LayerlabError, PackageError

# All else of the package is imported where it is used: --help and a wrong argument should not wait
# for torch, and Ctrl-C while something is imported is answered like any other.
if TYPE_CHECKING:
    import numpy as np

    from layerlab.comparison import Comparison
    from layerlab.investigation import Investigation
    from layerlab.options import Options

RESULTS = "results.npz"
REPORT = "report.md"  # put in place last, and taken away first: where it stands, a run is whole
WORKPLACE = ".layerlab"

DESCRIPTION = """\
Measures how a language model represents one word of an article at the places where it stands.

The first occurrences of the target are compared two by two in every block of the model, by what
its attention adds and by what its MLP adds: mutual information (in bits), L1 and L2 distance of
their activations, and how each of these goes with the distance between them in tokens. Then, how
much the blocks know of each other: the mutual information between their activations' norms. All
of it is measured beside an untrained copy of the model, which shows what needs no learning.
"""

EXAMPLES = """\
examples:
  layerlab
      the embedded model and the embedded article about Turkish coffee; needs no network
  layerlab --model gpt2-large --article "wikipedia:Turkish coffee" --out coffee-large
      the full-size run: downloads a 3 GB model from Hugging Face and an article from Wikipedia
  layerlab --model ./my-gpt2 --article ./tea.txt --target " tea" --block 2 --out tea
      a model's folder and a text file of yours; mind the space at the start of the target
  layerlab --design fixed-past --controls untrained,permuted,own-past --n-draws 10 --out fixed
      each target after as many tokens as any other, and ten draws of each control

written to the folder --out, all or nothing:
  results.npz      every array (see "Arrays" on the course's page of notation)
  report.md        the numbers in a page of text
  ch7_proj45_part2a.png … ch7_proj45_part7.png      the figures of parts 2, 4, 5, 6 and 7
  controls.png     where --controls or another --design is asked for
report.md is put there last: a folder with it holds a whole run.

Many models, articles, targets and seeds at once: layerlab atlas --help

If something is wrong, one sentence says what and how to go on, and the exit code is 2.
"""

ATLAS_DESCRIPTION = """\
Measures each combination of models, articles, targets and seeds that a TOML file names: what the
figure of part 6 shows, beside the untrained model. Each cell of this grid is done once and kept at
once, under a key of all that went into it. The same command goes on after whatever ended it, also
where the file has grown. What fails is kept with its reason while the rest goes on.
"""

ATLAS_EXAMPLES = """\
a grid of eight cells:
  models = ["embedded", "smollm2"]
  articles = ["embedded"]
  targets = [" coffee", " cup"]
  seeds = [0, 1]
  n_targets = 10
Every list may be left out, and any option of layerlab about these measures may stand there.

written to the folder --out:
  cells/*.parquet      one file a cell, a row for each component and block
  failures/*.parquet   one file for each cell that failed, with its reason
  atlas.md             the strongest correlations as a table, and what failed
  atlas-mi.png, atlas-l1.png, atlas-l2.png     the profiles of all models over relative depth,
                       and atlas-mi-2.png … where there are many targets

read all of it in one line:
  duckdb.sql("from 'atlas/cells/*.parquet'")
  pandas.read_parquet("atlas/cells")

The exit code is 0, or 1 if a cell has failed, or 2 if the atlas could not go on.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.

    Returns
    -------
    int
        Exit code: 0, or 2 after an error that the user can mend, or 130 if interrupted; 1 if cells
        of an atlas have failed.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    is_atlas = words[:1] == ["atlas"]
    kept = "what was done is kept" if is_atlas else "nothing was written"
    try:
        asked = _atlas_parser().parse_args(words[1:]) if is_atlas else _parser().parse_args(words)
        with (
            _heeding({signal.SIGTERM: signal.default_int_handler}),  # it cleans up like Ctrl-C
            _warning_in_words(),
        ):
            _check_words(asked)
            return _run_atlas(asked) if is_atlas else _run(asked)
    except LayerlabError as error:
        print(f"layerlab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"layerlab: interrupted, and {kept}", file=sys.stderr)
        return 130


def _check_words(asked: argparse.Namespace) -> None:
    from layerlab._validate import check_characters

    for name, value in vars(asked).items():
        if isinstance(value, str):
            check_characters(f"--{name.replace('_', '-')}", value, LayerlabError)
    if not asked.out.strip():
        raise LayerlabError(f"--out {asked.out!r} names no folder: name one")


def _run(asked: argparse.Namespace) -> int:
    out = Path(asked.out)
    _check_out(out, asked.overwrite)
    with _workplace(out) as folder:
        from layerlab.options import Options

        options = Options(
            **{option.name: getattr(asked, option.name) for option in fields(Options)}
        )
        run, comparison = _measure(options)
        with _progress_bar() as progress:
            _write(run, comparison, folder, progress)
        with _heeding({signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: signal.SIG_IGN}):
            _publish(folder, out, asked.overwrite)
    print(f"{_sentence(run, comparison)}\nWritten to {out}: start with {out / REPORT}")
    return 0


def _measure(options: "Options") -> "tuple[Investigation | None, Comparison | None]":
    """The seven parts, where the design is theirs, and the comparison, where one is asked for."""
    run = comparison = None
    if options.design == "worksheet":
        from layerlab import investigate

        with _progress_bar() as progress:
            run = investigate(options, progress=progress)
    if run is None or options.control_names:
        from layerlab import compare

        with _progress_bar() as progress:
            comparison = compare(options, progress=progress)
    return run, comparison


def _sentence(run: "Investigation | None", comparison: "Comparison | None") -> str:
    if run is not None:
        options, n_layers = run.options, run.n_layers
        what = f"{len(run.first_positions)} of {len(run.target_positions)} targets compared"
    elif comparison is not None:
        options, n_layers = comparison.options, comparison.tau.shape[1]
        what = f"{len(comparison.gaps)} pairs of {len(comparison.positions)} targets compared"
    names = f"{options.model}, {options.article}, {options.target!r}"
    return f"{names}: {what} in {n_layers} blocks."


# ---- the atlas -------------------------------------------------------------------------------


def _run_atlas(asked: argparse.Namespace) -> int:
    from layerlab.grid import read_grid

    grid = read_grid(asked.file)
    out = Path(asked.out)
    try:
        from layerlab.atlas import compute, plan
        from layerlab.cluster import connect
        from layerlab.markdown import ATLAS
        from layerlab.store import CELLS, Store
        from layerlab.summary import write_summary
    except ModuleNotFoundError as error:
        raise PackageError(
            f"layerlab atlas needs the package {error.name!r}: pip install 'layerlab[atlas]'",
            name=error.name,
        ) from error
    if not (out / CELLS).exists() and _held(out):
        raise LayerlabError(f"--out {str(out)!r} holds no atlas: name another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _writing_error(out, error) from error
    with _workplace(out) as workplace:
        store = Store(out, workplace)
        cells, tally = plan(grid, store, retry_failed=asked.retry_failed, refresh=asked.refresh)
        if cells:
            workers = min(asked.workers, len(cells))
            with (
                _atlas_bar(tally.total, tally.settled) as progress,
                connect(asked.scheduler, workers) as client,
            ):
                tally = compute(cells, store, client, tally, progress)
        write_summary(store)
    n_failed = tally.failed + tally.failed_before
    print(
        f"{tally.total} cells: {tally.done_before} were done before, {tally.computed} computed, "
        f"{n_failed} failed.\nWritten to {out}: start with {out / ATLAS}"
    )
    for name in store.damaged:
        print(f"layerlab: {name} was damaged, and is no longer there", file=sys.stderr)
    if n_failed:
        print(
            f"layerlab: {n_failed} cells failed: {out / ATLAS} says why, and --retry-failed tries "
            "them again",
            file=sys.stderr,
        )
    return 1 if n_failed else 0


def _atlas_parser() -> argparse.ArgumentParser:
    parser = _Parser("layerlab atlas", ATLAS_DESCRIPTION, ATLAS_EXAMPLES)
    add = parser.add_argument
    add("file", metavar="FILE", help="a TOML file with the grid")
    add("--out", default="atlas", metavar="DIR", help="where to (default atlas)")
    help_ = "processes on this machine (default 2); each has untrained weights of its own"
    add("--workers", default=2, type=_whole_number(1), metavar="N", help=help_)
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster to use instead, tcp://…")
    add("--retry-failed", action="store_true", help="do again what has failed before")
    add("--refresh", action="store_true", help="read articles of wikis anew, even if kept")
    return parser


@contextmanager
def _atlas_bar(total: int, settled: int) -> Iterator[Callable]:
    """A bar on stderr with the time left, which only counts what this run does; it heeds Ctrl-C."""
    from tqdm import tqdm

    layout = "{n_fmt}/{total_fmt} cells |{bar}| {elapsed}, {remaining} left{postfix}"
    options = {"file": sys.stderr, "bar_format": layout, "ncols": 72}
    asked = threading.Event()

    def interrupt(*_: Any) -> None:
        asked.set()
        raise KeyboardInterrupt

    with (
        tqdm(total=total, initial=settled, **options) as bar,
        _heeding({signal.SIGINT: interrupt, signal.SIGTERM: interrupt}),
    ):

        def progress(tally: Any) -> None:
            if asked.is_set():  # it was raised where Python drops it: while an object is deleted
                raise KeyboardInterrupt
            if tally.failed:
                bar.set_postfix_str(f"{tally.failed} failed", refresh=False)
            bar.update(tally.settled - bar.n)

        yield progress


# ---- what is asked ---------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage that hides it."""

    def __init__(self, prog: str, description: str, examples: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"layerlab: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    from layerlab.options import Options

    parser = _Parser("layerlab", DESCRIPTION, EXAMPLES)
    add = parser.add_argument
    for option in fields(Options):
        add(f"--{option.name.replace('_', '-')}", default=option.default, **_describe(option))
    add("--out", default="layerlab-out", metavar="DIR", help="where to (default layerlab-out)")
    add("--overwrite", action="store_true", help="replace an earlier run in DIR")
    return parser


def _describe(option: Field) -> dict[str, Any]:
    """How the command takes an option, and what --help says of it."""
    meaning, least = option.metadata["meaning"], option.metadata.get("least")
    if isinstance(option.default, bool):
        help_ = f"{meaning} (default: {'yes' if option.default else 'no'})"
        return {"action": argparse.BooleanOptionalAction, "help": help_}
    if least is None:
        return {"help": f"{meaning} (default {option.default!r})"}
    help_ = f"{meaning} (default {option.default}, {least} or more)"
    return {"type": _whole_number(least), "metavar": "N", "help": help_}


def _whole_number(least: int) -> Callable[[str], int]:
    from layerlab.options import describe_limits, is_within

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = -1
        if not is_within(number, least):
            raise argparse.ArgumentTypeError(f"{text!r} is not {describe_limits(least)}")
        return number

    return read


# ---- what is shown meanwhile -----------------------------------------------------------------


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr, moved by the callback ``progress(stage, done, total)``."""
    from tqdm import tqdm

    layout = "{desc:<28} {percentage:3.0f}% |{bar}| {elapsed}"
    with tqdm(file=sys.stderr, bar_format=layout, ncols=72) as bar:

        def progress(stage: str, done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.set_description_str(stage)  # and show it now, for the stage may take long

        yield progress


@contextmanager
def _warning_in_words() -> Iterator[None]:
    """Show the package's own warnings as sentences, beside the bar and not within it."""
    before = warnings.showwarning

    def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
        if category.__module__ != LayerlabError.__module__:
            return before(message, category, *place, **more)
        from tqdm import tqdm

        tqdm.write(f"layerlab: {message}", file=sys.stderr)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


@contextmanager
def _heeding(handlers: dict[signal.Signals, Any]) -> Iterator[None]:
    """Take some signals otherwise for a while."""
    if threading.current_thread() is not threading.main_thread():  # signals are the main one's
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---- what is written -------------------------------------------------------------------------


def _write(
    run: "Investigation | None",
    comparison: "Comparison | None",
    folder: Path,
    progress: Callable,
) -> None:
    import numpy as np

    from layerlab.markdown import information_floor, write_report
    from layerlab.themes import save

    floor = float("nan")
    arrays: dict[str, np.ndarray] = {}
    figures: dict[str, tuple[Callable, tuple, dict]] = {}
    if run is not None:
        estimator = {"n_neighbors": run.options.n_neighbors, "seed": run.options.seed}
        floor = information_floor(run.n_sequences, **estimator)
        arrays, figures = run.arrays(), _figures(run, floor)
    if comparison is not None:
        arrays, figures = arrays | comparison.arrays(), figures | _figure_compared(comparison)
    try:
        np.savez_compressed(folder / RESULTS, allow_pickle=False, **arrays)
        (folder / REPORT).write_text(write_report(run, floor, comparison), encoding="utf-8")
        for done, (name, (draw, arguments, options)) in enumerate(figures.items(), start=1):
            save(draw, folder / name, *arguments, **options)
            progress("draw the figures", done, len(figures))
    except OSError as error:
        raise _writing_error(folder, error) from error


def _figures(run: "Investigation", floor: float) -> dict[str, tuple[Callable, tuple, dict]]:
    """For each file: how to draw it, from what, with which options."""
    from layerlab import figures
    from layerlab.examples import noisy_curve

    control = run.control
    summary = None if control is None else control.summary
    layers = None if control is None else control.layer_information
    x, y = noisy_curve(seed=run.options.seed)
    drawings: dict[str, tuple[Callable, tuple, dict[str, Any]]] = {
        "2a": (figures.histogram_panels, (x, y), {}),
        "2b": (figures.information_by_bins, _by_bins(x, y, run.options.seed), {}),
        "4": (figures.measure_scatter, (run.distances,), {}),
        "5": (figures.position_panels, (run.distances, run.position_distances, run.tau), {}),
        "6": (figures.laminar_profiles, (run.summary, summary), {"flip_information": True}),
        "7": (
            figures.layer_information_panels,
            (run.layer_information, layers),
            {"floor": floor},
        ),
    }
    return {figures.FILE_NAMES[part]: drawing for part, drawing in drawings.items()}


def _figure_compared(comparison: "Comparison") -> dict[str, tuple[Callable, tuple, dict]]:
    from layerlab.figures import CONTROLS_FILE, control_profiles
    from layerlab.markdown import L2

    controls = {name: draws[..., L2] for name, draws in comparison.controls.items()}
    models = {str(comparison.options.model): (comparison.tau[..., L2], controls)}
    return {CONTROLS_FILE: (control_profiles, (models,), {})}


def _by_bins(x: "np.ndarray", y: "np.ndarray", seed: int) -> tuple:
    from layerlab.information import histogram_mutual_information, mutual_information

    n_bins = range(4, 25)
    by_bins = [histogram_mutual_information(x, y, bins) for bins in n_bins]
    return n_bins, by_bins, mutual_information(x, y, seed=seed)


def _file_names() -> set[str]:
    from layerlab.figures import CONTROLS_FILE, FILE_NAMES

    return {RESULTS, REPORT, CONTROLS_FILE, *FILE_NAMES.values()}


def _held(out: Path) -> list[Path]:
    """What lies in a place that is a folder, or can become one, beside a run's workplace."""
    try:
        if out.is_symlink() and not out.exists():
            raise LayerlabError(f"--out {str(out)!r} is a link to nothing: name a folder")
        if out.exists() and not out.is_dir():
            raise LayerlabError(f"--out {str(out)!r} is a file: name a folder")
        held = sorted(out.iterdir()) if out.exists() else []
    except OSError as error:
        raise _writing_error(out, error) from error
    return [path for path in held if path.name != WORKPLACE]


def _check_out(out: Path, overwrite: bool) -> None:
    """Refuse a place where writing would destroy something or cannot be."""
    held = _held(out)
    if held and not overwrite:
        raise LayerlabError(
            f"--out {str(out)!r} is not empty (it holds {held[0].name!r}): name another folder, "
            "or replace an earlier run by --overwrite"
        )
    strangers = [path.name for path in held if path.name not in _file_names() or path.is_dir()]
    if strangers:
        raise LayerlabError(
            f"--out {str(out)!r} holds {strangers[0]!r}, which no run of layerlab wrote: "
            "name another folder"
        )


@contextmanager
def _workplace(out: Path) -> Iterator[Path]:
    """An empty folder on the same disk as `out`, gone at the end whatever happens.

    For one `out` it always lies at the same place, under a lock that its process holds while it
    lives: so a second run hears of the first, and follows one that was killed in its place.
    """
    from filelock import FileLock, Timeout

    place = _place_work(out)
    lock, folder = FileLock(place / "lock"), place / "run"
    try:
        place.mkdir(exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise LayerlabError(
            f"another run is writing to --out {str(out)!r}: "
            "wait for its end, or name another folder"
        ) from error
    except OSError as error:
        raise _writing_error(place.parent, error) from error
    try:
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(place, ignore_errors=True)
        lock.release()
        with suppress(OSError):  # some systems keep a lock's file while it is held
            place.rmdir()


def _place_work(out: Path) -> Path:
    """Inside `out` if it exists, for that may be a disk of its own, or else beside it."""
    if out.is_dir():
        return out.absolute() / WORKPLACE
    near = next(folder for folder in out.absolute().parents if folder.exists())
    name = os.fsencode(out.absolute().relative_to(near))  # perhaps too long for a longer one
    return near / f"{WORKPLACE}-{hashlib.sha256(name).hexdigest()[:16]}"


def _publish(folder: Path, out: Path, overwrite: bool) -> None:
    """Put the finished files where they belong, whole by one step, the last.

    A new folder comes by one rename. In an existing one, which may be a mount or a shell's current
    folder and has to stay, the report goes before any other file is replaced, and comes after all.
    """
    is_new = folder.parents[1] != out.absolute()
    _check_out(out, overwrite and not is_new)  # others may have written there meanwhile
    try:
        if is_new:
            out.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(out)
            return
        new = sorted(folder.iterdir(), key=lambda path: path.name == REPORT)
        for name in (REPORT, *_file_names() - {path.name for path in new}):
            (out / name).unlink(missing_ok=True)  # of an earlier run, perhaps of other options
        for path in new:
            path.replace(out / path.name)
    except OSError as error:
        raise _writing_error(out, error) from error


def _writing_error(place: Path, error: OSError) -> LayerlabError:
    return LayerlabError(
        f"cannot write to {str(place)!r} ({error.strerror or error}): choose another --out"
    )


if __name__ == "__main__":
    sys.exit(main())
