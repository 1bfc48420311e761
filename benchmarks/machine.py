"""What a measurement ran on, and how much memory and compilation a piece of work takes."""

import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numba
from llvmlite import binding

PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "llvmlite")


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


def without_avx512():
    """Environment in which Numba compiles for this processor as if its AVX-512 were missing."""
    features = binding.get_host_cpu_features()
    chosen = {name: on and not name.startswith("avx512") for name, on in features.items()}
    return {
        "NUMBA_CPU_NAME": "x86-64-v3",
        "NUMBA_CPU_FEATURES": ",".join(("+" if on else "-") + n for n, on in chosen.items()),
    }


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
    names = ("model name", "cpu family", "model")
    return ", ".join(f"{name} {fields[name]}" for name in names if name in fields)


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


def cold_compilation():
    """Seconds of a process's first estimate, with an empty cache and with a full one."""
    program = (
        "import time\n"
        "import numpy as np\n"
        "from layerlab.information import mutual_information\n"
        "x, y = np.random.default_rng(0).normal(size=(2, 100))\n"
        "start = time.perf_counter()\n"
        "mutual_information(x, y)\n"
        "print(time.perf_counter() - start)\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        return [float(_run(program, NUMBA_CACHE_DIR=cache)) for _ in range(2)]


def _run(program, **environment):
    """What a Python program prints, run by itself."""
    command = [sys.executable, "-c", program]
    finished = subprocess.run(
        command, env=os.environ | environment, check=True, capture_output=True, text=True
    )
    return finished.stdout
