"""Cameras that are watched: how they are, and why there was an alert or none."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from extension.api.routes.needs import IdArg, ServicesArg, errors
from extension.errors import NotFound
from extension.wire import BriefIn, BriefOut, CameraOut, CaptionOut

router = APIRouter(tags=["cameras"])


@router.get("/cameras")
def list_cameras(services: ServicesArg) -> list[CameraOut]:
    """How every camera is: its capture, to the second, and its windows."""
    return services.cameras()


@router.get("/cameras/{name}", responses=errors(HTTPStatus.NOT_FOUND))
def get_camera(name: IdArg, services: ServicesArg) -> CameraOut:
    """How one camera is."""
    for camera in services.cameras():
        if camera.name == name:
            return camera
    raise NotFound(f"No camera is called {name!r}.")


@router.get("/cameras/{name}/windows", responses=errors(HTTPStatus.NOT_FOUND))
def explain_camera(
    name: IdArg,
    services: ServicesArg,
    at: Annotated[AwareDatetime, Query(description="The instant in question, with its zone")],
) -> list[CaptionOut]:
    """Which windows of a camera showed an instant, and what the VLM said of each, or why it was not asked."""
    return [CaptionOut.of(caption) for caption in services.explain(name, at)]


@router.get("/cameras/{name}/brief", responses=errors(HTTPStatus.NOT_FOUND))
def get_brief(name: IdArg, services: ServicesArg) -> BriefOut:
    """What the VLM is told about a camera's place: notes, and zones of the picture."""
    return services.places.brief(name)


@router.put(
    "/cameras/{name}/brief",
    responses=errors(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
def put_brief(name: IdArg, brief: BriefIn, services: ServicesArg) -> BriefOut:
    """Say from the next window on what the VLM is told about a camera's place, in place of all that was said before."""
    return services.places.set_brief(name, brief)


@router.delete(
    "/cameras/{name}/brief", responses=errors(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
)
def delete_brief(name: IdArg, services: ServicesArg) -> BriefOut:
    """Go back to what the cameras' file says of a camera's place, and return it."""
    return services.places.drop_brief(name)


@router.get(
    "/cameras/{name}/snapshot",
    response_class=Response,
    responses={
        200: {
            "description": "A picture",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "X-Taken-At": {
                    "description": "The instant that it shows",
                    "schema": {"type": "string", "format": "date-time"},
                }
            },
        },
        **errors(HTTPStatus.NOT_FOUND),
    },
)
def get_snapshot(
    name: IdArg,
    services: ServicesArg,
    at: Annotated[
        AwareDatetime | None,
        Query(description="The instant in question, with its zone; by default the newest"),
    ] = None,
) -> Response:
    """A recorded picture of a camera: the last from which decoding can start, at that instant or before it."""
    shot = services.places.snapshot(name, at)
    headers = {"X-Taken-At": shot.at.isoformat(), "Cache-Control": "no-store"}
    return Response(shot.jpeg, media_type="image/jpeg", headers=headers)
