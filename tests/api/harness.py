"""A service made of a store and small stand-ins, and a real server around it."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from extension.api import Services
from extension.api.ports import Shelf
from extension.errors import BadSource, BadTrajectory
from extension.model import Job
from extension.timetravel.live_book import LiveBook
from extension.wire import AboutOut, AnswerOut, Citation
from tests.api.samples import BEGIN


class StillClock:
    """A clock that moves only when told to; each look moves it a second, so that order shows."""

    def __init__(self) -> None:
        self.at = BEGIN

    def now(self) -> dt.datetime:
        """One second after the last look."""
        self.at += dt.timedelta(seconds=1)
        return self.at

    def monotonic_s(self) -> float:
        """The same, as a number."""
        return (self.at - BEGIN).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        self.at += dt.timedelta(seconds=seconds)


@dataclass
class Desk:
    """A service, and what it was asked to do."""

    services: Services
    woken: list[bool] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    about: AboutOut = field(
        default_factory=lambda: AboutOut(
            version="1.2.3",
            via_backend="embedded",
            vlm_model="test-model",
            vlm_note="A vision program stands in for a language model.",
            receivers=["hook"],
        )
    )


def probe(path: Path) -> object:
    """Refuse what PyAV cannot open, in a sentence that names the path."""
    try:
        with av.open(str(path)) as container:
            return container.streams.video[0].frames
    except (av.FFmpegError, IndexError) as exc:
        raise BadSource(f"{path}: not a video") from exc


def check_trajectory(path: Path) -> object:
    """Refuse a log without the columns."""
    if path.read_bytes().splitlines()[:1] != [b"timestamp,objid,x,y,z"]:
        raise BadTrajectory(f"{path}: line 1: the columns must be timestamp,objid,x,y,z")
    return None


def make_desk(store: Shelf, clock: StillClock, folder: Path, max_upload_bytes: int = 8 * 1024**2) -> Desk:
    """A service over `store` that keeps its files in `folder`."""
    for name in ("media", "outputs", "allowed"):
        (folder / name).mkdir()
    desk: Desk

    def ask(job: Job, question: str) -> AnswerOut:
        desk.asked.append((job.id, question))
        citation = Citation(source="event", id="e", start_s=12.5, end_s=14.0, text="3 & 7 <touch>")
        return AnswerOut(answer=f"You asked: {question}", citations=[citation], written_by="extractive")

    desk = Desk(
        Services(
            store=store,
            clock=clock,
            media_dir=folder / "media",
            allowed_dirs=(folder / "allowed",),
            outputs_dir=folder / "outputs",
            max_upload_bytes=max_upload_bytes,
            about=lambda: desk.about,
            ask=ask,
            wake=lambda: desk.woken.append(True),
            probe=probe,
            check_trajectory=check_trajectory,
            registry=CollectorRegistry(),
            live=LiveBook(folder / "trajectories"),
            faults=lambda: desk.faults,
        )
    )
    return desk


@contextlib.contextmanager
def served(app: FastAPI, listener: socket.socket) -> Iterator[str]:
    """A real server for the app on a bound socket; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise AssertionError("the server did not start")
            thread.join(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
        listener.close()


def bound() -> socket.socket:
    """A socket on a free loopback port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener
