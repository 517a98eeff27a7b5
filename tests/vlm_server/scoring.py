"""Scores what the skill answers on drawn views: contacts found, missed and invented."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from tests.vlm_server.drawn_pictures import frames, jpeg
from tests.vlm_server.drawn_views import Contact, View, times_of, truth
from vlm_server.reference.pixels import Film, Frames, Pictures
from vlm_server.reference.verdict import Verdict

CHUNK_S = 2.0
BRIDGED_S = 0.4
NEAR_S = 1.0


@dataclass(frozen=True)
class Chunk:
    """Frames with their times, as the skill takes them."""

    frames: Frames
    times_s: list[float]


class Looks(Protocol):
    """A skill."""

    def look(self, shown: Chunk) -> Verdict:
        """Return the verdict on a chunk."""
        ...


@dataclass(frozen=True)
class Score:
    """Counts over one view."""

    found: int
    missed: tuple[Contact, ...]
    invented: tuple[Contact, ...]

    @property
    def f1(self) -> float:
        """Return the F1 of contacts; 1 where there is nothing to find and nothing was invented."""
        wrong = len(self.missed) + len(self.invented)
        return 1.0 if wrong == 0 else 2 * self.found / (2 * self.found + wrong)


def film(images: list[NDArray[np.uint8]], fps: float, crf: int = 23) -> bytes:
    """Encode frames as H.264 in MP4; odd sizes lose their last row or column."""
    height, width = (side - side % 2 for side in images[0].shape[:2])
    box = io.BytesIO()
    with av.open(box, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=round(fps), options={"crf": str(crf), "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in images:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="bgr24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return box.getvalue()


def chunks(view: View) -> list[Chunk]:
    """Cut a view into chunks of two seconds, coded as the view says."""
    images, times = frames(view), times_of(view)
    if view.codec == "h264":
        played = Film(film(images, view.fps))
        images = [played[i] for i in range(len(played))]
    found = []
    for start in np.arange(0, view.seconds, CHUNK_S):
        at = np.flatnonzero((times >= start - 1e-9) & (times < start + CHUNK_S - 1e-9))
        quality = 90 if view.codec == "h264" else view.quality
        found.append(Chunk(Pictures([jpeg(images[i], quality) for i in at]), [float(times[i]) for i in at]))
    return found


def answered(view: View, skill: Looks, seen: Callable[[Verdict], None] = lambda _: None) -> list[Contact]:
    """Ask about every chunk of a view and merge what comes back."""
    merged: list[Contact] = []
    for chunk in chunks(view):
        verdict = skill.look(chunk)
        seen(verdict)
        for event in verdict.events:
            one, two = event.objects
            new = Contact((one, two), event.start_s, event.end_s)
            before = [c for c in merged if c.pair == new.pair and new.start_s - c.end_s <= BRIDGED_S]
            if before:
                merged[merged.index(before[-1])] = replace(before[-1], end_s=max(before[-1].end_s, new.end_s))
            else:
                merged.append(new)
    return merged


def score(expected: list[Contact], given: list[Contact]) -> Score:
    """Pair answers with truth one to one: same numbers, spans not further apart than a second."""
    left = list(given)
    missed, found = [], 0
    for want in sorted(expected, key=lambda c: not c.sure):
        fits = [g for g in left if g.pair == want.pair and _gap(g, want) <= NEAR_S]
        if fits:
            left.remove(min(fits, key=lambda g: abs(g.start_s - want.start_s)))
            found += want.sure
        elif want.sure:
            missed.append(want)
    return Score(found, tuple(missed), tuple(left))


def _gap(one: Contact, other: Contact) -> float:
    return max(one.start_s - other.end_s, other.start_s - one.end_s, 0.0)


def expected(view: View) -> list[Contact]:
    """Return the contacts of a view, breaks shorter than the bridge closed."""
    merged: list[Contact] = []
    for contact in truth(view):
        last = merged[-1] if merged and merged[-1].pair == contact.pair else None
        if last is not None and contact.start_s - last.end_s <= BRIDGED_S:
            merged[-1] = replace(last, end_s=contact.end_s, sure=last.sure or contact.sure)
        else:
            merged.append(contact)
    return merged
