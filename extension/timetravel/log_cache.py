"""A folder of logs that were read before, as columns: whole ones only, the least recently used go first.

An entry is found by the file's size, time of change and samples of its content, and by the zone it was read in.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_VERSION: Final = 2
"""Goes up when columns, rules or warnings change: entries of other versions are not found."""

_KEPT: Final = 16
_PROBES, _PROBE_BYTES = 64, 4096
_PART: Final = ".part-"
_LOCK: Final = "lock"


def key_of(path: Path, tz: dt.tzinfo) -> str:
    """The name of a file's entry.

    Raises:
        OSError: The file cannot be read.
    """
    about = path.stat()
    digest = hashlib.sha256(f"{_VERSION} {tz} {about.st_size} {about.st_mtime_ns}".encode())
    step = max(1, (about.st_size - _PROBE_BYTES) // _PROBES)
    with path.open("rb") as file:
        for number in range(_PROBES + 1):
            file.seek(number * step)
            digest.update(file.read(_PROBE_BYTES))
    return digest.hexdigest()[:40]


def entry(cache_dir: Path, key: str) -> Path:
    """Where an entry is, or would be; one that is there counts as used now."""
    folder = cache_dir / key
    with suppress(OSError):
        os.utime(folder)
    return folder


@contextmanager
def workshop(cache_dir: Path | None) -> Iterator[Path]:
    """A new folder to build columns in, gone afterwards unless it was published; in the system's own place without a cache.

    Folders that a killed program left are swept.
    """
    if cache_dir is not None:
        cache_dir.mkdir(parents=True, exist_ok=True)
        _sweep(cache_dir)
    folder = Path(tempfile.mkdtemp(prefix=_PART, dir=cache_dir))
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(folder: Path, cache_dir: Path, key: str) -> None:
    """Make a built folder an entry, unless another program was quicker; old entries go."""
    (folder / _LOCK).unlink(missing_ok=True)
    with suppress(OSError):  # the same entry is there already
        folder.rename(cache_dir / key)
    entries = [place for place in cache_dir.iterdir() if not place.name.startswith(".") and place.is_dir()]
    for old in sorted(entries, key=_changed_at, reverse=True)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _changed_at(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:  # swept by another program meanwhile
        return 0.0


def _sweep(cache_dir: Path) -> None:
    for left in cache_dir.glob(f"{_PART}*"):
        with suppress(OSError), (left / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
