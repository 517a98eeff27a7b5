"""The running server over loopback: routes, shapes of answer, errors, streaming, start and stop."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from openai import OpenAI

from tests.vlm_server.conftest import ROOT, announced
from tests.vlm_server.drawn_pictures import frames, jpeg
from tests.vlm_server.drawn_views import View, random_view, times_of

MODEL = "replay-reference"
SCHEMA = {
    "type": "object",
    "required": ["status", "events", "summary"],
    "properties": {"status": {"type": "string"}, "events": {"type": "array"}, "summary": {"type": "string"}},
}


def meeting() -> View:
    """A plain view in which numbers meet in the first two seconds."""
    return random_view(
        6, width=532, height=280, radius=9.0, seconds=2.0, ground="flat", clock="box", font="default", glyph=1.2,
        numbers=("1", "2", "3"), fills=((0, 0, 0),) * 3, ring=None, ground_colour=(228, 228, 228),
    )  # fmt: skip


def body(view: View, **more: Any) -> dict[str, Any]:
    """Return a request with a view as a frame list and its times in the text."""
    url = "data:video/jpeg;base64," + ",".join(base64.b64encode(jpeg(f, 85)).decode() for f in frames(view))
    listed = "Frame times in seconds: " + ", ".join(f"{t:.2f}" for t in times_of(view))
    content = [
        {"type": "text", "text": "Report collisions as JSON."},
        {"type": "video_url", "video_url": {"url": url}},
        {"type": "text", "text": listed},
    ]
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], "temperature": 0, **more}


def ask(server: str, request: dict[str, Any]) -> requests.Response:
    """Post a request."""
    return requests.post(f"{server}/v1/chat/completions", json=request, timeout=60)


def test_health_version_and_models_say_what_runs(server: str) -> None:
    """A client can see that this is no language model."""
    assert (
        requests.get(f"{server}/health", timeout=5).status_code,
        requests.get(f"{server}/health", timeout=5).text,
    ) == (200, "")
    assert requests.get(f"{server}/version", timeout=5).json()["version"]
    (card,) = requests.get(f"{server}/v1/models", timeout=5).json()["data"]
    assert (card["id"], card["owned_by"], card["max_model_len"]) == (MODEL, "timetravel", 32768)
    assert "not a language model" in card["description"]


def test_a_chunk_gets_a_verdict_with_usage(server: str) -> None:
    """The answer is the verdict schema, and the numbers add up."""
    answer = ask(
        server,
        body(
            meeting(), response_format={"type": "json_schema", "json_schema": {"name": "v", "schema": SCHEMA}}
        ),
    )
    assert answer.status_code == 200
    (choice,) = answer.json()["choices"]
    verdict = json.loads(choice["message"]["content"])
    assert choice["finish_reason"] == "stop"
    assert verdict["status"] == ("danger" if verdict["events"] else "safe")
    assert "Numbered discs seen: 1, 2, 3." in verdict["summary"]
    usage = answer.json()["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens_details"]["multimodal_tokens"] > 24 * 17 * 9 // 2


def test_the_same_request_gets_the_same_answer(server: str) -> None:
    """The program is deterministic, also when asked side by side."""
    request = body(meeting())
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: ask(server, request).json()["choices"][0]["message"]["content"], range(4))
        )
    assert len(set(answers)) == 1


def test_the_openai_client_streams_the_same_text(server: str) -> None:
    """Chunks join to the whole answer; usage comes last when asked for."""
    request = body(meeting())
    whole = ask(server, request).json()["choices"][0]["message"]["content"]
    with OpenAI(base_url=f"{server}/v1", api_key="none") as client:
        stream = client.chat.completions.create(
            model=MODEL, messages=request["messages"], stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert text == whole
    assert [r for r in reasons if r] == ["stop"]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_a_stream_ends_with_done(server: str) -> None:
    """Server-sent events end as OpenAI's do."""
    lines = [line for line in ask(server, body(meeting(), stream=True)).text.split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"


def test_an_answer_longer_than_max_tokens_is_clipped_and_says_so(server: str) -> None:
    """A client must be able to see that the verdict is not whole."""
    (choice,) = ask(server, body(meeting(), max_tokens=5)).json()["choices"]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) <= 20


def test_text_alone_is_answered_in_a_sentence(server: str) -> None:
    """Questions about captions must not fail, nor pretend."""
    answer = ask(server, {"messages": [{"role": "user", "content": "What happened yesterday?"}]})
    assert answer.status_code == 200
    (choice,) = answer.json()["choices"]
    assert choice["finish_reason"] == "stop"
    assert "not a language model" in choice["message"]["content"]


def test_pictures_of_earlier_turns_are_examples_only(server: str) -> None:
    """Only the last message that shows something is looked at."""
    view = meeting()
    example = {
        "type": "image_url",
        "image_url": {
            "url": "data:image/jpeg;base64,"
            + base64.b64encode(jpeg(np.zeros((64, 64, 3), np.uint8), 80)).decode()
        },
    }
    request = body(view)
    plain = ask(server, request).json()["choices"][0]["message"]["content"]
    request["messages"] = [
        {"role": "user", "content": [example]},
        {"role": "assistant", "content": "{}"},
        *request["messages"],
    ]
    assert ask(server, request).json()["choices"][0]["message"]["content"] == plain


@pytest.mark.parametrize(
    ("change", "status", "kind", "param", "message"),
    [
        pytest.param({"model": "other"}, 404, "NotFoundError", "model", "The model `other` does not exist", id="unknown-model"),
        pytest.param({"n": 2}, 400, "BadRequestError", "n", "n > 1", id="several-answers"),
        pytest.param({"messages": []}, 400, "Bad Request", None, "messages", id="no-messages"),
        pytest.param({"max_tokens": "many"}, 400, "Bad Request", None, "max_tokens", id="wrong-type"),
        pytest.param(
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"required": ["status", "mood"]}}}},
            400, "BadRequestError", "response_format", "also requires: mood", id="a-schema-it-cannot-answer",
        ),
        pytest.param({"response_format": {"type": "json_schema"}}, 400, "BadRequestError", "response_format", "needs a schema", id="a-schema-without-schema"),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "data:image/jpeg;base64,AAAA"}]}]},
            400, "Bad Request", None, "image_url", id="image-url-as-a-string",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}]}]},
            400, "BadRequestError", None, "cannot identify image file (frame 0)", id="not-a-picture",
        ),
    ],
)  # fmt: skip
def test_mistakes_get_vllms_error_body(
    server: str, change: dict[str, Any], status: int, kind: str, param: str | None, message: str
) -> None:
    """Every refusal has message, type, param and code."""
    answer = ask(server, {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"], error["param"]) == (status, status, kind, param)
    assert message in error["message"]


def test_a_frame_that_breaks_off_is_an_error_not_a_calm_answer(server: str) -> None:
    """A half picture must never read as nothing happened; the message names the frame."""
    request = body(meeting())
    part = request["messages"][0]["content"][1]["video_url"]
    head, *encoded = part["url"].split(",")
    encoded[7] = base64.b64encode(base64.b64decode(encoded[7])[:-300]).decode()
    part["url"] = ",".join([head, *encoded])
    answer = ask(server, request)
    assert answer.status_code == 400
    assert "truncated" in answer.json()["error"]["message"]
    assert "(frame 7)" in answer.json()["error"]["message"]


@pytest.mark.parametrize("text", ["not json", "", "[1, 2"])
def test_a_body_that_is_no_json_is_refused(server: str, text: str) -> None:
    """400, as vLLM."""
    answer = requests.post(
        f"{server}/v1/chat/completions", data=text, headers={"content-type": "application/json"}, timeout=10
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "Bad Request"


def test_an_unknown_path_is_not_found(server: str) -> None:
    """The third shape of vLLM's errors."""
    assert requests.get(f"{server}/v1/nothing", timeout=5).json() == {"detail": "Not Found"}


def test_metrics_count_requests_frames_and_errors(server: str) -> None:
    """What was refused is counted by kind."""
    ask(server, body(meeting()))
    ask(server, {"model": "other", "messages": [{"role": "user", "content": "hi"}]})
    text = requests.get(f"{server}/metrics", timeout=5).text
    values = {
        line.split(" ")[0]: float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        if line and line[0] != "#"
    }
    assert values['reference_vlm_requests_total{outcome="stop"}'] >= 1
    assert values["reference_vlm_frames_read_total"] >= 24
    assert values['reference_vlm_errors_total{kind="not_found"}'] >= 1
    assert values["reference_vlm_vision_seconds_count"] >= 1


def _text_of(path: Path) -> str | None:
    """What a file holds; None while it is not there."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_starts_on_a_free_port_and_stops_quickly(tmp_path: Path, number: signal.Signals) -> None:
    """The port file holds a port that already answers; both signals end the program."""
    port_file = tmp_path / "port"
    port_file.write_text("1\n")  # left behind by another run
    command = [sys.executable, "-m", "vlm_server.reference", "--port", "0", "--port-file", str(port_file)]
    with subprocess.Popen(command, cwd=ROOT) as program:
        try:
            deadline = time.monotonic() + 30
            while _text_of(port_file) == "1\n" and time.monotonic() < deadline:
                time.sleep(0.01)
            port = announced(program, port_file)
            assert requests.get(f"http://127.0.0.1:{port}/health", timeout=10).status_code == 200
            program.send_signal(number)
            started = time.monotonic()
            program.wait(20)
            assert time.monotonic() - started < 10
        finally:
            program.kill()
    assert program.returncode in (0, -number, 128 + number)
