"""What a site needs only where it is published: sitemap, cards for shared links, a page for 404.

Where `_config.yml` says no address, there is none of it: such a site is read from a folder.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.errors import ConfigError

from coursebuild.downloads import GITHUB, published_address

EXTENSIONS = ("sphinx_sitemap", "sphinxext.opengraph", "notfound.extension")
ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(/[^\s\"'<>]*)?")
PICTURE = "_static/laminar-profiles.png"  # what a shared link shows


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.add_config_value("course_jupyter", "", "html", types=[str])  # whose kernels pages use
    app.connect("config-inited", check_addresses, priority=110)
    app.connect("config-inited", announce, priority=450)
    app.connect("build-finished", write_robots)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def check_addresses(app: Sphinx, config) -> None:
    """Refuse what is no address, before every page leads there, or leaves a button out."""
    settings = {
        "html.baseurl": config.html_baseurl,
        "repository.url": config.html_theme_options.get("repository_url"),
        "course_jupyter": config.course_jupyter,
    }
    for name, value in settings.items():
        if value and not ADDRESS.fullmatch(value):
            way_out = "write it whole, such as https://course.example/45"
            raise ConfigError(f"_config.yml: {name} is {value!r}, which is no address; {way_out}")
    repository = settings["repository.url"] or ""
    if re.match(r"https?://(www\.)?github\.com\b", repository) and not GITHUB.fullmatch(repository):
        way_out = "write https://github.com/OWNER/NAME"
        raise ConfigError(f"_config.yml: repository.url is {repository!r}; {way_out}")


def announce(app: Sphinx, config) -> None:
    """Set up what a published site needs."""
    repository = config.html_theme_options.get("repository_url") or ""
    address = published_address(config.html_baseurl, repository)
    if not address:
        return
    for extension in EXTENSIONS:
        app.setup_extension(extension)
    config.html_baseurl = f"{address}/"  # Sphinx writes the canonical address of each page from it
    config.sitemap_url_scheme = "{link}"
    config.sitemap_excludes = ["search.html", "genindex.html", "404.html"]
    config.ogp_site_url = f"{address}/"
    config.ogp_social_cards = {"enable": False}
    if (Path(app.srcdir) / "book" / PICTURE).is_file():
        config.ogp_image = PICTURE
        config.ogp_image_alt = False
    config.notfound_urls_prefix = f"{urlsplit(address).path}/"


def write_robots(app: Sphinx, exception: Exception | None) -> None:
    """Tell search engines where the sitemap is."""
    if exception is None and "sphinx_sitemap" in app.extensions and app.builder.format == "html":
        lines = "User-agent: *", "Allow: /", f"Sitemap: {app.config.html_baseurl}sitemap.xml", ""
        (Path(app.outdir) / "robots.txt").write_text("\n".join(lines), encoding="utf-8")
