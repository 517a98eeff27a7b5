"""Keeps what is said of cameras' places: from the cameras' file, and from the page, whose words win and outlive a restart."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from extension.errors import NotFound, Unavailable
from extension.model import Brief, Origin
from extension.wire import BriefIn, Wire

_LOG = structlog.get_logger(__name__)
_MOST_BYTES: Final = 1 << 20
"""A brief is far smaller: what a larger file begins with is no brief."""


class _Page(Wire):
    """A brief as it lies on disk, with the camera's name: its file's name is a hash."""

    camera: str
    brief: BriefIn


class Briefs:
    """What is said of every camera's place; any thread may ask.

    Args:
        folder: Where what the page says is kept, one file for each camera; made when something is to be kept.
        filed: What the cameras' file says, for every camera by name.
    """

    def __init__(self, folder: Path, filed: Mapping[str, Brief]) -> None:
        self._folder = folder
        self._filed = dict(filed)
        self._lock = threading.Lock()
        self._saved = {camera: brief for camera in self._filed if (brief := self._read(camera)) is not None}

    def of(self, camera: str) -> tuple[Brief, Origin]:
        """What holds for a camera, and where it comes from.

        Raises:
            NotFound: No camera has that name.
        """
        if camera not in self._filed:
            raise NotFound(f"No camera is called {camera!r}.")
        saved = self._saved.get(camera)
        return (self._filed[camera], Origin.FILE) if saved is None else (saved, Origin.PAGE)

    def save(self, camera: str, brief: BriefIn) -> None:
        """Keep what the page says; it holds as soon as it is on disk.

        Raises:
            NotFound: No camera has that name.
            Unavailable: It cannot be written; what held before still holds.
        """
        self.of(camera)
        page = _Page(camera=camera, brief=brief).model_dump_json(indent=2) + "\n"
        with self._lock:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                _replace(self._place(camera), page)
            except OSError as exc:
                raise _not_kept(exc) from exc
            self._saved[camera] = brief.brief()

    def drop(self, camera: str) -> None:
        """Forget what the page said; nothing happens where it said nothing.

        Raises:
            NotFound: No camera has that name.
            Unavailable: It cannot be deleted; what held before still holds.
        """
        self.of(camera)
        with self._lock:
            try:
                self._place(camera).unlink(missing_ok=True)
            except OSError as exc:
                raise _not_kept(exc) from exc
            self._saved.pop(camera, None)

    def _place(self, camera: str) -> Path:
        """A camera's file: every name has its own, however long it is and whatever letters it has."""
        return self._folder / f"{hashlib.sha256(camera.encode('utf-8', 'backslashreplace')).hexdigest()}.json"

    def _read(self, camera: str) -> Brief | None:
        """What the page said before; a file that cannot be read stays where it is, and is told of."""
        path = self._place(camera)
        try:
            page = _Page.model_validate_json(_bytes(path))
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as exc:
            _LOG.error("brief_unreadable", camera=camera, file=path.name, reason=type(exc).__name__)
            return None
        return page.brief.brief() if page.camera == camera else None


def _bytes(path: Path) -> bytes:
    """A file's bytes, as far as a brief may reach."""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _replace(path: Path, text: str) -> None:
    """Put a whole file in place at once: after a crash it is the old one or the new one."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _not_kept(exc: OSError) -> Unavailable:
    return Unavailable(
        f"Notes and zones cannot be stored ({exc.strerror or 'unknown reason'}); what held before still holds."
    )
