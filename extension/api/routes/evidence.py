"""Evidence of incidents: the manifest, and the files that it names."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import FileResponse

from extension.api.ports import Services
from extension.api.problems import Rejected
from extension.api.routes.needs import IdArg, ServicesArg, errors
from extension.errors import NotFound
from extension.evidence import digests, shelf
from extension.evidence.expiry import expired
from extension.evidence.manifest import NAME, SUMS, EvidenceOut, LinkOut, Manifest

router = APIRouter(tags=["findings"])

_NONE: Final = (
    "There is no evidence of this incident: it is made at the end of a job, where EXT_EVIDENCE_INCIDENTS allows it, "
    "and of a camera within seconds, where its recordings show something."
)
_GONE: Final = (
    "The evidence of this incident was kept for as long as EXT_EVIDENCE_KEPT_S and EXT_EVIDENCE_BYTES allow; "
    "it is gone since {day}. The SHA-256 of its manifest was {digest}."
)
_TYPES: Final = {NAME: "application/json", SUMS: "text/plain; charset=utf-8"}
_BODY: Final[dict[str, dict[str, str]]] = {
    "application/octet-stream": {},
    "application/json": {},
    "image/jpeg": {},
    "text/plain": {},
    "video/mp4": {},
}


@router.get("/incidents/{incident_id}/evidence", responses=errors(HTTPStatus.NOT_FOUND, HTTPStatus.GONE))
def get_evidence(incident_id: IdArg, services: ServicesArg) -> EvidenceOut:
    """What is kept of an incident: manifest, and where clip, snapshot and the list of hashes are.

    The manifest names the hash of every file, what the decision rests on, and what could not be made.
    """
    folder, manifest = _found(services, incident_id)
    made = {file.name: (file.media_type, file.sha256) for file in manifest.files}
    own = {
        name: (kind, digests.of_file(folder / name))
        for name, kind in _TYPES.items()
        if (folder / name).is_file()
    }
    links = [
        LinkOut(
            name=name,
            href=f"/api/v1/incidents/{quote(incident_id, safe='')}/evidence/{name}",
            sha256=digest,
            size_bytes=(folder / name).stat().st_size,
            media_type=media_type,
        )
        for name, (media_type, digest) in (own | made).items()
        if (folder / name).is_file()
    ]
    return EvidenceOut(
        incident_id=manifest.incident.id,
        job_id=manifest.incident.job_id,
        manifest_sha256=own[NAME][1],
        links=links,
        manifest=manifest,
    )


@router.get(
    "/incidents/{incident_id}/evidence/{name}",
    response_class=FileResponse,
    responses={
        200: {"description": "The file", "content": _BODY},
        206: {"description": "The part that the Range header asked for", "content": _BODY},
        **errors(HTTPStatus.NOT_FOUND, HTTPStatus.GONE),
    },
)
def get_evidence_file(incident_id: IdArg, name: IdArg, services: ServicesArg) -> FileResponse:
    """One file of the evidence: `manifest.json`, `SHA256SUMS`, `clip.mp4` or `snapshot.jpg`, where it was made."""
    folder, manifest = _found(services, incident_id)
    types = _TYPES | {file.name: file.media_type for file in manifest.files}
    if name not in types or not (folder / name).is_file():
        raise NotFound("The evidence of this incident has no such file.")
    return FileResponse(
        folder / name, media_type=types[name], filename=name, content_disposition_type="inline"
    )


def _found(services: Services, incident_id: str) -> tuple[Path, Manifest]:
    # Asking the store first: ids that it knows are ones that we made, so they are safe as folders' names.
    incident = services.store.incident(incident_id)
    try:
        folder = shelf.place(services.outputs_dir / incident.job_id, incident.id)
    except ValueError as exc:
        raise NotFound(_NONE) from exc
    manifest = shelf.read(folder)
    if manifest is not None:
        return folder, manifest
    if gone := expired(services.outputs_dir / incident.job_id, incident.id):
        raise Rejected(HTTPStatus.GONE, _GONE.format(day=gone.at.date(), digest=gone.manifest_sha256))
    raise NotFound(_NONE)
