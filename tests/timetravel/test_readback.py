"""Files of finished runs are read back whoever wrote them; a broken line is named with its reason."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extension.errors import BadInput
from extension.timetravel.readback import (
    read_event_index,
    read_event_list,
    read_intermediate,
    read_raw_answers,
    read_text,
)


def lines(folder: Path, *entries: Any) -> Path:
    """A JSONL file; text goes in as it is."""
    path = folder / "run.jsonl"
    path.write_text("".join((e if isinstance(e, str) else json.dumps(e)) + "\n" for e in entries))
    return path


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param([["obj001", "obj004"]], id="groups"),
        pytest.param(["obj001", "obj004"], id="one-group"),
        pytest.param([["obj001", "obj004", "obj001"]], id="an-object-twice"),
    ],
)
def test_intermediate_files_old_and_new(tmp_path: Path, groups: Any) -> None:
    """A time's groups, or one group without the outer list."""
    (entry,) = read_intermediate(lines(tmp_path, {"2025-01-01 00:00:28.000": groups}))
    assert entry.groups == (("obj001", "obj004"),)


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    """They become text."""
    (entry,) = read_intermediate(lines(tmp_path, {"2025-01-01 00:00:28.000": [[1, 4]]}, ""))
    assert entry.groups == (("1", "4"),)


def test_an_event_index(tmp_path: Path) -> None:
    """With an instant, with a clock text alone, with a number of seconds."""
    shared = {"ids": [1, "4", 1], "kind": "collision", "video": "v.mp4", "model": "m", "run": "r1"}
    path = lines(
        tmp_path,
        {**shared, "time": "2025-01-01T00:00:28", "time_hms": "00:00:28"},
        {**shared, "time": None, "time_hms": "00:00:30"},
        {"ids": ["2", "3"], "time": 31.0},
    )
    dated, clocked, numbered = read_event_index(path)
    assert dated.time == dt.datetime.fromisoformat("2025-01-01T00:00:28")
    assert (dated.objids, dated.model, dated.video, dated.run) == (("1", "4"), "m", "v.mp4", "r1")
    assert (clocked.time, clocked.clock) == (None, "00:00:30")
    assert (numbered.time, numbered.clock, numbered.run) == (None, "31.0", None)


def test_an_empty_index_is_a_proof_of_looking(tmp_path: Path) -> None:
    """Not an error."""
    assert read_event_index(lines(tmp_path)) == []


@pytest.mark.parametrize(
    ("reader", "line", "complaint"),
    [
        (read_intermediate, "{", "line 2: not JSON"),
        (
            read_intermediate,
            {"28 s": [["1", "2"]]},
            "line 2 is not in the format ('28 s' is not a timestamp)",
        ),
        (read_intermediate, {"2025-01-01T00:00:28+09:00": []}, "names a zone"),
        (read_intermediate, {"2025-01-01 00:00:28": "1"}, "is not a list of objects"),
        (read_intermediate, {"2025-01-01 00:00:28": [[True, 1]]}, "is not an object's number or name"),
        (read_event_list, {"timestamp": "2025-01-01 00:00:28"}, "'objid' is missing"),
        (read_event_index, {"time": None, "ids": [1, 2]}, "'time' is missing"),
        (read_event_index, {"time_hms": "00:00:01"}, "'ids' is missing"),
        (read_event_index, {"time": "2025-13-01", "ids": [1]}, "is not a timestamp"),
    ],
)
def test_a_broken_line_is_named(
    tmp_path: Path, reader: Callable[[Path], list[Any]], line: Any, complaint: str
) -> None:
    """File, line and reason."""
    good: dict[Any, Any] = {
        read_intermediate: {"2025-01-01 00:00:00": []},
        read_event_list: {"timestamp": "2025-01-01 00:00:00", "objid": "obj001", "position": None},
        read_event_index: {"time_hms": "00:00:00", "ids": [1, 2]},
    }
    with pytest.raises(BadInput) as refused:
        reader(lines(tmp_path, good[reader], line))
    assert str(refused.value).startswith("run.jsonl: line 2")
    assert complaint in str(refused.value)


def raw(folder: Path, *chunks: Any, **more: Any) -> Path:
    """A raw answers file."""
    path = folder / "raw.json"
    path.write_text(json.dumps({"model": "m", "chunk_responses": chunks, **more}))
    return path


CHUNK = {"start_time": "0.0", "end_time": "2.0", "content": "[]"}


def test_raw_answers_tell_what_is_known(tmp_path: Path) -> None:
    """Time of the run and of single answers, how many chunks there should be, what failed."""
    path = raw(
        tmp_path,
        {**CHUNK, "reasoning_description": '{"latency_ms": 850}'},
        {**CHUNK, "content": None, "failure": "Garbled: no verdict", "reasoning_description": "prose"},
        usage={"query_processing_time": 7, "total_chunks_processed": 3},
        id="run-1",
    )
    found = read_raw_answers(path)
    assert (found.execution_s, found.expected, found.id, found.video) == (7.0, 3, "run-1", None)
    first, second = found.chunks
    assert (first.latency_s, first.failure) == (0.85, None)
    assert (second.latency_s, second.content, second.failure) == (None, "", "Garbled: no verdict")


@pytest.mark.parametrize(
    ("chunk", "complaint"),
    [
        ({"start_time": "0.0", "end_time": "2.0"}, "chunk 2: 'content' is missing"),
        ({**CHUNK, "start_time": "soon"}, "chunk 2: could not convert"),
        ("text", "chunk 2:"),
    ],
)
def test_a_broken_chunk_is_named(tmp_path: Path, chunk: Any, complaint: str) -> None:
    """By its number."""
    with pytest.raises(BadInput) as refused:
        read_raw_answers(raw(tmp_path, CHUNK, chunk))
    assert complaint in str(refused.value)


def test_broken_json_is_named_by_its_line(tmp_path: Path) -> None:
    """Counted from 1."""
    path = tmp_path / "raw.json"
    path.write_text('{\n"model": "m",\n"chunk_responses": [}')
    with pytest.raises(BadInput, match=r"raw\.json: not a file of raw answers \(line 3: "):
        read_raw_answers(path)


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path: Path) -> None:
    """A byte order mark is no fault."""
    path = tmp_path / "a.json"
    path.write_bytes(b"{}\n{\xff}")
    with pytest.raises(BadInput, match=r"a\.json: line 2: not UTF-8 text"):
        read_text(path)
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert read_text(path) == "{}"
