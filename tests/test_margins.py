"""Notes in the margin: which there are, where they stand, and that they end above what is wide."""

from coursebuild.margins import blocks_of, with_notes

LONG = "A sentence that goes on for a while, as sentences do. " * 12
CELL = '<div class="cell docutils container"><pre>code</pre></div>'


def term(name, said):
    return (
        f'<a class="reference internal" href="notation.html#term-{name}" title="{said}" '
        f'data-bs-toggle="tooltip"><span class="xref std std-term">{name}</span></a>'
    )


def work(title):
    return f'<a class="reference internal" href="references.html#id1" title="{title}">1948</a>'


def section(*parts):
    return f'<section id="s"><h1>Title</h1>{"".join(parts)}</section>'


def notes(body):
    return [part.partition("</aside>")[0] for part in with_notes(body).split("<aside")[1:]]


def test_blocks_are_what_stands_in_sections_and_in_nothing_else():
    body = section("<p>One.</p>", "<ul><li><p>Two.</p></li></ul>", section("<div><p>x</p></div>"))
    assert [block.html for block in blocks_of(body)] == [
        "<h1>Title</h1>",
        "<p>One.</p>",
        "<ul><li><p>Two.</p></li></ul>",
        "<h1>Title</h1>",
        "<div><p>x</p></div>",
    ]
    assert all(body[block.start :].startswith(block.html) for block in blocks_of(body))


def test_a_note_stands_before_its_paragraph_and_says_what_the_link_does():
    paragraph = (
        f"<p>The {term('entropy', 'The average surprise.')} of {work('A. Known. 1948.')}</p>"
    )
    made = with_notes(section(f"<p>{LONG}</p>", paragraph))
    assert made.replace(paragraph, "").endswith("</aside></section>")
    first, second = notes(section(paragraph, f"<p>{LONG}</p>"))
    assert first.endswith("<b>Entropy.</b> The average surprise.")
    assert second.endswith('aria-hidden="true">A. Known. 1948.')


def test_what_was_said_is_not_said_again():
    paragraph = f"<p>{LONG}{work('A. Known. 1948.')}</p>"
    assert len(notes(section(paragraph, paragraph))) == 1


def test_a_note_ends_above_what_is_wide_or_is_left_out():
    short, long = (f"<p>{words}{work('A title. ' * 9)}</p>" for words in ("", LONG))
    assert notes(section(short, CELL, f"<p>{LONG}</p>")) == []
    assert len(notes(section(long, CELL))) == 1
    assert len(notes(section(short, f"<p>{LONG}</p>", CELL))) == 1
    two = f"<p>{LONG[:300]}{work('One title. ' * 12)}{work('Two titles. ' * 12)}</p>"
    assert len(notes(section(two, CELL))) == 1  # the second would begin where the first one ends


def test_in_what_is_wide_there_is_none():
    assert (
        notes(section(f'<div class="cell"><p>{work("A. Known.")}</p></div>', f"<p>{LONG}</p>"))
        == []
    )
