"""Asking a real HTTP server: answers, reports, packing, and how many at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from chunk_caption.captioner import Captioner
from chunk_caption.frames import Frame
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


def test_an_answer_comes_back_with_its_report(vlm: VlmDouble, captioner_for: Maker) -> None:
    """Text as the model wrote it; tokens, packing and model in the report."""
    text, report = asked(captioner_for(vlm))
    assert text == SAFE_VERDICT
    assert report.pop("latency_ms") >= 0
    assert report.pop("predicted_tokens") > 0
    assert report == {
        "packing": "video_jpeg",
        "frames": 2,
        "retries": 0,
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_tokens": 64,
        "model": "test-vlm",
    }
    assert vlm.requests[0].headers["authorization"] == "Bearer sk-made-up-key"


def test_nothing_is_called_before_the_first_chunk(vlm: VlmDouble, captioner_for: Maker) -> None:
    """The engine starts whether or not the VLM is up."""
    captioner_for(vlm)
    assert (vlm.models_asked, len(vlm.requests)) == (0, 0)


def test_the_endpoint_is_looked_up_once(vlm: VlmDouble, captioner_for: Maker) -> None:
    """What the server says of itself holds for all chunks."""
    captioner = captioner_for(vlm)
    for _ in range(3):
        asked(captioner)
    assert vlm.models_asked == 1


@pytest.mark.parametrize(
    "models",
    [
        404,
        503,
        b"<html>",
        401,
        {},
        {"data": []},
        {"data": "x"},
        {"data": [7]},
        {"data": [{"id": "test-vlm", "max_model_len": "x"}]},
    ],
)
def test_an_endpoint_that_tells_nothing_of_its_models_is_answered_all_the_same(
    vlm: VlmDouble, captioner_for: Maker, models: Any
) -> None:
    """Images are what every OpenAI-compatible server reads."""
    vlm.models = models
    vlm.reading.video_jpeg = vlm.reading.mp4 = False
    assert asked(captioner_for(vlm))[1]["packing"] == "images"


def test_an_endpoint_in_trouble_is_looked_up_again(vlm: VlmDouble, captioner_for: Maker) -> None:
    """What it could not say for the first chunk it may say for the second."""
    fine, vlm.models = vlm.models, 503
    captioner = captioner_for(vlm)
    assert asked(captioner)[1]["packing"] == "images"
    vlm.models = fine
    assert asked(captioner)[1]["packing"] == "video_jpeg"


def test_the_packing_can_be_forced(vlm: VlmDouble, captioner_for: Maker) -> None:
    """The knob goes before what the endpoint says."""
    assert asked(captioner_for(vlm, PACKING="images"))[1]["packing"] == "images"


def test_the_stated_token_limit_is_kept(captioner_for: Maker) -> None:
    """Frames that would not fit are left out before they are sent."""
    with VlmDouble(max_model_len=1500) as vlm:
        frames = [Frame(jpeg(i, 640, 360), i / 10) for i in range(30)]
        captioner = captioner_for(vlm)
        _, stats = captioner.answer(lambda: Question("?", frames, 3.0, {"max_new_tokens": 200}))
        assert 1 < json.loads(stats["reasoning_description"])["frames"] < 30
        captioner.close()


def test_as_many_chunks_as_set_are_asked_at_once(vlm: VlmDouble, captioner_for: Maker) -> None:
    """The pool bounds them; all are answered."""
    gate = threading.Event()
    vlm.default = Reply(hold=gate)
    captioner = captioner_for(vlm, CONCURRENCY="3")
    futures = [captioner.submit([question]) for _ in range(8)]
    deadline_s = time.monotonic() + 20
    while len(vlm.requests) < 3 and time.monotonic() < deadline_s:
        gate.wait(0.01)
    gate.set()
    assert [future.result(20)[0] for future in futures] == [[SAFE_VERDICT]] * 8
    assert vlm.most_at_once == 3


def test_a_batch_is_answered_in_order(vlm: VlmDouble, captioner_for: Maker) -> None:
    """One text and one report for each chunk of it."""
    vlm.script += [Reply(text="first"), Reply(text="second")]
    texts, stats = captioner_for(vlm).submit([question, question]).result(20)
    assert (texts, len(stats)) == (["first", "second"], 2)
    assert captioner_for(vlm).submit([]).result(20) == ([], [])


def test_log_probabilities_are_reported_where_offered(vlm: VlmDouble, captioner_for: Maker) -> None:
    """Their mean, and nothing where the server gives none."""
    told = [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1.5}]
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": SAFE_VERDICT},
        "logprobs": {"content": told},
    }
    vlm.script.append(Reply(raw=json.dumps({"choices": [choice]}).encode()))
    captioner = captioner_for(vlm, LOGPROBS="on")
    assert asked(captioner)[1]["mean_logprob"] == -1.0
    assert "mean_logprob" not in asked(captioner)[1]
    assert vlm.requests[0].body["logprobs"] is True


def test_log_probabilities_that_are_refused_are_not_asked_for_again(
    vlm: VlmDouble, captioner_for: Maker
) -> None:
    """The chunk is answered all the same, and so is the next, at the first try."""
    vlm.script.append(Reply(status=403, error="You are not allowed to request logprobs from this model"))
    captioner = captioner_for(vlm, LOGPROBS="on")
    for _ in range(2):
        text, report = asked(captioner)
        assert (text, report["retries"]) == (SAFE_VERDICT, 0)
    assert ["logprobs" in request.body for request in vlm.requests] == [True, False, False]


def test_another_refusal_is_no_matter_of_log_probabilities(vlm: VlmDouble, captioner_for: Maker) -> None:
    """It is told once, and the next chunk asks for them again."""
    vlm.script.append(Reply(status=400, error="this will not do"))
    captioner = captioner_for(vlm, LOGPROBS="on")
    assert "this will not do" in asked(captioner)[0]
    assert asked(captioner)[0] == SAFE_VERDICT
    assert all("logprobs" in request.body for request in vlm.requests)
