"""Which parts of a recording are shown: nothing of a moment is lost, nothing is shown twice."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Kind, Severity, Span
from extension.playback.clips import Clip, Roll, Shot, clips, instants_s
from extension.timetravel.summary import Moment

ROLL = Roll(pre_s=2.0, post_s=1.0, longest_s=8.0)


def shot(start_s: float, end_s: float, number: int = 1, closest_s: float | None = None) -> Shot:
    """A moment at these seconds."""
    moment = Moment(number, f"i{number}", Kind.COLLISION, Severity.DANGER, ("1", "2"), Span(start_s, end_s))
    return Shot(moment, start_s, end_s, closest_s)


def spans(parts: tuple[Clip, ...]) -> list[tuple[float, float]]:
    """Where clips begin and end."""
    return [(part.start_s, part.end_s) for part in parts]


def test_a_moment_is_shown_with_what_came_before_and_after() -> None:
    """Two seconds before, one after."""
    assert spans(clips([shot(10, 11)], ROLL, 0, 60)) == [(8, 12)]


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        pytest.param(0.5, 1.0, (0, 2.0), id="at-the-beginning"),
        pytest.param(59.5, 60.0, (57.5, 60), id="at-the-end"),
        pytest.param(-3.0, -2.0, (0, 1.0), id="before-the-first-frame"),
        pytest.param(64.0, 66.0, (58.0, 60), id="behind-the-last-frame"),
        pytest.param(60.0, 60.0, (58.0, 60), id="of-no-length-at-the-end"),
        pytest.param(20.0, 18.0, (18.0, 21.0), id="that-ends-before-it-begins"),
    ],
)
def test_nothing_outside_the_recording_is_shown(
    start_s: float, end_s: float, expected: tuple[float, float]
) -> None:
    """The end that is nearest stands for what lies beyond."""
    assert spans(clips([shot(start_s, end_s)], ROLL, 0, 60)) == [expected]


def test_overlapping_parts_are_one() -> None:
    """Neither moment is lost, and nothing is shown twice; parts that touch have no cut between them."""
    (clip,) = clips([shot(13, 14, 2), shot(10, 11, 1)], ROLL, 0, 60)
    assert (clip.start_s, clip.end_s) == (8, 15)
    assert [s.moment.number for s in clip.shots] == [1, 2]
    assert len(clips([shot(10, 11), shot(14, 15, 2)], ROLL, 0, 60)) == 1
    assert len(clips([shot(10, 11), shot(14.1, 15, 2)], ROLL, 0, 60)) == 2


def test_a_moment_within_another_does_not_cut_it_short() -> None:
    """The longer one decides the end."""
    (clip,) = clips([shot(10, 16), shot(11, 12, 2)], ROLL, 0, 60)
    assert clip.end_s == 17


def test_of_a_very_long_moment_the_beginning_is_shown() -> None:
    """Half an hour of contact does not make half an hour of video."""
    (clip,) = clips([shot(10, 1800)], ROLL, 0, 3600)
    assert (clip.start_s, clip.end_s) == (8, 19)


SHOTS = st.lists(st.tuples(st.floats(-5, 125), st.floats(0, 20)), min_size=1, max_size=25)


@given(SHOTS, st.floats(0, 5), st.floats(0, 5))
def test_every_moment_is_in_exactly_one_part(
    drawn: list[tuple[float, float]], pre_s: float, post_s: float
) -> None:
    """Parts come in order, apart from one another, and within the recording."""
    parts = clips(
        [shot(start, start + long, n) for n, (start, long) in enumerate(drawn)],
        Roll(pre_s, post_s, 6.0),
        0.0,
        120.0,
    )
    numbers = [s.moment.number for part in parts for s in part.shots]
    assert sorted(numbers) == list(range(len(drawn)))
    assert all(one.end_s < other.start_s for one, other in itertools.pairwise(parts))
    for part in parts:
        assert 0 <= part.start_s <= part.end_s <= 120
        assert all(part.start_s <= s.start_s <= s.end_s <= part.end_s for s in part.shots)


def test_what_is_told_is_what_goes_on() -> None:
    """All moments of that instant; before them the next, after them the last."""
    (clip,) = clips([shot(10, 12, 1), shot(11, 13, 2), shot(14, 15, 3)], ROLL, 0, 60)

    def told(second: float) -> list[int]:
        return [s.moment.number for s in clip.told_at(second)]

    assert [told(s) for s in (8.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.9)] == [
        [1],
        [1],
        [1, 2],
        [2],
        [3],
        [3],
        [3],
    ]


def test_a_clip_has_its_frames() -> None:
    """Evenly, from its first second on."""
    (clip,) = clips([shot(10, 11)], ROLL, 0, 60)
    at_s = instants_s(clip, 10)
    assert len(at_s) == 40
    assert at_s[0] == 8.0
    assert np.diff(at_s) == pytest.approx(0.1)


def test_slow_motion_takes_longer_near_the_closest() -> None:
    """Half the speed for 0.8 s adds 0.8 s; elsewhere time goes on as it does, and no second is left out."""
    (clip,) = clips([shot(10, 11, closest_s=10.5)], ROLL, 0, 60)
    at_s = instants_s(clip, 20, slow=0.5)
    assert len(at_s) == round((4 + 0.8) * 20)
    steps = np.diff(at_s)
    near = (at_s[:-1] > 10.15) & (at_s[:-1] < 10.85)
    assert steps[near] == pytest.approx(0.025)
    assert steps[at_s[:-1] < 10.0] == pytest.approx(0.05)
    assert (steps > 0).all()


def test_a_moment_at_the_end_may_be_slow_there() -> None:
    """The slow part is cut where the clip ends."""
    (clip,) = clips([shot(59.8, 60, closest_s=60.0)], ROLL, 0, 60)
    at_s = instants_s(clip, 10, slow=0.5)
    assert at_s[-1] <= 60
    assert len(at_s) == round((2.2 + 0.4) * 10)


def test_a_clip_of_no_length_is_one_frame() -> None:
    """A still at that second."""
    (clip,) = clips([shot(5, 5)], Roll(0, 0, 1), 0, 60)
    assert instants_s(clip, 25).tolist() == [5.0]


@given(SHOTS, st.integers(1, 60), st.floats(0.1, 1.0))
def test_frames_never_leave_their_clip(drawn: list[tuple[float, float]], fps: int, slow: float) -> None:
    """And never run backwards."""
    shots = [
        shot(start, start + long, n, closest_s=start + long / 2) for n, (start, long) in enumerate(drawn)
    ]
    for clip in clips(shots, ROLL, 0, 120):
        at_s = instants_s(clip, fps, slow)
        assert clip.start_s <= at_s[0]
        assert at_s[-1] <= clip.end_s
        assert (np.diff(at_s) >= 0).all()


@pytest.mark.parametrize("bad", [{"pre_s": -1}, {"post_s": -0.1}, {"longest_s": 0}])
def test_a_roll_that_makes_no_sense_is_refused(bad: dict[str, float]) -> None:
    """Before anything is drawn."""
    with pytest.raises(ValueError, match="pre_s and post_s"):
        Roll(**bad)
