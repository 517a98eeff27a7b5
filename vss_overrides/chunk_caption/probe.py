"""Finds out how an endpoint reads videos, by sending it one tiny video in each form and reading back what it made of it.

34 grey frames, because servers that leave frames out start at 33. With `return_token_ids` and `/detokenize` vLLM shows the
text that the model is given, time marks included. A server that does neither is believed to have seen the video when
it counted more tokens than the text alone has.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Sequence
from typing import Any, Protocol

from chunk_caption import mp4, packing
from chunk_caption.budget import pair_marks_s
from chunk_caption.endpoint import MP4, REFERENCE_OWNER, VIDEO_JPEG, VLLM_OWNER, Endpoint, VideoForm
from chunk_caption.failures import CaptionFailed

FRAMES = 34
GREY = base64.b64decode(  # 64 x 64 pixels
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI//////////////////////////////////"
    "//////////////////wAALCABAAEABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8A"
    "AAAAAAAAAAAAAAAAAAAAAP/Z"
)
_TIMES_S = [number / 4 for number in range(FRAMES)]
_TEXT = "Answer OK."
_MOST_TEXT_TOKENS = 100  # of the probe without its video, whatever the chat template adds
_MARK = re.compile(r"<(\d+\.\d) seconds>")
_REFUSES_ALL = (401, 403, 404)  # key or model are wrong; that says nothing about videos
_UNREADABLE = 500  # old servers fail so on frame lists; 502 to 504 are trouble that may pass


class Asked(Protocol):
    """The part of the client that a probe needs."""

    def complete(self, body: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        """A chat completion."""

    def root(self, path: str, body: dict[str, Any], deadline_s: float) -> dict[str, Any] | None:
        """An answer of a route beside the API; None when the server has no such route."""


def probed(asked: Asked, listed: Endpoint, model: str, wanted: str, deadline_s: float) -> Endpoint:
    """`listed` and how its videos are read, as far as the packing `wanted` depends on it.

    Raises CaptionFailed when the server cannot say now.
    """
    if wanted == "images":
        return listed
    if listed.owned_by == REFERENCE_OWNER:  # reads frame lists, and times from the line beside them
        return dataclasses.replace(listed, video_jpeg=VideoForm())
    probe = _Probe(asked, model, deadline_s)
    jpeg = probe.jpeg() if wanted != MP4 else None
    encode = mp4.encoder() if wanted != VIDEO_JPEG and (jpeg is None or jpeg.most_frames) else None
    file = None
    if encode:
        try:
            file = probe.form([packing.video_part("video/mp4", [encode([GREY] * FRAMES)], uuid=False)], {})
        except mp4.CannotEncode:
            file = None
    uuid = listed.owned_by == VLLM_OWNER and jpeg is not None and probe.knows_again(jpeg)
    return dataclasses.replace(listed, video_jpeg=jpeg, mp4=file, uuid=uuid)


class _Probe:
    """Questions to one model."""

    def __init__(self, asked: Asked, model: str, deadline_s: float) -> None:
        self._asked = asked
        self._model = model
        self._deadline_s = deadline_s
        self._options = {"media_io_kwargs": {"video": packing.timeline_options(_TIMES_S)}}
        self._jpegs = packing.video_part("video/jpeg", [GREY] * FRAMES, uuid=True)

    def jpeg(self) -> VideoForm | None:
        """How frame lists are read: with frame times where that gives the right marks, else plain."""
        marks_s = self._marks_s([self._jpegs], self._options)
        expected_s = pair_marks_s(_TIMES_S)
        if marks_s and len(marks_s) == len(expected_s) and _near(marks_s, expected_s):
            return VideoForm(fps=float(packing.TICKS_PER_S), options=True)
        return self.form([self._jpegs], {})

    def form(self, media: list[dict[str, Any]], options: dict[str, Any]) -> VideoForm | None:
        """How one video is read; None when it is not."""
        marks_s = self._marks_s(media, options)
        if marks_s is None:
            return None
        if len(marks_s) < 2:  # noqa: PLR2004 -- no marks, or not enough of them for a clock
            return VideoForm()
        fps = 2 * (len(marks_s) - 1) / (marks_s[-1] - marks_s[0])  # frames that are left out are not numbered
        whole = round(fps)
        cut = len(marks_s) < FRAMES // 2
        return VideoForm(
            fps=float(whole) if whole and abs(fps - whole) <= whole / 50 else round(fps, 2),
            most_frames=2 * len(marks_s) if cut else None,
        )

    def knows_again(self, form: VideoForm) -> bool:
        """Whether the video is found by its hash when its data is left out."""
        bare = {**self._jpegs, "video_url": None}
        return self._marks_s([bare], self._options if form.options else {}) is not None

    def _marks_s(self, media: list[dict[str, Any]], options: dict[str, Any]) -> list[float] | None:
        """The marks in what the model was given, perhaps none; None when the server did not take the video."""
        content = [*media, {"type": "text", "text": _TEXT}]
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": 1,
            "temperature": 0,
            "return_token_ids": True,
            **options,
        }
        try:
            completion = self._asked.complete(body, self._deadline_s)
        except CaptionFailed as failure:
            if failure.status in _REFUSES_ALL or failure.status not in range(400, _UNREADABLE + 2):
                raise
            if failure.again and failure.status != _UNREADABLE:
                raise
            return None
        return self._shown_s(completion)

    def _shown_s(self, completion: dict[str, Any]) -> list[float] | None:
        usage, tokens = completion.get("usage"), completion.get("prompt_token_ids")
        counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        if not isinstance(counted, int) or counted <= _MOST_TEXT_TOKENS:
            return None
        if not isinstance(tokens, list):
            return []
        told = self._asked.root("/detokenize", {"model": self._model, "tokens": tokens}, self._deadline_s)
        text = told.get("prompt") if told else None
        shown = [float(mark) for mark in _MARK.findall(text)] if isinstance(text, str) else []
        return shown if shown == sorted(set(shown)) else []


def _near(marks_s: Sequence[float], expected_s: Sequence[float]) -> bool:
    return all(
        abs(mark - expected) <= packing.TELLING_SLACK_S
        for mark, expected in zip(marks_s, expected_s, strict=True)
    )
