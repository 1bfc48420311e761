"""What a submission can do in its sandbox: nothing outlives it, nothing of the course is there."""

import os
from dataclasses import replace

import pytest
from kinds import NAME, ROOT
from test_class import needs_sandbox

from coursebuild.classroom import inside, sandbox
from coursebuild.classroom.key import KeyCell
from coursebuild.classroom.running import Class
from coursebuild.classroom.sandbox import SandboxError, check_sandbox, packages
from coursebuild.keys import make_key

LEAVE = """
import ctypes, os, pathlib
libc = ctypes.CDLL(None)
libc.shmget(4711, 4096, 0o1666)
libc.msgget(4711, 0o1666)
libc.semget(4711, 1, 0o1666)
for folder in ('.', '/sandbox/tmp', '/dev/shm', '/sandbox/course', '/sandbox/course/layerlab'):
    os.utime(folder, (77, 77))
    try: os.setxattr(folder, 'user.message', b'x')
    except OSError: pass
    locked = pathlib.Path(folder, 'left', 'deeper')
    locked.mkdir(parents=True)
    (locked / 'answers').write_text('x')
    locked.chmod(0)
    locked.parent.chmod(0)
"""
FIND = """
import ctypes, os, pathlib
libc, found = ctypes.CDLL(None), []
for name, arguments in (('shmget', (4711, 0, 0)), ('msgget', (4711, 0)), ('semget', (4711, 0, 0))):
    if getattr(libc, name)(*arguments) >= 0: found.append(name)
for folder in ('.', '/sandbox/tmp', '/dev/shm', '/sandbox/course', '/sandbox/course/layerlab'):
    if os.stat(folder).st_mtime == 77 or os.listxattr(folder): found.append(folder)
    found += [str(p) for p in pathlib.Path(folder).iterdir() if p.name not in ('layerlab', 'data')]
raise ValueError(repr(found))
"""
SECRETS = """
import os, pathlib
found = []
for top in ('/sandbox', '/proc/self/fd', '/work', '/root', '/home', '/srv', '/opt'):
    for folder, _, names in os.walk(top):
        found += [f'{folder}/{n}' for n in names if n.endswith(('.json.xz', '.toml', 'ex1.py'))
                  or 'minkowski' in n]
found = [name for name in found if 'site-packages' not in name and '/lib/python' not in name]
raise ValueError(repr(found))
"""
REFUSED = {
    "a process": "import os; os.fork()",
    "a program": "import subprocess; subprocess.run(['true'])",
    "a socket": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "a namespace": "import ctypes, os\nif ctypes.CDLL(None).unshare(0x10000000): raise OSError",
    "a file outside": "open('/usr/x', 'w')",
    "the first process": "open('/proc/1/mem', 'rb')",
    "much memory": "bytearray(100_000_000_000)",
    "a large file": "open('x', 'wb').write(bytes(300_000_000))",
    "many files": "kept = [open('/dev/null') for _ in range(10_000)]",
}


@pytest.fixture(scope="module")
def zygote(tmp_path_factory):
    key = make_key(ROOT, NAME)
    course = Class([key], ROOT / "code", tmp_path_factory.mktemp("sandbox"))
    zygote = course.open(key)
    yield zygote
    zygote.__exit__()


def run(zygote, *sources: str) -> list[dict]:
    """The errors that cells raise in a submission of its own."""
    cells = [{"label": "mine", "kind": "added", "sources": list(sources)}]
    cells.append({"label": "end", "kind": "observe", "step": "by-hand", "answers": {"f": "f"}})
    cells[-1] |= {"other": {}, "defines": {}}
    with zygote.submission() as connection:
        inside.send(connection, zygote.frame(60) | {"cells": cells})
        while "step" not in (message := inside.receive(connection)):
            assert "broken" not in message, message
    return message["errors"]


@needs_sandbox
@pytest.mark.check
def test_nothing_outlives_a_submission(zygote):
    assert "left" in run(zygote, LEAVE, FIND)[0]["says"]  # while it runs, it is there
    assert run(zygote, FIND)[0]["says"] == "[]"


@needs_sandbox
@pytest.mark.check
def test_nothing_of_the_course_is_there(zygote):
    assert run(zygote, SECRETS)[0]["says"] == "[]"


@needs_sandbox
@pytest.mark.check
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_costs_a_cell_and_nothing_more(zygote, what):
    errors = run(zygote, REFUSED[what], "1 / 0")
    assert [error["error"] for error in errors][1:] == ["ZeroDivisionError"]
    assert errors[0]["error"] in ("PermissionError", "OSError", "MemoryError", "FileNotFoundError")


@needs_sandbox
@pytest.mark.check
def test_what_starts_in_a_thread_is_no_process(zygote):
    assert not run(
        zygote, "import threading\nt = threading.Thread(target=print)\nt.start(); t.join()"
    )


def given(label: str, source: str) -> dict:
    return {"label": label, "kind": "given", "sources": [source]}


ADDED = {"label": "cell 1 (added)", "kind": "added", "sources": ["import math"]}
FIRST, SECOND = given("a", "count = []"), given("b", "count.append(1)\ndouble = lambda: 2 * count")
WORK = given("c", "print(count)")


BEGIN = [FIRST, SECOND]


@pytest.mark.parametrize(
    ("cells", "n_done"),
    [
        ([*BEGIN, ADDED, WORK], 2),
        ([FIRST, WORK], 1),  # the second one is not needed
        ([SECOND, WORK], 1),
        ([ADDED, FIRST, SECOND], 0),
        ([FIRST, ADDED, SECOND], 0),
        ([given("a", "count = None"), SECOND], 0),
        ([FIRST, SECOND | {"kind": "added"}, SECOND], 0),
    ],
)
def test_given_cells_have_run_where_nothing_stands_before_or_among_them(cells, n_done):
    shared = inside.Begun({"own": 1}, BEGIN)
    assert shared.names["double"]() == [1, 1]
    assert shared.n_done(cells) == n_done
    assert set(shared.names) - {"__builtins__"} == {"own", *(["count", "double"] if n_done else [])}


@needs_sandbox
@pytest.mark.check
def test_given_cells_that_raise_are_said_before_anybody_is_graded(tmp_path):
    key = make_key(ROOT, NAME)
    broken = KeyCell("broken", "given", "raise ValueError('no model here')")
    key = replace(key, cells=(broken, *key.cells))
    with pytest.raises(SandboxError, match="no model here"):
        Class([key], ROOT / "code", tmp_path).open(key)


def test_where_there_is_no_sandbox_the_ways_out_are_told(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda _: None)
    with pytest.raises(SandboxError, match=r"apt-get install bubblewrap[\s\S]*--no-sandbox"):
        check_sandbox()


def test_packages_are_compiled_once_for_all_classes(tmp_path, monkeypatch):
    packed = []
    monkeypatch.setenv("LAYERLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(sandbox, "pack", lambda code: packed.append(code) or b"packed")
    key = make_key(ROOT, NAME)
    for name in ("monday", "friday"):
        assert Class([key], ROOT / "code", tmp_path / name).packed == b"packed"
    assert len(packed) == 1


def test_of_packages_the_last_three_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(sandbox, "pack", lambda code: b"packed")
    for day, name in enumerate(("one", "two", "three")):
        old = tmp_path / "packages" / f"{name}.tar"
        old.parent.mkdir(exist_ok=True)
        old.touch()
        os.utime(old, (day, day))
    assert packages(ROOT / "code") == b"packed"
    left = {path.stem for path in old.parent.iterdir()}
    assert len(left) == 3 and {"two", "three"} < left


def test_packages_that_cannot_be_kept_say_the_way_out(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("LAYERLAB_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(sandbox, "pack", lambda code: b"packed")
    with pytest.raises(SandboxError, match=r"cannot be kept as .*set LAYERLAB_CACHE to another"):
        packages(ROOT / "code")
