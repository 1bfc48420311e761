"""Grade what a class handed in: points, feedback pages and a gradebook.

    python -m coursebuild.grade [--out FOLDER] [--workers N | --scheduler ADDRESS]
        [--again STUDENT] SUBMISSIONS

SUBMISSIONS is a folder or a zip, as nbgrader, Canvas or Moodle make it. Each submission runs in a
sandbox, and is judged outside it. Stopped at any moment, the same command goes on.
"""

import sys

from coursebuild.classroom.command import main as grade
from coursebuild.course import course_root, drafts
from coursebuild.downloads import exercise_names
from coursebuild.keys import make_key
from layerlab.errors import LayerlabError


def main(arguments: list[str] | None = None) -> int:
    """Run the command with the keys of the checkout that one stands in; return its exit code."""
    try:
        root = course_root()
        names = [name for name in exercise_names(root) if name not in drafts(root)]
        keys = [make_key(root, name) for name in names]
    except LayerlabError as error:
        print(error, file=sys.stderr)
        return 1
    return grade(arguments, keys)


if __name__ == "__main__":
    sys.exit(main())
