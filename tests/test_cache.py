"""What was read from a wiki is the same again later: whole, without the wiki, or read anew."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import warnings
from dataclasses import replace

import platformdirs
import pytest
from wiki import TEXT, WORDS

from layerlab import cache
from layerlab.__main__ import main
from layerlab.articles import Article, fetch_article, load_article
from layerlab.errors import ArticleError, ArticleWarning

SOURCE = "wikipedia:Turkish coffee"
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def no_warnings():
    """What warns where no test expects it is a fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def kept_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_later_run_reads_the_same_without_the_wiki(wiki):
    first = fetch_article(SOURCE)
    wiki.status, wiki.is_mediawiki = 503, False
    n_asked = len(wiki.paths)
    assert fetch_article(SOURCE) == first
    assert len(wiki.paths) == n_asked
    with pytest.raises(ArticleError, match="503 Service"):
        fetch_article("wikipedia:Turk coffee")  # another source is another question


def test_refresh_asks_again_and_the_earlier_revision_stays(wiki, cache_folder):
    assert load_article(SOURCE) == TEXT
    wiki.revision = 7
    assert fetch_article(SOURCE).revision == "2"
    assert fetch_article(SOURCE, refresh=True).revision == "7"
    assert fetch_article(SOURCE).revision == "7"
    assert sorted(path.name for path in kept_files(cache_folder)) == [
        "2-extracts.json",
        "7-extracts.json",
    ]
    wiki.revision = 2  # what a wiki went back to is what was read last
    assert fetch_article(SOURCE, refresh=True).revision == "2"
    assert fetch_article(SOURCE).revision == "2"


def test_how_the_text_was_taken_belongs_to_what_is_kept(wiki, cache_folder):
    load_article(SOURCE)
    wiki.has_extracts = False
    assert load_article(SOURCE) == TEXT
    assert load_article(SOURCE, refresh=True) == load_article(SOURCE) == WORDS
    assert len(kept_files(cache_folder)) == 2


def test_refresh_that_fails_leaves_what_was_kept(wiki):
    first = fetch_article(SOURCE)
    wiki.stumbles += [(403, {})]
    with pytest.raises(ArticleError, match="403 Forbidden"):
        fetch_article(SOURCE, refresh=True)
    assert fetch_article(SOURCE) == first


def test_neither_failures_nor_files_are_kept(wiki, cache_folder, tmp_path):
    (tmp_path / "tea.txt").write_text("Tea.")
    load_article(str(tmp_path / "tea.txt"))
    load_article("embedded")
    for title in ("Nowhere", "Empty", "Login"):
        with pytest.raises(ArticleError):
            load_article(f"wikipedia:{title}")
    assert not cache_folder.exists()


def spoil(text, **changed):
    return json.dumps(json.loads(text) | changed)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-9],
        lambda text: "null",
        lambda text: "[1]",
        lambda text: "[" * 100_000,
        lambda text: "{}",
        lambda text: text.replace("unfiltered", "filtered"),
        lambda text: spoil(text, revision="3"),
        lambda text: spoil(text, more="1"),
        lambda text: spoil(text, title=5),
    ],
)
def test_what_is_damaged_is_told_and_read_anew(wiki, cache_folder, damage):
    first = fetch_article(SOURCE)
    (path,) = kept_files(cache_folder)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.warns(ArticleWarning, match=f"{path.name}' is damaged: '{SOURCE}' is read anew"):
        assert fetch_article(SOURCE).text == first.text
    assert fetch_article(SOURCE).text == first.text  # and is mended: nothing warns


def test_an_earlier_revision_never_stands_in_for_a_damaged_one(wiki, cache_folder, monkeypatch):
    load_article(SOURCE)
    wiki.revision = 7
    fetch_article(SOURCE, refresh=True)
    next(cache_folder.rglob("7-*")).write_bytes(b"\xff")
    wiki.stumbles += [(403, {})]
    with pytest.warns(ArticleWarning, match="is damaged"), pytest.raises(ArticleError):
        fetch_article(SOURCE)
    wiki.revision = 8
    with pytest.warns(ArticleWarning, match="is damaged"):
        assert fetch_article(SOURCE).revision == "8"
    assert fetch_article(SOURCE).revision == "8"
    assert len(kept_files(cache_folder)) == 2  # what was damaged is gone


def make_a_file(folder):
    folder.write_text("in the way")


def forbid(folder):
    folder.mkdir(mode=0o500)


@pytest.mark.parametrize("spoil_folder", [make_a_file, forbid])
def test_an_article_that_cannot_be_kept_is_not_lost(wiki, cache_folder, spoil_folder):
    if spoil_folder is forbid and os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    spoil_folder(cache_folder)
    with pytest.warns(ArticleWarning, match="cannot be kept in .* set LAYERLAB_CACHE to another"):
        assert load_article(SOURCE) == TEXT


@contextlib.contextmanager
def no_room():
    """Let no file become longer than a few bytes, so that writing ends half-way."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_is_full_half_way(wiki, cache_folder):
    with pytest.warns(ArticleWarning, match=r"kept in .* \(File too large\), so"), no_room():
        assert load_article(SOURCE) == TEXT
    assert kept_files(cache_folder) == []
    assert load_article(SOURCE) == TEXT
    assert len(kept_files(cache_folder)) == 1


def test_a_process_that_is_killed_while_it_keeps_leaves_nothing_that_counts(cache_folder):
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom layerlab import cache\n"
        "from layerlab.texts import Article\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"cache.keep(Article('Tea.', {SOURCE!r}, revision='1'))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=600)
    assert ended.returncode == -signal.SIGKILL
    assert len(kept_files(cache_folder)) == 1  # under a name that nobody reads
    assert cache.find_kept(SOURCE) is None


def test_processes_that_keep_at_once_never_read_half_an_article(cache_folder):
    program = (
        "from layerlab import cache\nfrom layerlab.texts import Article\n"
        f"article = Article('Tea. ' * 50_000, {SOURCE!r}, revision='1')\n"
        "for _ in range(40):\n    cache.keep(article)\n"
        "    assert cache.find_kept(article.source) == article\n"
    )
    command = [sys.executable, "-W", "error::UserWarning", "-c", program]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=600)[1] for process in running] == [""] * 3
    assert len(kept_files(cache_folder)) == 1


def test_the_one_read_last_counts(cache_folder):
    article = Article("Tea.", SOURCE, revision="1", read="2026-01-01T00:00:00Z")
    cache.keep(replace(article, revision="9", read=LATER))
    cache.keep(article)
    assert cache.find_kept(SOURCE).revision == "9"


@pytest.mark.parametrize("named", [None, "", " "])
def test_without_a_name_it_is_the_platforms_cache(monkeypatch, tmp_path, named):
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("LAYERLAB_CACHE") if named is None else monkeypatch.setenv(
        "LAYERLAB_CACHE", named
    )
    cache.keep(Article("Tea.", SOURCE, revision="1"))
    assert kept_files(tmp_path / "layerlab" / "articles")


def test_a_revision_that_is_no_number_names_no_file(wiki, cache_folder):
    wiki.revision = "../../../x"
    with pytest.raises(ArticleError, match="holds no article"):
        load_article(SOURCE)
    assert not cache_folder.exists()


# The command


def test_the_command_says_in_a_sentence_that_an_article_cannot_be_kept(
    wiki, cache_folder, tmp_path, capsys
):
    make_a_file(cache_folder)
    warnings.simplefilter("default")
    words = ["--article", SOURCE, "--out", str(tmp_path / "out")]
    assert main(words) == 2  # the text is too short to be measured, which comes after
    captured = capsys.readouterr().err
    (line,) = [line for line in captured.splitlines() if "cannot be kept" in line]
    assert line.startswith(f"layerlab: {SOURCE!r} cannot be kept in")
    assert "Warning" not in captured


def test_the_command_refreshes_when_it_is_asked(wiki, tmp_path, capsys):
    words = ["--article", SOURCE, "--out", str(tmp_path / "out")]
    for more, n_asked in (([], 4), ([], 4), (["--refresh"], 8)):
        assert main([*words, *more]) == 2
        assert len(wiki.paths) == n_asked


@pytest.mark.parametrize(
    "asked",
    ["wikipedia:Nowhere", "wikipedia:xx:Kaffee", "wikipedia:Mercury", "wikipedia:Hither",
     "wikipedia:Special:Random", "wikipedia:Private", "wikipedia:Empty", "wikipedia:Login",
     "wikipedia:Busy", "wikipedia:Often", "wikipedia:Forbidden", "wikipedia:Half", "wikipedia:Null",
     "wikipedia:A|B", "wikipedia:", "{}/wiki/Nowhere", "{}/wiki/fr:Café", "{}/wiki/Tea#Use",
     "{}/elsewhere", "http://me:secret@x.org/wiki/Tea", " "],
)  # fmt: skip
def test_whatever_is_wrong_with_a_wiki_is_one_sentence_and_leaves_nothing(
    wiki, cache_folder, tmp_path, capsys, asked
):
    words = ["--article", asked.format(f"http://{wiki.host}"), "--out", str(tmp_path / "out")]
    assert main(words) == 2
    captured = capsys.readouterr()
    sentence = captured.err.rstrip("\n").rpartition("\n")[2]
    assert sentence.startswith("layerlab: ") and "Traceback" not in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []
