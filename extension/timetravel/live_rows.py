"""Reads a batch of rows that a running twin sends: CSV lines or NDJSON. A row that is none is told and costs no other row. Pure."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from extension.errors import BadTrajectory
from extension.timetravel.log_rows import COLUMNS, Columns, Row, columns_of, rows_of

_OWN_ORDER: Final = columns_of(COLUMNS)
_LONGEST_OBJID: Final = 200


class Kind(StrEnum):
    """How a batch is written, by its media type."""

    CSV = "text/csv"
    NDJSON = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that was not taken: its line in the batch, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of a batch, in its order, and the lines that are none."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def read_batch(data: bytes, kind: Kind, tz: dt.tzinfo) -> Batch:
    """Read a batch; blank lines are passed over.

    CSV lines have the columns `timestamp,objid,x,y,z`, or those that a header names in the first line; one row a line. NDJSON
    lines are objects with these names.

    Args:
        data: UTF-8 text.
        kind: How it is written.
        tz: Zone of timestamps that state none.

    Raises:
        BadTrajectory: It is no UTF-8 text, or its header lacks a column.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise BadTrajectory(f"line {line}: not UTF-8 text") from exc
    lines = [(n, line.rstrip("\r\n")) for n, line in enumerate(io.StringIO(text, newline=""), start=1)]
    filled = [(n, line) for n, line in lines if line.strip()]
    rows: list[Row] = []
    faults: list[Fault] = []
    for found in _csv(filled, tz) if kind is Kind.CSV else _ndjson(filled, tz):
        if isinstance(found, Row):
            rows.append(found)
        else:
            faults.append(found)
    return Batch(tuple(rows), tuple(faults))


def _csv(lines: Sequence[tuple[int, str]], tz: dt.tzinfo) -> Iterator[Row | Fault]:
    columns = _OWN_ORDER
    for place, (number, line) in enumerate(lines):
        try:
            fields = next(csv.reader([line], strict=True))
        except csv.Error as exc:
            yield Fault(number, f"not CSV ({exc})")
            continue
        if not place and any(cell.strip().lower() == COLUMNS[0] for cell in fields):
            columns = columns_of(fields, f"line {number}: ")
            continue
        yield from _row(fields, columns, number, tz)


def _ndjson(lines: Sequence[tuple[int, str]], tz: dt.tzinfo) -> Iterator[Row | Fault]:
    for number, line in lines:
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            yield Fault(number, "not JSON")
            continue
        if not isinstance(item, dict):
            yield Fault(number, "not a JSON object")
            continue
        if missing := [name for name in COLUMNS if item.get(name) is None]:
            yield Fault(number, f"without {', '.join(missing)}")
            continue
        if strange := [name for name in COLUMNS if not _is_plain(item[name])]:
            yield Fault(number, f"{strange[0]} is neither text nor a number")
            continue
        yield from _row([_text(item[name]) for name in COLUMNS], _OWN_ORDER, number, tz)


def _row(fields: Sequence[str], columns: Columns, number: int, tz: dt.tzinfo) -> Iterator[Row | Fault]:
    try:
        for row in rows_of([fields], columns, tz, number):
            if len(row.objid) > _LONGEST_OBJID or not row.objid.isprintable():
                reason = f"objid is {row.objid[:40]!r}: it must be at most {_LONGEST_OBJID} printable letters"
                yield Fault(number, reason)
            else:
                yield row
    except BadTrajectory as exc:
        yield Fault(number, str(exc).removeprefix(f"line {number}: "))


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _text(value: str | float) -> str:
    try:
        return value if isinstance(value, str) else repr(value)
    except ValueError:  # Python writes no whole number of thousands of digits
        return "inf"
