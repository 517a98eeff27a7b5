"""Rules of footage: their defaults are the cameras', their file is checked, and changes fit or are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from extension.errors import BadInput
from extension.model import Severity
from extension.pipeline.backtest.rules import Rules, of_entry, read
from extension.pipeline.live.lane import Spec
from extension.sources.camera.book_file import Entry
from extension.wiring import cameras


def entry(**fields: object) -> Entry:
    """A camera in the cameras' file."""
    return Entry.model_validate({"name": "gate", "url": "rtsp://10.0.0.7/", **fields})


def written(folder: Path, text: str) -> Path:
    """A file of rules."""
    path = folder / "night.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_nothing_is_said_of_is_as_for_a_camera() -> None:
    """Windows, merge gap, gate and second look have the cameras' defaults, and windows the live number of frames."""
    rules, usual = Rules(), entry()
    assert rules == of_entry(usual)
    assert (rules.window_s, rules.stride_s, rules.merge_gap_s) == (
        usual.window_s,
        usual.stride_s,
        usual.merge_gap_s,
    )
    assert rules.second_look == Spec("gate").second_look
    assert rules.frames == cameras._WINDOW_FRAMES
    assert (rules.gate, rules.least_severity) == ("off", Severity.WARN)


def test_a_cameras_rules_are_those_of_its_entry() -> None:
    """By the same names."""
    rules = of_entry(entry(window_s=6, stride_s=3, merge_gap_s=20, second_look=False))
    assert (rules.window_s, rules.stride_s, rules.merge_gap_s, rules.second_look) == (6, 3, 20, False)


@pytest.mark.parametrize(
    ("mode", "gate"),
    [
        pytest.param("on", "on", id="on"),
        pytest.param("off", "off", id="off"),
        pytest.param("shadow", "off", id="in-shadow-every-window-is-looked-at"),
    ],
)
def test_the_gate_of_a_camera(mode: str, gate: str) -> None:
    """Shadow changes nothing of what is found."""
    assert of_entry(entry(gate=mode)).gate == gate


def test_a_file_names_what_is_not_usual(tmp_path: Path) -> None:
    """Plain words, also those that YAML takes for truth values."""
    rules = read(
        written(tmp_path, "window_s: 6\nstride_s: 2\ngate: on\nleast_severity: danger\nframes: 24\n")
    )
    assert rules == Rules(window_s=6, stride_s=2, gate="on", least_severity=Severity.DANGER, frames=24)
    assert read(written(tmp_path, "gate: off")).gate == "off"
    assert read(written(tmp_path, "gate: 'on'")).gate == "on"


def test_an_empty_file_is_the_usual(tmp_path: Path) -> None:
    """Nothing is said, nothing differs."""
    assert read(written(tmp_path, "# nothing\n")) == Rules()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("window_s: 0", "window_s", id="no-length"),
        pytest.param("window_s: .nan", "window_s", id="no-number"),
        pytest.param("window_s: .inf", "window_s", id="no-end"),
        pytest.param("stride_s: 20", "would never be looked at", id="holes"),
        pytest.param("gate: maybe", "gate", id="no-mode"),
        pytest.param("least_severity: safe", "the mildest is warn", id="safe"),
        pytest.param("frames: 1", "frames", id="one-frame"),
        pytest.param("color: red", "color", id="stray"),
        pytest.param("window_s: [1]", "window_s", id="a-list"),
        pytest.param("- window_s", "all of it", id="no-mapping"),
        pytest.param("7", "all of it", id="a-number"),
        pytest.param("a: [", "is not YAML", id="no-yaml"),
        pytest.param("window_s: 0\nframes: 0", "frames", id="every-fault"),
    ],
)
def test_a_wrong_file_is_named_with_its_faults(tmp_path: Path, text: str, words: str) -> None:
    """And without its folder."""
    with pytest.raises(BadInput, match=words) as caught:
        read(written(tmp_path, text))
    assert str(caught.value).startswith("night.yaml: ")
    assert str(tmp_path) not in str(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """As no YAML."""
    path = tmp_path / "night.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="is not YAML"):
        read(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """By name and reason."""
    with pytest.raises(BadInput, match=r"nowhere.yaml: cannot be read \(No such file"):
        read(tmp_path / "nowhere.yaml")


def test_a_change_leaves_the_rest() -> None:
    """None is no change."""
    rules = Rules(window_s=6, stride_s=3)
    assert rules.changed(stride_s=2, gate=None) == Rules(window_s=6, stride_s=2)
    assert rules.changed() == rules


def test_a_change_that_does_not_fit_is_refused() -> None:
    """As a file would be."""
    with pytest.raises(BadInput, match="would never be looked at"):
        Rules().changed(window_s=3)
    with pytest.raises(BadInput, match="merge_gap_s"):
        Rules().changed(merge_gap_s=-1)


def test_rules_can_be_told_apart_and_looked_up() -> None:
    """They are values."""
    assert {Rules(): 1}[Rules(window_s=10)] == 1
    assert Rules() != Rules(frames=20)
