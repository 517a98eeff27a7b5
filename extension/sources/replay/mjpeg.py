"""Shows pictures to browsers as they are drawn: one picture after another in one HTTP answer (`multipart/x-mixed-replace`, JPEG)."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import cv2

from extension.errors import Unavailable
from extension.sources.replay.glyphs import Picture

PATH: Final = "/replay.mjpeg"
_BOUNDARY: Final = "replay-frame"
_QUALITY: Final = 90
_STALLED_S: Final = 10.0
_TICK_S: Final = 0.1
_PAGE: Final = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Replay</title>
<style>body{{margin:0;background:#18191c;display:grid;place-items:center;height:100vh}}img{{width:min(100vw,190vh)}}</style>
<img src="{PATH}" alt="The replay, drawn as it plays"></html>
""".encode()


class MjpegServer:
    """Serves the newest picture to everybody who watches; a context manager.

    A viewer that is too slow misses pictures, it never holds others up. `/` is a page that shows the stream.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._changed = threading.Condition()
        self._newest: bytes = b""
        self._number = 0
        self._viewers = 0
        self._skipped = 0
        self._over = False
        try:
            self._server = _Server((host, port), _Handler, self)
        except OSError as exc:
            reason = exc.strerror or "unknown reason"
            raise Unavailable(f"no HTTP stream on {host}:{port}: {reason}") from exc
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_TICK_S,), name="mjpeg-server", daemon=True
        )

    def __enter__(self) -> Self:
        """Start listening."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every answer and close the port."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Address of the page that shows the stream."""
        host, port = self._server.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else host
        return f"http://{f'[{name}]' if ':' in name else name}:{port}/"

    @property
    def viewers(self) -> int:
        """How many watch."""
        return self._viewers

    @property
    def skipped(self) -> int:
        """How many pictures viewers missed because they took them too slowly, all together."""
        return self._skipped

    def show(self, picture: Picture) -> None:
        """Make a picture the newest one."""
        if not self._viewers:
            return
        packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
        with self._changed:
            self._newest = packed
            self._number += 1
            self._changed.notify_all()

    def follow(self, handler: _Handler) -> None:
        """Send pictures to one viewer until it leaves or everything is over."""
        with self._changed:
            self._viewers += 1
            last = self._number
        try:
            while (taken := self._next(last)) is not None:
                number, packed = taken
                self._skipped += number - last - 1
                last = number
                handler.send_part(packed)
        except OSError:
            return  # the viewer left, or takes nothing
        finally:
            with self._changed:
                self._viewers -= 1

    def _next(self, last: int) -> tuple[int, bytes] | None:
        """The newest picture once it is another than the last one; None when there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._number > last)
            return None if self._over else (self._number, self._newest)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], stream: MjpegServer
    ) -> None:
        self.stream = stream
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: viewers come and go as they like."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _STALLED_S
    server: _Server

    def do_GET(self) -> None:
        """The page, or the stream."""
        if self.path == PATH:
            self.send_response(200)
            self.send_header("content-type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
            self.send_header("cache-control", "no-store")
            self.end_headers()
            self.server.stream.follow(self)
            return
        found = self.path == "/"
        body = _PAGE if found else b"not found"
        self.send_response(200 if found else 404)
        self.send_header("content-type", "text/html; charset=utf-8" if found else "text/plain")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_part(self, packed: bytes) -> None:
        """One picture of the stream."""
        head = f"--{_BOUNDARY}\r\ncontent-type: image/jpeg\r\ncontent-length: {len(packed)}\r\n\r\n"
        self.wfile.write(head.encode("ascii") + packed + b"\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives
        """Say nothing: standard error belongs to the program around it."""
