"""A published site says where it is; one that is read from a folder has nothing of that."""

import re
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.errors import ConfigError
from sphinx.util.docutils import docutils_namespace


def build(tmp_path, **options):
    """Build a book of one page and return the folder of its site."""
    (tmp_path / "book").mkdir()
    (tmp_path / "index.md").write_text("# A book\n\nIt has one page.\n", "utf-8")
    extensions = ["myst_parser", "coursebuild.published"]
    settings = {"extensions": extensions, "html_theme": "pydata_sphinx_theme", **options}
    with docutils_namespace():
        folders = tmp_path, None, tmp_path / "html", tmp_path / "trees", "html"
        app = Sphinx(*folders, confoverrides=settings, status=None, warning=None)
        app.build()
    return tmp_path / "html"


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({"html_baseurl": "https://example.org/a/course"}, "https://example.org/a/course"),
        (
            {"html_theme_options": {"repository_url": "https://github.com/Some/book"}},
            "https://some.github.io/book",
        ),
    ],
    ids=["its address", "its repository"],
)
def test_a_published_site_says_where_it_is(tmp_path, options, address):
    site = build(tmp_path, **options)
    page = BeautifulSoup((site / "index.html").read_text("utf-8"), "html.parser")
    assert page.find("link", rel="canonical")["href"] == f"{address}/index.html"
    assert page.find("meta", property="og:url")["content"] == f"{address}/index.html"
    assert f"<loc>{address}/index.html</loc>" in (site / "sitemap.xml").read_text("utf-8")
    assert f"Sitemap: {address}/sitemap.xml" in (site / "robots.txt").read_text("utf-8")
    missing = (site / "404.html").read_text("utf-8")
    assert f'href="{urlsplit(address).path}/_static/' in missing  # from whatever depth it is shown


def test_a_site_without_address_asks_for_none(tmp_path):
    site = build(tmp_path)
    assert not {"sitemap.xml", "robots.txt", "404.html"} & {path.name for path in site.iterdir()}
    assert "og:url" not in (site / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"html_baseurl": "ann.example/course"}, "html.baseurl is 'ann.example/course', which is"),
        ({"html_baseurl": "https://ann.example/ course"}, "html.baseurl"),
        ({"course_jupyter": "hub.example.edu"}, "course_jupyter is 'hub.example.edu', which is no"),
        ({"course_jupyter": "javascript:alert(1)"}, "course_jupyter"),
        ({"course_jupyter": "//hub.example"}, "course_jupyter"),
        ({"course_jupyter": 'https://hub.example/" onload="x'}, "course_jupyter"),
        ({"course_jupyter": "https://hub.example/ "}, "course_jupyter"),
        ("http://github.com/own/repo", "write https://github.com/OWNER/NAME"),
        ("https://www.github.com/own/repo", "write https://github.com/OWNER/NAME"),
        ("https://github.com/own/repo/tree/main", "write https://github.com/OWNER/NAME"),
        ("git@github.com:own/repo.git", "repository.url is 'git@github"),
        ("github.com/own/repo", "write it whole"),
    ],
)
def test_what_is_no_address_is_refused_with_its_setting(tmp_path, options, says):
    if isinstance(options, str):
        options = {"html_theme_options": {"repository_url": options}}
    with pytest.raises(ConfigError, match=re.escape(says)):
        build(tmp_path, **options)


def test_other_addresses_are_taken(tmp_path):
    options = {"html_theme_options": {"repository_url": "https://code.example/ann/course"}}
    build(tmp_path, course_jupyter="https://hub.example:8443/user-redirect/", **options)
