"""Caption requests under way: events of a stream, bounds, failures, clients that leave, a server that stops."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.via_server.conftest import MODEL, ScriptedModel, Via, error_of, events_of, until

Start = Callable[..., Via]
FAILED = (500, "InternalServerError", "Failed to generate VLM captions")


def test_a_stream_has_the_engines_events(via: Via, clip: Path) -> None:
    """One per chunk, one with the usage, the end mark; heads alike."""
    response = via.ask(via.add(clip), chunk_duration=3, stream=True, stream_options={"include_usage": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    first, second, usage, end = events_of(response.text)
    head = {key: first[key] for key in ("id", "model", "created")}
    assert first == head | {
        "media_info": {"type": "offset", "start_offset": 0, "end_offset": 3},
        "chunk_responses": [{"start_time": "0.0", "end_time": "3.0", "content": "answer 0"}],
        "usage": None,
    }
    assert second["chunk_responses"][0]["content"] == "answer 1"
    assert usage["usage"].pop("query_processing_time") >= 0
    assert usage == head | {"media_info": None, "usage": {"total_chunks_processed": 2}}
    assert end == "[DONE]"


@pytest.mark.parametrize(
    "options", [{}, {"stream_options": None}, {"stream_options": {"include_usage": False}}]
)
def test_usage_is_streamed_only_when_asked(via: Via, clip: Path, options: dict[str, Any]) -> None:
    """Null options are options not given."""
    events = events_of(via.ask(via.add(clip), stream=True, **options).text)
    assert len(events) == 2
    assert events[-1] == "[DONE]"


def test_a_stream_shows_a_description_where_there_is_one(via: Via, model: ScriptedModel, clip: Path) -> None:
    """The field is left out otherwise."""
    model.reasoning = "because"
    chunk = events_of(via.ask(via.add(clip), stream=True).text)[0]["chunk_responses"][0]
    assert chunk["reasoning_description"] == "because"


def test_a_quiet_stream_is_kept_open(via: Via, model: ScriptedModel, clip: Path) -> None:
    """A comment line every second while the model thinks."""
    file_id = via.add(clip)
    model.gate.clear()
    body = {"id": file_id, "model": MODEL, "prompt": "?", "stream": True}
    with requests.post(f"{via.url}/generate_vlm_captions", json=body, stream=True, timeout=20) as response:
        lines = response.iter_lines(decode_unicode=True)
        assert any(line.startswith(": ping - ") for line in lines)
        model.gate.set()
        assert events_of("\n".join(lines))[-1] == "[DONE]"


def test_events_come_in_order_as_they_are_known(via: Via, model: ScriptedModel, clip: Path) -> None:
    """Whatever order the answers come in."""
    contents = [
        event["chunk_responses"][0]["content"]
        for event in events_of(via.ask(via.add(clip), chunk_duration=1, stream=True).text)[:-1]
    ]
    assert contents == [f"answer {index}" for index in range(5)]
    assert model.most_at_once >= 1


@pytest.mark.parametrize("fault", ["raises", "raises-in-the-call", "nonsense", "too-much"])
def test_a_model_that_fails_fails_the_request(via: Via, model: ScriptedModel, clip: Path, fault: str) -> None:
    """As in the engine: 500 in one piece, an event without text in a stream; and the file is free again."""
    file_id = via.add(clip)
    model.failing = {1} if fault == "raises" else set()
    model.raising = fault == "raises-in-the-call"
    model.nonsense = {"nonsense": (["x"], [None]), "too-much": (["x", "y"], [{}, {}])}.get(fault)
    assert error_of(via.ask(file_id, chunk_duration=1)) == FAILED
    events = events_of(via.ask(file_id, chunk_duration=1, stream=True).text)
    assert set(events[-2]) == {"id", "model", "created", "usage"}
    assert events[-2]["usage"] is None
    assert events[-1] == "[DONE]"
    until(lambda: via.delete(f"/files/{file_id}").status_code == 200)


def test_a_failed_request_leaves_the_file_usable(via: Via, model: ScriptedModel, clip: Path) -> None:
    """The next request on it is answered in full."""
    file_id = via.add(clip)
    model.failing = {0, 1, 2, 3, 4}
    assert via.ask(file_id, chunk_duration=1).status_code == 500
    model.failing = set()
    assert len(via.captions(file_id, chunk_duration=1)["chunk_responses"]) == 5


def test_chunks_with_the_model_are_bounded(start: Start, model: ScriptedModel, clip: Path) -> None:
    """For the whole server, however many requests there are; all are answered."""
    via = start("--max-parallel-chunks", "3")
    file_id = via.add(clip)
    model.gate.clear()
    answers: list[int] = []

    def ask() -> None:
        body = {"id": file_id, "model": MODEL, "prompt": "?", "chunk_duration": 1}
        response = requests.post(f"{via.url}/generate_vlm_captions", json=body, timeout=20)
        answers.append(len(response.json()["chunk_responses"]))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    until(lambda: len(model.calls) == 3)
    assert via.metric("video_file_queries_pending") == 3
    model.gate.set()
    for asker in askers:
        asker.join(20)
    assert answers == [5, 5, 5]
    assert model.most_at_once <= 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_frees_everything(
    start: Start, model: ScriptedModel, clip: Path, *, stream: bool
) -> None:
    """The file can be deleted, the model's places are free, nothing is pending."""
    via = start("--max-parallel-chunks", "2")
    file_id = via.add(clip)
    model.gate.clear()
    body = {"id": file_id, "model": MODEL, "prompt": "?", "chunk_duration": 1, "stream": stream}
    client = http.client.HTTPConnection(via.url.removeprefix("http://"), timeout=20)
    client.request("POST", "/generate_vlm_captions", json.dumps(body), {"Content-Type": "application/json"})
    until(lambda: len(model.calls) == 2)
    client.close()
    until(lambda: via.metric("video_file_queries_pending") == 0)
    until(lambda: via.delete(f"/files/{file_id}").status_code == 200)
    model.gate.set()
    again = via.add(clip)
    assert len(via.captions(again, chunk_duration=1)["chunk_responses"]) == 5


def test_two_requests_share_the_server(via: Via, clip: Path) -> None:
    """Each gets its own id and all of its answers."""
    file_id = via.add(clip)
    first, second = (via.captions(file_id, chunk_duration=1) for _ in range(2))
    assert first["id"] != second["id"]
    assert first["chunk_responses"] == second["chunk_responses"]


def test_stopping_ends_requests_under_way(start: Start, model: ScriptedModel, clip: Path) -> None:
    """The client is not left waiting for ever."""
    via = start()
    file_id = via.add(clip)
    model.gate.clear()
    ended = threading.Event()

    def ask() -> None:
        body = {"id": file_id, "model": MODEL, "prompt": "?", "stream": True}
        try:
            requests.post(f"{via.url}/generate_vlm_captions", json=body, timeout=20)
        except requests.RequestException:
            pass
        finally:
            ended.set()

    asker = threading.Thread(target=ask)
    asker.start()
    until(lambda: model.calls)
    via.__exit__(None, None, None)
    assert ended.wait(10)
    asker.join()
