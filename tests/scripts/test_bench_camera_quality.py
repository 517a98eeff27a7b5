"""The benchmark of camera footage: its columns, its figures, and what it says without footage."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer

from extension.command.camera_columns import Column
from extension.command.camera_scoring import ClipScore, Windows, score
from extension.model import Severity
from extension.pipeline.backtest.rules import Rules
from extension.wire import CaptionOut
from tests.command.test_camera_scoring import FALL, clip, found

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


def answer(index: int, status: Severity | None, **stats: object) -> CaptionOut:
    """A chunk's answer on the wire."""
    return CaptionOut(
        chunk_index=index, start_s=0.0, end_s=10.0, text="", status=status, summary="",
        failure=None if status else "Timeout: no answer", stats=stats,
    )  # fmt: skip


def test_the_labels_of_the_benchmark_are_shipped(bench: ModuleType) -> None:
    """They name the clips of the footage folder."""
    assert bench.LABELS.is_file()
    assert bench.FOOTAGE.name == "footage"


@pytest.mark.parametrize(
    "text", [pytest.param("clips: []", id="no-clips"), pytest.param("clips: [", id="no-yaml")]
)
def test_a_wrong_label_file_is_refused_with_a_reason(bench: ModuleType, tmp_path: Path, text: str) -> None:
    """Before anything is started."""
    path = tmp_path / "labels.yaml"
    path.write_text(text)
    with pytest.raises(typer.BadParameter, match="label file"):
        bench.camera_quality(footage=tmp_path, labels=path)


def test_without_footage_it_says_so_and_measures_nothing(
    bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report names what is absent."""
    report = tmp_path / "report.json"
    bench.camera_quality(footage=tmp_path, labels=bench.LABELS, report=report)
    assert "nothing measured" in " ".join(capsys.readouterr().out.split())
    page = json.loads(report.read_text())
    assert (page["clips"], len(page["absent"]), page["holds"]) == (0, 6, True)


def test_chunks_of_a_job_are_counted_by_how_they_ended(bench: ModuleType) -> None:
    """Those without an answer, and second looks by outcome."""
    told = bench._windows(
        [
            answer(0, Severity.SAFE),
            answer(1, None),
            answer(2, Severity.DANGER, second_look={"outcome": "confirmed"}),
        ]
    )
    assert told == Windows(all=3, asked=3, failed=1, second_looks={"confirmed": 1})


def test_figures_stand_by_set_of_rules(bench: ModuleType) -> None:
    """The sums, what the gate lost, and below `all` clip by clip."""
    hit, miss = clip(score([FALL], [found(2.5, 4.0)])), clip(score([FALL], []))
    calm = clip(ClipScore(), name="calm.mp4")
    plain = Rules(second_look=False)
    columns = [
        Column("plain", plain, (hit, calm)),
        Column("gate", plain.changed(gate="on"), (miss, calm), twin=(hit, calm)),
    ]
    page = bench._figures("some-vlm", columns, (hit, calm), ["gone.mp4"])
    assert json.loads(json.dumps(page, allow_nan=False)) == page
    assert (page["model"], page["clips"], page["absent"]) == ("some-vlm", 2, ["gone.mp4"])
    assert page["live"]["plain"]["recall"] == 1.0
    assert page["live"]["gate"]["recall"] == 0.0
    assert [one["clip"] for one in page["live"]["gate"]["lost_to_gate"]] == ["a.mp4"]
    assert "by_clip" not in page["live"]["plain"]
    assert page["chunks_of_10_s"]["matched"] == 1
    assert [one["clip"] for one in page["all"]["gate"]] == ["a.mp4", "calm.mp4"]
    assert page["all"]["file job"][0]["found"][0]["kind"] == "fall"
