"""Chooses the skill for a request, by the policy that its system prompt states, else by the pixels; it judges nothing itself.

A system prompt says what kind of video is to be judged ("a fixed camera", "a replay"): that is the question, not its answer, and
every language model is told the same. File names, cameras' names and trajectories never come here. Where the prompt speaks of neither or
of both, the picture decides: a drawn view is smooth nearly everywhere, a camera's picture is not, and a view in which numbered discs are
read is a replay whatever it is drawn on.
"""

from __future__ import annotations

import re
from enum import Enum

import numpy as np

from vlm_server.reference.media import Clip
from vlm_server.reference.pixels import Frame
from vlm_server.reference.skills.camera.skill import CameraMotion
from vlm_server.reference.skills.replay_view.skill import ReplayView
from vlm_server.reference.verdict import Verdict

_REPLAY = re.compile(r"\breplays?\b|리플레이", re.IGNORECASE)
_CAMERA = re.compile(r"\bcameras?\b|\bCCTV\b|카메라", re.IGNORECASE)

COLOURS = 8  # of 32 768: what a drawn view is filled with
DRAWN = 0.82  # share of the picture that they cover; asphalt from above, the plainest of camera pictures, has 0.79


class Kind(Enum):
    """The kinds of video that this program judges."""

    REPLAY = "replay"
    CAMERA = "camera"


def stated(policy: str) -> Kind | None:
    """Return the kind of video that a system prompt says is to be judged, or None when it names none or both."""
    replay, camera = bool(_REPLAY.search(policy)), bool(_CAMERA.search(policy))
    if replay == camera:
        return None
    return Kind.REPLAY if replay else Kind.CAMERA


def looks_drawn(frame: Frame) -> bool:
    """Return whether a picture was drawn: a few colours fill nearly all of it."""
    coarse = (frame >> 3).astype(np.int32)
    colours = np.bincount(((coarse[..., 0] << 10) | (coarse[..., 1] << 5) | coarse[..., 2]).ravel())
    return bool(np.sort(colours)[-COLOURS:].sum() >= DRAWN * coarse[..., 0].size)


class Eye:
    """Both skills; holds the replay reader and no other state, so it may be shared between threads."""

    def __init__(self) -> None:
        self._replay = ReplayView()
        self._camera = CameraMotion()

    def look(self, clip: Clip, policy: str) -> Verdict:
        """Return the verdict of the skill that fits; raises what the frames raise when one cannot be decoded."""
        kind = stated(policy) or self._shown(clip)
        return self._camera.look(clip) if kind is Kind.CAMERA else self._replay.look(clip)

    def _shown(self, clip: Clip) -> Kind:
        """Tell the kind by the pixels: a drawn view, or one in which numbered discs can be read, is a replay."""
        if looks_drawn(clip.frames[len(clip.frames) // 2]):
            return Kind.REPLAY
        reading = self._replay.read(clip.frames, np.array(clip.times_s, float))
        return Kind.REPLAY if reading.numbers else Kind.CAMERA
