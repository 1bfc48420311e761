"""What the environment of a process says that is going to be forked, again and again.

A process can be forked safely only while it has one thread. And a fork copies the table of all the
pages that the process has written on: of a hundred thousand small ones, after PyTorch and its
neighbours, that takes longer than most trials. So Python takes its memory from the C library, and
this asks Linux for large pages, of which there are few. Where one of the two does not know what
that means, all is as it was, and slower.
"""

VARIABLES = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "HF_HUB_OFFLINE": "1",
    "MPLBACKEND": "Agg",
    "PYTHONIOENCODING": "utf-8",
}
