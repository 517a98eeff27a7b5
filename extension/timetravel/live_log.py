"""A log that a running twin appends to: durable batch by batch, each batch once, and asked while it grows.

`log.csv` holds the rows, `journal.jsonl` a line for every batch that is in for good: a row counts once its batch has a line.
What a crash left behind that line is cut off at the next start; its sender had no answer and sends it again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from extension.errors import BadInput, Unavailable
from extension.timetravel.live_receipt import HEADER, ObjectSummary, Receipt, Summary, grown, sifted
from extension.timetravel.live_rows import Batch, Fault
from extension.timetravel.live_samples import Growing, counted, extend_all
from extension.timetravel.log_rows import Row
from extension.timetravel.trajectory import Trajectory, instant
from extension.timetravel.trajectory_csv import read_trajectory

LOG, JOURNAL = "log.csv", "journal.jsonl"
MOST_ROWS: Final = 20_000_000
"""22 hours of 50 objects at 5 Hz; 640 MB of memory while the log is in use."""

MOST_TOLD: Final = 100
"""Faults that an answer names one by one; all are counted."""

MOST_AT_ONCE: Final = 2_000_000
"""Rows that one question may look at."""

_KEYS_KEPT: Final = 100_000


class KeyTaken(BadInput):
    """A batch key that other rows were sent with before."""


class LiveLog:
    """One log in its folder. Not for several threads at once, nor for several programs."""

    def __init__(self, folder: Path) -> None:
        """Open a log, or make ready for a new one; the folder is made by the first row."""
        self._folder = folder
        self._receipts: dict[str, tuple[str, Receipt]] = {}
        self._samples: dict[str, Growing] | None = None
        self.summary = self._recover()

    def append(self, batch: Batch, key: str | None, data: bytes) -> Receipt:
        """Store the good rows of a batch; when this returns they are on disk.

        Args:
            batch: What `data` holds.
            key: Names the batch: sent again with the same key, it changes nothing and gets the same answer.
            data: The batch as it was sent.

        Raises:
            KeyTaken: The key names another batch.
            BadInput: The log is full.
            OSError: The disk is full or broken; nothing was stored.
        """
        digest = hashlib.sha256(data).hexdigest()
        if key is not None and key in self._receipts:
            known, receipt = self._receipts[key]
            if known != digest:
                raise KeyTaken(f"the batch key {key!r} was used for other rows before")
            return receipt
        samples = self._loaded()
        fresh, faults, late, repeated = sifted(batch, samples)
        if self.summary.rows + len(fresh) > MOST_ROWS:
            raise BadInput(f"the log would have more than {MOST_ROWS} rows; begin another one")
        receipt = Receipt(
            accepted=len(fresh),
            late=late,
            repeated=repeated,
            rejected=len(faults),
            faults=tuple(faults[:MOST_TOLD]),
            rows=self.summary.rows + len(fresh),
        )
        if fresh or self.summary.rows:
            summary = grown(self.summary, fresh, receipt)
            self._commit(_text(fresh), summary, key, digest, receipt)
            extend_all(samples, fresh)
        return receipt

    def part(self, start_us: int, end_us: int) -> Trajectory | None:
        """The log between two instants, both in it and clamped to it (a copy); None where nobody was there.

        Raises:
            BadInput: There are more rows than one question may look at.
        """
        samples = self._loaded()
        first_us, last_us = max(start_us, self.summary.start_us), min(end_us, self.summary.end_us)
        if counted(samples, first_us, last_us) > MOST_AT_ONCE:
            raise BadInput(f"that part of the log has more than {MOST_AT_ONCE} rows; ask for a shorter one")
        tracks = {objid: growing.track(first_us, last_us) for objid, growing in samples.items()}
        kept = {objid: track for objid, track in tracks.items() if track is not None}
        if not kept or first_us > last_us:
            return None
        return Trajectory(tracks=kept, window_us=(first_us, last_us))

    def objects(self) -> list[ObjectSummary]:
        """Every object, in the order of the numbers."""
        samples, part = self._loaded(), self.part(self.summary.end_us, self.summary.end_us)
        return [
            ObjectSummary(
                objid, label, len(samples[objid]), int(samples[objid].at_us[0]), int(samples[objid].at_us[-1])
            )
            for objid, label in (part.labels.items() if part else ())
        ]

    def snapshot(self) -> Path:
        """A file of the log as it is now, which no later batch changes."""
        file = self._folder / f"snapshot-{self.summary.rows}.csv"
        if not file.exists():
            part = file.with_suffix(".part")
            with (self._folder / LOG).open("rb") as log, part.open("wb") as copy:
                left = self.summary.bytes
                while left and (data := log.read(min(left, 1 << 20))):
                    copy.write(data)
                    left -= len(data)
            part.replace(file)
        return file

    def _loaded(self) -> dict[str, Growing]:
        if self._samples is None:
            samples: dict[str, Growing] = {}
            if self.summary.rows:
                for objid, track in read_trajectory(self._folder / LOG).tracks.items():
                    samples[objid] = Growing()
                    samples[objid].extend(track.at_us, track.places)
            self._samples = samples
        return self._samples

    def _commit(self, text: bytes, summary: Summary, key: str | None, digest: str, receipt: Receipt) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        summary = replace(summary, bytes=self.summary.bytes + len(text))
        line = {"summary": asdict(summary), "key": key, "digest": digest, "receipt": asdict(receipt)}
        if text:
            _write(self._folder / LOG, self.summary.bytes, text, start=HEADER)
        journal = self._folder / JOURNAL
        length = journal.stat().st_size if journal.exists() else 0
        _write(journal, length, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self.summary = summary
        self._remember(key, digest, receipt)

    def _recover(self) -> Summary:
        """Cut off what belongs to no batch, and learn the keys."""
        journal, summary, length = self._folder / JOURNAL, Summary(), 0
        log = self._folder / LOG
        if not journal.exists():
            log.unlink(missing_ok=True)
            return summary
        with journal.open("rb") as lines:
            for line in lines:
                page = _page(line)
                if page is None:
                    break
                length += len(line)
                summary = Summary(**page["summary"])
                told = page["receipt"]
                faults = tuple(Fault(**fault) for fault in told["faults"])
                self._remember(page["key"], page["digest"], Receipt(**{**told, "faults": faults}))
        os.truncate(journal, length)
        if summary.rows:
            if log.stat().st_size < summary.bytes:
                raise Unavailable(
                    f"The trajectory {self._folder.name!r} has lost rows; mend or delete its folder."
                )
            os.truncate(log, summary.bytes)
        return summary

    def _remember(self, key: str | None, digest: str, receipt: Receipt) -> None:
        if key is not None:
            self._receipts[key] = (digest, receipt)
            if len(self._receipts) > _KEYS_KEPT:
                del self._receipts[next(iter(self._receipts))]


def _text(rows: Sequence[Row]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        at = instant(row.at_us).isoformat(" ", "microseconds").removesuffix("+00:00") + "Z"
        writer.writerow((at, row.objid, *(repr(value) for value in row.place)))
    return out.getvalue().encode()


def _write(path: Path, length: int, data: bytes, start: bytes = b"") -> None:
    """Put data behind the first `length` bytes of a file, for good; a failure leaves these."""
    is_new = not path.exists()
    with path.open("wb" if is_new else "r+b") as file:
        try:
            if is_new:
                file.write(start)
            file.truncate(length)
            file.seek(length)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            os.truncate(path, 0 if is_new else length)
            raise
    if is_new:
        for folder in (path.parent, path.parent.parent):
            opened = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)


def _page(line: bytes) -> dict[str, Any] | None:
    """A line of the journal; None for one that was not written to its end."""
    if not line.endswith(b"\n"):
        return None
    try:
        page: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return page
