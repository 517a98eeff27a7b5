"""The OpenAPI document: FastAPI's own, with errors described as what they are (problem+json)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from extension.api.problems import PROBLEM_TYPE
from extension.api.uploads import FILE_FIELDS
from extension.wire import JobIn

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_PROBLEM_SCHEMA = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for the caller"},
    },
    "example": {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "crash.mp4: the file has no video stream",
    },
}
_REPLACED = ("HTTPValidationError", "ValidationError")


def upload_form() -> dict[str, Any]:
    """The request body of an upload: the options of a job by path, and files in place of its paths, one of them at least."""
    fields = JobIn.model_json_schema()["properties"]
    texts = {
        name: _without_null(f) for name, f in fields.items() if name not in {"path", "trajectory", "pieces"}
    }
    files = {
        "video": {
            "type": "string",
            "format": "binary",
            "description": "The video; without one, a replay is drawn from the log",
        },
        "trajectory": {
            "type": "string",
            "format": "binary",
            "description": "Trajectory log (timestamp,objid,x,y,z): CSV, gzipped or not, or Parquet",
        },
    }
    schema = {
        "type": "object",
        "anyOf": [{"required": [name]} for name in FILE_FIELDS],
        "properties": {**{name: files[name] for name in FILE_FIELDS}, **texts},
        "additionalProperties": False,
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    # A form leaves a field out, or empty, where JSON says null.
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    kept = {name: value for name, value in field.items() if name not in {"anyOf", "default"}}
    return {**kept, **kinds[0]} if kinds else field


def install(app: FastAPI) -> None:
    """Replace the app's document maker by ours; the document is made once, when first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _made(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        webhooks=app.webhooks.routes,
        tags=app.openapi_tags,
    )
    schemas = made["components"]["schemas"]
    schemas["Problem"] = _PROBLEM_SCHEMA
    for name in _REPLACED:
        schemas.pop(name, None)
    for item in made["paths"].values():
        for operation in item.values():
            _describe_errors(operation["responses"])
    for item in made.get("webhooks", {}).values():
        for operation in item.values():
            operation["responses"].pop("422", None)
    return made


def _describe_errors(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status.startswith(("4", "5")):
            response["content"] = {PROBLEM_TYPE: {"schema": _PROBLEM}}
            if status == "422":
                response["description"] = "Something in the request is missing or out of range"
