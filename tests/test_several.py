"""A class graded by a Dask cluster: the same grades, and whatever is lost, no grade is."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import HANGING
from kinds import KINDS, NAME, ROOT, as_bytes
from test_class import needs_sandbox

pytest.importorskip("distributed", reason="a cluster is one of Dask")

from coursebuild import grade as command
from coursebuild.classroom import command as commands
from coursebuild.classroom import several
from coursebuild.classroom.results import NONE, Result
from coursebuild.classroom.running import Class
from coursebuild.keys import make_key
from layerlab import cluster
from layerlab.errors import LayerlabError, PackageError

POINTS = {kind.name: kind.points for kind in KINDS}
HANDED = ("right", "blank", "partly", "root-forgotten", "broken-syntax", "in-utf-16")
KILLER = """\
import os
from coursebuild.classroom.running import Bench


def killing(grade):
    def patched(bench, own):
        if own.student == "killer":
            os._exit(1)
        return grade(bench, own)

    return patched


if Bench.grade.__name__ == "grade":  # a nanny loads this twice
    Bench.grade = killing(Bench.grade)
"""


def hand_in(place: Path, n_each: int = 1, *others: str) -> dict[str, float]:
    """Write a class; what each student deserves."""
    deserved = {f"{name}-{n}": name for name in HANDED for n in range(n_each)}
    deserved |= dict.fromkeys(others, "right")
    made = {kind.name: as_bytes(kind.make()) for kind in KINDS if kind.name in HANDED}
    for student, name in deserved.items():
        (place / student).mkdir(parents=True)
        (place / student / f"{NAME}.ipynb").write_bytes(made[name])
    return {student: POINTS[name] for student, name in deserved.items()}


def start(place: Path, address: str) -> subprocess.Popen:
    words = [sys.executable, "-m", "coursebuild.grade", str(place), "--scheduler", address]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, cwd=ROOT, text=True, **pipes)


def files(place: Path) -> dict[str, bytes]:
    folder = place.with_name("class-graded") / "results"
    return {path.stem: path.read_bytes() for path in folder.rglob("[!.]*.json")}


def given(place: Path) -> dict[str, float | None]:
    course = Class([make_key(ROOT, NAME)], ROOT / "code", place.with_name("class-graded"))
    found = course.store.all()
    return {result.student: None if result.reason else result.points for result in found}


@needs_sandbox
@pytest.mark.check
def test_a_worker_and_the_scheduler_are_lost_and_no_grade_is(tmp_path, dask):
    place = tmp_path / "class"
    deserved = hand_in(place, 10)
    scheduler, worker, _ = dask.serve(), dask.work(), dask.work()
    running = start(place, dask.address)

    def wait_for(n_results: int) -> None:
        end = time.monotonic() + HANGING
        while len(files(place)) < n_results:
            assert running.poll() is None and time.monotonic() < end, running.communicate()
            time.sleep(0.05)

    wait_for(6)
    worker.kill()
    wait_for(20)  # the other one grades what the first one had begun
    scheduler.kill()
    _, error = running.communicate(timeout=HANGING)
    assert running.returncode == 1
    assert f"the scheduler at {dask.address} is gone: what was done until then is kept" in error
    assert "Traceback" not in error, error
    known = files(place)
    assert 20 <= len(known) < len(deserved)
    dask.serve(), dask.work(), dask.work()
    again = start(place, dask.address)
    said, error = again.communicate(timeout=HANGING)
    assert again.returncode == 0, error
    assert f"{len(known)} had a grade already" in said and "left)" in said
    now = files(place)
    assert {name: now[name] for name in known} == known  # none was graded twice
    assert given(place) == deserved


@needs_sandbox
@pytest.mark.check
def test_a_submission_that_kills_its_workers_costs_nobody_else_a_grade(tmp_path, dask, monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "1")
    preload, place = tmp_path / "killer.py", tmp_path / "class"
    preload.write_text(KILLER)
    deserved = hand_in(place, 1, "killer")
    dask.serve()
    watched = [dask.work("--nanny", "--preload", str(preload)) for _ in range(2)]
    said, error = start(place, dask.address).communicate(timeout=HANGING)
    assert "Traceback" not in error, error
    line = next(line for line in said.splitlines() if "killer" in line)
    assert "it could not be graded: WorkersDied: each worker that began it died" in line
    found = given(place)
    assert found.pop("killer") is None
    assert found.keys() == deserved.keys() - {"killer"}
    for process in watched:
        process.terminate()
    dask.work()
    said, error = start(place, dask.address).communicate(timeout=HANGING)
    assert given(place) == deserved, error


# Without processes ------------------------------------------------------------------------------


@contextmanager
def in_this_process(scheduler, n_workers):
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with cluster.Client(processes=False, **options) as client:
        yield client


@pytest.fixture
def here(monkeypatch):
    """A cluster in this process."""
    monkeypatch.setattr(several, "connect", in_this_process)


def graded(tmp_path: Path) -> list[Result]:
    """The results of a class of a few, graded on whatever cluster there is."""
    place = tmp_path / "class"
    hand_in(place)
    course = Class([make_key(ROOT, NAME)], ROOT / "code", tmp_path / "out")
    several.grade_on(course, course.gather(place)[0], "tcp://somewhere", lambda line: None)
    return list(course.store.all())


def test_what_grades_travels_and_results_are_kept_here(tmp_path, monkeypatch, here):
    asked = []

    class Bench:
        def __init__(self, course):
            self.course = course

        def grade(self, own):
            asked.append((self.course.variation, self.course.out))
            return self.course.without_grade(own, "nobody looked")

        def close(self):
            asked.append("closed")

    monkeypatch.setattr(several, "Bench", Bench)
    monkeypatch.setattr(several, "check_sandbox", lambda: None)
    results = graded(tmp_path)
    assert len(results) == len(HANDED)
    assert {result.reason for result in results} == {"nobody looked"}
    secret = (tmp_path / "out" / ".variation").read_text()
    assert {one[0] for one in asked[:-1]} == {secret}
    assert tmp_path / "out" not in {one[1] for one in asked[:-1]}
    assert asked[-1] == "closed"


def test_a_worker_with_another_edition_stops_the_class(tmp_path, monkeypatch, here):
    monkeypatch.setattr(several, "edition", lambda: {"course": "1", "numpy": str(time.time())})
    said = r"the worker at \S+ has another edition \(numpy \S+ there, \S+ here\)"
    with pytest.raises(several.WorkerError, match=said):
        graded(tmp_path)


def test_a_worker_without_sandbox_is_named_with_the_way_out(tmp_path, monkeypatch, here):
    monkeypatch.setattr("coursebuild.classroom.sandbox.shutil.which", lambda _: None)
    said = r"the worker at \S+ cannot grade: [\s\S]*apt-get install bubblewrap"
    with pytest.raises(several.WorkerError, match=said):
        graded(tmp_path)


def test_an_error_of_any_depth_arrives_as_words(tmp_path, monkeypatch, here):
    def sink(*_):
        return sink()

    monkeypatch.setattr(several, "_place", sink)
    with pytest.raises(several.WorkerError, match="cannot grade: RecursionError"):
        graded(tmp_path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("no", name="coursebuild"), "start workers where the course lies"),
        (several.WorkerError("not this one"), "not this one"),
        (LayerlabError("the scheduler"), "the scheduler"),
    ],
)
def test_errors_of_a_worker_stop_the_class(error, said):
    with pytest.raises(LayerlabError, match=said):
        several._reason(error)


def test_errors_of_one_submission_are_its_own():
    assert "no space" in several._reason(OSError("no space"))
    assert "could not be graded" in several._reason(cluster.WorkersDied("several"))
    assert Result("a", "b", "c", "d", "e", reason="several").state == NONE


def test_no_scheduler_and_no_dask_are_sentences(tmp_path, monkeypatch, capsys):
    hand_in(tmp_path / "class")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(cluster, "REACHABLE", 0.3)
    words = [str(tmp_path / "class"), "--scheduler", "tcp://127.0.0.1:9"]
    assert command.main(words) == 1
    assert "no scheduler at 'tcp://127.0.0.1:9'" in capsys.readouterr().err
    monkeypatch.delitem(sys.modules, "coursebuild.classroom.several")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PackageError, match=r"'distributed': pip install 'layerlab\[atlas\]'"):
        commands._grade(None, [], 1, "tcp://127.0.0.1:9")
