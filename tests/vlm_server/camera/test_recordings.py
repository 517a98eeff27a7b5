"""The recordings of real cameras, chunk by chunk; skipped where they are absent. Quality in full: scripts/bench.sh camera-quality."""

from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
import pytest

from tests.vlm_server.camera.drawn_scenes import Scene
from vlm_server.reference.skills.camera.skill import CameraMotion

pytestmark = pytest.mark.footage
FRAME_MS = 15.0
"""Processor time allowed per frame of 640x360 or less, on one core."""


def chunk(video: Path, start_s: float, length_s: float) -> Scene:
    """Five frames a second of a stretch of a recording, 640 pixels wide."""
    frames, times_s, due_s = [], [], start_s
    with av.open(str(video)) as box:
        for frame in box.decode(video=0):
            at_s = float(frame.time or 0.0)
            if at_s >= start_s + length_s:
                break
            if at_s >= due_s - 1e-6:
                wide = frame.reformat(
                    width=640, height=640 * frame.height // frame.width // 2 * 2, format="bgr24"
                )
                frames.append(np.asarray(wide.to_ndarray(), np.uint8))
                times_s.append(at_s - start_s)
                due_s += 0.2
    return Scene(frames, times_s)


@pytest.mark.parametrize(
    ("name", "kind", "onset_s"),
    [
        ("assist_fall_05_vertical_fall_faint.mp4", "fall", 2.35),
        ("gmdcsa_subject_1_fall_15.mp4", "fall", 1.95),
        ("furg_house6_fire.mp4", "fire", 0.0),
    ],
)
def test_accidents_are_found_in_their_first_ten_seconds(
    motion: CameraMotion, recordings: Path, name: str, kind: str, onset_s: float
) -> None:
    """With the onset within half a second."""
    verdict = motion.look(chunk(recordings / name, 0.0, 10.0))
    assert [(e.kind, e.severity) for e in verdict.events] == [(kind, "danger")]
    assert verdict.events[0].start_s == pytest.approx(onset_s, abs=0.5)


@pytest.mark.parametrize(
    ("name", "start_s"),
    [
        ("assist_adl_12_sitting_laying_down_quickly.mp4", 0.0),
        ("gmdcsa_subject_1_adl_16.mp4", 0.0),
        ("intel_car_detection.mp4", 0.0),
        ("intel_car_detection.mp4", 13.0),
        ("assist_fall_05_vertical_fall_faint.mp4", 5.0),
    ],
)
def test_daily_life_traffic_and_the_motionless_are_not_reported(
    motion: CameraMotion, recordings: Path, name: str, start_s: float
) -> None:
    """The last of them shows somebody who lies there from the first frame: how, was not seen."""
    assert motion.look(chunk(recordings / name, start_s, 10.0)).events == []


def test_a_frame_costs_little(motion: CameraMotion, recordings: Path) -> None:
    """Processor time of this thread, the better of two."""
    scene = chunk(recordings / "intel_car_detection.mp4", 13.0, 10.0)
    spent = []
    for _ in range(2):
        started = time.thread_time()
        motion.look(scene)
        spent.append(time.thread_time() - started)
    assert min(spent) / len(scene.frames) * 1000 < FRAME_MS
