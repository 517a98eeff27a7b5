"""A scriptable stand-in for a via-server on loopback, for faults that no healthy server shows."""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, Any]
SAFE = json.dumps({"status": "safe", "events": [], "summary": ""})
MODEL = {"id": "double", "created": 0, "object": "model", "owned_by": "tests", "api_type": "openai"}


class ViaDouble:
    """Answers file calls as the engine does and captions as `script` says.

    `script` gets the request's body and its number (from 1) and returns (status, JSON value, or bytes sent as they are);
    None stands for `captions(body)`. `queries` records every caption request.
    """

    def __init__(self, script: Callable[[dict[str, Any], int], Answer | None] | None = None) -> None:
        self.script = script
        self.queries: list[dict[str, Any]] = []
        self.files: dict[str, str] = {}
        self.added = 0
        self.down = False
        self._lock = threading.Lock()
        double = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                _reply(self, double, lambda: double.get(self.path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                _reply(self, double, lambda: double.post(self.path, body))

            def do_DELETE(self) -> None:
                _reply(self, double, lambda: double.delete(self.path))

            def log_message(self, *args: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, path: str) -> Answer:
        """Health and models."""
        return (200, {"object": "list", "data": [MODEL]}) if path == "/models" else (200, {})

    def delete(self, path: str) -> Answer:
        """Forget a file."""
        file_id = path.rsplit("/", 1)[1]
        if self.files.pop(file_id, None) is None:
            return 400, {"code": "BadParameter", "message": f"No such resource {file_id}"}
        return 200, {"id": file_id, "object": "file", "deleted": True}

    def post(self, path: str, body: bytes) -> Answer:
        """Files and captions."""
        if path == "/files":
            with self._lock:
                self.added += 1
                file_id = str(uuid.uuid4())
                self.files[file_id] = "file"
            return 200, {
                "id": file_id,
                "bytes": 1,
                "filename": "x.mp4",
                "purpose": "vision",
                "media_type": "video",
            }
        query = json.loads(body)
        with self._lock:
            self.queries.append(query)
            number = len(self.queries)
        if query["id"] not in self.files:
            return 400, {"code": "BadParameter", "message": f"No such resource {query['id']}"}
        scripted = self.script(query, number) if self.script else None
        return scripted or (200, captions(query))


def captions(query: dict[str, Any], content: Callable[[float], str] = lambda _: SAFE) -> dict[str, Any]:
    """A whole answer: `content` by the chunk's start in seconds."""
    start, end = query["media_info"]["start_offset"], query["media_info"]["end_offset"]
    step = query["chunk_duration"]
    return {
        "id": str(uuid.uuid4()),
        "created": 0,
        "model": "double",
        "media_info": query["media_info"],
        "usage": {"query_processing_time": 0, "total_chunks_processed": 1},
        "chunk_responses": [
            {
                "start_time": str(float(t)),
                "end_time": str(float(min(t + step, end))),
                "content": content(float(t)),
                "reasoning_description": json.dumps({"input_tokens": 7}),
            }
            for t in range(start, end, step)
        ],
    }


def _reply(handler: BaseHTTPRequestHandler, double: ViaDouble, make: Callable[[], Answer]) -> None:
    if double.down:
        handler.close_connection = True
        handler.connection.close()
        return
    status, page = make()
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    # A body given as bytes may be half an answer: promise more than is sent.
    handler.send_header("content-length", str(len(body) + (10 if isinstance(page, bytes) else 0)))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client may have given up
        handler.end_headers()
        handler.wfile.write(body)
