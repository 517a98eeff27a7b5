"""Reading CSV by blocks: whatever a log holds, the result, the warnings and the refusals are those of the row-by-row reader."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import itertools
import tempfile
import zoneinfo
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from extension.errors import BadTrajectory
from extension.timetravel import log_csv, log_gather, trajectory_csv
from extension.timetravel.log_csv import check_utf8, csv_blocks
from extension.timetravel.log_rows import Block
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import parse_trajectory, read_trajectory

HEADER = "timestamp,objid,x,y,z\n"
ROW = "2025-01-01 00:00:00.000,obj001,1.5,2.5,3.5\n"
SEOUL = zoneinfo.ZoneInfo("Asia/Seoul")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def told(read: object) -> object:
    """All that a reader says about a log: samples, warnings, or its refusal."""
    if not isinstance(read, Trajectory):
        return read
    tracks = {name: (t.at_us.tolist(), t.places.tolist()) for name, t in read.tracks.items()}
    return tracks, read.warnings, read.objids, read.tz


def strictly(text: str, tz: dt.tzinfo = dt.UTC) -> object:
    """What the row-by-row reader says."""
    try:
        return told(parse_trajectory(text.removeprefix("\ufeff"), tz))
    except BadTrajectory as exc:
        return f"log.csv: {exc}"


def by_blocks(data: bytes, tz: dt.tzinfo = dt.UTC, *, cache: bool = False) -> object:
    """What the reader of files says."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "log.csv"
        file.write_bytes(data)
        try:
            return told(read_trajectory(file, tz, Path(folder) / "cache" if cache else None))
        except BadTrajectory as exc:
            return str(exc)


def rows(count: int, objects: int = 3, step_s: float = 0.2) -> list[str]:
    """Rows of a sound log, by time."""
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    return [
        f"{start + dt.timedelta(seconds=step_s * tick):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        + f",obj{number:03d},{25.5 * tick + number},{tick % 7},{-3.25 * tick}\n"
        for tick in range(count)
        for number in range(1, objects + 1)
    ]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few rows, and memory for a few more: small logs go through all that long ones do."""
    monkeypatch.setattr(log_csv, "BLOCK_BYTES", 256)
    monkeypatch.setattr(csv_blocks, "__defaults__", (256,))
    monkeypatch.setattr(check_utf8, "__defaults__", (256,))
    monkeypatch.setattr(log_gather, "_ROWS_IN_MEMORY", 10)
    made = log_gather.Gatherer
    monkeypatch.setattr(
        trajectory_csv, "Gatherer", lambda folder, unit: made(folder, unit=unit, most_rows=10)
    )


def test_sound_blocks_are_read_by_column() -> None:
    """No row of a plain log goes the slow way."""
    data = (HEADER + "".join(rows(20))).encode()
    found = list(csv_blocks(io.BytesIO(data), dt.UTC, 300))
    assert len(found) > 5
    assert np.concatenate([block.line for block in found]).tolist() == list(range(2, 62))
    assert all(
        isinstance(block, Block) and set(block.names) <= {"obj001", "obj002", "obj003"} for block in found
    )


def test_a_plain_block_asks_nothing_of_the_strict_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a block with one odd row does, alone."""
    asked: list[int] = []
    strict = log_csv._strict

    def counted(pieces: object, columns: object, tz: dt.tzinfo, line: int) -> object:
        asked.append(line)
        return strict(pieces, columns, tz, line)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(log_csv, "_strict", counted)
    lines = rows(40)
    by_blocks((HEADER + "".join(lines)).encode())
    assert asked == []
    lines[60] = lines[60].replace(",obj", ", obj")
    by_blocks((HEADER + "".join(lines)).encode())
    assert asked == []
    lines[60] = lines[60].replace("\n", " \n")
    by_blocks((HEADER + "".join(lines)).encode())
    assert len(asked) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("cache", [True, False])
def test_a_long_log_is_read_alike(newline: str, end: str, *, cache: bool) -> None:
    """Over many blocks, with and without a last line end."""
    text = (HEADER + "".join(rows(60))).rstrip("\n") + end
    assert by_blocks(text.replace("\n", newline).encode(), cache=cache) == strictly(text)


@pytest.mark.parametrize("tz", [dt.UTC, SEOUL, BERLIN, dt.timezone(dt.timedelta(minutes=-210))])
@pytest.mark.parametrize("day", ["1970-01-01", "2025-03-30", "2025-10-26", "0001-01-01", "9999-12-31"])
def test_every_zone_is_read_alike(tz: dt.tzinfo, day: str) -> None:
    """Hours that a zone skips or repeats, and days at the ends of time."""
    text = HEADER + "".join(
        f"{day} {hour:02d}:{minute:02d}:07.25,a1,{hour},{minute},0\n"
        for hour in range(24)
        for minute in (0, 29, 30)
    )
    assert by_blocks(text.encode(), tz) == strictly(text, tz)


ODD_ROWS = {
    "spaces": " 2025-01-01 00:00:00.5 , obj009 , 1 , 2 , 3 \n",
    "plus": "2025-01-01 00:00:00.5,obj009,+1,+.5,3.\n",
    "exponent": "2025-01-01 00:00:00.5,obj009,1e2,1E-2,1.e+1\n",
    "zone": "2025-01-01T00:00:00.5+09:00,obj009,1,2,3\n",
    "comma-decimals": '"2025-01-01 00:00:00,5",obj009,1,2,3\n',
    "quoted": '"2025-01-01 00:00:00.5","obj009","1","2","3"\n',
    "quoted-newline": '2025-01-01 00:00:00.5,"obj\n009",1,2,3\n',
    "doubled-quote": '2025-01-01 00:00:00.5,"obj""9",1,2,3\n',
    "korean": "2025-01-01 00:00:00.5,지게차7,1,2,3\n",
    "wide-space": "2025-01-01 00:00:00.5,\u3000obj009\u3000,1,2,3\n",
    "blank": "\n",
    "spaces-only": "   \n",
    "commas-only": ",,,,\n",
    "lone-return": "2025-01-01 00:00:00.5,obj009,1,2,3\r",
    "nul": "2025-01-01 00:00:00.5,obj\x00,1,2,3\n",
    "late": "2024-12-31 23:59:59.000,obj001,1,2,3\n",
    "repeated": rows(1)[0],
    "repeated-otherwise": rows(1)[0].replace(",1.0,", ",1.000,"),
    "contradicting": rows(1)[0].replace(",1.0,", ",1.5,"),
    "minus-nought": "2025-01-01 00:00:00.5,obj009,-0,0,-0.0\n",
    "tiny": "2025-01-01 00:00:00.5,obj009,1e-400,5e-324,1\n",
    "nan": "2025-01-01 00:00:00.5,obj009,nan,2,3\n",
    "infinite": "2025-01-01 00:00:00.5,obj009,inf,2,3\n",
    "too-far": "2025-01-01 00:00:00.5,obj009,1e10,2,3\n",
    "hexadecimal": "2025-01-01 00:00:00.5,obj009,0x10,2,3\n",
    "wide-digits": "2025-01-01 00:00:00.5,obj009,\uff11,2,3\n",
    "no-id": "2025-01-01 00:00:00.5, ,1,2,3\n",
    "no-such-day": "2025-02-30 00:00:00.500,obj009,1,2,3\n",
    "second-sixty": "2025-01-01 00:00:60.000,obj009,1,2,3\n",
    "hour-twentyfour": "2025-01-01 24:00:00.000,obj009,1,2,3\n",
    "seven-decimals": "2025-01-01 00:00:00.1234567,obj009,1,2,3\n",
    "short": "2025-01-01 00:00:00.5,obj009,1,2\n",
    "long": "2025-01-01 00:00:00.5,obj009,1,2,3,4\n",
    "open-quote": '2025-01-01 00:00:00.5,"obj009,1,2,3\n',
    "quote-inside": '2025-01-01 00:00:00.5,ob"j,1,2,3\n',
}


@pytest.mark.parametrize("place", [0, 7, 25, 60])
@pytest.mark.parametrize("odd", [pytest.param(row, id=name) for name, row in ODD_ROWS.items()])
def test_one_odd_row_is_read_or_refused_alike(odd: str, place: int) -> None:
    """Wherever in the log it stands; a refusal names the same line for the same reason."""
    lines = rows(20)
    text = HEADER + "".join([*lines[:place], odd, *lines[place:]])
    assert by_blocks(text.encode()) == strictly(text)


@pytest.mark.parametrize(
    "pair",
    [pytest.param(pair, id="-".join(pair)) for pair in itertools.permutations(
        ("contradicting", "late", "repeated", "nan", "quoted", "short"), 2
    )],
)  # fmt: skip
def test_of_two_odd_rows_the_first_is_told(pair: tuple[str, str]) -> None:
    """Also where the one needs the whole log to be seen, and the other only its line."""
    lines = rows(20)
    text = HEADER + "".join([*lines[:20], ODD_ROWS[pair[0]], *lines[20:40], ODD_ROWS[pair[1]], *lines[40:]])
    assert by_blocks(text.encode()) == strictly(text)


pieces = st.lists(
    st.one_of(
        st.sampled_from(rows(12)),
        st.sampled_from(list(ODD_ROWS.values())),
        st.text(alphabet='0123456789.-+eE ,:T"\r\n', max_size=40),
    ),
    max_size=30,
)
headers = st.sampled_from(
    [HEADER, HEADER.upper(), HEADER.replace("\n", "\r\n"), '"timestamp",objid,x,y,z\n', "z,y,x,objid,timestamp,more\n", "\n", ""]
)  # fmt: skip


@given(headers, pieces, st.booleans())
@example(header=HEADER, parts=['"', ROW, "\n", '"'], marked=False)
@example(header="\n", parts=[ROW], marked=False)
@settings(max_examples=150)
def test_anything_is_read_or_refused_alike(header: str, parts: list[str], marked: bool) -> None:  # noqa: FBT001 - given by hypothesis
    """With or without a byte order mark."""
    text = header + "".join(parts)
    data = text.encode("utf-8-sig" if marked else "utf-8")
    assert by_blocks(data) == strictly(text)


numbers = st.one_of(
    st.floats(-1e9, 1e9).map(repr),
    st.decimals(-(10**6), 10**6, places=3).map(str),
    st.text(alphabet="0123456789.+-eE", min_size=1, max_size=12),
)


@given(st.lists(numbers, min_size=3, max_size=30))
def test_every_way_to_write_a_number_is_read_alike(texts: list[str]) -> None:
    """To the last bit."""
    text = HEADER + "".join(
        f"2025-01-01 00:00:{i:02d}.000,obj001,{number},0.0,0.0\n" for i, number in enumerate(texts)
    )
    assert by_blocks(text.encode()) == strictly(text)


stamps = st.one_of(
    st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)).map(str),  # noqa: DTZ001 - hypothesis asks for naive bounds
    st.datetimes().map(lambda at: f"{at.replace(year=1960 + at.year % 80, day=1):%Y-%m-%d %H:%M:%S.%f}"),
    st.text(alphabet="0123456789-:. T,Z+", min_size=10, max_size=26),
)


@given(st.lists(stamps, min_size=1, max_size=12), st.sampled_from([dt.UTC, SEOUL, BERLIN]))
def test_every_way_to_write_a_timestamp_is_read_alike(texts: list[str], tz: dt.tzinfo) -> None:
    """In any zone."""
    text = HEADER + "".join(f"{stamp},obj{i:03d},1.0,2.0,3.0\n" for i, stamp in enumerate(texts))
    assert by_blocks(text.encode(), tz) == strictly(text, tz)


@given(st.randoms(use_true_random=False), st.integers(0, 12))
@settings(max_examples=40)
def test_rows_in_any_order_are_read_alike(chance: object, again: int) -> None:
    """Mixed and partly repeated, over many blocks: the samples, and which line is named first."""
    assert hasattr(chance, "shuffle")
    lines = rows(15)
    mixed = lines + lines[:again]
    chance.shuffle(mixed)
    text = HEADER + "".join(mixed)
    assert by_blocks(text.encode(), cache=True) == strictly(text)


def test_the_first_line_that_is_no_text_is_told_before_all_else() -> None:
    """Wherever it is, and in a column nobody asks for."""
    lines = [line.replace("\n", ",note\n").encode() for line in rows(20)]
    lines[40] = lines[40].replace(b"note", b"\xb0\xfc")
    data = HEADER.replace("\n", ",note\n").encode() + b"".join(lines)
    assert by_blocks(data) == "log.csv: line 42: not UTF-8 text; save the file as UTF-8"
    broken = data.replace(lines[3], b"nothing\n")
    assert by_blocks(broken) == "log.csv: line 42: not UTF-8 text; save the file as UTF-8"


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it fills the memory."""
    monkeypatch.setattr(log_csv, "_LONGEST_LINE_BYTES", 1024)
    data = (HEADER + ROW).encode() + b"1" * 5000
    assert str(by_blocks(data)).startswith("log.csv: line 3: longer than")


def test_a_field_longer_than_the_csv_module_takes_is_refused_alike() -> None:
    """With its own words."""
    text = HEADER + ROW + ROW.replace("obj001", "o" * 140_000)
    assert by_blocks(text.encode()) == strictly(text)
    assert "line 3: not CSV (field larger than field limit" in str(strictly(text))


def test_too_many_objects_are_refused_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the row of the one too many; a contradiction before it comes first."""
    for module in (log_gather, trajectory_csv):
        monkeypatch.setattr(module, "MOST_OBJECTS", 5)
    lines = [line.replace("obj001", f"obj{n:03d}") for n, line in enumerate([ROW] * 8)]
    text = HEADER + "".join(lines)
    assert by_blocks(text.encode()) == strictly(text)
    assert "line 7: more than" in str(strictly(text))
    clash = HEADER + lines[0] + lines[0].replace("1.5", "9.5") + "".join(lines[1:])
    assert by_blocks(clash.encode()) == strictly(clash)
    assert "lines 2 and 3 give two places" in str(strictly(clash))


@pytest.mark.parametrize("suffix", ["log.csv.gz", "log.csv", "log"])
def test_a_gzipped_log_is_read_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    """The content says what it is."""
    text = HEADER + "".join(rows(60))
    file = tmp_path / suffix
    file.write_bytes(gzip.compress(text.encode()))
    assert told(read_trajectory(file)) == strictly(text)


@pytest.mark.parametrize("cut", [5, 200, -4])
def test_a_broken_gzip_file_is_refused_by_name(tmp_path: Path, cut: int) -> None:
    """In its head, in its middle and in its checksum."""
    file = tmp_path / "log.csv.gz"
    file.write_bytes(gzip.compress((HEADER + "".join(rows(60))).encode())[:cut])
    with pytest.raises(BadTrajectory, match=r"^log.csv.gz: the gzip data is damaged, or not all there$"):
        read_trajectory(file)


def test_noise_after_a_gzip_head_is_refused_by_name(tmp_path: Path) -> None:
    """Not as a fault of our own."""
    file = tmp_path / "log.csv.gz"
    whole = bytearray(gzip.compress((HEADER + "".join(rows(60))).encode()))
    whole[40:80] = bytes(40)
    file.write_bytes(bytes(whole))
    with pytest.raises(BadTrajectory, match=r"^log.csv.gz: "):
        read_trajectory(file)
