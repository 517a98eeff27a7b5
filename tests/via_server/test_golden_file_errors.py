"""Refusals around files, with the status and code that the real engine was seen to give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.via_server.conftest import Via, error_of
from tests.via_server.drawing import draw_sound_mp4

UNKNOWN = "1f0e2f6a-9d2f-4f39-9c0e-6f1d5b1c7a11"
NOT_A_VIDEO = (400, "InvalidFile", "File does not seem to be a valid MediaType.VIDEO file")


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize(
    ("file", "status", "code"), [(UNKNOWN, 400, "BadParameter"), ("nonsense", 422, "InvalidParameters")]
)
def test_unknown_files_are_refused(via: Via, method: str, file: str, status: int, code: str) -> None:
    """An id that is none is told from one that is not there."""
    assert error_of(getattr(via, method)(f"/files/{file}"))[:2] == (status, code)


def test_the_content_of_an_unknown_file_is_refused(via: Via) -> None:
    """As the file itself."""
    assert error_of(via.get(f"/files/{UNKNOWN}/content"))[2] == f"No such resource {UNKNOWN}"


@pytest.mark.parametrize("content", [b"", b"not a video at all", b"\x00\x00\x00\x18ftypmp42" + bytes(900)])
def test_what_is_no_video_is_refused(via: Via, tmp_path: Path, content: bytes) -> None:
    """Zero bytes, text, a header with nothing behind it."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert error_of(via.upload(path)) == NOT_A_VIDEO


def test_sound_alone_is_no_video(via: Via, tmp_path: Path) -> None:
    """Although its container is one of video."""
    assert error_of(via.upload(draw_sound_mp4(tmp_path / "clip.mp4"))) == NOT_A_VIDEO


@pytest.mark.parametrize(
    "name", ["a;b.mp4", "사고.mp4", "a/b.mp4", "a\\b.mp4", "..", ".", " ", "x" * 257, "a(1).mp4"]
)
def test_odd_file_names_are_refused(via: Via, clip: Path, name: str) -> None:
    """The engine's pattern; nothing is stored."""
    before = len(via.get("/files", params={"purpose": "vision"}).json()["data"])
    assert error_of(via.upload(clip, name))[:2] == (400, "BadParameters")
    assert len(via.get("/files", params={"purpose": "vision"}).json()["data"]) == before


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"media_type": "sound"}, "('body', 'media_type')"),
        ({"purpose": "fun"}, "('body', 'purpose')"),
        ({"camera_id": "cam 1"}, "('body', 'camera_id')"),
        ({"filename": "/media/a.mp4"}, "('body', 'file')"),
    ],
)
def test_wrong_form_fields_are_refused(via: Via, clip: Path, fields: dict[str, str], place: str) -> None:
    """With the field's name."""
    status, code, message = error_of(via.upload(clip, **fields))
    assert (status, code) == (422, "InvalidParameters")
    assert message.startswith(f"{place}: ")


@pytest.mark.parametrize("missing", ["purpose", "media_type", "file"])
def test_missing_form_fields_are_refused(via: Via, clip: Path, missing: str) -> None:
    """Each of the three is needed."""
    form: dict[str, Any] = {
        "purpose": (None, "vision"),
        "media_type": (None, "video"),
        "file": ("a.mp4", clip.read_bytes()),
    }
    del form[missing]
    status, code, message = error_of(via.post("/files", files=form))
    assert (status, code) == (422, "InvalidParameters")
    assert message.startswith(f"('body', '{missing}'): ")


def test_files_are_listed_by_purpose(via: Via, clip: Path) -> None:
    """The purpose is needed; another one than vision has no files."""
    file_id = via.add(clip)
    status, code, message = error_of(via.get("/files"))
    assert (status, code, message) == (422, "InvalidParameters", "('query', 'purpose'): Field required")
    assert via.get("/files", params={"purpose": "other"}).json() == {"data": [], "object": "list"}
    assert [entry["id"] for entry in via.get("/files", params={"purpose": "vision"}).json()["data"]] == [
        file_id
    ]


def test_images_are_not_served(via: Via, clip: Path) -> None:
    """The engine takes them; this server says that it does not."""
    assert error_of(via.upload(clip, media_type="image"))[:2] == (501, "NotImplemented")
