"""Looks at one window of a camera: its segments are joined, shown to the VLM, and the answer is placed in the camera's own time."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.errors import BadInput, Refused, Unavailable
from extension.model import Caption, Chunk, Failure, Span
from extension.pipeline.asking import Asker, Question, ViaFile, add_file
from extension.pipeline.live.briefing import BriefOf, no_brief, noted, prompt_for
from extension.pipeline.live.lane import Lane
from extension.pipeline.patience import Patience
from extension.pipeline.second_look import SecondLook
from extension.sources.camera.ring import Ring
from extension.sources.camera.window import Window, join

NOT_CAPTURED: Final = "NotCaptured"
_MOST_FRAMES: Final = 256
"""The via-server takes no more (see EXT_FRAMES_PER_CHUNK)."""


@dataclass(frozen=True, slots=True)
class Looking:
    """How windows are looked at.

    Attributes:
        frames_per_window: Frames shown to the VLM.
        max_tokens: Longest answer, in tokens.
        patience_s: How long a window may wait for a via-server or VLM that is down.
        zero_copy: Whether the via-server sees the same paths.
        folder: Where joined windows lie while they are looked at.
        kept_s: How long captions are kept, in seconds.
        most_waiting: Windows that may wait for one camera; when one more comes, the oldest is shed.
        second_look: Whether cameras may be looked at twice at all.
        second_look_s: How long an alert waits for a second look at most, seconds.
    """

    frames_per_window: int
    max_tokens: int
    patience_s: float
    zero_copy: bool
    folder: Path
    kept_s: float
    most_waiting: int = 3
    second_look: bool = True
    second_look_s: float = 30.0


class Look:
    """Looks at windows; safe to use from several threads.

    Args:
        via: The via-server.
        ring: The recorded segments.
        looking: How windows are looked at.
        clock: Processing time.
        stop: Ends everything.
        brief_of: What is said of a camera's place, by its name.
    """

    def __init__(
        self,
        via: ViaClient,
        ring: Ring,
        looking: Looking,
        clock: Clock,
        stop: threading.Event,
        *,
        brief_of: BriefOf = no_brief,
    ) -> None:
        self._via = via
        self._ring = ring
        self._looking = looking
        self._clock = clock
        self._stop = stop
        self._brief_of = brief_of

    def at(self, lane: Lane, number: int) -> Caption:
        """The answer for a window; whatever is wrong with it becomes its failure.

        Raises:
            Stopped: when the service stops meanwhile.
        """
        chunk = lane.chunk(number)
        segments = self._ring.index.covering(lane.camera, *lane.rhythm.span(number))
        if not segments:
            return failed(chunk, NOT_CAPTURED, "nothing was recorded in this window")
        self._looking.folder.mkdir(parents=True, exist_ok=True)
        path = self._looking.folder / f"{lane.job_id}-{number}.mp4"
        try:
            return self._asked(lane, number, join(list(segments), path))
        except (BadInput, Refused, Unavailable) as exc:
            return failed(chunk, type(exc).__name__, str(exc))
        finally:
            path.unlink(missing_ok=True)

    def _asked(self, lane: Lane, number: int, window: Window) -> Caption:
        patience = Patience(self._looking.patience_s, self._clock, self._stop)
        file = ViaFile(self._via, lambda: add_file(self._via, window.path, zero_copy=self._looking.zero_copy))
        start_s = lane.media_s(window.start_at)
        prompt, brief = prompt_for(lane.prompt, self._brief_of(lane.camera), lane.recent.before(start_s))
        whole_s = max(1, -int(-window.duration_s // 1))
        question = Question(
            model=self._via.model().id,
            prompt=prompt,
            chunk_s=whole_s,
            frames_per_chunk=_frames(
                self._looking.frames_per_window, window.duration_s / lane.rhythm.length_s
            ),
            max_tokens=self._looking.max_tokens,
            frame_size=None,
        )
        try:
            asker = Asker(self._via, file, question, patience, None)
            (caption,) = asker.ask([Chunk(number, Span(0.0, window.duration_s))])
            caption = noted(caption, brief)
            if self._looking.second_look and lane.second_look:
                via = self._via.within(self._looking.second_look_s)
                again = SecondLook(via, file, question, patience, window.duration_s, self._clock)
                caption = again.checked(caption)
        finally:
            file.forget()
        return _placed(caption, number, start_s, window)


def _frames(per_window: int, windows: float) -> int:
    """As many frames a second as ever for what lasts so many windows: whole segments reach beyond it."""
    return min(math.ceil(per_window * max(1.0, windows)), _MOST_FRAMES)


def failed(chunk: Chunk, code: str, message: str) -> Caption:
    """A window without an answer."""
    return Caption(chunk, "", None, Failure(code, message))


def _placed(caption: Caption, number: int, start_s: float, window: Window) -> Caption:
    """A caption whose times count from the window's file, with times that count from the camera's first window."""
    span = Span(start_s, start_s + window.duration_s)
    chunk = Chunk(number, span)
    if caption.verdict is None:
        return replace(caption, chunk=chunk)
    claims = tuple(
        replace(claim, span=Span(claim.span.start_s + start_s, claim.span.end_s + start_s))
        for claim in caption.verdict.claims
    )
    return replace(caption, chunk=chunk, verdict=replace(caption.verdict, claims=claims))
