"""What a site needs only where it is published: sitemap, cards for shared links, a page for 404.

Where `_config.yml` says no address, there is none of it: such a site is read from a folder.
"""

from pathlib import Path
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from coursebuild.downloads import published_address

EXTENSIONS = ("sphinx_sitemap", "sphinxext.opengraph", "notfound.extension")
PICTURE = "_static/laminar-profiles.png"  # what a shared link shows


def setup(app: Sphinx) -> dict:
    """Connect this to Sphinx; called by Sphinx."""
    app.connect("config-inited", announce, priority=450)
    app.connect("build-finished", write_robots)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


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
