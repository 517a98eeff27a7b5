"""Logs that grow: rows checked one by one, batches stored once and for good, late rows in their places."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import shutil
import threading
import zoneinfo
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.errors import BadInput, BadTrajectory, NotFound, Unavailable
from extension.timetravel import live_book, live_log, live_receipt
from extension.timetravel.live_book import LiveBook
from extension.timetravel.live_log import KeyTaken, LiveLog
from extension.timetravel.live_receipt import Receipt
from extension.timetravel.live_rows import Batch, Fault, Kind, read_batch
from extension.timetravel.live_samples import Growing, counted, extend_all
from extension.timetravel.log_rows import Row
from extension.timetravel.trajectory import instant, micros
from extension.timetravel.trajectory_csv import parse_trajectory, read_trajectory

START = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
SEOUL = zoneinfo.ZoneInfo("Asia/Seoul")


def line(tick: int, number: int = 1, x: float = 0.0) -> str:
    """A CSV row of an object at a tick of a fifth of a second."""
    at = START + dt.timedelta(milliseconds=200 * tick)
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + f",obj{number:03d},{x},0.0,{10.0 * tick}\n"


def send(
    target: LiveLog | LiveBook, text: str, key: str | None = None, kind: Kind = Kind.CSV, name: str = "yard"
) -> Receipt:
    """Append a batch."""
    if isinstance(target, LiveBook):
        return target.append(name, text.encode(), kind, key)
    return target.append(read_batch(text.encode(), kind, dt.UTC), key, text.encode())


class TestRows:
    """Reading batches."""

    def test_lines_have_the_order_of_the_columns(self) -> None:
        """Without a header."""
        batch = read_batch((line(0) + "\n" + line(1, x=2.5)).encode(), Kind.CSV, dt.UTC)
        assert [(row.line, row.objid, row.place) for row in batch.rows] == [
            (1, "obj001", (0.0, 0.0, 0.0)),
            (3, "obj001", (2.5, 0.0, 10.0)),
        ]
        assert batch.faults == ()

    def test_a_header_may_name_another_order(self) -> None:
        """With further columns."""
        batch = read_batch(
            b"\xef\xbb\xbfz,note,y,x,objid,Timestamp\n3,n,2,1,a,2026-05-04T00:00:00Z\n", Kind.CSV, SEOUL
        )
        assert batch.rows == (Row(2, micros(START), "a", (1.0, 2.0, 3.0)),)

    def test_a_header_without_a_column_refuses_the_batch(self) -> None:
        """Every row would be wrong."""
        with pytest.raises(BadTrajectory, match="line 1: missing columns z"):
            read_batch(b"timestamp,objid,x,y\n" + line(0).encode(), Kind.CSV, dt.UTC)

    def test_ndjson_takes_text_and_numbers(self) -> None:
        """Ids may be numbers, coordinates may be text."""
        items = [
            {"timestamp": "2026-05-04 09:00:00", "objid": 7, "x": 1, "y": 2.5, "z": "-3"},
            {"timestamp": "2026-05-04T00:00:00Z", "objid": "b", "x": 0, "y": 0, "z": 0, "note": None},
        ]
        text = "\n".join(map(json.dumps, items))
        assert [(r.at_us, r.objid, r.place) for r in read_batch(text.encode(), Kind.NDJSON, SEOUL).rows] == [
            (micros(START), "7", (1.0, 2.5, -3.0)),
            (micros(START), "b", (0.0, 0.0, 0.0)),
        ]

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            pytest.param("2026-05-04,obj001,1,2,3", "'2026-05-04' is not a timestamp", id="no-time"),
            pytest.param("2026-05-04 00:00:00,obj001,1,2", "4 fields where the header has 5", id="short"),
            pytest.param("2026-05-04 00:00:00,,1,2,3", "objid is empty", id="no-id"),
            pytest.param("2026-05-04 00:00:00,a,nan,2,3", "x is 'nan', not a finite number", id="nan"),
            pytest.param("2026-05-04 00:00:00,a,1,2,1e12", "z is '1e12', beyond any place", id="too-far"),
            pytest.param('2026-05-04 00:00:00,"a,1,2,3', "not CSV (unexpected end of data)", id="open-quote"),
            pytest.param("2026-05-04 00:00:00,a\x07,1,2,3", "at most 200 printable letters", id="bell"),
            pytest.param(f"2026-05-04 00:00:00,{'a' * 201},1,2,3", "at most 200 printable", id="long-id"),
        ],
    )
    def test_a_bad_line_costs_no_other(self, row: str, reason: str) -> None:
        """It is told by its line, and why."""
        batch = read_batch((line(0) + row + "\n" + line(1)).encode(), Kind.CSV, dt.UTC)
        assert [r.line for r in batch.rows] == [1, 3]
        (fault,) = batch.faults
        assert fault.line == 2
        assert reason in fault.reason

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            pytest.param("{", "not JSON", id="cut"),
            pytest.param("[1]", "not a JSON object", id="list"),
            pytest.param("{}", "without timestamp, objid, x, y, z", id="empty"),
            pytest.param('{"timestamp":"t","objid":"a","x":1,"y":null,"z":1}', "without y", id="nothing"),
            pytest.param('{"timestamp":"t","objid":"a","x":1,"y":[],"z":1}', "y is neither text nor", id="list-in"),
            pytest.param('{"timestamp":"t","objid":"a","x":1,"y":true,"z":1}', "y is neither text nor", id="truth"),
            pytest.param('{"timestamp":"t","objid":"a","x":1,"y":1,"z":1}', "'t' is not a timestamp", id="time"),
            pytest.param(
                '{"timestamp":"2026-05-04 00:00:00","objid":"a","x":NaN,"y":1,"z":1}', "x is 'nan'", id="nan"
            ),
            pytest.param(
                '{"timestamp":"2026-05-04 00:00:00","objid":"a\\nb","x":1,"y":1,"z":1}', "printable", id="line-break"
            ),
            pytest.param('{"timestamp":1777852800,"objid":"a","x":1,"y":1,"z":1}', "not a timestamp", id="unix-time"),
            pytest.param(
                '{"timestamp":"2026-05-04 00:00:00","objid":"a","x":' + "9" * 5000 + ',"y":1,"z":1}', "", id="digits"
            ),
        ],
    )  # fmt: skip
    def test_a_bad_object_costs_no_other(self, row: str, reason: str) -> None:
        """Told by its line, and why."""
        good = '{"timestamp": "2026-05-04 00:00:00", "objid": "a", "x": 1, "y": 2, "z": 3}'
        batch = read_batch(f"{good}\n{row}\n".encode(), Kind.NDJSON, dt.UTC)
        assert [r.line for r in batch.rows] == [1]
        (fault,) = batch.faults
        assert fault.line == 2
        assert reason in fault.reason

    def test_what_is_no_text_is_refused_by_line(self) -> None:
        """In either form."""
        for kind in Kind:
            with pytest.raises(BadTrajectory, match="line 2: not UTF-8 text"):
                read_batch(b"ok\n\xff\n", kind, dt.UTC)

    @given(st.binary(max_size=200), st.sampled_from(Kind))
    def test_whatever_is_sent_is_rows_and_faults(self, data: bytes, kind: Kind) -> None:
        """Or one refusal; no other error."""
        try:
            batch = read_batch(data, kind, dt.UTC)
        except BadTrajectory:
            return
        assert all(fault.line >= 1 and fault.reason for fault in batch.faults)


class TestSamples:
    """Samples in memory."""

    @given(st.lists(st.integers(0, 500), unique=True, min_size=1, max_size=60), st.integers(1, 9))
    def test_rows_in_any_order_end_in_order(self, ticks: list[int], size: int) -> None:
        """Whatever the batches are."""
        samples: dict[str, Growing] = {}
        for first in range(0, len(ticks), size):
            extend_all(samples, [Row(1, t, "a", (float(t), 0.0, 0.0)) for t in ticks[first : first + size]])
        growing = samples["a"]
        assert growing.at_us.tolist() == sorted(ticks)
        assert len(growing) == len(ticks)
        assert all(growing.place_of(t) == (float(t), 0.0, 0.0) for t in ticks)
        assert growing.place_of(-1) is None
        assert growing.place_of(501) is None

    def test_room_grows_with_the_rows(self) -> None:
        """Thousands, in small batches."""
        growing = Growing()
        for first in range(0, 3_000, 100):
            ticks = np.arange(first, first + 100)
            growing.extend(ticks, np.repeat(ticks[:, np.newaxis], 3, axis=1).astype(float))
        assert growing.at_us.tolist() == list(range(3_000))
        track = growing.track(500, 600)
        assert track is not None
        assert track.at_us.tolist() == list(range(499, 602))
        assert counted({"a": growing}, 500, 600) == 101

    def test_a_copy_does_not_change_with_the_next_row(self) -> None:
        """Whoever asked keeps what was true then."""
        growing = Growing()
        growing.extend(np.array([1, 5]), np.zeros((2, 3)))
        track = growing.track(0, 9)
        assert track is not None
        growing.extend(np.array([3]), np.ones((1, 3)))
        assert track.at_us.tolist() == [1, 5]
        assert growing.at_us.tolist() == [1, 3, 5]
        assert Growing().track(0, 9) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of one log."""
    return tmp_path / "yard"


class TestLog:
    """One log on disk."""

    def test_rows_are_counted_and_kept(self, folder: Path) -> None:
        """Over a restart, to the last bit."""
        log = LiveLog(folder)
        receipt = send(log, line(0, x=0.1) + line(1, x=1 / 3) + line(1, 2))
        assert receipt == Receipt(accepted=3, late=0, repeated=0, rejected=0, faults=(), rows=3)
        again = LiveLog(folder)
        assert again.summary == log.summary
        part = again.part(0, 2**62)
        assert part is not None
        assert part.tracks["obj001"].places[:, 0].tolist() == [0.1, 1 / 3]
        assert [(o.objid, o.label, o.rows) for o in again.objects()] == [
            ("obj001", "1", 2),
            ("obj002", "2", 1),
        ]

    def test_a_batch_sent_again_with_its_key_changes_nothing(self, folder: Path) -> None:
        """It gets the same answer, after a restart too."""
        log = LiveLog(folder)
        first = send(log, line(0) + "bad\n", "k1")
        assert first.rejected == 1
        assert send(log, line(0) + "bad\n", "k1") == first
        again = LiveLog(folder)
        assert send(again, line(0) + "bad\n", "k1") == first
        assert again.summary.rows == 1
        assert again.summary.batches == 1

    def test_a_key_of_another_batch_is_refused(self, folder: Path) -> None:
        """Rows would be lost without a word."""
        log = LiveLog(folder)
        send(log, line(0), "k1")
        with pytest.raises(KeyTaken, match="'k1' was used for other rows"):
            send(log, line(1), "k1")
        assert log.summary.rows == 1

    def test_rows_sent_again_without_a_key_count_once(self, folder: Path) -> None:
        """Within a batch and over batches; another place for the same sample is refused by line."""
        log = LiveLog(folder)
        assert send(log, line(0) + line(0)).repeated == 1
        receipt = send(log, line(1) + line(0) + line(0, x=5.0) + line(1, x=6.0))
        assert (receipt.accepted, receipt.repeated, receipt.rejected) == (1, 1, 2)
        assert [fault.line for fault in receipt.faults] == [3, 4]
        assert receipt.faults[0].reason == (
            "another place for 'obj001' at 2026-05-04 00:00:00.000 UTC than the one stored before"
        )

    def test_late_rows_come_to_their_places(self, folder: Path) -> None:
        """And are counted; another object's clock is its own."""
        log = LiveLog(folder)
        send(log, line(5, x=5.0) + line(9, x=9.0))
        receipt = send(log, line(7, x=7.0) + line(2, 2) + line(1, 2) + line(10, x=10.0))
        assert (receipt.accepted, receipt.late) == (4, 2)
        part = log.part(0, 2**62)
        assert part is not None
        assert part.tracks["obj001"].places[:, 0].tolist() == [5.0, 7.0, 9.0, 10.0]
        assert log.summary.start_us == micros(START) + 200_000

    def test_a_log_begins_with_its_first_good_row(self, folder: Path) -> None:
        """Nonsense makes no folder."""
        log = LiveLog(folder)
        assert send(log, "nonsense\n").rejected == 1
        assert not folder.exists()
        send(log, line(0))
        send(log, "nonsense\n")
        assert log.summary.rejected == 1
        assert log.summary.last_fault == "line 1: 1 fields where the header has 5"

    @pytest.mark.parametrize("torn", ["log", "journal", "both", "half-line", "no-journal"])
    def test_what_a_crash_left_is_cut_off(self, folder: Path, torn: str) -> None:
        """The rows of whole batches stay, and the sender's next try is stored."""
        log = LiveLog(folder)
        send(log, line(0), "k1")
        before = (folder / "log.csv").read_bytes()
        if torn == "no-journal":
            (folder / "journal.jsonl").unlink()
            assert send(LiveLog(folder), line(3)).rows == 1
            assert read_trajectory(folder / "log.csv").start_at == START + dt.timedelta(seconds=0.6)
            return
        if torn in {"log", "both", "half-line"}:
            with (folder / "log.csv").open("a") as file:
                file.write(line(1) if torn != "half-line" else line(1)[:20])
        if torn in {"journal", "both"}:
            with (folder / "journal.jsonl").open("a") as file:
                file.write('{"summary": {"rows": 2')
        again = LiveLog(folder)
        assert (folder / "log.csv").read_bytes() == before
        assert send(again, line(1), "k2").rows == 2
        assert len(read_trajectory(folder / "log.csv").tracks["obj001"].at_us) == 2
        assert LiveLog(folder).summary.rows == 2

    def test_a_log_that_lost_rows_is_not_written_on(self, folder: Path) -> None:
        """A person has to look at it."""
        send(LiveLog(folder), line(0) + line(1))
        os.truncate(folder / "log.csv", 40)
        with pytest.raises(Unavailable, match="'yard' has lost rows"):
            LiveLog(folder)

    def test_a_full_disk_stores_nothing_and_loses_nothing(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The batch can be sent again."""
        log = LiveLog(folder)
        send(log, line(0))
        before = (folder / "log.csv").read_bytes()

        def full(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="No space left"):
                send(log, line(1), "k")
        assert (folder / "log.csv").read_bytes() == before
        assert log.summary.rows == 1
        assert send(log, line(1), "k").rows == 2

    def test_limits_are_told(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Too many rows for a log, for a question, and too many objects."""
        log = LiveLog(folder)
        send(log, line(0) + line(1))
        monkeypatch.setattr(live_log, "MOST_ROWS", 3)
        with pytest.raises(BadInput, match="would have more than 3 rows"):
            send(log, line(2) + line(3))
        monkeypatch.setattr(live_log, "MOST_AT_ONCE", 1)
        with pytest.raises(BadInput, match="has more than 1 rows; ask for a shorter one"):
            log.part(0, 2**62)
        monkeypatch.setattr(live_receipt, "MOST_OBJECTS", 1)
        (fault,) = send(log, line(2, 2)).faults
        assert fault == Fault(1, "more than 1 different objids")

    def test_only_the_first_hundred_faults_are_told_and_all_are_counted(self, folder: Path) -> None:
        """An answer stays short."""
        receipt = send(LiveLog(folder), "bad\n" * 250 + line(0))
        assert (receipt.rejected, len(receipt.faults)) == (250, 100)

    def test_only_so_many_keys_are_remembered(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The oldest is forgotten; its rows still count once."""
        monkeypatch.setattr(live_log, "_KEYS_KEPT", 2)
        log = LiveLog(folder)
        for tick in range(3):
            send(log, line(tick), f"k{tick}")
        assert send(log, line(0), "k0").repeated == 1

    def test_a_snapshot_does_not_grow(self, folder: Path) -> None:
        """A job reads the log as it was when it was asked for."""
        log = LiveLog(folder)
        send(log, line(0))
        file = log.snapshot()
        send(log, line(1))
        assert len(read_trajectory(file).tracks["obj001"].at_us) == 1
        assert log.snapshot() != file
        assert log.snapshot() == log.snapshot()
        assert len(read_trajectory(log.snapshot()).tracks["obj001"].at_us) == 2

    @given(
        st.lists(st.tuples(st.integers(0, 40), st.integers(1, 3)), min_size=1, max_size=50),
        st.integers(1, 12),
        st.randoms(use_true_random=False),
    )
    @settings(max_examples=25)
    def test_what_was_sent_is_what_is_read(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        ticks: list[tuple[int, int]],
        size: int,
        chance: random.Random,
    ) -> None:
        """Whatever the order, the batches and the repetitions, and over restarts."""
        folder = tmp_path_factory.mktemp("live") / "log"
        lines = [line(tick, number, x=tick * 1.5) for tick, number in ticks]
        log = LiveLog(folder)
        for first in range(0, len(lines), size):
            send(log, "".join(lines[first : first + size]))
            if chance.random() < 0.3:
                log = LiveLog(folder)
        part, expected = log.part(0, 2**62), parse_trajectory("timestamp,objid,x,y,z\n" + "".join(lines))
        assert part is not None
        assert part.objids == expected.objids == read_trajectory(folder / "log.csv").objids
        for objid, track in expected.tracks.items():
            assert np.array_equal(part.tracks[objid].at_us, track.at_us)
            assert np.array_equal(part.tracks[objid].places, track.places)
        assert log.summary.rows == len(set(ticks))


class TestBook:
    """All logs of a service."""

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "a/b", "a.b", "-a", "_a", "ä", "a" * 65, "a\n", "a b", "../x"]
    )
    def test_a_name_is_no_path(self, tmp_path: Path, name: str) -> None:
        """Letters, digits, hyphens and underscores only."""
        book = LiveBook(tmp_path)
        with pytest.raises(BadInput, match="the name of a log must be"):
            send(book, line(0), name=name)
        for ask in (book.summary, book.objects, book.warnings, book.snapshot, book.delete):
            with pytest.raises(NotFound):
                ask(name)
        assert list(tmp_path.iterdir()) == []

    def test_logs_are_listed_and_removed(self, tmp_path: Path) -> None:
        """By name; a removed one can begin anew."""
        book = LiveBook(tmp_path / "deep" / "logs")
        assert book.names() == []
        for name in ("b", "a"):
            send(book, line(0), "k", name=name)
        assert book.names() == ["a", "b"]
        book.delete("a")
        assert book.names() == ["b"]
        with pytest.raises(NotFound, match="no trajectory 'a'"):
            book.summary("a")
        assert send(book, line(5), "k", name="a").rows == 1

    def test_times_without_a_zone_are_in_the_books(self, tmp_path: Path) -> None:
        """Midnight in Seoul is three in the afternoon in Greenwich."""
        book = LiveBook(tmp_path, SEOUL)
        send(book, line(0))
        assert instant(book.summary("yard").start_us) == START - dt.timedelta(hours=9)

    def test_what_is_odd_about_a_log_is_told(self, tmp_path: Path) -> None:
        """Over all batches, and in its last minutes."""
        book = LiveBook(tmp_path)
        send(book, "".join(line(t, x=0.01 * t).replace(f"{10.0 * t}", f"{0.1 * t}") for t in range(60)))
        assert len(book.warnings("yard")) == 1
        assert "are they metres?" in book.warnings("yard")[0]
        send(book, line(0).replace(",0.0,0.0", ",0.0,0.0") + "bad\n" + line(100, 2) + line(90, 2))
        told = book.warnings("yard")
        assert told[0].startswith("1 row was rejected (the last: line 2: 1 fields")
        assert "1 row was late and put in their places" in told

    def test_few_logs_are_open_at_a_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The others are read again when asked for."""
        monkeypatch.setattr(live_book, "_MOST_OPEN", 2)
        book = LiveBook(tmp_path)
        for number in range(5):
            send(book, line(number), name=f"log{number}")
        assert len(book._open) == 2
        assert [book.summary(f"log{n}").rows for n in range(5)] == [1] * 5

    def test_what_was_being_removed_is_removed(self, tmp_path: Path) -> None:
        """At the next start."""
        book = LiveBook(tmp_path)
        send(book, line(0))
        shutil.copytree(tmp_path / "yard", tmp_path / ".going-yard")
        assert LiveBook(tmp_path).names() == ["yard"]
        assert not (tmp_path / ".going-yard").exists()

    def test_many_senders_lose_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Threads that write to and read from more logs than are open."""
        monkeypatch.setattr(live_book, "_MOST_OPEN", 1)
        book = LiveBook(tmp_path)
        failed: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for tick in range(12):
                    send(book, line(tick, number), f"{number}-{tick}", name=f"log{tick % 3}")
                    book.part(f"log{tick % 3}", 0, 2**62)
            except (BadInput, OSError, NotFound) as exc:
                failed.append(exc)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert sum(book.summary(name).rows for name in book.names()) == 4 * 12
        assert [len(LiveLog(tmp_path / name).objects()) for name in book.names()] == [4, 4, 4]


def test_an_empty_batch_is_no_batch(tmp_path: Path) -> None:
    """Nothing in, nothing out."""
    empty: Sequence[Row] = ()
    receipt = LiveLog(tmp_path / "a").append(Batch(tuple(empty), ()), None, b"")
    assert receipt == Receipt(0, 0, 0, 0, (), 0)
