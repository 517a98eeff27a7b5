"""Trajectories of twins that run now: rows come in while they happen; where everyone is, and who touched whom, is asked meanwhile."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus
from typing import Annotated, Any

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from pydantic import Field

from extension.api.problems import Rejected
from extension.api.routes.needs import ServicesArg, errors
from extension.errors import Unavailable
from extension.timetravel.contacts import THRESHOLD_CM, contacts
from extension.timetravel.live_book import NAME, LiveBook
from extension.timetravel.live_log import KeyTaken
from extension.timetravel.live_receipt import Receipt
from extension.timetravel.live_rows import Kind
from extension.timetravel.trajectory import Fill, instant, micros
from extension.wire import Wire

router = APIRouter(prefix="/trajectories", tags=["trajectories"])

_MOST_BATCH_BYTES = 8 * 1024**2
_HOUR = dt.timedelta(hours=1)
_MORE_KINDS = {"application/ndjson": Kind.NDJSON, "application/jsonl": Kind.NDJSON}
_ROWS_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            Kind.CSV.value: {
                "schema": {"type": "string"},
                "example": "2026-05-04 10:00:00.200,obj001,1204.5,0.0,-310.2\n",
            },
            Kind.NDJSON.value: {
                "schema": {"type": "string"},
                "example": '{"timestamp": "2026-05-04T10:00:00.2+09:00", "objid": "obj001", "x": 1204.5, "y": 0, "z": -310.2}\n',
            },
        },
    }
}

NameArg = Annotated[str, Path(pattern=f"^{NAME}$", max_length=64, examples=["yard-1"])]
BatchArg = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Names the batch: sent again, it changes nothing and gets the same answer",
    ),
]


class FaultOut(Wire):
    """A row that was not taken."""

    line: int
    reason: str


class RowsOut(Wire):
    """What became of a batch. `late` rows are among the accepted ones; `repeated` ones were there already and count once."""

    accepted: int
    late: int
    repeated: int
    rejected: int
    faults: list[FaultOut] = Field(description="The first hundred rejected rows, by line of the batch")
    rows: int = Field(description="Rows in the trajectory now")


class TrajectoryOut(Wire):
    """How far a trajectory is."""

    name: str
    start_at: dt.datetime
    end_at: dt.datetime
    rows: int


class ObjectOut(Wire):
    """One object of a trajectory."""

    objid: str
    label: str
    rows: int
    first_at: dt.datetime
    last_at: dt.datetime


class TrajectoryDetailOut(TrajectoryOut):
    """A trajectory with its objects and what is odd about it."""

    objects: list[ObjectOut]
    warnings: list[str]


class PlaceOut(Wire):
    """Where an object was, in centimetres (y is up); `present`: whether it was there then, or that is only its nearest place."""

    objid: str
    label: str
    x: float
    y: float
    z: float
    present: bool


class StateOut(Wire):
    """Where everyone was."""

    at: dt.datetime
    fill: Fill
    positions: list[PlaceOut]


class ContactOut(Wire):
    """Two objects nearer to each other than the threshold, without a pause."""

    objects: list[str]
    start_at: dt.datetime
    end_at: dt.datetime
    closest_cm: float
    closest_at: dt.datetime


def _book(services: ServicesArg) -> LiveBook:
    if services.live is None:
        raise Unavailable("This service keeps no trajectories.")
    return services.live


BookArg = Annotated[LiveBook, Depends(_book)]


@router.post(
    "/{name}/rows",
    responses=errors(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.INSUFFICIENT_STORAGE,
    ),
    openapi_extra=_ROWS_BODY,
)
async def append_rows(name: NameArg, request: Request, book: BookArg, batch_key: BatchArg = None) -> RowsOut:
    """Append rows, as CSV lines or NDJSON; each row is checked on its own, and the answer says which ones were not taken and why.

    The trajectory begins with its first row. When the answer comes, the accepted rows are on disk.
    """
    kind = _kind(request.headers.get("content-type", ""))
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > _MOST_BATCH_BYTES:
            raise Rejected(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A batch has at most {_MOST_BATCH_BYTES // 1024**2} MiB; send more of them.",
            )
    receipt = await to_thread.run_sync(_stored, book, name, bytes(data), kind, batch_key)
    return RowsOut(
        **{key: getattr(receipt, key) for key in ("accepted", "late", "repeated", "rejected", "rows")},
        faults=[FaultOut(line=fault.line, reason=fault.reason) for fault in receipt.faults],
    )


@router.get("")
def list_trajectories(book: BookArg) -> list[TrajectoryOut]:
    """All trajectories, by name."""
    return [TrajectoryOut(**_about(book, name)) for name in book.names()]


@router.get("/{name}", responses=errors(HTTPStatus.NOT_FOUND))
def get_trajectory(name: NameArg, book: BookArg) -> TrajectoryDetailOut:
    """One trajectory: its range, its objects, and what is odd about it."""
    objects = [
        ObjectOut(
            objid=about.objid,
            label=about.label,
            rows=about.rows,
            first_at=instant(about.start_us),
            last_at=instant(about.end_us),
        )
        for about in book.objects(name)
    ]
    return TrajectoryDetailOut(**_about(book, name), objects=objects, warnings=book.warnings(name))


@router.get("/{name}/state", responses=errors(HTTPStatus.NOT_FOUND))
def get_state(
    name: NameArg,
    book: BookArg,
    at: Annotated[dt.datetime | None, Query(description="Default: the latest row's instant")] = None,
    fill: Annotated[Fill, Query(description="What stands between two samples")] = Fill.INTERPOLATED,
) -> StateOut:
    """Where everyone was at an instant; the instant of a sample has that sample's place."""
    summary = book.summary(name)
    when_us = _micros(book, at) if at else summary.end_us
    asked_us = min(max(when_us, summary.start_us), summary.end_us)
    around = book.part(name, asked_us, asked_us)
    positions = []
    if around is not None:
        when = np.array([when_us], dtype=np.int64)
        positions = [
            PlaceOut(
                objid=place.objid,
                label=around.labels[place.objid],
                x=place.x,
                y=place.y,
                z=place.z,
                present=bool(around.tracks[place.objid].present_at(when)[0]),
            )
            for place in around.positions_at(instant(asked_us), fill)
        ]
    return StateOut(at=_aware(book, at) if at else instant(when_us), fill=fill, positions=positions)


@router.get("/{name}/contacts", responses=errors(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND))
def list_contacts(
    name: NameArg,
    book: BookArg,
    start: Annotated[
        dt.datetime | None, Query(alias="from", description="Default: an hour before the end")
    ] = None,
    end: Annotated[dt.datetime | None, Query(alias="to", description="Default: the latest row")] = None,
    threshold_cm: Annotated[
        float, Query(gt=0, le=1e6, description="Of the horizontal distance")
    ] = THRESHOLD_CM,
) -> list[ContactOut]:
    """Who touched whom between two instants, by time; a contact that reaches over an edge is cut there."""
    end_us = _micros(book, end) if end else book.summary(name).end_us
    start_us = _micros(book, start) if start else end_us - _HOUR // dt.timedelta(microseconds=1)
    part = book.part(name, start_us, end_us)
    if part is None:
        return []
    return [
        ContactOut(
            objects=list(contact.objects),
            start_at=contact.start_at,
            end_at=contact.end_at,
            closest_cm=contact.closest_cm,
            closest_at=contact.closest_at,
        )
        for contact in contacts(part, threshold_cm)
    ]


@router.delete(
    "/{name}", status_code=HTTPStatus.NO_CONTENT, responses=errors(HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
)
def delete_trajectory(name: NameArg, book: BookArg) -> None:
    """Remove a trajectory with all its rows."""
    book.delete(name)


def _kind(content_type: str) -> Kind:
    media = content_type.partition(";")[0].strip().lower()
    known = {kind.value: kind for kind in Kind} | _MORE_KINDS
    if media not in known:
        raise Rejected(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send rows as {Kind.CSV} or {Kind.NDJSON}.")
    return known[media]


def _stored(book: LiveBook, name: str, data: bytes, kind: Kind, key: str | None) -> Receipt:
    try:
        return book.append(name, data, kind, key)
    except KeyTaken as exc:
        raise Rejected(HTTPStatus.CONFLICT, str(exc)) from exc
    except OSError as exc:
        raise Rejected(
            HTTPStatus.INSUFFICIENT_STORAGE, "The rows could not be stored; send the batch again."
        ) from exc


def _about(book: LiveBook, name: str) -> dict[str, Any]:
    summary = book.summary(name)
    return {
        "name": name,
        "start_at": instant(summary.start_us),
        "end_at": instant(summary.end_us),
        "rows": summary.rows,
    }


def _micros(book: LiveBook, at: dt.datetime) -> int:
    return micros(_aware(book, at))


def _aware(book: LiveBook, at: dt.datetime) -> dt.datetime:
    """An instant; one without a zone is in the service's."""
    return at if at.tzinfo else at.replace(tzinfo=book.tz)
