"""An atlas does each cell once, keeps it at once, and goes on after whatever ended it."""

import os
import random
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import HANGING, save_random_gpt2

import layerlab
from layerlab.__main__ import _atlas_bar as atlas_bar
from layerlab.__main__ import main
from layerlab.articles import Article, fetch_article
from layerlab.errors import LayerlabError
from layerlab.figures import atlas_profiles
from layerlab.grid import read_grid
from layerlab.options import Options

pa = pytest.importorskip("pyarrow", reason="the atlas is kept as Parquet")
duckdb = pytest.importorskip("duckdb")
pytest.importorskip("distributed", reason="the atlas is computed by Dask")

from layerlab import atlas, cells, cluster, store, summary  # noqa: E402

CODE = Path(layerlab.__file__).parents[1]
FULL = Path("/dev/full")


def write_grid(folder, text):
    path = folder / "grid.toml"
    path.write_text(text, encoding="utf-8")
    return path


def tiny_grid(model, folder, seeds, targets=(" coffee",)):
    lists = {"models": [str(model)], "seeds": list(seeds), "targets": list(targets)}
    text = "\n".join(f"{name} = {values!r}" for name, values in lists.items())
    return write_grid(folder, f"{text}\nn_targets = 3\n")


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory):
    """A random model whose cell takes a moment, with the embedded one's tokenizer."""
    from layerlab.places import EMBEDDED

    folder = tmp_path_factory.mktemp("tiny")
    save_random_gpt2(folder, n_layer=4, vocab_size=13000, n_positions=2048)
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copy(EMBEDDED / name, folder)
    return folder


@pytest.fixture
def run_here(monkeypatch):
    """The command with its worker in this process, which need not import anything."""
    from contextlib import contextmanager

    @contextmanager
    def connect(scheduler, n_workers):
        options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
        with cluster.Client(processes=False, **options) as client:
            yield client

    monkeypatch.setattr(cluster, "connect", connect)
    return lambda *words: main(["atlas", *map(str, words)])


def files(out):
    """Each cell's file, and what would change if it were written once more."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in (out / "cells").glob("*.parquet")
    }


def flip_a_bit(path, column):
    """Change numbers of a column so that the file can still be read."""
    group = pa.parquet.ParquetFile(path).metadata.row_group(0)
    place = group.column(next(i for i in range(99) if group.column(i).path_in_schema == column))
    content = bytearray(path.read_bytes())
    content[place.data_page_offset - 1] ^= 1  # the last byte of the different values
    path.write_bytes(content)


# The file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model = ['embedded']", "'model' is nothing that an atlas knows"),
        ("block = 2", "'block' is nothing that a cell of an atlas is made of"),
        ("refresh = true", "'refresh' is nothing that a cell of an atlas is made of"),
        ("models = 'embedded'", "models = 'embedded' should be a list"),
        ("models = [1]", "model = 1 should be text"),
        ("seeds = [true]", "seed = True is not a whole number"),
        ("n_targets = 1", "n_targets = 1 is not a whole number from 2"),
        ("targets = []", "targets = [] makes no cell"),
        ("seeds = [0, 1, 0]", "seeds holds 0 twice"),
        ("seeds = [0", "is no TOML"),
    ],
)
def test_a_fault_in_the_file_is_one_sentence_and_leaves_nothing(tmp_path, capsys, text, says):
    path = write_grid(tmp_path, text)
    assert main(["atlas", str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"layerlab: {str(path)!r}")
    assert says in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_articles_of_wikis_are_read_anew_only_when_that_is_asked(wiki, tmp_path):
    grid = [Options(article="wikipedia:Turkish coffee", target=f" {n}") for n in range(3)]
    held = store.Store(tmp_path, tmp_path)
    (first, *_), _ = atlas.plan(grid, held)
    n_asked = len(wiki.paths)
    assert atlas.plan(grid, held)[0][0].key == first.key
    assert len(wiki.paths) == n_asked
    assert atlas.plan(grid, held, refresh=True)[0][0].key == first.key
    assert len(wiki.paths) == 2 * n_asked


def test_a_missing_file_and_bytes_that_are_no_text_are_sentences(tmp_path):
    with pytest.raises(LayerlabError, match="cannot read the grid '.*nowhere.toml'"):
        read_grid(tmp_path / "nowhere.toml")
    with pytest.raises(LayerlabError, match="'' names no grid: name a TOML file"):
        read_grid("")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LayerlabError, match="bytes.toml' is no TOML"):
        read_grid(tmp_path / "bytes.toml")


def test_cells_of_one_model_and_seed_stand_side_by_side(tmp_path):
    path = write_grid(tmp_path, "models = ['a', 'b']\nseeds = [0, 1]\ntargets = ['x', 'y']")
    asked = [(cell.model, cell.seed, cell.target) for cell in read_grid(path)]
    assert asked == sorted(asked) and len(set(asked)) == 8


# What goes into a cell


def test_a_key_changes_with_each_thing_that_goes_into_it_and_nothing_else(tmp_path):
    options = layerlab.Options()
    text = Article("text", "embedded")
    cell = cells.Cell(options, "weights", text, "place")
    others = [
        cells.Cell(layerlab.Options(seed=1), "weights", text, "place"),
        cells.Cell(options, "others", text, "place"),
        cells.Cell(options, "weights", replace(text, text="words"), "place"),
        cells.Cell(options, "weights", text, "place", version="0"),
    ]
    assert len({one.key for one in (cell, *others)}) == 5
    later = replace(text, revision="7")
    same = cells.Cell(layerlab.Options(block=1), "weights", later, "elsewhere")
    assert same.key == cell.key


def test_weights_that_are_changed_while_the_atlas_runs_are_not_taken_for_the_first(tiny_model):
    options = layerlab.Options(model=str(tiny_model), n_targets=3)
    with pytest.raises(LayerlabError, match="than when the atlas began"):
        cells.measure_cell(cells.Cell(options, "0" * 64, Article("text", ""), str(tiny_model)))


def test_a_worker_of_another_version_says_so(tiny_model):
    cell = cells.Cell(layerlab.Options(), "", Article("", ""), "embedded", version="0.0.9")
    with pytest.raises(LayerlabError, match="and the atlas 0.0.9"):
        cells.measure_cell(cell)


# A whole run


def test_an_atlas_keeps_its_numbers_its_failures_and_does_nothing_twice(
    tiny_model, tmp_path, run_here, capsys
):
    out, targets = tmp_path / "out", (" coffee", " nowhere at all")
    grid = tiny_grid(tiny_model, tmp_path, [0, 1], targets)
    assert run_here(grid, "--out", out) == 1
    assert "4 cells: 0 were done before, 2 computed, 2 failed" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {
        "cells", "failures", "atlas.md", "atlas-mi.png", "atlas-l1.png", "atlas-l2.png",
    }  # fmt: skip
    before = files(out)
    assert run_here(grid, "--out", out) == 1
    assert "2 were done before, 0 computed, 2 failed" in capsys.readouterr().out
    assert run_here(grid, "--out", out, "--retry-failed") == 1
    assert files(out) == before and len(before) == 2
    report = (out / "atlas.md").read_text(encoding="utf-8")
    assert "' nowhere at all'" in report
    assert report.count("Text: “Turkish coffee”, CC BY 4.0.") == 3  # under each figure
    assert fetch_article("embedded").attribution in report

    options = {"model": str(tiny_model), "n_targets": 3, "seed": 1, "block": 0}
    run = layerlab.investigate(layerlab.Options(**options))
    found = next(cell for cell in store.read_cells(out) if cell.facts["seed"] == 1)
    np.testing.assert_allclose(found.summary, run.summary, rtol=1e-5)
    np.testing.assert_allclose(found.control, run.control.summary, rtol=1e-5)
    assert found.facts["n_tokens"] == run.n_tokens and found.facts["n_layers"] == 4

    cut, changed = sorted((out / "cells").iterdir())
    cut.write_bytes(b"PAR1")
    flip_a_bit(changed, "mean_l1")
    assert run_here(grid, "--out", out) == 1
    error = capsys.readouterr().err
    assert f"{cut.name} was damaged" in error and f"{changed.name} was damaged" in error
    assert files(out).keys() == before.keys()

    rows = duckdb.sql(f"from '{out}/cells/*.parquet'")
    assert len(rows) == 2 * 2 * 4  # cells, components, blocks
    columns = [f"article_{name}" for name in run.article.facts if name != "source"]
    origin = rows.select("model_version", *columns).distinct().fetchall()
    assert origin == [(run.model_version, *list(run.article.facts.values())[1:])]


def test_a_model_that_cannot_be_had_fails_alone(tiny_model, tmp_path, run_here, capsys):
    lists = {"models": [str(tiny_model), "./nowhere.gguf"]}
    grid = write_grid(tmp_path, f"models = {lists['models']!r}\nn_targets = 3\ncontrol = false")
    assert run_here(grid, "--out", tmp_path / "out") == 1
    failure = store.read_failures(tmp_path / "out")[0]
    assert failure["error"] == "ModelError" and "'nowhere.gguf'" in failure["says"]
    assert np.isnan(store.read_cells(tmp_path / "out")[0].control).all()


def test_a_folder_that_holds_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "diary.txt").write_text("mine", encoding="utf-8")
    grid = write_grid(tmp_path, "seeds = [0]")
    assert main(["atlas", str(grid), "--out", str(tmp_path)]) == 2
    assert "holds no atlas: name another folder" in capsys.readouterr().err


def test_a_second_atlas_in_one_folder_is_told_of_the_first(
    tiny_model, tmp_path, run_here, monkeypatch, capsys
):
    grid, out, compute = tiny_grid(tiny_model, tmp_path, [0]), tmp_path / "out", atlas.compute

    def interfere(*arguments):
        assert run_here(grid, "--out", out) == 2
        assert f"another run is writing to --out {str(out)!r}" in capsys.readouterr().err
        return compute(*arguments)

    monkeypatch.setattr(atlas, "compute", interfere)
    assert run_here(grid, "--out", out) == 0
    assert "0 were done before, 1 computed, 0 failed" in capsys.readouterr().out


@pytest.mark.skipif(not FULL.exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_a_sentence_and_the_next_run_goes_on(
    tiny_model, tmp_path, run_here, monkeypatch, capsys
):
    grid, out, opened = tiny_grid(tiny_model, tmp_path, range(3)), tmp_path / "out", Path.open

    def fill_up(path, mode="r", *rest, **options):
        full = "w" in mode and path.suffix == ".parquet" and files(out)
        return opened(FULL if full else path, mode, *rest, **options)

    with monkeypatch.context() as context:
        context.setattr(Path, "open", fill_up)
        assert run_here(grid, "--out", out) == 2
    error = capsys.readouterr().err
    assert f"cannot write to the atlas {str(out)!r} (No space left on device): what was" in error
    known = files(out)
    assert len(known) == 1 and {path.name for path in out.iterdir()} == {"cells", "failures"}
    assert run_here(grid, "--out", out) == 0
    assert "1 were done before, 2 computed, 0 failed" in capsys.readouterr().out
    assert known.items() <= files(out).items()


def test_what_is_left_of_a_run_that_was_killed_at_once_is_no_stranger(tmp_path, run_here, capsys):
    (tmp_path / "out" / ".layerlab" / "run").mkdir(parents=True)
    grid = write_grid(tmp_path, "models = ['./nowhere.gguf']")
    assert run_here(grid, "--out", tmp_path / "out") == 1
    assert "1 cells: 0 were done before, 0 computed, 1 failed" in capsys.readouterr().out


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("nowhere")])
def test_a_place_that_is_no_folder_is_a_sentence(tmp_path, make, capsys):
    make(tmp_path / "out")
    assert main(["atlas", str(write_grid(tmp_path, "")), "--out", str(tmp_path / "out")]) == 2
    assert ": name a folder" in capsys.readouterr().err


def test_a_model_that_grew_between_two_runs_is_another_curve(tiny_model, tmp_path, run_here):
    model, out = shutil.copytree(tiny_model, tmp_path / "a model"), tmp_path / "out"
    assert run_here(tiny_grid(model, tmp_path, [0]), "--out", out) == 0
    (model / "old.bin").mkdir()  # a folder is no file of the model, whatever its name
    save_random_gpt2(model, n_layer=2, vocab_size=13000, n_positions=2048)
    assert run_here(tiny_grid(model, tmp_path, [1]), "--out", out) == 0
    assert len(files(out)) == 2
    table = (out / "atlas.md").read_text(encoding="utf-8")
    assert "| model_files |" in table


def test_a_worker_that_outlives_a_model_reads_the_next(tiny_model, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")
    cell = read_grid(tiny_grid(model, tmp_path, [0]))[0]
    article = fetch_article()
    versions = set()
    for n_layer in (4, 2):
        save_random_gpt2(model, n_layer=n_layer, vocab_size=13000, n_positions=2048)
        place, weights = cells.find_model(str(model))
        versions.add(cells.measure_cell(cells.Cell(cell, weights, article, place)).model_version)
    assert len(versions) == 2


def test_a_copy_of_a_cell_does_not_count_twice(tiny_model, tmp_path, run_here, capsys):
    grid, out = tiny_grid(tiny_model, tmp_path, [0]), tmp_path / "out"
    assert run_here(grid, "--out", out) == 0
    path = next((out / "cells").iterdir())
    copy = shutil.copy(path, path.with_stem(f"{path.stem} (1)"))
    assert run_here(grid, "--out", out) == 2
    assert f"{str(copy)!r} is a copy of another cell" in capsys.readouterr().err


def test_a_missing_package_says_how_to_install_it(tmp_path):
    grid = write_grid(tmp_path, "seeds = [0]")
    program = (
        "import sys\nsys.modules['distributed'] = None\nfrom layerlab.__main__ import main\n"
        f"sys.exit(main(['atlas', {str(grid)!r}, '--out', {str(tmp_path / 'out')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert "'distributed': pip install 'layerlab[atlas]'" in done.stderr


def test_the_figure_has_a_row_for_each_target_and_draws_no_missing_control():
    tau = np.linspace(-1, 1, 8).reshape(1, 2, 4)
    nothing = np.full((1, 2, 4), np.nan)
    figure = atlas_profiles({" a": {"m": (tau, nothing)}, " b": {"m": (tau, tau)}}, 0)
    drawn = [[line for line in axes.lines if len(line.get_xdata()) == 4] for axes in figure.axes]
    assert [len(lines) for lines in drawn] == [1, 1, 2, 2]
    np.testing.assert_allclose(drawn[0][0].get_xdata(), [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(drawn[1][0].get_ydata(), tau[0, 1])


def test_a_figure_shows_names_that_look_like_formulas_and_has_room_for_many(tmp_path):
    tau = np.linspace(-1, 1, 8).reshape(1, 2, 4)
    names = ["$\\frac{$", "_m", *("/models/" + "long" * 10 + str(i) for i in range(12))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no room for the axes is only a warning
        figure = atlas_profiles({" $x^$": {name: (tau, tau) for name in names}}, 0)
        figure.savefig(tmp_path / "a.png")
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [*names, "untrained"]
    assert legend.get_window_extent().width <= figure.bbox.width
    assert figure.axes[0].get_window_extent().height > 100


def test_many_targets_are_several_figures(tmp_path, monkeypatch):
    measured = cells.Measured("v", 9, 4, 3, 16, np.linspace(-1, 1, 24).reshape(2, 2, 2, 3))
    monkeypatch.setattr(summary, "MOST_ROWS", 2)
    (tmp_path / "work").mkdir()
    kept = store.Store(tmp_path, tmp_path / "work")
    for target in "abc":
        options = layerlab.Options(target=target)
        kept.save(cells.Cell(options, "weights", Article("text", ""), "place"), measured)
    summary.write_summary(kept)
    report = (tmp_path / "atlas.md").read_text(encoding="utf-8")
    for name in ("atlas-mi.png", "atlas-mi-2.png"):
        assert (tmp_path / name).exists() and f"({name})" in report
    assert not (tmp_path / "atlas-mi-3.png").exists()


# Whatever ends it


def start(*words):
    environment = os.environ | {"PYTHONPATH": f"{CODE}{os.pathsep}{os.environ['PYTHONPATH']}"}
    command = [sys.executable, "-m", "layerlab", "atlas", *map(str, words)]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.check
def test_killed_at_ten_random_moments_it_loses_nothing_and_does_nothing_twice(tiny_model, tmp_path):
    out, grid = tmp_path / "out", tiny_grid(tiny_model, tmp_path, range(60), (" coffee", " cup"))
    known, moments = {}, random.Random(45)
    for _ in range(10):
        process = start(grid, "--out", out)
        end = time.monotonic() + HANGING
        while not out.exists() or len(files(out)) <= len(known):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        now = files(out) if out.exists() else {}
        assert {name: now.get(name) for name in known} == known  # none lost, none written again
        known = now
    said, _ = start(grid, "--out", out).communicate(timeout=HANGING)
    assert 10 <= len(known) < 120  # each time at work, and never at the end
    assert (
        f"120 cells: {len(known)} were done before, {120 - len(known)} computed, 0 failed" in said
    )
    now = files(out)
    assert len(now) == 120 and {name: now[name] for name in known} == known
    assert len(store.read_cells(out)) == 120


@pytest.mark.check
def test_interrupted_it_says_so_in_one_sentence_and_goes_on_later(
    tiny_model, tmp_path, run_here, capsys
):
    out, grid = tmp_path / "out", tiny_grid(tiny_model, tmp_path, range(30))
    with socket.socket() as other:
        with suppress(OSError):  # if it is taken already, so much the better
            other.bind(("127.0.0.1", 8787))  # Dask's own port: another cluster has it
            other.listen()
        process = start(grid, "--out", out)
        end = time.monotonic() + HANGING
        while not out.exists() or not files(out):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, which tells the workers, too
        said, error = process.communicate(timeout=HANGING)
    assert process.returncode == 130 and said == ""
    sentence = error.rstrip("\n").rpartition("\n")[2]
    assert sentence == "layerlab: interrupted, and what was done is kept"
    assert error.count("layerlab: ") == 1
    assert not any(word in error for word in ("Traceback", "Warning", "WARNING"))
    known = files(out)
    assert 0 < len(known) < 30 and {path.name for path in out.iterdir()} == {"cells", "failures"}
    assert run_here(grid, "--out", out) == 0
    assert f"{len(known)} were done before" in capsys.readouterr().out
    assert known.items() <= files(out).items()


@pytest.mark.check
def test_a_cluster_loses_a_worker_and_its_scheduler_and_nothing_else(tiny_model, tmp_path, dask):
    def wait_for(n_cells):
        end = time.monotonic() + HANGING
        while not out.exists() or len(files(out)) < n_cells:
            assert time.monotonic() < end, f"{n_cells} cells were never done"
            time.sleep(0.05)

    out, grid = tmp_path / "out", tiny_grid(tiny_model, tmp_path, range(150))
    words = (grid, "--out", out, "--scheduler", dask.address)
    scheduler, worker, _ = dask.serve(), dask.work(), dask.work()
    atlas_run = start(*words)
    wait_for(10)
    worker.kill()
    wait_for(30)  # the other one does what the first one had begun
    scheduler.kill()
    _, error = atlas_run.communicate(timeout=HANGING)
    assert atlas_run.returncode == 2
    assert f"the scheduler at {dask.address} is gone: what was done until then is kept" in error
    assert "Traceback" not in error, error
    known = files(out)
    dask.serve(), dask.work()
    again = start(*words)
    said, error = again.communicate(timeout=HANGING)
    assert again.returncode == 0, error
    n_before = len(known)
    assert f"{n_before} were done before, {150 - n_before} computed, 0 failed" in said
    now = files(out)
    assert len(now) == 150 and {name: now[name] for name in known} == known


def test_no_scheduler_at_the_address_is_a_sentence(monkeypatch):
    monkeypatch.setattr(cluster, "REACHABLE", 0.3)
    with (
        pytest.raises(LayerlabError, match="no scheduler at 'tcp://127.0.0.1:9'"),
        cluster.connect("tcp://127.0.0.1:9", 1),
    ):
        pass


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", None])
def test_what_answers_and_is_no_scheduler_is_told(monkeypatch, answer):
    """A web server, one that hangs up, and one that waits for more."""
    monkeypatch.setattr(cluster, "REACHABLE", 0.5)
    done = threading.Event()

    class Other(socketserver.BaseRequestHandler):
        def handle(self):
            if answer is None:
                done.wait(HANGING)
            else:
                self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Other) as server:
        server.block_on_close = False  # a test that fails ends, too
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_address[1]}"
        why = "no answer" if answer is None else ".*"
        said = rf"no scheduler at '{address}' \({why}\).*not that of its dashboard"
        with pytest.raises(LayerlabError, match=said), cluster.connect(address, 1):
            pass
        done.set()
        server.shutdown()


def test_a_cluster_without_workers_is_given_up(monkeypatch, tiny_model, tmp_path):
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    monkeypatch.setattr(cluster, "PULSE", 0.1)
    grid = read_grid(tiny_grid(tiny_model, tmp_path, [0]))
    kept = store.Store(tmp_path / "out", tmp_path)
    todo, tally = atlas.plan(grid, kept)
    with (
        cluster.Client(processes=False, n_workers=0, dashboard_address=None) as client,
        pytest.raises(LayerlabError, match="no worker has been at"),
    ):
        atlas.compute(todo, kept, client, tally)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_is_heard_although_an_object_that_was_being_deleted_dropped_it():
    class Dropping:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    with atlas_bar(2, 0) as progress:
        progress(atlas.Tally(2))
        Dropping()
        with pytest.raises(KeyboardInterrupt):
            progress(atlas.Tally(2))
