"""Every shape of answers, line by line: what is read of it, what is named as unusable, and what is refused with place and reason."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.command.evaluation_answers import read_answers
from extension.command.evaluation_content import predecessors_reading, said
from extension.command.evaluation_shapes import Origin, load, names_in
from extension.errors import BadInput
from extension.model import Chunk, Span
from extension.timetravel.readback import RawChunk
from extension.timetravel.scoring_runs import BASE_AT
from tests.command.evaluation_files import raw, run_in, runs_in, spans, truth, written

INTERMEDIATE = "m_video_1_20250101_000000_intermediate.jsonl"
EVENT_LIST = "m_video_1_20250101_000000_eventlist.jsonl"


def listed(time: str, objid: str) -> dict[str, Any]:
    """A line of an event list."""
    return {"timestamp": time, "objid": objid, "position": None}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param('{"2025-01-01 00:00:10": "1 and 2"}', "'1 and 2' is not a list of objects", id="text"),
        pytest.param('{"2025-01-01 00:00:10": [1, [2]]}', "objects and groups are mixed", id="mixed"),
        pytest.param(
            '{"2025-01-01 00:00:10": [true]}', "'True' is not an object's number", id="a-truth-value"
        ),
        pytest.param('{"2025-01-01 00:00:10": [1.5]}', "'1.5' is not an object's number", id="a-fraction"),
        pytest.param('{"2025-01-01 00:00:10": [" "]}', "is not an object's number", id="a-blank"),
        pytest.param('{"2025-02-30 00:00:10": [1, 2]}', "is not a timestamp", id="no-such-day"),
        pytest.param('{"2025-01-01 00:00:10Z": [1, 2]}', "names a zone", id="with-a-zone"),
        pytest.param("[1, 2]", "has no attribute 'items'", id="no-mapping"),
        pytest.param("null", "has no attribute 'items'", id="nothing"),
        pytest.param('{"2025-01-01 00:00:10": [1, 2]', "not JSON", id="cut-off"),
    ],
)
def test_a_bad_line_of_an_intermediate_file_is_named(tmp_path: Path, line: str, reason: str) -> None:
    """File, number of the line and reason; a file that is partly bad is not half a run."""
    text = '{"2025-01-01 00:00:05": [[1, 2]]}\n\n' + line + "\n"
    with pytest.raises(BadInput) as told:
        runs_in(tmp_path / INTERMEDIATE, text)
    assert str(told.value).startswith(f"{INTERMEDIATE}: line 3")
    assert reason in str(told.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(
            {"timestamp": "2025-01-01 00:00:10", "objid": "1"}, "'position' is missing", id="no-place"
        ),
        pytest.param(listed("yesterday", "1"), "'yesterday' is not a timestamp", id="no-time"),
        pytest.param(
            {"timestamp": "2025-01-01 00:00:10", "objid": "1", "position": {"x": 1, "y": 2}},
            "'z' is missing",
            id="half-a-place",
        ),
        pytest.param(
            {"timestamp": "2025-01-01 00:00:10", "objid": "1", "position": {"x": "a", "y": 2, "z": 3}},
            "could not convert",
            id="a-place-of-letters",
        ),
        pytest.param(["2025-01-01 00:00:10", "1"], "list indices", id="no-mapping"),
    ],
)
def test_a_bad_line_of_an_event_list_is_named(tmp_path: Path, line: Any, reason: str) -> None:
    """It is the second one."""
    with pytest.raises(BadInput) as told:
        runs_in(tmp_path / EVENT_LIST, [listed("2025-01-01 00:00:10", "obj001"), line])
    assert f"{EVENT_LIST}: line 2" in str(told.value)
    assert reason in str(told.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param({"time": "2025-01-01T00:00:10", "ids": "1"}, None, id="text-is-letters-of-ids"),
        pytest.param({"ids": [1, 2]}, "'time' is missing", id="no-time"),
        pytest.param({"time": "2025-13-01", "ids": [1, 2]}, "is not a timestamp", id="no-such-month"),
        pytest.param({"time": 10, "ids": [None]}, "'None' is not an object's number", id="no-object"),
        pytest.param({"time": 10, "ids": 3}, "not iterable", id="no-list"),
    ],
)
def test_a_bad_record_of_an_event_index_is_named(tmp_path: Path, line: Any, reason: str | None) -> None:
    """With its line; a text is taken letter by letter, as any sequence is."""
    content = [{"time": 5, "ids": [1, 2]}, line]
    if reason is None:
        assert len(runs_in(tmp_path / "v.jsonl", content)[0].seconds) == 2
        return
    with pytest.raises(BadInput) as told:
        runs_in(tmp_path / "v.jsonl", content)
    assert "v.jsonl: line 2" in str(told.value)
    assert reason in str(told.value)


def test_a_record_without_a_usable_clock_is_a_failure_not_calm(tmp_path: Path) -> None:
    """Its neighbours count."""
    run = run_in(
        tmp_path / "v.jsonl",
        [{"time": None, "time_hms": "half past", "ids": [1, 2]}, {"time_hms": "00:00:10", "ids": [1, 2]}],
    )
    assert [one.reason for one in run.unread] == ["'half past' is not a time"]
    assert spans(run) == [(10.0, 11.0, "12")]


def test_an_event_index_may_hold_several_runs(tmp_path: Path) -> None:
    """Told apart by model, video and run; records of one run need not stand together."""
    records = [
        {"time": 10, "ids": [1, 2], "model": "a", "video": "v.mp4", "run": "r1"},
        {"time": 30, "ids": [1, 3], "model": "b", "video": "v.mp4", "run": "r1"},
        {"time": 45, "ids": [2, 3], "model": "a", "video": "v.mp4", "run": "r1"},
        {"time": 45, "ids": [2, 3]},
    ]
    found = {(run.model, run.video, run.run): spans(run) for run in runs_in(tmp_path / "clip.jsonl", records)}
    assert found == {
        ("a", "v", "r1"): [(10.0, 11.0, "12"), (45.0, 46.0, "23")],
        ("b", "v", "r1"): [(30.0, 31.0, "13")],
        (None, "clip", "clip"): [(45.0, 46.0, "23")],
    }


@pytest.mark.parametrize(
    ("objects", "groups"),
    [
        pytest.param(["1", "2"], ["12"], id="a-pair"),
        pytest.param(["1", "2", "1", "3"], ["12", "13"], id="two-pairs"),
        pytest.param(["1", "2", "3"], ["12", "13", "23"], id="an-odd-number-is-one-group"),
        pytest.param(["obj002", "1", "2", "01"], ["12"], id="the-same-pair-twice-is-one"),
        pytest.param(["2"], ["2"], id="one-alone"),
    ],
)
def test_lines_of_one_time_in_an_event_list(tmp_path: Path, objects: list[str], groups: list[str]) -> None:
    """Pairs in the order of the file where their number is even, else one group with all its pairs."""
    lines = [listed("2025-01-01 00:00:10", name) for name in objects]
    run = run_in(tmp_path / EVENT_LIST, lines)
    assert sorted("".join(one.objects) for one in run.reports) == groups
    assert bool(run.warnings) is (len(objects) == 1)


def test_a_fraction_of_a_second_in_an_event_list_is_a_moment(tmp_path: Path) -> None:
    """A whole second lasts one; half past it is a point."""
    lines = [listed(f"2025-01-01 00:00:{at}", name) for at in ("10.500", "30") for name in ("1", "2")]
    assert spans(run_in(tmp_path / EVENT_LIST, lines)) == [(10.5, 10.5, "12"), (30.0, 31.0, "12")]


@pytest.mark.parametrize(
    ("page", "place"),
    [
        pytest.param(
            {"chunk_responses": [{}], "model": "m"}, "chunk 1: 'start_time' is missing", id="no-start"
        ),
        pytest.param(
            {"chunk_responses": [{"start_time": "soon", "end_time": "2", "content": ""}], "model": "m"},
            "chunk 1: could not convert",
            id="no-number",
        ),
        pytest.param({"chunk_responses": 3, "model": "m"}, "not iterable", id="no-list"),
        pytest.param(
            {"chunk_responses": [], "model": "m", "execution_time": "long"}, "could not", id="no-time"
        ),
        pytest.param(
            {"chunk_responses": [], "model": "m", "usage": [1]}, "no attribute 'get'", id="no-usage"
        ),
        pytest.param(
            {"chunk_responses": [], "model": "m", "usage": {"total_chunks_processed": "x"}},
            "unsupported operand",
            id="no-count",
        ),
    ],
)
def test_broken_raw_answers_are_refused(tmp_path: Path, page: Any, place: str) -> None:
    """As a whole: which chunk would be missing is not known."""
    with pytest.raises(BadInput) as told:
        runs_in(tmp_path / "a.json", page)
    assert str(told.value).startswith("a.json: not a raw answers (")
    assert place in str(told.value)


def test_chunks_that_failed_or_are_missing_are_counted(tmp_path: Path) -> None:
    """An error beside the content, an empty content, prose, and two answers fewer than were processed."""
    page = raw(
        '[{"00:00:01": [1, 2]}]', "", None, "They overlap, I think.", usage={"total_chunks_processed": 7}
    )
    page["chunk_responses"][0]["error"] = "HTTP 500"
    run = run_in(tmp_path / "a.json", page)
    assert (run.answered, len(run.unread), run.reports) == (7, 7, ())
    assert run.unread[0].where == "chunk at 0 s"
    assert run.unread[0].reason == "HTTP 500"
    assert sum(one.where == "file" for one in run.unread) == 3


def test_latencies_are_read_where_the_override_reports_them(tmp_path: Path) -> None:
    """In seconds; anything else beside an answer is passed over."""
    page = raw("[]", "[]", "[]", execution_time=4)
    for chunk, described in zip(
        page["chunk_responses"], ['{"latency_ms": 1500}', "thinking aloud", None], strict=True
    ):
        chunk["reasoning_description"] = described
    run = run_in(tmp_path / "a.json", page)
    assert (run.latencies_s, run.execution_s, run.media_s) == ((1.5,), 4.0, 6.0)


def test_times_of_our_schema_are_media_times(tmp_path: Path) -> None:
    """At 3x, second 4 of the video is second 12 of the log; burnt-in clocks put it right."""
    verdict = {
        "status": "danger",
        "events": [
            {"kind": "collision", "start_s": 0.0, "end_s": 0.5, "severity": "danger", "objects": ["1", "2"]},
            {"kind": "near_miss", "start_s": 0.0, "end_s": 0.5, "severity": "warn", "objects": ["1", "3"]},
            {"kind": "collision", "start_s": 0.0, "end_s": 0.5, "severity": "danger", "objects": []},
        ],
        "summary": "",
    }
    run = run_in(tmp_path / "a.json", raw("[]", "[]", json.dumps(verdict)), speed=3.0)
    assert spans(run) == [(12.0, 13.5, "12")]
    assert run.seconds == ((12, ("1", "2")), (13, ("1", "2")))


@pytest.mark.parametrize(
    ("page", "where"),
    [
        ({"job": {}, "incidents": []}, "id: Field required"),
        ({"job": None, "incidents": []}, "Input should be"),
        ({"job": {"id": 3}, "incidents": {}}, "not a run report"),
    ],
)
def test_a_broken_run_report_is_refused(tmp_path: Path, page: Any, where: str) -> None:
    """With the place of the first fault."""
    with pytest.raises(BadInput) as told:
        runs_in(tmp_path / "report.json", page)
    assert str(told.value).startswith("report.json: not a run report (")
    assert where in str(told.value)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        pytest.param({"10": "12"}, "'12' is not a list of objects", id="text"),
        pytest.param({"10": [[1, {}]]}, "is not an object's number", id="an-object-of-json"),
        pytest.param({"10": [1, [2, 3]]}, "objects and groups are mixed", id="mixed"),
    ],
)
def test_a_broken_list_of_seconds_is_refused(tmp_path: Path, page: Any, reason: str) -> None:
    """It was made by hand: better put right than guessed at."""
    with pytest.raises(BadInput, match=r"a\.json: not a list of seconds") as told:
        runs_in(tmp_path / "a.json", page)
    assert reason in str(told.value)


def test_a_bad_entry_of_a_list_by_clock_costs_only_itself(tmp_path: Path) -> None:
    """It is a model's answer saved as it came: the entry is a failure."""
    run = run_in(tmp_path / "a.json", [{"00:00:10": [1, 2]}, {"00:00:30": "1"}, {"00:00:31": [1, [2]]}])
    assert spans(run) == [(10.0, 11.0, "12")]
    assert [one.reason.split(":")[0] for one in run.unread] == ["entry 2", "entry 3"]


def test_a_summary_names_model_source_and_time(tmp_path: Path) -> None:
    """Better than the file's name; events are lines of an intermediate file."""
    page = {
        "source_id": "yard.mp4",
        "model": "vlm-x",
        "total_events": 2,
        "execution_time": 3.5,
        "events": [{"2025-01-01 00:00:10": [["1", "2"], ["3", "1"]]}],
    }
    run = run_in(tmp_path / "answers.json", page)
    assert (run.model, run.video, run.execution_s, run.shape) == ("vlm-x", "yard", 3.5, "summary")
    assert spans(run) == [(10.0, 11.0, "12"), (10.0, 11.0, "13")]


def test_a_summary_of_other_events_is_refused(tmp_path: Path) -> None:
    """Its events are no lines of times."""
    with pytest.raises(BadInput, match=r"a\.json: not a summary"):
        runs_in(tmp_path / "a.json", {"total_events": 1, "events": ["10: 1 and 2"]})


def test_a_log_of_another_day_is_compared_by_time_of_day(tmp_path: Path) -> None:
    """Only when all dates are the predecessor's constant; one real date counts as it is."""
    july = truth(BASE_AT.replace(month=7, day=3))
    constant = run_in(tmp_path / INTERMEDIATE, [{"2025-01-01 00:00:10": [1, 2]}], true=july)
    assert spans(constant) == [(10.0, 11.0, "12")]
    assert "compared by time of day" in constant.warnings[0]
    real = run_in(tmp_path / INTERMEDIATE, [{"2025-07-03 00:00:10": [1, 2]}], true=july)
    assert (spans(real), real.warnings) == ([(10.0, 11.0, "12")], ())
    foreign = run_in(tmp_path / INTERMEDIATE, [{"2025-06-03 00:00:10": [1, 2]}], true=july)
    assert "outside the log" in foreign.warnings[0]


def test_a_log_that_begins_within_a_second(tmp_path: Path) -> None:
    """The clock second in which it begins is second 0, and lasts a fraction."""
    late = truth(BASE_AT + dt.timedelta(seconds=0.4))
    run = run_in(tmp_path / INTERMEDIATE, [{"2025-01-01 00:00:00": [1, 2]}], true=late)
    assert run.seconds == ((0, ("1", "2")),)
    assert spans(run) == [(-0.4, 0.6, "12")]


def test_files_that_begin_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """Windows writes them."""
    run = run_in(tmp_path / "a.json", "\ufeff" + json.dumps({"10": [[1, 2]]}))
    assert spans(run) == [(10.0, 11.0, "12")]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """With the line where it stops being one."""
    path = tmp_path / "a.json"
    path.write_bytes(b'{"10":\n[[1, "\xff"]]}')
    with pytest.raises(BadInput, match=r"a\.json: line 2: not UTF-8 text"):
        read_answers(Origin(path, truth()))


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a_eventlist.jsonl"])
def test_an_empty_file_is_a_run_only_where_lines_were_awaited(tmp_path: Path, name: str) -> None:
    """A run that found nothing leaves no line; a JSON file always holds a value."""
    path = written(tmp_path / name, " \n")
    if path.suffix == ".json":
        with pytest.raises(BadInput, match="the file is empty"):
            load(path)
        return
    assert load(path) == ("event list" if "eventlist" in name else "intermediate", None)
    (run,) = read_answers(Origin(path, truth()))
    assert (run.reports, run.unread) == ((), ())


@pytest.mark.parametrize(
    ("stem", "found"),
    [
        ("m_video_1_x_20250101_000000", ("m", "video_1_x", "20250101_000000")),
        ("a_b_20250101_000000_processed", ("a", "b", "20250101_000000")),
        ("lonely_20250101_000000", ("lonely", None, None)),
        ("_video_7", (None, None, "_video_7")),
    ],
)
def test_what_a_name_tells(stem: str, found: tuple[str | None, str | None, str | None]) -> None:
    """Model, video and run, as far as they are there."""
    model, video, run = names_in(Path(f"{stem}.json"))
    if found[2] is None:
        assert (model, run) == (None, "20250101_000000")
    else:
        assert (model, video, run) == found


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        ('[{"00:00:01": [1, 2]}]', (("00:00:01", (1, 2)),)),
        ('```json\n[{"9": ["1"]}]\n```', (("9", (1,)),)),
        ('[{"00:00:01": ["obj001"]}]', ()),
        ("[1, 2]", ()),
        ('{"00:00:01": [1]}', ()),
        ("[{", ()),
        ("", ()),
    ],
)
def test_what_the_predecessors_reader_takes(content: str, taken: Any) -> None:
    """A list, bare or in a json fence, with numbers for ids; all else in silence."""
    assert predecessors_reading(content) == taken


anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "1", "obj002", "00:00:10", "2025-01-01 00:00:10", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["00:00:10", "28", "events", "job", "incidents", "ids", "time", "kind"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(page=anything, suffix=st.sampled_from([".json", ".jsonl"]))
def test_any_json_is_read_or_refused_by_name(tmp_path: Path, page: Any, suffix: str) -> None:
    """Never another error than the one that names the file."""
    path = written(tmp_path / f"any{suffix}", json.dumps(page))
    complaint = f"any{suffix}: "
    try:
        runs = read_answers(Origin(path, truth()))
    except BadInput as exc:
        complaint, runs = str(exc), []
    assert complaint.startswith(f"any{suffix}: ")
    assert all(run.shape for run in runs)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | anything.map(json.dumps) | anything.map(str))
def test_whatever_a_model_says_is_read_or_named(content: str) -> None:
    """An answer that is neither a claim nor calm is a reason, and a reason is a sentence."""
    found = said(RawChunk(4.0, 6.0, content), Chunk(2, Span(4.0, 6.0)), truth(), 1.0)
    assert all(reason.strip() for reason in found.reasons)
    assert all(isinstance(second, int) and objects for second, objects in found.seconds)
    if not content.strip():
        assert found.reasons
