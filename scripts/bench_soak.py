"""Simulated cameras for minutes on end, with faults all the time: is every second accounted for, every accident told once, and nothing growing?"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import psutil
import typer

from bench_live_clip import ends_of, read_clock
from bench_live_record import (
    Recorder,
    account_error_s,
    cpu_growth,
    cpu_shares,
    growth,
    page_of,
    recorded_error_s,
    recording,
    together,
)
from bench_live_score import Alarm, Score, alarms_of, scored
from bench_live_simulator import Injected, Show, Simulated, faults_for, inject, simulated
from bench_live_site import Site, site
from bench_report import ReportFile, Seed, console, finish, folder_of_its_own
from extension.clock import Clock, SystemClock

MOST_ACCOUNT_ERROR_S: Final = 0.5
MOST_GROWTH: Final = 0.05
"""Of the median of the second half over that of the first, after warming up."""

MOST_CPU_GROWTH: Final = 0.10
"""More than for memory: what happens before the cameras is not the same in both halves."""

PRODUCT: Final = ("service", "via-server", "reference-vlm")
ENTRY: Final = {"window_s": 10, "stride_s": 5, "merge_gap_s": 10}
_QUIET_END_S: Final = 40.0
"""No accident begins in the last seconds, so that all of them are over and judged when the figures are taken."""

_SETTLE_S: Final = 90.0
_BEGIN_S: Final = 60.0
_POLL_S: Final = 0.5
_ENVIRONMENT: Final = {
    "EXT_RING_S": "120",
    "EXT_WINDOWS_KEPT_S": "240",
}
"""Small enough that the ring lets go of segments, and the store of windows, within the run."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The evidence of one incident: whether there is a clip, and from when to when its own pictures say that it reaches."""

    incident: str
    there: bool
    start_at: dt.datetime | None = None
    end_at: dt.datetime | None = None

    def shows(self, onset_at: dt.datetime) -> bool:
        """Whether an instant is in it."""
        return (
            self.start_at is not None and self.end_at is not None and self.start_at <= onset_at <= self.end_at
        )


def soak(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 10.0,
    cameras: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    size: Annotated[str, typer.Option(help="Of their pictures.")] = "320x180",
    fps: Annotated[float, typer.Option(min=2.0, help="Pictures per second.")] = 4.0,
    accident_s: Annotated[float, typer.Option(help="Seconds between accidents of a camera, about.")] = 60.0,
    fault_s: Annotated[float, typer.Option(help="Seconds between faults of a camera, about.")] = 60.0,
    seed: Seed = 1,
    report: ReportFile = None,
) -> None:
    """Cameras with planned accidents and injected faults on the whole product: every second accounted for, each accident told once, nothing grows."""
    clock, seconds = SystemClock(), 60 * minutes
    calm_s = max(1.0, seconds - _QUIET_END_S)
    show = Show(cameras, size, fps, accident_s, calm_after_s=calm_s, seed=seed)
    with (
        folder_of_its_own() as folder,
        simulated(show, folder / "truth.jsonl") as drawn,
        site(folder / "site", drawn.urls, ENTRY, clock, _ENVIRONMENT) as running,
    ):
        wait_for_pictures(running, cameras, clock)
        planned = faults_for(list(drawn.urls), seconds - _QUIET_END_S / 2, fault_s, seed)
        began_at = clock.now()
        with recording(running, _beside(drawn), clock) as recorder:
            _go_on(drawn, planned, seconds, clock)
        _settle(running, clock)
        alarms, blind = alarms_of(running.incidents())
        stored = [one for name in drawn.urls for one in recorder.segments(name)]
        score = scored(drawn.truth(), alarms, stored, began_at)
        figures = _figures(recorder, score, _clips(running, score), planned, list(drawn.urls))
        figures["camera_down_incidents"] = len(blind)
        figures["receiver"] = running.receiver.counts
        figures["work_that_broke"] = running.log("service").count("work_broke")
    figures = {"minutes": minutes, "cameras": cameras, "picture": f"{size} at {fps:g} fps", **figures}
    bar, holds = judged(figures)
    finish("soak", figures, bar, report, holds=holds)


def judged(figures: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The bar, and whether the figures keep it."""
    most: dict[str, float] = {
        "account_error_s": MOST_ACCOUNT_ERROR_S,
        "recorded_error_s": MOST_ACCOUNT_ERROR_S,
        "missed": 0,
        "duplicates": 0,
        "clips_without_onset": 0,
        "memory_growth": MOST_GROWTH,
        "disk_growth": MOST_GROWTH,
        "files_growth": MOST_GROWTH,
        "threads_growth": MOST_GROWTH,
        "cpu_growth": MOST_CPU_GROWTH,
        "work_that_broke": 0,
    }
    holds = all(figures[name] <= limit for name, limit in most.items())
    return {**most, "accidents_captured": "more than 0"}, holds and figures["accidents_captured"] > 0


def _beside(drawn: Simulated) -> dict[str, psutil.Process]:
    return {"simulator": drawn.process, "benchmark": psutil.Process()}


def wait_for_pictures(running: Site, cameras: int, clock: Clock) -> None:
    """Every camera is recorded.

    Raises:
        Exit: One is not, after a minute.
    """
    if not _until(
        lambda: sum(page["segments"] > 0 for page in running.cameras()) == cameras, _BEGIN_S, clock
    ):
        console.print("[red]not every camera is recorded; nothing was measured[/red]")
        raise typer.Exit(1)


def _go_on(drawn: Simulated, planned: Sequence[Injected], seconds: float, clock: Clock) -> None:
    """Let it run, with faults."""
    stop = threading.Event()
    faults = threading.Thread(target=inject, args=(drawn, planned, clock, stop), name="faults", daemon=True)
    faults.start()
    clock.sleep(seconds)
    stop.set()
    faults.join()


def _settle(running: Site, clock: Clock) -> None:
    """Wait until every incident is over and has its evidence; what has none after a while is found out later."""

    def settled() -> bool:
        seen, _ = alarms_of(running.incidents())
        return all(one.phase == "resolved" and running.evidence(one.id) for one in seen)

    _until(settled, _SETTLE_S, clock)


def _until(true: Callable[[], bool], within_s: float, clock: Clock) -> bool:
    until_s = clock.monotonic_s() + within_s
    while clock.monotonic_s() < until_s:
        if true():
            return True
        clock.sleep(_POLL_S)
    return False


def _clips(running: Site, score: Score) -> dict[str, Clip]:
    """The clip of each incident about an accident, by the incident's id."""
    alarms = [alarm for outcome in score.outcomes for alarm in outcome.alarms]
    return {alarm.id: _clip(running, alarm) for alarm in alarms}


def _clip(running: Site, alarm: Alarm) -> Clip:
    page = running.evidence(alarm.id)
    if page is None or "clip.mp4" not in {link["name"] for link in page["links"]}:
        return Clip(alarm.id, there=False)
    ends = ends_of(running.file(alarm.id, "clip.mp4"))
    if ends is None:
        return Clip(alarm.id, there=False)
    start_at = read_clock(ends.first, alarm.camera, alarm.start_at)
    end_at = read_clock(ends.last, alarm.camera, (start_at or alarm.start_at) + ends.apart)
    # A picture that was taken at another size has a clock of another size: there the clip's own time goes on.
    start_at = start_at or (end_at - ends.apart if end_at else None)
    end_at = end_at or (start_at + ends.apart if start_at else None)
    return Clip(alarm.id, there=True, start_at=start_at, end_at=end_at)


def _figures(
    recorder: Recorder,
    score: Score,
    clips: dict[str, Clip],
    planned: Sequence[Injected],
    names: Sequence[str],
) -> dict[str, Any]:
    samples, standings = recorder.samples, recorder.standings
    lasts = [standings[name][-1] for name in names]
    lost = sum((Counter(standing.lost_s) for standing in lasts), Counter[str]())
    raised = [(outcome, alarm) for outcome in score.outcomes for alarm in outcome.alarms]
    windows: Counter[str] = sum(
        (Counter(counts) for counts in recorder.windows[-1][1].values()), Counter[str]()
    )
    return {
        "faults": dict(Counter(fault.fault for fault in planned)),
        "account_error_s": round(max(account_error_s(standings[name]) for name in names), 3),
        "recorded_error_s": round(
            max(recorded_error_s(standings[name], recorder.segments(name)) for name in names), 3
        ),
        "captured_s": round(sum(standing.captured_s for standing in lasts), 1),
        "lost_s": {code: round(lost_s, 1) for code, lost_s in sorted(lost.items())},
        "windows": dict(windows),
        **score.figures(),
        "clips": sum(clip.there for clip in clips.values()),
        "clips_without_onset": sum(
            not clips[alarm.id].shows(outcome.planned.onset_at) for outcome, alarm in raised if outcome.whole
        ),
        "memory_growth": round(growth(samples, together(PRODUCT, lambda use: use.rss_bytes)), 4),
        "disk_growth": round(growth(samples, lambda sample: sample.ring_bytes), 4),
        "files_growth": round(growth(samples, together(PRODUCT, lambda use: use.files)), 4),
        "threads_growth": round(growth(samples, together(PRODUCT, lambda use: use.threads)), 4),
        "cpu_growth": round(cpu_growth(samples, PRODUCT), 4),
        "cpu_cores": cpu_shares(samples),
        "memory_mb": {name: round(use.rss_bytes / 1e6) for name, use in samples[-1].uses.items()},
        "ring_mb": round(samples[-1].ring_bytes / 1e6, 1),
        "all": {"samples": page_of(samples), **_details(score, clips)},
    }


def _details(score: Score, clips: dict[str, Clip]) -> dict[str, Any]:
    """Accidents that did not raise exactly one incident, and incidents about nothing."""
    return {
        "outcomes": [
            {
                "camera": outcome.planned.camera,
                "kind": outcome.planned.kind,
                "onset_at": outcome.planned.onset_at.isoformat(),
                "whole": outcome.whole,
                "incidents": [alarm.page["start_at"] for alarm in outcome.alarms],
                "clips": [
                    [str(clips[alarm.id].start_at), str(clips[alarm.id].end_at)] for alarm in outcome.alarms
                ],
            }
            for outcome in score.outcomes
        ],
        "false": [alarm.page for alarm in score.false],
    }
