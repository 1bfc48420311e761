"""`make live`: the site's code runs in its pages, for whoever has the token and for nobody else."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx2 as httpx
import nbformat
import pytest
import yaml
from test_site import NOTEBOOK, PYPROJECT, ROOT, make_book, run

from benchmarks.browser import NoBrowser, QuietHandler, browser, served
from coursebuild.blanks import find_blanks
from coursebuild.live import with_scripts
from coursebuild.notebooks import read_solution
from coursebuild.programs import (
    forget_programs,
    offer_server,
    program,
    program_file,
    write_program,
)
from coursebuild.web import make_scripts, node_modules, web_folder

EXERCISE = "exercises/01-minkowski"
CHAPTER = "book/01-minkowski"
CHAPTER_TEXT = f"""{NOTEBOOK}
# A chapter

Whose code runs in the page.

```{{code-cell}} ipython3
x = 3
```

```{{code-cell}} ipython3
:tags: [remove-cell]

doubled = 2 * x
```

```{{code-cell}} ipython3
print("twice is", doubled)
```

```{{code-cell}} ipython3
:tags: [remove-input]

print("and half is", x / 2)
```

```{{code-cell}} ipython3
:tags: [hide-input]

import time

print("ready")
```
"""


# Files -------------------------------------------------------------------------------------------


def test_a_program_is_all_code_in_order_with_its_place_on_the_page():
    cells = [
        nbformat.v4.new_markdown_cell("words"),
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["remove-cell"]}),
        nbformat.v4.new_code_cell("y = ____", metadata={"step": "sums"}),
        nbformat.v4.new_code_cell("check()", metadata={"step": "sums", "tags": ["check"]}),
    ]
    made = program(nbformat.v4.new_notebook(cells=cells), {2: 0, 3: 1})
    assert made == [
        {"source": "x = 1", "place": None, "step": "", "check": False},
        {"source": "y = ____", "place": 0, "step": "sums", "check": False},
        {"source": "check()", "place": 1, "step": "sums", "check": True},
    ]


def test_programs_of_pages_that_are_gone_go(tmp_path):
    for docname in ("book/a", "solutions/b"):
        write_program(tmp_path, docname, [])
    forget_programs(tmp_path, ["book/a"])
    assert program_file(tmp_path, "book/a").is_file()
    assert not program_file(tmp_path, "solutions/b").exists()


def test_a_served_page_loads_the_script_from_where_it_lies():
    html = with_scripts("<head></head><p></head></p>", "book/deep/page")
    assert html.count("live.js") == 1
    assert 'src="../../_static/web/live.js"' in html


# The server --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A small course with the real first exercise, built without solutions."""
    root = tmp_path_factory.mktemp("live")
    make_book(root, **{"01-minkowski": CHAPTER_TEXT})
    shutil.rmtree(root / "code")
    shutil.copytree(ROOT / "code", root / "code", ignore=shutil.ignore_patterns("__pycache__"))
    for folder, ending in (("exercises", "ipynb"), ("solutions", "md")):
        (root / folder).mkdir(exist_ok=True)
        shutil.copy(ROOT / folder / f"01-minkowski.{ending}", root / folder)
    for name in ("README.md", "LICENSE", "LICENSE-TEXT.md"):
        (root / name).write_text(f"The {name} of a small book.\n", encoding="utf-8")
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    for name in ("welcome", "other"):
        path = root / "book" / f"{name}.md"
        text = path.read_text("utf-8").replace("import layerlab\n", "")
        path.write_text(text.replace("layerlab.VALUE", "1"), "utf-8")
    (root / "book" / "exercises.md").write_text("# Exercises\n\nOne of them.\n", "utf-8")
    contents = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    contents["chapters"] += [{"file": "book/exercises"}, {"file": EXERCISE}]
    (root / "_toc.yml").write_text(yaml.safe_dump(contents), "utf-8")
    done = run("-m", "coursebuild.build", "--solutions", "no", str(root))
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def free_port():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def wait_for(address):
    """Wait until a server answers there."""
    for _ in range(600):
        try:
            return httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError(address)


@contextmanager
def live(root, port=None):
    """Run the command; yields the address that it prints."""
    port = port or free_port()
    command = [sys.executable, "-m", "coursebuild.live", "--port", str(port), str(root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "code")}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        said = server.stdout.readline()
        yield re.search(r"http://\S+", said)[0]
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module")
def address(course):
    with live(course) as address:
        yield address


@pytest.mark.check
def test_pages_and_kernels_are_for_who_knows_the_token(address):
    place, token = address.split("/site/?token=")
    for path in ("/site/", f"/site/{CHAPTER}.html", "/site/_static/site.css", "/api/kernels"):
        assert httpx.get(place + path).status_code == 403
    wrong = httpx.get(f"{place}/site/{CHAPTER}.html?token={token[:-1]}")
    assert wrong.status_code == 403 and "make live" in wrong.text
    with httpx.Client(base_url=place) as reader:
        for odd in ("%00", "a%00.html", f"{300 * 'a'}.html", f"{300 * 'a'}", "..%2f..%2f_toc.yml"):
            found = reader.get(f"/site/{odd}", headers={"Authorization": f"token {token}"})
            assert found.status_code in (403, 404), odd
        seen = reader.get("/site/", params={"token": token})
        assert seen.status_code == 302 and "token" not in seen.headers["location"]
        page = reader.get(f"/site/{CHAPTER}.html").text
        assert page.count("live.js") == 1
        assert "live.js" not in reader.get("/site/book/references.html").text
        assert reader.get("/api/terminals").status_code == 404
        # A page of another origin sends the cookies, and can neither read nor repeat what they say.
        assert reader.post("/api/kernels", json={}).status_code == 403
        proof = {"X-XSRFToken": reader.cookies["_xsrf"]}
        other = {**proof, "Origin": "http://elsewhere.example"}
        assert reader.post("/api/kernels", json={}, headers=other).status_code in (403, 404)
        assert reader.get("/api/kernels").json() == []
        assert reader.post("/api/kernels", json={}, headers=proof).status_code == 201
        [kernel] = reader.get("/api/kernels").json()
        asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        asked |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": other["Origin"]}
        channel = f"/api/kernels/{kernel['id']}/channels"
        assert reader.get(channel, headers=asked).status_code == 403
        assert reader.delete(f"/api/kernels/{kernel['id']}", headers=proof).status_code == 204


OPEN_CONFIGURATION = """
c.ServerApp.ip = "0.0.0.0"
c.ServerApp.allow_origin = "*"
c.ServerApp.disable_check_xsrf = True
c.ServerApp.terminals_enabled = True
c.IdentityProvider.token = ""
"""
LOOK_AT_SERVER = """
from pathlib import Path
from coursebuild.live import IDLE, make_server

server = MAKE
assert server.ip == "localhost" and server.allow_origin == "" and not server.allow_remote_access
assert len(server.identity_provider.token) > 20 and not server.disable_check_xsrf
assert not server.terminals_enabled and not server.extension_manager.extensions
assert server.kernel_manager.cull_idle_timeout == IDLE and server.kernel_manager.cull_connected
"""


@pytest.mark.check
def test_nobodys_own_configuration_opens_it(tmp_path):
    (tmp_path / "jupyter_config.py").write_text(OPEN_CONFIGURATION)
    make = f"make_server(Path({str(tmp_path)!r}), Path({str(tmp_path)!r}), {free_port()})"
    program = LOOK_AT_SERVER.replace("MAKE", make)
    own = {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_TOKEN": "", "HOME": str(tmp_path)}
    done = run("-c", program, **own)
    assert done.returncode == 0, done.stderr


@pytest.mark.check
def test_the_site_itself_asks_for_nothing_of_it(course):
    site = course / "_build" / "html"
    assert "live.js" not in (site / f"{CHAPTER}.html").read_text("utf-8")
    cells = json.loads(program_file(site, CHAPTER).read_text("utf-8"))
    assert [cell["place"] for cell in cells] == [0, None, 1, 2, 3]
    assert not list(site.glob("_static/live/solutions/*"))
    exercise = program_file(site, EXERCISE).read_text("utf-8")
    assert "____" in exercise and "# blank" not in exercise


# In a browser ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium():
    try:
        with browser() as chromium:
            yield chromium
    except NoBrowser as error:
        pytest.skip(str(error))


class Reader:
    """A tab on a page of the live site."""

    def __init__(self, chromium, address, page):
        self.place = address.split("/site/")[0]
        self.context = chromium.new_context()
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(60_000)
        self.asked, self.errors = [], []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("console", lambda m: m.type == "error" and self.errors.append(m.text))
        self.tab.on("pageerror", lambda error: self.errors.append(str(error)))
        self.tab.goto(address.replace("?token", f"{page}.html?token"))
        self.tab.locator(".live-bar").wait_for()

    def cell(self, number):
        return self.tab.locator("div.cell", has=self.tab.get_by_text(f"Cell {number}", exact=True))

    def write(self, number, code):
        self.cell(number).locator("textarea").fill(code)

    def press(self, number, what="Run"):
        self.tab.get_by_role("button", name=f"{what}: cell {number}", exact=True).click()

    def says(self, words):
        self.tab.locator(".live-said", has_text=words).wait_for()

    def run(self, number, what="Run"):
        """Run a cell; returns what stands below it then."""
        self.press(number, what)
        self.says(re.compile(f"^Cell {number} (is|stopped)"))
        return self.cell(number).locator(".cell_output").inner_text().strip()

    def check_nothing_else(self):
        assert all(url.startswith((self.place, "data:", "blob:")) for url in self.asked)
        assert self.errors == []


@pytest.fixture
def reader_of(chromium, address):
    readers = []

    def open_it(page):
        readers.append(Reader(chromium, address, page))
        return readers[-1]

    yield open_it
    for reader in readers:
        reader.context.close()


def answers():
    """The answers of the exercise's blanks, step by step."""
    notebook = read_solution(ROOT / "solutions" / "01-minkowski.md")
    steps = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and (found := find_blanks(cell.source)):
            steps.setdefault(cell.metadata["step"], []).extend(blank.answer for blank in found)
    return steps


@pytest.mark.check
def test_an_exercise_is_solved_in_the_page_from_its_first_blank_to_its_last_check(reader_of):
    reader = reader_of(EXERCISE)
    blanks = reader.tab.locator(".live-blank")
    right = [answer for step in answers().values() for answer in step]
    assert blanks.count() == len(right)
    for i, answer in enumerate(right):
        blanks.nth(i).fill(answer)
    checks = reader.tab.get_by_role("button", name=re.compile("^Check: cell"))
    assert checks.count() == len(answers())
    for i in range(checks.count()):
        checks.nth(i).click()
        number = int(checks.nth(i).get_attribute("aria-label").split()[-1])
        reader.says(re.compile(f"^Cell {number} is done"))
        assert reader.cell(number).locator(".cell_output.right").inner_text().startswith("✓")
    passed = reader.tab.evaluate(f"localStorage.getItem('course:checks:{EXERCISE}')")
    assert json.loads(passed) == list(answers())
    reader.check_nothing_else()


@pytest.mark.check
def test_a_wrong_answer_gets_its_name_and_what_was_typed_stays(reader_of):
    reader = reader_of(EXERCISE)
    blank = reader.tab.locator(".live-blank").first
    assert "still to be filled" in reader.run(2)
    blank.click()
    reader.tab.keyboard.type("generator.uniform(-1, 1, (2, size))")
    reader.tab.keyboard.press("Shift+Enter")
    reader.says("Cell 2 is done")
    assert "uniform numbers for normal ones" in reader.run(3, "Check")
    assert reader.cell(3).locator(".cell_output.wrong").count() == 1
    reader.tab.reload()
    reader.tab.locator(".live-bar").wait_for()
    assert blank.input_value() == "generator.uniform(-1, 1, (2, size))"
    reader.press(2, "Reset")
    assert blank.input_value() == ""
    reader.tab.reload()
    reader.tab.locator(".live-bar").wait_for()
    assert blank.input_value() == ""


@pytest.mark.check
def test_cells_that_the_page_hides_run_when_they_are_needed(reader_of):
    reader = reader_of(CHAPTER)
    reader.write(1, "x = 21")
    assert reader.run(2) == "twice is 42"
    assert "and half is 1.5" in reader.tab.locator(".tag_remove-input").inner_text()
    reader.cell(3).locator("summary").click()
    assert reader.run(3) == "ready"
    assert "and half is 10.5" in reader.tab.locator(".tag_remove-input").inner_text()
    reader.write(1, "x = {}")
    assert reader.run(2) == "twice is 42"  # what the hidden cell left
    reader.says("one that the page does not show (TypeError: unsupported operand")
    reader.press(1, "Reset")
    assert reader.run(2) == "twice is 6"
    reader.check_nothing_else()


@pytest.mark.check
def test_an_endless_loop_is_interrupted_and_the_kernel_goes_on(reader_of):
    reader = reader_of(CHAPTER)
    reader.write(1, "x = 5\nprint('begun')\nwhile True:\n    pass")
    reader.press(1)
    reader.cell(1).locator(".cell_output", has_text="begun").wait_for()
    reader.tab.get_by_role("button", name="Interrupt").click()
    reader.says("Interrupted")
    assert "KeyboardInterrupt" in reader.cell(1).inner_text()
    reader.write(1, "print(x)")
    assert reader.run(1) == "5"
    reader.write(1, "for i in range(200):\n    print(i)")
    assert reader.run(1).endswith("199")
    assert reader.cell(1).locator("pre[tabindex='0']").count() == 1


@pytest.mark.check
def test_a_kernel_that_dies_says_so_and_another_goes_on(reader_of):
    reader = reader_of(CHAPTER)
    reader.write(1, "import os\nos._exit(1)")
    reader.press(1)
    reader.says("The kernel died")
    reader.write(1, "x = 4")
    assert reader.run(2) == "twice is 8"
    reader.tab.get_by_role("button", name="Restart").click()
    reader.says("was started anew")
    assert reader.run(2) == "twice is 8"


@pytest.mark.check
@pytest.mark.parametrize("kind", ["Markdown", "Latex", "Javascript"])
def test_what_nothing_sets_is_shown_as_it_is_written(reader_of, kind):
    """And not as the name of the object that has it."""
    reader = reader_of(CHAPTER)
    reader.write(1, f"import IPython.display as d\nd.{kind}('one **bold** word')")
    assert reader.run(1) == "one **bold** word"


@pytest.mark.check
def test_a_server_that_is_started_anew_is_met_again(chromium, course):
    """While the page is open: what was computed is gone, and the next cell starts a kernel."""
    port = free_port()
    with live(course, port) as address:
        reader = Reader(chromium, address, CHAPTER)
        assert reader.run(2) == "twice is 6"
    reader.says("is interrupted")
    with live(course, port):
        reader.says("The server knows this kernel no more: what the cells had computed is gone.")
        assert reader.run(2) == "twice is 6"
        reader.context.close()


@pytest.mark.check
def test_a_pages_kernel_ends_with_the_page(reader_of):
    reader = reader_of(CHAPTER)
    reader.run(1)
    kernels = f"{reader.place}/api/kernels"
    assert len(reader.context.request.get(kernels).json()) == 1
    reader.tab.goto(f"{reader.place}/site/book/references.html")
    for _ in range(50):
        left = reader.context.request.get(kernels).json()
        if not left:
            break
        reader.tab.wait_for_timeout(100)
    assert left == []


@pytest.mark.check
def test_the_editor_is_left_by_keys(reader_of):
    reader = reader_of(CHAPTER)
    area = reader.cell(1).locator("textarea")
    area.fill("")
    area.focus()
    reader.tab.keyboard.type("if x:\nprint(x)")
    assert area.input_value() == "if x:\n    print(x)"
    reader.tab.keyboard.press("Tab")
    assert reader.tab.evaluate("document.activeElement.tagName") == "TEXTAREA"
    reader.tab.keyboard.press("Escape")
    reader.tab.keyboard.press("Tab")
    assert reader.tab.evaluate("document.activeElement.textContent") == "Run"


@pytest.mark.check
def test_elsewhere_a_page_runs_nothing_and_asks_for_nothing(chromium, course):
    tab, problems = chromium.new_page(), []
    site = (course / "_build" / "html").resolve().as_uri()
    tab.on("console", lambda message: message.type == "error" and problems.append(message.text))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on(
        "request",
        lambda request: "/live" in request.url.removeprefix(site) and problems.append(request.url),
    )
    tab.goto(f"{site}/{EXERCISE}.html")
    assert "make live" in tab.locator(".course-downloads").inner_text()
    assert tab.locator(".live-bar, .live-editor").count() == 0
    assert problems == []


@pytest.mark.check
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_that_runs_is_accessible_and_nothing_is_cut(reader_of, scheme, width):
    reader = reader_of(EXERCISE)
    reader.tab.set_viewport_size({"width": width, "height": 900})
    reader.tab.evaluate("theme => (document.documentElement.dataset.theme = theme)", scheme)
    reader.tab.locator(".live-blank").first.fill(
        " + ".join(["generator.uniform(-1, 1, (2, size))"] * 4)
    )
    assert "✗" in reader.run(3, "Check")
    reader.tab.evaluate((node_modules(ROOT, tools=True) / "axe-core/axe.min.js").read_text("utf-8"))
    found = reader.tab.evaluate("async () => (await axe.run()).violations")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
    wide = "e => e.scrollWidth > e.clientWidth + 1"
    cut = f"[...document.querySelectorAll('.live-editor > *, .live-blanks > pre')].filter({wide})"
    assert reader.tab.evaluate(f"{cut}.length") == 0
    assert reader.tab.evaluate("document.documentElement.scrollWidth") <= width


BLOCK = "def f(x):\n    ____  # a few lines\n\n\nprint(f(____))"


@pytest.mark.check
def test_a_blank_for_statements_takes_lines_and_sets_them_in(chromium, tmp_path):
    shutil.copytree(web_folder(ROOT), web_folder(tmp_path))
    script = 'import { editorOf } from "./live/editor.js"; window.editorOf = editorOf;'
    (web_folder(tmp_path) / "try.js").write_text(script, "utf-8")
    make_scripts(tmp_path, tmp_path / "out")
    tab = chromium.new_page()
    tab.add_script_tag(path=tmp_path / "out" / "try.js")
    tab.evaluate(
        """source => {
          window.editor = editorOf(source, 1, () => {});
          document.body.append(editor.element);
        }""",
        BLOCK,
    )
    code = "editor.code()"
    assert tab.evaluate(code) == BLOCK and tab.evaluate("editor.state()") is None
    block, expression = tab.locator("textarea"), tab.locator("input")
    block.focus()
    tab.keyboard.type("if x:\nreturn 1")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.type("return 2")
    expression.fill("0")
    made = BLOCK.replace("____  #", "if x:\n        return 1\n    return 2  #").replace("____", "0")
    assert tab.evaluate(code) == made
    assert block.get_attribute("rows") == "3"
    width = "input => input.getBoundingClientRect().width"
    narrow = expression.evaluate(width)
    expression.fill("0123456789")
    assert expression.evaluate(width) > narrow
    kept = tab.evaluate("editor.state()")
    tab.evaluate("editor.restore(null)")
    assert tab.evaluate(code) == BLOCK
    tab.evaluate("kept => editor.restore(kept)", kept)
    assert "return 2" in tab.evaluate(code) and "0123456789" in tab.evaluate(code)


TOKEN = "a-token-of-this-test"


def offered(course, site, address):
    """Copy the site, with a chapter that offers that address."""
    shutil.copytree(course / "_build" / "html", site)
    page = site / f"{CHAPTER}.html"
    offer = f'</h1>{offer_server(address, CHAPTER)}<script defer src="../_static/web/live.js">'
    head, article, rest = page.read_text("utf-8").partition("<article")
    page.write_text(head + article + rest.replace("</h1>", f"{offer}</script>", 1), "utf-8")


@contextmanager
def jupyter_server(folder, origin):
    """Run a Jupyter server that pages of that origin may ask; yields its address."""
    server = f"http://localhost:{free_port()}/"
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    command += [f"--port={server.split(':')[2][:-1]}", f"--IdentityProvider.token={TOKEN}"]
    command += [f"--ServerApp.allow_origin={origin}", "--log-level=ERROR"]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "JUPYTER_NO_CONFIG": "1"})
    try:
        wait_for(server)
        yield server
    finally:
        process.terminate()
        process.wait(30)


class Elsewhere(QuietHandler):
    """What speaks as a JupyterHub and as Binder do, of a server that starts while one waits."""

    def __init__(self, *given, jupyter, asked, **options):
        self.jupyter, self.asked = jupyter, asked
        super().__init__(*given, **options)

    def answer(self, status, content=b"", kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "authorization")
        self.end_headers()
        self.wfile.write(content)

    def do_OPTIONS(self):
        self.answer(204)

    def do_POST(self):
        self.asked.append(self.path)
        self.answer(202)

    def do_GET(self):
        if self.path == "/build/gh/ann/course/main":
            self.answer(200, self.events(), "text/event-stream")
        elif self.path == "/build/gh/ann/broken/main":
            failed = {"phase": "failed", "message": "no such repository"}
            self.answer(200, b"data: %s\n\n" % json.dumps(failed).encode(), "text/event-stream")
        elif self.headers["Authorization"] != f"token {TOKEN}":
            self.answer(403)
        else:
            self.answer(200, json.dumps(self.user()).encode())

    def events(self):
        ready = {"phase": "ready", "url": self.jupyter, "token": TOKEN}
        said = [{"phase": "building", "message": "Step 1\n"}, {"phase": "launching"}, ready]
        return b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in said)

    def user(self):
        """The user, whose server is ready once it was asked for and waited for."""
        if self.path == "/hub/api/user":
            return {"name": "ann@example"}
        assert self.path == "/hub/api/users/ann%40example"
        self.asked.append(self.path)
        state = {"url": self.jupyter, "ready": self.asked[-2:] == [self.path] * 2}
        was_asked = "/hub/api/users/ann%40example/server" in self.asked
        return {"servers": {"": state} if was_asked else {}}


@pytest.fixture
def page_elsewhere(chromium, course, tmp_path):
    """Opens a published chapter that offers an address, of a server, a hub or Binder; a tab."""
    with ExitStack() as stack:

        def open_page(path):
            site = tmp_path / "site"
            origin = stack.enter_context(served(site))
            server = stack.enter_context(jupyter_server(tmp_path, origin))
            speaks = partial(Elsewhere, jupyter=server, asked=[])
            place = stack.enter_context(served(tmp_path, speaks)) + path if path else server
            offered(course, site, place)
            tab = chromium.new_page()
            tab.set_default_timeout(60_000)
            tab.asked = []
            tab.on("request", lambda request: tab.asked.append(request.url))
            tab.goto(f"{origin}/{CHAPTER}.html")
            assert all(url.startswith(origin) for url in tab.asked)
            tab.get_by_text("Run this page’s code").click()
            return tab

        yield open_page


def connect(tab, token=None):
    if token:
        tab.get_by_label("Token", exact=True).fill(token)
    tab.get_by_role("button", name="Connect").click()


def run_second_cell(tab):
    tab.get_by_role("button", name="Run: cell 2").click()
    tab.locator(".live-said", has_text="Cell 2 is done").wait_for()
    assert "twice is 6" in tab.locator("div.cell").nth(1).inner_text()


@pytest.mark.check
def test_a_published_page_runs_on_a_jupyter_server_that_its_reader_has(page_elsewhere):
    tab = page_elsewhere("")
    connect(tab, "wrong")
    tab.get_by_role("button", name="Run: cell 2").click()
    tab.locator(".live-said", has_text="No kernel").wait_for()
    tab.reload()
    tab.get_by_text("Run this page’s code").click()
    connect(tab, TOKEN)
    run_second_cell(tab)


@pytest.mark.check
def test_a_published_page_has_a_hub_start_its_readers_server(page_elsewhere):
    tab = page_elsewhere("/hub/")
    assert (
        tab.get_by_role("link", name="gives you a token")
        .get_attribute("href")
        .endswith("/hub/token")
    )
    connect(tab, "wrong")
    tab.get_by_text("Not connected: the hub does not take this token (403).").wait_for()
    connect(tab, TOKEN)
    tab.get_by_text("The hub starts a server").wait_for()
    run_second_cell(tab)


@pytest.mark.check
def test_a_published_page_has_binder_build_and_start_a_server(page_elsewhere):
    tab = page_elsewhere("/v2/gh/ann/course/main")
    assert tab.get_by_role("textbox").count() == 0
    connect(tab)
    run_second_cell(tab)


@pytest.mark.check
def test_what_binder_cannot_build_is_told(page_elsewhere):
    tab = page_elsewhere("/v2/gh/ann/broken/main")
    connect(tab)
    tab.get_by_text("Not connected: no such repository.").wait_for()


@pytest.mark.check
def test_what_can_be_touched_in_an_output_wakes_up(reader_of):
    reader = reader_of(CHAPTER)
    stub = (
        "window.woken = [...(window.woken ?? []), document.querySelectorAll('.explorable').length]"
    )
    reader.tab.route("**/_static/web/stub.js", lambda route: route.fulfill(body=stub))
    element = '<div class="explorable" data-script="stub">numbers</div>'
    reader.write(1, f"from IPython.display import HTML\n\nHTML('{element}')")
    assert reader.run(1) == "numbers"
    reader.tab.wait_for_function("window.woken")
    assert reader.tab.evaluate("window.woken") == [1]
