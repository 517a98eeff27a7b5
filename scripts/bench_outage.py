"""The VLM dies under load and comes back: what becomes of the windows meanwhile, how soon all is well again, and what it costs."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import psutil
import typer

from bench_live_record import Recorder, Sample, account_error_s, recording, together
from bench_live_score import alarms_of, pieces, scored
from bench_live_simulator import Show, simulated
from bench_live_site import Site, site
from bench_live_vlm import MODEL, REFERENCE, SCRIPTED, vlm
from bench_report import ReportFile, Seed, finish, folder_of_its_own
from bench_soak import wait_for_pictures
from extension.clock import Clock, SystemClock
from extension.sources.rtsp.accidents import Accident

MOST_BACK_S: Final = 15.0
"""From the VLM's return to its first good answer: a try that waits for the next, and an answer."""

MOST_MEMORY: Final = 0.10
"""Growth of the service and the via-server from before the outage to its end."""

MOST_ACCOUNT_ERROR_S: Final = 0.5
PRODUCT: Final = ("service", "via-server")
SHED: Final = "Shed"
_POLL_S: Final = 0.25
_SPARE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Outage:
    """When the VLM was away, and when windows that were looked at again were first answered; None where none was in time."""

    gone_at: dt.datetime
    back_at: dt.datetime
    first_answer_at: dt.datetime | None
    all_answered_at: dt.datetime | None


def outage(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long the VLM is away.")] = 5.0,
    cameras: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    around_s: Annotated[float, typer.Option(min=5.0, help="Seconds before and after it.")] = 60.0,
    window_s: Annotated[float, typer.Option(min=2.0, help="Length of a window.")] = 10.0,
    stride_s: Annotated[float, typer.Option(min=1.0, help="A window begins this often.")] = 5.0,
    *,
    reference: Annotated[bool, typer.Option(help="The reference VLM; else one that sees fire only.")] = True,
    seed: Seed = 1,
    report: ReportFile = None,
) -> None:
    """The VLM's process is killed and its port refuses for minutes: every window recorded, oldest shed first, memory bounded, back by itself."""
    clock = SystemClock()
    entry = {"window_s": window_s, "stride_s": stride_s, "merge_gap_s": window_s}
    show = Show(cameras, fps=5.0, accident_s=45.0, kinds=(Accident.FIRE,), seed=seed)
    program = REFERENCE if reference else (*SCRIPTED, "--answer-s", "0.05")
    with folder_of_its_own() as folder, vlm(program, folder, clock) as model:
        environment = {
            "VIA_VLM_ENDPOINT": model.endpoint,
            "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": MODEL,
        }
        with (
            simulated(show, folder / "truth.jsonl") as drawn,
            site(folder / "site", drawn.urls, entry, clock, environment) as running,
        ):
            wait_for_pictures(running, cameras, clock)
            pids = dict(running.pids)
            with recording(
                running, {"simulator": drawn.process, "benchmark": psutil.Process()}, clock
            ) as recorder:
                clock.sleep(max(around_s, window_s + stride_s))
                model.kill()
                gone_at, gone_s = clock.now(), recorder.now_s
                clock.sleep(60 * minutes)
                back_s = recorder.now_s
                model.start()
                away = _back(running, gone_at, clock)
                clock.sleep(around_s)
            stored = [one for name in drawn.urls for one in recorder.segments(name)]
            alarms, _ = alarms_of(running.incidents())
            since_at = (away.all_answered_at or clock.now()) + dt.timedelta(seconds=window_s)
            until_at = clock.now() - dt.timedelta(seconds=window_s + stride_s)
            planned = [one for one in drawn.truth() if since_at <= one.onset_at <= until_at]
            after = scored(planned, alarms, stored, since_at)
            figures = {
                "minutes": minutes,
                "cameras": cameras,
                **windows_of(running, away),
                **_returned(away),
                **_held(recorder, gone_s, back_s),
                "holes_in_capture": sum(len(pieces(recorder.segments(name))) - 1 for name in drawn.urls),
                "restarted": sum(running.pids.get(name) != pid for name, pid in pids.items()),
                "work_that_broke": running.log("service").count("work_broke"),
                "accidents_after": len(after.outcomes),
                "accidents_after_missed": sum(not outcome.alarms for outcome in after.outcomes),
            }
    bar, holds = judged(figures)
    finish("outage", figures, bar, report, holds=holds)


def judged(figures: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The bar, and whether the figures keep it."""
    most: dict[str, float] = {
        "first_answer_s": MOST_BACK_S,
        "unrecorded": 0,
        "newest_shed": 0,
        "memory_growth": MOST_MEMORY,
        "account_error_s": MOST_ACCOUNT_ERROR_S,
        "holes_in_capture": 0,
        "unanswered_calls": 0,
        "restarted": 0,
        "work_that_broke": 0,
        "accidents_after_missed": 0,
    }
    holds = all(figures[name] is not None and figures[name] <= limit for name, limit in most.items())
    return {**most, "failed": "more than 0"}, holds and figures["failed"] > 0


def _back(running: Site, gone_at: dt.datetime, clock: Clock) -> Outage:
    """Wait until every camera is looked at again."""
    back_at = clock.now()
    before = {page["name"]: page["windows"].get("looked", 0) for page in running.cameras()}
    first_at: dt.datetime | None = None
    until_s = clock.monotonic_s() + _SPARE_S
    while clock.monotonic_s() < until_s:
        more = [page["windows"].get("looked", 0) > before[page["name"]] for page in running.cameras()]
        if any(more) and first_at is None:
            first_at = clock.now()
        if all(more):
            return Outage(gone_at, back_at, first_at, clock.now())
        clock.sleep(_POLL_S)
    return Outage(gone_at, back_at, first_at, None)


def windows_of(running: Site, away: Outage) -> dict[str, Any]:
    """What became of the windows of the outage, of all cameras."""
    ended: Counter[str] = Counter()
    unrecorded = newest = 0
    for camera in running.cameras():
        pages = running.captions(camera["job_id"])
        first, until = (_first(running, camera["name"], at) for at in (away.gone_at, away.back_at))
        numbers = {page["chunk_index"] for page in pages}
        unrecorded += len(set(range(min(numbers), max(numbers) + 1)) - numbers) if numbers else 0
        ordered = sorted(pages, key=lambda page: int(page["chunk_index"]))
        codes = [_code(page) for page in ordered if first <= page["chunk_index"] < until]
        ended.update(codes)
        newest += newest_shed([_code(page) for page in ordered])
    return {
        "windows": dict(ended),
        "failed": sum(ended.values()) - ended["looked"],
        "shed": ended[SHED],
        "unrecorded": unrecorded,
        "newest_shed": newest,
    }


def _first(running: Site, camera: str, at: dt.datetime) -> int:
    """The first window that had not ended at an instant."""
    return min((int(page["chunk_index"]) for page in running.windows(camera, at)), default=0)


def newest_shed(codes: Sequence[str]) -> bool:
    """Whether the newest of all of a camera's windows was shed: never, where the oldest of those that wait goes first."""
    return bool(codes) and codes[-1] == SHED


def _code(page: dict[str, Any]) -> str:
    return str(page["failure"]).partition(":")[0] if page["failure"] else "looked"


def _returned(away: Outage) -> dict[str, Any]:
    def after_s(at: dt.datetime | None) -> float | None:
        return round((at - away.back_at).total_seconds(), 2) if at else None

    return {"first_answer_s": after_s(away.first_answer_at), "all_cameras_s": after_s(away.all_answered_at)}


def _held(recorder: Recorder, gone_s: float, back_s: float) -> dict[str, Any]:
    """What the outage cost, and what else it harmed."""
    memory = together(PRODUCT, lambda use: use.rss_bytes)
    before = _median_of(recorder.samples, 0.4 * gone_s, gone_s, memory)
    late = _median_of(recorder.samples, gone_s + 0.8 * (back_s - gone_s), back_s, memory)
    return {
        "memory_before_mb": round(before / 1e6),
        "memory_at_its_end_mb": round(late / 1e6),
        "memory_growth": round(late / before - 1, 4) if before else 0.0,
        "account_error_s": round(max(account_error_s(each) for each in recorder.standings.values()), 3),
        "unanswered_calls": recorder.unanswered,
    }


def _median_of(
    samples: Sequence[Sample], from_s: float, to_s: float, value: Callable[[Sample], float]
) -> float:
    """The median between two moments, or the last value before the second where nothing was looked at in between."""
    before = [sample for sample in samples if sample.at_s <= to_s]
    found = [value(sample) for sample in before if sample.at_s >= from_s] or [value(s) for s in before[-1:]]
    return float(statistics.median(found)) if found else 0.0
