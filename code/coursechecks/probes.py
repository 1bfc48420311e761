"""Probes of one variation: those that every check shows, or others of the same kind, for grading.

All that an observer draws or lists comes from here. A notebook's check takes the visible ones. A
graded run takes them and a hidden variation, made of a secret: the same questions with other
numbers, so that nobody passes who only knows what the visible ones lead to.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

N_SUMS = 3  # that stand for an array


class Probes:
    """What is drawn and listed for one variation; None stands for the visible one."""

    def __init__(self, variation: int | str | None = None):
        secret = hashlib.sha256(f"{variation}".encode()).digest()
        self._key = None if variation is None else int.from_bytes(secret, "big")

    @property
    def are_hidden(self) -> bool:
        """Whether these are others than a notebook's check shows."""
        return self._key is not None

    def rng(self, seed: int = 0) -> np.random.Generator:
        """A generator: of this very seed, or of one that the secret makes of it."""
        return np.random.default_rng(seed if self._key is None else [self._key, seed])

    def seed(self, number: int) -> int:
        """A seed to hand to an answer."""
        return number if self._key is None else int(self.rng(number).integers(2**40))

    def size(self, number: int, more: int) -> int:
        """How many, or how long: this number, or one that is larger by at most `more`."""
        return number if self._key is None else number + int(self.rng(number).integers(1, more + 1))

    def scale(self, seed: int = 0) -> float:
        """1, or a factor near it with more digits than anybody types."""
        return 1.0 if self._key is None else float(self.rng(seed).uniform(0.8, 1.25))

    def numbers(self, values: Iterable[float], seed: int = 0) -> list[float]:
        """These numbers, or each times one factor, so that equal ones stay equal."""
        return [value * self.scale(seed) for value in values] if self.are_hidden else [*values]

    def order(self, items: Sequence, seed: int = 0) -> list:
        """The items as they stand, or in another order."""
        places = self.rng(seed).permutation(len(items)) if self.are_hidden else range(len(items))
        return [items[place] for place in places]

    def sums(self, numbers, seed: int = 0) -> np.ndarray:
        """A few sums, weighed by drawn weights, that stand for all numbers of an array.

        They tell none of its numbers, and whoever lacks one of these gets other sums.
        """
        flat = np.asarray(numbers, dtype=float).ravel()
        return self.rng(seed).uniform(0.5, 1.5, (N_SUMS, flat.size)) @ flat


_current = Probes()


def here() -> Probes:
    """The probes that a module is to take which is loaded just now."""
    return _current


@contextmanager
def in_place(probes: Probes) -> Iterator[None]:
    """Let the modules that are loaded meanwhile take these probes."""
    global _current
    before, _current = _current, probes
    try:
        yield
    finally:
        _current = before
