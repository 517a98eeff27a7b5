"""Videos, and readings of videos, for tests of the summary's video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from extension.playback.film import Film

SMALL = Film(width=320, height=180, fps=10)
"""Quick to encode."""

Picture = npt.NDArray[np.uint8]


def ramp(
    path: Path, seconds: int = 20, fps: int = 10, *, start_pts: int = 0, size: tuple[int, int] = (320, 180)
) -> Path:
    """A video whose brightness tells the second: 10 levels each, from 20 on; key frames every two seconds."""
    width, height = size
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": str(2 * fps), "crf": "12"}
        for index in range(seconds * fps):
            picture = np.full((height, width, 3), 20 + 10 * (index // fps), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index + start_pts
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def second_of(picture: Picture) -> int:
    """The second that a picture of `ramp` shows, by the brightness of its middle."""
    height, width = picture.shape[:2]
    return round(
        (float(picture[height // 2 - 8 : height // 2, width // 2 - 8 : width // 2].mean()) - 20) / 10
    )


@dataclass(frozen=True)
class Read:
    """A video as it was read back."""

    pictures: list[Picture]
    codec: str
    pixels: str
    fps: float
    duration_s: float


def read(path: Path) -> Read:
    """Decode a whole video."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
        context = stream.codec_context
        return Read(
            pictures=pictures,  # type: ignore[arg-type]  # eight bits each, as asked for
            codec=context.name,
            pixels=str(context.pix_fmt),
            fps=float(stream.average_rate or 0),
            duration_s=float((stream.duration or 0) * (stream.time_base or 0)),
        )


def index_comes_first(path: Path) -> bool:
    """Whether a browser can play an MP4 file before all of it is there."""
    data = path.read_bytes()
    return 0 < data.index(b"moov") < data.index(b"mdat")
