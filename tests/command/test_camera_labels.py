"""Label files: plain YAML, checked before anything is started, every mistake by its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extension.command.camera_labels import read_labels
from extension.command.camera_scoring import Labelled
from extension.errors import BadInput
from extension.model import Kind

SHIPPED = Path(__file__).parents[1] / "footage" / "labels.yaml"


def written(folder: Path, text: str) -> Path:
    """A label file."""
    path = folder / "labels.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_labels_name_six_clips() -> None:
    """Two falls, a fire and three negatives."""
    clips = read_labels(SHIPPED).clips
    assert len(clips) == 6
    assert sorted(e.kind for clip in clips for e in clip.events) == ["fall", "fall", "fire"]
    assert sum(not clip.events for clip in clips) == 3


def test_a_label_is_kind_beginning_and_end(tmp_path: Path) -> None:
    """In seconds; clips may lie in folders below."""
    text = "clips:\n  - file: night/a.mp4\n    events: [{kind: fall, start_s: 2.3, end_s: 3.6}]\n  - {file: b.mp4, events: []}\n"
    one, other = read_labels(written(tmp_path, text)).clips
    assert one.file == "night/a.mp4"
    assert [event.labelled() for event in one.events] == [Labelled(Kind.FALL, 2.3, 3.6)]
    assert other.events == ()


def test_json_is_read_as_well(tmp_path: Path) -> None:
    """It is a part of YAML."""
    page = {"clips": [{"file": "a.mp4", "events": [{"kind": "fire", "start_s": 0, "end_s": 9}]}]}
    (clip,) = read_labels(written(tmp_path, json.dumps(page))).clips
    assert clip.events[0].kind is Kind.FIRE


def test_an_event_without_an_end_is_an_instant(tmp_path: Path) -> None:
    """Its onset is what counts."""
    (clip,) = read_labels(
        written(tmp_path, "clips: [{file: a.mp4, events: [{kind: collision, start_s: 4}]}]")
    ).clips
    assert clip.events[0].labelled() == Labelled(Kind.COLLISION, 4.0, 4.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("clips: []", "clips", id="no-clips"),
        pytest.param("clips: [{file: a.mp4}]", r"clips\.0\.events", id="no-events"),
        pytest.param(
            "clips: [{file: ../a.mp4, events: []}]", "below the folder of clips", id="outside-the-folder"
        ),
        pytest.param("clips: [{file: /a.mp4, events: []}]", "below the folder", id="from-the-root"),
        pytest.param("clips: [{file: 'a\\b.mp4', events: []}]", "below the folder", id="backslash"),
        pytest.param("clips: [{file: '', events: []}]", "file", id="no-file"),
        pytest.param(
            "clips: [{file: a.mp4, events: [{kind: flood, start_s: 1, end_s: 2}]}]", "kind", id="unknown-kind"
        ),
        pytest.param(
            "clips: [{file: a.mp4, events: [{kind: fall, start_s: 3, end_s: 2}]}]",
            "end_s lies before start_s",
            id="backwards",
        ),
        pytest.param(
            "clips: [{file: a.mp4, events: [{kind: fall, start_s: -1, end_s: 2}]}]",
            "start_s",
            id="before-zero",
        ),
        pytest.param(
            "clips: [{file: a.mp4, events: [{kind: fall, start_s: .nan}]}]", "start_s", id="no-number"
        ),
        pytest.param(
            "clips: [{file: a.mp4, events: [{kind: fall, start_s: 0, end_s: .inf}]}]", "end_s", id="endless"
        ),
        pytest.param("clips: [{file: a.mp4, events: [], note: x}]", "note", id="unknown-key"),
        pytest.param(
            "clips: [{file: a.mp4, events: []}, {file: a.mp4, events: []}]",
            r"a\.mp4 is labelled twice",
            id="twice",
        ),
        pytest.param("clips: [", "is not YAML", id="no-yaml"),
        pytest.param("7", "all of it", id="no-mapping"),
        pytest.param("", "all of it", id="nothing"),
    ],
)
def test_a_wrong_label_file_is_refused_with_a_reason(tmp_path: Path, text: str, words: str) -> None:
    """Its name, the place and the mistake."""
    with pytest.raises(BadInput, match=words) as caught:
        read_labels(written(tmp_path, text))
    assert str(caught.value).startswith("labels.yaml: ")


def test_many_mistakes_are_cut_short(tmp_path: Path) -> None:
    """Five are enough to begin with."""
    clips = ", ".join("{file: a.mp4}" for _ in range(9))
    with pytest.raises(BadInput, match="and 4 more"):
        read_labels(written(tmp_path, f"clips: [{clips}]"))


def test_an_absent_label_file_is_refused_without_its_path(tmp_path: Path) -> None:
    """No path of the machine in an error."""
    with pytest.raises(BadInput, match="cannot be read") as caught:
        read_labels(tmp_path / "nowhere.yaml")
    assert str(tmp_path) not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """By what they are not."""
    path = tmp_path / "labels.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(BadInput, match="it is not UTF-8"):
        read_labels(path)
