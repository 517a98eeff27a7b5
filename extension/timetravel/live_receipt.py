"""What becomes of a batch: which of its rows a log takes, and what its sender and the log's summary are told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from extension.timetravel.live_rows import Batch, Fault
from extension.timetravel.live_samples import Growing
from extension.timetravel.log_rows import COLUMNS, MOST_OBJECTS, Row
from extension.timetravel.trajectory import instant
from extension.timetravel.trajectory_csv import stamp

HEADER: Final = ",".join(COLUMNS).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch.

    Attributes:
        accepted: Rows stored, late ones included.
        late: Of these, rows earlier than one already stored of the same object.
        repeated: Rows that were stored before, word for word; they count once.
        rejected: Rows that were not taken.
        faults: The first hundred of the rejected ones.
        rows: Rows in the log with this batch.
    """

    accepted: int
    late: int
    repeated: int
    rejected: int
    faults: tuple[Fault, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Summary:
    """How far a log is: rows, bytes, and its first and last instant in microseconds since 1970 UTC; counts over all batches."""

    rows: int = 0
    bytes: int = len(HEADER)
    start_us: int = 0
    end_us: int = 0
    batches: int = 0
    late: int = 0
    repeated: int = 0
    rejected: int = 0
    last_fault: str = ""


@dataclass(frozen=True, slots=True)
class ObjectSummary:
    """One object of a log: rows, and its first and last instant in microseconds since 1970 UTC."""

    objid: str
    label: str
    rows: int
    start_us: int
    end_us: int


def sifted(batch: Batch, samples: dict[str, Growing]) -> tuple[list[Row], list[Fault], int, int]:
    """The rows to store, all faults by line, and how many rows are late and repeated."""
    fresh: dict[tuple[str, int], Row] = {}
    latest: dict[str, int] = {}
    faults, late, repeated = list(batch.faults), 0, 0
    for row in batch.rows:
        mine = samples.get(row.objid)
        if row.objid not in latest:
            if mine is None and len(samples.keys() | latest.keys()) >= MOST_OBJECTS:
                faults.append(Fault(row.line, f"more than {MOST_OBJECTS} different objids"))
                continue
            latest[row.objid] = int(mine.at_us[-1]) if mine else row.at_us
        known = fresh.get((row.objid, row.at_us))
        place = known.place if known else (mine.place_of(row.at_us) if mine else None)
        if place is None:
            fresh[row.objid, row.at_us] = row
            late += row.at_us < latest[row.objid]
            latest[row.objid] = max(latest[row.objid], row.at_us)
        elif place == row.place:
            repeated += 1
        else:
            at = stamp(instant(row.at_us))
            faults.append(
                Fault(row.line, f"another place for {row.objid!r} at {at} UTC than the one stored before")
            )
    return list(fresh.values()), sorted(faults, key=lambda fault: fault.line), late, repeated


def grown(summary: Summary, fresh: Sequence[Row], receipt: Receipt) -> Summary:
    """How far a log is with these rows."""
    instants = [row.at_us for row in fresh]
    if summary.rows:
        instants += [summary.start_us, summary.end_us]
    told = f"line {receipt.faults[-1].line}: {receipt.faults[-1].reason}" if receipt.faults else ""
    return Summary(
        rows=receipt.rows,
        bytes=summary.bytes,
        start_us=min(instants),
        end_us=max(instants),
        batches=summary.batches + 1,
        late=summary.late + receipt.late,
        repeated=summary.repeated + receipt.repeated,
        rejected=summary.rejected + receipt.rejected,
        last_fault=told or summary.last_fault,
    )
