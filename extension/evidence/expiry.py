"""Lets go of evidence, a whole folder at once, and writes down that it did: who asks for it later is told so."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extension.evidence import digests
from extension.evidence.manifest import NAME, SUMS
from extension.evidence.retention import Stored
from extension.evidence.shelf import FOLDER

_LIST: Final = "EXPIRED"
"""In the folder of a job's evidence: a line for each incident whose evidence is gone, with when, and the manifest's SHA-256."""

_GONE: Final = ".gone-"
_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Expired:
    """Evidence that was let go of; `manifest_sha256` is what its manifest had, None where it could not be read."""

    incident_id: str
    at: dt.datetime
    manifest_sha256: str | None


def stored(outputs_dir: Path) -> Iterator[Stored]:
    """All evidence below the folder of all jobs' outputs; what is half made or half gone is none.

    Raises:
        OSError: A folder cannot be read.
    """
    if not outputs_dir.is_dir():
        return
    for folder in outputs_dir.glob(f"*/{FOLDER}/*"):
        if folder.name.startswith(".") or not folder.is_dir():
            continue
        try:
            facts = {path.name: path.stat() for path in folder.iterdir()}
        except FileNotFoundError:
            continue  # replaced by a newer one meanwhile
        if not facts.keys() & {NAME, SUMS}:
            continue  # somebody else's
        made_at = dt.datetime.fromtimestamp(max(fact.st_mtime for fact in facts.values()), dt.UTC)
        yield Stored(folder, folder.name, made_at, sum(fact.st_size for fact in facts.values()))


def expire(one: Stored, at: dt.datetime) -> None:
    """Let go of the evidence of an incident.

    It is written down before it goes: a crash in between leaves evidence that is there, and goes next time.

    Raises:
        OSError: It cannot be written down or moved; it is still there then.
    """
    try:
        digest = digests.of_file(one.folder / NAME)
    except OSError:
        digest = "-"
    with (one.folder.parent / _LIST).open("a", encoding="utf-8") as lines:
        lines.write(f"{at.isoformat(timespec='seconds')} {digest} {one.incident_id}\n")
    gone = one.folder.with_name(f"{_GONE}{one.folder.name}")
    shutil.rmtree(gone, ignore_errors=True)
    one.folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def sweep(outputs_dir: Path) -> None:
    """Remove what a crash left half gone."""
    for left in outputs_dir.glob(f"*/{FOLDER}/{_GONE}*"):
        shutil.rmtree(left, ignore_errors=True)


def expired(outputs: Path, incident_id: str) -> Expired | None:
    """When the evidence of an incident was let go of; None where it was not, or was made anew since.

    Args:
        outputs: The folder of its job's outputs.
        incident_id: The incident.
    """
    if (outputs / FOLDER / incident_id / NAME).exists():
        return None
    try:
        lines = (outputs / FOLDER / _LIST).read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((found for line in reversed(lines) if (found := _read(line, incident_id))), None)


def _read(line: str, incident_id: str) -> Expired | None:
    words = line.split(" ", _WORDS - 1)
    if len(words) != _WORDS or words[-1] != incident_id:
        return None
    try:
        at = dt.datetime.fromisoformat(words[0])
    except ValueError:
        return None
    return Expired(incident_id, at, None if words[1] == "-" else words[1])
