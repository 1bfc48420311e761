"""What one searches: the words of a page, section by section, and nothing that it does not show."""

from coursebuild.search import sections_of

PAGE = """<html><nav>Contents</nav><article class="bd-article">
<section id="top"><h1>A title<a class="headerlink" href="#top">#</a></h1>
<p>Words with <em>stress</em>, a <span class="math"><span class="katex"><span class="katex-mathml">
<math><semantics><mrow><mi>x</mi></mrow><annotation>\\x</annotation></semantics></math></span>
<span class="katex-html"><span>X X</span></span></span></span> and <br>a break.</p>
<figure><img alt="A picture" src="a.svg"></figure>
<section id="inner"><h2>Inner <code>name</code></h2><pre>code = 1</pre>
<div class="cell_output"><pre>an output</pre></div><ul><li>one</li><li>two</li></ul></section>
</section></article><footer>The end</footer></html>"""


def test_each_section_has_its_heading_and_its_own_words():
    top, inner = sections_of(PAGE)
    assert (top.anchor, top.heading) == ("top", "A title")
    assert (inner.anchor, inner.heading) == ("inner", "Inner name")
    assert " ".join("".join(top.words).split()) == "Words with stress, a x and a break."
    assert " ".join("".join(inner.words).split()) == "code = 1 one two"


def test_code_can_be_left_out():
    inner = sections_of(PAGE, code=False)[1]
    assert "code = 1" not in "".join(inner.words) and "two" in "".join(inner.words)


def test_a_page_without_an_article_has_nothing_to_find():
    assert sections_of("<html><section id='x'><h1>No</h1></section></html>") == []
