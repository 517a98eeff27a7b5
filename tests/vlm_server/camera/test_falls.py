"""Falls and what only looks like one, drawn at several sizes, speeds and sides, as a disturbed camera would send them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.vlm_server.camera.drawn_scenes import Pose, Scene, disturbed, people, ramp, room, times
from vlm_server.reference.skills.camera.skill import CameraMotion
from vlm_server.reference.verdict import Verdict

WIDTH, HEIGHT = 320, 240
FEET = 0.9 * HEIGHT
DOWN_S = 0.8
ONSET_S = 3.0

Move = Callable[[float], Pose]


def falling(
    x: float, side: int, start_s: float = ONSET_S, down_s: float = DOWN_S, walks: float = 0.0
) -> Move:
    """A body that tips over about its feet, faster and faster, perhaps after a walk of so many pixels per second."""
    return lambda t: Pose(
        x + walks * (min(t, start_s) - start_s),
        FEET,
        lean=side * 88 * min(1.0, max(0.0, (t - start_s) / down_s)) ** 1.6,
    )


def shown(
    seed: int, move: Move, *, tall: float = 90.0, seconds: float = 10.0, fps: float = 5.0, **trouble: float
) -> Scene:
    """A room with one person, disturbed a little or as wanted."""
    chance = np.random.default_rng(seed)
    scene = people(room(chance, (WIDTH, HEIGHT)), times(seconds, fps), tall, [move])
    return disturbed(scene, chance, **trouble)  # type: ignore[arg-type]  # every knob is a number


def kinds(verdict: Verdict) -> list[tuple[str, str]]:
    """What a verdict reports, with its severity."""
    return [(event.kind, event.severity) for event in verdict.events]


@pytest.mark.parametrize(
    ("seed", "tall", "side", "down_s", "walks", "fps", "trouble"),
    [
        pytest.param(1, 90.0, 1, 0.8, 0.0, 5.0, {}, id="from-standing"),
        pytest.param(2, 150.0, -1, 0.6, 0.0, 5.0, {}, id="close-to-the-camera"),
        pytest.param(3, 50.0, 1, 0.7, 0.0, 5.0, {}, id="far-from-the-camera"),
        pytest.param(4, 100.0, 1, 1.0, 45.0, 5.0, {}, id="while-walking"),
        pytest.param(5, 90.0, -1, 0.8, 0.0, 2.5, {}, id="seen-rarely"),
        pytest.param(6, 90.0, 1, 0.8, 0.0, 10.0, {"noise": 7.0}, id="in-the-noise-of-a-night"),
        pytest.param(7, 100.0, -1, 0.8, 0.0, 5.0, {"light": 0.3}, id="while-exposure-drifts"),
        pytest.param(8, 100.0, 1, 0.9, 0.0, 5.0, {"shake_px": 3}, id="under-a-shaking-camera"),
        pytest.param(9, 100.0, 1, 0.9, 0.0, 5.0, {"quality": 35}, id="through-poor-coding"),
    ],
)  # fmt: skip
def test_a_person_who_falls_and_stays_down_is_danger(
    motion: CameraMotion,
    seed: int,
    tall: float,
    side: int,
    down_s: float,
    walks: float,
    fps: float,
    trouble: dict[str, float],
) -> None:
    """Found once, with its onset within half a second, and described by what was measured."""
    move = falling(160.0, side, down_s=down_s, walks=walks)
    verdict = motion.look(shown(seed, move, tall=tall, fps=fps, **trouble))
    assert kinds(verdict) == [("fall", "danger")]
    assert verdict.status == "danger"
    (event,) = verdict.events
    assert event.start_s == pytest.approx(ONSET_S + down_s / 4, abs=0.5)
    assert event.end_s == pytest.approx(10 - 1 / fps, abs=0.3)
    assert event.objects == ["person"]
    assert "of its height" in event.description
    assert 0.5 <= (event.confidence or 0) < 1


@pytest.mark.parametrize("seed", [11])
@pytest.mark.parametrize(
    "move",
    [
        pytest.param(lambda t: Pose(150.0, FEET, lean=ramp(2, 3.8, 0, 88)(t)), id="lies-down-slowly"),
        pytest.param(
            lambda t: Pose(150.0, FEET, bend=ramp(3, 0.8, 0, 95)(t) - ramp(5, 0.8, 0, 95)(t)),
            id="bends-and-rises",
        ),
        pytest.param(lambda t: Pose(150.0, FEET, crouch=ramp(3, 0.7, 0, 0.75)(t)), id="crouches"),
        pytest.param(
            lambda t: Pose(150.0, FEET, lean=ramp(2, 0.7, 0, 88)(t) - ramp(6, 1.5, 0, 88)(t)),
            id="gets-up-again",
        ),
        pytest.param(lambda t: Pose(-30 + 38 * t, FEET), id="walks-through"),
        pytest.param(lambda _: Pose(150.0, FEET, lean=88), id="lies-there-from-the-first-frame"),
        pytest.param(lambda t: Pose(150.0, FEET + ramp(1, 6, 0, 130)(t)), id="leaves-below"),
        pytest.param(lambda _: Pose(150.0, FEET), id="stands"),
    ],
)
def test_what_is_no_fall_is_not_reported(motion: CameraMotion, seed: int, move: Move) -> None:
    """Movements on purpose, and people of whom only the end is seen."""
    verdict = motion.look(shown(seed, move, noise=3.0))
    assert kinds(verdict) == []
    assert verdict.status == "safe"


def test_a_fall_at_the_end_of_a_chunk_is_a_warning(motion: CameraMotion) -> None:
    """Stillness was not seen yet: the person may get up in the next chunk."""
    verdict = motion.look(shown(21, falling(160.0, 1, start_s=0.7), seconds=2.0, fps=10.0))
    assert kinds(verdict) == [("fall", "warn")]
    assert "warning" in verdict.events[0].description


def test_a_fall_beside_somebody_who_walks_is_still_one(motion: CameraMotion) -> None:
    """Two people, one accident."""
    chance = np.random.default_rng(31)
    moves = [falling(90.0, -1), lambda t: Pose(200 + 10 * t, FEET)]
    scene = people(room(chance, (WIDTH, HEIGHT)), times(10), 80.0, moves)
    assert kinds(motion.look(disturbed(scene, chance))) == [("fall", "danger")]


def test_the_same_chunk_gets_the_same_verdict(motion: CameraMotion) -> None:
    """No chance, no memory of other chunks."""
    scene = shown(41, falling(160.0, 1))
    first = motion.look(scene)
    motion.look(shown(42, lambda t: Pose(20 * t, FEET)))
    assert motion.look(scene) == first


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_frames_show_no_movement(motion: CameraMotion, count: int) -> None:
    """And the summary says so."""
    scene = shown(51, falling(160.0, 1))
    verdict = motion.look(Scene(scene.frames[:count], scene.times_s[:count]))
    assert (verdict.status, verdict.events) == ("safe", [])
    assert "Too few frames" in verdict.summary


def test_who_fell_and_tries_in_vain_to_sit_up_has_fallen(motion: CameraMotion) -> None:
    """A body on the ground that shrinks once more for another reason does not hide the fall before."""
    fallen = falling(160.0, 1)

    def restless(t: float) -> Pose:
        return replace(fallen(t), bend=ramp(5.5, 0.6, 0, -50)(t) - ramp(7.0, 0.4, 0, -50)(t))

    verdict = motion.look(shown(21, restless, fps=8.0))
    assert kinds(verdict) == [("fall", "danger")]
    assert verdict.events[0].start_s == pytest.approx(ONSET_S + DOWN_S / 4, abs=0.5)
