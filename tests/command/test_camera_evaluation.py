"""`timetravel eval-cameras`: labelled clips through windows, gate and VLM, scored in a column per set of rules."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from extension import cli
from extension.command.camera_columns import Column, named_rules, scored, sorted_out
from extension.command.camera_evaluation_json import as_json
from extension.command.camera_evaluation_page import page
from extension.command.camera_evaluation_table import show
from extension.command.camera_labels import ClipLabel, EventLabel
from extension.command.camera_scoring import Clip, Windows, score
from extension.errors import BadInput, ExtensionError
from extension.model import Kind, Severity
from extension.pipeline.backtest.rules import Rules
from extension.pipeline.backtest.run import watch
from tests.command.test_camera_scoring import FALL, clip, found
from tests.evidence.films import Look, draw, every
from tests.pipeline.backtest.samples import ScriptedEyes, ScriptedFootage, claim
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions

PLAIN = Rules(second_look=False)
GATED = PLAIN.changed(gate="on")
HIT, MISS = score([FALL], [found(2.5, 4.0)]), score([FALL], [])


def column(name: str, *told: Clip, twin: tuple[Clip, ...] | None = None) -> Column:
    """A column."""
    return Column(name, GATED if twin else PLAIN, told, twin)


def columns() -> list[Column]:
    """A gate that loses a fall, and second looks."""
    looked = (
        clip(HIT, 15.0, "fall.mp4", Windows(3, 3)),
        clip(score([], [found(9.0, 9.5, Kind.FIRE)]), 30.0, "calm.mp4", Windows(6, 6, failed=1)),
    )
    gated = (
        clip(MISS, 15.0, "fall.mp4", Windows(3, 1, 2)),
        clip(score([], []), 30.0, "calm.mp4", Windows(6, 2, 4)),
    )
    twice = replace(looked[0], windows=Windows(3, 3, second_looks={"confirmed": 2})), looked[1]
    return [column("plain", *looked), column("gate", *gated, twin=looked), column("second look", *twice)]


def label(*events: EventLabel, file: str = "a.mp4") -> ClipLabel:
    """A clip's label."""
    return ClipLabel(file=file, events=events)


def printed() -> str:
    """What a terminal shows."""
    text = io.StringIO()
    show(Console(file=text, width=80, color_system=None), columns(), "some-vlm", ["gone.mp4"])
    return text.getvalue()


def test_a_column_per_set_of_rules_is_printed() -> None:
    """The figures that the issue asks for, and what each clip came to."""
    shown = " ".join(printed().split())
    assert "some-vlm: 2 clips, 1 events, 0.013 camera-hours" in shown
    assert "plain gate second look" in shown
    assert "precision 0.50 - 0.50 recall 1.00 0.00 1.00" in shown
    assert "false alarms (danger) 1 (1) 0 (0) 1 (1)" in shown
    assert "onset error, median 0.50 s - 0.50 s" in shown
    assert "left out by the gate 0 (0%) 6 (67%) 0 (0%)" in shown
    assert "events lost to the gate - 1 -" in shown
    assert "without answer 1 0 1" in shown
    assert "second looks - - 2 confirmed" in shown
    assert "danger fall 2.5-4.0 s +0.5 s" in shown
    assert "missed: fall 2.0 s" in shown
    assert "not there: gone.mp4" in shown


def test_rules_that_found_the_same_share_a_line() -> None:
    """And the table fits eighty columns."""
    shown = printed()
    assert "plain, second look" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_a_clip_in_which_all_found_the_same_says_all() -> None:
    """Once."""
    text = io.StringIO()
    told = clip(HIT, 15.0, "fall.mp4")
    show(Console(file=text, width=80, color_system=None), [column("a", told), column("b", told)], "vlm", [])
    assert " all " in text.getvalue()


def test_json_holds_figures_and_every_clip() -> None:
    """Under the names of the rules."""
    told = json.loads(json.dumps(as_json(columns(), "some-vlm", ["gone.mp4"], 2.0), allow_nan=False))
    assert (told["model"], told["clips"], told["absent"], told["confidence"]) == (
        "some-vlm", 2, ["gone.mp4"], 0.95,
    )  # fmt: skip
    plain, gated, twice = told["columns"]
    assert (plain["matched"], plain["missed"], plain["false"], plain["lost_to_gate"]) == (1, 0, 1, None)
    assert plain["false_per_hour"] == pytest.approx(80.0)
    assert plain["false_per_hour_at_most"] > 300
    assert gated["lost_to_gate"] == [{"clip": "fall.mp4", "kind": "fall", "start_s": 2.0, "end_s": 3.0}]
    assert (gated["gated_share"], gated["recall"], gated["recall_without_gate"]) == (0.6667, 0.0, 1.0)
    assert gated["rules"]["gate"] == "on"
    assert twice["second_looks"] == {"confirmed": 2}
    assert plain["by_clip"][0]["hits"] == [
        {"kind": "fall", "start_s": 2.0, "end_s": 3.0, "onset_error_s": 0.5}
    ]
    assert plain["by_clip"][1]["false"] == [
        {"kind": "fire", "severity": "danger", "start_s": 9.0, "end_s": 9.5}
    ]


def test_the_page_shows_the_same() -> None:
    """With the labels beside what was found."""
    told = page(columns(), "<vlm>", ["gone.mp4"], 2.0)
    assert "Model: &lt;vlm&gt;." in told
    assert ">fall 2-3 s</td>" in told
    assert ">nothing happens</td>" in told
    assert "not there: gone.mp4" in told
    assert '<td class="n">6 (67%)</td>' in told


def test_a_clip_is_scored_by_what_its_windows_came_to() -> None:
    """Incidents, windows that were left out, and those without an answer."""
    eyes = ScriptedEyes([claim(21.0, 23.0)], fails=lambda chunk: "Timeout" if chunk.index in {0, 1} else None)
    course = watch(ScriptedFootage(90.0, moving=[(20.0, 23.0)]), GATED, eyes, 1, lambda: None)
    told = scored(label(EventLabel(kind=Kind.FALL, start_s=20.5, end_s=22.0)), 90.0, course, 2.0)
    assert [hit.onset_error_s for hit in told.score.hits] == [0.5]
    assert told.found == (found(21.0, 23.0),)
    assert told.windows.all == 17
    assert told.windows.asked + told.windows.gated == 17
    assert told.windows.gated > 5
    assert told.windows.failed == 2


def test_the_usual_rules_are_with_and_without_gate_and_second_look() -> None:
    """Otherwise alike, so that they ask the same questions."""
    sets = dict(named_rules(()))
    assert list(sets) == ["plain", "gate", "second look", "both"]
    assert {(rules.gate, rules.second_look) for rules in sets.values()} == {
        ("off", False), ("on", False), ("off", True), ("on", True),
    }  # fmt: skip
    assert len({rules.changed(gate="off", second_look=False) for rules in sets.values()}) == 1


def test_rules_of_files_have_their_names(tmp_path: Path) -> None:
    """Two of one name are refused."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "night.yaml").write_text("least_severity: danger")
    ((name, rules),) = named_rules([tmp_path / "a" / "night.yaml"])
    assert (name, rules.least_severity) == ("night", Severity.DANGER)
    with pytest.raises(BadInput, match="the same name"):
        named_rules([tmp_path / "a" / "night.yaml", tmp_path / "b" / "night.yaml"])


def test_clips_that_are_not_there_are_refused_or_listed(tmp_path: Path) -> None:
    """Never passed over in silence."""
    (tmp_path / "a.mp4").touch()
    wanted = [label(), label(file="b.mp4"), label(file="c.mp4")]
    with pytest.raises(BadInput, match=r"b\.mp4 and 1 more: there is no such clip"):
        sorted_out(wanted, tmp_path, skip_absent=False)
    present, absent = sorted_out(wanted, tmp_path, skip_absent=True)
    assert ([clip.file for clip in present], absent) == (["a.mp4"], ["b.mp4", "c.mp4"])
    with pytest.raises(BadInput, match="none of the labelled clips"):
        sorted_out(wanted[1:], tmp_path, skip_absent=True)


Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, in a folder with two clips and their labels."""
    draw(tmp_path / "fall.mp4", every(12.0, 5), Look())
    draw(tmp_path / "calm.mp4", every(6.0, 5), Look())
    (tmp_path / "labels.yaml").write_text(
        "clips:\n  - file: fall.mp4\n    events: [{kind: fall, start_s: 3, end_s: 4}]\n  - {file: calm.mp4, events: []}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXT_DATA_DIR", str(tmp_path / "data"))

    def ran(*words: str) -> Result:
        return CliRunner().invoke(cli.app, ["eval-cameras", *words])

    return ran


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[ViaDouble]:
    """A via-server whose VLM sees a fall 3.5 s into the longer clip, and nothing in the other."""
    told: dict[str, Any] = {
        "status": "danger",
        "events": [
            {"kind": "fall", "start_s": 3.5, "end_s": 5.0, "severity": "danger", "objects": ["person"]}
        ],
        "summary": "",
    }

    def script(query: dict[str, Any], _: int) -> Answer:
        info = query["media_info"]
        shown = info["start_offset"] == 0 and info["end_offset"] >= 10
        return 200, captions(query, lambda _s: json.dumps(told) if shown else SAFE)

    with ViaDouble(script) as made:
        monkeypatch.setenv("VIA_BACKEND", made.url)
        yield made


def test_labelled_clips_are_watched_and_scored(run: Run, double: ViaDouble, tmp_path: Path) -> None:
    """Every question is asked once, whatever the number of columns."""
    shown = run("labels.yaml", "--json", "out.json", "--report", "out.html")
    assert shown.exit_code == 0, shown.output
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["model"] == "double"
    assert [(c["name"], c["matched"], c["missed"], c["false"]) for c in told["columns"]] == [
        ("plain", 1, 0, 0), ("gate", 1, 0, 0), ("second look", 1, 0, 0), ("both", 1, 0, 0),
    ]  # fmt: skip
    firsts = [query for query in double.queries if query["num_frames_per_chunk"] == 40]
    assert len(firsts) == 3, "two windows of the one, one of the other"
    assert told["columns"][2]["second_looks"] == {"confirmed": 1}
    assert (tmp_path / "out.html").read_text().startswith("<!doctype html>")
    assert not double.files


@pytest.mark.usefixtures("double")
def test_rules_can_be_named(run: Run, tmp_path: Path) -> None:
    """A column each; the gate's cost is told against the same rules without it."""
    (tmp_path / "strict.yaml").write_text("least_severity: extreme\ngate: on\nsecond_look: off\n")
    shown = run("labels.yaml", "--rules", "strict.yaml", "--json", "out.json")
    assert shown.exit_code == 0, shown.output
    (only,) = json.loads((tmp_path / "out.json").read_text())["columns"]
    assert (only["name"], only["matched"], only["missed"], only["lost_to_gate"]) == ("strict", 0, 1, [])


@pytest.mark.usefixtures("double")
def test_a_vlm_that_fails_is_no_vlm_that_saw_nothing(run: Run, double: ViaDouble, tmp_path: Path) -> None:
    """Windows without an answer are counted in every column."""
    double.script = lambda query, _: (200, captions(query, lambda _s: "All is well."))
    shown = run("labels.yaml", "--json", "out.json")
    assert shown.exit_code == 0, shown.output
    for one in json.loads((tmp_path / "out.json").read_text())["columns"]:
        assert one["failed"] == one["windows"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["nowhere.yaml"], "the label file cannot be read", id="no-labels"),
        pytest.param(["labels.yaml", "--footage", "data"], "there is no such clip", id="no-clips"),
        pytest.param(["labels.yaml", "--rules", "no.yaml"], "no.yaml: cannot be read", id="no-rules"),
        pytest.param(["odd.yaml"], "labels.yaml is not a video", id="no-video"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_started(
    run: Run, tmp_path: Path, words: list[str], said: str
) -> None:
    """One line."""
    (tmp_path / "odd.yaml").write_text("clips: [{file: labels.yaml, events: []}]")
    shown = run(*words)
    assert isinstance(shown.exception, ExtensionError)
    assert said in str(shown.exception).replace("'", "")
