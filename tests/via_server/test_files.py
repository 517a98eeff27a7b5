"""Storing, naming by path, listing, fetching and deleting files."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.via_server.conftest import ScriptedModel, Via, error_of, until
from via_server.assets import AssetStore, Room
from via_server.errors import StorageFull

Start = Callable[..., Via]


def stored(via: Via) -> list[str]:
    """What lies in the folder of uploads."""
    return sorted(path.name for path in via.settings.asset_dir.iterdir())


def test_an_upload_is_stored_shown_and_deleted(via: Via, clip: Path) -> None:
    """Its whole life, in the engine's shapes."""
    added = via.upload(clip, "plant 1_north-gate.mp4").json()
    file_id = added["id"]
    shown = {
        "id": file_id,
        "bytes": clip.stat().st_size,
        "filename": "plant 1_north-gate.mp4",
        "purpose": "vision",
    }
    assert added == shown | {"camera_id": None, "media_type": "video"}
    assert via.get(f"/files/{file_id}").json() == shown | {"camera_id": None}
    assert via.get("/files", params={"purpose": "vision"}).json() == {"data": [added], "object": "list"}
    assert via.get(f"/files/{file_id}/content").content == clip.read_bytes()
    assert stored(via) == [file_id]
    assert via.delete(f"/files/{file_id}").json() == {"id": file_id, "object": "file", "deleted": True}
    assert stored(via) == []
    assert error_of(via.delete(f"/files/{file_id}"))[1] == "BadParameter"


def test_a_refused_upload_leaves_nothing(via: Via, tmp_path: Path) -> None:
    """Neither a file nor taken room."""
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"x" * 100_000)
    assert via.upload(bad).status_code == 400
    assert stored(via) == []


@pytest.mark.parametrize("order", [["file", "purpose", "media_type"], ["media_type", "file", "purpose"]])
def test_form_fields_may_come_in_any_order(via: Via, clip: Path, order: list[str]) -> None:
    """Also after the file."""
    fields: dict[str, Any] = {
        "file": ("a.mp4", clip.read_bytes()),
        "purpose": (None, "vision"),
        "media_type": (None, "video"),
    }
    assert via.post("/files", files={name: fields[name] for name in order}).status_code == 200


def test_a_path_in_an_allowed_folder_is_used_where_it_lies(start: Start, clip: Path) -> None:
    """Nothing is copied, and deleting the asset leaves the file."""
    via = start("--allowed-media-dir", str(clip.parent))
    added = via.by_path(clip).json()
    assert (added["filename"], added["bytes"]) == (clip.name, clip.stat().st_size)
    assert stored(via) == []
    assert len(via.captions(added["id"])["chunk_responses"]) == 1
    assert via.get(f"/files/{added['id']}/content").content == clip.read_bytes()
    assert via.delete(f"/files/{added['id']}").status_code == 200
    assert clip.is_file()


def test_a_path_may_come_in_a_plain_form(start: Start, clip: Path) -> None:
    """Clients without a file to send encode the form as a query string."""
    via = start("--allowed-media-dir", str(clip.parent))
    form = {"purpose": "vision", "media_type": "video", "filename": str(clip)}
    assert via.post("/files", data=form).status_code == 200


def test_paths_outside_are_refused(start: Start, clip: Path, tmp_path: Path) -> None:
    """By name, by dots, by links, and whatever is no file; all with one answer, which tells nothing of what is there."""
    allowed, outside = tmp_path / "media", tmp_path / "media_private"
    for folder in (allowed, outside):
        folder.mkdir()
        (folder / "clip.mp4").write_bytes(clip.read_bytes())
    (allowed / "escape.mp4").symlink_to(outside / "clip.mp4")
    (allowed / "way_out").symlink_to(outside)
    (allowed / "loop.mp4").symlink_to(allowed / "loop.mp4")
    (allowed / "folder.mp4").mkdir()
    via = start("--allowed-media-dir", str(allowed))
    answers = {
        error_of(via.by_path(path))
        for path in (
            outside / "clip.mp4",
            allowed / ".." / "media_private" / "clip.mp4",
            allowed / "escape.mp4",
            allowed / "way_out" / "clip.mp4",
            allowed / "loop.mp4",
            allowed / "folder.mp4",
            allowed / "missing.mp4",
            "/etc/passwd",
            "../media/clip.mp4",
        )
    }
    assert answers == {(400, "BadParameter", "filename must be a file in a folder that this server may read")}
    assert via.by_path(allowed / "clip.mp4").status_code == 200


def test_a_link_inside_the_allowed_folder_is_fine(start: Start, clip: Path, tmp_path: Path) -> None:
    """As long as what it points to is inside too, and has a name the engine takes."""
    (tmp_path / "real.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real.mp4")
    via = start("--allowed-media-dir", str(tmp_path))
    assert via.by_path(tmp_path / "link.mp4").json()["filename"] == "real.mp4"


def test_without_allowed_folders_no_path_is(via: Via, clip: Path) -> None:
    """Reading the disk must be allowed explicitly."""
    assert error_of(via.by_path(clip))[:2] == (400, "BadParameter")


def test_an_odd_name_in_an_allowed_folder_is_refused(start: Start, clip: Path, tmp_path: Path) -> None:
    """It could not be shown in the engine's shapes."""
    path = tmp_path / "사고 1.mp4"
    path.write_bytes(clip.read_bytes())
    via = start("--allowed-media-dir", str(tmp_path))
    assert error_of(via.by_path(path))[:2] == (400, "BadParameters")


def test_a_long_path_is_refused(start: Start, tmp_path: Path) -> None:
    """The engine takes 256 characters."""
    via = start("--allowed-media-dir", str(tmp_path))
    assert error_of(via.by_path("/" + "x" * 256))[:2] == (422, "InvalidParameters")


def test_a_path_that_is_no_video_is_refused_and_left(start: Start, tmp_path: Path) -> None:
    """The file is not ours to remove."""
    path = tmp_path / "notes.mp4"
    path.write_text("notes")
    via = start("--allowed-media-dir", str(tmp_path))
    assert error_of(via.by_path(path))[1] == "InvalidFile"
    assert path.read_text() == "notes"


def test_a_referenced_file_that_vanished_is_told(start: Start, clip: Path, tmp_path: Path) -> None:
    """Its bytes cannot be fetched, its captions fail as a whole."""
    path = tmp_path / "a.mp4"
    path.write_bytes(clip.read_bytes())
    via = start("--allowed-media-dir", str(tmp_path))
    file_id = via.by_path(path).json()["id"]
    path.unlink()
    assert error_of(via.get(f"/files/{file_id}/content"))[1] == "InvalidFile"
    assert error_of(via.ask(file_id)) == (500, "InternalServerError", "Failed to generate VLM captions")
    assert via.delete(f"/files/{file_id}").status_code == 200


def test_uploads_stop_at_the_limit(start: Start, clip: Path, tmp_path: Path) -> None:
    """All uploads together; what was refused takes no room, what is deleted gives it back."""
    size = clip.stat().st_size
    via = start("--max-asset-bytes", str(size * 2))
    first = via.add(clip)
    via.add(clip)
    assert error_of(via.upload(clip)) == (503, "ServerBusy", "storage full")
    assert len(stored(via)) == 2
    via.delete(f"/files/{first}")
    via.add(clip)
    big = tmp_path / "big.mp4"
    big.write_bytes(bytes(8_000_000))
    assert error_of(via.upload(big))[0] == 503


def test_a_file_in_use_is_not_deleted(via: Via, model: ScriptedModel, clip: Path) -> None:
    """Until its captions are there."""
    file_id = via.add(clip)
    model.gate.clear()
    request = threading.Thread(target=via.captions, args=(file_id,), kwargs={"chunk_duration": 1})
    request.start()
    until(lambda: model.calls)
    status, code, _ = error_of(via.delete(f"/files/{file_id}"))
    assert (status, code) == (409, "ResourceInUse")
    model.gate.set()
    request.join(20)
    assert via.delete(f"/files/{file_id}").status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--x\r\n", "multipart/form-data"),
        (b"--x\r\n", "text/plain; boundary=x"),
        (b"garbage", "multipart/form-data; boundary=x"),
        (b"--x\r\nno header\r\n\r\n1\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nvis',
            "multipart/form-data; boundary=x",
        ),
        (b"", "multipart/form-data; boundary=x"),
        (b"a=" + b"b" * 70_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a=b" for _ in range(50)), "application/x-www-form-urlencoded"),
    ],
)
def test_broken_forms_are_refused(via: Via, body: bytes, kind: str) -> None:
    """And leave nothing."""
    status, code, _ = error_of(via.post("/files", data=body, headers={"content-type": kind}))
    assert (status, code) == (422, "InvalidParameters")
    assert stored(via) == []


def part(name: str, value: bytes, file: str = "") -> bytes:
    """One part of a form with boundary x."""
    filename = f'; filename="{file}"' if file else ""
    return (
        f'--x\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode() + value + b"\r\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(part("purpose", b"x" * 70_000), id="long-field"),
        pytest.param(b"".join(part(f"f{i}", b"1") for i in range(40)), id="many-fields"),
        pytest.param(part("file", b"1", "a.mp4") + part("file", b"2", "b.mp4"), id="two-files"),
    ],
)
def test_forms_out_of_proportion_are_refused(via: Via, body: bytes) -> None:
    """Memory and disk stay bounded."""
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert error_of(via.post("/files", data=body + b"--x--\r\n", headers=headers))[:2] == (
        422,
        "InvalidParameters",
    )
    assert stored(via) == []


def test_an_upload_broken_off_leaves_nothing(via: Via) -> None:
    """The client hangs up in the middle."""
    host, port = via.url.removeprefix("http://").split(":")
    head = (
        "POST /files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        "Content-Length: 1000000\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.encode() + part("purpose", b"vision") + part("file", b"z" * 50_000, "a.mp4"))
        until(lambda: stored(via))
    until(lambda: not stored(via))


def test_leftovers_of_an_earlier_run_are_removed_and_others_files_kept(tmp_path: Path) -> None:
    """Only folders with our mark are ours."""
    earlier = AssetStore(tmp_path, 10, ())
    earlier.open()
    left = earlier.new_folder(uuid.uuid4())
    (left / "media").write_bytes(b"123")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("keep")
    AssetStore(tmp_path, 10, ()).open()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_stopping_removes_uploads(start: Start, clip: Path) -> None:
    """They are copies; the caller has the originals."""
    via = start()
    via.add(clip)
    via.__exit__(None, None, None)
    assert stored(via) == []


def test_room_is_never_overbooked() -> None:
    """What does not fit takes nothing."""
    room = Room(10)
    room.take(7)
    with pytest.raises(StorageFull):
        room.take(4)
    room.take(3)
    room.give_back(7)
    assert room.taken_bytes == 3
