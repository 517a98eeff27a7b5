"""The running server judges camera chunks: over loopback, with the project's own prompt."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
import requests

from extension.captions import prompts
from tests.vlm_server.camera.drawn_scenes import Scene, disturbed, flames, room, times
from tests.vlm_server.drawn_pictures import jpeg


@pytest.fixture(scope="module")
def burning() -> Scene:
    """Four seconds of fire."""
    chance = np.random.default_rng(1)
    return disturbed(flames(room(chance, (320, 240)), times(4), chance, 50.0), chance)


def ask(server: str, scene: Scene, prompt: str) -> dict[str, Any]:
    """Ask about a scene and return the verdict."""
    told = prompts.load(prompt)
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


def test_the_camera_prompt_gets_the_camera_skill(server: str, burning: Scene) -> None:
    """A fire is danger, on the request's own time axis, with a score."""
    verdict = ask(server, burning, "camera")
    assert verdict["status"] == "danger"
    (event,) = verdict["events"]
    assert (event["kind"], event["start_s"]) == ("fire", 0.0)
    assert 0 < event["end_s"] <= 4
    assert 0.5 <= event["confidence"] < 1


def test_the_replay_prompt_gets_the_replay_skill(server: str, burning: Scene) -> None:
    """Which sees no numbered discs in a fire."""
    verdict = ask(server, burning, "replay")
    assert verdict["events"] == []
    assert "Motion baseline" not in verdict["summary"]


def test_the_server_says_what_its_camera_skill_is(server: str) -> None:
    """A motion baseline, and no language model."""
    (card,) = requests.get(f"{server}/v1/models", timeout=5).json()["data"]
    assert "motion baseline" in card["description"]
    assert "not a language model" in card["description"]
