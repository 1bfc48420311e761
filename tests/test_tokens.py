"""Tokens, targets and windows, on GPT-2's own tokenizer and on the embedded one."""

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import GPT2Tokenizer, PreTrainedTokenizerFast

from layerlab.articles import load_article
from layerlab.errors import ArticleError, MeasureError, TargetError
from layerlab.tokens import context_windows, first_targets, target_positions, tokenize

COFFEE = 6891  # " coffee" in GPT-2
END_OF_TEXT = 50256


@pytest.fixture(scope="module")
def gpt2(gpt2_tokenizer_folder):
    return GPT2Tokenizer.from_pretrained(gpt2_tokenizer_folder)


def test_tokenize_gives_what_the_tokenizer_gives(gpt2):
    text = "Turkish coffee is brewed in a cezve.\n\n== History ==\n"
    np.testing.assert_array_equal(tokenize(text, gpt2), gpt2(text)["input_ids"])


def test_tokenize_empty_text(gpt2):
    ids = tokenize("", gpt2)
    assert ids.shape == (0,)
    assert ids.dtype == np.int64


def test_tokens_hold_the_whole_article(embedded):
    _, tokenizer = embedded
    text = load_article() + "naïve café ☕ 咖啡 قهوة\t\x00"  # bytes that no training text held
    ids = tokenize(text, tokenizer)
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_long_text_makes_no_noise(embedded, capfd, caplog):
    _, tokenizer = embedded
    n_tokens = tokenizer.model_max_length + 500
    assert len(tokenize(" coffee" * n_tokens, tokenizer)) == n_tokens
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_control_token_in_a_text_is_text(gpt2):
    ids = tokenize("They wrote <|endoftext|> on the wall.", gpt2)
    assert END_OF_TEXT in gpt2("<|endoftext|>")["input_ids"]
    assert END_OF_TEXT not in ids
    assert gpt2.decode(ids) == "They wrote <|endoftext|> on the wall."


def test_target_positions(gpt2):
    ids = tokenize("The coffee is hot, and coffee is black. Coffee!", gpt2)
    positions = target_positions(ids, gpt2, " coffee")
    assert ids[positions].tolist() == [COFFEE, COFFEE]
    assert positions.tolist() == np.flatnonzero(ids == COFFEE).tolist() == [1, 6]


def test_target_of_several_tokens_says_how_it_splits_and_what_to_write(gpt2):
    ids = tokenize("The coffee is hot, and coffee is black.", gpt2)
    with pytest.raises(TargetError) as caught:
        target_positions(ids, gpt2, "coffee")
    message = str(caught.value)
    assert "'coffee' is 2 tokens ('co' + 'ffee')" in message
    assert "' coffee'" in message
    assert "2 times" in message


def test_capitals_are_suggested_away(gpt2):
    ids = tokenize("He met a rhinoceros, and a coffee.", gpt2)
    with pytest.raises(TargetError, match=r"try ' coffee', which is one token and occurs 1 times"):
        target_positions(ids, gpt2, "COFFEE")


def test_target_that_never_occurs(gpt2):
    ids = tokenize("The tea is hot.", gpt2)
    with pytest.raises(TargetError, match="' coffee' never occurs"):
        target_positions(ids, gpt2, " coffee")


@pytest.mark.parametrize("target", ["", "<|endoftext|>", " rhinoceros rhinoceros"])
def test_target_that_is_no_token_and_has_no_neighbour(gpt2, target):
    with pytest.raises(TargetError, match="choose a more common word"):
        target_positions(tokenize("The tea is hot.", gpt2), gpt2, target)


def test_target_with_half_a_character(gpt2):
    with pytest.raises(
        TargetError, match=r"target ' caf\\udce9' holds '\\udce9', which is no char"
    ):
        target_positions(tokenize("The tea is hot.", gpt2), gpt2, " caf\udce9")


@pytest.mark.parametrize(("target", "meant"), [("\xa0coffee", " coffee"), (" cafe\u0301", " café")])
def test_target_that_looks_right_is_set_right(gpt2, target, meant):
    ids = tokenize("The café has coffee.", gpt2)
    with pytest.raises(TargetError, match=f"try {meant!r}, which is one token and occurs 1 times"):
        target_positions(ids, gpt2, target)


def test_first_targets_stay_inside_the_context():
    positions = [3, 50, 63, 64, 90]
    assert first_targets(positions, 10, context=64).tolist() == [3, 50, 63]
    assert first_targets(positions, 2, context=64).tolist() == [3, 50]
    assert first_targets(positions, 10, context=None).tolist() == positions


def test_fewer_than_two_targets_in_the_window():
    with pytest.raises(TargetError, match=r"occurs 1 time.*64 tokens"):
        first_targets([3, 64], 10, context=64)
    with pytest.raises(TargetError, match=r"occurs 1 time\(s\) in the text \(at"):
        first_targets([3], 10, context=None)
    with pytest.raises(TargetError, match="n_targets is 1"):
        first_targets([3, 50], 1, context=64)


def test_context_windows_end_with_the_target():
    ids = np.arange(100, 140)
    windows = context_windows(ids, [2, 3, 30], n_context=3)
    assert windows.tolist() == [[100, 101, 102, 103], [127, 128, 129, 130]]


def test_context_windows_without_any():
    assert context_windows(np.arange(9), [1, 8], n_context=9).shape == (0, 10)
    assert context_windows(np.arange(9), [1, 8], n_context=0).tolist() == [[1], [8]]
    with pytest.raises(TargetError, match="n_context is -1"):
        context_windows(np.arange(9), [1], n_context=-1)


@pytest.mark.parametrize(
    ("token_ids", "positions", "n_context", "error", "message"),
    [
        ([1, 2, 3], [5], 1, TargetError, r"positions \[5\] in a text of shape \(3,\)"),
        ([1, 2, 3], [-1], 0, TargetError, r"positions \[-1\]"),
        ([1, 2, 3], 2, 1, TargetError, "give a list of places"),
        ([[1], [2]], [1], 0, TargetError, r"in a text of shape \(2, 1\)"),
        ([1, 2, 3], [1.5], 1, MeasureError, "positions holds 1.5"),
        ("abc", [1], 1, MeasureError, "token_ids"),
        ([1, 2, 3], [1], 1.0, TargetError, "n_context is 1.0"),
    ],
)
def test_windows_of_what_is_no_text(token_ids, positions, n_context, error, message):
    with pytest.raises(error, match=message):
        context_windows(token_ids, positions, n_context)


def test_a_word_that_the_tokenizer_does_not_know_is_no_target():
    words = Tokenizer(WordLevel({"[UNK]": 0, "the": 1, "cat": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
    ids = tokenize("the cat sat on the mat", tokenizer)
    assert target_positions(ids, tokenizer, "cat").tolist() == [1]
    with pytest.raises(TargetError, match="'dog' is a word that this tokenizer does not know"):
        target_positions(ids, tokenizer, "dog")


@pytest.mark.parametrize("target", [5, None, b" coffee", [" coffee"]])
def test_what_is_no_word_is_quoted(embedded, target):
    with pytest.raises(TargetError, match="give one word"):
        target_positions([1, 2], embedded[1], target)


def test_several_texts_have_no_positions(embedded):
    with pytest.raises(TargetError, match=r"shape \(2, 2\)"):
        target_positions([[1, 2], [3, 4]], embedded[1], " coffee")


@pytest.mark.parametrize("text", [None, ["a cup"], "a \ud83d cup"])
def test_what_is_no_text_is_quoted(embedded, text):
    with pytest.raises(ArticleError, match="no text to tokenize|is no character"):
        tokenize(text, embedded[1])


def test_a_mask_is_no_list_of_positions():
    with pytest.raises(MeasureError, match=r"positions holds booleans.* np.flatnonzero\(mask\)"):
        context_windows([5, 7, 5, 9], np.array([5, 7, 5, 9]) == 9, 1)
