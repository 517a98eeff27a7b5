"""One running stack per data folder: a lock that the operating system frees however the process ends."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from extension.errors import BadInput, BadSettings

_LOCK, _WHERE = "running.lock", "service.json"


class AlreadyRunning(BadInput):
    """Another stack uses the data folder; `url` is its service, where known."""

    def __init__(self, url: str | None) -> None:
        where = f" at {url}" if url else ""
        super().__init__(f"a service already runs on this data folder{where}")
        self.url = url


@contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for as long as the block runs.

    Raises:
        AlreadyRunning: when somebody else holds it.
        BadSettings: when the folder cannot be written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        stream = (data_dir / _LOCK).open("a")
    except OSError as exc:
        raise BadSettings(f"EXT_DATA_DIR: the data folder cannot be written ({exc.strerror})") from exc
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise AlreadyRunning(running_at(data_dir)) from exc
        try:
            yield
        finally:
            (data_dir / _WHERE).unlink(missing_ok=True)


def announce(data_dir: Path, url: str) -> None:
    """Leave word where the service is."""
    (data_dir / _WHERE).write_text(json.dumps({"url": url}), encoding="utf-8")


def running_at(data_dir: Path) -> str | None:
    """Where the service of a data folder says it is; it may be gone."""
    try:
        return str(json.loads((data_dir / _WHERE).read_text("utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
