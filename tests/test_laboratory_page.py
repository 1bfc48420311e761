"""The laboratory in a real browser: it loads when asked, computes, is kept, and fails politely."""

import json
import re
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from test_site import ROOT, built, make_book

from benchmarks.browser import NoBrowser, QuietHandler, browser, served
from coursebuild.web import node_modules
from layerlab import ablate, load_model, pairwise_minkowski, target_activations, tokenize

pytestmark = pytest.mark.check

CLOSE = 1e-4
STUB = "# Stub\n\nA page that others lead to.\n"
LED_TO = ("06-laminar-sweep", "12-what-it-cannot-tell", "14-is-it-used", "09-how-much-to-believe")
TEXT = (
    "The house stood by the river, and the house was old. Nobody knew who had built the house, "
    "but the house had seen the river rise, and the river fall.\nSo the house stayed, “as it was”."
)
CHOSEN = {"text": TEXT, "target": " house", "n": 5, "block": 2, "head": 1, "summary": "tau"}
HASH = urlencode(CHOSEN)
LONG = 120_000  # milliseconds: a busy machine turns no test red


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A small book with the laboratory."""
    book = make_book(
        tmp_path_factory.mktemp("laboratory"),
        laboratory=(ROOT / "book" / "laboratory.md").read_text("utf-8"),
        **dict.fromkeys(LED_TO, STUB),
    )
    built(book)
    return book / "_build" / "html"


@pytest.fixture(scope="module")
def chromium():
    try:
        with browser() as found:
            yield found
    except NoBrowser as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def address(site):
    with served(site) as found:
        yield found


@contextmanager
def laboratory(chromium, address, hash_="", script="", **options):
    """The page of the laboratory, with all that it asked for and complained of."""
    context = chromium.new_context(accept_downloads=True, **options)
    page = context.new_page()
    page.set_default_timeout(LONG)
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
    if script:
        page.add_init_script(script)
    page.goto(f"{address}/book/laboratory.html#{hash_}")
    try:
        yield page
    finally:
        context.close()


def load(page):
    page.click("[data-load]")
    settle(page)


def settle(page):
    """Wait until nothing is computed any more."""
    page.wait_for_selector("[data-results]:not([hidden])")
    page.wait_for_function("!document.querySelector('.laboratory').hasAttribute('aria-busy')")


def saved(page, kind="json"):
    """What the page hands over as a file."""
    with page.expect_download() as download:
        page.click(f"[data-save={kind}]")
    text = download.value.path().read_text("utf-8")
    return json.loads(text) if kind == "json" else text


def test_nothing_large_is_loaded_before_one_asks_and_nothing_from_elsewhere(chromium, address):
    with laboratory(chromium, address) as page:
        page.wait_for_selector("[data-load]:not([disabled])")
        early = [url.partition("?")[0] for url in page.asked if "/_static/lab/" in url]
        assert early == [f"{address}/_static/lab/index.js"]
        load(page)
        assert all(url.startswith((address, "blob:")) for url in page.asked)
        assert not page.wrong
        assert page.inner_text("[data-counts]").endswith("10 of them compared, in 45 pairs.")


def test_numbers_are_the_models(chromium, address):
    """One block's distances, and the prediction with a head switched off, against PyTorch."""
    model, tokenizer = load_model()
    ids = tokenize(TEXT, tokenizer)
    places = np.flatnonzero(ids == tokenize(" house", tokenizer)[0])
    rows = target_activations(model, ids, places)
    with laboratory(chromium, address, HASH) as page:
        load(page)
        page.check("[name=part][value=head]")
        page.click("[data-predict]")
        page.wait_for_selector("[data-prediction] table")
        found = saved(page)
        shown = page.inner_text("[data-cost]")
        page_is_right = not page.wrong
    assert page_is_right
    assert found["positions"] == places.tolist()
    distances = pairwise_minkowski(rows, 2).reshape(24, -1)
    np.testing.assert_allclose(
        found["sweeps"]["trained"][0]["measures"]["L2"], distances, atol=CLOSE
    )
    text = torch.as_tensor(ids[None, : places[-1] + 1])
    with torch.no_grad():
        before = model(text).logits[0, -1].log_softmax(dim=-1).numpy()
        with ablate(model, "att_2", head=1, last_only=True):
            after = model(text).logits[0, -1].log_softmax(dim=-1).numpy()
    for row in found["prediction"]["top"]:
        assert row["before"] == pytest.approx(np.exp(before[row["id"]]), abs=CLOSE)
        assert row["after"] == pytest.approx(np.exp(after[row["id"]]), abs=CLOSE)
    bits = found["prediction"]["divergence"]
    assert bits == pytest.approx((np.exp(before) * (before - after)).sum() / np.log(2), abs=CLOSE)
    assert f"{bits:.4g}" in shown


def test_the_address_restores_what_was_chosen(chromium, address):
    with laboratory(chromium, address, HASH) as page:
        load(page)
        page.check("[name=controls][value=permuted]")
        settle(page)
        page.select_option("[name=measure]", "MI")
        settle(page)
        page.select_option("[name=kind]", "permuted")
        page.select_option("[name=at]", index=1)
        settle(page)
        first, hash_ = saved(page), page.url.partition("#")[2]
    with laboratory(chromium, address, hash_) as page:
        load(page)
        again = saved(page)
        assert page.input_value("[name=text]") == TEXT
        assert page.input_value("[name=measure]") == "MI"
        assert page.locator(".lab-legend li").all_inner_texts() == ["trained", "permuted"]
    assert again["state"] == first["state"]
    assert again["sweeps"] == first["sweeps"]


def test_controls_can_be_drawn_anew(chromium, address):
    with laboratory(chromium, address, urlencode({**CHOSEN, "controls": "untrained"})) as page:
        load(page)
        first = saved(page)["sweeps"]
        page.fill("[name=seed]", "1")
        page.press("[name=seed]", "Enter")
        settle(page)
        again = saved(page)["sweeps"]
        assert "seed=1" in page.url
    assert again["trained"] == first["trained"]
    assert again["untrained"] != first["untrained"]


def test_an_address_leads_to_the_part_that_it_names(chromium, address):
    chosen = {**CHOSEN, "see": "one", "part": "mlp", "to": "mean", "block": 3}
    with laboratory(chromium, address, urlencode(chosen)) as page:
        load(page)
        assert page.evaluate("document.activeElement.id") == "lab-one"
        box = page.locator("#lab-one").bounding_box()
        assert 0 <= box["y"] < 400
        assert "The change costs" in page.inner_text("[data-cost]")
        assert "see=" not in page.url and "part=mlp" in page.url
        assert not page.wrong


def test_several_draws_of_a_control_make_a_band(chromium, address):
    chosen = {**CHOSEN, "controls": "permuted", "seed": 3, "draws": 3}
    with laboratory(chromium, address, urlencode(chosen)) as page:
        load(page)
        sweeps = saved(page)["sweeps"]
        assert [one["seed"] for one in sweeps["permuted"]] == [3, 4, 5]
        assert (
            page.locator(".lab-legend li").last.inner_text()
            == "permuted: middle and range of 3 draws"
        )
        assert page.locator("polygon.lab-band.lab-permuted").count() == 2
        page.get_by_text("The curves as numbers").click()
        heads = page.locator("[data-numbers] th[scope=col]").all_inner_texts()
        first = page.locator("[data-numbers] tbody tr").first.locator("td").all_inner_texts()
        ends = [float(text.replace("−", "-")) for text in first[1:4]]
        taus = sorted(one["taus"]["L2"][0] for one in sweeps["permuted"])
        assert heads[2:5] == [
            f"attention, permuted, {end}" for end in ("middle", "lowest", "highest")
        ]
        np.testing.assert_allclose(ends, [taus[1], taus[0], taus[2]], rtol=1e-3)
        page.fill("[name=draws]", "2")
        page.press("[name=draws]", "Enter")
        settle(page)
        assert saved(page)["sweeps"]["permuted"] == sweeps["permuted"][:2]
        page.fill("[name=draws]", "20")
        page.press("[name=draws]", "Enter")
        page.get_by_text("outside its limits").wait_for()
        assert not page.wrong


def test_more_shuffles_make_a_finer_p(chromium, address):
    many = {**CHOSEN, "text": 2 * TEXT, "n": 8, "summary": "p"}
    with laboratory(chromium, address, urlencode(many)) as page:
        load(page)
        coarse = saved(page)["tests"]
        page.select_option("[name=shuffles]", "9999")
        settle(page)
        tests = saved(page)["tests"]
        labels = page.locator("svg.lab-drawing").first.locator("text").all_text_contents()
    assert list(coarse) == ["trained 0 L2 999"] and list(tests) == [*coarse, "trained 0 L2 9999"]
    for key, n in (("trained 0 L2 999", 1000), ("trained 0 L2 9999", 10_000)):
        counted = np.array(tests[key]) * n
        np.testing.assert_allclose(counted, counted.round(), atol=1e-6)
    assert "0.0001" in labels
    close = 5 * np.sqrt(0.25 / 1000)
    np.testing.assert_allclose(*tests.values(), atol=close)


def test_with_a_past_of_one_length_only_overlapping_pairs_count(chromium, address):
    """The address asks for p, which needs all pairs: tau is there instead, and a line says why."""
    chosen = {"design": "fixed-past", "past": 60, "n": 12, "summary": "p"}
    with laboratory(chromium, address, urlencode(chosen)) as page:
        load(page)
        found = saved(page)
        said = page.inner_text("[data-counts]")
        assert page.input_value("[name=summary]") == "tau" and "summary=tau" in page.url
        assert page.locator("[name=summary] [value=p]").is_disabled()
        assert page.locator("[data-overlap]").is_visible()
        squares = page.locator("svg.lab-map rect").count()
        page.select_option("[name=design]", "worksheet")
        page.click("[data-run]")
        settle(page)
        assert not page.locator("[name=summary] [value=p]").is_disabled()
        assert page.locator("[data-overlap]").is_hidden()
        assert not page.wrong
    places = np.array(found["positions"])
    gaps = places[None] - places[:, None]
    near = np.argwhere((gaps > 0) & (gaps <= 60))
    assert 3 < len(near) < 66
    assert found["pairs"] == near.tolist() and squares == 2 * len(near)
    assert said.endswith(f"12 of them compared, in {len(near)} pairs.")


def test_what_takes_long_can_be_stopped(chromium, address):
    with laboratory(chromium, address, HASH) as page:
        load(page)
        first = saved(page)
        page.fill("[name=draws]", "9")
        page.check("[name=controls][value=untrained]")
        page.get_by_text("untrained, draw 1").wait_for()
        stop = page.get_by_role("button", name="Stop")
        stop.focus()
        page.keyboard.press("Enter")
        page.get_by_text("Stopped.").wait_for()
        settle(page)
        assert stop.get_attribute("aria-disabled") == "true"
        assert saved(page)["sweeps"] == first["sweeps"]
        assert not page.wrong


def test_half_a_run_is_none(chromium, address):
    with laboratory(chromium, address, urlencode({"n": 4})) as page:
        load(page)
        page.select_option("[name=design]", "fixed-past")
        page.click("[data-run]")
        page.get_by_text("trained: reading").wait_for()
        page.get_by_role("button", name="Stop").click()
        page.get_by_text("Stopped.").wait_for()
        assert page.locator("[data-results]").is_hidden()
        page.select_option("[name=design]", "worksheet")
        page.click("[data-run]")
        settle(page)
        assert page.inner_text("[data-busy]") == ""
        assert not page.wrong


CHANGE = """async ([first, name, value, then]) => {
  const find = (selector) => document.querySelector(selector);
  if (first) find(first).click();
  await new Promise((asked) => setTimeout(asked));
  const field = find(`[name=${name}]`);
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  if (then) find(then).click();
}"""  # faster than anything is computed


def test_a_test_is_kept_under_the_measure_that_it_was_asked_for(chromium, address):
    chosen = {**CHOSEN, "text": 2 * TEXT, "n": 8, "summary": "p", "controls": "untrained"}
    with laboratory(chromium, address, urlencode({**chosen, "measure": "MI"})) as page:
        load(page)
        right = saved(page)["tests"]
    with laboratory(chromium, address, urlencode(chosen)) as page:
        page.click("[data-load]")
        page.get_by_text("trained: shuffling").first.wait_for()
        page.select_option("[name=measure]", "MI")
        settle(page)
        found = saved(page)
        assert not page.wrong
    assert {key: found["tests"][key] for key in right} == right
    assert found["tests"]["untrained 0 L2 999"] != found["tests"]["untrained 0 MI 999"]
    assert found["state"]["measure"] == "MI"


def test_an_answer_that_comes_after_another_choice_is_not_shown(chromium, address):
    with laboratory(chromium, address, HASH) as page:
        load(page)
        page.check("[name=part][value=head]")
        page.evaluate(CHANGE, ["[data-predict]", "head", "2", None])
        settle(page)
        assert page.inner_text("[data-cost]") == ""
        page.click("[data-predict]")
        page.wait_for_selector("[data-prediction] table")
        with_head_2 = page.inner_text("[data-cost]")
        page.select_option("[name=head]", "1")
        assert page.inner_text("[data-cost]") == ""
        page.click("[data-predict]")
        page.wait_for_selector("[data-prediction] table")
        assert page.inner_text("[data-cost]") != with_head_2
        assert not page.wrong


def test_choices_whose_numbers_were_given_up_go_back(chromium, address):
    chosen = {**CHOSEN, "text": 2 * TEXT, "n": 8, "summary": "p"}
    with laboratory(chromium, address, urlencode(chosen)) as page:
        load(page)
        page.evaluate(CHANGE, [None, "measure", "MI", "[data-stop]"])
        page.get_by_text("Stopped.").wait_for()
        settle(page)
        assert page.input_value("[name=measure]") == "L2" and "measure" not in page.url
        page.fill("[name=block]", "5")
        assert page.locator("output[data-block]").all_inner_texts() == ["5", "5"]
        maps = page.locator("svg.lab-map").get_attribute("aria-label")
        assert maps == "L2 between the targets, in block 5 of the MLP, trained"
        assert "of block 5" in page.inner_text("[data-top-looks] caption")
        assert not page.wrong


def test_another_address_is_followed_and_a_place_on_the_page_is_none(chromium, address):
    with laboratory(chromium, address) as page:
        page.wait_for_selector("[data-load]:not([disabled])")
        page.evaluate("(hash) => { location.hash = hash; }", HASH)
        load(page)
        assert page.inner_text("[data-counts]").endswith("5 of them compared, in 10 pairs.")
        page.evaluate("location.hash = 'lab-pairs'; null")
        assert page.input_value("[name=n]") == "5"
        other = urlencode({**CHOSEN, "n": 4, "see": "sweep", "toString": 1})
        page.evaluate("(hash) => { location.hash = hash; }", other)
        page.get_by_text("4 of them compared, in 6 pairs.").wait_for()
        settle(page)
        assert page.evaluate("document.activeElement.id") == "lab-sweep"
        assert saved(page)["state"]["n"] == "4"
        assert not page.wrong


def test_what_nobody_sees_stops_no_run(chromium, address):
    with laboratory(chromium, address, urlencode({**CHOSEN, "past": 5000})) as page:
        load(page)
        page.select_option("[name=design]", "fixed-past")
        page.fill("[name=past]", "")
        page.click("[data-run]")
        assert page.evaluate("document.activeElement.name") == "past"
        page.select_option("[name=design]", "worksheet")
        page.fill("[name=n]", "4")
        page.click("[data-run]")
        page.get_by_text("4 of them compared, in 6 pairs.").wait_for()
        settle(page)
        assert not page.wrong


def test_the_file_says_what_its_numbers_were_made_with(chromium, address):
    with laboratory(chromium, address, HASH) as page:
        load(page)
        page.fill("[name=target]", " river")
        page.fill("[name=n]", "3")
        page.press("[name=n]", "Tab")
        state = saved(page)["state"]
    assert (state["target"], state["n"]) == (" house", "5")


def test_a_target_may_begin_the_text_or_be_a_space(chromium, address):
    first = {"text": "The end.\nThe house.\nThe river.\nThe sea.", "target": "The", "n": 4}
    blank = {"text": "one  two  three  four  five", "target": " ", "n": 4}
    for chosen in (first, blank):
        with laboratory(chromium, address, urlencode(chosen)) as page:
            load(page)
            positions = saved(page)["positions"]
            assert page.input_value("[name=at]") == str(positions[-1])
            assert f"from position {positions[-1]}" in page.inner_text("[data-top-looks] caption")
            texts = "(all) => [...all.childNodes].map((n) => n.firstChild?.data ?? n.data)"
            assert "".join(page.locator("[data-tokens]").evaluate(texts)) == chosen["text"]
            assert not page.wrong


def test_what_is_seen_can_be_taken_away(chromium, address):
    with laboratory(chromium, address, HASH) as page:
        load(page)
        lines = saved(page, "csv").splitlines()
        assert len(lines) == 1 + 24 * 10  # components and blocks, pairs of five targets
        assert lines[0].startswith("model,draw,component,block,position")
        with page.expect_download() as download:
            page.click("[data-save=svg]")
        drawings = ElementTree.parse(download.value.path())
        assert len(drawings.findall("{http://www.w3.org/2000/svg}svg")) == 3


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits(chromium, address, width, scheme):
    axe = node_modules(ROOT, tools=True) / "axe-core" / "axe.min.js"
    size = {"width": width, "height": 900}
    with laboratory(chromium, address, HASH, viewport=size, color_scheme=scheme) as page:
        load(page)
        page.click("[data-predict]")
        page.wait_for_selector("[data-prediction] table")
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        page.add_script_tag(path=axe)
        found = page.evaluate("axe.run()")["violations"]
        assert not found, [(v["id"], v["nodes"][0]["html"]) for v in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sizes = page.evaluate(
            "[...document.querySelectorAll('svg.lab-drawing')].flatMap((svg) =>"
            "[...svg.querySelectorAll('text')].map((t) => parseFloat(getComputedStyle(t).fontSize)"
            " * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width))"
        )
        assert min(sizes) >= 11


def test_it_works_by_keyboard(chromium, address):
    with laboratory(chromium, address, HASH) as page:
        page.wait_for_selector("[data-load]:not([disabled])")
        page.focus("[data-load]")
        page.keyboard.press("Enter")
        settle(page)
        before = page.inner_html("[data-pairs]")
        page.focus("[name=block]")
        page.keyboard.press("ArrowRight")
        assert page.inner_text("[data-block] >> nth=0") == "3"
        assert page.inner_html("[data-pairs]") != before


def test_it_works_from_files(chromium, site):
    with laboratory(chromium, site.as_uri(), HASH) as page:
        load(page)
        assert page.inner_text("[data-counts]").endswith("5 of them compared, in 10 pairs.")
        assert page.inner_text("[data-tokens]").endswith("“as it was”.")
        assert all(url.startswith(("file:", "blob:")) for url in page.asked)
        assert not page.wrong


def test_an_address_that_names_what_there_is_not_gets_the_defaults(chromium, address):
    odd = {"head": 9, "component": "x", "measure": "x", "design": "x", "block": 99, "at": 9, "y": 1}
    odd |= {"draws": 0, "seed": "x", "shuffles": 5}
    with laboratory(chromium, address, urlencode({**CHOSEN, **odd})) as page:
        load(page)
        state = saved(page)["state"]
        assert (state["head"], state["component"], state["measure"]) == ("0", "mlp", "L2")
        assert (state["design"], state["block"]) == ("worksheet", "11")
        assert (state["draws"], state["seed"], state["shuffles"]) == ("1", "0", "999")
        assert not page.wrong
    with laboratory(chromium, address, urlencode({**CHOSEN, "n": "x"})) as page:
        page.click("[data-load]")
        page.wait_for_function(
            "document.querySelector('[data-busy]').textContent.includes('outside its limits')"
        )
        assert not page.wrong


def test_what_a_reader_can_mend_is_said(chromium, address):
    with laboratory(chromium, address, urlencode({**CHOSEN, "target": " houseboat"})) as page:
        page.click("[data-load]")
        page.wait_for_function(
            "document.querySelector('[data-busy]').textContent.includes('one token')"
        )
        page.fill("[name=target]", "house")
        page.click("[data-run]")
        page.wait_for_function(
            "document.querySelector('[data-busy]').textContent.includes('“ house” is one')"
        )
        page.fill("[name=target]", " house")
        page.click("[data-run]")
        settle(page)
        assert page.inner_text("[data-busy]") == ""
        assert not page.wrong


def test_without_webassembly_it_says_so(chromium, address):
    with laboratory(chromium, address, script="delete window.WebAssembly;") as page:
        page.wait_for_function(
            "document.querySelector('[data-status]').textContent.includes('no WebAssembly')"
        )
        assert page.is_disabled("[data-load]")
        assert not page.wrong


def test_a_model_that_does_not_start_is_told(chromium, address):
    """As where WebAssembly lacks what the runtime needs."""
    with laboratory(chromium, address) as page:
        page.wait_for_selector("[data-load]:not([disabled])")
        page.evaluate(
            "window.Worker = class { postMessage() { setTimeout(() => this.onmessage("
            "{ data: { id: 0, error: 'no SIMD' } })); } terminate() {} }; null"
        )
        page.click("[data-load]")
        page.wait_for_function(
            "document.querySelector('[data-status]').textContent.includes('no SIMD')"
        )
        assert page.is_enabled("[data-load]")


class Unwilling(QuietHandler):
    """Serves files, but for a while none of the pieces that the laboratory loads."""

    is_willing = False

    def do_GET(self):
        if self.is_willing or not re.search(r"/_static/lab/(?!index)", self.path):
            super().do_GET()
        else:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)


def test_a_piece_that_does_not_come_is_no_dead_end(chromium, site, monkeypatch):
    with served(site, Unwilling) as address, laboratory(chromium, address, HASH) as page:
        page.wait_for_selector("[data-load]:not([disabled])")
        page.click("[data-load]")
        page.wait_for_function(
            "document.querySelector('[data-status]').textContent.includes('again')"
        )
        monkeypatch.setattr(Unwilling, "is_willing", True)
        load(page)
        assert page.inner_text("[data-counts]").endswith("5 of them compared, in 10 pairs.")


def test_without_javascript_one_line_says_so(chromium, address):
    with laboratory(chromium, address, java_script_enabled=False) as page:
        assert "JavaScript" in page.inner_text(".laboratory")
