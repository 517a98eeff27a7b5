"""The embedded default: which programs are started for the settings, in which order, and how they find one another."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from extension.clock import Clock
from extension.settings import OVERRIDE_PREFIX, Settings
from extension.stack.child import Child, Program
from extension.stack.settings import child_environment

_READY_S = 60.0
_WATCH_S = 1.0
REFERENCE_MODEL = "replay-reference"


class EmbeddedStack:
    """The programs of one machine: reference VLM, embedded via-server and the service, each unless a setting replaces it.

    Args:
        settings: What is configured; `VIA_BACKEND` and `VIA_VLM_ENDPOINT` replace the embedded programs.
        media_dirs: Folders that hold the videos to be analysed by path.
        webhook: Address and secret of a receiver to use when none is configured.
        page: Whether the service serves the page.
        clock: Wall clock and waiting.
        say: Told what happens, for people.
        service: Whether the service is started too; without it there is only what answers about video.

    Attributes:
        via_url: Where the via-server is, once all has started.
        service_url: Where the service is; empty without one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        media_dirs: tuple[Path, ...],
        webhook: tuple[str, str] | None,
        page: bool,
        clock: Clock,
        say: Callable[[str], None],
        service: bool = True,
    ) -> None:
        self._settings = settings
        self._media_dirs = tuple(path.resolve() for path in (settings.data_dir / "media", *media_dirs))
        self._webhook = webhook
        self._page = page
        self._clock = clock
        self._say = say
        self._with_service = service
        self._folder = settings.data_dir / "run"
        self._running = ExitStack()
        self._children: list[Child] = []
        self._stop = threading.Event()
        # Children die with the thread that started them; this one outlives them all.
        self._watcher = threading.Thread(target=self._watch, name="watch-children", daemon=True)
        self.via_url = self.service_url = ""

    def __enter__(self) -> Self:
        """Start everything and wait until it answers.

        Raises:
            Unavailable: when a program does not come up; the others are stopped.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self._running.close)
            self._start_all()
            undo.pop_all()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, the last started first."""
        self._stop.set()
        self._watcher.join()
        self._running.close()

    def pids(self) -> dict[str, int]:
        """Process ids of the running children, by name."""
        return {child.name: child.pid for child in self._children if child.pid}

    def _watch(self) -> None:
        """Start anew what dies, until the stack is stopped."""
        while not self._stop.wait(_WATCH_S):
            for child in self._children:
                if child.restart_if_dead():
                    self._say(f"{child.name} had died and was started again")

    def _start_all(self) -> None:
        """Start in the order of need: each is told the address of the one before."""
        endpoint, backend = self._settings.vlm_endpoint, self._settings.via_backend
        if not endpoint and not backend:
            # A via-server of one's own has its own VLM.
            vlm = self._spawn(self._reference_vlm())
            vlm.wait_ready(_READY_S)
            endpoint = f"{vlm.url}/v1"
        if not backend:
            via = self._spawn(self._via_server(endpoint))
            via.wait_ready(_READY_S)
            backend = via.url
        self.via_url = backend
        if not self._with_service:
            return
        service = self._spawn(self._service(backend, endpoint))
        service.wait_ready(_READY_S)
        self.service_url = service.url

    def _spawn(self, program: Program) -> Child:
        self._say(f"starting {program.name}")
        child = Child(program, self._folder, self._clock)
        self._children.append(child)
        self._running.callback(child.stop)
        child.start()
        return child

    def _reference_vlm(self) -> Program:
        return Program("reference-vlm", "vlm_server.reference", (), _quiet(), 0, "/health")

    def _via_server(self, endpoint: str) -> Program:
        settings = self._settings
        args = ["--asset-dir", str(settings.data_dir / "assets")]
        for folder in self._media_dirs:
            args += ["--allowed-media-dir", str(folder)]
        env = _quiet(
            VIA_VLM_ENDPOINT=endpoint,
            VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME=settings.vlm_model or REFERENCE_MODEL,
            VIA_VLM_API_KEY=settings.vlm_api_key.get_secret_value() or "none",
            **{name: value for name, value in settings.beside.items() if name.startswith(OVERRIDE_PREFIX)},
        )
        return Program("via-server", "via_server", args, env, 0, "/health/ready")

    def _service(self, backend: str, endpoint: str) -> Program:
        settings = self._settings
        changes = {
            "VIA_BACKEND": backend,
            "VIA_VLM_ENDPOINT": endpoint,
            "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": settings.vlm_model or REFERENCE_MODEL,
            "EXT_DATA_DIR": str(settings.data_dir.absolute()),
            "EXT_MEDIA_DIRS": os.pathsep.join(map(str, (*settings.media_dirs, *self._media_dirs))),
        }
        if not settings.via_backend:
            changes["EXT_VIA_ZERO_COPY"] = "true"
        if self._webhook is not None and not settings.webhook_url and settings.receivers_file is None:
            changes["EXT_WEBHOOK_URL"], changes["EXT_WEBHOOK_SECRET"] = self._webhook
        args = ["serve"] if self._page else ["serve", "--no-page"]
        return Program("service", "extension", args, _quiet(**changes), settings.port, "/health/ready")


def _quiet(**changes: str) -> Mapping[str, str]:
    """A child's environment: ours with `changes`; one thread per numeric library, since the programs run in parallel themselves."""
    return child_environment(
        PYTHONUNBUFFERED="1", GRADIO_ANALYTICS_ENABLED="False", OMP_NUM_THREADS="1", **changes
    )
