"""A wiki on this machine: as much of MediaWiki as an article needs, and every way to fail."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

TEXT = "Turkish coffee is unfiltered.\n\n\n== History ==\nIt reached Istanbul in 1543."
PAGES = {
    "Turkish coffee": {"pageid": 7, "title": "Turkish coffee", "fullurl": "http://x/7"},
    "Empty": {"pageid": 8, "title": "Empty", "fullurl": "http://x/8"},
    "Mercury": {"pageid": 9, "title": "Mercury", "pageprops": {"disambiguation": ""}},
    "Venus": {"pageid": 10, "title": "Venus", "pageprops": {"disambiguation": ""}},
    "Mars": {"pageid": 12, "title": "Mars", "templates": [{"title": "Template:Dab"}]},
    "Nowhere": {"title": "Nowhere", "missing": ""},
    "xx:Kaffee": {"title": "Xx:Kaffee", "missing": ""},
    "Restless": {"pageid": 13, "title": "Restless"},
    "Special:Random": {"ns": -1, "title": "Special:Random", "special": ""},
    "Tea" * 99: {"title": "Tea", "invalid": "", "invalidreason": "The title is too long."},
    "Shapeless": {"pageid": 11, "title": "Shapeless", "fullurl": "http://x/11"},
}
EXTRACTS = {"Turkish coffee": TEXT, "Empty": "", "Shapeless": None}
CHOICES = {
    "Mercury": ["mercury", "Mercury (planet)", "Mercury (disambiguation)", "Mercury (element)", ""],
    "Venus": ["Venus"],
    "Mars": ["Mars (planet)"],
}
REDIRECTS = {"Turk coffee": "Turkish coffee", "Café turc": "Turkish coffee"}
CIRCLE = {"Hither", "Thither"}
INTERWIKI = {"de:Kaffee": "/wiki/Turkish_coffee", "de:fr:Café": "/wiki/fr:Café", "fr:Café": "/x"}
ODD = {  # answers of which none holds an article
    "Broken": {"error": {"code": "internal"}},
    "Null": None,
    "List": [],
    "Number": 3,
    "No pages": {"query": {"pages": []}},
    "Null query": {"query": None},
    "Null page": {"query": {"pages": {"7": None}}},
    "Nothing": {"batchcomplete": ""},
    "Nameless": {"query": {"interwiki": [{"title": "xy:Nameless", "iw": "xy"}]}},
    "Private": {"error": {"code": "readapidenied", "info": "You need read permission"}},
}
REFUSALS = {  # status, headers, body
    "Login": (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"),
    "Busy": (503, {"Retry-After": "3600"}, b"<html>busy</html>"),
    "Forbidden": (403, {}, b"{}"),
    "Gone": (410, {}, b"{}"),
    "Often": (429, {"Retry-After": "120"}, b"{}"),
    "Too often": (429, {"Retry-After": "Wed, 21 Oct 2076 07:28:00 GMT"}, b"{}"),
    "Loud": (429, {"Retry-After": "\x1b[31mnow"}, b"{}"),
    "Very often": (429, {}, b"{}"),
    "Half": (200, {"Content-Length": "99"}, b"{}"),
}


REVISIONS = {"Unlicensed": 3, "Factless": 4, "Numbered": 5, "Twofold": 6, "Coloured": 40}
PAGE = {
    "title": "Turkish coffee",
    "canonicalurl": "https://x/wiki/Turkish_coffee",
    "pagelanguage": "en",
    "revisions": [{"revid": 3, "timestamp": "2026-10-21T07:28:00Z"}],
}
RIGHTS = {"text": "CC BY-SA 4.0", "url": "https://x/by-sa"}
FACTS = {  # by revision
    "3": {"query": {"pages": {"7": PAGE}, "rightsinfo": {"text": "", "url": ""}}},
    "4": {"query": {"badrevids": {"4": {"revid": 4}}}},
    "5": {"query": {"pages": {"7": PAGE | {"title": 5}}, "rightsinfo": RIGHTS}},
    "40": {"query": {"pages": {"7": PAGE}, "rightsinfo": {"text": "\x1b[31mCC\n", "url": ""}}},
    "6": {"query": {"pages": {"7": PAGE, "8": PAGE}, "rightsinfo": RIGHTS}},
}
for number, title in enumerate(REVISIONS, start=20):
    PAGES[title] = {"pageid": number, "title": title, "fullurl": f"http://x/{number}"}
    EXTRACTS[title] = TEXT
CHOICES_HTML = {}  # by revision
for number, (title, names) in enumerate(CHOICES.items(), start=30):
    REVISIONS[title] = number
    CHOICES_HTML[str(number)] = "".join(f"<li><a>{name}</a></li>" for name in names) + "<li>none"


HTML = """<div class="mw-parser-output"><div>Not tea.</div><table><tr><td>Fact</td></tr></table>
<p>Turkish <b>coffee</b>\nis unfiltered.<sup class="reference">[1]</sup></p>
<div class="mw-heading mw-heading2"><h2>History</h2><i class="mw-editsection">[edit]</i></div>
<p>It reached <a>Istanbul</a> in 1543.</p><ul><li>Kahve<ul><li>Kaffee</li></ul></li><li><p>Café</p>
</li></ul><h3>Cups</h3><dl><dt>Fincan</dt><dd>small</dd></dl><ol class="references"><li>Me</li></ol>
<style>p {}</style></div>"""
WORDS = """\
Turkish coffee is unfiltered.

== History ==

It reached Istanbul in 1543.

Kahve

Kaffee

Café

=== Cups ===

Fincan

small
"""


def _facts_of(revision):
    page = PAGE | {"revisions": [{"revid": revision, "timestamp": "2026-10-21T07:28:00Z"}]}
    return {"query": {"pages": {"7": page}, "rightsinfo": RIGHTS}}


class Wiki:
    """What answers on `port`, and how; `paths` holds what it was asked for.

    `stumbles` are the next answers' statuses and headers, and `api` is what its pages name.
    """

    def __init__(self, port):
        self.host = f"127.0.0.1:{port}"
        self.paths, self.agents, self.stumbles = [], set(), []
        self.has_extracts, self.is_mediawiki, self.status = True, True, 200
        self.revision, self.article_path = 2, "/wiki/$1"
        self.api = f"//{self.host}/w/api.php?action=rsd"

    @property
    def address(self):
        return f"http://{self.host}/wiki/Turkish_coffee"

    def answer(self, path, query):
        """Status, headers and body."""
        self.paths.append(path)
        if self.stumbles:
            return *self.stumbles.pop(), b"{}"
        if path.endswith("/api.php") and self.is_mediawiki:
            refusal = REFUSALS.get(query.get("titles", ""))
            return refusal or (200, {}, json.dumps(self.say(query)).encode())
        link = f'<link rel="EditURI" href="{self.api}">' if self.api else ""
        return self.status, {"Content-Type": "text/html"}, f"<html>{link}<p>A page.".encode()

    def say(self, query):
        """What MediaWiki's API answers to each question that is asked of it."""
        if "revids" in query:
            return FACTS.get(query["revids"]) or _facts_of(self.revision)
        if query["action"] == "parse":
            html = CHOICES_HTML.get(query["oldid"], HTML)
            return {"parse": {"revid": int(query["oldid"]), "text": {"*": html}}}
        if query.get("meta") == "siteinfo":
            general = {"articlepath": self.article_path, "script": "/w/index.php"}
            return {"query": {"general": general | {"generator": "MediaWiki 1.39"}}}
        title = query["titles"]
        if title in ODD:
            return ODD[title]
        if title in INTERWIKI:
            url = f"http://{self.host}{INTERWIKI[title]}"
            return {"query": {"interwiki": [{"title": title, "iw": title[:2], "url": url}]}}
        if title in CIRCLE:
            return {"query": {"redirects": [{"from": title, "to": title}]}}
        if title == "Restless" and "templates" not in query["prop"]:
            return {"query": {"redirects": [{"from": title, "to": title}], "pages": {"1": {}}}}
        page = dict(PAGES[REDIRECTS.get(title, title)])
        if "extracts" in query["prop"] and self.has_extracts:
            page["extract"] = EXTRACTS.get(page["title"], "")
        page["lastrevid"] = REVISIONS.get(title, self.revision)
        page["revisions"] = [{"revid": page["lastrevid"], "parentid": 1}]
        return {"query": {"pages": {str(page.get("pageid", -1)): page}}}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        address = urlparse(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.server.wiki.agents.add(self.headers["User-Agent"])
        status, headers, body = self.server.wiki.answer(address.path, query)
        self.send_response(status)
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def serve_wiki():
    """A `Wiki` that answers until the end of the context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.wiki = Wiki(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.wiki
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
