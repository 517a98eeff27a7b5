"""When a camera is said to be down, and what its book says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.camera.book import Book
from extension.sources.camera.camera import Camera
from extension.sources.camera.reports import CameraDown, CameraUp, Picture, Seen, State, StorageDown, watch
from extension.sources.camera.segments import Stamp
from extension.sources.camera.timing import ClockReading
from extension.sources.camera.trouble import MESSAGES, Code
from tests.sources.camera.hands import START_AT, Hands, at

PATIENCE_S = 15.0
CAMERA = Camera("gate", "rtsp://joe:secret@h:554/1")


def look(seen: Seen, last_s: float, now_s: float) -> tuple[Seen, CameraDown | CameraUp | None]:
    """One look at a stalled camera."""
    return watch(seen, "gate", at(last_s), at(now_s), Code.STALLED, PATIENCE_S)


def test_a_camera_is_down_after_a_while() -> None:
    """And not before; since its last frame."""
    assert look(Seen(), 0, 15) == (Seen(), None)
    seen, news = look(Seen(), 0, 15.1)
    assert news == CameraDown("gate", at(0), at(15.1), Code.STALLED)
    assert seen.down == news


def test_it_is_said_once() -> None:
    """However long it lasts, and whatever its trouble becomes."""
    seen, _ = look(Seen(), 0, 20)
    for now_s in (21, 100, 100_000):
        seen, news = watch(seen, "gate", at(0), at(now_s), Code.UNREACHABLE, PATIENCE_S)
        assert news is None


def test_it_is_taken_back() -> None:
    """With the first frame, and tells what it takes back."""
    seen, _ = look(Seen(), 0, 20)
    seen, news = look(seen, 30, 30.5)
    assert news == CameraUp("gate", at(0), at(30.5), Code.STALLED)
    assert look(seen, 30, 31) == (Seen(), None)


@given(st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=40))
def test_down_and_up_take_turns(steps: list[tuple[float, bool]]) -> None:
    """Whatever comes when."""
    seen, now_s, last_s, said = Seen(), 0.0, 0.0, []
    for step_s, frame in steps:
        now_s += step_s
        last_s = now_s if frame else last_s
        seen, news = look(seen, last_s, now_s)
        if news is not None:
            said.append(type(news))
    assert said == [CameraDown, CameraUp] * (len(said) // 2) + [CameraDown] * (len(said) % 2)


@pytest.mark.parametrize("code", [Code.STALLED, Code.UNAUTHORIZED, Code.DISK_FULL])
def test_reports_have_words(code: Code) -> None:
    """For people."""
    assert CameraDown("gate", at(0), at(1), code).message == MESSAGES[code]
    assert StorageDown(at(0), code).message == MESSAGES[code]


@pytest.fixture
def hands() -> Hands:
    """The clock of a book."""
    return Hands()


def test_a_new_book(hands: Hands) -> None:
    """Nothing has come; the time counts as starting."""
    book = Book(CAMERA, hands, None)
    hands.sleep(3)
    status = book.status()
    assert (status.camera, status.address, status.state) == ("gate", "rtsp://h:554", State.CONNECTING)
    assert (status.frames, status.bytes, status.segments, status.reconnects) == (0, 0, 0, 0)
    assert (status.last_frame_at, status.picture, status.clock, status.code) == (None, None, None, None)
    assert status.account.lost_s == {Code.STARTING: 3.0}
    assert book.heard_at == START_AT
    assert book.code is Code.STARTING


def test_frames_and_segments_are_counted(hands: Hands) -> None:
    """With their bytes, and when the last came."""
    book = Book(CAMERA, hands, None)
    book.connected()
    book.shows(Picture("h264", 1920, 1080, 25.0))
    for _ in range(3):
        hands.sleep(1)
        book.frame(100, hands.monotonic_s())
    hands.sleep(5)
    assert book.stored(at(1), at(3)) != ()
    status = book.status()
    assert (status.state, status.frames, status.bytes, status.segments) == (State.RECORDING, 3, 300, 1)
    assert status.last_frame_at == at(3)
    assert status.picture == Picture("h264", 1920, 1080, 25.0)
    assert book.code is Code.STALLED
    assert status.account.captured_s == 2.0


def test_reconnects_are_connections_after_the_first(hands: Hands) -> None:
    """The first is none."""
    book = Book(CAMERA, hands, None)
    for count in range(3):
        book.connected()
        assert book.status().reconnects == count


def test_trouble_stays_until_a_segment_is_stored(hands: Hands) -> None:
    """With its words."""
    book = Book(CAMERA, hands, None)
    book.lost(Code.UNREACHABLE, at(0))
    book.waiting()
    status = book.status()
    assert (status.state, status.code, status.message) == (
        State.WAITING,
        Code.UNREACHABLE,
        MESSAGES[Code.UNREACHABLE],
    )
    book.connecting()
    assert book.status().state is State.CONNECTING
    book.stored(at(1), at(3))
    assert (book.status().code, book.status().message) == (None, "")


def test_a_clock_reading_is_shown(hands: Hands) -> None:
    """As it was taken."""
    book = Book(CAMERA, hands, None)
    reading = ClockReading(Stamp.NTP, 0.1, 12.0, wrong=False)
    book.read_clock(reading)
    assert book.status().clock == reading


@pytest.mark.parametrize(
    ("recorded_s", "since_s", "not_running_s"),
    [
        pytest.param(-60, -60, 60.0, id="a-minute-ago"),
        pytest.param(60, 0, None, id="in-the-future-is-not-believed"),
    ],
)
def test_what_was_recorded_before(
    hands: Hands, recorded_s: float, since_s: float, not_running_s: float | None
) -> None:
    """The account goes on from there."""
    account = Book(CAMERA, hands, at(recorded_s)).status().account
    assert account.since_at == at(since_s)
    assert account.lost_s.get(Code.NOT_RUNNING) == not_running_s


def test_our_clock_set_back_turns_no_time_back(hands: Hands) -> None:
    """Neither here nor in the account."""
    book = Book(CAMERA, hands, None)
    hands.sleep(10)
    before = book.now()
    hands.wall_s -= 3600
    hands.passed_s += 2
    assert book.now() > before
    assert book.status().account.lost_s[Code.STARTING] > 10


def test_a_stopped_camera_is_not_captured(hands: Hands) -> None:
    """The time after that is lost for that."""
    book = Book(CAMERA, hands, None)
    book.stored(at(0), at(2))
    hands.sleep(2)
    book.stopped()
    hands.sleep(5)
    status = book.status()
    assert status.state is State.STOPPED
    assert status.account.lost_s == {Code.NOT_RUNNING: 5.0}
    assert status.account.captured_s == 2.0
