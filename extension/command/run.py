"""The main job: start the stack, analyse a video, deliver the alerts, print and report what came of it."""

from __future__ import annotations

import base64
import datetime as dt
import json
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from extension.client import ApiClient
from extension.clock import Clock
from extension.command import lock, tables
from extension.command.follow import Follower, Wanted
from extension.command.report import Costs, Outcome, report, score
from extension.errors import BadSource, Unavailable
from extension.model import DeliveryState, JobStatus, Piece, VlmUse
from extension.notify.receiver import SampleReceiver
from extension.settings import Settings
from extension.sources.probe import probe
from extension.sources.replay.sample import ensure_sample
from extension.stack.embedded import EmbeddedStack
from extension.stack.memory import PeakMemory
from extension.timetravel.trajectory_csv import read_trajectory

_SETTLE_S = 60.0
_SERVE_TICK_S = 1.0
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What `timetravel run` was asked to do. Without a video the sample is drawn and analysed."""

    video: Path | None
    trajectory: Path | None
    speed: float
    prompt: str
    once: bool
    report: Path | None
    vlm: VlmUse = VlmUse.ALL
    geometry: bool = True
    start_at: dt.datetime | None = None
    pieces: tuple[Piece, ...] = ()


class MainJob:
    """Runs a plan.

    Args:
        settings: What is configured.
        console: Where people look.
        clock: Wall clock, processing time and waiting.
    """

    def __init__(self, settings: Settings, console: Console, clock: Clock) -> None:
        self._settings = settings
        self._console = console
        self._clock = clock

    def run(self, plan: RunPlan) -> int:
        """Do it; returns the exit code: 0 when everything was judged and delivered."""
        wanted = self._wanted(plan)
        began_s = self._clock.monotonic_s()
        memory = PeakMemory()
        memory.start()
        with ExitStack() as running:
            running.enter_context(lock.exclusive(self._settings.data_dir))
            sample = self._receiver(running)
            webhook = (sample[0].url, sample[1]) if sample else None
            stack = running.enter_context(self._stack(wanted, webhook, page=not plan.once))
            startup_s = self._clock.monotonic_s() - began_s
            lock.announce(self._settings.data_dir, stack.service_url)
            self._console.print(f"ready after {startup_s:.1f} s")
            api = ApiClient(stack.service_url)
            self._say_what_looks(api)
            outcome = Follower(api, self._console, self._clock, _SETTLE_S).run(wanted)
            evaluation = self._score(wanted, outcome)
            tables.show(self._console, outcome, evaluation)
            if sample is not None:
                self._say_received(sample[0])
            costs = Costs(startup_s, memory.stop())
            if plan.report is not None:
                _write(plan.report, report(outcome, costs, evaluation))
                self._console.print(f"report written to {plan.report}")
            if not plan.once:
                self._serve(stack.service_url)
        return exit_code(outcome)

    def run_here_or_there(self, plan: RunPlan) -> int:
        """Do it, on the service that already runs on the data folder where there is one."""
        try:
            return self.run(plan)
        except lock.AlreadyRunning as exc:
            if exc.url is None:
                raise
            self._console.print(f"using the service at {exc.url}")
            return self._there(plan, ApiClient(exc.url))

    def _there(self, plan: RunPlan, api: ApiClient) -> int:
        wanted = self._wanted(plan)
        self._say_what_looks(api)
        # What was drawn in pieces lies, with its log, where the service may read it.
        upload = not wanted.pieces
        outcome = Follower(api, self._console, self._clock, _SETTLE_S).run(wanted, upload=upload)
        evaluation = self._score(wanted, outcome)
        tables.show(self._console, outcome, evaluation)
        if plan.report is not None:
            _write(plan.report, report(outcome, None, evaluation))
        return exit_code(outcome)

    def _wanted(self, plan: RunPlan) -> Wanted:
        if plan.video is None:
            video, trajectory = ensure_sample(self._settings.data_dir / "sample")
            return Wanted(video, trajectory, 1.0, plan.prompt, plan.vlm, plan.geometry)
        # Whatever is wrong with the input is said before anything is started.
        if not plan.video.is_file():
            raise BadSource(f"{plan.video.name}: there is no such file")
        probe(plan.video)
        if plan.trajectory is not None:
            read_trajectory(plan.trajectory, ZoneInfo(self._settings.timezone))
        return Wanted(
            plan.video,
            plan.trajectory,
            plan.speed,
            plan.prompt,
            plan.vlm,
            plan.geometry,
            plan.start_at,
            plan.pieces,
        )

    def _receiver(self, running: ExitStack) -> tuple[SampleReceiver, str] | None:
        """A receiver of our own that verifies what arrives, unless receivers are configured."""
        if self._settings.webhook_url or self._settings.receivers_file:
            return None
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
        receiver = SampleReceiver(secret)
        receiver.start()
        running.callback(receiver.stop)
        return receiver, secret

    def _stack(self, wanted: Wanted, webhook: tuple[str, str] | None, *, page: bool) -> EmbeddedStack:
        folders = {wanted.video.resolve().parent}
        if wanted.trajectory is not None:
            folders.add(wanted.trajectory.resolve().parent)
        return EmbeddedStack(
            self._settings,
            media_dirs=tuple(sorted(folders)),
            webhook=webhook,
            page=page,
            clock=self._clock,
            say=lambda text: self._console.print(f"[dim]{text}[/dim]"),
        )

    def _score(self, wanted: Wanted, outcome: Outcome) -> dict[str, Any] | None:
        if wanted.trajectory is None:
            return None
        trajectory = read_trajectory(wanted.trajectory, ZoneInfo(self._settings.timezone))
        return score(outcome.events, outcome.incidents, trajectory, self._settings.contact_cm)

    def _say_what_looks(self, api: ApiClient) -> None:
        """Say so when the VLM is the reference program: no incident in camera footage means nothing then."""
        try:
            note = api.about().vlm_note
        except Unavailable:
            return
        if note:
            self._console.print(f"[yellow]{note}[/yellow]")

    def _say_received(self, receiver: SampleReceiver) -> None:
        verified, refused = receiver.counts["verified"], receiver.counts["refused"]
        self._console.print(
            f"The sample receiver verified the signatures of {verified} alerts and refused {refused}."
        )

    def _serve(self, service_url: str) -> None:
        """Serve until Ctrl-C."""
        try:
            self._console.print(
                f"\n[bold]Open {service_url}/ui[/bold]   (API: {service_url}/docs; Ctrl-C stops everything)"
            )
            while True:
                self._clock.sleep(_SERVE_TICK_S)
        except KeyboardInterrupt:
            self._console.print("stopping")


def exit_code(outcome: Outcome) -> int:
    """0 when every chunk was judged and every alert delivered, else 1."""
    whole = outcome.job.status is JobStatus.DONE and outcome.job.failed_chunks == 0
    delivered = outcome.delivered(DeliveryState.SENT) == len(outcome.deliveries)
    return 0 if whole and delivered else 1


def _write(path: Path, page: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(page, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
