"""Cameras that are watched: how they are, and why there was an alert or none."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from extension.api.routes.needs import IdArg, ServicesArg, errors
from extension.errors import NotFound
from extension.wire import CameraOut, CaptionOut

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
