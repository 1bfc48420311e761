"""Files of a class: what they are called, and how they are written, whole or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

SAFE = " ,@+()äöüÄÖÜß"  # in names of files, besides letters, digits and -._~
LONGEST = 120  # letters of a name of a file; many systems take 255 bytes


def file_name(name: str) -> str:
    """A name as part of a path: no other name has the same, and none leads anywhere else."""
    safe = quote(name, safe=SAFE, errors="surrogatepass")
    safe = f"%2E{safe[1:]}" if safe.startswith(".") else safe
    if 0 < len(safe) <= LONGEST and safe == safe.strip():
        return safe
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{safe[: LONGEST - 20].strip()}%~{digest}"  # where nothing is quoted as this


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that nobody ever finds a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
