"""Captions have a number, by which links find the figure."""

from types import SimpleNamespace

import pytest
from docutils import nodes
from sphinx.errors import ExtensionError

from coursebuild.captions import number_figures, number_of


def figure(place="", caption="<figcaption>It rises.</figcaption>"):
    return f'<div><figure class="course-figure"{place}><picture></picture>{caption}</figure></div>'


def numbered(page, *outputs):
    """What the outputs of a page become, and what is noted of them."""
    noted = {}
    domain = SimpleNamespace(
        note_hyperlink_target=lambda name, page, anchor, title: noted.update({name: title})
    )
    env = SimpleNamespace(docname=page, get_domain={"std": domain}.get)
    doctree = nodes.container()
    doctree += [nodes.raw(text, text, format="html") for text in outputs]
    number_figures(SimpleNamespace(env=env), doctree)
    return [node.astext() for node in doctree.children], noted


@pytest.mark.parametrize(
    ("page", "number"),
    [("book/02-mutual-information", "2.3"), ("book/16-own-data", "16.3"), ("book/house", "H.3")],
)
def test_a_number_names_the_chapter_and_the_place_in_it(page, number):
    assert number_of(page, 3) == number


def test_figures_with_a_caption_are_counted_and_others_left():
    bare = figure(caption="")
    texts, noted = numbered("book/02-bits", figure(' id="fig-bins"'), bare, figure())
    assert noted == {"fig-bins": "Figure 2.1", "figure-2": "Figure 2.2"}
    assert texts[1] == bare
    first, _, last = texts
    assert 'id="fig-bins"' in first and 'id="figure-2"' in last
    assert '<figcaption><span class="figure-number">Figure 2.1</span> It rises.' in first


def test_a_figure_without_a_caption_takes_none_from_the_next():
    both = figure(' id="fig-a"', caption="") + figure(' id="fig-b"')
    [text], noted = numbered("book/02-bits", both)
    assert noted == {"fig-b": "Figure 2.1"}
    assert text.startswith(figure(' id="fig-a"', caption=""))


def test_two_figures_of_a_name_stop_the_build():
    with pytest.raises(ExtensionError, match="book/02-bits: two figures have the anchor 'fig-a'"):
        numbered("book/02-bits", figure(' id="fig-a"'), figure(' id="fig-a"'))


def test_exercises_have_none():
    assert numbered("solutions/02-bits", figure()) == ([figure()], {})
