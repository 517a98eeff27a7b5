"""Reads CSV logs block by block: whole blocks by column where they are plain, row by row by the strict rules where not.

It keeps nothing: what the rows come to is `log_gather`'s.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from extension.errors import BadTrajectory
from extension.timetravel.log_instants import instants_us
from extension.timetravel.log_rows import FARTHEST, Block, Columns, blocks_of, columns_of, instant_us, rows_of
from extension.timetravel.trajectory import Micros

BLOCK_BYTES: Final = 4 * 1024**2
_LONGEST_LINE_BYTES: Final = 16 * 1024**2
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_FIELD: Final = 131_072
"""The csv module takes no longer field."""

_SHORTEST_ROW: Final = len("2025-01-01 00:00:00,a,1,1,1")


def csv_blocks(file: BinaryIO, tz: dt.tzinfo, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Read a log's rows in the order of the file.

    Raises:
        BadTrajectory: At the first line that is no row, after the rows before it; the message names the line and the reason.
    """
    pieces = _pieces(file, block_bytes)
    first = next(pieces, b"")
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadTrajectory("the file is UTF-16 text; save it as UTF-8")
    first = first.removeprefix(_BOM)
    if not _text(first, 1).strip():
        if not any(_text(piece, 1).strip() for piece in pieces):
            raise BadTrajectory("the file is empty")
        yield from _strict([first], None, tz, 1)  # a blank line is no header, and says so
    header, _, rest = first.partition(b"\n")
    header = header.removesuffix(b"\r")
    if b'"' in header or b"\r" in header or len(header) > _LONGEST_FIELD:
        yield from _strict(chain([first], pieces), None, tz, 1)
        return
    columns = columns_of(_text(header, 1).split(","))
    yield from _rows(chain([rest] if rest else [], pieces), columns, tz)


def check_utf8(file: BinaryIO, block_bytes: int = BLOCK_BYTES) -> None:
    """Raise `BadTrajectory` at the first line that is not UTF-8 text."""
    line = 1
    for piece in _pieces(file, block_bytes):
        if line == 1 and piece.startswith((b"\xff\xfe", b"\xfe\xff")):
            return
        _text(piece, line)
        line += piece.count(b"\n")


def _rows(pieces: Iterator[bytes], columns: Columns, tz: dt.tzinfo) -> Iterator[Block]:
    line = 2
    for piece in pieces:
        if b'"' in piece:  # a quoted field may go on in the next piece
            yield from _strict(chain([piece], pieces), columns, tz, line)
            return
        block = _fast(piece, columns, tz, line)
        if block is not None:
            yield block
            line += len(block.line)
        else:
            yield from _strict(iter([piece]), columns, tz, line)
            line += sum(1 for _ in _lines([piece], line))


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The file in pieces that end with their lines."""
    rest, line = b"", 1
    while data := file.read(size):
        rest += data
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
            line += rest.count(b"\n", 0, cut)
            rest = rest[cut:]
        if len(rest) > _LONGEST_LINE_BYTES:
            raise BadTrajectory(f"line {line}: longer than {_LONGEST_LINE_BYTES // 1024**2} MiB")
    if rest:
        yield rest


def _text(data: bytes, line: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line += data.count(b"\n", 0, exc.start)
        raise BadTrajectory(f"line {line}: not UTF-8 text; save the file as UTF-8") from exc


def _lines(pieces: Iterable[bytes], line: int) -> Iterator[str]:
    for piece in pieces:
        yield from io.StringIO(_text(piece, line), newline="")
        line += piece.count(b"\n")


def _strict(pieces: Iterable[bytes], columns: Columns | None, tz: dt.tzinfo, line: int) -> Iterator[Block]:
    """Read pieces row by row; without columns the first row is the header."""
    reader = csv.reader(_lines(pieces, line), strict=True)
    try:
        if columns is None:
            columns = columns_of(next(reader))
            yield from blocks_of(rows_of(reader, columns, tz, line + 1))
        else:
            yield from blocks_of(rows_of(reader, columns, tz, line))
    except csv.Error as exc:
        raise BadTrajectory(f"line {line - 1 + reader.line_num}: not CSV ({exc})") from exc


def _fast(piece: bytes, columns: Columns, tz: dt.tzinfo, line: int) -> Block | None:
    """Read a piece by column; None where anything about it is not plain."""
    count = _plain_rows(piece)
    if count is None:
        return None
    if not piece.isascii():
        _text(piece, line)
    names = [str(i) for i in range(columns.width)]
    wanted = [str(i) for i in (columns.at, columns.objid, *columns.xyz)]
    try:
        table = pv.read_csv(
            pa.py_buffer(piece),
            pv.ReadOptions(use_threads=False, block_size=len(piece) + 1, column_names=names),
            pv.ParseOptions(quote_char=False),
            pv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=False,
            ),
        )
        if table.num_rows != count:
            return None
        at, objid, *xyz = (column.combine_chunks() for column in table.columns)
        places = np.stack([pc.cast(values, pa.float64()).to_numpy() for values in xyz], axis=1)
    except pa.ArrowInvalid:
        return None
    who = objid.dictionary_encode()
    ids = [name.strip() for name in who.dictionary.to_pylist()]
    at_us = text_instants_us(at, tz)
    if at_us is None or not all(ids) or not (np.abs(places) <= FARTHEST).all():
        return None
    numbers = np.arange(line, line + count, dtype=np.int64)
    return Block(numbers, at_us, who.indices.to_numpy().astype(np.int64), ids, places)


def _plain_rows(piece: bytes) -> int | None:
    """How many lines a piece has; None where one of them cannot be a plain row."""
    if b"\0" in piece or piece.count(b"\r") != piece.count(b"\r\n"):
        return None
    ends = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == ord("\n"))
    if not piece.endswith(b"\n"):
        ends = np.append(ends, len(piece))
    lengths = np.diff(ends, prepend=-1) - 1
    if lengths.min() < _SHORTEST_ROW or lengths.max() > _LONGEST_FIELD:
        return None
    return len(ends)


def text_instants_us(texts: pa.StringArray, tz: dt.tzinfo) -> Micros | None:
    """Instants of timestamps as text; None where one of them is none, or is empty."""
    coded = texts.dictionary_encode()
    different = coded.dictionary
    at_us = _same_length(different, tz)
    if at_us is None:
        try:
            found = [instant_us(text.strip(), "", tz) for text in different.to_pylist()]
        except BadTrajectory:
            return None
        at_us = np.array(found, dtype=np.int64)
    each: Micros = at_us[coded.indices.to_numpy()]
    return each


def _same_length(texts: pa.StringArray, tz: dt.tzinfo) -> Micros | None:
    ends = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    lengths = np.diff(ends)
    if not len(lengths) or (lengths != lengths[0]).any() or not lengths[0]:
        return None
    letters = np.frombuffer(texts.buffers()[2], dtype=np.uint8)[ends[0] : ends[-1]]
    return instants_us(letters.reshape(len(texts), int(lengths[0])), tz)
