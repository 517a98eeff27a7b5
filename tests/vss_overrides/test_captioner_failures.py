"""A VLM that refuses, stalls, breaks off or talks nonsense: what is tried again, and what is said in the end."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from chunk_caption.captioner import Captioner
from chunk_caption.frames import BadFrame, Frame
from chunk_caption.request import Question
from tests.vss_overrides.conftest import jpeg
from tests.vss_overrides.vlm_double import SAFE_VERDICT, Reply, VlmDouble

Maker = Callable[..., Captioner]
FRAMES = [Frame(jpeg(10), 0.0), Frame(jpeg(90), 1.0)]


def question() -> Question:
    """A question with two frames."""
    return Question("What happened?", FRAMES, 2.0, {})


def asked(captioner: Captioner) -> tuple[str, dict[str, Any]]:
    """The answer's text and the report on it."""
    text, stats = captioner.answer(question)
    return text, json.loads(stats["reasoning_description"])


def failure(text: str) -> dict[str, str]:
    """The failure that a marker text names."""
    error: dict[str, str] = json.loads(text)["error"]
    return error


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_trouble_that_may_pass_is_asked_again(
    vlm: VlmDouble, captioner_for: Maker, naps: list[float], status: int
) -> None:
    """Twice refused, then answered; the pauses double."""
    vlm.script += [Reply(status=status), Reply(status=status)]
    text, report = asked(captioner_for(vlm))
    assert text == SAFE_VERDICT
    assert report["retries"] == 2
    assert naps == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_final(vlm: VlmDouble, captioner_for: Maker, naps: list[float], status: int) -> None:
    """The server's reason is told."""
    vlm.script.append(Reply(status=status, error="this will not do"))
    text, report = asked(captioner_for(vlm))
    assert failure(text)["code"] == "Refused"
    assert failure(text)["message"].startswith(f"the VLM answered {status}: this will not do")
    assert (report["error"], report["retries"], naps, len(vlm.requests)) == ("Refused", 0, [], 1)


@pytest.mark.parametrize("body", [b'{"error": "Unauthorized"}', b'{"detail": "Unauthorized"}'])
def test_every_shape_of_error_is_read(vlm: VlmDouble, captioner_for: Maker, body: bytes) -> None:
    """VLLM has three shapes of error bodies."""
    vlm.script.append(Reply(status=401, raw=body))
    assert failure(asked(captioner_for(vlm))[0])["message"].startswith("the VLM answered 401: Unauthorized")


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"error": null}', b"\xff\xfe", b""])
def test_an_error_body_of_no_shape_is_left_out(vlm: VlmDouble, captioner_for: Maker, body: bytes) -> None:
    """The status is told all the same."""
    vlm.script.append(Reply(status=400, raw=body))
    assert failure(asked(captioner_for(vlm))[0])["message"].startswith("the VLM answered 400")


def test_retries_are_bounded(vlm: VlmDouble, captioner_for: Maker, naps: list[float]) -> None:
    """As many attempts as set, then a marker."""
    vlm.default = Reply(status=503, error="busy")
    text, report = asked(captioner_for(vlm, RETRIES="2"))
    assert failure(text) == {"code": "ServerError", "message": "the VLM answered 503: busy"}
    assert (report["retries"], len(vlm.requests), len(naps)) == (2, 3, 2)


def test_the_server_names_the_pause(vlm: VlmDouble, captioner_for: Maker, naps: list[float]) -> None:
    """Retry-After is honoured."""
    vlm.script.append(Reply(status=429, headers={"Retry-After": "4"}))
    assert asked(captioner_for(vlm))[0] == SAFE_VERDICT
    assert naps == [4.0]


def test_a_pause_beyond_the_time_limit_is_not_taken(
    vlm: VlmDouble, captioner_for: Maker, naps: list[float]
) -> None:
    """Better a failure now than one later."""
    vlm.script.append(Reply(status=429, headers={"Retry-After": "4000"}))
    assert failure(asked(captioner_for(vlm))[0])["code"] == "ServerError"
    assert naps == []


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(Reply(reset=True), id="reset"),
        pytest.param(Reply(cut=0), id="closed-before-the-body"),
        pytest.param(Reply(cut=40), id="half-an-answer"),
    ],
)
def test_a_broken_connection_is_tried_again(vlm: VlmDouble, captioner_for: Maker, broken: Reply) -> None:
    """Half an answer is no answer."""
    vlm.script.append(broken)
    text, report = asked(captioner_for(vlm))
    assert (text, report["retries"]) == (SAFE_VERDICT, 1)
    vlm.script += [broken] * 4
    text, report = asked(captioner_for(vlm))
    assert failure(text)["code"] == "Unreachable"
    assert report["retries"] == 3


@pytest.mark.parametrize(
    "body", [b"garbage", b"[]", b"{}", b'{"choices": 3}', b"\xff\xd8", b"", b'{"choices": [{']
)
def test_garbage_is_tried_again_and_then_named(vlm: VlmDouble, captioner_for: Maker, body: bytes) -> None:
    """A proxy's page is no answer."""
    vlm.default = Reply(raw=body)
    text, report = asked(captioner_for(vlm, RETRIES="1"))
    assert failure(text)["code"] == "ServerError"
    assert report["retries"] == 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(finish_reason="length"), "Clipped"),
        (Reply(text=""), "Empty"),
        (Reply(text=None), "Empty"),
        (Reply(finish_reason="content_filter"), "Refused"),
    ],
)
def test_an_unusable_answer_is_named_with_its_tokens(
    vlm: VlmDouble, captioner_for: Maker, reply: Reply, code: str
) -> None:
    """Tokens were spent, so they are counted; asking again would give the same."""
    vlm.script.append(reply)
    text, report = asked(captioner_for(vlm))
    assert failure(text)["code"] == report["error"] == code
    assert (report["input_tokens"], report["output_tokens"], len(vlm.requests)) == (100, 20, 1)


def test_an_answer_without_end_is_cut_off(vlm: VlmDouble, captioner_for: Maker) -> None:
    """Four megabytes are no verdict."""
    vlm.script.append(Reply(raw=b'{"x": "' + b"y" * 5_000_000))
    error = failure(asked(captioner_for(vlm))[0])
    assert error == {"code": "ServerError", "message": "the VLM's answer is larger than 4 MiB"}


@pytest.mark.parametrize("slow", [Reply(hang=True), Reply(trickle_s=0.05)], ids=["silent", "trickling"])
def test_the_time_limit_holds_for_the_whole_answer(vlm: VlmDouble, captioner_for: Maker, slow: Reply) -> None:
    """Neither silence nor a byte now and then outlasts it."""
    vlm.default = slow
    began_s = time.monotonic()
    text, report = asked(captioner_for(vlm, TIMEOUT_S="1", RETRIES="0"))
    assert failure(text)["code"] == report["error"] == "Timeout"
    assert time.monotonic() - began_s < 10


def test_a_server_that_is_not_there_is_unreachable(vlm: VlmDouble, captioner_for: Maker) -> None:
    """A closed port is tried as often as set, and named."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        vlm.script.clear()
        captioner = captioner_for(vlm)
        closed = captioner_for(_At(free.getsockname()[1]), RETRIES="1")
    text, report = asked(closed)
    assert failure(text)["code"] == "Unreachable"
    assert (report["retries"], report["packing"]) == (1, "none")
    assert asked(captioner)[0] == SAFE_VERDICT


class _At(VlmDouble):
    """Only the address of a double."""

    def __init__(self, port: int) -> None:
        self._port = port

    @property
    def endpoint(self) -> str:
        """Where nobody listens."""
        return f"http://127.0.0.1:{self._port}/v1"


def test_a_chunk_without_a_frame_is_named(vlm: VlmDouble, captioner_for: Maker) -> None:
    """Nothing is asked about nothing."""
    text, _ = captioner_for(vlm).answer(lambda: Question("?", [], 2.0, {}))
    assert failure(text)["code"] == "NoFrames"
    assert vlm.requests == []


@pytest.mark.parametrize(
    "fault", [BadFrame("a frame is no complete JPEG"), TypeError("odd"), ValueError("odd")]
)
def test_frames_that_cannot_be_read_are_named(vlm: VlmDouble, captioner_for: Maker, fault: Exception) -> None:
    """Nothing is raised into the engine."""

    def broken() -> Question:
        raise fault

    text, stats = captioner_for(vlm).answer(broken)
    assert failure(text)["code"] == "NoFrames"
    assert json.loads(stats["reasoning_description"])["error"] == "NoFrames"


def test_no_secret_leaves_in_markers_or_logs(
    vlm: VlmDouble, captioner_for: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that quotes the whole request back is not quoted in turn."""
    caplog.set_level(logging.DEBUG, logger="chunk_caption")
    leak = "bad key sk-made-up-key for data:image/jpeg;base64,/9j/4AAQSkZJRgABAQAAAQABAAD"
    for status in (400, 503):
        vlm.default = Reply(status=status, error=leak)
        text, stats = captioner_for(vlm, RETRIES="1").answer(question)
        for told in (text, stats["reasoning_description"], caplog.text):
            assert "sk-made-up-key" not in told
            assert "/9j/" not in told
