"""Where evidence lies, and how it gets there whole: a folder per incident that appears in one step or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from extension.evidence import digests
from extension.evidence.manifest import NAME, SUMS, Manifest

FOLDER: Final = "evidence"
_PART: Final = ".part-"
_OLD: Final = ".old-"


def place(outputs: Path, incident_id: str) -> Path:
    """The folder of an incident's evidence among the outputs of its job.

    Raises:
        ValueError: The id cannot be a folder's name.
    """
    if not incident_id or incident_id.startswith(".") or Path(incident_id).name != incident_id:
        raise ValueError("an incident's id must be a plain name")
    return outputs / FOLDER / incident_id


def tidy(outputs: Path) -> None:
    """Remove what a crash left half done.

    Raises:
        OSError: It cannot be removed.
    """
    folder = outputs / FOLDER
    if folder.is_dir():
        for left in folder.iterdir():
            if left.name.startswith((_PART, _OLD)):
                shutil.rmtree(left)


def workplace(final: Path) -> Path:
    """Where a folder is made before it takes its place: beside it."""
    return final.with_name(f"{_PART}{final.name}")


def clear(folder: Path) -> None:
    """Make a folder that is empty.

    Raises:
        OSError: It cannot be made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def seal(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Write the manifest and the list of hashes into a folder; the hashes by file name, the manifest's first.

    The list has the form of `sha256sum`, so that its `-c` checks everything too.

    Raises:
        OSError: They cannot be written.
    """
    page = manifest.page()
    sums = {NAME: digests.of_text(page)} | {file.name: file.sha256 for file in manifest.files}
    _write(folder / NAME, page)
    _write(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    return sums


def put(folder: Path, final: Path) -> None:
    """Have a finished folder take its place; an older one there is replaced.

    Raises:
        OSError: It cannot be moved; what was there before is still there.
    """
    for path in (*folder.iterdir(), folder):
        _sync(path)
    old = final.with_name(f"{_OLD}{final.name}")
    shutil.rmtree(old, ignore_errors=True)
    had_one = True
    try:
        final.rename(old)
    except FileNotFoundError:
        had_one = False  # there was none, or it was let go of just now
    try:
        folder.rename(final)
    except OSError:
        if had_one:
            old.rename(final)
        raise
    _sync(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def discard(folders: Iterable[Path]) -> None:
    """Remove unfinished folders."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def read(folder: Path) -> Manifest | None:
    """The manifest of a folder of evidence; None where there is none that this version can read."""
    try:
        return Manifest.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def sums_of(folder: Path) -> dict[str, str]:
    """The list of hashes as it is written, by file name; empty where there is none, lines of another form left out."""
    try:
        text = (folder / SUMS).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return {line[1].strip().removeprefix("*"): line[0] for line in lines if len(line) == 2}  # noqa: PLR2004 - hash and name


def intact(folder: Path, manifest: Manifest) -> bool:
    """Whether all files of a folder of evidence are as they were made."""
    try:
        sums = {NAME: digests.of_file(folder / NAME)}
        sums |= {file.name: digests.of_file(folder / file.name) for file in manifest.files}
    except OSError:
        return False
    return sums == sums_of(folder) and all(sums[file.name] == file.sha256 for file in manifest.files)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
