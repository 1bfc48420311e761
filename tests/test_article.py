"""The course's own article: long enough, clean, and rich enough in its target."""

import logging
import re
from collections import Counter
from pathlib import Path

import pytest
from transformers import GPT2Tokenizer

from layerlab.articles import load_article
from layerlab.models import load_model
from layerlab.tokens import context_windows, first_targets, target_positions, tokenize

TARGET = " coffee"
CONTEXT = 1024
GPT2_FOLDER = Path(__file__).resolve().parents[2] / "shared" / "gpt2-tokenizer"
GPT2_TARGET_ID = 6891
SECTIONS = (
    "Etymology",
    "History",
    "The bean and the roast",
    "Grinding",
    "The cezve and the cups",
    "Preparation",
    "Chemistry and physics",
    "Serving and manners",
    "Customs",
    "Health",
    "Regional varieties",
    "Names and disputes",
    "In literature and art",
    "Economy and today",
    "Sources",
)
HEADING = re.compile(r"(={2,3}) ([^=]+) \1")


@pytest.fixture(scope="module")
def article():
    return load_article("embedded")


@pytest.fixture(scope="module")
def paragraphs(article):
    return [line for line in article.splitlines() if line and not line.startswith("=")]


@pytest.fixture(scope="module", params=["embedded", "gpt2"])
def tokenizer(request):
    if request.param == "embedded":
        return load_model("embedded")[1]
    if not GPT2_FOLDER.is_dir():
        pytest.skip(f"no GPT-2 tokenizer in {GPT2_FOLDER}")
    logging.getLogger("transformers").setLevel(logging.ERROR)
    gpt2 = GPT2Tokenizer.from_pretrained(GPT2_FOLDER)
    assert tokenize(TARGET, gpt2).tolist() == [GPT2_TARGET_ID]
    return gpt2


@pytest.fixture(scope="module")
def token_ids(article, tokenizer):
    return tokenize(article, tokenizer)


@pytest.fixture(scope="module")
def positions(token_ids, tokenizer):
    return target_positions(token_ids, tokenizer, TARGET)


def sentences(paragraph):
    return re.split(r"(?<=[.!?]) (?=[A-ZÀ-Ž\"])", paragraph)


def body(article):
    """Lead and sections without the list of sources."""
    return article.split("== Sources ==")[0]


def test_the_target_is_one_token(tokenizer):
    assert len(tokenize(TARGET, tokenizer)) == 1


def test_tokens_give_the_text_back(article, token_ids, tokenizer):
    assert len(token_ids) > len(article.split())
    assert tokenizer.decode(token_ids, clean_up_tokenization_spaces=False) == article


def test_enough_targets_with_a_full_context(token_ids, positions):
    assert len(context_windows(token_ids, positions, 9)) >= 120


def test_enough_targets_in_the_first_context_window(positions):
    assert (positions < 1000).sum() >= 14
    assert len(first_targets(positions, 10, CONTEXT)) == 10


def test_the_targets_are_not_stuffed(token_ids, positions):
    """At most one token in forty is the target, and no stretch of text is made of it."""
    assert len(positions) < len(token_ids) / 40
    assert (positions[5:] - positions[:-5]).min() >= 40


def test_at_least_six_thousand_words(article):
    assert len(body(article).split()) >= 6000


def test_headings_are_wikipedias(article):
    for line in article.splitlines():
        if "=" in line:
            assert HEADING.fullmatch(line), f"not a heading: {line!r}"


def test_sections_stand_in_order(article):
    headings = [HEADING.fullmatch(line) for line in article.splitlines()]
    found = tuple(heading[2] for heading in headings if heading and heading[1] == "==")
    assert found == SECTIONS


def test_begins_with_the_lead(article):
    assert article.startswith("Turkish coffee is ")


def test_no_section_is_empty(article):
    lines = [line for line in article.splitlines() if line]
    for line, following in zip(lines, [*lines[1:], "== end =="], strict=True):
        if line.startswith("="):
            deeper = following.startswith("===") and not line.startswith("===")
            assert deeper or not following.startswith("="), f"nothing under {line!r}"


def test_one_paragraph_a_line_and_blank_lines_between(article):
    lines = article.removesuffix("\n").split("\n")
    assert all(line == "" for line in lines[1::2])
    assert all(line and line == line.strip() for line in lines[::2])


def test_sources_are_a_sorted_list_with_years(article):
    sources = [line for line in article.split("== Sources ==")[1].splitlines() if line]
    assert len(sources) >= 20
    assert all(re.search(r"\b1[5-9]\d\d\b|\b20\d\d\b", source) for source in sources)
    first_words = [re.split(r"[ ,.]", source)[0].lower() for source in sources]
    assert first_words == sorted(first_words)


def test_no_paragraph_twice(paragraphs):
    assert [text for text, n in Counter(paragraphs).items() if n > 1] == []


def test_no_sentence_twice(article):
    lines = body(article).splitlines()
    counts = Counter(sentence for line in lines if line for sentence in sentences(line))
    assert len(counts) > 300
    assert [sentence for sentence, n in counts.items() if n > 1] == []


def test_every_character_prints(article):
    assert sorted({c for c in article if not c.isprintable()} - {"\n"}) == []
    assert "\ufffd" not in article
    assert "  " not in article


def test_letters_beyond_ascii_are_letters(article):
    assert [c for c in sorted(set(article)) if ord(c) > 127 and not c.isalpha()] == []
