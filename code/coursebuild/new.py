"""Begin an exercise: a solution with one step, its mistakes, its check. `make new NAME=10-topic`

What is written is whole: it can be built and passes the gate, as a draft. Its author replaces the
example by steps of the subject, one at a time.
"""

import argparse
import re
import sys
from pathlib import Path

from coursebuild import notebooks, seen
from coursebuild.course import CourseError, course_root

NAME = re.compile(r"[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*")

SOLUTION = '''\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
language_info:
  name: python
draft: true
myst:
  html_meta:
    "description lang=en": "Exercise: say in a sentence what is built here."
---

# Exercise {number}: {title}

*Which question does this exercise answer?*

* **Time:** about 10 minutes. **Difficulty:** easy.
* **You need:** functions.
* **You are given:** a list of numbers.

```{{code-cell}} ipython3
from coursechecks.ex{number} import check
```

## Step 1 · The middle

Write the function that returns the mean of a list of numbers.

```{{code-cell}} ipython3
:step: middle

def average(numbers):
    """Mean of a list of numbers."""
    return sum(numbers) / len(numbers)  # blank: sum(numbers) / len(numbers)
```

```{{code-cell}} ipython3
:step: middle
:tags: [check]

check("middle", average=average)
```

## In your own words

**Question.** When does the mean of a list say little about its numbers?

+++ {{"tags": ["answer"], "step": "in-words"}}

When one number lies far from all others: it pulls the mean to where no number is.
'''

MISTAKES = """\
# What is known to go wrong in exercise {number}, and answers that must pass.

[middle]
right = "The sum, shared out among as many numbers as there are."
# Programs that must be refused, but need no name.
refused = [{{ "sum(numbers) / len(numbers)" = "sum(numbers) / 3" }}]

[[middle.mistake]]
name = "sum for the mean"
hint = "You have what all numbers make together. How many of them are there?"
# For the instructor's guide alone.
misconception = "The sum already is the typical number."
ask = "Three friends are 20 years old each. What does your function give?"
programs = [{{ "sum(numbers) / len(numbers)" = "sum(numbers)" }}]

[[middle.alternative]]
why = "NumPy's mean"
answers = {{ "sum(numbers) / len(numbers)" = "__import__('numpy').mean(numbers)" }}
"""

OBSERVER = '''\
"""What the answers of exercise {number} do."""

from coursechecks.engine import Facts, calls, checker
from coursechecks.probes import here

READS = ("seen/{number:02}.json.xz",)
PROBES = here()


def middle(average) -> Facts:
    """Means of lists of three lengths."""
    for shown in ([1.5, 2.0, 7.0], [-4.0, 1.0], [3.0, 3.5, -1.0, 8.0]):
        numbers = PROBES.numbers(shown, len(shown))
        yield from calls("average, tried on three lists", average, numbers, what=f"of {{numbers}}")


check = checker(__name__)
'''


def files(root: Path, name: str) -> dict[Path, str]:
    """What an exercise consists of: each file with its first text.

    Parameters
    ----------
    root : Path
        The root of the course.
    name : str
        Such as ``10-topic``.

    Raises
    ------
    CourseError
        If the name is none of an exercise, or its number is taken.
    """
    if not NAME.fullmatch(name):
        raise CourseError(f"{name!r} names no exercise; write NN-topic, such as 10-topic")
    digits, _, topic = name.partition("-")
    texts = {
        root / "solutions" / f"{name}.md": SOLUTION,
        root / "solutions" / "mistakes" / f"{digits}.toml": MISTAKES,
        root / "code" / "coursechecks" / f"ex{int(digits)}.py": OBSERVER,
    }
    taken = [*(root / "solutions").glob(f"{digits}-*.md"), *filter(Path.exists, texts)]
    if taken:
        raise CourseError(f"{taken[0].relative_to(root)} is there already; take another number")
    words = {"number": int(digits), "title": topic.replace("-", " ").capitalize()}
    return {path: text.format(**words) for path, text in texts.items()}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m coursebuild.new", description="Begin an exercise."
    )
    parser.add_argument("name", help="the new exercise, such as 10-topic")
    name = parser.parse_args(arguments).name
    try:
        root = course_root()
        for path, text in files(root, name).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(root)}: written")
    except CourseError as error:
        parser.error(str(error))
    made = notebooks.make_exercises(root)
    failed = seen.main([name])
    print(f"Now edit these, and then: make exercises NAME={name} && make gate NAME={name}")
    return int(failed or not made)


if __name__ == "__main__":
    sys.exit(main())
