"""Measure our estimators beside other packages': ``python -m benchmarks``, from the repository.

Every table is made in this one run. What is compared is measured in turn, round after round, and
the medians are compared, so that a busy machine slows all of them alike; one thread means the
processor time of the whole process, several threads mean time on the clock. Next to each speed
stands the largest difference, in nats, from scikit-learn on the same input. Idle the machine first
if the seconds themselves matter, and see ``load_average`` in the result.
"""

import argparse
import json
import os
from pathlib import Path
from time import perf_counter, process_time

import numba
import numpy as np
from scipy.spatial.distance import minkowski

from benchmarks import machine, peers
from layerlab.distances import pairwise_minkowski
from layerlab.information import mutual_information, pairwise_mutual_information

RESULTS = Path(__file__).parent / "results"


def activations(n_vectors, n_samples, seed=0):
    """Heavy-tailed, correlated float32 vectors, of the kind a model's layers give."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_t(3, n_samples)
    own = rng.standard_t(3, (n_vectors, n_samples))
    weight = rng.uniform(0, 0.8, (n_vectors, 1))
    return (weight * shared + (1 - weight) * own).astype(np.float32)


def interleaved_medians(works, n_rounds, clock=process_time):
    """Median seconds of each named work, all done once a round; and their last results."""
    seconds = {name: [] for name in works}
    results = {name: work() for name, work in works.items()}  # compiled and warm
    for _ in range(n_rounds):
        for name, work in works.items():
            start = clock()
            results[name] = work()
            seconds[name].append(clock() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}, results


def laminar_sweep(n_rounds):
    """Blocks of 45 pairs of 1280 activations, information and two distances.

    A sweep has 72 blocks; we do 8 of them one after the other, the others, who take each pair by
    itself, do the first.
    """
    blocks = [activations(10, 1280, seed) for seed in range(8)]
    X = blocks[0]
    pairs = list(zip(*np.triu_indices(len(X), k=1), strict=True))
    wide = X.astype(np.float64)
    scaled = {(i, j): peers.scale_like_scikit_learn(wide[i], wide[j]) for i, j in pairs}

    def distances():
        return [[minkowski(wide[i], wide[j], p) for i, j in pairs] for p in (1, 2)]

    def loop(estimate):
        return [estimate(*scaled[pair]) for pair in pairs]

    works = {
        "scikit-learn and SciPy, a loop": lambda: (
            [peers.scikit_learn(wide[i], wide[j]) for i, j in pairs],
            distances(),
        ),
        "scikit-learn, batched columns": lambda: (
            peers.scikit_learn_batched(wide)[_by_first(pairs)],
            distances(),
        ),
        "layerlab": lambda: (
            np.concatenate([pairwise_mutual_information(B, unit="nats") for B in blocks]),
            [np.concatenate([pairwise_minkowski(B, p) for B in blocks]) for p in (1, 2)],
        ),
    }
    for name, estimate in peers.installed().items():
        works[name] = lambda estimate=estimate: (loop(estimate), distances())
    seconds, results = interleaved_medians(works, n_rounds)
    reference, reference_distances = results["scikit-learn and SciPy, a loop"]
    per_pair = {name: seconds[name] / len(results[name][0]) for name in works}
    results = {name: (r[0][: len(pairs)], r[1]) for name, r in results.items()}
    table = _compare(per_pair, {n: r[0] for n, r in results.items()}, reference)
    ours = np.array(results["layerlab"][1])[:, : len(pairs)]
    error = np.max(np.abs(ours / np.array(reference_distances) - 1))
    return {"rows": table, "distances_relative_difference": float(error)}


def _by_first(pairs):
    """Where each pair stands among pairs ordered by their second vector first."""
    return [j * (j - 1) // 2 + i for i, j in pairs]


def layer_pairs(n_rounds):
    """Norms of 36 layers, all 630 pairs; scikit-learn's time is that of the first layer's 35."""
    tables = {}
    for n_samples in (100, 300, 1000):
        X = activations(36, n_samples).astype(np.float64)
        works = {
            "scikit-learn, a loop": lambda X=X: [peers.scikit_learn(X[0], x) for x in X[1:]],
            "layerlab": lambda X=X: pairwise_mutual_information(X, unit="nats"),
        }
        seconds, results = interleaved_medians(works, n_rounds)
        per_pair = {name: seconds[name] / len(results[name]) for name in works}
        results = {name: result[:35] for name, result in results.items()}
        tables[n_samples] = _compare(per_pair, results, results["scikit-learn, a loop"])
    return tables


def single_pairs(n_rounds, sizes):
    """One pair, more and more samples."""
    tables = {}
    for n_samples in sizes:
        x, y = activations(2, n_samples).astype(np.float64)
        scaled = peers.scale_like_scikit_learn(x, y)
        works = {
            "scikit-learn": lambda x=x, y=y: peers.scikit_learn(x, y),
            "layerlab": lambda x=x, y=y: mutual_information(x, y, unit="nats"),
            "SciPy recipe": lambda scaled=scaled: peers.scipy_recipe(*scaled),
        }
        seconds, results = interleaved_medians(works, n_rounds if n_samples < 1e5 else 1)
        tables[n_samples] = _compare(seconds, results, results["scikit-learn"])
    return tables


def many_vectors(n_rounds):
    """More and more vectors of 1280 values: what a pair costs us."""
    X = activations(40, 1280)
    works = {n: lambda n=n: pairwise_mutual_information(X[:n]) for n in (2, 5, 10, 20, 40)}
    seconds, _ = interleaved_medians(works, n_rounds)
    return {n: 1e6 * seconds[n] / (n * (n - 1) // 2) for n in works}


def threads(n_rounds):
    """The whole sweep, 72 blocks of 45 pairs, on one thread and on two: seconds on the clock."""
    blocks = [activations(10, 1280, seed) for seed in range(72)]

    def sweep(n_threads):
        numba.config.NUMBA_NUM_THREADS = n_threads
        return np.array([pairwise_mutual_information(X) for X in blocks])

    default = numba.config.NUMBA_NUM_THREADS
    works = {n: lambda n=n: sweep(n) for n in (1, 2)}
    seconds, results = interleaved_medians(works, n_rounds, perf_counter)
    numba.config.NUMBA_NUM_THREADS = default
    return {"seconds": seconds, "identical": bool(np.array_equal(results[1], results[2]))}


def memory():
    """MiB that one pair of 100,000 samples, and a sweep's block, add at their peak (Linux)."""
    prepare = (
        "import numpy as np\n"
        "from layerlab.information import mutual_information, pairwise_mutual_information\n"
        "from sklearn.feature_selection import mutual_info_regression\n"
        "rng = np.random.default_rng(0)\n"
        "x, y = rng.normal(size=(2, 100_000))\n"
        "X = rng.normal(size=(10, 1280))\n"
        "mutual_information(x[:99], y[:99])\n"
        "mutual_info_regression(x[:99, None], y[:99])\n"
    )
    return {
        "layerlab, 100,000 samples": machine.peak_memory(prepare, "mutual_information(x, y)"),
        "scikit-learn, 100,000 samples": machine.peak_memory(
            prepare, "mutual_info_regression(x[:, None], y)"
        ),
        "layerlab, 10 vectors of 1280": machine.peak_memory(
            prepare, "pairwise_mutual_information(X)"
        ),
        "scikit-learn, 10 vectors of 1280": machine.peak_memory(
            prepare, "[mutual_info_regression(X[:j].T, X[j]) for j in range(1, 10)]"
        ),
    }


def _compare(seconds, results, reference):
    """Rows of a table: time a pair, times faster than the first, difference from the reference."""
    baseline = next(iter(seconds.values()))
    return {
        name: {
            "microseconds_a_pair": 1e6 * seconds[name],
            "times_faster": baseline / seconds[name],
            "largest_difference_nats": float(
                np.max(np.abs(np.asarray(results[name]) - np.asarray(reference)))
            ),
        }
        for name in seconds
    }


def print_table(title, rows):
    """One comparison, to read."""
    print(f"\n{title}\n{'':32}{'µs a pair':>12}{'× faster':>10}{'differs by':>12}")
    for name, row in rows.items():
        print(
            f"{name:32}{row['microseconds_a_pair']:12.1f}{row['times_faster']:10.2f}"
            f"{row['largest_difference_nats']:12.1e}"
        )


def main():
    """Measure, print the tables, and write them to ``benchmarks/results/`` as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="times everything is done")
    parser.add_argument("--million", action="store_true", help="a pair of 1,000,000 samples, too")
    parser.add_argument("--out", type=Path, help="the result file; named by the time if left out")
    options = parser.parse_args()
    sizes = [1000, 10_000, 100_000] + [1_000_000] * options.million
    numba.config.NUMBA_NUM_THREADS = 1
    result = {"machine": machine.stamp(), "rounds": options.rounds}
    result["laminar_sweep"] = laminar_sweep(options.rounds)
    print_table("The sweep, blocks of 45 pairs, 1280 samples", result["laminar_sweep"]["rows"])
    result["layer_pairs"] = layer_pairs(options.rounds)
    for n_samples, rows in result["layer_pairs"].items():
        print_table(f"Pairs of layers, {n_samples} samples", rows)
    result["single_pair"] = single_pairs(options.rounds, sizes)
    for n_samples, rows in result["single_pair"].items():
        print_table(f"One pair, {n_samples} samples", rows)
    result["microseconds_a_pair_by_vectors"] = many_vectors(options.rounds)
    print("\nµs a pair by number of vectors:", result["microseconds_a_pair_by_vectors"])
    result["threads"] = threads(options.rounds)
    print("The whole sweep by threads:", result["threads"])
    result["peak_memory_mib"] = memory()
    print("Peak memory, MiB:", result["peak_memory_mib"])
    result["first_call_seconds"] = dict(
        zip(("empty_cache", "full_cache"), machine.cold_compilation(), strict=True)
    )
    print("First call, seconds:", result["first_call_seconds"])
    result["load_average_at_the_end"] = os.getloadavg()[0]
    out = options.out or RESULTS / f"{result['machine']['time'].replace(':', '-')}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {out}")


if __name__ == "__main__":
    main()
