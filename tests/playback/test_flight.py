"""The camera's way: from the whole view to the place and back, gently, with everybody in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from extension.playback.clips import Clip, Roll, Shot, clips, instants_s
from extension.playback.flight import flight
from extension.sources.replay.camera import Camera, chosen_camera
from extension.sources.replay.style import Level, Style, look
from extension.timetravel.summary import Moment
from tests.timetravel.summary_samples import anchored, contacts_of, log, summary_of

STYLE: Style = replace(look(Level.FULL), width=320, height=180, fps=10)
TRAJECTORY = log()
WHOLE = chosen_camera(TRAJECTORY, STYLE)
FPS = 25


def clip_of(moments: tuple[Moment, ...], roll: Roll | None = None) -> tuple[Clip, ...]:
    """The clips of moments of the log."""
    shots = [Shot(m, m.span.start_s, m.span.end_s) for m in moments]
    return clips(shots, roll or Roll(), 0.0, TRAJECTORY.duration_s)


def way(clip: Clip) -> tuple[list[Camera], list[float]]:
    """Cameras of a clip's frames, and their seconds."""
    at_s = instants_s(clip, FPS)
    return list(flight(clip, at_s, TRAJECTORY, STYLE, WHOLE)), at_s.tolist()


@pytest.fixture(scope="module")
def moments() -> tuple[Moment, ...]:
    """The two meetings of the log, at 10 s and 30 s."""
    return summary_of(contacts_of(TRAJECTORY), trajectory=TRAJECTORY).moments


def test_every_frame_has_its_camera(moments: tuple[Moment, ...]) -> None:
    """No more, no fewer."""
    for clip in clip_of(moments):
        cameras, at_s = way(clip)
        assert len(cameras) == len(at_s)


def test_it_begins_and_ends_with_the_whole_view(moments: tuple[Moment, ...]) -> None:
    """So that one sees where the place is."""
    for clip in clip_of(moments):
        cameras, _ = way(clip)
        assert cameras[0] == WHOLE
        assert cameras[-1].px_per_cm == pytest.approx(WHOLE.px_per_cm, rel=0.05)


def test_it_stands_still_and_near_while_the_moment_lasts(moments: tuple[Moment, ...]) -> None:
    """The picture does not move under what is to be seen, and both objects are in it, away from the edges."""
    for clip in clip_of(moments):
        cameras, at_s = way(clip)
        (shot,) = clip.shots
        held = {c for c, s in zip(cameras, at_s, strict=True) if shot.start_s <= s <= shot.end_s}
        (camera,) = held
        assert camera.px_per_cm > 2 * WHOLE.px_per_cm
        for name in ("obj001", "obj002"):
            start_us = TRAJECTORY.tracks[name].at_us[0]
            when = np.array([start_us + round(shot.start_s * 1e6)], dtype=np.int64)
            ((column, row),) = camera.seen(TRAJECTORY.tracks[name].places_at(when))
            assert 30 < column < STYLE.width - 30
            assert 20 < row < STYLE.height - 20


def test_it_moves_gently(moments: tuple[Moment, ...]) -> None:
    """No jump between two frames: the scale changes by a few percent at most, and only in one direction each way."""
    cameras, _ = way(clip_of(moments)[0])
    scales = np.array([camera.px_per_cm for camera in cameras])
    steps = np.abs(np.diff(np.log(scales)))
    assert steps.max() < 0.25
    assert steps.max() > 0
    turn = int(scales.argmax())
    assert (np.diff(scales[: turn + 1]) >= -1e-12).all()


def test_it_goes_on_from_one_place_to_the_next() -> None:
    """Within a clip of two moments it visits both, each at its time."""
    found = [anchored(0, 9.8, 10.2), anchored(1, 12.5, 12.8, objects=("1", "3"))]
    moments = summary_of(found, trajectory=TRAJECTORY).moments
    (clip,) = clip_of(moments)
    cameras, at_s = way(clip)
    at_first = cameras[next(n for n, s in enumerate(at_s) if s >= 10.0)]
    at_second = cameras[next(n for n, s in enumerate(at_s) if s >= 12.7)]
    assert at_first != at_second
    assert at_second.px_per_cm < at_first.px_per_cm  # 1 and 3 are far apart: seen from higher up


def test_moments_at_the_same_time_are_seen_together() -> None:
    """From high enough for all of them."""
    found = [anchored(0, 9.8, 10.2), anchored(1, 9.9, 10.1, objects=("3",))]
    moments = summary_of(found, trajectory=TRAJECTORY).moments
    (clip,) = clip_of(moments)
    cameras, at_s = way(clip)
    camera = cameras[next(n for n, s in enumerate(at_s) if s >= 10.0)]
    for name in TRAJECTORY.objids:
        when = TRAJECTORY.tracks[name].at_us[[50]]
        ((column, row),) = camera.seen(TRAJECTORY.tracks[name].places_at(when))
        assert 0 < column < STYLE.width
        assert 0 < row < STYLE.height


def test_a_moment_of_unknown_objects_keeps_the_whole_view() -> None:
    """Nobody knows where it was."""
    moments = summary_of([anchored(0, 9, 10, objects=("77",))], trajectory=TRAJECTORY).moments
    cameras, _ = way(clip_of(moments)[0])
    assert set(cameras) == {WHOLE}


def test_a_moment_at_the_logs_first_instant_is_reached() -> None:
    """There is no time before it, so the camera hurries, but does not jump."""
    moments = summary_of([anchored(0, 0.0, 2.0)], trajectory=log(meetings=[0.5])).moments
    shots = [Shot(m, 0.0, 2.0) for m in moments]
    (clip,) = clips(shots, Roll(), 0.0, 60.0)
    cameras = list(flight(clip, instants_s(clip, FPS), log(meetings=[0.5]), STYLE, WHOLE))
    scales = np.array([camera.px_per_cm for camera in cameras])
    assert scales[0] < scales[20]
    assert np.abs(np.diff(np.log(scales))).max() < 0.5
