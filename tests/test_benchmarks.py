"""What the benchmark makes of several runs, and what it refuses to measure."""

from types import SimpleNamespace

import numba
import pytest

from benchmarks import __main__ as bench
from benchmarks.machine import file_name


def test_runs_are_put_together_by_medians_but_what_speaks_against_us_is_kept():
    def run(ratio, difference, identical):
        row = {"times_faster": ratio, "lowest_and_highest_round": [ratio - 1, ratio + 1]}
        row |= {"largest_difference_nats": difference}
        return {"rows": {"ours": row}, "identical": identical}

    last = {"once": 7.0}  # measured in one run only
    middle = bench.middle_of(
        [run(5.0, 1e-15, True), run(9.0, 3e-15, False), run(6.0, 0, True) | last]
    )
    assert middle["rows"]["ours"] == {
        "times_faster": 6.0,
        "lowest_and_highest_round": [4.0, 10.0],
        "largest_difference_nats": 3e-15,
        "each_run": [5.0, 9.0, 6.0],
    }
    assert middle["identical"] is False and middle["once"] == 7.0


def test_a_process_that_compiled_is_no_process_to_measure_in(monkeypatch):
    kernel = numba.njit(lambda number: number + 1)
    monkeypatch.setattr(bench, "ksg", SimpleNamespace(kernel=kernel))
    with pytest.raises(RuntimeError, match="loaded nothing"):
        bench.refuse_what_was_compiled_here()
    assert kernel(1) == 2
    with pytest.raises(RuntimeError, match="compiled while measuring: .*lambda"):
        bench.refuse_what_was_compiled_here()


def test_a_processor_has_one_file():
    stamp = {"processor": "Intel(R) Xeon(R), model 207", "compiled_for": "emeraldrapids"}
    assert file_name(stamp) == "intel-r-xeon-r-model-207-emeraldrapids.json"
