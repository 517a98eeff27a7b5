"""How the frames of a chunk are packed into message parts, and what the model is told about their times. Pure.

True times are seconds from the start of the chunk. What a model is told in each packing:

* `images`: the true time in text before each picture, `<12.34 seconds>`. Nothing is converted.
* `video_jpeg` and `mp4`: Qwen3-VL's servers write marks of their own into the video, `<T seconds>` per pair of frames (which they
  melt into one), from their own clock:
  - `video_jpeg` with options (servers that take frame times with the request): the marks are the true times, to 0.05 s;
  - `video_jpeg` without: frame number i stands at i / 1 s (or the rate the server was started with);
  - `mp4`: the file says 2 frames a second whatever the true rate is, because servers then use every frame; i stands at i / 2 s.
  Where the marks are right, nothing more is said. Where they are off, a line with the true times of all frames follows, and a
  sentence says how to convert the marks: a linear rule where one holds within 0.06 s, else by frame number into the line.
  Where the clock is unknown, the sentence says to go by the line alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from chunk_caption import budget
from chunk_caption.endpoint import IMAGES, MP4, VIDEO_JPEG, Endpoint, VideoForm
from chunk_caption.frames import Frame, size_px

LABEL_FPS = 2  # of every mp4: at this rate vLLM's Qwen3-VL loader keeps every frame
TICKS_PER_S = 100  # frame times are told to the server in hundredths of a second
TELLING_SLACK_S = 0.06  # how far a told time may lie from the true one
_MARK_ROUNDING_S = 0.05  # marks have one decimal
_LAST_DECIMAL_S = 0.01  # of frame times; with a mark's rounding it stays within the slack
_LEAST_VIDEO_FRAMES = 2  # vLLM refuses a video of one frame

Encoder = Callable[[Sequence[bytes]], bytes]


def chosen(packing: str, endpoint: Endpoint, frames: Sequence[Frame]) -> str:
    """The packing for these frames: what was asked for, or for `auto` the best that the endpoint reads.

    One frame is always an image, as are frames of different sizes, which no server takes for a video.
    """
    if len(frames) < _LEAST_VIDEO_FRAMES or len({size_px(frame.jpeg) for frame in frames}) > 1:
        return IMAGES
    if packing != "auto":
        return packing
    for name, form in ((VIDEO_JPEG, endpoint.video_jpeg), (MP4, endpoint.mp4)):
        if form and (form.most_frames is None or len(frames) <= form.most_frames):
            return name
    return VIDEO_JPEG if endpoint.video_jpeg else MP4 if endpoint.mp4 else IMAGES


def parts(
    packing: str, frames: Sequence[Frame], encode: Encoder, form: VideoForm, *, uuid: bool
) -> list[dict[str, Any]]:
    """The message parts that hold the frames and their times; with `uuid` each picture or video carries the hash of its content."""
    if packing == IMAGES:
        return [part for frame in frames for part in (mark_part(frame), _image(frame.jpeg, uuid=uuid))]
    if packing == MP4:
        video = video_part("video/mp4", [encode([frame.jpeg for frame in frames])], uuid=uuid)
    else:
        video = video_part("video/jpeg", [frame.jpeg for frame in frames], uuid=uuid)
    return [video, *times_parts(packing, frames, form)]


def video_part(mime: str, pieces: Sequence[bytes], *, uuid: bool) -> dict[str, Any]:
    """One video: a file, or JPEGs with plain commas between them."""
    url = f"data:{mime};base64," + ",".join(base64.b64encode(piece).decode("ascii") for piece in pieces)
    return {"type": "video_url", "video_url": {"url": url}, **_uuid(url, uuid)}


def image_part(jpeg: bytes) -> dict[str, Any]:
    """One picture."""
    return _image(jpeg, uuid=False)


def mark_part(frame: Frame) -> dict[str, Any]:
    """The time of the picture that follows."""
    return {"type": "text", "text": f"<{frame.time_s:.2f} seconds>"}


def times_part(frames: Sequence[Frame]) -> dict[str, Any]:
    """The true times of all frames of the video before it, which no form of video carries itself."""
    times = ", ".join(f"{frame.time_s:.2f}" for frame in frames)
    return {"type": "text", "text": f"Frame times in seconds: {times}"}


def times_parts(packing: str, frames: Sequence[Frame], form: VideoForm) -> list[dict[str, Any]]:
    """The line of times after a video, where the server's own marks do not say the same."""
    return [] if _marks_are_right(packing, frames, form) else [times_part(frames)]


def media_options(packing: str, frames: Sequence[Frame], form: VideoForm) -> dict[str, Any]:
    """Frame times for the server, for `video_jpeg` on servers that take them with a request; else nothing."""
    if packing != VIDEO_JPEG or not form.options:
        return {}
    return {"media_io_kwargs": {"video": timeline_options([frame.time_s for frame in frames])}}


def timeline_options(times_s: Sequence[float]) -> dict[str, Any]:
    """What makes vLLM write `times_s`: frame numbers of a video of 100 frames a second, none left out."""
    indices = [round(time_s * TICKS_PER_S) for time_s in times_s]
    total = indices[-1] + 1
    return {
        "num_frames": -1,
        "fps": TICKS_PER_S,
        "frames_indices": indices,
        "total_num_frames": total,
        "duration": total / TICKS_PER_S,
    }


def server_times_s(packing: str, frames: Sequence[Frame], form: VideoForm) -> list[float]:
    """Where the server places the frames of a video on its own clock."""
    if form.options:
        return [round(frame.time_s * TICKS_PER_S) / TICKS_PER_S for frame in frames]
    fps = form.fps or (LABEL_FPS if packing == MP4 else 1)
    return [number / fps for number in range(len(frames))]


def clock_note(packing: str, frames: Sequence[Frame], form: VideoForm) -> str:
    """What to tell the model about the server's marks in the video; empty where they are right or there are none."""
    if packing == IMAGES or _marks_are_right(packing, frames, form):
        return ""
    if form.fps is None:
        return "Go by this list of frame times alone; times inside the video may run on another clock. "
    true_s = [frame.time_s for frame in frames]
    shown_s = server_times_s(packing, frames, form)
    factor = (true_s[-1] - true_s[0]) / (shown_s[-1] - shown_s[0])
    off_s = max(abs(true_s[0] + factor * at - true) for true, at in zip(true_s, shown_s, strict=True))
    said = "The marks <T seconds> inside the video run on another clock: "
    if off_s + factor * _MARK_ROUNDING_S + _LAST_DECIMAL_S <= TELLING_SLACK_S:
        return f"{said}the true second is {true_s[0]:.2f} + {factor:.5f} x T. "
    return f"{said}a mark T stands for frame number {form.fps:g} x T of this list, counted from 0. "


def _marks_are_right(packing: str, frames: Sequence[Frame], form: VideoForm) -> bool:
    """Whether the server writes the true times into the video itself."""
    if form.options:
        return packing == VIDEO_JPEG
    if form.fps is None:
        return False
    shown_s = server_times_s(packing, frames, form)
    off_s = max(abs(frame.time_s - shown) for frame, shown in zip(frames, shown_s, strict=True))
    return off_s <= _LAST_DECIMAL_S


def media_tokens(packing: str, frames: Sequence[Frame], form: VideoForm) -> int:
    """What the frames cost without any text that we write."""
    size = size_px(frames[0].jpeg)
    if packing == IMAGES:
        return sum(budget.image_tokens(size_px(frame.jpeg)) for frame in frames)
    if packing == MP4:
        size = even_px(size[0]), even_px(size[1])
    return budget.video_tokens(size, server_times_s(packing, frames, form))


def even_px(side_px: int) -> int:
    """The nearest smaller even length, which the colours of an mp4 (4:2:0) need."""
    return max(2, side_px - side_px % 2)


def _image(jpeg: bytes, *, uuid: bool) -> dict[str, Any]:
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": url}, **_uuid(url, uuid)}


def _uuid(url: str, wanted: bool) -> dict[str, str]:  # noqa: FBT001 -- private, called with a name that says it
    return {"uuid": hashlib.sha256(url.encode("ascii")).hexdigest()} if wanted else {}
