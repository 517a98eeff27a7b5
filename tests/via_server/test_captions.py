"""Caption requests: chunks, frames, answers, streams, bounds and failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.via_server.conftest import MODEL, ScriptedModel, Via, error_of
from tests.via_server.drawing import draw, even, index_of, size_of

Start = Callable[..., Via]
FAILED = (500, "InternalServerError", "Failed to generate VLM captions")


def test_the_answer_has_the_engines_shape(via: Via, clip: Path) -> None:
    """Field for field."""
    file_id = via.add(clip)
    answer = via.captions(file_id, chunk_duration=2)
    assert answer.pop("id") != file_id
    assert answer.pop("created") > 1_700_000_000
    assert isinstance(answer["usage"].pop("query_processing_time"), int)
    assert answer == {
        "model": MODEL,
        "media_info": {"type": "offset", "start_offset": 0, "end_offset": 5},
        "usage": {"total_chunks_processed": 3},
        "chunk_responses": [
            {"start_time": "0.0", "end_time": "2.0", "content": "answer 0", "reasoning_description": ""},
            {"start_time": "2.0", "end_time": "4.0", "content": "answer 1", "reasoning_description": ""},
            {"start_time": "4.0", "end_time": "5.0", "content": "answer 2", "reasoning_description": ""},
        ],
    }


def test_the_model_is_called_by_the_engines_contract(via: Via, model: ScriptedModel, clip: Path) -> None:
    """Padded JPEG rows, absolute times, only the sampling that was set, and the chunk."""
    file_id = via.add(clip)
    via.captions(file_id, chunk_duration=2, num_frames_per_chunk=4, max_tokens=50, temperature=0, seed=3)
    call = sorted(model.calls, key=lambda call: call.chunk.chunkIdx)[1]
    assert call.prompt == "What happened?"
    assert call.config == {"max_new_tokens": 50, "temperature": 0.0, "seed": 3}
    assert call.times_s == [2.0, 2.5, 3.0, 3.5]
    assert (call.embeds.dtype, call.embeds.shape[:2]) == (np.uint8, (1, 4))
    assert index_of(call.embeds[0, 0].tobytes()) == 20
    chunk = call.chunk
    assert (chunk.chunkIdx, chunk.start_pts, chunk.end_pts) == (1, 2 * 10**9, 4 * 10**9)
    assert (chunk.is_first, chunk.is_last, chunk.streamId) == (False, False, file_id)
    assert (chunk.start_ntp, chunk.end_ntp_float) == ("1970-01-01T00:00:02.000Z", 4.0)


def test_defaults_come_from_the_environment(start: Start, model: ScriptedModel, clip: Path) -> None:
    """Frames, system prompt and size; a request goes before them."""
    via = start(
        VLM_DEFAULT_NUM_FRAMES_PER_CHUNK="3",
        VLM_SYSTEM_PROMPT="Be brief.",
        VLM_INPUT_WIDTH="32",
        VLM_INPUT_HEIGHT="24",
    )
    file_id = via.add(clip)
    via.captions(file_id, prompt="")
    own = {
        "num_frames_per_chunk": 2,
        "system_prompt": "Be long.",
        "vlm_input_width": 48,
        "vlm_input_height": 16,
    }
    via.captions(file_id, **own)
    first, second = model.calls
    assert (first.prompt, first.config) == ("Summarize the video", {"system_prompt": "Be brief."})
    assert (len(first.times_s), size_of(first.embeds[0, 0].tobytes())) == (3, (32, 24))
    assert second.config == {"system_prompt": "Be long."}
    assert (len(second.times_s), size_of(second.embeds[0, 0].tobytes())) == (2, (48, 16))


def test_one_side_alone_scales_nothing(via: Via, model: ScriptedModel, clip: Path) -> None:
    """Both are needed."""
    via.captions(via.add(clip), vlm_input_width=32)
    assert size_of(model.calls[0].embeds[0, 0].tobytes()) == (64, 48)


def test_without_a_length_the_file_is_one_chunk(via: Via, model: ScriptedModel, clip: Path) -> None:
    """With ten frames, the engine's default."""
    (response,) = via.captions(via.add(clip))["chunk_responses"]
    assert (response["start_time"], response["end_time"]) == ("0.0", "5.0")
    assert len(model.calls[0].times_s) == 10


def test_chunks_may_overlap(via: Via, clip: Path) -> None:
    """Each starts a step after the one before."""
    answer = via.captions(via.add(clip), chunk_duration=3, chunk_overlap_duration=2)
    spans = [(chunk["start_time"], chunk["end_time"]) for chunk in answer["chunk_responses"]]
    assert spans == [("0.0", "3.0"), ("1.0", "4.0"), ("2.0", "5.0")]


@pytest.mark.parametrize(
    ("media_info", "expected"),
    [
        ({"start_offset": 1, "end_offset": 4}, [("1.0", "3.0"), ("3.0", "4.0")]),
        ({"start_offset": "3"}, [("3.0", "5.0")]),
        ({"end_offset": 2.0}, [("0.0", "2.0")]),
        ({"start_offset": 3, "end_offset": 900}, [("3.0", "5.0")]),
    ],
)
def test_a_stretch_of_the_file_can_be_asked_for(
    via: Via, clip: Path, media_info: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """In whole seconds, also as text; the end of the file is the end."""
    answer = via.captions(via.add(clip), chunk_duration=2, media_info={"type": "offset"} | media_info)
    assert [(chunk["start_time"], chunk["end_time"]) for chunk in answer["chunk_responses"]] == expected


def test_a_stretch_of_the_file_has_its_own_frames(via: Via, model: ScriptedModel, clip: Path) -> None:
    """The pictures at those seconds."""
    stretch = {"type": "offset", "start_offset": 1, "end_offset": 2}
    via.captions(via.add(clip), media_info=stretch, num_frames_per_chunk=5)
    assert [index_of(row.tobytes()) for row in model.calls[0].embeds[0]] == [10, 12, 14, 16, 18]


def test_times_keep_their_fraction(via: Via, tmp_path: Path) -> None:
    """The end of the file is told as a float."""
    path = draw(tmp_path / "a.mp4", even(23, 10))
    assert via.captions(via.add(path))["chunk_responses"][-1]["end_time"] == "2.3"


def test_a_chunk_without_frames_is_named(start: Start, model: ScriptedModel, tmp_path: Path) -> None:
    """In the override's marker form, in its place; the model is not asked about it."""
    via = start()
    path = draw(tmp_path / "gap cam.mkv", [0.0, 0.5, 6.2, 6.6, 7.0])
    stretch = {"type": "offset", "end_offset": 8}
    answer = via.captions(via.add(path), chunk_duration=2, media_info=stretch)
    contents = [chunk["content"] for chunk in answer["chunk_responses"]]
    assert (contents[0], contents[3]) == ("answer 0", "answer 3")
    error = json.loads(contents[2])["error"]
    assert error == {"code": "NoFrames", "message": "chunk 2 [4.0, 6.0) of gap cam.mkv yielded no frame"}
    assert json.loads(contents[1])["error"]["code"] == "NoFrames"
    assert sorted(call.chunk.chunkIdx for call in model.calls) == [0, 3]
    assert answer["usage"]["total_chunks_processed"] == 4
    assert via.metric("chunks_without_frames_total") == 2


def test_what_the_model_reports_is_shown(start: Start, model: ScriptedModel, clip: Path) -> None:
    """Tokens in the metrics, the description in the answer."""
    via = start()
    model.reasoning = '{"packing": "images"}'
    answer = via.captions(via.add(clip), chunk_duration=1)
    assert {chunk["reasoning_description"] for chunk in answer["chunk_responses"]} == {
        '{"packing": "images"}'
    }
    assert via.metric("vlm_input_tokens_per_chunk_sum") == 500
    assert via.metric("vlm_output_tokens_per_chunk_sum") == 100
    assert via.metric("vlm_latency_seconds_count") == 5
    assert via.metric("decode_latency_seconds_count") == 5
    assert (via.metric("video_file_queries_processed"), via.metric("video_file_queries_pending")) == (1, 0)
    assert via.metric("system_uptime_seconds") > 0


def test_a_model_may_answer_at_once(via: Via, model: ScriptedModel, clip: Path) -> None:
    """The contract allows answers without a future."""
    model.direct = True
    assert len(via.captions(via.add(clip), chunk_duration=1)["chunk_responses"]) == 5


def test_too_many_chunks_are_refused_before_work_begins(
    start: Start, model: ScriptedModel, tmp_path: Path
) -> None:
    """The engine's answer holds ten thousand."""
    path = draw(tmp_path / "long.mkv", [0.0, 10_001.5])
    via = start()
    assert error_of(via.ask(via.add(path), chunk_duration=1))[:2] == (400, "BadParameter")
    assert model.calls == []


def test_a_file_of_four_hours_is_cut_and_sought_in(via: Via, model: ScriptedModel, tmp_path: Path) -> None:
    """Two frames a minute here; the last ten minutes come without decoding the first."""
    path = draw(tmp_path / "long.mkv", even(480, 1 / 30), options={"g": "2"})
    stretch = {"type": "offset", "start_offset": 13_800, "end_offset": 14_400}
    answer = via.captions(via.add(path), chunk_duration=60, media_info=stretch)
    assert len(answer["chunk_responses"]) == 10
    assert answer["chunk_responses"][0]["start_time"] == "13800.0"
    assert len(model.calls) == 10


def test_the_path_may_carry_the_version(start: Start, clip: Path) -> None:
    """As the engine's own switch does it."""
    via = start(VSS_API_ENABLE_VERSIONING="true")
    assert via.url.endswith("/v1")
    assert len(via.captions(via.add(clip), chunk_duration=1)["chunk_responses"]) == 5
