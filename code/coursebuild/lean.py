"""Leave out elements that look like the text around them: HTML in, HTML out.

Each element takes a browser time, whenever it lays out a page. Pygments makes one of every name,
bracket and blank of a program, Sphinx of every word of a literal, and many of them have no look of
their own. The text stays what it was.
"""

import re
from collections.abc import Iterable

from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Text

# Pygments begins with nothing, lest a browser take a line break at the beginning for none.
NOTHING = re.compile(r"(<pre\b[^>]*>)<span></span>(?!\n)")
WORD = "pre"  # the class of a word that Sphinx keeps whole, which our styles do for all of its text


def plain_classes(styles: Iterable[str]) -> list[str]:
    """The classes of tokens that look like plain text in each of several styles of Pygments."""
    looks = [get_style_by_name(name).style_for_token for name in styles]
    return [
        name
        for token, name in STANDARD_TYPES.items()
        if name and all(look(token) == look(Text) for look in looks)
    ]


def leave_out(body: str, classes: Iterable[str]) -> str:
    """Return HTML without the innermost ``span`` elements of some classes, but with their text.

    A word goes first, for it may be all that a token holds.
    """
    for names in (WORD, "|".join(map(re.escape, classes))):
        body = re.sub(rf'<span class="(?:{names})">([^<]*)</span>', r"\1", body)
    return NOTHING.sub(r"\1", body)
