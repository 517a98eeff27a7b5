"""How a server with Qwen3-VL reads a request: what it counts, and what text it gives the model. No network.

Written from measurements of a real vLLM, apart from the product's own arithmetic, so that the two can disagree.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

_TOKEN = re.compile(r" ?[^\W\d_]+|\d|[^\w\s]|\s|_")


class Refuses(Exception):
    """The server says no, with this status."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class VideoReading:
    """How videos are read: forms taken, the clock of frame lists, where frames are left out, per-request options, uuids."""

    video_jpeg: bool = True
    mp4: bool = True
    jpeg_fps: float = 1.0
    most_frames: int | None = None
    options: bool = False
    token_ids: bool = True
    ignores_video: bool = False
    uuids: bool = True
    known: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Seen:
    """A video as the model is given it: size in pixels, the time of each frame."""

    width: int
    height: int
    times_s: list[float]

    def marks(self) -> list[str]:
        """One per pair."""
        times = [*self.times_s, self.times_s[-1]] if len(self.times_s) % 2 else self.times_s
        return [f"<{(a + b) / 2:.1f} seconds>" for a, b in zip(times[::2], times[1::2], strict=True)]


def completion(body: dict[str, Any], reading: VideoReading) -> dict[str, Any]:
    """The answer to a question that asks for token ids: every character of the text is one."""
    choice = {"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "O"}}
    told = {"choices": [choice], "usage": {"prompt_tokens": count(body, reading)}}
    return told | ({"prompt_token_ids": list(map(ord, shown(body, reading)))} if reading.token_ids else {})


def shown(body: dict[str, Any], reading: VideoReading) -> str:
    """The text that the model is given."""
    return "".join(
        part["text"] if part["type"] == "text" else "".join(_video(part, body, reading).marks())
        for part in _parts(body)
        if part["type"] != "image_url"
    )


def count(body: dict[str, Any], reading: VideoReading) -> int:
    """The tokens of the prompt."""
    total = 4 * len(body["messages"])
    for part in _parts(body):
        if part["type"] == "text":
            total += len(_TOKEN.findall(part["text"]))
        elif part["type"] == "image_url":
            picture = _decoded(base64.b64decode(part["image_url"]["url"].partition(",")[2]))
            total += max(64, round(picture.shape[1] / 32) * round(picture.shape[0] / 32)) + 2
        elif not reading.ignores_video:
            video = _video(part, body, reading)
            cells = round(video.width / 32) * round(video.height / 32)
            total += 2 + sum(cells + 2 + len(_TOKEN.findall(mark)) for mark in video.marks())
    return total


def _parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    contents = [message["content"] for message in body["messages"]]
    return [
        part
        for content in contents
        for part in ([{"type": "text", "text": content}] if isinstance(content, str) else content)
    ]


def _video(part: dict[str, Any], body: dict[str, Any], reading: VideoReading) -> _Seen:
    url = (part["video_url"] or {}).get("url")
    if url is None:
        if not reading.uuids or part["uuid"] not in reading.known:
            raise Refuses("Cache miss for video at index 0 but data is not provided.")
        url = reading.known[part["uuid"]]
    elif "uuid" in part:
        url = reading.known.setdefault(part["uuid"], url)
    mime, _, data = url.partition(";base64,")
    seen = _file(data, reading) if mime == "data:video/mp4" else _frame_list(data, body, reading)
    if reading.most_frames and len(seen.times_s) > reading.most_frames:
        return dataclasses.replace(
            seen, times_s=seen.times_s[: reading.most_frames]
        )  # renumbered, as vLLM does
    return seen


def _frame_list(data: str, body: dict[str, Any], reading: VideoReading) -> _Seen:
    options = body.get("media_io_kwargs", {}).get("video")
    if not reading.video_jpeg:
        raise Refuses("VideoMetadata.__init__() missing 1 required positional argument", 500)
    if options and not reading.options:
        raise Refuses("Per-request media_io_kwargs are disabled by default")
    pictures = [_decoded(base64.b64decode(frame)) for frame in data.split(",")]
    if len({picture.shape for picture in pictures}) > 1:
        raise Refuses("all input arrays must have the same shape")
    times_s = [i / reading.jpeg_fps for i in range(len(pictures))]
    if options:
        times_s = [index / options["fps"] for index in options["frames_indices"]]
    return _Seen(pictures[0].shape[1], pictures[0].shape[0], times_s)


def _file(data: str, reading: VideoReading) -> _Seen:
    if not reading.mp4:
        raise Refuses("Could not open video stream")
    with av.open(io.BytesIO(base64.b64decode(data)), "r") as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or Fraction(1)
        frames = list(container.decode(stream))
    every = max(1, round(rate / 2))  # Qwen3-VL's loader takes two frames a second
    times_s = [float(i / rate) for i in range(0, len(frames), every)]
    return _Seen(frames[0].width, frames[0].height, times_s)


def _decoded(jpeg: bytes) -> Any:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise Refuses("Failed to load image: cannot identify image file")
    return picture
