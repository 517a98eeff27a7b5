"""Builds the service from the settings: here alone every part is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from extension import VERSION
from extension.api import Services, create_app
from extension.api.camera_metrics import CameraMetrics
from extension.api.costs import CaptionCosts
from extension.api.metrics import Counts
from extension.chunks.via_client import ViaClient
from extension.clock import Clock, SystemClock
from extension.errors import Unavailable
from extension.evidence.retention import Keep
from extension.model import Announcement, Job, Message
from extension.notify import receivers as receiver_book
from extension.notify.courier import Courier
from extension.notify.message import messages_for
from extension.notify.receivers import Receiver
from extension.notify.webhook import WebhookSender
from extension.pipeline.live.lag import BOUNDS_S
from extension.pipeline.questions import Endpoint, Questions
from extension.pipeline.records import Kept
from extension.pipeline.retiring import Retiring
from extension.pipeline.runner import JobRunner, Policy
from extension.pipeline.summing import Wish
from extension.pipeline.worker import Worker
from extension.playback.clips import Roll
from extension.playback.film import Film
from extension.settings import Settings
from extension.sources.probe import probe
from extension.store import Store
from extension.supervisor import Supervisor
from extension.timetravel.live_book import LiveBook
from extension.timetravel.summary_tongues import Language
from extension.timetravel.trajectory_csv import read_trajectory
from extension.ui import mount_ui
from extension.wire import AboutOut
from extension.wiring import cameras

REFERENCE_NOTE = (
    "The connected VLM is the reference program: it reads replays with numbered discs, and judges camera footage "
    "by motion alone (fall, collision, fire, smoke), on a CPU. It is not a language model."
)
# Who serves the reference program, as its /models says; the via-server passes the name of its endpoint on.
REFERENCE_MODELS = frozenset({"replay-reference"})


class Service:
    """The running parts of the service.

    Attributes:
        app: The API, and the page where it is wanted.
    """

    def __init__(
        self,
        app: FastAPI,
        store: Store,
        worker: Worker,
        courier: Courier,
        sender: WebhookSender,
        supervisor: Supervisor,
        lively: Mapping[str, Callable[[], None]],
    ) -> None:
        self.app = app
        self._store = store
        self._worker = worker
        self._courier = courier
        self._sender = sender
        self._supervisor = supervisor
        self._lively = lively

    def start(self) -> None:
        """Start worker, courier, and what watches cameras."""
        self._supervisor.keep_running("worker", self._worker.run, self._worker.broke)
        self._supervisor.keep_running("courier", partial(self._courier.run, self._supervisor.stop))
        for name, work in self._lively.items():
            self._supervisor.keep_running(name, work)

    def stop(self) -> None:
        """Stop both, and close the store; what is under way goes on at the next start."""
        self._supervisor.stop.set()
        self._worker.wake()
        self._courier.wake()
        self._sender.cut()
        self._supervisor.shut_down()
        self._store.close()


def build(settings: Settings, *, own_url: str, page: bool, clock: Clock | None = None) -> Service:
    """Build the service; nothing runs yet.

    Args:
        settings: What is configured.
        own_url: Where this service will be reachable, for its own page.
        page: Whether to serve the page.
        clock: Wall clock and waiting; the machine's own by default.

    Raises:
        BadSettings: when a setting cannot be used.
    """
    clock = clock or SystemClock()
    receivers = _receivers(settings)
    store = Store.open(settings.database, clock)
    supervisor, sender = Supervisor(), WebhookSender()
    courier = Courier(store, receivers, clock, sender.send, random.SystemRandom())
    via = ViaClient(settings.via_backend, timeout_s=settings.via_timeout_s)
    announce = partial(_announce, receivers=receivers, clock=clock)
    live = cameras.build(settings, store, via, announce)
    runner = JobRunner(
        store,
        via,
        announce,
        policy(settings),
        clock,
        supervisor.stop,
        courier.wake,
    )
    worker = Worker(store, runner, supervisor.stop)
    services = _services(settings, store, clock, via, receivers, worker, courier)
    lively = {"retire evidence": _retiring(settings, store, clock, supervisor).run}
    if live is not None:
        services = replace(services, cameras=live.cameras, explain=live.explain, places=live.places)
        services.registry.register(CameraMetrics(live.cameras, live.lags, BOUNDS_S))
        lively |= live.work(clock, supervisor.stop, courier.wake, ZoneInfo(settings.timezone))
    app = create_app(services, VERSION)
    if page:
        mount_ui(app, lambda: own_url)
    return Service(app, store, worker, courier, sender, supervisor, lively)


def _retiring(settings: Settings, store: Store, clock: Clock, supervisor: Supervisor) -> Retiring:
    keep = Keep(settings.evidence_kept_s, settings.evidence_bytes)
    return Retiring(store, settings.data_dir / "outputs", keep, clock, supervisor.stop)


def policy(settings: Settings) -> Policy:
    """The defaults for jobs."""
    return Policy(
        chunk_s=settings.chunk_s,
        frames_per_chunk=settings.frames_per_chunk,
        max_frame_px=settings.max_frame_px,
        chunks_per_request=settings.chunks_per_request,
        requests_in_flight=settings.requests_in_flight,
        max_tokens=settings.max_tokens,
        patience_s=settings.patience_s,
        merge_gap_s=settings.merge_gap_s,
        contact_cm=settings.contact_cm,
        zero_copy=settings.via_zero_copy,
        timezone=ZoneInfo(settings.timezone),
        replays_dir=settings.data_dir / "media",
        logs_dir=_logs_dir(settings),
        kept=_kept(settings),
        second_look=settings.second_look,
    )


def _kept(settings: Settings) -> Kept:
    """What finished jobs leave behind."""
    film = Film(language=Language(settings.summary_language), roll=Roll(pre_s=settings.summary_pre_s))
    wish = Wish(film=film if settings.summary_video else None, most_moments=settings.summary_moments)
    return Kept(settings.data_dir / "outputs", wish, settings.evidence_incidents)


def _receivers(settings: Settings) -> tuple[Receiver, ...]:
    found: list[Receiver] = []
    if settings.webhook_url:
        secret = settings.webhook_secret.get_secret_value()
        found.append(receiver_book.webhook("webhook", settings.webhook_url, secret))
    if settings.receivers_file is not None:
        found += receiver_book.load(settings.receivers_file)
    return receiver_book.unique(found)


def _announce(
    announcement: Announcement, job: Job, *, receivers: tuple[Receiver, ...], clock: Clock
) -> list[Message]:
    return messages_for(announcement, job, receivers, clock.now())


def _services(
    settings: Settings,
    store: Store,
    clock: Clock,
    via: ViaClient,
    receivers: tuple[Receiver, ...],
    worker: Worker,
    courier: Courier,
) -> Services:
    media_dir = settings.data_dir / "media"
    media_dir.mkdir(parents=True, exist_ok=True)
    key = settings.vlm_api_key.get_secret_value()
    questions = Questions(store, Endpoint(settings.vlm_endpoint, settings.vlm_model, key))
    registry = CollectorRegistry()
    attempts = "Attempts to deliver, by how they ended."
    registry.register(Counts("timetravel_delivery_attempts", attempts, "outcome", partial(_tally, courier)))
    registry.register(CaptionCosts(store))
    return Services(
        store=store,
        clock=clock,
        media_dir=media_dir,
        allowed_dirs=(media_dir, *settings.media_dirs),
        outputs_dir=settings.data_dir / "outputs",
        max_upload_bytes=settings.max_upload_bytes,
        about=partial(_about, via, receivers),
        ask=questions.ask,
        wake=partial(_wake, worker, courier),
        probe=probe,
        timezone=ZoneInfo(settings.timezone),
        check_trajectory=partial(
            read_trajectory, tz=ZoneInfo(settings.timezone), cache_dir=_logs_dir(settings)
        ),
        registry=registry,
        live=LiveBook(settings.data_dir / "trajectories", ZoneInfo(settings.timezone)),
    )


def _tally(courier: Courier) -> dict[str, int]:
    return asdict(courier.tally)


def _wake(worker: Worker, courier: Courier) -> None:
    worker.wake()
    courier.wake()


def _logs_dir(settings: Settings) -> Path:
    """Where long logs are kept in a form that opens at once."""
    return settings.data_dir / "cache" / "trajectories"


def _about(via: ViaClient, receivers: tuple[Receiver, ...]) -> AboutOut:
    try:
        model: str | None = via.model().id
    except Unavailable:
        model = None
    return AboutOut(
        version=VERSION,
        via_backend="connected" if model else "not reachable",
        vlm_model=model,
        vlm_note=REFERENCE_NOTE if model in REFERENCE_MODELS else None,
        receivers=[receiver.name for receiver in receivers],
    )
