"""Evidence of a whole job: whole or not at all, the same when it is made again, and never the job's undoing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from extension.evidence import collect as module
from extension.evidence import shelf
from extension.evidence.account import Case
from extension.evidence.collect import Collected, Collection, Missing, collect
from extension.evidence.digests import Digests, Stopped
from extension.evidence.manifest import Manifest
from extension.evidence.parts import Part, whole
from extension.evidence.verify import verify
from extension.evidence.wanted import Limits
from extension.model import Severity
from tests.evidence.cases import CONTEXT, case, event, incident
from tests.evidence.films import draw, every, number_in, see

MEDIA_S = 20.0


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds, ten frames each."""
    return draw(tmp_path_factory.mktemp("video") / "yard.mp4", every(MEDIA_S))


def made(folder: Path, video: Path, cases: Sequence[Case] = (), limits: Limits | None = None) -> Collection:
    """Evidence of incidents in that video."""
    return collect(folder, cases or [case(8.0, 9.0)], whole(video, MEDIA_S), CONTEXT, limits or Limits())


def evidence(folder: Path, name: str = "incident-0") -> Path:
    """Where an incident's evidence is."""
    return folder / "evidence" / name


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def manifest_of(folder: Path, name: str = "incident-0") -> Manifest:
    """The manifest as it is on disk."""
    found = shelf.read(evidence(folder, name))
    assert found is not None
    return found


def test_an_incident_gets_clip_snapshot_and_manifest(tmp_path: Path, video: Path) -> None:
    """From five seconds before to five seconds after, and the frame at its start."""
    (one,) = made(tmp_path, video).collected
    assert one.files == ("manifest.json", "clip.mp4", "snapshot.jpg")
    assert one.missing == ()
    assert see(evidence(tmp_path) / "clip.mp4").numbers == list(range(30, 140))
    assert number_in(evidence(tmp_path) / "snapshot.jpg") == 80


def test_the_hashes_are_those_of_the_files(tmp_path: Path, video: Path) -> None:
    """In the result, in the manifest, and in a list that `sha256sum -c` reads."""
    (one,) = made(tmp_path, video).collected
    folder = evidence(tmp_path)
    for name, digest in one.sha256s.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert {file.name: file.sha256 for file in manifest_of(tmp_path).files} == {
        name: digest for name, digest in one.sha256s.items() if name != "manifest.json"
    }
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True, capture_output=True
    )
    assert manifest_of(tmp_path).source.files[0].sha256 == hashlib.sha256(video.read_bytes()).hexdigest()


def test_what_is_made_can_be_verified(tmp_path: Path, video: Path) -> None:
    """With the source, and with the hash that was told elsewhere."""
    (one,) = made(tmp_path, video).collected
    assert verify(evidence(tmp_path), video, one.sha256s["manifest.json"]).ok


def test_several_incidents_come_in_their_order(tmp_path: Path, video: Path) -> None:
    """Whether their clips overlap or not."""
    cases = [case(18.0, 19.0, 0), case(0.0, 0.5, 1), case(3.0, 3.5, 2), case(19.9, 20.0, 3)]
    result = made(tmp_path, video, cases)
    assert [one.incident_id for one in result.collected] == [f"incident-{n}" for n in range(4)]
    assert result.missing_count == 0
    assert see(evidence(tmp_path, "incident-1") / "clip.mp4").numbers == list(range(55))
    assert see(evidence(tmp_path, "incident-3") / "clip.mp4").numbers == list(range(149, 200))
    assert number_in(evidence(tmp_path, "incident-1") / "snapshot.jpg") == 0
    assert number_in(evidence(tmp_path, "incident-3") / "snapshot.jpg") == 199


def test_made_twice_it_is_the_same(tmp_path: Path, video: Path) -> None:
    """Byte by byte, in another place and on another day."""
    cases = [case(8.0, 9.0, 0), case(11.0, 12.0, 1)]
    made(tmp_path / "a", video, cases)
    made(tmp_path / "b", video, cases)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_what_is_there_already_stays(tmp_path: Path, video: Path) -> None:
    """Nothing is decoded again, not even by another version."""
    first = made(tmp_path, video).collected[0]
    before = contents(tmp_path)
    times = [p.stat().st_mtime_ns for p in sorted(evidence(tmp_path).iterdir())]
    (again,) = collect(
        tmp_path, [case(8.0, 9.0)], whole(video, MEDIA_S), replace(CONTEXT, version="9.9")
    ).collected
    assert again == replace(first, kept=True)
    assert contents(tmp_path) == before
    assert [p.stat().st_mtime_ns for p in sorted(evidence(tmp_path).iterdir())] == times


@pytest.mark.parametrize("name", ["clip.mp4", "snapshot.jpg", "manifest.json", "SHA256SUMS"])
@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_what_was_damaged_is_made_again_as_it_was(tmp_path: Path, video: Path, name: str, harm: str) -> None:
    """Also one of two that were cut together."""
    cases = [case(8.0, 9.0, 0), case(11.0, 12.0, 1)]
    made(tmp_path, video, cases)
    before = contents(tmp_path)
    harmed = evidence(tmp_path, "incident-1") / name
    if harm == "gone":
        harmed.unlink()
    else:
        harmed.write_bytes(harmed.read_bytes()[:-1] + b"?")
    assert [one.kept for one in made(tmp_path, video, cases).collected] == [True, False]
    assert contents(tmp_path) == before


def test_new_findings_get_new_evidence(tmp_path: Path, video: Path) -> None:
    """The old one is replaced whole."""
    made(tmp_path, video)
    longer = case(8.0, 11.0)
    (one,) = made(tmp_path, video, [longer]).collected
    assert not one.kept
    assert manifest_of(tmp_path).incident.end_s == 11.0
    assert see(evidence(tmp_path) / "clip.mp4").numbers == list(range(30, 160))


def test_a_crash_leaves_nothing_half(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for readers nor on the disk."""

    def crash(folder: Path, final: Path) -> None:
        del folder, final
        raise KeyboardInterrupt

    monkeypatch.setattr(shelf, "put", crash)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, video)
    assert contents(tmp_path) == {}


def test_a_killed_process_leaves_no_evidence_and_the_next_one_makes_it(tmp_path: Path, video: Path) -> None:
    """Killed in the middle of a clip: readers see nothing of it, and nothing of it stays."""
    program = f"""
import pathlib, sys, time
from extension.evidence.collect import collect
from extension.evidence.parts import whole
from extension.evidence.wanted import Limits
from tests.evidence.cases import CONTEXT, case
def linger(asked=iter(range(10**9))):
    if next(asked) == 60:
        print("half way", flush=True)
        time.sleep(600)
    return True
collect(pathlib.Path({str(tmp_path)!r}), [case(8.0, 9.0)], whole(pathlib.Path({str(video)!r}), 20.0), CONTEXT, Limits(), linger)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "half way\n"
        child.kill()
    assert [p.name for p in (tmp_path / "evidence").iterdir()] == [".part-incident-0"]
    assert shelf.read(evidence(tmp_path)) is None
    assert made(tmp_path, video).missing_count == 0
    assert [p.name for p in (tmp_path / "evidence").iterdir()] == ["incident-0"]
    assert verify(evidence(tmp_path)).ok


def test_what_a_dead_process_left_is_cleared_away(tmp_path: Path, video: Path) -> None:
    """At the next try."""
    for name in (".part-incident-0", ".old-incident-7"):
        evidence(tmp_path, name).mkdir(parents=True)
        (evidence(tmp_path, name) / "clip.mp4").write_bytes(b"half")
    made(tmp_path, video)
    assert [p.name for p in (tmp_path / "evidence").iterdir()] == ["incident-0"]


def test_a_service_that_stops_keeps_what_is_finished(tmp_path: Path, video: Path) -> None:
    """The rest is made when it starts again."""
    cases = [case(0.0, 0.5, 0), case(18.0, 19.0, 1)]
    finished = lambda: not (evidence(tmp_path, "incident-0") / "manifest.json").exists()  # noqa: E731 - a word for one line
    with pytest.raises(Stopped):
        collect(tmp_path, cases, whole(video, MEDIA_S), CONTEXT, Limits(), finished)
    assert [p.name for p in (tmp_path / "evidence").iterdir()] == ["incident-0"]
    assert [one.kept for one in made(tmp_path, video, cases).collected] == [True, False]


def test_an_incident_that_no_frame_shows_has_a_manifest(tmp_path: Path, video: Path) -> None:
    """Which says why there is no more; it is not tried again."""
    told = event(0.0, 0.0, chunk_index=-1)
    unseen = Case(incident(told), (told,), ())
    (one,) = made(tmp_path, video, [unseen]).collected
    assert one.files == ("manifest.json",)
    assert {lack.name for lack in one.missing} == {"clip.mp4", "snapshot.jpg"}
    assert verify(evidence(tmp_path)).ok
    assert made(tmp_path, video, [unseen]).collected[0].kept


def test_where_nothing_was_recorded_there_is_a_manifest(tmp_path: Path) -> None:
    """Of a camera that was down, for one."""
    (one,) = collect(tmp_path, [case(8.0, 9.0)], (), CONTEXT).collected
    assert one.files == ("manifest.json",)
    assert manifest_of(tmp_path).source.files == []
    assert verify(evidence(tmp_path)).ok


def test_a_source_that_is_gone_costs_the_pictures_alone(tmp_path: Path) -> None:
    """The manifest stands, and says what could not be made and why; the next try makes it."""
    gone = tmp_path / "gone" / "yard.mp4"
    (one,) = made(tmp_path, gone).collected
    assert one.files == ("manifest.json",)
    assert one.missing == (
        Missing("yard.mp4", "No such file or directory"),
        Missing("clip.mp4", "no frame can be decoded there; yard.mp4 cannot be read"),
        Missing("snapshot.jpg", "no frame can be decoded there; yard.mp4 cannot be read"),
    )
    assert str(tmp_path) not in (evidence(tmp_path) / "manifest.json").read_text("utf-8")
    gone.parent.mkdir()
    draw(gone, every(MEDIA_S))
    (again,) = made(tmp_path, gone).collected
    assert (again.missing, len(again.files)) == ((), 3)


def test_a_source_that_lost_its_end_says_from_where(tmp_path: Path, video: Path) -> None:
    """The clip holds what there is."""
    (one,) = collect(tmp_path, [case(22.0, 23.0)], whole(video, 60.0), CONTEXT).collected
    (lack,) = one.missing
    assert lack == Missing("clip.mp4", "nothing can be decoded from 20.90 s to 28.00 s")
    (clip, _) = manifest_of(tmp_path).files
    assert (clip.start_s, clip.end_s, clip.frames) == pytest.approx((17.0, 20.9, 30))


def test_a_bad_segment_is_named_beside_the_clip(tmp_path: Path, video: Path) -> None:
    """The clip lacks what it held."""
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"nothing")
    parts = (Part(video, 0.0, 10.0, 0.0), Part(bad, 0.0, 10.0, 10.0))
    (one,) = collect(tmp_path, [case(8.0, 9.0)], parts, CONTEXT).collected
    assert one.missing == (
        Missing("clip.mp4", "nothing can be decoded from 10.90 s to 14.00 s; bad.mp4 cannot be read"),
    )
    assert [file.name for file in manifest_of(tmp_path).source.files] == ["yard.mp4", "bad.mp4"]


def test_a_place_that_cannot_be_written_costs_no_job(tmp_path: Path, video: Path) -> None:
    """There is nothing, and it is counted."""
    (tmp_path / "evidence").write_text("in the way")
    result = made(tmp_path, video)
    assert result.collected == (
        Collected("incident-0", (), {}, (Missing("manifest.json", "Not a directory"),)),
    )
    assert result.missing_count == 1


def test_a_full_disk_under_one_incident_spares_the_others(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest of the one cannot be written; nothing half is left of it."""
    seal = shelf.seal

    def full(folder: Path, manifest: Manifest) -> dict[str, str]:
        if manifest.incident.id == "incident-0":
            raise OSError(28, "No space left on device")
        return seal(folder, manifest)

    monkeypatch.setattr(shelf, "seal", full)
    result = made(tmp_path, video, [case(8.0, 9.0, 0), case(9.0, 10.0, 1)])
    assert [one.files != () for one in result.collected] == [False, True]
    assert [p.name for p in (tmp_path / "evidence").iterdir()] == ["incident-1"]


def test_only_the_worst_of_too_many_get_evidence(tmp_path: Path, video: Path) -> None:
    """The others are named."""
    cases = [case(8.0, 9.0, 0, severity=Severity.WARN), case(9.0, 10.0, 1), case(10.0, 11.0, 2)]
    result = made(tmp_path, video, cases, Limits(incidents=2))
    assert [one.incident_id for one in result.collected] == ["incident-1", "incident-2"]
    assert result.left_out == ("incident-0",)


def test_no_incidents_are_no_work(tmp_path: Path, video: Path) -> None:
    """And no folder."""
    assert collect(tmp_path, [], whole(video, MEDIA_S), CONTEXT) == Collection(())
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "a/b", ".hidden"])
def test_an_id_is_never_a_way_out(tmp_path: Path, video: Path, name: str) -> None:
    """Evidence lies in its own folder and nowhere else."""
    with pytest.raises(ValueError, match="plain name"):
        made(tmp_path, video, [Case(incident(event(1.0, 2.0), name=name), (event(1.0, 2.0),), ())])


def test_the_source_is_hashed_once_for_all_incidents(
    tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be large."""
    looked: list[Path] = []

    class Counting(Digests):
        def of(self, path: Path) -> tuple[str, int]:
            if path not in self._known:
                looked.append(path)
            return super().of(path)

    monkeypatch.setattr(module, "Digests", Counting)
    made(tmp_path, video, [case(2.0, 3.0, 0), case(16.0, 17.0, 1), case(17.0, 18.0, 2)])
    assert looked == [video]


def test_a_manifest_is_json_in_a_steady_order(tmp_path: Path, video: Path) -> None:
    """People and other programs read it."""
    made(tmp_path, video)
    page = json.loads((evidence(tmp_path) / "manifest.json").read_text("utf-8"))
    assert list(page) == [
        "manifest",
        "program",
        "incident",
        "source",
        "asked",
        "answers",
        "decision",
        "taken",
        "files",
        "missing",
    ]
    assert page["taken"]["clip"] == {"start_s": 3.0, "end_s": 14.0}
