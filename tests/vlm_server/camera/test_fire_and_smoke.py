"""Flames and smoke, and what is only red, orange, grey or flashing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vlm_server.camera.drawn_scenes import (
    Car,
    Pose,
    cars,
    disturbed,
    flames,
    lamp,
    people,
    road,
    room,
    smoke,
    times,
)  # fmt: skip
from vlm_server.reference.skills.camera.skill import CameraMotion

SIZE = (320, 240)


@pytest.mark.parametrize(
    ("seed", "size", "seconds", "fps"),
    [
        pytest.param(1, 30.0, 10.0, 5.0, id="ten-seconds"),
        pytest.param(2, 60.0, 10.0, 5.0, id="large"),
        pytest.param(3, 40.0, 2.0, 10.0, id="two-seconds"),
        pytest.param(4, 40.0, 10.0, 2.5, id="seen-rarely"),
    ],
)
def test_flames_are_danger_from_the_first_frame(
    motion: CameraMotion, seed: int, size: float, seconds: float, fps: float
) -> None:
    """A fire that burns already is one."""
    chance = np.random.default_rng(seed)
    scene = disturbed(flames(room(chance, SIZE), times(seconds, fps), chance, size), chance)
    verdict = motion.look(scene)
    assert [(e.kind, e.severity) for e in verdict.events] == [("fire", "danger")]
    assert verdict.events[0].start_s == 0.0
    assert "flickers from the first frame on" in verdict.events[0].description


def test_a_fire_begins_when_it_is_first_seen(motion: CameraMotion) -> None:
    """The onset is inside the chunk."""
    chance = np.random.default_rng(5)
    scene = disturbed(flames(room(chance, SIZE), times(10), chance, 50.0, from_s=4.0), chance)
    (event,) = motion.look(scene).events
    assert event.kind == "fire"
    assert event.start_s == pytest.approx(4.0, abs=0.4)
    assert "from the first frame" not in event.description


@pytest.mark.parametrize("trouble", [{"shake_px": 2}, {"noise": 7.0}, {"light": 0.3}, {"quality": 35}])
def test_flames_are_found_by_a_disturbed_camera(motion: CameraMotion, trouble: dict[str, float]) -> None:
    """Shake, noise, drifting exposure and poor coding."""
    chance = np.random.default_rng(6)
    scene = flames(room(chance, SIZE), times(10), chance, 45.0)
    found = motion.look(disturbed(scene, chance, **trouble)).events  # type: ignore[arg-type]  # every knob is a number
    assert [e.kind for e in found] == ["fire"]


@pytest.mark.parametrize("trouble", [{}, {"shake_px": 2}])
def test_a_red_and_an_orange_car_are_no_fire(motion: CameraMotion, trouble: dict[str, int]) -> None:
    """They pass once."""
    chance = np.random.default_rng(7)
    passing = [
        Car(lambda t: 60 * t - 40, lambda _: 90.0, 60.0, (30, 30, 230)),
        Car(lambda t: 330 - 45 * t, lambda _: 190.0, 60.0, (20, 140, 250)),
    ]
    scene = disturbed(cars(road(chance, SIZE), times(8), passing), chance, **trouble)
    assert motion.look(scene).events == []


@pytest.mark.parametrize("hertz", [0.7, 1.3])
def test_a_beacon_is_no_fire(motion: CameraMotion, hertz: float) -> None:
    """All of it goes on and off at once."""
    chance = np.random.default_rng(8)
    scene = disturbed(lamp(room(chance, SIZE), times(10, 8), 18.0, hertz), chance)
    assert motion.look(scene).events == []


def test_a_high_visibility_vest_is_no_fire(motion: CameraMotion) -> None:
    """Somebody in orange walks to and fro."""
    chance = np.random.default_rng(9)
    pacing = people(
        room(chance, SIZE),
        times(10),
        100.0,
        [lambda t: Pose(160 + 80 * float(np.sin(t)), 215.0)],
        shirt=(20, 130, 250),
    )
    assert motion.look(disturbed(pacing, chance)).events == []


@pytest.mark.parametrize("seed", [11, 12])
def test_smoke_alone_is_a_warning(motion: CameraMotion, seed: int) -> None:
    """It may be steam."""
    chance = np.random.default_rng(seed)
    scene = disturbed(smoke(room(chance, SIZE), times(10), chance, from_s=1.5), chance)
    (event,) = motion.look(scene).events
    assert (event.kind, event.severity, event.objects) == ("smoke", "warn", ["smoke"])
    assert event.start_s == pytest.approx(2.5, abs=1.6)
    assert "steam and dust look the same" in event.description


def test_light_that_changes_is_no_smoke(motion: CameraMotion) -> None:
    """Everything grows paler at once."""
    chance = np.random.default_rng(14)
    still = people(room(chance, SIZE), times(10), 90.0, [lambda _: Pose(160.0, 210.0)])
    assert motion.look(disturbed(still, chance, light=0.6)).events == []


def test_a_grey_lorry_is_no_smoke(motion: CameraMotion) -> None:
    """It has an outline."""
    chance = np.random.default_rng(15)
    lorry = Car(lambda t: min(150.0, 40 * t - 60), lambda _: 120.0, 150.0, (170, 170, 170))
    assert motion.look(disturbed(cars(road(chance, SIZE), times(8), [lorry]), chance)).events == []
