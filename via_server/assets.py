"""Keeps the files that captions can be asked of: uploads on disk within a size limit, and references by path.

Uploads live in `<asset_dir>/<id>/` and go when they are deleted or the server stops; referenced files are never touched.
"""

from __future__ import annotations

import re
import shutil
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import structlog

from via_server.errors import StorageFull, ViaError, no_such_resource, refused_value
from via_server.probe import Media

_log = structlog.get_logger(__name__)

_FILE_NAME = re.compile(r"[A-Za-z0-9_.\- ]{1,256}")
_MARK = ".via_server_asset"  # says that a folder is this server's own and may be removed


@dataclass(frozen=True)
class Asset:
    """A file that captions can be asked of; `owned` files are deleted with it. `size_bytes` is the file's."""

    id: uuid.UUID
    name: str
    path: Path
    size_bytes: int
    owned: bool
    media: Media


class Room:
    """Counts the bytes that uploads take, finished or not, against the limit. Safe for threads."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._taken_bytes = 0
        self._lock = threading.Lock()

    @property
    def taken_bytes(self) -> int:
        """Bytes taken now."""
        return self._taken_bytes

    def take(self, size_bytes: int) -> None:
        """Take room for `size_bytes` more. Raises StorageFull, taking nothing, where there is none."""
        with self._lock:
            if self._taken_bytes + size_bytes > self._limit_bytes:
                raise StorageFull
            self._taken_bytes += size_bytes

    def give_back(self, size_bytes: int) -> None:
        """Give room back."""
        with self._lock:
            self._taken_bytes -= size_bytes


class Lease:
    """One use of an asset, during which it cannot be deleted. `release` may be called more than once."""

    def __init__(self, asset: Asset, release: Callable[[], None]) -> None:
        self.asset = asset
        self._release: Callable[[], None] | None = release

    def release(self) -> None:
        """End the use."""
        release, self._release = self._release, None
        if release is not None:
            release()


class AssetStore:
    """All assets of one server. Safe for threads."""

    def __init__(self, folder: Path, limit_bytes: int, allowed_dirs: Sequence[Path]) -> None:
        self.room = Room(limit_bytes)
        self._folder = folder
        self._allowed_dirs = allowed_dirs
        self._assets: dict[uuid.UUID, Asset] = {}
        self._uses: dict[uuid.UUID, int] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Make the folder and remove what an earlier run left in it. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for mark in self._folder.glob(f"*/{_MARK}"):
            shutil.rmtree(mark.parent, ignore_errors=True)

    def close(self) -> None:
        """Remove every upload."""
        for asset in self.all():
            if asset.owned:
                shutil.rmtree(asset.path.parent, ignore_errors=True)

    def new_folder(self, asset_id: uuid.UUID) -> Path:
        """An empty folder for the upload that will be `asset_id`. Raises OSError."""
        folder = self._folder / str(asset_id)
        folder.mkdir()
        (folder / _MARK).touch()
        return folder

    def drop_folder(self, asset_id: uuid.UUID) -> None:
        """Remove the folder of an upload that came to nothing."""
        shutil.rmtree(self._folder / str(asset_id), ignore_errors=True)

    def allowed_path(self, given: str) -> Path:
        """The file that the path `given` names, every link resolved, if it lies in an allowed folder."""
        try:
            path = Path(given).resolve(strict=True)
            inside = any(path.is_relative_to(folder) for folder in self._allowed_dirs)
            usable = inside and path.is_file()
        except (OSError, ValueError, RuntimeError):  # missing, unreadable, a null byte, a loop of links
            usable = False
        if not usable:
            raise refused_value("filename must be a file in a folder that this server may read")
        return path

    def add(self, asset: Asset) -> None:
        """Make `asset` known."""
        with self._lock:
            self._assets[asset.id] = asset
            self._uses[asset.id] = 0
        _log.info("file_added", id=str(asset.id), bytes=asset.size_bytes, by_path=not asset.owned)

    def all(self) -> list[Asset]:
        """Every asset, oldest first."""
        with self._lock:
            return list(self._assets.values())

    def get(self, asset_id: uuid.UUID) -> Asset:
        """The asset with this id. Raises ViaError where there is none."""
        with self._lock:
            asset = self._assets.get(asset_id)
        if asset is None:
            raise no_such_resource(asset_id)
        return asset

    def lease(self, asset_id: uuid.UUID) -> Lease:
        """Use the asset with this id until the lease is released. Raises ViaError where there is none."""
        with self._lock:
            asset = self._assets.get(asset_id)
            if asset is None:
                raise no_such_resource(asset_id)
            self._uses[asset_id] += 1
        return Lease(asset, lambda: self._end_use(asset_id))

    def delete(self, asset_id: uuid.UUID) -> None:
        """Forget the asset and remove its upload. Raises ViaError where there is none or it is in use."""
        with self._lock:
            asset = self._assets.get(asset_id)
            if asset is None:
                raise no_such_resource(asset_id)
            if self._uses[asset_id]:
                message = f"Resource {asset_id} is in use"
                raise ViaError(HTTPStatus.CONFLICT, "ResourceInUse", message)
            del self._assets[asset_id], self._uses[asset_id]
        if asset.owned:
            shutil.rmtree(asset.path.parent, ignore_errors=True)
            self.room.give_back(asset.size_bytes)

    def _end_use(self, asset_id: uuid.UUID) -> None:
        with self._lock:
            self._uses[asset_id] -= 1


def checked_name(name: str) -> str:
    """`name`, if the engine takes it as a file name. Raises ViaError."""
    if not _FILE_NAME.fullmatch(name) or set(name) <= {".", " "}:
        message = "File name may hold only letters, digits, spaces and the characters _ . -"
        raise ViaError(HTTPStatus.BAD_REQUEST, "BadParameters", message)
    return name
