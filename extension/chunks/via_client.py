"""Speaks the via-server's REST (VSS 2.4) through requests: files, models and captions. Knows nothing of verdicts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import requests

from extension import multipart
from extension.errors import BadSource, ViaServerRefused, ViaServerUnavailable

# The server's own pattern for file names; others would be refused.
_ODD = re.compile(r"[^A-Za-z0-9_.\- ]")
_NAME_LIMIT = 120
_VIDEO = {"purpose": "vision", "media_type": "video"}
_SHORT_S = 15.0
_UPLOAD_S = 600.0
_SERVER_FAULT = 500
_CLIENT_FAULT = 400


@dataclass(frozen=True, slots=True)
class ViaModel:
    """The model that the via-server offers."""

    id: str
    owned_by: str


@dataclass(frozen=True, slots=True)
class CaptionQuery:
    """One caption request: whole seconds of a file, cut into chunks.

    `frame_size` is (width, height) in pixels, or None for the source's own.
    """

    file_id: str
    model: str
    prompt: str
    system_prompt: str
    start_s: int
    end_s: int
    chunk_s: int
    frames_per_chunk: int
    max_tokens: int
    frame_size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ChunkResponse:
    """The via-server's answer for one chunk, times in media seconds."""

    start_s: float
    end_s: float
    content: str
    reasoning_description: str


class ViaClient:
    """A client of one via-server; safe to use from several threads.

    Every method raises ViaServerUnavailable (try again later) or ViaServerRefused (the request itself is at fault).
    """

    def __init__(self, base_url: str, *, timeout_s: float) -> None:
        self._base = base_url.rstrip("/")
        self._timeout_s = timeout_s

    def within(self, timeout_s: float) -> ViaClient:
        """A client of the same server whose caption requests wait at most so long."""
        return ViaClient(self._base, timeout_s=min(timeout_s, self._timeout_s))

    def ready(self) -> None:
        """Return when the server is ready."""
        self._call("GET", "/health/ready", timeout=_SHORT_S)

    def model(self) -> ViaModel:
        """The first model that the server offers."""
        models = self._json("GET", "/models", timeout=_SHORT_S).get("data")
        if not isinstance(models, list) or not models or not isinstance(models[0], dict):
            raise ViaServerUnavailable("the via-server offers no model")
        return ViaModel(str(models[0].get("id")), str(models[0].get("owned_by", "")))

    def add_path(self, path: Path) -> str:
        """Make a file known by its path, which the server must see too; returns the file's id."""
        return self._file_id({**_VIDEO, "filename": str(path)}, {})

    def upload(self, path: Path) -> str:
        """Upload a file piece by piece; returns the file's id."""
        stem, suffix = _ODD.sub("_", path.stem)[:_NAME_LIMIT], _ODD.sub("_", path.suffix)
        with _opened(path) as stream:
            return self._file_id(_VIDEO, {"file": multipart.Upload(stem + suffix, stream)})

    def delete(self, file_id: str) -> None:
        """Forget a file; one that is not there is fine."""
        try:
            self._call("DELETE", f"/files/{file_id}", timeout=_SHORT_S)
        except ViaServerRefused as exc:
            if exc.code != "BadParameter":
                raise

    def captions(self, query: CaptionQuery) -> list[ChunkResponse]:
        """Ask for the captions of a span; the answer may hold fewer chunks than asked for."""
        body = self._json("POST", "/generate_vlm_captions", json=_body(query), timeout=self._timeout_s)
        responses = body.get("chunk_responses")
        if not isinstance(responses, list):
            raise ViaServerUnavailable("the via-server's answer has no chunk_responses")
        return [_chunk_response(item) for item in responses]

    def _file_id(self, fields: dict[str, str], uploads: dict[str, multipart.Upload]) -> str:
        form = multipart.form(fields, uploads)
        headers = {"content-type": form.content_type}
        page = self._json("POST", "/files", data=form.pieces, headers=headers, timeout=_UPLOAD_S)
        file_id = page.get("id")
        if not isinstance(file_id, str):
            raise ViaServerUnavailable("the via-server's answer has no file id")
        return file_id

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._call(method, path, **options)
        try:
            page = response.json()
        except ValueError as exc:
            raise ViaServerUnavailable(
                f"the via-server answered {path} with something that is no JSON"
            ) from exc
        if not isinstance(page, dict):
            raise ViaServerUnavailable(f"the via-server answered {path} with something that is no object")
        return page

    def _call(self, method: str, path: str, *, timeout: float, **options: Any) -> requests.Response:
        try:
            response = requests.request(
                method, self._base + path, allow_redirects=False, timeout=timeout, **options
            )
        except requests.RequestException as exc:
            reason = "does not answer in time" if isinstance(exc, requests.Timeout) else "cannot be reached"
            raise ViaServerUnavailable(f"the via-server {reason} ({path})") from exc
        if response.status_code >= _SERVER_FAULT:
            raise ViaServerUnavailable(
                f"the via-server answered {path} with {response.status_code}: {_reason(response)}"
            )
        if response.status_code >= _CLIENT_FAULT:
            raise ViaServerRefused(
                f"the via-server refused {path}: {_reason(response)}",
                status=response.status_code,
                code=_error(response).get("code", ""),
            )
        if not response.ok or response.is_redirect:
            raise ViaServerUnavailable(f"the via-server answered {path} with {response.status_code}")
        return response


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        stream = path.open("rb")
    except OSError as exc:
        raise BadSource(f"{path.name}: cannot be read ({exc.strerror})") from exc
    with stream:
        yield stream


def _body(query: CaptionQuery) -> dict[str, Any]:
    """The request as the engine takes it: no explicit nulls, temperature always sent."""
    body: dict[str, Any] = {
        "id": query.file_id,
        "model": query.model,
        "prompt": query.prompt,
        "system_prompt": query.system_prompt,
        "chunk_duration": query.chunk_s,
        "num_frames_per_chunk": query.frames_per_chunk,
        "max_tokens": query.max_tokens,
        "temperature": 0,
        "media_info": {"type": "offset", "start_offset": query.start_s, "end_offset": query.end_s},
    }
    if query.frame_size is not None:
        body["vlm_input_width"], body["vlm_input_height"] = query.frame_size
    return body


def _chunk_response(item: Any) -> ChunkResponse:
    try:
        start_s, end_s = float(item["start_time"]), float(item["end_time"])
        content = item["content"]
    except (KeyError, TypeError, ValueError) as exc:
        raise ViaServerUnavailable("a chunk response of the via-server has no times or content") from exc
    if not (math.isfinite(start_s) and math.isfinite(end_s) and isinstance(content, str)):
        raise ViaServerUnavailable("a chunk response of the via-server has impossible times or content")
    return ChunkResponse(start_s, end_s, content, str(item.get("reasoning_description") or ""))


def _error(response: requests.Response) -> dict[str, str]:
    try:
        page = response.json()
    except ValueError:
        return {}
    return {k: str(v)[:300] for k, v in page.items()} if isinstance(page, dict) else {}


def _reason(response: requests.Response) -> str:
    return _error(response).get("message") or f"HTTP {response.status_code}"
