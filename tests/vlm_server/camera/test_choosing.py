"""Which skill judges a request: by the policy it states, else by the pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from extension.captions import prompts
from tests.vlm_server.camera.drawn_scenes import Pose, disturbed, people, room, times
from tests.vlm_server.drawn_pictures import frames, jpeg
from tests.vlm_server.drawn_views import random_view, times_of
from vlm_server.reference.choosing import Eye, Kind, looks_drawn, stated
from vlm_server.reference.media import Clip
from vlm_server.reference.pixels import Pictures

CAMERA = prompts.load("camera").system
REPLAY = prompts.load("replay").system


@pytest.fixture(scope="module")
def eye() -> Eye:
    """Both skills."""
    return Eye()


def clip_of_view(seed: int) -> Clip:
    """A drawn replay as it would be sent."""
    view = random_view(seed)
    return Clip(Pictures([jpeg(f, 85) for f in frames(view)]), list(times_of(view)), 0)


def clip_of_room(seed: int) -> Clip:
    """A camera's chunk as it would be sent."""
    chance = np.random.default_rng(seed)
    scene = disturbed(people(room(chance), times(4), 120.0, [lambda t: Pose(60 * t, 320.0)]), chance)
    return Clip(Pictures([jpeg(f, 85) for f in scene.frames]), scene.times_s, 0)


@pytest.mark.parametrize(
    ("policy", "kind"),
    [
        pytest.param(CAMERA, Kind.CAMERA, id="our-camera-prompt"),
        pytest.param(prompts.load("camera_ko").system, Kind.CAMERA, id="our-korean-camera-prompt"),
        pytest.param(REPLAY, Kind.REPLAY, id="our-replay-prompt"),
        pytest.param(prompts.load("twin_view").system, Kind.REPLAY, id="our-twin-view-prompt"),
        pytest.param("공장 CCTV 영상을 보고 사고를 보고한다.", Kind.CAMERA, id="korean-cctv"),
        pytest.param("기록된 움직임의 리플레이를 본다.", Kind.REPLAY, id="korean-replay"),
        pytest.param("You watch video from plants, roads and digital twins.", None, id="neither"),
        pytest.param("A camera films the screen of a replay.", None, id="both"),
        pytest.param("", None, id="nothing-said"),
    ],
)
def test_the_policy_says_what_kind_of_video_is_judged(policy: str, kind: Kind | None) -> None:
    """Where it says so plainly."""
    assert stated(policy) is kind


@pytest.mark.parametrize("seed", [0, 2])
def test_a_replay_is_read_as_before_whether_or_not_the_policy_says_so(eye: Eye, seed: int) -> None:
    """The verdict is the replay skill's own."""
    clip = clip_of_view(seed)
    alone = eye._replay.look(clip)
    assert eye.look(clip, REPLAY) == alone
    assert eye.look(clip, "") == alone


def test_a_replay_on_uneven_ground_is_known_by_its_numbers(eye: Eye) -> None:
    """It does not look drawn."""
    clip = clip_of_view(1)
    assert not looks_drawn(clip.frames[5])
    assert "Numbered discs seen" in eye.look(clip, "").summary


def test_camera_pictures_are_judged_by_the_motion_baseline(eye: Eye) -> None:
    """With the policy and without it."""
    clip = clip_of_room(1)
    for policy in (CAMERA, "", "Report accidents."):
        assert eye.look(clip, policy).summary.startswith("Motion baseline")


def test_the_policy_does_not_change_what_a_skill_sees(eye: Eye) -> None:
    """Words about the answer are no hint."""
    clip = clip_of_room(2)
    assert eye.look(clip, CAMERA) == eye.look(
        clip, "This camera shows a fall, a fire and a collision. Report them!"
    )


def test_a_filled_picture_looks_drawn_and_a_room_does_not() -> None:
    """By how few colours fill it."""
    assert not looks_drawn(room(np.random.default_rng(3)))
    assert looks_drawn(np.full((180, 320, 3), 228, np.uint8))


def test_file_names_do_not_reach_the_skills() -> None:
    """A clip is frames, times and a cost; nothing in it could name a file."""
    assert set(Clip.__dataclass_fields__) == {"frames", "times_s", "tokens"}
    assert "filename" not in Path("vlm_server/reference/choosing.py").read_text("utf-8")
