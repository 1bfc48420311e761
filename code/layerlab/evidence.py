"""What belongs beside an estimate of mutual information, so that somebody else can judge it."""

import threading
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma
from scipy.stats import norm, rankdata

from layerlab._validate import pair, positive_integer
from layerlab.errors import MeasureWarning
from layerlab.information import Unit, mutual_information, signed_information, to_unit
from layerlab.statistics import shifted_information, shuffled_information

LIMIT = 0.95  # the share of chance's draws below its limit
_CATCHING = threading.RLock()  # what catches warnings changes what all threads see
_N_PARTS, _PART = 10, 25  # at most so many parts, of at least so many samples
_N_LAGS = 20  # how far back a memory is looked for
_COPIES = 0.05  # share of samples that may have n_neighbors copies of themselves
_NEAR = 0.75  # share of the ceiling from which on an estimate says "at least"
_TAILS = 0.1  # bits by which ranks may change an estimate


@dataclass(frozen=True)
class Report:
    """An estimate of mutual information, and what it has to be judged by.

    Attributes
    ----------
    estimate : float
        The nearest-neighbour estimate, in `unit`, as all that follow but `distinct`.
    unit : {"bits", "nats"}
        The unit.
    n_samples, n_neighbors : int
        What the estimate was made of.
    spread : float
        Its standard error, foreseen from parts of the samples; NaN below two parts of 25.
    floor : float
        Mean of the estimates after shuffling: what the estimator makes of nothing.
    shuffled, shifted : float
        What 95 % of the estimates stay below when y is shuffled, or turned like a ring. `shifted`
        is NaN unless the samples are in an order.
    by_rank : float
        The estimate after both variables are replaced by normal quantiles of their ranks, which
        changes no mutual information, but tames tails.
    from_r : float
        What Pearson's correlation alone would give, were the two jointly normal.
    ceiling : float
        The largest value that the estimator can give for so many samples.
    distinct : float
        Distinct values among the samples, as a share, of the variable that repeats more.
    warnings : tuple of str
        What speaks against taking the estimate at its word, a sentence each.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(0).standard_normal((2, 500))
    >>> found = report(x, x + noise)
    >>> found.estimate > found.chance, found.warnings
    (True, ())
    """

    estimate: float
    unit: Unit
    n_samples: int
    n_neighbors: int
    spread: float
    floor: float
    shuffled: float
    shifted: float
    by_rank: float
    from_r: float
    ceiling: float
    distinct: float
    warnings: tuple[str, ...]

    @property
    def chance(self) -> float:
        """The limit of chance that counts: of shifts where there are any, else of shuffles."""
        return self.shuffled if np.isnan(self.shifted) else self.shifted

    def __str__(self) -> str:
        spread = "" if np.isnan(self.spread) else f" ± {self.spread:.2f}"
        shifts = "" if np.isnan(self.shifted) else f", of shifts below {self.shifted:.2f}"
        lines = [
            f"{self.estimate:.2f}{spread} {self.unit} of mutual information "
            f"(KSG, k = {self.n_neighbors}, n = {self.n_samples})",
            f"nothing gives {self.floor:.2f} on average; 95 % of shuffles stay below "
            f"{self.shuffled:.2f}{shifts}",
            f"by rank {self.by_rank:.2f}; from Pearson's r {self.from_r:.2f}; "
            f"ceiling {self.ceiling:.2f}; {self.distinct:.0%} distinct values",
        ]
        return "\n".join([*lines, *(f"careful: {warning}" for warning in self.warnings)])


def report(
    x: ArrayLike,
    y: ArrayLike,
    *,
    ordered: bool = False,
    n_neighbors: int = 3,
    unit: Unit = "bits",
    n_shuffles: int = 200,
    seed: int = 0,
) -> Report:
    """Mutual information of two continuous variables, with all that belongs beside it.

    Parameters
    ----------
    x, y : array_like, shape (n_samples,)
        Paired samples; more of them than `n_neighbors`.
    ordered : bool
        Whether the samples follow each other, as in time or in a text. Their neighbours may then
        resemble each other, and chance is judged by shifts, too.
    n_neighbors, unit
        As in `layerlab.information.mutual_information`.
    n_shuffles : int
        Number of shuffles, and of shifts.
    seed : int
        Random seed of shuffles, shifts, parts, and of the estimator's noise.

    Returns
    -------
    Report
        Printed, it is three lines and one for each warning.

    Raises
    ------
    MeasureError
        As `mutual_information`.

    Notes
    -----
    The spread is the standard deviation of unclipped estimates over m parts, by the root of m;
    parts are drawn without replacement, since a sample and its copy would pass for a relation, and
    are stretches where the samples are ordered. It leans low where parts hold a few dozen samples,
    and knows nothing of a bias that all parts share.

    References
    ----------
    C. M. Holmes and I. Nemenman, "Estimation of mutual information for real-valued data with
    error bars and controlled bias", Physical Review E 100, 022404, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> x, noise = np.random.default_rng(3).standard_normal((2, 500))
    >>> print(report(x, x + noise))  # the truth is 0.5 bits
    0.44 ± 0.07 bits of mutual information (KSG, k = 3, n = 500)
    nothing gives 0.02 on average; 95 % of shuffles stay below 0.07
    by rank 0.44; from Pearson's r 0.43; ceiling 7.15; 100% distinct values
    """
    n_shuffles = positive_integer(n_shuffles, "n_shuffles")
    options: dict[str, Any] = {"n_neighbors": n_neighbors, "unit": unit, "seed": seed}
    with _CATCHING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MeasureWarning)
        estimate = mutual_information(x, y, **options)
    a, b = pair(x, y)
    n_samples = a.size
    with _CATCHING, warnings.catch_warnings():
        warnings.simplefilter("ignore", MeasureWarning)  # said once, of the estimate
        floor = shuffled_information(a, b, n_shuffles=n_shuffles, **options)
        shifts = shifted_information(a, b, n_shifts=n_shuffles, **options) if ordered else [np.nan]
        spread = _spread(a, b, ordered, options)
    found = Report(
        estimate=estimate,
        unit=unit,
        n_samples=n_samples,
        n_neighbors=n_neighbors,
        spread=spread,
        floor=float(floor.mean()),
        shuffled=float(np.quantile(floor, LIMIT)),
        shifted=float(np.quantile(shifts, LIMIT)),
        by_rank=mutual_information(_normal_scores(a), _normal_scores(b), **options),
        from_r=to_unit(_normal_information(a, b), unit),
        ceiling=to_unit(float(digamma(n_samples) - digamma(n_neighbors + 1)), unit),
        distinct=min(np.unique(a).size, np.unique(b).size) / n_samples,
        warnings=(),
    )
    said = [str(warning.message) for warning in caught]
    doubts = (*said, *_doubts(found), *_doubts_of_samples(a, b, ordered, n_neighbors))
    return Report(**(vars(found) | {"warnings": doubts}))


def _spread(x: np.ndarray, y: np.ndarray, ordered: bool, options: dict) -> float:
    """Standard error from parts: stretches of what is ordered, else drawn at random."""
    smallest = max(_PART, 2 * options["n_neighbors"] + 2)
    n_parts = min(_N_PARTS, x.size // smallest)
    if n_parts < 2:
        return float("nan")
    x, y = (_standard(v) if np.ptp(v) else v for v in (x, y))  # an offset may be beyond reach
    rng = np.random.default_rng(options["seed"])
    order = np.arange(x.size) if ordered else rng.permutation(x.size)
    parts = np.array_split(order, n_parts)
    estimates = [signed_information(x[part], y[part], **options) for part in parts]
    return float(np.std(estimates, ddof=1) / np.sqrt(n_parts))


def _normal_scores(values: np.ndarray) -> np.ndarray:
    """Each value replaced by the normal quantile of its rank."""
    return norm.ppf((rankdata(values) - 0.5) / values.size)


def _normal_information(x: np.ndarray, y: np.ndarray) -> float:
    """Nats that two jointly normal variables of their correlation share; 0 if one is constant."""
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    r = np.corrcoef(_standard(x), _standard(y))[0, 1]
    with np.errstate(divide="ignore"):
        return float(-0.5 * np.log(max(1 - r**2, 0)))


def _standard(values: np.ndarray) -> np.ndarray:
    """Values between 0 and 1, so that nothing of their squares is lost."""
    low, high = values.min(), values.max()
    return (values / 2 - low / 2) / (high / 2 - low / 2)


def _doubts(found: Report) -> list[str]:
    """What the numbers themselves speak of."""
    tails = to_unit(_TAILS * np.log(2), found.unit)
    doubts = []
    if found.estimate <= found.chance:
        doubts.append(
            f"chance alone gives up to {found.chance:.2f} {found.unit}: these samples show no "
            "relation."
        )
    if found.estimate > _NEAR * found.ceiling:
        doubts.append(
            f"the estimate is near its ceiling of {found.ceiling:.2f} {found.unit}: say "
            "'at least', or take more samples."
        )
    if np.isnan(found.spread):
        doubts.append(
            f"{found.n_samples} samples are too few to see how far the estimate scatters: "
            f"{2 * max(_PART, 2 * found.n_neighbors + 2)} would do."
        )
    elif abs(found.by_rank - found.estimate) > max(tails, 2 * found.spread):
        doubts.append(
            f"ranks give {found.by_rank:.2f} {found.unit}: tails or outliers distort the estimate; "
            "look at the points, and take the ranks' number."
        )
    return doubts


def _doubts_of_samples(x: np.ndarray, y: np.ndarray, ordered: bool, n_neighbors: int) -> list[str]:
    """What the samples speak of."""
    doubts = [f"{name} is constant." for name, v in (("x", x), ("y", y)) if np.ptp(v) == 0]
    if doubts:
        return doubts
    _, kind, copies = np.unique([x, y], axis=1, return_inverse=True, return_counts=True)
    piled = float(np.mean(copies[kind.ravel()] > n_neighbors))
    if piled > _COPIES:
        doubts.append(
            f"{piled:.0%} of the samples have {n_neighbors} or more exact copies, among which the "
            "estimator sees only its own noise. If the values are kinds, count them: "
            "histogram_mutual_information."
        )
    if not ordered and (worth := _worth(x, y)) < x.size:
        doubts.append(
            f"samples resemble those before them, so that {x.size} may be worth {worth:.0f}. If "
            "they follow each other in time or in a text, a shuffle is no control: pass "
            "ordered=True."
        )
    return doubts


def _worth(x: np.ndarray, y: np.ndarray) -> float:
    """How many independent samples these are worth; all of them if no memory is seen.

    A covariance of n samples scatters as that of n / (1 + 2 sum of r_k s_k) independent ones, with
    r_k and s_k the correlations of x and of y with themselves k places before.
    """
    n_lags = min(_N_LAGS, x.size // 4)
    rng = np.random.default_rng(0)
    first, second = _memories(x, n_lags), _memories(y, n_lags)  # (2, n_lags) each
    inflation = _inflation(first, second)
    by_chance = [_inflation(first, _memories(rng.permutation(y), n_lags)) for _ in range(19)]
    return x.size / inflation if inflation > max(1.25, *by_chance) else x.size


def _inflation(first: np.ndarray, second: np.ndarray) -> float:
    return float(1 + 2 * np.inner(first, second).max())


def _memories(values: np.ndarray, n_lags: int) -> np.ndarray:
    """Rank correlations with 1, 2, … places before: of the values, and of how far out they lie."""
    kinds = rankdata([values, np.abs(values - np.median(values))], axis=1)  # (2, n)
    kinds -= kinds.mean(axis=1, keepdims=True)
    sizes = np.maximum((kinds**2).sum(axis=1), 1e-9)
    lagged = [(kinds[:, k:] * kinds[:, :-k]).sum(axis=1) / sizes for k in range(1, n_lags + 1)]
    return np.reshape(lagged, (n_lags, 2)).T
