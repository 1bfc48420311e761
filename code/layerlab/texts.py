"""A text as its reader sees it, and what is known of where it comes from."""

import unicodedata
from dataclasses import asdict, dataclass

INVISIBLE = "\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}\N{WORD JOINER}\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True)
class Article:
    """A text and where it comes from; a fact that there is none of is an empty string.

    Attributes
    ----------
    text : str
        As `load_article` gives it.
    source : str
        What was asked for.
    title, address, language : str
        The page's name, where it is read, and its language's code.
    revision, time : str
        Of a wiki's page: which edit of it this is, and when that was made (ISO 8601, UTC).
    licence : str
        As the wiki, or this course, states it.
    taken, read : str
        Of a wiki's page: how its text was taken, as the wiki's ``"extracts"`` or out of what it
        makes for browsers, ``"parse"``, and when it was read (UTC). The two differ in blank lines.

    Examples
    --------
    >>> fetch_article("embedded").credit
    '“Turkish coffee”, CC BY 4.0'
    >>> Article("Tea.", source="tea.txt").attribution
    'The text is that of tea.txt, which states neither origin nor licence.'
    """

    text: str
    source: str
    title: str = ""
    address: str = ""
    revision: str = ""
    time: str = ""
    language: str = ""
    licence: str = ""
    taken: str = ""
    read: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """All but the text, by name."""
        return {name: fact for name, fact in asdict(self).items() if name != "text"}

    @property
    def attribution(self) -> str:
        """One sentence that says whose text it is; of a user's own file, that nothing is known."""
        if not self.title:
            return f"The text is that of {self.source}, which states neither origin nor licence."
        edit = f", revision {self.revision} of {self.time}, read {self.read}"
        place = f" ({self.address}{edit if self.revision else ''})" if self.address else ""
        licence = f"its licence is {self.licence}" if self.licence else "its wiki states no licence"
        return f"The text is “{self.title}”{place}; {licence}."

    @property
    def credit(self) -> str:
        """The same in a few words, to stand under a figure; the licence without its address."""
        edit = f"revision {self.revision}" if self.revision else ""
        name = f"“{self.title}”" if self.title else self.source
        return ", ".join(filter(None, (name, edit, self.licence.partition(" (")[0])))


def as_seen(text: str) -> str:
    """The text without differences that no reader sees but every tokenizer does."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    spaces = {ord(mark): " " for mark in set(text) if unicodedata.category(mark) == "Zs"}
    return unicodedata.normalize("NFC", text.translate(spaces | dict.fromkeys(map(ord, INVISIBLE))))
