"""Reads Parquet logs batch by batch: by column where a batch is sound, row by row to say which one is not.

It keeps nothing: what the rows come to is `log_gather`'s.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extension.errors import BadTrajectory
from extension.timetravel.log_csv import text_instants_us
from extension.timetravel.log_instants import local_us
from extension.timetravel.log_rows import (
    COLUMNS,
    FARTHEST,
    Block,
    Row,
    blocks_of,
    columns_of,
    instant_us,
    name_of,
    number,
)
from extension.timetravel.trajectory import EPOCH, Micros, Places, micros

MAGIC: Final = b"PAR1"
_BATCH_ROWS: Final = 65_536
_BUFFER_BYTES: Final = 1024**2
_FIRST_US: Final = micros(dt.datetime.min.replace(tzinfo=dt.UTC) + dt.timedelta(days=2))
_LAST_US: Final = micros(dt.datetime.max.replace(tzinfo=dt.UTC) - dt.timedelta(days=2))
"""Two days inside of what a datetime holds: every zone's clock can be shown."""


def parquet_blocks(file: BinaryIO, tz: dt.tzinfo, batch_rows: int = _BATCH_ROWS) -> Iterator[Block]:
    """Read a log's rows in the order of the file; the first row has the number 1.

    Timestamps may be text as in CSV, or Arrow timestamps with a zone or without one (then in `tz`; what is finer than a
    microsecond is cut); numbers may have any width; ids may be text or whole numbers.

    Raises:
        BadTrajectory: At the first row that is none, after the rows before it; the message names the row and the reason.
    """
    try:
        source = pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        names = source.schema_arrow.names
        found = columns_of(names, where="")
        chosen = [names[i] for i in (found.at, found.objid, *found.xyz)]
        _check_types([source.schema_arrow.field(name).type for name in chosen])
        first = 1
        for batch in source.iter_batches(batch_size=batch_rows, columns=chosen, use_threads=False):
            columns = {own: batch.column(name) for own, name in zip(COLUMNS, chosen, strict=True)}
            block = _fast(columns, tz, first)
            if block is not None:
                yield block
            else:
                yield from blocks_of(_rows(columns, tz, first))
            first += batch.num_rows
    except (pa.ArrowException, OSError) as exc:
        raise BadTrajectory("the Parquet file is damaged, or not all there") from exc


def _check_types(types: list[pa.DataType]) -> None:
    fits = (_is_text_or_instant, _is_text_or_whole, _is_number, _is_number, _is_number)
    for name, kind, fit in zip(COLUMNS, types, fits, strict=True):
        if not fit(kind.value_type if pa.types.is_dictionary(kind) else kind):
            raise BadTrajectory(f"the column {name!r} is of type {kind}, which no {name} can be read from")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_text_or_instant(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pa.types.is_timestamp(kind))


def _is_text_or_whole(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pa.types.is_integer(kind))


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return _is_text(kind) or bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _fast(columns: Mapping[str, pa.Array], tz: dt.tzinfo, first: int) -> Block | None:
    """Read a batch by column; None where any value of it is no good."""
    if any(values.null_count for values in columns.values()):
        return None
    try:
        places = _places(columns)
        at_us = _instants_us(columns["timestamp"], tz)
        who = pc.cast(columns["objid"], pa.string()).dictionary_encode()
    except (pa.ArrowInvalid, OverflowError):
        return None
    ids = [name.strip() for name in who.dictionary.to_pylist()]
    if at_us is None or not all(ids) or not (np.abs(places) <= FARTHEST).all():
        return None
    numbers = np.arange(first, first + len(at_us), dtype=np.int64)
    return Block(numbers, at_us, who.indices.to_numpy().astype(np.int64), ids, places)


def _places(columns: Mapping[str, pa.Array]) -> Places:
    values = [pc.cast(columns[name], pa.float64(), safe=False) for name in "xyz"]
    return np.stack([value.to_numpy(zero_copy_only=False) for value in values], axis=1)


def _instants_us(values: pa.Array, tz: dt.tzinfo) -> Micros | None:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not pa.types.is_timestamp(kind):
        return text_instants_us(pc.cast(values, pa.string()), tz)
    plain = pc.cast(values, kind)
    cut = pc.cast(plain, options=pc.CastOptions(pa.timestamp("us", tz=kind.tz), allow_time_truncate=True))
    at_us: Micros = pc.cast(cut, pa.int64()).to_numpy(zero_copy_only=False)
    if len(at_us) and (at_us.min() < _FIRST_US or at_us.max() > _LAST_US):
        return None
    return at_us if kind.tz else local_us(at_us, tz)


def _rows(columns: Mapping[str, pa.Array], tz: dt.tzinfo, first: int) -> Iterator[Row]:
    """The rows of a batch one by one, up to the first that is none."""
    for i in range(len(columns["timestamp"])):
        where = f"row {first + i}"
        at, objid, *xyz = (columns[name][i] for name in COLUMNS)
        at_us = _instant_us(at, where, tz)
        name = name_of(_shown(objid), where)
        x, y, z = (number(_shown(value), axis, where) for value, axis in zip(xyz, "xyz", strict=True))
        yield Row(line=first + i, at_us=at_us, objid=name, place=(x, y, z))


def _instant_us(value: Any, where: str, tz: dt.tzinfo) -> int:
    if not value.is_valid or not pa.types.is_timestamp(value.type):
        return instant_us(_shown(value).strip(), where, tz)
    try:
        found = _instants_us(pa.array([value]), tz)
    except (pa.ArrowInvalid, OverflowError):
        found = None
    if found is None:
        raise BadTrajectory(
            f"{where}: its timestamp is outside of the years 1 to 9999 (counted from {EPOCH:%Y})"
        )
    return int(found[0])


def _shown(value: Any) -> str:
    """A value as text; nothing is the empty text."""
    return str(value.as_py()) if value.is_valid else ""
