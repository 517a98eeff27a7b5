"""When each frame was, in the seconds the request speaks of; pure, knows nothing of pixels.

A request tells frame times in one of these ways, the first that applies wins:

* a line `Frame times in seconds: 0.00, 0.07, 0.13` for all frames of the request,
* for a picture: the nearest `<12.34 seconds>` before it,
* for a frame list: `frames_indices` divided by `fps`, or the frame's number divided by `fps`,
* otherwise one frame a second, which is what vLLM assumes.
"""

from __future__ import annotations

import itertools
import re

from vlm_server.reference.errors import RequestRefused

_NUMBER = r"-?\d+(?:\.\d+)?"
_STAMP = re.compile(rf"<\s*({_NUMBER})\s*seconds?\s*>")
_LIST = re.compile(rf"frame times in seconds\s*:\s*({_NUMBER}(?:\s*,\s*{_NUMBER})*)", re.IGNORECASE)


def stamp_s(text: str) -> float | None:
    """Return the last `<12.34 seconds>` of a text, or None."""
    found = _STAMP.findall(text)
    return float(found[-1]) if found else None


def listed_s(texts: list[str]) -> list[float] | None:
    """Return the times of the last `Frame times in seconds:` line, or None."""
    found = [match for text in texts for match in _LIST.findall(text)]
    return [float(part) for part in found[-1].split(",")] if found else None


def frame_list_s(count: int, fps: float | None, indices: list[int] | None) -> list[float]:
    """Return the times of a frame list of `count` frames; 400 when the index list has another length."""
    if indices is not None and len(indices) != count:
        raise RequestRefused(
            f"frames_indices has {len(indices)} entries for {count} frames", param="media_io_kwargs"
        )
    rate = fps or 1.0
    return [index / rate for index in (indices if indices is not None else range(count))]


def settled(told_s: list[float | None], listed: list[float] | None) -> list[float]:
    """Return one time per frame, ascending; 400 when the listed times do not fit the frames.

    Args:
        told_s: what each frame's own part says; None where it says nothing.
        listed: the times of the `Frame times in seconds:` line, if there is one.
    """
    if listed is not None and len(listed) != len(told_s):
        raise RequestRefused(
            f"{len(listed)} frame times are listed for {len(told_s)} frames", param="messages"
        )
    times = listed if listed is not None else _filled(told_s)
    if any(later < earlier for earlier, later in itertools.pairwise(times)):
        raise RequestRefused("Frame times must not run backwards", param="messages")
    return times


def _filled(told_s: list[float | None]) -> list[float]:
    """Number untold frames one a second; where some are told, an untold one shares the time before it."""
    if all(told is None for told in told_s):
        return [float(i) for i in range(len(told_s))]
    times: list[float] = []
    for told in told_s:
        times.append(told if told is not None else times[-1] if times else 0.0)
    return times
