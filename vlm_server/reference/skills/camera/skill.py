"""The camera skill: frames and times in, verdict out. A motion baseline, which measures and understands nothing.

Every chunk is judged for itself: what was seen in an earlier one is not known here.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

from vlm_server.reference.skills.camera.blobs import Blob, blobs_of
from vlm_server.reference.skills.camera.collision import collisions
from vlm_server.reference.skills.camera.fall import falls
from vlm_server.reference.skills.camera.finding import Finding, merged
from vlm_server.reference.skills.camera.fire import Flame, fire, flame_of
from vlm_server.reference.skills.camera.ground import ground_of
from vlm_server.reference.skills.camera.smoke import smoke, veil_of
from vlm_server.reference.skills.camera.steady import Mask, Pictures, Scene, scene_of
from vlm_server.reference.skills.camera.tracks import Track, tracks_of
from vlm_server.reference.verdict import SeenEvent, Verdict

LEAST_FRAMES = 3  # fewer show no movement
BURNING = 0.3  # share of a silhouette that is flame or beside it; the rules for bodies do not fit it
SEVERITIES = ("safe", "warn", "danger")


class Shown(Protocol):
    """What a request shows."""

    @property
    def frames(self) -> Pictures:
        """The frames, in time order."""
        ...

    @property
    def times_s(self) -> list[float]:
        """Their times."""
        ...


class CameraMotion:
    """Judges camera video; holds no state, so it may be shared between threads."""

    def look(self, shown: Shown) -> Verdict:
        """Return the verdict on a chunk; raises what the frames raise when one cannot be decoded."""
        scene = scene_of(shown.frames, np.array(shown.times_s, float))
        if len(scene.frames) < LEAST_FRAMES or scene.times_s[-1] <= scene.times_s[0]:
            said = f"Too few frames to see movement in: {len(shown.frames)}."
            return Verdict(status="safe", events=[], summary=said)
        tracks, found = judged(scene)
        status = max((f.severity for f in found), key=SEVERITIES.index, default="safe")
        return Verdict(status=status, events=[_event(f) for f in found], summary=_summary(tracks, found))


def judged(scene: Scene) -> tuple[list[Track], list[Finding]]:
    """Return what moves in a chunk of at least three frames, and what happened."""
    flame, veil = flame_of(scene), veil_of(scene)
    blobs, taken = blobs_of(scene, ground_of(scene))
    tracks = tracks_of([_cold(row, flame) for row in blobs], scene.times_s)
    found = [*falls(tracks, scene), *collisions(tracks, scene, taken)]
    if flame is not None:
        found.append(fire(flame, scene, smokes=veil is not None))
    elif veil is not None:
        found.append(smoke(veil, scene))
    return tracks, merged(found)


def _cold(blobs: list[Blob], flame: Flame | None) -> list[Blob]:
    """Leave out silhouettes that are mostly flame and its glow."""
    if flame is None:
        return blobs
    glow: Mask = np.asarray(cv2.dilate(flame.region.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0)
    return [blob for blob in blobs if np.count_nonzero(blob.mask & glow) < BURNING * blob.area]


def _event(found: Finding) -> SeenEvent:
    return SeenEvent(
        kind=found.kind,
        start_s=round(found.start_s, 3),
        end_s=round(found.end_s, 3),
        severity=found.severity,
        objects=list(found.objects),
        description=found.description,
        confidence=round(found.confidence, 3),
    )


def _summary(tracks: list[Track], found: list[Finding]) -> str:
    """Say what moved and what happened, and who says so."""
    moving = sum(len(track.blobs) > LEAST_FRAMES for track in tracks)
    kinds = ", ".join(f"{f.kind} at {f.start_s:.1f} s" for f in found) or "none"
    return f"Motion baseline: {moving} things stood out from the ground. Accidents: {kinds}."
