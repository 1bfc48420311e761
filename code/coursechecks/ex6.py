"""What the answers of exercise 6 do: sizes, measures, gaps, the sweep, curves, four panels."""

from collections.abc import Iterator

import numpy as np

from coursechecks import figures
from coursechecks.engine import Raised, calls, checker, outline, run, size_of, tried, with_names
from layerlab.sweeps import position_distances

READS = ("seen/06.json.xz",)
Facts = Iterator[tuple[str, object]]

MEASURES = ("MI", "L1", "L2")
PLACES = {  # of targets in a text: neighbours among them, and distances that come twice
    3: np.array([4, 10, 31]),
    6: np.array([5, 6, 19, 32, 57, 101]),
}


def shapes(sizes) -> Facts:
    """Counts in arrays of three shapes, in none of them as the notebook's."""
    arrays = [np.zeros(shape) for shape in ((2, 5, 7, 40), (2, 14, 4, 9), (3, 4, 11, 6))]
    function = with_names(sizes, **_other_notebook())
    answers = [run(function, array) for array in arrays]
    for array, answer in zip(arrays, answers, strict=True):
        yield f"sizes: how many numbers for an array {size_of(array)}", outline(answer)
    answers = [list(answer) for answer in answers]
    for place, what in enumerate(("blocks", "targets", "pairs")):
        group, numbers = f"number of {what}", [answer[place] for answer in answers]
        for array, number in zip(arrays, numbers, strict=True):
            yield f"{group}: in an array {size_of(array)}", number
        is_whole = all(np.asarray(number).dtype.kind in "iu" for number in numbers)
        yield f"{group}: whole numbers, of type int", is_whole
        yield f"{group}: the same for every array?", len(set(map(float, numbers))) == 1


def _other_notebook() -> dict:
    """The names of the notebook, holding other data of another size."""
    stack, targets = _stack(8, 3), PLACES[3]
    names = {"recorded": stack, "targets": targets, "gaps": position_distances(targets)}
    return names | {"n_blocks": 8, "n_targets": 3, "n_pairs": 3, "profile": stack[..., :2, :3]}


def _stack(n_blocks: int, n_targets: int) -> np.ndarray:
    """Activations (2, n_blocks, n_targets, 40) that drift from target to target."""
    rng = np.random.default_rng(60 + n_blocks)
    steps = rng.normal(size=(2, n_blocks, n_targets, 40)) * rng.uniform(0.3, 1, (2, n_blocks, 1, 1))
    return np.cumsum(steps, axis=2) + rng.normal(size=40)


def measures(measures_of) -> Facts:
    """The three measures of every two rows of four vectors, of six, and of more than ten."""
    function = with_names(measures_of, **_other_notebook())
    answers = {n: tried(function, _stack(2, n)[1, -1]) for n in (4, 6, 12)}
    for n_vectors, (answer, _) in answers.items():
        yield f"measures_of: size for {n_vectors} vectors", outline(answer)
    for n_vectors, (answer, is_changed) in answers.items():
        group = f"measures_of, tried on {n_vectors} vectors"
        yield f"{group}: measures of the pairs", answer
        yield f"{group}: changes what it is given?", is_changed


def gaps(gaps_of) -> Facts:
    """The gaps of targets at six places, and at three."""
    for places in PLACES.values():
        group = f"gaps_of, tried on targets at {places.tolist()}"
        yield from calls(group, gaps_of, places, what="gaps")


def array(empty_profile) -> Facts:
    """Room for two models that have fewer and more blocks than most."""
    function = with_names(empty_profile, **_other_notebook())
    answers = {n_blocks: run(function, n_blocks) for n_blocks in (5, 14)}
    for n_blocks, answer in answers.items():
        yield f"shape of the array: for {n_blocks} blocks", outline(answer)
    group = "numbers in the array"
    for n_blocks, answer in answers.items():
        yield f"{group}: for {n_blocks} blocks, in an array", isinstance(answer, np.ndarray)
        yield f"{group}: for {n_blocks} blocks, with fractions", answer.dtype.kind == "f"
        yield f"{group}: for {n_blocks} blocks, all zero", not answer.any()


def sweep(sweep) -> Facts:
    """Profiles of made-up models: of five blocks, of as many as components, and of very many."""
    function, results = with_names(sweep, **_other_notebook()), {}
    for n_blocks, n_targets in ((5, 6), (2, 3), (40, 3)):
        what = f"{n_blocks} blocks, {n_targets} targets"
        given = _stack(n_blocks, n_targets), position_distances(PLACES[n_targets])
        results[what], is_changed = tried(function, *given)
        yield f"sweep: size for {what}", outline(results[what])
        yield f"sweep: changes what it is given for {what}?", is_changed
    for what, result in results.items():
        if not isinstance(result, Raised):
            yield from _statistics(what, np.asarray(result, dtype=float))


def _statistics(what: str, profile) -> Facts:
    yield f"means of {what}: numbers", profile[:, :, 0]
    yield f"taus of {what}: numbers", profile[:, :, 1]
    group, (components, blocks) = f"profile of {what}", (np.ptp(profile, axis=k) for k in (0, 1))
    yield f"{group}: a block left empty?", not np.any(profile, axis=(2, 3)).all()
    yield f"{group}: both components alike?", not components.any()
    yield f"{group}: all blocks alike?", not blocks.any()


def normalise(shares_of_maximum) -> Facts:
    """Curves over as many blocks as there are measures, and over more."""
    for n_blocks in (5, 3):
        rng = np.random.default_rng(n_blocks)
        curves = rng.uniform([0.5, 90, 7], [2, 200, 20], (n_blocks, 3))
        group = f"shares_of_maximum, tried on curves over {n_blocks} blocks"
        yield from calls(group, shares_of_maximum, curves, what="shares")


def turn(information_turned) -> Facts:
    """Taus of both signs, over as many blocks as there are measures, and over more."""
    taus = np.array([[-6, 5, 7], [2, -1, -3], [-4, 3, 1], [0, 8, -2], [9, 0, -7]]) / 10
    for n_blocks in (5, 3):
        group = f"information_turned, tried on taus of {n_blocks} blocks"
        yield from calls(group, information_turned, taus[:n_blocks], what="taus")


def panels(draw_profiles) -> Facts:
    """Four panels of made-up numbers, as they are, and others with the sign of MI turned."""
    for flip, n_blocks in ((False, 5), (True, 7)):
        rng = np.random.default_rng(n_blocks)
        means = rng.uniform([0.5, 90, 7], [2, 200, 20], (2, n_blocks, 3))
        profile = np.stack([means, rng.uniform(-0.9, 0.9, means.shape)], axis=2)
        group = f"draw_profiles, flip={flip}"
        facts = dict(calls(group, draw_profiles, profile, flip, what="a figure"))
        yield f"{group}: a figure", facts[f"{group}: a figure"]
        shown = figures.panels(facts.pop(f"{group}: a figure"))
        yield f"{group}: panels by letter", sorted(set("ABCD") & set(shown))
        for letter in "ABCD":
            yield from _curves(f"panel {letter}, flip={flip}", shown[letter])
        for letter in "ABCD":
            is_turned = flip and letter in "BD"
            yield from _labels(f"legend of panel {letter}, flip={flip}", shown[letter], is_turned)
        yield from facts.items()


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
        if is_turned and name == "MI":
            yield f"{group}: more than the name for the turned sign", label.strip() != name
        else:
            yield (
                f"{group}: more than the name for {name}, not turned here?",
                label.strip() != name,
            )


check = checker(__name__)
