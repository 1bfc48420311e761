"""The command: a whole run leaves everything behind, a wrong one leaves nothing."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import HANGING, save_random_gpt2
from matplotlib.image import imread

import layerlab
import layerlab.__main__ as command_module
from layerlab import figures, places, themes, wikis
from layerlab.__main__ import main
from layerlab.articles import Article, load_article
from layerlab.examples import noisy_curve
from layerlab.markdown import information_floor, write_report
from layerlab.statistics import mantel_test

CODE = Path(layerlab.__file__).parents[1]
FILES = {"results.npz", "report.md", *figures.FILE_NAMES.values()}
N_LAYERS, N_TARGETS = 12, 10


def command(*arguments, **environment):
    """The command in a process of its own, as a list and an environment for `subprocess`."""
    environment = os.environ | {"PYTHONPATH": str(CODE)} | environment
    return [sys.executable, "-m", "layerlab", *map(str, arguments)], environment


@pytest.fixture(scope="module")
def embedded_run(tmp_path_factory):
    """The default run: its folder and the finished process."""
    folder = tmp_path_factory.mktemp("embedded")
    arguments, environment = command()
    run = subprocess.run(
        arguments, env=environment, cwd=folder, capture_output=True, text=True, timeout=HANGING
    )
    return folder / "layerlab-out", run


def refused(capsys, *arguments):
    """The one sentence on stderr with which the command refuses."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse ends the process itself
        code = end.code
    assert code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    sentence = captured.err.rstrip("\n").rpartition("\n")[2]
    assert sentence.startswith("layerlab: ")
    return sentence


def left_behind(folder):
    return sorted(path.name for path in folder.iterdir())


# The whole run


@pytest.fixture(scope="module")
def fixed_run(tmp_path_factory):
    """Each target after a past of its own, with controls; their arrays and the report."""
    out = tmp_path_factory.mktemp("fixed") / "out"
    words = "--design fixed-past --n-past 12 --controls untrained,own-past --n-draws 2 --out"
    assert main([*words.split(), str(out)]) == 0
    with np.load(out / "results.npz") as results:
        return out, dict(results), (out / "report.md").read_text(encoding="utf-8")


def test_another_design_leaves_its_own_files(fixed_run):
    out, arrays, report = fixed_run
    assert {path.name for path in out.iterdir()} == {"results.npz", "report.md", "controls.png"}
    assert min(imread(out / "controls.png").shape[:2]) > 900
    assert arrays["compared_untrained"].shape == (2, 2, N_LAYERS, 6)
    assert str(arrays["compared_design"]) == "fixed-past"
    assert "## Controls (fixed-past)" in report
    assert "the 12 tokens before it" in report
    assert "](controls.png)" in report and "Text: " in report
    assert "## Laminar sweep" not in report


def test_the_report_of_controls_is_read_from_the_arrays(fixed_run):
    _, arrays, report = fixed_run
    (row,) = [line for line in report.splitlines() if line.startswith("| MLP | 5 |")]
    cells = [cell.strip().replace("−", "-") for cell in row.strip("|").split("|")]
    draws = arrays["compared_untrained"][:, 1, 5, 2]
    assert float(cells[2]) == pytest.approx(arrays["compared_tau"][1, 5, 2], abs=0.006)
    assert float(cells[5]) == pytest.approx(arrays["compared_far"][1, 5, 2], abs=0.006)
    mean, low, high = (float(word) for word in re.findall(r"-?\d\.\d+", cells[6]))
    assert [mean, low, high] == pytest.approx([draws.mean(), *sorted(draws)], abs=0.006)


def test_controls_of_the_worksheet_stand_beside_the_seven_parts(tmp_path):
    words = "--controls own-past --n-draws 1 --no-control --n-targets 4 --n-sequences 12 --out"
    assert main([*words.split(), str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES | {"controls.png"}
    with np.load(tmp_path / "out" / "results.npz") as results:
        assert {"summary", "compared_own_past"} <= set(results.files)
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert report.index("## Laminar sweep") < report.index("## Controls (worksheet)")


def test_embedded_run_leaves_every_file_and_nothing_else(embedded_run):
    out, run = embedded_run
    assert run.returncode == 0, run.stderr
    assert {path.name for path in out.iterdir()} == FILES
    assert left_behind(out.parent) == ["layerlab-out"]
    for name in figures.FILE_NAMES.values():
        height, width, _ = imread(out / name).shape
        assert min(height, width) > 900


def test_embedded_run_shows_its_stages_on_stderr_and_its_result_on_stdout(embedded_run):
    _, run = embedded_run
    for stage in ("load the model", "run the windows", "measure, untrained", "draw the figures"):
        assert stage in run.stderr
    assert str(Path("layerlab-out") / "report.md") in run.stdout
    assert "Warning" not in run.stderr


def test_results_have_the_names_and_shapes_that_the_course_promises(embedded_run):
    out, _ = embedded_run
    shapes = {
        "distances": (N_TARGETS, N_TARGETS, 3),
        "position_distances": (N_TARGETS, N_TARGETS),
        "tau": (3, 2),
        "summary": (2, N_LAYERS, 2, 3),
        "layer_information": (N_LAYERS, N_LAYERS, 3),
    }
    with np.load(out / "results.npz") as results:
        for prefix in ("", "control_"):
            for name, shape in shapes.items():
                assert results[prefix + name].shape == shape
            positions = results[f"{prefix}target_positions"]
            tokens = results[f"{prefix}token_ids"][positions]
            assert len(set(tokens.tolist())) == 1
        assert len(results.files) == 18


def test_results_are_those_of_the_investigation(embedded_run, investigation):
    out, _ = embedded_run
    with np.load(out / "results.npz") as results:
        for name, array in investigation.arrays().items():
            if array.dtype.kind == "U":
                assert results[name].tolist() == array.tolist()
            else:
                np.testing.assert_allclose(results[name], array, rtol=1e-4, atol=1e-4)


def test_report_is_that_of_the_investigation(embedded_run, investigation):
    out, _ = embedded_run
    report = (out / "report.md").read_text(encoding="utf-8")
    assert investigation.article.attribution in report
    apart, l2 = investigation.position_distances, investigation.distances[:, 2]
    tau, kendall = investigation.tau[2]
    row = next(line for line in report.splitlines() if line.startswith("| L2 "))
    cells = [cell.strip().replace("−", "-") for cell in row.strip("|").split("|")]
    assert float(cells[1]) == pytest.approx(tau, abs=0.006)
    assert float(cells[2]) == pytest.approx(kendall, rel=0.06)
    assert float(cells[3]) == pytest.approx(mantel_test(l2, apart).p, rel=0.06)
    assert (
        f"| Tokens | {investigation.n_tokens}, of them {investigation.n_unique} unique |" in report
    )


def test_report_says_under_each_figure_whose_text_it_was_made_of(investigation):
    article = Article("", "x", title="A | B", revision="7", licence="![CC](x) <b> (https://x)")
    report = write_report(replace(investigation, article=article), floor=0.25)
    shown = report.partition("## Figures")[2].split("\n\n!")[1:]
    assert [re.search(r"\]\((.*)\)", one)[1] for one in shown] == list(figures.FILE_NAMES.values())
    credits = [one.rstrip().rpartition("* ")[2] for one in shown]
    assert credits[:2] == ["Made of random numbers, and of no text."] * 2
    assert credits[2:] == [r"Text: “A \| B”, revision 7, ![CC\](x) \<b>."] * 4


def test_report_names_peaks_and_layer_means_of_both_runs(investigation):
    report = write_report(investigation, floor=0.25)
    for run in (investigation, investigation.control):
        tau = run.summary[1, :, 1, 1]  # MLP, Kendall's tau, L1
        block = max(range(N_LAYERS), key=lambda b: abs(tau[b]))
        assert f"{tau[block]:.2f} at block {block}".replace("-", "−") in report
        bits = run.arrays()["layer_information"][..., 0]  # (n_layers, n_layers)
        adjacent = [bits[b, b + 1] for b in range(N_LAYERS - 1)]
        far = [bits[i, j] for i in range(N_LAYERS) for j in range(i + 6, N_LAYERS)]
        assert f"{np.mean(adjacent):.3f} | {np.mean(far):.3f}" in report
    assert "0.250 bits" in report


def test_floor_rises_as_samples_become_fewer():
    assert 0 < information_floor(1000) < information_floor(100) < information_floor(20)


def test_example_data_are_dependent_and_hardly_correlated():
    x, y = noisy_curve()
    assert x.shape == y.shape == (347,)
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.2
    residual = y - np.cos(np.pi * x)
    assert residual.std() == pytest.approx(0.3, rel=0.15)
    assert np.array_equal(noisy_curve(seed=0), (x, y))
    assert not np.array_equal(noisy_curve(seed=1), (x, y))


# A model's folder


@pytest.fixture(scope="module")
def folder_run(gpt2_tokenizer_folder, tmp_path_factory):
    """A run of a random GPT-2 with GPT-2's own tokenizer on a text file, without control."""
    folder = tmp_path_factory.mktemp("folder")
    save_random_gpt2(folder / "gpt2", n_embd=32, n_positions=256)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(gpt2_tokenizer_folder / name, folder / "gpt2")
    text = "".join(f"Cup {n} of the strong coffee was poured at dawn. " for n in range(40))
    (folder / "text.txt").write_text(text, encoding="utf-8")
    arguments = ["--model", folder / "gpt2", "--article", folder / "text.txt", "--block", 2]
    arguments += ["--n-targets", 6, "--no-control", "--out", folder / "deep" / "out"]
    assert main([str(argument) for argument in arguments]) == 0
    return folder


def test_folder_run_measures_that_model_on_that_text(folder_run):
    out = folder_run / "deep" / "out"
    assert set(left_behind(out)) == FILES
    with np.load(out / "results.npz") as results:
        assert set(results["token_ids"][results["target_positions"]]) == {6891}  # GPT-2's " coffee"
        assert len(results["target_positions"]) == 40
        assert results["layer_information"].shape == (3, 3, 3)
        assert results["distances"].shape == (6, 6, 3)
        assert not any(name.startswith("control_") for name in results.files)
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "3 blocks, width 32" in report
    assert "Untrained" not in report


# What is refused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--n-targets", "1"], "--n-targets: '1' is not a whole number from 2 to"),
        (["--n-targets", "many"], "'many' is not a whole number"),
        (["--block", "-1"], "--block: '-1' is not a whole number from 0 to"),
        (["--n-neighbors", "0"], "'0' is not a whole number from 1 to"),
        (["--seed", str(2**32)], "'4294967296' is not a whole number"),
        (["--bloc", "3"], "--bloc"),
        (["--blocks", "h"], "attention and mlp should be named, too: give all three, or none"),
        (["--dtype", "int4"], "dtype = 'int4' is none of float32, bfloat16, float16"),
        (["--device", "abacus"], "device = 'abacus' is none that PyTorch has"),
        (["--model", "embedded@v1"], "'embedded' has no revisions"),
        (["--block", "12"], "block 12 does not exist: the model has 12 blocks"),
        (["--model", "no/such/model/anywhere"], "'no/such/model/anywhere'"),
        (["--article", "no-such-file.txt"], "'no-such-file.txt'"),
        (["--target", " zeppelin"], "' zeppelin'"),
        (["--target", "coffee pot"], "the target 'coffee pot' is"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, *arguments)
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" \n", "has no text"),
        ("We drank a coffee.", "1 time"),
        ("We drank tea all day and all night.", "never occurs"),
    ],
)
def test_articles_with_too_little_in_them_are_refused(capsys, tmp_path, text, words):
    (tmp_path / "article.txt").write_text(text, encoding="utf-8")
    article = tmp_path / "article.txt"
    assert words in refused(capsys, "--article", article, "--out", tmp_path / "out")
    assert left_behind(tmp_path) == ["article.txt"]


def test_damaged_model_is_refused(capsys, tmp_path):
    shutil.copytree(places.EMBEDDED, tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 0xFF
    weights.write_bytes(data)
    sentence = refused(capsys, "--model", tmp_path / "model", "--out", tmp_path / "out")
    assert "model.safetensors" in sentence
    assert "damaged" in sentence
    assert left_behind(tmp_path) == ["model"]


@pytest.fixture
def closed_port():
    """The address of a port of this computer on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_unreachable_hub_is_refused(tmp_path, closed_port):
    arguments, environment = command(
        "--model", "gpt2-large", "--out", tmp_path / "out",
        HF_ENDPOINT=closed_port, HF_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    run = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, timeout=HANGING
    )
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    sentence = run.stderr.rstrip("\n").rpartition("\n")[2]
    assert sentence.startswith("layerlab: 'gpt2-large'")
    assert closed_port in sentence
    assert not (tmp_path / "out").exists()


def test_unreachable_wikipedia_is_refused(capsys, tmp_path, monkeypatch, closed_port):
    monkeypatch.setattr(wikis, "ENGLISH", closed_port)
    article = "wikipedia:Turkish coffee"
    sentence = refused(capsys, "--article", article, "--out", tmp_path / "out")
    assert "Wikipedia cannot be reached for 'Turkish coffee'" in sentence
    assert left_behind(tmp_path) == []


# Where it writes


@pytest.fixture
def ready(monkeypatch, investigation):
    """Give the command a finished investigation, for tests of what it does with one."""
    monkeypatch.setattr(layerlab, "investigate", lambda *_, **__: investigation)


@pytest.fixture
def undrawn(monkeypatch):
    """Write figures that are none, for tests of where they go."""
    monkeypatch.setattr(themes, "save", lambda _, path, *__, **___: path.write_text("drawn"))


def test_a_folder_with_something_in_it_is_left_alone(capsys, tmp_path):
    (tmp_path / "report.md").write_text("mine")
    assert "is not empty (it holds 'report.md')" in refused(capsys, "--out", tmp_path)
    assert (tmp_path / "report.md").read_text() == "mine"
    assert left_behind(tmp_path) == ["report.md"]


def test_overwrite_replaces_an_earlier_run(tmp_path, ready):
    (tmp_path / "report.md").write_text("earlier")
    assert main(["--out", str(tmp_path), "--overwrite"]) == 0
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# What")
    assert set(left_behind(tmp_path)) == FILES


def test_nothing_of_an_earlier_run_stays_beside_another(tmp_path, ready):
    out = tmp_path / "out"
    out.mkdir()
    for name in FILES | {"controls.png"}:
        (out / name).write_text("earlier")
    assert main(["--out", str(out), "--overwrite"]) == 0
    assert set(left_behind(out)) == FILES


def test_overwrite_never_touches_a_folder_with_other_files(capsys, tmp_path):
    (tmp_path / "report.md").write_text("earlier")
    (tmp_path / "thesis.tex").write_text("mine")
    sentence = refused(capsys, "--out", tmp_path, "--overwrite")
    assert "holds 'thesis.tex', which no run of layerlab wrote" in sentence
    assert (tmp_path / "report.md").read_text() == "earlier"


@pytest.fixture
def unused(monkeypatch):
    """Fail where an investigation begins, for tests of what is said before."""
    monkeypatch.setattr(layerlab, "investigate", lambda *_, **__: pytest.fail("too late"))


@pytest.mark.parametrize("out", ["", " "])
def test_a_folder_without_a_name(capsys, tmp_path, monkeypatch, unused, out):
    monkeypatch.chdir(tmp_path)
    assert f"--out {out!r} names no folder" in refused(capsys, "--out", out)
    assert left_behind(tmp_path) == []


def make_file(out):
    out.write_text("mine")


def make_dangling_link(out):
    out.symlink_to(out.with_name("nothing"))


def make_folder_with_a_folder(out):
    (out / "report.md").mkdir(parents=True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_file, "is a file"),
        (make_dangling_link, "is a link to nothing"),
        (make_folder_with_a_folder, "holds 'report.md', which no run of layerlab wrote"),
    ],
)
def test_what_is_in_the_way_is_said_first(capsys, tmp_path, unused, make, words):
    make(tmp_path / "out")
    assert words in refused(capsys, "--out", tmp_path / "out", "--overwrite")
    assert left_behind(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("o" * 300, "File name too long"),
        ("o" * 300 + "/out", "File name too long"),
        ("file/out", "Not a directory"),
        pytest.param(
            "/proc/out",
            "cannot write to '/proc' (No such file",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's"),
        ),
    ],
)
def test_where_nothing_can_be_written_is_said_first(capsys, tmp_path, unused, place, words):
    (tmp_path / "file").write_text("mine")
    assert words in refused(capsys, "--out", tmp_path / place)
    assert left_behind(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("out", [".", "new/out"])
def test_a_folder_without_permission_is_said_first(capsys, tmp_path, unused, out):
    tmp_path.chmod(0o555)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        assert "Permission denied" in refused(capsys, "--out", tmp_path / out)
    finally:
        tmp_path.chmod(0o755)


@pytest.mark.parametrize("option", ["--article", "--out", "--target", "--model"])
def test_half_a_character_is_said_first(capsys, tmp_path, monkeypatch, unused, option):
    monkeypatch.chdir(tmp_path)
    assert f"{option} 'caf\\udce9' holds '\\udce9'" in refused(capsys, option, "caf\udce9")
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("is_new", [True, False])
def test_a_second_run_is_refused_before_it_begins(capsys, tmp_path, unused, is_new):
    out = tmp_path / "new" / "out"
    if not is_new:
        out.mkdir(parents=True)
    with command_module._workplace(out) as folder:
        assert "another run is writing to --out" in refused(capsys, "--out", out)
        assert folder.is_dir()
    assert left_behind(tmp_path) == ([] if is_new else ["new"])


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("is_new", [True, False])
def test_what_came_meanwhile_is_left_alone(capsys, tmp_path, monkeypatch, investigation, is_new):
    out = tmp_path / "out"

    def come(*_, **__):
        out.mkdir(exist_ok=True)
        (out / "report.md").write_text("mine")
        return investigation

    if not is_new:
        out.mkdir()
    monkeypatch.setattr(layerlab, "investigate", come)
    assert "holds 'report.md'" in refused(capsys, "--out", out, *["--overwrite"] * is_new)
    assert (out / "report.md").read_text() == "mine"
    assert left_behind(out) == ["report.md"]
    assert left_behind(tmp_path) == ["out"]


KILLED = """
import os, pathlib, signal, sys
from layerlab.__main__ import _file_names, _publish, _workplace

out, n_steps = pathlib.Path(sys.argv[1]), int(sys.argv[2])

def step(move):
    def counted(*arguments, **options):
        global n_steps
        if n_steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        n_steps -= 1
        return move(*arguments, **options)
    return counted

with _workplace(out) as folder:
    for name in _file_names():
        (folder / name).write_text("killed")
    for name in ("rename", "replace", "unlink"):
        setattr(pathlib.Path, name, step(getattr(pathlib.Path, name)))
    _publish(folder, out, overwrite=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="other systems know no SIGKILL")
@pytest.mark.parametrize(
    ("held", "n_steps"),
    [(None, 0), ([], 0), ([], 3), (FILES, 0), (FILES, 1), (FILES | {"controls.png"}, 5)],
)
def test_a_killed_run_leaves_no_mixture_and_is_followed(tmp_path, ready, undrawn, held, n_steps):
    out = tmp_path / "out"
    if held is not None:
        out.mkdir()
        for name in held:
            (out / name).write_text("earlier")
    arguments = [sys.executable, "-c", KILLED, out, str(n_steps)]
    run = subprocess.run(arguments, env=command()[1], timeout=HANGING)
    assert run.returncode == -signal.SIGKILL
    if (out / "report.md").exists():
        assert {(out / name).read_text() for name in FILES} == {"earlier"}
    assert main(["--out", str(out), *["--overwrite"] * bool(n_steps or held)]) == 0
    assert set(left_behind(out)) == FILES
    assert (out / "report.md").read_text(encoding="utf-8").startswith("# What")
    assert left_behind(tmp_path) == ["out"]


def test_a_full_disk_leaves_nothing(capsys, tmp_path, monkeypatch, ready):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(themes, "save", fail)
    assert "No space left on device" in refused(capsys, "--out", tmp_path / "out")
    assert left_behind(tmp_path) == []


def test_a_defect_leaves_nothing_and_is_not_hidden(tmp_path, monkeypatch, ready):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(themes, "save", fail)
    with pytest.raises(ZeroDivisionError):
        main(["--out", str(tmp_path / "out")])
    assert left_behind(tmp_path) == []


def hear_interrupts():
    """Take Ctrl-C as a terminal's process does; what runs in the background may ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="other systems know no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(tmp_path, number):
    arguments, environment = command("--out", tmp_path / "out")
    options = {"env": environment, "stderr": subprocess.PIPE, "text": True}
    options["preexec_fn"] = hear_interrupts
    with subprocess.Popen(arguments, **options) as run:
        said = ""
        while "run the article" not in said:
            said += run.stderr.read(1)
        assert left_behind(tmp_path) != []  # its workplace, which is to go
        run.send_signal(number)
        said += run.stderr.read()
    assert run.returncode == 130
    assert said.endswith("layerlab: interrupted, and nothing was written\n")
    assert left_behind(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="other systems send no Ctrl-C to one process")
def test_ctrl_c_while_it_starts(tmp_path):
    (tmp_path / "numpy.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    arguments, environment = command("--out", tmp_path / "out")
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])
    run = subprocess.run(
        arguments, env=environment, capture_output=True, text=True, timeout=HANGING,
        preexec_fn=hear_interrupts,
    )  # fmt: skip
    assert run.returncode == 130
    assert run.stderr == "layerlab: interrupted, and nothing was written\n"


# What it says of itself


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    for word in ("mutual information", "gpt2-large", '"wikipedia:Turkish coffee"', "results.npz"):
        assert word in said
    assert "--target TARGET" in said


def test_the_article_of_the_default_run_is_the_embedded_one(investigation):
    assert investigation.options.article == "embedded"
    assert load_article("embedded").count(" coffee") >= len(investigation.target_positions)
