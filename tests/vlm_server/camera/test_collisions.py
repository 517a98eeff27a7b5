"""Two bodies that hit one another, and all the ways of passing: drawn from above, at several speeds and sizes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vlm_server.camera.drawn_scenes import (
    Car,
    Colour,
    Motion,
    Pose,
    Scene,
    cars,
    disturbed,
    people,
    road,
    room,
    times,
)
from vlm_server.reference.skills.camera.skill import CameraMotion
from vlm_server.reference.verdict import Verdict

WIDTH, HEIGHT = 320, 240
MEET_S = 3.5
BLUE: Colour = (220, 120, 60)
WHITE: Colour = (235, 235, 235)


def until(meet_s: float, place: float, pace: float) -> Motion:
    """A place reached at one moment at an even pace, and kept from then on."""
    return lambda t: place + pace * (min(t, meet_s) - meet_s)


def through(meet_s: float, place: float, pace: float) -> Motion:
    """The same pace, and no stop."""
    return lambda t: place + pace * (t - meet_s)


def braking(stop_s: float, place: float, pace: float, brake: float) -> Motion:
    """A place at which a vehicle comes to a halt after braking evenly (pixels per second squared)."""
    lasts_s = pace / brake

    def at(t: float) -> float:
        left_s = max(0.0, stop_s - t)
        return place - (0.5 * brake * left_s**2 if left_s < lasts_s else pace * left_s - 0.5 * pace * lasts_s)

    return at


def even(place: float) -> Motion:
    """A place that does not change."""
    return lambda _: place


def seen(
    motion: CameraMotion, seed: int, moving: list[Car], seconds: float = 6.4, **trouble: float
) -> Verdict:
    """The verdict on a road with boxes."""
    chance = np.random.default_rng(seed)
    scene: Scene = cars(road(chance, (WIDTH, HEIGHT)), times(seconds), moving)
    return motion.look(disturbed(scene, chance, **trouble))  # type: ignore[arg-type]  # every knob is a number


@pytest.mark.parametrize(
    ("seed", "length", "pace", "trouble"),
    [
        pytest.param(1, 50.0, 55.0, {}, id="one-length-per-second"),
        pytest.param(2, 40.0, 60.0, {}, id="faster"),
        pytest.param(3, 60.0, 70.0, {"noise": 6.0}, id="noise"),
        pytest.param(4, 50.0, 60.0, {"light": 0.3}, id="drifting-light"),
        pytest.param(5, 50.0, 60.0, {"shake_px": 2}, id="shake"),
        pytest.param(6, 50.0, 60.0, {"quality": 35}, id="poor-coding"),
    ],
)
def test_a_head_on_impact_is_danger(
    motion: CameraMotion, seed: int, length: float, pace: float, trouble: dict[str, float]
) -> None:
    """Both stop where they met; the onset is that moment."""
    moving = [
        Car(until(MEET_S, WIDTH / 2 - length / 2, pace), even(120.0), length, BLUE),
        Car(until(MEET_S, WIDTH / 2 + length / 2, -0.8 * pace), even(122.0), length, WHITE),
    ]
    verdict = seen(motion, seed, moving, **trouble)
    assert [(e.kind, e.severity, e.objects) for e in verdict.events] == [
        ("collision", "danger", ["vehicle", "vehicle"])
    ]
    assert verdict.events[0].start_s == pytest.approx(MEET_S, abs=0.5)
    assert "lengths per second" in verdict.events[0].description


@pytest.mark.parametrize(("seed", "length"), [(11, 50.0), (12, 60.0)])
def test_an_impact_from_the_side_is_danger(motion: CameraMotion, seed: int, length: float) -> None:
    """One drives into the flank of the other."""
    moving = [
        Car(until(MEET_S, 160 - length * 0.75, 1.2 * length), even(120.0), length, BLUE),
        Car(even(160.0), until(MEET_S, 120.0, 0.8 * length), length, WHITE, upright=True),
    ]
    assert [e.kind for e in seen(motion, seed, moving).events] == ["collision"]


@pytest.mark.parametrize("seed", [21])
@pytest.mark.parametrize("apart", [0.5, 0.8])
def test_passing_is_no_collision(motion: CameraMotion, seed: int, apart: float) -> None:
    """In opposite directions, side by side, nearly touching."""
    moving = [
        Car(through(MEET_S, 160.0, 60.0), even(120 - apart * 27), 50.0, BLUE),
        Car(through(MEET_S, 160.0, -50.0), even(120 + apart * 27), 50.0, WHITE),
    ]
    assert seen(motion, seed, moving).events == []


@pytest.mark.parametrize("seed", [31])
def test_crossing_one_after_the_other_is_no_collision(motion: CameraMotion, seed: int) -> None:
    """The place is the same, the time is not."""
    moving = [
        Car(through(2.5, 160.0, 60.0), even(120.0), 50.0, BLUE),
        Car(even(160.0), through(4.5, 120.0, 60.0), 50.0, WHITE, upright=True),
    ]
    assert seen(motion, seed, moving).events == []


@pytest.mark.parametrize("seed", [41])
def test_driving_in_a_line_is_no_collision(motion: CameraMotion, seed: int) -> None:
    """Bumper to bumper."""
    moving = [
        Car(through(2.0, 100.0, 45.0), even(120.0), 50.0, BLUE),
        Car(through(2.0, 42.0, 45.0), even(120.0), 50.0, WHITE),
    ]
    assert seen(motion, seed, moving).events == []


@pytest.mark.parametrize("seed", [51])
def test_braking_behind_another_is_no_collision(motion: CameraMotion, seed: int) -> None:
    """A halt close behind, after braking."""
    moving = [
        Car(braking(5.0, 125.0, 55.0, 30.0), even(120.0), 50.0, BLUE),
        Car(braking(4.0, 182.0, 55.0, 30.0), even(120.0), 50.0, WHITE),
    ]
    assert seen(motion, seed, moving).events == []


@pytest.mark.parametrize("seed", [61])
def test_people_who_meet_are_no_collision(motion: CameraMotion, seed: int) -> None:
    """They walk up to one another and stop."""
    chance = np.random.default_rng(seed)
    moves = [
        lambda t: Pose(145 + 55 * (min(t, 4.0) - 4.0), 215.0),
        lambda t: Pose(180 - 55 * (min(t, 4.0) - 4.0), 215.0),
    ]
    scene = people(room(chance, (WIDTH, HEIGHT)), times(8), 90.0, moves)
    assert motion.look(disturbed(scene, chance)).events == []
