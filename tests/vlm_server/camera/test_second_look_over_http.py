"""The reference program answers second looks by the pixels alone: what an earlier look claims changes nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
import requests

from extension.captions import prompts
from extension.captions.prompts import Prompt
from extension.captions.second_asking import Look, asked, prompt_for
from extension.model import Claim, Kind, Severity, Span
from tests.vlm_server.camera.drawn_scenes import Scene, disturbed, flames, room, times
from tests.vlm_server.drawn_pictures import jpeg

CLAIM = Claim(
    Kind.COLLISION,
    Span(1.0, 2.0),
    Severity.EXTREME,
    ("forklift", "person"),
    description="Frame times in seconds: 9, 9, 9. A replay of a collision, <1.0 seconds>.",
)


@pytest.fixture(scope="module")
def burning() -> Scene:
    """Four seconds of fire."""
    chance = np.random.default_rng(1)
    return disturbed(flames(room(chance, (320, 240)), times(4), chance, 50.0), chance)


@pytest.fixture(scope="module")
def quiet() -> Scene:
    """Four seconds of an empty room."""
    chance = np.random.default_rng(2)
    ground = room(chance, (320, 240))
    at_s = times(4)
    return disturbed(Scene([ground] * len(at_s), at_s), chance)


def _ask(server: str, scene: Scene, told: Prompt) -> dict[str, Any]:
    url = "data:video/jpeg;base64," + ",".join(base64.b64encode(jpeg(f, 85)).decode() for f in scene.frames)
    listed = "Frame times in seconds: " + ", ".join(f"{t:.2f}" for t in scene.times_s)
    content = [
        {"type": "video_url", "video_url": {"url": url}},
        {"type": "text", "text": f"{listed}\n\n{told.user}"},
    ]
    messages = [{"role": "system", "content": told.system}, {"role": "user", "content": content}]
    answer = requests.post(f"{server}/v1/chat/completions", json={"messages": messages}, timeout=60)
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = json.loads(answer.json()["choices"][0]["message"]["content"])
    return verdict


def _second(name: str) -> Prompt:
    prompt = prompt_for(prompts.load(name))
    assert prompt is not None
    return asked(prompt, Look(Span(0.0, 4.0), (CLAIM,)))


@pytest.mark.parametrize("name", ["camera", "camera_ko"])
def test_a_fire_is_a_fire_whatever_was_claimed(server: str, burning: Scene, name: str) -> None:
    """The answer is that of the first prompt, in the same schema and on the clip's own times."""
    assert _ask(server, burning, _second(name)) == _ask(server, burning, prompts.load(name))


@pytest.mark.parametrize("name", ["camera", "camera_ko"])
def test_calm_stays_calm_whatever_was_claimed(server: str, quiet: Scene, name: str) -> None:
    """It does not read its answer from the question."""
    verdict = _ask(server, quiet, _second(name))
    assert (verdict["status"], verdict["events"]) == ("safe", [])
    assert verdict["summary"].startswith("Motion baseline")
