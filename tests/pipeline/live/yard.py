"""A yard with cameras whose windows are judged against a real store, and answers made to order."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from extension.clock import SystemClock
from extension.model import (
    Announcement,
    Caption,
    Claim,
    Failure,
    Incident,
    Job,
    Kind,
    Message,
    Severity,
    Span,
    Verdict,
)
from extension.pipeline.live.lane import Lane, Spec, open_lane
from extension.pipeline.live.register import Register
from extension.store import Store

NOW = dt.datetime(2026, 5, 4, 10, tzinfo=dt.UTC)
GAP_S = 4.0


class Still(SystemClock):
    """A wall clock that stands still."""

    def now(self) -> dt.datetime:
        """Ten o'clock."""
        return NOW


def announce(announcement: Announcement, _job: Job) -> list[Message]:
    """One message for one receiver, as the service numbers them."""
    incident, number = announcement.incident, announcement.sequence
    body = f'{{"data": {{"sequence": {number}}}}}'
    return [Message(f"{incident.id}/{number}", "r", incident.id, f"incident.{announcement.change}", body)]


@dataclass
class Yard:
    """Cameras with windows of 10 s, one every 5 s, which tell of motion unless they are named as silent.

    `changed` are the incidents that changed, as those hear of them who keep evidence; `news` counts calls about new messages.
    """

    store: Store
    lanes: dict[str, Lane]
    register: Register
    changed: list[Incident] = field(default_factory=list)
    news: list[bool] = field(default_factory=list)

    def judged(self, _lane: Lane, incidents: tuple[Incident, ...]) -> None:
        """Remember what changed."""
        self.changed += incidents

    def incidents(self) -> list[Incident]:
        """All that are stored."""
        return self.store.incidents()

    def told(self) -> list[str]:
        """What was announced, in its order."""
        return [delivery.message.type.split(".")[1] for delivery in reversed(self.store.deliveries())]


def open_yard(folder: Path, *names: str, busy_timeout_ms: int = 15_000) -> Yard:
    """The yard as it is in the database of a folder; cameras called "silent" tell of no motion."""
    path = folder / "yard.db"
    if not path.exists():
        path.write_bytes(_empty())
    store = Store.open(f"sqlite:///{path}", Still(), busy_timeout_ms=busy_timeout_ms)
    lanes = {
        name: open_lane(
            Spec(name, merge_gap_s=GAP_S, motion_notices=name != "silent"), store, announce, Still(), dt.UTC
        )
        for name in names or ("gate",)
    }
    news: list[bool] = []
    return Yard(store, lanes, Register(store, lambda: news.append(True)), news=news)


@functools.cache
def _empty() -> bytes:
    """A database with all its tables: making them takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        Store.open(f"sqlite:///{path}", Still()).close()
        return path.read_bytes()


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """While this lasts, somebody else writes to the database and nobody can."""
    with contextlib.closing(sqlite3.connect(folder / "yard.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def moving(share: float = 0.1, *, is_moving: bool = True) -> dict[str, Any]:
    """What a window's record says of its motion."""
    return {"motion": {"moving": is_moving, "share": share, "moving_s": 3.0}}


def lost(lane: Lane, number: int, code: str = "Unreachable", **stats: Any) -> Caption:
    """A window without an answer, in which something moved, unless its stats say otherwise."""
    failure = Failure(code, "the VLM does not answer")
    return Caption(lane.chunk(number), "", None, failure, {**moving(), **stats})


def calm(lane: Lane, number: int) -> Caption:
    """A window in which nothing is wrong."""
    return Caption(lane.chunk(number), "{}", Verdict(Severity.SAFE, (), "All is calm."), None)


def shows(
    lane: Lane, number: int, *kinds: Kind, at_s: float = 7.0, severity: Severity = Severity.DANGER
) -> Caption:
    """A window that shows something of each kind, so many seconds after its beginning."""
    start_s = lane.chunk(number).span.start_s + at_s
    claims = tuple(
        Claim(kind, Span(start_s, start_s + 1.0), severity, ("person",), description=f"A {kind}.")
        for kind in kinds
    )
    return Caption(lane.chunk(number), "{}", Verdict(severity, claims, ""), None)


def ranked(caption: Caption, severities: Sequence[Severity]) -> Caption:
    """The same answer with other severities, claim by claim."""
    assert caption.verdict is not None
    claims = tuple(
        replace(claim, severity=severity)
        for claim, severity in zip(caption.verdict.claims, severities, strict=True)
    )
    return replace(caption, verdict=replace(caption.verdict, claims=claims))
