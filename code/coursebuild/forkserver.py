"""A process that has imported what many pages need; the kernels of the pages are forks of it.

    python -m coursebuild.forkserver MODULE …

PyTorch and its neighbours take seconds to import, in every kernel anew. A fork has them at once,
and is a process of its own otherwise. This process does nothing but import, so that it has one
thread, and copies well. It reads requests from its standard input, one JSON object a line,

    {"do": "start", "arguments": […], "folder": "…", "variables": {…}}    {"do": "poll", "pid": 1}

and answers each with a line: the kernel's `pid`, or the `code` with which it ended, null while it
runs. It ends with the input, and its kernels end when they see that. `coursebuild.kernels` asks.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import sys
import threading

INLINE = "module://matplotlib_inline.backend_inline"  # as a kernel would say before Matplotlib
TASKS = "/proc/self/task"  # a folder for each thread


def main() -> None:
    """Be the process: the loop returns in each fork, and that becomes a kernel."""
    del sys.path[0]  # the folder that the build was started in
    import_all(["ipykernel.kernelapp", *sys.argv[1:]])
    request = answer_requests()
    if request:
        become_kernel(request)


def import_all(names: list[str]) -> None:
    """Import modules as a kernel would, but with libraries that start no threads."""
    # A kernel looks at its parent, and ends when that is another; it reads this when imported.
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    os.environ.setdefault("MPLBACKEND", INLINE)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    gc.disable()  # what modules make stays: to look through it again and again takes a second
    for name in names:
        with contextlib.suppress(Exception):  # the page that imports it will hear it all again
            importlib.import_module(name)
    gc.enable()
    gc.freeze()  # a fork would copy all of it, only to see that none of it is garbage


def answer_requests() -> dict | None:
    """Answer until the input ends; return a request to the fork that is to become its kernel."""
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        if request["do"] == "poll":
            _answer(code=_code_at_end(request["pid"]))
        elif (n_threads := len(os.listdir(TASKS))) > 1:
            _answer(error=f"it has {n_threads} threads, and a fork would have one of them")
        elif pid := os.fork():
            _answer(pid=pid)
        else:
            return request
    return None


def _answer(**facts) -> None:
    os.write(1, json.dumps(facts).encode() + b"\n")


def _code_at_end(pid: int) -> int | None:
    """The exit code of a kernel, negative for a signal, as `subprocess` has it."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def become_kernel(request: dict) -> None:
    """Be what a new process would be, and run the kernel to its end."""
    os.setsid()  # so that Ctrl-C and signals to the kernel's group reach those that they are for
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)  # what these were is between the build and the first process
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"], JPY_PARENT_PID=str(os.getppid()))
    _be_random()
    _use_threads()
    sys.argv = ["ipykernel_launcher", *request["arguments"]]
    try:
        runpy.run_module("ipykernel_launcher", run_name="__main__")
    finally:  # what a process does at its end, but for taking everything apart: that takes a second
        threading._shutdown()
        atexit._run_exitfuncs()
        os._exit(0)


def _be_random() -> None:
    """Forget NumPy's random state, which all forks share; Python's own does so by itself."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _use_threads() -> None:
    """Let OpenBLAS use as many threads as it would in a new process."""
    n_threads = int(os.environ.get("OPENBLAS_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", 0)))
    if n_threads != 1 and "threadpoolctl" in sys.modules:
        from threadpoolctl import threadpool_limits

        threadpool_limits(n_threads or os.cpu_count(), user_api="blas")


if __name__ == "__main__":
    main()
