"""Keeps one frame as a JPEG file of its own size, or smaller where that is too large."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

_QUALITIES: Final = (92, 80, 65)
_LEAST_PX: Final = 16
_HALF: Final = 0.5


def write_snapshot(path: Path, frame: VideoFrame, most_bytes: int) -> tuple[int, int]:
    """Write a frame; returns width and height of the picture in pixels.

    The quality is lowered, and then the size halved, until the file is small enough.

    Raises:
        OSError: It cannot be written.
        ValueError: It cannot be made small enough.
    """
    picture: npt.NDArray[np.uint8] = frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
    while min(picture.shape[:2]) > 0:
        for quality in _QUALITIES:
            _, page = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if page.nbytes <= most_bytes:
                path.write_bytes(page.tobytes())
                return picture.shape[1], picture.shape[0]
        if min(picture.shape[:2]) < _LEAST_PX:
            break
        smaller = cv2.resize(picture, None, fx=_HALF, fy=_HALF, interpolation=cv2.INTER_AREA)
        picture = smaller.astype(np.uint8, copy=False)
    raise ValueError(f"no picture fits into {most_bytes} bytes")
