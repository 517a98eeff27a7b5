"""A sample receiver: shows what a good one does, and stands in for one in the demonstration and in tests.

It verifies every signature, knows a message that it has seen before, and answers at once.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, OrderedDict, deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

_MOST_BYTES = 1_000_000
_IDLE_S = 10.0
# Ids remembered, to know a message that comes again.
_MEMORY = 10_000


class SampleReceiver:
    """A webhook on its own thread.

    Args:
        secret: The signing secret that it shares with the sender ("whsec_...").
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        keep: How many messages `received` holds at most.
    """

    def __init__(self, secret: str, host: str = "127.0.0.1", port: int = 0, keep: int = 1000) -> None:
        self._webhook = Webhook(secret)
        self._lock = threading.Lock()
        self._messages: deque[dict[str, Any]] = deque(maxlen=keep)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._counts: Counter[str] = Counter()
        self._server = _Server((host, port), _Handler, self)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sample-receiver",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/alerts"

    @property
    def received(self) -> list[dict[str, Any]]:
        """The newest verified messages, each once, oldest first, with the message id as `id`."""
        with self._lock:
            return list(self._messages)

    @property
    def counts(self) -> dict[str, int]:
        """How many requests were `verified`, `refused`, and `duplicates` of a verified one."""
        with self._lock:
            return {name: self._counts[name] for name in ("verified", "refused", "duplicates")}

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Verify one request and remember its message; return the HTTP status to answer."""
        try:
            page = self._webhook.verify(body, headers)
        except (WebhookVerificationError, ValueError):
            # ValueError: signatures that are not base64, bodies that are not UTF-8 or not JSON.
            with self._lock:
                self._counts["refused"] += 1
            return 401
        message_id = {name.lower(): value for name, value in headers.items()}["webhook-id"]
        with self._lock:
            if message_id in self._seen:
                self._counts["duplicates"] += 1
                return 200
            self._counts["verified"] += 1
            self._seen[message_id] = None
            if len(self._seen) > _MEMORY:
                self._seen.popitem(last=False)
            self._messages.append({"id": message_id, **(page if isinstance(page, dict) else {"data": page})})
        return 200


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], receiver: SampleReceiver
    ) -> None:
        self.receiver = receiver
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_S
    server: _Server

    def do_POST(self) -> None:
        """Take a message."""
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit():
            self._answer(411)
        elif int(length) > _MOST_BYTES:
            self._answer(413)
        else:
            self._answer(self.server.receiver.take(self.rfile.read(int(length)), dict(self.headers.items())))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives
        """Say nothing: standard error belongs to the program around it."""

    def _answer(self, status: int) -> None:
        body = json.dumps({"status": status}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
