"""A real MediaWiki on this machine, with a database of its own, served by PHP itself."""

import os
import shutil
import socket
import sqlite3
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

INSTALLED = Path("/usr/share/mediawiki")  # where Debian's package puts it
PASSWORD = "nobody signs in here"
SETTINGS = """
$wgArticlePath = "/wiki/$1";
$wgRightsText = "CC BY 4.0";
$wgRightsUrl = "https://creativecommons.org/licenses/by/4.0/";
$wgMainCacheType = CACHE_NONE;
if ( isset( $_SERVER["HTTP_HOST"] ) ) { $wgServer = "http://" . $_SERVER["HTTP_HOST"]; }
"""
VARIANTS = {  # settings of one and the same wiki
    "plain": "",
    "extracts": "wfLoadExtension( 'TextExtracts' );",
    "private": "$wgGroupPermissions['*']['read'] = false;",
}
ROUTER = """<?php
if ( !str_starts_with( $_SERVER["REQUEST_URI"], "/wiki/" ) ) { return false; }
$_SERVER["SCRIPT_NAME"] = "/w/index.php";
chdir( __DIR__ . "/www/w" );
require "index.php";
"""


def is_installed():
    return shutil.which("php") is not None and (INSTALLED / "maintenance/install.php").is_file()


class MediaWiki:
    """A wiki whose files lie in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("db", "www"):
            (folder / name).mkdir()
        self._maintain(
            "install", "--dbtype", "sqlite", "--dbpath", folder / "db", "--dbname", "wiki",
            "--confpath", folder, "--server", "http://127.0.0.1", "--scriptpath", "/w",
            "--lang", "en", "--skins", "Vector", "--pass", PASSWORD, "A wiki", "Admin",
        )  # fmt: skip
        with (folder / "LocalSettings.php").open("a", encoding="utf-8") as settings:
            settings.write(SETTINGS)
        for name, more in VARIANTS.items():
            text = f'<?php\nrequire "{folder}/LocalSettings.php";\n{more}\n'
            (folder / f"{name}.php").write_text(text, encoding="utf-8")
        (folder / "router.php").write_text(ROUTER, encoding="utf-8")
        (folder / "www" / "w").symlink_to(INSTALLED)

    def edit(self, title, text):
        """Write a page, or its next revision."""
        self._maintain("edit", "--conf", self.folder / "LocalSettings.php", title, text=text)

    def know(self, code, address):
        """Let a prefix of titles lead to another wiki."""
        with sqlite3.connect(self.folder / "db" / "wiki.sqlite") as database:
            row = (code, f"{address}/wiki/$1", "", "", 0, 0)
            database.execute("insert into interwiki values (?, ?, ?, ?, ?, ?)", row)

    @contextmanager
    def serve(self, variant):
        """The address of the wiki, until the end of the context."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            host = f"127.0.0.1:{free.getsockname()[1]}"
        command = ["php", "-S", host, "-t", "www", "router.php"]
        environment = os.environ | {"MW_CONFIG_FILE": str(self.folder / f"{variant}.php")}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=self.folder, env=environment, **quiet) as server:
            try:
                _wait_for(host)
                yield f"http://{host}"
            finally:
                server.terminate()

    def _maintain(self, script, *words, text=""):
        command = ["php", INSTALLED / "maintenance" / f"{script}.php", *words]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def _wait_for(host):
    name, _, port = host.partition(":")
    for _ in range(600):
        try:
            socket.create_connection((name, int(port))).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing answers at {host}")
