"""Chapters' text without the site: what directives, roles and links become."""

import pytest

from coursebuild.plain import Known, PlainError, plain

KNOWN = Known(
    values={"share": "0.127", "word": "'coffee'"},
    equations={"eq-one": "3"},
    figures={"fig-bins": "Figure 2.3"},
    works={"ann1948": ("Ann", "1948"), "bob2004": ("Bob et al.", "2004")},
    address=lambda page, place: f"https://s.example/{page}{place}",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is {glue:text}`share:.1%` of it.", "It is 12.7% of it."),
        ("The {glue:text}`word`.", "The coffee."),
        ("By {eq}`eq-one`, {term}`bits <bit>` and {term}`bias`.", "By (3), bits and bias."),
        ("As {cite:p}`ann1948,bob2004` say.", "As (Ann, 1948; Bob et al., 2004) say."),
        (
            "{cite:t}`bob2004` say; Ann {cite:yearpar}`ann1948`.",
            "Bob et al. (2004) say; Ann (1948).",
        ),
        ("(part-1)=\n# Part 1", "# Part 1"),
        ("$$\nx = 1 .\n$$ (eq-one)", "$$\nx = 1 . \\tag{3}\n$$"),
        ("See [Part 2](02.md#ties).", "See [Part 2](https://s.example/02#ties)."),
        ("See [ties](#ties).", "See [ties](https://s.example/ties)."),
        ("See [](#fig-bins).", "See Figure 2.3."),
        ("```sh\nls {x}\n```", "```sh\nls {x}\n```"),
        ("```{said} larger\nIt was.\n```", ""),
        (
            ":::{dropdown} Answer\nYes.\n:::",
            "<details><summary>Answer</summary>\n\nYes.\n\n</details>",
        ),
        (
            ":::{admonition} Predict\n:class: tip\nOne.\n\n1. Which?\n\n   ```{predict} a\n"
            "   :choices: the one | the other\n   ```\n:::",
            "> **Predict**\n>\n> One.\n>\n> 1. Which?\n>\n"
            ">    *Write down which: the one · the other.*",
        ),
    ],
)
def test_what_the_site_shows_is_said_in_plain_markdown(text, expected):
    assert plain(text, KNOWN) == expected


def test_links_without_a_site_are_words():
    assert plain("See [Part 2](02.md) and [ties](#ties).", Known()) == "See Part 2 and ties."


def test_a_quiz_is_a_list_with_folded_answers():
    quiz = (
        "```{quiz}\nWhich is larger?\n+ The walk. :: No detour is shorter.\n"
        "- The line. :: It is not.\n"
        "\nHow long?\n= {glue:text}`share:.2f` ± 10 % steps :: One each.\n"
        "\nWhat comes first?\n1. the power\n2. the root\n3. the end\n:: So it is.\n```"
    )
    text = plain(quiz, KNOWN)
    assert "1. Which is larger?\n\n   - The walk.\n   - The line." in text
    assert "   - **Right:** The walk. No detour is shorter." in text
    assert "   0.13 steps. One each." in text
    assert "   - the end\n   - the power\n   - the root" in text  # in another order than the answer
    assert "   1. the power\n   2. the root\n   3. the end\n\n   So it is." in text
    assert text.count("<details>") == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```{cards} The tools\n```", "`cards`"),
        ("{doc}`other`", "`{doc}`other``"),
        ("{glue:text}`nothing`", "'nothing'"),
        ("{cite:p}`nobody`", "'nobody'"),
    ],
)
def test_what_has_no_plain_words_is_named(text, told):
    with pytest.raises(PlainError, match=told.replace("{", r"\{")):
        plain(text, KNOWN)
