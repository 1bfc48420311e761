"""What an answer does, compared with what right and wrong programs do.

A notebook takes `check` from its exercise's module, such as `coursechecks.ex5`. That module
observes what the answers of each step do; `coursechecks.engine` compares it with what the solution
and the known mistakes did when the course was built, which is stored in `seen/`. A notebook in
another language than English asks checks to `speak` it.
"""

from coursechecks.language import speak as speak
