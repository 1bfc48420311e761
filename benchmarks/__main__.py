"""Measure our estimators beside other packages': ``python -m benchmarks``, from the repository.

What is compared is measured in turn, round after round, and the medians are compared, so that a
busy machine slows all of them alike; beside their ratio stand its lowest and highest round. One
thread means the processor time of the whole process, several threads mean time on the clock. Next
to each speed stands the largest difference, in nats, from scikit-learn on the same input. The last
table holds each ratio that we promise. Idle the machine first if the seconds themselves matter, and
see ``load_average`` in the result.

A first process compiles the kernel, and others measure, which load what it kept, as nearly every
process of a user does. The two run different machine code: the one that compiles takes a function
as it was compiled by itself, the others as it was optimised once more within the function that
calls it. To measure in the process that compiled can flatter.
"""

import argparse
import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from scipy.spatial.distance import minkowski

from benchmarks import machine, peers
from coursebuild.course import CourseError, course_root
from layerlab import ksg
from layerlab.distances import pairwise_minkowski
from layerlab.information import mutual_information, pairwise_mutual_information

LOOP = "scikit-learn and SciPy, a loop"


def activations(n_vectors, n_samples, seed=0, shares=(0, 0.8)):
    """Heavy-tailed float32 vectors that share a part, of the kind a model's layers give."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_t(3, n_samples)
    own = rng.standard_t(3, (n_vectors, n_samples))
    weight = rng.uniform(*shares, (n_vectors, 1))
    return (weight * shared + (1 - weight) * own).astype(np.float32)


def interleaved(works, n_rounds, clock=process_time):
    """Seconds of each named work, all done once a round, (n_rounds,) each; their last results."""
    seconds = {name: [] for name in works}
    results = {name: work() for name, work in works.items()}  # compiled and warm
    for _ in range(n_rounds):
        for name, work in works.items():
            start = clock()
            results[name] = work()
            seconds[name].append(clock() - start)
    return {name: np.array(values) for name, values in seconds.items()}, results


def on_threads(n_threads, work):
    """The result of `work`, layerlab using that many threads."""
    before = numba.config.NUMBA_NUM_THREADS
    numba.config.NUMBA_NUM_THREADS = n_threads
    try:
        return work()
    finally:
        numba.config.NUMBA_NUM_THREADS = before


def sweep(blocks):
    """What we do for the blocks of a sweep: information and two distances."""
    distances = [pairwise_minkowski(blocks, p) for p in (1, 2)]
    return pairwise_mutual_information(blocks, unit="nats"), distances


def sweep_loop(X):
    """The same for one block as a loop over scikit-learn and SciPy."""
    X = X.astype(np.float64)
    pairs = list(combinations(X, 2))
    distances = [[minkowski(x, y, p) for x, y in pairs] for p in (1, 2)]
    return [peers.scikit_learn(x, y) for x, y in pairs], distances


def laminar_sweep(n_rounds):
    """Blocks of 45 pairs of 1280 activations, information and two distances, on one thread.

    A sweep has 72 blocks; we do 8 of them, the others, who take each pair by itself, do the first.
    """
    blocks = np.stack([activations(10, 1280, seed) for seed in range(8)])
    X = blocks[0].astype(np.float64)
    pairs = list(combinations(range(len(X)), 2))
    scaled = [peers.scale_like_scikit_learn(X[i], X[j]) for i, j in pairs]

    def distances():
        return [[minkowski(X[i], X[j], p) for i, j in pairs] for p in (1, 2)]

    works = {
        LOOP: lambda: sweep_loop(blocks[0]),
        "scikit-learn, batched columns": lambda: (
            peers.scikit_learn_batched(X)[_by_first(pairs)],
            distances(),
        ),
        "layerlab": lambda: sweep(blocks),
    }
    for name, estimate in peers.installed().items():
        works[name] = lambda estimate=estimate: ([estimate(*pair) for pair in scaled], distances())
    seconds, results = interleaved(works, n_rounds)
    n_pairs = {name: np.size(result[0]) for name, result in results.items()}
    first = {name: np.ravel(result[0])[: len(pairs)] for name, result in results.items()}
    ours = np.array([values[0] for values in results["layerlab"][1]])  # (2, n_pairs)
    error = np.max(np.abs(ours / np.array(results[LOOP][1]) - 1))
    return {
        "rows": _compare(seconds, n_pairs, first),
        "distances_relative_difference": float(error),
    }


def threads(n_rounds):
    """The whole sweep, 72 blocks, on one thread and on two, by the clock; the loop does one."""
    blocks = np.stack([activations(10, 1280, seed) for seed in range(72)])
    works = {
        LOOP: lambda: sweep_loop(blocks[0])[0],
        "layerlab, 1 thread": lambda: on_threads(1, lambda: sweep(blocks)[0]),
        "layerlab, 2 threads": lambda: on_threads(2, lambda: sweep(blocks)[0]),
    }
    seconds, results = interleaved(works, n_rounds, perf_counter)
    n_pairs = {name: np.size(result) for name, result in results.items()}
    first = {name: np.ravel(result)[:45] for name, result in results.items()}
    one, two = (f"layerlab, {name}" for name in ("1 thread", "2 threads"))
    return {
        "rows": _compare(seconds, n_pairs, first),
        "seconds": {n: float(np.median(seconds[name])) for n, name in ((1, one), (2, two))},
        "identical": bool(np.array_equal(results[one], results[two])),
    }


def tuned_sweep(n_rounds):
    """The sweep's blocks by the loop and by us; for a kernel compiled as for another processor."""
    blocks = np.stack([activations(10, 1280, seed) for seed in range(8)])
    works = {LOOP: lambda: sweep_loop(blocks[0])[0], "layerlab": lambda: sweep(blocks)[0]}
    seconds, results = interleaved(works, n_rounds)
    n_pairs = {name: np.size(result) for name, result in results.items()}
    first = {name: np.ravel(result)[:45] for name, result in results.items()}
    return _compare(seconds, n_pairs, first)


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
        seconds, results = interleaved(works, n_rounds)
        n_pairs = {name: len(result) for name, result in results.items()}
        first = {name: result[:35] for name, result in results.items()}
        tables[n_samples] = _compare(seconds, n_pairs, first)
    return tables


def single_pairs(n_rounds, sizes):
    """One pair, more and more samples."""
    tables = {}
    for n_samples in sizes:
        x, y = activations(2, n_samples, shares=(0.6, 0.8)).astype(np.float64)
        scaled = peers.scale_like_scikit_learn(x, y)
        works = {
            "scikit-learn": lambda x=x, y=y: peers.scikit_learn(x, y),
            "layerlab": lambda x=x, y=y: mutual_information(x, y, unit="nats"),
            "SciPy recipe": lambda scaled=scaled: peers.scipy_recipe(*scaled),
        }
        seconds, results = interleaved(works, n_rounds if n_samples < 1e5 else 3)
        tables[n_samples] = _compare(seconds, dict.fromkeys(works, 1), results)
    return tables


def many_vectors(n_rounds):
    """More and more vectors of 1280 values: what a pair costs us."""
    X = activations(40, 1280)
    works = {n: lambda n=n: pairwise_mutual_information(X[:n]) for n in (2, 5, 10, 20, 40)}
    seconds, _ = interleaved(works, n_rounds)
    return {n: 1e6 * float(np.median(seconds[n])) / (n * (n - 1) // 2) for n in works}


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


def _compare(seconds, n_pairs, results):
    """Rows of a table: time a pair, times faster than the first, difference from the first."""
    per_pair = {name: values / n_pairs[name] for name, values in seconds.items()}
    baseline, reference = (next(iter(values.values())) for values in (per_pair, results))
    return {
        name: {
            "microseconds_a_pair": 1e6 * float(np.median(values)),
            "times_faster": float(np.median(baseline) / np.median(values)),
            "lowest_and_highest_round": [float(f(baseline / values)) for f in (np.min, np.max)],
            "largest_difference_nats": float(
                np.max(np.abs(np.asarray(results[name]) - np.asarray(reference)))
            ),
        }
        for name, values in per_pair.items()
    }


def measure(n_rounds, sizes):
    """All tables that are made in one process, which must have compiled nothing."""
    result = {
        "laminar_sweep": laminar_sweep(n_rounds),
        "threads": threads(n_rounds),
        "layer_pairs": layer_pairs(n_rounds),
        "single_pair": single_pairs(n_rounds, sizes),
        "microseconds_a_pair_by_vectors": many_vectors(n_rounds),
    }
    refuse_what_was_compiled_here()
    return result


def refuse_what_was_compiled_here():
    """An error if this process compiled a kernel, instead of loading what another one kept."""
    kernels = [kernel for kernel in vars(ksg).values() if isinstance(kernel, Dispatcher)]
    compiled = [kernel.__name__ for kernel in kernels if kernel.stats.cache_misses]
    if compiled or not any(kernel.stats.cache_hits for kernel in kernels):
        raise RuntimeError(f"loaded nothing, or compiled while measuring: {compiled}")


def in_a_process(environment, *options):
    """What ``python -m benchmarks`` with these options finds, in a process of its own."""
    with TemporaryDirectory() as folder:
        out = Path(folder, "result.json")
        command = [sys.executable, "-m", "benchmarks", *options, f"--out={out}"]
        subprocess.run(command, check=True, env=os.environ | environment)
        return json.loads(out.read_text())


def tunings(n_rounds):
    """The sweep once more, our kernel compiled as for other processors."""
    tables = {}
    for name, environment in machine.tunings().items():
        print(f"measuring, compiled for {name}", flush=True)
        with TemporaryDirectory() as cache:
            environment |= {"NUMBA_CACHE_DIR": cache}
            machine.first_call(environment)
            tables[name] = in_a_process(environment, "--part=tuned", f"--rounds={n_rounds}")
    return tables


def middle_of(found, key=""):
    """One result of several runs': medians, the largest difference, the extreme rounds."""
    first = found[0]
    if isinstance(first, dict):
        names = dict.fromkeys(name for one in found for name in one)  # a run may lack some
        middle = {n: middle_of([one[n] for one in found if n in one], n) for n in names}
        if "times_faster" in first:
            middle["each_run"] = [one["times_faster"] for one in found]
        return middle
    if isinstance(first, bool):
        return all(found)
    if key == "lowest_and_highest_round":
        return [min(np.ravel(found)), max(np.ravel(found))]
    return float((np.max if "difference" in key else np.median)(found))


def promises(result):
    """Each ratio that we promise: what for, how much, and the row that shows it."""
    sweep_rows, threads_rows = result["laminar_sweep"]["rows"], result["threads"]["rows"]
    wide = result["machine"]["avx512"]
    found = [
        ("sweep, 1 thread", 50 if wide else 15, sweep_rows["layerlab"]),
        ("sweep, 2 threads", 85 if wide else 15, threads_rows["layerlab, 2 threads"]),
    ]
    if machine.NARROW in result["tunings"]:
        row = result["tunings"][machine.NARROW]["layerlab"]
        found.append(("sweep, 1 thread, without AVX-512", 15, row))
    for n_samples, promised in (("1000", 60), ("100", 250)):
        row = result["layer_pairs"][n_samples]["layerlab"]
        found.append((f"630 pairs of layers, {n_samples} values", promised, row))
    for n_samples in ("100000", "1000000"):
        if n_samples in result["single_pair"]:
            row = result["single_pair"][n_samples]["layerlab"]
            found.append((f"one pair, {int(n_samples):,} values", 10, row))
    return {name: {"promised": promised} | row for name, promised, row in found}


def print_table(title, rows):
    """One comparison, to read."""
    promised = f"{'promised':>10}" if "promised" in next(iter(rows.values())) else ""
    print(f"\n{title}\n{'':34}{promised}{'× faster':>10}{'lowest':>8}{'highest':>8}", end="")
    print(f"{'µs a pair':>12}{'differs by (nats)':>19}  in each run")
    for name, row in rows.items():
        lowest, highest = row["lowest_and_highest_round"]
        runs = ", ".join(f"{ratio:.1f}" for ratio in row.get("each_run", ()))
        asked = f"{row['promised']:10}" if promised else ""
        print(
            f"{name:34}{asked}{row['times_faster']:10.2f}{lowest:8.1f}{highest:8.1f}"
            f"{row['microseconds_a_pair']:12.1f}{row['largest_difference_nats']:19.1e}  {runs}"
        )


def print_tables(result):
    """All that was found, to read; what we promise comes last."""
    print_table("The sweep, blocks of 45 pairs, 1280 samples", result["laminar_sweep"]["rows"])
    print_table("The whole sweep, by the clock", result["threads"]["rows"])
    print("The same numbers on one thread and on two:", result["threads"]["identical"])
    tuned = {name: rows["layerlab"] for name, rows in result["tunings"].items()}
    if tuned:
        print_table("The sweep, compiled as for other processors", tuned)
    for title, tables in (("Pairs of layers", "layer_pairs"), ("One pair", "single_pair")):
        for n_samples, rows in result[tables].items():
            print_table(f"{title}, {n_samples} samples", rows)
    print("\nµs a pair by number of vectors:", result["microseconds_a_pair_by_vectors"])
    print("Peak memory, MiB:", result["peak_memory_mib"])
    print("First call, seconds:", result["first_call_seconds"])
    print_table("What we promise", result["promises"])


def main():
    """Measure, print the tables, and write them to ``benchmarks/results/`` as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="times everything is done in a run")
    parser.add_argument("--runs", type=int, default=3, help="processes that measure the same")
    parser.add_argument("--million", action="store_true", help="a pair of 1,000,000 samples, too")
    parser.add_argument(
        "--out", type=Path, help="the result file; named by the processor if left out"
    )
    parser.add_argument("--part", choices=["all", "tuned"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:  # this process was started by another one's `in_a_process`
        numba.config.NUMBA_NUM_THREADS = 1
        sizes = [1000, 10_000, 100_000] + [1_000_000] * options.million
        whole = options.part == "all"
        found = measure(options.rounds, sizes) if whole else tuned_sweep(options.rounds)
        options.out.write_text(json.dumps(found))
        return
    try:
        results = course_root() / "benchmarks" / "results"
    except CourseError as error:
        parser.error(str(error))
    result = {"machine": machine.stamp(), "rounds": options.rounds}
    with TemporaryDirectory() as cache:
        environment = {"NUMBA_CACHE_DIR": cache}
        names = "empty_cache", "full_cache"
        result["first_call_seconds"] = {name: machine.first_call(environment) for name in names}
        runs = []
        for run in range(options.runs):
            print(f"measuring, run {run + 1} of {options.runs}", flush=True)
            million = ["--million"] if options.million and run == 0 else []  # it takes a minute
            rounds = f"--rounds={options.rounds}"
            runs.append(in_a_process(environment, "--part=all", rounds, *million))
    result |= middle_of(runs)
    result["tunings"] = tunings(options.rounds)
    result["peak_memory_mib"] = memory()
    result["promises"] = promises(result)
    result["load_average_at_the_end"] = os.getloadavg()[0]
    print_tables(result)
    out = options.out or results / machine.file_name(result["machine"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {out}")


if __name__ == "__main__":
    main()
