"""Reads the clock that simulated cameras burn into their pictures back from clips, so that a clip's times need not be believed."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from extension.sources.rtsp.scenes import burn, clock_text
from extension.sources.rtsp.streams import Picture

_STEP: Final = dt.timedelta(seconds=0.1)
"""What the burnt-in clock shows."""

_SEARCHED_S: Final = 20.0
_LEAST_LIKE: Final = 0.5
"""Correlation that the right text has at least; wrong tenths of a second come up to that only beside the right one."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last picture of a video file, shape (height, width, 3) uint8 RGB, and how far apart they are shown."""

    first: Picture
    last: Picture
    apart: dt.timedelta


def ends_of(clip: bytes) -> Ends | None:
    """The ends of a video file; None where it has no picture."""
    first = last = None
    with av.open(io.BytesIO(clip), "r") as container:
        for frame in container.decode(video=0):
            first = first if first is not None else frame
            last = frame
    if first is None or last is None:
        return None
    one, other = (frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False) for frame in (first, last))
    return Ends(one, other, dt.timedelta(seconds=(last.time or 0.0) - (first.time or 0.0)))


def read_clock(picture: Picture, camera: str, about_at: dt.datetime) -> dt.datetime | None:
    """The instant burnt into a simulated camera's picture.

    Args:
        picture: Shape (height, width, 3) uint8 RGB.
        camera: The simulated camera's name, which stands beside the clock.
        about_at: Looked for around this instant, 20 s before to 20 s after.

    Returns:
        To a tenth of a second; None where no text fits.
    """
    middle_at = about_at.replace(microsecond=about_at.microsecond // 100_000 * 100_000)
    reach = round(_SEARCHED_S / _STEP.total_seconds())
    canvas: Picture = np.full(picture.shape, 255, np.uint8)
    burn(canvas, f"{clock_text(middle_at)} {camera}")
    rows, columns = np.nonzero((canvas == 0).all(axis=2))
    strip = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    shown = _centred(picture[strip])
    best, best_at = _LEAST_LIKE, None
    for step in range(-reach, reach + 1):
        at = middle_at + step * _STEP
        burn(canvas, f"{clock_text(at)} {camera}")
        wanted = _centred(canvas[strip])
        norm = float(np.linalg.norm(wanted) * np.linalg.norm(shown))
        like = float((wanted * shown).sum()) / norm if norm else 0.0
        if like > best:
            best, best_at = like, at
    return best_at


def _centred(strip: Picture) -> npt.NDArray[np.float64]:
    """Brightness less its mean, shape (height, width)."""
    grey = strip[..., 1].astype(np.float64)
    return np.asarray(grey - grey.mean())
