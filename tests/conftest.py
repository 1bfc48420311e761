"""What many tests share: the embedded model, GPT-2's own tokenizer, a small random GPT-2.

What takes seconds to import is imported by what needs it, for most files of tests do not.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HANGING = 600  # seconds: a busy machine takes long for what is quick, and only what hangs so long
# What takes minutes comes first: a long file that begins last keeps one worker busy alone. And the
# course is built while nobody else waits for it.
LONGEST = ("test_home", "test_book", "test_gate", "test_atlas", "test_smollm2", "test_mutants")
LONGEST += ("test_graded", "test_other_model", "test_site", "test_grading", "test_class")
LONGEST += ("test_command", "test_models", "test_investigation", "test_pages")


def pytest_configure():
    """Let the commands that tests start run this checkout's code, too, each on one thread.

    Tests and what they start are several processes. If each had a thread for every core, they would
    mostly wait for each other.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # or a fork would wait for its threads
    others = filter(None, [os.environ.get("PYTHONPATH")])
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "code"), *others])


def pytest_collection_modifyitems(items):
    """Run the longest files first, and all others in the order of their names."""
    last = len(LONGEST)
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, last))


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_the_user(tmp_path_factory):
    """Keep what tests, and the commands that they start, read from wikis in a folder apart."""
    os.environ["LAYERLAB_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def cache_folder(monkeypatch, tmp_path):
    """Where layerlab keeps articles in this test; it is not there yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LAYERLAB_CACHE", str(folder))
    return folder


@pytest.fixture
def dask():
    """A scheduler and workers of this machine, started one by one, and ended with the test."""
    cluster = Cluster()
    yield cluster
    cluster.end()


class Cluster:
    """Processes of Dask on a port that was free."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address, self.started = f"tcp://127.0.0.1:{port}", []

    def serve(self) -> subprocess.Popen:
        """Start the scheduler."""
        host, _, port = self.address.removeprefix("tcp://").partition(":")
        return self._start("scheduler", "--host", host, "--port", port)

    def work(self, *words: str) -> subprocess.Popen:
        """Start a worker; unless words say otherwise, nobody starts another when it ends."""
        return self._start("worker", self.address, "--nthreads", "1", *(words or ["--no-nanny"]))

    def _start(self, kind: str, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words, "--no-dashboard"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        self.started.append(process)
        return process

    def end(self) -> None:
        """End all that was started, and what that has started."""
        for process in self.started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def wiki(monkeypatch, cache_folder):
    """A wiki by its address, which is also what is asked where Wikipedia is named."""
    from wiki import serve_wiki

    from layerlab import questions, wikis

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(questions, "RETRIES", questions.RETRIES.new(backoff_factor=0))
    with serve_wiki() as served:
        monkeypatch.setattr(wikis, "ENGLISH", f"http://{served.host}/w/api.php")
        yield served


@pytest.fixture(scope="session")
def embedded():
    """The embedded model and its tokenizer; not to be changed by a test."""
    from layerlab.models import load_model

    return load_model("embedded")


@pytest.fixture(scope="session")
def investigation():
    """The default investigation, control included."""
    from layerlab.investigation import investigate

    return investigate()


@pytest.fixture(scope="session")
def gpt2_tokenizer_folder():
    """Folder with GPT-2's own vocab.json and merges.txt, which are not part of the project."""
    folder = ROOT.parent / "shared" / "gpt2-tokenizer"
    if not (folder / "vocab.json").is_file():
        pytest.skip(f"GPT-2's tokenizer is not in {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(gpt2_tokenizer_folder, tmp_path_factory):
    """Folder with a random GPT-2 (3 blocks, width 16, context 64) and GPT-2's own tokenizer."""
    folder = tmp_path_factory.mktemp("tiny") / "gpt2"
    save_random_gpt2(folder)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(gpt2_tokenizer_folder / name, folder)
    return folder


def save_random_gpt2(folder, model_class=None, **shape):
    """Save a random GPT-2, with its head unless another class is named; return it.

    There is no tokenizer beside it.
    """
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    shape = {"n_layer": 3, "n_embd": 16, "n_head": 2, "n_positions": 64} | shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = (model_class or GPT2LMHeadModel)(GPT2Config(**shape))
    model.save_pretrained(folder)
    return model.eval()
