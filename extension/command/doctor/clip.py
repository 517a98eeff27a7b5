"""Has the via-server caption a tiny drawn replay whose truth is known: two discs that touch, under a burnt-in clock.

One answer shows whether the VLM is reached, whether our override is in between and how it packs frames, whether answers follow
the schema, and whether the times in them are those of the video. The clip is deleted again.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from extension.captions import parse, prompts
from extension.chunks.via_client import CaptionQuery, ViaClient
from extension.errors import ExtensionError
from extension.model import Caption, Chunk, Claim, Span
from extension.sources.replay.render import render
from extension.sources.replay.style import Style
from extension.timetravel.trajectory import Track, Trajectory, micros

LENGTH_S = 4
TOUCH_S = 2.0
"""The discs begin to overlap this long after the first frame."""
START_AT = dt.datetime(2025, 1, 1, 13, 37, 42, tzinfo=dt.UTC)
"""Of the first frame. Nobody guesses it."""
_FRAMES = 20
_STEP_US = 100_000
_STANDING = {"obj001": (900.0, 450.0), "obj003": (0.0, 900.0), "obj004": (1800.0, 0.0)}
"""Places on the ground, x and z in centimetres."""
_TOUCH_CM, _TOGETHER_CM, _WALK_CM_S = 100.0, 50.0, 250.0
"""Discs of the usual size overlap when their centres are closer than the first."""
_NEAR_S = 0.5
"""Frames are 0.2 s apart; an overlap is seen for sure when it is a little deeper than it begins."""
_CLOCK_SLACK_S = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of the clip.

    Attributes:
        caption: The answer as the service would read it; None when the via-server gave none.
        report: What the override reported beside it; empty when there was none.
        trouble: Why the via-server gave no answer; empty when it did.
    """

    caption: Caption | None = None
    report: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""


def exchange(url: str, model: str, max_tokens: int, timeout_s: float) -> Shown:
    """Upload the clip, have it captioned within `timeout_s` seconds, delete it."""
    via = ViaClient(url, timeout_s=timeout_s)
    try:
        with tempfile.TemporaryDirectory() as folder:
            video = Path(folder) / "doctor.mp4"
            draw(video)
            file_id = via.upload(video)
        try:
            responses = via.captions(_query(file_id, model, max_tokens))
        finally:
            via.delete(file_id)
    except ExtensionError as exc:
        return Shown(trouble=str(exc))
    if not responses:
        return Shown(trouble="the via-server answered without the clip's one chunk")
    answer = responses[0]
    report = _report(answer.reasoning_description)
    return Shown(parse.read(answer.content, Chunk(0, Span(0.0, float(LENGTH_S))), report), report)


def draw(path: Path) -> None:
    """Draw the clip: disc 2 walks up to disc 1 and is on it from `TOUCH_S` on; 3 and 4 stand far away."""
    ticks = round(LENGTH_S * 1_000_000 / _STEP_US) + 1
    at_us = micros(START_AT) + _STEP_US * np.arange(ticks, dtype=np.int64)
    left_s = TOUCH_S - (at_us - at_us[0]) / 1_000_000
    tracks = {}
    for objid, (x_cm, z_cm) in _STANDING.items():
        tracks[objid] = Track(at_us.copy(), np.tile((x_cm, 0.0, z_cm), (ticks, 1)))
    apart_cm = np.maximum(_TOUCH_CM + _WALK_CM_S * left_s, _TOGETHER_CM)
    walk = tracks["obj001"].places + np.stack((apart_cm, 0 * apart_cm, 0 * apart_cm), axis=1)
    render(Trajectory({**tracks, "obj002": Track(at_us, walk)}), Style(fps=10), path)


def misread(caption: Caption) -> str:
    """What the answer has wrong of the clip's times; empty when they are right."""
    if caption.verdict is None:
        return "the answer is no verdict"
    contacts = [claim for claim in caption.verdict.claims if set(claim.objects) == {"1", "2"}]
    if not contacts:
        return "the answer does not see the two discs touch"
    first = min(contacts, key=lambda claim: claim.span.start_s)
    off_s = first.span.start_s - TOUCH_S
    if abs(off_s) > _NEAR_S:
        return f"the contact at {TOUCH_S:.1f} s is placed at {first.span.start_s:.1f} s"
    return _clock_misread(first, caption.verdict.clock)


def _clock_misread(contact: Claim, first_frame: str | None) -> str:
    for clock, at_s in ((contact.clock, contact.span.start_s), (first_frame, 0.0)):
        if clock is None:
            continue
        # A clock shows the second that has begun.
        shown = f"{START_AT + dt.timedelta(seconds=math.floor(at_s)):%H:%M:%S}"
        if abs(_seconds(clock) - _seconds(shown)) > _CLOCK_SLACK_S:
            return f"the burnt-in clock {shown} is read as {clock}"
    return "" if contact.clock or first_frame else "the burnt-in clock is not read"


def _seconds(clock: str) -> int:
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return 3600 * hours + 60 * minutes + seconds


def _query(file_id: str, model: str, max_tokens: int) -> CaptionQuery:
    prompt = prompts.load("replay")
    return CaptionQuery(
        file_id=file_id,
        model=model,
        prompt=prompt.user,
        system_prompt=prompt.system,
        start_s=0,
        end_s=LENGTH_S,
        chunk_s=LENGTH_S,
        frames_per_chunk=_FRAMES,
        max_tokens=max_tokens,
    )


def _report(reasoning: str) -> dict[str, Any]:
    """The override's report; other engines leave the field empty or put prose there."""
    try:
        page = json.loads(reasoning) if reasoning else {}
    except ValueError:
        return {}
    return page if isinstance(page, dict) and "packing" in page else {}
