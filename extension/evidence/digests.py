"""SHA-256 of files and texts; a large file is read once, in pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

_PIECE_BYTES: Final = 1 << 20


def _always() -> bool:
    return True


class Stopped(Exception):
    """The work was given up because the service stops."""


def of_text(text: str) -> str:
    """SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def of_file(path: Path, keep_going: Callable[[], bool] = _always) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits.

    Raises:
        OSError: It cannot be read.
        Stopped: `keep_going`, asked for every mebibyte, said no.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            if not keep_going():
                raise Stopped
            digest.update(piece)
    return digest.hexdigest()


class Digests:
    """The hashes of a job's source files: each file is read once."""

    def __init__(self, keep_going: Callable[[], bool] = _always) -> None:
        self._keep_going = keep_going
        self._known: dict[Path, tuple[str, int]] = {}

    def of(self, path: Path) -> tuple[str, int]:
        """SHA-256 and size in bytes of a file.

        Raises:
            OSError: It cannot be read.
            Stopped: The service stops meanwhile.
        """
        if path not in self._known:
            self._known[path] = of_file(path, self._keep_going), path.stat().st_size
        return self._known[path]
