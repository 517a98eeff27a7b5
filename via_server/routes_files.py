"""`/files`: store, list, show, fetch and delete."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from via_server.assets import Asset, AssetStore, checked_name
from via_server.errors import StorageFull, ViaError, not_served
from via_server.probe import probe
from via_server.upload import Form, read_form
from via_server.wire import (
    AddFileForm,
    AddFileInfoResponse,
    DeleteFileResponse,
    FileInfo,
    ListFilesResponse,
    MediaType,
    Purpose,
)

_STORED_NAME = "media"  # uploads are stored under one name: the client's is only shown
_FORM_FIELDS = tuple(AddFileForm.model_fields)


def router(store: AssetStore) -> APIRouter:
    """The routes under `/files`."""
    routes = APIRouter(tags=["Files"])

    @routes.post("/files", openapi_extra=_form_documentation())
    async def add_file(request: Request) -> AddFileInfoResponse:
        """Store an upload, or a reference to a file in an allowed folder."""
        return _added(await _add(request, store))

    @routes.get("/files")
    async def list_files(purpose: Annotated[str, Query(max_length=36)]) -> ListFilesResponse:
        """Every file of a purpose; `vision` is the only one there is."""
        shown = store.all() if purpose == Purpose.VISION.value else []
        return ListFilesResponse(data=[_added(asset) for asset in shown])

    @routes.get("/files/{file_id}")
    async def file_info(file_id: uuid.UUID) -> FileInfo:
        """One file."""
        asset = store.get(file_id)
        return FileInfo(id=asset.id, bytes=asset.size_bytes, filename=asset.name, purpose=Purpose.VISION)

    @routes.get("/files/{file_id}/content")
    async def file_content(file_id: uuid.UUID) -> FileResponse:
        """The bytes of one file."""
        asset = store.get(file_id)
        if not asset.path.is_file():
            raise ViaError(HTTPStatus.BAD_REQUEST, "InvalidFile", f"The file of {file_id} is gone")
        return FileResponse(asset.path, filename=asset.name, media_type="application/octet-stream")

    @routes.delete("/files/{file_id}")
    async def delete_file(file_id: uuid.UUID) -> DeleteFileResponse:
        """Delete one file; a file named by path stays where it is."""
        await run_in_threadpool(store.delete, file_id)
        return DeleteFileResponse(id=file_id)

    return routes


async def _add(request: Request, store: AssetStore) -> Asset:
    asset_id = uuid.uuid4()
    try:
        folder = await run_in_threadpool(store.new_folder, asset_id)
    except OSError:
        raise StorageFull from None
    asset: Asset | None = None
    stored = folder / _STORED_NAME
    form = Form()
    try:
        content_type = request.headers.get("content-type", "")
        form = await read_form(request.stream(), content_type, stored, store.room)
        asset = await run_in_threadpool(_checked_asset, asset_id, form, stored, store)
        store.add(asset)
    finally:
        if asset is None:
            store.room.give_back(form.file_bytes)
        if asset is None or not asset.owned:
            await run_in_threadpool(store.drop_folder, asset_id)
    return asset


def _checked_asset(asset_id: uuid.UUID, form: Form, stored: Path, store: AssetStore) -> Asset:
    """The asset that `form` describes. Raises ViaError and RequestValidationError."""
    fields = _fields(form)
    if (form.file_name is None) == (not fields.filename):
        message = "('body', 'file'): exactly one of file and filename is needed"
        raise ViaError(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidParameters", message)
    if fields.media_type is MediaType.IMAGE:
        raise not_served("media_type image")
    owned = form.file_name is not None
    path = stored if owned else store.allowed_path(fields.filename)
    name = checked_name(path.name if form.file_name is None else form.file_name)
    media = probe(path)
    return Asset(asset_id, name, path, path.stat().st_size, owned, media)


def _fields(form: Form) -> AddFileForm:
    given = {name: form.fields[name] for name in _FORM_FIELDS if name in form.fields}
    try:
        return AddFileForm.model_validate(given)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from None


def _added(asset: Asset) -> AddFileInfoResponse:
    return AddFileInfoResponse(
        id=asset.id,
        bytes=asset.size_bytes,
        filename=asset.name,
        purpose=Purpose.VISION,
        media_type=MediaType.VIDEO,
    )


def _form_documentation() -> dict[str, object]:
    """The form in OpenAPI's words; the route reads it itself, so that uploads go to the disk as they come."""
    schema = {
        "type": "object",
        "required": ["purpose", "media_type"],
        "properties": {
            "purpose": {"type": "string", "enum": ["vision"]},
            "media_type": {"type": "string", "enum": ["video"]},
            "file": {"type": "string", "format": "binary"},
            "filename": {"type": "string", "maxLength": 256, "description": "path on the server"},
            "camera_id": {"type": "string", "maxLength": 256},
        },
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
