"""How well replay views are read: drawn views of every kind, real footage, and pictures that are none."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.vlm_server.drawn_pictures import jpeg
from tests.vlm_server.drawn_views import random_view
from tests.vlm_server.scoring import Chunk, answered, expected, score
from vlm_server.reference.pixels import Pictures
from vlm_server.reference.skills.replay_view.skill import ReplayView
from vlm_server.reference.verdict import Verdict

SEEDS = range(200, 212)


def test_contacts_of_drawn_views_are_found_and_few_are_invented(skill: ReplayView) -> None:
    """Mean F1 over views of all kinds; the bar is well below what is measured so that it cannot waver."""
    scores = {}
    for seed in SEEDS:
        view = random_view(seed, seconds=4.0)
        if view.width <= 960:
            scores[seed] = score(expected(view), answered(view, skill)).f1
    assert np.mean(list(scores.values())) > 0.85, scores


@pytest.mark.parametrize("codec", ["jpeg", "h264"])
@pytest.mark.parametrize(("fill", "ground"), [((0, 0, 0), (228, 228, 228)), ((240, 240, 240), (30, 30, 30))])
def test_plain_views_are_read_exactly(
    skill: ReplayView, codec: str, fill: tuple[int, int, int], ground: tuple[int, int, int]
) -> None:
    """Dark on light and light on dark, both codings."""
    view = random_view(
        31, width=532, height=280, radius=9.0, numbers=("1", "2", "3", "4"), fills=(fill,) * 4, ring=None, ground="flat",
        ground_colour=ground, font="default", glyph=1.2, clock="box", corner=3, codec=codec, quality=85, seconds=4.0,
        smooth=True, badge=True, border=True, clock_over=True, stale=0,
    )  # fmt: skip
    seen: list[Verdict] = []
    result = score(expected(view), answered(view, skill, seen.append))
    assert result.missed == ()
    assert result.invented == ()
    assert "Numbered discs seen: 1, 2, 3, 4." in seen[0].summary


def test_a_photograph_shows_no_discs(skill: ReplayView) -> None:
    """Blobs, edges and lamps of a street are not numbered discs."""
    rng = np.random.default_rng(5)
    scene = cv2.resize(
        rng.integers(0, 255, (12, 20, 3)).astype(np.uint8), (640, 384), interpolation=cv2.INTER_CUBIC
    )
    for _ in range(40):
        x, y, w = (int(v) for v in rng.integers(5, 600, 3))
        cv2.rectangle(
            scene, (x, y % 380), (x + w % 80, y % 380 + 30), [int(v) for v in rng.integers(0, 255, 3)], -1
        )
        cv2.circle(scene, (y, x % 380), 4 + w % 14, [int(v) for v in rng.integers(0, 255, 3)], -1)
    verdict = skill.look(Chunk(Pictures([jpeg(np.asarray(scene, np.uint8), 80)]), [0.0]))
    assert (verdict.status, verdict.events) == ("safe", [])
    assert verdict.summary == "No numbered discs were found."


def test_a_stale_first_frame_is_left_out(skill: ReplayView) -> None:
    """What the screen still showed from another moment is not an event of this one."""
    plain = random_view(6, width=532, height=280, numbers=("1", "2", "3"), seconds=2.0, clock="box", radius=9.0, replay_speed=60.0,
                        font="default", ground="flat", ring=None, fills=((0, 0, 0),) * 3, ground_colour=(228, 228, 228), stale=2)  # fmt: skip
    given = answered(plain, skill)
    result = score(expected(plain), given)
    assert result.invented == ()
    assert all(contact.start_s >= 2 / plain.fps - 1e-6 for contact in given)


@pytest.mark.footage
def test_the_laboratorys_replay_is_read_exactly(skill: ReplayView, footage: Path) -> None:
    """All contacts of the log that the video shows, nothing else, each with the clock it carries."""
    found: list[tuple[tuple[str, ...], str | None]] = []
    with av.open(footage / "video_180.mp4") as box:
        images = [
            (frame.time or 0.0, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            for frame in box.decode(video=0)
        ]
    for start in range(0, 20, 2):
        chosen = [(at, image) for at, image in images if start <= at < start + 2][::2]
        verdict = skill.look(
            Chunk(Pictures([jpeg(image, 85) for _, image in chosen]), [at for at, _ in chosen])
        )
        found.extend((tuple(event.objects), event.clock) for event in verdict.events)
    assert found == [
        (("1", "4"), "00:00:28"),
        (("2", "4"), "00:00:30"),
        (("3", "4"), "00:00:33"),
        (("1", "4"), "00:00:39"),
        (("1", "3"), "00:00:41"),
        (("2", "4"), "00:00:51"),
        (("2", "3"), "00:00:54"),
        (("1", "2"), "00:00:56"),
    ]


@pytest.mark.footage
@pytest.mark.parametrize(
    "name", ["intel_car_detection.mp4", "gmdcsa_subject_1_adl_16.mp4", "furg_house6_fire.mp4"]
)
def test_camera_footage_shows_no_contacts(skill: ReplayView, footage: Path, name: str) -> None:
    """Rooms, flames and car parks give no replay events."""
    with av.open(footage / name) as box:
        images = [
            np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            for _, frame in zip(range(31), box.decode(video=0), strict=False)
        ][::6]
    verdict = skill.look(
        Chunk(Pictures([jpeg(image, 85) for image in images]), [i / 5 for i in range(len(images))])
    )
    assert verdict.events == []
