"""Cuts connections when a total time is over, which read timeouts cannot: each byte of a slow drip starts them anew."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self

from requests import PreparedRequest
from requests.adapters import HTTPAdapter


class Deadline:
    """A span of processing time, as a context; sockets given to `watch` are shut when it is over.

    Args:
        limit_s: Seconds from entering the context.
    """

    def __init__(self, limit_s: float) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(limit_s, self.cut)
        self._timer.daemon = True
        self.passed = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def watch(self, sock: socket.socket) -> None:
        """Shut this socket too when the time is over."""
        with self._lock:
            self._sockets.append(sock)
            if self.passed:
                _shut(sock)

    def cut(self) -> None:
        """End the time now."""
        with self._lock:
            self.passed = True
            for sock in self._sockets:
                _shut(sock)


class WatchedAdapter(HTTPAdapter):
    """An adapter of requests whose connections are all watched by a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """The pool for a request, which makes watched connections."""
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        pool.ConnectionCls = self._watched(pool.ConnectionCls)
        return pool

    def _watched(self, make: Any) -> Any:
        def watched(*args: Any, **kwargs: Any) -> Any:
            connection = make(*args, **kwargs)
            connect = connection.connect

            def connect_watched() -> None:
                connect()
                self._deadline.watch(connection.sock)

            connection.connect = connect_watched
            return connection

        return watched


def _shut(sock: socket.socket) -> None:
    # It may be closed already, or never have been connected: then nobody waits on it.
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
