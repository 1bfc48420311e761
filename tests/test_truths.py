"""The pairs of known truth: truths against SciPy's entropies, draws against their truths."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import truths
from layerlab.information import mutual_information

STORED = json.loads(Path(truths.__file__).with_name("truths.json").read_text(encoding="utf-8"))
LN2 = np.log(2)


@pytest.mark.parametrize("freedom", [1, 2, 5, 30])
def test_truth_of_students_t_is_that_of_scipys_entropies(freedom):
    rho = 0.75
    together = stats.multivariate_t([0, 0], [[1, rho], [rho, 1]], freedom).entropy()
    nats = 2 * stats.t(freedom).entropy() - together
    assert truths.student_bits(rho, freedom) == pytest.approx(nats / LN2, abs=1e-9)


@pytest.mark.parametrize("width", [0.1, 0.4, 0.5, 0.75, 2])
def test_truth_of_uniform_noise_is_that_of_scipys_trapezoid(width):
    shorter, whole = min(1, 2 * width), 1 + 2 * width
    y = stats.trapezoid(shorter / whole, 1 - shorter / whole, scale=whole)
    nats = float(y.entropy()) - np.log(2 * width)
    assert truths.uniform_noise_bits(width) == pytest.approx(nats / LN2, abs=1e-6)


@pytest.mark.parametrize("change", [np.arcsinh, truths.power, truths.wiggle, truths.two_humps])
def test_a_change_of_margins_keeps_every_order(change):
    values = np.sort(np.random.default_rng(0).standard_normal(100_000))
    assert (np.diff(change(values)) > 0).all()


def test_two_humps_have_the_mixtures_distribution():
    values = truths.two_humps(np.random.default_rng(0).standard_normal(20_000))
    share = 0.3 * stats.norm.cdf(0, -2, 0.5) + 0.7 * stats.norm.cdf(0, 1, 0.5)
    assert np.mean(values < 0) == pytest.approx(share, abs=0.01)
    assert np.mean(values < -2) == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("name", truths.TASKS)
def test_draws_hold_as_much_information_as_the_truth_says(name):
    task = truths.TASKS[name]
    x, y = task.draw(20_000, np.random.default_rng(0))
    scores = [stats.norm.ppf((stats.rankdata(v) - 0.5) / len(v)) for v in (x, y)]  # tames tails
    assert mutual_information(*scores) == pytest.approx(task.truth, abs=0.04)


@pytest.mark.parametrize("name", list(truths.TASKS)[::4])
def test_the_stored_table_is_what_the_tasks_give(name):
    assert list(STORED["tasks"]) == list(truths.TASKS)
    task, stored = truths.TASKS[name], STORED["tasks"][name]
    errors = truths.errors(task, 100, STORED["n_draws"])
    assert stored["truth"] == pytest.approx(task.truth, abs=1e-12)
    for kind, row in (("bias", errors.mean(axis=1)), ("spread", errors.std(axis=1))):
        assert list(stored[f"{kind}_100"]) == list(truths.ESTIMATORS)
        np.testing.assert_allclose(list(stored[f"{kind}_100"].values()), row, rtol=0, atol=2e-6)
