"""The request that is sent for a chunk."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from chunk_caption.frames import Frame
from chunk_caption.request import DEFAULT_SYSTEM, Endpoint, Question, Request, build, chosen_packing
from tests.vss_overrides.conftest import jpeg

SCHEMA = {"type": "object", "properties": {"status": {"type": "string"}}}
JPEGS = [jpeg(10), jpeg(60), jpeg(110)]
FRAMES = [Frame(data, time_s) for data, time_s in zip(JPEGS, [0.0, 0.07, 1.5], strict=True)]


def built(
    packing: str = "video_jpeg",
    *,
    prompt: str = "What happened?",
    endpoint: Endpoint | None = None,
    frames: list[Frame] = FRAMES,
    **sampling: Any,
) -> Request:
    """The request for a two-second chunk."""
    return build(
        Question(prompt, frames, 2.0, sampling), endpoint or Endpoint(), "some-model", packing, SCHEMA
    )


def user_parts(request: Request) -> list[dict[str, Any]]:
    """The content parts of the user's message."""
    parts: list[dict[str, Any]] = request.body["messages"][1]["content"]
    return parts


def b64(data: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(data).decode()


def test_images_come_each_after_its_time() -> None:
    """Time, picture, time, picture ... and the request's text last."""
    *media, text = user_parts(built("images"))
    expected: list[dict[str, Any]] = []
    for data, time in zip(JPEGS, ["0.00", "0.07", "1.50"], strict=True):
        expected.append({"type": "text", "text": f"<{time} seconds>"})
        expected.append({"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{b64(data)}"}})
    assert media == expected
    assert text["text"].endswith("What happened?")


def test_a_video_is_one_list_of_frames_and_one_line_of_times() -> None:
    """Plain commas between the frames, and the times on a line of their own after it."""
    video, times, text = user_parts(built("video_jpeg"))
    url = "data:video/jpeg;base64," + ",".join(b64(data) for data in JPEGS)
    assert video == {"type": "video_url", "video_url": {"url": url}}
    assert times == {"type": "text", "text": "Frame times in seconds: 0.00, 0.07, 1.50"}
    assert text["text"].endswith("What happened?")


@pytest.mark.parametrize("packing", ["images", "video_jpeg"])
def test_the_text_says_what_seconds_count_from(packing: str) -> None:
    """Verdicts answer in seconds from the start of the chunk."""
    text = user_parts(built(packing))[-1]["text"]
    assert "second 0" in text
    assert "lasts 2.00 seconds" in text
    assert "start_s and end_s" in text


def test_the_system_text_comes_first() -> None:
    """The request's own where it has one, else the package's."""
    for request, expected in ((built(), DEFAULT_SYSTEM), (built(system_prompt="Be brief."), "Be brief.")):
        first, second = request.body["messages"]
        assert first == {"role": "system", "content": expected}
        assert second["role"] == "user"


def test_temperature_and_a_token_limit_are_always_sent() -> None:
    """Servers have defaults of their own, which make answers differ from run to run."""
    body = built().body
    assert body["temperature"] == 0
    assert body["max_tokens"] == 1024
    assert "seed" not in body


def test_what_the_request_sets_is_passed_on() -> None:
    """Under the names of chat completions; top_k is not one of them."""
    body = built(max_new_tokens=64, temperature=0.5, top_p=0.9, top_k=5, seed=7, enable_reasoning=True).body
    assert (body["max_tokens"], body["temperature"], body["top_p"], body["seed"]) == (64, 0.5, 0.9, 7)
    assert not {"top_k", "enable_reasoning", "system_prompt"} & body.keys()


def test_the_schema_is_demanded() -> None:
    """Structured output is asked for in the form every server knows."""
    expected = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA}}
    assert built().body["response_format"] == expected


@pytest.mark.parametrize(
    ("asked", "owner", "frames", "packing"),
    [
        ("auto", "vllm", 2, "video_jpeg"),
        ("auto", "timetravel", 20, "video_jpeg"),
        ("auto", "openai", 20, "images"),
        ("auto", "", 20, "images"),
        ("auto", "vllm", 1, "images"),
        ("video_jpeg", "openai", 20, "video_jpeg"),
        ("video_jpeg", "vllm", 1, "images"),
        ("images", "vllm", 20, "images"),
    ],
)
def test_the_packing_suits_the_endpoint(asked: str, owner: str, frames: int, packing: str) -> None:
    """A video where it is known to be read; a single frame is always an image, as vLLM refuses such videos."""
    assert chosen_packing(asked, Endpoint(owned_by=owner), frames) == packing


def test_frames_are_thinned_to_the_token_limit() -> None:
    """First and last stay, and the line of times speaks of the frames that are sent."""
    frames = [Frame(jpeg(i, 640, 360), i / 10) for i in range(40)]
    request = built(frames=frames, endpoint=Endpoint("vllm", 4096), max_new_tokens=512)
    _, times, _ = user_parts(request)
    told = times["text"].removeprefix("Frame times in seconds: ").split(", ")
    assert 2 < request.frames < 40
    assert len(told) == request.frames
    assert (told[0], told[-1]) == ("0.00", "3.90")


def test_without_a_known_limit_nothing_is_left_out() -> None:
    """A server that states no limit gets every frame."""
    frames = [Frame(jpeg(i, 640, 360), i / 10) for i in range(40)]
    assert built(frames=frames).frames == 40


def test_a_limit_for_one_frame_sends_one_image() -> None:
    """Thinned to a single frame, a video becomes an image."""
    frames = [Frame(jpeg(i, 1280, 720), i / 10) for i in range(4)]
    request = built(frames=frames, endpoint=Endpoint("vllm", 1600))
    assert (request.packing, request.frames) == ("images", 1)
