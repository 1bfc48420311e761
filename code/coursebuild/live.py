"""Read the built site and run its code in the page: the command behind `make live`.

    python -m coursebuild.live [--port NUMBER] [SOURCE]

One server on this machine serves the site and runs kernels. It is Jupyter's, with none of its
extensions, without terminals, and without anybody's own configuration, which might open it to
others. Who knows the token in the address that the command prints may run code; another site's
page may not. `book/web/live.js` is the half that runs in the page, and only this server loads it.
"""

import argparse
import secrets
import sys
from html import escape
from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from tornado.web import HTTPError, StaticFileHandler, authenticated
from traitlets.config import Config

from coursebuild.course import CourseError, course_root
from coursebuild.execution import prepare_kernels
from coursebuild.programs import program_file

PLACE = "/site/"
IDLE = 60 * 60  # seconds after which a kernel that does nothing ends
NO_TOKEN = "This needs the token: open the address that `make live` printed."
SCRIPTS = """<meta name="course-live" content="{docname}">
<script defer src="{root}_static/web/live.js"></script>
</head>"""


def with_scripts(html: str, docname: str) -> str:
    """Return a page that runs its code, from one that shows it."""
    scripts = SCRIPTS.format(docname=escape(docname), root="../" * docname.count("/"))
    return html.replace("</head>", scripts, 1)


class SiteHandler(JupyterHandler, StaticFileHandler):
    """Serves the site to whoever has shown the token, and its pages with what runs their code."""

    auth_resource = "contents"

    def get_login_url(self) -> str:
        """Refuse whoever has not."""
        raise HTTPError(403, NO_TOKEN)

    def compute_etag(self) -> None:
        """Let a file's time say whether it changed."""

    @authenticated
    async def head(self, path: str) -> None:
        """Answer a request for what a file of the site is."""
        await self.get(path, include_body=False)

    @authenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        """Answer a request for a file of the site."""
        if "token" in self.request.query_arguments:  # seen, and a cookie now says so
            self.redirect(self.request.path)
            return
        docname = path.removesuffix(".html")
        try:
            if docname == path or not self._runs(docname):
                await StaticFileHandler.get(self, path, include_body)
                return
        except (OSError, ValueError) as error:  # no name of a file: too long, or with a zero in it
            raise HTTPError(404) from error
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-cache")
        _ = self.xsrf_token  # sets the cookie that the page's requests must repeat
        self.finish(with_scripts((Path(self.root) / path).read_text("utf-8"), docname))

    def _runs(self, docname: str) -> bool:
        """Tell whether that is a page with code."""
        site = Path(self.root).resolve()
        file = program_file(site, docname).resolve()
        return file.is_relative_to(site) and file.is_file()


class LiveServer(ServerApp):
    """A Jupyter server that also serves the site."""

    name = "course-live"
    site: Path

    def load_config_file(self, suppress_errors: bool = True) -> None:
        """Read no configuration."""

    def init_webapp(self) -> None:
        """Serve the site, too."""
        super().init_webapp()
        options = {"path": str(self.site), "default_filename": "index.html"}
        self.web_app.add_handlers(".*$", [(f"{PLACE}(.*)", SiteHandler, options)])


def make_server(root: Path, site: Path, port: int) -> LiveServer:
    """Make the server, listening, of a course and its built site."""
    token = secrets.token_urlsafe(24)  # of our own: one that Jupyter makes is printed by Jupyter
    kernels = {
        "cull_idle_timeout": IDLE,
        "cull_interval": 60,
        "cull_connected": True,
        "default_kernel_name": "python3",
    }
    LiveServer.site = site
    server = LiveServer.instance(
        config=Config({"AsyncMappingKernelManager": kernels, "IdentityProvider": {"token": token}}),
        root_dir=str(root),
        ip="localhost",
        port=port,
        default_url=PLACE,
        open_browser=False,
        no_browser_open_file=True,
        answer_yes=True,  # Ctrl-C means it
        allow_origin="",
        disable_check_xsrf=False,
        allow_unauthenticated_access=False,
        terminals_enabled=False,
        allow_root=True,  # in a container one is root, and who knows the token is oneself
        log_level="ERROR",
    )
    server.initialize(argv=[], find_extensions=False)
    return server


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.live",
        description="Serve the site, and run its code in the page.",
    )
    parser.add_argument("source", nargs="?", type=Path, help="root of the course")
    parser.add_argument("--port", type=int, default=8888, help="or the next one that is free")
    options = parser.parse_args(arguments)
    try:
        root = course_root(options.source)
    except CourseError as error:
        parser.error(str(error))
    build = root / "_build"
    site = build / "html"
    if not (site / "index.html").is_file():
        parser.error(f"{site} holds no site; `make book` builds it")
    figures = {"LAYERLAB_FIGURES": str(build / "live-figures")}
    prepare_kernels(build / ".live-kernels", [root / "code"], figures)
    server = make_server(root, site, options.port)
    address = f"http://localhost:{server.port}{PLACE}?token={server.identity_provider.token}"
    print(
        f"Open {address}\nEach page runs its code in a kernel of its own (stop with Ctrl-C).",
        flush=True,
    )
    server.start()
    return 0


if __name__ == "__main__":
    sys.exit(main())
