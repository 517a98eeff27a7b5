"""Small regions that never rest are learned within a minute and a half; nothing else is overlooked for them."""

from __future__ import annotations

import numpy as np
import pytest

from extension.sources.motion.difference import Blob, Mask
from extension.sources.motion.restless import MEMORY_S, MOST_SHARE, Restless

SHAPE = (90, 160)
DIGIT = Blob(60, 82, 3, 4, 10)


def mask(*blobs: Blob) -> Mask:
    """Where these are."""
    made = np.zeros(SHAPE, np.bool_)
    for blob in blobs:
        made[blob.top : blob.top + blob.height, blob.left : blob.left + blob.width] = True
    return made


def learned(*blobs: Blob, during_s: float = 120.0, every: int = 1) -> Restless:
    """What is known after these changed in every piece of two seconds, or in every so many."""
    restless = Restless(SHAPE)
    for piece in range(int(during_s / 2)):
        restless.learn(mask(*blobs) if piece % every == 0 else mask(), 2.0)
    return restless


def test_a_running_clock_is_known_after_a_while() -> None:
    """Not at first: whatever moves is motion until it is known to do nothing else."""
    assert learned(DIGIT, during_s=60).moving((DIGIT,)) == (DIGIT,)
    assert learned(DIGIT, during_s=0.75 * MEMORY_S).moving((DIGIT,)) == ()


def test_the_minutes_stand_beside_the_seconds() -> None:
    """They change once a minute, on the same line."""
    minute, other_line = Blob(46, 82, 3, 4, 10), Blob(46, 60, 3, 4, 10)
    assert learned(DIGIT).moving((minute, other_line)) == (other_line,)


def test_what_sticks_out_of_a_restless_region_moves() -> None:
    """Somebody who walks before the clock."""
    person = Blob(58, 60, 8, 28, 160)
    assert learned(DIGIT).moving((person, DIGIT)) == (person,)


def test_what_changes_now_and_then_is_motion() -> None:
    """One piece in three is not all the time."""
    assert learned(DIGIT, every=3, during_s=600).moving((DIGIT,)) == (DIGIT,)


def test_a_region_that_rests_again_is_forgotten() -> None:
    """As slowly as it was learned."""
    restless = learned(DIGIT, during_s=300)
    for _ in range(60):
        restless.learn(mask(), 2.0)
    assert restless.moving((DIGIT,)) == (DIGIT,)


@pytest.mark.parametrize("every_s", [1.0, 2.0, 8.0])
def test_learning_takes_the_same_time_whatever_the_pieces(every_s: float) -> None:
    """Some cameras have rare key frames."""
    restless, passed_s = Restless(SHAPE), 0.0
    while restless.moving((DIGIT,)):
        restless.learn(mask(DIGIT), every_s)
        passed_s += every_s
    assert passed_s == pytest.approx(0.7 * MEMORY_S, abs=every_s)


def test_a_large_restless_region_stays_motion() -> None:
    """A belt that fills a tenth of the picture has to be looked at, and so has everything beside it."""
    belt = Blob(20, 30, 60, 24, 60 * 24)
    assert belt.area_px > MOST_SHARE * 90 * 160
    assert learned(belt).moving((belt,)) == (belt,)


def test_a_lamp_is_no_text() -> None:
    """A restless region that is higher than a line of text reaches no farther than itself."""
    lamp, beside = Blob(100, 20, 12, 14, 160), Blob(70, 22, 6, 8, 48)
    restless = learned(lamp)
    assert restless.moving((lamp, beside)) == (beside,)


def test_digits_that_share_few_pixels_are_one_region() -> None:
    """A three and a one are drawn in different places."""
    restless = Restless(SHAPE)
    for piece in range(60):
        restless.learn(mask(Blob(60 + piece % 2, 82 + piece % 3, 1, 2, 2)), 2.0)
    assert restless.moving((DIGIT,)) == ()
