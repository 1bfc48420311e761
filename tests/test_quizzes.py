"""What a page asks: how it is written, what becomes of it, and that a reader can answer."""

import json
import subprocess
import sys

import numpy as np
import pytest
from bs4 import BeautifulSoup
from test_touch import call
from test_web import ROOT

from benchmarks.browser import NoBrowser, browser
from coursebuild.quizzes import QuizError, read_questions
from coursebuild.web import make_scripts, web_folder

PAGE = """# A page

:::{admonition} Predict
1. Which is larger?

   ```{predict} larger
   :choices: the *walk* | the line
   ```

2. How much?

   ```{predict} factor
   :number: times
   ```

3. Draw it.

   ```{predict} curve
   :sketch: boxes 4 24 | bits 0 2
   ```
:::

```{said} larger
It was the walk.
```

```{said} factor
It was 8.0 times.
```

```{said} curve
It rose.
```

```{quiz}
Which distance is larger,
the walk or the line?
+ The walk. :: No detour
  is shorter.
- The *line*. :: It is the shortest way.

How long is it?
= −12.5 ± 10 % steps :: One each.

What comes first?
1. the difference
2. the power
3. the root
:: The root comes last.
```
"""
QUIZ = PAGE.partition("{quiz}\n")[2].rpartition("```")[0]
CONF = """
extensions = ["myst_parser", "coursebuild.quizzes"]
myst_enable_extensions = ["colon_fence"]
html_theme = "basic"
"""


def build(folder, page, builder="html"):
    """Build a site of one page, in a process of its own; returns its text."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "conf.py").write_text(CONF, "utf-8")
    (folder / "src" / "index.md").write_text(page, "utf-8")
    command = [sys.executable, "-m", "sphinx", "-qW", "-b", builder, folder / "src", folder / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotBuilt(done.stderr)
    suffix = "html" if builder == "html" else "txt"
    return (folder / "out" / f"index.{suffix}").read_text("utf-8")


class NotBuilt(Exception):
    """The page is not written as pages are."""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return build(tmp_path_factory.mktemp("asking"), PAGE)


def test_questions_are_read_with_what_goes_on_in_the_next_line():
    choice, number, order = read_questions(QUIZ)
    assert choice.stem == "Which distance is larger, the walk or the line?"
    assert choice.lines[0] == ("+", "The walk. :: No detour is shorter.")
    assert (choice.kind, number.kind, order.kind) == ("choice", "number", "order")
    assert number.lines == [("=", "−12.5 ± 10 % steps :: One each.")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Which?\n- a :: b", "one \\+ and some -"),
        ("Which?\n+ a :: b\n+ c :: d\n- e :: f", "one \\+ and some -"),
        ("Which?\n+ a :: b\n- c", "lacks ` :: `"),
        ("Which?\n+ a :: b\n- c :: ", "lacks ` :: `"),
        ("How?\n= 12 :: b", "write `= NUMBER ± HOW FAR OFF"),
        ("What?\n1. a\n2. b\n:: c", "three or more numbered"),
        ("What?", "What"),
    ],
)
def test_what_is_no_question_is_refused(text, said):
    with pytest.raises(QuizError, match=said):
        read_questions(text)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("```{said} never\n```", "nobody was asked for the prediction 'never'"),
        ("```{predict} a\n```", "one of :choices:, :number: and :sketch:"),
        (
            "```{predict} a\n:number: m\n:choices: b | c\n```",
            "one of :choices:, :number: and :sketch:",
        ),
        ("```{predict} a\n:number: m\n```\n\n" * 2, "asks twice for the prediction 'a'"),
        ("```{predict} a\n:sketch: bits 0 | bins 4 24\n```", "bits 0 .* is not LABEL LOW HIGH"),
        ("```{quiz}\nWhich?\n+ a :: b\n```", "'Which\\?': a question has one"),
    ],
)
def test_a_page_that_asks_wrongly_is_not_built(tmp_path, wrong, said):
    with pytest.raises(NotBuilt, match=said):
        build(tmp_path, f"# A page\n\n{wrong}\n")


def test_without_a_script_a_quiz_is_a_list_with_folded_answers(page):
    quiz = BeautifulSoup(page, "html.parser").select_one(".quiz")
    assert not quiz.select("input, button, fieldset")
    first, second, third = quiz.select(":scope > ol > li")
    assert [item["class"] for item in (first, second, third)] == [["choice"], ["number"], ["order"]]
    assert [li.get_text(strip=True) for li in first.select(":scope > ul > li")] == [
        "The walk.",
        "Theline.",
    ]
    assert first.select_one("details > summary").get_text() == "Answer"
    assert first.select_one("details li.right .why").get_text() == "No detour is shorter."
    assert second.select_one("details .value").get_text() == "−12.5"
    assert (second.details["data-off"], second.details["data-unit"]) == ("10%", "steps")
    mixed = [li.get_text(strip=True) for li in third.select(":scope > ul > li")]
    right = [li.get_text(strip=True) for li in third.select("details ol > li")]
    assert right == ["the difference", "the power", "the root"]
    places = [int(place) for place in third.details["data-places"].split()]
    assert [right[place] for place in places] == mixed != right


def test_without_a_script_predictions_are_left_to_the_pencil(page):
    soup = BeautifulSoup(page, "html.parser")
    assert [place["data-name"] for place in soup.select(".predict[hidden]")] == [
        "index/larger",
        "index/factor",
        "index/curve",
    ]
    assert len(soup.select(".said[hidden]")) == 3


def test_other_builders_have_the_questions_and_the_answers(tmp_path):
    text = build(tmp_path, PAGE, "text")
    assert (
        "Which is larger?" in text and "You had said" not in text and "It was the walk" not in text
    )
    assert "the walk or the line?" in text and "No detour is shorter." in text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        (" 1,5 ", 1.5),
        ("−3", -3),
        (".5", 0.5),
        ("2e-3", 0.002),
        ("", None),
        ("x1", None),
        ("1.2.3", None),
        ("1,234,5", None),
    ],
)
def test_a_number_is_read_as_people_write_it(text, number):
    assert call(("readNumber", text), part="answers") == [number]  # NaN is null in JSON


@pytest.mark.parametrize(
    ("given", "off", "right"),
    [(11, "1", True), (11.01, "1", False), (9, "10%", True), (8.9, "10%", False), (10, "0", True)],
)
def test_a_number_is_right_if_it_is_near_enough(given, off, right):
    assert call(("near", given, 10, off), part="answers") == [right]


def test_an_order_is_wrong_from_its_first_wrong_place_on():
    found = call(
        ("firstWrong", [0, 1, 2]),
        ("firstWrong", [0, 2, 1]),
        ("firstWrong", [1, 0, 2]),
        part="answers",
    )
    assert found == [-1, 1, 0]


@pytest.fixture(scope="module")
def opened(page, tmp_path_factory):
    """Opens the page, from a file, with its script; the browser keeps what is set."""
    folder = tmp_path_factory.mktemp("opened")
    make_scripts(ROOT, folder / "web")
    style = (web_folder(ROOT) / "touch.css").read_text("utf-8")
    html = page.replace("</head>", f"<style>{style}</style></head>")
    html = html.replace("</body>", '<script src="web/ask.js"></script></body>')
    (folder / "index.html").write_text(html, "utf-8")
    try:
        with browser() as chromium:
            context = chromium.new_context()

            def open_page():
                tab = context.new_page()
                tab.problems = []
                tab.on("pageerror", lambda error: tab.problems.append(str(error)))
                tab.goto((folder / "index.html").as_uri())
                return tab

            yield open_page
    except NoBrowser as error:
        pytest.skip(str(error))


@pytest.mark.check
def test_a_prediction_is_kept_and_told_beside_the_result(opened):
    tab = opened()
    assert not tab.locator(".said").first.is_visible()
    tab.get_by_label("the walk", exact=True).check()
    tab.get_by_label("times").fill("x")
    tab.get_by_label("times").press("Tab")
    assert "Write a number" in tab.locator(".predict .note").nth(1).inner_text()
    assert not tab.locator(".said").nth(1).is_visible()
    tab.get_by_label("times").fill("3")
    tab.get_by_label("times").press("Tab")
    later = opened()
    for page in (tab, later):
        said = [place.inner_text() for place in page.locator(".said:not([hidden])").all()]
        assert said == [
            "You had said: the walk. It was the walk.",
            "You had said: 3 times. It was 8.0 times.",
        ]
    assert later.get_by_label("the walk", exact=True).is_checked()
    assert later.get_by_label("times").input_value() == "3"
    keys = later.evaluate("Object.keys(localStorage)")
    assert sorted(keys) == ["course:predict:index/factor", "course:predict:index/larger"]
    assert tab.problems == later.problems == []


@pytest.mark.check
def test_a_curve_is_drawn_by_keys_and_by_hand(opened):
    tab = opened()
    tab.evaluate("localStorage.clear()")
    tab.reload()
    handles = tab.get_by_role("slider")
    assert handles.count() == 6
    assert handles.first.get_attribute("aria-label") == "bits, at 4 boxes"
    handles.first.press("ArrowUp")
    handles.last.press("PageDown")
    told = tab.locator('.said[data-name="index/curve"]')
    assert told.inner_text() == "You had said: from 1.10 at 4 to 0.60 at 24. It rose."
    box = tab.locator(".sketch").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 11, box["y"] + 1)
    tab.mouse.up()
    assert told.inner_text() == "You had said: from 1.10 at 4 to 2.00 at 24. It rose."
    kept = json.loads(tab.evaluate("localStorage['course:predict:index/curve']"))["value"]
    assert np.allclose([x for x, _ in kept], np.linspace(4, 24, 6))
    assert all(0 <= y <= 2 for _, y in kept)
    assert tab.problems == []


@pytest.mark.check
def test_each_kind_of_question_is_answered_by_keyboard_alone(opened):
    tab = opened()
    choice, number, order = tab.locator(".quiz > ol > li").all()
    assert [item.locator("fieldset > legend").inner_text() for item in (choice, number, order)] == [
        "Which distance is larger, the walk or the line?",
        "How long is it?",
        "What comes first?",
    ]
    choice.get_by_label("The walk.").focus()
    tab.keyboard.press("ArrowDown")
    assert choice.locator("[aria-live]").inner_text() == "✗ Not yet. It is the shortest way."
    tab.keyboard.press("ArrowUp")
    assert choice.locator("[aria-live]").inner_text() == "✓ Right. No detour is shorter."

    said = number.locator("[aria-live]")
    number.get_by_role("textbox").focus()
    for typed, answer in (
        ("5", "less"),
        ("-20", "more"),
        ("-12", "✓ Right. −12.5 steps. One each."),
    ):
        number.get_by_role("textbox").fill(typed)
        tab.keyboard.press("Enter")
        assert answer in said.inner_text()

    order.get_by_role("button", name="Check").click()
    assert "✗" in order.locator("[aria-live]").inner_text()
    down = order.get_by_role("button", name="Down").first
    label = down.get_attribute("aria-label")
    down.focus()
    for _ in range(2):
        tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.ariaLabel") == label
    assert label == f"Down: {order.locator('ol > li > span').nth(4).inner_text()}"
    for words in ("the power", "the difference"):
        order.get_by_role("button", name=f"Up: {words}").focus()
        for _ in range(3):
            tab.keyboard.press("Enter")  # on the button that has moved
    tab.keyboard.press("Tab")
    order.get_by_role("button", name="Check").press("Enter")
    assert order.locator("[aria-live]").inner_text() == "✓ Right. The root comes last."
    kept = {k: json.loads(v) for k, v in tab.evaluate("({...localStorage})").items() if "quiz" in k}
    assert [kept[f"course:quiz:index/{i}"]["right"] for i in (1, 2, 3)] == [True] * 3
    assert [kept[f"course:quiz:index/{i}"]["tries"] for i in (1, 2, 3)] == [2, 3, 2]
    assert tab.problems == []


@pytest.mark.check
def test_answers_are_there_again_and_were_given_once(opened):
    tab = opened()
    tab.evaluate("localStorage.clear()")
    tab.reload()
    choice, number, order = tab.locator(".quiz > ol > li").all()
    choice.get_by_label("The walk.").check()
    choice.get_by_label("The line.").check()
    number.get_by_role("textbox").fill("5")
    number.get_by_role("textbox").press("Enter")
    number.get_by_role("textbox").fill("five")
    number.get_by_role("textbox").press("Enter")  # no answer, so the last one stays
    order.get_by_role("button", name="Down").first.click()
    order.get_by_role("button", name="Check").click()
    lines = order.locator("ol > li").all_inner_texts()
    kept = tab.evaluate("({...localStorage})")
    tab.reload()
    choice, number, order = tab.locator(".quiz > ol > li").all()
    assert choice.get_by_label("The line.").is_checked()
    assert choice.locator("[aria-live]").inner_text() == "✗ Not yet. It is the shortest way."
    assert number.get_by_role("textbox").input_value() == "5"
    assert number.locator("[aria-live]").inner_text() == "✗ Not yet. It is less than that."
    assert order.locator("ol > li").all_inner_texts() == lines
    assert "✗" in order.locator("[aria-live]").inner_text()
    assert tab.evaluate("({...localStorage})") == kept
    first = json.loads(kept["course:quiz:index/1"])
    assert first == {"given": "The line.", "right": True, "tries": 1}
    assert tab.problems == []


@pytest.mark.check
def test_an_answer_that_the_page_no_longer_offers_is_left_out(opened):
    tab = opened()
    for i, given in ((1, "A detour."), (3, ["the difference", "the power"])):
        kept = json.dumps({"given": given, "right": False, "tries": 1})
        tab.evaluate(
            "([key, kept]) => localStorage.setItem(key, kept)", [f"course:quiz:index/{i}", kept]
        )
    tab.reload()
    choice, _, order = tab.locator(".quiz > ol > li").all()
    assert choice.locator("input:checked").count() == 0
    assert [item.locator("[aria-live]").inner_text() for item in (choice, order)] == ["", ""]
    assert tab.problems == []


@pytest.mark.check
def test_damaged_entries_cost_only_themselves(opened):
    """Each is one that another kind of question keeps, or none: all else on the page is asked."""
    tab = opened()
    quiz = {"right": False, "tries": 1}
    odd = {
        "predict:index/larger": {"value": [[1, 2]], "words": "3"},
        "predict:index/factor": {"value": [[1, 2]], "words": "3"},
        "predict:index/curve": {"value": 5, "words": "5"},
        "quiz:index/1": quiz | {"given": ["a"]},
        "quiz:index/2": quiz | {"given": ["a"]},
        "quiz:index/3": quiz | {"given": "abc"},
    }
    for broken in (odd, {key: {} for key in odd}, dict.fromkeys(odd, 5), dict.fromkeys(odd)):
        tab.evaluate(
            "(all) => Object.entries(all).forEach(([name, value]) =>"
            " localStorage.setItem('course:' + name, JSON.stringify(value)))",
            broken,
        )
        tab.reload()
        assert tab.locator(".predict fieldset").count() == 3
        assert tab.locator(".quiz fieldset").count() == 3
        assert tab.locator(".sketch circle").count() == 6
        assert tab.locator(".quiz [aria-live]").all_inner_texts() == [""] * 3
        assert tab.get_by_label("times").input_value() == ""
        assert tab.problems == []


@pytest.mark.check
def test_what_is_cleared_or_said_in_another_tab_is_so_here(opened):
    tab, other = opened(), opened()
    tab.evaluate("localStorage.clear()")
    tab.reload()
    other.reload()
    questions = tab.locator(".quiz > ol > li").all()
    tab.get_by_label("the walk", exact=True).check()
    tab.get_by_label("times").fill("3")
    tab.get_by_label("times").press("Tab")
    tab.get_by_role("slider").first.press("ArrowUp")
    questions[0].get_by_label("The walk.").check()
    questions[1].get_by_role("textbox").fill("5")
    questions[1].get_by_role("textbox").press("Enter")
    lines = tab.locator(".quiz ol.lines > li").all_inner_texts()
    questions[2].get_by_role("button", name="Down").first.click()
    questions[2].get_by_role("button", name="Check").click()
    questions[2].get_by_role("button", name="Check").blur()
    other.locator(".quiz .no").nth(1).wait_for()
    for told in (".said", ".quiz [aria-live]", ".quiz ol.lines > li"):
        assert other.locator(told).all_inner_texts() == tab.locator(told).all_inner_texts()
    assert other.get_by_label("times").input_value() == "3"
    first = tab.get_by_role("slider").first
    assert other.get_by_role("slider").first.get_attribute("aria-valuenow") == "1.1"
    tab.evaluate(
        "() => { localStorage.clear(); dispatchEvent(new Event('course:changed')); }"
    )  # as the progress panel does
    for page in (tab, other):
        page.wait_for_function("!document.querySelector('input:checked')")
        assert page.locator(".said:not([hidden])").count() == 0
        assert page.locator(".quiz [aria-live]").all_inner_texts() == [""] * 3
        fields = page.locator("article input[type=text], [data-script=ask] input[type=text]")
        assert [field.input_value() for field in fields.all()] == ["", ""]
        assert page.locator(".quiz ol.lines > li").all_inner_texts() == lines
        assert page.locator(".predict .note").all_inner_texts() == [""] * 3
        assert page.problems == []
    assert first.get_attribute("aria-valuenow") == "1"


@pytest.mark.check
def test_on_paper_the_answers_are_open(opened):
    tab = opened()
    reasons = [tab.get_by_text("No detour is shorter."), tab.get_by_text("The root comes last.")]
    assert not any(reason.is_visible() for reason in reasons)
    tab.emulate_media(media="print")
    for reason in reasons:
        assert reason.is_visible() and reason.bounding_box()["height"] > 5
    assert not any(button.is_visible() for button in tab.locator(".quiz button").all())


@pytest.mark.check
def test_where_nothing_can_be_kept_the_page_says_so(opened):
    tab = opened()
    tab.add_init_script("Storage.prototype.setItem = () => { throw new Error('refused'); }")
    tab.evaluate("localStorage.clear()")
    tab.reload()
    tab.get_by_label("the line", exact=True).check()
    assert "until you leave this page" in tab.locator(".predict .note").first.inner_text()
    assert "You had said: the line." in tab.locator(".said").first.inner_text()
    assert tab.problems == []
