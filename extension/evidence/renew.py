"""Evidence whose source is gone: its pictures stay as they are, and a new manifest tells how the incident went on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from extension.evidence import shelf
from extension.evidence.account import Case, Context, account
from extension.evidence.collect import Collected
from extension.evidence.manifest import Manifest
from extension.evidence.wanted import Limits

_TINY_S: Final = 0.05


def renew(
    folder: Path, case: Case, recorded_from_s: float, context: Context, limits: Limits
) -> Collected | None:
    """Have evidence that was made while an incident lasted tell all of it, without cutting its pictures again.

    Args:
        folder: The outputs of the job.
        case: The incident, as it is now.
        recorded_from_s: Media second from which on the source can still be read; infinity where nothing can.
        context: How it was found.
        limits: How much is kept.

    Returns:
        None where there are no such pictures, or the source still shows all that they show.

    Raises:
        OSError: The manifest cannot be written; what was there is still there.
    """
    final = shelf.place(folder, case.incident.id)
    before = shelf.read(final)
    if before is None or before.taken.clip is None or not before.files or not shelf.intact(final, before):
        return None
    if recorded_from_s <= before.taken.clip.start_s + _TINY_S:
        return None
    part = shelf.workplace(final)
    try:
        shelf.clear(part)
        for file in before.files:
            os.link(final / file.name, part / file.name)
        sums = shelf.seal(part, _told_again(before, case, context, limits))
        shelf.put(part, final)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Collected(case.incident.id, tuple(sums), sums)


def _told_again(before: Manifest, case: Case, context: Context, limits: Limits) -> Manifest:
    now = account(case, None, (), {}, context, limits)
    reached_s = before.taken.clip.end_s if before.taken.clip else 0.0
    cut_short = case.incident.span.end_s + limits.after_s > reached_s + _TINY_S
    return now.model_copy(
        update={
            "source": before.source,
            "taken": before.taken.model_copy(update={"cut_short": cut_short}),
            "files": before.files,
            "missing": before.missing,
        }
    )
