"""The files of a run, written and read back."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import zoneinfo
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadInput
from extension.model import Caption, Chunk, Event, Failure, Kind, Position, Severity, Span, Verdict
from extension.timetravel.outputs import (
    Contacted,
    Run,
    contacted,
    event_list,
    intermediate,
    raw_answers,
    write_outputs,
)
from extension.timetravel.readback import (
    Groups,
    Listed,
    RawChunk,
    read_event_list,
    read_intermediate,
    read_raw_answers,
)
from extension.timetravel.trajectory import Track, Trajectory, micros

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
SAFE = Verdict(status=Severity.SAFE, claims=(), summary="Nothing.")
CAPTIONS = (
    Caption(
        Chunk(1, Span(2.0, 4.0)), "half an ans", None, Failure("VlmGarbled", "No verdict."), {"retries": 1}
    ),
    Caption(Chunk(0, Span(0.0, 2.0)), '{"status": "safe"}', SAFE, None),
    Caption(Chunk(2, Span(4.0, 4.967)), "", None, Failure("NoFrames", "The chunk yielded no frame.")),
)
RUN = Run(
    id="job-1",
    model="Qwen3-VL-8B",
    video="video_18.mp4",
    finished_at=dt.datetime(2025, 6, 1, 12, 30, 5, tzinfo=dt.UTC),
    media_s=4.967,
    execution_s=3.25,
    captions=CAPTIONS,
)


def at(seconds: float) -> dt.datetime:
    """That many seconds into the log."""
    return START + dt.timedelta(seconds=seconds)


def naive(seconds: float) -> dt.datetime:
    """The same without a zone, as files say it."""
    return at(seconds).replace(tzinfo=None)


def event(start_s: float, end_s: float, *objects: str, kind: Kind = Kind.COLLISION) -> Event:
    """An event whose log time is its media time."""
    return Event(
        id="e", job_id="job-1", chunk_index=0, kind=kind, span=Span(start_s, end_s), severity=Severity.DANGER,
        objects=objects, start_at=at(start_s), end_at=at(end_s),
    )  # fmt: skip


def log() -> Trajectory:
    """Three objects that walk along x at 1 cm/s, 10 cm apart."""
    at_us = np.array([micros(at(s)) for s in range(60)], dtype=np.int64)
    return Trajectory(
        tracks={
            f"obj{n:03d}": Track(
                at_us=at_us.copy(), places=np.array([(10.0 * n + s, 1.0, 2.0) for s in range(60)])
            )
            for n in (1, 2, 4)
        }
    )


def test_raw_answers_have_the_via_servers_shape() -> None:
    """All chunks in order, the failed ones with what went wrong."""
    body = raw_answers(RUN)
    assert body["media_info"] == {"type": "offset", "start_offset": 0, "end_offset": 4}
    assert body["usage"] == {"query_processing_time": 3, "total_chunks_processed": 3}
    assert body["execution_time"] == 3.25
    assert [(c["start_time"], c["end_time"]) for c in body["chunk_responses"]] == [
        ("0.0", "2.0"), ("2.0", "4.0"), ("4.0", "4.967"),
    ]  # fmt: skip
    assert [c.get("failure") for c in body["chunk_responses"]] == [
        None, "VlmGarbled: No verdict.", "NoFrames: The chunk yielded no frame.",
    ]  # fmt: skip
    assert json.loads(body["chunk_responses"][1]["reasoning_description"]) == {"retries": 1}


def test_a_run_leaves_three_files_named_alike(tmp_path: Path) -> None:
    """Model, video and time in the name; no leftovers."""
    written = write_outputs(tmp_path / "outputs", RUN, contacted([event(1, 2, "1", "2")], log()))
    assert sorted(p.name for p in (tmp_path / "outputs").iterdir()) == [
        "Qwen3-VL-8B_video_18_20250601_123005.json",
        "Qwen3-VL-8B_video_18_20250601_123005_eventlist.jsonl",
        "Qwen3-VL-8B_video_18_20250601_123005_intermediate.jsonl",
    ]
    assert read_raw_answers(written.raw).chunks[0] == RawChunk(0.0, 2.0, '{"status": "safe"}')
    assert read_raw_answers(written.raw).execution_s == 3.25
    assert read_intermediate(written.intermediate) == [Groups(naive(1), (("obj001", "obj002"),))]
    assert read_event_list(written.event_list) == [
        Listed(naive(1), "obj001", Position("obj001", 11, 1, 2)),
        Listed(naive(1), "obj002", Position("obj002", 21, 1, 2)),
    ]


def test_a_run_without_events_leaves_files_too(tmp_path: Path) -> None:
    """Proof that the video was looked at."""
    written = write_outputs(tmp_path, RUN, [])
    assert read_intermediate(written.intermediate) == []
    assert read_event_list(written.event_list) == []
    assert len(read_raw_answers(written.raw).chunks) == 3


def test_writing_again_replaces_the_same_run_only(tmp_path: Path) -> None:
    """Another run of the same second keeps its own files."""
    first = write_outputs(tmp_path, RUN, [])
    assert write_outputs(tmp_path, RUN, []) == first
    other = write_outputs(tmp_path, replace(RUN, id="job-2"), [])
    assert other.raw.name == "Qwen3-VL-8B_video_18_20250601_123005-2.json"
    assert json.loads(first.raw.read_text())["id"] == "job-1"


def test_a_foreign_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    """Even if it is no JSON."""
    foreign = tmp_path / "Qwen3-VL-8B_video_18_20250601_123005.json"
    foreign.write_text("mine")
    write_outputs(tmp_path, RUN, [])
    assert foreign.read_text() == "mine"


@pytest.mark.parametrize(
    ("model", "video", "name"),
    [
        pytest.param("org/model:7b", "a b.mp4", "org-model-7b_a-b_", id="slashes-and-spaces"),
        pytest.param("m", "../../etc/passwd", "m_passwd_", id="no-way-out"),
        pytest.param("m", "공장 3.mp4", "m_공장-3_", id="letters-of-any-script"),
        pytest.param("", "...mp4", "unnamed_unnamed_", id="never-empty"),
        pytest.param(
            "m", "가" * 200 + ".mp4", "m_" + "가" * 26 + "_", id="long-names-are-cut-between-letters"
        ),
    ],
)
def test_names_are_made_safe(tmp_path: Path, model: str, video: str, name: str) -> None:
    """Whatever the model or the video is called."""
    written = write_outputs(tmp_path, replace(RUN, model=model, video=video), [])
    assert written.raw.parent == tmp_path
    assert written.raw.name == f"{name}20250601_123005.json"


def test_the_intermediate_file_has_every_second_and_every_group_once() -> None:
    """By time whatever the order of chunks; two pairs at once stay two groups; echoes of a border count once."""
    seen = contacted(
        [event(5.4, 7.2, "4", "1"), event(3, 3, "1", "2"), event(5, 6, "1", "2"), event(6, 7, "1", "4")],
        log(),
    )
    assert list(intermediate(seen)) == [
        {"2025-01-01 00:00:03.000": [["obj001", "obj002"]]},
        {"2025-01-01 00:00:05.000": [["obj001", "obj002"], ["obj001", "obj004"]]},
        {"2025-01-01 00:00:06.000": [["obj001", "obj004"]]},
        {"2025-01-01 00:00:07.000": [["obj001", "obj004"]]},
    ]


def test_the_event_list_has_every_object_of_every_group() -> None:
    """By time, then by number; places of the contact's beginning."""
    merged = contacted([event(8, 9, "2", "4"), event(3.5, 4, "4", "1", "2"), event(3.5, 4, "1", "2")], log())
    lines = list(event_list(merged))
    assert [(line["timestamp"][-6:], line["objid"]) for line in lines] == [
        ("03.500", "obj001"), ("03.500", "obj002"),
        ("03.500", "obj001"), ("03.500", "obj002"), ("03.500", "obj004"),
        ("08.000", "obj002"), ("08.000", "obj004"),
    ]  # fmt: skip
    assert lines[0]["position"] == {"x": 13.5, "y": 1.0, "z": 2.0}


def test_only_contacts_of_two_or_more_are_listed() -> None:
    """A fall, a near miss and a lonely collision are not."""
    others = [
        event(1, 2, "1"),
        event(1, 2, "1", "1"),
        event(1, 2, "1", "2", kind=Kind.NEAR_MISS),
        event(1, 2, kind=Kind.FALL),
    ]
    assert contacted(others, log()) == ()


def test_places_of_the_happening_itself_come_first() -> None:
    """What was stored with it is not worked out again."""
    stored = (Position("obj001", 0, 0, 0), Position("obj002", 0, 0, 0))
    assert contacted([replace(event(1, 2, "1", "2"), positions=stored)], log())[0].positions == stored


def test_without_a_log_ids_are_made_and_places_are_unknown(tmp_path: Path) -> None:
    """Words stay words; the date is 1970 unless the first frame's instant is known."""
    unanchored = replace(event(61.5, 62.0, "12", "forklift"), start_at=None, end_at=None)
    seen = contacted([unanchored])
    written = write_outputs(tmp_path, RUN, seen)
    time = dt.datetime(1970, 1, 1, 0, 1, 1, 500_000)  # noqa: DTZ001 - as files say it
    assert read_event_list(written.event_list) == [
        Listed(time, "obj012", None),
        Listed(time, "forklift", None),
    ]
    anchored = contacted([unanchored], origin_at=START)
    assert anchored[0].start_at == at(61.5)


def test_times_are_written_in_the_logs_zone() -> None:
    """Across the date line of the day."""
    seen = [Contacted(("obj001", "obj002"), at(16 * 3600), at(16 * 3600))]
    assert next(intermediate(seen, zoneinfo.ZoneInfo("Asia/Seoul"))).keys() == {"2025-01-02 01:00:00.000"}
    assert next(event_list(seen, zoneinfo.ZoneInfo("Asia/Seoul")))["timestamp"] == "2025-01-02 01:00:00.000"


def test_the_predecessors_raw_answers_are_read(tmp_path: Path) -> None:
    """They hold no failures and may lack the execution time."""
    file = tmp_path / "old.json"
    chunk = {"start_time": "0.0", "end_time": "2.0", "content": "[]", "reasoning_description": ""}
    file.write_text(json.dumps({"model": "gpt-4o", "chunk_responses": [chunk]}))
    assert read_raw_answers(file).chunks == (RawChunk(0.0, 2.0, "[]"),)
    assert read_raw_answers(file).execution_s is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"model": "m", "chunk_responses": [{}]}',
        '{"model": "m", "chunk_responses": 3}',
        "half {",
    ],
)
def test_a_file_that_is_not_raw_answers_is_refused(tmp_path: Path, text: str) -> None:
    """By its name."""
    file = tmp_path / "raw.json"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"raw.json: not a file of raw answers"):
        read_raw_answers(file)


@pytest.mark.parametrize(
    "line",
    [
        "half {",
        "[]",
        '{"noon": [["obj001"]]}',
        '{"2025-01-01 00:00:01+00:00": []}',
        '{"2025-01-01 00:00:01": 5}',
    ],
)
def test_a_bad_line_of_an_intermediate_file_is_named(tmp_path: Path, line: str) -> None:
    """By its number; blank lines are passed over."""
    file = tmp_path / "i.jsonl"
    file.write_text('{"2025-01-01 00:00:00.000": [["obj001", "obj002"]]}\n\n' + line + "\n")
    with pytest.raises(BadInput, match=r"i.jsonl: line 3"):
        read_intermediate(file)


@pytest.mark.parametrize(
    "line",
    ['{"timestamp": "x"}', "3", '{"timestamp": "2025-01-01 00:00:01", "objid": "a", "position": {"x": 1}}'],
)
def test_a_bad_line_of_an_event_list_is_named(tmp_path: Path, line: str) -> None:
    """By its number."""
    file = tmp_path / "e.jsonl"
    file.write_text(line + "\n")
    with pytest.raises(BadInput, match=r"e.jsonl: line 1"):
        read_event_list(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Without its folder."""
    with pytest.raises(BadInput, match=r"^none.jsonl: cannot be read"):
        read_intermediate(tmp_path / "none.jsonl")


def test_half_a_character_in_an_answer_is_kept(tmp_path: Path) -> None:
    """A model may answer with a lone surrogate; the file is UTF-8 all the same, and says what it said."""
    odd = Caption(Chunk(0, Span(0.0, 2.0)), "불꽃 \ud83d", None, Failure("VlmGarbled", "No verdict."))
    written = write_outputs(tmp_path, replace(RUN, captions=(odd,)), [])
    assert "불꽃" in written.raw.read_bytes().decode("utf-8")
    assert read_raw_answers(written.raw).chunks[0].content == "불꽃 \ud83d"


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """Here the place of the unfinished file is taken by a folder."""
    written = write_outputs(tmp_path, RUN, [])
    before = written.raw.read_text()
    (tmp_path / f".{written.raw.name}.part").mkdir()
    with pytest.raises(IsADirectoryError):
        write_outputs(tmp_path, replace(RUN, execution_s=9.0), [])
    assert written.raw.read_text() == before


contacts_seen = st.lists(
    st.builds(
        lambda start, length, group: Contacted(
            tuple(sorted(group)), at(start / 10), at((start + length) / 10)
        ),
        st.integers(0, 300),
        st.integers(0, 50),
        st.sets(st.sampled_from(["obj001", "obj002", "obj004", "obj010"]), min_size=2, max_size=4),
    ),
    max_size=12,
)


@given(contacts_seen)
def test_no_contact_is_lost_on_the_way_to_the_files_and_back(seen: list[Contacted]) -> None:
    """Every group is in the second it began, every object in the event list; times only ever rise; nothing is doubled."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_outputs(Path(folder), RUN, seen)
        lines, listed = read_intermediate(written.intermediate), read_event_list(written.event_list)
    times = [line.time for line in lines]
    assert times == sorted(set(times))
    groups = {line.time: line.groups for line in lines}
    for contact in seen:
        began = contact.start_at.replace(microsecond=0, tzinfo=None)
        assert contact.objids in groups[began]
    assert all(len(set(found)) == len(found) for found in groups.values())
    assert len(listed) == sum(len(contact.objids) for contact in seen)
    assert [entry.time for entry in listed] == sorted(entry.time for entry in listed)


@given(contacts_seen)
def test_a_contact_fills_the_seconds_it_touches(seen: list[Contacted]) -> None:
    """From the second of its start to that of its end, which is not in when the contact ends exactly there."""
    lines = {next(iter(line)): line for line in intermediate(seen)}
    expected = set()
    for contact in seen:
        first = int((contact.start_at - START).total_seconds())
        end_s = (contact.end_at - START).total_seconds()
        expected |= {
            f"2025-01-01 00:{s // 60:02d}:{s % 60:02d}.000"
            for s in range(first, 400)
            if s == first or s < end_s
        }
    assert set(lines) == expected


@given(st.text(max_size=60), st.text(max_size=300))
def test_any_name_makes_a_file_in_the_folder(model: str, video: str) -> None:
    """Never elsewhere, never hidden, never too long for a file system."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_outputs(Path(folder), replace(RUN, model=model, video=video), [])
        for path in (written.raw, written.intermediate, written.event_list):
            assert path.parent == Path(folder)
            assert path.is_file()
            assert not path.name.startswith(".")
            assert len(path.name.encode()) < 255


def test_the_predecessors_event_list_is_read(tmp_path: Path) -> None:
    """One object of one group, as it wrote them."""
    file = tmp_path / "old_eventlist.jsonl"
    position = {"x": 1.0, "y": 2.0, "z": -3.5}
    file.write_text(
        json.dumps({"timestamp": "2025-01-01 00:00:28.000", "objid": "obj001", "position": position})
    )
    assert read_event_list(file) == [Listed(naive(28), "obj001", Position("obj001", 1.0, 2.0, -3.5))]
