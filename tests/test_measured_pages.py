"""The table of measured pages: its values, and older ones beside them."""

from benchmarks.pages import table, weight


def test_an_older_value_stands_beside_one_that_differs():
    new = {"book/a.html": {"first": 90, "axe": [0, 0], "cut": [0, 0, 0], "letters": None}}
    old = {"book/a.html": {"first": 900, "axe": [0, 0], "cut": [1, 0, 2]}}
    row = table(new, old).splitlines()[-1]
    assert row == "| book/a.html |  | 0/0 | 90 (900) |  |  |  |  | 0/0/0 (1/0/2) |  |"


def test_what_a_server_compresses_weighs_less(tmp_path):
    for name in ("a.svg", "a.png"):
        (tmp_path / name).write_bytes(b"x" * 1000)
    assert weight(tmp_path / "a.svg") < 100 and weight(tmp_path / "a.png") == 1000
