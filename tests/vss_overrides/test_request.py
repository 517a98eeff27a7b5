"""The request that is sent for a chunk."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest

from chunk_caption import config, mp4
from chunk_caption.endpoint import Endpoint, VideoForm
from chunk_caption.frames import Frame
from chunk_caption.packing import chosen
from chunk_caption.request import DEFAULT_SYSTEM, Question, Request, Surroundings, build
from tests.vss_overrides import qwen_double
from tests.vss_overrides.conftest import jpeg
from tests.vss_overrides.qwen_double import VideoReading

CONFIG = config.read(
    {"VIA_VLM_ENDPOINT": "http://vlm/v1", "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": "some-model"}
)
VLLM = Endpoint("vllm", None, VideoForm(fps=1.0), VideoForm(fps=2.0))
JPEGS = [jpeg(10), jpeg(60), jpeg(110)]
FRAMES = [Frame(data, time_s) for data, time_s in zip(JPEGS, [0.0, 0.07, 1.5], strict=True)]


def built(
    packing: str = "video_jpeg",
    *,
    prompt: str = "What happened?",
    endpoint: Endpoint = VLLM,
    frames: list[Frame] = FRAMES,
    logprobs: bool = False,
    examples: tuple[config.Example, ...] = (),
    **sampling: Any,
) -> Request:
    """The request for a two-second chunk, to a server that counts texts as Qwen does."""
    settings = dataclasses.replace(CONFIG, packing=packing, logprobs=logprobs, examples=examples)
    encode = mp4.encoder()
    assert encode is not None

    def count(messages: list[dict[str, Any]]) -> int | None:
        return qwen_double.count({"messages": messages}, VideoReading()) if endpoint.max_model_len else None

    around = Surroundings(settings, endpoint, count, encode)
    return build(Question(prompt, frames, 2.0, sampling), around)


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
    expected = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": CONFIG.schema}}
    assert built().body["response_format"] == expected


CUT = VideoForm(fps=1.0, most_frames=32)


@pytest.mark.parametrize(
    ("asked", "endpoint", "frames", "packing"),
    [
        pytest.param("auto", VLLM, 2, "video_jpeg", id="frame-lists-first"),
        pytest.param("auto", Endpoint(mp4=VideoForm(fps=2.0)), 20, "mp4", id="only-mp4"),
        pytest.param("auto", Endpoint(), 20, "images", id="no-video"),
        pytest.param("auto", VLLM, 1, "images", id="one-frame"),
        pytest.param("auto", Endpoint(video_jpeg=CUT, mp4=VideoForm()), 33, "mp4", id="lists-are-cut"),
        pytest.param("auto", Endpoint(video_jpeg=CUT, mp4=VideoForm()), 32, "video_jpeg", id="not-yet-cut"),
        pytest.param("auto", Endpoint(video_jpeg=CUT), 33, "video_jpeg", id="cut-but-nothing-else"),
        pytest.param("video_jpeg", Endpoint(), 20, "video_jpeg", id="forced"),
        pytest.param("mp4", Endpoint(), 20, "mp4", id="forced-mp4"),
        pytest.param("mp4", VLLM, 1, "images", id="forced-for-one"),
        pytest.param("images", VLLM, 20, "images", id="forced-images"),
    ],
)
def test_the_packing_suits_the_endpoint(asked: str, endpoint: Endpoint, frames: int, packing: str) -> None:
    """A video where it is known to be read whole; a single frame is always an image, as vLLM refuses such videos."""
    assert chosen(asked, endpoint, [FRAMES[0]] * frames) == packing


def test_frames_of_different_sizes_are_images() -> None:
    """No server takes them for one video."""
    assert chosen("auto", VLLM, [Frame(jpeg(1), 0.0), Frame(jpeg(1, 32, 32), 1.0)]) == "images"


def test_what_a_server_would_leave_out_is_left_out_evenly() -> None:
    """So that the line of times speaks of the frames that the model sees."""
    frames = [Frame(jpeg(i), i / 10) for i in range(40)]
    request = built(frames=frames, endpoint=Endpoint(video_jpeg=CUT))
    told = user_parts(request)[1]["text"].removeprefix("Frame times in seconds: ").split(", ")
    assert (request.frames, len(told), told[0], told[-1]) == (32, 32, "0.00", "3.90")


@pytest.mark.parametrize("packing", ["images", "video_jpeg", "mp4"])
@pytest.mark.parametrize("limit", [1400, 2500, 4096, 60_000])
@pytest.mark.parametrize("count", [2, 7, 40])
def test_frames_are_thinned_to_the_token_limit(packing: str, limit: int, count: int) -> None:
    """It fits by the server's own count, which was predicted to the token; first and last frame stay."""
    frames = [Frame(jpeg(i, 480, 270), i / 10) for i in range(count)]
    endpoint = dataclasses.replace(VLLM, max_model_len=limit)
    request = built(packing, frames=frames, endpoint=endpoint, max_new_tokens=512)
    assert request.predicted_tokens == qwen_double.count(request.body, VideoReading())
    assert request.predicted_tokens + 512 <= limit
    assert request.frames >= (2 if limit > 1400 else 1)
    if request.frames < count and packing == "images":
        longer = built(
            packing,
            frames=frames,
            endpoint=dataclasses.replace(VLLM, max_model_len=limit + 140),
            max_new_tokens=512,
        )
        assert longer.frames > request.frames


def test_options_place_the_frames_on_servers_that_take_them() -> None:
    """Frame numbers of a hundred a second, and no word about another clock."""
    endpoint = Endpoint("vllm", video_jpeg=VideoForm(fps=100.0, options=True))
    request = built("auto", endpoint=endpoint)
    options = request.body["media_io_kwargs"]["video"]
    assert (options["frames_indices"], options["fps"], options["num_frames"]) == ([0, 7, 150], 100, -1)
    assert "clock" not in user_parts(request)[-1]["text"]
    assert qwen_double.shown(request.body, VideoReading(options=True)).startswith(
        DEFAULT_SYSTEM + "<0.0 seconds><1.5 seconds>"
    )
    assert "media_io_kwargs" not in built("auto").body


def test_media_carry_the_hash_of_their_content_where_it_is_of_use() -> None:
    """Other frames, another hash; a server that does not know it gets none."""
    endpoint = dataclasses.replace(VLLM, uuid=True)
    for packing in ("video_jpeg", "images", "mp4"):
        ids = [
            part["uuid"]
            for frames in (FRAMES, FRAMES, FRAMES[:2])
            for part in user_parts(built(packing, endpoint=endpoint, frames=frames))
            if part["type"] != "text"
        ]
        kinds = 3 if packing == "images" else 2
        assert len(set(ids)) == kinds
        assert all(len(uuid) == 64 for uuid in ids)
        assert "uuid" not in str(user_parts(built(packing))[0].keys())


def test_examples_stand_before_every_question() -> None:
    """Constant text first, so that a prefix cache can use it; their frames are pictures."""
    examples = (config.Example((JPEGS[0],), "And here?", "Nothing."), config.Example((), "Q", "A"))
    endpoint = dataclasses.replace(VLLM, max_model_len=8192)
    one = built(examples=examples, endpoint=endpoint)
    other = built(examples=examples, endpoint=endpoint, prompt="Other?", frames=FRAMES[:2])
    messages = one.body["messages"]
    assert [message["role"] for message in messages] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert messages[:5] == other.body["messages"][:5]
    assert messages[1]["content"][0]["image_url"]["url"].endswith(b64(JPEGS[0]))
    assert messages[2]["content"] == "Nothing."
    assert one.predicted_tokens == qwen_double.count(one.body, VideoReading())


def test_log_probabilities_are_asked_for_only_when_wanted() -> None:
    """Some servers take their time for them."""
    assert built(logprobs=True).body["logprobs"] is True
    assert "logprobs" not in built().body


def test_without_a_known_limit_nothing_is_left_out() -> None:
    """A server that states no limit gets every frame; the prediction is then an upper estimate."""
    frames = [Frame(jpeg(i, 640, 360), i / 10) for i in range(40)]
    request = built(frames=frames)
    assert request.frames == 40
    assert request.predicted_tokens >= qwen_double.count(request.body, VideoReading())


def test_a_limit_for_one_frame_sends_one_image() -> None:
    """Thinned to a single frame, a video becomes an image."""
    frames = [Frame(jpeg(i, 1280, 720), i / 10) for i in range(4)]
    request = built(frames=frames, endpoint=dataclasses.replace(VLLM, max_model_len=1600))
    assert (request.packing, request.frames) == ("images", 1)
