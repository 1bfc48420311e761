"""Files of a class: what they are called, and how they are written, whole or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

SAFE = " ,@+()-._~"  # in names of files, besides letters and digits of any script
LONGEST = 200  # bytes of a file's name; many systems take 255


def file_name(name: str) -> str:
    """A name as part of a path: no other name has the same, and none leads anywhere else."""
    safe = "".join(char if char.isalnum() or char in SAFE else _quoted(char) for char in name)
    safe = f"%2E{safe[1:]}" if safe.startswith(".") else safe
    if 0 < len(safe.encode()) <= LONGEST and safe == safe.strip():
        return safe
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]
    short = safe.encode()[: LONGEST - 20].decode(errors="ignore").strip()
    return f"{short}%~{digest}"  # where nothing is quoted as this


def _quoted(char: str) -> str:
    return quote(char, safe="", errors="surrogatepass")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that nobody ever finds a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(number, "wb") as file:
            # half of a pair, as a notebook may hold it, is no letter
            file.write(content.encode(errors="replace") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
