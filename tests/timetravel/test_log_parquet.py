"""Parquet logs: the same trajectory as from CSV, whatever the types; every complaint names the row."""

from __future__ import annotations

import datetime as dt
import decimal
import zoneinfo
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadTrajectory
from extension.timetravel import log_parquet
from extension.timetravel.trajectory import Trajectory
from extension.timetravel.trajectory_csv import parse_trajectory, read_trajectory

SEOUL = zoneinfo.ZoneInfo("Asia/Seoul")
TICKS = [dt.datetime(2025, 1, 1, 9, 0, 0, 200_000 * i, tzinfo=dt.UTC) for i in range(3)]
TEXTS = [f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3] for at in TICKS]


def written(folder: Path, **columns: Any) -> Path:
    """A Parquet file of a three-row log with some columns changed."""
    whole = {
        "timestamp": TEXTS,
        "objid": ["obj001"] * 3,
        "x": [1.5, 2.5, 3.5],
        "y": [0.0] * 3,
        "z": [9.0] * 3,
    }
    file = folder / "log.parquet"
    pq.write_table(pa.table({**whole, **columns}), file)
    return file


def same(one: Trajectory, other: Trajectory) -> bool:
    """Whether two logs hold the same samples."""
    return one.objids == other.objids and all(
        np.array_equal(a.at_us, b.at_us) and np.array_equal(a.places, b.places)
        for a, b in zip(one.tracks.values(), other.tracks.values(), strict=True)
    )


PLAIN = parse_trajectory(
    "timestamp,objid,x,y,z\n"
    + "".join(f"{t},obj001,{x},0.0,9.0\n" for t, x in zip(TEXTS, (1.5, 2.5, 3.5), strict=True))
)


@pytest.mark.parametrize(
    "stamps",
    [
        pytest.param(TEXTS, id="text"),
        pytest.param([f" {text}Z " for text in TEXTS], id="text-with-zone-and-spaces"),
        pytest.param(pa.array(TEXTS, pa.large_string()), id="large-text"),
        pytest.param(pa.array(TEXTS).dictionary_encode(), id="coded-text"),
        pytest.param(pa.array(TICKS, pa.timestamp("us", "UTC")), id="microseconds-utc"),
        pytest.param(pa.array(TICKS, pa.timestamp("ms", "Asia/Seoul")), id="milliseconds-in-seoul"),
        pytest.param(pa.array(TICKS, pa.timestamp("ns", "UTC")), id="nanoseconds-utc"),
        pytest.param(pa.array([t.replace(tzinfo=None) for t in TICKS], pa.timestamp("us")), id="no-zone"),
        pytest.param(pa.array([t.replace(tzinfo=None) for t in TICKS], pa.timestamp("ns")), id="no-zone-nanoseconds"),
    ],
)  # fmt: skip
def test_every_kind_of_timestamp_is_read(tmp_path: Path, stamps: Any) -> None:
    """As text or as instants, with a zone or in the log's."""
    assert same(read_trajectory(written(tmp_path, timestamp=stamps)), PLAIN)


def test_timestamps_without_a_zone_are_in_the_logs(tmp_path: Path) -> None:
    """Nine in the morning in Seoul is midnight in Greenwich; a stated zone wins."""
    naive = pa.array([t.replace(tzinfo=None) for t in TICKS], pa.timestamp("us"))
    log = read_trajectory(written(tmp_path, timestamp=naive), SEOUL)
    assert log.start_at == dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    assert log.tz is SEOUL
    stated = read_trajectory(written(tmp_path, timestamp=pa.array(TICKS, pa.timestamp("us", "UTC"))), SEOUL)
    assert stated.start_at == TICKS[0]


@pytest.mark.parametrize(
    "kind",
    [pa.float16(), pa.float32(), pa.float64(), pa.int8(), pa.int16(), pa.uint32(), pa.int64(), pa.decimal128(9, 2), pa.string()],
    ids=str,
)  # fmt: skip
def test_numbers_of_any_width_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    """Whole numbers, floats, decimals and text."""
    values: list[Any] = [1, 2, 3]
    if pa.types.is_decimal(kind):
        values = [decimal.Decimal(v) for v in values]
    if pa.types.is_string(kind):
        values = ["1", "2.0", "3e0"]
    array = (
        pa.array(np.array(values, dtype=np.float16)) if pa.types.is_float16(kind) else pa.array(values, kind)
    )
    log = read_trajectory(written(tmp_path, x=array))
    assert log.tracks["obj001"].places[:, 0].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param(["a", " b ", "a"], ("a", "b"), id="text"),
        pytest.param(pa.array(["a", "b", "a"]).dictionary_encode(), ("a", "b"), id="coded"),
        pytest.param(pa.array([7, 12, 7], pa.uint8()), ("7", "12"), id="whole-numbers"),
    ],
)
def test_ids_may_be_text_or_whole_numbers(tmp_path: Path, ids: Any, expected: tuple[str, ...]) -> None:
    """Without the spaces around them."""
    assert read_trajectory(written(tmp_path, objid=ids)).objids == expected


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    """By name, whatever their case."""
    file = tmp_path / "log.parquet"
    columns = {"kind": ["wall"], "Z": [3.0], "Y": [2], "X": [1], "ObjID": ["obj001"], "Timestamp": TEXTS[:1]}
    pq.write_table(pa.table(columns), file)
    assert read_trajectory(file).tracks["obj001"].places.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        pytest.param({"x": [1.0, None, 3.0]}, "row 2: x is '', not a finite number", id="no-number"),
        pytest.param({"y": [1.0, 2.0, float("nan")]}, "row 3: y is 'nan', not a finite number", id="nan"),
        pytest.param(
            {"z": [float("inf"), 0.0, 0.0]}, "row 1: z is 'inf', not a finite number", id="infinite"
        ),
        pytest.param(
            {"z": [0.0, 0.0, 1e12]}, "row 3: z is '1000000000000.0', beyond any place", id="too-far"
        ),
        pytest.param({"x": ["1", "left", "3"]}, "row 2: x is 'left', not a finite number", id="word"),
        pytest.param({"objid": ["a", "b", None]}, "row 3: objid is empty", id="no-id"),
        pytest.param({"objid": ["a", " ", "b"]}, "row 2: objid is empty", id="blank-id"),
        pytest.param({"timestamp": [TEXTS[0], None, TEXTS[2]]}, "row 2: '' is not a timestamp", id="no-time"),
        pytest.param(
            {"timestamp": pa.array([TICKS[0], None, TICKS[2]], pa.timestamp("us", "UTC"))},
            "row 2: '' is not a timestamp",
            id="no-instant",
        ),
        pytest.param(
            {"timestamp": [TEXTS[0], TEXTS[1], "noon"]}, "row 3: 'noon' is not a timestamp", id="no-timestamp"
        ),
        pytest.param(
            {"timestamp": pa.array([0, 1, 10**12], pa.timestamp("s"))},
            "row 3: its timestamp is outside of the years 1 to 9999",
            id="beyond-time",
        ),
        pytest.param(
            {"timestamp": pa.array([0, 1, 2**62], pa.timestamp("ms", "UTC"))},
            "row 3: its timestamp is outside of the years",
            id="beyond-numbers",
        ),
        pytest.param({"x": [True, False, True]}, "the column 'x' is of type bool", id="truth"),
        pytest.param({"timestamp": [1, 2, 3]}, "the column 'timestamp' is of type int64", id="unix-time"),
        pytest.param({"objid": [1.5, 2.5, 3.5]}, "the column 'objid' is of type double", id="broken-id"),
        pytest.param({"X": [1.0, 2.0, 3.0]}, "the column 'x' appears twice", id="doubled"),
        pytest.param(
            {"timestamp": [TEXTS[0], TEXTS[1], TEXTS[0]]},
            "rows 1 and 3 give two places for 'obj001' at 2025-01-01 09:00:00.000 UTC",
            id="contradiction",
        ),
    ],
)
def test_a_log_that_cannot_be_read_says_which_row_and_why(
    tmp_path: Path, columns: dict[str, Any], reason: str
) -> None:
    """By the file's name, and without its folder."""
    with pytest.raises(BadTrajectory) as caught:
        read_trajectory(written(tmp_path, **columns))
    assert str(caught.value).startswith(f"log.parquet: {reason}")
    assert str(tmp_path) not in str(caught.value)


def test_of_two_faults_the_first_row_is_told(tmp_path: Path) -> None:
    """Also where the later one is in an earlier column."""
    file = written(tmp_path, timestamp=[TEXTS[0], TEXTS[1], "noon"], z=[1.0, None, 2.0])
    with pytest.raises(BadTrajectory, match="row 2: z is ''"):
        read_trajectory(file)


def test_a_missing_column_is_told(tmp_path: Path) -> None:
    """With those that are there."""
    file = tmp_path / "log.parquet"
    pq.write_table(pa.table({"timestamp": TEXTS, "id": ["a"] * 3, "x": [1.0] * 3}), file)
    with pytest.raises(
        BadTrajectory, match=r"missing columns objid, y, z \(the header is 'timestamp,id,x'\)"
    ):
        read_trajectory(file)


def test_a_log_without_rows_is_refused(tmp_path: Path) -> None:
    """As in CSV."""
    file = tmp_path / "log.parquet"
    pq.write_table(
        pa.table({name: pa.array([], pa.string()) for name in ("timestamp", "objid", "x", "y", "z")}), file
    )
    with pytest.raises(BadTrajectory, match="a header but no rows"):
        read_trajectory(file)


@pytest.mark.parametrize("damage", ["cut", "noise"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    """Cut off, or overwritten in its middle."""
    file = written(tmp_path, x=np.random.default_rng(1).normal(size=3))
    data = bytearray(file.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[4 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4)
    file.write_bytes(bytes(data))
    with pytest.raises(BadTrajectory, match=r"^log.parquet: the Parquet file is damaged, or not all there$"):
        read_trajectory(file)


def test_what_is_finer_than_a_microsecond_is_cut(tmp_path: Path) -> None:
    """Nanoseconds of a clock are no sample of their own."""
    stamps = pa.array([1_000_000_999, 2_000_000_000, 3_000_000_001], pa.timestamp("ns", "UTC"))
    log = read_trajectory(written(tmp_path, timestamp=stamps))
    assert log.tracks["obj001"].at_us.tolist() == [1_000_000, 2_000_000, 3_000_000]


def test_rows_are_counted_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenth row is the tenth, whichever batch it is in."""
    monkeypatch.setattr(log_parquet.parquet_blocks, "__defaults__", (4,))
    xs: list[float | None] = [float(i) for i in range(12)]
    xs[9] = None
    stamps = pa.array(range(12), pa.timestamp("s", "UTC"))
    ids = ["a"] * 12
    file = tmp_path / "log.parquet"
    pq.write_table(pa.table({"timestamp": stamps, "objid": ids, "x": xs, "y": xs, "z": [0] * 12}), file)
    with pytest.raises(BadTrajectory, match="row 10: x is ''"):
        read_trajectory(file)


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(1, 5), st.floats(-1e6, 1e6)),
        min_size=1,
        max_size=40,
        unique_by=lambda row: row[:2],
    ),
    st.booleans(),
)
def test_parquet_and_csv_hold_the_same_log(
    tmp_path_factory: pytest.TempPathFactory,
    samples: list[tuple[int, int, float]],
    zoned: bool,  # noqa: FBT001 - given by hypothesis
) -> None:
    """Samples to the last bit, and the same warnings but for what the numbers count."""
    start = dt.datetime(2025, 3, 30, tzinfo=dt.UTC)
    instants = [start + dt.timedelta(milliseconds=ms) for ms, _, _ in samples]
    text = "timestamp,objid,x,y,z\n" + "".join(
        f"{at:%Y-%m-%d %H:%M:%S.%f},obj{n},{x!r},0,0\n"
        for at, (_, n, x) in zip(instants, samples, strict=True)
    )
    kind = pa.timestamp("us", "Asia/Seoul") if zoned else pa.timestamp("us")
    file = tmp_path_factory.mktemp("log") / "log.parquet"
    table = pa.table(
        {
            "timestamp": pa.array(instants if zoned else [at.replace(tzinfo=None) for at in instants], kind),
            "objid": [f"obj{n}" for _, n, _ in samples],
            "x": [x for _, _, x in samples],
            "y": [0] * len(samples),
            "z": [0.0] * len(samples),
        }
    )
    pq.write_table(table, file, row_group_size=7)
    read, parsed = read_trajectory(file), parse_trajectory(text)
    assert same(read, parsed)
    assert len(read.warnings) == len(parsed.warnings)
