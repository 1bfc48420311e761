"""What the laboratory loads when a reader asks for it: graph, weights, runtime, tokenizer, text.

All of it is text in classic scripts, for from `file://` a browser loads nothing else. Each file is
compressed, written in base64 and cut into pieces; the script `index.js` names them. Among the files
is the program of the worker that computes.
"""

import base64
import gzip
import hashlib
import json
import shutil
from importlib.resources import files
from pathlib import Path

from coursebuild.web import bundle, node_modules, web_folder

PAGE = Path("book") / "laboratory.md"
WORKER = Path("lab") / "worker.js"
RUNTIME = "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm"  # for processors alone: the smallest
PIECE = 2**20  # characters: small enough to show how far the loading is
INDEX = "index.js"
OWN = (Path(__file__), Path(__file__).with_name("export.py"))


def make_laboratory(root: Path, out: Path) -> None:
    """Write the scripts of the laboratory, unless those that are there were made of the same.

    Parameters
    ----------
    root : Path
        The root of the course; without a page `book/laboratory.md` there is nothing to make.
    out : Path
        The folder for them. What else lies there is removed.
    """
    entry = web_folder(root) / WORKER
    if not (root / PAGE).exists():
        shutil.rmtree(out, ignore_errors=True)
        return
    modules = node_modules(root)
    worker = bundle(root, entry)
    data = Path(str(files("layerlab") / "data"))
    sources = sorted(path for path in data.rglob("*") if path.is_file())
    key = _key(worker, [*sources, modules / RUNTIME, *OWN])
    index = out / INDEX
    if index.exists() and key in index.read_text("utf-8"):
        return
    from coursebuild.export import WEIGHTS, export  # only now, for importing ONNX takes time

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    contents = {
        "worker.js": worker.encode(),
        "config.json": (data / "model" / "config.json").read_bytes(),
        "graph.onnx": export(data / "model"),
        "tokenizer.json": tokenizer_file(data / "model").encode(),
        "article.txt": _article(),
        "runtime.wasm": (modules / RUNTIME).read_bytes(),
        WEIGHTS: (data / "model" / WEIGHTS).read_bytes(),
    }
    pieces = {name: _write(content, out) for name, content in contents.items()}
    size = sum(path.stat().st_size for path in out.iterdir())
    listing = json.dumps({"size": size, "files": pieces, "madeOf": key})
    index.write_text(f"self.courseLaboratory = {listing};\n", encoding="utf-8")


def _key(worker: str, sources: list[Path]) -> str:
    """What all of it is made of, in a few characters."""
    digest = hashlib.sha256(worker.encode())
    for path in sources:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _write(content: bytes, out: Path) -> list[str]:
    """Cut a file into scripts, each named after what it holds; return their names."""
    text = base64.b64encode(gzip.compress(content, mtime=0)).decode("ascii")
    names = []
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        names.append(f"{hashlib.sha256(piece.encode()).hexdigest()[:16]}.js")
        (out / names[-1]).write_text(f'courseLaboratory.take("{piece}");\n', encoding="ascii")
    return names


def _article() -> bytes:
    from layerlab.articles import load_article

    return load_article().encode()


def tokenizer_file(folder: Path) -> str:
    """A model's tokenizer in one file. It knows no control tokens: in a text they are text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    names = (str(folder / name) for name in ("vocab.json", "merges.txt"))
    tokenizer = Tokenizer(models.BPE.from_file(*names))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer.to_str()
