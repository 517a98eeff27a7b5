"""One camera's book: what it counts, what it says of silence, and that every second is on one side of its account."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.sources.camera.book import Book
from extension.sources.camera.camera import Camera
from extension.sources.camera.reports import Picture, State
from extension.sources.camera.trouble import MESSAGES, Code
from tests.store.values import NOON, SetClock

GATE = Camera("gate", "rtsp://admin:geheim@10.0.0.7:554/stream")


def second(number: float) -> dt.datetime:
    """So many seconds past noon."""
    return NOON + dt.timedelta(seconds=number)


@pytest.fixture
def clock() -> SetClock:
    """A clock at noon."""
    return SetClock()


@pytest.fixture
def book(clock: SetClock) -> Book:
    """A camera that nothing is known of."""
    return Book(GATE, clock, None)


def test_a_new_book_is_about_to_connect(book: Book) -> None:
    """Nothing counted, no trouble; its address shows no password."""
    status = book.status()
    assert (status.camera, status.address, status.state) == ("gate", "rtsp://10.0.0.7:554", State.CONNECTING)
    assert (status.code, status.message, status.last_frame_at) == (None, "", None)
    assert (status.frames, status.bytes, status.segments, status.reconnects) == (0, 0, 0, 0)
    assert (status.picture, status.clock, status.recent_gaps) == (None, None, ())
    assert "geheim" not in repr(status)


def test_frames_and_their_parts_are_counted(book: Book, clock: SetClock) -> None:
    """A part of a frame is bytes, not another frame; both are signs of life."""
    book.frame(1000, clock.monotonic_s())
    book.frame(500, clock.monotonic_s(), part=True)
    clock.pass_s(3)
    status = book.status()
    assert (status.frames, status.bytes, status.last_frame_at) == (1, 1500, NOON)
    assert book.heard_at == NOON


def test_the_first_connection_is_no_reconnection(book: Book) -> None:
    """The ones after it are."""
    seen = []
    for _ in range(3):
        book.connecting()
        assert book.status().state is State.CONNECTING
        book.connected()
        seen.append((book.status().state, book.status().reconnects))
        book.waiting()
        assert book.status().state is State.WAITING
    assert seen == [(State.RECORDING, 0), (State.RECORDING, 1), (State.RECORDING, 2)]


def test_silence_has_a_reason_before_and_after_the_first_frame(book: Book, clock: SetClock) -> None:
    """Starting, stalled, or the trouble that is known."""
    told = [book.code]
    assert book.heard_at == NOON
    book.frame(10, clock.monotonic_s())
    told.append(book.code)
    book.lost(Code.NOT_RUNNING, second(1))
    told.append(book.code)
    assert told == [Code.STARTING, Code.STALLED, Code.NOT_RUNNING]
    assert book.status().message == MESSAGES[Code.NOT_RUNNING]


def test_a_segment_ends_the_trouble(book: Book, clock: SetClock) -> None:
    """It is on disk: whatever was wrong is over, and the gap before it is closed with its reason."""
    clock.pass_s(20)
    book.lost(Code.STALLED, second(4))
    gaps = book.stored(second(10), second(20))
    assert book.status().code is None
    assert book.status().segments == 1
    assert sum(gap.duration_s for gap in gaps) == 10.0
    assert {gap.camera for gap in gaps} == {"gate"}
    assert book.cursor_at == second(20)
    assert book.status().account.captured_s == 10.0


def test_what_the_stream_is_stays_known(book: Book) -> None:
    """The last that was said."""
    for width in (640, 1920):
        book.shows(Picture("h264", width, 1080, 25.0))
    assert book.status().picture == Picture("h264", 1920, 1080, 25.0)


def test_the_time_that_the_service_did_not_run_is_lost(clock: SetClock) -> None:
    """From the end of what is on disk on; and said so."""
    book = Book(GATE, clock, second(-30))
    clock.pass_s(10)
    book.stored(second(2), second(10))
    account = book.status().account
    assert account.since_at == second(-30)
    assert account.lost_s[Code.NOT_RUNNING] == 30.0
    assert account.lost_s[Code.STARTING] == 2.0
    assert account.captured_s == 8.0


def test_a_recording_from_the_future_is_not_believed(clock: SetClock) -> None:
    """A clock that was put back: the account begins now."""
    book = Book(GATE, clock, second(3600))
    assert book.status().account.since_at == NOON
    assert not book.status().account.lost_s.get(Code.NOT_RUNNING)


def test_a_stopped_camera_loses_what_comes(book: Book, clock: SetClock) -> None:
    """For the reason that nobody captures it."""
    clock.pass_s(10)
    book.stored(second(0), second(10))
    book.stopped()
    clock.pass_s(5)
    status = book.status()
    assert status.state is State.STOPPED
    lost_or_pending = sum(status.account.lost_s.values()) + status.account.pending_s
    assert lost_or_pending == pytest.approx(5.0)


def test_the_wall_clock_never_runs_backwards(book: Book, clock: SetClock) -> None:
    """However it is put back."""
    clock.pass_s(10)
    first = book.now()
    clock.at -= dt.timedelta(seconds=600)
    assert book.now() >= first


steps = st.lists(
    st.tuples(
        st.sampled_from(["store", "lose", "wait"]),
        st.floats(0.1, 20).map(lambda s: round(s, 1)),
        st.sampled_from([Code.STALLED, Code.STARTING, Code.NOT_RUNNING]),
    ),
    max_size=15,
)


@settings(max_examples=80, deadline=None)
@given(steps)
def test_every_second_is_captured_lost_or_pending(made: list[tuple[str, float, Code]]) -> None:
    """Whatever happens in whatever order, the account is the time that passed."""
    clock = SetClock()
    book = Book(GATE, clock, None)
    on_disk = NOON
    for what, length_s, code in made:
        before = clock.now()
        clock.pass_s(length_s)
        if what == "store":
            start_at = max(before, on_disk)
            book.stored(start_at, clock.now())
            on_disk = clock.now()
        elif what == "lose":
            book.lost(code, clock.now())
        account = book.status().account
        told_s = account.captured_s + sum(account.lost_s.values()) + account.pending_s
        assert told_s == pytest.approx((clock.now() - NOON).total_seconds(), abs=1e-6)
        assert min([account.captured_s, account.pending_s, *account.lost_s.values()]) >= 0
