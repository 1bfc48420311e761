"""What a measurement ran on, and how much memory and compilation a piece of work takes."""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numba
from llvmlite import binding

PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "llvmlite")
OTHERS = ("x86-64-v4", "skylake-avx512", "emeraldrapids", "znver4")  # as LLVM names processors
NARROW = "x86-64-v3, without AVX-512"


def stamp():
    """Processor, vector width, load, versions and time, for the head of a result."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "compiled_for": numba.config.CPU_NAME or binding.get_host_cpu_name(),
        "avx512": bool(binding.get_host_cpu_features().get("avx512f"))
        and not numba.config.CPU_FEATURES,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
    } | {package: version(package) for package in PACKAGES}


def file_name(stamp):
    """Where a result is stored: one file for a processor and what Numba compiles for on it."""
    words = f"{stamp['processor']} {stamp['compiled_for']}".lower()
    return re.sub("[^a-z0-9]+", "-", words) + ".json"


def tunings():
    """Environments in which Numba compiles as for other processors, by name; none but on x86-64.

    The instructions stay those that this processor has, or fewer; what changes is which of them
    the compiler takes and how it arranges them, which it decides by the processor's name.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return {}
    features = binding.get_host_cpu_features()
    environments = {name: _compiled_for(name, features) for name in OTHERS}
    environments.pop(binding.get_host_cpu_name(), None)
    if features.get("avx512f"):
        fewer = {name: on and not name.startswith("avx512") for name, on in features.items()}
        environments[NARROW] = _compiled_for("x86-64-v3", fewer)
    return environments


def _compiled_for(name, features):
    """The variables by which Numba compiles for a processor of that name and these features."""
    signs = ",".join(("+" if on else "-") + feature for feature, on in features.items())
    return {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": signs}


def _processor():
    """The processor's name as the system gives it."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or platform.machine()
    fields = dict(
        (part.strip() for part in line.split(":", 1))
        for line in information.read_text().splitlines()
        if ":" in line
    )
    numbers = [f"{name} {fields[name]}" for name in ("cpu family", "model") if name in fields]
    return ", ".join([fields.get("model name", platform.machine()), *numbers])


def peak_memory(preparation, work):
    """MiB that `work` adds, at its peak, to a fresh process after `preparation`; Linux only."""
    program = (
        "def kibibytes(field):\n"
        "    with open('/proc/self/status') as status:\n"
        "        return next(int(line.split()[1]) for line in status if line.startswith(field))\n"
        f"{preparation}\n"
        "with open('/proc/self/clear_refs', 'w') as control:\n"
        "    control.write('5')  # the peak starts anew from here\n"
        "before = kibibytes('VmRSS')\n"
        f"{work}\n"
        "print((kibibytes('VmHWM') - before) / 1024)\n"
    )
    return float(_run(program))


def first_call(environment):
    """Seconds of a process's first estimate; what it compiles is kept in ``NUMBA_CACHE_DIR``."""
    program = (
        "import time\n"
        "import numpy as np\n"
        "from layerlab.information import mutual_information\n"
        "x, y = np.random.default_rng(0).normal(size=(2, 100))\n"
        "start = time.perf_counter()\n"
        "mutual_information(x, y)\n"
        "print(time.perf_counter() - start)\n"
    )
    return float(_run(program, **environment))


def _run(program, **environment):
    """What a Python program prints, run by itself."""
    command = [sys.executable, "-c", program]
    finished = subprocess.run(
        command, env=os.environ | environment, check=True, capture_output=True, text=True
    )
    return finished.stdout
