"""Writes what a command was asked to write."""

from __future__ import annotations

from pathlib import Path

from extension.errors import BadInput


def put(path: Path, text: str) -> None:
    """Write a text file, its folders made where they are missing.

    Raises:
        BadInput: It cannot be written; names the file without its folder.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise BadInput(f"{path.name}: cannot be written ({exc.strerror or 'unknown reason'})") from exc
