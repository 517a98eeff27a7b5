"""The product as an operator runs it, for benchmarks of cameras: its programs as processes, and a receiver that checks signatures."""

from __future__ import annotations

import base64
import datetime as dt
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import requests
import yaml

from bench_report import console
from extension import settings
from extension.clock import Clock
from extension.notify.receiver import SampleReceiver
from extension.stack.embedded import EmbeddedStack

_ASK_S: Final = 20.0
_SECRET_BYTES: Final = 32


class TimedReceiver(SampleReceiver):
    """A receiver that knows when each message came for the first time."""

    def __init__(self, secret: str, clock: Clock) -> None:
        super().__init__(secret, keep=100_000)
        self.came_at: dict[str, dt.datetime] = {}
        self._clock = clock

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Note when it came, and take it."""
        now_at = self._clock.now()
        status = super().take(body, headers)
        message_id = {name.lower(): value for name, value in headers.items()}.get("webhook-id", "")
        if status == requests.codes.ok:
            self.came_at.setdefault(message_id, now_at)
        return status


class Site:
    """A running product.

    Attributes:
        data: Its data folder.
        receiver: Hears of its incidents.
        pids: Its processes by name.
    """

    def __init__(self, stack: EmbeddedStack, data: Path, receiver: TimedReceiver) -> None:
        self.data = data
        self.receiver = receiver
        self._stack = stack

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids by name, as they are now."""
        return self._stack.pids()

    @property
    def ring(self) -> Path:
        """Where recorded segments lie."""
        return self.data / "ring"

    def cameras(self) -> list[dict[str, Any]]:
        """How every camera is."""
        return list(self.get("/cameras"))

    def incidents(self) -> list[dict[str, Any]]:
        """All incidents of all cameras, each with its `camera`."""
        return [
            {**incident, "camera": camera["name"]}
            for camera in self.cameras()
            for incident in self.get(f"/jobs/{camera['job_id']}/incidents")
        ]

    def events(self, job_id: str) -> dict[str, dict[str, Any]]:
        """A job's events by id."""
        return {event["id"]: event for event in self.get(f"/jobs/{job_id}/events")}

    def windows(self, camera: str, at: dt.datetime) -> list[dict[str, Any]]:
        """The windows that showed an instant, with their answers."""
        return list(self.get(f"/cameras/{quote(camera)}/windows?at={quote(at.isoformat())}"))

    def captions(self, job_id: str) -> list[dict[str, Any]]:
        """All windows of a camera's job that are still kept."""
        return list(self.get(f"/jobs/{job_id}/captions"))

    def evidence(self, incident_id: str) -> dict[str, Any] | None:
        """What is kept of an incident; None where nothing is, yet."""
        answer = self._ask(f"/incidents/{incident_id}/evidence")
        return dict(answer.json()) if answer.ok else None

    def file(self, incident_id: str, name: str) -> bytes:
        """A file of an incident's evidence."""
        answer = self._ask(f"/incidents/{incident_id}/evidence/{name}")
        answer.raise_for_status()
        return answer.content

    def log(self, program: str) -> str:
        """What one of the programs wrote."""
        return (self.data / "run" / f"{program}.log").read_text("utf-8", "replace")

    def get(self, path: str) -> Any:
        """A page of the API."""
        answer = self._ask(path)
        answer.raise_for_status()
        return answer.json()

    def _ask(self, path: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False  # no proxy for our own machine
            return session.get(f"{self._stack.service_url}/api/v1{path}", timeout=_ASK_S)


@contextmanager
def site(
    folder: Path,
    urls: Mapping[str, str],
    entry: Mapping[str, Any],
    clock: Clock,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """The whole stack, watching cameras.

    Args:
        folder: Where it keeps everything.
        urls: Of the cameras, by name.
        entry: What holds for each of them in the cameras file.
        clock: Ours.
        environment: Settings, by the names that operators use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    book = folder / "cameras.yaml"
    cameras = [{"name": name, "url": url, **entry} for name, url in urls.items()]
    book.write_text(yaml.safe_dump({"cameras": cameras}, sort_keys=False), encoding="utf-8")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
    with ExitStack() as done:
        done.enter_context(_environment({"EXT_CAMERAS_FILE": str(book), **(environment or {})}))
        receiver = TimedReceiver(secret, clock)
        receiver.start()
        done.callback(receiver.stop)
        data = folder / "data"
        stack = EmbeddedStack(
            settings.load(data_dir=data, port=0),
            media_dirs=(),
            webhook=(receiver.url, secret),
            page=False,
            clock=clock,
            say=lambda text: console.print(f"[dim]{text}[/dim]"),
        )
        done.enter_context(stack)
        yield Site(stack, data, receiver)


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Our environment with changes, which child programs inherit, until the block ends."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
