"""Packs drawn frames into a video file with PyAV; the file appears only when it is complete."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, cast

import av
import av.error
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from extension.errors import BadInput
from extension.sources.replay.glyphs import Picture
from extension.sources.replay.style import Encoder, Style

_KEY_S: Final = 2
_AV1_CRF: Final = 63 / 51
"""AV1's scale of quality ends at 63, H.264's at 51."""
_MPEG4_STEP: Final = 5.0
"""MPEG-4's quantiser 1 to 31; five steps of `crf` are one of it, so that 20 becomes 4 (nearly transparent on flat ground)."""


def write_video(pictures: Iterable[Picture], style: Style, path: Path) -> int:
    """Encode pictures into an MP4 file, index first, a key frame every two seconds; returns how many.

    The first picture is shown at second 0 and every other one exactly 1/fps after the one before it.

    Raises:
        BadInput: The encoder cannot be used here, or the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with av.open(part, mode="w", format="mp4", options={"movflags": "+faststart"}) as container:
            count = _encode(container, pictures, style)
        part.replace(path)
    except av.error.FFmpegError as exc:
        raise BadInput(f"{path.name}: cannot be written ({exc.strerror or type(exc).__name__})") from exc
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return count


def open_stream(container: OutputContainer, style: Style) -> VideoStream:
    """Add a video stream in a style's size, rate, encoder and quality, ready to encode.

    Raises:
        BadInput: The encoder cannot be used here.
    """
    try:
        stream = cast(
            "VideoStream", container.add_stream(style.encoder, rate=style.fps, options=_options(style))
        )
        stream.width, stream.height, stream.pix_fmt = style.width, style.height, "yuv420p"
        if style.bitrate_bps:
            stream.bit_rate = style.bitrate_bps
        if style.encoder is Encoder.LIBX265:
            stream.codec_context.codec_tag = "hvc1"  # the tag that browsers and phones play
        with _staying_ordinary():
            stream.codec_context.open()
    except (av.error.FFmpegError, av.codec.codec.UnknownCodecError) as exc:
        raise BadInput(
            f"the encoder {style.encoder} cannot be used on this machine; {Encoder.LIBX264} always can"
        ) from exc
    return stream


@contextmanager
def _staying_ordinary() -> Iterator[None]:
    """Let no encoder make this program a real-time one.

    SVT-AV1 does where it may, as root: its threads, the one that opens it, and all that this one starts later. Everything else on
    the machine would wait for them.
    """
    wanted = os.sched_getscheduler(0)
    try:
        yield
    finally:
        for task in Path("/proc/self/task").iterdir():
            with suppress(OSError):  # a thread may have ended
                if wanted == os.SCHED_OTHER and os.sched_getscheduler(int(task.name)) == os.SCHED_FIFO:
                    os.sched_setscheduler(int(task.name), wanted, os.sched_param(0))


def packed(picture: Picture) -> av.VideoFrame:
    """A picture as the encoders take it: brightness whole, colour in halves (BT.601)."""
    return av.VideoFrame.from_ndarray(
        cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False), format="yuv420p"
    )


def _encode(container: OutputContainer, pictures: Iterable[Picture], style: Style) -> int:
    stream = open_stream(container, style)
    count = 0
    for picture in pictures:
        container.mux(stream.encode(packed(picture)))
        count += 1
    container.mux(stream.encode(None))
    return count


def _options(style: Style) -> dict[str, str]:
    """The encoder's own words for a style's quality."""
    group = {"g": str(_KEY_S * style.fps)}
    if style.bitrate_bps:
        quality: dict[Encoder, dict[str, str]] = {}
    else:
        steady = str(max(1, round(style.crf / _MPEG4_STEP)))
        quality = {
            Encoder.LIBX264: {"crf": str(style.crf)},
            Encoder.LIBX265: {"crf": str(style.crf)},
            Encoder.SVTAV1: {"crf": str(round(style.crf * _AV1_CRF))},
            Encoder.NVENC: {"rc": "vbr", "cq": str(style.crf), "b": "0"},
            Encoder.MPEG4: {"qmin": steady, "qmax": steady},
        }
    pace = {
        Encoder.LIBX264: {"preset": "veryfast"},
        Encoder.LIBX265: {"preset": "ultrafast", "x265-params": "log-level=error"},
        Encoder.SVTAV1: {"preset": "10"},
        Encoder.NVENC: {"preset": "p4"},
    }
    return {**group, **quality.get(style.encoder, {}), **pace.get(style.encoder, {})}
