"""Servers on loopback that an operator may have named by mistake, and one strict server that is right.

with strict() as url:                 # OpenAI-compatible below /v1 only, one model, one key
with strict(tls=certificate) as url:  # the same behind a certificate that nobody trusts
with web_page() as url:               # answers every request with a page of HTML
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

MODEL, KEY = "plant-vlm", "sk-made-up-key"
SAFE = '{"status": "safe", "events": [], "summary": ""}'


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1, and its key."""

    pem: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    """Made by the openssl binary; skips where there is none."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    out = ["-keyout", str(made.key), "-out", str(made.pem)]
    subprocess.run(["openssl", "req", "-x509", *curve, *name, *out], check=True, capture_output=True)
    return made


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def answer(self, status: int, page: Any, kind: str = "application/json") -> None:
        body = page.encode() if isinstance(page, str) else json.dumps(page).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
        return told


class _Strict(_Handler):
    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        self._serve(self.body())

    def _serve(self, body: dict[str, Any]) -> None:
        if self.headers["authorization"] != f"Bearer {KEY}":
            self.answer(401, {"error": "Unauthorized"})
        elif self.path == "/v1/models":
            self.answer(
                200, {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "plant"}]}
            )
        elif self.path != "/v1/chat/completions":
            self.answer(404, {"detail": "Not Found"})
        elif body["model"] != MODEL:
            said = f"The model `{body['model']}` does not exist. Valid aliases: {MODEL}"
            self.answer(404, {"error": {"message": said, "type": "NotFoundError", "param": "model"}})
        else:
            message = {"role": "assistant", "content": SAFE}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            self.answer(200, {"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}})


class _WebPage(_Handler):
    def do_GET(self) -> None:
        self.answer(200, "<!doctype html><title>It works!</title>", "text/html")

    def do_POST(self) -> None:
        self.body()
        self.do_GET()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that break off are part of the tests."""


@contextmanager
def strict(tls: Certificate | None = None) -> Iterator[str]:
    """A server that is right, at its root's address."""
    with _served(_Strict, tls) as url:
        yield url


@contextmanager
def web_page() -> Iterator[str]:
    """A server of web pages, at its root's address."""
    with _served(_WebPage, None) as url:
        yield url


@contextmanager
def _served(handler: type[_Handler], tls: Certificate | None) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.pem, tls.key)
        # The handshake belongs to each connection's own thread.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
