"""Two pictures of one scene differ where something moved, not where there is noise or another light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.motion.difference import LEAST_PX, Blob, blobs, difference
from tests.sources.motion.stage import Stage, box, walker


@pytest.mark.parametrize("noise", [0.5, 4.0, 12.0])
def test_noise_is_no_difference(noise: float) -> None:
    """However much of it there is."""
    stage = Stage(noise=noise)
    assert not any(difference(stage.levels(0.0), stage.levels(s)).blobs for s in (1.0, 2.0, 3.0, 4.0))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(1.0, 1.12, id="brighter"),
        pytest.param(1.0, 0.75, id="darker"),
    ],
)
def test_another_light_is_no_difference(before: float, after: float) -> None:
    """Lamps flicker and cameras expose anew; what is bright changes more than what is dark."""
    stage = Stage(light=lambda at_s: before if at_s < 1 else after)
    assert not difference(stage.levels(0.0), stage.levels(2.0)).blobs


def test_who_is_there_is_seen_in_another_light() -> None:
    """Light and motion at once."""
    stage = Stage((walker(0.2, from_s=1.0),), light=lambda at_s: 1.0 if at_s < 1 else 0.85)
    (blob,) = difference(stage.levels(0.0), stage.levels(1.5)).blobs
    assert blob.height == pytest.approx(0.2 * 90, abs=4)


def test_a_person_far_away_is_seen() -> None:
    """A twentieth of the picture's height."""
    stage = Stage((walker(0.05),), size=(640, 360))
    assert difference(stage.levels(0.0), stage.levels(2.0)).blobs


def test_where_it_differs_is_said() -> None:
    """The box of the thing, with the blur around it."""
    empty, full = Stage(noise=0.0), Stage((box(0.25, 0.5, 0.1, 0.2),), noise=0.0)
    (blob,) = difference(empty.levels(0), full.levels(0)).blobs
    assert [blob.left, blob.top, blob.width, blob.height] == pytest.approx([40, 45, 16, 18], abs=3)


def test_most_of_a_picture_may_change() -> None:
    """Another view altogether is a difference all over."""
    chance = np.random.default_rng(0)
    one, other = (np.kron(chance.integers(0, 255, (9, 16)), np.ones((10, 10))).astype(np.uint8) for _ in "ab")
    found = difference(one, other)
    assert found.mask.mean() > 0.4
    assert not found.same


def test_the_same_picture_is_the_same() -> None:
    """Also when it was encoded again."""
    levels = Stage().levels(0.0)
    again = levels + np.random.default_rng(0).integers(0, 3, levels.shape).astype(np.uint8)
    for other in (levels, again):
        found = difference(levels, other)
        assert found.same
        assert not found.blobs


def test_a_living_camera_is_never_the_same() -> None:
    """Its noise is seen even in a sketch."""
    stage = Stage(noise=3.0)
    assert not any(difference(stage.levels(s), stage.levels(s + 1)).same for s in range(10))


def test_a_speck_is_no_blob() -> None:
    """What is smaller than motion of anything that matters."""
    mask = np.zeros((90, 160), np.bool_)
    mask[10, 10 : 10 + LEAST_PX - 1] = True
    assert blobs(mask) == ()
    mask[10, 10 : 10 + LEAST_PX] = True
    assert blobs(mask) == (Blob(10, 10, LEAST_PX, 1, LEAST_PX),)


def test_a_black_picture_is_compared_as_any_other() -> None:
    """No spread of brightness to fit."""
    black = np.zeros((90, 160), np.uint8)
    lit = black.copy()
    lit[40:50, 40:50] = 90
    assert len(difference(black, lit).blobs) == 1
    assert difference(black, black).same


@given(st.integers(0, 150), st.integers(0, 80), st.integers(1, 60), st.integers(1, 60))
def test_a_blob_lies_inside_whatever_surrounds_it(left: int, top: int, width: int, height: int) -> None:
    """And in nothing that it sticks out of."""
    blob = Blob(left, top, width, height, width * height)
    assert blob.inside(Blob(left - 1, top - 1, width + 2, height + 2, 0))
    assert blob.inside(blob)
    assert not blob.inside(Blob(left + 1, top, width, height, 0))
    assert not blob.inside(Blob(left, top, width, height - 1, 0))
