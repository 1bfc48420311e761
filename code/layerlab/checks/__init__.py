"""The checks that the exercises call after each step, one module a part.

A right answer gets one line. A wrong one stops the notebook with what was expected, what came and,
where the mistake is one of those that we know, its name and a hint. `known_mistakes` lists them.
"""

from layerlab.checks._core import CheckFailed, Mistake, known_mistakes

__all__ = ["CheckFailed", "Mistake", "known_mistakes"]
