"""Evidence is let go of whole, and it is written down that it was."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from extension.evidence import digests
from extension.evidence.collect import collect
from extension.evidence.expiry import expire, expired, stored, sweep
from extension.evidence.parts import whole
from extension.evidence.retention import Stored
from extension.evidence.verify import folders
from tests.evidence.cases import CONTEXT, case
from tests.evidence.films import draw, every

AT = dt.datetime(2026, 5, 4, 12, 30, tzinfo=dt.UTC)


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """The outputs of all jobs, of which one has evidence of two incidents, and another has something else."""
    video = draw(tmp_path / "yard.mp4", every(4.0))
    collect(tmp_path / "outputs" / "job-1", [case(1.0, 2.0), case(2.0, 3.0, 1)], whole(video, 4.0), CONTEXT)
    (tmp_path / "outputs" / "job-2" / "other").mkdir(parents=True)
    (tmp_path / "outputs" / "job-2" / "summary.mp4").write_bytes(b"film")
    return tmp_path / "outputs"


def found(outputs: Path) -> dict[str, Stored]:
    """What there is, by incident."""
    return {one.incident_id: one for one in stored(outputs)}


def test_what_is_stored(outputs: Path) -> None:
    """Each incident's folder with its size and when it was made, and nothing that is no evidence."""
    both = found(outputs)
    assert set(both) == {"incident-0", "incident-1"}
    one = both["incident-0"]
    assert one.folder == outputs / "job-1" / "evidence" / "incident-0"
    assert one.size_bytes == sum(path.stat().st_size for path in one.folder.iterdir())
    assert abs((one.made_at - dt.datetime.now(dt.UTC)).total_seconds()) < 60
    os.utime(one.folder / "clip.mp4", (1, 1))
    assert found(outputs)["incident-0"].made_at == max(one.made_at, found(outputs)["incident-0"].made_at)


def test_there_may_be_none(tmp_path: Path) -> None:
    """No folder at all, or an empty one."""
    assert list(stored(tmp_path / "nowhere")) == []
    assert list(stored(tmp_path)) == []


@pytest.mark.parametrize("name", [".part-incident-9", ".old-incident-9", ".gone-incident-9"])
def test_what_is_half_made_or_half_gone_is_left_alone(outputs: Path, name: str) -> None:
    """It has not taken its place yet, or has left it."""
    (outputs / "job-1" / "evidence" / name).mkdir()
    assert set(found(outputs)) == {"incident-0", "incident-1"}


def test_it_goes_whole_and_its_hash_stays(outputs: Path) -> None:
    """The other incident's is not touched; an alert that told the hash can still be compared."""
    one = found(outputs)["incident-0"]
    digest = digests.of_file(one.folder / "manifest.json")
    expire(one, AT)
    assert set(found(outputs)) == {"incident-1"}
    assert not one.folder.exists()
    gone = expired(outputs / "job-1", "incident-0")
    assert gone is not None
    assert (gone.incident_id, gone.at, gone.manifest_sha256) == ("incident-0", AT, digest)
    assert expired(outputs / "job-1", "incident-1") is None
    assert expired(outputs / "job-1", "incident-") is None, "a prefix is no name"
    assert len(folders(outputs / "job-1" / "evidence")) == 1, "verify still finds its way"


def test_without_a_manifest_it_goes_too(outputs: Path) -> None:
    """Damaged evidence takes room as well; there is no hash to tell."""
    one = found(outputs)["incident-0"]
    (one.folder / "manifest.json").unlink()
    expire(one, AT)
    gone = expired(outputs / "job-1", "incident-0")
    assert gone is not None
    assert gone.manifest_sha256 is None


def test_evidence_made_anew_is_not_expired(outputs: Path, tmp_path: Path) -> None:
    """A job that is done again has its evidence again; when that goes, the later day counts."""
    expire(found(outputs)["incident-0"], AT)
    collect(outputs / "job-1", [case(1.0, 2.0)], whole(tmp_path / "yard.mp4", 4.0), CONTEXT)
    assert expired(outputs / "job-1", "incident-0") is None
    later = AT + dt.timedelta(days=1)
    expire(found(outputs)["incident-0"], later)
    gone = expired(outputs / "job-1", "incident-0")
    assert gone is not None
    assert gone.at == later


def test_a_list_that_is_damaged_breaks_nothing(outputs: Path) -> None:
    """Lines that are none are passed over."""
    expire(found(outputs)["incident-0"], AT)
    path = outputs / "job-1" / "evidence" / "EXPIRED"
    good = path.read_bytes()
    path.write_bytes(b"\xff\n\nnoise\nnever - incident-0\n" + good + b"not-a-day x incident-0\n")
    gone = expired(outputs / "job-1", "incident-0")
    assert gone is not None
    assert gone.at == AT


def test_where_it_cannot_be_written_down_it_stays(outputs: Path) -> None:
    """Nothing goes in silence."""
    (outputs / "job-1" / "evidence" / "EXPIRED").mkdir()
    with pytest.raises(OSError, match="directory"):
        expire(found(outputs)["incident-0"], AT)
    assert set(found(outputs)) == {"incident-0", "incident-1"}


def test_what_a_crash_left_is_swept(outputs: Path) -> None:
    """Half gone evidence goes; what is being made does not."""
    evidence = outputs / "job-1" / "evidence"
    for name in (".gone-incident-7", ".part-incident-8"):
        (evidence / name).mkdir()
        (evidence / name / "clip.mp4").write_bytes(b"x")
    sweep(outputs)
    assert not (evidence / ".gone-incident-7").exists()
    assert (evidence / ".part-incident-8" / "clip.mp4").exists()
    assert set(found(outputs)) == {"incident-0", "incident-1"}
