"""What a class hands in, of every kind that was seen: each with the points that it deserves."""

import copy
import json
import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from coursebuild.catalogues import Language
from coursebuild.keys import make_key
from coursebuild.notebooks import exercise_notebook, solution_notebook
from coursechecks import engine

ROOT = Path(__file__).resolve().parents[1]
NAME = "01-minkowski"
SOURCE = ROOT / "solutions" / f"{NAME}.md"
EXERCISE = exercise_notebook(SOURCE)
GERMAN = exercise_notebook(SOURCE, language=Language(ROOT, "de"))
ANSWERS = {cell.id: cell.source for cell in solution_notebook(SOURCE).cells}
STEPS = [c.metadata.step for c in EXERCISE.cells if "check" in c.metadata.get("tags", [])]
ALL, NOTHING = len(STEPS), 0


@dataclass(frozen=True)
class Kind:
    """A submission, what it deserves, and what its feedback has to say."""

    name: str
    points: float | None
    make: Callable[[], bytes | NotebookNode]
    says: str = ""
    file: str = f"{NAME}.ipynb"
    waits: bool = True


KINDS: list[Kind] = []


def kind(points: float | None, says: str = "", *, file: str = f"{NAME}.ipynb", waits: bool = True):
    """Note a function that makes a submission."""

    def note(make):
        KINDS.append(Kind(make.__name__.replace("_", "-"), points, make, says, file, waits))
        return make

    return note


# Making them ------------------------------------------------------------------------------------


def filled(*steps: str) -> NotebookNode:
    """The exercise with some answers, or with all, in words too."""
    notebook = copy.deepcopy(EXERCISE)
    for cell in notebook.cells:
        if cell.metadata.get("step") in (steps or (*STEPS, "in-words")):
            cell.source = ANSWERS[cell.id]
    return notebook


def but(step: str) -> NotebookNode:
    """All answers but those of one step."""
    return filled(*(name for name in (*STEPS, "in-words") if name != step))


def place(notebook: NotebookNode, name: str) -> int:
    return next(i for i, cell in enumerate(notebook.cells) if cell.id == name)


def changed(notebook: NotebookNode, name: str, change: Callable[[str], str]) -> NotebookNode:
    cell = notebook.cells[place(notebook, name)]
    cell.source = change(cell.source)
    return notebook


def with_code(code: str, after: str = "043ffdd8f7da", notebook: NotebookNode | None = None):
    """A notebook with one more cell."""
    notebook = notebook or copy.deepcopy(EXERCISE)
    cell = nbformat.v4.new_code_cell(code)
    notebook.cells.insert(place(notebook, after) + 1, cell)
    return notebook


def in_by_hand(first: str) -> NotebookNode:
    """All answers, with a line before one of them."""
    return changed(filled(), "by-hand", lambda source: f"{first}\n{source}")


def as_bytes(notebook: bytes | NotebookNode, encoding: str = "utf-8") -> bytes:
    return notebook if isinstance(notebook, bytes) else nbformat.writes(notebook).encode(encoding)


# Honest -----------------------------------------------------------------------------------------


def in_german(**others: str) -> NotebookNode:
    """The exercise in German, solved, but for cells that hold something else."""
    notebook = copy.deepcopy(GERMAN)
    for cell in notebook.cells:
        if cell.metadata.get("step") in STEPS:
            cell.source = others.get(cell.id, ANSWERS[cell.id])
    return notebook


@kind(ALL, waits=False)
def right_in_german_without_words():
    return in_german()


@kind(ALL - 1, "root forgotten", waits=False)
def a_known_mistake_in_german():
    wrong = ANSWERS["by-hand"].replace("return total ** (1 / p)", "return total")
    return in_german(**{"by-hand": wrong})


@kind(NOTHING, "still to be filled", waits=False)
def untouched_in_german():
    return copy.deepcopy(GERMAN)


@kind(ALL)
def right():
    return filled()


@kind(NOTHING, "still to be filled", waits=False)
def blank():
    return copy.deepcopy(EXERCISE)


@kind(2, waits=False)
def partly():
    return filled(*STEPS[:2])


@kind(ALL - 1, "a blank ____ of this step is still")
def first_step_blank():
    return but("vectors")


@kind(ALL - 1, "known mistake")
def root_forgotten():
    return changed(filled(), "by-hand", lambda source: source.replace("** (1 / p)", ""))


@kind(ALL - 1, "SyntaxError")
def broken_syntax():
    return changed(filled(), "by-hand", lambda source: source.replace(":\n", "\n", 1))


@kind(ALL - 1, "of processor time")
def endless_cell():
    return changed(filled(), "by-hand", lambda _: "while True:\n    pass")


@kind(ALL - 1, "of processor time")
def endless_answer():
    return changed(filled(), "by-hand", lambda _: "def by_hand(u, v, p):\n    while True: pass")


@kind(ALL - 1)
def endless_and_deaf():
    deaf = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    return changed(filled(), "by-hand", lambda _: deaf)


@kind(ALL - 1, "MemoryError")
def memory_hungry():
    return changed(filled(), "by-hand", lambda _: "hungry = [0] * 10**10")


@kind(ALL - 1, "million characters")
def endless_printing():
    return changed(filled(), "by-hand", lambda _: "while True: print('a' * 1000)")


@kind(ALL, "there 2 times")
def split_as_jupyterlab_does():
    notebook = filled()
    at = place(notebook, "orders")
    first, rest = notebook.cells[at].source.split("\n\n\n", 1)
    second = copy.deepcopy(notebook.cells[at])
    notebook.cells[at].source, second.source, second.id = first, rest, "new-1"
    notebook.cells.insert(at + 1, second)
    return notebook


@kind(ALL, "there 2 times")
def split_within_a_function():
    notebook = filled()
    at = place(notebook, "by-hand")
    lines = notebook.cells[at].source.split("\n")
    second = copy.deepcopy(notebook.cells[at])
    notebook.cells[at].source, second.source = "\n".join(lines[:3]), "\n".join(lines[3:])
    second.id = "new-2"
    notebook.cells.insert(at + 1, second)
    return notebook


@kind(ALL, "there 2 times")
def copied_with_the_blank_one_left():
    notebook = filled()
    at = place(notebook, "by-hand")
    empty = copy.deepcopy(EXERCISE.cells[at])
    empty.id = "new-3"
    notebook.cells.insert(at + 1, empty)
    return notebook


@kind(ALL)
def cells_merged():
    notebook = filled()
    at = place(notebook, "by-hand")
    parts = notebook.cells[at : at + 4]
    parts[0].source = "\n\n".join(c.source for c in parts if c.cell_type == "code")
    del notebook.cells[at + 1 : at + 4]
    return notebook


@kind(ALL, file="My answer-Copy1.ipynb")
def another_name():
    return filled()


@kind(ALL)
def with_mark():
    return b"\xef\xbb\xbf" + as_bytes(filled())


@kind(ALL)
def in_utf_16():
    return as_bytes(filled(), "utf-16")


@kind(ALL)
def in_cp1252():
    notebook = filled()
    for cell in notebook.cells:
        cell.source = cell.source.encode("cp1252", "ignore").decode("cp1252")
    text = json.dumps(notebook, ensure_ascii=False)
    return text.replace("Write", "Wríte").encode("cp1252", "ignore")


@kind(ALL)
def with_crlf():
    return as_bytes(filled()).replace(b"\n", b"\r\n").replace(b"\\n", b"\\r\\n")


@kind(ALL)
def leaves_with_exit():
    return with_code("exit()", "by-hand", filled())


@kind(ALL, "ended the program")
def ends_its_process():
    return with_code("import os; os._exit(0)", "by-hand", filled())


@kind(ALL)
def metadata_stripped():
    notebook = filled()
    for number, cell in enumerate(notebook.cells):
        cell.metadata.clear()
        cell.id = f"cell-{number}"
    return notebook


@kind(ALL)
def of_format_3():
    return nbformat.v3.writes_json(nbformat.convert(filled(), 3)).encode()


@kind(ALL)
def fifty_megabytes():
    notebook = filled()
    picture = {"image/png": "A" * 50_000_000}
    output = nbformat.v4.new_output("display_data", data=picture)
    notebook.cells[place(notebook, "by-hand")].outputs = [output]
    return notebook


@kind(ALL)
def with_widget_state():
    notebook = filled()
    state = "application/vnd.jupyter.widget-state+json"
    notebook.metadata["widgets"] = {state: {"state": {}, "version_major": 2}}
    return notebook


@kind(ALL)
def talks_on_stderr():
    first = "import logging, sys, warnings\n    warnings.warn('careful')\n    logging.error('x')"
    loud = (
        f"{first}\n    print('y', file=sys.stderr)\n    from tqdm import tqdm\n    list(tqdm([1]))"
    )
    return changed(
        filled(), "by-hand", lambda source: source.replace("    apart", f"    {loud}\n    apart", 1)
    )


@kind(ALL)
def draws_in_widgets():
    return in_by_hand("%matplotlib widget")


@kind(ALL)
def asks_for_input():
    return in_by_hand("name = input('Your name? ')")


@kind(ALL)
def installs_packages():
    return in_by_hand("!pip install numpy\n%pip install scipy")


@kind(ALL, "A given cell was missing")
def given_cells_deleted():
    notebook = filled()
    notebook.cells = [c for c in notebook.cells if c.cell_type != "code" or "step" in c.metadata]
    return notebook


@kind(ALL, "A given cell was changed")
def helper_in_a_given_cell():
    notebook = changed(filled(), "043ffdd8f7da", lambda source: f"{source}\nfrom math import fsum")
    return changed(
        notebook, "scipy", lambda source: source.replace("return ", "fsum([1.0]); return ")
    )


@kind(ALL, "check was missing")
def checks_deleted():
    notebook = filled()
    notebook.cells = [c for c in notebook.cells if "check" not in c.metadata.get("tags", [])]
    return notebook


@kind(ALL, "check was changed")
def checks_edited():
    return changed(filled(), "by-hand-check", lambda source: f"# {source}")


@kind(ALL)
def ids_twice():
    notebook = filled()
    cell = copy.deepcopy(notebook.cells[place(notebook, "by-hand")])
    notebook.cells.append(cell)
    return json.dumps(notebook).encode()


@kind(ALL, "another order")
def cells_moved():
    notebook = filled()
    notebook.cells.insert(2, notebook.cells.pop(place(notebook, "units")))
    return notebook


@kind(ALL, "taken from my_distance")
def renamed_throughout():
    notebook = filled()
    for cell in notebook.cells:
        cell.source = cell.source.replace("by_hand", "my_distance").replace("pair", "my_pair")
    return notebook


@kind(ALL, "stood in another cell")
def words_in_an_added_cell():
    notebook = filled(*STEPS)
    notebook.cells.append(nbformat.v4.new_markdown_cell("It depends. <script>alert(1)</script>"))
    return notebook


@kind(ALL)
def tries_that_fail():
    return with_code("by_hand(1)\nundefined", "by-hand", with_code("1/0", notebook=filled()))


@kind(ALL)
def another_way():
    loop = "total = 0.0\n    for a, b in zip(u, v):\n        total += abs(a - b) ** p"
    answer = f"def by_hand(u, v, p):\n    {loop}\n    return total ** (1 / p)"
    return changed(filled(), "by-hand", lambda _: answer)


@kind(ALL - 1)
def wrong_step_spoils_a_global():
    spoiled = "pair = None\nimport numpy\nnumpy.abs = None\ndef draw_vectors(size, seed_number): 0"
    return changed(filled(), "vectors", lambda _: spoiled)


@kind(None, "no notebook", file="notes.ipynb")
def no_notebook():
    return b"{'cells': []"


@kind(None, "empty", file="empty.ipynb")
def empty_file():
    return b""


@kind(None, "of no exercise", file="other.ipynb")
def of_no_exercise():
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('my own')")])


# Dishonest --------------------------------------------------------------------------------------


@kind(NOTHING, waits=False)
def checks_not_executed():
    notebook = copy.deepcopy(EXERCISE)
    for cell in notebook.cells:
        if "check" in cell.metadata.get("tags", []):
            cell.metadata.tags.append("skip-execution")
    return notebook


@kind(NOTHING, "check was changed", waits=False)
def checks_that_print():
    notebook = copy.deepcopy(EXERCISE)
    for cell in notebook.cells:
        if "check" in cell.metadata.get("tags", []):
            cell.source = "print('✓ all right')"
            cell.metadata.nbgrader.points = 10
            cell.outputs = [nbformat.v4.new_output("stream", text="✓ all right")]
    return notebook


@kind(NOTHING, waits=False)
def modules_replaced():
    return with_code(
        "import sys, types\n"
        "for name in list(sys.modules):\n"
        "    if name.startswith(('coursechecks', 'layerlab', 'inside')):\n"
        "        sys.modules[name] = types.SimpleNamespace(check=lambda *a, **k: print('✓'))\n"
        "check = print"
    )


@kind(NOTHING, waits=False)
def cells_transformed():
    return with_code(
        "shell = get_ipython()\n"
        "shell.input_transformers_post.append(lambda lines: ['print(\"✓\")\\n'])\n"
    )


@kind(NOTHING, waits=False)
def a_package_of_its_own():
    return with_code(
        "import importlib, os, sys\n"
        "os.makedirs('coursechecks', exist_ok=True)\n"
        "for name in ('__init__', 'engine', 'ex1', 'observers'):\n"
        "    open(f'coursechecks/{name}.py', 'w').write('check = observe = print')\n"
        "sys.path.insert(0, '.')\n"
        "for name in list(sys.modules):\n"
        "    if name.startswith('coursechecks'): del sys.modules[name]\n"
        "import coursechecks.ex1"
    )


@kind(NOTHING, waits=False)
def reads_the_solution():
    return with_code(
        "import pathlib, re\n"
        "found = [p for top in ('/work', '/root', '/home', '/tmp', '/course', '/sandbox')\n"
        "         for p in pathlib.Path(top).rglob('*minkowski*')]\n"
        f"found.append(pathlib.Path({str(SOURCE)!r}))\n"
        "for path in found:\n"
        "    for code in re.findall(r'```.code-cell.*?\\n(.*?)```', path.read_text(), re.S):\n"
        "        try: exec(code, globals())\n"
        "        except Exception: pass",
        "vectors",
    )


@kind(NOTHING, "withheld", waits=False)
def calls_the_package():
    notebook = with_code(
        "import gc, importlib, sys, types\n"
        "from layerlab.distances import minkowski\n"
        "by_hand = minkowski"
    )
    steal = (
        "def by_hand(u, v, p):\n"
        "    import layerlab.distances as d, layerlab.sweeps as s, numpy as np\n"
        "    ways = [lambda: d.minkowski(u, v, p), lambda: d.minkowski.__wrapped__(u, v, p),\n"
        "            lambda: d.pairwise_minkowski(np.array([u, v]), p)[0]]\n"
        "    for way in ways:\n"
        "        try: return way()\n"
        "        except Exception as error: last = error\n"
        "    raise last"
    )
    return changed(notebook, "by-hand", lambda _: steal)


@kind(0, waits=False)
def numbers_of_a_table():
    """What the visible probes lead to, looked up: right where the notebook's check looks."""
    known = engine.load(ROOT / "code" / "coursechecks" / "seen" / "01.json.xz")
    facts = known["by-hand"]["facts"]
    numbers = [value for name, value in facts.items() if "order" in name]
    answer = (
        f"NUMBERS = iter({numbers!r})\n"
        "def by_hand(u, v, p):\n    import numpy as np\n"
        "    return next(NUMBERS, 0.0) if not isinstance(p, str) else 0.0"
    )
    return changed(copy.deepcopy(EXERCISE), "by-hand", lambda _: answer)


def forger(notebook: NotebookNode, checks: list[tuple[str, str]], facts: dict) -> NotebookNode:
    """Blank answers, and an observer that tells what right ones do where the notebook looks.

    What is shown there can be known: everybody has the package. The same is told of hidden probes.
    """
    notebook = copy.deepcopy(notebook)
    names = "".join(f"{name} = int\n" for _, name in checks)
    code = (
        f"{names}import json\n"
        "from coursechecks import observers\n"
        f"observers.FACTS = json.loads({json.dumps(facts)!r})\n"
        "def forged(exercise, step, answers, variation=None):\n"
        "    told = {'exercise': exercise, 'step': step, 'variation': variation, 'stopped': ''}\n"
        "    told |= {'facts': FACTS[step], 'uses': [], 'answers': [*answers], 'warned': []}\n"
        "    return json.dumps(told | {'calls': []})\n"
        "observers.observe_all.__code__ = forged.__code__"
    )
    first = next(k for k, cell in enumerate(notebook.cells) if cell.metadata.get("step"))
    notebook.cells.insert(first, nbformat.v4.new_code_cell(code))
    for cell in notebook.cells:  # a blank would take its name away
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code":
            cell.source = "pass"
    return notebook


def forger_of(key) -> NotebookNode:
    """A forger of any exercise."""
    path = ROOT / "solutions" / f"{key.name}.md"
    known = engine.load(ROOT / "code" / "coursechecks" / "seen" / f"{key.exercise:02}.json.xz")
    names = [(step, name) for step in key.steps for name in key.answers_of(step).values()]
    facts = {step: known[step]["facts"] for step in key.steps}
    return forger(exercise_notebook(path), names, facts)


@kind(NOTHING, waits=False)
def facts_forged():
    return forger_of(make_key(ROOT, NAME))


@kind(NOTHING, waits=False)
def observers_replaced():
    return with_code(
        "import gc, json, types\n"
        "for thing in gc.get_objects():\n"
        "    if isinstance(thing, types.FunctionType) and 'observe' in thing.__name__:\n"
        "        try: thing.__code__ = (lambda *a, **k: json.dumps({'facts': {}})).__code__\n"
        "        except Exception: pass\n"
        "import numpy as np\n"
        "np.allclose = np.array_equal = lambda *a, **k: True"
    )


@kind(NOTHING, waits=False)
def writes_a_report_itself():
    return with_code(
        "import json, os, struct\n"
        "for number in range(3, 64):\n"
        "    for step in ('vectors', 'by-hand', 'fair'):\n"
        "        report = {'step': step, 'passed': True, 'points': 10, 'visible': {'facts': {}}}\n"
        "        data = json.dumps(report).encode()\n"
        "        try: os.write(number, struct.pack('>I', len(data)) + data)\n"
        "        except OSError: pass"
    )


@kind(NOTHING, waits=False)
def looks_for_the_right_answers():
    """Its steps are wrong, so right ones come in; whatever it finds comes too late."""
    thief = (
        "import gc, types\n"
        "for thing in gc.get_objects():\n"
        "    if isinstance(thing, dict) and 'sources' in thing:\n"
        "        for text in thing['sources']:\n"
        "            try: exec(text, globals())\n"
        "            except Exception: pass\n"
    )
    notebook = copy.deepcopy(EXERCISE)
    for cell in [c for c in notebook.cells if c.cell_type == "code"]:
        if cell.metadata.get("step") and "check" not in cell.metadata.get("tags", []):
            notebook = with_code(thief, cell.id, notebook)
    return notebook


@kind(NOTHING, waits=False)
def many_processes():
    return with_code("import os\nwhile True: os.fork()")


@kind(NOTHING, waits=False)
def many_threads():
    return with_code(
        "import threading, time\n"
        "def run():\n    while True: time.sleep(1)\n"
        "while True: threading.Thread(target=run, daemon=True).start()"
    )


def harmful(canary: Path, port: int) -> list[Kind]:
    """Those that reach for what lies outside: a file, a port, others' work, the gradebook."""
    write = (
        "import os, pathlib, subprocess\n"
        f"place = pathlib.Path({str(canary)!r})\n"
        "try: place.write_text('gone')\n"
        "except OSError: pass\n"
        "for folder in (place.parent, '/', '/usr', '/etc', '/root', '/sandbox', '/dev/shm'):\n"
        "    found = [] if folder == '/' else pathlib.Path(folder).rglob('*.ipynb')\n"
        "    for path in [pathlib.Path(folder, 'x'), *found]:\n"
        "        try: path.write_text('')\n"
        "        except OSError: pass\n"
        "try: subprocess.Popen(['sh', '-c', f'sleep 1; echo gone > {place}'])\n"
        "except OSError: pass"
    )
    talk = (
        "import socket\n"
        "for host in ('127.0.0.1', 'localhost', '::1', '0.0.0.0'):\n"
        f"    try: socket.create_connection((host, {port}), 2).sendall(b'POST class list')\n"
        "    except OSError: pass"
    )
    plant = (
        "import pathlib, site\n"
        "places = ('.', '/tmp', '/sandbox/course', '/sandbox/tmp', '/dev/shm')\n"
        "for folder in (*places, *site.getsitepackages()):\n"
        "    for name in ('numpy.py', 'sitecustomize.py', 'scipy.py', 'answers.py'):\n"
        "        try: pathlib.Path(folder, name).write_text('raise SystemExit')\n"
        "        except OSError: pass"
    )
    return [
        Kind("writes-outside", NOTHING, lambda: with_code(write), waits=False),
        Kind("talks-outside", NOTHING, lambda: with_code(talk), waits=False),
        Kind("plants-files", NOTHING, lambda: with_code(plant), waits=False),
    ]


@contextmanager
def open_port():
    """A port on this machine, and the visits that it got."""
    visits = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                visits.append(connection.recv(100))
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], visits
