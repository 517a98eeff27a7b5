"""A scene is followed from piece to piece: what moves, for how long, what changes slowly, what is frozen; and little is decoded for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from extension.sources.motion.motion import Motion
from extension.sources.motion.scene import LEAST_DRIFT, Piece, Scene
from extension.sources.motion.sketches import Sketch
from tests.sources.motion.stage import Actor, Picture, Stage, box, clock, faller, walker


class Showing:
    """A scene that is shown a stage in pieces of two seconds, a key frame each second."""

    def __init__(self, *actors: Actor, noise: float = 4.0) -> None:
        self.stage = Stage(actors, noise=noise)
        self.scene = Scene()
        self.passed_s = 0.0
        self.decoded = 0

    def piece(self) -> Motion | None:
        """The motion of the next two seconds."""
        start_s, self.passed_s = self.passed_s, self.passed_s + 2.0
        keys = [self.stage.sketch(start_s + s, from_s=start_s) for s in (0.0, 1.0)]

        def tail() -> Sequence[Sketch]:
            self.decoded += 1
            return [self.stage.sketch(start_s + at_s, key=False, from_s=start_s) for at_s in (1.5, 1.9)]

        return self.scene.measure(Piece(2.0, keys, tail))

    def pieces(self, until_s: float) -> list[Motion]:
        """The motions up to then."""
        found = []
        while self.passed_s < until_s:
            motion = self.piece()
            assert motion is not None
            found.append(motion)
        return found


def test_nothing_moves_in_an_empty_place() -> None:
    """Noise is no motion, and the measure says so in every figure."""
    found = Showing().pieces(20)
    assert not any(motion.moving for motion in found)
    assert {(m.share, m.moving_s, m.drift, m.frozen) for m in found} == {(0.0, 0.0, 0.0, False)}


def test_who_walks_through_is_seen_while_he_does() -> None:
    """From the piece in which he comes to the one after he is gone, in which the key frame differs from the last one."""
    found = Showing(walker(0.3, from_s=5.0, to_s=9.0)).pieces(16)
    assert [motion.moving for motion in found] == [False, False, True, True, True, False, False, False]
    assert all(motion.share > 0.01 for motion in found[2:4])


def test_motion_that_key_frames_show_needs_no_more() -> None:
    """The piece counts as a whole, and nothing else of it is decoded."""
    showing = Showing(walker(0.3))
    showing.piece()
    before = showing.decoded
    motion = showing.piece()
    assert motion is not None
    assert (motion.moving, motion.moving_s) == (True, 2.0)
    assert showing.decoded == before


def test_motion_after_the_last_key_frame_is_seen() -> None:
    """A fall at the very end of the piece, seconds of motion told by the pictures that show it."""
    showing = Showing(faller(7.2))
    assert not any(motion.moving for motion in showing.pieces(6))
    motion = showing.piece()
    assert motion is not None
    assert motion.moving
    assert 0.3 <= motion.moving_s <= 1.0


def test_a_fall_leaves_stillness_behind() -> None:
    """What lies is no motion; what fell is."""
    moving = [motion.moving for motion in Showing(faller(4.3)).pieces(12)]
    assert moving[:2] == [False, False]
    assert any(moving[2:4])
    assert moving[4:] == [False, False]


def test_smoke_that_no_two_pictures_show_is_a_slow_change() -> None:
    """A quarter of a grey level a second, over a fifth of the picture."""

    def smoke(picture: Picture, at_s: float) -> None:
        high, wide = picture.shape
        area = picture[high // 4 : high // 2, wide // 4 : wide // 2]
        area[:] = np.clip(area + 0.25 * at_s, 0, 255).astype(np.uint8)

    found = Showing(smoke, noise=2.0).pieces(60)
    slow = [motion for motion in found if motion.moving]
    assert slow
    assert all(motion.slow and motion.drift >= LEAST_DRIFT for motion in slow)
    assert len(slow) < len(found) / 3


def test_a_running_clock_is_motion_for_two_minutes_at_most() -> None:
    """The change of the minute included."""
    found = Showing(clock).pieces(190)
    assert not any(motion.moving for motion in found[60:])


def test_a_person_is_seen_beside_a_clock() -> None:
    """Also one who stands before it."""
    showing = Showing(clock, walker(0.3, from_s=150.0))
    assert not any(motion.moving for motion in showing.pieces(148)[-5:])
    assert all(motion.moving for motion in showing.pieces(160)[1:])


def test_a_frozen_feed_says_so() -> None:
    """The same picture for ever."""
    scene, levels = Scene(), Stage().levels(0.0)
    pictures = [Sketch(0.0, True, levels), Sketch(1.0, True, levels)]  # noqa: FBT003 - a key frame
    found = [scene.measure(Piece(2.0, pictures, list)) for _ in range(3)]
    assert all(motion is not None and motion.frozen and not motion.moving for motion in found)


def test_one_picture_tells_nothing() -> None:
    """At the very start; the next piece can be compared with it."""
    stage, scene = Stage(), Scene()
    only = [stage.sketch(0.0)]
    assert scene.measure(Piece(2.0, only, list)) is None
    assert scene.measure(Piece(2.0, only, list)) is not None


def test_no_picture_tells_nothing() -> None:
    """A segment of which nothing can be decoded is not still."""
    assert Scene().measure(Piece(2.0, [], list)) is None


def test_another_picture_size_begins_anew() -> None:
    """A camera that is turned upright: nothing of before can be compared."""
    wide, upright = Stage(), Stage(size=(180, 320))
    scene = Scene()
    one = [wide.sketch(0.0), wide.sketch(1.0)]
    assert scene.measure(Piece(2.0, one, list)) is not None
    levels = np.ascontiguousarray(upright.levels(2.0).T)
    other = [Sketch(0.0, True, levels)]  # noqa: FBT003 - a key frame
    assert scene.measure(Piece(2.0, other, list)) is None


@pytest.mark.parametrize("left", [0.1, 0.8])
def test_what_is_set_down_is_seen_once(left: float) -> None:
    """A box that stands there from then on."""

    def later(picture: Picture, at_s: float) -> None:
        if at_s >= 4.0:
            box(left, 0.5, 0.05, 0.1)(picture, at_s)

    assert [motion.moving for motion in Showing(later).pieces(12)] == [
        False,
        False,
        True,
        False,
        False,
        False,
    ]
