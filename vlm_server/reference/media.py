"""From the parts of a request to frames and their times; knows the three ways of sending, not what is seen."""

from __future__ import annotations

import base64
import binascii
import itertools
from dataclasses import dataclass

from vlm_server.reference import timeline, tokens
from vlm_server.reference.errors import RequestRefused
from vlm_server.reference.pixels import MAX_FRAMES, Film, Frame, Frames, Pictures
from vlm_server.reference.wire import ImagePart, Part, TextPart, VideoIo, VideoPart

UNSUPPORTED = 501  # what vLLM answers to a data: address that is not base64


@dataclass(frozen=True)
class Clip:
    """What a request shows: frames, their times, and what they would cost a language model."""

    frames: Frames
    times_s: list[float]
    tokens: int


class Joined:
    """Several runs of frames, one after the other."""

    def __init__(self, runs: list[Frames]) -> None:
        self._runs = runs
        self._starts = list(itertools.accumulate((len(run) for run in runs), initial=0))

    def __len__(self) -> int:
        """Return the number of frames in all runs."""
        return self._starts[-1]

    def __getitem__(self, index: int) -> Frame:
        """Return one frame; raises FrameUnreadable."""
        run, inside = self._find(index)
        return run[inside]

    def size(self, index: int) -> tuple[int, int]:
        """Return width and height in pixels; raises FrameUnreadable."""
        run, inside = self._find(index)
        return run.size(inside)

    def _find(self, index: int) -> tuple[Frames, int]:
        for run, start in zip(self._runs, self._starts, strict=False):
            if start <= index < start + len(run):
                return run, index - start
        raise IndexError(index)


def clip_of(parts: list[Part], video_io: VideoIo) -> Clip | None:
    """Return the frames of a message in order, or None when it shows nothing.

    Every header is checked here, so that a picture that is none is refused before any work is done.
    Raises RequestRefused.
    """
    runs: list[Frames] = []
    told: list[float | None] = []
    texts: list[str] = []
    cost, before = 0, ""
    for part in parts:
        if isinstance(part, TextPart):
            texts.append(part.text)
            before = part.text
            continue
        run, run_told = _run(part, before, len(told), video_io)
        runs.append(run)
        told.extend(run_told)
        before = ""
        cost += _cost(part, run, run_told)
    if not runs:
        return None
    if len(told) > MAX_FRAMES:
        raise RequestRefused(f"At most {MAX_FRAMES} frames may be provided in one prompt")
    frames: Frames = Joined(runs)
    times = timeline.settled(told, timeline.listed_s(texts))
    if len({frames.size(index) for index in range(len(frames))}) > 1:
        raise RequestRefused("all input arrays must have the same shape")
    return Clip(frames, times, cost)


def _run(
    part: ImagePart | VideoPart, before: str, first: int, video_io: VideoIo
) -> tuple[Frames, list[float | None]]:
    if isinstance(part, ImagePart):
        return Pictures([_unpack(_data(part.image_url.url)[1])], first), [timeline.stamp_s(before)]
    mime, data = _data(part.video_url.url)
    if mime == "video/jpeg":
        pictures = Pictures([_unpack(piece) for piece in data.split(",")], first)
        times = timeline.frame_list_s(len(pictures), video_io.fps, video_io.frames_indices)
        return pictures, list(times)
    film = Film(_unpack(data))
    if not len(film):
        raise RequestRefused("Could not open video stream")
    return film, list(film.times_s)


def _cost(part: ImagePart | VideoPart, run: Frames, told: list[float | None]) -> int:
    width, height = run.size(0)
    if isinstance(part, ImagePart):
        return tokens.image_tokens(width, height)
    return tokens.video_tokens(width, height, [told_s or 0.0 for told_s in told])


def _data(url: str) -> tuple[str, str]:
    """Split a `data:` address into its media type and its text; 400 or 501 when it is none."""
    if not url.startswith("data:"):
        raise RequestRefused("Only data: URLs are accepted; this server fetches nothing", param="url")
    head, comma, data = url[len("data:") :].partition(",")
    if not comma:
        raise RequestRefused("Invalid data URL: no comma", param="url")
    mime, _, encoding = head.partition(";")
    if encoding.split(";")[-1] != "base64":
        raise RequestRefused(
            "Only base64 data URLs are supported", status=UNSUPPORTED, kind="NotImplementedError"
        )
    return mime, data


def _unpack(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise RequestRefused(str(exc)) from exc
