"""`report(x, y)`: the estimate, what belongs beside it, and the doubts that it names."""

import re
import threading
import warnings

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression

from layerlab.errors import MeasureError
from layerlab.evidence import report
from layerlab.information import mutual_information, signed_information
from layerlab.statistics import shifted_information, shuffled_information


def normal_pair(rho, n, seed=0):
    x, noise = np.random.default_rng(seed).standard_normal((2, n))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


def walks(n, seed=0):
    return np.random.default_rng(seed).standard_normal((2, n)).cumsum(axis=1)


def test_its_numbers_are_those_of_plain_loops():
    x, y = normal_pair(0.7, 300)
    found = report(x, y, n_shuffles=20)
    plain = mutual_info_regression(x[:, None], y, random_state=0)[0] / np.log(2)
    assert found.estimate == pytest.approx(plain)
    rng = np.random.default_rng(0)
    floor = [mutual_information(x, rng.permutation(y)) for _ in range(20)]
    assert found.floor == pytest.approx(np.mean(floor))
    assert found.shuffled == pytest.approx(np.quantile(floor, 0.95))
    assert found.from_r == pytest.approx(-np.log2(1 - np.corrcoef(x, y)[0, 1] ** 2) / 2)
    assert found.ceiling == pytest.approx((digamma(300) - digamma(4)) / np.log(2))
    parts = np.array_split(np.random.default_rng(0).permutation(300), 10)
    options = {"n_neighbors": 3, "unit": "bits", "seed": 0}
    estimates = [signed_information(x[part], y[part], **options) for part in parts]
    assert found.spread == pytest.approx(np.std(estimates, ddof=1) / np.sqrt(10))
    assert (found.n_samples, found.n_neighbors, found.distinct) == (300, 3, 1)
    assert np.isnan(found.shifted) and found.chance == found.shuffled and found.warnings == ()


def test_nats_are_bits_times_ln_2():
    x, y = normal_pair(0.7, 300)
    bits, nats = (report(x, y, unit=unit, ordered=True, n_shuffles=9) for unit in ("bits", "nats"))
    for name, value in vars(bits).items():
        if isinstance(value, float) and name != "distinct":
            assert getattr(nats, name) == pytest.approx(np.log(2) * value), name
    assert "nats" in str(nats)


def test_its_spread_is_that_of_fresh_samples_or_somewhat_less():
    found = [report(*normal_pair(0.7, 250, seed), n_shuffles=1) for seed in range(300)]
    fresh = np.std([each.estimate for each in found], ddof=1)
    assert 0.65 < np.mean([each.spread for each in found]) / fresh < 0.97  # parts of 25 samples


def test_its_spread_knows_no_origin_and_no_unit():
    x, y = normal_pair(0.7, 300)
    near, far, tiny = (report(v, y, n_shuffles=1).spread for v in (x, 1e9 + x, 1e-18 * x))
    assert far == pytest.approx(near, abs=0.005) and tiny == pytest.approx(near, abs=0.005)


def test_ordered_samples_are_judged_by_shifts_and_cut_into_stretches():
    x, y = walks(347)
    found = report(x, y, ordered=True, n_shuffles=50)
    assert found.shifted == pytest.approx(np.quantile(shifted_information(x, y, n_shifts=50), 0.95))
    assert found.chance == found.shifted > 3 * found.shuffled
    stretches = [
        signed_information(x[part], y[part], n_neighbors=3, unit="bits", seed=0)
        for part in np.array_split(np.arange(347), 10)
    ]
    assert found.spread == pytest.approx(np.std(stretches, ddof=1) / np.sqrt(10))


def test_a_shift_keeps_each_series_and_moves_their_meeting():
    x, y = np.arange(20.0), np.arange(20.0) ** 2
    rng = np.random.default_rng(4)
    plain = [mutual_information(x, np.roll(y, rng.integers(1, 20)), seed=4) for _ in range(5)]
    np.testing.assert_allclose(shifted_information(x, y, n_shifts=5, seed=4), plain)
    assert shuffled_information(*walks(347)).max() < shifted_information(*walks(347)).mean()
    with pytest.raises(MeasureError, match="1 sample cannot be shifted"):
        shifted_information([1.0], [2.0])


KINDS = np.random.default_rng(0).integers(0, 2, (2, 300)).astype(float)
TAILS = [np.sign(v) * np.abs(v) ** 9 for v in normal_pair(0.9, 300)]


@pytest.mark.parametrize(
    ("samples", "doubt"),
    [
        (normal_pair(0.0, 300), "chance alone gives up to"),
        (normal_pair(0.999999, 300), "near its ceiling"),
        (normal_pair(0.7, 40), "40 samples are too few to see how far"),
        (TAILS, "tails or outliers"),
        ((np.ones(300), KINDS[1]), "x is constant"),
        ((KINDS[0], np.ones(300)), "y is constant"),
        (KINDS, "exact copies"),
        (walks(300), "pass ordered=True"),
        ((1e12 + KINDS[0] * 1e-3, normal_pair(0.5, 300)[1]), "x was given in floats|x .mean size"),
    ],
    ids=["nothing", "copy", "few", "tails", "constant x", "constant y", "kinds", "walks", "offset"],
)
def test_each_doubt_is_a_sentence(samples, doubt, recwarn):
    found = report(*samples, n_shuffles=40)
    assert any(re.search(doubt, warning) for warning in found.warnings), found.warnings
    assert f"careful: {found.warnings[0]}" in str(found)
    assert not recwarn.list


def test_a_memory_in_the_size_alone_is_seen():
    rng = np.random.default_rng(3)
    calm = np.exp(np.convolve(rng.standard_normal(1100), np.ones(40) / 6, "valid"))[:1000]
    x, y = np.log(calm) + rng.standard_normal(1000) / 2, calm * rng.standard_normal(1000)
    assert any("ordered=True" in warning for warning in report(x, y, n_shuffles=9).warnings)
    assert report(x, y, n_shuffles=9, ordered=True).warnings == ()


def test_samples_without_order_seldom_sound_the_alarm():
    found = [report(*normal_pair(0.7, 200, seed), n_shuffles=1) for seed in range(20)]
    alarms = [any("ordered=True" in warning for warning in each.warnings) for each in found]
    assert sum(alarms) <= 3


def test_kinds_against_a_continuous_variable_are_measured_well():
    kind = KINDS[0]
    y = 4 * kind + np.random.default_rng(1).standard_normal(300)  # nearly tells the kind: 1 bit
    found = report(kind, y, n_shuffles=20)
    assert 0.75 < found.estimate < 1.05
    assert not any("copies" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_shuffles": 0}, "n_shuffles = 0"),
        ({"n_neighbors": 60}, "too few for n_neighbors = 60"),
        ({"unit": "bytes"}, "'bytes'"),
        ({"x": [1, 2, np.nan]}, "nan"),
        ({"x": np.ones((5, 2))}, "shape"),
    ],
)
def test_what_cannot_be_reported_is_refused(change, words):
    x, y = normal_pair(0.5, 50)
    with pytest.raises(MeasureError, match=words):
        report(**({"x": x, "y": y} | change))


def test_a_printed_report_reads_as_a_result():
    text = str(report(*normal_pair(0.8, 400), n_shuffles=40, ordered=True))
    first, second, third = text.splitlines()
    assert first.endswith("bits of mutual information (KSG, k = 3, n = 400)") and " ± " in first
    assert "of shuffles stay below" in second and "of shifts below" in second
    assert "Pearson's r" in third and "ceiling" in third


def test_reports_in_threads_leave_the_warnings_alone():
    before = list(warnings.filters)

    def ask():
        for seed in range(10):
            report(np.random.default_rng(seed).standard_normal(60), np.arange(60.0), n_shuffles=10)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
