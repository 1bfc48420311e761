"""What the answers of exercise 6 do: pairs, a cosine, measures, gaps, the sweep, curves, panels."""

import numpy as np
from scipy.spatial.distance import pdist

from coursechecks import figures
from coursechecks.arrays import is_for_decimals, is_for_whole_numbers, second_result
from coursechecks.engine import (
    About,
    Facts,
    Raised,
    calls,
    checker,
    depends,
    outline,
    run,
    tried,
    with_names,
)
from coursechecks.probes import here

READS = ("seen/06.json.xz",)
PROBES = here()

MEASURES = ("MI", "cosine", "L2")
LIKENESSES = MEASURES[:2]
PLACES = {  # of targets in a text: neighbours among them, distances that come twice, and large ones
    6: np.array([5, 6, 19, 32, 57, 101]),
    3: np.array([4, 10, 31]),
    13: np.array([3, 4, 90, 301, 302, 700, 1111, 1600, 1687, 2405, 3002, 3700, 4999]),
}
if PROBES.are_hidden:
    for n, places in PLACES.items():
        steps = np.diff(places)
        steps += PROBES.rng(n).integers(0, 5, n - 1) * (steps > 1)  # neighbours stay
        PLACES[n] = np.cumsum([PROBES.size(3, 9), *steps])
# Gaps for a sweep; where they are hidden, not in the order that a step asks for.
GAPS = {
    n: np.array(PROBES.order(pdist(places[:, None], "cityblock").astype(int), n))
    for n, places in PLACES.items()
}
# More than the notebook's 12 and 192, so that no typed size that fits there fits here:
MORE_BLOCKS, MORE_COORDINATES = 14, 200


def shapes(sizes) -> Facts:
    """Counts in arrays of four shapes, in none of them as the notebook's; two of them are given."""
    shapes = (2, 5, 7, 40), (2, MORE_BLOCKS, 4, 9), (3, 4, 11, 6), (1, 13, 12, 201)
    if PROBES.are_hidden:
        blocks, targets = PROBES.size(15, 9), PROBES.size(0, 5)  # more of each
        shapes = tuple((c, b + blocks, n + targets, width) for c, b, n, width in shapes)
    arrays = [np.ones(shape) for shape in shapes]
    function = with_names(sizes, **_other_notebook())
    answers = [tried(function, array) for array in arrays]
    for array, (answer, is_changed) in zip(arrays, answers, strict=True):
        yield f"sizes: how many numbers for an array {outline(array)}", outline(answer)
        yield "sizes: changes what it is given?", is_changed
    answers = [list(answer) for answer, _ in answers]
    for place, what in enumerate(("blocks", "targets", "pairs")):
        group, numbers = f"number of {what}", [answer[place] for answer in answers]
        for array, number in zip(arrays, numbers, strict=True):
            yield f"{group}: in an array {outline(array)}", number
        is_whole = all(np.asarray(number).dtype.kind in "iu" for number in numbers)
        yield f"{group}: whole numbers, of type int", is_whole
        yield f"{group}: the same for every array?", len(set(map(float, numbers))) == 1


def _other_notebook(n_targets: int = 3) -> dict:
    """The names of the notebook, holding other data, of eight blocks and so many targets."""
    stack, targets = _stack(8, n_targets), np.cumsum(PLACES[n_targets])
    gaps = pdist(targets[:, None], "cityblock").astype(int)
    names = {"recorded": stack, "targets": targets, "gaps": gaps, "profile": stack[..., :2, :3]}
    return names | {"n_blocks": 8, "n_targets": n_targets, "n_pairs": len(gaps)}


def _stack(n_blocks: int, n_targets: int, width: int = 40) -> np.ndarray:
    """Activations (2, n_blocks, n_targets, width) that drift from target to target."""
    rng = PROBES.rng(60 + n_blocks)
    sizes = rng.uniform(0.3, 1, (2, n_blocks, 1, 1))
    steps = sizes * rng.normal(size=(2, n_blocks, n_targets, width))
    return np.cumsum(steps, axis=2) + rng.normal(size=width)


def direction(cosine) -> Facts:
    """The cosine of vectors off centre, long and short, opposite, and at right angles."""
    group = "cosine, tried on vectors of the check's own"
    for seed, (width, scale) in enumerate(((3, 2), (40, 0.01), (MORE_COORDINATES, 30))):
        u, v = scale * PROBES.rng(seed).normal([[0.7], [-1]], [[1], [2]], (2, width))
        for what, other in (("one vector and another", v), ("one vector and its opposite", -3 * u)):
            yield from calls(group, cosine, u, other, what=f"{what}, {width} coordinates")
    yield from calls(group, cosine, np.array([3, 4]), np.array([8, -6]), what="at right angles")
    yield from depends(cosine, (u, v), (v, u))


def measures(measures_of) -> Facts:
    """The three measures of every two rows of few vectors, and of more and longer ones.

    The first of each shares nothing with the others.
    """
    function, answers = with_names(measures_of, **_other_notebook()), {}
    for n, width in ((4, 40), (6, 40), (13, MORE_COORDINATES)):
        vectors = _stack(2, n, width)[1, -1]
        vectors[0] = PROBES.rng(n).permutation(vectors[0])
        answers[n] = tried(function, vectors)
    for n_vectors, (answer, _) in answers.items():
        yield f"measures_of: size for {n_vectors} vectors", outline(answer)
    for n_vectors, (answer, is_changed) in answers.items():
        group = f"measures_of, tried on {n_vectors} vectors"
        yield f"{group}: measures of the pairs", answer
        yield f"{group}: changes what it is given?", is_changed
    again = second_result(function, (vectors[4:8],), (vectors[:4],))
    yield "second call: measures of other vectors, as many as in the first", again


def gaps(gaps_of) -> Facts:
    """The gaps of targets at six places, at three, and of many that lie far apart."""
    for places in PLACES.values():
        group = f"gaps_of, tried on targets at {places.tolist()}"
        yield from calls(group, gaps_of, places, what="gaps")
    again = second_result(gaps_of, (places**2,), (places,))
    yield "second call: gaps of other targets, as many as in the first", again


def array(empty_profile) -> Facts:
    """Room for two models that have fewer and more blocks than most."""
    function = with_names(empty_profile, **_other_notebook())
    depths = PROBES.size(5, 4), PROBES.size(MORE_BLOCKS, 5)
    answers = {n_blocks: run(function, n_blocks) for n_blocks in depths}
    for n_blocks, answer in answers.items():
        yield f"shape of the array: for {n_blocks} blocks", outline(answer)
    group = "numbers in the array"
    for n_blocks, answer in answers.items():
        yield f"{group}: for {n_blocks} blocks, in an array", isinstance(answer, np.ndarray)
        yield f"{group}: for {n_blocks} blocks, whole ones", is_for_whole_numbers(answer)
        yield f"{group}: for {n_blocks} blocks, held to six digits", is_for_decimals(answer)
        yield f"{group}: for {n_blocks} blocks, all zero", not answer.any()
        if PROBES.are_hidden:  # that it is empty is soon guessed
            rng = PROBES.rng(n_blocks)
            answer[1, :, rng.integers(2)] += rng.uniform(1, 9, (n_blocks, 3))
            yield f"{group}: for {n_blocks} blocks, in use", About(PROBES.sums(answer))
    again = second_result(function, (5,), (5,))
    yield "second call: zeros again, after an array for 5 blocks was filled", not np.any(again)


def sweep(sweep) -> Facts:
    """Profiles of made-up models: of five blocks, of as many as components, and of very many.

    Where the notebook has as many targets, no error tells that its own gaps were taken.
    """
    results = {}
    for n_blocks, n_targets, width in ((5, 6, 40), (2, 13, MORE_COORDINATES), (40, 3, 40)):
        what = f"{n_blocks} blocks, {n_targets} targets"
        function = with_names(sweep, **_other_notebook(min(n_targets, 6)))
        given = _stack(n_blocks, n_targets, width), GAPS[n_targets]
        results[what], is_changed = tried(function, *given)
        yield f"sweep: size for {what}", outline(results[what])
        yield f"sweep: changes what it is given for {what}?", is_changed
    for what, result in results.items():
        if not isinstance(result, Raised):
            yield from _statistics(what, np.asarray(result, dtype=float))
    stack, gap_list = _stack(4, 3), GAPS[3]
    again = second_result(function, (stack[:, :2], gap_list[::-1]), (stack[:, 2:], gap_list))
    yield "second call: profile of another model of the same size", again


def _statistics(what: str, profile) -> Facts:
    yield f"means of {what}: numbers", profile[:, :, 0]
    yield f"taus of {what}: numbers", profile[:, :, 1]
    group, (components, blocks) = f"profile of {what}", (np.ptp(profile, axis=k) for k in (0, 1))
    yield f"{group}: a block left empty?", not np.any(profile, axis=(2, 3)).all()
    yield f"{group}: both components alike?", not components.any()
    yield f"{group}: all blocks alike?", not blocks.any()


def normalise(shares_of_maximum) -> Facts:
    """Curves over many blocks, and over as many as there are measures, with maxima below 1."""
    for n_blocks, scale in ((MORE_BLOCKS, 1), (3, 0.004)):
        rng = PROBES.rng(n_blocks)
        curves = scale * rng.uniform([0.5, 90, 7], [2, 200, 20], (n_blocks, 3))
        curves[-1, 2] *= 3  # a maximum may lie in the last block
        group = f"shares_of_maximum, tried on curves over {n_blocks} blocks"
        yield from calls(group, shares_of_maximum, curves, what="shares")
    again = second_result(shares_of_maximum, (2 * curves[::-1],), (curves,))
    yield "second call: shares of other curves, as many as in the first", again


def turn(likeness_turned) -> Facts:
    """Taus of both signs, over as many blocks as there are measures, and over more."""
    taus = np.array([[-6, 5, 7], [2, -1, -3], [-4, 3, 1], [0, 8, -2], [9, 0, -7]]) / 10
    taus = np.resize(taus, (MORE_BLOCKS, 3))
    if PROBES.are_hidden:
        taus = taus * PROBES.rng(1).uniform(0.5, 1.1, taus.shape)
    for n_blocks in (MORE_BLOCKS, 3):
        group = f"likeness_turned, tried on taus of {n_blocks} blocks"
        yield from calls(group, likeness_turned, taus[:n_blocks], what="taus")
    again = second_result(likeness_turned, (taus[::-1],), (taus,))
    yield "second call: taus of as many other blocks as in the first", again


def panels(draw_profiles) -> Facts:
    """Four panels of made-up numbers, as they are, and others with the likenesses turned."""
    for flip, n_blocks in ((False, 5), (True, MORE_BLOCKS)):
        rng = PROBES.rng(n_blocks)
        means = rng.uniform([0.1, 0.3, 7], [0.9, 0.8, 20], (2, n_blocks, 3))
        means[:, -1, 2] *= 3
        profile = np.stack([means, rng.uniform(-0.9, 0.9, means.shape)], axis=2)
        group = f"draw_profiles, flip={flip}"
        drawn, is_changed = tried(draw_profiles, profile, flip)
        yield f"{group}: a figure", drawn
        shown = figures.panels(drawn)
        yield f"{group}: panels by letter", sorted(set("ABCD") & set(shown))
        for letter in "ABCD":
            yield from _curves(f"panel {letter}, flip={flip}", shown[letter])
        for letter in "ABCD":
            is_turned = flip and letter in "BD"
            yield from _labels(f"legend of panel {letter}, flip={flip}", shown[letter], is_turned)
        yield f"{group}: changes what it is given?", is_changed


def _curves(group: str, axes) -> Facts:
    """Blocks and heights of each curve; a line that marks a level has no name of its own."""
    curves = [points for name, points in figures.lines(axes) if not name.startswith("_")]
    yield f"{group}: number of curves", len(curves)
    yield f"{group}: heights of the curves", [points[:, 1] for points in curves]
    yield f"{group}: blocks that they are drawn at", [points[:, 0] for points in curves]


def _labels(group: str, axes, is_turned: bool) -> Facts:
    """Whether each name stands there, and more than the name only where a sign was turned."""
    labels = dict(zip(MEASURES, figures.legend(axes), strict=True))
    for name, label in labels.items():
        yield f"{group}: {name} named", name in label
        is_meant = is_turned and name in LIKENESSES
        where = f"{name}, turned here" if is_meant else f"{name}, not turned here?"
        yield f"{group}: more than the name for {where}", label.strip() != name


def words(agreement) -> Facts:
    """Two couples of profiles with taus of both signs; means that would agree otherwise."""
    for n_blocks in (5, MORE_BLOCKS):
        rng = PROBES.rng(n_blocks)
        taus = rng.normal(size=(2, 2, n_blocks, 1, 3))
        taus[1] += taus[0] * np.array([[1.5, 0, -0.5], [0.5, 1, -2]])[:, None, None]
        profiles = np.concatenate([rng.uniform(1, 9, taus.shape), np.tanh(taus)], axis=3)
        result, is_changed = tried(agreement, *profiles)
        group = f"agreement, of profiles over {n_blocks} blocks"
        yield f"{group}: how many arrays", outline(result)
        yield f"{group}: changes what it is given?", is_changed
        if not isinstance(result, Raised):
            for what, numbers in zip(("shape", "side"), result, strict=True):
                yield f"{what} of curves over {n_blocks} blocks: numbers", numbers
        same = run(agreement, profiles[1], profiles[1])
        yield f"a profile and itself, {n_blocks} blocks: shape and side", same


check = checker(__name__)
