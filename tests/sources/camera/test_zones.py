"""What is said of cameras' places: the page's words win over the file's, outlive a restart, and are never lost by a failure."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
import structlog

from extension.errors import NotFound, Unavailable
from extension.model import Brief, Origin, Zone
from extension.sources.camera.zones import Briefs
from extension.wire import BriefIn

ODD_NAMES = ["gate", "GATE", "../../etc/passwd", "마당 2", "가" * 64, ".", "a/b", "CON", "x" * 64]
FILED = Brief("From the file.")
PAGE = BriefIn.model_validate(
    {
        "notes": "From the page.\n두 번째 줄",
        "zones": [{"name": "보행로", "kind": "walkway", "points": [[0, 0], [1, 0], [1, 1.0]]}],
    }
)
SAID = Brief("From the page.\n두 번째 줄", (Zone("보행로", "walkway", ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))),))


def opened(folder: Path, *names: str) -> Briefs:
    """The briefs of cameras, as at a start of the service."""
    return Briefs(folder, dict.fromkeys(names or ("gate",), FILED))


def test_the_file_holds_until_the_page_says_something(tmp_path: Path) -> None:
    """Nothing is written by looking."""
    briefs = opened(tmp_path / "cameras")
    assert briefs.of("gate") == (FILED, Origin.FILE)
    assert not (tmp_path / "cameras").exists()


def test_the_page_wins_and_outlives_a_restart(tmp_path: Path) -> None:
    """To the letter."""
    opened(tmp_path).save("gate", PAGE)
    assert opened(tmp_path).of("gate") == (SAID, Origin.PAGE)


def test_what_the_page_said_can_be_taken_back(tmp_path: Path) -> None:
    """Then the file holds again, also after a restart; taking back nothing is nothing."""
    briefs = opened(tmp_path)
    briefs.save("gate", PAGE)
    for _ in range(2):
        briefs.drop("gate")
        assert briefs.of("gate") == (FILED, Origin.FILE)
    assert opened(tmp_path).of("gate") == (FILED, Origin.FILE)
    assert list(tmp_path.iterdir()) == []


def test_the_page_may_say_that_there_is_nothing_to_say(tmp_path: Path) -> None:
    """An empty brief hides the file's; it is not none."""
    opened(tmp_path).save("gate", BriefIn())
    assert opened(tmp_path).of("gate") == (Brief(), Origin.PAGE)


def test_every_name_has_its_own_file(tmp_path: Path) -> None:
    """Whatever is in it: none leads out of the folder, none is another's, none is too long."""
    folder = tmp_path / "deep" / "cameras"
    briefs = opened(folder, *ODD_NAMES)
    for number, name in enumerate(ODD_NAMES):
        briefs.save(name, BriefIn(notes=f"number {number}"))
    files = list(folder.iterdir())
    assert len(files) == len(ODD_NAMES)
    assert all(file.is_file() and file.name == f"{file.stem}.json" for file in files)
    again = opened(folder, *ODD_NAMES)
    assert [again.of(name)[0].notes for name in ODD_NAMES] == [f"number {n}" for n in range(len(ODD_NAMES))]


def test_an_unknown_camera_has_no_brief(tmp_path: Path) -> None:
    """Neither to read nor to write; names are exact."""
    briefs = opened(tmp_path)
    for ask in (briefs.of, briefs.drop, lambda name: briefs.save(name, PAGE)):
        for name in ("attic", "Gate", "gate ", ""):
            with pytest.raises(NotFound, match="No camera is called"):
                ask(name)
    assert list(tmp_path.iterdir()) == []


def test_a_camera_that_left_the_file_gets_its_brief_back_with_it(tmp_path: Path) -> None:
    """What the page said of it is kept meanwhile."""
    opened(tmp_path, "gate", "yard").save("yard", PAGE)
    assert opened(tmp_path, "gate").of("gate") == (FILED, Origin.FILE)
    assert opened(tmp_path, "gate", "yard").of("yard") == (SAID, Origin.PAGE)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"camera": "gate", "brief"', id="cut-off"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b'{"camera": "gate", "brief": {"notes": 3}}', id="of-another-form"),
        pytest.param(b'{"camera": "gate", "brief": {}, "more": 1}', id="from-the-future"),
        pytest.param(b" " * (2 << 20), id="far-too-large"),
    ],
)
def test_a_damaged_file_is_told_of_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """The cameras' file holds meanwhile; the other cameras are not harmed; saving anew mends it."""
    before = opened(tmp_path, "gate", "yard")
    before.save("gate", PAGE)
    (file,) = tmp_path.iterdir()
    before.save("yard", PAGE)
    file.write_bytes(content)
    with structlog.testing.capture_logs() as logs:
        briefs = opened(tmp_path, "gate", "yard")
    assert [(log["event"], log["camera"], log["log_level"]) for log in logs] == [
        ("brief_unreadable", "gate", "error")
    ]
    assert briefs.of("gate") == (FILED, Origin.FILE)
    assert briefs.of("yard") == (SAID, Origin.PAGE)
    assert file.read_bytes() == content
    briefs.save("gate", PAGE)
    assert opened(tmp_path).of("gate") == (SAID, Origin.PAGE)


def test_a_file_that_speaks_of_another_camera_is_not_taken(tmp_path: Path) -> None:
    """Somebody copied it."""
    briefs = opened(tmp_path, "gate")
    briefs.save("gate", PAGE)
    (file,) = tmp_path.iterdir()
    page = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(page | {"camera": "yard"}), "utf-8")
    assert opened(tmp_path).of("gate") == (FILED, Origin.FILE)


def test_what_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """The caller learns why, without a path; what held before holds, and no half of a file is left."""
    folder = tmp_path / "cameras"
    briefs = opened(folder)
    briefs.save("gate", PAGE)
    (file,) = folder.iterdir()
    kept = file.read_bytes()
    (folder / f".{file.name}.part").mkdir()
    with pytest.raises(Unavailable, match="cannot be stored") as caught:
        briefs.save("gate", BriefIn(notes="New."))
    assert str(tmp_path) not in str(caught.value)
    assert briefs.of("gate") == (SAID, Origin.PAGE)
    assert file.read_bytes() == kept


def test_a_folder_that_is_a_file_is_an_error_for_the_caller(tmp_path: Path) -> None:
    """Not a crash of the service."""
    folder = tmp_path / "cameras"
    folder.write_text("in the way")
    with structlog.testing.capture_logs() as logs:
        briefs = opened(folder)
    assert [log["event"] for log in logs] == ["brief_unreadable"]
    with pytest.raises(Unavailable):
        briefs.save("gate", PAGE)
    with pytest.raises(Unavailable):
        briefs.drop("gate")
    assert briefs.of("gate") == (FILED, Origin.FILE)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Another file takes its place, so that a reader or a crash never sees half of one."""
    briefs = opened(tmp_path)
    briefs.save("gate", PAGE)
    (file,) = tmp_path.iterdir()
    held = file.open("rb")
    with held:
        briefs.save("gate", BriefIn(notes="New."))
        assert os.fstat(held.fileno()).st_ino != file.stat().st_ino
        assert json.loads(held.read())["brief"]["notes"] == PAGE.notes
    assert stat.S_ISREG(file.stat().st_mode)
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]


def test_writers_at_the_same_time_leave_one_whole_brief(tmp_path: Path) -> None:
    """What is in memory is what is on disk."""
    briefs = opened(tmp_path)

    def write(number: int) -> None:
        for _ in range(10):
            briefs.save("gate", BriefIn(notes=f"{number} " * 200))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    held, origin = briefs.of("gate")
    assert origin is Origin.PAGE
    assert len(set(held.notes.split())) == 1
    assert opened(tmp_path).of("gate") == (held, Origin.PAGE)
