"""The override class as engines call it, on the reference server and on the real vLLM alike: a caption that can be read, or a failure by name."""

from __future__ import annotations

import importlib.util
import json
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from chunk_caption import config
from extension.captions import parse
from extension.model import Chunk, Span
from tests.contracts.conftest import Endpoint
from tests.vss_overrides.conftest import OVERRIDES, jpeg, padded

PATH = OVERRIDES / "models" / "openai_compat" / "openai_compat_model.py"
Answer = tuple[str, dict[str, Any]]


@pytest.fixture
def model_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes the class as the engine does, in an environment that points at an endpoint."""
    made: list[Any] = []

    def make(endpoint: Endpoint, **knobs: str) -> Any:
        for name, value in (endpoint.environment | knobs).items():
            monkeypatch.setenv(name, value)
        config.from_environment.cache_clear()
        spec = importlib.util.spec_from_file_location("adapter_on_endpoints", PATH)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made.append(module.CompOpenAIModel(test_api_call=True))
        return made[-1]

    yield make
    for model in made:
        model._captioner.close()
    config.from_environment.cache_clear()


def ask(
    model: Any, jpegs: list[bytes], step_s: float = 0.25, start_s: float = 6.0, **sampling: Any
) -> Answer:
    """Ask about one chunk, through the engine's contract; the text and the report on it."""
    times_s = [round(start_s + number * step_s, 2) for number in range(len(jpegs))]
    chunk = SimpleNamespace(
        start_pts=int(start_s * 1e9),
        end_pts=int((start_s + len(jpegs) * step_s) * 1e9),
        chunkIdx=3,
        streamId="s",
    )
    wanted = {"max_new_tokens": 400, "system_prompt": None} | sampling
    texts, stats = model.generate("Report accidents.", [padded(jpegs)], [times_s], wanted, [chunk]).result(
        120
    )
    return texts[0], json.loads(stats[0]["reasoning_description"])


def shades(count: int, width_px: int = 320, height_px: int = 192) -> list[bytes]:
    """Frames that differ."""
    return [jpeg(20 + 7 * number % 200, width_px, height_px) for number in range(count)]


def failure(text: str) -> dict[str, str]:
    """The failure that a marker text names."""
    error: dict[str, str] = json.loads(text)["error"]
    return error


@pytest.mark.parametrize("packing", ["auto", "video_jpeg", "mp4", "images"])
@pytest.mark.parametrize("count", [1, 7, 8])
def test_a_caption_can_be_read(
    endpoint: Endpoint, model_for: Callable[..., Any], packing: str, count: int
) -> None:
    """By the extension's parser, in every packing, for one frame, odd and even numbers of them."""
    text, report = ask(model_for(endpoint, CHUNK_CAPTION_PACKING=packing), shades(count))
    assert "error" not in report, text
    caption = parse.read(text, Chunk(3, Span(6.0, 8.0)), {})
    assert caption.verdict is not None
    assert (report["frames"], report["retries"]) == (count, 0)
    assert report["packing"] == ("images" if count == 1 else "video_jpeg" if packing == "auto" else packing)
    assert report["input_tokens"] > 0
    assert report["output_tokens"] > 0


def test_a_clipped_answer_is_no_caption(endpoint: Endpoint, model_for: Callable[..., Any]) -> None:
    """It fails by name."""
    text, report = ask(model_for(endpoint), shades(4), max_new_tokens=5)
    assert failure(text)["code"] == report["error"] == "Clipped"
    assert report["output_tokens"] == 5


def test_a_wrong_model_is_told_with_its_name(endpoint: Endpoint, model_for: Callable[..., Any]) -> None:
    """Once, without a second try."""
    model = model_for(endpoint, VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME="other")
    text, report = ask(model, shades(4))
    assert (failure(text)["code"], report["retries"]) == ("Refused", 0)
    assert "`other` does not exist" in failure(text)["message"]


def test_a_wrong_key_is_told(real_vllm: Endpoint, model_for: Callable[..., Any]) -> None:
    """And not repeated."""
    text, report = ask(model_for(real_vllm, VIA_VLM_API_KEY="not-the-key"), shades(4))
    assert (failure(text)["code"], report["retries"]) == ("Refused", 0)
    assert "401" in text
    assert "not-the-key" not in text


@pytest.mark.parametrize("count", [1, 5])
def test_a_broken_picture_fails_by_name(
    endpoint: Endpoint, model_for: Callable[..., Any], count: int
) -> None:
    """A JPEG that lacks its middle but has both ends: the server refuses it, once."""
    jpegs = shades(count)
    whole = jpegs[-1]
    jpegs[-1] = whole[: len(whole) // 2] + b"\xff\xd9"
    text, report = ask(model_for(endpoint), jpegs)
    if "error" in report:
        assert (failure(text)["code"], report["retries"]) == ("Refused", 0)
        assert "image" in failure(text)["message"]
    else:
        assert parse.read(text, Chunk(3, Span(6.0, 8.0)), {}).verdict is not None


@pytest.mark.parametrize("jpegs", [[b"\xff\xd8 no end"], []], ids=["no-end", "no-frames"])
def test_nothing_to_show_is_never_sent(
    endpoint: Endpoint, model_for: Callable[..., Any], jpegs: list[bytes]
) -> None:
    """It fails by name before anyone is asked."""
    if jpegs:
        text, report = ask(model_for(endpoint), jpegs)
    else:
        texts, stats = model_for(endpoint).generate("?", [[]], [[]], {}, [None]).result(60)
        text, report = texts[0], json.loads(stats[0]["reasoning_description"])
    assert failure(text)["code"] == report["error"] == "NoFrames"
    assert report["input_tokens"] == 0


def test_frames_of_different_sizes_are_answered_or_refused_by_name(
    endpoint: Endpoint, model_for: Callable[..., Any]
) -> None:
    """They go as pictures, which a language model takes."""
    text, report = ask(model_for(endpoint), [*shades(2), jpeg(9, 64, 64)])
    assert report["packing"] == "images"
    if endpoint.name == "vllm":
        assert parse.read(text, Chunk(3, Span(6.0, 8.0)), {}).verdict is not None
    else:
        assert failure(text)["code"] == "Refused"


def test_many_chunks_at_once_all_get_a_caption(endpoint: Endpoint, model_for: Callable[..., Any]) -> None:
    """From one process, through futures."""
    model = model_for(endpoint)
    futures = [
        model.generate("?", [padded(shades(4))], [[0.0, 0.25, 0.5, 0.75]], {"max_new_tokens": 400}, [None])
        for _ in range(24)
    ]
    for future in futures:
        texts, _ = future.result(120)
        assert parse.read(texts[0], Chunk(0, Span(0.0, 1.0)), {}).verdict is not None


def test_a_connection_that_was_left_idle_costs_no_chunk(
    endpoint: Endpoint, model_for: Callable[..., Any]
) -> None:
    """The server closes it after five seconds; the next chunk is answered, at most at the second try."""
    model = model_for(endpoint)
    ask(model, shades(2))
    wait_until_closed(endpoint)
    text, report = ask(model, shades(2))
    assert parse.read(text, Chunk(3, Span(6.0, 8.0)), {}).verdict is not None
    assert report["retries"] <= 1


def wait_until_closed(endpoint: Endpoint) -> None:
    """Until a connection opened now has been closed for idleness; those opened before then are, too."""
    parts = urlsplit(endpoint.root)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=40) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
        while connection.recv(4096):
            pass


def test_the_prediction_is_exact_on_the_real_server(
    real_vllm: Endpoint, model_for: Callable[..., Any]
) -> None:
    """To the token, in every packing and for sizes the server has to round."""
    for packing in ("video_jpeg", "mp4", "images"):
        model = model_for(real_vllm, CHUNK_CAPTION_PACKING=packing)
        for count, size in ((8, (480, 270)), (5, (532, 280)), (2, (64, 48)), (1, (640, 360))):
            _, report = ask(model, shades(count, *size))
            assert report["predicted_tokens"] == report["input_tokens"], (packing, count, size)


@pytest.mark.parametrize("packing", ["auto", "images"])
def test_frames_are_thinned_to_what_the_real_server_takes(
    real_vllm: Endpoint, model_for: Callable[..., Any], packing: str
) -> None:
    """More frames than fit 8192 tokens are never refused; nearly all of the room is used."""
    model = model_for(real_vllm, CHUNK_CAPTION_PACKING=packing)
    text, report = ask(model, shades(150, 480, 270), step_s=0.1)
    assert "error" not in report, text
    assert 1 < report["frames"] < 150
    assert 0.9 * (8192 - 400) < report["input_tokens"] <= 8192 - 400


def test_a_video_is_known_again_by_its_hash(real_vllm: Endpoint, model_for: Callable[..., Any]) -> None:
    """The same chunk asked about twice costs the server little the second time."""
    model = model_for(real_vllm)
    reports = [ask(model, shades(16, 480, 270))[1] for _ in range(2)]
    assert reports[1]["cached_tokens"] > 0.8 * reports[1]["input_tokens"]
