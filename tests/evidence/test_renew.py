"""Pictures of an incident that outlive their source: kept as they are, under a manifest that tells the whole story."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from extension.evidence import shelf
from extension.evidence.account import Case
from extension.evidence.collect import collect
from extension.evidence.manifest import Manifest
from extension.evidence.parts import whole
from extension.evidence.renew import renew
from extension.evidence.verify import verify
from extension.evidence.wanted import Limits
from extension.model import Phase, Severity, Span
from tests.evidence.cases import CONTEXT, case
from tests.evidence.films import draw, every, see

LIMITS = Limits(before_s=2.0, after_s=2.0)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Evidence of an open incident, of which the first seconds are recorded."""
    video = draw(tmp_path / "yard.mp4", every(6.0))
    collect(tmp_path / "job-1", [case(3.0, 4.0, phase=Phase.OPEN)], whole(video, 6.0), CONTEXT, LIMITS)
    return tmp_path / "job-1"


def over() -> Case:
    """The same incident when it is over, an hour later and worse than it looked."""
    first = case(3.0, 4.0)
    later = replace(first.incident, span=Span(3.0, 3600.0), severity=Severity.EXTREME)
    return replace(first, incident=later)


def manifest_of(outputs: Path) -> Manifest:
    """The manifest on disk."""
    found = shelf.read(outputs / "evidence" / "incident-0")
    assert found is not None
    return found


def test_the_pictures_stay_and_the_story_is_told(outputs: Path) -> None:
    """Every hash holds; the clip is byte for byte what it was, and the manifest says that it does not show all."""
    folder = outputs / "evidence" / "incident-0"
    before, clip = manifest_of(outputs), (folder / "clip.mp4").read_bytes()
    kept = renew(outputs, over(), 1800.0, CONTEXT, LIMITS)
    assert kept is not None
    after = manifest_of(outputs)
    assert (folder / "clip.mp4").read_bytes() == clip
    assert after.files == before.files
    assert after.source == before.source
    assert (before.incident.phase, after.incident.phase) == (Phase.OPEN, Phase.RESOLVED)
    assert (after.incident.end_s, after.decision.severity) == (3600.0, Severity.EXTREME)
    assert (before.taken.cut_short, after.taken.cut_short) == (False, True)
    assert set(kept.files) == {"manifest.json", "clip.mp4", "snapshot.jpg"}
    assert verify(folder, expected=kept.sha256s["manifest.json"]).ok
    assert see(folder / "clip.mp4").numbers[0] == 10
    assert not [path for path in (outputs / "evidence").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("recorded_from_s", [0.0, 1.0])
def test_where_the_source_is_still_there_it_is_cut_again(outputs: Path, recorded_from_s: float) -> None:
    """All of the incident is better than its beginning."""
    assert renew(outputs, over(), recorded_from_s, CONTEXT, LIMITS) is None


def test_where_nothing_was_made_there_is_nothing_to_keep(tmp_path: Path) -> None:
    """No evidence, or none with pictures."""
    assert renew(tmp_path, over(), math.inf, CONTEXT, LIMITS) is None
    collect(tmp_path, [over()], (), CONTEXT, LIMITS)
    assert renew(tmp_path, over(), math.inf, CONTEXT, LIMITS) is None


def test_damaged_pictures_are_not_passed_off_as_whole(outputs: Path) -> None:
    """They are not sealed a second time."""
    (outputs / "evidence" / "incident-0" / "clip.mp4").write_bytes(b"something else")
    assert renew(outputs, over(), math.inf, CONTEXT, LIMITS) is None


def test_a_disk_that_takes_nothing_leaves_what_was_there(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old manifest still holds."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shelf, "seal", full)
    with pytest.raises(OSError, match="No space"):
        renew(outputs, over(), math.inf, CONTEXT, LIMITS)
    assert verify(outputs / "evidence" / "incident-0").ok
    assert [path.name for path in (outputs / "evidence").iterdir()] == ["incident-0"]
