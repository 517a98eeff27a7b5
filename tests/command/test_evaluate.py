"""`timetravel eval` from files to table, JSON and page; its figures agree with the run's own."""

from __future__ import annotations

import datetime as dt
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from extension import cli
from extension.command.evaluation_inputs import answer_files
from extension.command.evaluation_shapes import names_in
from extension.command.report import score
from extension.errors import BadInput
from extension.model import JobStatus, Kind, Phase, Severity
from extension.timetravel.trajectory_csv import parse_trajectory
from extension.wire import IncidentOut, JobOut

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


def log_text() -> str:
    """A minute at 5 Hz: 1 and 2 touch in seconds 10 to 11, 1 and 3 in second 30, 2 and 3 in second 45."""
    rows = ["timestamp,objid,x,y,z"]
    for tick in range(300):
        at = START + dt.timedelta(seconds=tick / 5)
        second = tick // 5
        x = {1: 0.0, 2: 5000.0, 3: 9000.0}
        if second in (10, 11):
            x[2] = 60.0
        elif second == 30:
            x[3] = 70.0
        elif second == 45:
            x[3] = 5040.0
        rows += [f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d},obj{n:03d},{x[n]},0,0" for n in x]
    return "\n".join(rows) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log as a file."""
    path = tmp_path / "log.csv"
    path.write_text(log_text())
    return path


def incident(start_s: float, end_s: float, *objects: str, kind: Kind = Kind.COLLISION) -> IncidentOut:
    """An incident in log seconds, in a replay at 3x."""
    return IncidentOut(
        id=f"{start_s}",
        job_id="job-1",
        kind=kind,
        severity=Severity.DANGER,
        objects=list(objects),
        start_s=start_s / 3,
        end_s=end_s / 3,
        clock=None,
        start_at=START + dt.timedelta(seconds=start_s),
        end_at=START + dt.timedelta(seconds=end_s),
        positions=[],
        description="",
        phase=Phase.RESOLVED,
        event_ids=[f"event {start_s}"],
    )


def report_page(incidents: list[IncidentOut], failed: int = 0) -> dict[str, Any]:
    """A run report with what an evaluation reads of it."""
    job = JobOut(
        id="job-1", name="video_9.mp4", status=JobStatus.DONE, error=None, model="vlm-a", speed=3.0, media_s=20.0,
        chunk_count=10, answered_chunks=10 - failed, failed_chunks=failed, judged_chunks=10, progress=1.0,
        created_at=START, started_at=START, finished_at=START, has_trajectory=True,
    )  # fmt: skip
    return {
        "job": job.model_dump(mode="json"),
        "events": [],
        "incidents": [one.model_dump(mode="json") for one in incidents],
        "job_s": 5.0,
    }


def raw_page(*contents: str, model: str = "vlm-b", run: str = "r") -> dict[str, Any]:
    """Raw answers of two-second chunks at 3x."""
    chunks = [
        {"start_time": str(n * 2.0), "end_time": str(n * 2.0 + 2), "content": content}
        for n, content in enumerate(contents)
    ]
    return {"id": run, "model": model, "chunk_responses": chunks, "execution_time": 8.0}


def put(path: Path, page: Any) -> Path:
    """A JSON file, or lines of JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(e) + "\n" for e in page) if path.suffix == ".jsonl" else json.dumps(page)
    path.write_text(text, encoding="utf-8")
    return path


def asked(*options: object) -> Result:
    """The command with these options."""
    return CliRunner().invoke(cli.app, ["eval", *map(str, options)], catch_exceptions=True)


def figures(tmp_path: Path, *options: object) -> dict[str, Any]:
    """What the command writes as JSON."""
    result = asked(*options, "--json", tmp_path / "figures.json")
    assert result.exit_code == 0, (result.output, result.exception)
    page: dict[str, Any] = json.loads((tmp_path / "figures.json").read_text("utf-8"))
    return page


def refused(*options: object) -> str:
    """What the command complains of."""
    result = asked(*options)
    assert isinstance(result.exception, BadInput), (result.output, result.exception)
    return str(result.exception)


SAID = [
    incident(10.0, 11.8, "1", "2"),
    incident(31.5, 32.0, "1", "3"),
    incident(45.1, 45.6, "1", "3"),
    incident(50.0, 50.2, "1", "2", kind=Kind.NEAR_MISS),
    incident(55.0, 55.4, "2", "3"),
]


def test_a_run_report_is_scored_as_the_run_scored_itself(tmp_path: Path, log: Path) -> None:
    """The same incidents, the same log, the same figures."""
    own = score([], SAID, parse_trajectory(log_text()), 100.0)
    page = figures(tmp_path, "--truth", log, "--answers", put(tmp_path / "report.json", report_page(SAID)))
    (group,) = page["groups"]
    assert group["name"] == "vlm-a"
    for name in ("att", "det"):
        assert round(group[name]["f1"], 4) == own[f"{name}_f1"]
    assert round(group["att"]["precision"], 4) == own["att_precision"]
    assert (group["predecessor"]["mean_of_rounded_f1"], group["contacts"]) == (
        own["predecessor_f1"],
        own["contacts"],
    )


def test_every_miss_and_false_alarm_is_named(tmp_path: Path, log: Path) -> None:
    """With time and objects; the near miss is no report."""
    page = figures(
        tmp_path, "--truth", log, "--answers", put(tmp_path / "report.json", report_page(SAID, failed=2))
    )
    (run,) = page["groups"][0]["single_runs"]
    assert [(one["start_s"], one["objects"]) for one in run["missed"]] == [(45.0, ["2", "3"])]
    assert [one["start_s"] for one in run["false_alarms"]] == [45.1, 55.0]
    assert [one["report"]["start_s"] for one in run["right_time_wrong_objects"]] == [45.1]
    assert (page["groups"][0]["failed"], page["groups"][0]["answered"]) == (2, 10)
    assert (run["execution_s"], run["media_s"], run["video"]) == (5.0, 20.0, "video_9")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(
            "a.json", raw_page('[{"00:00:10": [1, 2]}, {"00:00:11": [1, 2]}]', "[]"), id="raw-answers"
        ),
        pytest.param(
            "a.json",
            raw_page(
                *["[]"] * 1,
                '{"status": "danger", "events": [{"kind": "collision", "start_s": 1.34, "end_s": 1.9, '
                '"severity": "danger", "objects": ["1", "2"]}], "summary": ""}',
            ),
            id="our-schema",
        ),
        pytest.param(
            "a_intermediate.jsonl", [{"2025-01-01 00:00:10.000": [["obj001", "obj002"]]}], id="intermediate"
        ),
        pytest.param("a_processed.jsonl", [{"2025-01-01 00:00:11.000": [1, 2]}], id="old-intermediate"),
        pytest.param(
            "a_eventlist.jsonl",
            [
                {"timestamp": "2025-01-01 00:00:10.200", "objid": f"obj00{n}", "position": None}
                for n in (1, 2)
            ],
            id="event-list",
        ),
        pytest.param("v.jsonl", [{"time": None, "time_hms": "00:00:10", "ids": [1, 2]}], id="event-index"),
        pytest.param("v.jsonl", [{"time": "2025-01-01T00:00:10", "ids": ["1", "2"]}] * 2, id="dated-index"),
        pytest.param("v.jsonl", [{"time": 10.4, "ids": [1, 2], "run": "x"}], id="index-by-number"),
        pytest.param(
            "a.json",
            {"source_id": "v", "total_events": 1, "events": [{"2025-01-01 00:00:10": [["1", "2"]]}]},
            id="summary",
        ),
        pytest.param("a.json", {"10": [[1, 2]], "11": [[1, 2]]}, id="list-of-seconds"),
        pytest.param("a.json", [{"00:00:11": ["1", 2]}], id="list-by-clock"),
    ],
)
def test_every_shape_of_answers_is_read(tmp_path: Path, log: Path, name: str, content: Any) -> None:
    """One contact of three is found, strictly, whatever holds it."""
    page = figures(tmp_path, "--truth", log, "--speed", 3, "--answers", put(tmp_path / "in" / name, content))
    strict = page["groups"][0]["strict_att"]
    assert (strict["matched"], strict["false_alarms"], strict["missed"]) == (1, 0, 2)


def test_a_run_without_any_event_is_a_run(tmp_path: Path, log: Path) -> None:
    """An empty file proves that somebody looked: three misses, not nothing."""
    path = tmp_path / "vlm-a_video_9_20250101_000000_intermediate.jsonl"
    path.write_text("")
    (group,) = figures(tmp_path, "--truth", log, "--answers", path)["groups"]
    assert (group["name"], group["att"]["missed"], group["att"]["recall"]) == ("vlm-a", 3, 0.0)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.json", '{"job": {"id": "1"}, "incidents": []}', "not a run report (name: Field required)"),
        ("a.json", '{"chunk_responses": []}', "not a raw answers ('model' is missing)"),
        ("a.json", '{"weather": "fine"}', "line 1: of no known shape; known are a run report"),
        ("a.json", "[1, 2]", "of no known shape; known are"),
        ("a.json", "", "the file is empty; known are"),
        ("a.json", '{\n"job": ,}', "line 2: not JSON"),
        ("a.jsonl", '{"2025-01-01 00:00:10": [[1, 2]]}\n{"2025-01-01 00:00:11"', "line 2: not JSON"),
        ("a.jsonl", "hello\n", "line 1: not JSON"),
    ],
)
def test_what_is_no_answer_file_is_refused(
    tmp_path: Path, log: Path, name: str, text: str, complaint: str
) -> None:
    """File, line and reason; an unknown shape is told the known ones."""
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_text(text)
    said = refused("--truth", log, "--answers", path)
    assert said.startswith(name)
    assert complaint in said


def test_all_broken_files_are_named_at_once_and_can_be_skipped(tmp_path: Path, log: Path) -> None:
    """Without --skip-bad nothing is scored; with it they stay on the page."""
    put(tmp_path / "in" / "good.json", {"10": [[1, 2]]})
    for name in ("bad.json", "worse.json"):
        (tmp_path / "in" / name).write_text("{")
    said = refused("--truth", log, "--answers", tmp_path / "in")
    assert "bad.json: line 1" in said
    assert "worse.json: line 1" in said
    page = figures(tmp_path, "--truth", log, "--answers", tmp_path / "in", "--skip-bad")
    assert (page["runs"], len(page["not_read"])) == (1, 2)


def test_one_of_the_files_that_a_run_leaves_is_scored(tmp_path: Path, log: Path) -> None:
    """Raw answers unless asked otherwise; a report of the same run comes before them."""
    name = "vlm-b_video_9_20250101_000000"
    put(tmp_path / "in" / f"{name}.json", raw_page("[]", run="job-1"))
    put(tmp_path / "in" / f"{name}_intermediate.jsonl", [{"2025-01-01 00:00:10.000": [[1, 2]]}])
    page = figures(tmp_path, "--truth", log, "--answers", tmp_path / "in")
    assert (page["runs"], page["left_out_files"], page["groups"][0]["att"]["matched"]) == (1, 1, 0)
    page = figures(tmp_path, "--truth", log, "--answers", tmp_path / "in", "--read", "intermediate")
    assert page["groups"][0]["att"]["matched"] == 1
    put(tmp_path / "in" / "report.json", report_page(SAID))
    page = figures(tmp_path, "--truth", log, "--answers", tmp_path / "in")
    assert [run["shape"] for run in page["groups"][0]["single_runs"]] == ["run report"]


@pytest.mark.parametrize(
    ("grouping", "names"),
    [
        ("model", ["vlm-a", "vlm-b"]),
        ("video", ["video_1", "video_2"]),
        ("folder", ["full"]),
        ("all", ["all runs"]),
    ],
)
def test_groups_are_made_of_names(tmp_path: Path, log: Path, grouping: str, names: list[str]) -> None:
    """By model, video or folder, from the names that files have."""
    for model, video in (("vlm-a", 1), ("vlm-a", 2), ("vlm-b", 1)):
        put(tmp_path / "full" / f"{model}_video_{video}_20250101_000000.json", raw_page("[]", model=model))
    page = figures(tmp_path, "--truth", log, "--answers", tmp_path / "full", "--group", grouping)
    assert [group["name"] for group in page["groups"]] == names


def test_groups_can_be_named_and_are_compared(tmp_path: Path, log: Path) -> None:
    """NAME=PATH; every two groups over the videos that both saw."""
    good, bad = raw_page('[{"00:00:10": [1, 2]}]'), raw_page("[]")
    for n in range(3):
        put(tmp_path / "a" / f"m_video_{n}_20250101_000000.json", good)
        put(tmp_path / "b" / f"m_video_{n}_20250101_000000.json", bad)
    page = figures(
        tmp_path, "--truth", log, "--answers", f"3x={tmp_path / 'a'}", "--answers", f"1x={tmp_path / 'b'}"
    )
    assert [(group["name"], group["runs"]) for group in page["groups"]] == [("1x", 3), ("3x", 3)]
    (versus,) = page["compared"]
    assert (versus["one"], versus["other"], versus["videos"]) == ("1x", "3x", 3)
    assert versus["difference"] == pytest.approx(-0.5)
    assert versus["p"] == versus["p_holm"] == pytest.approx(0.25, abs=0.02)


def test_a_manifest_gives_every_video_its_truth(tmp_path: Path, log: Path) -> None:
    """Truth and speed by video; a truth that fits better than the one in the table is named."""
    put(tmp_path / "other.json", {"5": [[1, 2]], "6": [[1, 2]]})
    (tmp_path / "videos.yaml").write_text(
        f"videos:\n  video_1: {{truth: {log.name}, speed: 3}}\n  video_2: {{truth: other.json}}\n"
    )
    put(tmp_path / "in" / "m_video_1_20250101_000000.json", raw_page('[{"00:00:10": [1, 2]}]'))
    put(tmp_path / "in" / "m_video_2_20250101_000000.json", raw_page('[{"00:00:10": [1, 2]}]'))
    page = figures(tmp_path, "--videos", tmp_path / "videos.yaml", "--answers", tmp_path / "in")
    runs = {run["video"]: run for run in page["groups"][0]["single_runs"]}
    assert [
        (runs[v]["truth"], runs[v]["speed"], runs[v]["att"]["matched"]) for v in ("video_1", "video_2")
    ] == [
        ("log.csv", 3.0, 1),
        ("other.json", 1.0, 0),
    ]
    assert "log.csv fits better (F1 0.50) than its own truth other.json (0.00)" in page["notes"][0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("videos:\n  v: [1, 2\n", "line 3: not YAML"),
        ("videos: {}", "videos: Dictionary should have at least 1 item"),
        ("videos: {v: {}}", "videos.v.truth: Field required"),
        ("videos: {v: {truth: a.csv, sped: 3}}", "videos.v.sped: Extra inputs"),
        ("videos: {v: {truth: a.csv, speed: 0}}", "videos.v.speed: Input should be greater than 0"),
        ("videos: {v: {truth: absent.csv}}", "absent.csv: cannot be read"),
        ("videos: {v: {truth: log.csv}}", "in.json: its video is not in the manifest (known are v)"),
    ],
)
def test_a_broken_manifest_is_refused(tmp_path: Path, log: Path, text: str, complaint: str) -> None:
    """By place and reason."""
    assert log.name == "log.csv"
    (tmp_path / "videos.yaml").write_text(text)
    answers = put(tmp_path / "in.json", {"10": [[1, 2]]})
    assert complaint in refused("--videos", tmp_path / "videos.yaml", "--answers", answers)


def test_what_cannot_be_asked_is_said(tmp_path: Path, log: Path) -> None:
    """Neither or both truths, no such path, an empty folder, a zone that is none."""
    answers = put(tmp_path / "in.json", {"10": [[1, 2]]})
    (tmp_path / "empty").mkdir()
    assert "either --truth" in refused("--answers", answers)
    assert "either --truth" in refused("--answers", answers, "--truth", log, "--videos", log)
    assert "absent: there is no such file" in refused("--truth", log, "--answers", tmp_path / "absent")
    assert "empty: the folder holds no" in refused("--truth", log, "--answers", tmp_path / "empty")
    assert "not a time zone" in refused("--truth", log, "--answers", answers, "--zone", "Mars/Olympus")
    assert "x.json: cannot be written" in refused(
        "--truth", log, "--answers", answers, "--json", log / "x.json"
    )


def test_reports_outside_the_log_are_worth_a_word(tmp_path: Path, log: Path) -> None:
    """They may mean the wrong truth."""
    page = figures(
        tmp_path, "--truth", log, "--answers", put(tmp_path / "in.json", {"10": [[1, 2]], "4000": [[1, 2]]})
    )
    assert page["notes"] == [
        "in.json: 1 of 2 reports lie outside the log: is it the right truth, start and speed?"
    ]


class Reader(HTMLParser):
    """Collects what a page would load, and checks that elements are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.loads += [
            str(v) for k, v in attrs if k in ("src", "href", "xlink:href") and not str(v).startswith("#")
        ]
        if tag not in ("meta", "i", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take the element off."""
        if tag not in ("meta", "i", "br"):
            assert self.open.pop() == tag


def test_the_page_holds_everything_and_loads_nothing(tmp_path: Path, log: Path) -> None:
    """Tables, charts, every miss; tolerance, unit, distance, runs and the flaws of the other score; names are escaped."""
    put(tmp_path / "in" / "vlm-a.json", report_page(SAID, failed=1))
    put(tmp_path / "in" / "<b>x_video_9_20250101_000000.json", raw_page("prose", model="<script>"))
    result = asked("--truth", log, "--answers", tmp_path / "in", "--report", tmp_path / "out" / "page.html")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "page.html").read_text("utf-8")
    reader = Reader()
    reader.feed(text)
    assert (reader.loads, reader.open) == ([], [])
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert text.count("<svg") == 4
    for said in (
        "<b>2 runs</b>",
        "tolerance 1 s",
        "contact distance 100 cm",
        "contact: one happening",
        "3 contacts",
    ):
        assert said in text
    for part in (
        "Misses and false alarms (5)",
        "wrong objects",
        "Answers that could not be used (2)",
        "Groups compared",
    ):
        assert part in text
    flaws = text[text.index("cannot tell") :]
    assert flaws.count("<li>") == 10
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


def test_the_table_fits_into_eighty_columns(tmp_path: Path, log: Path) -> None:
    """Several runs with intervals, nothing cut off."""
    for n in range(4):
        said = '[{"00:00:10": [1, 2]}]' if n else "[]"
        put(tmp_path / "in" / f"vlm-b_video_9_20250101_00000{n}.json", raw_page(said, run=str(n)))
    result = asked("--truth", log, "--answers", tmp_path / "in")
    assert result.exit_code == 0, result.output
    assert all(len(line.rstrip()) <= 80 for line in result.output.splitlines())
    row = next(line for line in result.output.splitlines() if "when+who 1 s" in line)
    assert re.search(r"3\s+0\s+9\s+1\.00\s+0\.25\s+0\.40\s+\d\.\d\d-\d\.\d\d\s+0\.38 ± 0\.25", row)
    assert "of log (95 %: at most 45.1" in result.output


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "Qwen3-VL-8B-Instruct_video_18_20250901_120000.json",
            ("Qwen3-VL-8B-Instruct", "video_18", "20250901_120000"),
        ),
        ("gpt-4o_video_230_20250901_120000-2_eventlist.jsonl", ("gpt-4o", "video_230", "20250901_120000-2")),
        ("replay-reference_sample_20261121_162017.json", ("replay-reference", "sample", "20261121_162017")),
        ("video_180.jsonl", (None, "video_180", "video_180")),
        ("answers.json", (None, None, "answers")),
    ],
)
def test_names_of_files(name: str, found: tuple[str | None, str | None, str]) -> None:
    """Model, video and run."""
    assert names_in(Path(name)) == found


def test_side_files_are_no_answers(tmp_path: Path) -> None:
    """Hidden and sidecar files are passed over."""
    for name in (".hidden.json", "v.meta.json", "v.jsonl", "notes.txt"):
        (tmp_path / name).write_text("{}")
    assert [path.name for path in answer_files(tmp_path, "raw")[0]] == ["v.jsonl"]


@pytest.mark.footage
def test_the_labs_log_against_its_own_list_of_seconds(tmp_path: Path) -> None:
    """GT1 as answers: perfect by contacts and by the predecessor's rule."""
    footage = Path(__file__).resolve().parents[3] / "shared" / "footage" / "living_trajectory_1min_0.2s.csv"
    if not footage.is_file():
        pytest.skip("the recordings are not beside the project")
    gt1 = {
        0: "24", 28: "14", 30: "24", 31: "24", 33: "34", 39: "14", 40: "14",
        41: "13", 42: "13", 51: "24", 54: "23", 56: "12", 57: "12",
    }  # fmt: skip
    answers = put(tmp_path / "gt1.json", {str(second): [list(pair)] for second, pair in gt1.items()})
    (group,) = figures(tmp_path, "--truth", footage, "--answers", answers)["groups"]
    assert (group["strict_att"]["f1"], group["strict_att"]["matched"], group["predecessor"]["f1"]) == (
        1.0,
        9,
        1.0,
    )
