"""A growing log is the same log however its rows come: in any batches, any order, twice, or with a restart between."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.errors import BadInput, BadTrajectory, NotFound
from extension.timetravel.live_book import LiveBook
from extension.timetravel.live_log import JOURNAL, LOG, LiveLog
from extension.timetravel.live_receipt import Receipt
from extension.timetravel.live_rows import Kind, read_batch
from extension.timetravel.live_samples import Growing, counted, extend_all
from extension.timetravel.log_rows import Row
from extension.timetravel.trajectory import micros
from extension.timetravel.trajectory_csv import read_trajectory

START = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
START_US = micros(START)
Sample = tuple[int, str, float]
"""Tick of a fifth of a second, objid, and x in centimetres."""

samples = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["obj001", "obj002", "crane"]), st.floats(-1e6, 1e6)),
    min_size=1,
    max_size=20,
    unique_by=lambda sample: sample[:2],
)


def csv_of(rows: Sequence[Sample]) -> bytes:
    """The rows as a batch of CSV lines."""
    return "".join(
        f"{START + dt.timedelta(milliseconds=200 * tick):%Y-%m-%d %H:%M:%S.%f},{objid},{x!r},0.0,{tick}.5\n"
        for tick, objid, x in rows
    ).encode()


def ndjson_of(rows: Sequence[Sample]) -> bytes:
    """The same as lines of JSON."""
    return "".join(
        json.dumps(
            {
                "timestamp": (START + dt.timedelta(milliseconds=200 * tick)).isoformat(),
                "objid": objid,
                "x": x,
                "y": 0,
                "z": tick + 0.5,
            }
        )
        + "\n"
        for tick, objid, x in rows
    ).encode()


def held(log: LiveLog) -> dict[str, list[tuple[int, float]]]:
    """Every sample of a log: tick and x, by object."""
    part = log.part(START_US - 10**9, START_US + 10**9)
    assert part is not None
    return {
        objid: [
            ((at_us - START_US) // 200_000, x)
            for at_us, (x, _, _) in zip(track.at_us.tolist(), track.places.tolist(), strict=True)
        ]
        for objid, track in part.tracks.items()
    }


def expected(rows: Sequence[Sample]) -> dict[str, list[tuple[int, float]]]:
    """What must be held of these rows."""
    return {
        objid: sorted((tick, x) for tick, who, x in rows if who == objid)
        for objid in {who for _, who, _ in rows}
    }


def sent(log: LiveLog, data: bytes, key: str | None = None, kind: Kind = Kind.CSV) -> Receipt:
    """Append a batch."""
    return log.append(read_batch(data, kind, dt.UTC), key, data)


@settings(max_examples=12, deadline=None)
@given(rows=samples, cuts=st.lists(st.integers(0, 20), max_size=3), chance=st.randoms(use_true_random=False))
def test_a_log_does_not_depend_on_its_batches(
    rows: list[Sample], cuts: list[int], chance: random.Random
) -> None:
    """Cut anywhere, shuffled, and opened anew before every batch: the samples are those of the rows, in order of time."""
    shuffled = list(rows)
    chance.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        for first, last in itertools.pairwise([0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]):
            if first < last:
                receipt = sent(LiveLog(Path(folder) / "log"), csv_of(shuffled[first:last]))
                assert (receipt.accepted, receipt.rejected, receipt.rows) == (last - first, 0, last)
        log = LiveLog(Path(folder) / "log")
        assert held(log) == expected(rows)
        assert (log.summary.rows, log.summary.rejected, log.summary.repeated) == (len(rows), 0, 0)
        ticks = [tick for tick, _, _ in rows]
        assert log.summary.start_us == START_US + min(ticks) * 200_000
        assert log.summary.end_us == START_US + max(ticks) * 200_000


@settings(max_examples=10, deadline=None)
@given(rows=samples, again=st.integers(1, 3))
def test_rows_that_are_sent_again_count_once(rows: list[Sample], again: int) -> None:
    """Without a key they are told as repeated; the log stays."""
    with tempfile.TemporaryDirectory() as folder:
        log = LiveLog(Path(folder) / "log")
        sent(log, csv_of(rows))
        for _ in range(again):
            receipt = sent(log, csv_of(rows))
            assert (receipt.accepted, receipt.repeated, receipt.rows) == (0, len(rows), len(rows))
        assert held(log) == expected(rows)
        assert log.summary.repeated == again * len(rows)


@settings(max_examples=10, deadline=None)
@given(rows=samples)
def test_another_place_for_a_known_instant_is_refused(rows: list[Sample]) -> None:
    """The first word counts, and the sender is told which line it was."""
    with tempfile.TemporaryDirectory() as folder:
        log = LiveLog(Path(folder) / "log")
        sent(log, csv_of(rows))
        receipt = sent(log, csv_of([(tick, objid, x + 1.0) for tick, objid, x in rows]))
        assert (receipt.accepted, receipt.rejected) == (0, len(rows))
        assert [fault.line for fault in receipt.faults] == list(range(1, len(rows) + 1))
        assert all("another place" in fault.reason for fault in receipt.faults)
        assert held(log) == expected(rows)


@settings(max_examples=10, deadline=None)
@given(rows=samples)
def test_both_ways_of_writing_say_the_same(rows: list[Sample]) -> None:
    """CSV and NDJSON, number for number."""
    one, other = read_batch(csv_of(rows), Kind.CSV, dt.UTC), read_batch(ndjson_of(rows), Kind.NDJSON, dt.UTC)
    assert one == other
    assert one.faults == ()


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=80) | st.text(max_size=80).map(str.encode), kind=st.sampled_from(list(Kind)))
def test_any_bytes_are_rows_or_named_lines(data: bytes, kind: Kind) -> None:
    """Or refused as a whole; every filled line but a header is one or the other."""
    try:
        batch = read_batch(data, kind, dt.UTC)
    except BadTrajectory as exc:
        complaint = str(exc)
    else:
        complaint = "line"
        assert all(fault.reason and fault.line >= 1 for fault in batch.faults)
        assert len({row.line for row in batch.rows} & {fault.line for fault in batch.faults}) == 0
    assert "line" in complaint


@settings(max_examples=10, deadline=None)
@given(rows=samples, cut=st.integers(1, 60))
def test_what_a_crash_left_half_written_is_gone(rows: list[Sample], cut: int) -> None:
    """Rows without their line in the journal, or half a line of it: the sender sends again and all is there."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "log"
        sent(LiveLog(place), csv_of([(99, "first", 0.0)]))
        whole = (place / JOURNAL).read_bytes()
        sent(LiveLog(place), csv_of(rows), "k")
        second = (place / JOURNAL).read_bytes()[len(whole) :]
        (place / JOURNAL).write_bytes(whole + second[: min(cut, len(second) - 2)])
        log = LiveLog(place)
        assert (log.summary.rows, (place / JOURNAL).read_bytes()) == (1, whole)
        assert sent(log, csv_of(rows), "k").accepted == len(rows)
        assert held(LiveLog(place)) == expected([*rows, (99, "first", 0.0)])


@settings(max_examples=10, deadline=None)
@given(rows=samples)
def test_the_file_of_a_log_is_a_log(rows: list[Sample]) -> None:
    """A snapshot is read as any trajectory, and later rows do not change it."""
    with tempfile.TemporaryDirectory() as folder:
        log = LiveLog(Path(folder) / "log")
        sent(log, csv_of(rows))
        snapshot = log.snapshot()
        read = read_trajectory(snapshot)
        assert {objid: len(track.at_us) for objid, track in read.tracks.items()} == {
            objid: len(mine) for objid, mine in expected(rows).items()
        }
        before = snapshot.read_bytes()
        sent(log, csv_of([(999, "late", 1.0)]))
        assert snapshot.read_bytes() == before
        assert log.snapshot() != snapshot


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=40, unique=True), min_size=1, max_size=5))
def test_samples_are_in_order_and_found_however_late_they_come(blocks: list[list[int]]) -> None:
    """Each block rising, as rows of a batch are; instants that are there already are left out."""
    growing, known = Growing(), set[int]()
    for block in blocks:
        fresh = np.array(sorted(set(block) - known), dtype=np.int64)
        if fresh.size:
            growing.extend(fresh, np.stack((fresh, -fresh, 2 * fresh), axis=1).astype(np.float64))
        known |= set(block)
        assert growing.at_us.tolist() == sorted(known)
    for instant in range(0, 401, 13):
        found = growing.place_of(instant)
        assert found == ((instant, -instant, 2 * instant) if instant in known else None)


@settings(max_examples=40, deadline=None)
@given(rows=samples, start=st.integers(-5, 65), length=st.integers(0, 30))
def test_a_part_has_the_samples_between_and_one_at_either_side(
    rows: list[Sample], start: int, length: int
) -> None:
    """So that places in between can be told at its ends; the count is of those between."""
    growing: dict[str, Growing] = {}
    extend_all(growing, [Row(1, tick * 10, objid, (x, 0.0, 0.0)) for tick, objid, x in rows])
    first, last = start * 10, (start + length) * 10
    inside = 0
    for objid, mine in growing.items():
        ticks = [tick * 10 for tick, _ in expected(rows)[objid]]
        within = [at for at in ticks if first <= at <= last]
        before, after = [at for at in ticks if at < first][-1:], [at for at in ticks if at > last][:1]
        track = mine.track(first, last)
        assert (track.at_us.tolist() if track else []) == before + within + after
        inside += len(within)
    assert counted(growing, first, last) == inside


def test_a_key_names_one_batch_for_good(tmp_path: Path) -> None:
    """The same answer after a restart; other rows under it are refused and cost nothing."""
    rows: list[Sample] = [(1, "obj001", 5.0), (2, "obj001", 6.0)]
    first = sent(LiveLog(tmp_path / "log"), csv_of(rows), "batch-1")
    log = LiveLog(tmp_path / "log")
    assert sent(log, csv_of(rows), "batch-1") == first
    with pytest.raises(BadInput, match="was used for other rows before"):
        sent(log, csv_of([(3, "obj001", 7.0)]), "batch-1")
    assert log.summary.rows == 2


def test_a_log_that_lost_rows_is_not_read_as_calm(tmp_path: Path) -> None:
    """A shorter file than the journal says is an error, not a shorter log."""
    sent(LiveLog(tmp_path / "log"), csv_of([(1, "obj001", 5.0), (2, "obj001", 6.0)]))
    file = tmp_path / "log" / LOG
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(Exception, match="has lost rows"):
        LiveLog(tmp_path / "log")


def test_a_first_batch_without_a_good_row_makes_no_log(tmp_path: Path) -> None:
    """Its faults are told; nothing is on disk."""
    receipt = sent(LiveLog(tmp_path / "log"), b"yesterday,obj001,1,2,3\n")
    assert (receipt.accepted, receipt.rejected, receipt.rows) == (0, 1, 0)
    assert not (tmp_path / "log").exists()


def test_more_logs_than_are_kept_open(tmp_path: Path) -> None:
    """Those let go of are opened again with all their rows."""
    book = LiveBook(tmp_path)
    for turn in range(2):
        for number in range(7):
            book.append(f"yard-{number}", csv_of([(turn, "obj001", float(number))]), Kind.CSV, None)
    assert book.names() == [f"yard-{number}" for number in range(7)]
    assert [book.summary(name).rows for name in book.names()] == [2] * 7


@pytest.mark.parametrize("name", ["", "-x", "a b", "..", "a/b", "x" * 65, "영상", "a\n"])
def test_names_that_could_be_paths_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written, and nothing is found."""
    book = LiveBook(tmp_path / "logs")
    with pytest.raises(BadInput):
        book.append(name, csv_of([(1, "obj001", 5.0)]), Kind.CSV, None)
    for ask in (book.summary, book.objects, book.snapshot, book.delete, book.warnings):
        with pytest.raises(NotFound):
            ask(name)
    assert not (tmp_path / "logs").exists()


def test_a_deleted_log_is_gone_and_its_name_is_free(tmp_path: Path) -> None:
    """Also what a crash left of a deletion."""
    book = LiveBook(tmp_path)
    book.append("yard", csv_of([(1, "obj001", 5.0)]), Kind.CSV, "k")
    book.delete("yard")
    with pytest.raises(NotFound):
        book.summary("yard")
    assert book.append("yard", csv_of([(2, "obj002", 6.0)]), Kind.CSV, "k").rows == 1
    (tmp_path / ".going-old").mkdir()
    assert LiveBook(tmp_path).names() == ["yard"]
    assert not (tmp_path / ".going-old").exists()
