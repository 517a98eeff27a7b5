"""Reading logs: whatever is wrong with one is said by line, and what can be mended is."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
import zoneinfo
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadTrajectory
from extension.timetravel.trajectory_csv import parse_trajectory, read_trajectory, stamp, write_trajectory

HEADER = "timestamp,objid,x,y,z\n"
ROW = "2025-01-01 00:00:00.000,obj001,1.5,2.5,3.5\n"
LATER = "2025-01-01 00:00:00.200,obj001,2.5,2.5,3.5\n"
OTHER = "2025-01-01 00:00:00.000,obj002,9,9,9\n"


def test_a_log_is_read() -> None:
    """Ids, times and places."""
    log = parse_trajectory(HEADER + ROW + OTHER + LATER)
    assert log.objids == ("obj001", "obj002")
    assert log.tracks["obj001"].places.tolist() == [[1.5, 2.5, 3.5], [2.5, 2.5, 3.5]]
    assert log.start_at == dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    assert log.duration_s == pytest.approx(0.2)
    assert log.warnings == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param(" \n\n", "the file is empty", id="blank"),
        pytest.param(HEADER, "a header but no rows", id="header-only"),
        pytest.param("timestamp,objid,x,y\n", r"line 1: missing columns z \(", id="missing-column"),
        pytest.param("a,b\n1,2\n", "line 1: missing columns timestamp, objid, x, y, z", id="other-columns"),
        pytest.param(ROW, "line 1: missing columns timestamp", id="no-header"),
        pytest.param("timestamp;objid;x;y;z\n", "line 1: missing columns", id="semicolons"),
        pytest.param(
            "timestamp,objid,x,y,z,x\n", "line 1: the column 'x' appears twice", id="doubled-column"
        ),
        pytest.param(
            HEADER + ROW + "2025-01-01 00:00:00.200,obj001,1,2\n",
            "line 3: 4 fields where the header has 5",
            id="short-row",
        ),
        pytest.param(
            HEADER + "2025-01-01 00:00:00.200,obj001,1,5,2,3\n", "line 2: 6 fields", id="decimal-comma"
        ),
        pytest.param(HEADER + ROW.replace("1.5", "nan"), "line 2: x is 'nan', not a finite number", id="nan"),
        pytest.param(
            HEADER + ROW.replace("2.5", "inf"), "line 2: y is 'inf', not a finite number", id="infinite"
        ),
        pytest.param(
            HEADER + ROW.replace("3.5", "-Infinity"), "line 2: z is '-Infinity'", id="minus-infinite"
        ),
        pytest.param(
            HEADER + ROW + LATER.replace("3.5", "left"), "line 3: z is 'left', not a finite number", id="text"
        ),
        pytest.param(HEADER + ROW.replace("1.5", ""), "line 2: x is '', not a finite number", id="no-number"),
        pytest.param(HEADER + ROW.replace("1.5", "1_0"), "line 2: x is '1_0'", id="underscore"),
        pytest.param(
            HEADER + ROW.replace("1.5", "1e12"), "line 2: x is '1e12', beyond any place", id="too-far"
        ),
        pytest.param(
            HEADER + ROW.replace("1.5", "1e999"), "line 2: x is '1e999', beyond any place", id="overflow"
        ),
        pytest.param(
            HEADER + ROW.replace("2025-01-01 00:00:00.000", "00:00:01"),
            "line 2: '00:00:01' is not a timestamp",
            id="clock-only",
        ),
        pytest.param(
            HEADER + ROW.replace("2025-01-01", "2025-02-30"),
            "line 2: '2025-02-30 00:00:00.000' is not a",
            id="no-such-day",
        ),
        pytest.param(
            HEADER + ROW.replace("00:00:00.000", "24:00:01.000"),
            "line 2: .* is not a timestamp",
            id="no-such-hour",
        ),
        pytest.param(
            HEADER + ROW.replace("2025-01-01 00:00:00.000", "1735689600"),
            "line 2: '1735689600' is not a",
            id="unix-time",
        ),
        pytest.param(
            HEADER + ROW.replace("2025-01-01 00:00:00.000", ""), "line 2: '' is not a timestamp", id="no-time"
        ),
        pytest.param(HEADER + ROW.replace("obj001", " "), "line 2: objid is empty", id="no-id"),
        pytest.param(HEADER + ROW.replace("obj001", '"obj001'), "line 2: not CSV", id="open-quote"),
        pytest.param(
            HEADER + ROW + OTHER + ROW.replace("1.5", "1.6"),
            "lines 2 and 4 give two places for 'obj001' at 2025-01-01 00:00:00.000",
            id="contradiction",
        ),
    ],
)
def test_a_log_that_cannot_be_read_says_where_and_why(text: str, reason: str) -> None:
    """Every complaint names the line and the reason."""
    with pytest.raises(BadTrajectory, match=reason):
        parse_trajectory(text)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "log.csv: the file is empty", id="zero-bytes"),
        pytest.param((HEADER + ROW).encode("utf-16"), "log.csv: the file is UTF-16 text", id="utf-16"),
        pytest.param(
            HEADER.encode() + ROW.encode() + b"2025,\xb0\xfc,1,2,3\n",
            "log.csv: line 3: not UTF-8 text",
            id="cp949",
        ),
        pytest.param(b"\x00\x01\x02" * 100, "log.csv: line 1", id="binary"),
    ],
)
def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path, data: bytes, reason: str) -> None:
    """The message has the file's name and not its folder."""
    file = tmp_path / "log.csv"
    file.write_bytes(data)
    with pytest.raises(BadTrajectory, match=reason) as caught:
        read_trajectory(file)
    assert str(tmp_path) not in str(caught.value)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    """Without its folder."""
    with pytest.raises(BadTrajectory, match=r"^none.csv: cannot be read \(No such file"):
        read_trajectory(tmp_path / "none.csv")


def test_rows_out_of_order_are_sorted_and_said() -> None:
    """The warning names the first line at fault."""
    log = parse_trajectory(HEADER + LATER + ROW + OTHER)
    assert log.tracks["obj001"].places[:, 0].tolist() == [1.5, 2.5]
    assert log.warnings == (
        "rows were not in time order: the clock of 'obj001' goes back at line 3 (1 such row in all); they were sorted",
    )


def test_rows_by_object_are_no_disorder() -> None:
    """Each object's clock goes forward: that is an order too."""
    log = parse_trajectory(HEADER + ROW + LATER + OTHER)
    assert log.warnings == ()
    assert log.tracks["obj001"].places[:, 0].tolist() == [1.5, 2.5]


def test_the_first_clock_that_goes_back_is_named_with_the_number_of_such_rows() -> None:
    """Counted over all objects; repeated rows are none of them."""
    lines = [
        f"2025-01-01 00:00:0{second}.000,obj00{n},{n},0,0\n"
        for n, second in ((1, 5), (2, 7), (2, 3), (1, 4), (1, 4), (2, 2))
    ]
    assert parse_trajectory(HEADER + "".join(lines)).warnings[:2] == (
        "rows were not in time order: the clock of 'obj002' goes back at line 4 (3 such rows in all); they were sorted",
        "1 repeated rows were dropped (first at line 6)",
    )


def test_repeated_rows_count_once_and_are_said() -> None:
    """Word for word, or the same number written otherwise."""
    log = parse_trajectory(HEADER + ROW + OTHER + ROW + ROW.replace("1.5", "1.50"))
    assert len(log.tracks["obj001"].at_us) == 1
    assert log.warnings == ("2 repeated rows were dropped (first at line 4)",)


def test_columns_may_stand_in_any_order_beside_others() -> None:
    """By name, whatever their case; blank lines and a byte order mark are passed over."""
    text = "kind, Z ,Y,X,ObjID,Timestamp\n\nwall,3,2,1,obj001,2025-01-01T00:00:00\n"
    assert parse_trajectory(text).tracks["obj001"].places.tolist() == [[1, 2, 3]]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """As spreadsheets write it."""
    file = tmp_path / "log.csv"
    file.write_bytes((HEADER + ROW).replace("\n", "\r\n").encode("utf-8-sig"))
    assert read_trajectory(file).objids == ("obj001",)


def test_times_are_in_the_given_zone() -> None:
    """Seoul is nine hours ahead; a stated zone wins."""
    seoul = zoneinfo.ZoneInfo("Asia/Seoul")
    log = parse_trajectory(HEADER + ROW.replace("00:00:00.000", "09:00:00.000"), seoul)
    assert log.start_at == dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    stated = parse_trajectory(HEADER + ROW.replace("00:00:00.000", "00:00:00Z"), seoul)
    assert stated.start_at == log.start_at


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """In time order, in the log's zone, and without leftovers."""
    log = parse_trajectory(HEADER + LATER + ROW + OTHER, zoneinfo.ZoneInfo("Asia/Seoul"))
    write_trajectory(log, tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_text() == HEADER + ROW + OTHER.replace("9,9,9", "9.0,9.0,9.0") + LATER
    assert [p.name for p in tmp_path.iterdir()] == ["copy.csv"]


def test_of_a_part_the_samples_in_it_are_written(tmp_path: Path) -> None:
    """Not the neighbours that only serve to tell places between samples."""
    lines = [f"2025-01-01 00:00:0{second}.000,obj001,{second}.0,0.0,0.0\n" for second in range(6)]
    log = parse_trajectory(HEADER + "".join(lines))
    part = log.between(log.start_at + dt.timedelta(seconds=1.5), log.start_at + dt.timedelta(seconds=4))
    write_trajectory(part, tmp_path / "part.csv")
    assert (tmp_path / "part.csv").read_text() == HEADER + "".join(lines[2:5])


def test_a_stamp_has_milliseconds() -> None:
    """Cut, not rounded into the next second."""
    assert stamp(dt.datetime(2025, 1, 2, 3, 4, 5, 999_999, tzinfo=dt.UTC)) == "2025-01-02 03:04:05.999"


@pytest.mark.footage
def test_the_labs_log_is_read(footage_log: Path) -> None:
    """Four objects, 301 ticks, a minute."""
    log = read_trajectory(footage_log)
    assert [len(track.at_us) for track in log.tracks.values()] == [301] * 4
    assert log.duration_s == 60.0
    assert log.warnings == ()


coordinates = st.integers(-1_000_000, 1_000_000).map(lambda tenths: tenths / 10)
rows = st.dictionaries(
    keys=st.tuples(st.integers(0, 10**9), st.integers(1, 1200)),
    values=st.tuples(coordinates, coordinates, coordinates),
    min_size=1,
    max_size=25,
)


def as_text(samples: dict[tuple[int, int], tuple[float, float, float]]) -> list[str]:
    """CSV rows of samples keyed by milliseconds into 2025 and object number."""
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    return [
        f"{stamp(start + dt.timedelta(milliseconds=ms))},obj{number:03d},{x},{y},{z}\n"
        for (ms, number), (x, y, z) in samples.items()
    ]


@given(rows)
def test_writing_and_reading_loses_nothing(
    samples: dict[tuple[int, int], tuple[float, float, float]],
) -> None:
    """Every sample of every object, to the millisecond and the millimetre."""
    log = parse_trajectory(HEADER + "".join(as_text(samples)))
    with tempfile.TemporaryDirectory() as folder:
        write_trajectory(log, Path(folder) / "log.csv")
        again = read_trajectory(Path(folder) / "log.csv")
    assert again.objids == log.objids
    for objid in log.objids:
        assert np.array_equal(again.tracks[objid].at_us, log.tracks[objid].at_us)
        assert np.array_equal(again.tracks[objid].places, log.tracks[objid].places)
    assert sum(len(track.at_us) for track in again.tracks.values()) == len(samples)
    assert not any("sorted" in warning or "dropped" in warning for warning in again.warnings)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    samples: dict[tuple[int, int], tuple[float, float, float]], chance: random.Random
) -> None:
    """Shuffled and partly repeated rows give the same log."""
    lines = as_text(samples)
    mixed = lines + chance.sample(lines, len(lines) // 2)
    chance.shuffle(mixed)
    straight, shuffled = parse_trajectory(HEADER + "".join(lines)), parse_trajectory(HEADER + "".join(mixed))
    assert shuffled.objids == straight.objids
    for objid in straight.objids:
        assert np.array_equal(shuffled.tracks[objid].places, straight.tracks[objid].places)
    assert any("repeated" in warning for warning in shuffled.warnings) is (len(lines) > 1)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [ROW, LATER, OTHER, "\n", ",,,,\n", '"', "\r", "\x00", "NaN", "2025-01-01 00:00:00,a,1,2,3\n"]
            ),
            st.text(max_size=12),
        ),
        max_size=8,
    )
)
def test_whatever_a_log_holds_it_is_read_or_refused(pieces: list[str]) -> None:
    """No other error ever comes out, and what is read is finite and in order."""
    try:
        log = parse_trajectory(HEADER + "".join(pieces))
    except BadTrajectory as exc:
        said = str(exc)
    else:
        said = "line by line"
        for track in log.tracks.values():
            assert np.isfinite(track.places).all()
            assert (np.diff(track.at_us) > 0).all()
    assert "line" in said or "no rows" in said


@given(st.binary(max_size=200))
def test_whatever_bytes_a_file_holds_it_is_read_or_refused(data: bytes) -> None:
    """By the file's name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.csv"
        file.write_bytes(data)
        with pytest.raises(BadTrajectory, match=r"^log\.csv: "):
            read_trajectory(file)
