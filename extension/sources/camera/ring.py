"""The ring: segments on disk, written whole or not at all, and let go of by age and by bytes."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import structlog

from extension.sources.camera.retention import Retention, surplus
from extension.sources.camera.segments import (
    Footage,
    Segment,
    SegmentIndex,
    camera_name,
    file_name,
    folder_name,
    read_name,
)
from extension.sources.camera.trouble import CameraTrouble, Code

_LOG = structlog.get_logger(__name__)
_PART: Final = ".part"
_WRITTEN_TOGETHER: Final = 1024
"""Most pieces that one call writes (IOV_MAX of Linux)."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def free_bytes(folder: Path) -> int:
    """Room on the folder's disk."""
    return shutil.disk_usage(folder).free


class Ring:
    """Segments below one folder: `CAMERA/YYYYMMDD/SEGMENT.mp4`, with days in UTC.

    A segment is written to a part file and renamed, so that whoever sees it sees all of it. By default neither file nor folder is
    synced: a crash of the service loses nothing that was announced, a power cut may lose the last half minute. What must outlive that
    is copied to the evidence.

    Args:
        root: Made when it is missing. What is in it from before is taken over, part files and empty files are deleted.
        keep: What may stay.
        fsync: Sync file and folder before a segment is announced.
        reserve_bytes: A disk with less room than this counts as full, so that others that use it still can.
        room: Tells the free bytes of a folder's disk.

    Raises:
        CameraTrouble: The folder cannot be made or read.
    """

    def __init__(
        self,
        root: Path,
        keep: Retention | None = None,
        *,
        fsync: bool = False,
        reserve_bytes: int = 256_000_000,
        room: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.root = root
        self._keep = keep or Retention()
        self._fsync = fsync
        self._reserve_bytes = reserve_bytes
        self._room = room
        try:
            root.mkdir(parents=True, exist_ok=True)
            self.index = SegmentIndex(_found(root))
        except OSError as exc:
            raise CameraTrouble(Code.UNWRITABLE) from exc

    def store(
        self,
        camera: str,
        start_at: dt.datetime,
        end_at: dt.datetime,
        footage: Footage,
        pieces: Sequence[bytes],
    ) -> Segment:
        """Write a segment, whose file is given in pieces.

        Raises:
            CameraTrouble: The disk is full, or the folder cannot be written; nothing of the segment is left behind.
        """
        day = start_at.astimezone(dt.UTC).strftime("%Y%m%d")
        path = self.root / folder_name(camera) / day / file_name(start_at, end_at, footage)
        part = path.with_name(path.name + _PART)
        size_bytes = sum(map(len, pieces))
        try:
            if self._room(self.root) < self._reserve_bytes + size_bytes:
                raise CameraTrouble(Code.DISK_FULL)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(part, pieces)
            part.replace(path)
            if self._fsync:
                _sync_folder(path.parent)
        except OSError as exc:
            _discard(part)
            raise CameraTrouble(Code.DISK_FULL if exc.errno in _FULL else Code.UNWRITABLE) from exc
        segment = Segment(camera, start_at, end_at, path, size_bytes, footage)
        self.index.add(segment)
        return segment

    def trim(self, now_at: dt.datetime) -> tuple[Segment, ...]:
        """Delete what is too old or too much; returns what is gone. What cannot be deleted is tried again next time."""
        cameras = [self.index.segments(camera) for camera in self.index.cameras()]
        gone = []
        for segment in surplus(cameras, self.index.size_bytes, now_at, self._keep):
            try:
                segment.path.unlink(missing_ok=True)
            except OSError as exc:
                _LOG.warning("segment_stays", camera=segment.camera, reason=exc.strerror)
                continue
            self.index.remove(segment)
            gone.append(segment)
        for folder in {segment.path.parent for segment in gone}:
            _remove_if_empty(folder)
        return tuple(gone)

    def _write(self, part: Path, pieces: Sequence[bytes]) -> None:
        with part.open("wb", buffering=0) as file:
            for start in range(0, len(pieces), _WRITTEN_TOGETHER):
                together = pieces[start : start + _WRITTEN_TOGETHER]
                done = os.writev(file.fileno(), together)
                if done < sum(map(len, together)):
                    _write_all(file.fileno(), b"".join(together)[done:])
            if self._fsync:
                os.fsync(file.fileno())


def _write_all(handle: int, data: bytes) -> None:
    """Write what the disk did not take at once; a full disk says so at the second try."""
    while data:
        data = data[os.write(handle, data) :]


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder outlive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _found(root: Path) -> Iterator[Segment]:
    """Segments from before; what was not finished is deleted."""
    for folder in sorted(entry for entry in root.iterdir() if entry.is_dir()):
        camera = camera_name(folder.name)
        if folder_name(camera) != folder.name:
            continue  # no folder of ours
        for path in folder.glob("*/*"):
            size_bytes = path.stat().st_size
            if path.name.endswith(_PART) or not size_bytes:
                _discard(path)
            elif segment := read_name(camera, path, size_bytes):
                yield segment


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        _LOG.warning("part_stays", reason=exc.strerror)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # it still holds segments, or is gone already
