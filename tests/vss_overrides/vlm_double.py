"""A scriptable OpenAI-compatible VLM on loopback: a real HTTP server that answers, stalls, breaks off or talks nonsense.

with VlmDouble() as vlm:
    vlm.script.extend([Reply(status=500), Reply()])   # first 500, then an answer; after the script `vlm.default`
    ... point VIA_VLM_ENDPOINT at vlm.endpoint ...
    vlm.requests[0].body["messages"]
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.vss_overrides import qwen_double
from tests.vss_overrides.qwen_double import Refuses, VideoReading

SAFE_VERDICT = '{"status": "safe", "events": [], "summary": "Nothing happens."}'
MODEL = "test-vlm"


@dataclass(frozen=True)
class Reply:
    """How to answer one chat completion.

    `raw` replaces the whole body; `cut` closes the connection after that many bytes of the body; `reset` closes it
    before any byte, with a TCP reset; `hang` keeps it open in silence until the double stops; `trickle_s` sends the
    body byte by byte with that pause; `hold` waits for the event before answering.
    """

    status: int = 200
    text: str | None = SAFE_VERDICT
    finish_reason: str | None = "stop"
    usage: Mapping[str, Any] | None = field(
        default_factory=lambda: {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 64},
        }
    )
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = "scripted"
    raw: bytes | None = None
    cut: int | None = None
    reset: bool = False
    hang: bool = False
    trickle_s: float = 0.0
    hold: threading.Event | None = None

    def body(self) -> bytes:
        """The body to send."""
        if self.raw is not None:
            return self.raw
        if self.status >= 400:
            told: dict[str, Any] = {"error": {"message": self.error, "type": "Scripted", "code": self.status}}
            return json.dumps(told).encode()
        message = {"role": "assistant", "content": self.text}
        told = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": MODEL,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason}],
        }
        if self.usage is not None:
            told["usage"] = dict(self.usage)
        return json.dumps(told).encode()


@dataclass(frozen=True)
class Asked:
    """A chat completion that was asked for."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def user_parts(self) -> list[dict[str, Any]]:
        """The content parts of the user's message."""
        parts: list[dict[str, Any]] = self.body["messages"][-1]["content"]
        return parts


class VlmDouble:
    """The double; a context manager. `models` is the body of `GET /v1/models`, or a status to refuse with.

    A question that asks for its own token ids is a probe: it is answered from `reading`, how this server reads videos, and
    noted in `probes` instead of `requests`. `detokenizes` and `counts` are whether it has vLLM's routes for that.
    """

    def __init__(self, owned_by: str = "vllm", max_model_len: int | None = None) -> None:
        entry: dict[str, Any] = {"id": MODEL, "object": "model", "created": 1, "owned_by": owned_by}
        if max_model_len is not None:
            entry["max_model_len"] = max_model_len
        self.models: dict[str, Any] | int | bytes = {"object": "list", "data": [entry]}
        self.script: list[Reply] = []
        self.default = Reply()
        self.requests: list[Asked] = []
        self.reading = VideoReading()
        self.probes: list[Asked] = []
        self.probe_reply: Reply | None = None
        self.detokenizes = self.counts = True
        self.texts_counted = 0
        self.models_asked = 0
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = _Server(self)

    @property
    def endpoint(self) -> str:
        """The base URL, ending in /v1."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point an override at this double."""
        return {
            "VIA_VLM_ENDPOINT": self.endpoint,
            "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": MODEL,
            "VIA_VLM_API_KEY": "sk-made-up-key",
        }

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, asked: Asked) -> Reply:
        """Note a request and say how to answer it."""
        with self._lock:
            self.requests.append(asked)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            return self.script.pop(0) if self.script else self.default

    def done(self) -> None:
        """A request taken before is over."""
        with self._lock:
            self._at_once -= 1

    def wait(self, seconds: float) -> bool:
        """Wait as long, or until the double stops; says whether it stopped."""
        return self._stopped.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, double: VlmDouble) -> None:
        self.double = double
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's signature
        """Stay quiet."""

    def do_GET(self) -> None:
        double = self.server.double
        double.models_asked += 1
        if isinstance(double.models, int):
            self._send(double.models, b'{"error": {"message": "no models here"}}', {})
        else:
            body = double.models if isinstance(double.models, bytes) else json.dumps(double.models).encode()
            self._send(200, body, {})

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if "return_token_ids" in body or self.path.endswith("tokenize"):
            self._tell(body, Asked(body, headers))
            return
        reply = self.server.double.take(Asked(body, headers))
        try:
            self._answer(reply)
        finally:
            self.server.double.done()

    def _tell(self, body: dict[str, Any], asked: Asked) -> None:
        """Answer a question about the server's own workings."""
        double = self.server.double
        told: dict[str, Any] | None = None
        try:
            if self.path == "/detokenize" and double.detokenizes:
                told = {"prompt": "".join(map(chr, body["tokens"]))}
            elif self.path == "/tokenize" and double.counts:
                double.texts_counted += 1
                told = {"count": qwen_double.count(body, double.reading)}
            elif self.path.endswith("/chat/completions"):
                double.probes.append(asked)
                if double.probe_reply is not None:
                    self._answer(double.probe_reply)
                    return
                told = qwen_double.completion(body, double.reading)
        except Refuses as refusal:
            self._send(refusal.status, Reply(status=refusal.status, error=str(refusal)).body(), {})
            return
        if told is None:
            self._send(404, b'{"detail": "Not Found"}', {})
        else:
            self._send(200, json.dumps(told).encode(), {})

    def _answer(self, reply: Reply) -> None:
        if reply.hold is not None:
            while not reply.hold.wait(0.01) and not self.server.double.wait(0):
                pass
        if reply.hang:
            self.server.double.wait(60)
            self.close_connection = True
        elif reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        else:
            self._send(reply.status, reply.body(), reply.headers, reply)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], reply: Reply | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply is not None and reply.cut is not None:
            self.wfile.write(body[: reply.cut])
            self.close_connection = True
        elif reply is not None and reply.trickle_s:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.server.double.wait(reply.trickle_s):
                    return
        else:
            self.wfile.write(body)
