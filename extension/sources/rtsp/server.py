"""The RTSP server: one thread, one event loop, any number of streams and clients."""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

from extension.clock import Clock, SystemClock
from extension.errors import BadInput, Unavailable
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.pump import Playing, Pump
from extension.sources.rtsp.session import Session
from extension.sources.rtsp.streams import Stream
from extension.sources.rtsp.viewer import cut

_START_S = 10.0
_TURNS = 10
"""Of the loop, that a connection takes at most from being accepted to being served, or from being closed to being gone."""


class RtspServer:
    """Serves streams while it is entered; a context manager.

    Args:
        streams: By name, which is their path. Several streams under one name are variants of one codec: the first plays until
            `Faults.variant` says otherwise.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        credentials: Who may watch; None lets everybody.
        tls: Encrypts connections (`rtsps://`) with the certificate that it has loaded; None leaves them open.
        clock: Where the sender reports' wall clock comes from.
        seed: Of sequence numbers, stream ids and losses.
    """

    def __init__(
        self,
        streams: Mapping[str, Stream | Sequence[Stream]],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        credentials: Credentials | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
        seed: int | None = None,
    ) -> None:
        chance = random.Random(seed)  # noqa: S311 - numbers that differ, nothing secret
        self._pumps = {
            name.strip("/"): Pump(
                tuple(given) if isinstance(given, Sequence) else (given,), clock or SystemClock(), chance
            )
            for name, given in streams.items()
        }
        self._host = host
        self._port = port
        self._credentials = credentials
        self._tls = tls
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        """Start serving.

        Raises:
            Unavailable: The address cannot be listened on.
        """
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="rtsp-server", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(_START_S) or self._failure is not None:
            reason = self._failure.strerror if self._failure else "it does not start"
            raise Unavailable(f"no RTSP server on {self._host}:{self._port}: {reason}") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send everybody away and stop."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join()

    @property
    def port(self) -> int:
        """Port that is listened on."""
        return self._port

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the streams."""
        return tuple(self._pumps)

    def url(self, name: str, *, user: str = "", password: str = "") -> str:
        """Address of a stream, with credentials where they are given."""
        who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        host = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "rtsps" if self._tls else "rtsp"
        return f"{scheme}://{who}{host}:{self._port}/{quote(name)}"

    def faults(self, name: str) -> Faults:
        """What a stream does wrong at present."""
        return self._pump(name).faults

    def set_faults(self, name: str, faults: Faults) -> None:
        """Let a stream do this wrong from now on; `Faults()` mends it."""
        self._pump(name).faults = faults

    def drop(self, name: str, *, reset: bool = False) -> None:
        """Cut the connections of everybody who watches a stream, in order (FIN) or with a reset (RST)."""
        pump = self._pump(name)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: pump.drop(reset=reset))

    def viewers(self, name: str) -> int:
        """How many watch a stream."""
        return len(self._pump(name).viewers)

    def playing(self, name: str) -> Playing | None:
        """What a stream plays and since when; None before its first picture."""
        return self._pump(name).playing

    def _pump(self, name: str) -> Pump:
        try:
            return self._pumps[name]
        except KeyError as exc:
            raise BadInput(f"there is no stream {name!r}; there are {', '.join(self._pumps)}") from exc

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            server = await asyncio.start_server(self._connected, self._host, self._port, ssl=self._tls)
        except OSError as exc:
            self._failure = exc
            self._ready.set()
            return
        self._port = server.sockets[0].getsockname()[1]
        players = [asyncio.create_task(pump.run()) for pump in self._pumps.values()]
        self._ready.set()
        await self._stopping.wait()
        # A connection that was just accepted when its server closes is forgotten open: let it arrive first.
        for sock in server.sockets:
            self._loop.remove_reader(sock.fileno())
        await _turns()
        server.close()
        for player in players:
            player.cancel()
        for writer in list(self._writers):
            cut(writer, reset=False)
        await asyncio.gather(*players, return_exceptions=True)
        await _turns()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await Session(self._pumps, self._credentials, reader, writer).serve()
        finally:
            self._writers.discard(writer)
            writer.close()


async def _turns() -> None:
    """Let what is under way come to its end."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
