"""Load the compiled kernels once, in the process that trials are forked from.

A kernel is loaded when it is first called. In each fork anew, that takes longer than most trials.
"""

import numpy as np

from layerlab.information import mutual_information, pairwise_mutual_information

VARIABLES = np.random.default_rng(0).normal(size=(3, 20))  # (n_variables, n_samples)

mutual_information(VARIABLES[0], VARIABLES[1])
pairwise_mutual_information(VARIABLES)
