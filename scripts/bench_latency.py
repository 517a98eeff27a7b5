"""How long it takes from the picture to the pager, in the simulator: from a window's last frame, and from the onset of an accident."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import psutil
import typer

from bench_live_record import Stored, cpu_shares, recording
from bench_live_score import percentile
from bench_live_simulator import Planned, Show, simulated
from bench_live_site import Site, site
from bench_live_vlm import MODEL, SCRIPTED, vlm
from bench_report import ReportFile, Seed, finish, folder_of_its_own
from bench_soak import wait_for_pictures
from extension.clock import SystemClock
from extension.sources.rtsp.accidents import Accident

MOST_STORED_S: Final = 0.3
MOST_BEYOND_S: Final = 1.0
"""From onset to webhook, beyond a stride and the VLM's own time."""

P95: Final = 0.95
_MOST_AT_ONCE: Final = 64
_EVERY_S: Final = 35.0
"""Between fires of a camera: no two of them in one window, and none still told of when the next begins."""

_LATE_S: Final = 30.0
"""Messages about accidents that began this long ago are still waited for at the end."""

_NEAR_S: Final = 1.0
_SAME: Final = dt.timedelta(milliseconds=2)


@dataclass(frozen=True, slots=True)
class Timing:
    """One accident on its way, seconds.

    Attributes:
        onset_s: From the first picture that shows it to the webhook.
        stored_s: From the moment at which the last segment of the window that told of it was on disk to that at which the incident is entered.
        window_s: From the first picture that shows it to the end of that window.
        vlm_s: Of the VLM: what it was told to take for the first answer, and all of a second look.
    """

    onset_s: float
    stored_s: float
    window_s: float
    vlm_s: float


def latency(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 4.0,
    cameras: Annotated[int, typer.Option(min=1, help="How many.")] = 6,
    answer_s: Annotated[float, typer.Option(min=0.0, help="Seconds that the VLM takes for an answer.")] = 0.5,
    window_s: Annotated[float, typer.Option(min=2.0, help="Length of a window.")] = 10.0,
    stride_s: Annotated[float, typer.Option(min=1.0, help="A window begins this often.")] = 5.0,
    *,
    second_look: Annotated[bool, typer.Option(help="Look twice at what is danger.")] = True,
    seed: Seed = 1,
    report: ReportFile = None,
) -> None:
    """Fires before simulated cameras, a VLM that sees fire at once and takes a stated time: from the last frame, and from the onset, to the webhook."""
    clock, seconds = SystemClock(), 60 * minutes
    entry = {"window_s": window_s, "stride_s": stride_s, "merge_gap_s": 1}
    show = Show(cameras, accident_s=_EVERY_S, calm_after_s=seconds, kinds=(Accident.FIRE,), seed=seed)
    with folder_of_its_own() as folder, vlm((*SCRIPTED, "--answer-s", str(answer_s)), folder, clock) as model:
        environment = {
            "VIA_VLM_ENDPOINT": model.endpoint,
            "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": MODEL,
            "EXT_SECOND_LOOK": str(second_look).lower(),
            # As many as can be due at once: waiting for a free place at the VLM is the VLM's time.
            "EXT_REQUESTS_IN_FLIGHT": str(min(_MOST_AT_ONCE, cameras)),
        }
        with (
            simulated(show, folder / "truth.jsonl") as drawn,
            site(folder / "site", drawn.urls, entry, clock, environment) as running,
        ):
            wait_for_pictures(running, cameras, clock)
            began_at = clock.now() + dt.timedelta(seconds=window_s)
            beside = {"simulator": drawn.process, "scripted-vlm": psutil.Process(model.pid)}
            with recording(running, beside, clock) as recorder:
                clock.sleep(seconds)
                told_at = clock.now() - dt.timedelta(seconds=stride_s)
                clock.sleep(min(_LATE_S, 2 * window_s))
            planned = [one for one in drawn.truth() if began_at <= one.onset_at <= told_at]
            stored = {name: recorder.segments(name) for name in drawn.urls}
            timings = [timing(one, running, stored[one.camera], answer_s) for one in planned]
            figures = {
                "cameras": cameras,
                "window_s": window_s,
                "stride_s": stride_s,
                "answer_s": answer_s,
                "second_look": second_look,
                **figures_of([one for one in timings if one], len(planned), stride_s),
                "cpu_cores": cpu_shares(recorder.samples),
            }
    bar = {"stored_p95_s": MOST_STORED_S, "beyond_stride_and_vlm_p95_s": MOST_BEYOND_S, "untold": 0}
    holds = bool(figures["fires"]) and all(figures[name] <= most for name, most in bar.items())
    finish("latency", figures, bar, report, holds=holds)


def figures_of(timings: Sequence[Timing], fires: int, stride_s: float) -> dict[str, Any]:
    """Medians and 95 % of everything; `stored` is without the VLM's own time."""
    stored = [one.stored_s - one.vlm_s for one in timings]
    onset = [one.onset_s for one in timings]
    beyond = [one.onset_s - one.vlm_s - stride_s for one in timings]
    return {
        "fires": fires,
        "untold": fires - len(timings),
        "stored_p50_s": round(percentile(stored, 0.5), 3),
        "stored_p95_s": round(percentile(stored, P95), 3),
        "vlm_s": round(percentile([one.vlm_s for one in timings], 0.5), 3),
        "onset_to_window_p95_s": round(percentile([one.window_s for one in timings], P95), 3),
        "onset_to_webhook_p50_s": round(percentile(onset, 0.5), 3),
        "onset_to_webhook_p95_s": round(percentile(onset, P95), 3),
        "beyond_stride_and_vlm_p95_s": round(percentile(beyond, P95), 3),
        "all": [
            {"onset_s": one.onset_s, "stored_s": one.stored_s, "window_s": one.window_s} for one in timings
        ],
    }


def timing(planned: Planned, running: Site, stored: Sequence[Stored], answer_s: float) -> Timing | None:
    """How an accident travelled; None when nothing was told of it."""
    found = _opened(planned, running)
    if found is None:
        return None
    came_at, message = found
    incident = message["data"]["incident"]
    event = running.events(incident["job_id"]).get(incident["event_ids"][0])
    if event is None:
        return None
    epoch_at = _at(event["start_at"]) - dt.timedelta(seconds=event["start_s"])
    window = next(
        page for page in running.captions(incident["job_id"]) if page["chunk_index"] == event["chunk_index"]
    )
    ended_at = epoch_at + dt.timedelta(seconds=window["end_s"])
    last = next(one for one in stored if abs(one.segment.end_at - ended_at) < _SAME)
    looks = window["stats"].get("second_look", {}).get("looks", ())
    return Timing(
        onset_s=(came_at - planned.onset_at).total_seconds(),
        stored_s=(_at(message["timestamp"]) - last.stored_at).total_seconds(),
        window_s=(ended_at - planned.onset_at).total_seconds(),
        vlm_s=answer_s + sum(look["took_ms"] for look in looks) / 1000,
    )


def _opened(planned: Planned, running: Site) -> tuple[dt.datetime, dict[str, Any]] | None:
    """When the first message about an accident came, and the message."""
    for message in running.receiver.received:
        incident = message["data"]["incident"]
        if message["type"] != "incident.opened" or message["data"]["source"] != planned.camera:
            continue
        if abs((_at(incident["start_at"]) - planned.onset_at).total_seconds()) <= _NEAR_S:
            return running.receiver.came_at[message["id"]], message
    return None


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
