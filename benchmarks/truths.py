"""Estimators on pairs whose mutual information is known: ``python -m benchmarks.truths``.

The tasks are those of one dimension, or their like, of P. Czyż, F. Grabowski, J. Vogt,
N. Beerenwinkel and A. Marx, "Beyond normal: on the evaluation of mutual information estimators",
Advances in Neural Information Processing Systems 36, 2023, whose package is `benchmark-mi`; the
truths are derived here anew. Each task draws (x, y) of shape (n_samples,) each.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import digamma, gammaln

from benchmarks import machine
from coursebuild.course import CourseError, course_root
from layerlab.information import histogram_mutual_information, mutual_information

SIZES = (100, 1280)
N_DRAWS = 100


@dataclass(frozen=True)
class Task:
    """A pair of random variables: its true mutual information in bits, and how to draw it."""

    truth: float
    draw: Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]


def normal_bits(rho):
    """Truth of two normal variables with correlation rho: log2(1 / (1 - rho^2)) / 2."""
    return 0.5 * np.log2(1 / (1 - rho**2))


def student_bits(rho, freedom):
    """Truth of two variables of a bivariate Student t, in bits.

    With v degrees of freedom and dispersion [[1, rho], [rho, 1]], the density of d such variables
    falls with s = z' (dispersion)^-1 z as g_d (1 + s / v)^(-(v + d) / 2). Its differential entropy
    is -ln g_d + (v + d) / 2 E[ln(1 + s / v)]. There s / v is a ratio of chi-squared variables with
    d and v degrees of freedom, so that the expectation is digamma((v + d) / 2) - digamma(v / 2);
    and -ln g_d = ln Gamma(v / 2) - ln Gamma((v + d) / 2) + d / 2 ln(v pi), plus half the logarithm
    of the dispersion's determinant. Twice the entropy for d = 1 less that for d = 2 is the truth;
    v pi drops out, and the determinant leaves what two normals would share.

    R. B. Arellano-Valle, J. E. Contreras-Reyes and M. G. Genton, "Shannon entropy and mutual
    information for multivariate skew-elliptical distributions", Scandinavian Journal of
    Statistics 40, 2013.
    """

    def entropy(d):  # without what drops out
        half, whole = freedom / 2, (freedom + d) / 2
        return gammaln(half) - gammaln(whole) + whole * (digamma(whole) - digamma(half))

    return normal_bits(rho) + (2 * entropy(1) - entropy(2)) / np.log(2)


def uniform_noise_bits(width):
    """Truth of x uniform on (0, 1) and y = x + noise, uniform on (-width, width), in bits.

    I(x; y) = h(y) - h(noise), with h(noise) = ln(2 width). y has a density like a trapezoid: flat
    at 1 / max(1, 2 width), with ramps as long as the shorter of the two intervals. If the noise is
    the shorter, the ramps hold 2 width / 2 nats of entropy and the flat part none: width -
    ln(2 width). If it is the longer, the same integrals give ln(2 width) + 1 / (4 width) for h(y),
    of which 1 / (4 width) is left.
    """
    nats = width - np.log(2 * width) if width <= 0.5 else 1 / (4 * width)
    return nats / np.log(2)


def draw_normal(rho, change=lambda values: values):
    """Draw two normal variables, each changed by a rising function, which costs no information."""

    def draw(n_samples, rng):
        x, noise = rng.standard_normal((2, n_samples))
        return change(x), change(rho * x + np.sqrt(1 - rho**2) * noise)

    return draw


def draw_student(rho, freedom):
    """Draw two normal variables over the root of one and the same chi-squared variable."""

    def draw(n_samples, rng):
        x, y = draw_normal(rho)(n_samples, rng)
        shrink = np.sqrt(rng.chisquare(freedom, n_samples) / freedom)
        return x / shrink, y / shrink

    return draw


def draw_uniform_noise(width):
    """Draw a uniform variable and its sum with uniform noise."""

    def draw(n_samples, rng):
        x = rng.random(n_samples)
        return x, x + rng.uniform(-width, width, n_samples)

    return draw


def power(values):
    """Stretch the far values: |v|^(3/2) with the sign of v."""
    return np.sign(values) * np.abs(values) ** 1.5


def wiggle(values):
    """A line with two waves on it; its slope 1 + 0.5 cos(2 v) + 0.4 cos(5 v) is at least 0.1."""
    return values + 0.25 * np.sin(2 * values) + 0.08 * np.sin(5 * values)


def two_humps(values):
    """Give normal values the distribution of a mixture: 3 in 10 about -2, the others about 1.

    Each value takes the mixture's quantile of its own probability, read from a fine grid.
    """
    grid = np.linspace(-7, 6, 20_001)
    mixture = 0.3 * stats.norm.cdf(grid, -2, 0.5) + 0.7 * stats.norm.cdf(grid, 1, 0.5)
    return np.interp(stats.norm.cdf(values), mixture, grid)


TASKS = {
    "normal, ρ = 0": Task(normal_bits(0), draw_normal(0)),
    "normal, ρ = 0.75": Task(normal_bits(0.75), draw_normal(0.75)),
    "normal, ρ = 0.95": Task(normal_bits(0.95), draw_normal(0.95)),
    "normal, ρ = 0.75, asinh": Task(normal_bits(0.75), draw_normal(0.75, np.arcsinh)),
    "normal, ρ = 0.75, power 3/2": Task(normal_bits(0.75), draw_normal(0.75, power)),
    "normal, ρ = 0.75, wiggly": Task(normal_bits(0.75), draw_normal(0.75, wiggle)),
    "normal, ρ = 0.75, two humps": Task(normal_bits(0.75), draw_normal(0.75, two_humps)),
    "Student t, 1 degree, ρ = 0": Task(student_bits(0, 1), draw_student(0, 1)),
    "Student t, 2 degrees, ρ = 0.75": Task(student_bits(0.75, 2), draw_student(0.75, 2)),
    "Student t, 5 degrees, ρ = 0.75": Task(student_bits(0.75, 5), draw_student(0.75, 5)),
    "uniform, noise of ±0.1": Task(uniform_noise_bits(0.1), draw_uniform_noise(0.1)),
    "uniform, noise of ±0.75": Task(uniform_noise_bits(0.75), draw_uniform_noise(0.75)),
}


def histogram(bins, **options):
    """A histogram estimator with these options, ready for x and y."""
    return lambda x, y: histogram_mutual_information(x, y, bins, n_shuffles=10, **options)


ESTIMATORS = {
    "KSG, k = 3": mutual_information,
    "8 bins": histogram(8),
    "16 bins": histogram(16),
    "8 bins, equal frequency": histogram(8, binning="frequency"),
    "16 bins, equal frequency": histogram(16, binning="frequency"),
    "8 bins, Miller–Madow": histogram(8, correction="miller-madow"),
    "8 bins, shuffle": histogram(8, correction="shuffle"),
}


def errors(task, n_samples, n_draws, seed=0):
    """Estimate less truth in bits, every estimator on the same draws, (n_estimators, n_draws)."""
    rng = np.random.default_rng(seed)
    draws = [task.draw(n_samples, rng) for _ in range(n_draws)]
    estimates = [[estimate(x, y) for x, y in draws] for estimate in ESTIMATORS.values()]
    return np.array(estimates) - task.truth


def measure(n_draws=N_DRAWS):
    """Bias and spread of every estimator on every task, for the file that the book reads."""
    tasks = {}
    for name, task in TASKS.items():
        found = {n: errors(task, n, n_draws) for n in SIZES}  # (n_estimators, n_draws) each
        tasks[name] = {"truth": float(task.truth)} | {
            f"{kind}_{n}": dict(zip(ESTIMATORS, row.round(6).tolist(), strict=True))
            for n, values in found.items()
            for kind, row in (("bias", values.mean(axis=1)), ("spread", values.std(axis=1)))
        }
    return tasks


def main():
    """Measure, print a table, and write ``benchmarks/truths.json``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.truths", description=__doc__)
    parser.parse_args()
    try:
        out = course_root() / "benchmarks" / "truths.json"
    except CourseError as error:
        parser.error(str(error))
    result = {"machine": machine.stamp(), "n_draws": N_DRAWS, "tasks": measure()}
    for name, task in result["tasks"].items():
        biases = " ".join(f"{bias:+7.3f}" for bias in task[f"bias_{SIZES[-1]}"].values())
        print(f"{name:32s}{task['truth']:6.3f} {biases}")
    out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nwritten to {out}")


if __name__ == "__main__":
    main()
