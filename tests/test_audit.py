"""What the audit of a finished site names: images without words, requests, paths of a machine."""

import pytest

from coursebuild.audit import (
    audit_site,
    image_problems,
    machine_path_problems,
    read_page,
    request_problems,
)


@pytest.mark.parametrize(
    "image",
    [
        '<img src="a.png">',
        '<img src="a.png" alt="">',
        '<img src="a.png" alt="Figure 3">',
        '<img src="a.png" alt="../_images/0f343b0931126a20f133d67c2b018a3b.png">',
        '<img src="data:image/png;base64,AAAA" alt="0f343b0931126a20f133d67c2b018a3b and more">',
        '<svg viewBox="0 0 1 1"></svg>',
    ],
)
def test_image_without_useful_words_is_named(image):
    assert len(list(image_problems(read_page(image)))) == 1


def test_image_with_useful_words_passes():
    good = '<img src="data:image/svg+xml,%3Csvg%3E" alt="Two clouds of points, one wider">'
    good += '<svg aria-hidden="true"></svg><img src="b.png" alt="" aria-hidden="true">'
    assert list(image_problems(read_page(good))) == []


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://elsewhere.example/a.js"></script>',
        '<link rel="stylesheet" href="//elsewhere.example/a.css">',
        '<link rel="preconnect" href="https://elsewhere.example">',
        '<img src="http://elsewhere.example/a.png" alt="A long enough description">',
        '<picture><source srcset="https://elsewhere.example/a.png 2x"></picture>',
        '<object data="https://elsewhere.example/a.svg"></object>',
    ],
)
def test_request_to_another_site_is_named(tag):
    assert len(list(request_problems(read_page(tag)))) == 1


def test_link_to_another_site_is_no_request():
    assert list(request_problems(read_page('<a href="https://elsewhere.example">x</a>'))) == []


def test_style_sheet_that_asks_another_site_is_named(tmp_path):
    (tmp_path / "a.css").write_text('@import "https://elsewhere.example/font.css";', "utf-8")
    assert [name for name, _ in audit_site(tmp_path, [])] == ["a.css"]


def test_machine_path_is_named_only_where_it_stands_as_a_path():
    assert list(machine_path_problems("see /home/ann/x", ["/home/ann"]))
    assert not list(machine_path_problems("see /home/anna/x and ../home/ann", ["/home/ann"]))


@pytest.mark.parametrize(
    ("link", "n_problems"), [("/45/a.html", 0), ("/45/b.html", 1), ("a.html", 0)]
)
def test_a_link_from_the_servers_root_is_followed(tmp_path, link, n_problems):
    (tmp_path / "a.html").write_text("<p>a</p>", encoding="utf-8")
    (tmp_path / "404.html").write_text(f'<a href="{link}">a</a>', encoding="utf-8")
    assert len(list(audit_site(tmp_path, [], "/45/"))) == n_problems


@pytest.mark.parametrize(
    ("place", "n_problems"), [("there", 0), ("nowhere", 1), ("see=one&block=3", 0)]
)
def test_a_place_in_a_page_is_there_or_a_state_that_its_script_reads(tmp_path, place, n_problems):
    (tmp_path / "a.html").write_text('<p id="there">a</p>', encoding="utf-8")
    (tmp_path / "b.html").write_text(f'<a href="a.html#{place}">a</a>', encoding="utf-8")
    assert len(list(audit_site(tmp_path, []))) == n_problems
