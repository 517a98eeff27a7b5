"""Prompts are versioned files that fit the via-server's limits."""

from __future__ import annotations

import re

import pytest

from extension.captions import prompts
from extension.errors import BadInput
from extension.model import Kind, Severity

# VSS 2.4 refuses longer ones.
LIMIT = 5000
CAMERAS = ["camera", "camera_ko"]


@pytest.mark.parametrize("name", prompts.names())
def test_prompts_fit_and_name_their_version(name: str) -> None:
    """Each prompt loads, fits, and names every severity the schema has that it may use."""
    prompt = prompts.load(name)
    assert prompt.id.startswith(f"{'simple_view' if name == 'replay' else name}.v")
    assert 0 < len(prompt.system) <= LIMIT
    assert 0 < len(prompt.user) <= LIMIT
    for word in ('"status"', '"events"', "start_s", "end_s", "objects", "severity", '"safe"'):
        assert word in prompt.user


def test_an_unknown_prompt_names_the_known_ones() -> None:
    """A typing mistake is answered with the choices."""
    with pytest.raises(BadInput, match="there are: camera, camera_ko, replay, simple_view, twin_view"):
        prompts.load("repaly")


def test_the_newest_version_is_taken() -> None:
    """Older ones stay beside it: stored answers name them."""
    assert prompts.load("camera").id == "camera.v2"
    assert prompts.load("camera_ko").id == "camera_ko.v1"


def test_a_prompt_is_read_once() -> None:
    """It is asked for with every window."""
    assert prompts.load("camera") is prompts.load("camera")


@pytest.mark.parametrize("name", CAMERAS)
def test_camera_prompts_define_every_severity_and_every_kind(name: str) -> None:
    """In whatever language, by the words of the schema."""
    prompt = prompts.load(name)
    for word in (*Severity, *Kind):
        assert f'"{word}"' in prompt.system
        assert re.search(rf'["|]{word}["|]', prompt.user)


@pytest.mark.parametrize("name", CAMERAS)
def test_camera_prompts_do_not_speak_of_replays(name: str) -> None:
    """The reference program knows by the system text what kind of video it judges."""
    assert not re.search(r"replay|리플레이", prompts.load(name).system, re.IGNORECASE)


@pytest.mark.parametrize(
    ("name", "language"), [(name, "ko" if name.endswith("_ko") else "en") for name in prompts.names()]
)
def test_prompts_say_their_language(name: str, language: str) -> None:
    """What is added to them, and what is answered, is in it."""
    prompt = prompts.load(name)
    assert prompt.language == language
    assert bool(re.search("[가-힣]", prompt.system + prompt.user)) is (language == "ko")


@pytest.mark.parametrize(
    ("name", "language", "found"),
    [
        ("camera", "en", "camera"),
        ("camera", "ko", "camera_ko"),
        ("camera_ko", "ko", "camera_ko"),
        ("camera_ko", "en", "camera"),
        ("twin_view", "en", "twin_view"),
    ],
)
def test_a_prompt_is_found_in_a_language(name: str, language: str, found: str) -> None:
    """The language wins over the ending of the name."""
    assert prompts.in_language(name, language) == found


@pytest.mark.parametrize(("name", "language"), [("twin_view", "ko"), ("camera", "fr"), ("nothing", "en")])
def test_a_prompt_that_does_not_exist_in_a_language_is_refused(name: str, language: str) -> None:
    """With the name in the sentence."""
    with pytest.raises(BadInput, match=name):
        prompts.in_language(name, language)


def test_camera_prompts_are_known_as_such() -> None:
    """In every language, and no other."""
    assert [name for name in prompts.names() if prompts.shows_camera(name)] == CAMERAS
    assert not prompts.shows_camera("nothing")


def test_both_languages_ask_for_the_same_form() -> None:
    """The names of the fields are the schema's."""
    fields = [set(re.findall(r'"([a-z_]+)":', prompts.load(name).user)) for name in CAMERAS]
    assert fields[0] == fields[1]
    assert len(fields[0]) == 10
