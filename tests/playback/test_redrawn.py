"""Clips drawn again from the log: the right instants, the camera's move, rings around who is in it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from extension.model import Severity, Span
from extension.playback.clips import Clip, Roll
from extension.playback.redrawn import Redrawn
from tests.playback.samples import Picture
from tests.timetravel.summary_samples import anchored, contacts_of, log, summary_of

TRAJECTORY = log()
RING = {Severity.DANGER: (20, 60, 220), Severity.WARN: (6, 119, 217)}
"""Blue, green, red."""


def redrawn(slow: float = 1.0) -> Redrawn:
    """The log as a small recording."""
    return Redrawn(TRAJECTORY, 320, 180, 10, slow)


def taken(desk: Redrawn, *parts: Clip) -> list[tuple[float, Picture]]:
    """The frames of clips, each with its second."""
    return [(second, picture) for _, second, picture in desk.pictures(parts)]


def ring_px(picture: Picture, severity: Severity) -> int:
    """How many pixels have the colour of a ring."""
    return int((np.abs(picture.astype(int) - RING[severity]).max(axis=2) < 12).sum())


def test_clips_lie_on_the_logs_own_seconds() -> None:
    """From its first instant."""
    summary = summary_of(contacts_of(TRAJECTORY), trajectory=TRAJECTORY)
    first, second = redrawn().clips(summary, Roll())
    assert first.start_s == pytest.approx(summary.moments[0].span.start_s - 2)
    assert first.end_s == pytest.approx(summary.moments[0].span.end_s + 1)
    assert second.shots[0].closest_s == pytest.approx(30.0, abs=0.7)


def test_a_contact_that_a_video_did_not_show_is_drawn_all_the_same() -> None:
    """The log knows it: its place on the log's clock decides, not the media time."""
    unseen = dataclasses.replace(anchored(0, 9.5, 10.5), span=Span(0.0, 0.0))
    (clip,) = redrawn().clips(summary_of([unseen], trajectory=TRAJECTORY), Roll())
    assert (clip.start_s, clip.end_s) == (7.5, 11.5)


def test_frames_go_from_the_whole_view_to_the_place_and_back() -> None:
    """Rings grow as the camera comes nearer, in the colour of the severity, and every frame is a picture of its own."""
    summary = summary_of([anchored(0, 9.5, 10.5)], trajectory=TRAJECTORY)
    desk = redrawn()
    (clip,) = desk.clips(summary, Roll())
    shown = taken(desk, clip)
    assert len(shown) == 40
    assert [s for s, _ in shown] == pytest.approx([7.5 + n / 10 for n in range(40)])
    rings = [ring_px(picture, Severity.DANGER) for _, picture in shown]
    assert rings[0] > 0
    assert rings[25] > 2 * rings[0]
    assert rings[-1] < rings[25]
    assert all(picture.shape == (180, 320, 3) for _, picture in shown)
    assert shown[0][1] is not shown[1][1]


def test_only_who_is_in_it_has_a_ring() -> None:
    """And a warning has another colour than a danger."""
    found = [anchored(0, 9.5, 10.5, severity=Severity.WARN, objects=("3",))]
    desk = redrawn()
    summary = summary_of(found, trajectory=TRAJECTORY)
    (clip,) = desk.clips(summary, Roll())
    _, picture = taken(desk, clip)[25]
    assert ring_px(picture, Severity.WARN) > 20
    assert ring_px(picture, Severity.DANGER) == 0


def test_objects_that_the_log_does_not_know_are_passed_over() -> None:
    """A model may name whom there is not."""
    desk = redrawn()
    summary = summary_of([anchored(0, 9.5, 10.5, objects=("77", "88"))], trajectory=TRAJECTORY)
    (clip,) = desk.clips(summary, Roll())
    assert len(taken(desk, clip)) == 40


def test_slow_motion_lengthens_the_clip() -> None:
    """At half the speed near the closest, 0.8 s become 1.6 s."""
    summary = summary_of([anchored(0, 9.5, 10.5)], trajectory=TRAJECTORY)
    desk = redrawn(slow=0.5)
    (clip,) = desk.clips(summary, Roll())
    assert len(taken(desk, clip)) == 48


def test_clips_follow_one_another() -> None:
    """Each frame belongs to its clip, and shows its own second."""
    desk = redrawn()
    parts = desk.clips(summary_of(contacts_of(TRAJECTORY), trajectory=TRAJECTORY), Roll())
    alone = [taken(desk, part) for part in parts]
    together = list(desk.pictures(parts))
    assert [second for _, second, _ in together] == [second for frames in alone for second, _ in frames]
    assert [parts.index(part) for part, _, _ in together] == [0] * len(alone[0]) + [1] * len(alone[1])
    assert all(
        (picture == single).all()
        for (_, _, picture), (_, single) in zip(
            together, [f for frames in alone for f in frames], strict=True
        )
    )


def test_no_clips_are_no_frames() -> None:
    """Nothing is drawn for nothing."""
    assert taken(redrawn()) == []
