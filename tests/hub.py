"""A hub on this machine: as much of the protocol as a download needs, and every way to fail."""

import hashlib
import json
import re
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from huggingface_hub import _tree_cache, constants

NAME = "someone/tiny"


class Hub:
    """One model, ``someone/tiny``: `files` by name, `revisions` by branch or tag.

    `faults` holds, for a kind of request (``"info"``, ``"tree"``, ``"head"``, ``"get"``) or for one
    with a file's name (``"get model.safetensors"``), what answers in the hub's place.
    """

    def __init__(self, files):
        self.files, self.faults, self.asked = dict(files), {}, []
        self.revisions = {"main": "0" * 40}

    @classmethod
    def of_folder(cls, folder):
        return cls({path.name: path.read_bytes() for path in folder.iterdir()})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        hub, path = self.server.hub, self.path.partition("?")[0]
        found = re.fullmatch(rf"/api/models/{NAME}(?:/(revision|tree)/([^/]+))?", path)
        resolved = re.fullmatch(rf"/{NAME}/resolve/([^/]+)/(.+)", path)
        if resolved:
            kind, revision, name = self.command.lower(), *resolved.groups()
        elif found:
            kind, revision, name = "info", found[2] or "main", ""
            kind = "tree" if found[1] == "tree" else kind
        else:
            self.fail(404, "RepoNotFound")
            return
        hub.asked.append(f"{kind} {name}".strip())
        fault = hub.faults.get(f"{kind} {name}", hub.faults.get(kind))
        self.commit = hub.revisions.get(revision, revision)
        if fault is not None:
            fault(self, hub.files.get(name, b""))
        elif self.commit not in hub.revisions.values():
            self.fail(404, "RevisionNotFound")
        elif kind == "info":
            self.answer_json({"id": NAME, "sha": self.commit, "siblings": []})
        elif kind == "tree":
            self.answer_json([_describe(*file) for file in hub.files.items()])
        elif name in hub.files:
            self.send_file(hub.files[name])
        else:
            self.fail(404, "EntryNotFound")

    def answer_json(self, content):
        self.answer(json.dumps(content).encode())

    def fail(self, status, code):
        self.answer(b"{}", status, **{"X-Error-Code": code, "X-Error-Message": code})

    def send_file(self, content):
        first = int(re.sub(r"\D", "", self.headers.get("Range", "")) or 0)
        self.answer(content[first:], 206 if first else 200, ETag=_etag(self.path, content))

    def answer(self, body, status=200, length=None, **headers):
        self.send_response(status)
        for name, value in ({"X-Repo-Commit": self.commit} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    commit = "0" * 40

    def log_message(self, *args):
        pass


def _digest(content):
    return hashlib.sha256(content).hexdigest()


def _etag(name, content):
    """As the hub calls a file: by SHA-256 where it is large, and else by Git's own hash."""
    large = name.endswith((".safetensors", ".bin"))
    git = hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()
    return f'"{_digest(content) if large else git}"'


def _describe(name, content):
    return {"type": "file", "path": name, "size": len(content), "oid": _digest(content)}


# ---- what a hub may do instead ---------------------------------------------------------------


def status(code, error="", **headers):
    """Answer with an error of HTTP."""

    def answer(handler, _):
        handler.answer(b"<html>", code, **({"X-Error-Code": error} if error else {}), **headers)

    return answer


def text(body):
    """Answer with something else than was asked for."""
    return lambda handler, _: handler.answer(body)


def stall(handler, _):
    """Take the question and say nothing."""
    handler.server.end.wait(20)
    handler.close_connection = True


def break_off(handler, content):
    """Send half of a file, and close the connection."""
    handler.answer(content[: len(content) // 2], length=len(content))
    handler.close_connection = True


def hang_up(handler, _):
    """Close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def shorter(handler, content):
    """Send a part as if it were the whole file, and say so before, too."""
    handler.send_file(content[:-7])


def wrong_bytes(handler, content):
    """Send a file with one bit changed: as long as the right one, and under its hash."""
    changed = bytes([*content[:-1], content[-1] ^ 1])
    handler.answer(changed, ETag=_etag(handler.path, content))


@contextmanager
def served(hub, cache, monkeypatch):
    """Serve a hub, and let the library ask it and keep files in `cache`; delays take no time."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.hub, server.end = hub, threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    use(f"http://127.0.0.1:{server.server_port}", cache, monkeypatch)
    try:
        yield
    finally:
        server.end.set()
        server.shutdown()
        server.server_close()
        thread.join()


def use(endpoint, cache, monkeypatch):
    """Let the library ask `endpoint`, and remember nothing but what lies in `cache`."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    monkeypatch.setattr("huggingface_hub.file_download._ETAG_RETRY_TIMEOUT", 0.2)
    monkeypatch.setattr("layerlab.hub.TIMEOUT", 0.2)
    forget()


def forget():
    """A later process remembers no listing."""
    _tree_cache._IN_MEMORY_TREE_CACHE.clear()
