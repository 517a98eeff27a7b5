"""Packs JPEGs into an mp4 file whose label says two frames a second, where the machine has an encoder: PyAV, else OpenCV.

Neither is needed: without them this packing is not offered. They are imported by name when first used.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from chunk_caption.packing import LABEL_FPS, even_px

_CODECS = ("libx264", "mpeg4")  # servers that read H.264 read MPEG-4 part 2 as well


class CannotEncode(ValueError):
    """The frames did not become an mp4 file."""


def encoder() -> Callable[[Sequence[bytes]], bytes] | None:
    """What makes an mp4 of JPEGs of one size on this machine; None where nothing does."""
    for library, encode in (("av", _with_av), ("cv2", _with_cv2)):
        if importlib.util.find_spec(library):
            return encode
    return None


def _with_av(jpegs: Sequence[bytes]) -> bytes:
    """Encoded in memory."""
    av: Any = importlib.import_module("av")
    codec = next((name for name in _CODECS if name in av.codecs_available), None)
    if codec is None:
        raise CannotEncode("PyAV has no mp4 encoder")
    decoder, file = av.CodecContext.create("mjpeg", "r"), io.BytesIO()
    try:
        with av.open(file, "w", format="mp4") as container:
            stream = container.add_stream(codec, rate=LABEL_FPS)
            stream.pix_fmt = "yuv420p"
            for number, jpeg in enumerate(jpegs):
                (picture,) = decoder.decode(av.Packet(jpeg))
                if number == 0:
                    stream.width, stream.height = even_px(picture.width), even_px(picture.height)
                    stream.bit_rate = 8 * picture.width * picture.height
                # JPEGs use the full range of values, videos a part of it.
                frame = picture.reformat(
                    *(stream.width, stream.height, "yuv420p"), src_color_range="JPEG", dst_color_range="MPEG"
                )
                frame.pts, frame.time_base = number, Fraction(1, LABEL_FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    except (av.error.FFmpegError, ValueError) as fault:
        raise CannotEncode(f"PyAV could not encode the frames ({type(fault).__name__})") from None
    return file.getvalue()


def _with_cv2(jpegs: Sequence[bytes]) -> bytes:
    """Encoded through a file in the temporary folder, as OpenCV writes nowhere else."""
    cv2: Any = importlib.import_module("cv2")
    numpy: Any = importlib.import_module("numpy")
    pictures = [cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), cv2.IMREAD_COLOR) for jpeg in jpegs]
    if any(picture is None for picture in pictures):
        raise CannotEncode("OpenCV could not read a frame")
    height, width = (even_px(side) for side in pictures[0].shape[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chunk.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), LABEL_FPS, (width, height))
        if not writer.isOpened():
            raise CannotEncode("OpenCV has no mp4 encoder")
        for picture in pictures:
            writer.write(
                picture if picture.shape[:2] == (height, width) else cv2.resize(picture, (width, height))
            )
        writer.release()
        return path.read_bytes()
