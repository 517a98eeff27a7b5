"""Checking evidence: what was changed, removed or exchanged is found and named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extension.errors import BadInput
from extension.evidence.collect import collect
from extension.evidence.parts import whole
from extension.evidence.verify import Finding, Outcome, folders, verify
from tests.evidence.cases import CONTEXT, case
from tests.evidence.films import draw, every


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence of two incidents beside their source; not to be changed."""
    folder = tmp_path_factory.mktemp("job")
    video = draw(folder / "yard.mp4", every(8))
    collect(folder, [case(4.0, 5.0, 0), case(5.0, 6.0, 1)], whole(video, 8.0), CONTEXT)
    return folder


@pytest.fixture
def evidence(original: Path, tmp_path: Path) -> Path:
    """A copy of one incident's evidence."""
    folder = tmp_path / "incident-0"
    folder.mkdir()
    for path in (original / "evidence" / "incident-0").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def failures(folder: Path, **told: Any) -> dict[str, str]:
    """What failed, and why."""
    return {f.item: f.detail for f in verify(folder, **told).findings if f.outcome is Outcome.FAIL}


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None], *, sealed: bool = True) -> None:
    """Change a manifest, and the list of hashes with it as a clever forger would."""
    path = folder / "manifest.json"
    old = hashlib.sha256(path.read_bytes()).hexdigest()
    page = json.loads(path.read_text("utf-8"))
    change(page)
    path.write_text(json.dumps(page, indent=2) + "\n", "utf-8")
    if sealed:
        sums = folder / "SHA256SUMS"
        sums.write_text(
            sums.read_text("utf-8").replace(old, hashlib.sha256(path.read_bytes()).hexdigest()), "utf-8"
        )


def flip(path: Path, place: int) -> None:
    """Change one bit of one byte."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_what_nobody_touched_passes(evidence: Path) -> None:
    """Every item has its own line; the source is not at hand and says so."""
    result = verify(evidence)
    assert result.ok
    assert (result.incident_id, result.folder) == ("incident-0", "incident-0")
    assert [f.item for f in result.findings if f.outcome is Outcome.PASS] == [
        "manifest.json",
        "version",
        "clip.mp4",
        "snapshot.jpg",
        "prompt simple_view.v1",
        "answer, chunk 2",
    ]
    assert Finding("source yard.mp4", Outcome.NOTE, "not checked; name it with --source") in result.findings


@pytest.mark.parametrize("name", ["clip.mp4", "snapshot.jpg"])
@pytest.mark.parametrize("place", [0, 500, -1])
def test_one_changed_bit_is_found(evidence: Path, name: str, place: int) -> None:
    """Wherever it is, and only in the file it is in."""
    flip(evidence / name, place)
    assert failures(evidence) == {name: "its content changed: the hash is not that in manifest.json"}


@pytest.mark.parametrize("name", ["clip.mp4", "snapshot.jpg", "manifest.json"])
def test_a_missing_file_is_found(evidence: Path, name: str) -> None:
    """And named."""
    (evidence / name).unlink()
    assert failures(evidence) == {name: "missing"}


def test_a_missing_list_of_hashes_is_found(evidence: Path) -> None:
    """Without it nothing says that the manifest is the one that was written."""
    (evidence / "SHA256SUMS").unlink()
    assert failures(evidence) == {"manifest.json": "SHA256SUMS, which holds its hash, is missing"}


@pytest.mark.parametrize("text", ["", "nonsense\n", "abc  clip.mp4\n", "\xff"])
def test_a_list_that_does_not_name_the_manifest_is_found(evidence: Path, text: str) -> None:
    """Whatever else is in it."""
    (evidence / "SHA256SUMS").write_bytes(text.encode("latin-1"))
    assert failures(evidence)["manifest.json"] == "SHA256SUMS does not name it"


def test_a_changed_manifest_is_found(evidence: Path) -> None:
    """By its own hash."""
    rewrite(evidence, lambda page: page["incident"].update(severity="safe"), sealed=False)
    assert failures(evidence) == {"manifest.json": "its hash is not the one in SHA256SUMS"}


@pytest.mark.parametrize(
    ("change", "item"),
    [
        (lambda page: page["answers"][0].update(text="all calm"), "answer, chunk 2"),
        (lambda page: page["asked"]["prompt"].update(user="Say that all is calm."), "prompt simple_view.v1"),
    ],
    ids=["answer", "prompt"],
)
def test_a_text_that_was_exchanged_is_found(
    evidence: Path, change: Callable[[dict[str, Any]], None], item: str
) -> None:
    """Even when the manifest was sealed again."""
    rewrite(evidence, change)
    assert failures(evidence) == {item: "its text is not the one that was hashed"}


def test_the_hash_that_an_alert_told_finds_a_clever_forger(evidence: Path) -> None:
    """Who sealed the manifest again: everything fits together, but it is not what was sent."""
    told = hashlib.sha256((evidence / "manifest.json").read_bytes()).hexdigest()
    assert failures(evidence, expected=told.upper()) == {}
    rewrite(evidence, lambda page: page["incident"].update(severity="safe"))
    assert failures(evidence) == {}
    assert failures(evidence, expected=told) == {
        "manifest.json (as told)": "it is not the manifest with that hash"
    }


def test_a_clip_that_was_exchanged_with_its_line_is_found(evidence: Path) -> None:
    """The list and the manifest must agree."""
    flip(evidence / "clip.mp4", 500)
    sums = evidence / "SHA256SUMS"
    digest = hashlib.sha256((evidence / "clip.mp4").read_bytes()).hexdigest()
    lines = [
        f"{digest}  clip.mp4" if "clip" in line else line for line in sums.read_text("utf-8").splitlines()
    ]
    sums.write_text("\n".join(lines) + "\n", "utf-8")
    assert set(failures(evidence)) == {"clip.mp4"}


def test_a_list_that_tells_another_hash_is_found(evidence: Path) -> None:
    """Although the clip is what the manifest says."""
    sums = evidence / "SHA256SUMS"
    lines = [
        f"{'0' * 64}  clip.mp4" if "clip" in line else line for line in sums.read_text("utf-8").splitlines()
    ]
    sums.write_text("\n".join(lines) + "\n", "utf-8")
    assert failures(evidence) == {"clip.mp4": "SHA256SUMS tells another hash than manifest.json"}


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_an_unknown_version_is_named(evidence: Path, version: object) -> None:
    """It is not read as if it were known."""
    rewrite(evidence, lambda page: page.update(manifest=version))
    assert failures(evidence) == {"version": f"{version!r} is not known; this program reads 1"}


def test_without_a_manifest_that_can_be_read_the_files_are_checked_all_the_same(evidence: Path) -> None:
    """By the list of hashes, and by no name in it that leads elsewhere."""
    rewrite(evidence, lambda page: page.update(manifest=2))
    with (evidence / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.write(f"{'0' * 64}  ../../outside\n")
    assert set(failures(evidence)) == {"version"}
    flip(evidence / "clip.mp4", 500)
    (evidence / "snapshot.jpg").unlink()
    assert failures(evidence) == {
        "version": "2 is not known; this program reads 1",
        "clip.mp4": "its content changed: the hash is not that in SHA256SUMS",
        "snapshot.jpg": "missing",
    }


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b'{"manifest": 1}'])
def test_what_is_no_manifest_fails(evidence: Path, content: bytes) -> None:
    """Whatever it is instead."""
    (evidence / "manifest.json").write_bytes(content)
    assert set(failures(evidence)) == {"manifest.json", "version"}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", ".hidden", "a/b"])
def test_a_name_in_a_manifest_is_never_a_way_out(evidence: Path, name: str) -> None:
    """A manifest may come from anywhere."""
    rewrite(evidence, lambda page: page["files"][0].update(name=name))
    assert failures(evidence) == {"version": "manifest.json does not follow version 1: files.0.name"}


def test_the_source_can_be_checked_too(evidence: Path, original: Path, tmp_path: Path) -> None:
    """By its content, whatever it is called now."""
    moved = tmp_path / "moved.mp4"
    moved.write_bytes((original / "yard.mp4").read_bytes())
    assert failures(evidence, source=moved) == {}
    flip(moved, -100)
    assert failures(evidence, source=moved) == {
        "source moved.mp4": "it is none of the files that the evidence was taken from"
    }
    assert failures(evidence, source=tmp_path / "gone.mp4") == {"source gone.mp4": "missing"}


def test_what_lies_beside_is_told_and_fails_nothing(evidence: Path) -> None:
    """A note of the operator's, for one."""
    (evidence / "note.txt").write_text("seen by the shift leader", "utf-8")
    result = verify(evidence)
    assert result.ok
    assert Finding("note.txt", Outcome.NOTE, "not part of the evidence") in result.findings


def test_what_could_not_be_made_is_told(tmp_path: Path) -> None:
    """It is not a fault of the evidence."""
    collect(tmp_path, [case(1.0, 2.0)], whole(tmp_path / "gone.mp4", 5.0), CONTEXT)
    result = verify(tmp_path / "evidence" / "incident-0")
    assert result.ok
    notes = [f.item for f in result.findings if f.detail.startswith("incomplete: ")]
    assert notes == ["gone.mp4", "clip.mp4", "snapshot.jpg"]


def test_a_path_may_mean_one_incident_or_all(original: Path) -> None:
    """The folder, its manifest, or the folder of all of them."""
    inside = original / "evidence"
    one = inside / "incident-0"
    assert folders(one) == folders(one / "manifest.json") == folders(one / "clip.mp4") == (one,)
    assert folders(inside) == (one, inside / "incident-1")


def test_where_there_is_nothing_one_is_told(tmp_path: Path) -> None:
    """By name, without the way there."""
    with pytest.raises(BadInput, match=r"^there is no evidence called 'nothing'$"):
        folders(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"^'empty' holds no evidence: there is no manifest.json in it$"):
        folders(tmp_path / "empty")


def _noting(**stats: Any) -> Callable[[dict[str, Any]], None]:
    """A change of what is kept with the first answer."""
    return lambda page: page["answers"][0]["stats"].update(stats)


def test_what_was_added_to_a_prompt_is_checked_too(evidence: Path) -> None:
    """The notes and zones of a camera, against their hash; an answer that kept the hash alone has nothing to check."""
    text = 'Zones: "3번 프레스"'
    digest = hashlib.sha256(text.encode()).hexdigest()
    rewrite(evidence, _noting(brief=digest))
    assert failures(evidence) == {}
    assert not any(finding.item.startswith("brief") for finding in verify(evidence).findings)
    rewrite(evidence, _noting(brief_text=text))
    assert failures(evidence) == {}
    assert Finding("brief, chunk 2", Outcome.PASS) in verify(evidence).findings
    for forged, kept in ((text + "!", digest), (text, "0" * 64), (text, None)):
        rewrite(evidence, _noting(brief_text=forged, brief=kept))
        assert list(failures(evidence)) == ["brief, chunk 2"]
