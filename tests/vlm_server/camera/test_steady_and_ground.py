"""What makes frames comparable: shake and exposure taken out, and the ground found under what lies or stands on it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vlm_server.camera.drawn_scenes import Car, Pose, cars, disturbed, people, ramp, road, room, times
from vlm_server.reference.skills.camera.blobs import blobs_of
from vlm_server.reference.skills.camera.finding import Finding, merged, score
from vlm_server.reference.skills.camera.ground import ground_of
from vlm_server.reference.skills.camera.steady import LONG_SIDE_PX, MAX_FRAMES, Scene, differs, scene_of
from vlm_server.reference.skills.camera.tracks import tracks_of

SIZE = (320, 240)


def prepared(scene: object) -> Scene:
    """A drawn scene as the rules see it."""
    return scene_of(scene.frames, np.array(scene.times_s))  # type: ignore[attr-defined]  # any drawn scene


def finding(kind: str, start_s: float, end_s: float, severity: str = "danger") -> Finding:
    """A finding of a kind and a time."""
    return Finding(kind, severity, start_s, end_s, ("person",), "", 0.6)


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (1280, 720), (240, 427)])
def test_large_frames_are_made_small_and_small_ones_kept(size: tuple[int, int]) -> None:
    """The shape of the picture stays."""
    frames = [room(np.random.default_rng(1), size)] * 4
    scene = scene_of(frames, np.arange(4.0))
    height, width = scene.frames.shape[1:3]
    assert max(height, width) == min(LONG_SIDE_PX, max(size))
    assert width / height == pytest.approx(size[0] / size[1], rel=0.02)


def test_many_frames_are_thinned_with_their_times() -> None:
    """Evenly, from the first to the last."""
    frames = [room(np.random.default_rng(1), (64, 48))] * (2 * MAX_FRAMES)
    scene = scene_of(frames, np.linspace(0, 10, 2 * MAX_FRAMES))
    assert len(scene.frames) == len(scene.times_s) == MAX_FRAMES
    assert (scene.times_s[0], scene.times_s[-1]) == (0.0, 10.0)


def test_shake_is_taken_out() -> None:
    """A still room under a shaking camera hardly differs from frame to frame."""
    chance = np.random.default_rng(2)
    still = people(room(chance, SIZE), times(4), 90.0, [lambda _: Pose(160.0, 210.0)])
    scene = prepared(disturbed(still, chance, shake_px=4))
    moved = [scene.differing(i, scene.frames[0]).mean() for i in range(len(scene.frames))]
    assert max(moved) < 0.01


def test_drifting_exposure_is_taken_out() -> None:
    """All frames end up as bright as the middle one."""
    chance = np.random.default_rng(3)
    still = people(room(chance, SIZE), times(4), 90.0, [lambda _: Pose(160.0, 210.0)])
    scene = prepared(disturbed(still, chance, light=0.4))
    levels = scene.frames.mean(axis=(1, 2, 3))
    assert np.ptp(levels) < 3.0


def test_noise_raises_the_threshold() -> None:
    """So that it is not taken for movement."""
    chance = np.random.default_rng(4)
    still = people(room(chance, SIZE), times(3), 90.0, [lambda _: Pose(160.0, 210.0)])
    quiet, noisy = (prepared(disturbed(still, chance, noise=n, quality=95)) for n in (1.0, 25.0))
    assert noisy.threshold > quiet.threshold
    assert noisy.differing(5, noisy.frames[0]).mean() < 0.01


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_somebody_who_lies_on_the_ground_is_not_taken_for_it(share: float) -> None:
    """However long: a median over time would take the body for ground. Upright at first, wide at last."""
    chance = np.random.default_rng(5)
    fall_s = 10 * (1 - share)
    move = ramp(fall_s - 0.8, 0.8, 0, 88)
    scene = prepared(
        people(room(chance, SIZE), times(10), 90.0, [lambda t: Pose(160.0, 215.0, lean=move(t))])
    )
    blobs, _ = blobs_of(scene, ground_of(scene))
    before, after = blobs[0][0], blobs[-1][0]
    assert before.height > 1.5 * before.width
    assert after.width > 1.5 * after.height
    assert after.x > before.x


def test_the_ground_is_found_where_a_car_parks() -> None:
    """And where it stood before."""
    chance = np.random.default_rng(6)
    empty = road(chance, SIZE)
    parked = Car(lambda t: float(np.interp(t, [2, 4], [80, 230])), lambda _: 120.0, 50.0, (220, 120, 60))
    scene = prepared(cars(empty, times(8), [parked]))
    expected = np.asarray(cv2.GaussianBlur(empty, (3, 3), 0), np.uint8)
    assert differs(ground_of(scene), expected, scene.threshold).mean() < 0.004


def test_one_walker_is_one_track_with_the_right_size() -> None:
    """From the first to the last look."""
    chance = np.random.default_rng(7)
    scene = prepared(people(room(chance, SIZE), times(9), 100.0, [lambda t: Pose(45 * t - 40, 215.0)]))
    blobs, taken = blobs_of(scene, ground_of(scene))
    track = max(tracks_of(blobs, scene.times_s), key=lambda t: len(t.blobs))
    assert len(track.blobs) >= 32
    assert float(np.median(track.each("height"))) == pytest.approx(100.0, rel=0.2)
    assert np.polyfit(track.times_s, track.each("x"), 1)[0] == pytest.approx(45.0, rel=0.1)
    assert all(mask[blob.mask].all() for mask, row in zip(taken, blobs, strict=True) for blob in row)


def test_a_car_from_above_is_called_a_vehicle() -> None:
    """It fills its box."""
    chance = np.random.default_rng(8)
    scene = prepared(
        cars(road(chance, SIZE), times(6), [Car(lambda t: 60 * t, lambda _: 120.0, 60.0, (220, 120, 60))])
    )
    blobs, _ = blobs_of(scene, ground_of(scene))
    assert {t.noun for t in tracks_of(blobs, scene.times_s) if len(t.blobs) > 5} == {"vehicle"}


@settings(max_examples=60, deadline=None)
@given(margins=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=4), more=st.floats(0.0, 5.0))
def test_the_score_grows_with_every_margin(margins: list[float], more: float) -> None:
    """And stays between one half and 0.95."""
    low = score(*margins)
    assert 0.5 <= low <= 0.95
    for place in range(len(margins)):
        assert score(*margins[:place], margins[place] + more, *margins[place + 1 :]) >= low


def test_findings_of_one_kind_at_one_time_are_one() -> None:
    """The more severe tells the story, the earlier the onset."""
    (one,) = merged([finding("fall", 2.0, 9.0, "warn"), finding("fall", 2.4, 8.0)])
    assert (one.severity, one.start_s, one.end_s) == ("danger", 2.0, 9.0)


def test_findings_of_other_kinds_or_times_stay_apart() -> None:
    """In order of time."""
    found = merged([finding("fire", 1.0, 9.0), finding("fall", 6.0, 7.0), finding("fall", 1.0, 2.0)])
    assert [(f.kind, f.start_s) for f in found] == [("fall", 1.0), ("fire", 1.0), ("fall", 6.0)]
