"""The benchmark of camera footage: label files, matching, the bound, and what it says without footage."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.model import Kind, Severity

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The script as a module; scripts are no package."""
    if str(SCRIPTS) not in sys.path:
        sys.path.insert(0, str(SCRIPTS))
    spec = importlib.util.spec_from_file_location("bench_camera_quality", SCRIPTS / "bench_camera_quality.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_camera_quality"] = module
    spec.loader.exec_module(module)
    return module


def event(bench: ModuleType, kind: Kind, start_s: float, end_s: float) -> Any:
    """A labelled event."""
    return bench.Labelled(kind=kind, start_s=start_s, end_s=end_s)


def found(
    bench: ModuleType, kind: Kind, start_s: float, end_s: float, severity: Severity = Severity.DANGER
) -> Any:
    """An incident."""
    return bench.Found(kind, start_s, end_s, severity)


def test_the_shipped_labels_name_six_clips(bench: ModuleType) -> None:
    """Two falls, a fire and three negatives."""
    clips = bench.read_labels(bench.LABELS).clips
    assert len(clips) == 6
    assert sorted(e.kind for clip in clips for e in clip.events) == ["fall", "fall", "fire"]
    assert sum(not clip.events for clip in clips) == 3


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("clips: []", id="no-clips"),
        pytest.param("clips: [{file: a.mp4}]", id="no-events"),
        pytest.param("clips: [{file: ../a.mp4, events: []}]", id="outside-the-folder"),
        pytest.param(
            "clips: [{file: a.mp4, events: [{kind: flood, start_s: 1, end_s: 2}]}]", id="unknown-kind"
        ),
        pytest.param("clips: [{file: a.mp4, events: [{kind: fall, start_s: 3, end_s: 2}]}]", id="backwards"),
        pytest.param("clips: [{file: a.mp4, events: [], note: x}]", id="unknown-key"),
        pytest.param("clips: [", id="no-yaml"),
        pytest.param("7", id="no-mapping"),
    ],
)
def test_a_wrong_label_file_is_refused_with_a_reason(bench: ModuleType, tmp_path: Path, text: str) -> None:
    """Before anything is started."""
    path = tmp_path / "labels.yaml"
    path.write_text(text)
    with pytest.raises(typer.BadParameter, match="label file"):
        bench.read_labels(path)


def test_an_absent_label_file_is_refused_without_its_path(bench: ModuleType, tmp_path: Path) -> None:
    """No path of the machine in an error."""
    with pytest.raises(typer.BadParameter, match="cannot be read") as caught:
        bench.read_labels(tmp_path / "nowhere.yaml")
    assert str(tmp_path) not in str(caught.value)


def test_an_incident_of_the_kind_and_time_matches(bench: ModuleType) -> None:
    """Its onset error is measured against the label."""
    told = bench.score([event(bench, Kind.FALL, 2.0, 3.0)], [found(bench, Kind.FALL, 2.4, 9.0)])
    assert (told.matched, told.missed, told.false) == (1, 0, 0)
    assert told.onset_errors_s == (pytest.approx(0.4),)


def test_another_kind_is_a_false_alarm_and_a_miss(bench: ModuleType) -> None:
    """A collision is no fall."""
    told = bench.score([event(bench, Kind.FALL, 2.0, 3.0)], [found(bench, Kind.COLLISION, 2.0, 3.0)])
    assert (told.matched, told.missed, told.false) == (0, 1, 1)


def test_an_incident_far_from_the_event_is_a_false_alarm(bench: ModuleType) -> None:
    """Beyond the tolerance."""
    told = bench.score([event(bench, Kind.FALL, 2.0, 3.0)], [found(bench, Kind.FALL, 6.0, 9.0)])
    assert (told.matched, told.missed, told.false) == (0, 1, 1)


def test_two_incidents_of_one_event_are_no_false_alarm(bench: ModuleType) -> None:
    """A long fire may be found in parts; the first tells the onset."""
    fires = [found(bench, Kind.FIRE, 12.0, 20.0), found(bench, Kind.FIRE, 1.0, 9.0)]
    told = bench.score([event(bench, Kind.FIRE, 0.0, 30.0)], fires)
    assert (told.matched, told.missed, told.false, told.onset_errors_s) == (1, 0, 0, (1.0,))


def test_nothing_happened_and_nothing_found_is_clean(bench: ModuleType) -> None:
    """A negative clip."""
    assert bench.score([], []) == bench.Score(0, 0, 0)


@pytest.mark.parametrize(
    ("count", "bound"), [(0, 2.9957), (1, 4.7439), (2, 6.2958), (5, 10.5130), (10, 16.9622)]
)
def test_the_poisson_bound_is_the_textbooks(bench: ModuleType, count: int, bound: float) -> None:
    """Half the 95th percentile of chi squared with 2 (n + 1) degrees of freedom."""
    assert bench.poisson_bound(count) == pytest.approx(bound, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(0, 60))
def test_the_poisson_bound_leaves_what_confidence_says(count: int) -> None:
    """At the bound, so few are seen one time in twenty."""
    bound = sys.modules["bench_camera_quality"].poisson_bound(count)
    likely = sum(math.exp(-bound + k * math.log(bound) - math.lgamma(k + 1)) for k in range(count + 1))
    assert likely == pytest.approx(0.05, abs=1e-6)


def test_figures_add_up(bench: ModuleType) -> None:
    """Over clips, and per hour."""
    row = {"matched": 1, "missed": 0, "false": 0, "false_danger": 0, "length_s": 1800.0, "unanswered": 0}
    rows = [
        {**row, "onset_errors_s": [-0.4]},
        {**row, "matched": 0, "missed": 1, "false": 2, "false_danger": 1, "onset_errors_s": []},
    ]
    figures = bench.summed(rows)
    assert (figures["precision"], figures["recall"], figures["f1"]) == (0.333, 0.5, 0.4)
    assert figures["onset_error_median_s"] == 0.4
    assert (figures["false_per_hour"], figures["false_per_hour_at_most"]) == (2.0, 6.3)
    assert figures["false_danger"] == 1


def test_without_events_there_is_no_recall(bench: ModuleType) -> None:
    """Instead of a number that would look like one."""
    row = {
        "matched": 0, "missed": 0, "false": 0, "false_danger": 0, "length_s": 60.0, "unanswered": 0, "onset_errors_s": [],
    }  # fmt: skip
    figures = bench.summed([row])
    assert (figures["precision"], figures["recall"], figures["f1"], figures["onset_error_median_s"]) == (
        None,
    ) * 4


def test_without_footage_it_says_so_and_measures_nothing(
    bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report names what is absent."""
    report = tmp_path / "report.json"
    bench.camera_quality(footage=tmp_path, labels=bench.LABELS, report=report)
    assert "nothing measured" in " ".join(capsys.readouterr().out.split())
    page = json.loads(report.read_text())
    assert (page["clips"], len(page["absent"]), page["holds"]) == (0, 6, True)


def test_the_table_has_a_line_per_clip(bench: ModuleType) -> None:
    """And says "nothing" where nothing was found."""
    row = {
        "chunk_s": 10,
        "clip": "a.mp4",
        "events": 1,
        "matched": 0,
        "false": 0,
        "onset_errors_s": [],
        "verdicts": [],
    }
    drawn = bench.table([row, {**row, "verdicts": ["danger fall 1.0-2.0"], "onset_errors_s": [0.2]}])
    assert drawn.row_count == 2
    assert list(drawn.columns[-1].cells) == ["nothing", "danger fall 1.0-2.0"]
    assert list(drawn.columns[-2].cells) == ["", "+0.2 s"]
