"""Which files of the service's machine a caller may name."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from extension.api.problems import Rejected
from extension.errors import NotFound

_OUTSIDE = "This path is not inside a folder from which the service may read videos (EXT_MEDIA_DIRS)."


def allowed_file(given: str, allowed_dirs: tuple[Path, ...]) -> Path:
    """The real path of a regular file inside one of the folders, symlinks resolved on both sides.

    Raises:
        Rejected: 403 when it lies elsewhere, whether or not anything is there.
        NotFound: when it lies inside but is no readable regular file.
    """
    try:
        real = Path(given).resolve()
        inside = any(real.is_relative_to(folder.resolve()) for folder in allowed_dirs)
    except (ValueError, OSError, RuntimeError) as exc:  # a NUL character, an endless symlink
        raise Rejected(HTTPStatus.FORBIDDEN, _OUTSIDE) from exc
    if not inside:
        raise Rejected(HTTPStatus.FORBIDDEN, _OUTSIDE)
    try:
        found = real.is_file()
    except OSError:  # too long a name, a folder we may not enter
        found = False
    if not found:
        raise NotFound(f"There is no file {Path(given).name!r} in that folder.")
    return real
