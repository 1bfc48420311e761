"""From text to token ids, the places where a target stands, and the windows before them."""

import unicodedata
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layerlab._validate import check_characters, is_whole, whole_numbers
from layerlab.errors import ArticleError, TargetError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def tokenize(text: str, tokenizer: "PreTrainedTokenizerBase") -> NDArray[np.int64]:
    """Token ids of a text, however long.

    Control tokens are nothing special in a text: an article that quotes ``<|endoftext|>`` is
    split there like anywhere else, so that no article can end itself.

    Parameters
    ----------
    text : str
    tokenizer : transformers.PreTrainedTokenizerBase

    Returns
    -------
    ndarray of int64, shape (n_tokens,)

    Raises
    ------
    ArticleError
        If it is no text, or holds what is no character.

    Examples
    --------
    >>> _, tokenizer = load_model()
    >>> ids = tokenize("a cup of coffee, and a coffee pot", tokenizer)
    >>> [tokenizer.decode([token]) for token in ids]
    ['a', ' cup', ' of', ' coffee', ',', ' and', ' a', ' coffee', ' pot']
    """
    if not isinstance(text, str):
        raise ArticleError(f"{type(text).__name__} is no text to tokenize: give one string")
    check_characters("the text", text, ArticleError)
    encoding = tokenizer(
        text,
        add_special_tokens=False,
        split_special_tokens=True,
        verbose=False,  # a text longer than the context is no mistake here
    )
    return np.array(encoding["input_ids"], dtype=np.int64)  # (n_tokens,)


def target_positions(
    token_ids: ArrayLike, tokenizer: "PreTrainedTokenizerBase", target: str
) -> NDArray[np.int64]:
    """All positions of a target, which must be one single token.

    Parameters
    ----------
    token_ids : array of int, shape (n_tokens,)
    tokenizer : transformers.PreTrainedTokenizerBase
    target : str
        With its leading space, as inside a text: ``" coffee"``.

    Returns
    -------
    ndarray of int64, shape (n_targets,)
        Rising, counted from 0.

    Raises
    ------
    TargetError
        If the target is no text, not one token, or never occurs.

    Examples
    --------
    >>> _, tokenizer = load_model()
    >>> ids = tokenize("a cup of coffee, and a coffee pot", tokenizer)
    >>> target_positions(ids, tokenizer, " coffee")
    array([3, 7])
    """
    token_ids = whole_numbers(token_ids, "token_ids")
    if token_ids.ndim != 1 or not isinstance(target, str):
        raise TargetError(
            f"the target {target!r} in token ids of shape {token_ids.shape}: give one word, with "
            "its leading space, and one text"
        )
    check_characters("the target", target, TargetError)
    pieces = tokenize(target, tokenizer)
    unknown = getattr(tokenizer, "unk_token_id", None)
    if len(pieces) == 1 and pieces[0] == unknown and target != tokenizer.unk_token:
        raise TargetError(
            f"the target {target!r} is a word that this tokenizer does not know, as are others: "
            f"{_way_out(token_ids, tokenizer, target)}"
        )
    if len(pieces) != 1:
        raise TargetError(
            f"the target {target!r} is {_describe_split(pieces, tokenizer)} for this tokenizer, "
            f"and must be one: {_way_out(token_ids, tokenizer, target)}"
        )
    positions = np.flatnonzero(token_ids == pieces[0])  # (n_targets,)
    if len(positions) == 0:
        raise TargetError(
            f"the target {target!r} never occurs in this text: "
            f"{_way_out(token_ids, tokenizer, target)}"
        )
    return positions


def first_targets(positions: ArrayLike, n_targets: int, context: int | None) -> NDArray[np.int64]:
    """The first targets that a model can see in one pass.

    Parameters
    ----------
    positions : array of int, shape (n,)
    n_targets : int
        How many at most.
    context : int or None
        The length of the model's context window, in tokens; None where it has no limit.

    Returns
    -------
    ndarray of int64, shape (<= n_targets,)

    Raises
    ------
    TargetError
        If fewer than 2 remain, for then there is no pair to compare.
    """
    if n_targets < 2:
        raise TargetError(f"n_targets is {n_targets}: take 2 or more, for pairs are compared")
    positions = np.asarray(positions, dtype=np.int64)
    seen = positions if context is None else positions[positions < context]
    first = seen[:n_targets]
    if len(first) < 2:
        where = (
            "in the text" if context is None else f"within the context window of {context} tokens"
        )
        raise TargetError(
            f"the target occurs {len(first)} time(s) {where} "
            f"(at the positions {positions[:3].tolist()} first): choose a target or an article "
            "with 2 or more"
        )
    return first


def count_on_targets(
    token_ids: ArrayLike,
    tokenizer: "PreTrainedTokenizerBase",
    target: str,
    n_targets: int,
    context: int | None = None,
) -> NDArray[np.int64]:
    """Positions of a target of which so many are needed, or an error that says how many there are.

    Parameters
    ----------
    token_ids : array of int, shape (n_tokens,)
    tokenizer : transformers.PreTrainedTokenizerBase
    target : str
        As `target_positions` takes it.
    n_targets : int
        How many are needed.
    context : int, optional
        The length of the one pass in which they must lie, in tokens: then the first `n_targets`
        come back. Without it, all come back, from anywhere in the text.

    Returns
    -------
    ndarray of int64, shape (>= n_targets,)

    Raises
    ------
    TargetError
        If the target is no text, not one token, or too rare.

    Examples
    --------
    >>> _, tokenizer = load_model()
    >>> ids = tokenize("a cup of coffee, and a coffee pot", tokenizer)
    >>> count_on_targets(ids, tokenizer, " cup", 2)
    Traceback (most recent call last):
    layerlab.errors.TargetError: the target ' cup' occurs 1 time in the text, and 2 are needed: \
choose a word that comes more often, such as ' coffee' (2 times there), or a longer text
    """
    positions = target_positions(token_ids, tokenizer, target)
    token_ids = np.asarray(token_ids)[:context]
    seen = positions[positions < len(token_ids)]
    if len(seen) < n_targets:
        where = "in the text" if context is None else f"in the first {context} tokens of the text"
        raise TargetError(
            f"the target {target!r} occurs {len(seen)} time{'' if len(seen) == 1 else 's'} "
            f"{where}, and {n_targets} are needed: choose a word that comes more often"
            f"{_more_often(token_ids, tokenizer, n_targets)}, or "
            f"{'a longer text' if context is None else 'another text'}"
        )
    return seen if context is None else seen[:n_targets]


def context_windows(
    token_ids: ArrayLike, positions: ArrayLike, n_context: int = 9
) -> NDArray[np.int64]:
    """Each target with the tokens before it; targets too early for that are dropped.

    Parameters
    ----------
    token_ids : array of int, shape (n_tokens,)
    positions : array of int, shape (n_targets,)
    n_context : int
        Tokens before each target.

    Returns
    -------
    ndarray of int64, shape (n, n_context + 1)
        The target is the last column.

    Raises
    ------
    TargetError
        If `n_context` is negative, or a position lies outside the text.
    MeasureError
        If something else than whole numbers is given.

    Examples
    --------
    >>> context_windows([10, 11, 12, 13, 14], [1, 2, 4], n_context=2)
    array([[10, 11, 12],
           [12, 13, 14]])
    """
    if not is_whole(n_context) or n_context < 0:
        raise TargetError(f"n_context is {n_context!r}: take 0 or more tokens before each target")
    token_ids = whole_numbers(token_ids, "token_ids")
    positions = whole_numbers(positions, "positions")
    outside = positions[(positions < 0) | (positions >= token_ids.size)]
    if token_ids.ndim != 1 or positions.ndim != 1 or outside.size:
        raise TargetError(
            f"positions {positions.tolist()} in a text of shape {token_ids.shape}: give a list of "
            "places, counted from 0, in one text"
        )
    ends = positions[positions >= n_context]
    offsets = np.arange(-n_context, 1)
    return token_ids[ends[:, None] + offsets]  # (n, n_context + 1)


def _describe_split(pieces: np.ndarray, tokenizer: "PreTrainedTokenizerBase") -> str:
    parts = " + ".join(repr(tokenizer.decode([piece])) for piece in pieces)
    return f"{len(pieces)} tokens ({parts})" if parts else "no token"


def _way_out(token_ids: np.ndarray, tokenizer: "PreTrainedTokenizerBase", target: str) -> str:
    """The nearest spellings (leading space, capitals) that are one token and do occur."""
    word = unicodedata.normalize("NFC", target.strip())  # as `load_article` writes accents
    spellings = [f" {word}", f" {word.lower()}", word, word.lower(), f" {word.capitalize()}"]
    counts: dict[str, int] = {}
    for spelling in spellings:
        pieces = tokenize(spelling, tokenizer)
        is_known = len(pieces) == 1 and pieces[0] != getattr(tokenizer, "unk_token_id", None)
        if word and is_known and spelling != target:
            counts[spelling] = int(np.count_nonzero(token_ids == pieces[0]))
    best = max(counts, key=counts.__getitem__, default=None)  # of equals, the first
    if best is None:
        return "choose a more common word, with its leading space"
    if counts[best] == 0:
        return f"{best!r} is one token, but does not occur either, so choose another word"
    return f"try {best!r}, which is one token and occurs {counts[best]} times"


def _more_often(token_ids: np.ndarray, tokenizer: "PreTrainedTokenizerBase", n_targets: int) -> str:
    """Of the words that come often enough, the longest one, in words; empty if there is none."""
    tokens, counts = np.unique(token_ids, return_counts=True)
    words = {
        tokenizer.decode([token]): count
        for token, count in zip(tokens.tolist(), counts.tolist(), strict=True)
        if count >= n_targets
    }
    whole = [word for word in words if word[:1] == " " and word[1:].isalpha()]
    longest = max(whole, key=len, default=None)
    return "" if longest is None else f", such as {longest!r} ({words[longest]} times there)"
